//! One band of a file as a source of tiles.

use std::ffi::c_void;
use std::sync::Arc;

use bytemuck::Pod;
use gdal_sys::{GDALDataType as Gdt, GDALRWFlag, GDALRasterBandH};
use ndarray::{Array2, s};
use num_complex::Complex32;

use super::encoding::{Encoding, Mask};
use super::floating::{Blocks, Number};
use super::kept::{Kept, Rows};
use super::message_of;
use super::plain::Plain;
use super::pool::{SourceFile, Stated, changed_since_described};
use super::transfer::{Part, transfer};
use crate::described;
use crate::error::{Error, Result};
use crate::interrupt;
use crate::raster::describe::{Described, Description, Site, from_json, to_json};
use crate::raster::integer::is_wide;
use crate::raster::operation::{Operation, PicturePart, ReadFile};
use crate::raster::tile::{MASKED_COMPLEX, MASKED_INTEGER, integer_to_f64};
use crate::raster::{DType, Kind, Pixels, View, Window};
use crate::work::decoded::Key;
use crate::work::{Decoded, current};
use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

#[derive(Clone)]
pub struct FileBand {
    pub file: Arc<SourceFile>,
    /// From 1, as GDAL counts.
    pub band: usize,
    pub kind: Kind,
    pub encoding: Encoding,
    pub mask: Mask,
    /// True where the file's first row is the image's last.
    pub upward: bool,
    pub block: (usize, usize),
}

/// What a `FileBand` is; its blocks are the file's own affair.
#[derive(Serialize, Deserialize)]
struct Source {
    file: Stated,
    band: usize,
    encoding: Encoding,
    mask: Mask,
    upward: bool,
}

impl Described for FileBand {
    const NAME: &'static str = "raster.open";
    const VERSION: u32 = 1;

    fn parameters(&self) -> Result<Json> {
        to_json(&Source {
            file: Stated::of(&self.file),
            band: self.band,
            encoding: self.encoding.clone(),
            mask: self.mask,
            upward: self.upward,
        })
    }

    fn again(parameters: &Json, site: &Site) -> Result<FileBand> {
        let source: Source = from_json(Self::NAME, parameters)?;
        let (file, lent) = source.file.open(site)?;
        if (file.rows, file.cols) != (site.grid.rows, site.grid.cols) {
            return Err(changed_since_described(&file.path));
        }
        let dataset = lent.dataset()?;
        let bands = dataset.raster_count();
        let alpha = match source.mask {
            Mask::Alpha(index) => index,
            Mask::None | Mask::Own => source.band,
        };
        if let Some(missing) = [source.band, alpha]
            .into_iter()
            .find(|band| !(1..=bands).contains(band))
        {
            let expected = format!("from 1 to {bands}, as {} has them", file.path);
            return Err(Error::argument("band", expected, missing));
        }
        let band = dataset
            .rasterband(source.band)
            .map_err(|e| Error::file(&file.path, message_of(&e)))?;
        let (block_cols, block_rows) = band.block_size();
        Ok(FileBand {
            band: source.band,
            kind: source.encoding.kind(),
            encoding: source.encoding,
            mask: source.mask,
            upward: source.upward,
            block: (block_rows, block_cols),
            file,
        })
    }

    fn check(&self, site: &Site) -> Result<()> {
        site.takes(0).map(drop)
    }
}

described!(FileBand, Tiles);

impl Operation for FileBand {
    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn name(&self) -> String {
        format!("{} band {}", self.file.path, self.band)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        self.kind
    }

    fn file(&self) -> Option<ReadFile> {
        let (size, is_remote) = self.file.size();
        Some(ReadFile {
            path: self.file.path.clone(),
            size,
            is_remote,
        })
    }

    fn block(&self) -> Option<(usize, usize)> {
        Some(self.block)
    }

    fn decoded(&self, out: Window) -> Option<(Window, usize)> {
        let window = self.in_file(out);
        let blocks = self.in_file(self.covered(window, self.block));
        Some((blocks, self.covered(window, self.unit()).len()))
    }

    fn decode(&self, out: Window) -> Result<()> {
        let context = current();
        let decoded = context.decoded();
        match decoded.has_room() {
            true => self.each_unit(decoded, self.in_file(out), &mut |_, _| Ok(())),
            false => Ok(()),
        }
    }

    fn forget(&self, out: Window) {
        let context = current();
        for (_, key) in self.units(self.in_file(out)) {
            context.decoded().forget(&key);
        }
    }

    fn can_reduce(&self) -> bool {
        true
    }

