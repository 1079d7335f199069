//! How a netCDF file says where its grid lies.
//!
//! # Source
//! CF conventions 1.11, appendix F (grid mappings)

use super::{Attribute, Attributes};
use crate::raster::{Crs, Grid};

/// What becomes of parameters of PROJ's.
enum As {
    /// An angle or a factor, as it is; where PROJ does not say it, the default, or nothing.
    Number(&'static str, Option<f64>),
    /// One or two latitudes.
    Parallels,
}

use As::{Number, Parallels};

const LON_0: &str = "lon_0";
const CENTRAL: (&str, As) = (LON_0, Number("longitude_of_central_meridian", Some(0.0)));
const ORIGIN_X: (&str, As) = (LON_0, Number("longitude_of_projection_origin", Some(0.0)));
const ORIGIN_Y: (&str, As) = ("lat_0", Number("latitude_of_projection_origin", Some(0.0)));
const TRUE_SCALE: (&str, As) = ("lat_ts", Number("standard_parallel", None));
const SCALE_AT_ORIGIN: (&str, As) = ("k", Number("scale_factor_at_projection_origin", None));

type Mapping = (&'static str, &'static str, &'static [(&'static str, As)]);

/// PROJ's name, CF's, and the parameters. False eastings and northings, which all have, are not listed.
const MAPPINGS: &[Mapping] = &[
    (
        "aea",
        "albers_conical_equal_area",
        &[("lat_1", Parallels), CENTRAL, ORIGIN_Y],
    ),
    ("aeqd", "azimuthal_equidistant", &[ORIGIN_X, ORIGIN_Y]),
    ("cea", "lambert_cylindrical_equal_area", &[CENTRAL, TRUE_SCALE]),
    ("laea", "lambert_azimuthal_equal_area", &[ORIGIN_X, ORIGIN_Y]),
    (
        "lcc",
        "lambert_conformal_conic",
        &[("lat_1", Parallels), CENTRAL, ORIGIN_Y],
    ),
    ("merc", "mercator", &[ORIGIN_X, TRUE_SCALE, SCALE_AT_ORIGIN]),
    ("ortho", "orthographic", &[ORIGIN_X, ORIGIN_Y]),
    ("sinu", "sinusoidal", &[ORIGIN_X]),
    (
        "stere",
        "polar_stereographic",
        &[
            (LON_0, Number("straight_vertical_longitude_from_pole", Some(0.0))),
            ORIGIN_Y,
            TRUE_SCALE,
            SCALE_AT_ORIGIN,
        ],
    ),
    (
        "tmerc",
        "transverse_mercator",
        &[
            CENTRAL,
            ORIGIN_Y,
            ("k", Number("scale_factor_at_central_meridian", Some(1.0))),
        ],
    ),
];

/// The parameters of a PROJ string.
struct Proj(String);

impl Proj {
    fn text(&self, key: &str) -> Option<&str> {
        let prefix = format!("+{key}=");
        self.0.split_whitespace().find_map(|p| p.strip_prefix(&prefix))
    }

    fn number(&self, key: &str) -> Option<f64> {
        // `k` and `k_0` are one.
        let text = self.text(key).or_else(|| self.text(&format!("{key}_0")));
        text?.parse().ok()
    }
}

