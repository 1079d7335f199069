//! Well-known text of geometries (OGC 06-103r4, section 7), with the `SRID=4326;` prefix that PostGIS adds.

use std::fmt::Write;

use geo::{
    Coord, Geometry as Shape, GeometryCollection, LineString, MultiLineString, MultiPoint, MultiPolygon,
    Point, Polygon,
};

use super::Geometry;
use crate::error::{Error, Result};
use crate::raster::Crs;

/// Collections may nest; text that nests deeper than this is not a real geometry but would exhaust the stack.
const MAX_DEPTH: usize = 32;

impl Geometry {
    /// Reads WKT in any case; Z and M values are dropped. An empty point, which has no coordinates to hold, becomes
    /// an empty MultiPoint.
    ///
    /// # Errors
    /// Names the character at which the text stops making sense.
    pub fn from_wkt(text: &str) -> Result<Geometry> {
        let mut reader = Reader { text, at: 0 };
        let mut crs = None;
        if text
            .trim_start()
            .get(..5)
            .is_some_and(|p| p.eq_ignore_ascii_case("SRID="))
        {
            let (prefix, rest) = text
                .split_once(';')
                .ok_or_else(|| reader.error("`;` after the SRID"))?;
            reader.at = text.len() - rest.len();
            crs = Some(Crs::parse(prefix.trim_start()[5..].trim())?);
        }
        let shape = reader.geometry(0)?;
        reader.skip_blanks();
        if reader.at < text.len() {
            return Err(reader.error("the end of the text"));
        }
        Ok(Geometry { shape, crs })
    }

    /// WKT without the CRS. Numbers are in the shortest form that reads back the same.
    pub fn to_wkt(&self) -> String {
        let mut out = String::new();
        write_shape(&mut out, &self.shape);
        out
    }
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
}

impl<'a> Reader<'a> {
    fn error(&self, expected: &str) -> Error {
        let rest: String = self.text[self.at..].chars().take(20).collect();
        let found = if rest.is_empty() {
            "the end of the text".to_string()
        } else {
            format!("`{rest}`")
        };
        let character = self.text[..self.at].chars().count() + 1;
        Error::message(format!(
            "WKT: expected {expected} at character {character}, found {found}"
        ))
    }

    fn skip_blanks(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start().len();
    }

    fn word(&mut self) -> &'a str {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !c.is_ascii_alphabetic())
            .unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    /// Takes the character if it is next.
    fn take(&mut self, character: char) -> bool {
        self.skip_blanks();
        let found = self.text[self.at..].starts_with(character);
        if found {
            self.at += character.len_utf8();
        }
        found
    }

