//! Figures against pictures that were looked at and found good. `PERILUNE_BLESS=1` replaces the stored ones: look at
//! them before keeping them.

use std::path::{Path, PathBuf};

use ndarray::Array2;
use perilune::plot::*;
use perilune::raster::{Affine, Bounds, Crs, Grid};

fn golden(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/golden")
        .join(name)
}

fn blessing() -> bool {
    std::env::var("PERILUNE_BLESS").is_ok_and(|v| v == "1")
}

fn decode(bytes: &[u8]) -> (u32, u32, Vec<u8>) {
    let mut reader = png::Decoder::new(std::io::Cursor::new(bytes))
        .read_info()
        .unwrap();
    let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
    let info = reader.next_frame(&mut pixels).unwrap();
    (info.width, info.height, pixels)
}

/// The largest mean difference of a block of 8 × 8 pixels, of 255: a mark may be small.
fn largest_in_a_block(width: usize, a: &[u8], b: &[u8]) -> f64 {
    const SIDE: usize = 8;
    let across = width.div_ceil(SIDE);
    let channels = 4;
    let mut sums = vec![0u64; across * (a.len() / (width * channels)).div_ceil(SIDE)];
    for (i, (a, b)) in a.iter().zip(b).enumerate() {
        let pixel = i / channels;
        sums[pixel / width / SIDE * across + pixel % width / SIDE] += u64::from(a.abs_diff(*b));
    }
    // Opaque everywhere: the fourth channel says nothing.
    let most = sums.into_iter().max().unwrap_or(0);
    most as f64 / (SIDE * SIDE * (channels - 1)) as f64
}

/// Three pixels of a block may be wholly others.
const IN_A_BLOCK: f64 = 12.0;

/// Rounding differs between processors: means may differ by one step of 256, and few pixels by much.
fn compare(name: &str, figure: &Figure) {
    let bytes = figure.picture().unwrap().png(Some(figure.dpi)).unwrap();
    let path = golden(name);
    if blessing() {
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &bytes).unwrap();
    }
    let (width, height, pixels) = decode(&bytes);
    let (golden_width, golden_height, golden_pixels) = decode(&std::fs::read(&path).unwrap());
    assert_eq!((width, height), (golden_width, golden_height), "size of {name}");
    assert_eq!(pixels.len(), golden_pixels.len(), "channels of {name}");
    let differences: Vec<f64> = pixels
        .iter()
        .zip(&golden_pixels)
        .map(|(a, b)| f64::from(a.abs_diff(*b)))
        .collect();
    let mean = differences.iter().sum::<f64>() / differences.len() as f64;
    let far = differences.iter().filter(|d| **d > 64.0).count() as f64 / differences.len() as f64;
    let somewhere = largest_in_a_block(width as usize, &pixels, &golden_pixels);
    if mean > 1.0 || far > 0.004 || somewhere > IN_A_BLOCK {
        let actual = std::env::temp_dir().join(name);
        std::fs::write(&actual, &bytes).unwrap();
        panic!(
            "{name} differs from {}: mean {mean:.2} of 255, {:.2} % of values by more than 64, {somewhere:.1} in a block of 8 × 8; \
             what came out is {}",
            path.display(),
            100.0 * far,
            actual.display()
        );
    }
}

fn grid(crs: &str, x: f64, y: f64, pixel: f64, rows: usize, cols: usize) -> Option<Grid> {
    let crs = Crs::parse(crs).unwrap();
    Some(Grid::new(Some(crs), Affine::north_up(x, y, pixel, pixel), rows, cols).unwrap())
}

/// A smooth field with a hole.
fn field(rows: usize, cols: usize, phase: f64) -> Array2<f32> {
    Array2::from_shape_fn((rows, cols), |(r, c)| {
        let (y, x) = (r as f64 / rows as f64, c as f64 / cols as f64);
        if (x - 0.7).hypot(y - 0.3) < 0.12 {
            return f32::NAN;
        }
        (-12.0 + 6.0 * (6.0 * x + phase).sin() * (4.0 * y).cos() + 3.0 * y) as f32
    })
}

