//! How wrong logits are, and which way they should go.
//!
//! Every loss is a sum over labelled pixels (Dice: over samples) divided by what the whole batch holds of them, so that a batch may be computed
//! in parts. Pixels without a label count for nothing.

use ndarray::{ArrayView3, Axis};
use serde::{Deserialize, Serialize};

use super::batch::UNLABELLED;
use crate::error::{Error, Result};
use crate::learning::torch::operators as op;
use crate::learning::torch::{Device, Tensor};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Loss {
    /// −Σ w(y) log p(y) / Σ w(y), p the softmax of the logits at the label y: PyTorch's `CrossEntropyLoss`. A weight a class, 1 where there are none.
    CrossEntropy { weights: Option<Vec<f32>> },
    /// Mean over the classes of 1 − 2 Σ p t / Σ (p + t), t being 1 where the label is the class; a class without a label counts 0:
    /// segmentation_models_pytorch's `DiceLoss` (Milletari et al. 2016, doi:10.1109/3DV.2016.79). A batch computed in parts gets the mean of the
    /// parts' by samples.
    Dice,
    /// Σ −(1 − q)^γ log q over classes and pixels, divided by the number of pixels, q being the sigmoid of the logit where the label is the class
    /// and one minus it elsewhere: segmentation_models_pytorch's `FocalLoss` without α (Lin et al. 2017, doi:10.1109/ICCV.2017.324).
    Focal { gamma: f64 },
}

/// A loss and its gradient by the logits.
pub struct Scored {
    /// Of one number, on the device.
    pub value: Tensor,
    pub gradient: Tensor,
}

impl Loss {
    /// # Errors
    /// Weights that are not one a class, or not positive.
    pub fn check(&self, classes: usize) -> Result<()> {
        match self {
            Loss::CrossEntropy {
                weights: Some(weights),
            } => {
                let good = |w: &f32| w.is_finite() && *w >= 0.0;
                if weights.len() != classes || !weights.iter().all(good) || weights.iter().all(|w| *w == 0.0)
                {
                    return Err(Error::argument(
                        "class_weights",
                        format!("{classes} numbers of 0 or more, one a class and not all 0"),
                        format!("{weights:?}"),
                    ));
                }
            }
            Loss::Focal { gamma } if !(gamma.is_finite() && *gamma >= 0.0) => {
                return Err(Error::argument("gamma", "0 or more", gamma));
            }
            Loss::CrossEntropy { weights: None } | Loss::Dice | Loss::Focal { .. } => {}
        }
        Ok(())
    }

    /// What the sum over these labels is divided by; 0 where none of them counts.
    pub fn share(&self, labels: ArrayView3<'_, u8>) -> f64 {
        let labelled = labels.iter().filter(|label| **label != UNLABELLED);
        match self {
            Loss::CrossEntropy {
                weights: Some(weights),
            } => labelled
                .map(|label| weights.get(usize::from(*label)).copied().unwrap_or(0.0))
                .map(f64::from)
                .sum(),
            Loss::CrossEntropy { weights: None } | Loss::Focal { .. } => labelled.count() as f64,
            Loss::Dice => {
                let has_labels = |sample: &ArrayView3<'_, u8>| sample.iter().any(|l| *l != UNLABELLED);
                labels.axis_chunks_iter(Axis(0), 1).filter(has_labels).count() as f64
            }
        }
    }

    /// The part of `logits` (samples, classes, rows, columns) in the loss of a batch whose `share` is `whole`.
    ///
    /// # Errors
    /// libtorch's.
    pub fn score(
        &self,
        logits: &Tensor,
        labels: ArrayView3<'_, u8>,
        whole: f64,
        device: Device,
    ) -> Result<Scored> {
        let classes = logits.size()?.get(1).copied().unwrap_or(0);
        match self {
            Loss::CrossEntropy { weights } => {
                let ones = vec![1.0; classes];
                let weights = weights.as_ref().unwrap_or(&ones);
                cross_entropy(logits, labels, weights, whole, device)
            }
            Loss::Dice => dice(logits, labels, classes, self.share(labels) / whole, device),
            Loss::Focal { gamma } => focal(logits, labels, classes, *gamma, whole, device),
        }
    }
}

