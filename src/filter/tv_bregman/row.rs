//! One Gauss–Seidel sweep of the split Bregman method over one row: the arithmetic of `tv_bregman`.

use multiversion::multiversion;

/// Values beside the image's columns: column c of the image is entry c + 1 of a row, entries 0 and cols + 1 are its border.
pub(super) const BORDER: usize = 1;

/// A row of the image and of everything that the iterations know of it.
pub(super) struct Line {
    /// The noisy image, NaN where masked.
    pub noisy: Vec<f32>,
    /// The present solution, NaN where masked and where a border has no value to stand in.
    pub u: Vec<f32>,
    /// The gradient to the right and downwards plus the Bregman variable of the last iteration, before shrinking.
    /// 0 where masked: no gradient crosses the edge of a masked pixel.
    pub x: Vec<f32>,
    pub y: Vec<f32>,
    /// The factor that makes the Bregman variable from `x` and `y`.
    pub shrink: Vec<f32>,
    /// Runs of valid pixels: first entry and the one past the last.
    pub spans: Vec<(usize, usize)>,
}

impl Line {
    pub fn new(cols: usize) -> Line {
        let row = |value| vec![value; cols + 2 * BORDER];
        Line {
            noisy: row(f32::NAN),
            u: row(f32::NAN),
            x: row(0.0),
            y: row(0.0),
            shrink: row(1.0),
            spans: Vec::new(),
        }
    }

    /// A row beyond the image: it stands in for its neighbours' missing row and is never swept.
    pub fn border(pixels: &[f32]) -> Line {
        let mut line = Line::new(pixels.len());
        line.load(pixels);
        line.spans.clear();
        line
    }

    /// Starts again with a row of the noisy image.
    pub fn load(&mut self, pixels: &[f32]) {
        let cols = pixels.len();
        for (entry, &v) in self.noisy[BORDER..].iter_mut().zip(pixels) {
            *entry = if v.is_finite() { v } else { f32::NAN };
        }
        // The border: the second column on the left, the last on the right, as they came.
        self.noisy[0] = if cols > 1 {
            self.noisy[BORDER + 1]
        } else {
            f32::NAN
        };
        self.noisy[BORDER + cols] = self.noisy[cols];
        self.u.copy_from_slice(&self.noisy);
        self.x.fill(0.0);
        self.y.fill(0.0);
        self.shrink.fill(1.0);
        self.spans.clear();
        let mut first = BORDER;
        for c in BORDER..=BORDER + cols {
            if c == BORDER + cols || self.noisy[c].is_nan() {
                if c > first {
                    self.spans.push((first, c));
                }
                first = c + 1;
            }
        }
    }

    /// Valid pixels of the row.
    pub fn count(&self) -> usize {
        self.spans.iter().map(|(first, end)| end - first).sum()
    }
}

/// The constants of the iteration.
#[derive(Debug, Clone, Copy)]
pub(super) struct Step {
    /// λ of the shrinkage: twice the weight.
    lambda: f32,
    /// Shares of a neighbour and of the noisy pixel in the new value; four of the first and one of the second are 1.
    neighbour: f32,
    fidelity: f32,
    isotropic: bool,
}

impl Step {
    pub fn new(weight: f64, isotropic: bool) -> Step {
        let (lambda, norm) = (2.0 * weight, 9.0 * weight);
        Step {
            lambda: lambda as f32,
            neighbour: (lambda / norm) as f32,
            fidelity: (weight / norm) as f32,
            isotropic,
        }
    }
}

/// Room for the intermediate results of a row.
pub(super) struct Scratch {
    /// What enters the recurrence, behind `LEAD` zeros.
    source: Vec<f32>,
    partial: Vec<f32>,
    solved: Vec<f32>,
    /// Shrunk gradient minus Bregman variable, to the right.
    right: Vec<f32>,
}

/// Terms of the recurrence that are summed: 16 of them, each 2/9 of the one before, are all that f32 can hold.
const LEAD: usize = 15;

impl Scratch {
    pub fn new(cols: usize) -> Scratch {
        let row = || vec![0.0; cols + 2 * BORDER + LEAD];
        Scratch {
            source: row(),
            partial: row(),
            solved: row(),
            right: row(),
        }
    }
}

