//! Zarrs on servers: the same pixels as in a folder, chunks many at a time, and no more of them than are needed.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use perilune::raster::file::cube::slices;
use perilune::raster::file::open::OpenOptions;
use perilune::raster::reduce::{Reducer, reduce};
use perilune::raster::resample::Resampling;
use perilune::raster::sample::sample_all;
use perilune::raster::{Pixels, Raster};

use super::standin::{Answer, StandIn};

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zarr")
}

/// The fixtures, by a server that takes its time; and how many requests it had at once, at most.
fn served() -> (StandIn, Arc<AtomicUsize>) {
    let (now, most) = (Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
    let at_most = most.clone();
    let server = StandIn::start("127.0.0.1", move |got| {
        at_most.fetch_max(now.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
        std::thread::sleep(Duration::from_millis(20));
        let file = std::fs::read(fixtures().join(got.path().trim_start_matches('/')));
        now.fetch_sub(1, Ordering::SeqCst);
        match file {
            Ok(bytes) => Answer::new(200, bytes),
            Err(_) => Answer::new(404, "there is none"),
        }
    });
    (server, most)
}

fn stack(place: &str, variable: &str) -> Vec<Raster> {
    slices(place, &OpenOptions::default(), &[variable.to_string()]).unwrap()
}

fn bits(image: &Raster) -> Vec<u64> {
    let read = image.read(image.grid.window()).unwrap();
    read.into_iter()
        .map(Pixels::into_f64)
        .flat_map(|a| a.into_iter().map(f64::to_bits).collect::<Vec<_>>())
        .collect()
}

#[test]
fn a_cube_on_a_server_is_that_of_the_folder() {
    let (server, most) = served();
    for (zarr, variables) in [
        ("codecs.zarr", ["blosc_zlib", "gzip"].as_slice()),
        ("sharded.zarr", &["zstd", "at_start", "turned"]),
        ("xarray.zarr", &["v"]),
        ("plain.zarr", &["inner/fortran"]),
    ] {
        for variable in variables {
            let there = stack(&server.url(&format!("/{zarr}")), variable);
            let here = stack(&fixtures().join(zarr).to_string_lossy(), variable);
            assert_eq!(there.len(), here.len());
            let reducers = [Reducer::Mean, Reducer::Count];
            let (a, b) = (
                reduce(&there, &reducers).unwrap(),
                reduce(&here, &reducers).unwrap(),
            );
            assert_eq!(bits(&a), bits(&b), "{zarr} {variable}");
            assert!(
                there
                    .iter()
                    .zip(&here)
                    .all(|(a, b)| bits(a) == bits(b) && a.time == b.time)
            );
        }
    }
    assert!(most.load(Ordering::SeqCst) > 8, "{most:?}");
}

#[test]
fn a_series_at_a_point_fetches_the_chunks_of_the_point() {
    let (server, _) = served();
    let images = stack(&server.url("/codecs.zarr"), "zlib");
    let before = server.log().len();
    let place = images[0].grid.pixel_centre(4, 5);
    sample_all(&images, |_| std::slice::from_ref(&place), Resampling::Nearest).unwrap();
    let mut asked: Vec<String> = server.log()[before..]
        .iter()
        .map(|got| got.target.clone())
        .collect();
    asked.sort();
    assert_eq!(asked, ["/codecs.zarr/zlib/0.1.1", "/codecs.zarr/zlib/1.1.1"]);
    // Of a shard its index and the part that is wanted.
    let images = stack(&server.url("/sharded.zarr"), "zstd");
    let before = server.log().len();
    sample_all(
        &images[..1],
        |_| std::slice::from_ref(&place),
        Resampling::Nearest,
    )
    .unwrap();
    let log = server.log();
    let ranges: Vec<&str> = log[before..]
        .iter()
        .map(|got| got.header("range").unwrap_or("all"))
        .collect();
    assert_eq!(ranges.len(), 2);
    assert!(
        ranges[0].starts_with("bytes=-") && ranges[1].starts_with("bytes="),
        "{ranges:?}"
    );
}

#[test]
fn what_a_server_refuses_is_said() {
    let server = StandIn::start("127.0.0.1", |got| match got.path() {
        "/a.zarr/.zmetadata" => Answer::new(
            200,
            r#"{"metadata": {"v/.zarray": {"zarr_format": 2, "shape": [2, 2], "chunks": [2, 2], "dtype": "<i2", "compressor": null,
            "fill_value": 5, "order": "C", "filters": null}}}"#,
        ),
        "/a.zarr/v/0.0" => Answer::new(403, "no"),
        _ => Answer::new(404, "none"),
    });
    let image = &stack(&server.url("/a.zarr"), "v")[0];
    let error = image.read(image.grid.window()).unwrap_err().to_string();
    assert!(
        error.contains("/a.zarr/v/0.0") && error.contains("403"),
        "{error}"
    );
    let missing = slices(&server.url("/b.zarr"), &OpenOptions::default(), &[])
        .map(drop)
        .unwrap_err();
    assert!(missing.to_string().contains("is no Zarr"), "{missing}");
}
