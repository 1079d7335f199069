//! Paths that mean something on one machine alone, found in what is to be handed on.

use std::path::Path;

use crate::host::lexer::{TokenKind, tokens};

/// First folders below which people keep their own.
const OF_PEOPLE: [&str; 9] = [
    "home", "Users", "root", "mnt", "media", "scratch", "work", "tmp", "gpfs",
];

/// The places of such paths in a script: `water.lua:12: "/home/me/a.tif"`.
pub fn in_script(name: &str, text: &str) -> Vec<String> {
    let home = home();
    let mut found = Vec::new();
    for token in tokens(text) {
        let inside = match token.kind {
            TokenKind::String => token.text.trim_start_matches(['[', '=', '"', '\'']),
            TokenKind::Comment => token.text,
            _ => continue,
        };
        for (i, line) in inside.lines().enumerate() {
            let is_home = home.as_deref().is_some_and(|home| holds(line, home));
            let is_path = token.kind == TokenKind::String && in_text(line);
            if is_home || is_path {
                let shown: String = line
                    .trim_end_matches([']', '=', '"', '\''])
                    .chars()
                    .take(100)
                    .collect();
                found.push(format!("{name}:{}: {}", token.line + i, shown.trim()));
            }
        }
    }
    found
}

/// Whether the value of a parameter has such a path in it.
pub fn in_value(text: &str) -> bool {
    in_text(text) || home().is_some_and(|home| holds(text, &home))
}

fn home() -> Option<String> {
    let home = std::env::home_dir()?;
    // That of a process without a user says nothing of one.
    (home.components().count() > 1).then(|| home.display().to_string())
}

/// Whether the folder is named in a text, as a whole name.
fn holds(text: &str, folder: &str) -> bool {
    text.match_indices(folder).any(|(i, _)| {
        let before = text[..i].chars().next_back();
        let after = text[i + folder.len()..].chars().next();
        let goes_on = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.');
        !before.is_some_and(|c| goes_on(c) || c == '/') && !after.is_some_and(goes_on)
    })
}

/// Whether a path begins in a text: at its start, or behind what stands before paths in names such as `NETCDF:"/data/a.nc":v`.
fn in_text(text: &str) -> bool {
    let opens = |c: char| matches!(c, '"' | '\'' | ' ' | ',' | ':' | '=' | '(');
    let starts = text.char_indices().filter_map(|(i, c)| match i {
        0 => Some(0),
        _ if opens(c) => Some(i + c.len_utf8()),
        _ => None,
    });
    starts.into_iter().any(|start| {
        let rest = &text[start..];
        // The two slashes of an address.
        if rest.starts_with("//") {
            return false;
        }
        begins_path(rest)
    })
}

fn begins_path(text: &str) -> bool {
    if text.starts_with("~/") {
        return true;
    }
    let mut letters = text.chars();
    if letters.next().is_some_and(|c| c.is_ascii_alphabetic())
        && letters.next() == Some(':')
        && letters.next() == Some('\\')
    {
        return true;
    }
    let mut text = text;
    // `/vsizip//data/a.zip/b.tif`: the path inside.
    while let Some((head, rest)) = text.strip_prefix("/vsi").and_then(|rest| rest.split_once('/')) {
        if ["curl", "s3", "gs", "az", "oss", "adls"].contains(&head) {
            return false;
        }
        text = rest;
    }
    let Some(rest) = text.strip_prefix('/') else {
        return false;
    };
    let rest = rest.split(['"', '\'', ',', '\n', ')']).next().unwrap_or_default();
    let mut parts = rest.split('/').filter(|part| !part.is_empty());
    let Some(first) = parts.next() else {
        return false;
    };
    let Some(second) = parts.next() else {
        // `/` and one name is a path where it is there; else a name inside a file, or no path at all.
        return OF_PEOPLE.contains(&first) && Path::new("/").join(first).exists();
    };
    let above = Path::new("/").join(first);
    OF_PEOPLE.contains(&first)
        || above.join(second).exists()
        || (above.is_dir()
            && Path::new("/")
                .join(rest)
                .parent()
                .is_some_and(|p| p != above && p.exists()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_of_one_machine_are_found() {
        let home = home().unwrap_or("/home/me".into());
        let script = format!(
            "-- by hand in {home}/lake\nlocal a = \"/home/alice/a.tif\"\nlocal b = '~/data/b.tif'\nlocal c = [[NETCDF:\"/mnt/d/c.nc\":v]]\n\
             local d = 'C:\\\\data' e = '/vsizip//media/a.zip/b.tif' f = 'data/a.tif' g = '/science/grids/data' h = 'https://a.org/home/me/x'\n\
             local i, j = 'VV/VH', '/usr/bin' k = 'a /b c' l = '../a' m = '/vsicurl/https://a.org/home/a' n = '/' o = '//' p = '/dev/null'"
        );
        let lines: Vec<String> = in_script("a.lua", &script);
        let numbers: Vec<&str> = lines.iter().map(|line| line.split(':').nth(1).unwrap()).collect();
        assert_eq!(numbers, ["1", "2", "3", "4", "5", "5", "6", "6"], "{lines:?}");
        assert!(lines[1].contains("/home/alice/a.tif"), "{lines:?}");
        for (text, is) in [
            ("/home/a/b", true),
            ("/tmp/x.tif", true),
            ("/data/VV", Path::new("/data/VV").exists()),
            ("data/VV", false),
            ("30", false),
            ("s3://bucket/home/a", false),
            ("a,/mnt/b/c", true),
            ("/", false),
        ] {
            assert_eq!(in_value(text), is, "{text}");
        }
    }
}
