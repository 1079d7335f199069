//! A netCDF file being written, through GDAL's multidimensional interface.

use std::ffi::{CString, c_void};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicBool, Ordering};

use gdal::DriverManager;
use gdal_sys::GDALDataType as Gdt;

use super::Attribute;
use super::library::{self, Closing};
use crate::error::{Error, Result};
use crate::raster::DType;
use crate::raster::file::blocks::unwritten;
use crate::raster::file::{gdal_type, has_signed_bytes, last_message, reset_message};

/// What carries attributes.
pub(super) enum Owner {
    Group(gdal_sys::GDALGroupH),
    Array(gdal_sys::GDALMDArrayH),
}

/// A file being written, and its root group. GDAL writes what is left when it is closed.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) draft: PathBuf,
    /// What is written has failed.
    lost: AtomicBool,
    dataset: gdal_sys::GDALDatasetH,
    pub(super) root: gdal_sys::GDALGroupH,
}

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

// SAFETY: GDAL's datasets and what belongs to them may go from thread to thread, as long as one at a time uses them: nothing here
// is `Sync`.
unsafe impl Send for File {}

/// A handle of GDAL and how it is let go.
pub(super) struct Handle {
    pub(super) pointer: *mut c_void,
    release: unsafe extern "C" fn(*mut c_void),
}

// SAFETY: as for `File`.
unsafe impl Send for Handle {}

impl Drop for Handle {
    fn drop(&mut self) {
        // SAFETY: the pointer is not null and was made for this function; it is released once.
        unsafe { (self.release)(self.pointer) }
    }
}

macro_rules! releases {
    ($($name:ident: $function:ident($handle:ident);)*) => {
        $(pub(super) unsafe extern "C" fn $name(pointer: *mut c_void) {
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

    /// Writes all that the libraries hold of the file, so that another can go on with it.
    ///
    /// # Errors
    /// What they say, which is little.
    pub(super) fn synchronise(&self) -> io::Result<()> {
        library::sync(&self.draft)
    }

    /// What is written has failed, and must not be closed.
    pub(super) fn gave_up(&self, e: &io::Error) -> Error {
        self.lost.store(true, Ordering::Relaxed);
        unwritten(&self.path, e)
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

    pub(super) fn held(
        &self,
        pointer: *mut c_void,
        release: unsafe extern "C" fn(*mut c_void),
    ) -> Result<Handle> {
        if pointer.is_null() {
            Err(self.failed())
        } else {
            Ok(Handle { pointer, release })
        }
    }

    pub(super) fn number_type(&self, gdal: Gdt::Type) -> Result<Handle> {
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
                Attribute::Numbers(values) => {
                    let shape = [values.len() as u64];
                    let attribute =
                        self.attribute(owner, name, &shape, &self.number_type(Gdt::GDT_Float64)?)?;
                    self.raw(&attribute, bytemuck::cast_slice(values))?;
                }
                Attribute::Integer(value) => {
                    let attribute = self.attribute(owner, name, &[], &self.number_type(Gdt::GDT_Int64)?)?;
                    self.raw(&attribute, &value.to_ne_bytes())?;
                }
                Attribute::Flags(values) => {
                    let (gdal, bytes) = own(dtype, values.iter().map(|&v| v as f64));
                    let attribute =
                        self.attribute(owner, name, &[values.len() as u64], &self.number_type(gdal)?)?;
                    self.raw(&attribute, &bytes)?;
                }
                Attribute::Own(value) => {
                    let (gdal, bytes) = own(dtype, std::iter::once(*value));
                    let attribute = self.attribute(owner, name, &[], &self.number_type(gdal)?)?;
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

    pub(super) fn check(&self, ok: i32) -> Result<()> {
        if ok == 0 { Err(self.failed()) } else { Ok(()) }
    }

    pub(super) fn array(
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

    /// Writes a part of an array, given row by row.
    pub(super) fn put<T>(
        &self,
        array: &Handle,
        dtype: &Handle,
        start: &[u64],
        count: &[usize],
        values: &[T],
    ) -> Result<()> {
        // SAFETY: the handle is held.
        let size = unsafe { gdal_sys::GDALExtendedDataTypeGetSize(dtype.pointer.cast()) };
        assert_eq!(count.iter().product::<usize>() * size, size_of_val(values));
        reset_message();
        // SAFETY: the bytes are as many elements as counted, of the type given; null steps and strides are 1 and contiguous.
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
}

pub(super) fn text(path: &Path, value: &str) -> Result<CString> {
    CString::new(value).map_err(|_| Error::file(path, "cannot be written: a text in it holds a zero byte"))
}

/// Numbers of a type, as bytes. (A type that GDAL cannot write does not come here.)
pub(in crate::raster::file) fn encoded(dtype: DType, values: impl Iterator<Item = f64>) -> Vec<u8> {
    macro_rules! of {
        ($number:ty) => {{
            let mut bytes = Vec::with_capacity(values.size_hint().0 * size_of::<$number>());
            for v in values {
                bytes.extend_from_slice(&(v as $number).to_ne_bytes());
            }
            bytes
        }};
    }
    match dtype {
        DType::U8 => of!(u8),
        DType::I8 => of!(i8),
        DType::U16 => of!(u16),
        DType::I16 => of!(i16),
        DType::U32 => of!(u32),
        DType::I32 => of!(i32),
        DType::U64 => of!(u64),
        DType::I64 => of!(i64),
        DType::F32 => of!(f32),
        DType::F64 | DType::C32 | DType::C64 => of!(f64),
    }
}

/// Numbers as attributes in the type of whole numbers of their variable.
fn own(dtype: Option<DType>, values: impl Iterator<Item = f64>) -> (Gdt::Type, Vec<u8>) {
    let dtype = dtype
        .filter(|d| d.integer_range().is_some())
        .unwrap_or(DType::I64);
    // Attributes of signed bytes have no type of their own before GDAL 3.7.
    let dtype = match dtype {
        DType::I8 if !has_signed_bytes() => DType::I64,
        dtype => dtype,
    };
    (gdal_type(dtype), encoded(dtype, values))
}