/// The attributes of a grid mapping: CF's own for the projections that it knows, and WKT, PROJ string and GDAL's six numbers.
pub fn of(crs: &Crs, grid: &Grid) -> Attributes {
    let mut out = Attributes::new();
    let reference = crs.spatial_ref().ok();
    let text = reference.as_ref().and_then(|r| r.to_proj4().ok());
    let proj = Proj(text.unwrap_or_default());
    projection(&proj, crs, &mut out);
    if let Some(reference) = &reference {
        if let Ok(axis) = reference.semi_major() {
            out.push(("semi_major_axis".into(), Attribute::Number(axis)));
        }
        if let (Ok(a), Ok(b)) = (reference.semi_major(), reference.semi_minor())
            && a > b
        {
            out.push(("inverse_flattening".into(), Attribute::Number(a / (a - b))));
            out.push(("semi_minor_axis".into(), Attribute::Number(b)));
        }
        for (name, node) in [
            ("reference_ellipsoid_name", "SPHEROID"),
            ("prime_meridian_name", "PRIMEM"),
            ("horizontal_datum_name", "DATUM"),
            ("geographic_crs_name", "GEOGCS"),
            ("projected_crs_name", "PROJCS"),
        ] {
            if let Ok(Some(value)) = reference.get_attr_value(node, 0) {
                out.push((name.into(), Attribute::Text(value)));
            }
        }
        let meridian = reference.get_attr_value("PRIMEM", 1).ok().flatten();
        if let Some(meridian) = meridian.and_then(|text| text.parse().ok()) {
            out.push(("longitude_of_prime_meridian".into(), Attribute::Number(meridian)));
        }
    }
    let mut put = |name: &str, value: Attribute| out.push((name.to_string(), value));
    put("spatial_ref", Attribute::Text(crs.wkt().to_string()));
    put("crs_wkt", Attribute::Text(crs.wkt().to_string()));
    put("proj4text", Attribute::Text(proj.0));
    if let Some(epsg) = crs.epsg() {
        put("spatial_epsg", Attribute::Integer(i64::from(epsg)));
    }
    let six = grid.transform.to_gdal().map(|v| v.to_string()).join(" ");
    put("GeoTransform", Attribute::Text(six));
    out
}

/// CF's name and numbers of a projection; nothing of one that CF has no numbers for.
fn projection(proj: &Proj, crs: &Crs, out: &mut Attributes) {
    let named = |cf: &str| ("grid_mapping_name".to_string(), Attribute::Text(cf.into()));
    let number = |name: &str, value: f64| (name.to_string(), Attribute::Number(value));
    match proj.text("proj") {
        Some("longlat") => out.push(named("latitude_longitude")),
        Some("utm") => {
            let (zone, south) = (
                proj.number("zone").unwrap_or(0.0),
                proj.0.split_whitespace().any(|p| p == "+south"),
            );
            out.extend([
                named("transverse_mercator"),
                number("longitude_of_central_meridian", 6.0 * zone - 183.0),
                number("latitude_of_projection_origin", 0.0),
                number("scale_factor_at_central_meridian", 0.9996),
                number("false_easting", 500_000.0),
                number("false_northing", if south { 10_000_000.0 } else { 0.0 }),
                number("utm_zone_number", if south { -zone } else { zone }),
            ]);
        }
        Some(name) => {
            let Some((_, cf, parameters)) = MAPPINGS.iter().find(|(proj, _, _)| *proj == name) else {
                return;
            };
            // A sphere for coordinates of an ellipsoid, a conformal cone with a factor, a plane that touches no pole: WKT alone says these.
            let is_other = match name {
                "merc" => proj.text("nadgrids").is_some(),
                "lcc" => proj.number("k").is_some_and(|k| k != 1.0),
                "stere" => proj.number("lat_0").is_none_or(|lat| lat.abs() != 90.0),
                _ => false,
            };
            if is_other {
                return;
            }
            out.push(named(cf));
            for (key, what) in *parameters {
                match what {
                    Number(name, default) => {
                        if let Some(value) = proj.number(key).or(*default) {
                            out.push(number(name, value));
                        }
                    }
                    Parallels => {
                        let parallels: Vec<f64> = ["lat_1", "lat_2"]
                            .iter()
                            .filter_map(|key| proj.number(key))
                            .collect();
                        out.push(("standard_parallel".into(), Attribute::Numbers(parallels)));
                    }
                }
            }
            // PROJ counts in metres, CF in the units of the coordinates.
            let unit = crs.metres_per_unit().unwrap_or(1.0);
            for (name, key) in [("false_easting", "x"), ("false_northing", "y")] {
                let value = proj.number(key).unwrap_or(0.0) / unit;
                out.push(number(name, value));
            }
        }
        None => {}
    }
}
