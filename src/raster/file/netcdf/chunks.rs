//! Chunks of variables, compressed elsewhere, put into a file that netCDF's library has open: by HDF5's, which it stands on.
//!
//! # Source
//! HDF5 reference manual, `H5Dwrite_chunk`, <https://support.hdfgroup.org/documentation/hdf5/latest/group___h5_d.html>

use std::ffi::{CString, OsStr, c_char, c_int, c_uint, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::ptr::null_mut;

use super::file::File;
use super::library::symbol;
use crate::error::Result;
use crate::interrupt;
use crate::raster::file::blocks::{Codec, Packed, Place, Predictor};

type Id = i64;

/// Anything open, in place of a file's number.
const ALL: Id = 0x1f;
const FILES: c_uint = 1;
const DEFAULT: Id = 0;

const DEFLATE: c_int = 1;
const SHUFFLE: c_int = 2;

macro_rules! library {
    ($($name:ident: $symbol:literal fn($($kind:ty),*) -> $answer:ty;)*) => {
        /// Functions of the library.
        #[derive(Clone, Copy)]
        struct Hdf5 {
            $($name: unsafe extern "C" fn($($kind),*) -> $answer,)*
        }

        impl Hdf5 {
            fn get() -> io::Result<Hdf5> {
                Ok(Hdf5 {
                    $($name: {
                        let found = symbol($symbol).ok_or_else(|| io::Error::other("the HDF5 library under netCDF's is not there"))?;
                        // SAFETY: the function of this name is declared so since version 1.10.3 of the library.
                        unsafe { std::mem::transmute::<*mut c_void, unsafe extern "C" fn($($kind),*) -> $answer>(found) }
                    },)*
                })
            }
        }
    };
}

library! {
    open_ids: c"H5Fget_obj_ids" fn(Id, c_uint, usize, *mut Id) -> isize;
    file_name: c"H5Fget_name" fn(Id, *mut c_char, usize) -> isize;
    open: c"H5Dopen2" fn(Id, *const c_char, Id) -> Id;
    close: c"H5Dclose" fn(Id) -> c_int;
    write_chunk: c"H5Dwrite_chunk" fn(Id, Id, u32, *const u64, usize, *const c_void) -> c_int;
    properties: c"H5Dget_create_plist" fn(Id) -> Id;
    close_properties: c"H5Pclose" fn(Id) -> c_int;
    filters: c"H5Pget_nfilters" fn(Id) -> c_int;
    filter: c"H5Pget_filter2" fn(Id, c_uint, *mut c_uint, *mut usize, *mut c_uint, usize, *mut c_char, *mut c_uint) -> c_int;
}

impl File {
    /// How pixels of a variable become its chunks, where they are deflated at this level.
    ///
    /// # Errors
    /// When the libraries do not know the variable, or do more than is known here.
    pub(super) fn encoding(&self, variable: &str, level: u32) -> io::Result<(Codec, Predictor)> {
        let deflate = Codec::Deflate(level as i32);
        self.synchronise()?;
        let filters = Chunks::open(&self.draft, variable)?.filters()?;
        match filters[..] {
            [] => Ok((Codec::None, Predictor::None)),
            [DEFLATE] => Ok((deflate, Predictor::None)),
            [SHUFFLE, DEFLATE] => Ok((deflate, Predictor::Shuffled)),
            _ => Err(io::Error::other(format!(
                "filters of HDF5 that are not known here: {filters:?}"
            ))),
        }
    }

    /// Puts whole chunks of a variable into the file, one behind the other: where each begins, by time, row and column, and where it waits.
    ///
    /// # Errors
    /// What the libraries say, which is little; `Interrupted`.
    pub(super) fn put_chunks(
        &self,
        variable: &str,
        has_time: bool,
        packed: &Packed,
        chunks: impl Iterator<Item = ([usize; 3], Place)>,
    ) -> Result<()> {
        let failed = |e| self.gave_up(&e);
        self.synchronise().map_err(failed)?;
        let target = Chunks::open(&self.draft, variable).map_err(failed)?;
        let mut bytes = Vec::new();
        for (start, place) in chunks {
            interrupt::check()?;
            packed.read(place, &mut bytes).map_err(failed)?;
            let start = start.map(|n| n as u64);
            let start = if has_time { &start[..] } else { &start[1..] };
            target.write(start, &bytes).map_err(failed)?;
        }
        Ok(())
    }
}

/// A variable of a file that is being written. While there is one, nothing else may be in the library.
struct Chunks {
    hdf5: Hdf5,
    array: Id,
}

impl Drop for Chunks {
    fn drop(&mut self) {
        // SAFETY: made by `open`, and closed this once.
        unsafe { (self.hdf5.close)(self.array) };
    }
}

impl Chunks {
    /// The variable of a file that netCDF's library has open for writing, and has synchronised since the variable was defined.
    ///
    /// # Errors
    /// When the library is not there, and does not know the file or the variable.
    fn open(file: &Path, variable: &str) -> io::Result<Chunks> {
        let hdf5 = Hdf5::get()?;
        let name = CString::new(variable)?;
        let id = file_of(&hdf5, file)?;
        // SAFETY: the file is open; the name is terminated.
        let array = unsafe { (hdf5.open)(id, name.as_ptr(), DEFAULT) };
        match array < 0 {
            true => Err(io::Error::other(format!(
                "the HDF5 library does not find `{variable}`"
            ))),
            false => Ok(Chunks { hdf5, array }),
        }
    }

    /// The numbers of what is done to pixels before they are a chunk, in its order.
    ///
    /// # Errors
    /// What the library says, which is little.
    fn filters(&self) -> io::Result<Vec<c_int>> {
        // SAFETY: the variable is open; the list is closed below.
        let list = unsafe { (self.hdf5.properties)(self.array) };
        if list < 0 {
            return Err(refused());
        }
        // SAFETY: the list is open.
        let count = unsafe { (self.hdf5.filters)(list) };
        let filter = |i: c_int| {
            let (mut flags, mut values, mut about) = (0, 0, 0);
            // SAFETY: the list is open; no values and no letters are asked for, so that none are written.
            unsafe {
                (self.hdf5.filter)(
                    list,
                    i as c_uint,
                    &mut flags,
                    &mut values,
                    null_mut(),
                    0,
                    null_mut(),
                    &mut about,
                )
            }
        };
        let all = (0..count).map(filter).collect();
        // SAFETY: as above.
        unsafe { (self.hdf5.close_properties)(list) };
        if count < 0 { Err(refused()) } else { Ok(all) }
    }

    /// Writes a whole chunk, which begins at this place along each axis.
    ///
    /// # Errors
    /// What the library says, which is little.
    fn write(&self, start: &[u64], bytes: &[u8]) -> io::Result<()> {
        // SAFETY: the variable is open, and has as many axes as `start`; the bytes are as many as is said.
        let status = unsafe {
            (self.hdf5.write_chunk)(
                self.array,
                DEFAULT,
                0,
                start.as_ptr(),
                bytes.len(),
                bytes.as_ptr().cast(),
            )
        };
        if status < 0 { Err(refused()) } else { Ok(()) }
    }
}

fn refused() -> io::Error {
    io::Error::other("the HDF5 library refuses it, as it does where no space is left")
}

/// The number under which the library has the file open.
fn file_of(hdf5: &Hdf5, file: &Path) -> io::Result<Id> {
    let unknown = || io::Error::other("the HDF5 library does not know the file");
    let mut ids = vec![0; 1 << 12];
    // SAFETY: the list takes as many numbers as is said.
    let count = unsafe { (hdf5.open_ids)(ALL, FILES, ids.len(), ids.as_mut_ptr()) };
    let ids = ids.get(..usize::try_from(count).map_err(|_| unknown())?);
    let wanted = file.as_os_str().as_bytes();
    let is_it = |id: &Id| {
        let mut name = vec![0u8; wanted.len() + 2];
        // SAFETY: the file is open; the buffer takes as many bytes as is said, the last of them a zero.
        let length = unsafe { (hdf5.file_name)(*id, name.as_mut_ptr().cast(), name.len()) };
        usize::try_from(length) == Ok(wanted.len())
            && OsStr::from_bytes(&name[..wanted.len()]) == file.as_os_str()
    };
    ids.unwrap_or_default()
        .iter()
        .copied()
        .find(is_it)
        .ok_or_else(unknown)
}
