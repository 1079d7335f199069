//! ITS_LIVE: the names of granules, and their filters, against recorded names and slow obvious loops.

use std::collections::{BTreeMap, HashSet};

use perilune::catalog::itslive::filter::{by_year, entries_of_urls, month};
use perilune::catalog::itslive::names::projection_of;
use perilune::catalog::itslive::{Candidate, Filter, Frame, Granule, Preference};
use serde_json::Value;

use super::common::shared;

pub fn recorded() -> Option<Vec<String>> {
    let text =
        std::fs::read_to_string(shared("api/itslive_search/store_its_live_velocities_2022.json")?).unwrap();
    let list: Vec<Value> = serde_json::from_str(&text).unwrap();
    Some(
        list.iter()
            .map(|e| e["url"].as_str().unwrap().to_string())
            .collect(),
    )
}

/// (name, mid-date, days, platforms of both scenes, percent, spacing, version). The mid-dates of the first six are those of
/// its_live_production's own tests; the others are the archive's or put together like them,
/// with dates worked out by hand.
type Name = (
    &'static str,
    &'static str,
    f64,
    [&'static str; 2],
    u8,
    u32,
    &'static str,
);

#[rustfmt::skip]
const NAMES: &[Name] = &[
    ("s3://bucket/LC08_L1GT_007011_20130819_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2_G0120V02_P044.nc",
        "2014-02-11T00:00:00", 352.0, ["LC08", "LC08"], 44, 120, "002"),
    ("LC09_L1TP_013010_20220101_20220102_02_T1_X_LC09_L1TP_013010_20220201_20220202_02_T1_G0120V02_P044.nc",
        "2022-01-16T12:00:00", 31.0, ["LC09", "LC09"], 44, 120, "002"),
    ("NISAR_L1_PR_RSLC_005_149_D_074_2005_QPDH_A_20251120T130632_20251120T130707_X05009_N_F_J_001_X_NISAR_L1_PR_RSLC_006_149_D_074_4005_DHDH_A_20251202T130633_20251202T130707_X05009_N_F_J_001_G0120V02_P095.nc",
        "2025-11-26T13:06:32.5", 12.0 + 1.0 / 86400.0, ["NISAR", "NISAR"], 95, 120, "002"),
    ("S1A_IW_SLC__1SDH_20200221T095209_20200221T095237_031349_039B9A_CBD7_X_S1B_IW_SLC__1SDH_20200227T095113_20200227T095143_020453_026C13_6119_G0120V02_P098.nc",
        "2020-02-24T09:51:41", 6.0 - 56.0 / 86400.0, ["S1A", "S1B"], 98, 120, "002"),
    ("S2B_MSIL1C_20181008T190459_N0206_R127_T02CMU_20181008T232024_X_S2B_MSIL1C_20190923T190459_N0208_R127_T02CMU_20190923T232238_G0120V02_P000.nc",
        "2019-04-01T19:04:59", 350.0, ["S2B", "S2B"], 0, 120, "002"),
    ("LT05_L1TP_001010_19990101_20200912_02_T1_X_LT05_L1TP_001010_19990201_20200911_02_T1_G0120V02_P044.nc",
        "1999-01-16T12:00:00", 31.0, ["LT05", "LT05"], 44, 120, "002"),
    // Version 1 names the later scene first.
    ("LE07_L1GT_001113_20121118_20161127_01_T2_X_LE07_L1GT_232113_20121104_20161127_01_T2_G0240V01_P059.nc",
        "2012-11-11T00:00:00", 14.0, ["LE07", "LE07"], 59, 240, "001"),
    ("LT05_L1GS_219121_19841206_20200918_02_T2_X_LT04_L1GS_226120_19850124_20200918_02_T2_G0120V02_P000.nc",
        "1984-12-30T12:00:00", 49.0, ["LT05", "LT04"], 0, 120, "002"),
    ("LM04_L1GS_025009_19830519_20200903_02_T2_X_LO08_L1TP_025009_19830520_20200903_02_RT_G0120V02.1_P100.nc",
        "1983-05-19T12:00:00", 1.0, ["LM04", "LO08"], 100, 120, "002.1"),
    ("S1C_IW_SLC__1SSH_20251219T105633_20251219T105654_005519_00AFFE_96DF_X_S1A_IW_SLC__1SSH_20251225T105734_20251225T105755_062470_07D3B6_FA5F_G0120V02_P085_IL_ASF_OD.nc",
        "2025-12-22T10:57:03.5", 6.0 + 61.0 / 86400.0, ["S1C", "S1A"], 85, 120, "002"),
    ("S1_136231_IW2_20200604T022312_VV_7C85-BURST_X_S1_136231_IW2_20200616T022313_VV_5D11-BURST_G0120V02_P050.nc",
        "2020-06-10T02:23:12.5", 12.0 + 1.0 / 86400.0, ["S1", "S1"], 50, 120, "002"),
    ("S2A_24WWU_20190807_0_L1C_X_S2A_24WWU_20190817_0_L1C_G0120V02_P082.nc?versionId=1#here",
        "2019-08-12T00:00:00", 10.0, ["S2A", "S2A"], 82, 120, "002"),
];

#[test]
fn names_of_every_mission_and_version_are_read() {
    for (name, mid, days, platforms, percent, spacing, version) in NAMES {
        let granule = Granule::parse(name).unwrap();
        assert_eq!(granule.mid_date(), mid.parse().unwrap(), "{name}");
        assert!(
            (granule.separation_days() - days).abs() < 1e-9,
            "{name}: {}",
            granule.separation_days()
        );
        assert_eq!(
            [&granule.scenes[0].platform, &granule.scenes[1].platform],
            *platforms,
            "{name}"
        );
        assert_eq!(
            (granule.percent_valid_pixels, granule.spacing_m),
            (*percent, *spacing),
            "{name}"
        );
        assert_eq!(granule.version, *version, "{name}");
        assert!(granule.earlier().time <= granule.later().time);
        assert_eq!(granule.on_demand, name.contains("_IL_ASF_OD"));
    }
    let place = |i: usize, scene: usize| Granule::parse(NAMES[i].0).unwrap().scenes[scene].place.clone();
    assert_eq!(place(6, 1), Frame::PathRow { path: 232, row: 113 });
    assert_eq!(
        place(2, 0),
        Frame::TrackFrame {
            track: 149,
            frame: 74
        }
    );
    assert_eq!(
        place(4, 0),
        Frame::Tile {
            tile: "02CMU".into(),
            relative_orbit: Some(127)
        }
    );
    assert_eq!(
        place(11, 0),
        Frame::Tile {
            tile: "24WWU".into(),
            relative_orbit: None
        }
    );
    assert_eq!(
        place(10, 0),
        Frame::Burst {
            burst: 136_231,
            swath: "IW2".into()
        }
    );
    // Two satellites six days apart over one place are on one relative orbit.
    for (i, relative) in [(3, 127), (9, 98)] {
        for scene in [0, 1] {
            assert!(
                matches!(place(i, scene), Frame::Orbit { relative: Some(r), .. } if r == relative),
                "{:?}",
                place(i, scene)
            );
        }
    }
}

#[test]
fn what_is_wrong_with_a_name_is_named() {
    for (name, part) in [
        ("velocity.nc", "no `_X_`"),
        (
            "FAKE_SENSOR_20200101_X_FAKE_SENSOR_20200201_G0120V02_P044.nc",
            "`FAKE_SENSOR_20200101`",
        ),
        (
            "LC08_L1GT_007011_20131319_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2_G0120V02_P044.nc",
            "`20131319`",
        ),
        (
            "LC08_L1GT_007011_20130819_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2_G0120V02_P144.nc",
            "P144",
        ),
        (
            "LC08_L1GT_007011_20130819_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2.nc",
            "_G0120V02_P095",
        ),
        (
            "LC08_L1GT_007011_20130819_20200912_02_T2_X_LC08_L1GT_007011_20140806_20200911_02_T2_G0000V02_P044.nc",
            "G0000",
        ),
        (
            "LC08_L1GT_007011_20130819_20200912_02_T2_X_S3A_007011_G0120V02_P044.nc",
            "`S3A_007011`",
        ),
        (
            "S2BB_20200903T151809_20200913T151809_HP00_0120_4F2A.nc",
            "no `_X_`",
        ),
    ] {
        let error = Granule::parse(name).unwrap_err().to_string();
        assert!(
            error.contains(part) && error.contains("ITS_LIVE granule"),
            "{error}"
        );
    }
}

#[test]
fn folders_tell_the_projection_where_they_can() {
    for (url, code) in [
        (
            "https://h/velocity_image_pair/landsat/v00.0/32609/a.nc",
            Some("EPSG:32609"),
        ),
        (
            "https://h/velocity_image_pair/landsatOLI/v02/N60W140/a.nc",
            Some("EPSG:3413"),
        ),
        (
            "s3://its-live-data/velocity_image_pair/landsatOLI/v02/S80W120/a.nc",
            Some("EPSG:3031"),
        ),
        ("https://h/v01/EPSG3031/a.nc", Some("EPSG:3031")),
        // Within the cell the projection changes, with the UTM zone or at 55° N and 56° S.
        ("https://h/N50W130/a.nc", None),
        ("https://h/S50W070/a.nc", None),
        ("https://h/2022/1234/a.nc", None),
        ("3413.nc", None),
    ] {
        assert_eq!(projection_of(url).as_deref(), code, "{url}");
    }
}

#[test]
fn recorded_names_hold_what_their_parts_say() {
    let Some(urls) = recorded() else { return };
    assert_eq!(urls.len(), 21);
    for url in &urls {
        let granule = Granule::parse(url).unwrap();
        // The parts by position, as nothing else could be meant.
        let parts: Vec<&str> = url.rsplit('/').next().unwrap().split('_').collect();
        assert_eq!(
            [&*granule.scenes[0].platform, &*granule.scenes[1].platform],
            [parts[0], parts[8]]
        );
        assert_eq!(
            granule.scenes[1].time.strftime("%Y%m%dT%H%M%S").to_string(),
            parts[10]
        );
        assert!(
            matches!(&granule.scenes[0].place, Frame::Tile { tile, .. } if format!("T{tile}") == parts[5])
        );
        assert_eq!(format!("P{:03}.nc", granule.percent_valid_pixels), parts[16]);
        assert_eq!(projection_of(url).as_deref(), Some("EPSG:3413"));
        assert!((4.9..5.1).contains(&granule.separation_days()), "{url}");
    }
}

// ---- filters

/// Granules with dates and shares from a simple congruential generator, some of them twice.
fn many_entries() -> Vec<Candidate> {
    let mut state = 12345_u64;
    let mut next = |n: u64| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) % n
    };
    let mut out: Vec<Candidate> = Vec::new();
    for i in 0..2000 {
        if i % 97 == 5 {
            let again = next(i) as usize;
            out.push(out[again].clone());
            continue;
        }
        let date = format!(
            "{}-{:02}-{:02}T12:00:00",
            1990 + next(30),
            1 + next(12),
            1 + next(28)
        );
        out.push(Candidate {
            id: format!("granule {i}"),
            mid_date: date.parse().unwrap(),
            percent_valid_pixels: next(101) as f64,
        });
    }
    out
}

