//! The report of a run: one page that holds all it shows and asks for nothing from elsewhere.

mod code;
mod facts;
mod listener;
mod picture;
mod prose;
mod said;
mod steps;
mod text;

use std::fmt::Write;
use std::time::Duration;

use base64::Engine;
use jiff::Timestamp;
use sha2::{Digest, Sha256};

pub use facts::{Made, NONE, Parameter};
pub use listener::Listener;
pub use picture::mime as picture_type;
pub use steps::{HEADING, Outline};
pub use text::{public, quoted};

use self::listener::Heard;
use self::text::{escaped, without_secrets};
use crate::error::counted;
use crate::share::provenance::Record;

/// All that a page tells.
pub struct Page<'a> {
    pub script: &'a str,
    pub name: &'a str,
    pub listener: &'a Listener,
    pub record: Record,
    pub parameters: Vec<Parameter>,
    pub made: Vec<Made>,
    /// How it was started, and where, as from the page.
    pub command: String,
    pub folder: String,
    pub started: Timestamp,
    pub took: Duration,
    /// Bytes of memory.
    pub peak: usize,
    pub failure: Option<Failure>,
    /// Texts that must not stand on it.
    pub secrets: Vec<String>,
}

/// How a run has ended that did not come to its end.
pub struct Failure {
    /// As the terminal shows it.
    pub text: String,
    /// Its first part, for the line of the code.
    pub message: String,
    /// The line of the script's own text.
    pub line: Option<usize>,
}

/// Nothing may be asked for, and nothing runs but the script below, by its hash.
const POLICY: &str =
    "default-src 'none'; img-src data:; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";
const STYLE: &str = include_str!("style.css");
/// Moves and zooms maps. Where it does not run, they are pictures.
const SCRIPT: &str = include_str!("maps.js");
/// With fewer steps a list of them is no help.
const FEWEST_LISTED: usize = 3;

