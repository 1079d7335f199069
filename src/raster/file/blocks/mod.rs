//! Images that come tile by tile and lie in a file as compressed blocks. These are compressed on the threads that compute tiles, and kept beside the
//! file until their order is known, so that the same pixels are the same file.

mod encode;
mod levels;
mod pyramid;
mod reduce;
mod scratch;
mod store;

use std::io;
use std::path::Path;
use std::sync::Arc;

pub use self::encode::{Codec, Encoder, Predictor};
pub use self::levels::{SIDE, sizes};
pub use self::pyramid::{Blocks, Method, Plan};
pub use self::scratch::{Packed, Place, Scratch};

use self::pyramid::Pyramid;
use self::reduce::Sample;
use crate::error::{Error, said};
use crate::raster::tile::f64_to_integer;
use crate::raster::{DType, Kind, Pixels};

/// The most bytes of a block: its length is a number of 32 bits, and several are in memory.
pub const LARGEST_BLOCK: usize = 1 << 28;

/// What masked pixels of a band are stored as, and whether the file says so in any case.
pub type Filled = (f64, bool);

/// The blocks of bands of real numbers, from the one of number `first` on; of those that have their places the first begins at `placed`.
///
/// # Errors
/// Complex numbers, of which no file is made by blocks.
pub fn blocks_of(
    dtype: DType,
    plan: &Plan,
    encoder: Encoder,
    first: (usize, Option<u64>),
    bands: &[Filled],
    scratch: &Arc<Scratch>,
) -> io::Result<Box<dyn Blocks>> {
    fn of<T: Sample>(
        plan: &Plan,
        encoder: Encoder,
        (first, placed): (usize, Option<u64>),
        (bands, are_whole): (&[Filled], bool),
        scratch: &Arc<Scratch>,
    ) -> Box<dyn Blocks> {
        let fill = |fill: f64| match are_whole {
            true => T::of_integer(f64_to_integer(fill)),
            false => T::of(fill),
        };
        let fills = bands.iter().map(|band| (fill(band.0), band.1)).collect();
        let pyramid = Pyramid::<T>::new(plan, encoder, first, fills, scratch);
        match placed {
            Some(start) => Box::new(pyramid.placed(start)),
            None => Box::new(pyramid),
        }
    }
    let bands = (bands, dtype.integer_range().is_some());
    Ok(match dtype {
        DType::U8 => of::<u8>(plan, encoder, first, bands, scratch),
        DType::I8 => of::<i8>(plan, encoder, first, bands, scratch),
        DType::U16 => of::<u16>(plan, encoder, first, bands, scratch),
        DType::I16 => of::<i16>(plan, encoder, first, bands, scratch),
        DType::U32 => of::<u32>(plan, encoder, first, bands, scratch),
        DType::I32 => of::<i32>(plan, encoder, first, bands, scratch),
        DType::U64 => of::<u64>(plan, encoder, first, bands, scratch),
        DType::I64 => of::<i64>(plan, encoder, first, bands, scratch),
        DType::F32 => of::<f32>(plan, encoder, first, bands, scratch),
        DType::F64 => of::<f64>(plan, encoder, first, bands, scratch),
        DType::C32 | DType::C64 => return Err(io::Error::from(io::ErrorKind::Unsupported)),
    })
}

/// Pixels that are stored as this type: 64-bit integers go into whole numbers as they are, into floats rounded.
pub fn suited(pixels: Pixels, dtype: DType) -> Pixels {
    match pixels.kind() == Kind::I128 && dtype.integer_range().is_none() {
        true => Pixels::F64(pixels.into_f64()),
        false => pixels,
    }
}

pub fn unwritten(path: &Path, e: &io::Error) -> Error {
    Error::file(path, format!("cannot be written: {}", said(path, e)))
}
