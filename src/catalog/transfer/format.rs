//! What kind of file it is, by its first bytes: a login page is no GeoTIFF, whatever its status says.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    Tiff,
    Hdf5,
    Hdf4,
    NetCdf3,
    Zip,
    Gzip,
    Png,
    Jpeg,
    Jpeg2000,
    Parquet,
    Pdf,
    /// A web page.
    Html,
}

impl Format {
    pub fn name(self) -> &'static str {
        match self {
            Format::Tiff => "TIFF",
            Format::Hdf5 => "HDF5",
            Format::Hdf4 => "HDF4",
            Format::NetCdf3 => "netCDF",
            Format::Zip => "ZIP",
            Format::Gzip => "gzip",
            Format::Png => "PNG",
            Format::Jpeg => "JPEG",
            Format::Jpeg2000 => "JPEG 2000",
            Format::Parquet => "Parquet",
            Format::Pdf => "PDF",
            Format::Html => "web page",
        }
    }
}

/// Bytes that are enough to tell.
pub const HEAD: usize = 1024;

/// The format that the first bytes of a file tell.
pub fn of_head(head: &[u8]) -> Option<Format> {
    let starts = |magic: &[u8]| head.starts_with(magic);
    let found = if starts(b"II*\0") || starts(b"MM\0*") || starts(b"II+\0") || starts(b"MM\0+") {
        Format::Tiff
    } else if starts(b"\x89HDF\r\n\x1a\n") {
        Format::Hdf5
    } else if starts(b"\x0e\x03\x13\x01") {
        Format::Hdf4
    } else if starts(b"CDF\x01") || starts(b"CDF\x02") || starts(b"CDF\x05") {
        Format::NetCdf3
    } else if starts(b"PK\x03\x04") || starts(b"PK\x05\x06") {
        Format::Zip
    } else if starts(b"\x1f\x8b") {
        Format::Gzip
    } else if starts(b"\x89PNG\r\n\x1a\n") {
        Format::Png
    } else if starts(b"\xff\xd8\xff") {
        Format::Jpeg
    } else if starts(b"\0\0\0\x0cjP  \r\n\x87\n") || starts(b"\xff\x4f\xff\x51") {
        Format::Jpeg2000
    } else if starts(b"PAR1") {
        Format::Parquet
    } else if starts(b"%PDF") {
        Format::Pdf
    } else if is_page(head) {
        Format::Html
    } else {
        return None;
    };
    Some(found)
}

fn is_page(head: &[u8]) -> bool {
    let text = String::from_utf8_lossy(&head[..head.len().min(HEAD)]).to_ascii_lowercase();
    let text = text.trim_start_matches('\u{feff}').trim_start();
    let tags: &[&str] = match text.starts_with("<?xml") {
        true => &["<!doctype html", "<html"],
        false => &["<!doctype html", "<html", "<head", "<title", "<body"],
    };
    text.starts_with('<') && tags.iter().any(|tag| text.contains(tag))
}

/// The formats that a file of this name may have; none where the name does not say.
fn of_name(name: &str) -> &'static [Format] {
    let lower = name.to_ascii_lowercase();
    match lower.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "tif" | "tiff" | "gtif" | "gtiff" => &[Format::Tiff],
        "h5" | "hdf5" | "he5" => &[Format::Hdf5],
        "hdf" => &[Format::Hdf5, Format::Hdf4],
        "nc" | "nc4" | "cdf" => &[Format::Hdf5, Format::NetCdf3],
        "zip" | "kmz" => &[Format::Zip],
        "gz" | "tgz" => &[Format::Gzip],
        "png" => &[Format::Png],
        "jpg" | "jpeg" => &[Format::Jpeg],
        "jp2" | "j2k" => &[Format::Jpeg2000],
        "parquet" | "geoparquet" => &[Format::Parquet],
        "pdf" => &[Format::Pdf],
        "html" | "htm" | "xhtml" => &[Format::Html],
        _ => &[],
    }
}

/// Whether a file of this name is gzip itself.
pub fn is_gzip_by_name(name: &str) -> bool {
    of_name(name).contains(&Format::Gzip)
}

/// Whether the first bytes fit the file's name. `head` holds [`HEAD`] bytes, or the whole file.
///
/// # Errors
/// What came instead, in words.
pub fn check_head(name: &str, head: &[u8]) -> Result<Option<Format>, String> {
    let found = of_head(head);
    let expected = of_name(name);
    let wrong = |what: &str| {
        let wanted = expected.first().map_or("a file", |f| f.name());
        Err(format!("the server sent {what} in place of {wanted}"))
    };
    match found {
        Some(Format::Html) if !expected.contains(&Format::Html) => {
            let text = crate::bytes::http::said(&String::from_utf8_lossy(head));
            wrong(&format!("a web page that says {text},"))
        }
        Some(format) if !expected.is_empty() && !expected.contains(&format) => {
            wrong(&format!("{} data", format.name()))
        }
        None if !expected.is_empty() && head.is_empty() => wrong("an empty file"),
        None if !expected.is_empty() && expected != [Format::Html] => {
            let start: String = String::from_utf8_lossy(&head[..head.len().min(40)])
                .escape_debug()
                .collect();
            wrong(&format!("data that begins with \"{start}\""))
        }
        found => Ok(found),
    }
}

