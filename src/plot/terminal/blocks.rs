//! A page of characters with colours, two pixels to each.

use std::fmt::Write;

use super::Terminal;
use crate::plot::color::Color;
use crate::plot::picture::Picture;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Cell {
    letter: char,
    fore: Option<Color>,
    back: Option<Color>,
}

const EMPTY: Cell = Cell {
    letter: ' ',
    fore: None,
    back: None,
};

/// Characters in rows and columns, empty at first.
pub struct Canvas {
    width: usize,
    cells: Vec<Vec<Cell>>,
}

/// From dark to bright, or from little to much ink.
const RAMP: [char; 10] = [' ', '.', ':', '-', '=', '+', '*', '#', '%', '@'];

impl Canvas {
    pub fn new(width: usize, height: usize) -> Canvas {
        Canvas {
            width,
            cells: vec![vec![EMPTY; width]; height],
        }
    }

    /// Lines of text from a column on; what is beyond the edge is cut off.
    pub fn text(&mut self, text: &str, column: isize, line: usize, color: Option<Color>) {
        for (i, letter) in text.chars().enumerate() {
            let at = column + i as isize;
            if let Some(cell) = usize::try_from(at)
                .ok()
                .and_then(|at| self.cells.get_mut(line)?.get_mut(at))
            {
                *cell = Cell {
                    letter,
                    fore: color,
                    back: None,
                };
            }
        }
    }

    /// A picture with its upper left corner at a cell. Without colours its brightness becomes letters, or with `ink`
    /// its opacity.
    pub fn picture(&mut self, picture: &Picture, column: usize, line: usize, letters: bool, ink: bool) {
        for row in 0..picture.height.div_ceil(2) {
            for x in 0..picture.width {
                let pixel = |y: usize| {
                    let [r, g, b, a] = if y < picture.height {
                        picture.get(x, y)
                    } else {
                        [0; 4]
                    };
                    Color { r, g, b, a }
                };
                let (top, bottom) = (pixel(2 * row), pixel(2 * row + 1));
                let cell = if letters {
                    letter(top, bottom, ink)
                } else {
                    halves(top, bottom)
                };
                if let Some(place) = self.cells.get_mut(line + row).and_then(|l| l.get_mut(column + x)) {
                    *place = cell;
                }
            }
        }
    }

    /// The page as text, each line reset at its end.
    pub fn encode(&self, terminal: &Terminal) -> String {
        let mut out = String::with_capacity(self.cells.len() * self.width * 24);
        for line in &self.cells {
            let used = line.iter().rposition(|c| *c != EMPTY).map_or(0, |i| i + 1);
            let (mut fore, mut back) = (None, None);
            for cell in &line[..used] {
                if cell.fore != fore && cell.letter != ' ' {
                    put_color(&mut out, 38, cell.fore, terminal.true_color);
                    fore = cell.fore;
                }
                if cell.back != back {
                    put_color(&mut out, 48, cell.back, terminal.true_color);
                    back = cell.back;
                }
                put_letter(&mut out, cell.letter, terminal.unicode);
            }
            if fore.is_some() || back.is_some() {
                out.push_str("\x1b[0m");
            }
            out.push('\n');
        }
        out
    }
}

/// Pixels at least half opaque are shown; the others leave the terminal's own background.
fn halves(top: Color, bottom: Color) -> Cell {
    let solid = |c: Color| (c.a >= 128).then_some(Color { a: 255, ..c });
    match (solid(top), solid(bottom)) {
        (None, None) => EMPTY,
        (Some(top), bottom) => Cell {
            letter: '▀',
            fore: Some(top),
            back: bottom,
        },
        (None, Some(bottom)) => Cell {
            letter: '▄',
            fore: Some(bottom),
            back: None,
        },
    }
}

fn letter(top: Color, bottom: Color, ink: bool) -> Cell {
    let level = |c: Color| {
        let opacity = f64::from(c.a) / 255.0;
        // The darkest pixel still differs from none.
        if ink {
            opacity
        } else {
            opacity * (0.1 + 0.9 * c.luma() / 255.0)
        }
    };
    let mean = (level(top) + level(bottom)) / 2.0;
    // A thin line covers little of its cells and is to be seen all the same.
    let level = if ink { level(top).max(level(bottom)) } else { mean };
    Cell {
        letter: RAMP[((level * RAMP.len() as f64) as usize).min(RAMP.len() - 1)],
        ..EMPTY
    }
}

fn put_color(out: &mut String, layer: u8, color: Option<Color>, true_color: bool) {
    // Writing to a String cannot fail.
    let _ = match color {
        None => write!(out, "\x1b[{}m", layer + 1),
        Some(c) if true_color => write!(out, "\x1b[{layer};2;{};{};{}m", c.r, c.g, c.b),
        Some(c) => write!(out, "\x1b[{layer};5;{}m", xterm_index(c)),
    };
}

