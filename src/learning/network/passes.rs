//! A network on libtorch: forward, and the way back through what the forward pass has kept.

use std::collections::{BTreeMap, HashMap};

use super::plan::{Node, Plan, Step};
use super::unet::STRIDE;
use super::weights::{Array, Weights};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::learning::torch::operators::{self as op, Convolved, Normalisation, Normalised};
use crate::learning::torch::{Device, Tensor};

/// Tensors by their names in the state dict.
pub type State = BTreeMap<String, Tensor>;

/// Weights as tensors on a device.
///
/// # Errors
/// Where the device has no memory for them.
pub fn on_device(weights: &Weights, device: Device) -> Result<State> {
    let tensor = |(name, array): (&String, &Array)| {
        Ok((name.clone(), Tensor::floats(&array.values, &array.shape, device)?))
    };
    weights.iter().map(tensor).collect()
}

/// Tensors as weights in memory.
///
/// # Errors
/// Where what computes them has failed.
pub fn in_memory(state: &State) -> Result<Weights> {
    let array = |(name, tensor): (&String, &Tensor)| {
        let (shape, values) = (tensor.size()?, tensor.to_floats()?);
        Ok((name.clone(), Array { shape, values }))
    };
    state.iter().map(array).collect()
}

/// A network with its parameters on a device.
pub struct Net {
    plan: Plan,
    state: State,
    zero: Tensor,
    device: Device,
}

/// What a step has kept for its way back.
enum Kept {
    Nothing,
    /// Its input.
    Convolution(Tensor),
    /// Its input, and what the batch was normalised by.
    Normalisation(Tensor, Normalised),
    /// Its output: where it is 0 nothing comes back.
    Relu(Tensor),
    /// Its input, and where the maxima were.
    MaxPool(Tensor, Tensor),
}

/// A forward pass in training, to be gone back.
pub struct Tape(Vec<Kept>);

impl Net {
    /// With parameters that fit `plan` (`weights` looks at that).
    ///
    /// # Errors
    /// libtorch's.
    pub fn new(plan: Plan, state: State, device: Device) -> Result<Net> {
        let zero = Tensor::full(0.0, &[], device)?;
        Ok(Net {
            plan,
            state,
            zero,
            device,
        })
    }

    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    pub fn state(&self) -> &State {
        &self.state
    }

    pub fn device(&self) -> Device {
        self.device
    }

    fn parameter(&self, name: &str, part: &str) -> Result<&Tensor> {
        let name = format!("{name}.{part}");
        self.state
            .get(&name)
            .ok_or_else(|| Error::not_found("parameter", name, Vec::<String>::new()))
    }

