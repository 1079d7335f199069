//! The parameters of an item search (STAC API 1.0, Item Search), in the two forms that a request can have.

use serde_json::{Map, Value, json};

use super::area::Area;
use super::conformance::{Conformance, Feature};
use super::datetime::Interval;
use super::filter::Filter;
use crate::catalog::item::Invalid;
use crate::error::{Error, Remedy, Result};

/// What to search for. An empty one finds everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Query {
    pub collections: Vec<String>,
    pub ids: Vec<String>,
    pub area: Option<Area>,
    pub datetime: Option<Interval>,
    /// Of the query extension: `{property: {operator: value}}`.
    pub query: Map<String, Value>,
    pub filter: Option<Filter>,
    pub sortby: Vec<SortKey>,
    pub fields: Option<Fields>,
    /// Entries of the answer that are no STAC items.
    pub invalid: Invalid,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SortKey {
    pub field: String,
    pub descending: bool,
}

/// Which parts of the items come. With nothing in `include`, all but `exclude`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fields {
    pub include: Vec<String>,
    pub exclude: Vec<String>,
}

impl SortKey {
    /// `datetime`, `+datetime` or `-properties.eo:cloud_cover`.
    ///
    /// # Errors
    /// When it names no field.
    pub fn parse(text: &str) -> Result<SortKey> {
        let text = text.trim();
        let field = text.trim_start_matches(['+', '-']).trim();
        if field.is_empty() {
            return Err(Error::argument(
                "sortby",
                "names of fields such as \"-properties.datetime\"",
                format!("`{text}`"),
            ));
        }
        Ok(SortKey {
            field: field.to_string(),
            descending: text.starts_with('-'),
        })
    }
}

impl Fields {
    /// `id`, `+properties.datetime` and `-assets`.
    ///
    /// # Errors
    /// When a name is empty, or the items would come without their ids.
    pub fn parse(names: &[String]) -> Result<Fields> {
        let mut out = Fields::default();
        for name in names {
            let (list, field) = match name.trim().strip_prefix('-') {
                Some(field) => (&mut out.exclude, field),
                None => (&mut out.include, name.trim().trim_start_matches('+')),
            };
            list.push(field.trim().to_string());
        }
        out.checked()
    }

    /// # Errors
    /// As `parse`.
    pub fn checked(self) -> Result<Fields> {
        let expected = "names such as \"properties.datetime\" or \"-assets\", not without `id`, by which items are told apart";
        for name in self.include.iter().chain(&self.exclude) {
            if name.is_empty() {
                return Err(Error::argument("fields", expected, "an empty name"));
            }
        }
        if self.exclude.iter().any(|name| name == "id") {
            return Err(Error::argument("fields", expected, "`-id`"));
        }
        Ok(self)
    }
}

impl Query {
    /// Services leave aside what they do not know: Earth Search, for one, answers a filter with all its items.
    ///
    /// # Errors
    /// When the service at `address` says what it can do and one of the parameters is not among it.
    pub fn check(&self, conformance: &Conformance, address: &str) -> Result<()> {
        let filter = Remedy::FilterItems.words();
        let used = [
            (
                self.filter.is_some(),
                Feature::Filter,
                match conformance.has(Feature::Query) {
                    true => "write it as `query`, which the service knows",
                    false => filter,
                },
            ),
            (
                !self.query.is_empty(),
                Feature::Query,
                match conformance.has(Feature::Filter) {
                    true => "write it as `filter` (CQL2), which the service knows",
                    false => filter,
                },
            ),
            (!self.sortby.is_empty(), Feature::Sort, Remedy::SortItems.words()),
            (
                self.fields.is_some(),
                Feature::Fields,
                "leave it out; the items then come whole",
            ),
        ];
        for (is_used, feature, way_out) in used {
            if is_used && !conformance.allows(feature) {
                return Err(Error::message(format!(
                    "{address} does not offer the search parameter `{}` (it is not in its conformance classes); {way_out}",
                    feature.name()
                )));
            }
        }
        Ok(())
    }

    /// The body of a POST request.
    ///
    /// # Errors
    /// When the filter cannot be written as the service reads it.
    pub fn body(&self, limit: Option<usize>, conformance: &Conformance) -> Result<Map<String, Value>> {
        let mut out = Map::new();
        let mut set = |name: &str, value: Value| {
            out.insert(name.to_string(), value);
        };
        if !self.collections.is_empty() {
            set("collections", json!(self.collections));
        }
        if !self.ids.is_empty() {
            set("ids", json!(self.ids));
        }
        match &self.area {
            Some(Area::Bbox(numbers)) => set("bbox", json!(numbers)),
            Some(Area::Intersects(geometry)) => set("intersects", geometry.clone()),
            None => {}
        }
        if let Some(datetime) = &self.datetime {
            set("datetime", json!(datetime.to_string()));
        }
        if !self.query.is_empty() {
            set("query", Value::Object(self.query.clone()));
        }
        if let Some(filter) = &self.filter {
            if conformance.only_text() {
                set("filter", json!(filter.as_text()?));
                set("filter-lang", json!("cql2-text"));
            } else {
                set("filter", filter.as_json()?);
                set("filter-lang", json!("cql2-json"));
            }
        }
        if !self.sortby.is_empty() {
            let key = |k: &SortKey| json!({ "field": k.field, "direction": if k.descending { "desc" } else { "asc" } });
            set("sortby", self.sortby.iter().map(key).collect());
        }
        if let Some(fields) = &self.fields {
            set(
                "fields",
                json!({ "include": fields.include, "exclude": fields.exclude }),
            );
        }
        if let Some(limit) = limit {
            set("limit", json!(limit));
        }
        Ok(out)
    }

