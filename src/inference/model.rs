//! A model: a network in a file, with what must be known to use it.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use sha2::{Digest, Sha256};

use super::metadata::{KEY, Metadata};
use super::network::{Network, Port};
use super::onnx::{Axis, Onnx, Tensor};
use super::precision::Precision;
use super::{fallback, session};
use crate::bounds::{self, process};
use crate::error::{Choice, Error, Result};
use crate::libraries::{self, Device, Wanted};
use crate::work::{self, Held};

/// What ONNX Runtime 1.32 computes. Later versions may give an operator another meaning.
const NEWEST_OPSET: u64 = 28;

/// How a model is opened.
#[derive(Debug, Clone, Default)]
pub struct Opening {
    pub device: Wanted,
    /// The device was named by the user: `auto` says what it has come to.
    pub asked: bool,
    pub precision: Precision,
    /// The most that it takes of a GPU, in bytes.
    pub gpu_memory: Option<usize>,
    /// In place of what its file says, or where that says nothing.
    pub given: Metadata,
}

#[derive(Clone)]
pub struct Model {
    path: PathBuf,
    bytes: u64,
    onnx: Arc<Onnx>,
    metadata: Metadata,
    network: Arc<dyn Network>,
    /// What computes it, in words.
    device: String,
    opening: Opening,
    /// What the network keeps in memory: its weights as they are and as they are computed with.
    _held: Arc<Held>,
}

impl Model {
    /// Opens the ONNX file `path`.
    ///
    /// # Errors
    /// For a file that is no ONNX model, not whole or without its external weights, of an opset to come, with weights that are NaN or infinite, with operators that
    /// what computes it does not know; for metadata that cannot be, or that do not fit its inputs and outputs; where `device` is a GPU
    /// and something that it needs is missing.
    pub fn open(path: &Path, opening: Opening) -> Result<Model> {
        if (opening.device, opening.precision) == (Wanted::On(Device::Cpu), Precision::Tf32) {
            return Err(session::no_tf32("`device` is \"cpu\""));
        }
        let before = process::resident();
        let bytes = bounds::read_file(path, 2, "take a smaller model")?;
        let mut onnx = Onnx::of(path, &bytes)?;
        if onnx.opset > NEWEST_OPSET {
            return Err(Error::file(
                path,
                format!(
                    "is of ONNX's opset {}, and up to {NEWEST_OPSET} is computed here; export it with an earlier one (in PyTorch: \
                     torch.onnx.export with opset_version=17)",
                    onnx.opset
                ),
            ));
        }
        let named = |e: Error| match e {
            Error::Interrupted | Error::File { .. } | Error::DeviceMemory { .. } => e,
            e => Error::file(path, e.to_string()),
        };
        let own = match onnx.metadata(KEY) {
            Some(text) => Metadata::from_json(text).map_err(named)?,
            None => Metadata::default(),
        };
        let metadata = own.with(opening.given.clone());
        metadata.check()?;
        let size = bytes.len() as u64
            + onnx
                .external
                .iter()
                .map(|(_, bytes)| bytes.len() as u64)
                .sum::<u64>();
        let identity = identity(&bytes, &onnx);
        let (network, device): (Arc<dyn Network>, String) = if libraries::onnx_runtime()?.is_some()
            || matches!(opening.device, Wanted::On(Device::Cuda(_)))
            || opening.precision == Precision::Tf32
        {
            let (network, device) = session::open(&bytes, &onnx, &identity, &opening).map_err(named)?;
            drop(bytes);
            (Arc::new(network), device)
        } else {
            work::warn_once("ONNX Runtime", || {
                format!(
                    "models are computed without ONNX Runtime, several times slower; `{}` brings it",
                    libraries::ONNX_RUNTIME.command
                )
            });
            let (network, device) = fallback::open(bytes, &onnx, &identity).map_err(named)?;
            (Arc::new(network), device)
        };
        // The runtime has its own copy by now.
        onnx.external = Vec::new();
        // Others may grow and shrink meanwhile: never less than the file, nor more than three times as much.
        let grown = process::resident().saturating_sub(before);
        let weights = usize::try_from(size).unwrap_or(usize::MAX);
        let held = Held::hold(grown.clamp(weights, weights.saturating_mul(3)));
        let model = Model {
            path: path.to_path_buf(),
            bytes: size,
            onnx: Arc::new(onnx),
            metadata,
            network,
            device,
            opening,
            _held: Arc::new(held),
        };
        model.fits().map_err(named)?;
        Ok(model)
    }

    /// The same model, computed by another device or in other numbers.
    ///
    /// # Errors
    /// As `open`; where the file is another one by now.
    pub fn on(&self, device: Option<Wanted>, precision: Option<Precision>) -> Result<Model> {
        let wanted = (
            device.unwrap_or(self.opening.device),
            precision.unwrap_or(self.opening.precision),
        );
        if wanted == (self.opening.device, self.opening.precision) && device != Some(Wanted::Auto) {
            return Ok(self.clone());
        }
        let opening = Opening {
            device: wanted.0,
            asked: device.is_some() || self.opening.asked,
            precision: wanted.1,
            ..self.opening.clone()
        };
        let model = Model::open(&self.path, opening)?;
        match model.network.identity() == self.network.identity() {
            true => Ok(model),
            false => Err(Error::file(
                &self.path,
                "has changed since it was opened; open it again",
            )),
        }
    }

