//! Reading and writing: every pixel type, nodata rules, and what is left on disk when something fails.

use ndarray::Array2;
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::file::write::{WriteOptions, write, write_all};
use perilune::raster::{DType, Pixels, Raster, Unit, memory};

use crate::common::*;

fn reopened(path: &std::path::Path) -> Raster {
    open(&path.to_string_lossy(), &OpenOptions::default()).unwrap()
}

fn names(folder: &std::path::Path) -> Vec<String> {
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn every_type_comes_back_with_its_mask() {
    let folder = tempfile::tempdir().unwrap();
    let (rows, cols) = (37, 53);
    let grid = utm_grid(rows, cols);
    for name in DType::NAMES {
        let dtype = DType::parse(name).unwrap();
        if dtype == DType::I8 || dtype.is_complex() {
            continue;
        }
        let mut values = noise(4, rows, cols);
        if !dtype.is_float() {
            values.mapv_inplace(|v| (v * 50.0).round());
        }
        let source = image(&grid, values.clone());
        let path = folder.path().join(format!("{name}.tif"));
        let options = WriteOptions {
            dtype: Some(dtype),
            ..Default::default()
        };
        write(&source, &path, &options).unwrap();
        let back = reopened(&path);
        assert_eq!(back.bands[0].dtype, dtype);
        assert!(back.grid.matches(&grid), "{name}: {} {}", back.grid, grid);
        let got = computed(&back, grid.window(), (16, 16)).swap_remove(0);
        assert_same(&got, &values.mapv(f64::from), name);
    }
    assert_eq!(names(folder.path()).len(), 9, "{:?}", names(folder.path()));
}

#[test]
fn complex_pixels_come_back() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(20, 30);
    let (re, im) = (noise(7, 20, 30), noise(8, 20, 30));
    let z = Array2::from_shape_fn((20, 30), |at| num_complex::Complex32::new(re[at], im[at]));
    let source = memory::from_arrays(
        grid.clone(),
        vec![("z".into(), Pixels::C32(z.clone()), Unit::Unknown)],
    )
    .unwrap();
    let path = folder.path().join("z.tif");
    write(&source, &path, &WriteOptions::default()).unwrap();
    let back = reopened(&path);
    assert_eq!(back.bands[0].dtype, DType::C32);
    let Pixels::C32(got) = back.read(grid.window()).unwrap().swap_remove(0) else {
        panic!("not complex")
    };
    for (a, b) in got.iter().zip(&z) {
        assert!(a == b || (a.re.is_nan() && (b.re.is_nan() || b.im.is_nan())));
    }
}

#[test]
fn the_file_says_what_it_holds() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(40, 40);
    let mut vv = image(&grid, noise(9, 40, 40))
        .with_unit(&Unit::Decibel)
        .rename(&["VV".into()])
        .unwrap();
    vv.time = Some("2024-03-05T06:07:08Z".parse().unwrap());
    let path = folder.path().join("vv.tif");
    let tags = vec![("CAMPAIGN".to_string(), "Etosha".to_string())];
    write(
        &vv,
        &path,
        &WriteOptions {
            tags,
            ..Default::default()
        },
    )
    .unwrap();
    let info = std::process::Command::new("gdalinfo")
        .arg(&path)
        .output()
        .unwrap();
    let info = String::from_utf8_lossy(&info.stdout).into_owned();
    for expected in [
        "CAMPAIGN=Etosha",
        "TIME=2024-03-05T06:07:08Z",
        "Description = VV",
        "Unit Type: dB",
        "STATISTICS_MEAN",
        "NoData Value=nan",
        "COMPRESSION=DEFLATE",
    ] {
        assert!(
            info.contains(expected),
            "gdalinfo does not say {expected}:\n{info}"
        );
    }
    let back = reopened(&path);
    assert_eq!(
        (back.bands[0].name.as_str(), &back.bands[0].unit),
        ("VV", &Unit::Decibel)
    );
}

/// Other programs than GDAL take a block without bytes for an error.
#[test]
fn masked_blocks_are_in_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(1100, 1300);
    let source = image(&grid, Array2::from_elem((1100, 1300), f32::NAN));
    let path = folder.path().join("masked.tif");
    let options = WriteOptions {
        compress: "none".into(),
        ..Default::default()
    };
    write(&source, &path, &options).unwrap();
    assert!(std::fs::metadata(&path).unwrap().len() >= 1100 * 1300 * 4);
}

