//! What training does to a chip so that it is another one each time. Every change is a function of the chip and of random numbers alone.

use ndarray::{Array2, Array3, ArrayViewMut3, Axis};

use crate::error::{Domain, Error, Remedy, Result};
use crate::raster::{Band, Unit};
use crate::statistics::random::Random;

#[derive(Debug, Clone, PartialEq, Default)]
pub struct Augment {
    /// Left and right, and up and down, each with probability 1/2.
    pub flips: bool,
    /// None to three quarter turns, each as likely.
    pub turns: bool,
    pub drop: Option<ChannelDrop>,
    pub speckle: Option<Speckle>,
}

/// With a probability, so many draws with replacement among the bands are set to 0, after normalisation: two draws of one band drop one.
#[derive(Debug, Clone, PartialEq)]
pub struct ChannelDrop {
    pub bands: Vec<String>,
    pub probability: f64,
    pub draws: usize,
}

impl ChannelDrop {
    pub const PROBABILITY: f64 = 0.8;
    pub const DRAWS: usize = 3;
    pub const PROBABILITIES: Domain = Domain::within(0.0, 1.0);
    pub const COUNTS: Domain = Domain::within(1.0, 1024.0);
}

/// Multiplies power by gamma-distributed noise of mean 1 and variance 1 / looks, pixel by pixel, before normalisation; to decibels its logarithm is
/// added. Each band has its own noise.
#[derive(Debug, Clone, PartialEq)]
pub struct Speckle {
    pub bands: Vec<String>,
    pub looks: f64,
}

impl Speckle {
    pub const LOOKS: Domain = Domain::within(0.5, 10_000.0);
}

/// An `Augment` whose bands were found.
#[derive(Debug, Clone, Default)]
pub struct Ready {
    flips: bool,
    turns: bool,
    dropped: Vec<usize>,
    probability: f64,
    draws: usize,
    /// Bands, and whether they are in decibels.
    noisy: Vec<(usize, bool)>,
    looks: f64,
}

impl Ready {
    /// # Errors
    /// Bands that are not there, or are neither power nor decibels where speckle is wanted.
    pub fn new(augment: &Augment, bands: &[Band]) -> Result<Ready> {
        let place = |name: &String| {
            let found = bands.iter().position(|band| band.name == *name);
            found.ok_or_else(|| Error::not_found("band", name, bands.iter().map(|band| band.name.as_str())))
        };
        let mut ready = Ready {
            flips: augment.flips,
            turns: augment.turns,
            ..Ready::default()
        };
        if let Some(drop) = &augment.drop {
            ready.dropped = drop.bands.iter().map(place).collect::<Result<_>>()?;
            (ready.probability, ready.draws) = (drop.probability, drop.draws);
        }
        if let Some(speckle) = &augment.speckle {
            ready.looks = Speckle::LOOKS.check("looks", speckle.looks)?;
            for name in &speckle.bands {
                let at = place(name)?;
                match bands[at].unit {
                    Unit::Power => ready.noisy.push((at, false)),
                    Unit::Decibel => ready.noisy.push((at, true)),
                    _ => {
                        return Err(Error::argument(
                            "speckle.bands",
                            "bands in power or dB",
                            format!("`{name}` in `{}`; {}", bands[at].unit.symbol(), Remedy::SayUnit),
                        ));
                    }
                }
            }
        }
        Ok(ready)
    }

    /// Noise, on the values of the image.
    pub fn speckle(&self, image: &mut ArrayViewMut3<f32>, random: &mut Random) {
        for &(band, decibels) in &self.noisy {
            for pixel in image.index_axis_mut(Axis(0), band) {
                let noise = random.gamma(self.looks, Random::normal) / self.looks;
                *pixel = match decibels {
                    true => (f64::from(*pixel) + 10.0 * noise.log10()) as f32,
                    false => (f64::from(*pixel) * noise) as f32,
                };
            }
        }
    }

    /// Dropped bands, on normalised values.
    pub fn drop(&self, image: &mut ArrayViewMut3<f32>, random: &mut Random) {
        if self.dropped.is_empty() || !random.chance(self.probability) {
            return;
        }
        for _ in 0..self.draws {
            let band = self.dropped[random.below(self.dropped.len())];
            image.index_axis_mut(Axis(0), band).fill(0.0);
        }
    }