#[test]
fn filters_agree_with_a_slow_loop() {
    let all = many_entries();
    for months in [vec![], vec![11, 12, 1]] {
        for most in [None, Some(1), Some(7), Some(10_000)] {
            // itslive-explorer's own loop, which keeps the first of each year; without what came before.
            let (mut counts, mut seen, mut expected) =
                (BTreeMap::<i16, usize>::new(), HashSet::new(), Vec::new());
            for (i, e) in all.iter().enumerate() {
                let year = counts.entry(e.mid_date.year()).or_default();
                let fits = months.is_empty() || months.contains(&e.mid_date.month());
                if fits && !seen.contains(&e.id) && *year < most.unwrap_or(usize::MAX) {
                    *year += 1;
                    expected.push(i);
                    seen.insert(e.id.clone());
                }
            }
            let filter = |choice| Filter {
                most_per_year: most,
                months: months.clone(),
                choice,
                years: vec![],
            };
            assert_eq!(filter(Preference::First).apply(&all), expected);

            // However they are chosen, each year has as many of them, and nothing comes twice.
            for choice in [Preference::Valid, Preference::Spread] {
                let kept = filter(choice).apply(&all);
                assert_eq!(kept.len(), expected.len());
                let ids: HashSet<&str> = kept.iter().map(|&i| all[i].id.as_str()).collect();
                assert_eq!(ids.len(), kept.len());
                // The order of the list does not matter.
                let turned: Vec<Candidate> = all.iter().rev().cloned().collect();
                let again: HashSet<&str> = filter(choice)
                    .apply(&turned)
                    .into_iter()
                    .map(|i| turned[i].id.as_str())
                    .collect();
                assert_eq!(ids, again);
            }
            // No granule that was left out has more valid pixels than one of its year that was kept.
            let kept = filter(Preference::Valid).apply(&all);
            for (i, e) in all.iter().enumerate() {
                let fits = months.is_empty() || months.contains(&e.mid_date.month());
                if fits && !kept.iter().any(|&k| all[k].id == e.id) {
                    let same_year = kept
                        .iter()
                        .filter(|&&k| all[k].mid_date.year() == e.mid_date.year());
                    assert!(same_year.clone().count() == most.unwrap_or(0));
                    assert!(
                        same_year
                            .clone()
                            .all(|&k| all[k].percent_valid_pixels >= e.percent_valid_pixels),
                        "{i}"
                    );
                }
            }
        }
    }
}

