//! Speckle filters against recorded outputs of other programs, and in the engine.

use std::path::Path;

use ndarray::Array2;
use perilune::error::Error;
use perilune::filter::lee_sigma::Strong;
use perilune::filter::tv_bregman::{TvBregman, denoise};
use perilune::filter::{frost, gamma_map, kuan, lee, lee_sigma, quegan, refined_lee, tv_bregman};
use perilune::raster::file::open::{OpenOptions, open};
use perilune::raster::math::{to_db, to_power};
use perilune::raster::{DType, Raster, Unit, Window};

use crate::common::{assert_same, assert_tiling_does_not_matter, computed, image, noise, shared, utm_grid};
use crate::npy;

fn opened(path: &Path) -> Raster {
    open(path.to_str().unwrap(), &OpenOptions::default()).unwrap()
}

fn pixels(raster: &Raster) -> Array2<f64> {
    computed(raster, raster.grid.window(), (64, 128)).swap_remove(0)
}

#[test]
fn refined_lee_is_the_recorded_one() {
    let Some(input) = shared("oracles/filters/speckle256.tif") else {
        return;
    };
    let power = opened(&input).with_unit(&Unit::Power);
    let filtered = refined_lee::refined_lee(&power).unwrap();
    assert_eq!(filtered.bands[0].unit, Unit::Power);
    let (got, want) = (
        pixels(&filtered),
        pixels(&opened(&input.with_file_name("refined_lee_nat.tif"))),
    );
    let masked = want.iter().filter(|v| v.is_nan()).count();
    assert_eq!(
        masked, 2132,
        "a border of two pixels, and the heart of a constant patch"
    );
    for ((at, got), want) in got.indexed_iter().zip(&want) {
        let near = (got - want).abs() <= 1e-4 * want.abs();
        assert!(
            near || got.is_nan() && want.is_nan(),
            "at {at:?} {got}, not {want}"
        );
    }
}

#[test]
fn tv_bregman_is_the_recorded_one() {
    let Some(input) = shared("oracles/filters/tv_bregman_w035_in.npy") else {
        return;
    };
    let want = npy::read(&input.with_file_name("tv_bregman_w035.npy"));
    let noisy = npy::read(&input).mapv(|v| v as f32);
    let parameters = TvBregman::new(0.35, 100, 1e-3, true).unwrap();
    for memory in [0, usize::MAX] {
        let got = denoise(noisy.view(), &parameters, memory).unwrap();
        let off = got
            .iter()
            .zip(&want)
            .map(|(&a, b)| (f64::from(a) - b).abs())
            .fold(0.0, f64::max);
        assert!(off < 5e-5, "{off} dB");
    }
}

#[test]
fn tv_bregman_reproduces_despeckled_sentinel_1_scenes() {
    let Some(folder) = shared("sentinel1/opera_rtc_10SGD_T137/tv_despeckle/T137-292318-IW2") else {
        return;
    };
    let raw = folder
        .parent()
        .unwrap()
        .with_file_name("raw")
        .join("T137-292318-IW2");
    let mut compared = 0;
    for entry in std::fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_string();
        let power = opened(&raw.join(name.replace("_tv.tif", ".tif"))).with_unit(&Unit::Power);
        let clipped =
            perilune::raster::math::unary(&power, perilune::raster::element::Unary::Clamp(1e-7, 1.0))
                .unwrap();
        let parameters = TvBregman::new(0.2, TvBregman::MAX_ITERATIONS, TvBregman::TOLERANCE, true).unwrap();
        let smooth = tv_bregman::tv_bregman(&to_db(&clipped).unwrap(), parameters).unwrap();
        assert_eq!(smooth.bands[0].unit, Unit::Decibel);
        let got = pixels(&to_power(&smooth).unwrap());
        for ((at, got), want) in got.indexed_iter().zip(&pixels(&opened(&path))) {
            let off = 10.0 * (got / want).log10();
            // scikit-image of today comes within 3.1e-5 dB of these files.
            assert!(
                off.abs() < 3.3e-5 || got.is_nan() && want.is_nan(),
                "{name} at {at:?}: {off} dB"
            );
        }
        compared += 1;
    }
    assert_eq!(compared, 22);
}

fn power_image(seed: u64, rows: usize, cols: usize) -> Raster {
    image(&utm_grid(rows, cols), noise(seed, rows, cols)).with_unit(&Unit::Power)
}

#[test]
fn filters_do_not_depend_on_tiles() {
    let power = power_image(3, 61, 47);
    assert_tiling_does_not_matter(&refined_lee::refined_lee(&power).unwrap(), "refined Lee");
    assert_tiling_does_not_matter(&lee::lee(&power, 7, 2.0).unwrap(), "Lee");
    assert_tiling_does_not_matter(&kuan::kuan(&power, 5, 2.0).unwrap(), "Kuan");
    assert_tiling_does_not_matter(&frost::frost(&power, 9, 2.0).unwrap(), "Frost");
    assert_tiling_does_not_matter(&gamma_map::gamma_map(&power, 7, 2.0).unwrap(), "gamma MAP");
    for strong in [Strong::Percentile(90.0), Strong::Power(0.5), Strong::Off] {
        assert_tiling_does_not_matter(
            &lee_sigma::lee_sigma(&power, 9, 2.0, 0.9, strong).unwrap(),
            "Lee sigma",
        );
    }
    let parameters = TvBregman::new(0.5, 100, 1e-3, true).unwrap();
    assert_tiling_does_not_matter(&tv_bregman::tv_bregman(&power, parameters).unwrap(), "TV");
    let images = [power, power_image(4, 61, 47), power_image(5, 61, 47)];
    for image in quegan::quegan(&images, 5).unwrap() {
        assert_tiling_does_not_matter(&image, "Quegan");
    }
}

