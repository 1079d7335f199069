//! Values of a zone, for exact percentiles: in memory while there is room, else in a scratch file.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::PathBuf;

use bytemuck::Pod;

use crate::error::{Error, Result};
use crate::raster::store::scratch_file;
use crate::statistics::{self, Ordered};
use crate::work::{self, Held};

/// Values are read of a scratch file by so many bytes.
const STEP: usize = 1 << 20;

/// Room for the values of all zones.
pub struct Shelf {
    room: usize,
    file: Option<(File, PathBuf)>,
    end: u64,
    _held: Held,
}

/// The values of one zone.
#[derive(Clone)]
pub struct Values<T> {
    here: Vec<T>,
    /// (place, bytes) in the scratch file.
    away: Vec<(u64, usize)>,
}

impl<T> Default for Values<T> {
    fn default() -> Self {
        Values {
            here: Vec::new(),
            away: Vec::new(),
        }
    }
}

impl Shelf {
    /// For so many bytes at most, of which a quarter of the ceiling is kept in memory.
    pub fn of(most: usize) -> Shelf {
        const LEAST: usize = 1 << 20;
        let room = most.clamp(LEAST, (work::memory() / 4).max(LEAST));
        let held = Held::within(room, work::memory());
        let held = held.unwrap_or_else(|| Held::hold(LEAST));
        Shelf {
            room: held.bytes(),
            file: None,
            end: 0,
            _held: held,
        }
    }

    pub fn room(&self) -> usize {
        self.room
    }

    pub fn is_used(&self) -> bool {
        self.file.is_some()
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(u64, usize)> {
        let (file, path) = match &mut self.file {
            Some(file) => file,
            none => none.insert(scratch_file(0)?),
        };
        file.write_all_at(bytes, self.end)
            .map_err(|e| Error::io(&*path, e))?;
        let place = (self.end, bytes.len());
        self.end += bytes.len() as u64;
        Ok(place)
    }

    fn get(&self, at: u64, bytes: &mut [u8]) -> Result<()> {
        match &self.file {
            Some((file, path)) => file.read_exact_at(bytes, at).map_err(|e| Error::io(path, e)),
            None => Err(Error::message("no value was put away")),
        }
    }
}

impl<T: Pod + Ordered + PartialOrd + Into<f64>> Values<T> {
    /// Bytes in memory.
    pub fn bytes(&self) -> usize {
        self.here.capacity() * size_of::<T>()
    }

    pub fn extend(&mut self, values: Vec<T>) {
        if self.here.is_empty() {
            self.here = values;
            self.here.shrink_to_fit();
        } else {
            self.here.extend_from_slice(&values);
        }
    }

    /// Takes in those of a tile, which are in memory.
    pub fn append(&mut self, tile: Values<T>) {
        if !tile.here.is_empty() {
            self.extend(tile.here);
        }
    }

    pub fn is_empty(&self) -> bool {
        self.here.is_empty() && self.away.is_empty()
    }

    /// # Errors
    /// When the scratch file cannot be made or written.
    pub fn put_away(&mut self, shelf: &mut Shelf) -> Result<()> {
        if !self.here.is_empty() {
            let here = std::mem::take(&mut self.here);
            self.away.push(shelf.put(bytemuck::cast_slice(&here))?);
        }
        Ok(())
    }

    /// Exact, linear between neighbours.
    ///
    /// # Errors
    /// When the scratch file cannot be read.
    pub fn percentile(&mut self, percent: f64, shelf: &Shelf) -> Result<f64> {
        if self.away.is_empty() {
            return Ok(statistics::percentile(&mut self.here, percent));
        }
        let away: usize = self.away.iter().map(|(_, bytes)| bytes / size_of::<T>()).sum();
        let count = self.here.len() + away;
        if count * size_of::<T>() <= shelf.room {
            let mut all = Vec::with_capacity(count);
            self.each(shelf, &mut |values| all.extend_from_slice(values))?;
            return Ok(statistics::percentile(&mut all, percent));
        }
        let position = percent.clamp(0.0, 100.0) / 100.0 * (count - 1) as f64;
        let below = position.floor() as usize;
        let (at, next) = (
            self.at(below, shelf)?,
            self.at((below + 1).min(count - 1), shelf)?,
        );
        Ok(at + (next - at) * (position - below as f64))
    }

    /// The value of a rank, from 0: by 16 bits of the order of all values at a time.
    fn at(&self, mut rank: usize, shelf: &Shelf) -> Result<f64> {
        let mut prefix = 0;
        for shift in (0..T::BITS).step_by(16).rev() {
            let mut counts = vec![0_usize; 1 << 16];
            self.each(shelf, &mut |values| {
                for order in values.iter().map(|value| value.order()) {
                    if order >> shift >> 16 == prefix {
                        counts[(order >> shift & 0xffff) as usize] += 1;
                    }
                }
            })?;
            let mut part = 0;
            while rank >= counts[part] {
                rank -= counts[part];
                part += 1;
            }
            prefix = prefix << 16 | part as u64;
        }
        Ok(T::of_order(prefix).into())
    }

    /// All of them, piece by piece.
    fn each(&self, shelf: &Shelf, take: &mut dyn FnMut(&[T])) -> Result<()> {
        take(&self.here);
        let mut values = vec![T::zeroed(); STEP / size_of::<T>()];
        for &(start, bytes) in &self.away {
            for done in (0..bytes).step_by(STEP) {
                crate::interrupt::check()?;
                let values = &mut values[..STEP.min(bytes - done) / size_of::<T>()];
                shelf.get(start + done as u64, bytemuck::cast_slice_mut(values))?;
                take(values);
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::work::Context;

    /// In memory, together, and piece by piece.
    #[test]
    fn percentiles_do_not_depend_on_where_the_values_are() {
        let context = Context::new().with_memory(8 << 20);
        let _entered = context.enter();
        let number = |i: usize| ((i * 7919 % 700_001) as f64 - 250_000.0) / 7.0;
        for count in [1, 2, 1000, 700_000] {
            let all: Vec<f64> = (0..count).map(number).collect();
            let mut shelf = Shelf::of(usize::MAX);
            let (mut here, mut away) = (Values::default(), Values::default());
            here.extend(all.clone());
            for part in all.chunks(300_000) {
                away.extend(part.to_vec());
                away.put_away(&mut shelf).unwrap();
                assert_eq!(away.bytes(), 0);
            }
            assert_eq!(count * 8 > shelf.room(), count == 700_000);
            for percent in [0.0, 5.0, 33.3, 50.0, 99.9, 100.0] {
                let expected = here.percentile(percent, &shelf).unwrap();
                assert_eq!(away.percentile(percent, &shelf).unwrap(), expected);
            }
        }
        let mut shelf = Shelf::of(0);
        let mut singles = Values::default();
        singles.extend((0..600_000).map(|i| (i as f32 - 1e5) * 0.25).collect());
        singles.put_away(&mut shelf).unwrap();
        assert_eq!(singles.percentile(50.0, &shelf).unwrap(), 49_999.875);
    }
}
