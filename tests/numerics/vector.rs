//! Burning against GDAL's rasterizer and against slow loops, zonal statistics against whole masks, real vector files.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use gdal::raster::rasterize as gdal_burn;
use gdal::raster::{OptimizeMode, RasterizeOptions};
use geo::Intersects;
use ndarray::Array2;
use perilune::raster::{
    Affine, Band, Crs, DType, Grid, Operation, Pixels, Port, Raster, Unit, View, Window, memory,
};
use perilune::table::{Aggregation, Value};
use perilune::vector::*;
use proptest::prelude::*;

use crate::common::shared;

/// What GDAL burns for the same geometries, in order, on the same grid.
fn by_gdal(features: &Features, grid: &Grid, all_touched: bool) -> Array2<f32> {
    static NEXT: AtomicUsize = AtomicUsize::new(0);
    let name = format!("/vsimem/by_gdal_{}.tif", NEXT.fetch_add(1, Ordering::Relaxed));
    let driver = gdal::DriverManager::get_driver_by_name("GTiff").unwrap();
    let mut dataset = driver
        .create_with_band_type::<f32, _>(&name, grid.cols, grid.rows, 1)
        .unwrap();
    dataset.set_geo_transform(&grid.transform.to_gdal()).unwrap();
    let geometries: Vec<_> = features
        .geometries()
        .map(|g| gdal::vector::Geometry::from_wkt(&g.to_wkt()).unwrap())
        .collect();
    let values: Vec<f64> = (1..=geometries.len()).map(|i| i as f64).collect();
    // The scanline method: the other one fills polygons by the same rule, feature by feature.
    let options = RasterizeOptions {
        all_touched,
        optimize: OptimizeMode::Raster,
        ..Default::default()
    };
    gdal_burn(&mut dataset, &[1], &geometries, &values, Some(options)).unwrap();
    let band = dataset.rasterband(1).unwrap();
    let buffer = band
        .read_as::<f32>((0, 0), (grid.cols, grid.rows), (grid.cols, grid.rows), None)
        .unwrap();
    Array2::from_shape_vec((grid.rows, grid.cols), buffer.data().to_vec()).unwrap()
}

fn by_us(features: &Features, grid: &Grid, window: Window, all_touched: bool) -> Array2<f32> {
    let options = BurnOptions {
        value: BurnValue::Index,
        background: 0.0,
        all_touched,
    };
    rasterize(features, grid, window, &options).unwrap()
}

fn differing(a: &Array2<f32>, b: &Array2<f32>) -> usize {
    a.iter().zip(b).filter(|(a, b)| a != b).count()
}

fn wkt(shapes: &[String]) -> Features {
    Features::from_geometries(shapes.iter().map(|s| Geometry::from_wkt(s).unwrap()).collect()).unwrap()
}

fn grid(rows: usize, cols: usize) -> Grid {
    // Origin and pixel size without short binary fractions, north up.
    Grid::new(None, Affine::north_up(-17.3, 41.7, 0.37, 0.59), rows, cols).unwrap()
}

#[test]
fn countries_as_gdal_burns_them() {
    let Some(path) = shared("natural_earth/ne_110m_admin_0_countries.geojson") else {
        return;
    };
    let features = Features::read(&path, &ReadOptions::default()).unwrap();
    assert_eq!(features.len(), 177);
    for (dx, dy) in [(0.5, 0.5), (0.77, 0.31)] {
        let (rows, cols) = ((180.0 / dy) as usize, (360.0 / dx) as usize);
        let grid = Grid::new(
            features.crs.clone(),
            Affine::north_up(-180.0, 90.0, dx, dy),
            rows,
            cols,
        )
        .unwrap();
        let ours = by_us(&features, &grid, grid.window(), false);
        let theirs = by_gdal(&features, &grid, false);
        let covered = theirs.iter().filter(|v| **v > 0.0).count();
        println!(
            "{rows} × {cols}: {covered} pixels covered, {} differ",
            differing(&ours, &theirs)
        );
        assert!(covered > rows * cols / 4);
        assert_eq!(differing(&ours, &theirs), 0);
        let ours = by_us(&features, &grid, grid.window(), true);
        let theirs = by_gdal(&features, &grid, true);
        let differ = differing(&ours, &theirs);
        println!("all touched: {differ} differ");
        // Edges that run exactly along pixel edges or through corners are GDAL's to decide by epsilon.
        assert!(differ < rows * cols / 2000, "{differ}");
    }
}

