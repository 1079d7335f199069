//! The functions that GDAL calls in place of its own file systems: `local` for this machine, `remote` for servers.

mod local;
mod remote;

use std::ffi::{CStr, OsStr, c_char, c_int, c_void};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::Once;

pub use remote::{address, beginning, reach, served};

/// Replaces GDAL's file systems, once for the process and before the first file is opened.
pub fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        local::install();
        remote::install();
    });
}

/// Puts a file system in which there is no file in the place of GDAL's of these prefixes.
pub fn close(prefixes: &[&CStr]) {
    unsafe extern "C" fn nothing(_: *mut c_void, _: *const c_char, _: *const c_char) -> *mut c_void {
        std::ptr::null_mut()
    }
    for prefix in prefixes {
        // SAFETY: GDAL copies the structure, which it allocated itself with no call-backs, and the prefix; one without a call-back
        // but `open` fails in every other call.
        unsafe {
            let calls = gdal_sys::VSIAllocFilesystemPluginCallbacksStruct();
            (*calls).open = Some(nothing);
            gdal_sys::VSIInstallPluginHandler(prefix.as_ptr(), calls);
            gdal_sys::VSIFreeFilesystemPluginCallbacksStruct(calls);
        }
    }
}

/// # Safety
/// `name` is a string that ends with a zero byte and outlives the answer.
unsafe fn path<'a>(name: *const c_char) -> &'a Path {
    // SAFETY: as the caller promises.
    Path::new(OsStr::from_bytes(unsafe { CStr::from_ptr(name) }.to_bytes()))
}

/// What C functions answer: 0, or -1 with the reason in `errno`.
fn answer(result: io::Result<()>) -> c_int {
    match result {
        Ok(()) => 0,
        Err(error) => {
            set_errno(&error);
            -1
        }
    }
}

fn set_errno(error: &io::Error) {
    // SAFETY: the address is of this thread's own errno.
    unsafe { *libc::__errno_location() = error.raw_os_error().unwrap_or(libc::EIO) }
}
