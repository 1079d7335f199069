//! What is to be fetched, and under which names: decided and checked before the first byte.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use stac::Item;
use url::Url;

use super::checksum::Checksum;
use super::names;
use crate::bytes::http::redacted;
use crate::catalog::item::{data_assets, without_data};
use crate::error::{Error, Remedy, Result};

/// One file that somebody wants.
#[derive(Debug, Clone)]
pub struct Wanted {
    pub url: Url,
    /// A relative path, already safe. Without one, the last part of the address.
    pub name: Option<String>,
    /// In bytes, as published.
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
    /// Whoever fetches it pays the store for its bytes.
    pub requester_pays: bool,
}

impl Wanted {
    pub fn new(url: Url) -> Wanted {
        let requester_pays = url.scheme() == "s3"
            && url
                .host_str()
                .is_some_and(|bucket| bucket.starts_with("usgs-landsat"));
        Wanted {
            url,
            name: None,
            size: None,
            checksum: None,
            requester_pays,
        }
    }
}

/// An address that files can be fetched from.
///
/// # Errors
/// When it is none.
pub fn parse_address(text: &str) -> Result<Url> {
    if text.trim().starts_with("s3://") {
        let expected = "an address such as s3://bucket/key";
        let url = Url::parse(text.trim())
            .map_err(|e| Error::argument("url", expected, format!("`{text}` ({e})")))?;
        if url.host_str().is_none_or(str::is_empty) || url.path().len() < 2 {
            return Err(Error::argument("url", expected, format!("`{text}`")));
        }
        return Ok(url);
    }
    crate::bytes::http::parse_url("url", text)
}

/// A file with its place.
#[derive(Debug, Clone)]
pub struct Job {
    pub url: Url,
    /// The path below the folder, with `/`.
    pub name: String,
    /// See `names::identity`.
    pub source: String,
    pub size: Option<u64>,
    pub checksum: Option<Checksum>,
    pub requester_pays: bool,
}

/// Which assets of items are wanted, and where they go.
#[derive(Debug, Clone, Default)]
pub struct Assets {
    /// Names of assets; empty means those of [`data_assets`].
    pub names: Vec<String>,
    /// One folder an item, named by its id.
    pub folders: bool,
    /// Items that lack an asset are passed over.
    pub skip_missing: bool,
    /// The name of an alternate address (`s3`) to use where an asset has it.
    pub alternate: Option<String>,
}

/// The assets of `items` that `assets` names.
///
/// # Errors
/// When an item has none of them, or an address that cannot be fetched from; the item is named.
pub fn of_items<'a>(items: impl IntoIterator<Item = &'a Item>, assets: &Assets) -> Result<Vec<Wanted>> {
    let mut out = Vec::new();
    for item in items {
        let names: Vec<&str> = match assets.names.is_empty() {
            false => assets.names.iter().map(String::as_str).collect(),
            true => data_assets(item),
        };
        if names.is_empty() && !assets.skip_missing {
            return Err(without_data(item, "with `assets`"));
        }
        for name in names {
            let Some(asset) = item.assets.get(name) else {
                if assets.skip_missing {
                    continue;
                }
                let missing = Error::not_found("asset", name, item.assets.keys());
                return Err(Error::message(format!(
                    "the item {} has {missing}; `missing = \"skip\"` passes over it",
                    item.id
                )));
            };
            let alternate = assets.alternate.as_ref().and_then(|key| {
                asset
                    .additional_fields
                    .get("alternate")?
                    .get(key)?
                    .get("href")?
                    .as_str()
            });
            let href = alternate.unwrap_or(&asset.href);
            let url = parse_address(href)
                .map_err(|e| Error::message(format!("the asset {name} of the item {}: {e}", item.id)))?;
            let mut wanted = Wanted::new(url);
            wanted.size = asset
                .additional_fields
                .get("file:size")
                .and_then(serde_json::Value::as_u64);
            wanted.checksum =
                match asset
                    .additional_fields
                    .get("file:checksum")
                    .and_then(|v| v.as_str())
                {
                    Some(text) => Some(Checksum::parse(text).map_err(|e| {
                        Error::message(format!("the asset {name} of the item {}: {e}", item.id))
                    })?),
                    None => None,
                };
            let pays = |fields: &serde_json::Map<String, serde_json::Value>| {
                fields
                    .get("storage:requester_pays")
                    .and_then(serde_json::Value::as_bool)
            };
            if let Some(pays) =
                pays(&asset.additional_fields).or_else(|| pays(&item.properties.additional_fields))
            {
                wanted.requester_pays = pays && wanted.url.scheme() == "s3";
            }
            if assets.folders {
                wanted.name = Some(format!(
                    "{}/{}",
                    names::safe(&item.id),
                    names::of_url(&wanted.url)?
                ));
            }
            out.push(wanted);
        }
    }
    Ok(out)
}