fn put_letter(out: &mut String, letter: char, unicode: bool) {
    if unicode || letter.is_ascii() {
        out.push(letter);
        return;
    }
    out.push(match letter {
        '−' | '–' | '—' => '-',
        '\u{2009}' | '\u{a0}' => ' ',
        '×' => 'x',
        '·' => '.',
        '■' | '▀' | '▄' => '#',
        _ => '?',
    });
}

/// The nearest of xterm's 6 × 6 × 6 colours and 24 greys.
fn xterm_index(c: Color) -> u8 {
    const LEVELS: [i32; 6] = [0, 95, 135, 175, 215, 255];
    let near = |v: u8| -> usize {
        (0..6)
            .min_by_key(|&i| (LEVELS[i] - i32::from(v)).abs())
            .unwrap_or(0)
    };
    let distance = |r: i32, g: i32, b: i32| {
        let (dr, dg, db) = (r - i32::from(c.r), g - i32::from(c.g), b - i32::from(c.b));
        dr * dr + dg * dg + db * db
    };
    let (r, g, b) = (near(c.r), near(c.g), near(c.b));
    let grey = ((i32::from(c.r) + i32::from(c.g) + i32::from(c.b)) / 3 - 3) / 10;
    let grey = grey.clamp(0, 23);
    let level = 8 + 10 * grey;
    if distance(level, level, level) < distance(LEVELS[r], LEVELS[g], LEVELS[b]) {
        232 + grey as u8
    } else {
        (16 + 36 * r + 6 * g + b) as u8
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(true_color: bool) -> Terminal {
        Terminal {
            graphics: super::super::Graphics::Blocks,
            true_color,
            unicode: true,
            tmux: false,
            columns: 80,
            rows: 24,
            cell: (9.0, 18.0),
        }
    }

    fn picture(pixels: &[[u8; 4]], width: usize) -> Picture {
        Picture {
            width,
            height: pixels.len() / width,
            pixels: pixels.concat(),
        }
    }

    const RED: [u8; 4] = [255, 0, 0, 255];
    const BLUE: [u8; 4] = [0, 0, 255, 255];
    const NONE: [u8; 4] = [9, 9, 9, 0];

    #[test]
    fn two_pixels_make_a_letter() {
        let mut canvas = Canvas::new(2, 1);
        canvas.picture(&picture(&[RED, RED, BLUE, BLUE], 2), 0, 0, false, false);
        // The colours are set once for both letters.
        assert_eq!(
            canvas.encode(&terminal(true)),
            "\x1b[38;2;255;0;0m\x1b[48;2;0;0;255m▀▀\x1b[0m\n"
        );
        assert_eq!(
            canvas.encode(&terminal(false)),
            "\x1b[38;5;196m\x1b[48;5;21m▀▀\x1b[0m\n"
        );
    }

    #[test]
    fn transparent_pixels_leave_the_background() {
        let mut canvas = Canvas::new(3, 1);
        canvas.picture(
            &picture(&[NONE, RED, NONE, BLUE, NONE, NONE], 3),
            0,
            0,
            false,
            false,
        );
        assert_eq!(
            canvas.encode(&terminal(true)),
            "\x1b[38;2;0;0;255m▄\x1b[38;2;255;0;0m▀\x1b[0m\n"
        );
    }

    #[test]
    fn an_odd_last_row_is_half_a_letter() {
        let mut canvas = Canvas::new(1, 2);
        canvas.picture(&picture(&[RED, RED, BLUE], 1), 0, 0, false, false);
        assert!(
            canvas
                .encode(&terminal(true))
                .ends_with("\x1b[38;2;0;0;255m▀\x1b[0m\n")
        );
    }

    #[test]
    fn letters_get_denser_with_brightness() {
        let mut canvas = Canvas::new(3, 1);
        let (black, grey, white) = ([0, 0, 0, 255], [128, 128, 128, 255], [255, 255, 255, 255]);
        canvas.picture(
            &picture(&[black, grey, white, black, grey, white], 3),
            0,
            0,
            true,
            false,
        );
        assert_eq!(canvas.encode(&terminal(true)), ".+@\n");
    }

    #[test]
    fn the_palette_has_its_exact_colours() {
        assert_eq!(xterm_index(Color::rgb(0, 0, 0)), 16);
        assert_eq!(xterm_index(Color::rgb(255, 255, 255)), 231);
        assert_eq!(xterm_index(Color::rgb(95, 135, 175)), 67);
        assert_eq!(xterm_index(Color::rgb(128, 128, 128)), 244);
        assert_eq!(xterm_index(Color::rgb(238, 238, 238)), 255);
    }

    #[test]
    fn text_is_cut_at_the_edges_and_spelt_in_ascii_where_it_must() {
        let mut canvas = Canvas::new(4, 1);
        canvas.text("a−5°N", -1, 0, None);
        let mut plain = terminal(true);
        plain.unicode = false;
        assert_eq!(canvas.encode(&plain), "-5?N\n");
        assert_eq!(canvas.encode(&terminal(true)), "−5°N\n");
    }
}
