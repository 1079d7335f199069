//! The kitty graphics protocol: PNG in base64, in pieces.

use std::fmt::Write;
use std::sync::atomic::{AtomicU8, Ordering};

use base64::Engine;

use super::Terminal;
use crate::error::Result;
use crate::plot::picture::Picture;

/// The protocol's limit for the payload of one escape sequence.
const CHUNK: usize = 4096;

/// The character that stands for a cell of an image, in terminals that place images by text.
const PLACEHOLDER: char = '\u{10EEEE}';

/// The combining characters that number rows and columns from 0 (the protocol's table; its first 64 are enough for
/// the rows of a screenful).
const NUMBERS: [char; 64] = [
    '\u{305}', '\u{30D}', '\u{30E}', '\u{310}', '\u{312}', '\u{33D}', '\u{33E}', '\u{33F}', '\u{346}',
    '\u{34A}', '\u{34B}', '\u{34C}', '\u{350}', '\u{351}', '\u{352}', '\u{357}', '\u{35B}', '\u{363}',
    '\u{364}', '\u{365}', '\u{366}', '\u{367}', '\u{368}', '\u{369}', '\u{36A}', '\u{36B}', '\u{36C}',
    '\u{36D}', '\u{36E}', '\u{36F}', '\u{483}', '\u{484}', '\u{485}', '\u{486}', '\u{487}', '\u{592}',
    '\u{593}', '\u{594}', '\u{595}', '\u{597}', '\u{598}', '\u{599}', '\u{59C}', '\u{59D}', '\u{59E}',
    '\u{59F}', '\u{5A0}', '\u{5A1}', '\u{5A8}', '\u{5A9}', '\u{5AB}', '\u{5AC}', '\u{5AF}', '\u{5C4}',
    '\u{610}', '\u{611}', '\u{612}', '\u{613}', '\u{614}', '\u{615}', '\u{616}', '\u{617}', '\u{657}',
    '\u{658}',
];

/// The picture at the cursor. Inside tmux the data goes through to the terminal outside, and the picture is held by
/// text, so that it moves with its pane.
pub fn encode(picture: &Picture, terminal: &Terminal) -> Result<String> {
    let data = base64::engine::general_purpose::STANDARD.encode(picture.png(None)?);
    let columns = cells(picture.width, terminal.cell.0, terminal.columns);
    let mut out = String::with_capacity(data.len() + data.len() / 64 + 1024);
    if !terminal.tmux {
        send(&mut out, &format!("a=T,f=100,q=2,c={columns}"), &data, false);
        out.push('\n');
        return Ok(out);
    }
    let rows = cells(picture.height, terminal.cell.1, NUMBERS.len());
    let id = next_id();
    send(
        &mut out,
        &format!("a=T,U=1,f=100,q=2,i={id},c={columns},r={rows}"),
        &data,
        true,
    );
    for number in NUMBERS.iter().take(rows) {
        // The colour is the image's number; cells after the first continue its row.
        let _ = write!(out, "\x1b[38;5;{id}m{PLACEHOLDER}{number}{}", NUMBERS[0]);
        out.extend(std::iter::repeat_n(PLACEHOLDER, columns - 1));
        out.push_str("\x1b[39m\n");
    }
    Ok(out)
}

fn cells(pixels: usize, cell: f64, most: usize) -> usize {
    ((pixels as f64 / cell).round() as usize).clamp(1, most)
}

/// Numbers from 1 to 255 in turn: a number in use again would change the earlier picture.
fn next_id() -> u8 {
    static LAST: AtomicU8 = AtomicU8::new(0);
    match LAST.fetch_add(1, Ordering::Relaxed).wrapping_add(1) {
        0 => next_id(),
        id => id,
    }
}

/// Escape sequences with the payload in pieces; the first carries the keys. Inside tmux each is wrapped.
fn send(out: &mut String, keys: &str, data: &str, tmux: bool) {
    let mut rest = data;
    let mut keys = keys;
    loop {
        let (piece, after) = rest.split_at(rest.len().min(CHUNK));
        let more = u8::from(!after.is_empty());
        let sequence = format!("\x1b_G{keys},m={more};{piece}\x1b\\");
        if tmux {
            // tmux hands on what is between these, with every escape character doubled.
            let _ = write!(out, "\x1bPtmux;{}\x1b\\", sequence.replace('\x1b', "\x1b\x1b"));
        } else {
            out.push_str(&sequence);
        }
        if after.is_empty() {
            return;
        }
        (rest, keys) = (after, "q=2");
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noise(width: usize, height: usize) -> Picture {
        let mut picture = Picture::new(width, height);
        let mut state = 7u32;
        for (i, byte) in picture.pixels.iter_mut().enumerate() {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *byte = if i % 4 == 3 { 255 } else { (state >> 24) as u8 };
        }
        picture
    }

    fn terminal(tmux: bool) -> Terminal {
        Terminal {
            graphics: super::super::Graphics::Kitty,
            true_color: true,
            unicode: true,
            tmux,
            columns: 80,
            rows: 24,
            cell: (10.0, 20.0),
        }
    }

    /// The sequences between ESC _ G and ESC \, split into keys and payload.
    fn sequences(text: &str) -> Vec<(String, String)> {
        text.split("\x1b_G")
            .skip(1)
            .map(|s| {
                let (keys, rest) = s.split_once(';').unwrap();
                (keys.to_string(), rest.split_once("\x1b\\").unwrap().0.to_string())
            })
            .collect()
    }

    #[test]
    fn the_payload_comes_in_pieces_that_make_up_the_png() {
        let picture = noise(90, 60);
        let text = encode(&picture, &terminal(false)).unwrap();
        let pieces = sequences(&text);
        assert!(pieces.len() > 2);
        assert_eq!(pieces[0].0, "a=T,f=100,q=2,c=9,m=1");
        for (i, (keys, payload)) in pieces.iter().enumerate() {
            assert!(payload.len() <= CHUNK);
            let last = i + 1 == pieces.len();
            assert!(last || payload.len() % 4 == 0);
            assert!(keys.ends_with(if last { "m=0" } else { "m=1" }), "{keys}");
        }
        let whole: String = pieces.into_iter().map(|(_, p)| p).collect();
        let png = base64::engine::general_purpose::STANDARD.decode(whole).unwrap();
        assert_eq!(png, picture.png(None).unwrap());
        assert!(text.ends_with('\n'));
    }

    #[test]
    fn tmux_hands_the_sequences_on_and_holds_the_place() {
        let text = encode(&noise(90, 60), &terminal(true)).unwrap();
        let (data, place) = text.rsplit_once("\x1b\x1b\\\x1b\\").unwrap();
        for part in data.split("\x1bPtmux;").skip(1) {
            let inner = part.strip_suffix("\x1b\\").unwrap_or(part);
            // Inside, escape characters come in pairs only.
            assert!(!inner.replace("\x1b\x1b", "").contains('\x1b'));
            assert!(inner.starts_with("\x1b\x1b_G"));
        }
        // 90 × 60 pixels are 9 × 3 cells.
        assert_eq!(place.lines().count(), 3);
        assert!(place.lines().all(|l| l.matches(PLACEHOLDER).count() == 9));
        assert!(
            place
                .lines()
                .nth(2)
                .unwrap()
                .contains(&format!("{PLACEHOLDER}\u{30E}\u{305}"))
        );
    }

    #[test]
    fn numbers_are_never_zero() {
        assert!((0..600).all(|_| next_id() != 0));
    }
}
