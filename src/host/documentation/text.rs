//! Help as a terminal shows it.

use super::{Entry, Field, Kind, table_in};
use crate::host::params::wrap;

pub fn render(entry: &Entry, all: &[Entry], width: usize) -> String {
    let mut out = match entry.kind {
        Kind::Module => format!("module {}", entry.name),
        Kind::Class => format!("class {} (module {})", entry.name, entry.module),
        Kind::Table => format!("table {}", entry.name),
        Kind::Alias => format!("{} = {}", entry.name, entry.operators.join(" ")),
        Kind::Function | Kind::Method => {
            let returns: Vec<&str> = entry.returns.iter().map(|r| r.type_name.as_str()).collect();
            match returns.is_empty() {
                true => entry.signature(),
                false => format!("{} -> {}", entry.signature(), returns.join(", ")),
            }
        }
    };
    out.push('\n');
    if !entry.body.is_empty() {
        out.push('\n');
        out.push_str(&paragraphs(&entry.body, width));
    }
    fields(&mut out, "Parameters", &entry.parameters, width);
    for parameter in &entry.parameters {
        if let Some(table) = table_in(all, &parameter.type_name) {
            let mut named = table.fields.clone();
            named.sort_by_key(|field| field.optional);
            fields(
                &mut out,
                &format!("Options in `{}`", parameter.name),
                &named,
                width,
            );
        }
    }
    fields(&mut out, "Returns", &entry.returns, width);
    fields(&mut out, "Fields", &entry.fields, width);
    if entry.kind == Kind::Class && !entry.operators.is_empty() {
        out.push_str(&format!("\nOperators\n  {}\n", entry.operators.join("\n  ")));
    }
    let members: Vec<&Entry> = match entry.kind {
        Kind::Module => all
            .iter()
            .filter(|e| {
                e.module == entry.name
                    && e.kind == Kind::Function
                    && e.name.starts_with(&format!("{}.", entry.name))
            })
            .collect(),
        Kind::Class => all
            .iter()
            .filter(|e| {
                e.name.split([':', '.']).next() == Some(&entry.name)
                    && matches!(e.kind, Kind::Method | Kind::Function)
            })
            .collect(),
        _ => Vec::new(),
    };
    if !members.is_empty() {
        out.push_str(if entry.kind == Kind::Class {
            "\nMethods\n"
        } else {
            "\nFunctions\n"
        });
        out.push_str(&list(&members, width));
    }
    if entry.kind == Kind::Module {
        let classes: Vec<&Entry> = all
            .iter()
            .filter(|e| e.module == entry.name && e.kind == Kind::Class)
            .collect();
        if !classes.is_empty() {
            out.push_str("\nClasses\n");
            out.push_str(&list(&classes, width));
        }
    }
    for example in &entry.examples {
        out.push_str("\nExample\n");
        for line in example.code.lines() {
            out.push_str(&format!("  {line}\n"));
        }
    }
    out.trim_end().to_string()
}

/// One line for each: name and summary.
pub fn list(entries: &[&Entry], width: usize) -> String {
    let longest = entries
        .iter()
        .map(|e| e.name.chars().count())
        .max()
        .unwrap_or(0)
        .min(32);
    let mut out = String::new();
    for entry in entries {
        let room = width.saturating_sub(longest + 4).max(20);
        let lines = wrap(&plain(&entry.summary), room);
        let (first, rest) = lines
            .split_first()
            .map_or(("", &[][..]), |(f, r)| (f.as_str(), r));
        out.push_str(format!("  {:longest$}  {first}", entry.name).trim_end());
        out.push('\n');
        for line in rest {
            out.push_str(&format!("  {:longest$}  {line}\n", ""));
        }
    }
    out
}

fn fields(out: &mut String, title: &str, fields: &[Field], width: usize) {
    let shown: Vec<&Field> = fields
        .iter()
        .filter(|f| !(f.text.is_empty() && f.type_name == "nil"))
        .collect();
    if shown.is_empty() {
        return;
    }
    out.push_str(&format!("\n{title}\n"));
    for field in shown {
        let optional = if field.optional && !field.type_name.ends_with('?') {
            "?"
        } else {
            ""
        };
        let head = match field.name.is_empty() {
            true => field.type_name.clone(),
            false => format!("{}{optional}: {}", field.name, field.type_name),
        };
        out.push_str(&format!("  {}\n", head.trim_end_matches(": ")));
        for line in wrap(&plain(&field.text), width.saturating_sub(6).max(20)) {
            out.push_str(&format!("      {line}\n"));
        }
    }
}

/// Markdown paragraphs broken to the width; lists, tables and indented lines stay as they are.
fn paragraphs(body: &str, width: usize) -> String {
    let mut out = String::new();
    for paragraph in body.split("\n\n") {
        let keep = paragraph
            .lines()
            .any(|l| l.starts_with(['-', '*', '|', ' ', '`', '#']) && !l.starts_with("**"));
        if keep {
            out.push_str(&plain(paragraph));
            out.push('\n');
        } else {
            for line in wrap(&plain(paragraph), width) {
                out.push_str(&line);
                out.push('\n');
            }
        }
        out.push('\n');
    }
    format!("{}\n", out.trim_end())
}

/// Without the marks for bold and code, which only clutter a terminal.
fn plain(text: &str) -> String {
    text.replace("**", "").replace('`', "")
}
