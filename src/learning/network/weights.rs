//! Weights in memory and in files: safetensors, and PyTorch's state dicts, of which nothing is run.

use std::collections::BTreeMap;
use std::path::Path;

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::bounds;
use crate::error::{Error, Result};
use crate::files;
use crate::gate;

/// Numbers with the lengths of their axes, the last running fastest.
#[derive(Debug, Clone, PartialEq)]
pub struct Array {
    pub shape: Vec<usize>,
    pub values: Vec<f32>,
}

/// By the names of the state dict.
pub type Weights = BTreeMap<String, Array>;

/// What a file of weights may take once it is read, beside itself.
const EXPANSION: usize = 2;
const WAY_OUT: &str = "choose a file of weights alone";

/// Every tensor of floats in a `.safetensors`, `.pt` or `.pth` file, as float32.
///
/// # Errors
/// Where there is no such file, it is none of these, damaged, or too large for the memory ceiling.
pub fn read(path: &Path) -> Result<Weights> {
    match path
        .extension()
        .and_then(|e| e.to_str())
        .map(str::to_lowercase)
        .as_deref()
    {
        Some("safetensors") => read_safetensors(path).map(|(weights, _)| weights),
        Some("pt" | "pth") => read_pytorch(path),
        _ => Err(Error::file(
            path,
            "weights are read from .safetensors, .pt and .pth files",
        )),
    }
}

/// The tensors, and the texts that are stored with them.
///
/// # Errors
/// As `read`.
pub fn read_safetensors(path: &Path) -> Result<(Weights, BTreeMap<String, String>)> {
    let bytes = bounds::read_file(path, EXPANSION, WAY_OUT)?;
    let failed =
        |e: safetensors::SafeTensorError| Error::file(path, format!("no whole safetensors file: {e}"));
    let (_, metadata) = SafeTensors::read_metadata(&bytes).map_err(failed)?;
    let tensors = SafeTensors::deserialize(&bytes).map_err(failed)?;
    let mut weights = Weights::new();
    for (name, view) in tensors.tensors() {
        let kind = match view.dtype() {
            Dtype::F64 => Kind::F64,
            Dtype::F32 => Kind::F32,
            Dtype::F16 => Kind::F16,
            Dtype::BF16 => Kind::Bf16,
            _ => continue,
        };
        let shape = view.shape().to_vec();
        let values = kind.floats(view.data());
        weights.insert(name, Array { shape, values });
    }
    let texts = metadata.metadata().clone().unwrap_or_default();
    Ok((weights, texts.into_iter().collect()))
}

/// Writes tensors and texts through a draft.
///
/// # Errors
/// When the file cannot be written.
pub fn write_safetensors(path: &Path, weights: &Weights, texts: &BTreeMap<String, String>) -> Result<()> {
    let failed = |e: safetensors::SafeTensorError| Error::file(path, e.to_string());
    let bytes: Vec<(&String, Vec<u8>, &[usize])> = weights
        .iter()
        .map(|(name, array)| {
            let bytes = array.values.iter().flat_map(|v| v.to_le_bytes()).collect();
            (name, bytes, array.shape.as_slice())
        })
        .collect();
    let mut views = Vec::new();
    for (name, bytes, shape) in &bytes {
        let view = TensorView::new(Dtype::F32, shape.to_vec(), bytes).map_err(failed)?;
        views.push((name.as_str(), view));
    }
    let texts = texts
        .iter()
        .map(|(key, text)| (key.clone(), text.clone()))
        .collect();
    let file = safetensors::serialize(views, Some(texts)).map_err(failed)?;
    files::write_whole(path, &file)
}

fn read_pytorch(path: &Path) -> Result<Weights> {
    let file = bounds::open(path)?;
    let size = file.metadata().map_err(|e| Error::io(path, e))?.len();
    let size = usize::try_from(size).unwrap_or(usize::MAX);
    bounds::fits(format!("reading {}", path.display()), size, EXPANSION, WAY_OUT)?;
    let failed = |e: String| {
        Error::file(
            path,
            format!("cannot be read as weights of PyTorch: {}", gate::shown(&e)),
        )
    };
    // The very file that was judged, whatever its name leads to by now.
    let reader =
        pytorch_reader::PytorchReader::new(gate::opened_again(&file)).map_err(|e| failed(e.to_string()))?;
    let mut weights = Weights::new();
    for (name, tensor) in reader.into_tensors() {
        let kind = match tensor.dtype() {
            pytorch_reader::DType::F64 => Kind::F64,
            pytorch_reader::DType::F32 => Kind::F32,
            pytorch_reader::DType::F16 => Kind::F16,
            pytorch_reader::DType::BF16 => Kind::Bf16,
            _ => continue,
        };
        // A small file can claim a large tensor by strides of 0.
        bounds::fits(
            format!("{name} in {}", path.display()),
            tensor.byte_len(),
            2,
            WAY_OUT,
        )?;
        let bytes = tensor.read().map_err(|e| failed(e.to_string()))?;
        let shape = tensor.shape().to_vec();
        let values = kind.floats(&bytes);
        weights.insert(name, Array { shape, values });
    }
    Ok(weights)
}

/// Of floats in files.
#[derive(Clone, Copy)]
enum Kind {
    F64,
    F32,
    F16,
    Bf16,
}

impl Kind {
    /// Little-endian, as both formats have it on the machines that we run on.
    fn floats(self, bytes: &[u8]) -> Vec<f32> {
        match self {
            Kind::F64 => pieces(bytes).map(|b| f64::from_le_bytes(b) as f32).collect(),
            Kind::F32 => pieces(bytes).map(f32::from_le_bytes).collect(),
            Kind::F16 => pieces(bytes).map(|b| half(u16::from_le_bytes(b))).collect(),
            Kind::Bf16 => pieces(bytes)
                .map(|b| f32::from_bits(u32::from(u16::from_le_bytes(b)) << 16))
                .collect(),
        }
    }
}

fn pieces<const N: usize>(bytes: &[u8]) -> impl Iterator<Item = [u8; N]> {
    bytes.as_chunks::<N>().0.iter().copied()
}

/// IEEE 754 half precision.
fn half(bits: u16) -> f32 {
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let fraction = f32::from(bits & 0x3FF);
    match (bits >> 10) & 0x1F {
        0 => sign * fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2f32.powi(i32::from(exponent) - 15),
    }
}
