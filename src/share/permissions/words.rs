//! Names as they are, whatever a terminal would make of them.

/// `text` with everything in it that a terminal does not show as it is written as `\u{202e}`: codes that move the cursor, marks that turn the
/// direction of writing, characters without width, spaces that look like others.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\\' => out.push_str("\\\\"),
            c if is_hidden(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// JSON for people and programs, with those characters as its own escapes.
pub fn json_shown(value: &serde_json::Value) -> String {
    let mut out = String::new();
    for c in format!("{value:#}").chars() {
        match c {
            // Between values, where JSON has lines and no others.
            '\n' => out.push(c),
            c if is_hidden(c) => {
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    out.push_str(&format!("\\u{unit:04x}"));
                }
            }
            c => out.push(c),
        }
    }
    out
}

/// Controls, formats (category Cf), separators but the space, and letters that are blank.
fn is_hidden(c: char) -> bool {
    c.is_control()
        || (c.is_whitespace() && c != ' ')
        || matches!(c,
            '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}'
            | '\u{600}'..='\u{605}' | '\u{6dd}' | '\u{70f}' | '\u{890}' | '\u{891}' | '\u{8e2}'
            | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
            | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}' | '\u{fff0}'..='\u{fffb}'
            | '\u{110bd}' | '\u{110cd}' | '\u{13430}'..='\u{1343f}' | '\u{1bca0}'..='\u{1bca3}'
            | '\u{1d173}'..='\u{1d17a}' | '\u{e0000}'..='\u{e0fff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_name_is_hidden() {
        for (text, shown) in [
            ("data/år 2024.tif", "data/år 2024.tif"),
            ("a\u{1b}[2Kb", "a\\u{1b}[2Kb"),
            ("a\rb\nc\td", "a\\u{d}b\\u{a}c\\u{9}d"),
            ("\u{202e}fit.elif", "\\u{202e}fit.elif"),
            (
                "a\u{2066}b\u{2069}\u{200b}\u{feff}",
                "a\\u{2066}b\\u{2069}\\u{200b}\\u{feff}",
            ),
            ("a\u{a0}b\u{2003}c", "a\\u{a0}b\\u{2003}c"),
            ("a\u{9b}31m", "a\\u{9b}31m"),
            ("\u{e0041}", "\\u{e0041}"),
            // What looks escaped is told from what is.
            ("a\\u{1b}", "a\\\\u{1b}"),
        ] {
            assert_eq!(escaped(text), shown);
            let value = serde_json::json!([{ "a": text }]);
            let json = json_shown(&value);
            assert!(json.chars().all(|c| c == '\n' || !is_hidden(c)), "{json}");
            assert_eq!(serde_json::from_str::<serde_json::Value>(&json).unwrap(), value);
        }
    }
}
