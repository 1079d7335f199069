//! Pixel types and physical units of bands.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// Pixel type of a band as it is stored in a file. Computation is in f32, f64 or complex f32 (see `Kind`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum DType {
    #[serde(rename = "uint8")]
    U8,
    #[serde(rename = "int8")]
    I8,
    #[serde(rename = "uint16")]
    U16,
    #[serde(rename = "int16")]
    I16,
    #[serde(rename = "uint32")]
    U32,
    #[serde(rename = "int32")]
    I32,
    #[serde(rename = "uint64")]
    U64,
    #[serde(rename = "int64")]
    I64,
    #[serde(rename = "float32")]
    F32,
    #[serde(rename = "float64")]
    F64,
    #[serde(rename = "complex64")]
    C32,
    #[serde(rename = "complex128")]
    C64,
}

impl DType {
    pub const NAMES: [&'static str; 12] = [
        "uint8",
        "int8",
        "uint16",
        "int16",
        "uint32",
        "int32",
        "uint64",
        "int64",
        "float32",
        "float64",
        "complex64",
        "complex128",
    ];
    const ALL: [DType; 12] = [
        DType::U8,
        DType::I8,
        DType::U16,
        DType::I16,
        DType::U32,
        DType::I32,
        DType::U64,
        DType::I64,
        DType::F32,
        DType::F64,
        DType::C32,
        DType::C64,
    ];

    /// The name that numpy and xarray use.
    pub fn name(self) -> &'static str {
        Self::NAMES[self as usize]
    }

    /// # Errors
    /// `NotFound` with the names that there are.
    pub fn parse(name: &str) -> Result<Self> {
        Self::NAMES
            .iter()
            .position(|n| *n == name)
            .map(|i| Self::ALL[i])
            .ok_or_else(|| Error::not_found("data type", name, Self::NAMES))
    }

    pub fn bytes(self) -> usize {
        match self {
            DType::U8 | DType::I8 => 1,
            DType::U16 | DType::I16 => 2,
            DType::U32 | DType::I32 | DType::F32 => 4,
            DType::U64 | DType::I64 | DType::F64 | DType::C32 => 8,
            DType::C64 => 16,
        }
    }

    /// The integer type of the same width, signed or not; other types stay.
    pub fn with_sign(self, signed: bool) -> DType {
        match (self, signed) {
            (DType::U8 | DType::I8, true) => DType::I8,
            (DType::U8 | DType::I8, false) => DType::U8,
            (DType::U16 | DType::I16, true) => DType::I16,
            (DType::U16 | DType::I16, false) => DType::U16,
            (DType::U32 | DType::I32, true) => DType::I32,
            (DType::U32 | DType::I32, false) => DType::U32,
            (DType::U64 | DType::I64, true) => DType::I64,
            (DType::U64 | DType::I64, false) => DType::U64,
            (other, _) => other,
        }
    }

    pub fn is_complex(self) -> bool {
        matches!(self, DType::C32 | DType::C64)
    }

    pub fn is_float(self) -> bool {
        matches!(self, DType::F32 | DType::F64)
    }

    /// Smallest and largest value of an integer type, as f64.
    pub fn integer_range(self) -> Option<(f64, f64)> {
        Some(match self {
            DType::U8 => (0.0, u8::MAX as f64),
            DType::I8 => (i8::MIN as f64, i8::MAX as f64),
            DType::U16 => (0.0, u16::MAX as f64),
            DType::I16 => (i16::MIN as f64, i16::MAX as f64),
            DType::U32 => (0.0, u32::MAX as f64),
            DType::I32 => (i32::MIN as f64, i32::MAX as f64),
            DType::U64 => (0.0, u64::MAX as f64),
            DType::I64 => (i64::MIN as f64, i64::MAX as f64),
            _ => return None,
        })
    }
}

impl fmt::Display for DType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Physical unit of a band. The three radar scales are known, because mixing them up is the field's classic error.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Not stated; arithmetic is not checked.
    #[default]
    Unknown,
    /// Backscatter as power (natural units, intensity).
    Power,
    /// Backscatter as amplitude (square root of power).
    Amplitude,
    /// Backscatter in decibels, 10·log10(power).
    Decibel,
    /// No quantity: 1 is true, 0 is false. Comparisons give it; `&`, `|` and `~` are logical on it.
    Mask,
    /// No quantity: each number is a class of its own; the list says what they mean, as far as that is known.
    Class(Vec<Class>),
    /// Any other unit, by its symbol: `m`, `deg`, `1`, `m/yr`…
    Other(String),
}

/// What one number of an image of classes means.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Class {
    pub value: i64,
    pub name: String,
    /// Red, green and blue that it is shown in.
    pub color: Option<[u8; 3]>,
}

impl Unit {
    /// That of classes of which nothing is known.
    pub const CLASS: Unit = Unit::Class(Vec::new());

    pub fn parse(text: &str) -> Unit {
        match text.trim() {
            "" => Unit::Unknown,
            "power" | "natural" | "intensity" | "linear" => Unit::Power,
            "amplitude" => Unit::Amplitude,
            "class" => Unit::CLASS,
            t if t.eq_ignore_ascii_case("db") || t.eq_ignore_ascii_case("decibel") => Unit::Decibel,
            t => Unit::Other(t.to_string()),
        }
    }

    /// What it is in arithmetic: a mask is a number there, and classes lose what they mean.
    pub fn plain(&self) -> Unit {
        match self {
            Unit::Mask => Unit::Other("1".into()),
            Unit::Class(_) => Unit::CLASS,
            other => other.clone(),
        }
    }

    /// So much in a year.
    pub fn per_year(&self) -> Unit {
        match self.symbol() {
            "" => Unit::Unknown,
            symbol => Unit::parse(&format!("{symbol}/yr")),
        }
    }

    /// What the numbers mean, where they are classes and that is known.
    pub fn classes(&self) -> &[Class] {
        match self {
            Unit::Class(classes) => classes,
            _ => &[],
        }
    }

    pub fn symbol(&self) -> &str {
        match self {
            Unit::Unknown => "",
            Unit::Power => "power",
            Unit::Amplitude => "amplitude",
            Unit::Decibel => "dB",
            Unit::Mask => "1",
            Unit::Class(_) => "class",
            Unit::Other(s) => s,
        }
    }
}

impl fmt::Display for Unit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.symbol())
    }
}
