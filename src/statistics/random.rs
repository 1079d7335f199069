//! Random numbers that are the same on every machine and in every version.

use std::f64::consts::TAU;

/// SplitMix64: a counter in steps of the golden ratio, its bits mixed.
///
/// # Source
/// Steele, Lea & Flood 2014, Fast splittable pseudorandom number generators, doi:10.1145/2660193.2660195.
#[derive(Debug, Clone)]
pub struct Random(u64);

fn mixed(mut z: u64) -> u64 {
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}

const GOLDEN: u64 = 0x9e37_79b9_7f4a_7c15;

impl Random {
    pub fn new(seed: u64) -> Random {
        Random(seed)
    }

    /// A stream of its own for each list of numbers, such as { seed, epoch, chip }.
    pub fn of(parts: &[u64]) -> Random {
        Random(parts.iter().fold(0, |state, &part| {
            mixed(state.wrapping_add(GOLDEN) ^ mixed(part.wrapping_add(GOLDEN)))
        }))
    }

    pub fn bits(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(GOLDEN);
        mixed(self.0)
    }

    /// 0 ≤ v < 1, in steps of 2⁻⁵³.
    pub fn uniform(&mut self) -> f64 {
        (self.bits() >> 11) as f64 / (1u64 << 53) as f64
    }

    /// Each number below `count`, which is not 0, is as likely as the others.
    ///
    /// # Source
    /// Lemire 2019, Fast random integer generation in an interval, doi:10.1145/3230636.
    pub fn below(&mut self, count: usize) -> usize {
        let count = count as u64;
        loop {
            let wide = u128::from(self.bits()) * u128::from(count);
            // Of the 2⁶⁴ numbers the last few that would favour some results are drawn again.
            if wide as u64 >= count.wrapping_neg() % count {
                return (wide >> 64) as usize;
            }
        }
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.uniform() < probability
    }

    /// Every order is as likely as the others (Fisher and Yates).
    pub fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.below(last + 1));
        }
    }

    /// Mean 0, standard deviation 1 (Marsaglia's polar method, one of its two numbers), the same to the last bit on every machine.
    pub fn normal(&mut self) -> f64 {
        loop {
            let (u, v) = (2.0 * self.uniform() - 1.0, 2.0 * self.uniform() - 1.0);
            let s = u * u + v * v;
            if s > 0.0 && s < 1.0 {
                return u * (-2.0 * logarithm(s) / s).sqrt();
            }
        }
    }

    /// Mean 0, standard deviation 1, of two uniform numbers whatever they are: what takes one number each of many streams, as images of
    /// random numbers do, pays for no second try.
    ///
    /// # Source
    /// Box & Muller 1958, A note on the generation of random normal deviates, doi:10.1214/aoms/1177706645.
    pub fn normal_of_two(&mut self) -> f64 {
        let (u, v) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * u.ln()).sqrt() * (TAU * v).cos()
    }

    /// Gamma of this shape, which is positive, and scale 1: mean and variance are the shape. `normal` is one of the two above.
    ///
    /// # Source
    /// Marsaglia & Tsang 2000, A simple method for generating gamma variables, doi:10.1145/358407.358414, with their boost for shapes below 1.
    pub fn gamma(&mut self, shape: f64, normal: fn(&mut Random) -> f64) -> f64 {
        if shape < 1.0 {
            let u = 1.0 - self.uniform();
            return self.gamma(shape + 1.0, normal) * u.powf(1.0 / shape);
        }
        let d = shape - 1.0 / 3.0;
        let c = 1.0 / (9.0 * d).sqrt();
        loop {
            let x = normal(self);
            let v = (1.0 + c * x).powi(3);
            let u = 1.0 - self.uniform();
            if v > 0.0 && u.ln() < 0.5 * x * x + d - d * v + d * v.ln() {
                return d * v;
            }
        }
    }
}

/// The natural logarithm of a normal positive number, to 1e-15: the system's may differ in its last bit from machine to machine.
fn logarithm(x: f64) -> f64 {
    let bits = x.to_bits();
    let mut exponent = ((bits >> 52) & 0x7FF) as f64 - 1023.0;
    // In 1 ≤ m < 2, then around 1.
    let mut m = f64::from_bits((bits & 0x000F_FFFF_FFFF_FFFF) | 0x3FF0_0000_0000_0000);
    if m > std::f64::consts::SQRT_2 {
        m /= 2.0;
        exponent += 1.0;
    }
    // 2 artanh(s), whose terms fall by more than 30 each.
    let s = (m - 1.0) / (m + 1.0);
    let series: f64 = (0..13)
        .rev()
        .fold(0.0, |sum, k| sum * s * s + 1.0 / f64::from(2 * k + 1));
    2.0 * s * series + exponent * std::f64::consts::LN_2
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_those_of_splitmix64() {
        // Java's SplittableRandom and the reference in C give these for the seed 1234567.
        let mut random = Random::new(1_234_567);
        let expected = [
            6_457_827_717_110_365_317,
            3_203_168_211_198_807_973,
            9_817_491_932_198_370_423,
            4_593_380_528_125_082_431,
            16_408_922_859_458_223_821,
        ];
        assert_eq!([(); 5].map(|()| random.bits()), expected);
    }

    #[test]
    fn the_logarithm_is_the_systems() {
        for x in [1e-300, 3e-7, 0.1, 0.5, 0.7, 0.9999, 1.0, 1.4, 2.0, 123.456, 1e18] {
            let close = (logarithm(x) - x.ln()).abs() <= 2e-15 * x.ln().abs().max(1.0);
            assert!(close, "{x}: {} {}", logarithm(x), x.ln());
        }
    }

    #[test]
    fn distributions_have_their_moments() {
        let mut random = Random::new(3);
        let n = 200_000;
        let mut moments = |draw: &dyn Fn(&mut Random) -> f64| {
            let values: Vec<f64> = (0..n).map(|_| draw(&mut random)).collect();
            let mean = values.iter().sum::<f64>() / n as f64;
            let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n as f64;
            (mean, variance)
        };
        for (draw, mean, variance) in [
            (
                &(|r: &mut Random| r.uniform()) as &dyn Fn(&mut Random) -> f64,
                0.5,
                1.0 / 12.0,
            ),
            (&|r| r.normal(), 0.0, 1.0),
            (&|r| r.normal_of_two(), 0.0, 1.0),
            (&|r| r.gamma(0.5, Random::normal), 0.5, 0.5),
            (&|r| r.gamma(4.0, Random::normal_of_two), 4.0, 4.0),
            (&|r| r.below(3) as f64, 1.0, 2.0 / 3.0),
        ] {
            let (m, v) = moments(draw);
            let slack = 5.0 * (variance / n as f64).sqrt();
            assert!(
                (m - mean).abs() < slack && (v / variance - 1.0).abs() < 0.05,
                "{m} {v}"
            );
        }
    }

    #[test]
    fn a_shuffle_keeps_everything_and_streams_differ() {
        let mut items: Vec<usize> = (0..100).collect();
        Random::of(&[1, 2]).shuffle(&mut items);
        let mut sorted = items.clone();
        sorted.sort_unstable();
        assert!(sorted.iter().copied().eq(0..100) && items != sorted);
        let first = |parts: &[u64]| Random::of(parts).bits();
        assert!(first(&[1, 2]) != first(&[2, 1]) && first(&[0]) != first(&[0, 0]));
    }
}