#[test]
fn filters_take_images_of_one_pixel_and_one_row() {
    for (rows, cols) in [(1, 1), (1, 40), (40, 1)] {
        let power = power_image(9, rows, cols);
        let parameters = TvBregman::new(0.5, 100, 1e-3, true).unwrap();
        for filtered in [
            refined_lee::refined_lee(&power),
            lee::lee(&power, 7, 2.0),
            kuan::kuan(&power, 7, 2.0),
            frost::frost(&power, 7, 2.0),
            gamma_map::gamma_map(&power, 7, 2.0),
            lee_sigma::lee_sigma(&power, 9, 2.0, 0.9, Strong::Off),
            tv_bregman::tv_bregman(&power, parameters),
            quegan::quegan(std::slice::from_ref(&power), 5).map(|mut images| images.swap_remove(0)),
        ] {
            assert_eq!(pixels(&filtered.unwrap()).dim(), (rows, cols));
        }
    }
}

#[test]
fn every_band_is_filtered_by_itself() {
    let (a, b) = (power_image(1, 30, 40), power_image(2, 30, 40));
    let both = a.add_bands(&b.rename(&["w".into()]).unwrap()).unwrap();
    let filtered = lee::lee(&both, 5, 1.0).unwrap();
    assert_eq!(filtered.band_names(), ["v", "w"]);
    assert!(
        filtered
            .bands
            .iter()
            .all(|b| b.dtype == DType::F32 && b.unit == Unit::Power)
    );
    let together = computed(&filtered, filtered.grid.window(), (16, 16));
    for (one, together) in [&a, &b].into_iter().zip(&together) {
        assert_same(&pixels(&lee::lee(one, 5, 1.0).unwrap()), together, "band by band");
    }
    // Strong scatterers are those of their own band.
    let sigma = |r: &Raster| lee_sigma::lee_sigma(r, 7, 1.0, 0.9, Strong::Percentile(98.0)).unwrap();
    let together = computed(&sigma(&both), both.grid.window(), (16, 16));
    assert_same(&pixels(&sigma(&a)), &together[0], "own percentile");
}

#[test]
fn quegan_keeps_each_image_s_own_description() {
    let mut images = [power_image(1, 20, 20), power_image(2, 20, 20)];
    images[0].time = Some("2024-03-01T05:00:00Z".parse().unwrap());
    images[1].time = Some("2024-03-13T05:00:00Z".parse().unwrap());
    let filtered = quegan::quegan(&images, 7).unwrap();
    assert_eq!(filtered.len(), 2);
    for (before, after) in images.iter().zip(&filtered) {
        assert_eq!(before.time, after.time);
        let (before, after) = (pixels(before), pixels(after));
        assert!(before.iter().zip(&after).all(|(a, b)| a.is_nan() == b.is_nan()));
        assert_ne!(before, after);
    }
    let elsewhere = power_image(3, 21, 20);
    assert!(matches!(
        quegan::quegan(&[images[0].clone(), elsewhere], 7),
        Err(Error::GridMismatch { .. })
    ));
    let renamed = images[1].rename(&["VH".into()]).unwrap();
    let message = quegan::quegan(&[images[0].clone(), renamed], 7)
        .err()
        .unwrap()
        .to_string();
    assert!(
        message.contains("the same bands (v)") && message.contains("VH"),
        "{message}"
    );
    assert!(quegan::quegan(&[], 7).is_err());
}

#[test]
fn units_other_than_power_name_the_way_to_it() {
    let decibels = to_db(&power_image(1, 20, 20)).unwrap();
    let amplitude = power_image(1, 20, 20).with_unit(&Unit::Amplitude);
    for (raster, way_out) in [
        (&decibels, "convert it to power first"),
        (&amplitude, "make power of the amplitude first"),
    ] {
        for filtered in [
            refined_lee::refined_lee(raster),
            lee::lee(raster, 7, 1.0),
            kuan::kuan(raster, 7, 1.0),
            frost::frost(raster, 7, 1.0),
            gamma_map::gamma_map(raster, 7, 1.0),
            lee_sigma::lee_sigma(raster, 7, 1.0, 0.9, Strong::Off),
            quegan::quegan(std::slice::from_ref(raster), 7).map(|mut images| images.swap_remove(0)),
        ] {
            let error = filtered.err().unwrap();
            assert!(matches!(error, Error::Unit { .. }), "{error}");
            assert!(
                error.to_string().contains(way_out) && error.to_string().contains("`v`"),
                "{error}"
            );
        }
    }
    let parameters = TvBregman::new(0.2, 100, 1e-3, true).unwrap();
    assert!(tv_bregman::tv_bregman(&decibels, parameters).is_ok());
    assert!(refined_lee::refined_lee(&decibels.with_unit(&Unit::Unknown)).is_ok());
}

#[test]
fn a_window_reads_what_the_whole_gives() {
    let power = power_image(8, 50, 50);
    let filtered = gamma_map::gamma_map(&power, 9, 1.5).unwrap();
    let whole = pixels(&filtered);
    let part = computed(&filtered, Window::new(11, 23, 17, 9), (64, 64)).swap_remove(0);
    assert_same(
        &part,
        &whole.slice(ndarray::s![11..28, 23..32]).to_owned(),
        "window",
    );
}
