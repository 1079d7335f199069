//! Pictures in a terminal: the kitty graphics protocol, sixel, coloured half blocks, or plain letters. What the
//! terminal can do is taken from its environment; it is never asked, because an answer may not come.

mod blocks;
mod kitty;
mod page;

use super::figure::Figure;
use super::picture::Picture;
use crate::error::{Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Graphics {
    /// <https://sw.kovidgoyal.net/kitty/graphics-protocol/>
    Kitty,
    /// DEC STD 070, chapter 9.
    Sixel,
    /// Two pixels a character, in colour.
    Blocks,
    /// One brightness a character, without colour.
    Ascii,
    /// No pictures: output is not a terminal.
    None,
}

/// What a terminal can show, and its size.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Terminal {
    pub graphics: Graphics,
    /// 24-bit colours; otherwise the 256 of xterm.
    pub true_color: bool,
    /// Letters beyond ASCII.
    pub unicode: bool,
    /// Inside tmux, through which kitty's sequences must be handed on.
    pub tmux: bool,
    pub columns: usize,
    pub rows: usize,
    /// Pixels of a character cell (width, height).
    pub cell: (f64, f64),
}

/// Width and height in characters and, where the terminal tells, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size {
    pub columns: usize,
    pub rows: usize,
    pub pixels: Option<(usize, usize)>,
}

/// Overrides what is found: `kitty`, `sixel`, `blocks`, `ascii` or `none`.
pub const OVERRIDE: &str = "PERILUNE_GRAPHICS";

impl Terminal {
    /// The terminal on standard output.
    ///
    /// # Errors
    /// An override that names no kind of graphics.
    pub fn detect() -> Result<Terminal> {
        let environment = |name: &str| std::env::var(name).ok();
        Terminal::from_environment(
            environment,
            std::io::IsTerminal::is_terminal(&std::io::stdout()),
            size(),
        )
    }

    /// From environment variables; `size` None stands for 80 × 24.
    ///
    /// # Errors
    /// A variable that names the graphics and names none that there is.
    pub fn from_environment(
        get: impl Fn(&str) -> Option<String>,
        is_terminal: bool,
        size: Option<Size>,
    ) -> Result<Terminal> {
        let get = |name: &str| get(name).filter(|v| !v.is_empty());
        let is = |name: &str, value: &str| get(name).is_some_and(|v| v.eq_ignore_ascii_case(value));
        let term = get("TERM").unwrap_or_default();
        let starts = |prefixes: &[&str]| prefixes.iter().any(|p| term.starts_with(p));
        let multiplexed = get("TMUX").is_some() || starts(&["tmux", "screen"]);
        let chosen = match get(OVERRIDE) {
            Some(name) => Some(parse_override(&name)?),
            None => None,
        };
        // Programs started from kitty inherit its variables, so an editor's own terminal is looked for first.
        let editor = is("TERM_PROGRAM", "vscode") || get("INSIDE_EMACS").is_some();
        let kitty = starts(&["xterm-kitty", "xterm-ghostty", "wezterm"])
            || ["KITTY_WINDOW_ID", "WEZTERM_PANE", "GHOSTTY_RESOURCES_DIR"]
                .iter()
                .any(|n| get(n).is_some())
            || is("TERM_PROGRAM", "WezTerm")
            || is("TERM_PROGRAM", "ghostty");
        let sixel = starts(&["foot", "mlterm", "contour", "yaft"])
            || term.contains("sixel")
            || is("TERM_PROGRAM", "iTerm.app")
            || is("LC_TERMINAL", "iTerm2")
            || is("TERM_PROGRAM", "mintty")
            || get("KONSOLE_VERSION")
                .and_then(|v| v.parse::<u32>().ok())
                .is_some_and(|v| v >= 220_400);
        let plain = term.is_empty() || term == "dumb" || starts(&["vt1", "vt2"]) || get("NO_COLOR").is_some();
        let graphics = chosen.unwrap_or(match () {
            () if !is_terminal => Graphics::None,
            () if plain => Graphics::Ascii,
            () if multiplexed || editor => Graphics::Blocks,
            () if kitty => Graphics::Kitty,
            () if sixel => Graphics::Sixel,
            () => Graphics::Blocks,
        });
        let true_color = is("COLORTERM", "truecolor")
            || is("COLORTERM", "24bit")
            || term.ends_with("-direct")
            || starts(&[
                "xterm-kitty",
                "xterm-ghostty",
                "wezterm",
                "foot",
                "alacritty",
                "contour",
            ]);
        // The first of these that is set decides (POSIX.1-2017, chapter 8.2); a locale without a charset says nothing.
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"]
            .iter()
            .find_map(|n| get(n))
            .unwrap_or_default();
        let charset = locale
            .split_once('.')
            .map(|(_, c)| c.to_ascii_lowercase().replace('-', ""));
        let size = size.unwrap_or(Size {
            columns: 80,
            rows: 24,
            pixels: None,
        });
        let (columns, rows) = (size.columns.max(10), size.rows.max(4));
        let cell = match size.pixels {
            Some((width, height)) if width >= columns && height >= rows => {
                (width as f64 / columns as f64, height as f64 / rows as f64)
            }
            _ => (9.0, 18.0),
        };
        Ok(Terminal {
            graphics,
            true_color,
            unicode: charset.is_none_or(|c| c.starts_with("utf8")),
            tmux: get("TMUX").is_some(),
            columns,
            rows,
            cell,
        })
    }

