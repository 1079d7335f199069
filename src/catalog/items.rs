//! The one answer of all searches: STAC items, however the archive calls them, with what is known of their number.

use jiff::Timestamp;
use serde_json::{Value, json};
use stac::Item;

use super::list::List;
use crate::error::Result;

/// What a search found. CMR granules and ITS_LIVE pairs are STAC items too, with the property names of the
/// STAC extensions (`sat:relative_orbit`, `sar:polarizations`, `file:size`, …).
#[derive(Debug, Clone, Default)]
pub struct Items {
    pub items: List,
    /// How many the server says there are, where it does.
    pub matched: Option<u64>,
    /// What the user should know: items that came twice, counts that do not agree.
    pub notes: Vec<String>,
    /// What was asked, without secrets; `Null` where nothing was.
    pub request: Value,
    pub retrieved: Option<Timestamp>,
}

impl From<List> for Items {
    fn from(items: List) -> Items {
        Items {
            items,
            ..Items::default()
        }
    }
}

impl Items {
    /// # Errors
    /// As `List::extend`.
    pub fn new(items: Vec<Item>) -> Result<Items> {
        List::new(items).map(Items::from)
    }

    pub fn len(&self) -> usize {
        self.items.len()
    }

    pub fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    /// Those of `indices` alone, in their order.
    pub fn take(&self, indices: &[usize]) -> Items {
        Items {
            items: self.items.take(indices),
            matched: None,
            notes: self.notes.clone(),
            request: self.request.clone(),
            retrieved: self.retrieved,
        }
    }

    /// Both, each item once: what one collection calls by one id is the same.
    pub fn append(&self, other: &Items) -> Items {
        let mut out = self.clone();
        out.matched = match (self.matched, other.matched) {
            (Some(a), Some(b)) => Some(a + b),
            _ => None,
        };
        out.items.append(other.items.clone());
        out.notes.extend(other.notes.iter().cloned());
        if out.request != other.request {
            out.request = json!([self.request, other.request]);
        }
        out.drop_repeated();
        out
    }

    /// Drops items that came before; says how many.
    pub fn drop_repeated(&mut self) -> usize {
        let before = self.items.len();
        self.items.drop_repeated();
        before - self.items.len()
    }
}
