//! Reductions over many images, pixel by pixel: a masked pixel drops out, a pixel valid in no image stays masked.

use std::sync::Arc;

use ndarray::Array2;
use serde::{Deserialize, Serialize};

use super::describe::{Described, Description, Site, from_json, to_json};
use super::element::Real;
use super::fold::{self, Wanted};
use super::image::{Band, Raster, float_of};
use super::integer::{self, Choice};
use super::operation::Operation;
use super::{DType, Grid, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Error, Remedy, Result};
use serde_json::Value as Json;

#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reducer {
    Median,
    Mean,
    /// Population standard deviation, as Earth Engine's stdDev and numpy's std.
    Std,
    Min,
    Max,
    Sum,
    /// Valid images; 0 where there are none.
    Count,
    /// 0…100, linear between neighbours as numpy's default.
    Percentile(f64),
    /// The first valid image in order.
    First,
    Last,
    /// The number, from 1, of the image with the smallest or the largest value, of equal ones the first.
    Argmin,
    Argmax,
    /// The most frequent value, of equally frequent ones the smallest.
    Mode,
}

impl Reducer {
    pub const NAMES: [&'static str; 12] = [
        "median", "mean", "std", "min", "max", "sum", "count", "first", "last", "argmin", "argmax", "mode",
    ];

    /// One of `NAMES`, or `p` and a number: `p90`.
    ///
    /// # Errors
    /// A name that is none of these; a percentile that is not from 0 to 100.
    pub fn parse(name: &str) -> Result<Reducer> {
        use Reducer::*;
        let all = [
            Median, Mean, Std, Min, Max, Sum, Count, First, Last, Argmin, Argmax, Mode,
        ];
        if let Some(i) = Self::NAMES.iter().position(|n| *n == name) {
            return Ok(all[i]);
        }
        match name.strip_prefix('p').and_then(|p| p.parse::<f64>().ok()) {
            Some(p) => Reducer::percentile(p),
            None => Err(Error::not_found(
                "reducer",
                name,
                Self::NAMES.into_iter().chain(["p90"]),
            )),
        }
    }

    /// # Errors
    /// A number that is not from 0 to 100.
    pub fn percentile(p: f64) -> Result<Reducer> {
        if (0.0..=100.0).contains(&p) {
            Ok(Reducer::Percentile(p))
        } else {
            Err(Error::argument("percentile", "between 0 and 100", p))
        }
    }

    pub fn name(self) -> String {
        match self {
            Reducer::Percentile(p) => format!("p{p}"),
            other => format!("{other:?}").to_lowercase(),
        }
    }

    fn is_ordered(self) -> bool {
        matches!(self, Reducer::Median | Reducer::Percentile(_) | Reducer::Mode)
    }

    fn is_place(self) -> bool {
        matches!(self, Reducer::Argmin | Reducer::Argmax)
    }
}

/// Pixels handled at a time: all images' pieces of a row stay in the first- and second-level caches.
const CHUNK: usize = 128;

struct Reduce {
    reducers: Vec<Reducer>,
    /// Compare-and-exchange pairs that sort the images (Batcher 1968); empty where no reducer needs order.
    network: Vec<(usize, usize)>,
}

impl Reduce {
    fn new(reducers: &[Reducer], images: usize) -> Reduce {
        let network = match reducers.iter().any(|r| r.is_ordered()) {
            true => sorting_network(images),
            false => Vec::new(),
        };
        Reduce {
            reducers: reducers.to_vec(),
            network,
        }
    }
}

impl Described for Reduce {
    const NAME: &'static str = "raster.reduce";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&self.reducers)
    }

    fn again(parameters: &Json, site: &Site) -> Result<Reduce> {
        let reducers: Vec<Reducer> = from_json(Self::NAME, parameters)?;
        Ok(Reduce::new(&reducers, site.inputs.len()))
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.on_grid()?.real()?;
        if site.inputs.is_empty() {
            return Err(site.wrong_inputs("at least 1"));
        }
        if self.reducers.is_empty() {
            return Err(Error::argument("reducers", "at least one", "none"));
        }
        self.reducers.iter().try_for_each(|reducer| match reducer {
            Reducer::Percentile(p) => Reducer::percentile(*p).map(drop),
            _ => Ok(()),
        })
    }
}

described!(Reduce, Tiles);