fn figure_of(axes: Axes) -> Figure {
    let mut figure = Figure::of(axes);
    (figure.width, figure.dpi) = (Some(4.0), 80.0);
    figure
}

fn map() -> Axes {
    map_in(Colormap::default())
}

fn map_in(colormap: Colormap) -> Axes {
    let mut image = Image::new(
        field(90, 120, 0.0),
        grid("EPSG:32611", 600_000.0, 3_780_000.0, 100.0, 90, 120),
    );
    image.stretch = Stretch::Percentiles(2.0, 98.0);
    image.colormap = colormap;
    let mut axes = Axes::map(Coordinates::Map);
    axes.title = "σ⁰ of a field".into();
    axes.add(image);
    axes.color_bar = Some(ColorBar::new("Backscatter (dB)"));
    axes.scale_bar = Some(Corner::LowerLeft);
    axes
}

#[test]
fn map_in_kilometres() {
    compare("map.png", &figure_of(map()));
}

#[test]
fn map_with_longitudes_and_latitudes() {
    let mut axes = map();
    axes.kind = AxesKind::Map(Coordinates::LonLat);
    axes.grid = true;
    let mut area = Polygons::rectangle(Bounds {
        min_x: -115.88,
        min_y: 34.1,
        max_x: -115.84,
        max_y: 34.13,
    });
    area.color = Some(Color::parse("red").unwrap());
    area.label = "area".into();
    axes.add_in(Crs::wgs84().unwrap(), area);
    let mut note = Note::new(-115.86, 34.135, "site");
    note.halo = Some(Color::WHITE);
    note.anchor = Anchor::Middle;
    axes.add_in(Crs::wgs84().unwrap(), note);
    compare("map_lonlat.png", &figure_of(axes));
}

#[test]
fn polar_map_with_a_graticule() {
    let mut image = Image::new(
        field(80, 80, 1.0),
        grid("EPSG:3031", -1_700_000.0, -200_000.0, 5000.0, 80, 80),
    );
    image.colormap = Colormap::named("turbo").unwrap();
    let mut axes = Axes::map(Coordinates::LonLat);
    axes.grid = true;
    axes.add(image);
    axes.color_bar = Some(ColorBar {
        label: "Speed (m/yr)".into(),
        side: Side::Bottom,
    });
    axes.scale_bar = Some(Corner::UpperRight);
    compare("polar.png", &figure_of(axes));
}

#[test]
fn small_multiples_with_one_colour_bar() {
    let mut figure = Figure::new(2, 2);
    (figure.width, figure.dpi) = (Some(4.5), 80.0);
    figure.title = "Four dates".into();
    figure.letters = true;
    figure.color_bar = Some(ColorBar::new("γ⁰ (dB)"));
    for (i, title) in ["1 May", "13 May", "25 May", "6 June"].into_iter().enumerate() {
        let values = field(60, 80, i as f64);
        let mut image = Image::new(values, grid("EPSG:32611", 600_000.0, 3_780_000.0, 100.0, 60, 80));
        image.colormap = Colormap::named("magma").unwrap();
        image.stretch = Stretch::Percentiles(5.0, 95.0);
        let mut axes = Axes::map(Coordinates::Map);
        axes.title = title.into();
        axes.add(image);
        figure.axes.push(axes);
    }
    compare("multiples.png", &figure);
}

#[test]
fn classes_with_a_legend() {
    let values = field(60, 60, 0.5).map(|v| {
        if v.is_finite() {
            ((v + 18.0) / 4.0).floor()
        } else {
            *v
        }
    });
    let classes = ["water", "bare soil", "crops", "forest", "city"]
        .into_iter()
        .enumerate()
        .map(|(i, name)| Class {
            value: i as i64,
            name: name.into(),
            color: Color::cycle(i),
        })
        .collect();
    let mut axes = Axes::map(Coordinates::Map);
    axes.add(Classes {
        values,
        grid: grid("EPSG:4326", 10.0, 52.0, 0.001, 60, 60),
        classes,
    });
    axes.scale_bar = Some(Corner::LowerRight);
    compare("classes.png", &figure_of(axes));
}