#[test]
fn spread_granules_cover_the_year() {
    let days: Vec<Candidate> = (0..365)
        .map(|d| Candidate {
            id: format!("{d}"),
            mid_date: jiff::civil::date(2019, 1, 1)
                .saturating_add(jiff::Span::new().days(d))
                .to_datetime(jiff::civil::Time::midnight()),
            percent_valid_pixels: 50.0,
        })
        .collect();
    let filter = Filter {
        most_per_year: Some(5),
        choice: Preference::Spread,
        ..Filter::default()
    };
    // The middles of five parts of 73 days.
    assert_eq!(filter.apply(&days), [36, 109, 182, 255, 328]);
}

#[test]
fn recorded_granules_are_filtered_and_counted() {
    let Some(urls) = recorded() else { return };
    let entries = entries_of_urls(&urls).unwrap();
    assert_eq!(
        by_year(&entries)
            .into_iter()
            .map(|(y, l)| (y, l.len()))
            .collect::<Vec<_>>(),
        [(2022, 21)]
    );
    let filter = Filter {
        most_per_year: Some(4),
        months: vec![month("March").unwrap(), month("apr").unwrap()],
        choice: Preference::Valid,
        years: vec![2022, 2019],
    };
    let kept = filter.apply(&entries);
    // By hand from the list: the 99 % of 1–6 April and of 30 March – 4 April …
    let best: Vec<f64> = kept.iter().map(|&i| entries[i].percent_valid_pixels).collect();
    assert_eq!(best, [99.0, 99.0, 99.0, 97.0]);
    assert!(
        kept.iter()
            .all(|&i| [3, 4].contains(&entries[i].mid_date.month()))
    );
    assert!(month("13").is_err() && month("Ma").is_err() && month("0").is_err());
    let error = entries_of_urls(&["a/b.nc".to_string()]).unwrap_err().to_string();
    assert!(error.starts_with("urls[1]: `b`"), "{error}");
}
