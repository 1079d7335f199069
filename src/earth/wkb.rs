//! Well-known binary (OGC 06-103r4, section 8): the form in which geometries go to GDAL and come back, because it
//! has all types, empty ones too, and needs no call a vertex.

use geo::{
    Coord, Geometry as Shape, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

use crate::error::{Error, Result};

const POINT: u32 = 1;
const LINE_STRING: u32 = 2;
const POLYGON: u32 = 3;
const MULTI_POINT: u32 = 4;
const MULTI_LINE_STRING: u32 = 5;
const MULTI_POLYGON: u32 = 6;
const GEOMETRY_COLLECTION: u32 = 7;
const POLYHEDRAL_SURFACE: u32 = 15;
const TIN: u32 = 16;
const TRIANGLE: u32 = 17;
const MAX_DEPTH: usize = 32;

/// Little-endian ISO WKB of a shape.
pub fn encode(shape: &Shape<f64>) -> Vec<u8> {
    let mut out = Vec::new();
    write(&mut out, shape);
    out
}

fn write(out: &mut Vec<u8>, shape: &Shape<f64>) {
    match shape {
        Shape::Point(p) => {
            header(out, POINT);
            write_coord(out, p.0);
        }
        Shape::Line(line) => write(out, &Shape::LineString((*line).into())),
        Shape::Rect(r) => write(out, &Shape::Polygon(r.to_polygon())),
        Shape::Triangle(t) => write(out, &Shape::Polygon(t.to_polygon())),
        Shape::LineString(line) => {
            header(out, LINE_STRING);
            write_coords(out, line);
        }
        Shape::Polygon(polygon) => write_polygon(out, polygon),
        Shape::MultiPoint(m) => {
            header(out, MULTI_POINT);
            count(out, m.0.len());
            m.iter().for_each(|p| write(out, &Shape::Point(*p)));
        }
        Shape::MultiLineString(m) => {
            header(out, MULTI_LINE_STRING);
            count(out, m.0.len());
            for line in m {
                header(out, LINE_STRING);
                write_coords(out, line);
            }
        }
        Shape::MultiPolygon(m) => {
            header(out, MULTI_POLYGON);
            count(out, m.0.len());
            m.iter().for_each(|p| write_polygon(out, p));
        }
        Shape::GeometryCollection(c) => {
            header(out, GEOMETRY_COLLECTION);
            count(out, c.0.len());
            c.iter().for_each(|g| write(out, g));
        }
    }
}

fn header(out: &mut Vec<u8>, code: u32) {
    out.push(1);
    out.extend(code.to_le_bytes());
}

fn count(out: &mut Vec<u8>, n: usize) {
    out.extend((n as u32).to_le_bytes());
}

fn write_coord(out: &mut Vec<u8>, c: Coord) {
    out.extend(c.x.to_le_bytes());
    out.extend(c.y.to_le_bytes());
}

fn write_coords(out: &mut Vec<u8>, line: &LineString) {
    count(out, line.0.len());
    line.coords().for_each(|c| write_coord(out, *c));
}

fn write_polygon(out: &mut Vec<u8>, polygon: &Polygon) {
    header(out, POLYGON);
    if polygon.exterior().0.is_empty() {
        return count(out, 0);
    }
    count(out, 1 + polygon.interiors().len());
    std::iter::once(polygon.exterior())
        .chain(polygon.interiors())
        .for_each(|ring| write_coords(out, ring));
}

/// Z and M are dropped. An empty point becomes an empty MultiPoint.
pub fn decode(bytes: &[u8]) -> Result<Shape<f64>> {
    Reader {
        bytes,
        at: 0,
        big_endian: false,
    }
    .shape(0)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
    big_endian: bool,
}

impl Reader<'_> {
    fn error(&self, message: &str) -> Error {
        Error::message(format!("WKB: {message} at byte {}", self.at))
    }

    fn take<const N: usize>(&mut self) -> Result<[u8; N]> {
        let slice = self
            .bytes
            .get(self.at..self.at + N)
            .ok_or_else(|| self.error("ends too early"))?;
        let mut out = [0; N];
        out.copy_from_slice(slice);
        if self.big_endian {
            out.reverse();
        }
        self.at += N;
        Ok(out)
    }

    fn integer(&mut self) -> Result<u32> {
        self.take().map(u32::from_le_bytes)
    }

    fn coord(&mut self, dimensions: usize) -> Result<Coord> {
        let coord = Coord {
            x: f64::from_le_bytes(self.take()?),
            y: f64::from_le_bytes(self.take()?),
        };
        for _ in 2..dimensions {
            self.take::<8>()?;
        }
        Ok(coord)
    }

    fn list<T>(&mut self, mut item: impl FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        // No capacity from the count: a damaged count must not allocate.
        let n = self.integer()?;
        let mut out = Vec::new();
        for _ in 0..n {
            out.push(item(self)?);
        }
        Ok(out)
    }

    fn line(&mut self, dimensions: usize) -> Result<LineString> {
        self.list(|r| r.coord(dimensions)).map(LineString::new)
    }

    fn polygon(&mut self, dimensions: usize) -> Result<Polygon> {
        let mut rings = self.list(|r| r.line(dimensions))?.into_iter();
        let exterior = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
        Ok(Polygon::new(exterior, rings.collect()))
    }

    fn shape(&mut self, depth: usize) -> Result<Shape<f64>> {
        if depth > MAX_DEPTH {
            return Err(self.error("collections nested too deeply"));
        }
        self.big_endian = match self.bytes.get(self.at) {
            Some(0) => true,
            Some(1) => false,
            _ => return Err(self.error("no byte order mark")),
        };
        self.at += 1;
        let code = self.integer()?;
        // ISO adds 1000 for Z, 2000 for M, 3000 for both; the older form sets the highest bits.
        let old_extra = (code >> 31 & 1) + (code >> 30 & 1);
        let code = code & 0x0fff_ffff;
        let dimensions =
            2 + old_extra as usize + [0, 1, 1, 2].get((code / 1000) as usize).copied().unwrap_or(0);
        Ok(match code % 1000 {
            POINT => {
                let coord = self.coord(dimensions)?;
                if coord.x.is_nan() || coord.y.is_nan() {
                    return Ok(Shape::MultiPoint(MultiPoint::new(Vec::new())));
                }
                Shape::Point(Point(coord))
            }
            LINE_STRING => Shape::LineString(self.line(dimensions)?),
            POLYGON | TRIANGLE => Shape::Polygon(self.polygon(dimensions)?),
            MULTI_POINT => Shape::MultiPoint(MultiPoint::new(self.members(depth, |s| match s {
                Shape::Point(p) => Some(p),
                _ => None,
            })?)),
            MULTI_LINE_STRING => {
                Shape::MultiLineString(MultiLineString::new(self.members(depth, |s| match s {
                    Shape::LineString(l) => Some(l),
                    _ => None,
                })?))
            }
            MULTI_POLYGON | POLYHEDRAL_SURFACE | TIN => {
                Shape::MultiPolygon(MultiPolygon::new(self.members(depth, |s| match s {
                    Shape::Polygon(p) => Some(p),
                    _ => None,
                })?))
            }
            GEOMETRY_COLLECTION => {
                Shape::GeometryCollection(GeometryCollection::new_from(self.list(|r| r.shape(depth + 1))?))
            }
            other => return Err(self.error(&format!("geometry type {other}, which is not known,"))),
        })
    }

    /// Members of a multi-part shape; empty points among them are left out.
    fn members<T>(&mut self, depth: usize, part: impl Fn(Shape<f64>) -> Option<T>) -> Result<Vec<T>> {
        let shapes = self.list(|r| r.shape(depth + 1))?;
        Ok(shapes.into_iter().filter_map(part).collect())
    }
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
            (
                "TIN Z (((0 0 0,0 1 0,1 1 0,0 0 0)))",
                "MULTIPOLYGON (((0 0, 0 1, 1 1, 0 0)))",
            ),
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
        assert_eq!(
            decode(&[1, 99, 0, 0, 0]).unwrap_err().to_string(),
            "WKB: geometry type 99, which is not known, at byte 5"
        );
    }
}
