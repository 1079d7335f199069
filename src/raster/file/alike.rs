//! Whether later images are of the kind of those that a cube holds, and what the cube says of itself when they are added.

use std::collections::BTreeMap;
use std::path::Path;

use serde_json::Value as Json;

use super::netcdf::{Attribute, Attributes, Definition};
use crate::error::{Error, Result};
use crate::work::provenance::{RECORD, TAGS};

/// The name of the attribute that tells how a file came about, by the CF conventions.
pub const HISTORY: &str = "history";

/// That images are in the unit of a variable that is there, and packed as it is.
///
/// # Errors
/// Where they are not.
pub fn check(path: &Path, what: &Definition, own: &Attributes) -> Result<()> {
    let of = |attributes: &Attributes, wanted: &str| {
        attributes
            .iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    if let (Some(Attribute::Text(old)), Some(Attribute::Text(new))) =
        (of(own, "units"), of(&what.attributes, "units"))
        && old != new
    {
        return Err(Error::file(
            path,
            format!(
                "its variable `{}` is in {old}, the images are in {new}: nothing is added to it; convert them",
                what.name
            ),
        ));
    }
    let number = |name: &str, default: f64| match of(own, name) {
        Some(Attribute::Number(v) | Attribute::Own(v)) => v,
        Some(Attribute::Integer(v)) => v as f64,
        _ => default,
    };
    let old = (number("scale_factor", 1.0), number("add_offset", 0.0));
    let new = what.packing.map_or((1.0, 0.0), |p| (p.scale, p.offset));
    if old == new {
        return Ok(());
    }
    let expected = format!(
        "{} and {}, as {} has them for `{}`",
        old.0,
        old.1,
        path.display(),
        what.name
    );
    Err(Error::argument(
        "scale and offset",
        expected,
        format!("{} and {}", new.0, new.1),
    ))
}

/// What a file says of itself when images are added to its first `steps`: what it said, and what is said now. Of the run that made those steps a
/// line of its history tells, where another one adds to them.
pub fn extended(own: Attributes, now: Attributes, steps: usize) -> Attributes {
    let run = TAGS.map(str::to_string);
    let of = |list: &Attributes, wanted: &str| {
        list.iter()
            .find(|(name, _)| name == wanted)
            .map(|(_, value)| value.clone())
    };
    let before: Vec<String> = run
        .iter()
        .filter_map(|name| match of(&own, name) {
            Some(Attribute::Text(text)) => Some(format!("{name}={text}")),
            _ => None,
        })
        .collect();
    let is_other = run
        .iter()
        .any(|name| of(&own, name).is_some_and(|old| Some(old) != of(&now, name)));
    let mut out = own;
    if is_other {
        let line = format!("first {steps} steps of time: {}", before.join(" "));
        let told = match of(&out, HISTORY) {
            Some(Attribute::Text(text)) => format!("{text}\n{line}"),
            _ => line,
        };
        put(&mut out, HISTORY, Attribute::Text(told));
    }
    for (name, value) in now {
        let value = match value {
            Attribute::Text(record) if name == RECORD => Attribute::Text(added(&record, steps)),
            value => value,
        };
        put(&mut out, &name, value);
    }
    out
}

/// A record that says after how many steps its run has begun.
fn added(record: &str, steps: usize) -> String {
    match serde_json::from_str::<BTreeMap<String, Json>>(record) {
        Ok(mut fields) => {
            fields.insert("added_after".into(), steps.into());
            serde_json::to_string(&fields).unwrap_or_default()
        }
        Err(_) => record.to_string(),
    }
}

fn put(list: &mut Attributes, name: &str, value: Attribute) {
    match list.iter_mut().find(|(other, _)| other == name) {
        Some((_, old)) => *old = value,
        None => list.push((name.to_string(), value)),
    }
}
