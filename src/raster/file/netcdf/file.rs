//! A netCDF file being written, through GDAL's multidimensional interface.

use std::ffi::{CString, c_void};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use gdal::DriverManager;
use gdal_sys::GDALDataType as Gdt;

use super::library::{self, Closing};
use super::{Attribute, NetCdf, Variable};
use crate::error::{Error, Result};
use crate::raster::execute::Run;
use crate::raster::file::{gdal_type, has_signed_bytes, last_message, reset_message};
use crate::raster::{Crs, DType, Grid};

/// What carries attributes.
pub(super) enum Owner {
    Group(gdal_sys::GDALGroupH),
    Array(gdal_sys::GDALMDArrayH),
}

/// A file being written, and its root group. GDAL writes what is left when it is closed.
pub(super) struct File {
    path: PathBuf,
    draft: PathBuf,
    /// What is written has failed.
    lost: AtomicBool,
    dataset: gdal_sys::GDALDatasetH,
    pub(super) root: gdal_sys::GDALGroupH,
}

// SAFETY: the handles are used by one thread at a time; the tiles of an image are written under a lock.
unsafe impl Send for File {}
// SAFETY: as above.
unsafe impl Sync for File {}

impl Drop for File {
    fn drop(&mut self) {
        if !self.dataset.is_null() && !self.lost.load(Ordering::Relaxed) {
            let _ = self.finish();
        }
        if self.dataset.is_null() {
            return;
        }
        // Left open, because the library would crash; but what it takes on the disk is given back.
        if let Ok(draft) = fs::File::options().write(true).open(&self.draft) {
            let _ = draft.set_len(0);
        }
    }
}

/// A handle of GDAL and how it is let go.
pub(super) struct Handle {
    pointer: *mut c_void,
    release: unsafe extern "C" fn(*mut c_void),
}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the pointer is not null and was made for this function; it is released once.
        unsafe { (self.release)(self.pointer) }
    }
}

macro_rules! releases {
    ($($name:ident: $function:ident($handle:ident);)*) => {
        $(unsafe extern "C" fn $name(pointer: *mut c_void) {
            // SAFETY: `Handle` calls this with the handle that it was made for.
            unsafe { gdal_sys::$function(pointer as gdal_sys::$handle) }
        })*
    };
}

releases! {
    release_dimension: GDALDimensionRelease(GDALDimensionH);
    release_array: GDALMDArrayRelease(GDALMDArrayH);
    release_attribute: GDALAttributeRelease(GDALAttributeH);
    release_type: GDALExtendedDataTypeRelease(GDALExtendedDataTypeH);
}

impl File {
    pub(super) fn create(path: &Path, draft: &Path) -> Result<File> {
        let driver = DriverManager::get_driver_by_name("netCDF").map_err(|_| {
            Error::file(
                path,
                "this GDAL has no netCDF driver; install the one with it, or write a GeoTIFF",
            )
        })?;
        reset_message();
        let name = text(path, &draft.to_string_lossy())?;
        let format = text(path, "FORMAT=NC4")?;
        let mut options = [format.as_ptr().cast_mut(), null_mut()];
        // SAFETY: the driver lives as long as the process; name and options are terminated and outlive the call.
        let dataset = unsafe {
            gdal_sys::GDALCreateMultiDimensional(
                driver.c_driver(),
                name.as_ptr(),
                null_mut(),
                options.as_mut_ptr(),
            )
        };
        if dataset.is_null() {
            return Err(Error::file(
                path,
                format!("cannot be written: {}", last_message()),
            ));
        }
        // SAFETY: the dataset was just made.
        let root = unsafe { gdal_sys::GDALDatasetGetRootGroup(dataset) };
        let file = File {
            path: path.to_path_buf(),
            draft: draft.to_path_buf(),
            lost: AtomicBool::new(false),
            dataset,
            root,
        };
        if root.is_null() {
            Err(file.failed())
        } else {
            Ok(file)
        }
    }

    /// Writes what is left and closes the file.
    pub(super) fn finish(&mut self) -> Result<()> {
        self.release();
        if self.lost.load(Ordering::Relaxed) {
            return Err(self.failed());
        }
        let said = |e: io::Error| Error::file(&self.path, format!("cannot be written: {e}"));
        let closing = library::sync(&self.draft)
            .and_then(|()| fs::File::open(&self.draft)?.sync_all())
            .and_then(|()| Closing::of(&self.draft))
            .map_err(|e| {
                self.lost.store(true, Ordering::Relaxed);
                said(e)
            })?;
        reset_message();
        // SAFETY: made by `create`, and closed this once.
        unsafe { gdal_sys::GDALClose(std::mem::replace(&mut self.dataset, null_mut())) };
        // GDAL before 3.7 does not return what failed in closing, but leaves it as the last error.
        // SAFETY: no preconditions.
        if unsafe { gdal_sys::CPLGetLastErrorType() } >= gdal_sys::CPLErr::CE_Failure {
            return Err(self.failed());
        }
        closing.write(&self.draft).map_err(said)
    }