    fn number(&mut self) -> Result<f64> {
        self.skip_blanks();
        let rest = &self.text[self.at..];
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || matches!(c, '+' | '-' | '.' | 'e' | 'E')))
            .unwrap_or(rest.len());
        match rest[..end].parse::<f64>() {
            Ok(number) if number.is_finite() => {
                self.at += end;
                Ok(number)
            }
            _ => Err(self.error("a number")),
        }
    }

    /// x and y, and up to two more numbers that are dropped.
    fn coord(&mut self) -> Result<Coord> {
        let coord = Coord {
            x: self.number()?,
            y: self.number()?,
        };
        for _ in 0..2 {
            self.skip_blanks();
            if !self.text[self.at..].starts_with(|c: char| c.is_ascii_digit() || matches!(c, '+' | '-' | '.'))
            {
                break;
            }
            self.number()?;
        }
        Ok(coord)
    }

    /// `( item, item … )` or EMPTY.
    fn list<T>(&mut self, item: &mut dyn FnMut(&mut Self) -> Result<T>) -> Result<Vec<T>> {
        let mut items = Vec::new();
        if !self.take('(') {
            let before = self.at;
            if self.word().eq_ignore_ascii_case("EMPTY") {
                return Ok(items);
            }
            self.at = before;
            return Err(self.error("`(` or EMPTY"));
        }
        loop {
            items.push(item(self)?);
            if self.take(')') {
                return Ok(items);
            }
            if !self.take(',') {
                return Err(self.error("`,` or `)`"));
            }
        }
    }

    fn line(&mut self) -> Result<LineString> {
        self.list(&mut Self::coord).map(LineString::new)
    }

    fn polygon(&mut self) -> Result<Polygon> {
        let mut rings = self.list(&mut Self::line)?.into_iter();
        let exterior = rings.next().unwrap_or_else(|| LineString::new(Vec::new()));
        Ok(Polygon::new(exterior, rings.collect()))
    }

    /// A member of a MULTIPOINT, with or without brackets of its own.
    fn member_point(&mut self) -> Result<Point> {
        if !self.take('(') {
            return self.coord().map(Point);
        }
        let point = self.coord().map(Point)?;
        if !self.take(')') {
            return Err(self.error("`)`"));
        }
        Ok(point)
    }

    fn geometry(&mut self, depth: usize) -> Result<Shape<f64>> {
        self.skip_blanks();
        let start = self.at;
        let word = self.word().to_ascii_uppercase();
        // `POINTZ` and `POINT Z` are both in use.
        let name = word.trim_end_matches(['Z', 'M']);
        let known = [
            "POINT",
            "LINESTRING",
            "POLYGON",
            "MULTIPOINT",
            "MULTILINESTRING",
            "MULTIPOLYGON",
            "GEOMETRYCOLLECTION",
        ];
        if !known.contains(&name) {
            self.at = start;
            return Err(self.error(&format!("one of {}", known.join(", "))));
        }
        let before = self.at;
        if !matches!(self.word().to_ascii_uppercase().as_str(), "Z" | "M" | "ZM") {
            self.at = before;
        }
        Ok(match name {
            "POINT" => {
                let at = self.at;
                match self.list(&mut Self::coord)?.as_slice() {
                    [] => Shape::MultiPoint(MultiPoint::new(Vec::new())),
                    [coord] => Shape::Point(Point(*coord)),
                    _ => {
                        self.at = at;
                        return Err(self.error("one position for a POINT"));
                    }
                }
            }
            "LINESTRING" => Shape::LineString(self.line()?),
            "POLYGON" => Shape::Polygon(self.polygon()?),
            "MULTIPOINT" => Shape::MultiPoint(MultiPoint::new(self.list(&mut Self::member_point)?)),
            "MULTILINESTRING" => Shape::MultiLineString(MultiLineString::new(self.list(&mut Self::line)?)),
            "MULTIPOLYGON" => Shape::MultiPolygon(MultiPolygon::new(self.list(&mut Self::polygon)?)),
            _ if depth >= MAX_DEPTH => return Err(self.error("collections nested less deeply")),
            _ => Shape::GeometryCollection(GeometryCollection::new_from(
                self.list(&mut |reader| reader.geometry(depth + 1))?,
            )),
        })
    }
}

fn write_shape(out: &mut String, shape: &Shape<f64>) {
    let mut parts = Vec::new();
    match shape {
        Shape::Line(_) | Shape::Rect(_) | Shape::Triangle(_) => {
            super::geometry::collect_parts(shape, &mut parts);
            parts.iter().for_each(|part| write_shape(out, part));
        }
        Shape::Point(p) => {
            out.push_str("POINT ");
            write_coords(out, [p.0]);
        }
        Shape::LineString(line) => {
            out.push_str("LINESTRING ");
            write_coords(out, line.coords().copied());
        }
        Shape::Polygon(polygon) => {
            out.push_str("POLYGON ");
            write_polygon(out, polygon);
        }
        Shape::MultiPoint(m) => {
            out.push_str("MULTIPOINT ");
            write_list(out, m.iter(), |out, p| write_coords(out, [p.0]));
        }
        Shape::MultiLineString(m) => {
            out.push_str("MULTILINESTRING ");
            write_list(out, m.iter(), |out, line| {
                write_coords(out, line.coords().copied())
            });
        }
        Shape::MultiPolygon(m) => {
            out.push_str("MULTIPOLYGON ");
            write_list(out, m.iter(), write_polygon);
        }
        Shape::GeometryCollection(c) => {
            out.push_str("GEOMETRYCOLLECTION ");
            write_list(out, c.iter(), write_shape);
        }
    }
}