/// The files to fetch, each once.
///
/// # Errors
/// When two addresses would go to one file, or a file would be where another's folder is.
pub fn plan(wanted: Vec<Wanted>) -> Result<Vec<Job>> {
    let mut jobs: Vec<Job> = Vec::with_capacity(wanted.len());
    let mut by_name: HashMap<String, usize> = HashMap::new();
    for file in wanted {
        let name = match &file.name {
            Some(name) => names::relative(name)?.to_string_lossy().into_owned(),
            None => names::of_url(&file.url)?,
        };
        let source = names::identity(&file.url);
        if let Some(&first) = by_name.get(&name) {
            let job = &mut jobs[first];
            if job.source != source {
                return Err(Error::message(format!(
                    "{} and {} would both be `{name}`; {}",
                    redacted(&job.url),
                    redacted(&file.url),
                    Remedy::NameDownloads
                )));
            }
            if job.size.is_some() && file.size.is_some() && job.size != file.size {
                return Err(Error::message(format!(
                    "{} is wanted twice, with {} and with {} bytes",
                    redacted(&file.url),
                    job.size.unwrap_or(0),
                    file.size.unwrap_or(0)
                )));
            }
            job.size = job.size.or(file.size);
            job.checksum = job.checksum.take().or(file.checksum);
            continue;
        }
        by_name.insert(name.clone(), jobs.len());
        jobs.push(Job {
            url: file.url,
            name,
            source,
            size: file.size,
            checksum: file.checksum,
            requester_pays: file.requester_pays,
        });
    }
    let mut folders: BTreeMap<&Path, &str> = BTreeMap::new();
    for job in &jobs {
        for folder in Path::new(&job.name).ancestors().skip(1) {
            folders.insert(folder, &job.name);
        }
    }
    for job in &jobs {
        if let Some(inside) = folders.get(Path::new(&job.name)) {
            return Err(Error::message(format!(
                "`{}` is the name of a file and of the folder of `{inside}`; give one of them another name",
                job.name
            )));
        }
    }
    Ok(jobs)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn wanted(url: &str, name: Option<&str>) -> Wanted {
        Wanted {
            name: name.map(str::to_string),
            ..Wanted::new(parse_address(url).unwrap())
        }
    }

    fn item(id: &str, assets: serde_json::Value) -> Item {
        serde_json::from_value(json!({
            "type": "Feature", "stac_version": "1.0.0", "id": id, "geometry": null,
            "properties": { "datetime": "2020-01-01T00:00:00Z" }, "links": [], "assets": assets
        }))
        .unwrap()
    }

    #[test]
    fn the_same_file_is_fetched_once() {
        let jobs = plan(vec![
            wanted("https://h/a.tif?sig=1", None),
            wanted("https://h/b.tif", None),
            wanted("https://h/a.tif?sig=2", None),
        ])
        .unwrap();
        assert_eq!(
            jobs.iter().map(|j| j.name.as_str()).collect::<Vec<_>>(),
            ["a.tif", "b.tif"]
        );
    }

    #[test]
    fn two_files_of_one_name_are_an_error() {
        let error = plan(vec![
            wanted("https://h/1/a.tif", None),
            wanted("https://h/2/a.tif?token=hush", None),
        ])
        .unwrap_err()
        .to_string();
        assert!(
            error.contains("h/1/a.tif")
                && error.contains("h/2/a.tif")
                && error.contains("folders of their own"),
            "{error}"
        );
        assert!(!error.contains("hush"), "{error}");
        let error = plan(vec![
            wanted("https://h/x", Some("a/b")),
            wanted("https://h/y", Some("a")),
        ])
        .unwrap_err()
        .to_string();
        assert!(error.contains("the folder of `a/b`"), "{error}");
        assert!(plan(vec![wanted("https://h/x", Some("../x"))]).is_err());
    }

    #[test]
    fn items_give_their_data() {
        let md5 = "d501109d377b10ce778c4938b3c7e2c63a229a";
        let item = item(
            "../S1/x",
            json!({
                "vv": { "href": "https://h/vv.tif", "roles": ["data"], "file:size": 9, "file:checksum": md5,
                        "alternate": { "s3": { "href": "s3://usgs-landsat-level-3/vv.tif" } } },
                "look": { "href": "https://h/look.png", "roles": ["thumbnail"] }
            }),
        );
        let assets = Assets {
            folders: true,
            ..Assets::default()
        };
        let jobs = plan(of_items([&item], &assets).unwrap()).unwrap();
        assert_eq!(jobs.len(), 1);
        assert_eq!(jobs[0].name, "__S1_x/vv.tif");
        assert_eq!(
            (jobs[0].size, jobs[0].checksum.as_ref().unwrap().hex().as_str()),
            (Some(9), &md5[6..])
        );
        let assets = Assets {
            alternate: Some("s3".into()),
            ..Assets::default()
        };
        let s3 = of_items([&item], &assets).unwrap();
        assert_eq!((s3[0].url.scheme(), s3[0].requester_pays), ("s3", true));
    }

    #[test]
    fn missing_assets_are_named() {
        let item = item(
            "S1",
            json!({ "vv": { "href": "https://h/vv.tif" }, "b": { "href": "https://h/b.png" } }),
        );
        let mut assets = Assets {
            names: vec!["vw".into()],
            ..Assets::default()
        };
        let error = of_items([&item], &assets).unwrap_err().to_string();
        assert!(
            error.contains("item S1") && error.contains("did you mean `vv`"),
            "{error}"
        );
        assets.skip_missing = true;
        assert!(of_items([&item], &assets).unwrap().is_empty());
        let error = of_items([&item], &Assets::default()).unwrap_err().to_string();
        assert!(error.contains("there are: vv, b"), "{error}");
        let broken = self::item("S2", json!({ "vv": { "href": "not an address" } }));
        assets.names = vec!["vv".into()];
        let error = of_items([&broken], &assets).unwrap_err().to_string();
        assert!(
            error.contains("item S2") && error.contains("not an address"),
            "{error}"
        );
    }
}
