//! Whether two files are the same, and how far they are from it.

use std::fmt;
use std::fs::{self, File};
use std::io::{BufReader, Read};
use std::path::Path;
use std::process::{Command, Output};

use crate::error::{Error, Result};

/// How two files differ.
pub enum Difference {
    /// There is only one.
    Missing,
    /// Of images: each band by its name, with the largest difference, and pixels that only one has.
    Pixels(Vec<(String, f64, u64)>),
    /// Of other files: where the first byte differs, and how long they are.
    Bytes { first: u64, lengths: (u64, u64) },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Difference::Missing => write!(f, "was not written again"),
            Difference::Pixels(bands)
                if bands.iter().all(|(_, most, masked)| *most == 0.0 && *masked == 0) =>
            {
                write!(f, "other bytes, with the same pixels")
            }
            Difference::Pixels(bands) => {
                write!(f, "other pixels:")?;
                for (name, most, masked) in bands
                    .iter()
                    .filter(|(_, most, masked)| *most != 0.0 || *masked > 0)
                {
                    write!(f, " {name} by up to {most}")?;
                    if *masked > 0 {
                        write!(f, ", with {masked} pixels masked in one of both")?;
                    }
                    write!(f, ";")?;
                }
                Ok(())
            }
            Difference::Bytes {
                first,
                lengths: (then, now),
            } => match then == now {
                true => write!(f, "other bytes, from byte {first} on"),
                false => write!(f, "other bytes, from byte {first} on: {now} in place of {then}"),
            },
        }
    }
}

/// None for the same; `program` starts this program.
///
/// # Errors
/// When one cannot be read.
pub fn compare(then: &Path, now: &Path, program: &dyn Fn() -> Result<Command>) -> Result<Option<Difference>> {
    if !now.exists() {
        return Ok(Some(Difference::Missing));
    }
    let Some((first, lengths)) = bytes(then, now)? else {
        return Ok(None);
    };
    let code = format!("local then_, now = {}, {}\n{PIXELS}", quoted(then), quoted(now));
    let told: Output = program()?
        .args(["-e", &code])
        .output()
        .map_err(|e| Error::message(format!("perilune cannot be started again: {e}")))?;
    let bands: Option<Vec<_>> = String::from_utf8_lossy(&told.stdout)
        .lines()
        .map(|line| {
            let mut parts = line.split('\t');
            let (name, most, masked) = (parts.next()?, parts.next()?, parts.next()?);
            Some((name.to_string(), most.parse().ok()?, masked.parse().ok()?))
        })
        .collect();
    match bands.filter(|bands| told.status.success() && !bands.is_empty()) {
        Some(bands) => Ok(Some(Difference::Pixels(bands))),
        None => Ok(Some(Difference::Bytes { first, lengths })),
    }
}

/// As a string of Lua.
fn quoted(path: &Path) -> String {
    let text = path.to_string_lossy();
    let mut level = String::new();
    while text.contains(&format!("]{level}]")) {
        level.push('=');
    }
    format!("[{level}[{text}]{level}]")
}

/// Prints a line for each band: name, largest difference, pixels that only one image has.
const PIXELS: &str = r#"
local a, b = raster.open(then_), raster.open(now)
for i, name in ipairs(a.bands) do
  local one, other = a:select(i), b:select(i)
  local valid, both = one:stats()[one.bands[1]].count, nil
  local most, difference = 0, nil
  local fine, why = pcall(function() difference = (one - other):abs():stats() end)
  if not fine then
    difference = one:ne(other):stats()
  end
  for _, found in pairs(difference) do most, both = found.max or 0, found.count end
  local now_valid = other:stats()[other.bands[1]].count
  print(("%s\t%.17g\t%d"):format(name, most, valid + now_valid - 2 * both))
end
"#;

/// The first place in which two files, or all files of two folders, differ, and their lengths.
fn bytes(then: &Path, now: &Path) -> Result<Option<(u64, (u64, u64))>> {
    if then.is_dir() && now.is_dir() {
        let names = |folder: &Path| -> Result<Vec<_>> {
            let entries = fs::read_dir(folder).map_err(|e| Error::io(folder, e))?;
            let mut names = Vec::new();
            for entry in entries {
                names.push(entry.map_err(|e| Error::io(folder, e))?.file_name());
            }
            names.sort();
            Ok(names)
        };
        let (own, other) = (names(then)?, names(now)?);
        if own != other {
            return Ok(Some((0, (own.len() as u64, other.len() as u64))));
        }
        for name in own {
            let found = bytes(&then.join(&name), &now.join(&name))?;
            if found.is_some() {
                return Ok(found);
            }
        }
        return Ok(None);
    }
    let open = |path: &Path| File::open(path).map_err(|e| Error::io(path, e));
    let (mut one, mut other) = (BufReader::new(open(then)?), BufReader::new(open(now)?));
    let length = |path: &Path| {
        fs::metadata(path)
            .map(|data| data.len())
            .map_err(|e| Error::io(path, e))
    };
    let lengths = (length(then)?, length(now)?);
    let (mut a, mut b) = (vec![0; 1 << 16], vec![0; 1 << 16]);
    let mut at = 0;
    loop {
        let n = fill(&mut one, &mut a).map_err(|e| Error::io(then, e))?;
        let m = fill(&mut other, &mut b).map_err(|e| Error::io(now, e))?;
        if a[..n] != b[..m] {
            let first = a[..n]
                .iter()
                .zip(&b[..m])
                .position(|(x, y)| x != y)
                .unwrap_or(n.min(m));
            return Ok(Some((at + first as u64, lengths)));
        }
        if n == 0 {
            return Ok(None);
        }
        at += n as u64;
    }
}

fn fill(file: &mut impl Read, buffer: &mut [u8]) -> std::io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match file.read(&mut buffer[filled..])? {
            0 => break,
            n => filled += n,
        }
    }
    Ok(filled)
}