    /// A picture in its own pixels, shrunk where it is larger than the terminal. Ends with a new line.
    ///
    /// # Errors
    /// When it cannot be encoded as PNG or Sixel.
    pub fn picture(&self, picture: &Picture) -> Result<String> {
        if picture.width == 0 || picture.height == 0 {
            return Ok(String::new());
        }
        let (width, height) = match self.graphics {
            Graphics::None => {
                return Ok(format!(
                    "[picture of {} × {} pixels]\n",
                    picture.width, picture.height
                ));
            }
            Graphics::Kitty | Graphics::Sixel => self.room(),
            Graphics::Blocks => (self.columns as f64, 2.0 * self.lines() as f64),
            // Letters are about twice as high as wide.
            Graphics::Ascii => (self.columns as f64, 2.0 * self.lines() as f64),
        };
        let shrink = (width / picture.width as f64)
            .min(height / picture.height as f64)
            .min(1.0);
        let fitted = |length: usize| ((length as f64 * shrink).round() as usize).max(1);
        let smaller;
        let shown = if shrink < 1.0 {
            smaller = picture.resized(fitted(picture.width), fitted(picture.height));
            &smaller
        } else {
            picture
        };
        match self.graphics {
            Graphics::Kitty => kitty::encode(shown, self),
            Graphics::Sixel => sixel(shown),
            _ => {
                let mut canvas = blocks::Canvas::new(shown.width, shown.height.div_ceil(2));
                canvas.picture(shown, 0, 0, self.graphics == Graphics::Ascii, false);
                Ok(canvas.encode(self))
            }
        }
    }

    /// A whole figure: drawn as on paper where the terminal has pixels, otherwise panels in blocks or letters with
    /// their labels as text. Ends with a new line.
    ///
    /// # Errors
    /// As `Figure::picture`; as `picture`.
    pub fn figure(&self, figure: &Figure) -> Result<String> {
        match self.graphics {
            Graphics::Kitty | Graphics::Sixel => {
                let mut figure = figure.clone();
                // Letters of the figure a little smaller than those of the terminal.
                figure.dpi = (72.0 * 0.62 * self.cell.1 / figure.font_size).clamp(40.0, 400.0);
                let (width, height) = figure.size()?;
                let (most_width, most_height) = self.room();
                let shrink = (most_width / (width * figure.dpi)).min(most_height / (height * figure.dpi));
                figure.dpi *= shrink.min(1.0);
                self.picture(&figure.picture()?)
            }
            Graphics::Blocks | Graphics::Ascii => page::figure(figure, self),
            Graphics::None => Ok(format!("{}\n", figure.words()?)),
        }
    }

