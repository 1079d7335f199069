//! What a page says of the run: parameters, files, versions, and how to run it again.

use std::fmt::Write;
use std::time::Duration;

use super::text::public;
use super::{Page, prose};
use crate::error::shown_bytes;
use crate::share::provenance::{Input, versions};

/// A parameter of the script.
pub struct Parameter {
    pub name: String,
    pub value: String,
    pub unit: Option<String>,
    pub help: String,
    /// On the command line, and not by default.
    pub is_given: bool,
}

/// A file that the run has made.
pub struct Made {
    pub step: usize,
    pub file: Input,
    /// Its type and bytes, where it is to be seen on the page.
    pub picture: Option<(&'static str, Vec<u8>)>,
    /// Where maps are in it, as JSON.
    pub places: Option<String>,
}

/// A duration as people say it.
pub fn seconds(took: Duration) -> String {
    let seconds = took.as_secs_f64();
    match seconds {
        s if s < 0.001 => "under 1 ms".to_string(),
        s if s < 1.0 => format!("{:.0} ms", s * 1e3),
        s if s < 10.0 => format!("{s:.2} s"),
        s if s < 60.0 => format!("{s:.1} s"),
        _ => {
            let whole = took.as_secs();
            match whole / 3600 {
                0 => format!("{} min {:02} s", whole / 60, whole % 60),
                hours => format!("{hours} h {:02} min", whole / 60 % 60),
            }
        }
    }
}

pub fn parameters(page: &Page, out: &mut String) {
    if page.parameters.is_empty() {
        return;
    }
    out.push_str(
        "<section id=\"parameters\">\n<h2>Parameters</h2>\n<div class=\"wide\"><table>\n\
         <thead><tr><th scope=\"col\">Name</th><th scope=\"col\">Value</th><th scope=\"col\">What it is</th></tr></thead>\n<tbody>\n",
    );
    for parameter in &page.parameters {
        let class = if parameter.is_given { "path given" } else { "path" };
        let unit = parameter.unit.as_deref().filter(|_| parameter.value != NONE);
        let unit = unit.map_or(String::new(), |unit| format!("\u{a0}{}", page.shown(unit)));
        let _ = writeln!(
            out,
            "<tr><td><code>{}</code></td><td class=\"{class}\">{}{unit}</td><td>{}</td></tr>",
            page.shown(&parameter.name),
            page.shown(&parameter.value),
            super::without_secrets(prose::inline(&public(&parameter.help)), &page.secrets)
        );
    }
    out.push_str("</tbody>\n</table></div>\n");
    if page.parameters.iter().any(|parameter| parameter.is_given) {
        out.push_str("<p><small>Bold values were given; the others are the script’s own.</small></p>\n");
    }
    out.push_str("</section>\n");
}

/// What stands for a parameter without a value.
pub const NONE: &str = "–";

pub fn files(page: &Page, out: &mut String) {
    if page.made.is_empty() && page.record.inputs.is_empty() {
        return;
    }
    out.push_str("<section id=\"files\">\n<h2>Files</h2>\n");
    let made: Vec<&Input> = page.made.iter().map(|made| &made.file).collect();
    let read: Vec<&Input> = page
        .record
        .inputs
        .iter()
        .filter(|input| !made.iter().any(|made| made.path == input.path))
        .collect();
    table(page, "Made", &made, out);
    table(page, "Read", &read, out);
    if page.record.more_inputs > 0 {
        let _ = writeln!(out, "<p>And {} more that were read.</p>", page.record.more_inputs);
    }
    out.push_str(
        "<p><small>Paths count from this page’s folder. A long file’s hash is that of its length and sixteen pieces of it.</small></p>\n</section>\n",
    );
}

fn table(page: &Page, title: &str, files: &[&Input], out: &mut String) {
    if files.is_empty() {
        return;
    }
    let _ = write!(
        out,
        "<h3>{title}</h3>\n<div class=\"wide\"><table>\n<thead><tr><th scope=\"col\">File</th><th scope=\"col\">Size</th>\
         <th scope=\"col\">SHA-256</th></tr></thead>\n<tbody>\n"
    );
    for file in files {
        let product = file
            .product
            .as_ref()
            .filter(|product| !file.path.contains(product.as_str()));
        let product = product.map_or(String::new(), |product| {
            format!("<br><small>{}</small>", page.shown(product))
        });
        let content = match (&file.sha256, &file.sha256_of_pieces, &file.version) {
            (Some(hash), ..) => page.shown(hash),
            (None, Some(hash), _) => format!("{} (of pieces)", page.shown(hash)),
            (None, None, Some(version)) => format!("version {}", page.shown(version)),
            _ => String::new(),
        };
        let _ = writeln!(
            out,
            "<tr><td class=\"path\">{}{product}</td><td>{}</td><td><code class=\"hash\">{content}</code></td></tr>",
            page.shown(&file.path),
            file.bytes
                .map_or(String::new(), |bytes| shown_bytes(bytes).replace(' ', "\u{a0}"))
        );
    }
    out.push_str("</tbody>\n</table></div>\n");
}

/// How to run it again, and with what it was.
pub fn again(page: &Page, out: &mut String) {
    let _ = write!(
        out,
        "<section id=\"again\">\n<h2>How to run it again</h2>\n<pre>{}</pre>\n",
        page.shown(&page.command)
    );
    if page.folder == "." {
        out.push_str("<p>In the folder of this page.</p>\n");
    } else {
        let _ = writeln!(
            out,
            "<p>In the folder <code>{}</code>, counted from that of this page.</p>",
            page.shown(&page.folder)
        );
    }
    let fact = |out: &mut String, name: &str, value: &str| {
        let _ = writeln!(
            out,
            "<tr><th scope=\"row\">{name}</th><td class=\"path\">{value}</td></tr>"
        );
    };
    out.push_str("<div class=\"wide\"><table>\n<tbody>\n");
    if let Some(script) = &page.record.script {
        let place = match &script.path {
            Some(path) => page.shown(path),
            None => format!("{}, which ships with perilune", page.shown(&script.name)),
        };
        let hash = page.shown(&script.sha256);
        fact(
            out,
            "Script",
            &format!("{place}<br><code class=\"hash\">SHA-256 {hash}</code>"),
        );
    }
    let modules: Vec<String> = page
        .record
        .modules
        .iter()
        .map(|module| match &module.path {
            None => page.shown(&module.name),
            Some(path) => format!(
                "{} ({})<br><code class=\"hash\">SHA-256 {}</code>",
                page.shown(&module.name),
                page.shown(path),
                page.shown(&module.sha256)
            ),
        })
        .collect();
    if !modules.is_empty() {
        fact(out, "Modules", &modules.join(", "));
    }
    fact(out, "Versions", &page.shown(&versions(&page.record)));
    fact(out, "Processor", &page.shown(&page.record.instructions));
    out.push_str("</tbody>\n</table></div>\n</section>\n");
}

/// The foot, and the record as programs read it.
pub fn foot(page: &Page, out: &mut String) {
    let json = super::without_secrets(page.record.to_json(), &page.secrets).replace('<', "\\u003c");
    let _ = write!(
        out,
        "<footer>\n<p>Made by perilune {}. Day, times and memory are those of this one run; all else comes out the same again. \
         <code>perilune verify</code> makes the files again and compares them.</p>\n</footer>\n\
         <script type=\"application/json\" id=\"provenance\">{json}</script>\n",
        env!("CARGO_PKG_VERSION")
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_said() {
        for (milliseconds, expected) in [
            (0, "under 1 ms"),
            (12, "12 ms"),
            (1234, "1.23 s"),
            (12_340, "12.3 s"),
            (123_000, "2 min 03 s"),
            (7_260_000, "2 h 01 min"),
        ] {
            assert_eq!(seconds(Duration::from_millis(milliseconds)), expected);
        }
    }
}
