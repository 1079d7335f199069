//! The options of a search as the requests that CMR understands: one for each combination of alternatives that CMR cannot
//! take together, since it demands all additional attributes of a request at once.

use jiff::{RoundMode, Timestamp, TimestampRound, Unit};

use super::area;
use super::collections;
use super::options::{AsfOptions, Range};
use crate::error::{Error, Result};

pub type Fields = Vec<(String, String)>;

/// One request without its page size and its time.
#[derive(Debug, Clone, PartialEq)]
pub struct Query {
    pub fields: Fields,
    /// False where its area is wider than the user's.
    pub exact: bool,
}

/// Names a request may hold; more go into another one.
const NAMES_A_REQUEST: usize = 500;

/// # Errors
/// When the area cannot be asked for, or the alternatives make more requests than is polite.
pub fn queries(options: &AsfOptions) -> Result<Vec<Query>> {
    options.check()?;
    let mut queries = vec![Query {
        fields: Fields::new(),
        exact: true,
    }];
    let attribute = |kind: &str, name: &str, values: Vec<String>| -> Vec<Fields> {
        values
            .into_iter()
            .map(|v| vec![("attribute[]".to_string(), format!("{kind},{name},{v}"))])
            .collect()
    };
    let o = options;
    for (name, values) in [
        ("BEAM_MODE", &o.beam_mode),
        ("BEAM_MODE_TYPE", &o.beam_swath),
        ("POLARIZATION", &o.polarization),
        ("LOOK_DIRECTION", &look(&o.look_direction)?),
        ("ASCENDING_DESCENDING", &direction(&o.flight_direction)?),
        ("GROUP_ID", &o.group_id),
        ("MISSION_NAME", &o.campaign),
        ("BURST_ID_FULL", &o.full_burst_id),
        ("OPERA_BURST_ID", &o.opera_burst_id),
    ] {
        multiply(&mut queries, attribute("string", name, values.clone()));
    }
    let numbers = |values: &[i64]| values.iter().map(i64::to_string).collect();
    let ranges = |values: &[Range]| values.iter().map(|r| number(*r)).collect();
    multiply(
        &mut queries,
        attribute("int", "PATH_NUMBER", ranges(&o.relative_orbit)),
    );
    multiply(
        &mut queries,
        attribute("int", frame_attribute(&o.platform), ranges(&o.frame)),
    );
    multiply(
        &mut queries,
        attribute("int", "BURST_ID_RELATIVE", numbers(&o.relative_burst_id)),
    );
    multiply(
        &mut queries,
        attribute("int", "BURST_ID_ABSOLUTE", numbers(&o.absolute_burst_id)),
    );
    let angles = o.off_nadir_angle.iter().map(f64::to_string).collect();
    multiply(&mut queries, attribute("float", "OFF_NADIR_ANGLE", angles));
    let orbits = o
        .absolute_orbit
        .iter()
        .map(|r| vec![("orbit_number".to_string(), number(*r))]);
    multiply(&mut queries, orbits.collect());
    add_products(&mut queries, o)?;
    for (name, values) in [
        ("granule_ur[]", &o.product_list),
        ("readable_granule_name[]", &o.granule_list),
    ] {
        let groups = values
            .chunks(NAMES_A_REQUEST)
            .map(|group| group.iter().map(|v| (name.to_string(), v.clone())).collect());
        multiply(&mut queries, groups.collect());
    }
    if let Some(geometry) = &o.intersects_with {
        let areas = area::requests(geometry)?;
        queries = queries
            .iter()
            .flat_map(|q| {
                areas.iter().map(|a| Query {
                    fields: q.fields.iter().chain(&a.fields).cloned().collect(),
                    exact: q.exact && a.exact,
                })
            })
            .collect();
    }
    if queries.len() > 300 {
        return Err(Error::message(format!(
            "the alternatives make {} requests, one for each combination; ask for fewer at once",
            queries.len()
        )));
    }
    Ok(queries)
}

/// Every query with every alternative; no alternatives leave them as they are.
fn multiply(queries: &mut Vec<Query>, alternatives: Vec<Fields>) {
    if alternatives.is_empty() {
        return;
    }
    *queries = queries
        .iter()
        .flat_map(|q| {
            alternatives.iter().map(|a| Query {
                fields: q.fields.iter().chain(a).cloned().collect(),
                exact: q.exact,
            })
        })
        .collect();
}

