//! GeoTIFFs, plain and Cloud Optimised: their layout, byte by byte, and their overviews, against slow loops and GDAL's own driver.

use std::path::Path;
use std::process::Command;

use gdal::Dataset;
use ndarray::Array2;
use perilune::raster::file::write::{WriteOptions, write};
use perilune::raster::{DType, Raster};
use perilune::work::Context;

use crate::common::*;

fn options(method: &str) -> WriteOptions {
    WriteOptions {
        format: Some("COG".into()),
        overview_resampling: Some(method.into()),
        level: Some(1),
        ..Default::default()
    }
}

/// The image and its overviews, largest first, by GDAL; nodata is NaN.
fn levels(path: &Path) -> Vec<Array2<f64>> {
    let dataset = Dataset::open(path).unwrap();
    let band = dataset.rasterband(1).unwrap();
    let nodata = band.no_data_value();
    let read = |band: &gdal::raster::RasterBand| {
        let (cols, rows) = band.size();
        let buffer = band
            .read_as::<f64>((0, 0), (cols, rows), (cols, rows), None)
            .unwrap();
        let array = Array2::from_shape_vec((rows, cols), buffer.data().to_vec()).unwrap();
        array.mapv_into(|v| if Some(v) == nodata { f64::NAN } else { v })
    };
    let overviews = 0..band.overview_count().unwrap() as usize;
    std::iter::once(read(&band))
        .chain(overviews.map(|i| read(&band.overview(i).unwrap())))
        .collect()
}

/// Noise of which a fifth is masked, with a corner and a row that are masked wholly.
fn source(rows: usize, cols: usize) -> Raster {
    let (mut values, mask) = (noise(5, rows, cols), noise(6, rows, cols));
    for ((row, col), v) in values.indexed_iter_mut() {
        let masked = mask[(row, col)] < 0.2 || row == rows / 3 || (row < rows / 5 && col < cols / 4);
        *v = if masked { f32::NAN } else { *v * 100.0 + 20.0 };
    }
    image(&utm_grid(rows, cols), values)
}

/// How much of pixel `at` is in the part of so many rows, or columns, that one of an overview covers.
fn share(i: usize, ratio: f64, at: usize) -> f64 {
    let (first, end) = (i as f64 * ratio, (i + 1) as f64 * ratio);
    (end.min(at as f64 + 1.0) - first.max(at as f64)).max(0.0)
}

#[test]
fn averages_are_means_by_area_of_valid_pixels() {
    let folder = tempfile::tempdir().unwrap();
    for (rows, cols) in [
        (1, 1),
        (1, 700),
        (700, 1),
        (1023, 1100),
        (1501, 1300),
        (515, 1025),
    ] {
        for (dtype, nodata, format) in [
            (DType::F32, None, "COG"),
            (DType::U8, Some(0.0), "COG"),
            (DType::I16, Some(-5.0), "COG"),
            (DType::F64, Some(7.0), "COG"),
            (DType::F32, None, "GTiff"),
            (DType::U8, Some(0.0), "GTiff"),
        ] {
            let path = folder.path().join("a.tif");
            let options = WriteOptions {
                dtype: Some(dtype),
                nodata,
                format: Some(format.into()),
                overviews: true,
                ..options("average")
            };
            write(&source(rows, cols), &path, &options).unwrap();
            let levels = levels(&path);
            // By the rule of GDAL's driver one of 513 is small enough.
            let last = levels.last().unwrap().dim();
            assert!(last.0.max(last.1) <= 513);
            for (below, above) in levels.iter().zip(&levels[1..]) {
                assert_eq!(
                    above.dim(),
                    (below.nrows().div_ceil(2), below.ncols().div_ceil(2))
                );
                let ratio = (
                    below.nrows() as f64 / above.nrows() as f64,
                    below.ncols() as f64 / above.ncols() as f64,
                );
                for ((row, col), got) in above.indexed_iter() {
                    let (mut sum, mut weight) = (0.0, 0.0);
                    let (top, left) = ((row as f64 * ratio.0) as usize, (col as f64 * ratio.1) as usize);
                    for r in top..(top + 3).min(below.nrows()) {
                        for c in left..(left + 3).min(below.ncols()) {
                            let share = share(row, ratio.0, r) * share(col, ratio.1, c);
                            if share > 1e-7 && !below[(r, c)].is_nan() {
                                sum += share * below[(r, c)];
                                weight += share;
                            }
                        }
                    }
                    let expected = sum / weight;
                    let near = if dtype.is_float() { 1e-4 } else { 0.5 + 1e-6 };
                    let same = expected.is_nan() && got.is_nan() || (expected - got).abs() <= near;
                    assert!(
                        same,
                        "{format} of {dtype} {rows} × {cols}, {:?} at {row}, {col}: {got}, not {expected}",
                        above.dim()
                    );
                }
            }
        }
    }
}

