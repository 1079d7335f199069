//! The C library of netCDF itself, for what GDAL does not pass on.

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

type InqPath = unsafe extern "C" fn(c_int, *mut usize, *mut c_char) -> c_int;
type Sync = unsafe extern "C" fn(c_int) -> c_int;
type StrError = unsafe extern "C" fn(c_int) -> *const c_char;

/// One of the libraries that GDAL brought along has it, or this GDAL has no netCDF.
fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is terminated.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

/// Writes all that the library holds of the file, which GDAL has open for writing.
///
/// # Errors
/// What the library says, which is little.
pub fn sync(file: &Path) -> io::Result<()> {
    let symbols = (symbol(c"nc_inq_path"), symbol(c"nc_sync"), symbol(c"nc_strerror"));
    let (Some(inq_path), Some(sync), Some(strerror)) = symbols else {
        return Err(io::Error::other("the netCDF library is not there"));
    };
    // SAFETY: the functions are called as netCDF declares them. The thread that writes a file syncs it, when no tile of any image
    // is computed: no other is in the library.
    unsafe {
        let inq_path: InqPath = std::mem::transmute(inq_path);
        let sync: Sync = std::mem::transmute(sync);
        let strerror: StrError = std::mem::transmute(strerror);
        let Some(id) = (1..=0xffff).map(|n| n << 16).find(|id| is(inq_path, *id, file)) else {
            return Err(io::Error::other("the netCDF library does not know the file"));
        };
        match sync(id) {
            0 => Ok(()),
            status => Err(io::Error::other(
                CStr::from_ptr(strerror(status)).to_string_lossy().into_owned(),
            )),
        }
    }
}

/// Whether the library has `file` open under this number.
///
/// # Safety
/// `inq_path` is netCDF's function of that name.
unsafe fn is(inq_path: InqPath, id: c_int, file: &Path) -> bool {
    let mut length = 0;
    // SAFETY: an unknown number is an error; the buffer takes the path and the zero behind it.
    unsafe {
        if inq_path(id, &mut length, std::ptr::null_mut()) != 0 {
            return false;
        }
        let mut name = vec![0u8; length + 1];
        inq_path(id, &mut length, name.as_mut_ptr().cast()) == 0
            && OsStr::from_bytes(&name[..length]) == file.as_os_str()
    }
}
