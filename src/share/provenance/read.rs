//! The record out of a file, whatever its format.

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;

use serde_json::Value as Json;

use super::record::Record;
use super::{fingerprint, sidecar};
use crate::bounds;
use crate::error::{Error, Result};
use crate::raster::file::attributes::{self, Attribute};
use crate::raster::file::texts::text_of;
use crate::table::Table;
use crate::vector;
use crate::work::provenance::RECORD;

/// Bytes of the longest text that is looked through for a record.
const LONGEST: u64 = 256 << 20;

/// How a file was made. A record beside it counts before one inside it.
///
/// # Errors
/// A file that is not there, or carries no record; a record beside it that is of another file.
pub fn of(path: &Path) -> Result<Record> {
    fs::metadata(path).map_err(|e| Error::io(path, e))?;
    let beside = sidecar::path_of(path);
    let of_file = |e: Error| Error::file(path, e.to_string());
    if beside.is_file() && !sidecar::is_one(path) {
        let text = fs::read_to_string(&beside).map_err(|e| Error::io(&beside, e))?;
        let record = Record::from_json(&text).map_err(of_file)?;
        let hash = fingerprint::whole(path).map_err(|e| Error::io(path, e))?;
        return match &record.sha256 {
            Some(stated) if *stated != hash => Err(Error::file(
                path,
                format!(
                    "was changed or replaced after it was made: the record beside it, {}, is of a file with SHA-256 {stated}, this one has {hash}",
                    beside.display()
                ),
            )),
            _ => Ok(record),
        };
    }
    if sidecar::is_one(path) {
        let text = fs::read_to_string(path).map_err(|e| Error::io(path, e))?;
        return Record::from_json(&text).map_err(of_file);
    }
    match text_in(path)? {
        Some(text) => Record::from_json(&text).map_err(of_file),
        None => Err(Error::file(
            path,
            "carries no record of how it was made: perilune has not written it, or before it wrote such records, or another program has \
             written it anew",
        )),
    }
}

fn text_in(path: &Path) -> Result<Option<String>> {
    let shown = path.to_string_lossy();
    if path.is_dir() {
        return attribute(&shown);
    }
    let mut start = Vec::new();
    let read = bounds::open(path)?.take(64).read_to_end(&mut start);
    read.map_err(|e| Error::io(path, e))?;
    let whole = || -> Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let read = bounds::open(path)?.take(LONGEST).read_to_end(&mut bytes);
        read.map_err(|e| Error::io(path, e))?;
        Ok(bytes)
    };
    match start.as_slice() {
        [0x89, b'P', b'N', b'G', ..] => match in_png(&whole()?) {
            // GDAL keeps its texts beside the file.
            None => text_of(&shown, RECORD),
            found => Ok(found),
        },
        [b'G', b'I', b'F', b'8', ..] => Ok(in_gif(&whole()?)),
        [b'%', b'P', b'D', b'F', ..] => Ok(in_pdf(&whole()?)),
        [b'C', b'D', b'F', ..] | [0x89, b'H', b'D', b'F', ..] => attribute(&shown),
        [b'P', b'A', b'R', b'1', ..] => Table::said_in_parquet(path, RECORD),
        bytes if bytes.starts_with(b"SQLite format 3") => vector::said_in_geopackage(path, RECORD),
        bytes if bytes.starts_with(b"{") => in_geojson(path),
        bytes if bytes.starts_with(b"<") => Ok(in_svg(&String::from_utf8_lossy(&whole()?))),
        bytes if bytes.starts_with(b"II") || bytes.starts_with(b"MM") => text_of(&shown, RECORD),
        _ => Ok(text_of(&shown, RECORD).unwrap_or(None)),
    }
}

fn attribute(path: &str) -> Result<Option<String>> {
    let found = attributes::read(path, &[format!("#{RECORD}")])?;
    Ok(found.into_iter().flatten().find_map(|attribute| match attribute {
        Attribute::Text(text) => Some(text),
        _ => None,
    }))
}