    fn normalisation(&self, name: &str) -> Result<Normalisation<'_>> {
        Ok(Normalisation {
            weight: self.parameter(name, "weight")?,
            bias: self.parameter(name, "bias")?,
            running_mean: self.parameter(name, "running_mean")?,
            running_variance: self.parameter(name, "running_var")?,
        })
    }

    fn convolve(&self, name: &str, input: &Tensor, how: Convolved, has_bias: bool) -> Result<Tensor> {
        let bias = match has_bias {
            true => Some(self.parameter(name, "bias")?),
            false => None,
        };
        op::convolution(input, self.parameter(name, "weight")?, bias, how)
    }

    /// The logits by the running means and variances.
    ///
    /// # Errors
    /// libtorch's: sizes that are no multiples of 32, no memory. `Interrupted` after a stop.
    pub fn evaluate(&self, images: &Tensor) -> Result<Tensor> {
        let (logits, _) = self.forward(images, false)?;
        Ok(logits)
    }

    /// The logits by the batch's own means and variances, which enter the running ones, and what the way back needs.
    ///
    /// # Errors
    /// As `evaluate`.
    pub fn train(&self, images: &Tensor) -> Result<(Tensor, Tape)> {
        self.forward(images, true)
    }

    fn forward(&self, images: &Tensor, is_training: bool) -> Result<(Tensor, Tape)> {
        self.check(images)?;
        let last = self.plan.last_uses();
        let mut values: Vec<Option<Tensor>> = vec![Some(images.shared()?)];
        let mut tape = Vec::new();
        for (i, node) in self.plan.nodes.iter().enumerate() {
            interrupt::check()?;
            let inputs = node
                .from
                .iter()
                .map(|value| match &values[*value] {
                    Some(tensor) => tensor.shared(),
                    None => Err(Error::message(format!("value {value} of the network is gone"))),
                })
                .collect::<Result<Vec<Tensor>>>()?;
            // What nobody needs any more goes before the step asks for memory.
            for value in node.from.iter().filter(|value| last[**value] == i) {
                values[*value] = None;
            }
            let (output, kept) = self.step(node, inputs, is_training)?;
            values.push(Some(output));
            if is_training {
                tape.push(kept);
            }
        }
        match values.pop().flatten() {
            Some(logits) => Ok((logits, Tape(tape))),
            None => Err(Error::message("a network without steps")),
        }
    }

    fn check(&self, images: &Tensor) -> Result<()> {
        let size = images.size()?;
        let fits = match size[..] {
            [_, channels, rows, cols] => {
                channels == self.plan.channels
                    && rows > 0
                    && rows % STRIDE == 0
                    && cols > 0
                    && cols % STRIDE == 0
            }
            _ => false,
        };
        match fits {
            true => Ok(()),
            false => Err(Error::message(format!(
                "the network takes images of {} channels whose rows and columns are a multiple of {STRIDE}, got {size:?} (samples, channels, rows, columns)",
                self.plan.channels
            ))),
        }
    }

    fn step(&self, node: &Node, inputs: Vec<Tensor>, is_training: bool) -> Result<(Tensor, Kept)> {
        let mut inputs_left = inputs.into_iter();
        let mut next = || {
            inputs_left
                .next()
                .ok_or_else(|| Error::message("a step without its input"))
        };
        Ok(match &node.step {
            Step::Convolution {
                name,
                kernel,
                stride,
                has_bias,
            } => {
                let input = next()?;
                let how = Convolved {
                    stride: *stride,
                    padding: kernel / 2,
                };
                let output = self.convolve(name, &input, how, *has_bias)?;
                (output, Kept::Convolution(input))
            }
            Step::Normalisation { name } if is_training => {
                let input = next()?;
                let (output, by) = op::normalise_by_batch(&input, &self.normalisation(name)?)?;
                (output, Kept::Normalisation(input, by))
            }
            Step::Normalisation { name } => (
                op::normalise_by_running(&next()?, &self.normalisation(name)?)?,
                Kept::Nothing,
            ),
            // In place: no step keeps what goes into a relu.
            Step::Relu => {
                let output = op::relu_in_place(&next()?)?;
                let kept = output.shared()?;
                (output, Kept::Relu(kept))
            }
            Step::MaxPool => {
                let input = next()?;
                let [output, places] = op::max_pool(&input)?;
                (output, Kept::MaxPool(input, places))
            }
            Step::Add => (op::add(&next()?, &next()?)?, Kept::Nothing),
            Step::Double => (op::double(&next()?)?, Kept::Nothing),
            Step::Concatenate => (op::concatenate(&[next()?, next()?])?, Kept::Nothing),
        })
    }

    /// The gradients of all trained parameters, from that of the logits. Lets go of the tape as it goes.
    ///
    /// # Errors
    /// libtorch's. `Interrupted` after a stop.
    pub fn backward(&self, mut tape: Tape, gradient: Tensor) -> Result<State> {
        let mut gradients = Gradients::default();
        gradients.add(self.plan.nodes.len(), gradient)?;
        let mut found = State::new();
        for (i, node) in self.plan.nodes.iter().enumerate().rev() {
            interrupt::check()?;
            let gradient = gradients
                .0
                .remove(&(i + 1))
                .ok_or_else(|| Error::message(format!("no gradient has come to step {i} of the network")))?;
            let kept = tape.0.pop().unwrap_or(Kept::Nothing);
            self.step_back(node, gradient, kept, &mut gradients, &mut found)?;
        }
        Ok(found)
    }

    fn step_back(
        &self,
        node: &Node,
        gradient: Tensor,
        kept: Kept,
        gradients: &mut Gradients,
        found: &mut State,
    ) -> Result<()> {
        let from = node.from[0];
        match (&node.step, kept) {
            (
                Step::Convolution {
                    name,
                    kernel,
                    stride,
                    has_bias,
                },
                Kept::Convolution(input),
            ) => {
                let how = Convolved {
                    stride: *stride,
                    padding: kernel / 2,
                };
                let weight = self.parameter(name, "weight")?;
                // Nobody asks for the gradient of the image.
                let wants_input = from != 0;
                let of = op::convolution_backward(&gradient, &input, weight, how, wants_input, *has_bias)?;
                found.insert(format!("{name}.weight"), of.weight);
                if let Some(bias) = of.bias {
                    found.insert(format!("{name}.bias"), bias);
                }
                match of.input {
                    Some(input) => gradients.add(from, input),
                    None => Ok(()),
                }
            }
            (Step::Normalisation { name }, Kept::Normalisation(input, by)) => {
                let [input, weight, bias] =
                    op::normalise_backward(&gradient, &input, &self.normalisation(name)?, &by)?;
                found.insert(format!("{name}.weight"), weight);
                found.insert(format!("{name}.bias"), bias);
                gradients.add(from, input)
            }
            (Step::Relu, Kept::Relu(output)) => {
                let passes = op::greater(&output, &self.zero)?;
                gradients.add(from, op::multiply(&gradient, &passes)?)
            }
            (Step::MaxPool, Kept::MaxPool(input, places)) => {
                gradients.add(from, op::max_pool_backward(&gradient, &input, &places)?)
            }
            (Step::Add, _) => {
                gradients.add(from, gradient.shared()?)?;
                gradients.add(node.from[1], gradient)
            }
            (Step::Double, _) => gradients.add(from, op::double_backward(&gradient)?),
            (Step::Concatenate, _) => {
                let first = self.plan.channels_of(from);
                let second = self.plan.channels_of(node.from[1]);
                gradients.add(from, op::narrow(&gradient, 1, 0, first)?)?;
                gradients.add(node.from[1], op::narrow(&gradient, 1, first, second)?)
            }
            (step, _) => Err(Error::message(format!(
                "{step:?} has kept nothing for its way back"
            ))),
        }
    }
}

/// Of values by their numbers; of a value that several steps use, the sum.
#[derive(Default)]
struct Gradients(HashMap<usize, Tensor>);

impl Gradients {
    fn add(&mut self, value: usize, gradient: Tensor) -> Result<()> {
        let sum = match self.0.remove(&value) {
            Some(other) => op::add(&other, &gradient)?,
            None => gradient,
        };
        self.0.insert(value, sum);
        Ok(())
    }
}