fn cross_entropy(
    logits: &Tensor,
    labels: ArrayView3<'_, u8>,
    weights: &[f32],
    whole: f64,
    device: Device,
) -> Result<Scored> {
    let size = [
        labels.len_of(Axis(0)),
        labels.len_of(Axis(1)),
        labels.len_of(Axis(2)),
    ];
    let labels: Vec<i64> = labels.iter().map(|label| i64::from(*label)).collect();
    let labels = Tensor::integers(&labels, &size, device)?;
    let weights = Tensor::floats(weights, &[weights.len()], device)?;
    let part = Tensor::full(1.0 / whole, &[], device)?;
    let ignored = i64::from(UNLABELLED);
    let logarithms = op::log_softmax(logits)?;
    let [sum, total] = op::likelihood(&logarithms, &labels, &weights, ignored)?;
    let back = op::likelihood_backward(&part, &logarithms, &labels, &weights, ignored, &total)?;
    Ok(Scored {
        value: op::multiply(&sum, &part)?,
        gradient: op::log_softmax_backward(&back, &logarithms)?,
    })
}

/// The labels as one plane a class: `at(label, class)`.
fn planes(
    labels: ArrayView3<'_, u8>,
    classes: usize,
    device: Device,
    at: impl Fn(u8, usize) -> f32,
) -> Result<Tensor> {
    let (samples, rows, cols) = labels.dim();
    let mut values = Vec::with_capacity(labels.len() * classes);
    for sample in labels.outer_iter() {
        for class in 0..classes {
            values.extend(sample.iter().map(|label| at(*label, class)));
        }
    }
    Tensor::floats(&values, &[samples, classes, rows, cols], device)
}

fn is_labelled(label: u8, _: usize) -> f32 {
    f32::from(u8::from(label != UNLABELLED))
}

fn is_class(label: u8, class: usize) -> f32 {
    f32::from(u8::from(usize::from(label) == class))
}

fn dice(
    logits: &Tensor,
    labels: ArrayView3<'_, u8>,
    classes: usize,
    share: f64,
    device: Device,
) -> Result<Scored> {
    /// Of a class that is neither there nor predicted.
    const LEAST: f64 = 1e-7;
    let mut is_there = vec![0.0; classes];
    for label in labels {
        if let Some(there) = is_there.get_mut(usize::from(*label)) {
            *there = (share / classes as f64) as f32;
        }
    }
    let part = Tensor::floats(&is_there, &[1, classes, 1, 1], device)?;
    let labelled = planes(labels, 1, device, is_labelled)?;
    let truth = planes(labels, classes, device, is_class)?;
    let p = op::softmax(logits)?;
    let counted = op::multiply(&p, &labelled)?;
    let both = op::sum_of_channels(&op::multiply(&p, &truth)?)?;
    let all = op::sum_of_channels(&op::add(&counted, &truth)?)?;
    let all = op::maximum(&all, &Tensor::full(LEAST, &[], device)?)?;
    let two = Tensor::full(2.0, &[], device)?;
    let score = op::divide(&op::multiply(&both, &two)?, &all)?;
    // d(1 − 2 Σpt / Σ(p + t)) / dp = (score · labelled − 2 t) / Σ(p + t)
    let back = op::subtract(&op::multiply(&labelled, &score)?, &op::multiply(&truth, &two)?)?;
    let back = op::multiply(&back, &op::divide(&part, &all)?)?;
    Ok(Scored {
        value: op::sum(&op::subtract(&part, &op::multiply(&part, &score)?)?)?,
        gradient: op::softmax_backward(&back, &p)?,
    })
}

fn focal(
    logits: &Tensor,
    labels: ArrayView3<'_, u8>,
    classes: usize,
    gamma: f64,
    whole: f64,
    device: Device,
) -> Result<Scored> {
    let part = planes(labels, 1, device, |label, class| {
        is_labelled(label, class) / whole as f32
    })?;
    let sign = planes(labels, classes, device, |label, class| {
        2.0 * is_class(label, class) - 1.0
    })?;
    let against = op::multiply(&sign, &Tensor::full(-1.0, &[], device)?)?;
    // q is the sigmoid of s; 1 − q, that of −s, keeps its digits where q is close to 1.
    let s = op::multiply(logits, &sign)?;
    let (log_q, q) = (op::log_sigmoid(&s)?, op::sigmoid(&s)?);
    let rest = op::sigmoid(&op::multiply(logits, &against)?)?;
    let exponent = Tensor::full(gamma, &[], device)?;
    let weight = op::multiply(&op::power(&rest, &exponent)?, &part)?;
    let value = op::sum(&op::multiply(&weight, &log_q)?)?;
    // d(−(1 − q)^γ log q) / ds = (1 − q)^γ (γ q log q − (1 − q))
    let slope = op::multiply(&op::multiply(&q, &log_q)?, &exponent)?;
    let slope = op::multiply(&op::subtract(&slope, &rest)?, &weight)?;
    Ok(Scored {
        value: op::multiply(&value, &Tensor::full(-1.0, &[], device)?)?,
        gradient: op::multiply(&slope, &sign)?,
    })
}