/// Of the chunk `tEXt` with its name.
fn in_png(png: &[u8]) -> Option<String> {
    let mut rest = png.get(8..)?;
    loop {
        let length = u32::from_be_bytes(rest.get(..4)?.try_into().ok()?) as usize;
        let (kind, data) = (rest.get(4..8)?, rest.get(8..8 + length)?);
        if kind == b"tEXt"
            && let Some(text) = data
                .strip_prefix(RECORD.as_bytes())
                .and_then(|text| text.strip_prefix(&[0]))
        {
            return String::from_utf8(text.to_vec()).ok();
        }
        rest = rest.get(12 + length..)?;
    }
}

/// Of a comment before the first picture.
fn in_gif(gif: &[u8]) -> Option<String> {
    let flags = *gif.get(10)?;
    let colors = if flags & 0x80 == 0 {
        0
    } else {
        3 << ((flags & 7) + 1)
    };
    let mut rest = gif.get(13 + colors..)?;
    while let [0x21, label, blocks @ ..] = rest {
        let (mut text, mut at) = (Vec::new(), blocks);
        loop {
            let (length, after) = at.split_first()?;
            let length = usize::from(*length);
            at = after.get(length..)?;
            match length {
                0 => break,
                _ => text.extend_from_slice(&after[..length]),
            }
        }
        if *label == 0xFE
            && let Some(record) = text.strip_prefix(format!("{RECORD}=").as_bytes())
        {
            return String::from_utf8(record.to_vec()).ok();
        }
        rest = at;
    }
    None
}

/// Of the entry of that name, a string in brackets.
fn in_pdf(pdf: &[u8]) -> Option<String> {
    let name = format!("/{RECORD}");
    let start = pdf
        .windows(name.len())
        .rposition(|part| part == name.as_bytes())?
        + name.len();
    let mut bytes = pdf.get(start..)?.iter().skip_while(|byte| **byte != b'(').skip(1);
    let (mut out, mut depth) = (Vec::new(), 0);
    loop {
        let byte = *bytes.next()?;
        match byte {
            b'\\' => match *bytes.next()? {
                b'n' => out.push(b'\n'),
                b'r' => out.push(b'\r'),
                b't' => out.push(b'\t'),
                other => out.push(other),
            },
            b')' if depth == 0 => return String::from_utf8(out).ok(),
            b'(' | b')' => {
                depth += if byte == b'(' { 1 } else { -1 };
                out.push(byte);
            }
            other => out.push(other),
        }
    }
}

fn in_svg(svg: &str) -> Option<String> {
    let (_, rest) = svg.split_once(&format!("<metadata id=\"{RECORD}\">"))?;
    let (text, _) = rest.split_once("</metadata>")?;
    let plain = text
        .replace("&lt;", "<")
        .replace("&gt;", ">")
        .replace("&quot;", "\"");
    Some(plain.replace("&amp;", "&"))
}

/// The member of that name, which stands before the features, in the first line.
fn in_geojson(path: &Path) -> Result<Option<String>> {
    let mut line = String::new();
    let file = BufReader::new(bounds::open(path)?.take(LONGEST));
    let read = file.take(LONGEST).read_line(&mut line);
    if read.is_err() {
        return Ok(None);
    }
    let closed = format!("{}]}}", line.trim_end());
    let json: Option<Json> = serde_json::from_str(&closed)
        .or_else(|_| serde_json::from_str(&line))
        .ok();
    Ok(json.and_then(|json| json.get(RECORD).map(Json::to_string)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_of_pdf_end_at_their_own_bracket() {
        let pdf = format!("%PDF <</{RECORD} {}", r#"({"a":"(b) \) \\n"}) >>"#);
        assert_eq!(in_pdf(pdf.as_bytes()).unwrap(), r#"{"a":"(b) ) \n"}"#);
    }

    #[test]
    fn damaged_files_have_none() {
        assert_eq!(in_png(b"\x89PNG\r\n\x1a\n\xff\xff\xff\xfftEXt"), None);
        assert_eq!(in_gif(b"GIF89a\0\0\0\0\0\0\0\x21\xfe\xff"), None);
        assert_eq!(in_pdf(b"%PDF /PERILUNE_PROVENANCE ("), None);
    }
}
