//! libtorch's stable C functions, found in the library when it is opened. Nothing is linked and no header is needed.
//!
//! They are declared in torch/csrc/stable/c/shim.h and torch/csrc/inductor/aoti_torch/c/shim.h of PyTorch, and keep their meaning from version to
//! version (docs.pytorch.org, "LibTorch Stable ABI"). A tensor is an opaque pointer; every function that can fail answers 0 where it has not.

use std::ffi::{CStr, c_char, c_void};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock, PoisonError};

use libloading::os::unix::{Library, RTLD_LOCAL, RTLD_NOW};

use crate::error::{Error, Result};
use crate::libraries::{self, Library as Pinned};

/// An `at::Tensor`, a list, or an optional value, owned by whoever holds it.
pub(super) type Handle = *mut c_void;

/// A number, a handle or a pointer, as operators take and give them (`StableIValue`).
pub(super) type Word = u64;

/// The version whose operators are called, packed as `aoti_torch_abi_version` packs it: a newer library answers as this one would.
pub(super) const BUILT_FOR: u64 = (2 << 56) | (13 << 48);

macro_rules! functions {
    ($($name:ident : fn($($argument:ty),*) $(-> $answer:ty)?;)*) => {
        /// The functions, each with the name and the type that the headers give it.
        #[allow(non_snake_case)]
        pub(super) struct Api {
            $(pub(super) $name: unsafe extern "C" fn($($argument),*) $(-> $answer)?,)*
            set_threads: unsafe extern "C" fn(i32),
            /// Never closed: libtorch does not survive it, and the pointers above lead into it.
            _library: &'static Library,
        }

        impl Api {
            fn of(library: &'static Library) -> std::result::Result<Api, libloading::Error> {
                Ok(Api {
                    // SAFETY: the types are those of the headers, and the library stays open as long as the process.
                    $($name: unsafe { *library.get(concat!(stringify!($name), "\0").as_bytes())? },)*
                    // SAFETY: OpenMP's own function, `void omp_set_num_threads(int)`, of the libgomp that libtorch is linked to.
                    set_threads: unsafe { *library.get(b"omp_set_num_threads\0")? },
                    _library: library,
                })
            }
        }
    };
}

functions! {
    aoti_torch_abi_version: fn() -> u64;
    torch_exception_get_what_without_backtrace: fn() -> *const c_char;
    torch_call_dispatcher: fn(*const c_char, *const c_char, *mut Word, u64) -> i32;
    torch_new_list_reserve_size: fn(usize, *mut Handle) -> i32;
    torch_list_push_back: fn(Handle, Word) -> i32;
    torch_new_stable_ivalue: fn(*mut *mut Word) -> i32;
    torch_get_num_threads: fn(*mut u32) -> i32;
    aoti_torch_new_tensor_handle: fn(Handle, *mut Handle) -> i32;
    aoti_torch_delete_tensor_object: fn(Handle) -> i32;
    aoti_torch_empty_strided: fn(i64, *const i64, *const i64, i32, i32, i32, *mut Handle) -> i32;
    aoti_torch_get_sizes: fn(Handle, *mut *mut i64) -> i32;
    aoti_torch_get_dim: fn(Handle, *mut i64) -> i32;
    aoti_torch_get_dtype: fn(Handle, *mut i32) -> i32;
    aoti_torch_get_data_ptr: fn(Handle, *mut *mut c_void) -> i32;
    aoti_torch_copy_: fn(Handle, Handle, i32) -> i32;
    aoti_torch_aten_subtract_Tensor: fn(Handle, Handle, f64, *mut Handle) -> i32;
    aoti_torch_aten_narrow: fn(Handle, i64, i64, i64, *mut Handle) -> i32;
    aoti_torch_aten_fill__Scalar: fn(Handle, f64) -> i32;
    aoti_torch_grad_mode_set_enabled: fn(bool);
    aoti_torch_dtype_float32: fn() -> i32;
    aoti_torch_dtype_int64: fn() -> i32;
    aoti_torch_device_type_cpu: fn() -> i32;
    aoti_torch_device_type_cuda: fn() -> i32;
}

static API: OnceLock<Api> = OnceLock::new();
static CUDA: OnceLock<&'static Library> = OnceLock::new();
/// One thread opens at a time.
static OPENING: Mutex<()> = Mutex::new(());

