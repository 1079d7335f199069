//! Well-known binary (OGC 06-103r4, section 8): the form in which geometries go to GDAL and come back, because it
//! has all types, empty ones too, and needs no call a vertex. Also that of databases, with a number for the CRS, which is left out.

use std::io::{self, Write};

use geo::{Geometry as Shape, GeometryCollection, MultiPoint, Point};
use geo_traits::to_geo::{
    ToGeoLineString, ToGeoMultiLineString, ToGeoMultiPolygon, ToGeoPoint, ToGeoPolygon,
};
use geo_traits::{GeometryCollectionTrait, GeometryTrait, GeometryType, MultiPointTrait, PointTrait};
use wkb::Endianness;
use wkb::error::WkbError;
use wkb::writer::{WriteOptions, geometry_wkb_size, write_geometry};

use crate::error::{Error, Result};

/// Little-endian ISO WKB of a shape.
pub fn encode(shape: &Shape<f64>) -> Vec<u8> {
    // One polygon may be most of what a program holds.
    let mut out = Vec::with_capacity(size(shape));
    // Memory takes all, and no shape has 2³² parts.
    write(shape, &mut out).unwrap_or_else(|e| unreachable!("{e}"));
    out
}

/// How many bytes that has.
pub fn size(shape: &Shape<f64>) -> usize {
    geometry_wkb_size(shape)
}

/// # Errors
/// Those of `out`.
pub fn write(shape: &Shape<f64>, out: &mut impl Write) -> io::Result<()> {
    let options = WriteOptions {
        endianness: Endianness::LittleEndian,
    };
    write_geometry(out, shape, &options).map_err(|e| match e {
        WkbError::IOError(e) => e,
        e => io::Error::other(e.to_string()),
    })
}

/// Z and M are dropped. An empty point becomes an empty MultiPoint; among others it is left out.
///
/// # Errors
/// When the bytes end too early or are something else; surfaces of triangles and polyhedra, of which GDAL makes MultiPolygons first.
pub fn decode(bytes: &[u8]) -> Result<Shape<f64>> {
    let read = wkb::reader::read_wkb(bytes);
    read.map(|read| shape(&read))
        .map_err(|e| Error::message(format!("WKB: {e}")))
}

fn shape(read: &impl GeometryTrait<T = f64>) -> Shape<f64> {
    match read.as_type() {
        GeometryType::Point(p) => match point(p) {
            Some(p) => Shape::Point(p),
            None => Shape::MultiPoint(MultiPoint::new(Vec::new())),
        },
        GeometryType::LineString(line) => Shape::LineString(line.to_line_string()),
        GeometryType::Polygon(polygon) => Shape::Polygon(polygon.to_polygon()),
        GeometryType::MultiPoint(m) => {
            Shape::MultiPoint(MultiPoint::new(m.points().filter_map(|p| point(&p)).collect()))
        }
        GeometryType::MultiLineString(m) => Shape::MultiLineString(m.to_multi_line_string()),
        GeometryType::MultiPolygon(m) => Shape::MultiPolygon(m.to_multi_polygon()),
        GeometryType::GeometryCollection(c) => Shape::GeometryCollection(GeometryCollection::new_from(
            c.geometries().map(|g| shape(&g)).collect(),
        )),
        // Forms that the binary does not have.
        GeometryType::Rect(_) | GeometryType::Triangle(_) | GeometryType::Line(_) => {
            Shape::GeometryCollection(GeometryCollection::new_from(Vec::new()))
        }
    }
}

