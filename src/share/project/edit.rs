//! A dependency written into `perilune.toml` between what stands there: comments, order and spaces stay as they are.

use toml_edit::{DocumentMut, InlineTable, Item, Table, Value};

use super::manifest::Dependency;
use crate::error::{Error, Result};

/// The text with one more dependency, or another in the place of one of the same name.
///
/// # Errors
/// When the text is no TOML, or has no table of dependencies where one should be.
pub fn with_dependency(text: &str, name: &str, written: &[(&str, &str)]) -> Result<String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|e| Error::message(format!("is no TOML: {e}")))?;
    let mut value = InlineTable::new();
    for (key, text) in written {
        value.insert(*key, Value::from(*text));
    }
    let item = document
        .entry("dependencies")
        .or_insert_with(|| Item::Table(Table::new()));
    let Some(table) = item.as_table_like_mut() else {
        return Err(Error::message("dependencies must be a table, [dependencies]"));
    };
    match table.get_mut(name).and_then(Item::as_value_mut) {
        // What stands behind it in its line is its comment.
        Some(old) => {
            let around = old.decor().clone();
            *old = Value::InlineTable(value);
            *old.decor_mut() = around;
        }
        None => {
            table.insert(name, Item::Value(Value::InlineTable(value)));
        }
    }
    Ok(document.to_string())
}

impl Dependency {
    /// Its keys and values, as `with_dependency` writes them.
    pub fn written<'a>(&'a self, doi: Option<(&'a str, &'a str)>) -> Vec<(&'a str, &'a str)> {
        match (self, doi) {
            (Dependency::Path(path), _) => vec![("path", path)],
            (Dependency::Fetched { sha256, .. }, Some((doi, file))) => {
                vec![("doi", doi), ("file", file), ("sha256", sha256)]
            }
            (Dependency::Fetched { address, sha256, .. }, None) => {
                vec![("url", address.as_str()), ("sha256", sha256)]
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_stands_there_stays() {
        let text = "# Ours.\n[project]\nname   = 'ice' # short\n\n[dependencies] # of others\n# maps\nglacier = { path = \"../glacier\" } # near\n\n[scripts]\nv = \"v.lua\"\n";
        let more = with_dependency(text, "flow", &[("url", "https://a/b.lua"), ("sha256", "00")]).unwrap();
        assert_eq!(
            more,
            text.replace(
                "# near\n",
                "# near\nflow = { url = \"https://a/b.lua\", sha256 = \"00\" }\n"
            )
        );
        let other = with_dependency(text, "glacier", &[("path", "../ice")]).unwrap();
        assert_eq!(other, text.replace("../glacier", "../ice"));
        let first = with_dependency("[project]\nname = 'a'\n", "b", &[("path", "../b")]).unwrap();
        assert_eq!(
            first,
            "[project]\nname = 'a'\n\n[dependencies]\nb = { path = \"../b\" }\n"
        );
        assert!(with_dependency("dependencies = 3", "b", &[]).is_err());
    }
}