    fn reduced(&self, part: &PicturePart) -> Result<Vec<Pixels>> {
        let whole = Window::new(0, 0, self.file.rows, self.file.cols);
        self.read(&Part::of_picture(whole, part)).map(|p| vec![p])
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn scratch_bytes(&self, out: Window) -> usize {
        // 64-bit integers as the file has them and decoded; a mask.
        let integers = if is_wide(self.encoding.dtype) { 24 } else { 0 };
        let mask = if self.mask == Mask::None { 0 } else { 5 };
        out.len().saturating_mul(integers + mask)
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        self.read(&Part::all(out)).map(|p| vec![p])
    }
}

impl FileBand {
    /// Reads a part, whose window must lie inside the image.
    pub(super) fn read(&self, part: &Part) -> Result<Pixels> {
        let context = current();
        let decoded = context.decoded();
        let shared = part.is_all() && decoded.has_room();
        let few = match part.is_all() {
            true => self.few(self.in_file(part.window))?,
            false => None,
        };
        let mut read = match (few, self.upward) {
            (Some(few), _) => few,
            _ if shared => self.of_blocks(decoded, self.in_file(part.window))?,
            (None, true) => self.read_now(decoded, &part.turned(self.file.rows))?,
            (None, false) => self.read_now(decoded, part)?,
        };
        if self.upward {
            read.invert_rows();
        }
        Ok(read)
    }

    /// A window of the image in the file, and the other way round.
    fn in_file(&self, window: Window) -> Window {
        match self.upward {
            true => Part::all(window).turned(self.file.rows).window,
            false => window,
        }
    }

    /// Rows and columns that are decoded at once: whole blocks, since lines alone are not worth a search.
    fn unit(&self) -> (usize, usize) {
        const LEAST: usize = 64;
        let side = |block: usize| block.max(1) * LEAST.div_ceil(block.max(1));
        (side(self.block.0), side(self.block.1))
    }

    /// The window of those of such rows and columns that a window of the file reaches into.
    fn covered(&self, window: Window, (rows, cols): (usize, usize)) -> Window {
        let down = |at: isize, side: usize| at.div_euclid(side.max(1) as isize) * side.max(1) as isize;
        let up = |end: isize, side: usize| down(end + side.max(1) as isize - 1, side);
        let (row, col) = (down(window.row, rows), down(window.col, cols));
        let (end, last) = (up(window.row_end(), rows), up(window.col_end(), cols));
        let whole = Window::new(0, 0, self.file.rows, self.file.cols);
        Window::new(row, col, (end - row) as usize, (last - col) as usize).intersect(&whole)
    }

    /// Hands on all that a window of the file reaches into, kept or decoded now, with the windows that they are of.
    fn each_unit(
        &self,
        decoded: &Decoded,
        window: Window,
        take: &mut dyn FnMut(Window, &Kept) -> Result<()>,
    ) -> Result<()> {
        for (unit, key) in self.units(window) {
            let bytes = unit.len() * self.kind.bytes();
            let pixels = decoded.get(key, bytes, |in_memory| {
                Kept::of(self.read_now(decoded, &Part::all(unit))?, in_memory)
            })?;
            take(unit, &pixels)?;
        }
        Ok(())
    }

    /// All that a window of the file reaches into, and what that is kept under.
    fn units(&self, window: Window) -> impl Iterator<Item = (Window, Key)> {
        let (rows, cols) = self.unit();
        let covered = self.covered(window, (rows, cols));
        let down = (covered.row..covered.row_end()).step_by(rows);
        let across = (covered.col..covered.col_end()).step_by(cols);
        let (id, band) = (self.file.id(), self.band);
        down.flat_map(move |row| across.clone().map(move |col| (row, col)))
            .map(move |(row, col)| {
                let unit = Window::new(row, col, rows, cols).intersect(&covered);
                (unit, (id, band, row as usize, col as usize))
            })
    }

    /// A window of the file, of blocks that are kept for others.
    fn of_blocks(&self, decoded: &Decoded, window: Window) -> Result<Pixels> {
        let mut out = Pixels::masked(self.kind, window.rows, window.cols);
        self.each_unit(decoded, window, &mut |unit, kept| {
            let part = unit.intersect(&window);
            let first = (part.row - unit.row) as usize;
            let pixels = kept.rows(first..first + part.rows)?;
            let left = (part.col - unit.col) as usize;
            let (row, col) = ((part.row - window.row) as usize, (part.col - window.col) as usize);
            let from = s![.., left..left + part.cols];
            let to = s![row..row + part.rows, col..col + part.cols];
            match (&mut out, &pixels) {
                (Pixels::I128(out), Rows::I128(a)) => out.slice_mut(to).assign(&a.slice(from)),
                (Pixels::F32(out), Rows::F32(a)) => out.slice_mut(to).assign(&a.slice(from)),
                (Pixels::F64(out), Rows::F64(a)) => out.slice_mut(to).assign(&a.slice(from)),
                (Pixels::C32(out), Rows::C32(a)) => out.slice_mut(to).assign(&a.slice(from)),
                _ => {
                    return Err(Error::file(
                        &self.file.path,
                        "was decoded as numbers of another kind",
                    ));
                }
            }
            Ok(())
        })?;
        Ok(out)
    }