impl Operation for Reduce {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        self.reducers
            .iter()
            .map(|r| r.name())
            .collect::<Vec<_>>()
            .join(", ")
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        Kind::common(inputs).floating()
    }

    fn outputs(&self) -> usize {
        self.reducers.len()
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        Ok(if kind == Kind::F64 {
            let views: Vec<_> = inputs.iter().map(View::f64).collect();
            self.reduce(out, &views).into_iter().map(Pixels::F64).collect()
        } else {
            let views: Vec<_> = inputs.iter().map(View::f32).collect();
            self.reduce(out, &views).into_iter().map(Pixels::F32).collect()
        })
    }
}

impl Reduce {
    fn reduce<T: Real + Into<f64>>(
        &self,
        out: Window,
        inputs: &[ndarray::CowArray<'_, T, ndarray::Ix2>],
    ) -> Vec<Array2<T>> {
        let mut results: Vec<Array2<T>> = self
            .reducers
            .iter()
            .map(|_| Array2::from_elem((out.rows, out.cols), T::nan()))
            .collect();
        let mut planes: Vec<[T; CHUNK]> = vec![[T::nan(); CHUNK]; inputs.len()];
        let mut sorted = planes.clone();
        let mut counts = [0usize; CHUNK];
        let mut modes = [T::nan(); CHUNK];
        for r in 0..out.rows {
            for start in (0..out.cols).step_by(CHUNK) {
                let n = CHUNK.min(out.cols - start);
                for (plane, input) in planes.iter_mut().zip(inputs) {
                    for (p, &v) in plane.iter_mut().zip(input.row(r).iter().skip(start)) {
                        *p = v;
                    }
                }
                count_valid(&planes, &mut counts);
                if !self.network.is_empty() || inputs.len() == 1 {
                    sort_planes(&planes, &mut sorted, &self.network);
                }
                for (reducer, result) in self.reducers.iter().zip(&mut results) {
                    let mut row = result.row_mut(r);
                    if *reducer == Reducer::Mode {
                        find_modes(&sorted, &counts, &mut modes);
                        for (to, mode) in row.iter_mut().skip(start).zip(&modes[..n]) {
                            *to = *mode;
                        }
                        continue;
                    }
                    for i in 0..n {
                        row[start + i] = one(*reducer, &planes, &sorted, i, counts[i]);
                    }
                }
            }
        }
        results
    }
}

#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn count_valid<T: Real>(planes: &[[T; CHUNK]], counts: &mut [usize; CHUNK]) {
    counts.fill(0);
    for plane in planes {
        for (count, v) in counts.iter_mut().zip(plane) {
            *count += usize::from(!v.is_nan());
        }
    }
}

/// Sorts the images at every pixel, masked ones last.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn sort_planes<T: Real>(planes: &[[T; CHUNK]], sorted: &mut [[T; CHUNK]], network: &[(usize, usize)]) {
    for (target, source) in sorted.iter_mut().zip(planes) {
        for (t, &v) in target.iter_mut().zip(source) {
            *t = if v.is_nan() { T::infinity() } else { v };
        }
    }
    for &(i, j) in network {
        let (left, right) = sorted.split_at_mut(j);
        for (a, b) in left[i].iter_mut().zip(right[0].iter_mut()) {
            let (x, y) = (*a, *b);
            *a = if y < x { y } else { x };
            *b = if y < x { x } else { y };
        }
    }
}

/// The most frequent of the valid values at each pixel, which come in their order: the first that comes so often.
#[multiversion::multiversion(targets("x86_64+avx512f+avx512bw+avx512dq+avx512vl", "x86_64+avx2"))]
fn find_modes<T: Real>(sorted: &[[T; CHUNK]], counts: &[usize; CHUNK], modes: &mut [T; CHUNK]) {
    let (mut run, mut longest) = ([0u32; CHUNK], [0u32; CHUNK]);
    let mut before = [T::nan(); CHUNK];
    *modes = before;
    for (k, plane) in sorted.iter().enumerate() {
        for i in 0..CHUNK {
            run[i] = if plane[i] == before[i] { run[i] + 1 } else { 1 };
            let is_longer = k < counts[i] && run[i] > longest[i];
            longest[i] = if is_longer { run[i] } else { longest[i] };
            modes[i] = if is_longer { plane[i] } else { modes[i] };
        }
        before = *plane;
    }
}