#[test]
fn glaciers_as_gdal_burns_them() {
    let Some(path) = shared("optical/geoutils/15_rgi60_glacier_outlines_test.gpkg") else {
        return;
    };
    let glaciers = Features::read(&path, &ReadOptions::default()).unwrap();
    let utm = glaciers.to_crs(&Crs::parse("EPSG:32645").unwrap(), None).unwrap();
    let b = utm.bounds().unwrap();
    let (rows, cols) = (
        (b.height() / 30.0).ceil() as usize,
        (b.width() / 30.0).ceil() as usize,
    );
    let grid = Grid::new(
        utm.crs.clone(),
        Affine::north_up(b.min_x, b.max_y, 30.0, 30.0),
        rows,
        cols,
    )
    .unwrap();
    for all_touched in [false, true] {
        let ours = by_us(&utm, &grid, grid.window(), all_touched);
        assert_eq!(
            differing(&ours, &by_gdal(&utm, &grid, all_touched)),
            0,
            "all touched: {all_touched}"
        );
        // Features in longitude and latitude are transformed on the way.
        assert_eq!(
            differing(&ours, &by_us(&glaciers, &grid, grid.window(), all_touched)),
            0
        );
    }
    // The pixels' area is the polygons' to within their edges.
    let pixels = by_us(&utm, &grid, grid.window(), false)
        .iter()
        .filter(|v| **v > 0.0)
        .count() as f64
        * 900.0;
    let area: f64 = utm.geometries().map(|g| g.area()).sum();
    assert!((pixels / area - 1.0).abs() < 0.01, "{pixels} {area}");
}

#[test]
fn lines_and_points_as_gdal_burns_them() {
    let mut shapes = Vec::new();
    let mut seed = 12345u64;
    let mut random = || {
        seed = seed
            .wrapping_mul(6364136223846793005)
            .wrapping_add(1442695040888963407);
        (seed >> 33) as f64 / (1u64 << 31) as f64
    };
    for _ in 0..60 {
        // Some vertices lie outside the grid.
        let mut vertex = || format!("{} {}", -25.0 + 50.0 * random(), 15.0 + 40.0 * random());
        shapes.push(format!("LINESTRING ({}, {}, {})", vertex(), vertex(), vertex()));
        shapes.push(format!("MULTIPOINT ({}, {})", vertex(), vertex()));
    }
    let (features, grid) = (wkt(&shapes), grid(53, 71));
    let ours = by_us(&features, &grid, grid.window(), false);
    assert_eq!(differing(&ours, &by_gdal(&features, &grid, false)), 0);
    let ours = by_us(&features, &grid, grid.window(), true);
    let theirs = by_gdal(&features, &grid, true);
    println!(
        "all touched lines: {} of {} differ",
        differing(&ours, &theirs),
        ours.len()
    );
    assert!(differing(&ours, &theirs) < 10);
}

/// Shapes around a grid of 20 × 25 pixels; coordinates with and without exact meetings of pixel edges.
fn shapes() -> impl Strategy<Value = Vec<String>> {
    let coordinate = |low: f64, high: f64| {
        prop_oneof![
            3 => (low..high).boxed(),
            1 => ((low * 2.0) as i32..(high * 2.0) as i32).prop_map(|i| f64::from(i) / 2.0).boxed(),
        ]
    };
    let vertex = (coordinate(-5.0, 30.0), coordinate(-5.0, 25.0)).prop_map(|(x, y)| format!("{x} {y}"));
    let ring = |v: Vec<String>| format!("({}, {})", v.join(", "), v[0]);
    let shape = prop_oneof![
        prop::collection::vec(vertex.clone(), 3..8).prop_map(move |v| format!("POLYGON ({})", ring(v))),
        prop::collection::vec(vertex.clone(), 2..5).prop_map(|v| format!("LINESTRING ({})", v.join(", "))),
        vertex.prop_map(|v| format!("POINT ({v})")),
    ];
    prop::collection::vec(shape, 1..4)
}