    /// A window of the file that is the lesser part of its blocks, where they hold numbers as they are.
    fn few(&self, window: Window) -> Result<Option<Pixels>> {
        if self.mask != Mask::None || 2 * window.len() >= self.covered(window, self.block).len() {
            return Ok(None);
        }
        Ok(match (self.kind, self.encoding.dtype) {
            (Kind::F32, DType::F32) => self.plain(window)?.map(|a| self.decoded_f32(a)),
            (Kind::F64, DType::F64) => self.plain(window)?.map(|a| self.decoded_f64(a)),
            (Kind::C32, DType::C32) => self.plain(window)?.map(|a| self.decoded_c32(a)),
            _ => None,
        })
    }

    fn plain<T: Pod>(&self, window: Window) -> Result<Option<Array2<T>>> {
        let file = &self.file;
        let Some(plain) = (match file.plain.get() {
            Some(plain) => plain,
            None => {
                let lent = file.lend()?;
                let dataset = lent.dataset()?;
                file.plain
                    .get_or_init(|| Plain::of(&file.name, dataset, self.block))
            }
        }) else {
            return Ok(None);
        };
        let blocks = plain.blocks(window);
        let places = match plain.known(self.band, &blocks) {
            Some(places) => Some(places),
            None => {
                let lent = file.lend()?;
                let band = lent
                    .dataset()?
                    .rasterband(self.band)
                    .map_err(|e| Error::file(&file.path, message_of(&e)))?;
                // SAFETY: the band is one of a dataset that this thread alone uses.
                unsafe { plain.ask(band.c_rasterband(), self.band, &blocks, size_of::<T>()) }
            }
        };
        file.check()?;
        Ok(places.and_then(|places| plain.read(window, &blocks, &places)))
    }

    fn decoded_f32(&self, mut a: Array2<f32>) -> Pixels {
        self.encoding.decode(&mut a);
        Pixels::F32(a)
    }

    fn decoded_f64(&self, mut a: Array2<f64>) -> Pixels {
        self.encoding.decode(&mut a);
        Pixels::F64(a)
    }

    fn decoded_c32(&self, a: Array2<Complex32>) -> Pixels {
        Pixels::C32(a.mapv_into(|z| match self.encoding.is_missing(z) {
            true => MASKED_COMPLEX,
            false => z,
        }))
    }

    /// Reads a part of the file, its first row first.
    fn read_now(&self, decoded: &Decoded, part: &Part) -> Result<Pixels> {
        let window = part.window;
        let reached = |first: isize, end: isize, block: usize| {
            (end as usize).div_ceil(block.max(1)) - first as usize / block.max(1)
        };
        let (down, across) = (
            reached(window.row, window.row_end(), self.block.0),
            reached(window.col, window.col_end(), self.block.1),
        );
        decoded.count((down * across) as u64);
        if let Some(read) = self.read_stored(part)? {
            return Ok(read);
        }
        let mut lent = self.file.lend()?;
        let read = self.read_from(lent.dataset()?, part);
        if read.is_err() {
            lent.discard();
        }
        read
    }

    /// A part of an array of HDF5, where it is read without GDAL.
    fn read_stored(&self, part: &Part) -> Result<Option<Pixels>> {
        let Some(stored) = self.file.stored.get() else {
            return Ok(None);
        };
        if self.mask != Mask::None || !part.is_all() || stored.holds().0 != self.encoding.dtype {
            return Ok(None);
        }
        self.file.check()?;
        Ok(match self.kind {
            Kind::F32 => stored.read(self.band, part.window).map(|a| self.decoded_f32(a)),
            Kind::F64 => stored.read(self.band, part.window).map(|a| self.decoded_f64(a)),
            Kind::I128 | Kind::C32 => None,
        })
    }