    /// The parameters of a GET request.
    ///
    /// # Errors
    /// As `body`.
    pub fn parameters(
        &self,
        limit: Option<usize>,
        conformance: &Conformance,
    ) -> Result<Vec<(String, String)>> {
        let mut out = Vec::new();
        let mut set = |name: &str, value: String| out.push((name.to_string(), value));
        if !self.collections.is_empty() {
            set("collections", self.collections.join(","));
        }
        if !self.ids.is_empty() {
            set("ids", self.ids.join(","));
        }
        match &self.area {
            Some(Area::Bbox(numbers)) => set(
                "bbox",
                numbers.iter().map(f64::to_string).collect::<Vec<_>>().join(","),
            ),
            Some(Area::Intersects(geometry)) => set("intersects", geometry.to_string()),
            None => {}
        }
        if let Some(datetime) = &self.datetime {
            set("datetime", datetime.to_string());
        }
        if !self.query.is_empty() {
            set("query", Value::Object(self.query.clone()).to_string());
        }
        if let Some(filter) = &self.filter {
            if conformance.only_json() {
                set("filter", filter.as_json()?.to_string());
                set("filter-lang", "cql2-json".into());
            } else {
                set("filter", filter.as_text()?);
                set("filter-lang", "cql2-text".into());
            }
        }
        if !self.sortby.is_empty() {
            let key = |k: &SortKey| format!("{}{}", if k.descending { '-' } else { '+' }, k.field);
            set(
                "sortby",
                self.sortby.iter().map(key).collect::<Vec<_>>().join(","),
            );
        }
        if let Some(fields) = &self.fields {
            let excluded = fields.exclude.iter().map(|name| format!("-{name}"));
            let all: Vec<String> = fields.include.iter().cloned().chain(excluded).collect();
            set("fields", all.join(","));
        }
        if let Some(limit) = limit {
            set("limit", limit.to_string());
        }
        Ok(out)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query() -> Query {
        Query {
            collections: vec!["a".into(), "b".into()],
            ids: vec!["x".into()],
            area: Some(Area::Bbox(vec![1.0, 2.5, 3.0, 4.0])),
            datetime: Some(Interval::parse("2020").unwrap()),
            invalid: Invalid::Refuse,
            query: super::super::filter::query_json(json!({ "gsd": { "lt": 1 } })).unwrap(),
            filter: Some(Filter::text("c < 30").unwrap()),
            sortby: vec![
                SortKey::parse("-datetime").unwrap(),
                SortKey::parse("id").unwrap(),
            ],
            fields: Some(Fields::parse(&["id".into(), "-assets".into()]).unwrap()),
        }
    }

    #[test]
    fn one_query_has_two_forms() {
        let all = Conformance::default();
        let body = Value::Object(query().body(Some(7), &all).unwrap());
        assert_eq!(
            body,
            json!({
                "collections": ["a", "b"], "ids": ["x"], "bbox": [1.0, 2.5, 3.0, 4.0],
                "datetime": "2020-01-01T00:00:00Z/2020-12-31T23:59:59.999999Z", "query": { "gsd": { "lt": 1 } },
                "filter": { "op": "<", "args": [{ "property": "c" }, 30] }, "filter-lang": "cql2-json",
                "sortby": [{ "field": "datetime", "direction": "desc" }, { "field": "id", "direction": "asc" }],
                "fields": { "include": ["id"], "exclude": ["assets"] }, "limit": 7,
            })
        );
        let parameters = query().parameters(Some(7), &all).unwrap();
        let pairs: Vec<(&str, &str)> = parameters.iter().map(|(a, b)| (a.as_str(), b.as_str())).collect();
        assert_eq!(
            pairs,
            [
                ("collections", "a,b"),
                ("ids", "x"),
                ("bbox", "1,2.5,3,4"),
                ("datetime", "2020-01-01T00:00:00Z/2020-12-31T23:59:59.999999Z"),
                ("query", r#"{"gsd":{"lt":1}}"#),
                ("filter", "c < 30"),
                ("filter-lang", "cql2-text"),
                ("sortby", "-datetime,+id"),
                ("fields", "id,-assets"),
                ("limit", "7"),
            ]
        );
    }

    #[test]
    fn ids_cannot_be_left_out() {
        assert!(
            Fields::parse(&["-id".into()])
                .unwrap_err()
                .to_string()
                .contains("`-id`")
        );
        assert!(Fields::parse(&["-".into()]).is_err());
        assert!(SortKey::parse("-").is_err());
    }
}
