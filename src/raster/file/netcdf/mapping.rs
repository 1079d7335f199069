//! How a netCDF file says where its grid lies.

use super::{Attribute, Attributes};
use crate::raster::{Crs, Grid};

/// The attributes of a grid mapping: CF's own for the projections of this field, and WKT, PROJ string and GDAL's six numbers.
pub fn of(crs: &Crs, grid: &Grid) -> Attributes {
    let mut out = Attributes::new();
    let proj = crs
        .spatial_ref()
        .ok()
        .and_then(|r| r.to_proj4().ok())
        .unwrap_or_default();
    let value = |key: &str| {
        let prefix = format!("+{key}=");
        proj.split_whitespace().find_map(|p| p.strip_prefix(&prefix))
    };
    let number = |key: &str| value(key).and_then(|v| v.parse::<f64>().ok()).unwrap_or(0.0);
    let mut put = |name: &str, value: Attribute| out.push((name.to_string(), value));
    let origin = |put: &mut dyn FnMut(&str, Attribute)| {
        put("false_easting", Attribute::Number(number("x_0")));
        put("false_northing", Attribute::Number(number("y_0")));
    };
    match value("proj") {
        Some("stere") => {
            put("grid_mapping_name", Attribute::Text("polar_stereographic".into()));
            put(
                "straight_vertical_longitude_from_pole",
                Attribute::Number(number("lon_0")),
            );
            origin(&mut put);
            put(
                "latitude_of_projection_origin",
                Attribute::Number(number("lat_0")),
            );
            put("standard_parallel", Attribute::Number(number("lat_ts")));
        }
        Some("utm") => {
            put("grid_mapping_name", Attribute::Text("transverse_mercator".into()));
            put(
                "longitude_of_central_meridian",
                Attribute::Number(6.0 * number("zone") - 183.0),
            );
            put("latitude_of_projection_origin", Attribute::Number(0.0));
            put("scale_factor_at_central_meridian", Attribute::Number(0.9996));
            put("false_easting", Attribute::Number(500_000.0));
            let south = proj.split_whitespace().any(|p| p == "+south");
            put(
                "false_northing",
                Attribute::Number(if south { 10_000_000.0 } else { 0.0 }),
            );
            put(
                "utm_zone_number",
                Attribute::Number(number("zone") * if south { -1.0 } else { 1.0 }),
            );
        }
        Some("tmerc") => {
            put("grid_mapping_name", Attribute::Text("transverse_mercator".into()));
            put(
                "longitude_of_central_meridian",
                Attribute::Number(number("lon_0")),
            );
            put(
                "latitude_of_projection_origin",
                Attribute::Number(number("lat_0")),
            );
            put("scale_factor_at_central_meridian", Attribute::Number(number("k")));
            origin(&mut put);
        }
        Some("longlat") => put("grid_mapping_name", Attribute::Text("latitude_longitude".into())),
        _ => {}
    }
    if let Ok(reference) = crs.spatial_ref() {
        if let Ok(axis) = reference.semi_major() {
            put("semi_major_axis", Attribute::Number(axis));
        }
        if let (Ok(a), Ok(b)) = (reference.semi_major(), reference.semi_minor())
            && a > b
        {
            put("inverse_flattening", Attribute::Number(a / (a - b)));
        }
    }
    put("spatial_ref", Attribute::Text(crs.wkt().to_string()));
    put("crs_wkt", Attribute::Text(crs.wkt().to_string()));
    put("proj4text", Attribute::Text(proj.clone()));
    if let Some(epsg) = crs.epsg() {
        put("spatial_epsg", Attribute::Integer(i64::from(epsg)));
    }
    let six = grid.transform.to_gdal().map(|v| v.to_string()).join(" ");
    put("GeoTransform", Attribute::Text(six));
    out
}
