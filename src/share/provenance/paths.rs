//! Paths as records have them: the same wherever the folder lies in which a piece of work is kept.

use std::path::{Component, Path, PathBuf};

use url::Url;

use crate::bytes::http::{redacted, redacted_text};

/// What the names of temporary folders of processes begin with, see `crate::scratch`.
const SCRATCH: &str = crate::scratch::PREFIX;
/// Folders that are shared before a path counts from the file: `/`, and two more. What only lies on the same disk has nothing to do with it.
const SHARED: usize = 3;

/// `path`, whole and without `.` and `..`, as the record of the file at `target` has it: from the folder of that file where both lie in
/// one piece of work; else whole, with `~` for the home folder, which has the user's name in it.
pub fn stable(path: &Path, target: &Path) -> String {
    let path = plain(path);
    let folder = target.parent().map(plain).unwrap_or_default();
    let shared = path
        .components()
        .zip(folder.components())
        .take_while(|(a, b)| a == b)
        .count();
    let up = folder.components().count() - shared;
    if up == 0 || shared >= SHARED {
        let mut out: PathBuf = std::iter::repeat_n("..", up).collect();
        out.extend(path.components().skip(shared));
        return match out.as_os_str().is_empty() {
            true => ".".to_string(),
            false => out.display().to_string(),
        };
    }
    if let Some(home) = std::env::home_dir().filter(|home| home.components().count() > 1)
        && let Ok(rest) = path.strip_prefix(&home)
    {
        return Path::new("~").join(rest).display().to_string();
    }
    path.display().to_string()
}

/// Where a path of the record of `target` leads now; None for addresses.
pub fn found(stated: &str, target: &Path) -> Option<PathBuf> {
    if stated.contains("://") {
        return None;
    }
    if let (Some(rest), Some(home)) = (stated.strip_prefix("~/"), std::env::home_dir()) {
        return Some(home.join(rest));
    }
    let folder = target.parent().unwrap_or(Path::new("."));
    Some(plain(&folder.join(stated)))
}

/// What a file in the temporary folder of a process is called, as `temporary/folder-0/a.tif`; None of others.
pub fn temporary(path: &Path) -> Option<String> {
    let mut parts = path.components();
    parts.find(|part| {
        part.as_os_str()
            .as_encoded_bytes()
            .starts_with(SCRATCH.as_bytes())
    })?;
    Some(Path::new("temporary").join(parts.as_path()).display().to_string())
}

/// Without `.` and `..`, by the names alone.
pub fn plain(path: &Path) -> PathBuf {
    let mut out = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir if matches!(out.components().next_back(), Some(Component::Normal(_))) => {
                out.pop();
            }
            other => out.push(other),
        }
    }
    out
}

/// Where pixels come from, by GDAL's name of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Place {
    File(PathBuf),
    /// Without signature and login.
    Address(String),
}

/// The file or address inside `NETCDF:"/a/b.nc":v`, `/vsizip//a/b.zip/c.tif`, `/vsicurl/https://…`.
pub fn place(name: &str) -> Place {
    for (prefix, scheme) in [("/vsis3/", "s3://"), ("/vsigs/", "gs://"), ("/vsiaz/", "az://")] {
        if let Some((_, rest)) = name.split_once(prefix) {
            return Place::Address(unsigned(&format!("{scheme}{}", inner(rest))));
        }
    }
    if let Some((_, rest)) = name.split_once("/vsicurl/") {
        return Place::Address(unsigned(inner(rest)));
    }
    if name.contains("://") && !name.contains('"') && !name.starts_with("HDF5:") {
        return Place::Address(unsigned(name));
    }
    let is_driver =
        |head: &str| head.len() > 1 && head.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
    let mut path = match name.split_once(':') {
        Some((head, rest)) if is_driver(head) && !Path::new(name).exists() => {
            let rest = rest.trim_start_matches('"');
            rest.split_once('"')
                .map_or_else(|| rest.split(':').next().unwrap_or(rest), |(file, _)| file)
        }
        _ => name,
    };
    while let Some((head, rest)) = path.strip_prefix("/vsi").and_then(|rest| rest.split_once('/')) {
        if head.is_empty() {
            break;
        }
        path = rest;
    }
    let mut file = PathBuf::from(path);
    // What follows an archive's name is inside it.
    while !file.exists() && file.parent().is_some_and(|parent| parent.as_os_str().len() > 1) {
        file.pop();
    }
    Place::File(if file.exists() { file } else { PathBuf::from(path) })
}

