//! `perilune run --dry-run`: what a script would read, download and write.

use super::{DONE, SCRIPT_ERROR};
use crate::error::{Result, counted};
use crate::host::report::Report;
use crate::table::{Table, Value};
use crate::work::{PlannedStep, Rehearsal};

/// Tells what a script came to, and where it ended if it could not go on.
pub fn tell(rehearsal: &Rehearsal, end: Option<&Report>) -> u8 {
    let steps = rehearsal.steps();
    match table(&steps) {
        Ok(Some(table)) => crate::say!("{table}"),
        Ok(None) => {}
        Err(error) => {
            crate::complain!("error: {error}");
            return SCRIPT_ERROR;
        }
    }
    crate::say!("{}", totals(&steps, rehearsal));
    if let (Some(report), Some(wanted)) = (end, rehearsal.wanted()) {
        let place = report.place.as_ref();
        let place = place
            .map(|(file, line)| format!(" at {file}:{line}"))
            .unwrap_or_default();
        crate::say!(
            "It ends{place}, where the script wants {wanted}: what comes after is known when that is."
        );
    }
    DONE
}

fn mebibytes(bytes: Option<u64>) -> Value {
    bytes.map_or(Value::Missing, |bytes| {
        Value::Float((bytes as f64 / f64::from(1 << 20) * 10.0).round() / 10.0)
    })
}

/// A row a step, with the columns in which any step says something.
fn table(steps: &[PlannedStep]) -> Result<Option<Table>> {
    if steps.is_empty() {
        return Ok(None);
    }
    let text = |text: &str| match text {
        "" => Value::Missing,
        text => Value::Text(text.to_string()),
    };
    let seconds = |step: &PlannedStep| {
        step.seconds
            .map_or(Value::Missing, |s| Value::Float((s * 100.0).round() / 100.0))
    };
    type Column<'a> = (&'a str, &'a dyn Fn(&PlannedStep) -> Value);
    let columns: [Column; 9] = [
        ("does", &|step| text(step.does)),
        ("path", &|step| text(&step.path)),
        ("what", &|step| text(&step.what)),
        ("downloads_mib", &|step| mebibytes(step.downloads)),
        ("cost_usd", &|step| {
            step.cost_usd.map_or(Value::Missing, Value::Float)
        }),
        ("reads_mib", &|step| mebibytes(step.reads)),
        ("writes_mib", &|step| mebibytes(step.writes)),
        ("memory_mib", &|step| mebibytes(step.memory)),
        ("seconds", &seconds),
    ];
    let said = |(_, of): &&Column| steps.iter().any(|step| of(step) != Value::Missing);
    let columns: Vec<_> = columns.iter().filter(said).collect();
    let row = |step: &PlannedStep| {
        let cells = columns.iter().map(|(name, of)| ((*name).to_string(), of(step)));
        cells.collect::<Vec<_>>()
    };
    Table::from_rows(steps.iter().map(row).collect::<Vec<_>>()).map(Some)
}

fn totals(steps: &[PlannedStep], rehearsal: &Rehearsal) -> String {
    let of = |does: &[&str]| -> Vec<&PlannedStep> {
        steps.iter().filter(|step| does.contains(&step.does)).collect()
    };
    let (written, downloads) = (of(&["write", "append", "copy"]), of(&["download"]));
    let sum = |of: &dyn Fn(&PlannedStep) -> Option<u64>| {
        steps.iter().filter_map(of).sum::<u64>() as f64 / f64::from(1 << 20)
    };
    let mut text = format!("Dry run: {} would be written", counted(written.len(), "file"));
    let images = sum(&|step| step.writes);
    if images > 0.0 {
        text.push_str(&format!(
            ", images of {images:.1} MiB before compression out of {:.1} MiB that are read",
            sum(&|step| step.reads)
        ));
    }
    if !downloads.is_empty() {
        text.push_str(&format!("; {:.1} MiB downloaded", sum(&|step| step.downloads)));
        if downloads.iter().any(|step| step.downloads.is_none()) {
            text.push_str(" and files of sizes that no server says");
        }
        let cost: f64 = steps.iter().filter_map(|step| step.cost_usd).sum();
        if cost > 0.0 {
            text.push_str(&format!(", for {cost:.2} USD that the requester pays"));
        }
    }
    // Of the images by their parts; of the rest of the script as it was.
    let taken = rehearsal.taken().as_secs_f64();
    let images = written.iter().filter(|step| step.writes.is_some());
    let seconds: f64 = taken + images.clone().filter_map(|step| step.seconds).sum::<f64>();
    let mut left_out = rehearsal.left_out();
    if images.clone().any(|step| step.seconds.is_none()) {
        left_out.push("images without seconds in the table");
    }
    if !downloads.is_empty() {
        left_out.push("downloads");
    }
    text.push_str(&format!(
        ". It takes about {seconds:.1} s on this machine, by parts of each image that were tried"
    ));
    if !left_out.is_empty() {
        text.push_str(&format!(", not counting {}", left_out.join(", ")));
    }
    text.push_str(&format!(
        ". What the script must see to go on was computed, for {taken:.1} s (at most {} s); nothing was downloaded or written.",
        Rehearsal::ALLOWANCE.as_secs()
    ));
    text
}
