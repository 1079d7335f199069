//! The C library of netCDF itself, for what GDAL does not pass on.

use std::ffi::{CStr, CString, OsStr, c_char, c_int, c_void};
use std::fs;
use std::io;
use std::os::fd::{AsRawFd, BorrowedFd, RawFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::Path;

use rustix::fs::{MemfdFlags, memfd_create};

/// Bytes of the oldest kind with its driver information, by the specification of the file format.
const LONGEST_SUPERBLOCK: usize = 1024;

type InqPath = unsafe extern "C" fn(c_int, *mut usize, *mut c_char) -> c_int;
type Sync = unsafe extern "C" fn(c_int) -> c_int;
type StrError = unsafe extern "C" fn(c_int) -> *const c_char;

/// One of the libraries that GDAL brought along has it, or this GDAL has no netCDF.
pub(super) fn symbol(name: &CStr) -> Option<*mut c_void> {
    // SAFETY: the name is terminated.
    let found = unsafe { libc::dlsym(libc::RTLD_DEFAULT, name.as_ptr()) };
    (!found.is_null()).then_some(found)
}

type InqVarId = unsafe extern "C" fn(c_int, *const c_char, *mut c_int) -> c_int;
type SetCache = unsafe extern "C" fn(c_int, c_int, usize, usize, f32) -> c_int;

/// The number under which the library has a file open that GDAL made.
///
/// # Errors
/// When it is not open.
fn number_of(file: &Path) -> io::Result<c_int> {
    let inq_path = symbol(c"nc_inq_path").ok_or_else(missing)?;
    // SAFETY: the function is called as netCDF declares it. The thread that writes a file calls this when no tile of any image is
    // computed: no other is in the library.
    let found = unsafe {
        let inq_path: InqPath = std::mem::transmute(inq_path);
        (1..=0xffff).map(|n| n << 16).find(|id| is(inq_path, *id, file))
    };
    found.ok_or_else(|| io::Error::other("the netCDF library does not know the file"))
}

fn missing() -> io::Error {
    io::Error::other("the netCDF library is not there")
}

/// What the library says of a status.
fn checked(status: c_int) -> io::Result<()> {
    if status == 0 {
        return Ok(());
    }
    let strerror = symbol(c"nc_strerror").ok_or_else(missing)?;
    // SAFETY: called as netCDF declares it; the text is the library's own and terminated.
    let text = unsafe {
        let strerror: StrError = std::mem::transmute(strerror);
        CStr::from_ptr(strerror(status)).to_string_lossy().into_owned()
    };
    Err(io::Error::other(text))
}

/// Writes all that the library holds of the file, which GDAL has open for writing.
///
/// # Errors
/// What the library says, which is little.
pub fn sync(file: &Path) -> io::Result<()> {
    let (id, sync) = (number_of(file)?, symbol(c"nc_sync").ok_or_else(missing)?);
    // SAFETY: as in `number_of`.
    checked(unsafe {
        let sync: Sync = std::mem::transmute(sync);
        sync(id)
    })
}

/// Has the library keep no chunk of a variable of the file, which GDAL has open for writing: it would keep 16 MiB of each.
///
/// # Errors
/// What the library says, which is little.
pub fn without_cache(file: &Path, variable: &str) -> io::Result<()> {
    let id = number_of(file)?;
    let name = CString::new(variable)?;
    let (inq_varid, set_cache) = (symbol(c"nc_inq_varid"), symbol(c"nc_set_var_chunk_cache"));
    let (inq_varid, set_cache) = (inq_varid.ok_or_else(missing)?, set_cache.ok_or_else(missing)?);
    // SAFETY: as in `number_of`; the name is terminated, and the number is written during the call.
    unsafe {
        let inq_varid: InqVarId = std::mem::transmute(inq_varid);
        let set_cache: SetCache = std::mem::transmute(set_cache);
        let mut found = 0;
        checked(inq_varid(id, name.as_ptr(), &mut found))?;
        // Of no bytes at all it makes its usual cache; no chunk is as small as one.
        checked(set_cache(id, found, 1, 1, 0.75))
    }
}

/// What the library writes while it closes a file. It crashes when such a write fails, so they go into memory first.
pub struct Closing {
    memory: fs::File,
}

impl Closing {
    /// Has every descriptor that this process has of `file`, which has just been synced, lead into memory.
    ///
    /// # Errors
    /// When the system has no more descriptors, or does not say which there are.
    pub fn of(file: &Path) -> io::Result<Closing> {
        let wanted = fs::metadata(file)?;
        let memory = fs::File::from(memfd_create("closing", MemfdFlags::CLOEXEC)?);
        for descriptor in 0..descriptors()? {
            // SAFETY: borrowed for the one call, which fails on a number that is no descriptor.
            let found = rustix::fs::fstat(unsafe { BorrowedFd::borrow_raw(descriptor) });
            let is_it = found.is_ok_and(|found| (found.st_dev, found.st_ino) == (wanted.dev(), wanted.ino()));
            // SAFETY: the descriptor is the library's, which goes on using it as one of a file that can be read and written. No
            // other thread knows of the draft.
            if is_it && unsafe { libc::dup3(memory.as_raw_fd(), descriptor, libc::O_CLOEXEC) } < 0 {
                return Err(io::Error::last_os_error());
            }
        }
        Ok(Closing { memory })
    }

    /// Writes to the file what the library has written into memory: the superblock, which says that nobody is writing the file.
    ///
    /// # Errors
    /// When that is not all, and what the disk says.
    pub fn write(self, file: &Path) -> io::Result<()> {
        let mut superblock = [0; LONGEST_SUPERBLOCK];
        let length = self.memory.metadata()?.len();
        let filled = self.memory.read_at(&mut superblock, 0)?;
        if length == 0 {
            return Ok(());
        }
        if filled as u64 != length || !superblock.starts_with(b"\x89HDF\r\n\x1a\n") {
            return Err(io::Error::other(
                "the HDF5 library has kept part of the file to its closing",
            ));
        }
        let file = fs::File::options().write(true).open(file)?;
        file.write_all_at(&superblock[..filled], 0)?;
        file.sync_all()
    }
}

/// No descriptor has this number or a higher one.
fn descriptors() -> io::Result<RawFd> {
    // /proc/self/fd, which lists them, is out of reach.
    let status = fs::read_to_string("/proc/self/status")?;
    let slots = status.lines().find_map(|line| line.strip_prefix("FDSize:"));
    slots
        .and_then(|slots| slots.trim().parse().ok())
        .ok_or_else(|| io::Error::other("/proc/self/status does not say FDSize"))
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
