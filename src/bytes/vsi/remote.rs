//! Files of servers: what GDAL calls `/vsicurl/https://…` and `/vsis3/bucket/key`, opened by the one client. GDAL's own client is told nothing and
//! asks nobody: it would tell every host what is meant for one, and follow redirects with it.

use std::ffi::{CStr, c_char, c_int, c_void};
use std::io;

use gdal_sys::{VSIStatBufL, vsi_l_offset};
use url::Url;

use super::{answer, path, set_errno};
use crate::bytes::ranged::{Found, Part, Reader, find, known};
use crate::bytes::refused::{break_off, miss, refuse};
use crate::error::{Error, Result};

/// GDAL's prefixes of what lies on servers, the name of each with a zero byte for GDAL.
const SERVED: &[&CStr] = &[c"/vsicurl/", c"/vsis3/", c"/vsigs/", c"/vsiaz/"];

/// Other ways by which GDAL would ask servers itself. `/vsicurl?` takes headers and files with headers in its name.
const CLOSED: &[&CStr] = &[
    c"/vsicurl?",
    c"/vsicurl_streaming/",
    c"/vsis3_streaming/",
    c"/vsigs_streaming/",
    c"/vsiaz_streaming/",
    c"/vsiadls/",
    c"/vsioss/",
    c"/vsioss_streaming/",
    c"/vsiswift/",
    c"/vsiswift_streaming/",
    c"/vsihdfs/",
    c"/vsiwebhdfs/",
];

type Fetch = unsafe extern "C" fn(
    *const c_char,
    *const *const c_char,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
    *mut c_void,
) -> *mut c_void;

unsafe extern "C" {
    fn CPLHTTPSetFetchCallback(fetch: Option<Fetch>, data: *mut c_void);
}

/// Takes the place of GDAL's file systems on servers, and of the client by which its drivers ask for addresses.
pub fn install() {
    for (number, prefix) in SERVED.iter().enumerate() {
        // SAFETY: GDAL allocates the structure with no call-backs and copies it. The call-backs live as long as the process. What they
        // are passed back is a number.
        unsafe {
            let calls = gdal_sys::VSIAllocFilesystemPluginCallbacksStruct();
            (*calls).pUserData = std::ptr::without_provenance_mut(number);
            (*calls).stat = Some(stat);
            (*calls).open = Some(open);
            (*calls).tell = Some(tell);
            (*calls).seek = Some(seek);
            (*calls).read = Some(read);
            (*calls).read_multi_range = Some(read_many);
            (*calls).eof = Some(eof);
            (*calls).close = Some(close);
            gdal_sys::VSIInstallPluginHandler(prefix.as_ptr(), calls);
            gdal_sys::VSIFreeFilesystemPluginCallbacksStruct(calls);
        }
    }
    super::close(CLOSED);
    // SAFETY: the call-back lives as long as the process, and a null answer is what GDAL gives where it was built without a client.
    unsafe { CPLHTTPSetFetchCallback(Some(no_fetch), std::ptr::null_mut()) }
}

unsafe extern "C" fn no_fetch(
    _: *const c_char,
    _: *const *const c_char,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
    _: *mut c_void,
) -> *mut c_void {
    std::ptr::null_mut()
}

/// The address of a file that GDAL calls by one of its prefixes; None for other names.
///
/// # Errors
/// When what follows the prefix is no address.
pub fn address(name: &str) -> Option<Result<Url>> {
    SERVED.iter().enumerate().find_map(|(number, prefix)| {
        let rest = name.strip_prefix(prefix.to_str().ok()?)?;
        Some(address_of(number, rest))
    })
}

/// `rest`: what follows the prefix of this number.
fn address_of(prefix: usize, rest: &str) -> Result<Url> {
    let text = match prefix {
        0 => rest.to_string(),
        1 => format!("s3://{rest}"),
        2 => format!("https://storage.googleapis.com/{rest}"),
        _ => match std::env::var("AZURE_STORAGE_ACCOUNT") {
            Ok(account) if !account.is_empty() => format!("https://{account}.blob.core.windows.net/{rest}"),
            _ => {
                return Err(Error::message(format!(
                    "az://{rest}: the account is not known: set AZURE_STORAGE_ACCOUNT, or give the address \
                     https://ACCOUNT.blob.core.windows.net/{rest}"
                )));
            }
        },
    };
    let url = Url::parse(&text).ok().filter(|url| {
        matches!(url.scheme(), "http" | "https" | "s3") && url.host_str().is_some_and(|host| !host.is_empty())
    });
    url.ok_or_else(|| {
        Error::argument(
            "address",
            "a web address such as https://host/path",
            format!("`{rest}`"),
        )
    })
}

/// Size and version of the file that GDAL calls by a name, where it lies on a server and this process has opened it.
pub fn served(name: &str) -> Option<(u64, Option<String>)> {
    match find(&address(name)?.ok()?, false) {
        Ok(Found::File(file)) => Some((file.size(), file.version().map(str::to_string))),
        _ => None,
    }
}

