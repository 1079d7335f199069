//! The WGS 84 ellipsoid.

/// Metres from the centre to the equator.
pub const SEMI_MAJOR: f64 = 6_378_137.0;

const FLATTENING: f64 = 1.0 / 298.257_223_563;

/// The square of the eccentricity of a meridian.
pub const ECCENTRICITY2: f64 = FLATTENING * (2.0 - FLATTENING);

/// Metres of a degree of longitude and of latitude, at a latitude in degrees.
///
/// # Source
/// Radii of curvature of the prime vertical and of the meridian: Snyder 1987, Map Projections: A Working Manual, USGS
/// Professional Paper 1395, section 4, equations 4-18 and 4-20, doi:10.3133/pp1395.
pub fn metres_per_degree(latitude: f64) -> (f64, f64) {
    let (sin, cos) = latitude.to_radians().sin_cos();
    let w2 = 1.0 - ECCENTRICITY2 * sin * sin;
    let prime_vertical = SEMI_MAJOR / w2.sqrt();
    let meridian = SEMI_MAJOR * (1.0 - ECCENTRICITY2) / (w2 * w2.sqrt());
    let radians = 1f64.to_radians();
    (radians * prime_vertical * cos, radians * meridian)
}

/// Metres from the centre of the earth, along axes that turn with it, of a place on the ellipsoid in degrees.
pub fn from_centre(longitude: f64, latitude: f64) -> [f64; 3] {
    let (lon, lat) = (longitude.to_radians(), latitude.to_radians());
    let n = SEMI_MAJOR / (1.0 - ECCENTRICITY2 * lat.sin().powi(2)).sqrt();
    [
        n * lat.cos() * lon.cos(),
        n * lat.cos() * lon.sin(),
        n * (1.0 - ECCENTRICITY2) * lat.sin(),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Snyder 1987, table 3, is of the Clarke ellipsoid; these are of WGS 84: 111.320 km and 110.574 km at the equator, 0 and
    /// 111.694 km at the pole (National Geospatial-Intelligence Agency, length of a degree calculator).
    #[test]
    fn a_degree_is_as_long_as_tables_say() {
        let (east, north) = metres_per_degree(0.0);
        assert!((east - 111_319.49).abs() < 0.01 && (north - 110_574.28).abs() < 0.01);
        let (east, north) = metres_per_degree(90.0);
        assert!(east.abs() < 1e-6 && (north - 111_693.98).abs() < 0.01);
    }

    #[test]
    fn chords_are_as_long_as_degrees() {
        for latitude in [-80.0, 0.0, 45.0] {
            let step = 1e-4;
            let apart = |a: [f64; 3], b: [f64; 3]| {
                a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt() / step
            };
            let here = from_centre(10.0, latitude);
            let (east, north) = metres_per_degree(latitude);
            assert!((apart(here, from_centre(10.0 + step, latitude)) / east - 1.0).abs() < 1e-6);
            assert!((apart(here, from_centre(10.0, latitude + step)) / north - 1.0).abs() < 1e-5);
        }
    }
}