#[test]
fn red_green_blue_without_coordinates() {
    let bands = [0.0, 1.0, 2.0].map(|phase| field(50, 80, phase));
    let mut axes = Axes::map(Coordinates::None);
    axes.title = "Composite".into();
    axes.add(Rgb::new(bands, None));
    let mut figure = figure_of(axes);
    figure.width = Some(2.5);
    compare("rgb.png", &figure);
}

fn charts() -> Figure {
    let mut figure = Figure::new(2, 2);
    (figure.width, figure.height, figure.dpi) = (Some(6.4), Some(4.6), 80.0);
    let mut histogram = Axes::chart();
    for (i, (phase, label)) in [(0.0, "VV"), (2.0, "VH")].into_iter().enumerate() {
        let values: Vec<f32> = field(80, 80, phase).iter().map(|v| v - 6.0 * i as f32).collect();
        let mut bars = Histogram::of(values, 40, Some((-30.0, 0.0))).unwrap();
        bars.label = label.into();
        bars.filled = i == 0;
        bars.opacity = 0.7;
        histogram.add(bars);
    }
    let mut threshold = Guide::new(-17.0, true);
    threshold.label = "threshold".into();
    histogram.add(threshold);
    (histogram.x.label, histogram.y.label) = ("Backscatter (dB)".into(), "Pixels".into());
    figure.axes.push(histogram);

    let mut series = Axes::chart();
    // Every twelve days from 1 October 2020.
    let x: Vec<f64> = (0..16)
        .map(|i| 1_601_510_400.0 + f64::from(i) * 12.0 * 86_400.0)
        .collect();
    let y: Vec<f64> = (0..16).map(|i| -12.0 + (f64::from(i) * 0.6).sin()).collect();
    series.add(Band {
        x: x.clone(),
        low: y.iter().map(|v| v - 0.8).collect(),
        high: y.iter().map(|v| v + 0.8).collect(),
        label: String::new(),
        color: Some(Color::cycle(0)),
        opacity: 0.2,
    });
    let mut line = Line::new(x.clone(), y.clone());
    line.color = Some(Color::cycle(0));
    line.marker = Some(Marker::Circle);
    line.label = "field".into();
    series.add(line);
    let mut bars = ErrorBars::new(x, y.iter().map(|v| v - 4.0).collect(), vec![0.5; 16]);
    bars.color = Some(Color::cycle(1));
    bars.marker = Some(Marker::Square);
    bars.label = "lake".into();
    series.add(bars);
    series.x.scale = Scale::Time;
    series.y.label = "γ⁰ (dB)".into();
    series.grid = true;
    figure.axes.push(series);

    let mut scatter = Axes::chart();
    let x: Vec<f64> = (0..60).map(|i| f64::from(i) * 1e5).collect();
    let mut points = Scatter::new(x.clone(), x.iter().map(|v| (v / 7e5).sin() * 4e-6).collect());
    points.values = Some((0..60).map(|i| i as f32).collect());
    points.marker = Marker::Diamond;
    points.outline = Some(Color::BLACK);
    scatter.add(points);
    scatter.color_bar = Some(ColorBar::new("Rank"));
    (scatter.x.label, scatter.y.label) = ("Area (m²)".into(), "Rate (1/s)".into());
    figure.axes.push(scatter);

    let mut log = Axes::chart();
    for (i, dash) in [Dash::Solid, Dash::Dashed, Dash::Dotted, Dash::DashDot]
        .into_iter()
        .enumerate()
    {
        let x: Vec<f64> = (0..50).map(|k| f64::from(k) * 0.2).collect();
        let mut line = Line::new(
            x.clone(),
            x.iter()
                .map(|v| 1e6 * (-v * (i + 1) as f64 / 3.0).exp())
                .collect(),
        );
        line.dash = dash;
        line.label = format!("k = {}", i + 1);
        log.add(line);
    }
    log.y.scale = Scale::Log;
    log.title = "Decay".into();
    figure.axes.push(log);
    figure
}

