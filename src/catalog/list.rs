//! Lists of items that live on. As values of their types they take some eight times the bytes of their JSON, so that they are kept as such
//! only while the budget has room for them; those that were not read for the longest time are packed.

use std::collections::HashSet;
use std::fmt;
use std::io::{self, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock, RwLockReadGuard};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use serde_json::Value;
use stac::Item;

use super::item::{self, Span, span};
use crate::error::{Error, Result};
use crate::work::budget::{self, Movable};
use crate::work::{self, Held};

/// Items that are packed together: few, since one is not unpacked without the others.
const TOGETHER: usize = 16;
/// Bytes in memory for each byte of JSON: maps with a slot for each key, and each text by itself.
const EXPANSION: usize = 8;

/// Items in an order. Lists share what they have in common.
#[derive(Clone, Default)]
pub struct List {
    entries: Vec<Entry>,
}

#[derive(Clone)]
struct Entry {
    chunk: Arc<Chunk>,
    at: usize,
    span: Option<Span>,
    name: Arc<Name>,
}

/// What tells items apart.
#[derive(PartialEq, Eq, Hash)]
struct Name {
    collection: Option<String>,
    id: String,
}

struct Chunk {
    number: u64,
    kept: RwLock<Kept>,
    used: AtomicU64,
}

enum Kept {
    Whole {
        items: Vec<Arc<Item>>,
        held: Held,
    },
    Packed {
        json: Vec<u8>,
        ends: Vec<usize>,
        _held: Held,
    },
}

impl fmt::Debug for List {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} items", self.len())
    }
}

impl List {
    /// # Errors
    /// As `extend`.
    pub fn new(items: Vec<Item>) -> Result<List> {
        let mut list = List::default();
        list.extend(items)?;
        Ok(list)
    }

    /// # Errors
    /// When the memory limit has no room for so many, even packed.
    pub fn extend(&mut self, items: Vec<Item>) -> Result<()> {
        let mut items = items.into_iter();
        loop {
            let together: Vec<Arc<Item>> = items.by_ref().take(TOGETHER).map(Arc::new).collect();
            if together.is_empty() {
                return Ok(());
            }
            let about = |item: &Arc<Item>| (span(item), Arc::new(Name::of(item)));
            let about: Vec<_> = together.iter().map(about).collect();
            let chunk = Chunk::of(together)?;
            let entry = |(at, (span, name))| Entry {
                chunk: chunk.clone(),
                at,
                span,
                name,
            };
            self.entries.extend(about.into_iter().enumerate().map(entry));
        }
    }

    pub fn append(&mut self, other: List) {
        self.entries.extend(other.entries);
    }

    pub fn len(&self) -> usize {
        self.entries.len()
    }

    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    pub fn id(&self, index: usize) -> &str {
        &self.entries[index].name.id
    }

    pub fn ids(&self) -> impl Iterator<Item = &str> {
        self.entries.iter().map(|entry| entry.name.id.as_str())
    }

    /// The time of one, as `item::span` says it.
    pub fn span(&self, index: usize) -> Option<Span> {
        self.entries[index].span
    }

    /// # Errors
    /// When a packed one cannot be understood (never, for what was an item).
    pub fn get(&self, index: usize) -> Result<Arc<Item>> {
        let entry = &self.entries[index];
        entry.chunk.get(entry.at)
    }

    pub fn iter(&self) -> impl Iterator<Item = Result<Arc<Item>>> {
        self.entries.iter().map(|entry| entry.chunk.get(entry.at))
    }

    /// Those of `indices` alone, in their order.
    pub fn take(&self, indices: &[usize]) -> List {
        let entries = indices.iter().filter_map(|&i| self.entries.get(i).cloned());
        List {
            entries: entries.collect(),
        }
    }

    pub fn truncate(&mut self, most: usize) {
        self.entries.truncate(most);
    }

    /// Leaves out what came before: what one collection calls by one id is the same.
    pub fn drop_repeated(&mut self) {
        let mut seen = HashSet::new();
        self.entries.retain(|entry| seen.insert(entry.name.clone()));
    }
}

impl Name {
    fn of(item: &Item) -> Name {
        Name {
            collection: item.collection.clone(),
            id: item.id.clone(),
        }
    }
}