#[test]
fn a_cloud_optimised_file_is_one() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(1500, 1300);
    let source = image(&grid, noise(11, 1500, 1300));
    let path = folder.path().join("cog.tif");
    write(
        &source,
        &path,
        &WriteOptions {
            format: Some("COG".into()),
            ..Default::default()
        },
    )
    .unwrap();
    let info = std::process::Command::new("gdalinfo")
        .arg(&path)
        .output()
        .unwrap();
    let info = String::from_utf8_lossy(&info.stdout).into_owned();
    assert!(
        info.contains("LAYOUT=COG") && info.contains("Overviews"),
        "{info}"
    );
    assert_eq!(names(folder.path()), ["cog.tif"]);
    let got = computed(&reopened(&path), grid.window(), (512, 512)).swap_remove(0);
    assert_same(&got, &noise(11, 1500, 1300).mapv(f64::from), "cog");
}

#[test]
fn valid_pixels_never_turn_into_nodata() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(1, 3);
    let source = image(
        &grid,
        Array2::from_shape_vec((1, 3), vec![255.0, f32::NAN, 3.0]).unwrap(),
    );
    let path = folder.path().join("u8.tif");
    let u8 = WriteOptions {
        dtype: Some(DType::U8),
        ..Default::default()
    };
    let message = write(&source, &path, &u8).err().unwrap().to_string();
    assert!(
        message.contains("255") && message.contains("nodata") && message.contains("nothing was written"),
        "{message}"
    );
    assert!(names(folder.path()).is_empty());
    write(
        &source,
        &path,
        &WriteOptions {
            nodata: Some(0.0),
            ..u8
        },
    )
    .unwrap();
    let got = computed(&reopened(&path), grid.window(), (1, 3)).swap_remove(0);
    assert!(got[(0, 0)] == 255.0 && got[(0, 1)].is_nan() && got[(0, 2)] == 3.0);
}

#[test]
fn several_files_are_written_in_one_pass() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(64, 64);
    let a = image(&grid, noise(1, 64, 64));
    let b = image(&grid, noise(2, 64, 64));
    let (x, y) = (folder.path().join("x.tif"), folder.path().join("y.tif"));
    write_all(&[
        (a, x.clone(), WriteOptions::default()),
        (b, y.clone(), WriteOptions::default()),
    ])
    .unwrap();
    assert_same(
        &computed(&reopened(&x), grid.window(), (9, 9))[0],
        &noise(1, 64, 64).mapv(f64::from),
        "x",
    );
    assert_same(
        &computed(&reopened(&y), grid.window(), (9, 9))[0],
        &noise(2, 64, 64).mapv(f64::from),
        "y",
    );
}

#[test]
fn a_failure_leaves_the_old_file_and_no_debris() {
    let folder = tempfile::tempdir().unwrap();
    let grid = utm_grid(64, 64);
    let path = folder.path().join("out.tif");
    write(&image(&grid, noise(1, 64, 64)), &path, &WriteOptions::default()).unwrap();
    let before = std::fs::read(&path).unwrap();
    // A source that is cut off in the middle fails while the output is half written.
    let cut = folder.path().join("cut.tif");
    let none = WriteOptions {
        compress: "none".into(),
        ..Default::default()
    };
    write(&image(&utm_grid(600, 600), noise(3, 600, 600)), &cut, &none).unwrap();
    let length = std::fs::metadata(&cut).unwrap().len();
    std::fs::OpenOptions::new()
        .write(true)
        .open(&cut)
        .unwrap()
        .set_len(length / 2)
        .unwrap();
    let message = match open(&cut.to_string_lossy(), &OpenOptions::default()) {
        Ok(half) => write(&half, &path, &WriteOptions::default())
            .err()
            .unwrap()
            .to_string(),
        Err(e) => e.to_string(),
    };
    assert!(message.contains("cut.tif"), "{message}");
    assert_eq!(std::fs::read(&path).unwrap(), before);
    assert_eq!(names(folder.path()), ["cut.tif", "out.tif"]);
}

#[test]
fn unusable_files_say_what_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let missing = open("no/such/file.tif", &OpenOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        missing.contains("no such file: no/such/file.tif") && missing.contains("looked in"),
        "{missing}"
    );
    let empty = folder.path().join("empty.tif");
    std::fs::write(&empty, b"").unwrap();
    assert!(
        open(&empty.to_string_lossy(), &OpenOptions::default())
            .err()
            .unwrap()
            .to_string()
            .contains("is empty")
    );
    let text = folder.path().join("text.tif");
    std::fs::write(&text, b"this is no image").unwrap();
    let message = open(&text.to_string_lossy(), &OpenOptions::default())
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("text.tif") && message.contains("cannot be opened as an image"),
        "{message}"
    );
    let path = folder.path().join("one.tif");
    write(
        &image(&utm_grid(4, 4), noise(1, 4, 4)),
        &path,
        &WriteOptions::default(),
    )
    .unwrap();
    let wrong = OpenOptions {
        bands: Some(vec!["incidence".into()]),
        ..Default::default()
    };
    let message = open(&path.to_string_lossy(), &wrong).err().unwrap().to_string();
    assert!(
        message.contains("no band `incidence`") && message.contains("there are: v"),
        "{message}"
    );
}