    fn release(&mut self) {
        let root = std::mem::replace(&mut self.root, null_mut());
        if !root.is_null() {
            // SAFETY: made by `create`, and released this once.
            unsafe { gdal_sys::GDALGroupRelease(root) }
        }
    }

    fn failed(&self) -> Error {
        self.lost.store(true, Ordering::Relaxed);
        Error::file(&self.path, format!("cannot be written: {}", last_message()))
    }

    fn held(&self, pointer: *mut c_void, release: unsafe extern "C" fn(*mut c_void)) -> Result<Handle> {
        if pointer.is_null() {
            Err(self.failed())
        } else {
            Ok(Handle { pointer, release })
        }
    }

    fn number_type(&self, gdal: Gdt::Type) -> Result<Handle> {
        // SAFETY: any data type is one that this takes.
        let made = unsafe { gdal_sys::GDALExtendedDataTypeCreate(gdal) };
        self.held(made.cast(), release_type)
    }

    fn text_type(&self) -> Result<Handle> {
        // SAFETY: no preconditions.
        let made = unsafe { gdal_sys::GDALExtendedDataTypeCreateString(0) };
        self.held(made.cast(), release_type)
    }

    pub(super) fn attributes(
        &self,
        owner: &Owner,
        dtype: Option<DType>,
        attributes: &[(String, Attribute)],
    ) -> Result<()> {
        for (name, value) in attributes {
            match value {
                Attribute::Text(value) => {
                    let attribute = self.attribute(owner, name, &[], &self.text_type()?)?;
                    let value = text(&self.path, value)?;
                    // SAFETY: the handle is held; the text is terminated.
                    let ok = unsafe {
                        gdal_sys::GDALAttributeWriteString(attribute.pointer.cast(), value.as_ptr())
                    };
                    self.check(ok)?;
                }
                Attribute::Number(value) => {
                    let attribute = self.attribute(owner, name, &[], &self.number_type(Gdt::GDT_Float64)?)?;
                    self.raw(&attribute, &value.to_ne_bytes())?;
                }
                Attribute::Integer(value) => {
                    let attribute = self.attribute(owner, name, &[], &self.number_type(Gdt::GDT_Int64)?)?;
                    self.raw(&attribute, &value.to_ne_bytes())?;
                }
                Attribute::Flags(values) => {
                    let (gdal, bytes) = flags(dtype, values);
                    let attribute =
                        self.attribute(owner, name, &[values.len() as u64], &self.number_type(gdal)?)?;
                    self.raw(&attribute, &bytes)?;
                }
            }
        }
        Ok(())
    }

    fn attribute(&self, owner: &Owner, name: &str, shape: &[u64], dtype: &Handle) -> Result<Handle> {
        let name = text(&self.path, name)?;
        let (n, shape) = (shape.len(), shape.as_ptr());
        let dtype = dtype.pointer.cast();
        // SAFETY: the owner's and the type's handles are held; the shape has `n` numbers; options may be null.
        let made = unsafe {
            match owner {
                Owner::Group(group) => {
                    gdal_sys::GDALGroupCreateAttribute(*group, name.as_ptr(), n, shape, dtype, null_mut())
                }
                Owner::Array(array) => {
                    gdal_sys::GDALMDArrayCreateAttribute(*array, name.as_ptr(), n, shape, dtype, null_mut())
                }
            }
        };
        self.held(made.cast(), release_attribute)
    }

    fn raw(&self, attribute: &Handle, bytes: &[u8]) -> Result<()> {
        // SAFETY: the bytes are the elements of the attribute, in its type and number.
        let ok = unsafe {
            gdal_sys::GDALAttributeWriteRaw(attribute.pointer.cast(), bytes.as_ptr().cast(), bytes.len())
        };
        self.check(ok)
    }

    fn check(&self, ok: i32) -> Result<()> {
        if ok == 0 { Err(self.failed()) } else { Ok(()) }
    }

