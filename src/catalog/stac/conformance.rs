//! What a service says it can do.

use serde_json::Value;

/// A part of the STAC API that a service may or may not have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Feature {
    Search,
    Filter,
    Query,
    Sort,
    Fields,
    Collections,
    CollectionSearch,
    FreeText,
}

impl Feature {
    pub const ALL: [Feature; 8] = [
        Feature::Search,
        Feature::Filter,
        Feature::Query,
        Feature::Sort,
        Feature::Fields,
        Feature::Collections,
        Feature::CollectionSearch,
        Feature::FreeText,
    ];

    /// As the search parameter is called.
    pub fn name(self) -> &'static str {
        match self {
            Feature::Search => "search",
            Feature::Filter => "filter",
            Feature::Query => "query",
            Feature::Sort => "sortby",
            Feature::Fields => "fields",
            Feature::Collections => "collections",
            Feature::CollectionSearch => "collection_search",
            Feature::FreeText => "text",
        }
    }

    /// Versions and release candidates differ in the middle of the address, not in its end.
    fn is_named_by(self, class: &str) -> bool {
        match self {
            Feature::Search => class.ends_with("/item-search"),
            Feature::Filter => {
                class.contains("item-search#filter") || class.ends_with("/conf/features-filter")
            }
            Feature::Query => class.contains("item-search#query"),
            Feature::Sort => class.contains("item-search#sort"),
            Feature::Fields => class.contains("item-search#fields"),
            Feature::Collections => class.ends_with("/collections") || class.contains("ogcapi-features"),
            Feature::CollectionSearch => class.ends_with("/collection-search"),
            Feature::FreeText => class.contains("collection-search#free-text"),
        }
    }
}

/// The conformance classes of a service.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Conformance {
    pub classes: Vec<String>,
}

impl Conformance {
    pub fn of(landing: &Value) -> Conformance {
        let classes = landing["conformsTo"].as_array().into_iter().flatten();
        Conformance {
            classes: classes.filter_map(|c| c.as_str().map(str::to_string)).collect(),
        }
    }

    pub fn has(&self, feature: Feature) -> bool {
        self.classes.iter().any(|class| feature.is_named_by(class))
    }

    /// True also where the service says nothing at all: then only asking tells.
    pub fn allows(&self, feature: Feature) -> bool {
        self.classes.is_empty() || self.has(feature)
    }

    fn reads(&self, encoding: &str) -> bool {
        self.classes.iter().any(|class| class.ends_with(encoding))
    }

    /// Filters are read as CQL2 text alone.
    pub fn only_text(&self) -> bool {
        self.reads("cql2-text") && !self.reads("cql2-json")
    }

    pub fn only_json(&self) -> bool {
        self.reads("cql2-json") && !self.reads("cql2-text")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn classes_are_known_in_all_versions() {
        let landing = json!({ "conformsTo": [
            "https://api.stacspec.org/v1.0.0-rc.1/item-search", "https://api.stacspec.org/v1.0.0/item-search#sort",
            "http://www.opengis.net/spec/cql2/1.0/conf/cql2-text",
        ] });
        let conformance = Conformance::of(&landing);
        assert!(
            conformance.has(Feature::Search) && conformance.has(Feature::Sort) && conformance.only_text()
        );
        assert!(!conformance.has(Feature::Filter) && !conformance.allows(Feature::Filter));
        assert!(Conformance::default().allows(Feature::Filter));
    }
}