#[test]
fn all_kinds_of_charts() {
    compare("charts.png", &charts());
}

/// A figure of one panel with one mark and fixed limits, without labels of its own, so that nothing else changes with the mark.
fn alone(mut axes: Axes, x: (f64, f64), y: (f64, f64)) -> Figure {
    (axes.x.limits, axes.y.limits) = (Some(x), Some(y));
    (axes.x.ticks, axes.y.ticks) = (TickChoice::None, TickChoice::None);
    axes.legend = Legend::None;
    let mut figure = Figure::of(axes);
    (figure.width, figure.height, figure.dpi) = (Some(3.0), Some(2.2), 80.0);
    figure
}

/// The picture is the stored one, and would not be if the mark were a pixel to the right or below.
fn compare_mark(name: &str, figure: &Figure) {
    compare(name, figure);
    let full = figure.picture().unwrap();
    let mut without = figure.clone();
    without.axes[0].marks.clear();
    let bare = without.picture().unwrap();
    assert_eq!((full.width, full.height), (bare.width, bare.height));
    for (dx, dy) in [(1, 0), (0, 1)] {
        let mut moved = bare.pixels.clone();
        for row in 0..full.height - dy {
            for col in 0..full.width - dx {
                let at = 4 * (row * full.width + col);
                let to = 4 * ((row + dy) * full.width + col + dx);
                if full.pixels[at..at + 4] != bare.pixels[at..at + 4] {
                    moved[to..to + 4].copy_from_slice(&full.pixels[at..at + 4]);
                }
            }
        }
        let difference = largest_in_a_block(full.width, &full.pixels, &moved);
        assert!(
            difference > 1.5 * IN_A_BLOCK,
            "{name} hardly differs when it moves by ({dx}, {dy}): {difference:.1}"
        );
    }
}

/// A flow round a hole, in metres a year.
fn flow(rows: usize, cols: usize) -> Field {
    let part = |f: fn(f64, f64) -> f64| {
        Array2::from_shape_fn((rows, cols), |(r, c)| {
            let (y, x) = (r as f64 / rows as f64, c as f64 / cols as f64);
            match (x - 0.7).hypot(y - 0.3) < 0.12 {
                true => f32::NAN,
                false => f(x, y) as f32,
            }
        })
    };
    let ground = Grid::new(None, Affine::north_up(0.0, rows as f64, 1.0, 1.0), rows, cols).unwrap();
    Field::new(
        part(|x, y| 400.0 * (1.2 - y) * (1.0 + x)),
        part(|x, _| 500.0 * (5.0 * x).cos()),
        Some(ground),
    )
}

fn map_alone(mark: impl Mark + 'static) -> Figure {
    let mut axes = Axes::map(Coordinates::None);
    axes.add(mark);
    alone(axes, (0.0, 120.0), (0.0, 90.0))
}

#[test]
fn arrows_by_the_square_root_of_speed() {
    let mut arrows = Quiver::new(flow(90, 120));
    arrows.lengths = Lengths::Sqrt;
    arrows.color = Color::parse("navy").unwrap();
    compare_mark("quiver.png", &map_alone(arrows));
}

#[test]
fn streamlines_in_the_colours_of_speed() {
    let mut lines = Streamlines::new(flow(90, 120));
    lines.by_speed = Some(BySpeed {
        colormap: Colormap::named("plasma").unwrap(),
        stretch: Stretch::Fixed(Some(100.0), Some(2000.0)),
        norm: Norm::Log,
    });
    lines.halo = Some(Color::BLACK);
    compare_mark("streamlines.png", &map_alone(lines));
}

