//! Every parser of our own under one name each, for `fuzz/` and for a short run among the tests. What is checked is that none panics,
//! and, where a form is written too, that what was read reads the same again.

use crate::bytes::{credentials, http};
use crate::catalog::{archive, asf, itslive, stac, transfer};
use crate::earth::wkb;
use crate::inference::{Metadata, Onnx};
use crate::share::{bundle, permissions};
use crate::{bounds, files, host, raster, table, vector};

/// Name, parser, texts from which to begin.
pub type Target = (&'static str, fn(&[u8]), &'static [&'static [u8]]);

fn text(bytes: &[u8], read: impl FnOnce(&str)) {
    if let Ok(text) = std::str::from_utf8(bytes) {
        read(text);
    }
}

fn json(bytes: &[u8], read: impl FnOnce(serde_json::Value)) {
    if let Ok(value) = serde_json::from_slice(bytes) {
        read(value);
    }
}

pub const TARGETS: &[Target] = &[
    (
        "wkt",
        |b| {
            text(b, |t| {
                if let Ok(shape) = vector::Geometry::from_wkt(t) {
                    let written = shape.to_wkt();
                    let again = vector::Geometry::from_wkt(&written).map(|g| g.to_wkt());
                    assert_eq!(again.ok().as_ref(), Some(&written));
                }
            })
        },
        &[
            b"POLYGON Z ((0 0 1, 1 0 1, 1 1 1, 0 0 1), (.1 .1 0, .2 .1 0, .1 .2 0, .1 .1 0))",
            b"GEOMETRYCOLLECTION (POINT (1e3 -2), MULTIPOINT ((1 2), EMPTY), LINESTRING EMPTY)",
            b"SRID=4326;MULTIPOLYGON (((0 0, 1 0, 1 1, 0 0)))",
        ],
    ),
    (
        "wkb",
        |b| {
            if let Ok(shape) = wkb::decode(b) {
                let written = wkb::encode(&shape);
                let again = wkb::decode(&written).map(|shape| wkb::encode(&shape));
                assert_eq!(again.ok().as_ref(), Some(&written));
            }
        },
        &[
            b"\x01\x01\0\0\0\0\0\0\0\0\0\xf0?\0\0\0\0\0\0\0@",
            b"\0\0\0\0\x02\0\0\0\x01?\xf0\0\0\0\0\0\0@\0\0\0\0\0\0\0",
            b"\x01\x07\0\0\0\x01\0\0\0\x01\x03\0\0\0\0\0\0\0",
            b"\x01\xbb\x0b\0\0\x01\0\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0",
        ],
    ),
    (
        "geojson",
        |b| {
            text(b, |t| {
                let _ = vector::Geometry::from_geojson(t);
                let _ = vector::Features::from_geojson(t);
            })
        },
        &[
            br#"{"type":"Feature","id":1,"geometry":{"type":"Point","coordinates":[1,2]},"properties":{"a":[1,null]}}"#,
            br#"{"type":"FeatureCollection","features":[],"crs":{"type":"name","properties":{"name":"EPSG:3031"}}}"#,
        ],
    ),
    (
        "onnx",
        |b| drop(Onnx::of(std::path::Path::new("a.onnx"), b)),
        &[b"\x08\x08\x12\x01a:\x5c\x0a\x19\x0a\x01x\x0a\x01w\x12\x01y\x22\x04Conv*\x08\x0a\x01k@\x01\xa0\x01\x07*\x13\x08\x02\x08\x01\x10\x01B\x01wJ\x08\x00\x00\x80?\x00\x00\x00@Z\x14\x0a\x01x\x12\x0f\x0a\x0d\x08\x01\x12\x09\x0a\x03\x12\x01n\x0a\x02\x08\x02b\x14\x0a\x01y\x12\x0f\x0a\x0d\x08\x01\x12\x09\x0a\x03\x12\x01n\x0a\x02\x08\x01B\x04\x0a\x00\x10\x11r\x06\x0a\x01k\x12\x01v"],
    ),
    (
        "metadata",
        |b| {
            text(b, |t| {
                if let Ok(read) = Metadata::from_json(t) {
                    assert_eq!(Metadata::from_json(&read.to_json()).ok(), Some(read));
                }
            })
        },
        &[br##"{"version":1,"bands":[{"name":"a","unit":"dB","mean":1.5,"std":2,"clip":[-1,1]}],"classes":[{"name":"b","color":"#00ff7f"}],"nodata":255}"##],
    ),
    (
        "lexer",
        |b| {
            text(b, |t| {
                let mut end = 0;
                for token in host::lexer::tokens(t) {
                    assert!(token.start >= end && token.end() <= t.len());
                    end = token.end();
                }
            })
        },
        &[
            b"local a = 0x1p4 --[==[ c ]==] .. 'x\\'y' // 1e-3 goto ::l:: [[\n]]",
            b"#!/bin/x\nreturn \"\\z  \xc3\xa4\" ~= 3..2",
        ],
    ),
    (
        "bundle",
        |b| {
            if let Ok(found) = bundle::read(b) {
                let again = bundle::compose(&found.manifest, &found.script, &found.modules)
                    .and_then(|text| bundle::read(text.as_bytes()));
                let parts = |of: &bundle::Bundle| (of.manifest.clone(), of.script.clone(), of.modules.clone());
                assert_eq!(again.ok().as_ref().map(parts), Some(parts(&found)));
            }
            text(b, |t| {
                if let Ok(manifest) = bundle::Manifest::from_toml(t) {
                    let again = manifest.to_toml().and_then(|text| bundle::Manifest::from_toml(&text));
                    assert_eq!(again.ok(), Some(manifest));
                }
            })
        },
        &[
            include_bytes!("../tests/fixtures/bundles/form_1.lua"),
            b"[script]\nname = \"a.lua\"\nbytes = 1\nsha256 = \"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"\n[parameters]\na = 1.5\nb = [\"c\", true]\n",
        ],
    ),
    (
        "needs",
        |b| {
            text(b, |t| {
                drop(host::needs::stated("a.lua", t));
                drop(host::params::stated(t));
                drop(permissions::Requirement::parse(t));
                let shown = permissions::escaped(t);
                assert!(!shown.chars().any(char::is_control));
                if let Ok(grant) = http::Grant::parse(t) {
                    let _ = grant.is_private();
                }
            })
        },
        &[
            b"needs { read = { 'a\\065\\x42\\u{43}\\z  d', [[b]] }, ['write'] = {}; hosts = { '*.a.org:80' }, memory = \"2GiB\", version = '>= 0.1' }",
            b"local p = params({ a = { 1, unit = 'm', min = -3 }, b = 'x', c = { type = 'path' } })",
            b"[::1]:8000",
            b"10.0.0.0/8",
            b">= 0.3, < 1",
        ],
    ),
    (
        "stubs",
        |b| text(b, |t| drop(host::documentation::parse("m", t))),
        &[b"--- Text.\n---@param a? integer what\n---@param b {x: number, y?: fun(a: string): m.C} more\n---@return m.C | nil\nfunction m.f(a, b) end\n---@class m.C: m.B\n---@field x number"],
    ),
    (
        "datetime",
        |b| {
            text(b, |t| {
                let _ = stac::Interval::parse(t);
                let _ = table::parse_time(t);
            })
        },
        &[b"2021-03-01/2021-03", b"../2020-02-29T23:59:60.5Z", b"2021-W03-1T10:20:30+01:00"],
    ),
    (
        "filters",
        |b| {
            text(b, |t| {
                let mut query = serde_json::Map::new();
                let _ = stac::query_text(t, &mut query);
            });
            json(b, |value| drop(stac::query_json(value)));
        },
        &[b"eo:cloud_cover<=10.5", br#"{"eo:cloud_cover":{"lt":10},"platform":{"in":["a"]}}"#],
    ),
    (
        "itslive",
        |b| {
            text(b, |t| {
                let _ = itslive::Granule::parse(t);
                let _ = itslive::Acquisition::parse(t);
                let _ = itslive::projection_of(t);
                let _ = itslive::filter::file_name(t);
            });
            let _ = itslive::Cubes::parse(b);
        },
        &[
            b"https://h/velocity_image_pair/landsatOLI/v02/N60W040/LC08_L1TP_009011_20200703_20200913_02_T1_X_LC08_L1TP_009011_20200820_20200905_02_T1_G0120V02_P059.nc",
            b"S1A_IW_SLC__1SSH_20170221T204710_20170221T204737_015387_0193F6_AB07",
            b"S2B_MSIL1C_20200903T151809_N0209_R068_T26XNQ_20200903T184523",
        ],
    ),
    (
        "asf",
        |b| json(b, |value| drop(asf::item(&value))),
        &[br#"{"meta":{"concept-id":"G1"},"umm":{"GranuleUR":"S1-SLC","TemporalExtent":{"RangeDateTime":{"BeginningDateTime":"2021-01-01T00:00:00Z"}},"SpatialExtent":{"HorizontalSpatialDomain":{"Geometry":{"GPolygons":[{"Boundary":{"Points":[{"Longitude":179,"Latitude":0},{"Longitude":-179,"Latitude":0},{"Longitude":-179,"Latitude":1}]}}]}}},"RelatedUrls":[{"URL":"https://h/a.zip","Type":"GET DATA"}],"AdditionalAttributes":[{"Name":"PATH_NUMBER","Values":["1"]}]}}"#],
    ),
    (
        "netrc",
        |b| text(b, |t| drop(credentials::netrc::parse(t))),
        &[b"machine h login u password \"p\\\"q\" # c\nmacdef m\nx\n\ndefault login a account b", b"machine"],
    ),
    (
        "ledger",
        |b| drop(transfer::ledger::parse(b)),
        &[br#"{"file":"a","bytes":3,"sum":"0011223344556677"}"#],
    ),
    (
        "names",
        |b| {
            text(b, |t| {
                let safe = transfer::safe_name(t);
                assert!(!safe.contains(['/', '\0']) && safe != "..", "{safe:?}");
                if let Some(place) = archive::names::place(t) {
                    let plain = |c| matches!(c, std::path::Component::Normal(_));
                    assert!(place.components().all(plain), "{place:?}");
                }
                if let Ok(url) = t.parse() {
                    let _ = transfer::name_of_url(&url);
                }
            })
        },
        &[b"https://h/a%2f..%2fb.tif?x=y", b"a/./b\\..\\c", b"CON.tif", b"/../x"],
    ),
    (
        "zip",
        |b| {
            if let Ok(mut archive) = archive::of_reader(std::io::Cursor::new(b), "a.zip") {
                let _ = archive::list(&mut archive, "a.zip");
            }
        },
        &[b"PK\x05\x06\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"],
    ),
    (
        "truncated",
        |b| {
            let _ = raster::file::truncated::end_of_hdf5(b);
            let _ = raster::file::truncated::first_directory_of_tiff(b, |at, out| {
                let piece = usize::try_from(at).ok().and_then(|at| b.get(at..)?.get(..out.len()));
                piece.map(|piece| out.copy_from_slice(piece)).is_some()
            });
            text(b, |t| assert!(t.contains(raster::file::truncated::container_of(t))));
        },
        &[
            b"II*\0\x08\0\0\0\x01\0\0\x01\x04\0\x01\0\0\0\x10\0\0\0\0\0\0\0",
            b"II+\0\x08\0\0\0\x10\0\0\0\0\0\0\0\x01\0\0\0\0\0\0\0",
            b"\x89HDF\r\n\x1a\n\0\0\0\0\0\x08\x08\0\x04\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\xff\xff\xff\xff\xff\xff\xff\xff\0\x10\0\0\0\0\0\0",
            b"NETCDF:\"a b.nc\":v",
        ],
    ),
    (
        "csv",
        |b| {
            text(b, |t| drop(table::Table::from_csv(t, &table::CsvOptions::default())));
        },
        &[b"\xef\xbb\xbfa;b\n1,5;\"x\"\"y\"\n;2020-01-01T00:00:00Z\n", b"a\tb\n1\t2\n3"],
    ),
    (
        "parquet",
        |b| {
            let _ = table::Table::from_parquet(b.to_vec().into(), std::path::Path::new("bytes"));
        },
        &[
            b"PAR1PAR1",
            include_bytes!("../tests/fixtures/tables/types.parquet"),
            include_bytes!("../tests/fixtures/tables/strange.parquet"),
        ],
    ),
    (
        "units",
        |b| {
            text(b, |t| {
                let _ = raster::types::Unit::parse(t);
                let _ = raster::types::DType::parse(t);
                let _ = bounds::parse_size(t);
            })
        },
        &[b"dB", b"sigma0 linear", b"cfloat32", b"1.5 GiB"],
    ),
    (
        "patterns",
        |b| {
            text(b, |t| {
                let (pattern, name) = t.split_once('\n').unwrap_or((t, t));
                files::fits(pattern, name);
            })
        },
        &[b"*_a?[0-9]*\nx_ab3.tif", b"**a**b*c\naaaaaaaaaaaaaaaaaaaa"],
    ),
    (
        "retry_after",
        |b| {
            if let Ok(value) = crate::bytes::http::header::HeaderValue::from_bytes(b) {
                let mut headers = crate::bytes::http::header::HeaderMap::new();
                headers.insert(crate::bytes::http::header::RETRY_AFTER, value);
                let _ = http::retry_after(&headers);
            }
        },
        &[b"120", b"Wed, 21 Oct 2065 07:28:00 GMT", b"99999999999999999999"],
    ),
    (
        "geoparquet",
        |b| drop(stac::features_of_geoparquet(b.to_vec().into())),
        &[b"PAR1PAR1", include_bytes!("../tests/fixtures/stac/items.parquet")],
    ),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::statistics::random::Random;

    /// The same inputs in every run.
    fn next(state: &mut Random) -> usize {
        state.bits() as usize
    }

    fn changed(seeds: &[&[u8]], state: &mut Random) -> Vec<u8> {
        let mut bytes = seeds[next(state) % seeds.len()].to_vec();
        for _ in 0..=next(state) % 4 {
            let at = next(state) % (bytes.len() + 1);
            match next(state) % 6 {
                0 => bytes.truncate(at),
                1 if at < bytes.len() => bytes[at] = next(state) as u8,
                2 if at < bytes.len() => bytes[at] ^= 1 << (next(state) % 8),
                3 => bytes.insert(at, b"0-.,/\"'[({\0\xff9e* "[next(state) % 16]),
                4 => {
                    let other = seeds[next(state) % seeds.len()];
                    let from = next(state) % (other.len() + 1);
                    bytes.splice(at..at, other[from..].iter().copied().take(64));
                }
                _ => {
                    let to = (at + next(state) % 16).min(bytes.len());
                    bytes.drain(at..to);
                }
            }
        }
        bytes
    }

    #[test]
    fn no_parser_panics_on_changed_inputs() {
        let rounds = std::env::var("PERILUNE_FUZZ_ROUNDS").map_or(400, |n| n.parse().unwrap());
        for (name, read, seeds) in TARGETS {
            seeds.iter().for_each(|seed| read(seed));
            let mut state = Random::new(1);
            for _ in 0..rounds {
                let input = changed(seeds, &mut state);
                let outcome = std::panic::catch_unwind(|| read(&input));
                assert!(outcome.is_ok(), "{name} panics on b\"{}\"", input.escape_ascii());
            }
        }
    }
}
