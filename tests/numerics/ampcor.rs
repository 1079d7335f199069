//! Amplitude correlation beside recorded output of ISCE2, and on images whose offsets are known.

use std::fs;

use ndarray::Array2;
use perilune::correlation::dense::dense;
use perilune::correlation::gross::{Gross, GrossOffsets};
use perilune::correlation::images::{ImagePair, Input};
use perilune::correlation::method::Method;
use perilune::correlation::points::{Point, at_points};
use perilune::correlation::reason::Reason;
use perilune::correlation::settings::{AmpcorSettings, Extent, Parity};
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::{Pixels, Raster, Unit};
use perilune::table::Table;

use super::common::{assert_tiling_does_not_matter, computed, image, shared, utm_grid};

fn settings(window: usize, search: usize) -> AmpcorSettings {
    AmpcorSettings::new(Extent::new(window, window), Extent::new(search, search))
}

fn open_pair() -> Option<(Raster, Raster)> {
    let folder = shared("oracles/ampcor")?;
    let image = |name: &str| open(&folder.join(name).to_string_lossy(), &OpenOptions::default()).unwrap();
    Some((image("speckle_ref.tif"), image("speckle_sec.tif")))
}

/// The rows of a CSV of numbers, by column name.
fn recorded(name: &str) -> (Vec<String>, Vec<Vec<f64>>) {
    let path = shared("oracles/ampcor").unwrap().join(name);
    let text = fs::read_to_string(path).unwrap();
    let mut lines = text.lines();
    let names = lines.next().unwrap().split(',').map(str::to_string).collect();
    let numbers = |line: &str| line.split(',').map(|v| v.parse().unwrap()).collect();
    (names, lines.map(numbers).collect())
}

fn number(table: &Table, row: usize, name: &str) -> f64 {
    table.value(row, name).unwrap().as_f64().unwrap_or(f64::NAN)
}

fn run(a: &Raster, b: &Raster, points: &[Point], settings: AmpcorSettings) -> Table {
    let pair = ImagePair::new(a, b, Input::AsTheyAre).unwrap();
    at_points(
        &pair,
        points,
        &[Some(Gross::default())],
        &Method::Ampcor(settings),
    )
    .unwrap()
}

/// ISCE2's ampcor, default flags, 20 windows of 128 pixels, search 4, oversampling 64: the same offsets to the bit,
/// signal-to-noise ratios within 3e-5 and covariances within 2e-5 (it sums in single precision, one after the other; so
/// do we in this mode, but for its sums of squares, whose order is not known).
#[test]
fn every_recorded_value_of_isce2_is_reproduced() {
    let Some((a, b)) = open_pair() else { return };
    let (names, rows) = recorded("points_w128_s4_ovs64.csv");
    let column = |name: &str| names.iter().position(|n| n == name).unwrap();
    let points: Vec<Point> = rows
        .iter()
        .enumerate()
        .map(|(i, row)| Point {
            id: i as i64,
            x: row[0] as i64,
            y: row[1] as i64,
        })
        .collect();
    assert_eq!(points.len(), 20);
    let table = run(
        &a,
        &b,
        &points,
        AmpcorSettings {
            parity: Parity::Isce2,
            oversampling: 64,
            ..settings(128, 4)
        },
    );
    for (i, row) in rows.iter().enumerate() {
        let of = |ours: &str, theirs: &str| (number(&table, i, ours), row[column(theirs)]);
        for (ours, theirs) in [of("dx_px", "off_ac"), of("dy_px", "off_dn")] {
            assert_eq!(ours, theirs, "row {i}");
        }
        for ((ours, theirs), tolerance) in [
            (of("snr", "snr"), 3e-5),
            (of("cov_xx", "cov1"), 2e-5),
            (of("cov_yy", "cov2"), 2e-5),
        ] {
            assert!(
                (ours / theirs - 1.0).abs() < tolerance,
                "row {i}: {ours} and {theirs}"
            );
        }
        // Near 0, so relative to the variances that it comes from.
        let (ours, theirs) = of("cov_xy", "cov3");
        assert!(
            (ours - theirs).abs() < 2e-5 * row[column("cov1")],
            "row {i}: {ours} and {theirs}"
        );
        assert_eq!(table.value(i, "reason").unwrap().to_string(), "ok");
    }
}

/// The recorded images are sec(x) = ref(x − d) with d = (+0.30, −0.20) and a coherence of 0.8. The continuous peak is not
/// bound to ISCE2's lattice and closer to the truth on the whole.
#[test]
fn the_default_is_nearer_to_the_truth_than_the_lattice() {
    let Some((a, b)) = open_pair() else { return };
    let points: Vec<Point> = (0..100)
        .map(|i| Point {
            id: i,
            x: 100 + 90 * (i % 10),
            y: 100 + 90 * (i / 10),
        })
        .collect();
    let rms = |parity: Parity| {
        let table = run(
            &a,
            &b,
            &points,
            AmpcorSettings {
                parity,
                oversampling: 64,
                ..settings(64, 4)
            },
        );
        let error = |i: usize| {
            (number(&table, i, "dx_px") - 0.30).powi(2) + (number(&table, i, "dy_px") + 0.20).powi(2)
        };
        ((0..points.len()).map(error).sum::<f64>() / points.len() as f64).sqrt()
    };
    let (ours, theirs) = (rms(Parity::None), rms(Parity::Isce2));
    assert!(ours < theirs && ours < 0.02, "{ours} and {theirs}");
}