/// The functions, of the library that stands in perilune's folder of libraries.
///
/// # Errors
/// Where it is not there, does not open, or is older than 2.13.
pub(super) fn api() -> Result<&'static Api> {
    if let Some(api) = API.get() {
        return Ok(api);
    }
    let _one = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(api) = API.get() {
        return Ok(api);
    }
    let path = found(&libraries::TORCH, "torch/lib/libtorch_cpu.so")?;
    let opened = Api::of(open(&path)?).map_err(|e| {
        Error::file(
            &path,
            format!(
                "{}; perilune needs libtorch 2.13 or later: `perilune setup torch` brings it",
                said(&e)
            ),
        )
    })?;
    let (major, minor) = version_of(&opened);
    if (major, minor) < (2, 13) {
        return Err(Error::file(
            &path,
            format!(
                "this is libtorch {major}.{minor}, older than 2.13: `perilune setup torch` brings the right one"
            ),
        ));
    }
    Ok(API.get_or_init(|| opened))
}

/// Opens the part of libtorch that computes on CUDA, which registers its operators with the rest.
///
/// # Errors
/// Where it is not there, or does not open: names the library that is missing.
pub(super) fn open_cuda() -> Result<()> {
    api()?;
    let _one = OPENING.lock().unwrap_or_else(PoisonError::into_inner);
    if CUDA.get().is_none() {
        let path = found(&libraries::TORCH_CUDA, "torch/lib/libtorch_cuda.so")?;
        let library = open(&path)?;
        CUDA.get_or_init(|| library);
    }
    Ok(())
}

/// Where a library lies, once those that it opens itself are found to be there and fit.
fn found(of: &Pinned, name: &str) -> Result<PathBuf> {
    for member in of.members() {
        libraries::find(member.path)?;
    }
    libraries::find(name)
}

/// For good, and with its names visible to itself alone: GDAL's and ONNX Runtime's libraries may hold others of the same name.
fn open(path: &Path) -> Result<&'static Library> {
    // SAFETY: what runs at its opening is libtorch's own setting up, of the very file that `perilune setup` has checked; it is never closed.
    let opened = unsafe { Library::open(Some(path), RTLD_NOW | RTLD_LOCAL) };
    let library = opened.map_err(|e| {
        Error::file(
            path,
            format!(
                "cannot be opened: {}; `perilune setup torch` brings what it needs",
                said(&e)
            ),
        )
    })?;
    Ok(Box::leak(Box::new(library)))
}

/// libloading keeps the system's words in the source.
fn said(e: &libloading::Error) -> String {
    match std::error::Error::source(e) {
        Some(source) => source.to_string(),
        None => e.to_string(),
    }
}

fn version_of(api: &Api) -> (u64, u64) {
    // SAFETY: takes nothing and cannot fail.
    let packed = unsafe { (api.aoti_torch_abi_version)() };
    (packed >> 56, (packed >> 48) & 255)
}

/// The major and minor number of libtorch's version.
///
/// # Errors
/// As `api`.
pub fn version() -> Result<(u64, u64)> {
    Ok(version_of(api()?))
}

/// What `what` answered, as a result.
pub(super) fn checked(api: &Api, what: &str, answer: i32) -> Result<()> {
    if answer == 0 {
        return Ok(());
    }
    // SAFETY: takes nothing; the text stays until the next failure of this thread, and is copied here.
    let text = unsafe {
        let text = (api.torch_exception_get_what_without_backtrace)();
        match text.is_null() {
            true => "no reason given".to_string(),
            false => CStr::from_ptr(text).to_string_lossy().into_owned(),
        }
    };
    Err(Error::message(format!("libtorch: {what}: {}", text.trim())))
}

/// Makes this thread one that computes with `threads` threads and remembers nothing for a backward pass of libtorch's own.
///
/// # Errors
/// As `api`.
pub fn enter(threads: usize) -> Result<()> {
    let api = api()?;
    // libtorch sets its own number the first time a thread asks; ours has to come after that.
    self::threads()?;
    // SAFETY: both take plain values and hold for the calling thread.
    unsafe {
        (api.set_threads)(i32::try_from(threads.max(1)).unwrap_or(1));
        (api.aoti_torch_grad_mode_set_enabled)(false);
    }
    Ok(())
}

/// With how many threads libtorch computes on this thread.
///
/// # Errors
/// As `api`.
pub fn threads() -> Result<usize> {
    let api = api()?;
    let mut known = 0;
    // SAFETY: `known` is there to be written.
    checked(api, "threads", unsafe { (api.torch_get_num_threads)(&mut known) })?;
    Ok(known as usize)
}
