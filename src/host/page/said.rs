//! What a step has printed and shown, in its order, and the pictures that it has written.

use std::fmt::Write;

use super::listener::Heard;
use super::text::{escaped, public_markup, uncoloured, without_secrets};
use super::{Page, picture};
use crate::error::shown_bytes;
use crate::work::{Bundle, Form, Record, Stream};

/// How an element says that the picture in it has maps. No text of others can hold it, since quotes are escaped.
pub const MAP: &str = " data-map=\"";
const WARNING: &str = "warning: ";
/// A longer text is no alternative of a picture.
const LONGEST_ALTERNATIVE: usize = 300;

pub fn html(page: &Page, step: usize, heard: &Heard, out: &mut String) {
    for record in &heard.records {
        match record {
            Record::Text(Stream::Stdout, text) => block(page, "out", &as_text(text), out),
            Record::Text(Stream::Stderr, text) => messages(page, &as_text(text), out),
            Record::Shown(bundle) => value(page, bundle, out),
        }
    }
    if heard.left_out > 0 {
        let _ = writeln!(
            out,
            "<p class=\"warning\">{} more that it printed found no room on this page.</p>",
            shown_bytes(heard.left_out as u64)
        );
    }
    let pictures = page.made.iter().filter(|made| made.step == step);
    for made in pictures {
        if let Some((mime, bytes)) = &made.picture {
            let path = page.shown(&made.file.path);
            let places = with_maps(made.places.as_deref());
            let _ = writeln!(
                out,
                "<figure{places}>{}<figcaption class=\"path\">{path}</figcaption></figure>",
                picture::html(mime, bytes, &page.plain(&made.file.path))
            );
        }
    }
}

/// Each warning of the run once in each step, without its first word.
pub fn warnings(page: &Page, heard: &[Heard]) -> Vec<(usize, String)> {
    let mut found: Vec<(usize, String)> = Vec::new();
    for (step, heard) in heard.iter().enumerate() {
        for record in &heard.records {
            let Record::Text(Stream::Stderr, text) = record else {
                continue;
            };
            for warning in as_text(text)
                .lines()
                .filter_map(|line| line.strip_prefix(WARNING))
            {
                let warning = (step, without_secrets(warning.to_string(), &page.secrets));
                if !found.contains(&warning) {
                    found.push(warning);
                }
            }
        }
    }
    found
}

fn with_maps(places: Option<&str>) -> String {
    places.map_or(String::new(), |places| format!("{MAP}{}\"", escaped(places)))
}

fn as_text(bytes: &[u8]) -> String {
    uncoloured(&String::from_utf8_lossy(bytes))
}

fn block(page: &Page, class: &str, text: &str, out: &mut String) {
    let text = text.trim_end_matches('\n');
    let _ = writeln!(out, "<pre class=\"{class}\">{}</pre>", page.shown(text));
}

/// Lines on standard error; warnings stand out.
fn messages(page: &Page, text: &str, out: &mut String) {
    let mut plain: Vec<&str> = Vec::new();
    for line in text.lines() {
        if let Some(warning) = line.strip_prefix(WARNING) {
            if !plain.is_empty() {
                block(page, "messages", &plain.join("\n"), out);
                plain.clear();
            }
            let _ = writeln!(out, "<p class=\"warning\">Warning: {}</p>", page.shown(warning));
        } else {
            plain.push(line);
        }
    }
    if !plain.is_empty() {
        block(page, "messages", &plain.join("\n"), out);
    }
}

fn value(page: &Page, bundle: &Bundle, out: &mut String) {
    let words = bundle.text(Form::Plain).unwrap_or_default();
    let alternative: String = page.plain(words).chars().take(LONGEST_ALTERNATIVE).collect();
    let places = with_maps(bundle.text(Form::Places));
    if let Some(markup) = bundle.text(Form::Html) {
        let markup = without_secrets(public_markup(markup), &page.secrets);
        let _ = writeln!(out, "<div class=\"value\"{places}>{markup}</div>");
        return;
    }
    for form in [Form::Svg, Form::Png] {
        if let Some(bytes) = bundle.get(form) {
            let _ = writeln!(
                out,
                "<figure{places}>{}</figure>",
                picture::html(form.mime(), bytes, &alternative)
            );
            return;
        }
    }
    let _ = writeln!(out, "<pre class=\"out\">{}</pre>", escaped_words(page, words));
}

fn escaped_words(page: &Page, words: &str) -> String {
    match words.is_empty() {
        true => escaped(" "),
        false => page.shown(words),
    }
}