#[cfg(test)]
mod tests {
    use ndarray::{Array3, s};

    use super::*;
    use crate::learning::fixtures::{array, assert_close, fixture, floats};
    use crate::learning::torch;

    fn labels() -> Array3<u8> {
        let recorded = floats(&fixture("losses")["labels"]);
        Array3::from_shape_vec((2, 8, 8), recorded.into_iter().map(|v| v as u8).collect()).unwrap()
    }

    fn logits() -> Vec<f32> {
        array(21, 2 * 3 * 64).into_iter().map(|v| v * 3.0).collect()
    }

    fn kinds() -> [(&'static str, Loss); 5] {
        let weights = Some(vec![0.5, 1.0, 3.0]);
        [
            ("cross entropy", Loss::CrossEntropy { weights: None }),
            ("weighted cross entropy", Loss::CrossEntropy { weights }),
            ("dice", Loss::Dice),
            ("focal", Loss::Focal { gamma: 2.0 }),
            ("focal, gamma 3", Loss::Focal { gamma: 3.0 }),
        ]
    }

    fn scored(loss: &Loss, labels: ArrayView3<'_, u8>, logits: &[f32], whole: f64) -> (f32, Vec<f32>) {
        let size = [labels.len_of(Axis(0)), 3, 8, 8];
        let logits = Tensor::floats(logits, &size, Device::Cpu).unwrap();
        let scored = loss.score(&logits, labels, whole, Device::Cpu).unwrap();
        (
            scored.value.number().unwrap(),
            scored.gradient.to_floats().unwrap(),
        )
    }

    #[test]
    fn values_and_gradients_are_those_of_pytorch_and_smp() {
        torch::open(Device::Cpu).unwrap();
        let recorded = fixture("losses");
        let mut without = labels();
        without.mapv_inplace(|l| if l == 1 { UNLABELLED } else { l });
        for (suffix, labels) in [("", labels()), (", class 1 absent", without)] {
            for (name, loss) in kinds() {
                let name = format!("{name}{suffix}");
                let expected = &recorded[&name];
                let (value, gradient) = scored(&loss, labels.view(), &logits(), loss.share(labels.view()));
                assert_close(&name, &[value], &[expected[0].as_f64().unwrap() as f32], 2e-6);
                let sampled: Vec<f32> = gradient.into_iter().step_by(7).collect();
                assert_close(&name, &sampled, &floats(&expected[1]), 5e-6);
            }
        }
    }

    #[test]
    fn parts_of_a_batch_sum_to_the_whole() {
        torch::open(Device::Cpu).unwrap();
        let (labels, logits) = (labels(), logits());
        for (name, loss) in kinds().into_iter().filter(|(_, loss)| *loss != Loss::Dice) {
            let whole = loss.share(labels.view());
            let (value, gradient) = scored(&loss, labels.view(), &logits, whole);
            let half = logits.len() / 2;
            let first = scored(&loss, labels.slice(s![..1, .., ..]), &logits[..half], whole);
            let second = scored(&loss, labels.slice(s![1.., .., ..]), &logits[half..], whole);
            assert_close(name, &[first.0 + second.0], &[value], 1e-6);
            assert_close(name, &[first.1, second.1].concat(), &gradient, 1e-6);
        }
    }

    #[test]
    fn weights_are_checked() {
        let with = |weights: &[f32]| Loss::CrossEntropy {
            weights: Some(weights.to_vec()),
        };
        assert!(with(&[1.0, 5.0]).check(2).is_ok());
        for bad in [&[1.0][..], &[1.0, -1.0], &[0.0, 0.0], &[1.0, f32::NAN]] {
            let why = with(bad).check(2).unwrap_err().to_string();
            assert!(
                why.contains("class_weights") && why.contains("one a class"),
                "{why}"
            );
        }
        assert!(Loss::Focal { gamma: -1.0 }.check(2).is_err());
    }
}