    fn array(
        &self,
        name: &str,
        dimensions: &[&Handle],
        dtype: &Handle,
        options: &[String],
    ) -> Result<Handle> {
        let name = text(&self.path, name)?;
        let options: Vec<CString> = options
            .iter()
            .map(|o| text(&self.path, o))
            .collect::<Result<_>>()?;
        let mut list: Vec<_> = options.iter().map(|o| o.as_ptr().cast_mut()).collect();
        list.push(null_mut());
        let mut handles: Vec<gdal_sys::GDALDimensionH> =
            dimensions.iter().map(|d| d.pointer.cast()).collect();
        reset_message();
        // SAFETY: all handles are held; the lists end as they must and outlive the call.
        let made = unsafe {
            gdal_sys::GDALGroupCreateMDArray(
                self.root,
                name.as_ptr(),
                handles.len(),
                handles.as_mut_ptr(),
                dtype.pointer.cast(),
                list.as_mut_ptr(),
            )
        };
        self.held(made.cast(), release_array)
    }

    /// A text variable that only carries attributes.
    pub(super) fn record(&self, name: &str, attributes: &[(String, Attribute)]) -> Result<()> {
        let array = self.array(name, &[], &self.text_type()?, &[])?;
        self.attributes(&Owner::Array(array.pointer.cast()), None, attributes)?;
        let empty = text(&self.path, "")?;
        let value: [*const std::ffi::c_char; 1] = [empty.as_ptr()];
        let dtype = self.text_type()?;
        // SAFETY: an array without dimensions takes one element, a pointer to terminated text.
        let ok = unsafe {
            gdal_sys::GDALMDArrayWrite(
                array.pointer.cast(),
                std::ptr::null(),
                std::ptr::null(),
                std::ptr::null(),
                std::ptr::null(),
                dtype.pointer.cast(),
                value.as_ptr().cast(),
                value.as_ptr().cast(),
                size_of_val(&value),
            )
        };
        self.check(ok)
    }

    /// The dimensions y and x, with the coordinates of pixel centres.
    pub(super) fn coordinates(&self, grid: &Grid) -> Result<[Handle; 2]> {
        let geographic = grid.crs.as_ref().is_some_and(Crs::is_geographic);
        let one = |name: &str, n: usize, at: &dyn Fn(usize) -> f64| -> Result<Handle> {
            let (cname, none) = (text(&self.path, name)?, text(&self.path, "")?);
            reset_message();
            // SAFETY: the group is open; names are terminated.
            let made = unsafe {
                gdal_sys::GDALGroupCreateDimension(
                    self.root,
                    cname.as_ptr(),
                    none.as_ptr(),
                    none.as_ptr(),
                    n as u64,
                    null_mut(),
                )
            };
            let dimension = self.held(made.cast(), release_dimension)?;
            let dtype = self.number_type(Gdt::GDT_Float64)?;
            let array = self.array(name, &[&dimension], &dtype, &[])?;
            let (standard, unit) = match (geographic, name) {
                (true, "x") => ("longitude", "degrees_east"),
                (true, _) => ("latitude", "degrees_north"),
                (false, "x") => ("projection_x_coordinate", "m"),
                (false, _) => ("projection_y_coordinate", "m"),
            };
            let described = format!("{name} coordinate of projection");
            let list = [
                ("standard_name", standard),
                ("description", described.as_str()),
                ("units", unit),
            ];
            let list = list.map(|(k, v)| (k.to_string(), Attribute::Text(v.to_string())));
            self.attributes(&Owner::Array(array.pointer.cast()), None, &list)?;
            let values: Vec<f64> = (0..n).map(at).collect();
            self.put(&array, &dtype, &[0], &[n], &values)?;
            Ok(dimension)
        };
        let y = one("y", grid.rows, &|r| grid.pixel_centre(r as isize, 0).1)?;
        let x = one("x", grid.cols, &|c| grid.pixel_centre(0, c as isize).0)?;
        Ok([y, x])
    }

    /// Writes a part of an array, given row by row.
    fn put<T>(
        &self,
        array: &Handle,
        dtype: &Handle,
        start: &[u64],
        count: &[usize],
        values: &[T],
    ) -> Result<()> {
        assert_eq!(count.iter().product::<usize>(), values.len());
        reset_message();
        // SAFETY: the values are as many as counted and of the type given; null steps and strides are 1 and contiguous.
        let ok = unsafe {
            gdal_sys::GDALMDArrayWrite(
                array.pointer.cast(),
                start.as_ptr(),
                count.as_ptr(),
                std::ptr::null(),
                std::ptr::null(),
                dtype.pointer.cast(),
                values.as_ptr().cast(),
                values.as_ptr().cast(),
                size_of_val(values),
            )
        };
        self.check(ok)
    }

