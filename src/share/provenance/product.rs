//! Identifiers of products, which archives name their files by.

use std::sync::LazyLock;

use regex::Regex;

/// By how its name is built, of which product a file is: Sentinel-1, -2 and -3, Landsat, OPERA, NISAR, ALOS, ITS_LIVE's pairs.
pub fn of(path: &str) -> Option<String> {
    static PATTERN: LazyLock<Option<Regex>> = LazyLock::new(|| {
        let patterns = [
            r"S1[A-D]_(?:IW|EW|WV|S[1-6])_[A-Z0-9_]{4}_[0-9A-Z_]{4}_\d{8}T\d{6}_\d{8}T\d{6}_\d{6}_[0-9A-F]{6}_[0-9A-F]{4}",
            r"S2[A-D]_MSIL[12][AC]_\d{8}T\d{6}_N\d{4}_R\d{3}_T\w{5}_\d{8}T\d{6}",
            r"S3[A-D]_[A-Z]{2}_\d_\w{6}_{2,4}\d{8}T\d{6}\w*",
            r"L[COTEM]0[4-9]_L[12]\w{2}_\d{6}_\d{8}_\d{8}_\d{2}_\w{2}",
            r"OPERA_L\d_[A-Z0-9-]+_[0-9A-Za-z_.-]+?_v\d+\.\d+",
            r"NISAR_L\d_[A-Z]{2}_\w+",
            r"ALPSRP\d{9}|ALOS2\d{9}-\d{6}",
        ];
        Regex::new(&patterns.join("|")).ok()
    });
    let pattern = PATTERN.as_ref()?;
    pattern.find(path).map(|found| found.as_str().to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn products_are_told_by_their_names() {
        for (path, expected) in [
            (
                "a/S1A_IW_GRDH_1SDV_20230105T054112_20230105T054137_046646_059736_1C8E.SAFE/measurement/vv.tiff",
                Some("S1A_IW_GRDH_1SDV_20230105T054112_20230105T054137_046646_059736_1C8E"),
            ),
            (
                "LC08_L1TP_009011_20200703_20200912_02_T1_B8.TIF",
                Some("LC08_L1TP_009011_20200703_20200912_02_T1"),
            ),
            (
                "OPERA_L2_RTC-S1_T137-292318-IW2_20230105T054112Z_20230106T010203Z_S1A_30_v1.0_VV.tif",
                Some("OPERA_L2_RTC-S1_T137-292318-IW2_20230105T054112Z_20230106T010203Z_S1A_30_v1.0"),
            ),
            ("velocity.tif", None),
        ] {
            assert_eq!(of(path).as_deref(), expected, "{path}");
        }
    }
}
