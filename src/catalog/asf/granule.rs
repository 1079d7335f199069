//! A granule as CMR describes it (UMM-G) as a STAC item.

use jiff::Timestamp;
use serde_json::{Map, Value, json};
use stac::{Asset, Item};

use crate::catalog::item::multihash;

/// CMR's additional attributes with the properties that they become. Numbers are written as text in UMM-G.
const ATTRIBUTES: &[(&str, &str, Kind)] = &[
    ("ASCENDING_DESCENDING", "sat:orbit_state", Kind::Lower),
    ("PATH_NUMBER", "sat:relative_orbit", Kind::Integer),
    ("POLARIZATION", "sar:polarizations", Kind::Polarizations),
    ("BEAM_MODE", "sar:instrument_mode", Kind::Text),
    ("BEAM_MODE_TYPE", "sar:instrument_mode", Kind::Text),
    ("LOOK_DIRECTION", "sar:observation_direction", Kind::Side),
    ("OFF_NADIR_ANGLE", "view:off_nadir", Kind::Number),
    ("PROCESSING_TYPE", "processing:level", Kind::Text),
    ("GROUP_ID", "asf:group_id", Kind::Text),
    ("FRAME_NUMBER", "asf:frame", Kind::Integer),
    ("CENTER_ESA_FRAME", "asf:esa_frame", Kind::Integer),
    ("FARADAY_ROTATION", "asf:faraday_rotation_deg", Kind::Number),
    ("INSAR_STACK_ID", "asf:insar_stack_id", Kind::Text),
    ("INSAR_BASELINE", "asf:insar_baseline_m", Kind::Number),
    ("GRANULE_TYPE", "asf:granule_type", Kind::Text),
    ("OPERA_BURST_ID", "asf:opera_burst_id", Kind::Text),
    ("BURST_ID_FULL", "asf:full_burst_id", Kind::Text),
    ("BURST_ID_RELATIVE", "asf:relative_burst_id", Kind::Integer),
    ("BURST_ID_ABSOLUTE", "asf:absolute_burst_id", Kind::Integer),
    ("BURST_INDEX", "asf:burst_index", Kind::Integer),
    ("SUBSWATH_NAME", "asf:subswath", Kind::Text),
    (
        "TEMPORAL_BASELINE_DAYS",
        "asf:temporal_baseline_days",
        Kind::Number,
    ),
];

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Lower,
    Side,
    Integer,
    Number,
    Polarizations,
}

/// The item of one entry of CMR's `items`; `None` where it is no granule.
///
/// Properties: `sat:relative_orbit` (path), `sat:absolute_orbit`, `sat:orbit_state`, `sar:polarizations`,
/// `sar:instrument_mode` (beam mode), `processing:level`, `asf:frame`, `asf:esa_frame`, `asf:scene_name`, `asf:group_id`, … The asset `data` has the file's `href`,
/// `file:size` in bytes and `file:checksum`; further files are `data_2`, …; the browse pictures `browse`, `browse_2`, …
pub fn item(entry: &Value) -> Option<Item> {
    let umm = entry.get("umm")?;
    let id = umm["GranuleUR"].as_str()?;
    let mut item = Item::new(id);
    item.collection = umm["CollectionReference"]["ShortName"]
        .as_str()
        .map(str::to_string);
    item.geometry = geometry(&umm["SpatialExtent"]["HorizontalSpatialDomain"]["Geometry"])
        .and_then(|g| serde_json::from_value(g).ok());
    let time = |name: &str| {
        let range = &umm["TemporalExtent"]["RangeDateTime"][name];
        let text = range
            .as_str()
            .or(umm["TemporalExtent"]["SingleDateTime"].as_str())?;
        text.parse::<Timestamp>()
            .ok()
            .and_then(crate::catalog::item::datetime)
    };
    item.properties.datetime = time("BeginningDateTime");
    item.properties.start_datetime = time("BeginningDateTime");
    item.properties.end_datetime = time("EndingDateTime");
    item.properties.additional_fields = properties(entry, umm);
    assets(umm, &mut item);
    Some(item)
}

