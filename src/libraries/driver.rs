//! NVIDIA's driver, which CUDA libraries need and nobody but the system can bring.

use std::ffi::c_int;

/// The first driver that serves CUDA 13.
pub const OLDEST_DRIVER: &str = "580";
/// As the driver writes versions: 1000 times the major one, and ten times the minor.
const CUDA: c_int = 13_000;

/// The version of CUDA that the driver serves, such as `13.0`.
///
/// # Errors
/// In words for the user: there is no driver, or it is too old.
pub fn driver() -> Result<String, String> {
    judged(version())
}

/// `None` where there is no driver.
fn version() -> Option<c_int> {
    type Version = unsafe extern "C" fn(*mut c_int) -> c_int;
    // SAFETY: the system's own library, whose initialisers any CUDA program runs.
    let library = unsafe { libloading::Library::new("libcuda.so.1") }.ok()?;
    let mut version = 0;
    // SAFETY: the function has this signature since CUDA 2.2; it may be called before all others and writes one integer.
    let code = unsafe { library.get::<Version>(b"cuDriverGetVersion\0").ok()?(&mut version) };
    // It is never unloaded: threads of its own may run.
    std::mem::forget(library);
    (code == 0).then_some(version)
}

fn judged(version: Option<c_int>) -> Result<String, String> {
    let Some(version) = version else {
        return Err(format!(
            "there is no NVIDIA driver (libcuda.so.1); CUDA 13 needs driver {OLDEST_DRIVER} or newer"
        ));
    };
    let shown = format!("{}.{}", version / 1000, version % 1000 / 10);
    match version >= CUDA {
        true => Ok(shown),
        false => Err(format!(
            "the NVIDIA driver serves CUDA {shown} only; CUDA 13 needs driver {OLDEST_DRIVER} or newer"
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_judged_by_the_cuda_that_it_serves() {
        assert_eq!(judged(Some(13_000)), Ok("13.0".to_string()));
        assert_eq!(judged(Some(13_020)), Ok("13.2".to_string()));
        let old = judged(Some(12_080)).unwrap_err();
        assert!(
            old.contains("CUDA 12.8 only") && old.contains("driver 580"),
            "{old}"
        );
        assert!(judged(None).unwrap_err().contains("libcuda.so.1"));
    }
}
