//! Sieving: small patches of a class image go into what surrounds them.

use std::cell::Cell;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::components::{Known, Labeller, Regions};
use super::describe::{Description, Site};
use super::operation::{Scene, SceneOperation};
use super::{Band, Raster};
use crate::described;
use crate::error::{Error, Result};
use crate::interrupt;

/// Patches (connected pixels of one value) with fewer than `minimum_pixels` pixels take the value of their largest neighbour: the patch beside
/// them with the most pixels, and of several such the one that is met first. Where that is small, too, they take the value that it takes. A patch
/// for which this leads to none that is large enough stays as it is.
///
/// `by_corners` connects pixels that meet in a corner, not only those that share an edge, in patches and between neighbours.
///
/// It goes over each band three times, row by row; what is kept is some numbers for each region begun.
///
/// # Nodata
/// Masked pixels stay masked; they are no patch, and nobody's neighbour.
///
/// # Errors
/// Complex bands; when it runs, values that are not whole numbers below 2²⁴ in size, and more regions than memory has room for.
///
/// # Source
/// The rules are those of GDAL's `GDALSieveFilter` (`gdal_sieve`).
pub fn sieve(image: &Raster, minimum_pixels: u64, by_corners: bool) -> Result<Raster> {
    let operation = Sieve {
        minimum_pixels,
        by_corners,
    };
    let sieved = image.map_scenes(|_| Ok(Arc::new(operation)))?;
    let bands = sieved
        .bands
        .into_iter()
        .zip(&image.bands)
        .map(|(band, like)| Band {
            port: band.port,
            ..like.clone()
        });
    Ok(image.with_bands(bands.collect()))
}

#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
struct Sieve {
    minimum_pixels: u64,
    by_corners: bool,
}

impl Sieve {
    fn check(&self, site: &Site) -> Result<()> {
        site.takes(1)?.on_grid()?.real().map(drop)
    }
}

described!(Sieve, Scene, "raster.sieve", 1, Sieve::check);

const NONE: u32 = u32::MAX;
/// In place of the neighbour of a patch that a chain has come by.
const PASSED: u32 = u32::MAX - 1;

/// Beyond it, the numbers that scenes consist of no longer tell all whole numbers apart.
const LARGEST: f32 = 16_777_216.0;

struct Patch {
    pixels: u64,
    value: f32,
    /// The root of the largest patch beside it; of small ones, in the end, of the patch whose value it takes.
    neighbour: Cell<u32>,
}

impl Known for Patch {
    fn join(&mut self, other: &Patch) {
        self.pixels += other.pixels;
    }
}

type Patches = Regions<Patch>;

impl SceneOperation for Sieve {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!(
            "raster.sieve({} pixels, connectivity {})",
            self.minimum_pixels,
            if self.by_corners { 8 } else { 4 }
        )
    }

    fn run(&self, scene: &mut dyn Scene) -> Result<()> {
        let mut patches = self.patches(scene)?;
        patches.flatten();
        self.find_neighbours(scene, &patches)?;
        self.settle(&patches)?;
        let mut out = vec![0.0; scene.shape().1];
        self.again(scene, &patches, |scene, row, runs| {
            out.fill(f32::NAN);
            for (run, root) in runs {
                let to = match patches.known(*root).neighbour.get() {
                    NONE => *root,
                    neighbour => neighbour as usize,
                };
                out[run.clone()].fill(patches.known(to).value);
            }
            scene.write_row(row, &out)
        })
    }
}

fn value(pixel: f32) -> Option<u32> {
    // 0 and −0 are one class.
    (!pixel.is_nan()).then_some((pixel + 0.0).to_bits())
}

impl Sieve {
    fn patches(&self, scene: &mut dyn Scene) -> Result<Patches> {
        let (rows, cols) = scene.shape();
        let mut patches = Regions::new();
        let mut labeller = Labeller::new(self.by_corners);
        let mut pixels = vec![0.0; cols];
        for row in 0..rows {
            interrupt::check()?;
            scene.read_row(row, &mut pixels)?;
            if let Some(col) = pixels
                .iter()
                .position(|v| !v.is_nan() && (v.fract() != 0.0 || v.abs() >= LARGEST))
            {
                return Err(Error::argument(
                    "image",
                    "one of classes, which are whole numbers below 2^24 in size (rounding makes some, or a threshold)",
                    format!("{} in row {}, column {}", pixels[col], row + 1, col + 1),
                ));
            }
            labeller.row(&pixels, value, |run, bits, over| {
                let patch = Patch {
                    pixels: run.len() as u64,
                    value: f32::from_bits(bits),
                    neighbour: Cell::new(NONE),
                };
                patches.connect(over, patch)
            });
            // Beside them there is a chain, of all of them at worst.
            patches.check(row, scene.memory() / 7 * 6)?;
        }
        Ok(patches)
    }

