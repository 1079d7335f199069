//! How much room marks, labels and titles take beside a panel's sides.

use super::font::{self, Weight};
use super::sides::Side;
use super::style::Style;

/// Room of ticks, labels and title beside a vertical side.
pub fn upright_depth(side: &Side, s: &Style) -> f64 {
    labels_width(side, s) + title_room(side, s)
}

/// Room of ticks and labels beside a vertical side.
pub fn labels_width(side: &Side, s: &Style) -> f64 {
    if side.major.is_empty() {
        return 0.0;
    }
    let widest = side
        .major
        .iter()
        .map(|(_, l)| font::width(l, s.tick, Weight::Regular))
        .fold(0.0, f64::max);
    s.tick_length() + s.tick_pad() + widest
}

/// Room of ticks, labels and title below a horizontal side.
pub fn flat_depth(side: &Side, s: &Style) -> f64 {
    let title = if side.title.is_empty() {
        0.0
    } else {
        font::DESCENT * s.label
    };
    labels_height(side, s) + title_room(side, s) + title
}

/// Room of ticks and labels below a horizontal side.
pub fn labels_height(side: &Side, s: &Style) -> f64 {
    if side.major.is_empty() {
        return 0.0;
    }
    let highest = side
        .major
        .iter()
        .map(|(_, l)| label_size(side, l, s).1)
        .fold(0.0, f64::max);
    s.tick_length() + s.tick_pad() + highest
}

/// Width and height of a label below a horizontal side.
pub fn label_size(side: &Side, label: &str, s: &Style) -> (f64, f64) {
    let (width, height) = (
        font::width(label, s.tick, Weight::Regular),
        font::height(label, s.tick),
    );
    match side.turned {
        true => (height, width),
        false => (width, height),
    }
}

fn title_room(side: &Side, s: &Style) -> f64 {
    if side.title.is_empty() {
        return 0.0;
    }
    s.label_pad() + font::height(&side.title, s.label)
}
