//! Files of this machine.

use std::ffi::{CStr, c_char, c_int, c_long, c_void};
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use gdal_sys::{VSIStatBufL, vsi_l_offset};

use super::{answer, path, set_errno};
use crate::bytes::buffered::Buffered;
use crate::bytes::listing;
use crate::bytes::refused::refuse;
use crate::bytes::{is_sound, may_read, may_write};
use crate::error::{Error, Result};
use crate::files::failed;
use crate::gate;

/// Takes the place of GDAL's default file system.
pub fn install() {
    // SAFETY: GDAL allocates the structure with no call-backs and copies it. The empty prefix is the name of its default file
    // system. The call-backs live as long as the process.
    unsafe {
        let calls = gdal_sys::VSIAllocFilesystemPluginCallbacksStruct();
        (*calls).stat = Some(stat);
        (*calls).unlink = Some(unlink);
        (*calls).rename = Some(rename);
        (*calls).mkdir = Some(mkdir);
        (*calls).rmdir = Some(rmdir);
        (*calls).read_dir = Some(read_dir);
        (*calls).open = Some(open);
        (*calls).tell = Some(tell);
        (*calls).seek = Some(seek);
        (*calls).read = Some(read);
        (*calls).eof = Some(eof);
        (*calls).write = Some(write);
        (*calls).flush = Some(flush);
        (*calls).truncate = Some(truncate);
        (*calls).close = Some(close);
        gdal_sys::VSIInstallPluginHandler(c"".as_ptr(), calls);
        gdal_sys::VSIFreeFilesystemPluginCallbacksStruct(calls);
    }
}

/// # Safety
/// `file` is what `open` gave and `close` has not got yet, and no other call on it runs: GDAL's files belong to one thread at a time.
unsafe fn file<'a>(file: *mut c_void) -> &'a mut Buffered {
    // SAFETY: as the caller promises.
    unsafe { &mut *file.cast::<Buffered>() }
}

/// The policy's answer in the words of the system; its own are kept.
fn allowed<T>(answer: Result<T>) -> io::Result<T> {
    answer.map_err(|error| {
        refuse(error);
        io::Error::from_raw_os_error(libc::EACCES)
    })
}

/// A failure to make something is one of its draft: of a file beside the main one GDAL may say nothing.
fn kept<T>(name: &Path, made: io::Result<T>) -> io::Result<T> {
    if let Err(error) = &made
        && error.kind() != io::ErrorKind::AlreadyExists
    {
        failed::remember(name, error);
    }
    made
}

unsafe extern "C" fn stat(_: *mut c_void, name: *const c_char, out: *mut VSIStatBufL, _: c_int) -> c_int {
    // SAFETY: GDAL passes a string.
    if !gate::may_see(unsafe { path(name) }) {
        return answer(Err(io::Error::from_raw_os_error(libc::ENOENT)));
    }
    // SAFETY: GDAL passes a string and a buffer of the system's own `stat64`, which VSIStatBufL is.
    unsafe { libc::stat64(name, out.cast()) }
}

unsafe extern "C" fn unlink(_: *mut c_void, name: *const c_char) -> c_int {
    // SAFETY: GDAL passes a string.
    let name = unsafe { path(name) };
    answer(allowed(may_write(name)).and_then(|()| fs::remove_file(name)))
}

unsafe extern "C" fn rename(_: *mut c_void, from: *const c_char, to: *const c_char) -> c_int {
    // SAFETY: GDAL passes strings.
    let (from, to) = unsafe { (path(from), path(to)) };
    answer(
        allowed(may_write(from).and_then(|()| may_write(to))).and_then(|()| kept(to, fs::rename(from, to))),
    )
}

unsafe extern "C" fn mkdir(_: *mut c_void, name: *const c_char, _: c_long) -> c_int {
    // SAFETY: GDAL passes a string.
    let name = unsafe { path(name) };
    answer(allowed(may_write(name)).and_then(|()| kept(name, fs::create_dir(name))))
}

unsafe extern "C" fn rmdir(_: *mut c_void, name: *const c_char) -> c_int {
    // SAFETY: GDAL passes a string.
    let name = unsafe { path(name) };
    answer(allowed(may_write(name)).and_then(|()| fs::remove_dir(name)))
}

unsafe extern "C" fn read_dir(_: *mut c_void, name: *const c_char, most: c_int) -> *mut *mut c_char {
    // SAFETY: GDAL passes a string.
    let folder = unsafe { path(name) };
    let Some(names) = gate::may_see(folder)
        .then(|| listing::names_in(folder).ok())
        .flatten()
    else {
        return std::ptr::null_mut();
    };
    // 0 is no limit; beyond one GDAL wants to see that there are more.
    let most = if most > 0 { most as usize + 1 } else { usize::MAX };
    let names = &names[..names.len().min(most)];
    if names.is_empty() {
        return std::ptr::null_mut();
    }
    // SAFETY: GDAL frees the list and its strings, which its own functions have allocated; it ends with the null that VSICalloc makes.
    unsafe {
        let list = gdal_sys::VSICalloc(names.len() + 1, size_of::<*mut c_char>()).cast::<*mut c_char>();
        if !list.is_null() {
            for (i, name) in names.iter().enumerate() {
                *list.add(i) = gdal_sys::CPLStrdup(name.as_ptr());
            }
        }
        list
    }
}

