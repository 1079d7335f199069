//! Networks of the tests: convolutions of known kernels and what else can be told by a slow and obvious loop.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use ndarray::{Array2, Array4, ArrayD, Ix4};
use perilune::error::{Error, Result};
use perilune::inference::{Blend, Known, Network, Port, Product, Settings, apply_known};
use perilune::raster::Raster;

use crate::common::*;

pub type Compute = dyn Fn(&[Array4<f32>]) -> ArrayD<f32> + Send + Sync;

/// A network of one output that counts.
pub struct Test {
    pub inputs: Vec<Port>,
    pub outputs: Vec<Port>,
    pub compute: Box<Compute>,
    pub windows: AtomicUsize,
    /// Windows in a batch that it has room for.
    pub room: usize,
    pub batches: Mutex<Vec<usize>>,
}

impl Network for Test {
    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn identity(&self) -> &str {
        "a network of this test alone"
    }

    fn run(&self, inputs: &[ArrayD<f32>]) -> Result<Vec<ArrayD<f32>>> {
        let inputs: Vec<Array4<f32>> = inputs
            .iter()
            .map(|input| input.clone().into_dimensionality::<Ix4>().unwrap())
            .collect();
        let count = inputs[0].dim().0;
        if count > self.room {
            return Err(Error::DeviceMemory {
                device: "that of the test".into(),
                message: "take a smaller one".into(),
            });
        }
        self.windows.fetch_add(count, Ordering::Relaxed);
        self.batches.lock().unwrap().push(count);
        Ok(vec![(self.compute)(&inputs)])
    }
}

pub fn network(
    inputs: &[[Option<usize>; 3]],
    compute: impl Fn(&[Array4<f32>]) -> ArrayD<f32> + Send + Sync + 'static,
) -> Arc<Test> {
    let input = |(i, [channels, rows, cols]): (usize, &[Option<usize>; 3])| Port {
        name: format!("input_{i}"),
        shape: vec![None, *channels, *rows, *cols],
    };
    Arc::new(Test {
        inputs: inputs.iter().enumerate().map(input).collect(),
        outputs: vec![Port {
            name: "scores".into(),
            shape: vec![None; 4],
        }],
        compute: Box::new(compute),
        windows: AtomicUsize::new(0),
        room: usize::MAX,
        batches: Mutex::default(),
    })
}

impl Test {
    /// Windows since the last time.
    pub fn counted(&self) -> usize {
        self.windows.swap(0, Ordering::Relaxed)
    }
}

pub const ANY: [Option<usize>; 3] = [None; 3];

/// A kernel of 5 × 5 without any symmetry.
pub fn kernel(r: usize, c: usize) -> f32 {
    ((r * 7 + c * 3 + r * c) % 11) as f32 / 40.0 - 0.1
}

/// The sum of the bands, convolved by `kernel`, zeros beyond the edge.
pub fn convolved(image: &Array2<f64>, kernel: &dyn Fn(usize, usize) -> f32) -> Array2<f64> {
    let (rows, cols) = image.dim();
    Array2::from_shape_fn((rows, cols), |(r, c)| {
        let mut sum = 0.0;
        for i in 0..5 {
            for j in 0..5 {
                let (y, x) = ((r + i).wrapping_sub(2), (c + j).wrapping_sub(2));
                if y < rows && x < cols {
                    sum += f64::from(kernel(i, j)) * image[(y, x)];
                }
            }
        }
        sum
    })
}

/// Two channels: the convolution, and the pixels themselves.
pub fn convolution() -> Arc<Test> {
    network(&[ANY], |inputs| {
        let (n, _, rows, cols) = inputs[0].dim();
        let mut out = Array4::zeros((n, 2, rows, cols));
        for (one, mut made) in inputs[0].outer_iter().zip(out.outer_iter_mut()) {
            let sum = one.sum_axis(ndarray::Axis(0)).mapv(f64::from);
            made.index_axis_mut(ndarray::Axis(0), 0)
                .assign(&convolved(&sum, &kernel).mapv(|v| v as f32));
            made.index_axis_mut(ndarray::Axis(0), 1)
                .assign(&sum.mapv(|v| v as f32));
        }
        out.into_dyn()
    })
}

pub fn settings(tile: usize, overlap: usize, blend: Blend) -> Settings {
    Settings {
        tile: Some((tile, tile)),
        overlap: Some(overlap),
        blend,
        products: vec![Product::Values],
        ..Settings::default()
    }
}

pub fn applied(network: &Arc<Test>, image: &Raster, settings: &Settings) -> Result<Raster> {
    let known = Known::nothing_of(network.clone(), &[image.bands.len()]);
    apply_known(&known, std::slice::from_ref(image), settings)
}

/// The whole image, band by band.
pub fn values(raster: &Raster) -> Vec<Array2<f64>> {
    computed(raster, raster.grid.window(), (raster.grid.rows, raster.grid.cols))
}

/// Its masked pixels as zeros.
pub fn filled(image: &Array2<f32>) -> Array2<f64> {
    image.mapv(|v| if v.is_nan() { 0.0 } else { f64::from(v) })
}

pub fn assert_near(found: &Array2<f64>, right: &Array2<f64>, mask: &Array2<f32>, what: &str) {
    assert_eq!(found.dim(), right.dim(), "{what}");
    for ((at, found), right) in found.indexed_iter().zip(right) {
        match mask[at].is_nan() {
            true => assert!(found.is_nan(), "{what}: {at:?} is not masked"),
            false => assert!(
                (found - right).abs() < 2e-6 * (1.0 + right.abs()),
                "{what}: at {at:?} {found} and {right}"
            ),
        }
    }
}

/// Images of all awkward sizes for windows of 32.
pub const SIZES: [(usize, usize); 7] = [(1, 1), (3, 90), (31, 32), (33, 64), (70, 5), (61, 47), (100, 129)];