/// Opens the file at `address` for those who open it next, so that what goes wrong is told as it is.
///
/// # Errors
/// When it is not there, may not be read, or its server does not serve parts of it.
pub fn reach(address: &Url) -> Result<()> {
    match find(address, true)? {
        Found::File(_) => {
            meet_neighbours(address);
            Ok(())
        }
        Found::Absent(failure) => Err((*failure).into()),
    }
}

/// What GDAL asks for beside every image, one after the other: asked for here at the same time, so that opening waits once. A mask that is
/// overlooked would be a wrong value, so that these are not left out.
const NEIGHBOURS: [&str; 2] = [".aux.xml", ".msk"];

fn meet_neighbours(address: &Url) {
    let path = address.path().to_ascii_lowercase();
    if ![".tif", ".tiff", ".jp2", ".img"]
        .iter()
        .any(|end| path.ends_with(end))
    {
        return;
    }
    std::thread::scope(|scope| {
        for end in NEIGHBOURS {
            let mut neighbour = address.clone();
            neighbour.set_path(&format!("{}{end}", address.path()));
            // What goes wrong is told to GDAL when it asks.
            scope.spawn(move || find(&neighbour, false).map(drop));
        }
    });
}

/// Whether GDAL asks for a file only because it asks for it beside every other, and archives have none: ERDAS's binary `.aux`, which holds
/// overviews and statistics, and the names of neighbours in capitals beside a file that is not named so.
fn is_idle(address: &Url) -> bool {
    let name = address.path().rsplit('/').next().unwrap_or("");
    let Some((stem, extension)) = name.rsplit_once('.') else {
        return false;
    };
    let in_capitals = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_uppercase());
    let beside = stem
        .rsplit_once('.')
        .is_some_and(|(_, own)| !own.is_empty() && !in_capitals(own));
    extension.eq_ignore_ascii_case("aux") || (in_capitals(extension) && beside)
}

/// The first bytes of the file at `address`, where it is there.
pub fn beginning(address: &Url) -> Option<[u8; 4]> {
    let Ok(Found::File(remote)) = find(address, false) else {
        return None;
    };
    let mut bytes = [0; 4];
    Reader::new(remote)
        .fill(&mut bytes)
        .is_ok_and(|filled| filled == 4)
        .then_some(bytes)
}

/// # Safety
/// `name` is a string of GDAL's; `prefix` what was installed with its prefix.
unsafe fn found(prefix: *mut c_void, name: *const c_char) -> io::Result<Reader<'static>> {
    let missing = || io::Error::from_raw_os_error(libc::ENOENT);
    // SAFETY: as the caller promises.
    let rest = unsafe { path(name) }.to_str().ok_or_else(missing)?;
    let address = address_of(prefix.addr(), rest).map_err(|error| {
        miss(error);
        missing()
    })?;
    if is_idle(&address) && known(&address).is_none() {
        return Err(missing());
    }
    match find(&address, false) {
        Ok(Found::File(remote)) => Ok(Reader::new(remote)),
        Ok(Found::Absent(failure)) => {
            miss((*failure).into());
            Err(missing())
        }
        Err(error) => {
            break_off(error);
            Err(io::Error::from_raw_os_error(libc::EIO))
        }
    }
}

/// # Safety
/// `handle` is what `open` gave and `close` has not got yet, and no other call on it runs: GDAL's files belong to one thread at a time.
unsafe fn reader<'r>(handle: *mut c_void) -> &'r mut Reader<'static> {
    // SAFETY: as the caller promises.
    unsafe { &mut *handle.cast::<Reader<'static>>() }
}

unsafe extern "C" fn stat(
    prefix: *mut c_void,
    name: *const c_char,
    out: *mut VSIStatBufL,
    _: c_int,
) -> c_int {
    // SAFETY: GDAL passes a string, and what was installed.
    answer(unsafe { found(prefix, name) }.map(|file| {
        // SAFETY: a buffer of the system's own `stat64`, which VSIStatBufL is; all of its bytes may be zero.
        unsafe {
            let out = out.cast::<libc::stat64>();
            out.write(std::mem::zeroed());
            (*out).st_mode = libc::S_IFREG | 0o444;
            (*out).st_size = i64::try_from(file.remote().size()).unwrap_or(i64::MAX);
        }
    }))
}

