//! Pictures inside a page.

use std::path::Path;

use base64::Engine;

use super::text::escaped;
use crate::share::provenance::sha256;

/// The element of a picture, which is in it whole. As an image no part of a drawing can run or ask for anything.
pub fn html(mime: &str, bytes: &[u8], alternative: &str) -> String {
    let data = base64::engine::general_purpose::STANDARD.encode(bytes);
    format!(
        "<img alt=\"{}\" src=\"data:{mime};base64,{data}\">",
        escaped(alternative)
    )
}

/// The type of a file that pages can show.
pub fn mime(path: &Path) -> Option<&'static str> {
    let extension = path.extension()?.to_str()?.to_ascii_lowercase();
    Some(match extension.as_str() {
        "png" | "apng" => "image/png",
        "svg" => "image/svg+xml",
        "jpg" | "jpeg" => "image/jpeg",
        "gif" => "image/gif",
        "webp" => "image/webp",
        _ => return None,
    })
}

/// What tells pictures apart that look differently, whatever is written in them beside: none of what is neither PNG nor SVG.
pub fn looks(bytes: &[u8]) -> Option<String> {
    if let Some(chunks) = bytes.strip_prefix(b"\x89PNG\r\n\x1a\n") {
        return Some(sha256(pixels(chunks)));
    }
    let text = std::str::from_utf8(bytes)
        .ok()
        .filter(|text| text.contains("<svg"))?;
    let plain = match (text.find("\n<metadata"), text.find("</metadata>")) {
        (Some(start), Some(end)) if start < end => {
            format!("{}{}", &text[..start], &text[end + "</metadata>".len()..])
        }
        _ => text.to_string(),
    };
    Some(sha256(plain))
}

/// The compressed pixels of a PNG.
fn pixels(chunks: &[u8]) -> Vec<u8> {
    let (mut found, mut rest) = (Vec::new(), chunks);
    while let Some((head, after)) = rest.split_at_checked(8) {
        let length = u32::from_be_bytes([head[0], head[1], head[2], head[3]]) as usize;
        let Some(content) = after.get(..length) else { break };
        if matches!(&head[4..], b"IDAT" | b"IHDR" | b"PLTE") {
            found.extend_from_slice(content);
        }
        // Behind the content stands its checksum.
        rest = after.get(length + 4..).unwrap_or_default();
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_look_alike_whatever_is_written_in_them() {
        let chunk = |name: &[u8], content: &[u8]| {
            let length = u32::try_from(content.len()).unwrap().to_be_bytes();
            [&length[..], name, content, &[0; 4]].concat()
        };
        let png = |chunks: &[Vec<u8>]| [b"\x89PNG\r\n\x1a\n".as_slice(), &chunks.concat()].concat();
        let (head, a, b) = (chunk(b"IHDR", b"h"), chunk(b"IDAT", b"a"), chunk(b"IDAT", b"b"));
        let said = png(&[head.clone(), chunk(b"tEXt", b"words"), a.clone()]);
        assert_eq!(looks(&said), looks(&png(&[head.clone(), a])));
        assert_ne!(looks(&said), looks(&png(&[head, b])));
        let svg = looks(b"<svg>\n<metadata id=\"x\">{}</metadata>\n<g/></svg>");
        assert_eq!(svg, looks(b"<svg>\n<g/></svg>"));
        assert_ne!(svg, looks(b"<svg>\n<h/></svg>"));
        assert_eq!(looks(b"GIF89a"), None);
        // One that is cut.
        assert!(looks(&said[..20]).is_some());
    }
}
