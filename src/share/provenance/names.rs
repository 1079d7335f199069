//! Which functions and methods the text of a script names.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::Regex;

fn pattern(text: &str) -> Option<Regex> {
    Regex::new(text).ok()
}

/// Functions of modules, as `filter.lee`, and methods, as `:median`, in order. Those in comments and strings count as well.
pub fn of(text: &str) -> Vec<String> {
    static TAKEN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        pattern(r#"local\s+([\w\s,]+?)\s*=\s*((?:require\s*\(?\s*["'][\w.]+["']\s*\)?\s*,?\s*)+)"#)
    });
    static MODULE: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r#"["']([\w.]+)["']"#));
    static FUNCTION: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r"\b([A-Za-z_]\w*)\.([a-z_]\w*)"));
    static METHOD: LazyLock<Option<Regex>> = LazyLock::new(|| pattern(r#":([a-z_]\w*)\s*[("'{]"#));
    let (Some(taken), Some(module), Some(function), Some(method)) = (
        TAKEN.as_ref(),
        MODULE.as_ref(),
        FUNCTION.as_ref(),
        METHOD.as_ref(),
    ) else {
        return Vec::new();
    };
    let mut modules: BTreeMap<&str, &str> = BTreeMap::new();
    for found in taken.captures_iter(text) {
        let (Some(names), Some(required)) = (found.get(1), found.get(2)) else {
            continue;
        };
        let required = module.captures_iter(required.as_str());
        let required = required.filter_map(|found| found.get(1).map(|name| name.as_str()));
        modules.extend(names.as_str().split(',').map(str::trim).zip(required));
    }
    let functions = function.captures_iter(text).filter_map(|found| {
        let of = modules.get(found.get(1)?.as_str())?;
        Some(format!("{of}.{}", found.get(2)?.as_str()))
    });
    let methods = method
        .captures_iter(text)
        .filter_map(|found| Some(format!(":{}", found.get(1)?.as_str())));
    let all: BTreeSet<String> = functions.chain(methods).collect();
    all.into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_told_by_their_modules() {
        let text = "local raster, s1 = require \"raster\", require('sentinel1')\nlocal f = require 'filter'\n\
                    f.lee(raster.open(p.x)):median():write 'a.tif'\nlocal t = s1.tracks { }\nmath.sin(1)";
        assert_eq!(
            of(text),
            [
                ":median",
                ":write",
                "filter.lee",
                "raster.open",
                "sentinel1.tracks"
            ]
        );
    }
}