unsafe extern "C" fn open(_: *mut c_void, name: *const c_char, access: *const c_char) -> *mut c_void {
    // SAFETY: GDAL passes strings.
    let (name, access) = unsafe { (path(name), CStr::from_ptr(access).to_bytes()) };
    match opened(name, access) {
        Ok(file) => Box::into_raw(Box::new(file)).cast(),
        Err(error) => {
            set_errno(&error);
            std::ptr::null_mut()
        }
    }
}

/// `access` is C's: `r`, `w` or `a`, with `+` for both ways; `b` and `t` say nothing here.
fn opened(name: &Path, access: &[u8]) -> io::Result<Buffered> {
    let (first, both) = (access.first().copied().unwrap_or(b'r'), access.contains(&b'+'));
    let writes = both || first != b'r';
    if writes {
        allowed(may_write(name))?;
    }
    let mut file = match writes {
        false => gate::find(name)?,
        true => {
            let file = File::options()
                .read(both)
                .write(true)
                .create(first != b'r')
                .truncate(first == b'w')
                // A pipe would be waited for.
                .custom_flags(libc::O_NONBLOCK)
                .open(name);
            match file {
                // What cannot be made is lost from its first byte on: of a file beside the main one GDAL may not expect that.
                Err(error) if first != b'r' => {
                    failed::remember(name, &error);
                    return Ok(Buffered::lost(name.to_path_buf(), File::open("/dev/null")?));
                }
                file => file?,
            }
        }
    };
    let kind = file.metadata()?.file_type();
    if kind.is_dir() {
        return Err(io::Error::from_raw_os_error(libc::EISDIR));
    }
    if !kind.is_file() {
        allowed(Err(Error::file(
            name,
            "is a device or a pipe, not a file that can be read in parts",
        )))?;
    }
    allowed(may_read(&file, name))?;
    if !writes {
        file = allowed(gate::reopen(&file).map_err(|error| Error::io(name, error)))?;
        allowed(is_sound(&file, name))?;
    }
    Ok(Buffered::new(name.to_path_buf(), file, first == b'a'))
}

unsafe extern "C" fn tell(handle: *mut c_void) -> vsi_l_offset {
    // SAFETY: GDAL passes what `open` gave.
    unsafe { file(handle) }.position()
}

unsafe extern "C" fn seek(handle: *mut c_void, offset: vsi_l_offset, whence: c_int) -> c_int {
    // SAFETY: as above.
    let file = unsafe { file(handle) };
    let from = match whence {
        libc::SEEK_CUR => Ok(file.position()),
        libc::SEEK_END => file.length(),
        _ => Ok(0),
    };
    // Steps back come as the large numbers that they are without a sign.
    answer(from.map(|from| file.set_position(from.wrapping_add(offset))))
}

unsafe extern "C" fn read(handle: *mut c_void, out: *mut c_void, size: usize, count: usize) -> usize {
    // SAFETY: as above.
    let file = unsafe { file(handle) };
    let Some(bytes) = size.checked_mul(count).filter(|bytes| *bytes > 0) else {
        return 0;
    };
    // SAFETY: GDAL's buffer holds `count` pieces of `size` bytes.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), bytes) };
    match file.read(out) {
        Ok(done) => done / size,
        Err(error) => {
            set_errno(&error);
            0
        }
    }
}

unsafe extern "C" fn eof(handle: *mut c_void) -> c_int {
    // SAFETY: as above.
    c_int::from(unsafe { file(handle) }.ended)
}

unsafe extern "C" fn write(handle: *mut c_void, bytes: *const c_void, size: usize, count: usize) -> usize {
    // SAFETY: as above.
    let file = unsafe { file(handle) };
    let Some(length) = size.checked_mul(count).filter(|bytes| *bytes > 0) else {
        return 0;
    };
    // SAFETY: GDAL's buffer holds `count` pieces of `size` bytes.
    let bytes = unsafe { std::slice::from_raw_parts(bytes.cast::<u8>(), length) };
    match file.write(bytes) {
        Ok(()) => count,
        Err(error) => {
            set_errno(&error);
            0
        }
    }
}

unsafe extern "C" fn flush(handle: *mut c_void) -> c_int {
    // SAFETY: as above.
    unsafe { file(handle) }.flush();
    0
}

unsafe extern "C" fn truncate(handle: *mut c_void, length: vsi_l_offset) -> c_int {
    // SAFETY: as above.
    unsafe { file(handle) }.truncate(length);
    0
}

unsafe extern "C" fn close(handle: *mut c_void) -> c_int {
    // SAFETY: GDAL passes what `open` gave, for the last time.
    unsafe { Box::from_raw(handle.cast::<Buffered>()) }.close();
    0
}
