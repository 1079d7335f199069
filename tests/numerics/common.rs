//! What the numeric tests share.

use std::path::PathBuf;
use std::sync::Arc;

use ndarray::Array2;
use perilune::raster::execute::Run;
use perilune::raster::{Affine, Crs, Grid, Pixels, Raster, Unit, Window, memory};

/// A file of the shared data; None, with a word, where the project stands alone.
pub fn shared(path: &str) -> Option<PathBuf> {
    let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared/data");
    if !root.is_dir() {
        println!("skipped: needs ../shared/data");
        return None;
    }
    let file = root.join(path);
    assert!(
        file.exists(),
        "{} is missing from the shared data",
        file.display()
    );
    Some(file)
}

pub fn utm_grid(rows: usize, cols: usize) -> Arc<Grid> {
    let crs = Crs::parse("EPSG:32633").unwrap();
    Arc::new(
        Grid::new(
            Some(crs),
            Affine::north_up(500_000.0, 5_000_000.0, 10.0, 10.0),
            rows,
            cols,
        )
        .unwrap(),
    )
}

/// A repeatable stream of numbers in 0..1 (xorshift64*).
pub struct Random(pub u64);

impl Random {
    pub fn next(&mut self) -> f64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 11) as f64 / (1u64 << 53) as f64
    }
}

/// Values in 0.01..2.01 with about one masked pixel in seven.
pub fn noise(seed: u64, rows: usize, cols: usize) -> Array2<f32> {
    let mut random = Random(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    Array2::from_shape_simple_fn((rows, cols), || {
        let masked = random.next() < 0.14;
        let v = 0.01 + 2.0 * random.next();
        if masked { f32::NAN } else { v as f32 }
    })
}

pub fn image(grid: &Arc<Grid>, array: Array2<f32>) -> Raster {
    memory::from_arrays(
        grid.clone(),
        vec![("v".into(), Pixels::F32(array), Unit::Unknown)],
    )
    .unwrap()
}

/// All bands over a window, computed in tiles of the given size.
pub fn computed(raster: &Raster, window: Window, tile: (usize, usize)) -> Vec<Array2<f64>> {
    let run = Run::prepare(&raster.grid, &raster.ports(), window)
        .unwrap()
        .with_tile(tile.0, tile.1);
    run.collect_quietly()
        .unwrap()
        .into_iter()
        .map(Pixels::into_f64)
        .collect()
}

/// Bit for bit, masked pixels included.
pub fn assert_same(a: &Array2<f64>, b: &Array2<f64>, what: &str) {
    assert_eq!(a.dim(), b.dim(), "{what}: shapes");
    for ((at, x), y) in a.indexed_iter().zip(b) {
        assert!(
            x == y || (x.is_nan() && y.is_nan()),
            "{what}: at {at:?} {x} and {y}"
        );
    }
}

/// The same pixels whatever the tile, the window and the number of threads.
pub fn assert_tiling_does_not_matter(raster: &Raster, what: &str) {
    let whole = raster.grid.window();
    let reference = computed(raster, whole, (whole.rows, whole.cols));
    for tile in [
        (1, 1),
        (1, whole.cols),
        (whole.rows, 1),
        (7, 5),
        (16, 16),
        (33, 64),
    ] {
        for (a, b) in computed(raster, whole, tile).iter().zip(&reference) {
            assert_same(a, b, &format!("{what}, tile {tile:?}"));
        }
    }
    let (r, c) = (whole.rows / 3, whole.cols / 4);
    let part = Window::new(
        r as isize,
        c as isize,
        (whole.rows - r).div_ceil(2),
        (whole.cols - c).div_ceil(2),
    );
    for (a, b) in computed(raster, part, (9, 6)).iter().zip(&reference) {
        let expected = b
            .slice(ndarray::s![r..r + part.rows, c..c + part.cols])
            .to_owned();
        assert_same(a, &expected, &format!("{what}, {part}"));
    }
}
