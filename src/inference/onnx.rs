//! What an ONNX file says of itself, and whether its weights are numbers: the protobuf message walked field by field, nothing copied.
//!
//! # Source
//! onnx.proto3 of ONNX (github.com/onnx/onnx, IR version 10), whose numbers of fields these are.

use std::collections::BTreeSet;
use std::fmt;
use std::path::{Component, Path, PathBuf};

use crate::error::{Error, Result};
use crate::{gate, interrupt};

/// The size of an axis.
#[derive(Debug, Clone, PartialEq)]
pub enum Axis {
    Fixed(usize),
    /// Any size; what the file calls it, or nothing.
    Any(String),
}

/// A tensor that a network takes or gives.
#[derive(Debug, Clone, PartialEq)]
pub struct Tensor {
    pub name: String,
    /// `float32` and so on; empty for what is no tensor.
    pub kind: &'static str,
    /// None where the file does not say how many axes there are.
    pub axes: Option<Vec<Axis>>,
}

#[derive(Debug, Clone, Default, PartialEq)]
pub struct Onnx {
    pub producer: String,
    /// Of ONNX's own operators.
    pub opset: u64,
    pub inputs: Vec<Tensor>,
    pub outputs: Vec<Tensor>,
    /// Steps of the computation.
    pub nodes: usize,
    /// The operators used, those of other domains as `domain.name`.
    pub operators: BTreeSet<String>,
    /// Numbers in its weights.
    pub parameters: u64,
    pub metadata: Vec<(String, String)>,
    /// Files beside it that hold weights, by the names that it gives them.
    pub external: Vec<(String, Vec<u8>)>,
}

impl Onnx {
    /// Reads what `bytes`, the file `path`, says; its external weights too.
    ///
    /// # Errors
    /// For what is no ONNX model or not a whole one, where a file of external weights is not there or leads out of the folder, and
    /// where a weight is NaN or infinite (a single number may be infinite: such masks exist).
    pub fn of(path: &Path, bytes: &[u8]) -> Result<Onnx> {
        if let Some(what) = other_format(bytes) {
            return Err(Error::file(
                path,
                format!(
                    "is no model in ONNX but {what}; export the model to ONNX (in PyTorch: torch.onnx.export)"
                ),
            ));
        }
        let mut reader = Reader {
            path,
            depth: 0,
            onnx: Onnx::default(),
            initializers: BTreeSet::new(),
            found_graph: false,
        };
        let walked = reader.model(bytes);
        match walked {
            Err(Fault::Told(error)) => return Err(error),
            Err(Fault::Cut) if reader.found_graph => {
                return Err(Error::file(
                    path,
                    "is a model in ONNX that is cut short or damaged; fetch or export it again",
                ));
            }
            Err(Fault::Cut) => return Err(Error::file(path, "is no model in ONNX, or is cut short")),
            Ok(()) if !reader.found_graph => {
                return Err(Error::file(path, "is no model in ONNX: it holds no graph"));
            }
            Ok(()) => {}
        }
        let mut onnx = reader.onnx;
        // Old files name their weights among their inputs.
        onnx.inputs
            .retain(|input| !reader.initializers.contains(&input.name));
        if onnx.inputs.is_empty() || onnx.outputs.is_empty() {
            return Err(Error::file(path, "is a model without inputs or without outputs"));
        }
        Ok(onnx)
    }

    pub fn metadata(&self, key: &str) -> Option<&str> {
        let entry = self.metadata.iter().find(|(name, _)| name == key);
        entry.map(|(_, value)| value.as_str())
    }
}

