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

/// Square metres between two latitudes in degrees, all around the earth. Latitudes beyond the poles are those of the poles.
///
/// # Source
/// Snyder 1987, as above, section 3, equation 3-12: the area from the equator to a latitude is π a² q.
pub fn zone_area(one: f64, other: f64) -> f64 {
    let eccentricity = ECCENTRICITY2.sqrt();
    let q = |latitude: f64| {
        let sin = latitude.clamp(-90.0, 90.0).to_radians().sin();
        let es = eccentricity * sin;
        (1.0 - ECCENTRICITY2) * (sin / (1.0 - es * es) + es.atanh() / eccentricity)
    };
    std::f64::consts::PI * SEMI_MAJOR * SEMI_MAJOR * (q(other) - q(one)).abs()
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

    #[test]
    fn zones_add_up_to_the_surface() {
        // The ellipsoid's surface: Karney 2013, doi:10.1007/s00190-012-0578-z.
        let all: f64 = (-90..90)
            .map(|south: i32| zone_area(south.into(), f64::from(south) + 1.0))
            .sum();
        assert!((all / 5.10065621724089e14 - 1.0).abs() < 1e-13, "{all}");
        assert_eq!(zone_area(10.0, -95.0), zone_area(-90.0, 10.0));
        // Nearly what a degree at its middle is, in both directions.
        let square = zone_area(60.0, 61.0) / 360.0;
        let (x, y) = metres_per_degree(60.5);
        assert!((square / (x * y) - 1.0).abs() < 1e-4, "{square}");
    }

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
