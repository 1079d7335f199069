//! Filters in CQL2 (OGC 21-065r2), as text and as JSON, and the older `query` of STAC.

use std::sync::LazyLock;

use regex::Regex;
use serde_json::{Map, Value, json};

use crate::error::{Error, Remedy, Result};

/// A filter as the user wrote it, known to be CQL2.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    Text(String, cql2::Expr),
    Json(Value, cql2::Expr),
}

impl Filter {
    /// `eo:cloud_cover < 30 AND platform = 'landsat-8'`.
    ///
    /// # Errors
    /// When it is no CQL2 text.
    pub fn text(text: &str) -> Result<Filter> {
        let wrong = |e: String| {
            let expected = "CQL2 text such as \"eo:cloud_cover < 30 AND platform = 'landsat-8'\"";
            Error::argument("filter", expected, format!("`{text}` ({})", one_line(&e)))
        };
        let expr = cql2::parse_text(text).map_err(|e| wrong(e.to_string()))?;
        match expr {
            cql2::Expr::Operation { .. } | cql2::Expr::Bool(_) => {
                Ok(Filter::Text(text.trim().to_string(), expr))
            }
            _ => Err(wrong("it compares nothing".into())),
        }
    }

    /// `{"op": "<", "args": [{"property": "eo:cloud_cover"}, 30]}`.
    ///
    /// # Errors
    /// When it is no CQL2 JSON.
    pub fn json(value: Value) -> Result<Filter> {
        let wrong = |e: String| {
            let expected = Remedy::FilterJson.words();
            Error::argument("filter", expected, format!("`{value}` ({})", one_line(&e)))
        };
        let expr: cql2::Expr = serde_json::from_value(value.clone()).map_err(|e| wrong(e.to_string()))?;
        match expr {
            cql2::Expr::Operation { .. } | cql2::Expr::Bool(_) => Ok(Filter::Json(value, expr)),
            _ => Err(wrong("it compares nothing".into())),
        }
    }

    /// # Errors
    /// When the text has no form in JSON.
    pub fn as_json(&self) -> Result<Value> {
        match self {
            Filter::Json(value, _) => Ok(value.clone()),
            Filter::Text(text, expr) => expr.to_value().map(whole_numbers).map_err(|e| {
                Error::message(format!("the filter `{text}` cannot be written as CQL2 JSON: {e}"))
            }),
        }
    }

    /// # Errors
    /// When the JSON has no form as text.
    pub fn as_text(&self) -> Result<String> {
        match self {
            Filter::Text(text, _) => Ok(text.clone()),
            Filter::Json(value, expr) => expr.to_text().map_err(|e| {
                Error::message(format!(
                    "the filter `{value}` cannot be written as CQL2 text: {e}"
                ))
            }),
        }
    }
}

/// 30.0 as 30: some servers compare JSON numbers with integer columns by their type.
fn whole_numbers(value: Value) -> Value {
    match value {
        Value::Number(n) => match n.as_f64() {
            Some(x) if x.fract() == 0.0 && x.abs() < 9e15 => json!(x as i64),
            _ => Value::Number(n),
        },
        Value::Array(list) => list.into_iter().map(whole_numbers).collect(),
        Value::Object(map) => map.into_iter().map(|(k, v)| (k, whole_numbers(v))).collect(),
        other => other,
    }
}

fn one_line(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The operators of the query extension.
const OPERATORS: &[&str] = &[
    "eq",
    "neq",
    "lt",
    "lte",
    "gt",
    "gte",
    "startsWith",
    "endsWith",
    "contains",
    "in",
];

/// `eo:cloud_cover<30` as the query extension has it: a property, an operator, a value.
///
/// # Errors
/// When there is no operator, or nothing on one of its sides.
pub fn query_text(text: &str, query: &mut Map<String, Value>) -> Result<()> {
    static FORM: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r"^\s*([^<>=!]+?)\s*(>=|<=|<>|!=|=|<|>)\s*(\S(?:.*\S)?)\s*$").ok());
    let found = FORM
        .as_ref()
        .and_then(|form| form.captures(text))
        .ok_or_else(|| {
            let expected = "a comparison such as \"eo:cloud_cover<30\"";
            Error::argument("query", expected, format!("`{text}`"))
        })?;
    let operator = match &found[2] {
        ">=" => "gte",
        "<=" => "lte",
        "<" => "lt",
        ">" => "gt",
        "=" => "eq",
        _ => "neq",
    };
    let bare = found[3].trim_matches(['"', '\'']);
    let value = match bare.len() == found[3].len() {
        true => serde_json::from_str(bare)
            .ok()
            .filter(|v: &Value| v.is_number() || v.is_boolean()),
        false => None,
    };
    let entry = query.entry(found[1].to_string()).or_insert_with(|| json!({}));
    entry[operator] = value.unwrap_or_else(|| json!(bare));
    Ok(())
}