#[test]
fn contours_with_their_values() {
    let ground = Grid::new(None, Affine::north_up(0.0, 90.0, 1.0, 1.0), 90, 120).unwrap();
    let heights = field(90, 120, 0.0);
    let levels = Contours::round_levels(&heights, 6);
    compare_mark(
        "contours.png",
        &map_alone(Contours::new(heights, Some(ground), levels)),
    );
}

#[test]
fn values_along_a_line_over_time() {
    let day = |i: i32| 1_601_510_400.0 + 86_400.0 * f64::from(12 * i + if i > 9 { 70 } else { 0 });
    let values = Array2::from_shape_fn((15, 18), |(place, i)| {
        (900.0 - 30.0 * place as f64 + 150.0 * (i as f64 / 4.0 - place as f64 / 5.0).sin()) as f32
    });
    let places = (0..15).map(|k| f64::from(k) * 0.5).collect();
    let mut axes = Axes::chart();
    axes.add(Cells::new((0..18).map(day).collect(), places, values));
    axes.x.scale = Scale::Time;
    compare_mark("cells.png", &alone(axes, (day(-1), day(19)), (-1.0, 8.0)));
}

#[test]
fn boxes_whiskers_and_outliers() {
    let values = |seed: u32| -> Vec<f64> {
        let spread = |i: u32| f64::from((i * 7919 + seed) % 101) / 10.0 - 5.0;
        (0..60).map(spread).chain([f64::from(seed)]).collect()
    };
    let groups = [12, 3, 20].map(|seed| BoxSummary::of(&values(seed), Boxes::REACH));
    let mut axes = Axes::chart();
    axes.add(Boxes::new(vec![1.0, 2.0, 3.0], groups.to_vec()));
    compare_mark("boxes.png", &alone(axes, (0.4, 3.6), (-6.0, 22.0)));
}

#[test]
fn bars_of_two_series_with_errors() {
    let series = |label: &str, values: [f64; 3]| BarSeries {
        values: values.to_vec(),
        errors: Some((vec![0.8; 3], vec![1.2; 3])),
        label: label.into(),
        color: None,
    };
    let mut axes = Axes::chart();
    let both = vec![series("VV", [8.1, 10.4, 18.9]), series("VH", [13.7, 16.2, 25.3])];
    axes.add(Bars::new(vec![1.0, 2.0, 3.0], both));
    compare_mark("bars.png", &alone(axes, (0.4, 3.6), (0.0, 28.0)));
}

#[test]
fn points_with_errors() {
    let x: Vec<f64> = (0..12).map(f64::from).collect();
    let y = x.iter().map(|v| (v * 0.6).sin()).collect();
    let mut axes = Axes::chart();
    axes.add(ErrorBars::new(x, y, vec![0.4; 12]));
    compare_mark("error_bars.png", &alone(axes, (-1.0, 12.0), (-1.6, 1.6)));
}

#[test]
fn a_draped_surface_in_space() {
    let heights = Array2::from_shape_fn((45, 60), |(r, c)| {
        let (y, x) = (r as f64 / 45.0, c as f64 / 60.0);
        match (x - 0.2).hypot(y - 0.8) < 0.1 {
            true => f32::NAN,
            false => (600.0 * (-20.0 * ((x - 0.6).powi(2) + (y - 0.4).powi(2))).exp() + 100.0 * y) as f32,
        }
    });
    let ground = grid("EPSG:32611", 600_000.0, 3_780_000.0, 100.0, 45, 60).unwrap();
    let mut surface = Surface::new(heights, ground);
    surface.drape = Some(field(45, 60, 1.0));
    surface.colormap = Colormap::named("magma").unwrap();
    surface.view = View {
        azimuth: 330.0,
        elevation: 35.0,
    };
    (surface.exaggeration, surface.label) = (Some(2.0), "Height (m)".into());
    let mut axes = Axes::new(AxesKind::Space);
    axes.add(surface);
    compare_mark("surface.png", &alone(axes, (0.0, 1.0), (0.0, 1.0)));
}