    /// Flips and quarter turns of an image (bands, rows, cols) and its labels, exactly. Both are square.
    pub fn turn(
        &self,
        image: Array3<f32>,
        labels: Array2<u8>,
        random: &mut Random,
    ) -> (Array3<f32>, Array2<u8>) {
        let (mut image, mut labels) = (image, labels);
        if self.flips {
            for axis in [0, 1] {
                if random.chance(0.5) {
                    image.invert_axis(Axis(axis + 1));
                    labels.invert_axis(Axis(axis));
                }
            }
        }
        if self.turns {
            for _ in 0..random.below(4) {
                // A quarter turn to the left: rows become columns, and the first is the last.
                image.swap_axes(1, 2);
                image.invert_axis(Axis(1));
                labels.swap_axes(0, 1);
                labels.invert_axis(Axis(0));
            }
        }
        (image, labels)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::{BTreeMap, BTreeSet};

    fn numbered() -> (Array3<f32>, Array2<u8>) {
        let image = Array3::from_shape_fn((2, 3, 3), |(b, r, c)| (b * 100 + r * 3 + c) as f32);
        (image, Array2::from_shape_fn((3, 3), |(r, c)| (r * 3 + c) as u8))
    }

    #[test]
    fn turns_and_flips_are_the_eight_of_a_square_and_move_labels_with_pixels() {
        let both = Ready {
            flips: true,
            turns: true,
            ..Ready::default()
        };
        let mut seen: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
        for seed in 0..4000 {
            let (image, labels) = numbered();
            let (image, labels) = both.turn(image, labels, &mut Random::new(seed));
            for ((r, c), &label) in labels.indexed_iter() {
                assert_eq!(
                    (image[[0, r, c]], image[[1, r, c]]),
                    (f32::from(label), 100.0 + f32::from(label))
                );
            }
            *seen.entry(labels.iter().copied().collect()).or_default() += 1;
        }
        // The square's symmetries, worked out by hand; each comes as often as the others.
        let expected: BTreeSet<Vec<u8>> = [
            [0, 1, 2, 3, 4, 5, 6, 7, 8],
            [2, 1, 0, 5, 4, 3, 8, 7, 6],
            [6, 7, 8, 3, 4, 5, 0, 1, 2],
            [8, 7, 6, 5, 4, 3, 2, 1, 0],
            [0, 3, 6, 1, 4, 7, 2, 5, 8],
            [2, 5, 8, 1, 4, 7, 0, 3, 6],
            [6, 3, 0, 7, 4, 1, 8, 5, 2],
            [8, 5, 2, 7, 4, 1, 6, 3, 0],
        ]
        .map(Vec::from)
        .into();
        assert!(seen.keys().cloned().collect::<BTreeSet<_>>() == expected);
        assert!(seen.values().all(|n| (400..600).contains(n)), "{seen:?}");
    }

    #[test]
    fn channels_drop_as_often_as_three_draws_with_replacement_do() {
        let ready = Ready {
            dropped: vec![2, 3, 4, 5],
            probability: 0.8,
            draws: 3,
            ..Ready::default()
        };
        let mut by_count = [0usize; 5];
        let mut random = Random::new(9);
        let rounds = 20_000;
        for _ in 0..rounds {
            let mut image = Array3::from_elem((6, 1, 1), 1.0);
            ready.drop(&mut image.view_mut(), &mut random);
            assert!(image[[0, 0, 0]] == 1.0 && image[[1, 0, 0]] == 1.0);
            by_count[image.iter().filter(|v| **v == 0.0).count()] += 1;
        }
        // Of 64 triples 4 hit one band, 36 two and 24 three.
        let shares = [0.2, 0.8 * 4.0 / 64.0, 0.8 * 36.0 / 64.0, 0.8 * 24.0 / 64.0, 0.0];
        for (n, share) in by_count.iter().zip(shares) {
            assert!((*n as f64 / rounds as f64 - share).abs() < 0.015, "{by_count:?}");
        }
    }

    #[test]
    fn speckle_has_mean_one_in_power_and_is_the_same_in_decibels() {
        let noisy = |decibels| Ready {
            noisy: vec![(1, decibels)],
            looks: 4.0,
            ..Ready::default()
        };
        let mut power = Array3::from_elem((2, 300, 300), 0.5f32);
        noisy(false).speckle(&mut power.view_mut(), &mut Random::new(1));
        let mut decibels = Array3::from_elem((2, 300, 300), 10.0 * 0.5f32.log10());
        noisy(true).speckle(&mut decibels.view_mut(), &mut Random::new(1));
        let values: Vec<f64> = power
            .index_axis(Axis(0), 1)
            .iter()
            .map(|v| f64::from(*v))
            .collect();
        let mean = values.iter().sum::<f64>() / 9e4;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 9e4;
        assert!(
            (mean - 0.5).abs() < 0.005 && (variance - 0.0625).abs() < 0.003,
            "{mean} {variance}"
        );
        for (p, d) in power.iter().zip(&decibels) {
            assert!((10.0 * p.log10() - d).abs() < 1e-3);
        }
        assert!(power.index_axis(Axis(0), 0).iter().all(|v| *v == 0.5));
    }
}