#[inline(always)]
fn one<T: Real + Into<f64>>(
    reducer: Reducer,
    planes: &[[T; CHUNK]],
    sorted: &[[T; CHUNK]],
    i: usize,
    count: usize,
) -> T {
    if count == 0 {
        return if reducer == Reducer::Count {
            T::zero()
        } else {
            T::nan()
        };
    }
    let values = || planes.iter().map(|p| p[i]).filter(|v| !v.is_nan());
    let mean = || values().map(Into::into).sum::<f64>() / count as f64;
    let between = |position: f64| {
        let low = position.floor() as usize;
        let (a, b): (f64, f64) = (sorted[low][i].into(), sorted[(low + 1).min(count - 1)][i].into());
        T::of(a + (b - a) * (position - low as f64))
    };
    match reducer {
        Reducer::Median => {
            let (a, b): (f64, f64) = (sorted[(count - 1) / 2][i].into(), sorted[count / 2][i].into());
            T::of((a + b) / 2.0)
        }
        Reducer::Percentile(p) => between(p / 100.0 * (count - 1) as f64),
        Reducer::Mean => T::of(mean()),
        Reducer::Std => {
            let mean = mean();
            let squares: f64 = values().map(|v| (v.into() - mean) * (v.into() - mean)).sum();
            T::of((squares / count as f64).sqrt())
        }
        Reducer::Min => values().fold(T::infinity(), T::min),
        Reducer::Max => values().fold(T::neg_infinity(), T::max),
        Reducer::Sum => T::of(values().map(Into::into).sum::<f64>()),
        Reducer::Count => T::of(count as f64),
        Reducer::First => values().next().unwrap_or(T::nan()),
        Reducer::Last => values().last().unwrap_or(T::nan()),
        Reducer::Argmin => place(planes, i, |kept, v| v < kept),
        Reducer::Argmax => place(planes, i, |kept, v| v > kept),
        // Of all pixels at a time, by `find_modes`.
        Reducer::Mode => T::nan(),
    }
}

/// The number, from 1, of the first plane whose value is better than those of the others.
fn place<T: Real>(planes: &[[T; CHUNK]], i: usize, better: impl Fn(T, T) -> bool) -> T {
    let mut best: Option<(usize, T)> = None;
    for (k, plane) in planes.iter().enumerate().filter(|(_, plane)| !plane[i].is_nan()) {
        if best.is_none_or(|(_, kept)| better(kept, plane[i])) {
            best = Some((k, plane[i]));
        }
    }
    best.map_or(T::nan(), |(k, _)| T::of((k + 1) as f64))
}

/// Batcher's odd–even merge sort for any number of lines (Knuth, The Art of Computer Programming 3, 5.2.2 M).
fn sorting_network(n: usize) -> Vec<(usize, usize)> {
    let mut pairs = Vec::new();
    if n < 2 {
        return pairs;
    }
    let top = n.next_power_of_two() / 2;
    let mut p = top;
    while p > 0 {
        let (mut q, mut r, mut d) = (top, 0, p);
        loop {
            pairs.extend(
                (0..n.saturating_sub(d))
                    .filter(|i| i & p == r)
                    .map(|i| (i, i + d)),
            );
            if q == p {
                break;
            }
            d = q - p;
            q /= 2;
            r = p;
        }
        p /= 2;
    }
    pairs
}

