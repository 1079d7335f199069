//! Adam with its memory.

use serde::{Deserialize, Serialize};

use crate::error::{Choice, Error, Result};
use crate::learning::network::{Net, State, Weights, in_memory};
use crate::learning::torch::operators::{self as op, AdamStep, Moments};
use crate::learning::torch::{Device, Tensor};

#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// Kingma & Ba 2015, arXiv:1412.6980; a decay of weights enters the gradients.
    Adam,
    /// Loshchilov & Hutter 2019, arXiv:1711.05101: the decay shrinks the weights themselves.
    AdamW,
}

impl Choice for Kind {
    const ALL: &'static [(&'static str, Self)] = &[("adam", Kind::Adam), ("adamw", Kind::AdamW)];
}

/// Adam, with PyTorch's β₁ = 0.9, β₂ = 0.999 and ε = 1e−8.
pub struct Optimiser {
    kind: Kind,
    weight_decay: f64,
    names: Vec<String>,
    /// Those of the network: a step changes them.
    parameters: Vec<Tensor>,
    means: Vec<Tensor>,
    squares: Vec<Tensor>,
    steps: u64,
    device: Device,
}

impl Optimiser {
    /// Of all trained parameters of a network.
    ///
    /// # Errors
    /// Where the device has no memory.
    pub fn new(net: &Net, kind: Kind, weight_decay: f64) -> Result<Optimiser> {
        let device = net.device();
        let mut optimiser = Optimiser {
            kind,
            weight_decay,
            names: Vec::new(),
            parameters: Vec::new(),
            means: Vec::new(),
            squares: Vec::new(),
            steps: 0,
            device,
        };
        for parameter in net
            .plan()
            .parameters()
            .into_iter()
            .filter(|p| p.role.is_trained())
        {
            let tensor = net
                .state()
                .get(&parameter.name)
                .ok_or_else(|| Error::message(format!("the network has no {}", parameter.name)))?;
            optimiser.parameters.push(tensor.shared()?);
            optimiser.means.push(Tensor::full(0.0, &parameter.shape, device)?);
            optimiser
                .squares
                .push(Tensor::full(0.0, &parameter.shape, device)?);
            optimiser.names.push(parameter.name);
        }
        Ok(optimiser)
    }

    /// Changes the parameters by their gradients.
    ///
    /// # Errors
    /// Where a gradient is missing; libtorch's.
    pub fn step(&mut self, mut gradients: State, learning_rate: f64) -> Result<()> {
        let mut ordered = Vec::with_capacity(self.names.len());
        for name in &self.names {
            let gradient = gradients.remove(name);
            ordered.push(gradient.ok_or_else(|| Error::message(format!("{name} has no gradient")))?);
        }
        self.steps += 1;
        let step = Tensor::full(self.steps as f64, &[], self.device)?;
        let steps = self
            .names
            .iter()
            .map(|_| step.shared())
            .collect::<Result<Vec<Tensor>>>()?;
        let moments = Moments {
            parameters: &self.parameters,
            means: &self.means,
            squares: &self.squares,
            steps: &steps,
        };
        let how = AdamStep {
            learning_rate,
            beta1: 0.9,
            beta2: 0.999,
            epsilon: 1e-8,
            weight_decay: self.weight_decay,
            is_decoupled: self.kind == Kind::AdamW,
        };
        op::adam_in_place(&moments, &ordered, &how)
    }

    /// Steps taken.
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// The means of gradients and of their squares, by the names of the parameters.
    ///
    /// # Errors
    /// Where what computes them has failed.
    pub fn memory(&self) -> Result<[Weights; 2]> {
        let named = |tensors: &[Tensor]| -> Result<Weights> {
            let pairs = self.names.iter().zip(tensors);
            let state: Result<State> = pairs.map(|(name, t)| Ok((name.clone(), t.shared()?))).collect();
            in_memory(&state?)
        };
        Ok([named(&self.means)?, named(&self.squares)?])
    }

    /// Takes up where `memory` was taken after so many steps.
    ///
    /// # Errors
    /// Where a parameter is missing from it.
    pub fn remember(&mut self, [means, squares]: [Weights; 2], steps: u64) -> Result<()> {
        for (tensors, from) in [(&self.means, means), (&self.squares, squares)] {
            for (name, tensor) in self.names.iter().zip(tensors) {
                let array = from
                    .get(name)
                    .ok_or_else(|| Error::message(format!("nothing is remembered of {name}")))?;
                tensor.copy_from(&Tensor::floats(&array.values, &array.shape, Device::Cpu)?)?;
            }
        }
        self.steps = steps;
        Ok(())
    }
}