unsafe extern "C" fn open(prefix: *mut c_void, name: *const c_char, access: *const c_char) -> *mut c_void {
    // SAFETY: GDAL passes strings.
    let (shown, access) = unsafe { (path(name), CStr::from_ptr(access).to_bytes()) };
    if access.contains(&b'+') || !access.starts_with(b"r") {
        refuse(Error::file(shown, "lies on a server, where nothing is written"));
        set_errno(&io::Error::from_raw_os_error(libc::EROFS));
        return std::ptr::null_mut();
    }
    // SAFETY: as above; the prefix is what was installed.
    match unsafe { found(prefix, name) } {
        Ok(file) => Box::into_raw(Box::new(file)).cast(),
        Err(error) => {
            set_errno(&error);
            std::ptr::null_mut()
        }
    }
}

unsafe extern "C" fn tell(handle: *mut c_void) -> vsi_l_offset {
    // SAFETY: GDAL passes what `open` gave.
    unsafe { reader(handle) }.position()
}

unsafe extern "C" fn seek(handle: *mut c_void, offset: vsi_l_offset, whence: c_int) -> c_int {
    // SAFETY: as above.
    let file = unsafe { reader(handle) };
    let from = match whence {
        libc::SEEK_CUR => file.position(),
        libc::SEEK_END => file.remote().size(),
        _ => 0,
    };
    // Steps back come as the large numbers that they are without a sign.
    file.set_position(from.wrapping_add(offset));
    0
}

unsafe extern "C" fn read(handle: *mut c_void, out: *mut c_void, size: usize, count: usize) -> usize {
    // SAFETY: as above.
    let file = unsafe { reader(handle) };
    let Some(bytes) = size.checked_mul(count).filter(|bytes| *bytes > 0) else {
        return 0;
    };
    // SAFETY: GDAL's buffer holds `count` pieces of `size` bytes.
    let out = unsafe { std::slice::from_raw_parts_mut(out.cast::<u8>(), bytes) };
    match file.fill(out) {
        Ok(done) => done / size,
        Err(error) => {
            break_off(error);
            set_errno(&io::Error::from_raw_os_error(libc::EIO));
            0
        }
    }
}

unsafe extern "C" fn read_many(
    handle: *mut c_void,
    count: c_int,
    out: *mut *mut c_void,
    starts: *const vsi_l_offset,
    sizes: *const usize,
) -> c_int {
    // SAFETY: as above.
    let file = unsafe { reader(handle) };
    let mut parts = Vec::new();
    for i in 0..usize::try_from(count).unwrap_or(0) {
        // SAFETY: GDAL passes lists of `count` buffers, their places and their sizes.
        let (start, out) = unsafe {
            let (start, size) = (*starts.add(i), *sizes.add(i));
            (
                start,
                std::slice::from_raw_parts_mut((*out.add(i)).cast::<u8>(), size),
            )
        };
        if start
            .checked_add(out.len() as u64)
            .is_none_or(|end| end > file.remote().size())
        {
            set_errno(&io::Error::from_raw_os_error(libc::EINVAL));
            return -1;
        }
        parts.push(Part { start, out });
    }
    match file.remote().read(&mut parts, 0) {
        Ok(_) => 0,
        Err(error) => {
            break_off(error);
            set_errno(&io::Error::from_raw_os_error(libc::EIO));
            -1
        }
    }
}

unsafe extern "C" fn eof(handle: *mut c_void) -> c_int {
    // SAFETY: as above.
    c_int::from(unsafe { reader(handle) }.ended)
}

unsafe extern "C" fn close(handle: *mut c_void) -> c_int {
    // SAFETY: GDAL passes what `open` gave, for the last time.
    drop(unsafe { Box::from_raw(handle.cast::<Reader<'static>>()) });
    0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn neighbours_that_nobody_has_are_not_asked_for() {
        let idle = |name: &str| is_idle(&Url::parse(&format!("https://h/a/{name}")).unwrap());
        for name in [
            "x.aux",
            "x.AUX",
            "x.tif.aux",
            "x.tif.AUX",
            "x.tif.MSK",
            "x.tif.OVR",
        ] {
            assert!(idle(name), "{name}");
        }
        for name in [
            "x.tif",
            "x.TIF",
            "x.TIF.MSK",
            "x.tif.msk",
            "x.tif.aux.xml",
            "x.tif.ovr",
            "x.HDR",
            "x",
        ] {
            assert!(!idle(name), "{name}");
        }
    }

    #[test]
    fn names_of_gdal_are_addresses() {
        let of = |name: &str| address(name).map(|url| url.map(|url| url.to_string()).ok());
        assert_eq!(
            of("/vsicurl/https://h/a b.tif"),
            Some(Some("https://h/a%20b.tif".into()))
        );
        assert_eq!(
            of("/vsis3/bucket/k/x.tif"),
            Some(Some("s3://bucket/k/x.tif".into()))
        );
        assert_eq!(
            of("/vsigs/b/k"),
            Some(Some("https://storage.googleapis.com/b/k".into()))
        );
        assert_eq!(of("/vsicurl/file:///etc/passwd"), Some(None));
        assert_eq!(of("/vsicurl/"), Some(None));
        assert_eq!(of("a.tif"), None);
    }
}