    /// Lines that a picture may take, so that the prompt stays in sight.
    fn lines(&self) -> usize {
        self.rows.saturating_sub(2).max(2)
    }

    /// Pixels that a picture may take.
    fn room(&self) -> (f64, f64) {
        (
            self.columns as f64 * self.cell.0,
            self.lines() as f64 * self.cell.1,
        )
    }
}

fn parse_override(name: &str) -> Result<Graphics> {
    match name.to_ascii_lowercase().as_str() {
        "kitty" => Ok(Graphics::Kitty),
        "sixel" => Ok(Graphics::Sixel),
        "blocks" => Ok(Graphics::Blocks),
        "ascii" => Ok(Graphics::Ascii),
        "none" => Ok(Graphics::None),
        _ => Err(Error::argument(
            OVERRIDE,
            "`kitty`, `sixel`, `blocks`, `ascii` or `none`",
            format!("`{name}`"),
        )),
    }
}

fn sixel(picture: &Picture) -> Result<String> {
    let image = icy_sixel::SixelImage::try_from_rgba(picture.pixels.clone(), picture.width, picture.height);
    let mut out = image
        .and_then(|image| image.encode())
        .map_err(|e| Error::message(format!("encoding a sixel picture: {e}")))?;
    out.push('\n');
    Ok(out)
}

