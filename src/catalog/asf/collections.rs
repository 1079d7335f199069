//! ASF's data sets as CMR knows them: the short names of the collections behind a data set, a platform and a processing level.

use std::collections::BTreeSet;

use crate::error::{Error, Result};

/// Short name, data sets and processing levels of every collection, as asf_search has them.
const TABLE: &str = include_str!("collections.tsv");

struct Collection {
    name: &'static str,
    datasets: Vec<&'static str>,
    levels: Vec<&'static str>,
}

impl Collection {
    fn is_of(&self, dataset: &str) -> bool {
        self.datasets.iter().any(|d| d.eq_ignore_ascii_case(dataset))
    }

    fn has(&self, level: &str) -> bool {
        self.levels.iter().any(|l| l.eq_ignore_ascii_case(level))
    }
}

fn all() -> impl Iterator<Item = Collection> {
    let list =
        |cell: Option<&'static str>| cell.unwrap_or("").split(", ").filter(|v| !v.is_empty()).collect();
    TABLE
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(move |line| {
            let mut cells = line.split('\t');
            Some(Collection {
                name: cells.next()?,
                datasets: list(cells.next()),
                levels: list(cells.next()),
            })
        })
}

/// (platform, the data sets that hold its scenes, its satellites).
const PLATFORMS: &[(&str, &[&str], &[&str])] = &[
    ("ALOS", &["ALOS PALSAR"], &[]),
    (
        "SENTINEL-1",
        &["SENTINEL-1", "SLC-BURST"],
        &["SENTINEL-1A", "SENTINEL-1B", "SENTINEL-1C", "SENTINEL-1D"],
    ),
];

/// The short names behind every pair of `platforms` and `levels`; `None` where one of the pairs is not in the table, since
/// asking for collections then would leave it out.
pub fn of_levels(platforms: &[String], levels: &[String]) -> Option<Vec<&'static str>> {
    let mut names = Vec::new();
    for platform in platforms {
        let platform = platform.to_uppercase();
        let (family, datasets, _) = PLATFORMS
            .iter()
            .find(|(family, _, members)| *family == platform || members.contains(&platform.as_str()))?;
        for level in levels {
            let found: Vec<&str> = all()
                .filter(|c| c.has(level) && datasets.iter().any(|d| c.is_of(d)))
                .map(|c| c.name)
                .collect();
            if found.is_empty() {
                return None;
            }
            // One satellite of the family: its collections alone, where they are kept apart.
            let own = |name: &&str| name.starts_with(&format!("{platform}_"));
            match *family == platform || !found.iter().any(own) {
                true => names.extend(found),
                false => names.extend(found.into_iter().filter(own)),
            }
        }
    }
    (!names.is_empty()).then_some(names)
}

/// The short names of data sets, and whether they are those of `levels` alone: asf_search narrows the collections where it knows all of
/// the levels, and leaves them to an attribute of the granules where not.
///
/// # Errors
/// When there is no such data set; when none of its collections has the level.
pub fn of_datasets(datasets: &[String], levels: &[String]) -> Result<(Vec<&'static str>, bool)> {
    for dataset in datasets {
        if !all().any(|c| c.is_of(dataset)) {
            let known: BTreeSet<&str> = all().flat_map(|c| c.datasets).collect();
            return Err(Error::not_found("data set of ASF", dataset, known));
        }
    }
    let of_them = || all().filter(|c| datasets.iter().any(|d| c.is_of(d)));
    let narrowed = !levels.is_empty() && levels.iter().all(|level| all().any(|c| c.has(level)));
    let names: Vec<&str> = of_them()
        .filter(|c| !narrowed || levels.iter().any(|level| c.has(level)))
        .map(|c| c.name)
        .collect();
    if names.is_empty() {
        let theirs: BTreeSet<&str> = of_them().flat_map(|c| c.levels).collect();
        return Err(Error::argument(
            "processingLevel",
            format!(
                "one of {}: {}",
                datasets.join(", "),
                theirs.into_iter().collect::<Vec<_>>().join(", ")
            ),
            format!("`{}`", levels.join("`, `")),
        ));
    }
    Ok((names, narrowed))
}

/// True where the collections hold one satellite each, so that asking for them asks for it.
pub fn keeps_apart(platform: &str, names: &[&str]) -> bool {
    let platform = platform.to_uppercase();
    let family = !PLATFORMS
        .iter()
        .any(|(_, _, members)| members.contains(&platform.as_str()));
    family || names.iter().all(|n| n.starts_with(&format!("{platform}_")))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(values: &[&str]) -> Vec<String> {
        values.iter().map(|v| v.to_string()).collect()
    }

    /// `get_keyword_short_names` of asf_search 14.1.0 (`asf_search/CMR/subquery.py`) with the same keywords.
    #[test]
    fn levels_narrow_data_sets_as_in_asf_search() {
        for (datasets, levels, expected, narrowed) in [
            (&["OPERA-S1"][..], &["RTC"][..], &["OPERA_L2_RTC-S1_V1"][..], true),
            (
                &["OPERA-S1"],
                &["CSLC", "CSLC-STATIC"],
                &["OPERA_L2_CSLC-S1-STATIC_V1", "OPERA_L2_CSLC-S1_V1"],
                true,
            ),
            (
                &["OPERA-S1-CALVAL"],
                &["RTC"],
                &["OPERA_L2_RTC-S1_CALVAL_V1"],
                true,
            ),
            (
                &["ALOS PALSAR"],
                &["L1.1"],
                &["ALOS_L11_PSR", "ALOS_PSR_L1.1"],
                true,
            ),
            (&["SLC-BURST"], &["BURST"], &["SENTINEL-1_BURSTS"], true),
            (
                &["OPERA-S1-CALVAL"],
                &[],
                &["OPERA_L2_CSLC-S1_CALVAL_V1", "OPERA_L2_RTC-S1_CALVAL_V1"],
                false,
            ),
            (&["SLC-BURST"], &["no such level"], &["SENTINEL-1_BURSTS"], false),
        ] {
            let found = of_datasets(&texts(datasets), &texts(levels)).unwrap();
            assert_eq!(found, (expected.to_vec(), narrowed), "{datasets:?} {levels:?}");
        }
    }

    #[test]
    fn a_level_that_the_data_set_lacks_is_refused() {
        let error = of_datasets(&texts(&["SLC-BURST"]), &texts(&["RTC"]))
            .unwrap_err()
            .to_string();
        assert!(
            error.contains("processingLevel must be one of SLC-BURST: BURST"),
            "{error}"
        );
        let error = of_datasets(&texts(&["OPERA-S2"]), &[]).unwrap_err().to_string();
        assert!(error.contains("did you mean `OPERA-S1`"), "{error}");
    }
}
