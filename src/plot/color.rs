//! Colours, and the names by which figures know them.

use std::fmt;

use super::color_names::NAMES;
use crate::error::{Error, Result};

/// A colour in sRGB with straight (not premultiplied) opacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Color {
    pub r: u8,
    pub g: u8,
    pub b: u8,
    pub a: u8,
}

impl Color {
    pub const BLACK: Color = Color::rgb(0, 0, 0);
    pub const WHITE: Color = Color::rgb(255, 255, 255);
    pub const TRANSPARENT: Color = Color {
        r: 0,
        g: 0,
        b: 0,
        a: 0,
    };

    pub const fn rgb(r: u8, g: u8, b: u8) -> Color {
        Color { r, g, b, a: 255 }
    }

    /// From 0xRRGGBB.
    pub const fn hex(rgb: u32) -> Color {
        Color::rgb((rgb >> 16) as u8, (rgb >> 8) as u8, rgb as u8)
    }

    pub const fn grey(level: u8) -> Color {
        Color::rgb(level, level, level)
    }

    /// The same colour with `opacity` 0 (invisible) to 1 (opaque) times its own.
    pub fn with_opacity(self, opacity: f64) -> Color {
        Color {
            a: (f64::from(self.a) * opacity.clamp(0.0, 1.0)).round() as u8,
            ..self
        }
    }

    /// The ten colours that series take in turn (matplotlib's `tab10`).
    pub fn cycle(index: usize) -> Color {
        Color::hex(TAB10[index % TAB10.len()])
    }

    /// `#rgb`, `#rrggbb`, `#rrggbbaa`, a CSS name (`steelblue`), `C0` to `C9`, `none`, a grey level as `0.5`.
    ///
    /// # Errors
    /// Anything else, with the name it may have been.
    pub fn parse(text: &str) -> Result<Color> {
        let name = text.trim().to_ascii_lowercase();
        if name == "none" {
            return Ok(Color::TRANSPARENT);
        }
        if let Some(color) = name.strip_prefix('#').and_then(from_hex_digits) {
            return Ok(color);
        }
        if let Some(index) = name.strip_prefix('c').and_then(|n| n.parse::<usize>().ok()) {
            return Ok(Color::cycle(index));
        }
        if let Some(level) = name.parse::<f64>().ok().filter(|l| (0.0..=1.0).contains(l)) {
            return Ok(Color::grey((level * 255.0).round() as u8));
        }
        if let Ok(found) = NAMES.binary_search_by(|(n, _)| (*n).cmp(&name)) {
            return Ok(Color::hex(NAMES[found].1));
        }
        Err(Error::argument(
            "colour",
            match crate::error::nearest(&name, NAMES.iter().map(|(n, _)| *n)) {
                Some(near) => format!("`#rrggbb` or a CSS name such as `{near}`"),
                None => "`#rrggbb` or a CSS name such as `steelblue`".to_string(),
            },
            format!("`{text}`"),
        ))
    }

    /// Perceived lightness, 0 to 255 (Rec. 709 luma).
    pub fn luma(self) -> f64 {
        0.2126 * f64::from(self.r) + 0.7152 * f64::from(self.g) + 0.0722 * f64::from(self.b)
    }

    /// Black or white, whichever is legible on this colour.
    pub fn contrast(self) -> Color {
        if self.luma() > 140.0 {
            Color::BLACK
        } else {
            Color::WHITE
        }
    }

    /// `self` over an opaque `background`.
    pub fn over(self, background: Color) -> Color {
        let mix = |top: u8, under: u8| {
            let a = u32::from(self.a);
            ((u32::from(top) * a + u32::from(under) * (255 - a) + 127) / 255) as u8
        };
        Color::rgb(
            mix(self.r, background.r),
            mix(self.g, background.g),
            mix(self.b, background.b),
        )
    }
}

/// As `parse` reads it: a CSS name where there is one.
impl fmt::Display for Color {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let named = NAMES.iter().find(|(_, rgb)| Color::hex(*rgb) == *self);
        match (self, named) {
            (Color { a: 0, .. }, _) => f.write_str("none"),
            (_, Some((name, _))) => f.write_str(name),
            (Color { r, g, b, a: 255 }, None) => write!(f, "#{r:02x}{g:02x}{b:02x}"),
            (Color { r, g, b, a }, None) => write!(f, "#{r:02x}{g:02x}{b:02x}{a:02x}"),
        }
    }
}

pub(super) const TAB10: [u32; 10] = [
    0x1f77b4, 0xff7f0e, 0x2ca02c, 0xd62728, 0x9467bd, 0x8c564b, 0xe377c2, 0x7f7f7f, 0xbcbd22, 0x17becf,
];

pub(super) const TAB20: [u32; 20] = [
    0x1f77b4, 0xaec7e8, 0xff7f0e, 0xffbb78, 0x2ca02c, 0x98df8a, 0xd62728, 0xff9896, 0x9467bd, 0xc5b0d5,
    0x8c564b, 0xc49c94, 0xe377c2, 0xf7b6d2, 0x7f7f7f, 0xc7c7c7, 0xbcbd22, 0xdbdb8d, 0x17becf, 0x9edae5,
];

fn from_hex_digits(digits: &str) -> Option<Color> {
    if !digits.is_ascii() {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    match digits.len() {
        3 => {
            let twice = |shift: u32| (((value >> shift) & 0xf) * 17) as u8;
            Some(Color::rgb(twice(8), twice(4), twice(0)))
        }
        6 => Some(Color::hex(value)),
        8 => Some(Color {
            a: value as u8,
            ..Color::hex(value >> 8)
        }),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_sorted_for_the_search() {
        assert!(NAMES.is_sorted_by(|a, b| a.0 < b.0));
    }

    #[test]
    fn parses_every_form() {
        assert_eq!(Color::parse("SteelBlue").unwrap(), Color::rgb(70, 130, 180));
        assert_eq!(Color::parse("#f0a").unwrap(), Color::rgb(255, 0, 170));
        assert_eq!(Color::parse("#1f77b4").unwrap(), Color::cycle(0));
        assert_eq!(Color::parse("C3").unwrap(), Color::hex(0xd62728));
        assert_eq!(Color::parse("cyan").unwrap(), Color::rgb(0, 255, 255));
        assert_eq!(
            Color::parse("#01020380").unwrap(),
            Color {
                r: 1,
                g: 2,
                b: 3,
                a: 128
            }
        );
        assert_eq!(Color::parse("0.5").unwrap(), Color::grey(128));
        assert_eq!(Color::parse("none").unwrap().a, 0);
    }

    #[test]
    fn is_written_as_it_is_read() {
        for text in ["none", "black", "steelblue", "#3c3c3c", "#01020380"] {
            assert_eq!(Color::parse(text).unwrap().to_string(), text);
        }
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_right_one() {
        let message = Color::parse("stelblue").unwrap_err().to_string();
        assert_eq!(
            message,
            "colour must be `#rrggbb` or a CSS name such as `steelblue`, got `stelblue`"
        );
        assert!(Color::parse("#12é").is_err());
        assert!(Color::parse("").is_err());
    }

    #[test]
    fn opacity_mixes_linearly() {
        let half = Color::BLACK.with_opacity(0.5);
        assert_eq!(half.over(Color::WHITE), Color::grey(127));
        assert_eq!(Color::WHITE.over(Color::BLACK), Color::WHITE);
    }
}
