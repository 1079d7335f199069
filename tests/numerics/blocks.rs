//! Blocks of files are decoded once in a pass, wherever the ceiling allows: counted, at several ceilings, with the same pixels.

use std::path::Path;

use perilune::filter::lee::lee;
use perilune::raster::element::Binary;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::file::write::{WriteOptions, write};
use perilune::raster::graph::Work;
use perilune::raster::math::{self, Operand};
use perilune::raster::reduce::{Reducer, reduce};
use perilune::raster::stats::stats;
use perilune::raster::{DType, Raster, Window, reframe};
use perilune::work::Context;

use super::common::{image, noise, utm_grid};

const ROWS: usize = 1100;
const COLS: usize = 1500;
/// Blocks of 512 × 512.
const BLOCKS: u64 = 3 * 3;
const DATES: usize = 8;

fn written(folder: &Path, dtype: DType) -> Vec<Raster> {
    let grid = utm_grid(ROWS, COLS);
    let _entered = Context::new().with_threads(2).with_memory(1 << 30).enter();
    (0..DATES)
        .map(|i| {
            let path = folder.join(format!("{dtype}_{i}.tif"));
            let values = noise(i as u64 + 1, ROWS, COLS).mapv(|v| v * 100.0);
            let options = WriteOptions {
                dtype: Some(dtype),
                level: Some(1),
                ..WriteOptions::default()
            };
            write(&image(&grid, values), &path, &options).unwrap();
            let opened = open(&path.display().to_string(), &OpenOptions::default()).unwrap();
            let Work::Tiles(file) = &opened.ports()[0].node.work else {
                panic!("no file")
            };
            assert_eq!(file.block(), Some((512, 512)));
            opened
        })
        .collect()
}

/// Statistics of an image under a ceiling, and how many blocks were decoded for them.
fn decoded(image: &Raster, memory: usize, threads: usize) -> ((u64, f64, f64, f64), u64) {
    let context = Context::new().with_memory(memory).with_threads(threads);
    let _entered = context.enter();
    let m = stats(image).unwrap()[0];
    ((m.count(), m.min(), m.max(), m.mean()), context.decoded().total())
}

fn plus_one(image: &Raster) -> Raster {
    math::binary(
        &Operand::Raster(image.clone()),
        Binary::Add,
        &Operand::Number(1.0),
        false,
    )
    .unwrap()
}

#[test]
fn every_block_is_decoded_once_wherever_the_ceiling_allows() {
    let folder = tempfile::tempdir().unwrap();
    for dtype in [DType::F32, DType::I16, DType::F64] {
        let dates = written(folder.path(), dtype);
        let median = reduce(&dates, &[Reducer::parse("median").unwrap()]).unwrap();
        let all = BLOCKS * DATES as u64;
        let (whole, count) = decoded(&median, 4 << 30, 2);
        assert_eq!(count, all, "{dtype} at 4 GiB");
        for (mib, threads) in [(256, 1), (256, 2), (256, 5), (128, 2), (64, 1)] {
            let (same, count) = decoded(&median, mib << 20, threads);
            assert_eq!(same, whole, "{dtype} at {mib} MiB");
            assert_eq!(count, all, "{dtype} at {mib} MiB on {threads} threads");
        }
        // The blocks of one place alone take more than this, and lie in scratch.
        for (mib, threads) in [(6, 2), (12, 1), (12, 3)] {
            let (same, count) = decoded(&median, mib << 20, threads);
            assert_eq!(
                (same, count),
                (whole, all),
                "{dtype} at {mib} MiB on {threads} threads"
            );
        }
    }
}

#[test]
fn blocks_that_tiles_share_are_decoded_once() {
    let folder = tempfile::tempdir().unwrap();
    let date = written(folder.path(), DType::F32).swap_remove(0);
    let part = reframe::crop(&date, Window::new(100, 130, 900, 1300)).unwrap();
    let moved = reframe::shift(&date, 3, -5);
    let filtered = lee(&date, 7, 4.0).unwrap();
    for (name, image, blocks) in [
        ("a window", plus_one(&part), 2 * 3),
        ("a shift", plus_one(&moved), BLOCKS),
        ("a filter", filtered, BLOCKS),
    ] {
        let (whole, count) = decoded(&image, 1 << 30, 1);
        assert_eq!(count, blocks, "{name}");
        // Rows of blocks lie in scratch where the ceiling is low.
        for (mib, threads) in [(128, 2), (128, 7), (6, 2)] {
            let (same, count) = decoded(&image, mib << 20, threads);
            assert_eq!(
                (same, count),
                (whole, blocks),
                "{name} at {mib} MiB on {threads} threads"
            );
        }
    }
}