/// The size of the terminal on standard output, or None where it is not one.
fn size() -> Option<Size> {
    let window = rustix::termios::tcgetwinsize(std::io::stdout()).ok()?;
    (window.ws_col > 0 && window.ws_row > 0).then(|| Size {
        columns: window.ws_col.into(),
        rows: window.ws_row.into(),
        pixels: (window.ws_xpixel > 0 && window.ws_ypixel > 0)
            .then(|| (window.ws_xpixel.into(), window.ws_ypixel.into())),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terminal(variables: &[(&str, &str)]) -> Terminal {
        let get = |name: &str| {
            variables
                .iter()
                .find(|(n, _)| *n == name)
                .map(|(_, v)| v.to_string())
        };
        Terminal::from_environment(get, true, None).unwrap()
    }

    #[test]
    fn graphics_follow_the_environment() {
        use Graphics::*;
        let cases: &[(&[(&str, &str)], Graphics)] = &[
            (&[("TERM", "xterm-kitty")], Kitty),
            (&[("TERM", "xterm-256color"), ("KITTY_WINDOW_ID", "1")], Kitty),
            (&[("TERM", "xterm-256color"), ("TERM_PROGRAM", "WezTerm")], Kitty),
            (&[("TERM", "xterm-ghostty")], Kitty),
            (&[("TERM", "foot")], Sixel),
            (&[("TERM", "mlterm")], Sixel),
            (
                &[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "230800")],
                Sixel,
            ),
            (
                &[("TERM", "xterm-256color"), ("KONSOLE_VERSION", "210400")],
                Blocks,
            ),
            (&[("TERM", "xterm-256color")], Blocks),
            (&[("TERM", "linux")], Blocks),
            (
                &[
                    ("TERM", "tmux-256color"),
                    ("TMUX", "/tmp/t,1,0"),
                    ("KITTY_WINDOW_ID", "1"),
                ],
                Blocks,
            ),
            (&[("TERM", "screen")], Blocks),
            (
                &[
                    ("TERM", "xterm-256color"),
                    ("TERM_PROGRAM", "vscode"),
                    ("KITTY_WINDOW_ID", "1"),
                ],
                Blocks,
            ),
            (&[("TERM", "dumb")], Ascii),
            (&[], Ascii),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "1")], Ascii),
            (&[("TERM", "xterm-kitty"), ("NO_COLOR", "")], Kitty),
            (&[("TERM", "xterm-256color"), (OVERRIDE, "sixel")], Sixel),
            (&[("TERM", "dumb"), (OVERRIDE, "None")], None),
            // Over SSH only TERM arrives.
            (&[("TERM", "xterm-kitty"), ("SSH_TTY", "/dev/pts/0")], Kitty),
        ];
        for (variables, expected) in cases {
            assert_eq!(terminal(variables).graphics, *expected, "{variables:?}");
        }
    }

    #[test]
    fn a_pipe_gets_no_pictures_unless_asked_for() {
        let get = |name: &str| (name == "TERM").then(|| "xterm-kitty".to_string());
        assert_eq!(
            Terminal::from_environment(get, false, None).unwrap().graphics,
            Graphics::None
        );
    }

    #[test]
    fn a_wrong_override_names_the_right_ones() {
        let get = |name: &str| (name == OVERRIDE).then(|| "kity".to_string());
        let message = Terminal::from_environment(get, true, None)
            .unwrap_err()
            .to_string();
        assert_eq!(
            message,
            "PERILUNE_GRAPHICS must be `kitty`, `sixel`, `blocks`, `ascii` or `none`, got `kity`"
        );
    }

    #[test]
    fn colours_and_letters_follow_the_environment() {
        assert!(terminal(&[("TERM", "xterm-256color"), ("COLORTERM", "truecolor")]).true_color);
        assert!(!terminal(&[("TERM", "xterm-256color")]).true_color);
        assert!(terminal(&[("LANG", "de_DE.UTF-8")]).unicode);
        assert!(terminal(&[("LANG", "C")]).unicode);
        assert!(!terminal(&[("LANG", "de_DE.UTF-8"), ("LC_ALL", "de_DE.ISO-8859-1")]).unicode);
    }

    #[test]
    fn cells_come_from_the_pixel_size_where_it_is_known() {
        let size = |pixels| {
            Some(Size {
                columns: 100,
                rows: 50,
                pixels,
            })
        };
        let with = |pixels| {
            Terminal::from_environment(|_| Option::None, true, size(pixels))
                .unwrap()
                .cell
        };
        assert_eq!(with(Some((1000, 1000))), (10.0, 20.0));
        assert_eq!(with(Option::None), (9.0, 18.0));
    }

    #[test]
    fn large_pictures_are_shrunk_to_the_terminal() {
        let mut terminal = terminal(&[("TERM", "xterm-256color")]);
        (terminal.columns, terminal.rows) = (20, 12);
        let mut picture = Picture::new(400, 200);
        picture.pixels.fill(255);
        let text = terminal.picture(&picture).unwrap();
        // 20 columns wide, so 10 pixels or 5 lines high.
        assert_eq!(text.lines().count(), 5);
        assert!(text.lines().all(|l| l.matches('▀').count() == 20), "{text:?}");
    }

    #[test]
    fn sixel_is_decoded_to_what_went_in() {
        let mut picture = Picture::new(12, 8);
        for (i, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
            let red = if i % 12 < 6 { 255 } else { 0 };
            pixel.copy_from_slice(&[red, 0, 255 - red, 255]);
        }
        let text = sixel(&picture).unwrap();
        assert!(text.starts_with("\x1bP") && text.ends_with("\x1b\\\n"));
        let back = icy_sixel::SixelImage::decode(text.trim_end().as_bytes()).unwrap();
        assert!(back.width >= 12 && back.height >= 8);
        let at = |x: usize, y: usize| &back.pixels[(y * back.width + x) * 4..][..3];
        assert!(at(1, 1)[0] > 200 && at(1, 1)[2] < 60, "{:?}", at(1, 1));
        assert!(at(10, 7)[2] > 200 && at(10, 7)[0] < 60, "{:?}", at(10, 7));
    }
}
