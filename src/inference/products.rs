//! What is made of the numbers of a network.

use ndarray::{Array2, Array3, ArrayView3, Axis, Zip};
use serde::{Deserialize, Serialize};

use super::metadata::Activation;
use crate::error::Choice;

/// Numbers of the network, channels × rows × cols, as probabilities: those of one channel by the logistic function, of several by softmax.
pub fn probabilities(activation: Activation, numbers: &mut Array3<f32>) {
    let (channels, rows, cols) = numbers.dim();
    match (activation, channels) {
        (Activation::Probabilities | Activation::Values, _) => {}
        (Activation::Logits, 1) => numbers.mapv_inplace(|v| 1.0 / (1.0 + (-v).exp())),
        (Activation::Logits, _) => {
            let mut largest = Array2::from_elem((rows, cols), f32::NEG_INFINITY);
            for channel in numbers.outer_iter() {
                Zip::from(&mut largest)
                    .and(&channel)
                    .for_each(|most, &v| *most = most.max(v));
            }
            let mut sum = Array2::<f32>::zeros((rows, cols));
            for mut channel in numbers.outer_iter_mut() {
                Zip::from(&mut channel)
                    .and(&largest)
                    .and(&mut sum)
                    .for_each(|v, &most, sum| {
                        *v = (*v - most).exp();
                        *sum += *v;
                    });
            }
            for mut channel in numbers.outer_iter_mut() {
                Zip::from(&mut channel).and(&sum).for_each(|v, &sum| *v /= sum);
            }
        }
    }
}

/// Bands that are made of what a network gives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Product {
    /// The number of the class that is most probable, from 0; of one channel whether it is at least ½.
    Classes,
    /// The probability of that class.
    Confidence,
    /// The probability of each class, a band each.
    Probabilities,
    /// The numbers as the network gives them, a band each: logits, or quantities.
    Values,
}

impl Choice for Product {
    const ALL: &'static [(&'static str, Self)] = &[
        ("classes", Product::Classes),
        ("confidence", Product::Confidence),
        ("probabilities", Product::Probabilities),
        ("logits", Product::Values),
        ("values", Product::Values),
    ];
}

impl Product {
    /// Whether it is made of probabilities, which are blended after the activation, or of the numbers themselves.
    pub fn of_probabilities(self) -> bool {
        self != Product::Values
    }

    pub fn bands(self, channels: usize) -> usize {
        match self {
            Product::Classes | Product::Confidence => 1,
            Product::Probabilities | Product::Values => channels,
        }
    }

    /// A band of it, of blended probabilities or numbers, channels × rows × cols.
    pub fn band(self, band: usize, channels: ArrayView3<'_, f32>) -> Array2<f32> {
        let is_alone = channels.dim().0 == 1;
        match self {
            Product::Probabilities | Product::Values => channels.index_axis(Axis(0), band).to_owned(),
            Product::Classes if is_alone => channels
                .index_axis(Axis(0), 0)
                .map(|p| f32::from(u8::from(*p >= 0.5))),
            Product::Confidence if is_alone => channels.index_axis(Axis(0), 0).map(|p| p.max(1.0 - p)),
            Product::Classes | Product::Confidence => {
                let mut most = channels.index_axis(Axis(0), 0).to_owned();
                let mut class = Array2::zeros(most.dim());
                for (number, channel) in channels.outer_iter().enumerate().skip(1) {
                    Zip::from(&mut most)
                        .and(&mut class)
                        .and(&channel)
                        .for_each(|most, class, &v| {
                            if v > *most {
                                (*most, *class) = (v, number as f32);
                            }
                        });
                }
                if self == Product::Classes { class } else { most }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{array, stack};

    use super::*;

    #[test]
    fn probabilities_of_logits() {
        let mut numbers = Array3::from_shape_vec((2, 1, 2), vec![0.0, 1000.0, 3f32.ln(), 0.0]).unwrap();
        probabilities(Activation::Logits, &mut numbers);
        for (found, right) in numbers.iter().zip([0.25, 1.0, 0.75, 0.0]) {
            assert!((found - right).abs() < 1e-6);
        }
        let mut numbers = Array3::from_elem((1, 1, 1), -(3f32.ln()));
        probabilities(Activation::Logits, &mut numbers);
        assert!((numbers[(0, 0, 0)] - 0.25).abs() < 1e-6);
    }

    #[test]
    fn classes_are_the_most_probable_ones_and_the_first_of_equals() {
        let (a, b, c) = (
            array![[0.2, 0.4, 0.3]],
            array![[0.5, 0.4, 0.3]],
            array![[0.3, 0.2, 0.4]],
        );
        let all = stack(Axis(0), &[a.view(), b.view(), c.view()]).unwrap();
        assert_eq!(Product::Classes.band(0, all.view()), array![[1.0, 0.0, 2.0]]);
        assert_eq!(Product::Confidence.band(0, all.view()), array![[0.5, 0.4, 0.4]]);
        assert_eq!(Product::Probabilities.band(2, all.view()), c);
        let one = array![[[0.4, 0.5, 0.9]]];
        assert_eq!(Product::Classes.band(0, one.view()), array![[0.0, 1.0, 1.0]]);
        assert_eq!(Product::Confidence.band(0, one.view()), array![[0.6, 0.5, 0.9]]);
    }
}
