//! Texts of cells, and what they can be read as.

use jiff::Timestamp;

use super::kind::ColumnType;
use super::value::parse_time;

/// The cell without the white space around it. Most have none.
#[inline]
pub(super) fn trimmed(text: &str) -> &str {
    let plain = |b: Option<&u8>| b.is_some_and(|b| b.is_ascii_graphic());
    let bytes = text.as_bytes();
    match plain(bytes.first()) && plain(bytes.last()) {
        true => text,
        false => text.trim(),
    }
}

pub(super) fn boolean(text: &str) -> Option<bool> {
    match trimmed(text) {
        t if t.eq_ignore_ascii_case("true") => Some(true),
        t if t.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    }
}

#[inline]
pub(super) fn integer(text: &str) -> Option<i64> {
    trimmed(text).parse().ok()
}

#[inline]
pub(super) fn float(text: &str) -> Option<f64> {
    trimmed(text).parse().ok()
}

#[inline]
pub(super) fn time(text: &str) -> Option<Timestamp> {
    parse_time(text)
}

/// The narrowest type of a present cell, in this order: boolean (`true`, `false`), integer, number (also `nan` and `inf`), time (see
/// `parse_time`), else string. Numbers with leading zeros (`007`) are codes and strings, and so are whole numbers beyond 64 bits, which
/// would lose digits.
pub(super) fn narrowest(text: &str) -> ColumnType {
    if boolean(text).is_some() {
        return ColumnType::Bool;
    }
    if !is_code(text) {
        if integer(text).is_some() {
            return ColumnType::Integer;
        }
        if float(text).is_some() {
            return ColumnType::Float;
        }
    }
    match time(text) {
        Some(_) => ColumnType::Time,
        None => ColumnType::Text,
    }
}

/// Digits that are a name rather than a quantity.
#[inline]
pub(super) fn is_code(text: &str) -> bool {
    let text = trimmed(text);
    let digits = text.strip_prefix(['-', '+']).unwrap_or(text);
    let bytes = digits.as_bytes();
    let leading_zero = bytes.len() > 1 && bytes[0] == b'0' && bytes[1].is_ascii_digit();
    // Eighteen digits are within 64 bits.
    leading_zero || (bytes.len() > 18 && bytes.iter().all(u8::is_ascii_digit) && text.parse::<i64>().is_err())
}