/// None where a coordinate is NaN, which is how an empty point is written.
fn point(point: &impl PointTrait<T = f64>) -> Option<Point<f64>> {
    point
        .try_to_point()
        .filter(|p| !p.x().is_nan() && !p.y().is_nan())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::Geometry;

    #[test]
    fn gdal_reads_what_we_write_and_we_read_what_gdal_writes() {
        for text in [
            "POINT (1.5 -2)",
            "LINESTRING (0 0,1 1,2 0)",
            "POLYGON ((0 0,4 0,4 4,0 0),(1 0.5,2 0.5,2 1,1 0.5))",
            "POLYGON EMPTY",
            "MULTIPOINT (1 2,3 4)",
            "MULTIPOINT EMPTY",
            "MULTILINESTRING ((0 0,1 1),(2 2,3 3))",
            "MULTIPOLYGON (((0 0,1 0,1 1,0 0)),((5 5,6 5,6 6,5 5)))",
            "GEOMETRYCOLLECTION (POINT (1 2),LINESTRING (0 0,1 0))",
        ] {
            let ours = Geometry::from_wkt(text).unwrap().shape().clone();
            let theirs = gdal::vector::Geometry::from_wkb(&encode(&ours)).unwrap();
            assert!(theirs.is_valid());
            assert_eq!(Geometry::from_wkt(&theirs.wkt().unwrap()).unwrap().shape(), &ours);
            assert_eq!(decode(&theirs.iso_wkb().unwrap()).unwrap(), ours);
        }
    }

    #[test]
    fn z_m_and_either_byte_order() {
        for (text, expected) in [
            ("POINT Z (1 2 3)", "POINT (1 2)"),
            ("LINESTRING ZM (1 2 3 4,5 6 7 8)", "LINESTRING (1 2, 5 6)"),
            (
                "POLYGON M ((0 0 9,1 0 9,1 1 9,0 0 9))",
                "POLYGON ((0 0, 1 0, 1 1, 0 0))",
            ),
            ("POINT EMPTY", "MULTIPOINT EMPTY"),
        ] {
            let theirs = gdal::vector::Geometry::from_wkt(text).unwrap();
            let old = theirs.wkb().unwrap();
            for bytes in [theirs.iso_wkb().unwrap(), old] {
                // The older form has no empty point: GDAL writes (0, 0).
                if text != "POINT EMPTY" || bytes[5..] != [0; 16] {
                    assert_eq!(Geometry::new(decode(&bytes).unwrap(), None).to_wkt(), expected);
                }
            }
        }
        let iso = gdal::vector::Geometry::from_wkt("POINT EMPTY")
            .unwrap()
            .iso_wkb()
            .unwrap();
        assert_eq!(
            decode(&iso).unwrap(),
            Shape::MultiPoint(MultiPoint::new(Vec::new()))
        );
        let big = [
            &[0, 0, 0, 0, 1][..],
            &1.5f64.to_be_bytes(),
            &(-2f64).to_be_bytes(),
        ]
        .concat();
        assert_eq!(decode(&big).unwrap(), Shape::Point(Point::new(1.5, -2.0)));
        // PostGIS: select ST_AsEWKB(ST_SetSRID(ST_MakePoint(1.5, -2), 4326))
        let with_crs = [
            &[1, 1, 0, 0, 0x20, 0xe6, 0x10, 0, 0][..],
            &1.5f64.to_le_bytes(),
            &(-2f64).to_le_bytes(),
        ]
        .concat();
        assert_eq!(decode(&with_crs).unwrap(), Shape::Point(Point::new(1.5, -2.0)));
    }

    #[test]
    fn damaged_bytes_are_an_error() {
        let good = encode(Geometry::from_wkt("POLYGON ((0 0,4 0,4 4,0 0))").unwrap().shape());
        for n in 0..good.len() {
            assert!(decode(&good[..n]).is_err());
        }
        let mut huge = good.clone();
        huge[5..9].copy_from_slice(&u32::MAX.to_le_bytes());
        assert!(decode(&huge).is_err());
        assert!(
            decode(&[1, 99, 0, 0, 0])
                .unwrap_err()
                .to_string()
                .starts_with("WKB: ")
        );
        // Nothing is as deep as this on purpose.
        let mut deep = [1, 7, 0, 0, 0, 1, 0, 0, 0].repeat(100_000);
        deep.extend([1, 7, 0, 0, 0, 0, 0, 0, 0]);
        assert!(decode(&deep).unwrap_err().to_string().contains("nesting"));
    }
}