/// Each band reduced over all images, which must lie on one grid and have the same bands. With one reducer, bands
/// keep their names; with several, each is called `<band>_<reducer>`.
///
/// # Errors
/// No image; no reducer; images on different grids, with other bands, or with bands in different units; complex bands.
pub fn reduce(images: &[Raster], reducers: &[Reducer]) -> Result<Raster> {
    let first = images.first().ok_or_else(|| {
        Error::message("the stack is empty: there is nothing to reduce (did a filter leave no image?)")
    })?;
    if reducers.is_empty() {
        return Err(Error::argument("reducers", "at least one", "none"));
    }
    for image in &images[1..] {
        first.check_grid(image)?;
        if image.band_names() != first.band_names() {
            let expected = format!("the same bands in all ({})", first.band_names().join(", "));
            return Err(Error::argument("images", expected, image.band_names().join(", ")));
        }
    }
    let mut bands = Vec::new();
    // Of counts and numbers of images.
    let whole = match images.len() <= usize::from(u16::MAX) {
        true => DType::U16,
        false => DType::U32,
    };
    for (b, like) in first.bands.iter().enumerate() {
        if images.iter().any(|i| i.bands[b].kind() == Kind::C32) {
            return Err(Error::argument(
                "bands",
                format!("real; {}", Remedy::Real),
                format!("`{}` is complex", like.name),
            ));
        }
        if let Some(other) = images
            .iter()
            .find(|i| i.bands[b].unit.plain() != like.unit.plain())
        {
            return Err(Error::Unit {
                message: format!(
                    "band `{}` is in {} in one image and in {} in another; {}",
                    like.name,
                    unit_name(&like.unit),
                    unit_name(&other.bands[b].unit),
                    Remedy::OneScale
                ),
            });
        }
        let ports: Vec<Port> = images.iter().map(|i| i.bands[b].port.clone()).collect();
        let same = images.iter().all(|i| i.bands[b].dtype == like.dtype);
        let wide = same && ports.iter().all(|port| port.kind() == Kind::I128);
        for (reducer, port) in reducers.iter().zip(reduced(&first.grid, &ports, reducers)) {
            let name = if reducers.len() == 1 {
                like.name.clone()
            } else {
                format!("{}_{}", like.name, reducer.name())
            };
            let choice = match reducer {
                Reducer::Min => Some(Choice::Min),
                Reducer::Max => Some(Choice::Max),
                Reducer::First => Some(Choice::First),
                Reducer::Last => Some(Choice::Last),
                _ => None,
            };
            let is_mode = *reducer == Reducer::Mode && port.kind() != Kind::F64;
            let keeps = same && (choice.is_some() || is_mode);
            let port = match choice.filter(|_| wide) {
                Some(choice) => chosen(&first.grid, &ports, choice),
                None => port,
            };
            let (dtype, unit) = match reducer {
                Reducer::Count | Reducer::Argmin | Reducer::Argmax => (whole, Unit::Other("1".into())),
                _ if keeps => (like.dtype, like.unit.clone()),
                _ => (float_of(port.kind()), like.unit.clone()),
            };
            bands.push(Band {
                name,
                dtype,
                unit,
                nodata: match reducer.is_place() {
                    true => Some(0.0),
                    false => like.nodata.filter(|_| keeps),
                },
                port,
            });
        }
    }
    Ok(Raster::new(first.grid.clone(), bands))
}

/// The ports of the reducers: all images at once where one needs them so or they are few, else one group after the other.
fn reduced(grid: &Arc<Grid>, ports: &[Port], reducers: &[Reducer]) -> Vec<Port> {
    let wanted: Vec<Wanted> = reducers.iter().map(|r| Wanted::Reduced(*r)).collect();
    if ports.len() > fold::GROUP && fold::is_possible(&wanted) {
        let numbers: Vec<f64> = match reducers.iter().any(|r| r.is_place()) {
            true => (1..=ports.len()).map(|i| i as f64).collect(),
            false => Vec::new(),
        };
        return fold::fold(grid, ports, &numbers, &wanted);
    }
    let operation = Arc::new(Reduce::new(reducers, ports.len()));
    Port::tiles(grid, operation, ports.to_vec())
}

/// A 64-bit integer of the images', of groups one after the other.
fn chosen(grid: &Arc<Grid>, ports: &[Port], choice: Choice) -> Port {
    let mut best: Vec<Port> = Vec::new();
    for group in ports.chunks(fold::GROUP) {
        best.extend_from_slice(group);
        best = Port::tiles(grid, integer::chosen(choice), best);
    }
    best.swap_remove(0)
}

fn unit_name(unit: &Unit) -> &str {
    if *unit == Unit::Unknown {
        "no stated unit"
    } else {
        unit.symbol()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_network_sorts_every_zero_one_sequence() {
        // A network that sorts all sequences of zeros and ones sorts everything (Knuth, the zero–one principle).
        for n in 1..=12 {
            let network = sorting_network(n);
            for bits in 0u32..1 << n {
                let mut v: Vec<u32> = (0..n).map(|i| bits >> i & 1).collect();
                for &(i, j) in &network {
                    if v[i] > v[j] {
                        v.swap(i, j);
                    }
                }
                assert!(v.is_sorted(), "n = {n}, bits = {bits:b}");
            }
        }
    }
}
