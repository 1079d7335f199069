//! What a network starts from, by a generator of our own, so that a seed gives the same weights on every machine.
//!
//! Encoder: Kaiming normal by the outputs (He et al. 2015, doi:10.1109/ICCV.2015.123), as torchvision's ResNet. Decoder: Kaiming uniform by the
//! inputs; head: Xavier uniform (Glorot & Bengio 2010), as segmentation_models_pytorch. Biases 0, scales 1, running mean 0 and variance 1.

use super::plan::{Parameter, Plan, Role};
use super::weights::{Array, Weights};
use crate::statistics::random::Random;

/// The parameters that training starts from.
pub fn start(plan: &Plan, seed: u64) -> Weights {
    let parameters = plan.parameters().into_iter();
    parameters
        .map(|parameter| {
            let values = values(&parameter, seed);
            let shape = parameter.shape;
            (parameter.name, Array { shape, values })
        })
        .collect()
}

fn values(parameter: &Parameter, seed: u64) -> Vec<f32> {
    let count = parameter.shape.iter().product();
    match parameter.role {
        Role::Bias | Role::RunningMean => vec![0.0; count],
        Role::Scale | Role::RunningVariance => vec![1.0; count],
        Role::Kernel => {
            let mut random = Random::of(&[seed, named(&parameter.name)]);
            let area: usize = parameter.shape[2..].iter().product();
            let (inputs, outputs) = (
                (parameter.shape[1] * area) as f64,
                (parameter.shape[0] * area) as f64,
            );
            let mut draw: Box<dyn FnMut() -> f64> = match parameter.name.split('.').next() {
                Some("encoder") => Box::new(move || (2.0 / outputs).sqrt() * random.normal()),
                Some("decoder") => Box::new(move || (6.0 / inputs).sqrt() * (2.0 * random.uniform() - 1.0)),
                _ => Box::new(move || (6.0 / (inputs + outputs)).sqrt() * (2.0 * random.uniform() - 1.0)),
            };
            (0..count).map(|_| draw() as f32).collect()
        }
    }
}

/// FNV-1a.
fn named(name: &str) -> u64 {
    name.bytes().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::learning::network::{Encoder, UNet};

    /// Means of 0 and the standard deviations that the papers' formulas give, as `torch.nn.init` documents them.
    #[test]
    fn weights_start_as_those_of_torchvision_and_smp() {
        let plan = UNet {
            encoder: Encoder::ResNet18,
            channels: 4,
            classes: 2,
        }
        .plan();
        let weights = start(&plan, 7);
        let expected = [
            ("encoder.conv1.weight", (2.0 / (64.0 * 49.0f64)).sqrt()),
            ("encoder.layer2.0.conv2.weight", (2.0 / (128.0 * 9.0f64)).sqrt()),
            ("decoder.blocks.0.conv1.0.weight", (2.0 / (768.0 * 9.0f64)).sqrt()),
            ("segmentation_head.0.weight", (2.0 / (18.0 * 9.0f64)).sqrt()),
        ];
        for (name, deviation) in expected {
            let values = &weights[name].values;
            let n = values.len() as f64;
            let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
            let square = values.iter().map(|v| f64::from(*v).powi(2)).sum::<f64>() / n;
            // Six standard errors; those of a normal distribution are the wider.
            assert!(mean.abs() < 6.0 * deviation / n.sqrt(), "{name}: mean {mean}");
            let off = (square.sqrt() / deviation - 1.0).abs();
            assert!(off < 6.0 / (2.0 * n).sqrt(), "{name}: {off} of {n}");
        }
        assert!(
            weights["encoder.bn1.running_var"]
                .values
                .iter()
                .all(|v| *v == 1.0)
        );
        assert_ne!(
            start(&plan, 8)["encoder.conv1.weight"].values[0],
            weights["encoder.conv1.weight"].values[0]
        );
    }
}