    /// Whether the metadata are of this network.
    fn fits(&self) -> Result<()> {
        let inputs = self.network.inputs();
        for (i, band) in self.metadata.bands.iter().enumerate() {
            if let Some(input) = &band.input
                && !inputs.iter().any(|port| port.name == *input)
            {
                return Err(Error::message(format!(
                    "bands[{}].input: there is {}",
                    i + 1,
                    Error::not_found("input", input, inputs.iter().map(|port| port.name.as_str()))
                )));
            }
        }
        for (i, port) in inputs.iter().enumerate() {
            let bands = self.bands_of(i);
            let takes = port
                .shape
                .get(1)
                .copied()
                .flatten()
                .filter(|_| port.shape.len() == 4);
            if let (Some(takes), false) = (takes, bands.is_empty())
                && takes != bands.len()
            {
                return Err(Error::message(format!(
                    "its input `{}` takes {takes} bands, and its metadata name {}: {}",
                    port.name,
                    bands.len(),
                    bands.join(", ")
                )));
            }
        }
        let classes = self.metadata.classes.len();
        let gives = |port: &Port| {
            port.shape
                .get(1)
                .copied()
                .flatten()
                .filter(|_| port.shape.len() >= 2)
        };
        if let [port] = self.network.outputs()
            && let Some(gives) = gives(port)
            // One number of two classes is the probability of the second.
            && classes > 0 && gives != classes && !(gives == 1 && classes == 2)
        {
            return Err(Error::message(format!(
                "its output `{}` is of {gives} classes, and its metadata name {classes}",
                port.name
            )));
        }
        Ok(())
    }

    /// The names of the bands that are channels of the input of this place.
    fn bands_of(&self, input: usize) -> Vec<&str> {
        let inputs = self.network.inputs();
        let is_of = |name: &Option<String>| match name {
            Some(name) => inputs.get(input).is_some_and(|port| port.name == *name),
            None => input == 0,
        };
        let bands = self.metadata.bands.iter();
        bands
            .filter(|band| is_of(&band.input))
            .map(|band| band.name.as_str())
            .collect()
    }

    pub fn path(&self) -> &Path {
        &self.path
    }

    pub fn network(&self) -> &Arc<dyn Network> {
        &self.network
    }

    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// What its file says of itself.
    pub fn onnx(&self) -> &Onnx {
        &self.onnx
    }

    /// What computes it: `cpu by ONNX Runtime 1.32.0`.
    pub fn device(&self) -> &str {
        &self.device
    }
}

/// Of the file and, behind it, the files of its weights.
fn identity(bytes: &[u8], onnx: &Onnx) -> String {
    let mut hasher = Sha256::new();
    hasher.update(bytes);
    onnx.external.iter().for_each(|(_, bytes)| hasher.update(bytes));
    hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

impl fmt::Display for Model {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let megabytes = self.bytes as f64 / 1e6;
        let size = match megabytes {
            0.0..0.1 => format!("{:.1} kB", self.bytes as f64 / 1e3),
            _ => format!("{megabytes:.1} MB"),
        };
        write!(
            f,
            "model {} ({size}, {} weights)",
            self.path.display(),
            self.onnx.parameters
        )?;
        let mut line = |name: &str, text: String| write!(f, "\n  {name:<9} {text}");
        let bands: Vec<String> = self
            .metadata
            .bands
            .iter()
            .map(|band| match &band.unit {
                Some(unit) => format!("{} ({unit})", band.name),
                None => band.name.clone(),
            })
            .collect();
        for input in &self.onnx.inputs {
            line("input", input.to_string())?;
        }
        for output in &self.onnx.outputs {
            line("output", output.to_string())?;
        }
        line(
            "bands",
            match bands.is_empty() {
                true => "not known".to_string(),
                false => bands.join(", "),
            },
        )?;
        let mut classes: Vec<String> = self
            .metadata
            .classes
            .iter()
            .map(|class| format!("{} {}", class.value, class.name))
            .collect();
        if classes.is_empty() {
            classes.push("not known".to_string());
        }
        let activation = self.metadata.activation;
        let activation = activation.map_or(String::new(), |activation| format!("; {}", activation.name()));
        line("classes", format!("{}{activation}", classes.join(", ")))?;
        let in_pixels = [
            ("stride", self.metadata.stride),
            ("field", self.metadata.receptive_field),
        ];
        for (name, value) in in_pixels {
            if let Some(value) = value {
                line(name, format!("{value} pixels"))?;
            }
        }
        line(
            "ONNX",
            format!(
                "opset {}{}",
                self.onnx.opset,
                match self.onnx.producer.trim() {
                    "" => String::new(),
                    producer => format!(", by {producer}"),
                }
            ),
        )?;
        line("device", self.device.clone())?;
        for (name, value) in [
            ("licence", &self.metadata.licence),
            ("source", &self.metadata.source),
        ] {
            if let Some(value) = value {
                line(name, value.clone())?;
            }
        }
        let training: Vec<String> = self
            .metadata
            .training
            .iter()
            .map(|(name, value)| match value {
                serde_json::Value::String(text) => format!("{name} {text}"),
                serde_json::Value::Number(number) if number.is_f64() => {
                    format!("{name} {}", four_digits(number.as_f64().unwrap_or(f64::NAN)))
                }
                value => format!("{name} {value}"),
            })
            .collect();
        if !training.is_empty() {
            line("training", training.join(", "))?;
        }
        Ok(())
    }
}

/// A number for people: 0.0456, not 0.045646576909217376.
fn four_digits(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return value.to_string();
    }
    let places = (3.0 - value.abs().log10().floor()).clamp(0.0, 12.0) as usize;
    format!("{value:.places$}")
}

/// Sizes of axes for scripts: 0 where any size is taken.
pub fn sizes(tensor: &Tensor) -> Vec<usize> {
    let axes = tensor.axes.iter().flatten();
    axes.map(|axis| match axis {
        Axis::Fixed(size) => *size,
        Axis::Any(_) => 0,
    })
    .collect()
}