/// `{ ["eo:cloud_cover"] = { lt = 30 } }`; a plain value stands for `{ eq = value }`.
///
/// # Errors
/// When it is no object of objects, or has an operator that the extension does not know.
pub fn query_json(value: Value) -> Result<Map<String, Value>> {
    let Value::Object(given) = value else {
        let expected = Remedy::Comparisons.words();
        return Err(Error::argument("query", expected, value));
    };
    let mut out = Map::new();
    for (property, value) in given {
        match value {
            Value::Object(operators) => {
                for name in operators.keys() {
                    if !OPERATORS.contains(&name.as_str()) {
                        return Err(Error::not_found("operator", name, OPERATORS.iter().copied()));
                    }
                }
                out.insert(property, Value::Object(operators));
            }
            Value::Array(_) | Value::Null => {
                return Err(Error::argument(
                    format!("query.{property}"),
                    Remedy::Comparison.words(),
                    value,
                ));
            }
            plain => {
                out.insert(property, json!({ "eq": plain }));
            }
        }
    }
    Ok(out)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_json_are_the_same_filter() {
        let text =
            "eo:cloud_cover < 30 AND (platform = 'landsat-8' OR NOT \"view:off_nadir\" BETWEEN 1.5 AND 4)";
        let json = json!({ "op": "and", "args": [
            { "op": "<", "args": [{ "property": "eo:cloud_cover" }, 30] },
            { "op": "or", "args": [
                { "op": "=", "args": [{ "property": "platform" }, "landsat-8"] },
                { "op": "not", "args": [{ "op": "between", "args": [{ "property": "view:off_nadir" }, 1.5, 4] }] },
            ] },
        ] });
        assert_eq!(Filter::text(text).unwrap().as_json().unwrap(), json);
        let back = Filter::json(json.clone()).unwrap().as_text().unwrap();
        assert_eq!(Filter::text(&back).unwrap().as_json().unwrap(), json, "{back}");
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in ["", "eo:cloud_cover <", "cloudy", "a = 1 AND"] {
            let error = Filter::text(text).unwrap_err().to_string();
            assert!(error.starts_with("filter must be CQL2 text"), "{error}");
        }
        for value in [
            json!([]),
            json!({ "args": [1, 2] }),
            json!("a = 1"),
            json!({ "property": "a" }),
        ] {
            let error = Filter::json(value).unwrap_err().to_string();
            assert!(error.starts_with("filter must be CQL2 JSON"), "{error}");
        }
    }

    #[test]
    fn queries_are_read_from_text() {
        let mut query = Map::new();
        for text in [
            "eo:cloud_cover<30",
            "eo:cloud_cover >= 5.5",
            "platform = landsat-8",
            "a!='7'",
            "b=true",
        ] {
            query_text(text, &mut query).unwrap();
        }
        let expected = json!({
            "eo:cloud_cover": { "lt": 30, "gte": 5.5 }, "platform": { "eq": "landsat-8" }, "a": { "neq": "7" }, "b": { "eq": true },
        });
        assert_eq!(Value::Object(query), expected);
        for text in ["", "a", "<3", "a<", "a<  "] {
            assert!(query_text(text, &mut Map::new()).is_err(), "{text}");
        }
        assert_eq!(query_json(json!({ "a": 1 })).unwrap()["a"], json!({ "eq": 1 }));
        let error = query_json(json!({ "a": { "lessthan": 1 } }))
            .unwrap_err()
            .to_string();
        assert!(error.contains("lessthan"), "{error}");
    }
}
