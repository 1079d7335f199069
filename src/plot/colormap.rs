//! Colour maps under matplotlib's names and with its values.

use std::sync::OnceLock;

use super::color::{Color, TAB10, TAB20};
use super::colormap_tables::{EVEN, LISTED, UNEVEN};
use crate::error::{Error, Result};

/// A table of colours from low to high values.
#[derive(Debug, Clone, PartialEq)]
pub struct Colormap {
    name: String,
    table: Vec<[u8; 3]>,
}

/// Entries of the tables that are interpolated between control points, as in matplotlib.
const STEPS: usize = 256;

impl Colormap {
    /// Whether it ends where it began: for values that do the same, such as phases and directions, which have no mean.
    pub fn is_cyclic(&self) -> bool {
        match (self.table.first(), self.table.last()) {
            (Some(first), Some(last)) => {
                self.table.len() > 2 && first.iter().zip(last).all(|(a, b)| a.abs_diff(*b) <= 4)
            }
            _ => false,
        }
    }

    /// By matplotlib's name, whatever the case; `_r` at the end reverses it, `grey` is `gray`.
    ///
    /// # Errors
    /// An unknown name, with the nearest one or the list.
    pub fn named(name: &str) -> Result<Colormap> {
        let wanted = name.trim().to_ascii_lowercase().replace("grey", "gray");
        // `Greys` and `gray` are different maps.
        let wanted = if wanted == "grays" || wanted == "grays_r" {
            wanted.replace("grays", "greys")
        } else {
            wanted
        };
        let (base, reversed) = match wanted.strip_suffix("_r") {
            Some(base) => (base, true),
            None => (wanted.as_str(), false),
        };
        let mut table = table_of(base)
            .ok_or_else(|| Error::not_found("colour map", name, Colormap::names().iter().copied()))?;
        if reversed {
            table.reverse();
        }
        Ok(Colormap {
            name: name.trim().to_string(),
            table,
        })
    }

    /// From colours evenly spread over the range, linear in between.
    ///
    /// # Errors
    /// Fewer than two colours.
    pub fn from_colors(name: &str, colors: &[Color]) -> Result<Colormap> {
        if colors.len() < 2 {
            return Err(Error::argument(
                "colours of a colour map",
                "two or more",
                colors.len(),
            ));
        }
        let points: Vec<[u8; 3]> = colors.iter().map(|c| [c.r, c.g, c.b]).collect();
        Ok(Colormap {
            name: name.to_string(),
            table: interpolate_even(&points),
        })
    }

    /// All names, without their reversed forms.
    pub fn names() -> &'static [&'static str] {
        static NAMES: OnceLock<Vec<&'static str>> = OnceLock::new();
        NAMES.get_or_init(|| {
            LISTED
                .iter()
                .map(|(name, _)| *name)
                .chain(EVEN.iter().map(|(name, _)| *name))
                .chain(UNEVEN.iter().map(|(name, _)| *name))
                .chain(["tab10", "tab20"])
                .collect()
        })
    }

    pub fn name(&self) -> &str {
        &self.name
    }

    /// The colours in order.
    pub fn table(&self) -> &[[u8; 3]] {
        &self.table
    }

    /// The colour of `t` in 0 to 1; what lies outside takes the colour of its end, NaN is transparent.
    pub fn color(&self, t: f64) -> Color {
        if t.is_nan() {
            return Color::TRANSPARENT;
        }
        let [r, g, b] = self.table[self.index(t)];
        Color::rgb(r, g, b)
    }

    /// Index into `table` of `t` in 0 to 1.
    pub fn index(&self, t: f64) -> usize {
        // Truncation to whole steps, so that each entry covers an equal share of the range.
        ((t * self.table.len() as f64) as usize).min(self.table.len() - 1)
    }
}

impl Default for Colormap {
    fn default() -> Self {
        Colormap {
            name: "viridis".to_string(),
            table: parse_hex(LISTED[0].1),
        }
    }
}

