//! Columns as shapes: well-known binary, and the encodings of GeoArrow that GeoParquet 1.1 has, lists of structures of x and y.

use std::ops::Range;

use arrow_array::cast::AsArray;
use arrow_array::types::Float64Type;
use arrow_array::{Array, ArrayRef, OffsetSizeTrait};
use arrow_schema::DataType;
use geo::{Coord, Geometry as Shape, LineString, MultiLineString, MultiPoint, MultiPolygon, Point, Polygon};

use crate::earth::wkb;
use crate::error::{Error, Result};
use crate::vector::Geometry;

/// One a row, or the row that is wrong, from 0, where it is one, and what is wrong.
type Shapes = Result<Vec<Option<Shape<f64>>>, (Option<usize>, Error)>;

/// The shapes of a column; none where it is null.
///
/// # Errors
/// An encoding that is not known; a column that is not of it; bytes that are no shape.
pub fn shapes(array: &ArrayRef, encoding: &str) -> Shapes {
    match encoding.to_ascii_lowercase().as_str() {
        "wkb" => binary(array),
        "wkt" => text(array),
        "point" => listed::<0>(array, |c, _, at| match c[at] {
            // That is how one is empty.
            Coord { x, y } if x.is_nan() && y.is_nan() => MultiPoint::new(Vec::new()).into(),
            place => Point(place).into(),
        }),
        "linestring" => listed::<1>(array, |c, l, at| line(c, &l[0], at).into()),
        "multipoint" => listed::<1>(array, |c, l, at| {
            MultiPoint(part(c, &l[0], at).iter().copied().map(Point).collect()).into()
        }),
        "polygon" => listed::<2>(array, |c, l, at| polygon(c, &l[0], &l[1], at).into()),
        "multilinestring" => listed::<2>(array, |c, l, at| {
            MultiLineString(range(&l[0], at).map(|at| line(c, &l[1], at)).collect()).into()
        }),
        "multipolygon" => listed::<3>(array, |c, l, at| {
            MultiPolygon(range(&l[0], at).map(|at| polygon(c, &l[1], &l[2], at)).collect()).into()
        }),
        _ => Err(whole(format!(
            "its geometries are encoded as `{encoding}`, which is none of WKB, WKT, point, linestring, polygon, multipoint, \
             multilinestring and multipolygon"
        ))),
    }
}

fn whole(text: String) -> (Option<usize>, Error) {
    (None, Error::message(text))
}

fn not_of(encoding: &str, array: &ArrayRef) -> (Option<usize>, Error) {
    whole(format!(
        "its geometries are said to be {encoding}, and are of type {}",
        array.data_type()
    ))
}

fn binary(array: &ArrayRef) -> Shapes {
    let decode =
        |(row, bytes): (usize, Option<&[u8]>)| bytes.map(wkb::decode).transpose().map_err(|e| (Some(row), e));
    match array.data_type() {
        DataType::Binary => array.as_binary::<i32>().iter().enumerate().map(decode).collect(),
        DataType::LargeBinary => array.as_binary::<i64>().iter().enumerate().map(decode).collect(),
        DataType::BinaryView => array.as_binary_view().iter().enumerate().map(decode).collect(),
        _ => Err(not_of("WKB", array)),
    }
}

fn text(array: &ArrayRef) -> Shapes {
    let parse = |(row, text): (usize, Option<&str>)| {
        let shape = text.map(|text| Geometry::from_wkt(text).map(|g| g.shape));
        shape.transpose().map_err(|e| (Some(row), e))
    };
    match array.data_type() {
        DataType::Utf8 => array.as_string::<i32>().iter().enumerate().map(parse).collect(),
        DataType::LargeUtf8 => array.as_string::<i64>().iter().enumerate().map(parse).collect(),
        DataType::Utf8View => array.as_string_view().iter().enumerate().map(parse).collect(),
        _ => Err(not_of("WKT", array)),
    }
}

/// Shapes of lists `DEPTH` deep: `shape` gets all coordinates, where the lists of each depth begin and end, and the place of the shape.
fn listed<const DEPTH: usize>(
    array: &ArrayRef,
    shape: impl Fn(&[Coord], &[Vec<usize>], usize) -> Shape<f64>,
) -> Shapes {
    let mut levels = Vec::new();
    let mut inner = array.clone();
    for _ in 0..DEPTH {
        let (level, values) = match inner.data_type() {
            DataType::List(_) => level::<i32>(&inner),
            DataType::LargeList(_) => level::<i64>(&inner),
            _ => return Err(not_of("nested lists", array)),
        };
        levels.push(level);
        inner = values;
    }
    let coords = coords(&inner).ok_or_else(|| not_of("lists of structures of x and y", array))?;
    let one = |row| array.is_valid(row).then(|| shape(&coords, &levels, row));
    Ok((0..array.len()).map(one).collect())
}

fn level<T: OffsetSizeTrait>(array: &ArrayRef) -> (Vec<usize>, ArrayRef) {
    let list = array.as_list::<T>();
    let offsets = list.offsets().iter().map(|at| at.as_usize()).collect();
    (offsets, list.values().clone())
}

fn coords(array: &ArrayRef) -> Option<Vec<Coord>> {
    let places = array.as_struct_opt()?;
    let axis = |name| places.column_by_name(name)?.as_primitive_opt::<Float64Type>();
    let (x, y) = (axis("x")?, axis("y")?);
    let pairs = x.values().iter().zip(y.values());
    Some(pairs.map(|(&x, &y)| Coord { x, y }).collect())
}

// The reader of Parquet makes offsets that lie in what they are of.

fn range(level: &[usize], at: usize) -> Range<usize> {
    level[at]..level[at + 1]
}

fn part<'a>(coords: &'a [Coord], level: &[usize], at: usize) -> &'a [Coord] {
    &coords[range(level, at)]
}

fn line(coords: &[Coord], level: &[usize], at: usize) -> LineString {
    LineString(part(coords, level, at).to_vec())
}

fn polygon(coords: &[Coord], rings: &[usize], level: &[usize], at: usize) -> Polygon {
    let mut rings = range(rings, at).map(|at| line(coords, level, at));
    let outer = rings.next().unwrap_or_else(|| LineString(Vec::new()));
    Polygon::new(outer, rings.collect())
}
