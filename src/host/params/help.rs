//! How `--help` of a script reads.

use crate::lua::spec::{Spec, ValueType, plain};

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
            ValueType::Boolean => format!("  --{}", spec.name),
            _ => format!("  --{} {}", spec.name, placeholder(spec)),
        };
        text.push_str(&flag);
        text.push('\n');
        for line in [spec.help.clone(), format!("[{}]", spec.facts().join("; "))] {
            for part in wrap(&line, width.saturating_sub(8).max(20)) {
                text.push_str(&format!("        {part}\n"));
            }
        }
    }
    text
}

/// What stands for the value in a usage line: `NUMBER`, `focal|lee|none`.
pub fn placeholder(spec: &Spec) -> String {
    if !spec.choices.is_empty() && !matches!(spec.kind, ValueType::List(_)) {
        return spec.choices.iter().map(plain).collect::<Vec<_>>().join("|");
    }
    match &spec.kind {
        ValueType::List(of) => format!("{0},{0},…", of.name().to_uppercase()),
        kind => kind.name().to_uppercase(),
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
