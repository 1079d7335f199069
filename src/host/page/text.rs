//! Text on a page: nothing of it is markup, and nothing of it lets anybody in.

use crate::share::provenance::{SECRET, unsigned};

/// Text between tags and in attributes, its lines kept.
pub fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in visible(text).chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            c => out.push(c),
        }
    }
    out
}

/// Text without what makes it read otherwise than it stands, as a name that hides its end.
pub fn visible(text: &str) -> String {
    let shown = |c: char| match c {
        '\n' | '\t' => Some(c),
        '\u{202A}'..='\u{202E}' | '\u{2066}'..='\u{2069}' => Some('\u{FFFD}'),
        c => (!c.is_control()).then_some(c),
    };
    text.chars().filter_map(shown).collect()
}

/// `text` with the addresses in it without logins and signatures.
pub fn public(text: &str) -> String {
    replaced(text, unsigned)
}

/// The same of text that is markup already.
pub fn public_markup(markup: &str) -> String {
    replaced(markup, |address| {
        escaped(&unsigned(&address.replace("&amp;", "&")))
    })
}

fn replaced(text: &str, with: impl Fn(&str) -> String) -> String {
    let mut out = String::with_capacity(text.len());
    let mut from = 0;
    for (at, _) in text.match_indices("://") {
        if at < from {
            continue;
        }
        let before =
            text[from..at].trim_end_matches(|c: char| c.is_ascii_alphanumeric() || "+-.".contains(c));
        let start = from + before.len();
        let ends = |c: char| c.is_whitespace() || c.is_control() || "\"'<>|`\\".contains(c);
        let end = text[at..].find(ends).map_or(text.len(), |length| at + length);
        let whole = &text[start..end];
        let address = whole.trim_end_matches(['.', ',', ';', ':', ')', ']', '}']);
        // Others are left as they were written.
        let is_open = address.contains('?') || address.contains('@');
        let end = start + address.len();
        out.push_str(&text[from..start]);
        match is_open {
            true => out.push_str(&with(address)),
            false => out.push_str(address),
        }
        from = end;
    }
    out.push_str(&text[from..]);
    out
}

/// Without the sequences by which terminals colour text.
pub fn uncoloured(text: &str) -> String {
    let mut parts = text.split("\x1b[");
    let mut out = parts.next().unwrap_or_default().to_string();
    for part in parts {
        let end = part.find(|c: char| !(c.is_ascii_digit() || c == ';' || c == '?'));
        out.push_str(end.and_then(|end| part.get(end + 1..)).unwrap_or_default());
    }
    out
}

/// Without the values of parameters that are nobody's to know.
pub fn without_secrets(text: String, secrets: &[String]) -> String {
    secrets.iter().fold(text, |text, secret| {
        match secret.len() >= 4 && text.contains(secret.as_str()) {
            true => text.replace(secret.as_str(), SECRET),
            false => text,
        }
    })
}

/// A word of a command line as a shell reads it.
pub fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_@%+=:,./-".contains(c);
    match !word.is_empty() && word.chars().all(is_plain) {
        true => word.to_string(),
        false => format!("'{}'", word.replace('\'', "'\\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_lose_what_lets_others_in() {
        for (text, expected) in [
            ("see https://host/a?b=1, and", "see https://host/a?b=1, and"),
            (
                "(https://u:p@host/a.tif) https://host/b?sig=XYZ&x=1.",
                "(https://host/a.tif) https://host/b.",
            ),
            ("a:b://", "a:b://"),
            ("no address", "no address"),
            ("https://host/plain", "https://host/plain"),
        ] {
            assert_eq!(public(text), expected);
        }
        assert_eq!(
            public_markup("<td>https://host/b?x=1&amp;sig=XYZ</td><td>a &amp; b</td>"),
            "<td>https://host/b</td><td>a &amp; b</td>"
        );
    }

    #[test]
    fn text_is_no_markup() {
        assert_eq!(
            escaped("<a b=\"&\">\n\t\u{1b}\u{85}é"),
            "&lt;a b=&quot;&amp;&quot;&gt;\n\té"
        );
        assert_eq!(uncoloured("\x1b[31merror:\x1b[0m a \x1b[1mb"), "error: a b");
        assert_eq!(quoted("a b's"), "'a b'\\''s'");
        assert_eq!(quoted("--x=/a/b.tif"), "--x=/a/b.tif");
        assert_eq!(quoted(""), "''");
    }
}