fn write_list<T>(out: &mut String, items: impl Iterator<Item = T>, mut write: impl FnMut(&mut String, T)) {
    let mut first = true;
    for item in items {
        out.push_str(if first { "(" } else { ", " });
        first = false;
        write(out, item);
    }
    out.push_str(if first { "EMPTY" } else { ")" });
}

fn write_coords(out: &mut String, coords: impl IntoIterator<Item = Coord>) {
    write_list(out, coords.into_iter(), |out, c| {
        // Writing to a String cannot fail.
        let _ = write!(out, "{} {}", c.x, c.y);
    });
}

fn write_polygon(out: &mut String, polygon: &Polygon) {
    let exterior = Some(polygon.exterior()).filter(|e| !e.0.is_empty());
    write_list(
        out,
        exterior.into_iter().chain(polygon.interiors()),
        |out, ring| write_coords(out, ring.coords().copied()),
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_type_reads_back() {
        for text in [
            "POINT (1.5 -2)",
            "LINESTRING (0 0, 1 1, 2 0)",
            "LINESTRING EMPTY",
            "POLYGON ((0 0, 4 0, 4 4, 0 0), (1 0.5, 2 0.5, 2 1, 1 0.5))",
            "POLYGON EMPTY",
            "MULTIPOINT ((1 2), (3 4))",
            "MULTIPOINT EMPTY",
            "MULTILINESTRING ((0 0, 1 1), (2 2, 3 3))",
            "MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)), ((5 5, 6 5, 6 6, 5 5)))",
            "GEOMETRYCOLLECTION (POINT (1 2), GEOMETRYCOLLECTION (LINESTRING (0 0, 1 0.30000000000000004)))",
            "GEOMETRYCOLLECTION EMPTY",
        ] {
            assert_eq!(Geometry::from_wkt(text).unwrap().to_wkt(), text);
        }
    }

    #[test]
    fn variants_in_use_are_read() {
        for (text, expected) in [
            ("point z(1 2 3)", "POINT (1 2)"),
            ("POINTZM (1 2 3 4)", "POINT (1 2)"),
            ("POINT M (1e3 -.5 3)", "POINT (1000 -0.5)"),
            ("MULTIPOINT (1 2, 3 4)", "MULTIPOINT ((1 2), (3 4))"),
            ("Polygon((0 0,1 0,1 1))", "POLYGON ((0 0, 1 0, 1 1, 0 0))"),
            ("POINT EMPTY", "MULTIPOINT EMPTY"),
        ] {
            assert_eq!(Geometry::from_wkt(text).unwrap().to_wkt(), expected);
        }
        let g = Geometry::from_wkt(" SRID=32611; POINT (500000 4000000)").unwrap();
        assert_eq!(g.crs.unwrap().name(), "EPSG:32611");
    }

    #[test]
    fn errors_name_the_place() {
        let error = |text: &str| Geometry::from_wkt(text).unwrap_err().to_string();
        assert_eq!(
            error("POINT (1 x)"),
            "WKT: expected a number at character 10, found `x)`"
        );
        assert_eq!(
            error("POINT 1 2"),
            "WKT: expected `(` or EMPTY at character 7, found `1 2`"
        );
        assert_eq!(
            error("LINESTRING (0 0, 1 1"),
            "WKT: expected `,` or `)` at character 21, found the end of the text"
        );
        assert_eq!(
            error("POINT (1 2) x"),
            "WKT: expected the end of the text at character 13, found `x`"
        );
        assert!(error("CIRCLE (1 2)").starts_with("WKT: expected one of POINT, LINESTRING"));
        assert!(error("").contains("found the end of the text"));
        assert!(error("POINT (1 2, 3 4)").contains("one position for a POINT"));
        assert!(error("POINT (1e999 2)").contains("a number"));
        assert!(error("SRID=4326 POINT (1 2)").contains("`;` after the SRID"));
        assert!(error("SRID=99999999;POINT (1 2)").contains("CRS must be"));
        assert!(error("POINT (1 2 3 4 5)").contains("`,` or `)`"));
        let deep = "GEOMETRYCOLLECTION (".repeat(5000);
        assert!(error(&deep).contains("nested less deeply"));
        assert!(error("POÏNT (1 2)").contains("one of POINT"));
    }
}
