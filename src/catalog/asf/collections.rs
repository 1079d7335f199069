//! ASF's data sets as CMR knows them: the short names of the collections behind a platform and a processing level.

/// (platform, processing level, short names). Platforms are written as CMR's `platform` does, in capitals.
const LEVELS: &[(&str, &str, &[&str])] = &[
    ("ALOS", "RTC_HI_RES", &["ALOS_PSR_RTC_HIGH"]),
    ("ALOS", "RTC_LOW_RES", &["ALOS_PSR_RTC_LOW"]),
    ("ALOS", "L1.0", &["ALOS_PSR_L1.0"]),
    ("ALOS", "L1.1", &["ALOS_PSR_L1.1"]),
    ("ALOS", "L1.5", &["ALOS_PSR_L1.5"]),
    ("ALOS", "L2.2", &["ALOS_PSR_L2.2"]),
    ("ALOS", "KMZ", &["ALOS_PSR_KMZ"]),
    (
        "SENTINEL-1",
        "SLC",
        &[
            "SENTINEL-1A_SLC",
            "SENTINEL-1B_SLC",
            "SENTINEL-1C_SLC",
            "SENTINEL-1D_SLC",
        ],
    ),
    (
        "SENTINEL-1",
        "RAW",
        &[
            "SENTINEL-1A_RAW",
            "SENTINEL-1B_RAW",
            "SENTINEL-1C_RAW",
            "SENTINEL-1D_RAW",
        ],
    ),
    (
        "SENTINEL-1",
        "OCN",
        &[
            "SENTINEL-1A_OCN",
            "SENTINEL-1B_OCN",
            "SENTINEL-1C_OCN",
            "SENTINEL-1D_OCN",
        ],
    ),
    (
        "SENTINEL-1",
        "GRD_HD",
        &[
            "SENTINEL-1A_DP_GRD_HIGH",
            "SENTINEL-1B_DP_GRD_HIGH",
            "SENTINEL-1C_DP_GRD_HIGH",
            "SENTINEL-1D_DP_GRD_HIGH",
        ],
    ),
    (
        "SENTINEL-1",
        "GRD_HS",
        &[
            "SENTINEL-1A_SP_GRD_HIGH",
            "SENTINEL-1B_SP_GRD_HIGH",
            "SENTINEL-1C_SP_GRD_HIGH",
            "SENTINEL-1D_SP_GRD_HIGH",
        ],
    ),
    (
        "SENTINEL-1",
        "GRD_MD",
        &[
            "SENTINEL-1A_DP_GRD_MEDIUM",
            "SENTINEL-1B_DP_GRD_MEDIUM",
            "SENTINEL-1C_DP_GRD_MEDIUM",
            "SENTINEL-1D_DP_GRD_MEDIUM",
        ],
    ),
    (
        "SENTINEL-1",
        "GRD_MS",
        &[
            "SENTINEL-1A_SP_GRD_MEDIUM",
            "SENTINEL-1B_SP_GRD_MEDIUM",
            "SENTINEL-1C_SP_GRD_MEDIUM",
            "SENTINEL-1D_SP_GRD_MEDIUM",
        ],
    ),
    ("SENTINEL-1", "BURST", &["SENTINEL-1_BURSTS"]),
];

/// (data set as asf_search names it, short names).
const DATASETS: &[(&str, &[&str])] = &[
    ("SLC-BURST", &["SENTINEL-1_BURSTS"]),
    (
        "OPERA-S1",
        &[
            "OPERA_L2_CSLC-S1_V1",
            "OPERA_L2_RTC-S1_V1",
            "OPERA_L2_CSLC-S1-STATIC_V1",
            "OPERA_L2_RTC-S1-STATIC_V1",
        ],
    ),
    (
        "OPERA-S1-CALVAL",
        &["OPERA_L2_CSLC-S1_CALVAL_V1", "OPERA_L2_RTC-S1_CALVAL_V1"],
    ),
];

/// The satellites that asf_search groups under one name.
const MEMBERS: &[(&str, &[&str])] = &[
    ("SENTINEL-1A", &["SENTINEL-1"]),
    ("SENTINEL-1B", &["SENTINEL-1"]),
    ("SENTINEL-1C", &["SENTINEL-1"]),
    ("SENTINEL-1D", &["SENTINEL-1"]),
];

/// The short names behind every pair of `platforms` and `levels`; `None` where one of the pairs is not in the table, since
/// asking for collections then would leave it out.
pub fn of_levels(platforms: &[String], levels: &[String]) -> Option<Vec<String>> {
    let mut names = Vec::new();
    for platform in platforms {
        let platform = platform.to_uppercase();
        let family = MEMBERS
            .iter()
            .find(|(m, _)| *m == platform)
            .map_or(platform.as_str(), |(_, f)| f[0]);
        for level in levels {
            let (_, _, found) = LEVELS
                .iter()
                .find(|(p, l, _)| *p == family && l.eq_ignore_ascii_case(level))?;
            // One satellite of the family: its collections alone, where they are kept apart.
            let own: Vec<&&str> = found
                .iter()
                .filter(|name| name.starts_with(&format!("{platform}_")))
                .collect();
            match family == platform || own.is_empty() {
                true => names.extend(found.iter().map(|n| n.to_string())),
                false => names.extend(own.into_iter().map(|n| n.to_string())),
            }
        }
    }
    (!names.is_empty()).then_some(names)
}

/// The short names of a data set, in asf_search's words.
pub fn of_dataset(name: &str) -> Option<&'static [&'static str]> {
    DATASETS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(name))
        .map(|(_, names)| *names)
}

pub fn datasets() -> impl Iterator<Item = &'static str> {
    DATASETS.iter().map(|(name, _)| *name)
}

/// True where the collections hold one satellite each, so that asking for them asks for it.
pub fn keeps_apart(platform: &str, names: &[String]) -> bool {
    let platform = platform.to_uppercase();
    let family = MEMBERS.iter().any(|(member, _)| *member == platform);
    !family || names.iter().all(|n| n.starts_with(&format!("{platform}_")))
}