#[test]
fn modes_are_those_of_the_pixels_below_and_single_ones_the_images() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, cols) = (1301, 1100);
    let classes = noise(9, rows, cols).mapv(|v| (v * 3.0).round() + 2.0);
    let classes = image(&utm_grid(rows, cols), classes);
    for dtype in [DType::U8, DType::U16, DType::I8] {
        for method in ["mode", "nearest"] {
            let path = folder.path().join("a.tif");
            let options = WriteOptions {
                dtype: Some(dtype),
                nodata: Some(0.0),
                ..options(method)
            };
            write(&classes, &path, &options).unwrap();
            let levels = levels(&path);
            assert_eq!(levels.len(), 3);
            for (number, level) in levels.iter().enumerate().skip(1) {
                let below = if method == "mode" {
                    &levels[number - 1]
                } else {
                    &levels[0]
                };
                let ratio = (
                    below.nrows() as f64 / level.nrows() as f64,
                    below.ncols() as f64 / level.ncols() as f64,
                );
                for ((row, col), got) in level.indexed_iter() {
                    let mut seen = std::collections::BTreeMap::<i64, usize>::new();
                    let mut masked = false;
                    let (top, left) = ((row as f64 * ratio.0) as usize, (col as f64 * ratio.1) as usize);
                    for r in top..(top + 6).min(below.nrows()) {
                        for c in left..(left + 6).min(below.ncols()) {
                            let touched = share(row, ratio.0, r).min(share(col, ratio.1, c)) > 1e-7;
                            match below[(r, c)] {
                                _ if !touched => {}
                                v if v.is_nan() => masked = true,
                                v => *seen.entry(v as i64).or_default() += 1,
                            }
                        }
                    }
                    let most = seen.values().max().copied();
                    let good = match (method, got.is_nan()) {
                        ("mode", true) => most.is_none(),
                        ("mode", false) => most == seen.get(&(*got as i64)).copied(),
                        // One of those that it covers.
                        (_, true) => masked,
                        (_, false) => seen.contains_key(&(*got as i64)),
                    };
                    assert!(good, "{method} of {dtype} at {row}, {col}: {got} of {seen:?}");
                }
            }
        }
    }
}

/// What GDAL makes of the same pixels. Of odd sizes it makes pixels at the edges of its own chunks of less than they cover.
#[test]
fn overviews_are_those_of_gdal() {
    let folder = tempfile::tempdir().unwrap();
    let [plain, ours, theirs] = ["plain.tif", "ours.tif", "theirs.tif"].map(|name| folder.path().join(name));
    for (dtype, nodata) in [
        (DType::F32, None),
        (DType::U8, Some(0.0)),
        (DType::U16, Some(3.0)),
        (DType::I16, None),
    ] {
        for method in ["average", "mode", "nearest"] {
            let source = source(2048, 1200);
            let base = WriteOptions {
                dtype: Some(dtype),
                nodata,
                ..options(method)
            };
            write(&source, &ours, &base).unwrap();
            write(&source, &plain, &WriteOptions { format: None, ..base }).unwrap();
            let made = Command::new("gdal_translate")
                .args([
                    "-q",
                    "-of",
                    "COG",
                    "-co",
                    "COMPRESS=ZSTD",
                    "-co",
                    "LEVEL=1",
                    "-co",
                ])
                .arg(format!("OVERVIEW_RESAMPLING={method}"))
                .args([&plain, &theirs])
                .status()
                .unwrap();
            assert!(made.success());
            let (ours, theirs) = (levels(&ours), levels(&theirs));
            assert_eq!(ours.len(), theirs.len());
            for (a, b) in ours.iter().zip(&theirs) {
                assert_same(a, b, &format!("{method} of {dtype}, {:?}", a.dim()));
            }
        }
    }
}