fn properties(entry: &Value, umm: &Value) -> Map<String, Value> {
    let mut out = Map::new();
    let platform = &umm["Platforms"][0];
    if let Some(name) = platform["ShortName"].as_str() {
        out.insert("platform".into(), json!(name));
    }
    if let Some(name) = platform["Instruments"][0]["ShortName"].as_str() {
        out.insert("instruments".into(), json!([name]));
    }
    if let Some(orbit) = umm["OrbitCalculatedSpatialDomains"][0]["OrbitNumber"].as_i64() {
        out.insert("sat:absolute_orbit".into(), json!(orbit));
    }
    for attribute in list(&umm["AdditionalAttributes"]) {
        let known = ATTRIBUTES.iter().find(|(name, _, _)| attribute["Name"] == *name);
        let Some((_, property, kind)) = known else {
            continue;
        };
        let values: Vec<&str> = list(&attribute["Values"])
            .iter()
            .filter_map(Value::as_str)
            .collect();
        if let Some(value) = value(&values, *kind)
            && !out.contains_key(*property)
        {
            out.insert((*property).into(), value);
        }
    }
    // ASF's scene name: the identifier that the producer gave, else the granule without its kind of product.
    let identifiers = list(&umm["DataGranule"]["Identifiers"]);
    let scene = identifiers
        .iter()
        .find(|i| i["IdentifierType"] == "ProducerGranuleId");
    if let Some(scene) = scene.and_then(|i| i["Identifier"].as_str()) {
        out.insert("asf:scene_name".into(), json!(scene));
    }
    if let Some(time) = umm["DataGranule"]["ProductionDateTime"].as_str() {
        out.insert("processing:datetime".into(), json!(time));
    }
    if let Some(version) = umm["PGEVersionClass"]["PGEVersion"].as_str() {
        out.insert("processing:version".into(), json!(version));
    }
    if let Some(id) = entry["meta"]["concept-id"].as_str() {
        out.insert("cmr:concept_id".into(), json!(id));
    }
    out
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

fn value(values: &[&str], kind: Kind) -> Option<Value> {
    let first = *values.first()?;
    if matches!(first, "" | "NULL" | "NA" | "None") {
        return None;
    }
    match kind {
        Kind::Text => Some(json!(first)),
        Kind::Lower => Some(json!(first.to_lowercase())),
        Kind::Side => Some(json!(match first.to_uppercase().as_str() {
            "R" | "RIGHT" => "right",
            "L" | "LEFT" => "left",
            _ => return None,
        })),
        Kind::Integer => first.parse::<i64>().ok().map(|n| json!(n)),
        Kind::Number => first.parse::<f64>().ok().map(|n| json!(n)),
        // One value, `VV+VH`, or one for each: `VV`, `VH`.
        Kind::Polarizations => {
            let all: Vec<&str> = values.iter().flat_map(|v| v.split('+')).map(str::trim).collect();
            Some(json!(all))
        }
    }
}

/// GeoJSON of UMM-G's polygons, boxes or points.
fn geometry(given: &Value) -> Option<Value> {
    let ring = |points: &Value| -> Option<Vec<[f64; 2]>> {
        let mut ring = list(points)
            .iter()
            .map(|p| Some([p["Longitude"].as_f64()?, p["Latitude"].as_f64()?]))
            .collect::<Option<Vec<_>>>()?;
        if ring.first() != ring.last() {
            ring.extend(ring.first().copied());
        }
        (ring.len() >= 4).then_some(ring)
    };
    let polygons: Vec<Value> = list(&given["GPolygons"])
        .iter()
        .filter_map(|p| {
            let mut rings = vec![ring(&p["Boundary"]["Points"])?];
            rings.extend(
                list(&p["ExclusiveZone"]["Boundaries"])
                    .iter()
                    .filter_map(|b| ring(&b["Points"])),
            );
            Some(json!(rings))
        })
        .collect();
    match polygons.as_slice() {
        [] => {}
        [one] => return Some(json!({ "type": "Polygon", "coordinates": one })),
        many => return Some(json!({ "type": "MultiPolygon", "coordinates": many })),
    }
    if let Some(b) = list(&given["BoundingRectangles"]).first() {
        let side = |name: &str| b[format!("{name}BoundingCoordinate")].as_f64();
        let (w, s, e, n) = (side("West")?, side("South")?, side("East")?, side("North")?);
        return Some(json!({ "type": "Polygon", "coordinates": [[[w, s], [e, s], [e, n], [w, n], [w, s]]] }));
    }
    let point = list(&given["Points"]).first()?;
    Some(
        json!({ "type": "Point", "coordinates": [point["Longitude"].as_f64()?, point["Latitude"].as_f64()?] }),
    )
}

fn assets(umm: &Value, item: &mut Item) {
    let mut counts = std::collections::HashMap::new();
    for link in list(&umm["RelatedUrls"]) {
        let (Some(href), Some(kind)) = (link["URL"].as_str(), link["Type"].as_str()) else {
            continue;
        };
        let (name, role) = match kind {
            "GET DATA" => ("data", "data"),
            "GET RELATED VISUALIZATION" => ("browse", "overview"),
            "EXTENDED METADATA" => ("metadata", "metadata"),
            _ => continue,
        };
        if !href.starts_with("http") {
            continue;
        }
        let count = counts.entry(name).or_insert(0);
        *count += 1;
        let key = match *count {
            1 => name.to_string(),
            n => format!("{name}_{n}"),
        };
        let mut asset = Asset::new(href);
        asset.roles = vec![role.to_string()];
        asset.r#type = media_type(href).map(str::to_string);
        if name == "data" {
            describe(umm, href, *count == 1, &mut asset);
            if let Some(s3) = direct(umm, href) {
                asset
                    .additional_fields
                    .insert("alternate".into(), json!({ "s3": { "href": s3 } }));
            }
        }
        item.assets.insert(key, asset);
    }
}

/// The same file in its bucket, for machines that are near it.
fn direct<'a>(umm: &'a Value, href: &str) -> Option<&'a str> {
    let file = href.rsplit('/').next()?;
    list(&umm["RelatedUrls"])
        .iter()
        .filter(|l| l["Type"] == "GET DATA VIA DIRECT ACCESS")
        .filter_map(|l| l["URL"].as_str())
        .find(|url| url.rsplit('/').next() == Some(file))
}