fn unit_grid() -> Grid {
    Grid::new(
        None,
        Affine {
            x0: 0.0,
            dx: 1.0,
            rx: 0.0,
            y0: 0.0,
            ry: 0.0,
            dy: 1.0,
        },
        20,
        25,
    )
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_window_is_a_crop_of_the_whole(shapes in shapes(), all_touched: bool, row in -3isize..20, col in -3isize..25, rows in 1usize..20, cols in 1usize..20) {
        let (features, grid) = (wkt(&shapes), unit_grid());
        let whole_window = Window::new(-10, -10, 60, 60);
        let whole = by_us(&features, &grid, whole_window, all_touched);
        let window = Window::new(row, col, rows, cols);
        let part = by_us(&features, &grid, window, all_touched);
        for ((r, c), v) in part.indexed_iter() {
            prop_assert_eq!(*v, whole[((row + 10) as usize + r, (col + 10) as usize + c)]);
        }
    }

    #[test]
    fn polygons_enclose_their_centres(shapes in prop::collection::vec((0.01f64..25.0, 0.01f64..20.0), 3..9)) {
        // Even-odd by a ray to the left, for every pixel.
        let grid = unit_grid();
        let ring: Vec<String> = shapes.iter().chain(&shapes[..1]).map(|(x, y)| format!("{x} {y}")).collect();
        let burnt = by_us(&wkt(&[format!("POLYGON (({}))", ring.join(", "))]), &grid, grid.window(), false);
        for ((row, col), v) in burnt.indexed_iter() {
            let (x, y) = (col as f64 + 0.5, row as f64 + 0.5);
            let mut inside = false;
            for i in 0..shapes.len() {
                let ((x0, y0), (x1, y1)) = (shapes[i], shapes[(i + 1) % shapes.len()]);
                if (y0 <= y) != (y1 <= y) && x0 + (y - y0) * (x1 - x0) / (y1 - y0) < x {
                    inside = !inside;
                }
            }
            prop_assert_eq!(*v > 0.0, inside, "row {} col {}", row, col);
        }
    }

    #[test]
    fn all_touched_is_what_meets_a_pixel(triangle in prop::collection::vec((0.01f64..25.0, 0.01f64..20.0), 3..4), as_line: bool) {
        let grid = unit_grid();
        let ring: Vec<String> = triangle.iter().chain(&triangle[..1]).map(|(x, y)| format!("{x} {y}")).collect();
        let text = match as_line {
            true => format!("LINESTRING ({})", ring.join(", ")),
            false => format!("POLYGON (({}))", ring.join(", ")),
        };
        let features = wkt(&[text]);
        let shape = features.features[0].shape().unwrap();
        let burnt = by_us(&features, &grid, grid.window(), true);
        for ((row, col), v) in burnt.indexed_iter() {
            let pixel = geo::Rect::new((col as f64, row as f64), (col as f64 + 1.0, row as f64 + 1.0)).to_polygon();
            // Random coordinates do not meet pixel edges exactly.
            prop_assert_eq!(*v > 0.0, shape.intersects(&pixel), "row {} col {}", row, col);
        }
    }

    #[test]
    fn neighbours_share_no_pixel_and_leave_none_out(xs in prop::collection::vec(0u8..50, 4), y in 0u8..40) {
        // Two polygons on either side of one broken line, vertices at pixel edges and centres.
        let x: Vec<f64> = xs.iter().map(|x| f64::from(*x) / 2.0).collect();
        let line = format!("{} 0, {} {}, {} 15, {} 20", x[0], x[1], f64::from(y) / 4.0, x[2], x[3]);
        let left = format!("POLYGON ((-1 0, {line}, -1 20, -1 0))");
        let right = format!("POLYGON ((26 0, {line}, 26 20, 26 0))");
        let grid = unit_grid();
        let sum = by_us(&wkt(&[left]), &grid, grid.window(), false) + by_us(&wkt(&[right]), &grid, grid.window(), false);
        prop_assert!(sum.iter().all(|v| *v == 1.0));
    }
}