#[test]
fn neither_threads_nor_tiles_show() {
    let folder = tempfile::tempdir().unwrap();
    let mut files = Vec::new();
    // Under the smallest ceiling tiles are not as blocks are.
    for (threads, memory) in [(1, 1 << 30), (3, 1 << 30), (4, 6 << 20)] {
        let _entered = Context::new().with_threads(threads).with_memory(memory).enter();
        let path = folder.path().join("a.tif");
        for method in ["average", "mode", "nearest"] {
            for (rows, cols) in [(1500, 1301), (2048, 1024)] {
                let options = WriteOptions {
                    // Sums of tiles.
                    statistics: false,
                    ..options(method)
                };
                write(&source(rows, cols), &path, &options).unwrap();
                files.push(std::fs::read(&path).unwrap());
                for compress in ["deflate", "none"] {
                    let plain = WriteOptions {
                        format: None,
                        overviews: compress == "deflate",
                        compress: compress.into(),
                        level: None,
                        ..options.clone()
                    };
                    write(&source(rows, cols), &path, &plain).unwrap();
                    files.push(std::fs::read(&path).unwrap());
                }
            }
        }
    }
    let (first, others) = files.split_at(18);
    for more in others.chunks(18) {
        assert!(first == more);
    }
}

struct Bytes(Vec<u8>);

impl Bytes {
    fn number(&self, at: usize, bytes: usize) -> usize {
        self.0[at..at + bytes]
            .iter()
            .rev()
            .fold(0, |sum, byte| sum << 8 | usize::from(*byte))
    }

    /// A directory's tags with their numbers, where it ends, and where the next one is.
    fn directory(&self, at: usize) -> (std::collections::BTreeMap<usize, Vec<usize>>, usize, usize) {
        let count = self.number(at, 2);
        let mut end = at + 2 + 12 * count + 4;
        let mut tags = std::collections::BTreeMap::new();
        let mut before = 0;
        for i in 0..count {
            let entry = at + 2 + 12 * i;
            let (tag, kind, count) = (
                self.number(entry, 2),
                self.number(entry + 2, 2),
                self.number(entry + 4, 4),
            );
            assert!(tag > before, "tags are in order");
            before = tag;
            let width = [0, 1, 1, 2, 4, 8, 1, 1, 2, 4, 8, 4, 8][kind];
            let place = match width * count <= 4 {
                true => entry + 8,
                false => self.number(entry + 8, 4),
            };
            end = end.max(place + width * count);
            tags.insert(
                tag,
                (0..count)
                    .map(|i| self.number(place + i * width, width.min(8)))
                    .collect(),
            );
        }
        (tags, end, self.number(at + 2 + 12 * count, 4))
    }
}

/// The rules of GDAL's page of the driver, "Header ghost area", and of OGC 21-026.
#[test]
fn the_layout_is_as_promised() {
    const PROMISES: &str = "LAYOUT=IFDS_BEFORE_DATA\nBLOCK_ORDER=ROW_MAJOR\nBLOCK_LEADER=SIZE_AS_UINT4\n\
                            BLOCK_TRAILER=LAST_4_BYTES_REPEATED\nKNOWN_INCOMPATIBLE_EDITION=NO\n ";
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for (compress, rows, cols) in [("deflate", 1501, 1300), ("zstd", 600, 2000), ("none", 100, 90)] {
        let options = WriteOptions {
            compress: compress.into(),
            level: None,
            ..options("average")
        };
        write(&source(rows, cols), &path, &options).unwrap();
        let file = Bytes(std::fs::read(&path).unwrap());
        assert_eq!(&file.0[..4], b"II\x2a\0");
        let said = format!(
            "GDAL_STRUCTURAL_METADATA_SIZE={:06} bytes\n{PROMISES}",
            PROMISES.len()
        );
        assert_eq!(&file.0[8..8 + said.len()], said.as_bytes());
        let mut images = Vec::new();
        let (mut at, mut end) = (file.number(4, 4), 8 + said.len());
        while at != 0 {
            assert!(at >= end && at < end + 8, "directories follow one another");
            let (tags, last, next) = file.directory(at);
            assert_eq!(tags.contains_key(&254), !images.is_empty());
            images.push(tags);
            (at, end) = (next, last);
        }
        let mut place = end.next_multiple_of(8);
        for (i, tags) in images.iter().enumerate().rev() {
            let (width, length) = (tags[&256][0], tags[&257][0]);
            assert_eq!((length, width), (rows.div_ceil(1 << i), cols.div_ceil(1 << i)));
            assert_eq!((tags[&322][0], tags[&323][0]), (512, 512));
            assert_eq!(tags[&324].len(), width.div_ceil(512) * length.div_ceil(512));
            for (start, bytes) in tags[&324].iter().zip(&tags[&325]) {
                assert_eq!(*start, place + 4, "blocks follow one another");
                assert_eq!(file.number(place, 4), *bytes);
                assert_eq!(
                    file.0[start + bytes - 4..start + bytes],
                    file.0[start + bytes..start + bytes + 4]
                );
                place = start + bytes + 4;
            }
        }
        assert_eq!(place, file.0.len());
        let info = Command::new("gdalinfo").arg(&path).output().unwrap();
        let info = String::from_utf8_lossy(&info.stdout).into_owned();
        assert!(info.contains("LAYOUT=COG"), "{info}");
    }
}

