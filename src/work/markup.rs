//! Text inside HTML and SVG.

/// Text as it stands between tags and in attributes in double quotes: nothing of it is markup.
#[must_use]
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\n' => out.push(' '),
            // XML 1.0 has no other control characters.
            c if c < ' ' => {}
            c => out.push(c),
        }
    }
    out
}
