//! Help as pages of docs/api.

use std::collections::BTreeMap;

use super::{Entry, Field, Kind, entries, table_in};

/// File name and text of every page: one for each module, and the list of them.
pub fn pages() -> BTreeMap<String, String> {
    let mut pages = BTreeMap::new();
    let mut index = String::from(
        "# The modules\n\nMade from the comments in stdlib/_meta and stdlib; edit those.\n\n| module | what it is for |\n|---|---|\n",
    );
    let mut modules: Vec<&Entry> = entries()
        .iter()
        .filter(|e| e.kind == Kind::Module || e.is_global())
        .collect();
    modules.sort_by(|a, b| a.name.cmp(&b.name));
    for module in modules {
        index.push_str(&format!(
            "| [{0}]({0}.md) | {1} |\n",
            module.name,
            cell(&module.summary)
        ));
        pages.insert(format!("{}.md", module.name), page(module));
    }
    pages.insert("README.md".to_string(), index);
    pages
}

fn page(module: &Entry) -> String {
    if module.is_global() {
        let mut out = format!("# {}\n", module.name);
        callable(&mut out, module);
        return out;
    }
    let mut out = format!("# {}\n\n{}\n", module.name, module.body);
    examples(&mut out, module);
    table(&mut out, "Fields", &module.fields);
    let inside: Vec<&Entry> = entries()
        .iter()
        .filter(|e| e.module == module.name && e.kind != Kind::Module)
        .collect();
    let of_class = |entry: &Entry, class: &Entry| entry.name.split([':', '.']).next() == Some(&class.name);
    let classes: Vec<&Entry> = inside.iter().copied().filter(|e| e.kind == Kind::Class).collect();
    let is_callable = |e: &Entry| matches!(e.kind, Kind::Function | Kind::Method);
    for entry in inside
        .iter()
        .filter(|e| is_callable(e) && !classes.iter().any(|c| of_class(e, c)))
    {
        callable(&mut out, entry);
    }
    for class in &classes {
        out.push_str(&format!("\n## {}\n\n{}\n", class.name, class.body));
        examples(&mut out, class);
        table(&mut out, "Fields", &class.fields);
        if !class.operators.is_empty() {
            out.push_str("\nOperators: ");
            let shown: Vec<String> = class.operators.iter().map(|o| format!("`{o}`")).collect();
            out.push_str(&format!("{}.\n", shown.join(", ")));
        }
        for entry in inside.iter().filter(|e| is_callable(e) && of_class(e, class)) {
            callable(&mut out, entry);
        }
    }
    out
}

fn callable(out: &mut String, entry: &Entry) {
    out.push_str(&format!("\n### `{}`\n\n{}\n", entry.signature(), entry.body));
    table(out, "Parameters", &entry.parameters);
    for parameter in &entry.parameters {
        if let Some(options) = table_in(entries(), &parameter.type_name) {
            table(out, &format!("`{}`", parameter.name), &options.fields);
        }
    }
    table(out, "Returns", &entry.returns);
    examples(out, entry);
}

fn examples(out: &mut String, entry: &Entry) {
    for example in &entry.examples {
        out.push_str(&format!("\n```lua\n{}```\n", example.code));
    }
}

fn table(out: &mut String, title: &str, fields: &[Field]) {
    if fields.is_empty() || fields.iter().all(|f| f.type_name == "nil") {
        return;
    }
    out.push_str(&format!("\n| {title} | type | |\n|---|---|---|\n"));
    for field in fields {
        let name = match (field.name.as_str(), field.optional) {
            ("", _) => String::new(),
            (name, true) => format!("`{name}?`"),
            (name, false) => format!("`{name}`"),
        };
        let type_name = if field.type_name.is_empty() {
            String::new()
        } else {
            format!("`{}`", field.type_name)
        };
        out.push_str(&format!(
            "| {name} | {} | {} |\n",
            cell(&type_name),
            cell(&field.text)
        ));
    }
}

/// Text that fits a cell of a table.
fn cell(text: &str) -> String {
    text.replace('|', "\\|").replace('\n', " ")
}