/// Whether a complete file is whole, as far as its format tells: the end of a ZIP's directory, a PNG's last chunk, the
/// end that an HDF5 file states, the first directory of a TIFF. Formats that do not tell pass.
///
/// # Errors
/// What is missing, in words; the outer error when the file cannot be read.
pub fn check_whole(path: &Path, format: Format) -> io::Result<Result<(), String>> {
    let mut file = File::open(path)?;
    let length = file.metadata()?.len();
    let mut tail = vec![0; usize::try_from(length.min(66_000)).unwrap_or(66_000)];
    file.seek(SeekFrom::End(-(tail.len() as i64)))?;
    file.read_exact(&mut tail)?;
    let mut head = vec![0; usize::try_from(length.min(96)).unwrap_or(96)];
    file.seek(SeekFrom::Start(0))?;
    file.read_exact(&mut head)?;
    let number = |at: usize, bytes: usize, little: bool| -> Option<u64> {
        let field = head.get(at..at + bytes)?;
        let fold = |n: u64, b: &u8| (n << 8) | u64::from(*b);
        Some(match little {
            true => field.iter().rev().fold(0, fold),
            false => field.iter().fold(0, fold),
        })
    };
    let whole = match format {
        Format::Zip => tail.windows(4).any(|w| w == b"PK\x05\x06"),
        Format::Png => tail.ends_with(b"IEND\xae\x42\x60\x82"),
        Format::Parquet => tail.ends_with(b"PAR1"),
        Format::Tiff => {
            let little = head.first() == Some(&b'I');
            let big = matches!(head.get(2..4), Some([b'+', 0] | [0, b'+']));
            let first = if big {
                number(8, 8, little)
            } else {
                number(4, 4, little)
            };
            first.is_some_and(|offset| offset >= 8 && offset < length)
        }
        // The superblock: versions 0 and 1 have the end-of-file address as the third of four addresses from byte 24
        // or 28, versions 2 and 3 as the third from byte 12 (HDF5 file format specification, section II.A).
        Format::Hdf5 => {
            let (at, size) = match head.get(8) {
                Some(0) => (24, head.get(13)),
                Some(1) => (28, head.get(13)),
                Some(2 | 3) => (12, head.get(9)),
                _ => (0, None),
            };
            match size {
                Some(8) => number(at + 16, 8, true).is_some_and(|end| end <= length),
                _ => true,
            }
        }
        _ => true,
    };
    Ok(if whole {
        Ok(())
    } else {
        Err(format!(
            "the {} file is not whole ({length} bytes)",
            format.name()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn login_pages_are_seen() {
        let page = b"\n<!DOCTYPE html><html><head><title>Earthdata Login</title></head>";
        let error = check_head("scene.zip", page).unwrap_err();
        assert!(
            error.contains("Earthdata Login") && error.contains("in place of ZIP"),
            "{error}"
        );
        assert!(check_head("unknown", page).is_err());
        assert!(check_head("x.xml", b"<?xml version=\"1.0\"?><html xmlns=\"x\">").is_err());
        assert_eq!(check_head("index.html", page), Ok(Some(Format::Html)));
        assert_eq!(
            check_head("meta.xml", b"<?xml version=\"1.0\"?><product/>"),
            Ok(None)
        );
    }

    #[test]
    fn the_wrong_kind_is_named() {
        let error = check_head("a.tif", b"{\"message\": \"Forbidden\"}").unwrap_err();
        assert!(
            error.contains("Forbidden") && error.contains("in place of TIFF"),
            "{error}"
        );
        let error = check_head("a.nc", b"II*\0abcd").unwrap_err();
        assert!(error.contains("TIFF data in place of HDF5"), "{error}");
        assert!(check_head("a.tif", b"").unwrap_err().contains("an empty file"));
        assert_eq!(check_head("a.dat", b"anything"), Ok(None));
    }

    #[test]
    fn cut_files_are_seen() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x");
        let mut zip = zip::ZipWriter::new(io::Cursor::new(Vec::new()));
        zip.start_file("a.txt", zip::write::SimpleFileOptions::default())
            .unwrap();
        io::Write::write_all(&mut zip, &[7; 5000]).unwrap();
        let zip = zip.finish().unwrap().into_inner();
        // A file of HDF5 1.14 in its newest format: the end stands in bytes 28 to 35.
        let mut hdf5 = b"\x89HDF\r\n\x1a\n\x02\x08\x08\0".to_vec();
        hdf5.extend([0; 8]);
        hdf5.extend([0xff; 8]);
        hdf5.extend(200_u64.to_le_bytes());
        hdf5.resize(200, 0);
        let mut tiff = b"II*\0".to_vec();
        tiff.extend(150_u32.to_le_bytes());
        tiff.resize(160, 0);
        for (format, bytes) in [(Format::Zip, zip), (Format::Hdf5, hdf5), (Format::Tiff, tiff)] {
            std::fs::write(&path, &bytes).unwrap();
            assert_eq!(check_whole(&path, format).unwrap(), Ok(()), "{format:?}");
            std::fs::write(&path, &bytes[..bytes.len() - 20]).unwrap();
            assert!(check_whole(&path, format).unwrap().is_err(), "{format:?}");
        }
    }
}