/// What a file is that somebody may take for a model.
fn other_format(bytes: &[u8]) -> Option<&'static str> {
    let starts = |with: &[u8]| bytes.starts_with(with);
    if bytes.is_empty() {
        return Some("an empty file");
    }
    if starts(b"PK\x03\x04") {
        return Some("a ZIP archive, such as PyTorch's .pt");
    }
    if starts(b"\x89HDF") {
        return Some("an HDF5 file, such as Keras writes");
    }
    if starts(b"version https://git-lfs") {
        return Some("a pointer of Git LFS to a file that was not fetched");
    }
    // Its header is JSON behind its length.
    if bytes.get(8) == Some(&b'{') && bytes.get(4..8) == Some(&[0; 4]) {
        return Some("a file of weights alone (safetensors)");
    }
    if starts(b"<") || starts(b"{") || starts(b"\x80\x02") {
        return Some("a text or a pickle");
    }
    (bytes.get(4..8) == Some(b"TFL3")).then_some("a model of TensorFlow Lite")
}

enum Fault {
    /// The bytes end, or mean nothing, where more was to come.
    Cut,
    Told(Error),
}

impl From<Error> for Fault {
    fn from(error: Error) -> Fault {
        Fault::Told(error)
    }
}

type Walked<T = ()> = std::result::Result<T, Fault>;

/// One field of a message.
#[derive(Clone, Copy)]
enum Field<'a> {
    Number(u64),
    Bytes(&'a [u8]),
}

impl<'a> Field<'a> {
    fn bytes(self) -> Walked<&'a [u8]> {
        match self {
            Field::Bytes(bytes) => Ok(bytes),
            Field::Number(_) => Err(Fault::Cut),
        }
    }

    fn text(self) -> Walked<String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    fn number(self) -> Walked<u64> {
        match self {
            Field::Number(number) => Ok(number),
            Field::Bytes(_) => Err(Fault::Cut),
        }
    }
}

fn varint(bytes: &mut &[u8]) -> Walked<u64> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (first, rest) = bytes.split_first().ok_or(Fault::Cut)?;
        *bytes = rest;
        value |= u64::from(first & 127) << shift;
        if first & 128 == 0 {
            return Ok(value);
        }
    }
    Err(Fault::Cut)
}

fn taken<'a>(bytes: &mut &'a [u8], n: usize) -> Walked<&'a [u8]> {
    let (part, rest) = bytes.split_at_checked(n).ok_or(Fault::Cut)?;
    *bytes = rest;
    Ok(part)
}

/// Calls `each` with the number and the value of every field of a message.
fn fields<'a>(mut bytes: &'a [u8], mut each: impl FnMut(u64, Field<'a>) -> Walked) -> Walked {
    while !bytes.is_empty() {
        let tag = varint(&mut bytes)?;
        let field = match tag & 7 {
            0 => Field::Number(varint(&mut bytes)?),
            1 => Field::Bytes(taken(&mut bytes, 8)?),
            2 => {
                let length = usize::try_from(varint(&mut bytes)?).map_err(|_| Fault::Cut)?;
                Field::Bytes(taken(&mut bytes, length)?)
            }
            5 => Field::Bytes(taken(&mut bytes, 4)?),
            _ => return Err(Fault::Cut),
        };
        match tag >> 3 {
            0 => return Err(Fault::Cut),
            number => each(number, field)?,
        }
    }
    Ok(())
}

