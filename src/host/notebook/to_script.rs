//! The script of cells.

use super::{Cell, Kind, WORDS_ALONE, commented, titled, usual_end};
use crate::host::page::HEADING;

/// The text that `cells` are.
pub fn script(cells: &[Cell]) -> String {
    let mut parts: Vec<(String, &Cell)> = Vec::new();
    let mut rest = cells;
    while let Some((first, after)) = rest.split_first() {
        let below = after.first().filter(|cell| cell.is_below_words());
        let is_top = parts.is_empty();
        let mut part = match (first.kind, titled(&first.source)) {
            (Kind::Code, _) if is_top || first.source.starts_with(HEADING) => first.source.clone(),
            (Kind::Code, _) => format!("{HEADING}\n{}", first.source),
            (Kind::Words, Some((title, prose))) => step(first, title, prose),
            (Kind::Words, None) if takes_code(first, is_top) => {
                let dashes = if first.noted("dashes", "--") == "---" {
                    "---"
                } else {
                    "--"
                };
                commented(&first.source, dashes)
            }
            (Kind::Words, None) => format!("{WORDS_ALONE}\n{}", commented(&first.source, "--")),
        };
        rest = after;
        let mut last = first;
        if let (Some(code), true) = (below, takes_code(first, is_top)) {
            part = format!("{part}\n{}{}", first.noted("below", "\n"), code.source);
            last = code;
            rest = &after[1..];
        }
        parts.push((part, last));
    }
    let count = parts.len();
    let mut out = String::new();
    for (i, (part, last)) in parts.into_iter().enumerate() {
        out.push_str(&part);
        let usual = usual_end(i + 1 == count);
        let end = last.noted("end", usual);
        // The next heading begins a line.
        let is_one = i + 1 == count || end.ends_with('\n');
        out.push_str(if is_one { end } else { usual });
    }
    out
}

fn step(cell: &Cell, title: &str, prose: Option<&str>) -> String {
    match prose {
        None => format!("{HEADING} {title}"),
        Some(prose) => format!(
            "{HEADING} {title}\n{}{}",
            cell.noted("above", ""),
            commented(prose, "--")
        ),
    }
}

/// Whether code without a heading below this cell is a part of what the cell begins: a step that has a title, or the comment at the top.
pub fn takes_code(cell: &Cell, is_top: bool) -> bool {
    let can_be_top = !cell.source.is_empty() && !cell.source.starts_with('\n');
    cell.kind == Kind::Words && (titled(&cell.source).is_some() || is_top && can_be_top)
}