    /// Gives each row the runs of valid pixels with the roots of their patches.
    fn again(
        &self,
        scene: &mut dyn Scene,
        patches: &Patches,
        mut each: impl FnMut(&mut dyn Scene, usize, &[(Range<usize>, usize)]) -> Result<()>,
    ) -> Result<()> {
        let (rows, cols) = scene.shape();
        let mut labeller = Labeller::new(self.by_corners);
        let (mut pixels, mut runs) = (vec![0.0; cols], Vec::new());
        // The same runs begin the same regions again.
        let mut begun = 0;
        for row in 0..rows {
            interrupt::check()?;
            scene.read_row(row, &mut pixels)?;
            runs.clear();
            labeller.row(&pixels, value, |run, _, over| {
                let region = over.first().copied().unwrap_or(begun);
                begun += usize::from(over.is_empty());
                runs.push((run, patches.find(region)));
                region
            });
            each(&mut *scene, row, &runs)?;
        }
        Ok(())
    }

    /// The largest neighbour of each patch. Pixels are compared with those above, then with the one on the left: of neighbours of one size the
    /// first is taken.
    fn find_neighbours(&self, scene: &mut dyn Scene, patches: &Patches) -> Result<()> {
        let cols = scene.shape().1;
        let (mut above, mut here) = (vec![NONE; cols], vec![NONE; cols]);
        let compare = |a: u32, b: u32| {
            if a == NONE || b == NONE || a == b {
                return;
            }
            let pixels = |root: u32| patches.known(root as usize).pixels;
            for (of, other) in [(a, b), (b, a)] {
                let largest = &patches.known(of as usize).neighbour;
                if largest.get() == NONE || pixels(largest.get()) < pixels(other) {
                    largest.set(other);
                }
            }
        };
        self.again(scene, patches, |_, row, runs| {
            here.fill(NONE);
            runs.iter()
                .for_each(|(run, root)| here[run.clone()].fill(*root as u32));
            for (col, &root) in here.iter().enumerate() {
                if row > 0 {
                    compare(root, above[col]);
                    if self.by_corners && col > 0 {
                        compare(root, above[col - 1]);
                    }
                    if self.by_corners && col + 1 < cols {
                        compare(root, above[col + 1]);
                    }
                }
                if col > 0 {
                    compare(root, here[col - 1]);
                }
            }
            std::mem::swap(&mut above, &mut here);
            Ok(())
        })
    }

