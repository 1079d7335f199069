//! Pixels in memory. A pixel is valid if and only if it is finite: NaN is the mask, and infinities become NaN
//! on reading and after every operation that can make one (x / 0, log 0), so no operation ever meets them.

use ndarray::{Array2, ArrayView2, CowArray, Ix2, s};
use num_complex::Complex32;
use serde::{Deserialize, Serialize};

use super::Window;

/// What an operation computes in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// 64-bit integers, exact: i128 holds signed and unsigned ones and a mark for masked pixels.
    I128,
    F32,
    F64,
    C32,
}

impl Kind {
    pub fn bytes(self) -> usize {
        match self {
            Kind::F32 => 4,
            Kind::F64 | Kind::C32 => 8,
            Kind::I128 => 16,
        }
    }

    /// The kind that holds values of both.
    pub fn join(self, other: Kind) -> Kind {
        if self == other {
            self
        } else {
            self.floating().max(other.floating())
        }
    }

    /// What holds the values of all; f32 for none.
    pub fn common(kinds: &[Kind]) -> Kind {
        kinds.iter().copied().reduce(Kind::join).unwrap_or(Kind::F32)
    }

    /// What arithmetic on it is done in, where it does not keep to whole numbers.
    pub fn floating(self) -> Kind {
        match self {
            Kind::I128 => Kind::F64,
            other => other,
        }
    }
}

pub const MASKED_COMPLEX: Complex32 = Complex32 {
    re: f32::NAN,
    im: f32::NAN,
};

/// No 64-bit integer is this one.
pub const MASKED_INTEGER: i128 = i128::MIN;

/// Pixels of one band over one window, (rows, cols), standard layout; NaN is masked (for complex: NaN real part; for integers:
/// `MASKED_INTEGER`).
#[derive(Debug, Clone)]
pub enum Pixels {
    I128(Array2<i128>),
    F32(Array2<f32>),
    F64(Array2<f64>),
    C32(Array2<Complex32>),
}

impl Pixels {
    /// An array in which every pixel is masked.
    pub fn masked(kind: Kind, rows: usize, cols: usize) -> Pixels {
        match kind {
            Kind::I128 => Pixels::I128(Array2::from_elem((rows, cols), MASKED_INTEGER)),
            Kind::F32 => Pixels::F32(Array2::from_elem((rows, cols), f32::NAN)),
            Kind::F64 => Pixels::F64(Array2::from_elem((rows, cols), f64::NAN)),
            Kind::C32 => Pixels::C32(Array2::from_elem((rows, cols), MASKED_COMPLEX)),
        }
    }

    pub fn kind(&self) -> Kind {
        match self {
            Pixels::I128(_) => Kind::I128,
            Pixels::F32(_) => Kind::F32,
            Pixels::F64(_) => Kind::F64,
            Pixels::C32(_) => Kind::C32,
        }
    }

    pub fn dim(&self) -> (usize, usize) {
        match self {
            Pixels::I128(a) => a.dim(),
            Pixels::F32(a) => a.dim(),
            Pixels::F64(a) => a.dim(),
            Pixels::C32(a) => a.dim(),
        }
    }

    /// The part of these pixels (which cover `covered`) that lies in `wanted`; pixels of `wanted` outside `covered`
    /// are masked. Borrows where it can.
    pub fn view(&self, covered: Window, wanted: Window) -> View<'_> {
        let pixels = match self {
            Pixels::I128(a) => PixelsView::I128(crop_or_pad(a.view(), covered, wanted, MASKED_INTEGER)),
            Pixels::F32(a) => PixelsView::F32(crop_or_pad(a.view(), covered, wanted, f32::NAN)),
            Pixels::F64(a) => PixelsView::F64(crop_or_pad(a.view(), covered, wanted, f64::NAN)),
            Pixels::C32(a) => PixelsView::C32(crop_or_pad(a.view(), covered, wanted, MASKED_COMPLEX)),
        };
        View {
            window: wanted,
            pixels,
        }
    }

    /// The last row becomes the first.
    pub fn invert_rows(&mut self) {
        fn invert<T: Clone>(pixels: &mut Array2<T>) {
            *pixels = pixels.slice(s![..;-1, ..]).to_owned();
        }
        match self {
            Pixels::I128(a) => invert(a),
            Pixels::F32(a) => invert(a),
            Pixels::F64(a) => invert(a),
            Pixels::C32(a) => invert(a),
        }
    }

    /// As f64; of complex pixels the magnitude.
    pub fn into_f64(self) -> Array2<f64> {
        match self {
            Pixels::I128(a) => a.mapv(integer_to_f64),
            Pixels::F32(a) => a.mapv(f64::from),
            Pixels::F64(a) => a,
            Pixels::C32(a) => a.mapv(|z| f64::from(z.norm())),
        }
    }

    /// As f32; of complex pixels the magnitude.
    pub fn into_f32(self) -> Array2<f32> {
        match self {
            Pixels::I128(a) => a.mapv(|v| integer_to_f64(v) as f32),
            Pixels::F32(a) => a,
            Pixels::F64(a) => a.mapv(|v| v as f32),
            Pixels::C32(a) => a.mapv(|z| z.norm()),
        }
    }

    /// Complex; of real pixels with a zero imaginary part.
    pub fn into_c32(self) -> Array2<Complex32> {
        match self {
            Pixels::I128(a) => a.mapv(|v| real_to_complex(integer_to_f64(v) as f32)),
            Pixels::F32(a) => a.mapv(real_to_complex),
            Pixels::F64(a) => a.mapv(|v| real_to_complex(v as f32)),
            Pixels::C32(a) => a,
        }
    }

    /// Whole numbers of any size; of other pixels the nearest one, of complex ones that of the magnitude.
    pub fn into_i128(self) -> Array2<i128> {
        match self {
            Pixels::I128(a) => a,
            other => other.into_f64().mapv(f64_to_integer),
        }
    }

    pub fn into_kind(self, kind: Kind) -> Pixels {
        match kind {
            Kind::I128 => Pixels::I128(self.into_i128()),
            Kind::F32 => Pixels::F32(self.into_f32()),
            Kind::F64 => Pixels::F64(self.into_f64()),
            Kind::C32 => Pixels::C32(self.into_c32()),
        }
    }
}

