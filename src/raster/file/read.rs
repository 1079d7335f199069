//! One band of a file as a source of tiles.

use std::ffi::c_void;
use std::sync::Arc;

use gdal_sys::{GDALDataType as Gdt, GDALRWFlag, GDALRasterBandH};
use ndarray::Array2;
use num_complex::Complex32;

use super::explained;
use super::pool::SourceFile;
use super::transfer::{Part, transfer};
use crate::error::{Error, Result};
use crate::raster::operation::{Operation, PicturePart};
use crate::raster::tile::MASKED_COMPLEX;
use crate::raster::{Kind, Pixels, View, Window};

#[derive(Clone)]
pub struct FileBand {
    pub file: Arc<SourceFile>,
    /// From 1, as GDAL counts.
    pub band: usize,
    pub kind: Kind,
    /// In raw file values, before scale and offset.
    pub nodata: Option<f64>,
    pub scale_offset: Option<(f64, f64)>,
    /// True where a mask band or alpha channel says which pixels are valid.
    pub has_mask: bool,
    pub block: (usize, usize),
}

impl Operation for FileBand {
    fn name(&self) -> String {
        format!("{} band {}", self.file.path, self.band)
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        self.kind
    }

    fn block(&self) -> Option<(usize, usize)> {
        Some(self.block)
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

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        self.read(&Part::all(out)).map(|p| vec![p])
    }
}

impl FileBand {
    /// Reads a part, whose window must lie inside the image.
    fn read(&self, part: &Part) -> Result<Pixels> {
        let mut lent = self.file.lend()?;
        let read = self.read_from(lent.dataset()?, part);
        if read.is_err() {
            lent.discard();
        }
        read
    }

    fn read_from(&self, dataset: &gdal::Dataset, part: &Part) -> Result<Pixels> {
        let window = part.window;
        let fail = |text: String| {
            Error::file(
                &self.file.path,
                format!(
                    "cannot read {window} of band {}: {}",
                    self.band,
                    explained(&self.file.name, &text)
                ),
            )
        };
        let band = dataset.rasterband(self.band).map_err(|e| fail(e.to_string()))?;
        // SAFETY: the handle lives as long as `dataset`, which is borrowed for this whole function.
        let handle = unsafe { band.c_rasterband() };
        let mut pixels = match self.kind {
            Kind::F32 => Pixels::F32(raster_io(handle, part, Gdt::GDT_Float32, 0f32).map_err(&fail)?),
            Kind::F64 => Pixels::F64(raster_io(handle, part, Gdt::GDT_Float64, 0f64).map_err(&fail)?),
            Kind::C32 => {
                Pixels::C32(raster_io(handle, part, Gdt::GDT_CFloat32, Complex32::ZERO).map_err(&fail)?)
            }
        };
        match &mut pixels {
            Pixels::F32(a) => {
                // The file's nodata was stored in f32 too, so it compares equal after the same rounding.
                let nodata = self.nodata.map_or(f32::NAN, |v| v as f32);
                a.mapv_inplace(|v| {
                    if v == nodata || !v.is_finite() {
                        f32::NAN
                    } else {
                        v
                    }
                });
                if let Some((scale, offset)) = self.scale_offset {
                    a.mapv_inplace(|v| (f64::from(v) * scale + offset) as f32);
                }
            }
            Pixels::F64(a) => {
                let nodata = self.nodata.unwrap_or(f64::NAN);
                a.mapv_inplace(|v| {
                    if v == nodata || !v.is_finite() {
                        f64::NAN
                    } else {
                        v
                    }
                });
                if let Some((scale, offset)) = self.scale_offset {
                    a.mapv_inplace(|v| v * scale + offset);
                }
            }
            Pixels::C32(a) => {
                let nodata = self.nodata.map_or(f32::NAN, |v| v as f32);
                let masked =
                    |z: Complex32| !z.is_finite() || (z.re == nodata && (z.im == nodata || z.im == 0.0));
                a.mapv_inplace(|z| if masked(z) { MASKED_COMPLEX } else { z });
            }
        }
        if self.has_mask {
            let mask = band.open_mask_band().map_err(|e| fail(e.to_string()))?;
            // SAFETY: as above; the mask band belongs to `dataset`.
            let handle = unsafe { mask.c_rasterband() };
            let mask = raster_io(handle, part, Gdt::GDT_Byte, 0u8).map_err(&fail)?;
            match &mut pixels {
                Pixels::F32(a) => a.zip_mut_with(&mask, |v, &m| {
                    if m == 0 {
                        *v = f32::NAN
                    }
                }),
                Pixels::F64(a) => a.zip_mut_with(&mask, |v, &m| {
                    if m == 0 {
                        *v = f64::NAN
                    }
                }),
                Pixels::C32(a) => a.zip_mut_with(&mask, |v, &m| {
                    if m == 0 {
                        *v = MASKED_COMPLEX
                    }
                }),
            }
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