    /// Leads each small patch to the first large one along the largest neighbours; large ones, and those that come to none, to nobody.
    fn settle(&self, patches: &Patches) -> Result<()> {
        let is_large = |root: usize| patches.known(root).pixels >= self.minimum_pixels;
        let mut chain: Vec<u32> = Vec::new();
        for root in 0..patches.count() {
            if root.is_multiple_of(1 << 16) {
                interrupt::check()?;
            }
            if patches.find(root) != root {
                continue;
            }
            if is_large(root) {
                patches.known(root).neighbour.set(NONE);
                continue;
            }
            chain.clear();
            let mut at = root as u32;
            let end = loop {
                chain.push(at);
                match patches.known(at as usize).neighbour.replace(PASSED) {
                    NONE | PASSED => break NONE,
                    next if is_large(next as usize) => break next,
                    next => at = next,
                }
            };
            // All of a chain end where it ends, so that none is followed twice.
            for &patch in &chain {
                patches.known(patch as usize).neighbour.set(end);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array2, array};

    use super::*;

    struct Kept {
        image: Array2<f32>,
        out: Array2<f32>,
    }

    impl Scene for Kept {
        fn shape(&self) -> (usize, usize) {
            self.image.dim()
        }
        fn read_row(&mut self, row: usize, out: &mut [f32]) -> Result<()> {
            out.iter_mut().zip(self.image.row(row)).for_each(|(o, v)| *o = *v);
            Ok(())
        }
        fn write_row(&mut self, row: usize, pixels: &[f32]) -> Result<()> {
            self.out
                .row_mut(row)
                .iter_mut()
                .zip(pixels)
                .for_each(|(o, v)| *o = *v);
            Ok(())
        }
        fn memory(&self) -> usize {
            1 << 20
        }
    }

    fn sieved(image: &Array2<f32>, minimum_pixels: u64, by_corners: bool) -> Result<Array2<f32>> {
        let out = Array2::zeros(image.dim());
        let mut scene = Kept {
            image: image.clone(),
            out,
        };
        Sieve {
            minimum_pixels,
            by_corners,
        }
        .run(&mut scene)?;
        Ok(scene.out)
    }

    /// Fills patch by patch, and looks at all neighbours of all pixels for each.
    fn slowly(image: &Array2<f32>, minimum: usize, by_corners: bool) -> Array2<f32> {
        let (rows, cols) = image.dim();
        let mut steps = vec![(-1, 0)];
        if by_corners {
            steps.extend([(-1, -1), (-1, 1)]);
        }
        steps.push((0, -1));
        let step = |(r, c): (usize, usize), (dr, dc): (isize, isize)| {
            let (r, c) = (r.checked_add_signed(dr)?, c.checked_add_signed(dc)?);
            (r < rows && c < cols).then_some((r, c))
        };
        let mut patch = Array2::from_elem((rows, cols), usize::MAX);
        let mut sizes = Vec::new();
        for start in ndarray::indices((rows, cols)) {
            if image[start].is_nan() || patch[start] != usize::MAX {
                continue;
            }
            let mut todo = vec![start];
            patch[start] = sizes.len();
            let mut size = 0;
            while let Some(at) = todo.pop() {
                size += 1;
                for &(dr, dc) in &steps {
                    for near in [step(at, (dr, dc)), step(at, (-dr, -dc))].into_iter().flatten() {
                        if image[near] == image[at] && patch[near] == usize::MAX {
                            patch[near] = sizes.len();
                            todo.push(near);
                        }
                    }
                }
            }
            sizes.push(size);
        }
        let mut largest: Vec<Option<usize>> = vec![None; sizes.len()];
        for at in ndarray::indices((rows, cols)) {
            for &s in &steps {
                let Some(near) = step(at, s) else { continue };
                let (a, b) = (patch[at], patch[near]);
                if a == b || a == usize::MAX || b == usize::MAX {
                    continue;
                }
                for (of, other) in [(a, b), (b, a)] {
                    if largest[of].is_none_or(|known| sizes[known] < sizes[other]) {
                        largest[of] = Some(other);
                    }
                }
            }
        }
        let mut values = vec![0.0; sizes.len()];
        for at in ndarray::indices((rows, cols))
            .into_iter()
            .filter(|&at| patch[at] != usize::MAX)
        {
            values[patch[at]] = image[at];
        }
        let ends = |start: usize| {
            let mut at = start;
            for _ in 0..=sizes.len() {
                if sizes[at] >= minimum {
                    return at;
                }
                let Some(next) = largest[at] else { break };
                at = next;
            }
            start
        };
        patch.mapv(|p| {
            if p == usize::MAX {
                f32::NAN
            } else {
                values[ends(p)]
            }
        })
    }

    fn same(a: &Array2<f32>, b: &Array2<f32>) -> bool {
        a.iter().zip(b).all(|(a, b)| a == b || a.is_nan() && b.is_nan())
    }

    #[test]
    fn it_is_a_slow_and_obvious_loop() {
        let mut state = 1u64;
        let mut random = |below: u64| {
            state = state
                .wrapping_mul(6364136223846793005)
                .wrapping_add(1442695040888963407);
            (state >> 33) % below
        };
        for round in 0..400 {
            let shape = (1 + random(20) as usize, 1 + random(24) as usize);
            let classes = 2 + random(4);
            let masked = [0, 12][round % 2];
            let image = Array2::from_shape_simple_fn(shape, || match random(100) < masked {
                true => f32::NAN,
                false => random(classes) as f32 - 1.0,
            });
            for by_corners in [false, true] {
                for minimum in [1, 2, 3, 5, 9, 40, 1000] {
                    let found = sieved(&image, minimum, by_corners).unwrap();
                    assert!(
                        same(&found, &slowly(&image, minimum as usize, by_corners)),
                        "{image} {minimum}"
                    );
                }
            }
        }
    }

    fn digits(text: &str) -> Array2<f32> {
        let rows: Vec<&str> = text.split('|').collect();
        let pixel = |(r, c): (usize, usize)| f32::from(rows[r].as_bytes()[c]) - f32::from(b'0');
        Array2::from_shape_fn((rows.len(), rows[0].len()), |at| match pixel(at) {
            value if value < 0.0 => f32::NAN,
            value => value,
        })
    }

    #[test]
    fn it_is_gdal() {
        let image = "000002210001|110002001121|11-102222001|10000-022000|00110102-002|110011122011|001002101221|000001220210";
        // rasterio.features.sieve(image, size, mask=mask, connectivity=…) of rasterio 1.4.4 with GDAL 3.10.3; - is masked.
        let expected = [
            "4 2 000002220001|110002001101|11-002222001|10000-022000|00110102-000|110011122011|000000122221|000000222221",
            "4 4 000002220000|110002222200|11-002222000|10000-222000|00000122-000|000011122000|000000122000|000000110000",
            "4 7 000002220000|000002222200|00-002222000|00000-222000|00000022-000|000000022000|000000022000|000000000000",
            "8 2 000002210001|110002001101|11-002222001|10000-022000|00110102-000|110011122011|001002102221|000001220212",
            "8 4 000002220000|110002002200|11-002222000|10000-222000|00110122-000|110011122011|001000122221|000001002212",
            "8 7 000002222220|000002222200|00-002222000|00000-222000|00110122-000|110011122022|001000122222|000001002222",
        ];
        for line in expected {
            let parts: Vec<&str> = line.split(' ').collect();
            let found = sieved(&digits(image), parts[1].parse().unwrap(), parts[0] == "8").unwrap();
            assert!(same(&found, &digits(parts[2])), "{line}: {found}");
        }
    }

    #[test]
    fn what_is_no_class_is_refused() {
        for (bad, text) in [
            (0.5, "0.5 in row 1, column 2"),
            (2e7, "20000000"),
            (f32::INFINITY, "inf"),
        ] {
            let error = sieved(&array![[1.0, bad]], 2, false).unwrap_err().to_string();
            assert!(error.contains(text) && error.contains("whole numbers"), "{error}");
        }
    }
}
