//! How geometries lie to each other, and whether one is well formed.

use geo::{Contains, Intersects, Validation};

use super::Geometry;
use crate::error::Result;

impl Geometry {
    /// True where the two share at least one point, on their edges too.
    ///
    /// # Errors
    /// When the CRSs differ, as for the following.
    pub fn intersects(&self, other: &Geometry) -> Result<bool> {
        self.common_crs(other)?;
        Ok(self.shape.intersects(&other.shape))
    }

    /// True where `other` lies in this geometry and their interiors meet: a point on the edge of a polygon is not
    /// contained (OGC 06-103r4, section 6.1.15).
    ///
    /// # Errors
    /// When the CRSs differ.
    pub fn contains(&self, other: &Geometry) -> Result<bool> {
        self.common_crs(other)?;
        Ok(self.shape.contains(&other.shape))
    }

    /// None for a valid geometry, else what is wrong with it: a ring that crosses itself, a hole outside, too few points,
    /// a coordinate that is not finite.
    pub fn validity(&self) -> Option<String> {
        self.shape.check_validation().err().map(|e| e.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::Geometry;

    fn g(text: &str) -> Geometry {
        Geometry::from_wkt(text).unwrap()
    }

    #[test]
    fn predicates() {
        let square = g("POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))");
        for (other, intersects, contains) in [
            ("POINT (1 1)", true, true),
            ("POINT (4 1)", true, false),
            ("POINT (5 1)", false, false),
            ("LINESTRING (1 1, 3 3)", true, true),
            ("LINESTRING (1 1, 5 5)", true, false),
            ("POLYGON ((1 1, 4 1, 4 4, 1 1))", true, true),
            ("POLYGON ((4 0, 5 0, 5 1, 4 0))", true, false),
            ("POLYGON EMPTY", false, false),
            (
                "GEOMETRYCOLLECTION (POINT (9 9), LINESTRING (1 1, 2 2))",
                true,
                false,
            ),
        ] {
            assert_eq!(square.intersects(&g(other)).unwrap(), intersects, "{other}");
            assert_eq!(square.contains(&g(other)).unwrap(), contains, "{other}");
        }
    }

    #[test]
    fn different_crs_is_an_error_that_names_both() {
        let (a, b) = (g("SRID=4326;POINT (1 1)"), g("SRID=32611;POINT (1 1)"));
        let error = a.intersects(&b).unwrap_err().to_string();
        assert!(
            error.contains("EPSG:4326 and EPSG:32611") && error.contains("to_crs"),
            "{error}"
        );
        assert!(a.intersects(&g("POINT (1 1)")).unwrap());
    }

    #[test]
    fn what_is_wrong_is_said() {
        assert_eq!(g("POLYGON ((0 0, 4 0, 4 4, 0 0))").validity(), None);
        let message = g("POLYGON ((0 0, 2 2, 2 0, 0 2, 0 0))").validity().unwrap();
        assert!(message.contains("self-intersection"), "{message}");
        assert!(
            g("POLYGON ((0 0, 1 0, 1 1, 0 0), (5 5, 6 5, 6 6, 5 5))")
                .validity()
                .is_some()
        );
        assert!(g("LINESTRING (1 1, 1 1)").validity().is_some());
    }
}