fn table_of(lower: &str) -> Option<Vec<[u8; 3]>> {
    let is = |name: &str| name.eq_ignore_ascii_case(lower);
    if let Some((_, hex)) = LISTED.iter().find(|(name, _)| is(name)) {
        return Some(parse_hex(hex));
    }
    if let Some((_, hex)) = EVEN.iter().find(|(name, _)| is(name)) {
        return Some(interpolate_even(&parse_hex(hex)));
    }
    if let Some((_, channels)) = UNEVEN.iter().find(|(name, _)| is(name)) {
        let at = |i: usize| {
            let t = i as f64 / (STEPS - 1) as f64;
            channels.map(|points| (piecewise(points, t) * 255.0).round() as u8)
        };
        return Some((0..STEPS).map(at).collect());
    }
    let split = |colors: &[u32]| {
        colors
            .iter()
            .map(|&c| [(c >> 16) as u8, (c >> 8) as u8, c as u8])
            .collect()
    };
    match lower {
        "tab10" => Some(split(&TAB10)),
        "tab20" => Some(split(&TAB20)),
        _ => None,
    }
}

fn parse_hex(digits: &str) -> Vec<[u8; 3]> {
    let value = |d: u8| match d {
        b'0'..=b'9' => d - b'0',
        _ => d - b'a' + 10,
    };
    digits
        .as_bytes()
        .chunks_exact(6)
        .map(|d| [0, 2, 4].map(|i| value(d[i]) * 16 + value(d[i + 1])))
        .collect()
}

fn interpolate_even(points: &[[u8; 3]]) -> Vec<[u8; 3]> {
    (0..STEPS)
        .map(|i| {
            let position = i as f64 * (points.len() - 1) as f64 / (STEPS - 1) as f64;
            let low = (position as usize).min(points.len() - 2);
            let share = position - low as f64;
            [0, 1, 2].map(|c| {
                let (a, b) = (f64::from(points[low][c]), f64::from(points[low + 1][c]));
                (a + (b - a) * share).round() as u8
            })
        })
        .collect()
}