/// What the notebook of the reference does: chips of 135 × 135 pixels around a point, and ISCE2's default margins, leave
/// ten windows of 128 pixels, all but one of which reach over the chip; it averages what they give.
#[test]
fn the_mean_of_partly_empty_windows_is_reproduced() {
    let Some((a, b)) = open_pair() else { return };
    let (_, rows) = recorded("notebook_chip135_mean_of_survivors.csv");
    // Upper left corners of the ten windows in the chip, from 0: column i_x − 1, line i_y − 2.
    let corners = [
        (5, 17),
        (11, 11),
        (5, 11),
        (-1, 11),
        (11, 5),
        (5, 5),
        (-1, 5),
        (-7, 5),
        (5, -1),
        (-1, -1),
    ];
    let mut worst = (0f64, 0f64);
    for row in &rows {
        let (x, y) = (row[0] as isize, row[1] as isize);
        let window = perilune::raster::Window::new(y - 67, x - 67, 135, 135);
        let cut = |image: &Raster| perilune::raster::reframe::crop(image, window).unwrap();
        let onto_one = |image: &Raster, grid| perilune::raster::reframe::onto(image, grid).unwrap();
        let (chip_a, chip_b) = (cut(&a), cut(&b));
        let chip_b = onto_one(&chip_b, chip_a.grid.clone());
        let points: Vec<Point> = corners
            .iter()
            .enumerate()
            .map(|(i, &(ix, iy))| Point {
                id: i as i64,
                x: ix - 1 + 64,
                y: iy - 2 + 64,
            })
            .collect();
        let table = run(
            &chip_a,
            &chip_b,
            &points,
            AmpcorSettings {
                parity: Parity::Isce2,
                oversampling: 64,
                ..settings(128, 4)
            },
        );
        let mean = |name: &str| (0..10).map(|i| number(&table, i, name)).sum::<f64>() / 10.0;
        worst.0 = worst
            .0
            .max((mean("dx_px") - row[3]).abs())
            .max((mean("dy_px") - row[5]).abs());
        worst.1 = worst.1.max((mean("snr") / row[6] - 1.0).abs());
    }
    assert!(worst.0 < 1e-6 && worst.1 < 1e-5, "{worst:?}");
}

/// A field of offsets is the offsets at its nodes, whatever the tiles and the threads, masked parts and all, with one gross
/// offset or one for each node.
#[test]
fn dense_fields_do_not_depend_on_tiles() {
    let grid = utm_grid(90, 110);
    let smooth = |r: f64, c: f64| {
        let wave = |k: f64| ((0.9 * (1.3 * k).sin() * c + 0.9 * (0.7 * k).cos() * r + 2.0 * k).sin()) as f32;
        (0..20).map(|k| wave(f64::from(k))).sum::<f32>()
    };
    let mut a = Array2::from_shape_fn((90, 110), |(r, c)| smooth(r as f64, c as f64));
    let b = Array2::from_shape_fn((90, 110), |(r, c)| smooth(r as f64 + 1.3, c as f64 - 2.4));
    a.slice_mut(ndarray::s![30..60, 50..80]).fill(f32::NAN);
    a.slice_mut(ndarray::s![0..30, 0..45]).fill(4.0);
    let pair = ImagePair::new(&image(&grid, a), &image(&grid, b), Input::AsTheyAre).unwrap();
    let method = Method::Ampcor(settings(16, 4));
    let skip = Extent::new(11, 13);
    let field = dense(&pair, &method, skip, &GrossOffsets::Constant(Gross::default())).unwrap();
    assert_eq!((field.grid.rows, field.grid.cols), (7, 8));
    assert_tiling_does_not_matter(&field, "ampcor");

    let points: Vec<Point> = (0..56)
        .map(|i| Point {
            id: i,
            x: 8 + 13 * (i % 8),
            y: 8 + 11 * (i / 8),
        })
        .collect();
    let table = at_points(&pair, &points, &[Some(Gross::default())], &method).unwrap();
    let bands = computed(&field, field.grid.window(), (7, 8));
    let mut reasons = std::collections::BTreeSet::new();
    for (index, name) in field.band_names().into_iter().enumerate() {
        for i in 0..56 {
            let there = bands[index][(i / 8, i % 8)];
            if name == "reason" {
                let word = table.value(i, name).unwrap().to_string();
                assert_eq!(Reason::ALL[there as usize].name(), word);
                reasons.insert(word);
                continue;
            }
            let here = number(&table, i, name);
            assert!(
                there == f64::from(here as f32) || (there.is_nan() && here.is_nan()),
                "{name} {i}"
            );
        }
    }
    assert!(
        ["ok", "nodata", "low_signal"]
            .iter()
            .all(|r| reasons.contains(*r)),
        "{reasons:?}"
    );

    let nodes = Array2::from_shape_fn((7, 8), |(r, c)| {
        if r == 3 && c == 7 {
            f32::NAN
        } else {
            (c % 3) as f32
        }
    });
    let gross = perilune::raster::memory::from_arrays(
        field.grid.clone(),
        vec![
            ("dx_px".into(), Pixels::F32(nodes.clone()), Unit::Unknown),
            (
                "dy_px".into(),
                Pixels::F32(nodes.mapv(|v| v - 2.0)),
                Unit::Unknown,
            ),
        ],
    )
    .unwrap();
    let guided = dense(&pair, &method, skip, &GrossOffsets::Raster(gross)).unwrap();
    assert_tiling_does_not_matter(&guided, "ampcor with gross offsets");
    let (dx, guided_dx) = (&bands[0], &computed(&guided, guided.grid.window(), (7, 8))[0]);
    assert!(guided_dx[(3, 7)].is_nan());
    let mut both = 0;
    for (x, y) in dx.iter().zip(guided_dx) {
        if x.is_finite() && y.is_finite() {
            assert!((x - y).abs() < 0.05, "{x} {y}");
            both += 1;
        }
    }
    assert!(both > 15, "{both}");
}