pub fn integer_to_f64(v: i128) -> f64 {
    if v == MASKED_INTEGER { f64::NAN } else { v as f64 }
}

/// The nearest whole number, masked where NaN.
pub fn f64_to_integer(v: f64) -> i128 {
    if v.is_nan() {
        MASKED_INTEGER
    } else {
        v.round() as i128
    }
}

fn real_to_complex(v: f32) -> Complex32 {
    if v.is_nan() {
        MASKED_COMPLEX
    } else {
        Complex32::new(v, 0.0)
    }
}

fn crop_or_pad<'a, T: Copy>(
    pixels: ArrayView2<'a, T>,
    covered: Window,
    wanted: Window,
    masked: T,
) -> CowArray<'a, T, Ix2> {
    let common = covered.intersect(&wanted);
    let part = |of: &Window| {
        let (r, c) = ((common.row - of.row) as usize, (common.col - of.col) as usize);
        s![r..r + common.rows, c..c + common.cols]
    };
    if common.is_empty() {
        return Array2::from_elem((wanted.rows, wanted.cols), masked).into();
    }
    if common == wanted {
        return pixels.slice_move(part(&covered)).into();
    }
    let mut padded = Array2::from_elem((wanted.rows, wanted.cols), masked);
    padded
        .slice_mut(part(&wanted))
        .assign(&pixels.slice(part(&covered)));
    padded.into()
}

/// Pixels of one band over `window`, borrowed from a larger tile where possible.
#[derive(Debug)]
pub struct View<'a> {
    pub window: Window,
    pub pixels: PixelsView<'a>,
}

#[derive(Debug)]
pub enum PixelsView<'a> {
    I128(CowArray<'a, i128, Ix2>),
    F32(CowArray<'a, f32, Ix2>),
    F64(CowArray<'a, f64, Ix2>),
    C32(CowArray<'a, Complex32, Ix2>),
}

impl<'a> View<'a> {
    /// A view in which every pixel is masked.
    pub fn masked(kind: Kind, window: Window) -> View<'a> {
        let (rows, cols) = (window.rows, window.cols);
        let pixels = match Pixels::masked(kind, rows, cols) {
            Pixels::I128(a) => PixelsView::I128(a.into()),
            Pixels::F32(a) => PixelsView::F32(a.into()),
            Pixels::F64(a) => PixelsView::F64(a.into()),
            Pixels::C32(a) => PixelsView::C32(a.into()),
        };
        View { window, pixels }
    }

    pub fn kind(&self) -> Kind {
        match self.pixels {
            PixelsView::I128(_) => Kind::I128,
            PixelsView::F32(_) => Kind::F32,
            PixelsView::F64(_) => Kind::F64,
            PixelsView::C32(_) => Kind::C32,
        }
    }

    /// As f32, without a copy where they are; of complex pixels the magnitude.
    pub fn f32(&self) -> CowArray<'_, f32, Ix2> {
        match &self.pixels {
            PixelsView::I128(a) => a.mapv(|v| integer_to_f64(v) as f32).into(),
            PixelsView::F32(a) => a.view().into(),
            PixelsView::F64(a) => a.mapv(|v| v as f32).into(),
            PixelsView::C32(a) => a.mapv(|z| z.norm()).into(),
        }
    }

    /// As f64, without a copy where they are; of complex pixels the magnitude.
    pub fn f64(&self) -> CowArray<'_, f64, Ix2> {
        match &self.pixels {
            PixelsView::I128(a) => a.mapv(integer_to_f64).into(),
            PixelsView::F32(a) => a.mapv(f64::from).into(),
            PixelsView::F64(a) => a.view().into(),
            PixelsView::C32(a) => a.mapv(|z| f64::from(z.norm())).into(),
        }
    }

    /// Complex, without a copy where they are.
    pub fn c32(&self) -> CowArray<'_, Complex32, Ix2> {
        match &self.pixels {
            PixelsView::I128(a) => a.mapv(|v| real_to_complex(integer_to_f64(v) as f32)).into(),
            PixelsView::F32(a) => a.mapv(real_to_complex).into(),
            PixelsView::F64(a) => a.mapv(|v| real_to_complex(v as f32)).into(),
            PixelsView::C32(a) => a.view().into(),
        }
    }

    /// As `Pixels::into_i128`, without a copy where they are.
    pub fn i128(&self) -> CowArray<'_, i128, Ix2> {
        match &self.pixels {
            PixelsView::I128(a) => a.view().into(),
            _ => self.f64().mapv(f64_to_integer).into(),
        }
    }

    pub fn to_pixels(&self) -> Pixels {
        match &self.pixels {
            PixelsView::I128(a) => Pixels::I128(a.to_owned()),
            PixelsView::F32(a) => Pixels::F32(a.to_owned()),
            PixelsView::F64(a) => Pixels::F64(a.to_owned()),
            PixelsView::C32(a) => Pixels::C32(a.to_owned()),
        }
    }
}