    pub(super) fn image(
        &self,
        variable: &Variable,
        dimensions: &[Handle; 2],
        contents: &NetCdf,
    ) -> Result<()> {
        let grid: &Arc<Grid> = &variable.image.grid;
        let gdal = gdal_type(variable.dtype);
        // Before GDAL 3.7: what it takes for an unsigned byte is stored as a signed one.
        let as_bytes = variable.dtype == DType::I8 && !has_signed_bytes();
        let nc_type = if as_bytes { "NC_BYTE" } else { "AUTO" };
        let options = [
            format!("NC_TYPE={nc_type}"),
            format!(
                "BLOCKSIZE={},{}",
                contents.chunk_rows.clamp(1, grid.rows),
                grid.cols
            ),
            "COMPRESS=DEFLATE".to_string(),
            format!("ZLEVEL={}", contents.level),
        ];
        let [y, x] = dimensions;
        let array = self.array(&variable.name, &[y, x], &self.number_type(gdal)?, &options)?;
        let fill = encoded(variable.dtype, variable.fill);
        // SAFETY: the bytes are one element of the array's type.
        let ok =
            unsafe { gdal_sys::GDALMDArraySetRawNoDataValue(array.pointer.cast(), fill.as_ptr().cast()) };
        self.check(ok)?;
        let owner = Owner::Array(array.pointer.cast());
        self.attributes(&owner, Some(variable.dtype), &variable.attributes)?;
        if grid.crs.is_some() && !variable.attributes.iter().any(|(name, _)| name == "grid_mapping") {
            let mapping = (
                "grid_mapping".to_string(),
                Attribute::Text(contents.mapping.clone()),
            );
            self.attributes(&owner, None, &[mapping])?;
        }
        let run = Run::new(grid, &variable.image.ports(), grid.window())?;
        let lock = Mutex::new(());
        let shared = Shared {
            file: self,
            array: &array,
            dtype: self.number_type(Gdt::GDT_Float64)?,
        };
        let range = variable.dtype.integer_range();
        run.for_each(&format!("writing {}", variable.name), &|_, window, mut pixels| {
            let stored = |v: f64| if as_bytes { f64::from(v as i8 as u8) } else { v };
            let values: Vec<f64> = pixels
                .swap_remove(0)
                .into_f64()
                .iter()
                .map(|&v| match range {
                    _ if v.is_nan() => variable.fill,
                    Some((low, high)) => v.round_ties_even().clamp(low, high),
                    None => v,
                })
                .map(stored)
                .collect();
            let _one_at_a_time = lock.lock().unwrap_or_else(|e| e.into_inner());
            shared.put(
                &[window.row as u64, window.col as u64],
                &[window.rows, window.cols],
                &values,
            )
        })
    }
}

/// An array that the tiles of an image are written to, one at a time.
struct Shared<'a> {
    file: &'a File,
    array: &'a Handle,
    dtype: Handle,
}

// SAFETY: `put` is called under a lock only, so that GDAL sees one thread at a time.
unsafe impl Sync for Shared<'_> {}

impl Shared<'_> {
    fn put(&self, start: &[u64], count: &[usize], values: &[f64]) -> Result<()> {
        self.file.put(self.array, &self.dtype, start, count, values)
    }
}

fn text(path: &Path, value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| Error::file(path, "cannot be written: a text in it holds a zero byte"))
}

/// One element of a type, as bytes. (A type that GDAL cannot write does not come here.)
fn encoded(dtype: DType, v: f64) -> Vec<u8> {
    match dtype {
        DType::U8 => (v as u8).to_ne_bytes().to_vec(),
        DType::I8 => (v as i8).to_ne_bytes().to_vec(),
        DType::U16 => (v as u16).to_ne_bytes().to_vec(),
        DType::I16 => (v as i16).to_ne_bytes().to_vec(),
        DType::U32 => (v as u32).to_ne_bytes().to_vec(),
        DType::I32 => (v as i32).to_ne_bytes().to_vec(),
        DType::U64 => (v as u64).to_ne_bytes().to_vec(),
        DType::I64 => (v as i64).to_ne_bytes().to_vec(),
        DType::F32 => (v as f32).to_ne_bytes().to_vec(),
        DType::F64 | DType::C32 | DType::C64 => v.to_ne_bytes().to_vec(),
    }
}

fn flags(dtype: Option<DType>, values: &[i64]) -> (Gdt::Type, Vec<u8>) {
    let dtype = dtype
        .filter(|d| d.integer_range().is_some())
        .unwrap_or(DType::I64);
    // Attributes of signed bytes have no type of their own before GDAL 3.7.
    let dtype = match dtype {
        DType::I8 if !has_signed_bytes() => DType::I64,
        dtype => dtype,
    };
    (
        gdal_type(dtype),
        values.iter().flat_map(|&v| encoded(dtype, v as f64)).collect(),
    )
}