/// The two texts of an entry of a map.
fn entry(bytes: &[u8]) -> Walked<(String, String)> {
    let (mut key, mut value) = (String::new(), String::new());
    fields(bytes, |number, field| {
        match number {
            1 => key = field.text()?,
            2 => value = field.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok((key, value))
}

/// Graphs lie in the nodes of others for loops and branches: how deep, at most.
const DEEPEST: usize = 64;

struct Reader<'p> {
    path: &'p Path,
    /// Of the graph that is being read.
    depth: usize,
    onnx: Onnx,
    initializers: BTreeSet<String>,
    found_graph: bool,
}

impl Reader<'_> {
    fn model(&mut self, bytes: &[u8]) -> Walked {
        fields(bytes, |number, field| {
            match number {
                2 => self.onnx.producer = field.text()?,
                3 => self.onnx.producer = format!("{} {}", self.onnx.producer, field.text()?),
                // A graph is next; a file cut within it is cut, not another format.
                7 => {
                    self.found_graph = true;
                    self.graph(field.bytes()?, true)?;
                }
                8 => self.opset(field.bytes()?)?,
                14 => self.onnx.metadata.push(entry(field.bytes()?)?),
                _ => {}
            }
            Ok(())
        })
        .inspect_err(|_| self.found_graph |= self.onnx.opset > 0 || looks_like_model(bytes))
    }

    fn opset(&mut self, bytes: &[u8]) -> Walked {
        let (mut domain, mut version) = (String::new(), 0);
        fields(bytes, |number, field| {
            match number {
                1 => domain = field.text()?,
                2 => version = field.number()?,
                _ => {}
            }
            Ok(())
        })?;
        if domain.is_empty() || domain == "ai.onnx" {
            self.onnx.opset = version;
        }
        Ok(())
    }

    /// `outermost`: the graphs inside control flow take and give nothing of the model's.
    fn graph(&mut self, bytes: &[u8], outermost: bool) -> Walked {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Fault::Told(Error::file(
                self.path,
                format!("nests its loops and branches deeper than {DEEPEST}"),
            )));
        }
        let walked = fields(bytes, |number, field| {
            match (number, outermost) {
                (1, _) => self.node(field.bytes()?)?,
                (5, _) => {
                    let (name, numbers) = self.weights(field.bytes()?, false)?;
                    self.onnx.parameters = self.onnx.parameters.saturating_add(numbers);
                    self.initializers.insert(name);
                }
                (11, true) => self.onnx.inputs.push(tensor(field.bytes()?)?),
                (12, true) => self.onnx.outputs.push(tensor(field.bytes()?)?),
                _ => {}
            }
            Ok(())
        });
        self.depth -= 1;
        walked
    }

    fn node(&mut self, bytes: &[u8]) -> Walked {
        let (mut name, mut domain) = (String::new(), String::new());
        fields(bytes, |number, field| {
            match number {
                4 => name = field.text()?,
                // Tensors and graphs inside attributes.
                5 => fields(field.bytes()?, |number, field| match number {
                    5 | 10 => self.weights(field.bytes()?, true).map(drop),
                    6 | 11 => self.graph(field.bytes()?, false),
                    _ => Ok(()),
                })?,
                7 => domain = field.text()?,
                _ => {}
            }
            Ok(())
        })?;
        self.onnx.nodes += 1;
        self.onnx.operators.insert(match domain.as_str() {
            "" | "ai.onnx" => name,
            domain => format!("{domain}.{name}"),
        });
        Ok(())
    }

    /// Looks through a tensor of the file, which may be a step's own: its name, and how many numbers it has. A step may put a NaN in place of
    /// what is masked.
    fn weights(&mut self, bytes: &[u8], of_step: bool) -> Walked<(String, u64)> {
        interrupt::check()?;
        let mut it = Weights::default();
        fields(bytes, |number, field| {
            match number {
                1 => match field {
                    Field::Number(size) => it.dims.push(size),
                    Field::Bytes(mut packed) => {
                        while !packed.is_empty() {
                            it.dims.push(varint(&mut packed)?);
                        }
                    }
                },
                2 => it.kind = field.number()?,
                4 | 9 | 10 => it.parts.push(field.bytes()?),
                // Halves that are no bytes are varints.
                5 => match field {
                    Field::Number(number) => it.varints.push(number),
                    Field::Bytes(packed) => it.packed.push(packed),
                },
                8 => it.name = field.text()?,
                13 => it.external.push(entry(field.bytes()?)?),
                14 => it.is_external = field.number()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        let numbers = it.dims.iter().try_fold(1_u64, |n, size| n.checked_mul(*size));
        let numbers = numbers.ok_or(Fault::Cut)?;
        let halves = match it.is_half() {
            true => it.halves()?,
            false => Vec::new(),
        };
        let wrong = match it.is_external {
            true => self.external(&it)?,
            false => {
                let mut parts = it.parts.iter().copied().chain([halves.as_slice()]);
                parts.find_map(|part| not_finite(part, it.kind))
            }
        };
        let single = numbers <= 1;
        match wrong {
            Some(Wrong::NaN) if !(single && of_step) => Err(self.told(&it, "NaN")),
            Some(Wrong::Infinite) if !single => Err(self.told(&it, "infinite")),
            _ => Ok((it.name, numbers)),
        }
    }

    fn told(&self, it: &Weights, what: &str) -> Fault {
        let name = match it.name.as_str() {
            "" => "of a step".to_string(),
            name => format!("`{name}`"),
        };
        Fault::Told(Error::file(
            self.path,
            format!(
                "the weights {name} hold numbers that are {what}: the training has failed, or the file is damaged; export an earlier state of the training"
            ),
        ))
    }

    /// Reads the file of external weights where no tensor before has asked for it, and looks through the part that is `it`'s.
    fn external(&mut self, it: &Weights) -> Walked<Option<Wrong>> {
        let of = |key: &str| {
            it.external
                .iter()
                .find(|(name, _)| name == key)
                .map(|(_, value)| value.as_str())
        };
        let number = |key: &str| {
            of(key)
                .map(|text| text.parse::<usize>().map_err(|_| Fault::Cut))
                .transpose()
        };
        let location = of("location").ok_or(Fault::Cut)?;
        if !self.onnx.external.iter().any(|(name, _)| name == location) {
            let file = beside(self.path, location)?;
            let bytes = gate::read(&file).map_err(|e| match e.kind() {
                std::io::ErrorKind::NotFound => Error::file(
                    self.path,
                    format!("its weights lie in another file, {location}, which is not beside it; put both into one folder"),
                ),
                _ => Error::io(&file, e),
            })?;
            self.onnx.external.push((location.to_string(), bytes));
        }
        let held = self.onnx.external.iter().find(|(name, _)| name == location);
        let bytes = held.map(|(_, bytes)| bytes.as_slice()).unwrap_or_default();
        let from = number("offset")?.unwrap_or(0);
        let until = match number("length")? {
            Some(length) => from.saturating_add(length),
            None => bytes.len(),
        };
        match bytes.get(from..until) {
            Some(part) => Ok(not_finite(part, it.kind)),
            None => Err(Fault::Told(Error::file(
                self.path,
                format!(
                    "the weights `{}` lie at bytes {from} to {until} of {location}, which has {} bytes: it is cut short or of another model",
                    it.name,
                    bytes.len()
                ),
            ))),
        }
    }
}

/// A file that begins with the version of its format, as all exporters write it, and a length that reaches beyond its end.
fn looks_like_model(bytes: &[u8]) -> bool {
    matches!(bytes, [8, 1..=20, ..])
}

/// The path of external weights, which may not lead out of the model's folder.
fn beside(path: &Path, location: &str) -> Result<PathBuf> {
    let inside = Path::new(location);
    if location.is_empty()
        || !inside
            .components()
            .all(|part| matches!(part, Component::Normal(_)))
    {
        return Err(Error::file(
            path,
            format!(
                "its weights lie in {location}, outside of its folder, which is not followed; save it with its weights beside it"
            ),
        ));
    }
    Ok(path.parent().unwrap_or(Path::new("")).join(inside))
}

#[derive(Default)]
struct Weights<'a> {
    name: String,
    dims: Vec<u64>,
    kind: u64,
    parts: Vec<&'a [u8]>,
    /// Whole numbers, each for itself and packed: of halves the bits.
    varints: Vec<u64>,
    packed: Vec<&'a [u8]>,
    external: Vec<(String, String)>,
    is_external: bool,
}

impl Weights<'_> {
    /// float16 or bfloat16.
    fn is_half(&self) -> bool {
        matches!(self.kind, 10 | 16)
    }

    /// The bits of halves that lie among the whole numbers, in little-endian bytes.
    fn halves(&self) -> Walked<Vec<u8>> {
        let mut bits = self.varints.clone();
        for packed in &self.packed {
            let mut packed = *packed;
            while !packed.is_empty() {
                bits.push(varint(&mut packed)?);
            }
        }
        Ok(bits
            .into_iter()
            .flat_map(|bits| (bits as u16).to_le_bytes())
            .collect())
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Wrong {
    NaN,
    Infinite,
}

/// The worst of numbers in little-endian bytes, by the code of their type. A number whose exponent is all ones is infinite, or NaN where
/// its fraction is not 0.
fn not_finite(bytes: &[u8], kind: u64) -> Option<Wrong> {
    let mut worst = None;
    let mut judge = |exponent: bool, fraction: bool| {
        if exponent {
            worst = match (worst, fraction) {
                (Some(Wrong::NaN), _) | (_, true) => Some(Wrong::NaN),
                _ => Some(Wrong::Infinite),
            };
        }
    };
    match kind {
        1 => bytes.as_chunks::<4>().0.iter().for_each(|b| {
            let bits = u32::from_le_bytes(*b);
            judge(bits << 1 >> 24 == 0xff, bits << 9 != 0);
        }),
        10 => bytes.as_chunks::<2>().0.iter().for_each(|b| {
            let bits = u16::from_le_bytes(*b);
            judge(bits << 1 >> 11 == 0x1f, bits << 6 != 0);
        }),
        16 => bytes.as_chunks::<2>().0.iter().for_each(|b| {
            let bits = u16::from_le_bytes(*b);
            judge(bits << 1 >> 8 == 0xff, bits << 9 != 0);
        }),
        11 => bytes.as_chunks::<8>().0.iter().for_each(|b| {
            let bits = u64::from_le_bytes(*b);
            judge(bits << 1 >> 53 == 0x7ff, bits << 12 != 0);
        }),
        _ => {}
    }
    worst
}

fn tensor(bytes: &[u8]) -> Walked<Tensor> {
    let mut out = Tensor {
        name: String::new(),
        kind: "",
        axes: None,
    };
    fields(bytes, |number, field| {
        match number {
            1 => out.name = field.text()?,
            2 => fields(field.bytes()?, |number, field| match number {
                1 => fields(field.bytes()?, |number, field| {
                    match number {
                        1 => out.kind = kind(field.number()?),
                        2 => out.axes = Some(axes(field.bytes()?)?),
                        _ => {}
                    }
                    Ok(())
                }),
                _ => Ok(()),
            })?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(out)
}

fn axes(bytes: &[u8]) -> Walked<Vec<Axis>> {
    let mut out = Vec::new();
    fields(bytes, |number, field| {
        if number == 1 {
            let mut axis = Axis::Any(String::new());
            fields(field.bytes()?, |number, field| {
                match number {
                    // Some exporters write -1 or 0 for any size.
                    1 => {
                        if let Ok(size @ 1..) = usize::try_from(field.number()?.cast_signed()) {
                            axis = Axis::Fixed(size);
                        }
                    }
                    2 => axis = Axis::Any(field.text()?),
                    _ => {}
                }
                Ok(())
            })?;
            out.push(axis);
        }
        Ok(())
    })?;
    Ok(out)
}

fn kind(code: u64) -> &'static str {
    match code {
        1 => "float32",
        2 => "uint8",
        3 => "int8",
        4 => "uint16",
        5 => "int16",
        6 => "int32",
        7 => "int64",
        8 => "string",
        9 => "boolean",
        10 => "float16",
        11 => "float64",
        12 => "uint32",
        13 => "uint64",
        16 => "bfloat16",
        _ => "another type",
    }
}

impl fmt::Display for Axis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Axis::Fixed(size) => write!(f, "{size}"),
            Axis::Any(name) if name.is_empty() => f.write_str("?"),
            Axis::Any(name) => f.write_str(name),
        }
    }
}

impl fmt::Display for Tensor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.name, self.kind)?;
        if let Some(axes) = &self.axes {
            let axes: Vec<String> = axes.iter().map(Axis::to_string).collect();
            write!(f, " ({})", axes.join(", "))?;
        }
        Ok(())
    }
}
