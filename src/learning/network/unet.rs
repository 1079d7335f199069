//! The U-Net with a ResNet as its encoder, as segmentation_models_pytorch 0.5 defines it (`Unet(encoder_name="resnet18", …)`), so that its state
//! dicts fit by name and shape.
//!
//! Source: Ronneberger et al. 2015, doi:10.1007/978-3-319-24574-4_28; He et al. 2016, doi:10.1109/CVPR.2016.90, with the stride of a bottleneck
//! at its 3 × 3 convolution as torchvision has it.

use serde::{Deserialize, Serialize};

use super::plan::{Plan, Step};
use crate::error::{Choice, Error, Result};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Encoder {
    ResNet18,
    ResNet34,
    ResNet50,
}

impl Choice for Encoder {
    const ALL: &'static [(&'static str, Self)] = &[
        ("resnet18", Encoder::ResNet18),
        ("resnet34", Encoder::ResNet34),
        ("resnet50", Encoder::ResNet50),
    ];
}

impl Encoder {
    /// The blocks of each of the four layers.
    fn blocks(self) -> [usize; 4] {
        match self {
            Encoder::ResNet18 => [2, 2, 2, 2],
            Encoder::ResNet34 | Encoder::ResNet50 => [3, 4, 6, 3],
        }
    }

    /// How many times its inner channels a block gives.
    fn expansion(self) -> usize {
        match self {
            Encoder::ResNet18 | Encoder::ResNet34 => 1,
            Encoder::ResNet50 => 4,
        }
    }
}

/// What tells one U-Net from another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct UNet {
    pub encoder: Encoder,
    /// Of the image.
    pub channels: usize,
    pub classes: usize,
}

/// Of the five blocks of the decoder.
const DECODER: [usize; 5] = [256, 128, 64, 32, 16];
/// Rows and columns are multiples of it: the encoder halves them five times.
pub const STRIDE: usize = 32;
/// Numbers are labels up to 254; 255 is no label.
const MOST_CLASSES: usize = 255;

impl std::fmt::Display for UNet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "U-Net with {}, {} channels, {} classes",
            self.encoder.name(),
            self.channels,
            self.classes
        )
    }
}

impl UNet {
    /// # Errors
    /// Without a channel, or with less than two or more than 255 classes.
    pub fn check(&self) -> Result<()> {
        if self.channels == 0 {
            return Err(Error::argument("channels", "at least 1", self.channels));
        }
        if !(2..=MOST_CLASSES).contains(&self.classes) {
            return Err(Error::argument(
                "classes",
                format!("2 to {MOST_CLASSES}"),
                self.classes,
            ));
        }
        Ok(())
    }

    pub fn plan(&self) -> Plan {
        let mut plan = Plan::new(self.channels);
        let stem = normalised(&mut plan, 0, ["encoder.conv1", "encoder.bn1"], 7, 2, 64);
        let mut value = plan.push(Step::Relu, &[stem], 64);
        let mut skips = vec![value];
        value = plan.push(Step::MaxPool, &[value], 64);
        for (layer, blocks) in self.encoder.blocks().into_iter().enumerate() {
            for block in 0..blocks {
                let stride = if layer > 0 && block == 0 { 2 } else { 1 };
                let name = format!("encoder.layer{}.{block}", layer + 1);
                value = self.block(&mut plan, value, &name, 64 << layer, stride);
            }
            skips.push(value);
        }
        // The last of them is where the decoder starts.
        skips.pop();
        for (i, channels) in DECODER.into_iter().enumerate() {
            let given = plan.channels_of(value);
            value = plan.push(Step::Double, &[value], given);
            if let Some(skip) = skips.pop() {
                let both = given + plan.channels_of(skip);
                value = plan.push(Step::Concatenate, &[value, skip], both);
            }
            for part in ["conv1", "conv2"] {
                let names = [0, 1].map(|n| format!("decoder.blocks.{i}.{part}.{n}"));
                value = normalised(&mut plan, value, [&names[0], &names[1]], 3, 1, channels);
                value = plan.push(Step::Relu, &[value], channels);
            }
        }
        let head = Step::Convolution {
            name: "segmentation_head.0".into(),
            kernel: 3,
            stride: 1,
            has_bias: true,
        };
        plan.push(head, &[value], self.classes);
        plan
    }

    /// A basic block of two convolutions, or a bottleneck of three, beside a way that leaves the image as it is or fits its size.
    fn block(&self, plan: &mut Plan, from: usize, name: &str, inner: usize, stride: usize) -> usize {
        let expansion = self.encoder.expansion();
        let outer = inner * expansion;
        // (kernel, stride, channels)
        let parts: &[(usize, usize, usize)] = match expansion {
            1 => &[(3, stride, inner), (3, 1, inner)],
            _ => &[(1, 1, inner), (3, stride, inner), (1, 1, outer)],
        };
        let mut value = from;
        for (i, (kernel, stride, channels)) in parts.iter().enumerate() {
            let names = [format!("{name}.conv{}", i + 1), format!("{name}.bn{}", i + 1)];
            value = normalised(plan, value, [&names[0], &names[1]], *kernel, *stride, *channels);
            if i + 1 < parts.len() {
                value = plan.push(Step::Relu, &[value], *channels);
            }
        }
        let beside = match stride == 1 && plan.channels_of(from) == outer {
            true => from,
            false => {
                let names = [0, 1].map(|n| format!("{name}.downsample.{n}"));
                normalised(plan, from, [&names[0], &names[1]], 1, stride, outer)
            }
        };
        value = plan.push(Step::Add, &[value, beside], outer);
        plan.push(Step::Relu, &[value], outer)
    }
}

/// A convolution without a bias, and its batch normalisation.
fn normalised(
    plan: &mut Plan,
    from: usize,
    names: [&str; 2],
    kernel: usize,
    stride: usize,
    channels: usize,
) -> usize {
    let convolution = Step::Convolution {
        name: names[0].into(),
        kernel,
        stride,
        has_bias: false,
    };
    let value = plan.push(convolution, &[from], channels);
    let normalisation = Step::Normalisation {
        name: names[1].into(),
    };
    plan.push(normalisation, &[value], channels)
}