/// Brings row `line` from one iteration to the next. `above` has had this iteration, `below` has not. Returns the sum of
/// the squared changes of the solution.
///
/// Where a neighbour is masked (or a border has nothing to stand in), the pixel itself takes its place, as it is before
/// the update: no gradient, nothing to smooth towards.
pub(super) fn sweep(above: &Line, line: &mut Line, below: &Line, step: &Step, scratch: &mut Scratch) -> f64 {
    let mut sum = 0.0;
    for i in 0..line.spans.len() {
        let span = line.spans[i];
        sum += if step.isotropic {
            sweep_isotropic(above, line, below, step, scratch, span)
        } else {
            sweep_anisotropic(above, line, below, step, scratch, span)
        };
    }
    sum
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn sweep_isotropic(
    above: &Line,
    line: &mut Line,
    below: &Line,
    step: &Step,
    scratch: &mut Scratch,
    span: (usize, usize),
) -> f64 {
    sweep_span::<true>(above, line, below, step, scratch, span)
}

#[multiversion(targets("x86_64+avx512f+avx512vl+avx512dq+avx512bw", "x86_64+avx2"))]
fn sweep_anisotropic(
    above: &Line,
    line: &mut Line,
    below: &Line,
    step: &Step,
    scratch: &mut Scratch,
    span: (usize, usize),
) -> f64 {
    sweep_span::<false>(above, line, below, step, scratch, span)
}

/// The Bregman variable that shrinking leaves of `s`. What shrinking keeps, d, is s minus this.
#[inline(always)]
fn bregman<const ISOTROPIC: bool>(s: f32, shrink: f32, limit: f32) -> f32 {
    if ISOTROPIC {
        s * shrink
    } else {
        let upper = if s < limit { s } else { limit };
        if upper > -limit { upper } else { -limit }
    }
}

#[inline(always)]
fn sweep_span<const ISOTROPIC: bool>(
    above: &Line,
    line: &mut Line,
    below: &Line,
    step: &Step,
    scratch: &mut Scratch,
    (first, end): (usize, usize),
) -> f64 {
    let n = end - first;
    let Step {
        lambda,
        neighbour,
        fidelity,
        ..
    } = *step;
    let limit = 1.0 / lambda;
    let left = line.u[first - 1];

    let source = &mut scratch.source[LEAD..LEAD + n];
    {
        let u = &line.u[first..=end];
        let (u, u_right) = (&u[..n], &u[1..]);
        let (u_below, u_above) = (&below.u[first..end], &above.u[first..end]);
        let (y_above, shrink_above) = (&above.y[first..end], &above.shrink[first..end]);
        let noisy = &line.noisy[first..end];
        let (x, y, shrink) = (
            &mut line.x[first..end],
            &mut line.y[first..end],
            &mut line.shrink[first..end],
        );
        let right = &mut scratch.right[..n];
        for c in 0..n {
            let value = u[c];
            let or_own = |v: f32| if v.is_nan() { value } else { v };
            let (to_right, to_below, to_above) = (or_own(u_right[c]), or_own(u_below[c]), or_own(u_above[c]));

            let (b_x, b_y) = (
                bregman::<ISOTROPIC>(x[c], shrink[c], limit),
                bregman::<ISOTROPIC>(y[c], shrink[c], limit),
            );
            // d − b of this pixel from the last iteration, of the pixel above from this one.
            let (old_right, old_below) = (x[c] - b_x - b_x, y[c] - b_y - b_y);
            let b_above = bregman::<ISOTROPIC>(y_above[c], shrink_above[c], limit);
            let from_above = y_above[c] - b_above - b_above;

            let (new_x, new_y) = (to_right - value + b_x, to_below - value + b_y);
            if ISOTROPIC {
                shrink[c] = 1.0 / ((new_x * new_x + new_y * new_y).sqrt() * lambda + 1.0);
            }
            let new_b = bregman::<ISOTROPIC>(new_x, shrink[c], limit);
            right[c] = new_x - new_b - new_b;
            x[c] = new_x;
            y[c] = new_y;

            let around = to_below + to_above + to_right - old_right + from_above - old_below;
            // The left neighbour's new value and its `right` enter by the recurrence, so the source has `right` added
            // and the solution has it taken off again.
            source[c] = around * neighbour + noisy[c] * fidelity + right[c];
        }
    }
    source[0] += neighbour * if left.is_nan() { line.u[first] } else { left };

    // solved[c] = source[c] + 2/9 · solved[c − 1], as two sums of four terms each: the same for every pixel.
    let k = neighbour;
    let (k2, k3) = (k * k, k * k * k);
    {
        let s = &scratch.source[LEAD - 3..LEAD + n];
        let partial = &mut scratch.partial[LEAD..LEAD + n];
        let (s0, s1, s2, s3) = (&s[3..], &s[2..n + 2], &s[1..n + 1], &s[..n]);
        for c in 0..n {
            partial[c] = (s0[c] + k * s1[c]) + (k2 * s2[c] + k3 * s3[c]);
        }
    }
    let (k4, k8, k12) = (k2 * k2, k2 * k2 * k2 * k2, k3 * k3 * k3 * k3);
    {
        let p = &scratch.partial[LEAD - 12..LEAD + n];
        let solved = &mut scratch.solved[..n];
        let (p0, p4, p8, p12) = (&p[12..], &p[8..n + 8], &p[4..n + 4], &p[..n]);
        for c in 0..n {
            solved[c] = (p0[c] + k4 * p4[c]) + (k8 * p8[c] + k12 * p12[c]);
        }
    }
    let (solved, right) = (&scratch.solved[..n], &scratch.right[..n]);
    let u = &mut line.u[first..end];
    sum_of_changes(solved, right, u)
}

/// Stores the solution and returns the sum of its squared changes, in a fixed order: sixteen sums along blocks of
/// the row, in f32, and those of all blocks in f64.
#[inline(always)]
fn sum_of_changes(solved: &[f32], right: &[f32], u: &mut [f32]) -> f64 {
    const BLOCK: usize = 16;
    let n = u.len();
    let whole = n - n % BLOCK;
    let mut total = [0f64; BLOCK];
    for first in (0..whole).step_by(BLOCK) {
        let (s, r) = (&solved[first..first + BLOCK], &right[first..first + BLOCK]);
        let u = &mut u[first..first + BLOCK];
        for i in 0..BLOCK {
            let value = s[i] - r[i];
            let change = value - u[i];
            total[i] += f64::from(change * change);
            u[i] = value;
        }
    }
    let mut sum: f64 = total.iter().sum();
    for i in whole..n {
        let value = solved[i] - right[i];
        let change = value - u[i];
        sum += f64::from(change * change);
        u[i] = value;
    }
    sum
}