#[test]
fn edges_on_pixel_edges_take_the_pixels_inside_only() {
    let grid = unit_grid();
    let square = wkt(&["POLYGON ((2 3, 5 3, 5 7, 2 7, 2 3))".into()]);
    for all_touched in [false, true] {
        let burnt = by_us(&square, &grid, grid.window(), all_touched);
        for ((row, col), v) in burnt.indexed_iter() {
            assert_eq!(
                *v > 0.0,
                (3..7).contains(&row) && (2..5).contains(&col),
                "{row} {col}"
            );
        }
    }
    // A line between two rows burns the lower ones (right ones between columns), with its ends.
    let line = wkt(&["LINESTRING (2 3, 5 3)".into()]);
    let burnt = by_us(&line, &grid, grid.window(), true);
    assert_eq!(
        burnt
            .indexed_iter()
            .filter(|(_, v)| **v > 0.0)
            .map(|(at, _)| at)
            .collect::<Vec<_>>(),
        [(3, 2), (3, 3), (3, 4), (3, 5)]
    );
}

#[test]
fn values_order_and_background() {
    let mut features = wkt(&[
        "POLYGON ((0 0, 4 0, 4 4, 0 4, 0 0))".into(),
        "POLYGON ((2 0, 6 0, 6 4, 2 4, 2 0))".into(),
        "POINT (0.5 0.5)".into(),
        "POLYGON EMPTY".into(),
    ]);
    for (feature, value) in features.features.iter_mut().zip([
        Value::Integer(16777217),
        Value::Bool(true),
        Value::Missing,
        Value::Float(9.5),
    ]) {
        feature.properties.set("v", value);
    }
    let grid = unit_grid();
    let options = BurnOptions {
        value: BurnValue::Property("v".into()),
        background: -1.0,
        all_touched: false,
    };
    let operation = Rasterize::new(&features, &grid, &options).unwrap();
    // 2^24 + 1 needs a double.
    let Pixels::F64(burnt) = operation.compute(Window::new(0, 0, 5, 7), &[]).unwrap().remove(0) else {
        panic!()
    };
    assert_eq!(
        burnt.row(1).to_vec(),
        [16777217.0, 16777217.0, 1.0, 1.0, 1.0, 1.0, -1.0]
    );
    assert!(burnt[(0, 0)].is_nan());
    assert!(burnt.row(4).iter().all(|v| *v == -1.0));
    let error = |name: &str| {
        rasterize(
            &features,
            &grid,
            grid.window(),
            &BurnOptions {
                value: BurnValue::Property(name.into()),
                ..options.clone()
            },
        )
        .unwrap_err()
        .to_string()
    };
    assert_eq!(error("w"), "no property `w`; did you mean `v`?");
    features.features[1].properties.set("v", Value::Text("x".into()));
    let error = rasterize(&features, &grid, grid.window(), &options)
        .unwrap_err()
        .to_string();
    assert_eq!(
        error,
        "property `v` of feature 2 must be a number or boolean to burn, got a string (`x`)"
    );
}