/// Size and checksum of a file: those of its name, or, for the only file, those of the granule.
fn describe(umm: &Value, href: &str, first: bool, asset: &mut Asset) {
    let file = href.rsplit('/').next().unwrap_or("");
    let stored = list(&umm["DataGranule"]["ArchiveAndDistributionInformation"]);
    let own = stored.iter().find(|s| s["Name"].as_str() == Some(file));
    let single = (stored.len() == 1 && first).then(|| &stored[0]);
    let mut size = None;
    let mut sum = None;
    if let Some(s) = own.or(single) {
        size = s["SizeInBytes"].as_u64();
        let checksum = &s["Checksum"];
        if let (Some(value), Some(algorithm)) = (checksum["Value"].as_str(), checksum["Algorithm"].as_str()) {
            sum = multihash(algorithm, value);
        }
    }
    let attribute = |name: &str| {
        let attributes = list(&umm["AdditionalAttributes"]);
        attributes.iter().find(|a| a["Name"] == name)?["Values"][0].as_str()
    };
    if first {
        size = size.or_else(|| attribute("BYTES")?.parse::<f64>().ok().map(|b| b as u64));
        sum = sum.or_else(|| multihash("md5", attribute("MD5SUM")?));
    }
    if let Some(size) = size {
        asset.additional_fields.insert("file:size".into(), json!(size));
    }
    if let Some(sum) = sum {
        asset.additional_fields.insert("file:checksum".into(), json!(sum));
    }
}

fn media_type(href: &str) -> Option<&'static str> {
    let lower = href.to_lowercase();
    let known = [
        (".zip", "application/zip"),
        (".tif", "image/tiff; application=geotiff"),
        (".tiff", "image/tiff; application=geotiff"),
        (".h5", "application/x-hdf5"),
        (".nc", "application/x-netcdf"),
        (".png", "image/png"),
        (".jpg", "image/jpeg"),
        (".jpeg", "image/jpeg"),
        (".xml", "application/xml"),
        (".kmz", "application/vnd.google-earth.kmz"),
    ];
    known
        .iter()
        .find(|(end, _)| lower.ends_with(end))
        .map(|(_, kind)| *kind)
}
