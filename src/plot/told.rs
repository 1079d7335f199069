//! The record of how a figure was made, inside of its file.

use flate2::Crc;

use crate::work::markup::escaped;
use crate::work::provenance::RECORD;

/// Bytes of a PNG before its second chunk: its signature and its header.
const AFTER_HEADER: usize = 8 + 25;

/// A PNG with the record, which is ASCII, as a chunk of text.
pub fn in_png(mut png: Vec<u8>, record: Option<&str>) -> Vec<u8> {
    let Some(record) = record.filter(|_| png.len() > AFTER_HEADER) else {
        return png;
    };
    let mut chunk = b"tEXt".to_vec();
    chunk.extend([RECORD.as_bytes(), &[0], record.as_bytes()].concat());
    let mut crc = Crc::new();
    crc.update(&chunk);
    let length = (chunk.len() - 4) as u32;
    let whole = [&length.to_be_bytes(), chunk.as_slice(), &crc.sum().to_be_bytes()].concat();
    png.splice(AFTER_HEADER..AFTER_HEADER, whole);
    png
}

/// An SVG document with the record as its metadata.
pub fn in_svg(mut svg: String, record: Option<&str>) -> String {
    let root = svg
        .find("<svg")
        .and_then(|start| Some(start + svg[start..].find('>')? + 1));
    if let (Some(record), Some(place)) = (record, root) {
        svg.insert_str(
            place,
            &format!("\n<metadata id=\"{RECORD}\">{}</metadata>", escaped(record)),
        );
    }
    svg
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::Picture;

    #[test]
    fn a_png_keeps_its_pixels_and_has_the_text() {
        let picture = Picture::new(3, 2);
        let png = in_png(picture.png(Some(100.0)).unwrap(), Some("{\"a\":1}"));
        let mut reader = png::Decoder::new(std::io::Cursor::new(png)).read_info().unwrap();
        let mut pixels = vec![1; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        assert_eq!(pixels, picture.pixels);
        let texts = &reader.info().uncompressed_latin1_text;
        assert_eq!(
            (texts[0].keyword.as_str(), texts[0].text.as_str()),
            (RECORD, "{\"a\":1}")
        );
    }

    #[test]
    fn an_svg_has_its_metadata_inside() {
        let svg = in_svg("<?xml?>\n<svg a=\"1\">\n</svg>".into(), Some("{\"a\":\"<\"}"));
        assert!(svg.contains("<svg a=\"1\">\n<metadata id="), "{svg}");
        assert!(!svg.contains("\"<\""), "{svg}");
    }
}