fn piecewise(points: &[(f64, f64)], t: f64) -> f64 {
    let next = points
        .partition_point(|(position, _)| *position <= t)
        .clamp(1, points.len() - 1);
    let ((x0, y0), (x1, y1)) = (points[next - 1], points[next]);
    y0 + (y1 - y0) * ((t - x0) / (x1 - x0)).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `matplotlib.colormaps[name](t)` of matplotlib 3.11.2, times 255 and rounded, at t = 0, 0.1, 0.37, 0.5, 0.81, 1.
    const MATPLOTLIB: &[(&str, [u32; 6])] = &[
        (
            "viridis",
            [0x440154, 0x482475, 0x2d718e, 0x21918c, 0x81d34d, 0xfde725],
        ),
        (
            "magma",
            [0x000004, 0x140e36, 0x802582, 0xb73779, 0xfea571, 0xfcfdbf],
        ),
        (
            "inferno",
            [0x000004, 0x160b39, 0x87216b, 0xbc3754, 0xfcaa0f, 0xfcffa4],
        ),
        (
            "plasma",
            [0x0d0887, 0x41049d, 0xa72197, 0xcc4778, 0xfdab33, 0xf0f921],
        ),
        (
            "cividis",
            [0x00224e, 0x083370, 0x5f636f, 0x7d7c78, 0xccba64, 0xfee838],
        ),
        (
            "turbo",
            [0x30123b, 0x4559cb, 0x2cf09e, 0xa4fc3c, 0xec530f, 0x7a0403],
        ),
        (
            "twilight",
            [0xe2d9e2, 0xa6bfca, 0x5a2e93, 0x2f1436, 0xc27b62, 0xe2d9e2],
        ),
        (
            "gray",
            [0x000000, 0x191919, 0x5e5e5e, 0x808080, 0xcfcfcf, 0xffffff],
        ),
        (
            "Greys",
            [0xffffff, 0xf3f3f3, 0xbebebe, 0x959595, 0x3c3c3c, 0x000000],
        ),
        (
            "Blues",
            [0xf7fbff, 0xe3eef9, 0xa0cbe2, 0x6aaed6, 0x1561a9, 0x08306b],
        ),
        (
            "YlGnBu",
            [0xffffd9, 0xf1faba, 0x83cebb, 0x40b5c4, 0x23499e, 0x081d58],
        ),
        (
            "BrBG",
            [0x543005, 0x8b500a, 0xefdcad, 0xf4f5f5, 0x2f9189, 0x003c30],
        ),
        (
            "RdBu",
            [0x67001f, 0xb1182b, 0xfacab1, 0xf6f7f7, 0x3f8ec0, 0x053061],
        ),
        (
            "RdBu_r",
            [0x053061, 0x2065ab, 0xbddbea, 0xf7f6f6, 0xd25849, 0x67001f],
        ),
        (
            "Spectral",
            [0x9e0142, 0xd43d4f, 0xfed07e, 0xffffbe, 0x60bba8, 0x5e4fa2],
        ),
        (
            "RdYlGn",
            [0xa50026, 0xd62f27, 0xfed07e, 0xfeffbe, 0x5db961, 0x006837],
        ),
        (
            "coolwarm",
            [0x3b4cc0, 0x5977e3, 0xb6cefa, 0xdddcdc, 0xec7f63, 0xb40426],
        ),
        (
            "seismic",
            [0x00004c, 0x000092, 0x7979ff, 0xfffdfd, 0xe00000, 0x800000],
        ),
        (
            "bwr",
            [0x0000ff, 0x3232ff, 0xbcbcff, 0xfffefe, 0xff6060, 0xff0000],
        ),
        (
            "terrain",
            [0x333399, 0x1276dc, 0x79e47e, 0xfefe98, 0x9f847e, 0xffffff],
        ),
        (
            "jet",
            [0x000080, 0x0000f1, 0x0ff8e7, 0x7dff7a, 0xff5d00, 0x800000],
        ),
        (
            "hot",
            [0x0b0000, 0x4c0000, 0xff0200, 0xff5c00, 0xffff42, 0xffffff],
        ),
        (
            "hsv",
            [0xff0000, 0xff9400, 0x00ff2d, 0x00fff6, 0xcb00ff, 0xff0018],
        ),
        (
            "tab10",
            [0x1f77b4, 0xff7f0e, 0xd62728, 0x8c564b, 0xbcbd22, 0x17becf],
        ),
        (
            "tab20",
            [0x1f77b4, 0xff7f0e, 0xff9896, 0x8c564b, 0xbcbd22, 0x9edae5],
        ),
    ];

    #[test]
    fn values_are_those_of_matplotlib() {
        for (name, expected) in MATPLOTLIB {
            let map = Colormap::named(name).unwrap();
            for (t, expected) in [0.0, 0.1, 0.37, 0.5, 0.81, 1.0].into_iter().zip(expected) {
                let (got, expected) = (map.color(t), Color::hex(*expected));
                for (a, b) in [(got.r, expected.r), (got.g, expected.g), (got.b, expected.b)] {
                    assert!(
                        a.abs_diff(b) <= 1,
                        "{name} at {t}: {got:?}, matplotlib has {expected:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn every_name_resolves_in_both_directions() {
        for name in Colormap::names() {
            let map = Colormap::named(name).unwrap();
            let reversed = Colormap::named(&format!("{name}_r")).unwrap();
            assert!(map.table().iter().eq(reversed.table().iter().rev()), "{name}");
        }
        assert_eq!(
            Colormap::named("grey").unwrap().table(),
            Colormap::named("gray").unwrap().table()
        );
        assert_eq!(Colormap::named("grays").unwrap().color(0.0), Color::WHITE);
    }

    #[test]
    fn ends_hold_outside_the_range_and_nan_is_transparent() {
        let map = Colormap::default();
        assert_eq!(map.color(-3.0), map.color(0.0));
        assert_eq!(map.color(7.0), map.color(1.0));
        assert_eq!(map.color(f64::NAN).a, 0);
    }

    #[test]
    fn a_misspelt_name_is_answered_with_the_right_one() {
        let message = Colormap::named("viridus").unwrap_err().to_string();
        assert_eq!(message, "no colour map `viridus`; did you mean `viridis`?");
    }

    #[test]
    fn own_colours_are_interpolated() {
        let map = Colormap::from_colors("mine", &[Color::BLACK, Color::WHITE]).unwrap();
        assert_eq!(map.table(), Colormap::named("gray").unwrap().table());
        assert!(Colormap::from_colors("one", &[Color::BLACK]).is_err());
    }
}