#[test]
fn absurd_sizes_fail_before_work_begins() {
    let folder = tempfile::tempdir().unwrap();
    let vrt = folder.path().join("huge.vrt");
    let text = r#"<VRTDataset rasterXSize="2000000000" rasterYSize="2000000000"><VRTRasterBand dataType="Float32" band="1"/></VRTDataset>"#;
    std::fs::write(&vrt, text).unwrap();
    let huge = reopened(&vrt);
    let message = huge.read(huge.grid.window()).err().unwrap().to_string();
    assert!(message.contains("memory limit"), "{message}");
    let none = WriteOptions {
        compress: "none".into(),
        ..Default::default()
    };
    let out = folder.path().join("out.tif");
    assert!(
        write(&huge, &out, &none)
            .err()
            .unwrap()
            .to_string()
            .contains("MiB free")
    );
    assert_eq!(names(folder.path()), ["huge.vrt"]);
}

/// Pixels by differences of bytes, which are decoded past GDAL where windows are whole blocks, as GDAL reads them: whatever the block, the
/// number of bands, the order of bytes, and with blocks that are not there.
#[test]
fn floating_point_predictors_are_undone_as_gdal_does() {
    use gdal::raster::{Buffer, RasterCreationOptions};
    fn check<T: gdal::raster::GdalType + Copy + Into<f64>>(
        dtype: DType,
        of: fn(f32) -> T,
        more: &[&str],
        bands: usize,
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.tif");
        let (rows, cols) = (90, 150);
        let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
        let options = ["COMPRESS=DEFLATE", "PREDICTOR=3"]
            .iter()
            .chain(more)
            .map(|o| o.to_string());
        let options = RasterCreationOptions::from_iter(options);
        let mut dataset = driver
            .create_with_band_type_with_options::<T, _>(&path, cols, rows, bands, &options)
            .unwrap();
        dataset
            .set_geo_transform(&[0.0, 1.0, 0.0, 0.0, 0.0, -1.0])
            .unwrap();
        for band in 1..=bands {
            // Fewer rows than there are: blocks below are left out of sparse files, and 0.
            let values = noise(band as u64, 40, cols).mapv(of).into_raw_vec_and_offset().0;
            let mut buffer = Buffer::new((cols, 40), values);
            dataset
                .rasterband(band)
                .unwrap()
                .write((0, 0), (cols, 40), &mut buffer)
                .unwrap();
        }
        drop(dataset);
        let by_gdal = gdal::Dataset::open(&path).unwrap();
        let ours = reopened(&path);
        assert_eq!(ours.bands[0].dtype, dtype);
        for band in 0..bands {
            let expected = by_gdal.rasterband(band + 1).unwrap();
            let expected = expected
                .read_as::<f64>((0, 0), (cols, rows), (cols, rows), None)
                .unwrap();
            let expected = Array2::from_shape_vec((rows, cols), expected.data().to_vec()).unwrap();
            // Whole blocks, parts of them, and the whole image.
            for tile in [(16, 32), (16, cols), (32, 64), (7, 13), (rows, cols)] {
                let got = &computed(&ours, ours.grid.window(), tile)[band];
                assert_same(
                    got,
                    &expected,
                    &format!("{dtype:?} {more:?} {tile:?} band {}", band + 1),
                );
            }
        }
    }
    let tiles = ["TILED=YES", "BLOCKXSIZE=32", "BLOCKYSIZE=16"];
    let strips = ["BLOCKYSIZE=16"];
    for layout in [tiles.as_slice(), strips.as_slice()] {
        for more in [
            &[][..],
            &["ENDIANNESS=BIG"],
            &["SPARSE_OK=TRUE"],
            &["BIGTIFF=YES"],
        ] {
            let options = [layout, more].concat();
            check(DType::F32, |v| v, &options, 1);
            check(DType::F64, f64::from, &options, 1);
        }
        check(DType::F32, |v| v, &[layout, &["INTERLEAVE=BAND"]].concat(), 2);
        check(DType::F32, |v| v, &[layout, &["INTERLEAVE=PIXEL"]].concat(), 2);
        check(DType::F32, |v| v, &[layout, &["NBITS=16"]].concat(), 1);
    }
}
