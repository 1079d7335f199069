//! How the ways out of errors go in a script: the core rooms say what can be done, in words; the binding adds the call.

use crate::error::Remedy;

fn in_lua(remedy: Remedy) -> &'static str {
    match remedy {
        Remedy::Align => "`b:align(a)`",
        Remedy::Reproject => "`:reproject { crs = … }`",
        Remedy::Power => "`r:power()`",
        Remedy::AmplitudeToPower => "`r:to_power()`",
        Remedy::DecibelsToPower => "`r:to_power()` and `:to_db()`",
        Remedy::Decibels => "`r:power():to_db()`",
        Remedy::Amplitudes => "`slc:amplitude()`",
        Remedy::Compare => "`a:gt(0)`, `a:eq(2)` or `a:ne(0)`",
        Remedy::Force => {
            "`{ force = true }` for the method of the operator, as in `a:add(b, { force = true })`"
        }
        Remedy::MakeComplex => "`raster.complex(real, imaginary)`",
        Remedy::MosaicGrid => "`{ grid = … }`",
        Remedy::ImageNames => "`{ names = { … } }`",
        Remedy::FeaturesCrs => "`f:set_crs(\"EPSG:…\")`",
        Remedy::GeometryCrs => "`g:set_crs(\"EPSG:…\")`",
        Remedy::Validity => "`g:validity()` and `g:make_valid()`",
        Remedy::OpenCatalogue => "`catalog.open(…)`",
        Remedy::SearchService => "`catalog.stac(…)`",
        Remedy::FilterItems => "`items:filter(function(item) … end)`",
        Remedy::SortItems => "`items:sort(…)`",
        Remedy::NameDownload => "`{ url = …, name = \"scene.zip\" }`",
        Remedy::NameDownloads => "`{ url = …, name = \"a/x.tif\" }`, or items with `folders = true`",
        Remedy::FilterJson => "`{ op = \"<\", args = { { property = \"eo:cloud_cover\" }, 30 } }`",
        Remedy::Comparisons => "`{ [\"eo:cloud_cover\"] = { lt = 30 } }`",
        Remedy::Comparison => "`{ lt = 30 }`",
        Remedy::Real => "`:abs()`, `:power()` or `:phase()`",
        Remedy::OneScale => "`:to_power()` or `:to_db()`",
        Remedy::WrongUnit => "`:set_unit(\"…\")`",
        Remedy::SayUnit => "`:set_unit(\"power\" | \"amplitude\" | \"dB\")`",
        Remedy::ProductOfDecibels => "`a + b`, or convert with `:to_power()`",
        Remedy::RatioOfDecibels => "`vv - vh`, or convert first: `vv:to_power() / vh:to_power()`",
        Remedy::Radians => "`:to_radians()`",
        Remedy::Round => "`:cast(\"uint16\")`",
        Remedy::OneBand => "`:select(\"…\")`, or by its name, as in `image.VV`",
        Remedy::Rename => "`:rename(…)`",
        Remedy::CommonBands => "`:select(…)`",
        Remedy::ImageTime => "`:set_time(…)`",
        Remedy::ImageCrs => "`:set_crs(\"EPSG:…\")`",
        Remedy::NorthUp => "`:align(grid)`",
        Remedy::Place => "`{ grid = raster.grid { crs = …, bounds = …, rows = …, cols = … } }`",
        Remedy::StreamPolygons => "`image:write_polygons(path)`",
    }
}

/// `text` with the call behind the words of every way out that it names. What went through here before stays as it is.
pub(super) fn with_calls(mut text: String) -> String {
    for remedy in Remedy::ALL {
        let words = remedy.words();
        let Some(end) = text.find(words).map(|start| start + words.len()) else {
            continue;
        };
        let call = format!(": {}", in_lua(remedy));
        if !text[end..].starts_with(&call) {
            text.insert_str(end, &call);
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_of_one_way_out() {
        for remedy in Remedy::ALL {
            for other in Remedy::ALL {
                assert!(
                    remedy == other || !remedy.words().contains(other.words()),
                    "{remedy:?} {other:?}"
                );
            }
        }
    }

    #[test]
    fn calls_are_added_once() {
        let said = with_calls(format!("the grids differ; {}, or not", Remedy::Align));
        assert_eq!(
            said,
            "the grids differ; bring one onto the other first: `b:align(a)`, or not"
        );
        assert_eq!(with_calls(said.clone()), said);
        assert_eq!(with_calls("nothing".into()), "nothing");
    }
}