/// Platform, instrument, level and data set: by collection where the table knows it, else by attribute.
fn add_products(queries: &mut Vec<Query>, o: &AsfOptions) -> Result<()> {
    let each = |queries: &mut Vec<Query>, name: &str, values: &[String]| {
        for q in queries.iter_mut() {
            q.fields
                .extend(values.iter().map(|v| (name.to_string(), v.clone())));
        }
    };
    let mut names: Vec<&str> = o.short_name.iter().map(String::as_str).collect();
    each(queries, "instrument[]", &o.instrument);
    // Collections that are named hold for whatever level; a data set and a platform are narrowed to it.
    let free = names.is_empty() && o.collections.is_empty();
    let mut known = None;
    let mut by_attribute = true;
    if !o.dataset.is_empty() {
        let levels: &[String] = if free { &o.processing_level } else { &[] };
        let (found, narrowed) = collections::of_datasets(&o.dataset, levels)?;
        names.extend(found);
        by_attribute = !narrowed;
    } else if free {
        known = collections::of_levels(&o.platform, &o.processing_level);
        names.extend(known.iter().flatten());
        by_attribute = known.is_none();
    }
    if by_attribute {
        let levels = o
            .processing_level
            .iter()
            .map(|l| vec![("attribute[]".to_string(), format!("string,PROCESSING_TYPE,{l}"))]);
        multiply(queries, levels.collect());
    }
    let apart = known
        .as_ref()
        .is_some_and(|k| o.platform.iter().all(|p| collections::keeps_apart(p, k)));
    if !apart {
        each(queries, "platform[]", &satellites(&o.platform));
    }
    let names: Vec<String> = names.into_iter().map(str::to_string).collect();
    each(queries, "shortName", &names);
    each(queries, "echo_collection_id[]", &o.collections);
    Ok(())
}

/// CMR knows the satellites, not the mission.
fn satellites(platforms: &[String]) -> Vec<String> {
    platforms
        .iter()
        .flat_map(|p| match p.to_uppercase().replace(' ', "-").as_str() {
            "SENTINEL-1" | "S1" => ["A", "B", "C", "D"]
                .iter()
                .map(|s| format!("SENTINEL-1{s}"))
                .collect(),
            _ => vec![p.clone()],
        })
        .collect()
}

/// ASF's own frame numbers for the missions that it frames itself, ESA's for the others.
fn frame_attribute(platforms: &[String]) -> &'static str {
    let own = platforms.iter().any(|p| {
        let p = p.to_uppercase();
        p.starts_with("SENTINEL-1") || p == "ALOS"
    });
    if own { "FRAME_NUMBER" } else { "CENTER_ESA_FRAME" }
}

fn number(range: Range) -> String {
    match range.first == range.last {
        true => range.first.to_string(),
        false => format!("{},{}", range.first, range.last),
    }
}

fn direction(values: &[String]) -> Result<Vec<String>> {
    values
        .iter()
        .map(|v| match v.to_uppercase().as_str() {
            "A" | "ASC" | "ASCENDING" => Ok("ASCENDING".to_string()),
            "D" | "DESC" | "DESCENDING" => Ok("DESCENDING".to_string()),
            _ => Err(Error::argument(
                "flightDirection",
                "ASCENDING or DESCENDING",
                format!("`{v}`"),
            )),
        })
        .collect()
}

fn look(values: &[String]) -> Result<Vec<String>> {
    values
        .iter()
        .map(|v| match v.to_uppercase().as_str() {
            "L" | "LEFT" => Ok("LEFT".to_string()),
            "R" | "RIGHT" => Ok("RIGHT".to_string()),
            _ => Err(Error::argument(
                "lookDirection",
                "LEFT or RIGHT",
                format!("`{v}`"),
            )),
        })
        .collect()
}

/// CMR's `temporal`, one for each part of a season that goes over the turn of the year.
pub fn temporal(
    start: Option<Timestamp>,
    end: Option<Timestamp>,
    season: Option<[u16; 2]>,
) -> Vec<Option<String>> {
    // CMR keeps milliseconds.
    let whole = TimestampRound::new()
        .smallest(Unit::Millisecond)
        .mode(RoundMode::Floor);
    let text =
        |time: Option<Timestamp>| time.map_or(String::new(), |t| t.round(whole).unwrap_or(t).to_string());
    match season {
        None if start.is_none() && end.is_none() => vec![None],
        None => vec![Some(format!("{},{},", text(start), text(end)))],
        Some([first, last]) => {
            // Recurring ranges need a beginning and an end; nothing of ASF's is older than Seasat.
            let start = start.or("1978-01-01T00:00:00Z".parse().ok());
            let end = end.or_else(|| Some(Timestamp::now()));
            let one = |a: u16, b: u16| Some(format!("{},{},{a},{b}", text(start), text(end)));
            match first <= last {
                true => vec![one(first, last)],
                false => vec![one(first, 366), one(1, last)],
            }
        }
    }
}

/// What every request ends with.
pub fn closing() -> Fields {
    [
        ("options[temporal][and]", "true"),
        ("sort_key[]", "-end_date"),
        ("sort_key[]", "granule_ur"),
        ("options[platform][ignore_case]", "true"),
        ("provider", "ASF"),
    ]
    .map(|(name, value)| (name.to_string(), value.to_string()))
    .to_vec()
}