#[test]
fn only_tiles_that_zones_reach_are_computed() {
    /// Ones, and how many of them were asked for.
    struct Counted(Arc<AtomicUsize>);
    impl Operation for Counted {
        fn describe(&self) -> perilune::error::Result<perilune::raster::describe::Description> {
            Err(perilune::error::Error::message("a thing of this test alone"))
        }
        fn name(&self) -> String {
            "counted".into()
        }
        fn needs(&self, _: usize, out: Window) -> Window {
            out
        }
        fn compute(&self, out: Window, _: &[View<'_>]) -> perilune::error::Result<Vec<Pixels>> {
            self.0.fetch_add(out.len(), Ordering::Relaxed);
            Ok(vec![Pixels::F32(Array2::from_elem((out.rows, out.cols), 1.0))])
        }
    }
    let computed = Arc::new(AtomicUsize::new(0));
    let grid = Arc::new(Grid::new(None, Affine::north_up(0.0, 4096.0, 1.0, 1.0), 4096, 4096).unwrap());
    let port = Port::tiles(&grid, Arc::new(Counted(computed.clone())), Vec::new()).swap_remove(0);
    let band = Band {
        name: "one".into(),
        dtype: DType::F32,
        unit: Unit::Unknown,
        nodata: None,
        port,
    };
    let image = Raster::new(grid, vec![band]);
    // Corners of the image: what holds them both is all of it.
    let square = |x: f64, y: f64| {
        format!(
            "POLYGON (({x} {y}, {} {y}, {} {}, {x} {}, {x} {y}))",
            x + 60.0,
            x + 60.0,
            y + 60.0,
            y + 60.0
        )
    };
    let zones = wkt(&[square(10.0, 10.0), square(4000.0, 4000.0)]);
    let table = zonal_statistics(&image, &zones, &ZonalOptions::default()).unwrap();
    for zone in 0..2 {
        assert_eq!(table.value(zone, "count").unwrap().as_f64(), Some(3600.0));
    }
    let computed = computed.load(Ordering::Relaxed);
    assert!(computed <= 2 * 512 * 512, "{computed} pixels");
}

#[test]
fn zonal_statistics_of_overlapping_zones() {
    let grid = Arc::new(grid(90, 130));
    let values = Array2::from_shape_fn((90, 130), |(r, c)| match (r * 7 + c * 13) % 11 {
        0 => f32::NAN,
        _ => ((r * 31 + c * 17) % 101) as f32 * 0.37 - 5.0,
    });
    let classes = Array2::from_shape_fn((90, 130), |(r, c)| ((r / 10 + c / 10) % 4) as f32);
    let image = memory::from_arrays(
        grid.clone(),
        vec![
            ("v".into(), Pixels::F32(values.clone()), Unit::Unknown),
            ("k".into(), Pixels::F32(classes.clone()), Unit::Unknown),
        ],
    )
    .unwrap();
    let b = grid.bounds();
    let at = |fx: f64, fy: f64| format!("{} {}", b.min_x + fx * b.width(), b.min_y + fy * b.height());
    let mut zones = wkt(&[
        format!(
            "POLYGON (({}, {}, {}, {}))",
            at(-0.2, 0.1),
            at(0.7, 0.2),
            at(0.5, 1.3),
            at(-0.2, 0.1)
        ),
        format!(
            "POLYGON (({}, {}, {}, {}))",
            at(0.3, 0.3),
            at(0.9, 0.2),
            at(0.6, 0.8),
            at(0.3, 0.3)
        ),
        format!(
            "POLYGON (({}, {}, {}, {}))",
            at(2.0, 2.0),
            at(3.0, 2.0),
            at(2.5, 3.0),
            at(2.0, 2.0)
        ),
        format!("LINESTRING ({}, {})", at(0.1, 0.9), at(0.8, 0.05)),
    ]);
    for (i, f) in zones.features.iter_mut().enumerate() {
        f.properties.set("name", Value::Text(format!("zone {i}")));
        f.properties.set("v_max", Value::Integer(i as i64));
    }
    let statistics = ["count", "sum", "mean", "std", "min", "max", "median", "p90"];
    let options = ZonalOptions {
        statistics: statistics
            .iter()
            .map(|s| Aggregation::parse(s).unwrap())
            .collect(),
        classes: false,
        all_touched: false,
    };
    let table = zonal_statistics(&image, &zones, &options).unwrap();
    assert_eq!(table.rows(), 4);
    for zone in 0..4 {
        let one = Features::new(vec![zones.features[zone].clone()], None);
        let mask = by_us(&one, &grid, grid.window(), false);
        let mut inside: Vec<f64> = values
            .iter()
            .zip(&mask)
            .filter(|(v, m)| **m > 0.0 && v.is_finite())
            .map(|(v, _)| f64::from(*v))
            .collect();
        inside.sort_by(f64::total_cmp);
        let n = inside.len() as f64;
        assert_eq!(inside.is_empty(), zone == 2);
        let get = |name: &str| table.value(zone, name).unwrap().as_f64();
        assert_eq!(get("v_count"), Some(n));
        if inside.is_empty() {
            assert_eq!(
                (get("v_sum"), get("v_mean"), get("v_median")),
                (Some(0.0), None, None)
            );
            continue;
        }
        let mean = inside.iter().sum::<f64>() / n;
        let std = (inside.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
        let rank = |p: f64| {
            let at = p * (n - 1.0);
            let (low, high) = (inside[at.floor() as usize], inside[at.ceil() as usize]);
            low + (high - low) * at.fract()
        };
        let close = |name: &str, expected: f64| {
            assert!(
                (get(name).unwrap() - expected).abs() < 1e-9,
                "{zone} {name} {:?} {expected}",
                get(name)
            )
        };
        close("v_sum", inside.iter().sum());
        close("v_mean", mean);
        close("v_std", std);
        close("v_min", inside[0]);
        close("v_max_2", inside[inside.len() - 1]);
        close("v_median", rank(0.5));
        close("v_p90", rank(0.9));
    }
    // Classes, and the same numbers whatever the tiles.
    let options = ZonalOptions {
        classes: true,
        ..options
    };
    let accumulate = |tile: usize| {
        let zonal = ZonalAccumulator::new(
            &zones,
            &grid,
            &["v", "k"],
            &ZonalOptions {
                classes: false,
                ..options.clone()
            },
        )
        .unwrap();
        let mut windows = Vec::new();
        for row in (0..90).step_by(tile) {
            for col in (0..130).step_by(tile + 3) {
                windows.push(Window::new(row, col, tile, tile + 3).intersect(&grid.window()));
            }
        }
        windows.reverse();
        for w in windows {
            let crop = |a: &Array2<f32>| {
                Pixels::F32(
                    a.slice(ndarray::s![w.row..w.row_end(), w.col..w.col_end()])
                        .to_owned(),
                )
            };
            zonal.add_tile(w, &[crop(&values), crop(&classes)]).unwrap();
        }
        zonal.finish().unwrap()
    };
    let csv = |t: &perilune::table::Table| t.to_csv(&Default::default()).unwrap();
    assert_eq!(csv(&accumulate(1000)), csv(&accumulate(7)));
    assert_eq!(csv(&accumulate(31)), csv(&accumulate(7)));
    let classes_only = zonal_statistics(
        &image.select(&["k".into()]).unwrap(),
        &zones,
        &ZonalOptions {
            statistics: vec![],
            ..options.clone()
        },
    )
    .unwrap();
    for zone in 0..4 {
        let mask = by_us(
            &Features::new(vec![zones.features[zone].clone()], None),
            &grid,
            grid.window(),
            false,
        );
        for class in 0..4 {
            let n = classes
                .iter()
                .zip(&mask)
                .filter(|(v, m)| **m > 0.0 && **v == class as f32)
                .count();
            assert_eq!(
                classes_only.value(zone, &format!("class_{class}")).unwrap(),
                Value::Integer(n as i64)
            );
        }
    }
    let error = zonal_statistics(&image, &zones, &options)
        .unwrap_err()
        .to_string();
    assert!(error.starts_with("classes must be whole numbers"), "{error}");
}