#[test]
fn differences_by_logarithms_on_both_sides_of_zero() {
    let change = Array2::from_shape_fn((40, 60), |(r, c)| {
        ((c as f32 - 29.5) / 4.0).powi(5) * (1.0 + r as f32 / 40.0)
    });
    let mut image = Image::new(change, None);
    image.colormap = Colormap::named("RdBu_r").unwrap();
    image.norm = Norm::SymLog { linear: Some(10.0) };
    image.stretch = Stretch::Fixed(Some(-10_000.0), Some(10_000.0));
    let mut axes = Axes::map(Coordinates::Map);
    axes.add(image);
    axes.color_bar = Some(ColorBar::new("Change (m)"));
    compare("symlog.png", &figure_of(axes));
}

#[test]
fn a_flat_map_has_its_colour_bar_below() {
    let values = field(20, 120, 0.0);
    let mut image = Image::new(values, grid("EPSG:32611", 600_000.0, 3_780_000.0, 100.0, 20, 120));
    image.norm = Norm::Linear;
    let mut axes = Axes::map(Coordinates::Map);
    axes.add(image);
    axes.color_bar = Some(ColorBar::new("Backscatter (dB)"));
    compare("flat.png", &figure_of(axes));
}

#[test]
fn names_that_find_no_room_read_upwards() {
    let months = [
        "January", "February", "March", "April", "May", "June", "July", "August",
    ];
    let at: Vec<f64> = (1..=8).map(f64::from).collect();
    let mut axes = Axes::chart();
    let values = at.iter().map(|v| 3.0 + (v * 0.8).sin()).collect();
    let series = BarSeries {
        values,
        errors: None,
        label: String::new(),
        color: None,
    };
    axes.add(Bars::new(at.clone(), vec![series]));
    axes.x.ticks = TickChoice::At(at.into_iter().zip(months.map(String::from)).collect());
    axes.x.label = "Month".into();
    axes.y.label = "Speed (m/d)".into();
    let mut figure = figure_of(axes);
    figure.width = Some(3.0);
    compare("names.png", &figure);
}

#[test]
fn an_svg_has_the_shapes_of_the_picture() {
    let svg = charts().svg().unwrap();
    for label in [
        "Backscatter (dB)",
        "threshold",
        "Nov 2020",
        "Area (10⁶ m²)",
        "Rate (10⁻⁶ 1/s)",
        "10⁶",
        "Decay",
    ] {
        assert!(svg.contains(&format!("aria-label=\"{label}\"")), "no {label:?}");
    }
    // Nothing but the colour bar is a bitmap.
    assert_eq!(svg.matches("<image").count(), 1);
    assert_eq!(svg.matches("<g").count(), svg.matches("</g>").count());
}

#[test]
fn figures_in_a_terminal() {
    for (graphics, true_color, name) in [
        (Graphics::Blocks, true, "terminal_true_color.txt"),
        (Graphics::Blocks, false, "terminal_256.txt"),
        (Graphics::Ascii, false, "terminal_ascii.txt"),
    ] {
        let terminal = Terminal {
            graphics,
            true_color,
            unicode: true,
            tmux: false,
            columns: 60,
            rows: 20,
            cell: (9.0, 18.0),
        };
        // Flat colours: what is tested is the text, not rounding in the last digit.
        let plain = map_in(Colormap::named("tab10").unwrap());
        let text = terminal.figure(&Figure::of(plain)).unwrap();
        let path = golden(name);
        if blessing() {
            std::fs::write(&path, &text).unwrap();
        }
        assert_eq!(text, std::fs::read_to_string(&path).unwrap(), "{name}");
    }
}