impl Chunk {
    fn of(items: Vec<Arc<Item>>) -> Result<Arc<Chunk>> {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let mut count = Count(0);
        for item in &items {
            serde_json::to_writer(&mut count, &**item).map_err(unwritable)?;
        }
        let whole = Held::within(count.0 * EXPANSION, work::memory() / 2);
        let is_whole = whole.is_some();
        let kept = match whole {
            Some(held) => Kept::Whole { items, held },
            None => packed(&items, work::memory())?,
        };
        let chunk = Arc::new(Chunk {
            number: NEXT.fetch_add(1, Ordering::Relaxed),
            kept: RwLock::new(kept),
            used: AtomicU64::new(budget::tick()),
        });
        if is_whole {
            let movable: Arc<dyn Movable> = chunk.clone();
            work::current().budget().note(Arc::downgrade(&movable));
        }
        Ok(chunk)
    }

    fn reading(&self) -> RwLockReadGuard<'_, Kept> {
        self.kept.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, at: usize) -> Result<Arc<Item>> {
        self.used.store(budget::tick(), Ordering::Relaxed);
        match &*self.reading() {
            Kept::Whole { items, .. } => Ok(items[at].clone()),
            Kept::Packed { json, ends, .. } => unpacked(self.number, json, ends, at),
        }
    }
}

impl Movable for Chunk {
    fn bytes(&self) -> usize {
        match &*self.reading() {
            Kept::Whole { held, .. } => held.bytes(),
            Kept::Packed { .. } => 0,
        }
    }

    fn used(&self) -> u64 {
        self.used.load(Ordering::Relaxed)
    }

    fn leave(&self) -> Result<()> {
        let mut kept = self.kept.write().unwrap_or_else(PoisonError::into_inner);
        if let Kept::Whole { items, .. } = &*kept {
            *kept = packed(items, usize::MAX)?;
        }
        Ok(())
    }
}

/// # Errors
/// When the ledger has then more than `most`.
fn packed(items: &[Arc<Item>], most: usize) -> Result<Kept> {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::fast());
    let mut ends = Vec::with_capacity(items.len());
    for item in items {
        let mut value = serde_json::to_value(&**item).map_err(unwritable)?;
        // JSON has no such numbers; `item::read` takes them as text.
        for (name, asset) in &item.assets {
            if let Some(nodata) = asset.nodata.filter(|nodata| !nodata.is_finite()) {
                value["assets"][name]["nodata"] = Value::from(nodata.to_string());
            }
        }
        // At once: the encoder takes long over many small pieces.
        let text = serde_json::to_vec(&value).map_err(unwritable)?;
        out.write_all(&text).map_err(|e| Error::message(e.to_string()))?;
        ends.push(usize::try_from(out.total_in()).unwrap_or(usize::MAX));
    }
    let mut json = out.finish().map_err(|e| Error::message(e.to_string()))?;
    json.shrink_to_fit();
    let bytes = json.len() + items.len() * (size_of::<Entry>() + 2 * size_of::<Name>());
    let held = match most {
        usize::MAX => Some(Held::hold(bytes)),
        most => Held::within(bytes, most),
    };
    let too_many = || {
        Error::Memory {
        what: "keeping all that a search finds".into(),
        needed_mib: (work::current().budget().held().saturating_add(bytes) >> 20) as u64 + 1,
        limit_mib: (work::memory() >> 20) as u64,
        way_out: "search for less at a time, take the items one by one as they come, or raise the limit with --memory".into(),
    }
    };
    let _held = held.ok_or_else(too_many)?;
    Ok(Kept::Packed { json, ends, _held })
}

/// One of those that are packed in the chunk of that number. What was unpacked last is kept: items are read one after the other, and each for
/// one property after the other.
fn unpacked(number: u64, json: &[u8], ends: &[usize], at: usize) -> Result<Arc<Item>> {
    struct Last {
        number: u64,
        text: Vec<u8>,
        at: usize,
        item: Option<Arc<Item>>,
    }
    static LAST: Mutex<Option<Last>> = Mutex::new(None);
    let mut last = LAST.lock().unwrap_or_else(PoisonError::into_inner);
    let last = match &mut *last {
        Some(last) if last.number == number => last,
        other => {
            let mut text = Vec::with_capacity(ends.last().copied().unwrap_or(0));
            let inflated = DeflateDecoder::new(json).read_to_end(&mut text);
            inflated.map_err(|e| Error::message(e.to_string()))?;
            other.insert(Last {
                number,
                text,
                at,
                item: None,
            })
        }
    };
    if let Some(item) = last.item.as_ref().filter(|_| last.at == at) {
        return Ok(item.clone());
    }
    let start = at.checked_sub(1).map_or(0, |before| ends[before]);
    let value =
        serde_json::from_slice(&last.text[start..ends[at]]).map_err(|e| Error::message(e.to_string()))?;
    let item = Arc::new(item::read(value).map_err(|text| Error::message(format!("an item {text}")))?);
    (last.at, last.item) = (at, Some(item.clone()));
    Ok(item)
}

