//! Wheels by Python's own installer, which knows its index, its proxies and its certificates.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use crate::error::{Error, Result, shown_bytes};
use crate::files::write_whole;
use crate::interrupt;
use crate::libraries::Part;
use crate::work::progress;

/// What pip writes goes here, beside the wheel.
const SAID: &str = "pip.log";

/// Fetches the wheel of `part` into `folder`, which is empty.
///
/// # Errors
/// Where there is no Python or no pip, no network, or the index has other bytes than those pinned; when interrupted.
pub fn fetch(part: &Part, folder: &Path) -> Result<PathBuf> {
    let wanted = folder.join("requirements.txt");
    let pinned = format!(
        "{}=={} --hash=sha256:{}\n",
        part.package, part.version, part.sha256
    );
    write_whole(&wanted, pinned.as_bytes())?;
    let log = folder.join(SAID);
    let log = File::create(&log).map_err(|e| Error::io(&log, e))?;
    let child = Command::new("python3")
        .args(["-m", "pip"])
        .args(flags(part))
        .args([
            "--quiet",
            "--disable-pip-version-check",
            "--no-input",
            "--no-cache-dir",
        ])
        .args(["--progress-bar", "off", "--require-hashes", "-r"])
        .arg(&wanted)
        .arg("--dest")
        .arg(folder)
        // It unpacks and checks there: the disk that was looked at.
        .env("TMPDIR", folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn();
    let child = match child {
        Ok(child) => child,
        Err(e) if e.kind() == io::ErrorKind::NotFound => {
            return Err(Error::message(format!(
                "there is no python3, by whose pip wheels are fetched; install Python 3 with pip (Debian, Ubuntu: apt-get install python3-pip); or {}",
                by_hand(&[part])
            )));
        }
        Err(e) => return Err(Error::message(format!("python3 cannot be started: {e}"))),
    };
    let wheel = folder.join(part.wheel);
    if wait(child, part, folder)? && wheel.is_file() {
        return Ok(wheel);
    }
    let said = fs::read_to_string(folder.join(SAID)).unwrap_or_default();
    Err(Error::message(format!(
        "{} {} could not be fetched: {}; or {}",
        part.package,
        part.version,
        reason(&said),
        by_hand(&[part])
    )))
}

/// Whether pip has succeeded. Shows how far it has come by what lies in `folder`.
fn wait(child: Child, part: &Part, folder: &Path) -> Result<bool> {
    let mut child = Running(child);
    let progress = progress();
    progress.start(
        part.bytes,
        &format!(
            "fetching {} {} ({})",
            part.package,
            part.version,
            shown_bytes(part.bytes)
        ),
    );
    let mut done = 0;
    let succeeded = loop {
        match child.0.try_wait() {
            Ok(Some(status)) => break Ok(status.success()),
            Ok(None) => {}
            Err(e) => break Err(Error::message(format!("pip cannot be waited for: {e}"))),
        }
        if let Err(e) = interrupt::check() {
            break Err(e);
        }
        let there = size(folder).min(part.bytes);
        progress.advance(there.saturating_sub(done));
        done = there.max(done);
        std::thread::sleep(Duration::from_millis(100));
    };
    progress.finish();
    // A Ctrl-C at the terminal has ended pip too.
    interrupt::check()?;
    succeeded
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn size(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let sizes = entries.filter_map(|entry| entry.metadata().ok().map(|data| (data, entry.path())));
    sizes
        .map(|(data, path)| if data.is_dir() { size(&path) } else { data.len() })
        .sum()
}

/// So that any version of Python on any machine fetches this very wheel.
fn flags(part: &Part) -> Vec<String> {
    let mut flags: Vec<String> = ["download", "--no-deps", "--only-binary=:all:"]
        .map(String::from)
        .into();
    // NAME-VERSION-PYTHON-ABI-PLATFORM.PLATFORM.whl
    let mut tags = part.wheel.trim_end_matches(".whl").rsplit('-');
    for platform in tags.next().unwrap_or_default().split('.') {
        flags.extend(["--platform".to_string(), platform.to_string()]);
    }
    let python = tags.nth(1).unwrap_or_default().trim_start_matches("cp");
    if python.starts_with('3') {
        flags.extend(["--implementation", "cp", "--python-version", python].map(String::from));
    }
    flags
}

/// What pip gives as the reason, and what to do.
fn reason(said: &str) -> String {
    let has = |words: &[&str]| words.iter().any(|word| said.contains(word));
    if has(&["No module named pip"]) {
        return "this python3 has no pip; install it (Debian, Ubuntu: apt-get install python3-pip)".into();
    }
    if has(&["No space left on device"]) {
        return "the disk is full; make room there".into();
    }
    if has(&["DO NOT MATCH THE HASHES"]) {
        return "the package index has other bytes than those pinned, and they were not kept".into();
    }
    if has(&[
        "Failed to establish a new connection",
        "Name or service not known",
        "Temporary failure in name resolution",
        "NewConnectionError",
        "NameResolutionError",
        "Cannot connect to proxy",
        "ConnectTimeout",
    ]) {
        return "the package index cannot be reached; is there a network? (pip config list shows the index and the proxy)".into();
    }
    // A traceback ends with its reason.
    let told = |line: &&str| line.starts_with("ERROR:") && !line.ends_with("Exception:");
    let line = said.lines().rev().find(told);
    let line = line.or_else(|| said.lines().rev().find(|line| !line.trim().is_empty()));
    format!(
        "pip says: {}",
        line.unwrap_or("nothing").trim_start_matches("ERROR: ")
    )
}

/// How the wheels come here without a network.
pub fn by_hand(parts: &[&Part]) -> String {
    let commands: Vec<String> = parts
        .iter()
        .map(|part| {
            format!(
                "\n  python3 -m pip {} {}=={}    # {}, {}",
                flags(part).join(" "),
                part.package,
                part.version,
                part.wheel,
                shown_bytes(part.bytes)
            )
        })
        .collect();
    format!(
        "fetch on any machine with a network, and give the folder with `--from FOLDER`:{}",
        commands.concat()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_python_is_asked_for_the_very_wheel() {
        let part = |wheel| Part {
            package: "a",
            version: "1",
            wheel,
            bytes: 1,
            sha256: "",
            members: &[],
        };
        let both = flags(&part(
            "a-1-py3-none-manylinux2014_x86_64.manylinux_2_17_x86_64.whl",
        ))
        .join(" ");
        assert_eq!(
            both,
            "download --no-deps --only-binary=:all: --platform manylinux2014_x86_64 --platform manylinux_2_17_x86_64"
        );
        let bound = flags(&part("a-1-cp311-cp311-manylinux_2_28_x86_64.whl")).join(" ");
        assert!(
            bound.ends_with("--platform manylinux_2_28_x86_64 --implementation cp --python-version 311"),
            "{bound}"
        );
    }

    #[test]
    fn what_pip_says_is_told_with_a_way_out() {
        let none = "/usr/bin/python3: No module named pip";
        assert!(reason(none).contains("apt-get install python3-pip"));
        let offline = "WARNING: Retrying … NewConnectionError('Failed to establish a new connection')\nERROR: No matching distribution found";
        assert!(reason(offline).contains("is there a network?"));
        assert_eq!(
            reason("WARNING: x\nERROR: No matching distribution found for a==1\n"),
            "pip says: No matching distribution found for a==1"
        );
        assert_eq!(
            reason(
                "ERROR: Exception:\nTraceback (most recent call last):\nOSError: [Errno 5] Input/output error\n"
            ),
            "pip says: OSError: [Errno 5] Input/output error"
        );
    }
}
