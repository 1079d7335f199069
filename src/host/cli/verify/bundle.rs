//! Whether a bundle makes again what its manifest says.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Instant;

use super::super::fetch::is_address;
use super::super::{Global, Script, bundled};
use super::compare::compare;
use super::{failed, hide, in_scratch, program};
use crate::error::{Error, Result, counted};
use crate::share::bundle::{self, Expected};
use crate::share::permissions::escaped;
use crate::share::provenance;

pub fn is_one(path: &Path) -> bool {
    if is_address(&path.to_string_lossy()) {
        return true;
    }
    if path.extension().is_none_or(|e| e != "lua") {
        return false;
    }
    let mut start = Vec::new();
    File::open(path)
        .and_then(|file| file.take(1024).read_to_end(&mut start))
        .is_ok()
        && bundle::is_one(&start)
}

/// Tells of a bundle, and how many of its files are not the same.
///
/// # Errors
/// When it is not what was bundled or signed, or cannot be started.
pub fn verify(path: &Path, no_run: bool, global: &Global) -> Result<usize> {
    let script = Script::find(&path.display().to_string())?;
    let Some(packed) = &script.bundle else {
        return Err(Error::message(format!(
            "{} is no bundle: there is nothing to compare with what it makes",
            escaped(&script.name)
        )));
    };
    let name = escaped(&script.name);
    bundled::known(&packed.signed, &name)?;
    let manifest = &packed.bundle.manifest;
    let working = std::env::current_dir().map_err(|e| Error::io(".", e))?;
    crate::say!(
        "{name}: script and modules are what they were, signed by {}",
        escaped(&packed.signed.shown())
    );
    let (mut here, mut wrong, mut elsewhere) = (0, Vec::new(), 0);
    for data in &manifest.data {
        let state = bundled::state(data, &working);
        match state.wrong(data) {
            Some(why) => wrong.push(why),
            None if state == bundled::DataState::Elsewhere => elsewhere += 1,
            None => here += 1,
        }
    }
    let more = match elsewhere {
        0 => String::new(),
        n => format!(", {n} on servers cannot be told"),
    };
    crate::say!("  {} of data unchanged{more}", counted(here, "file"));
    wrong.iter().for_each(|why| crate::say!("  {why}"));
    let others = manifest.other_versions(&bundled::versions());
    others.iter().for_each(|other| crate::say!("  {other}"));
    let all = manifest.expect.len();
    if !wrong.is_empty() {
        crate::say!("  is not run: its data are not what they were");
        return Ok(all.max(1));
    }
    if manifest.expect.is_empty() {
        crate::say!("  names no results to compare with (perilune bundle --outputs)");
        return Ok(0);
    }
    if no_run {
        return Ok(0);
    }
    in_scratch(|folder| again(folder, &script, &manifest.expect, &working, &others, global))
}

fn again(
    folder: &Path,
    script: &Script,
    expect: &[Expected],
    working: &Path,
    others: &[String],
    global: &Global,
) -> Result<usize> {
    let real = working.canonicalize().map_err(|e| Error::io(working, e))?;
    hide(folder, expect.iter().map(|expected| real.join(&expected.path)))?;
    let start = Instant::now();
    let mut command = program()?;
    // Where it is one of others, it asks itself.
    command
        .stdin(Stdio::inherit())
        .stdout(Stdio::null())
        .stderr(Stdio::inherit())
        .args(match script.is_foreign() {
            true => global.of_permissions(),
            false => Vec::new(),
        })
        .arg("--aside")
        .arg(folder)
        .arg("run")
        .arg(&script.name);
    let status = command.status().map_err(failed)?;
    if !status.success() {
        crate::say!("  was not run to its end; see above");
        return Ok(expect.len());
    }
    crate::say!("  run in {:.1} s", start.elapsed().as_secs_f64());
    let mut differing = 0;
    for expected in expect {
        let own = real.join(&expected.path);
        let now = folder.join(own.strip_prefix("/").unwrap_or(&own));
        let shown = escaped(&expected.path);
        match differs(expected, &own, &now)? {
            None => crate::say!("  {shown}: the same, byte for byte"),
            Some(how) => {
                differing += 1;
                crate::say!("  {shown}: {how}");
                if !others.is_empty() && now.exists() {
                    crate::say!("    see above for versions that are others here");
                }
            }
        }
    }
    if expect.len() > 1 {
        crate::say!(
            "  {} of {} results are the same",
            expect.len() - differing,
            expect.len()
        );
    }
    Ok(differing)
}

/// How what was made differs from what was expected; `own` is where the author's file would lie.
fn differs(expected: &Expected, own: &Path, now: &PathBuf) -> Result<Option<String>> {
    if !now.is_file() {
        return Ok(Some("was not written".into()));
    }
    let hash = |path: &Path| provenance::hash_of(path).map_err(|e| Error::io(path, e));
    if hash(now)? == expected.sha256 {
        return Ok(None);
    }
    if own.is_file() && hash(own)? == expected.sha256 {
        let difference = compare(own, now, &|| program())?;
        return Ok(difference.map(|difference| difference.to_string()));
    }
    let bytes = now.metadata().map_err(|e| Error::io(now, e))?.len();
    Ok(Some(format!(
        "other bytes, {bytes} in place of {}; with the author's file at {} its pixels could be compared",
        expected.bytes,
        escaped(&expected.path)
    )))
}