fn unwritable(e: serde_json::Error) -> Error {
    Error::message(format!("the items cannot be written as JSON: {e}"))
}

/// Counts what is written.
struct Count(usize);

impl Write for Count {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0 += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Context;
    use serde_json::json;

    fn item(i: usize) -> Item {
        item::read(json!({
            "type": "Feature", "stac_version": "1.0.0", "id": format!("scene {i}"), "collection": "c",
            "stac_extensions": ["https://stac-extensions.github.io/eo/v1.0.0/schema.json"],
            "geometry": { "type": "Point", "coordinates": [1.1, 0.1 + i as f64] }, "bbox": [1.1, 2.0, 1.1, 2.0],
            "properties": { "datetime": "2020-01-01T00:00:00.123456789Z", "eo:cloud_cover": 12.5, "view:azimuth": 0.1 + 0.2, "n": i, "none": null },
            "links": [{ "rel": "self", "href": "https://example.org/a", "more": true }],
            "assets": { "vv": { "href": "vv.tif", "roles": ["data"], "nodata": "nan", "file:size": 5_u64 << 40 },
                        "vh": { "href": "vh.tif", "nodata": -9999, "raster:bands": [{ "scale": 0.0000275 }] } },
            "unknown": { "kept": [1, 2.5, "x"] }
        }))
        .unwrap()
    }

    /// NaN is not what it is.
    fn shown(item: &Item) -> String {
        format!("{item:?}")
    }

    #[test]
    fn packed_items_are_what_they_were() {
        let items: Vec<Item> = (0..40).map(item).collect();
        let context = Context::new().with_memory(1 << 30);
        let _entered = context.enter();
        let list = List::new(items.clone()).unwrap();
        let held = context.budget().held();
        assert!(held > 0);
        while budget::give_way() {}
        assert!(
            list.entries
                .iter()
                .all(|entry| matches!(&*entry.chunk.reading(), Kept::Packed { .. }))
        );
        assert!(context.budget().held() * 10 < held);
        for i in [0, 1, 15, 16, 39, 3, 39, 38] {
            assert_eq!(shown(&list.get(i).unwrap()), shown(&items[i]));
            assert_eq!(list.id(i), items[i].id);
            assert_eq!(list.span(i), span(&items[i]));
        }
        assert!(list.get(0).unwrap().assets["vv"].nodata.unwrap().is_nan());
        drop(list);
        assert_eq!(context.budget().held(), 0);
    }

    #[test]
    fn the_ceiling_holds_and_what_has_no_room_at_all_is_an_error() {
        let context = Context::new().with_memory(1 << 20);
        let _entered = context.enter();
        let mut list = List::default();
        for page in 0..20 {
            list.extend((page * 20..page * 20 + 20).map(item).collect())
                .unwrap();
            assert!(context.budget().held() <= 1 << 20);
        }
        assert_eq!(list.len(), 400);
        assert_eq!(list.get(399).unwrap().id, "scene 399");
        let of = |list: &List| list.entries.iter().filter(|e| e.chunk.bytes() > 0).count();
        assert!((1..400).contains(&of(&list)));
        let error = loop {
            if let Err(error) = list.extend((0..1000).map(item).collect()) {
                break error.to_string();
            }
        };
        assert!(
            error.contains("keeping all that a search finds") && error.contains("--memory"),
            "{error}"
        );
    }

    #[test]
    fn lists_share_items_and_repeated_ones_go() {
        let mut list = List::new((0..20).map(item).collect()).unwrap();
        list.append(list.take(&[3, 19]));
        assert_eq!(list.len(), 22);
        assert!(Arc::ptr_eq(&list.get(3).unwrap(), &list.get(20).unwrap()));
        list.drop_repeated();
        list.truncate(19);
        assert_eq!(list.ids().last(), Some("scene 18"));
    }
}