impl Page<'_> {
    pub fn html(&self) -> String {
        let outline = self.listener.outline();
        let heard = self.listener.heard();
        let title = outline.title.as_deref().unwrap_or(self.name);
        let warnings = said::warnings(self, &heard);
        let mut body = String::with_capacity(64 << 10);
        self.head(title, &heard, warnings.len(), &mut body);
        body.push_str("<main>\n");
        facts::parameters(self, &mut body);
        let failed = self.failed_step();
        for (i, heard) in heard.iter().enumerate() {
            self.step(i, heard, failed, &mut body);
        }
        self.left_out(&mut body);
        self.warnings(&warnings, &mut body);
        facts::files(self, &mut body);
        facts::again(self, &mut body);
        body.push_str("</main>\n");
        facts::foot(self, &mut body);
        let script = if body.contains(said::MAP) {
            Some(SCRIPT)
        } else {
            None
        };
        let policy = script.map_or(String::new(), |script| {
            let hash = base64::engine::general_purpose::STANDARD.encode(Sha256::digest(script));
            format!("; script-src 'sha256-{hash}'")
        });
        let script = script.map_or(String::new(), |script| format!("<script>{script}</script>\n"));
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}{policy}\">\n<meta name=\"referrer\" content=\"no-referrer\">\n\
             <meta name=\"color-scheme\" content=\"light dark\">\n<meta name=\"generator\" content=\"perilune {}\">\n<title>{}</title>\n<style>\n{STYLE}</style>\n</head>\n<body>\n\
             {body}{script}</body>\n</html>\n",
            env!("CARGO_PKG_VERSION"),
            self.shown(title),
        )
    }

    /// Text as it may stand on the page.
    fn shown(&self, text: &str) -> String {
        escaped(&self.plain(text))
    }

    /// The same before it is markup.
    fn plain(&self, text: &str) -> String {
        without_secrets(public(text), &self.secrets)
    }

    /// Markdown as it may.
    fn prose(&self, text: &str) -> String {
        without_secrets(prose::html(text), &self.secrets)
    }

    fn head(&self, title: &str, heard: &[Heard], warnings: usize, out: &mut String) {
        let outline = self.listener.outline();
        let _ = write!(
            out,
            "<header>\n<p class=\"kicker\">Report of {}</p>\n<h1>{}</h1>\n{}",
            self.shown(self.name),
            without_secrets(prose::inline(&public(title)), &self.secrets),
            self.prose(&outline.description)
        );
        let fact = |out: &mut String, name: &str, value: &str| {
            let _ = write!(out, "<div><dt>{name}</dt><dd>{value}</dd></div>");
        };
        out.push_str("<dl class=\"facts\">");
        let ended = match &self.failure {
            None => "done".to_string(),
            Some(_) => "<a class=\"state-bad\" href=\"#failure\">stopped by an error</a>".to_string(),
        };
        fact(out, "Ended", &ended);
        let day = self.started.strftime("%Y-%m-%d %H:%M UTC").to_string();
        fact(out, "Run on", &varying(&day));
        fact(out, "Took", &varying(&facts::seconds(self.took)));
        fact(
            out,
            "Memory at its peak",
            &varying(&crate::error::shown_bytes(self.peak as u64)),
        );
        if warnings > 0 {
            let count = format!("<a href=\"#warnings\">{warnings}</a>");
            fact(out, "Warnings", &count);
        }
        out.push_str("</dl>\n</header>\n");
        let titled: Vec<(usize, &str)> = (0..outline.steps.len())
            .filter(|i| outline.steps.len() > 1 && (*i > 0 || self.has_content(0)))
            .map(|i| (i, self.title(i)))
            .collect();
        if titled.len() < FEWEST_LISTED {
            return;
        }
        out.push_str("<nav aria-label=\"Steps\"><ol>\n");
        for (i, title) in titled {
            let took = heard.get(i).and_then(|heard| heard.took);
            let took = took.map_or(String::new(), |took| varying(&facts::seconds(took)));
            let _ = writeln!(
                out,
                "<li><a href=\"#step-{i}\">{}</a><span class=\"took\">{took}</span></li>",
                self.shown(title)
            );
        }
        out.push_str("</ol></nav>\n");
    }

    fn title(&self, i: usize) -> &str {
        let steps = &self.listener.outline().steps;
        match (&steps[i].title, i, steps.len()) {
            (Some(title), ..) => title,
            (None, 0, 1) => "The script",
            (None, 0, _) => "Before the first step",
            (None, ..) => "Untitled step",
        }
    }

    /// Whether there is anything to show of a step.
    fn has_content(&self, i: usize) -> bool {
        self.listener.outline().steps[i].code.is_some()
    }

    /// The step in which the run ended early: the one that was running.
    fn failed_step(&self) -> Option<usize> {
        self.failure.as_ref().map(|_| self.listener.step())
    }

    fn step(&self, i: usize, heard: &Heard, failed: Option<usize>, out: &mut String) {
        let step = &self.listener.outline().steps[i];
        let is_empty = !self.has_content(i) && heard.records.is_empty() && step.title.is_none();
        if is_empty && failed != Some(i) {
            return;
        }
        let is_unreached = heard.took.is_none() && failed.is_some_and(|failed| i > failed);
        let class = if is_unreached { "step unreached" } else { "step" };
        let took = match heard.took {
            Some(took) => varying(&facts::seconds(took)),
            None if is_unreached => "not come to".to_string(),
            None => String::new(),
        };
        let _ = write!(
            out,
            "<section class=\"{class}\" id=\"step-{i}\">\n<h2><a class=\"number\" href=\"#step-{i}\">{i}</a><span>{}</span><span class=\"took\">{took}</span></h2>\n{}",
            self.shown(self.title(i)),
            self.prose(&step.prose)
        );
        if let Some((first, last)) = step.code {
            let mark = self
                .failure
                .as_ref()
                .and_then(|failure| Some((failure.line?, failure.message.as_str())));
            let lines = match last - first {
                0 => format!("line {first}"),
                _ => format!("lines {first} to {last}"),
            };
            let code = without_secrets(code::html(self.script, (first, last), mark), &self.secrets);
            let _ = writeln!(
                out,
                "<details open><summary>Code, {lines}</summary><pre class=\"code\"><code>{code}</code></pre></details>"
            );
        }
        said::html(self, i, heard, out);
        if let (Some(failure), true) = (&self.failure, failed == Some(i)) {
            let _ = write!(
                out,
                "<div class=\"failure\" id=\"failure\" role=\"alert\">\n<p>{}</p>\n<pre>{}</pre>\n</div>\n",
                match failure.line {
                    Some(line) => format!("The run was stopped here, at <a href=\"#place\">line {line}</a>:"),
                    None => "The run was stopped:".to_string(),
                },
                self.shown(&failure.text)
            );
        }
        out.push_str("</section>\n");
    }

    fn left_out(&self, out: &mut String) {
        let left_out = self.listener.values_left_out();
        if left_out > 0 {
            let _ = writeln!(
                out,
                "<p class=\"warning\">{} that the script showed found no room on this page.</p>",
                counted(left_out, "more value")
            );
        }
    }

    fn warnings(&self, warnings: &[(usize, String)], out: &mut String) {
        if warnings.is_empty() {
            return;
        }
        out.push_str("<section id=\"warnings\">\n<h2>Warnings</h2>\n<ul>\n");
        for (step, warning) in warnings {
            let _ = writeln!(
                out,
                "<li>{} <small>(<a href=\"#step-{step}\">{}</a>)</small></li>",
                self.shown(warning),
                self.shown(self.title(*step))
            );
        }
        out.push_str("</ul>\n</section>\n");
    }
}

/// What another run would say otherwise.
fn varying(text: &str) -> String {
    format!("<span class=\"varies\">{text}</span>")
}
