//! Opening, with a look at whether the operators still do what they did: some of them are libtorch's own matter and may change.

use super::abi::{api, open_cuda, version};
use super::operators::{self as op, Convolved, Normalisation};
use super::tensor::Tensor;
use crate::error::{Error, Result};
use crate::libraries::{self, Device, Wanted};
use crate::work;

/// What PyTorch 2.13 itself answers to `answers` (scripts/network_oracles/probe.py).
const EXPECTED: [f32; 8] = [
    13.255_21,
    4.301_908,
    0.526_495_8,
    0.908_414_3,
    0.907_711_86,
    -1.262_181_2,
    2.400_802_9,
    2.001_327,
];
/// Of float32 sums in another order, and of the TF32 that graphics cards convolve in.
const TOLERANCE: f32 = 2e-3;

/// Opens libtorch for `device`, once a process, and has it compute a convolution, its normalisation, a loss and their way back.
///
/// # Errors
/// Where a library or the device is missing, or the answers are not those of PyTorch.
pub fn open(device: Device) -> Result<()> {
    api()?;
    if device != Device::Cpu {
        open_cuda()?;
    }
    let answers = answers(device).map_err(|e| match device {
        Device::Cpu => e,
        device => Error::message(format!(
            "{device} cannot be used: {e}; choose another device, or \"cpu\""
        )),
    })?;
    // A NaN is not right either.
    let right = answers
        .iter()
        .zip(EXPECTED)
        .all(|(is, should)| (is - should).abs() <= TOLERANCE);
    if !right || answers.len() != EXPECTED.len() {
        let (major, minor) = version()?;
        return Err(Error::message(format!(
            "libtorch {major}.{minor} computes other numbers than PyTorch 2.13 on {device} ({answers:?} where {EXPECTED:?} is right); \
             `perilune setup torch` brings the version that is known to work"
        )));
    }
    Ok(())
}

/// `wanted` by its name, opened. Of `auto`, and of none, a graphics card where there is one that works, else the CPU.
///
/// # Errors
/// As `open`; a name that is none.
pub fn choose(wanted: Option<&str>) -> Result<Device> {
    if let Some(Wanted::On(device)) = wanted.map(Wanted::named).transpose()? {
        return open(device).map(|()| device);
    }
    let card = Device::Cuda(0);
    let driver = libraries::driver();
    let found = match &driver {
        Ok(_) => open(card),
        Err(why) => Err(Error::message(why)),
    };
    let Err(why) = found else {
        return Ok(card);
    };
    open(Device::Cpu)?;
    // Nobody who has no graphics card wants to hear of it, unless he asks.
    if wanted.is_some() || driver.is_ok() {
        work::warn_once("CUDA of libtorch", || {
            format!("the CPU trains networks, not a GPU: {why}")
        });
    }
    Ok(Device::Cpu)
}

fn answers(device: Device) -> Result<Vec<f32>> {
    let numbers = |count: usize, step: f32| -> Vec<f32> {
        (0..count).map(|i| ((i * 7) % 11) as f32 * step - 0.5).collect()
    };
    let image = Tensor::floats(&numbers(16, 0.1), &[1, 1, 4, 4], device)?;
    let kernel = Tensor::floats(&numbers(18, 0.125), &[2, 1, 3, 3], device)?;
    let (one, zero) = ([1.0f32, 1.0], [0.0f32, 0.0]);
    let by = Normalisation {
        weight: &Tensor::floats(&one, &[2], device)?,
        bias: &Tensor::floats(&zero, &[2], device)?,
        running_mean: &Tensor::floats(&zero, &[2], device)?,
        running_variance: &Tensor::floats(&one, &[2], device)?,
    };
    let how = Convolved {
        stride: 1,
        padding: 1,
    };
    let convolved = op::convolution(&image, &kernel, None, how)?;
    let (logits, was) = op::normalise_by_batch(&convolved, &by)?;
    let labels: Vec<i64> = (0..16).map(|i| i % 2).collect();
    let labels = Tensor::integers(&labels, &[1, 4, 4], device)?;
    let logarithms = op::log_softmax(&logits)?;
    let weights = by.weight;
    let [loss, total] = op::likelihood(&logarithms, &labels, weights, 255)?;
    let back = op::likelihood_backward(
        &Tensor::full(1.0, &[], device)?,
        &logarithms,
        &labels,
        weights,
        255,
        &total,
    )?;
    let back = op::log_softmax_backward(&back, &logarithms)?;
    let [back, of_scale, _] = op::normalise_backward(&back, &convolved, &by, &was)?;
    let of_kernel = op::convolution_backward(&back, &image, &kernel, how, false, false)?.weight;
    let mut answers = vec![loss.number()?];
    answers.extend(of_scale.to_floats()?);
    answers.extend(by.running_variance.to_floats()?);
    answers.extend(of_kernel.to_floats()?.into_iter().step_by(8));
    Ok(answers)
}