fn inner(rest: &str) -> &str {
    rest.split('"').next().unwrap_or(rest)
}

/// An address without what lets others in: its query goes where it holds a signature or a login.
pub fn unsigned(address: &str) -> String {
    match Url::parse(address) {
        Ok(url) => {
            let shown = redacted(&url);
            match shown.split_once('?') {
                Some((place, _)) if shown.contains("=…") => place.to_string(),
                _ => shown,
            }
        }
        Err(_) => redacted_text(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_count_from_the_file_where_both_are_of_one_work() {
        let of = |path: &str, target: &str| stable(Path::new(path), Path::new(target));
        for (path, target, expected) in [
            (
                "/home/u/lake/data/a.tif",
                "/home/u/lake/out/m.tif",
                "../data/a.tif",
            ),
            ("/home/u/lake/a/../data/a.tif", "/home/u/lake/m.tif", "data/a.tif"),
            ("/tmp/t1/data/a.tif", "/tmp/t1/out/b/m.tif", "../../data/a.tif"),
            ("/tmp/a.tif", "/tmp/m.tif", "a.tif"),
            ("/tmp", "/tmp/m.tif", "."),
            // On the same disk, no more.
            ("/archive/a.tif", "/tmp/t1/m.tif", "/archive/a.tif"),
            ("/tmp/a.tif", "/tmp/t1/m.tif", "/tmp/a.tif"),
        ] {
            assert_eq!(of(path, target), expected, "{path} {target}");
            if expected != path {
                let back = found(expected, Path::new(target)).unwrap();
                assert_eq!(back, plain(Path::new(path)), "{path} {target}");
            }
        }
        let home = std::env::home_dir().unwrap();
        let inside = home.join("data/a.tif");
        assert_eq!(stable(&inside, Path::new("/elsewhere/at/m.tif")), "~/data/a.tif");
        assert_eq!(found("~/data/a.tif", Path::new("/x/m.tif")), Some(inside));
    }

    #[test]
    fn places_are_found_in_names() {
        let folder = tempfile::tempdir().unwrap();
        let zip = folder.path().join("a.zip");
        std::fs::write(&zip, "").unwrap();
        let shown = zip.display();
        let file = Place::File(zip.clone());
        assert_eq!(place(&format!("/vsizip/{shown}/b/c.tif")), file);
        assert_eq!(place(&format!("NETCDF:\"{shown}\":v")), file);
        assert_eq!(place(&format!("HDF5:\"{shown}\"://a/b")), file);
        assert_eq!(place(&shown.to_string()), file);
        let address = |text: &str| Place::Address(text.to_string());
        assert_eq!(
            place("/vsicurl/https://host/a.tif?sig=abc&se=2026"),
            address("https://host/a.tif")
        );
        assert_eq!(
            place("HDF5:\"/vsicurl/https://host/a.nc\"://v"),
            address("https://host/a.nc")
        );
        assert_eq!(place("/vsis3/bucket/a.tif"), address("s3://bucket/a.tif"));
    }

    #[test]
    fn addresses_lose_what_lets_others_in() {
        for (address, expected) in [
            ("https://u:p@host/a.tif", "https://host/a.tif"),
            (
                "https://host/a.tif?X-Amz-Signature=abc&X-Amz-Expires=60",
                "https://host/a.tif",
            ),
            ("https://host/a.tif?year=2020", "https://host/a.tif?year=2020"),
        ] {
            assert_eq!(unsigned(address), expected);
        }
    }
}