    /// Numbers of the type `stored` that need not pass through GDAL.
    fn whole_blocks<T: Number>(
        &self,
        dataset: &gdal::Dataset,
        band: GDALRasterBandH,
        part: &Part,
        stored: DType,
    ) -> Option<Array2<T>> {
        if self.encoding.dtype != stored || !part.is_all() {
            return None;
        }
        let blocks = self
            .file
            .blocks
            .get_or_init(|| Blocks::of(&self.file.name, dataset, self.block));
        // SAFETY: the band is one of `dataset`, which this thread alone uses.
        unsafe { blocks.as_ref()?.read(band, part.window) }
    }

    fn read_from(&self, dataset: &gdal::Dataset, part: &Part) -> Result<Pixels> {
        let window = part.window;
        let fail = |text: String| match interrupt::check() {
            Ok(()) => Error::file(
                &self.file.path,
                format!("cannot read {window} of band {}: {text}", self.band),
            ),
            Err(stopped) => stopped,
        };
        let band = dataset.rasterband(self.band).map_err(|e| fail(e.to_string()))?;
        // SAFETY: the handle lives as long as `dataset`, which is borrowed for this whole function.
        let handle = unsafe { band.c_rasterband() };
        let mut pixels = match self.kind {
            _ if is_wide(self.encoding.dtype) => {
                let integers = if self.encoding.is_unsigned_in_file() {
                    raster_io(handle, part, Gdt::GDT_UInt64, 0u64).map(|a| a.mapv(i128::from))
                } else {
                    raster_io(handle, part, Gdt::GDT_Int64, 0i64).map(|a| a.mapv(i128::from))
                };
                let integers = integers.map_err(&fail)?.mapv(|v| self.encoding.decode_integer(v));
                match self.kind {
                    Kind::I128 => Pixels::I128(integers),
                    _ => Pixels::F64(integers.mapv(|v| self.encoding.scaled(integer_to_f64(v)))),
                }
            }
            Kind::F32 => {
                let own = self.whole_blocks(dataset, handle, part, DType::F32);
                self.decoded_f32(match own {
                    Some(a) => a,
                    None => raster_io(handle, part, Gdt::GDT_Float32, 0f32).map_err(&fail)?,
                })
            }
            Kind::F64 | Kind::I128 => {
                let own = self.whole_blocks(dataset, handle, part, DType::F64);
                self.decoded_f64(match own {
                    Some(a) => a,
                    None => raster_io(handle, part, Gdt::GDT_Float64, 0f64).map_err(&fail)?,
                })
            }
            Kind::C32 => {
                self.decoded_c32(raster_io(handle, part, Gdt::GDT_CFloat32, Complex32::ZERO).map_err(&fail)?)
            }
        };
        let transparent = match self.mask {
            Mask::None => return Ok(pixels),
            Mask::Own => {
                let mask = band.open_mask_band().map_err(|e| fail(e.to_string()))?;
                // SAFETY: as above; the mask belongs to `dataset`.
                let handle = unsafe { mask.c_rasterband() };
                raster_io(handle, part, Gdt::GDT_Byte, 0u8)
                    .map_err(&fail)?
                    .mapv(|m| m == 0)
            }
            Mask::Alpha(index) => {
                let alpha = dataset.rasterband(index).map_err(|e| fail(e.to_string()))?;
                // SAFETY: as above. Opacity may be of any type, and a little of it is not none.
                let handle = unsafe { alpha.c_rasterband() };
                raster_io(handle, part, Gdt::GDT_Float32, 0f32)
                    .map_err(&fail)?
                    .mapv(|m| m == 0.0)
            }
        };
        fn put<T: Copy>(pixels: &mut Array2<T>, transparent: &Array2<bool>, masked: T) {
            pixels.zip_mut_with(transparent, |v, &transparent| {
                if transparent {
                    *v = masked
                }
            });
        }
        match &mut pixels {
            Pixels::I128(a) => put(a, &transparent, MASKED_INTEGER),
            Pixels::F32(a) => put(a, &transparent, f32::NAN),
            Pixels::F64(a) => put(a, &transparent, f64::NAN),
            Pixels::C32(a) => put(a, &transparent, MASKED_COMPLEX),
        }
        Ok(pixels)
    }
}

fn raster_io<T: Copy>(
    band: GDALRasterBandH,
    part: &Part,
    data_type: Gdt::Type,
    zero: T,
) -> Result<Array2<T>, String> {
    let mut out = Array2::from_elem(part.dim(), zero);
    // SAFETY: the buffer holds rows × cols values of `data_type`, whose size is that of T in every call above, in
    // standard layout; the dataset is this thread's own.
    unsafe {
        transfer(
            band,
            GDALRWFlag::GF_Read,
            part,
            data_type,
            out.as_mut_ptr().cast::<c_void>(),
        )?;
    }
    Ok(out)
}