/// Blocks of the first band, then those of the next, row by row; those that are not compressed before the directory, others behind it.
#[test]
fn plain_files_hold_bands_one_after_the_other() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("a.tif");
    for (compress, overviews) in [
        ("none", false),
        ("none", true),
        ("deflate", false),
        ("zstd", true),
    ] {
        for (rows, cols, side) in [(1, 1, 16), (5, 700, 16), (300, 2000, 256), (700, 1025, 512)] {
            for dtype in [DType::F32, DType::U8, DType::I16, DType::U64] {
                let values: Vec<Array2<f32>> = (0..3)
                    .map(|band| {
                        noise(20 + band, rows, cols)
                            .mapv(|v| if v.is_nan() { 7.0 } else { (v * 100.0).floor() })
                    })
                    .collect();
                let bands = values.iter().enumerate().map(|(i, values)| {
                    let mut band = image(&utm_grid(rows, cols), values.clone());
                    band.bands[0].name = format!("band{i}");
                    band
                });
                let source = bands.reduce(|a, b| a.add_bands(&b).unwrap()).unwrap();
                let options = WriteOptions {
                    compress: compress.into(),
                    overviews,
                    dtype: Some(dtype),
                    ..Default::default()
                };
                write(&source, &path, &options).unwrap();
                let dataset = Dataset::open(&path).unwrap();
                for (band, values) in values.iter().enumerate() {
                    let band = dataset.rasterband(band + 1).unwrap();
                    assert_eq!(band.block_size(), (side, side));
                    let read = band
                        .read_as::<f64>((0, 0), (cols, rows), (cols, rows), None)
                        .unwrap();
                    assert!(
                        read.data()
                            .iter()
                            .zip(values)
                            .all(|(got, v)| *got == f64::from(*v))
                    );
                }
                let file = Bytes(std::fs::read(&path).unwrap());
                let mut images = Vec::new();
                let mut at = file.number(4, 4);
                while at != 0 {
                    let (tags, _, next) = file.directory(at);
                    images.push((at, tags));
                    at = next;
                }
                let count = if overviews && rows.max(cols) > 512 { 2 } else { 1 };
                assert!(images.len() >= count && (overviews || images.len() == 1));
                let is_behind = compress == "none" && images.len() == 1;
                let mut place = None;
                for (at, tags) in images.iter().rev() {
                    assert_eq!((tags[&322][0], tags[&284][0], tags[&277][0]), (side, 2, 3));
                    let blocks = tags[&256][0].div_ceil(side) * tags[&257][0].div_ceil(side);
                    assert_eq!((tags[&324].len(), tags[&325].len()), (3 * blocks, 3 * blocks));
                    for (start, bytes) in tags[&324].iter().zip(&tags[&325]) {
                        assert!(
                            place.is_none_or(|place| place == *start),
                            "blocks follow one another"
                        );
                        assert_eq!(start > at, !is_behind);
                        place = Some(start + bytes);
                    }
                }
                assert!(is_behind || place == Some(file.0.len()));
            }
        }
    }
}
