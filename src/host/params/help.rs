//! How `--help` of a script reads.

use serde_json::Value as Json;

use super::spec::{Kind, Spec, type_name};

/// The help of a script: usage, description, parameters with type, unit, limits, default and text.
pub fn help_text(script: &str, description: &str, specs: &[Spec], width: usize) -> String {
    let mut text = format!("Usage: perilune run {script} [--parameter value]…\n");
    if !description.is_empty() {
        text.push('\n');
        text.push_str(description);
        text.push('\n');
    }
    if specs.is_empty() {
        text.push_str("\nThis script declares no parameters.\n");
        return text;
    }
    text.push_str("\nParameters:\n");
    for spec in specs {
        let flag = match spec.kind {
            Kind::Boolean => format!("  --{}", spec.name),
            _ => format!("  --{} {}", spec.name, placeholder(spec)),
        };
        text.push_str(&flag);
        text.push('\n');
        for line in [spec.help.clone(), facts(spec)] {
            for part in wrap(&line, width.saturating_sub(8).max(20)) {
                text.push_str(&format!("        {part}\n"));
            }
        }
    }
    text
}

/// What stands for the value in a usage line: `NUMBER`, `focal|lee|none`.
pub fn placeholder(spec: &Spec) -> String {
    if !spec.choices.is_empty() && !matches!(spec.kind, Kind::List(_)) {
        return spec.choices.iter().map(plain).collect::<Vec<_>>().join("|");
    }
    match &spec.kind {
        Kind::List(of) => format!("{0},{0},…", type_name(of).to_uppercase()),
        kind => type_name(kind).to_uppercase(),
    }
}

fn facts(spec: &Spec) -> String {
    let mut facts = Vec::new();
    if let Some(unit) = &spec.unit {
        facts.push(format!("unit {unit}"));
    }
    if !spec.choices.is_empty() && matches!(spec.kind, Kind::List(_)) {
        let choices: Vec<String> = spec.choices.iter().map(plain).collect();
        facts.push(format!("of {}", choices.join(", ")));
    }
    match (spec.min, spec.max) {
        (Some(min), Some(max)) => facts.push(format!("from {min} to {max}")),
        (Some(min), None) => facts.push(format!("at least {min}")),
        (None, Some(max)) => facts.push(format!("at most {max}")),
        (None, None) => {}
    }
    match &spec.default {
        Json::Null if spec.required => facts.push("required".to_string()),
        Json::Null => facts.push("optional".to_string()),
        default => facts.push(format!("default {}", plain(default))),
    }
    format!("[{}]", facts.join("; "))
}

/// A value as one would type it.
pub fn plain(value: &Json) -> String {
    match value {
        Json::String(s) => s.clone(),
        Json::Array(entries) => entries.iter().map(plain).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

/// Breaks text into lines of at most `width` characters, at spaces.
pub fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in text.split_whitespace() {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 1 + word.chars().count() <= width => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_string()),
        }
    }
    lines
}
