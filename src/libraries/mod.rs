//! Shared libraries that are opened at run time: ONNX Runtime, libtorch, and the CUDA libraries of both. None is linked and none is needed to start:
//! `perilune setup` takes them out of wheels that are pinned here, into one folder that serves all of them as siblings, as their search
//! paths want it.
//!
//! What is found here runs in the process of every script. So a library that lies where scripts write is opened only while it is what is pinned.

mod device;
mod driver;
mod pins;

use std::ffi::OsStr;
use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

pub use device::{Device, Wanted};
pub use driver::{OLDEST_DRIVER, driver};

use crate::error::{Error, Result};
use crate::{gate, interrupt};

/// A shared library of a wheel, and where it lies in the folder of libraries.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Member {
    pub path: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
}

/// A wheel of PyPI for x86-64 Linux, and what is taken out of it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Part {
    pub package: &'static str,
    pub version: &'static str,
    pub wheel: &'static str,
    pub bytes: u64,
    pub sha256: &'static str,
    pub members: &'static [Member],
}

/// Wheels that are set up together.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Library {
    pub title: &'static str,
    /// What it is good for.
    pub what: &'static str,
    pub command: &'static str,
    pub cuda: bool,
    /// The library itself first.
    pub parts: &'static [Part],
}

pub const ONNX_RUNTIME: Library = Library {
    title: "ONNX Runtime",
    what: "models in ONNX",
    command: "perilune setup onnxruntime",
    cuda: false,
    parts: &[pins::ONNX_RUNTIME],
};

pub const ONNX_RUNTIME_CUDA: Library = Library {
    title: "ONNX Runtime for CUDA",
    what: "models in ONNX on a GPU",
    command: "perilune setup onnxruntime --cuda",
    cuda: true,
    parts: &[
        pins::ONNX_RUNTIME_GPU,
        pins::CUDA_RUNTIME,
        pins::CUBLAS,
        pins::CURAND,
        pins::CUFFT,
        pins::NVRTC,
        pins::NVJITLINK,
        pins::CUDNN,
    ],
};

pub const TORCH: Library = Library {
    title: "libtorch",
    what: "training",
    command: "perilune setup torch",
    cuda: false,
    parts: &[pins::TORCH, pins::CUDA_RUNTIME, pins::CUPTI],
};

pub const TORCH_CUDA: Library = Library {
    title: "libtorch for CUDA",
    what: "training on a GPU",
    command: "perilune setup torch --cuda",
    cuda: true,
    parts: &[
        pins::TORCH_CUDA,
        pins::CUDA_RUNTIME,
        pins::CUPTI,
        pins::CUBLAS,
        pins::CURAND,
        pins::CUFFT,
        pins::NVRTC,
        pins::NVJITLINK,
        pins::CUDNN,
        pins::CUSPARSE,
        pins::CUSPARSELT,
        pins::CUFILE,
        pins::NCCL,
        pins::NVSHMEM,
    ],
};

pub const ALL: [&Library; 4] = [&ONNX_RUNTIME, &ONNX_RUNTIME_CUDA, &TORCH, &TORCH_CUDA];

impl Library {
    pub fn version(&self) -> &'static str {
        self.parts.first().map_or("", |part| part.version)
    }

    pub fn members(&self) -> impl Iterator<Item = &'static Member> + use<> {
        self.parts.iter().flat_map(|part| part.members)
    }

    /// The parts of which a file is absent from `folder` or of another size.
    pub fn missing(&self, folder: &Path) -> Vec<&'static Part> {
        let is_there = |member: &Member| {
            fs::metadata(folder.join(member.path))
                .is_ok_and(|data| data.is_file() && data.len() == member.bytes)
        };
        let parts = self.parts.iter();
        parts.filter(|part| !part.members.iter().all(is_there)).collect()
    }
}

impl Part {
    /// Whether all its files are in `folder`, as they are pinned.
    ///
    /// # Errors
    /// When the process is interrupted.
    pub fn is_in(&self, folder: &Path) -> Result<bool> {
        for member in self.members {
            if !is_pinned(&folder.join(member.path), member)? {
                return Ok(false);
            }
        }
        Ok(true)
    }
}

fn is_pinned(path: &Path, member: &Member) -> Result<bool> {
    let long = fs::metadata(path).is_ok_and(|data| data.is_file() && data.len() == member.bytes);
    Ok(long && sha256(path)? == member.sha256)
}

/// Where the libraries lie: the folder that PERILUNE_LIBRARIES names, or one in the user's cache.
///
/// # Errors
/// Where there is no home folder.
pub fn folder() -> Result<PathBuf> {
    let set = |name: &str| std::env::var_os(name).filter(|value| !value.is_empty());
    if let Some(folder) = set("PERILUNE_LIBRARIES") {
        return Ok(PathBuf::from(folder));
    }
    let cache = set("XDG_CACHE_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(std::env::home_dir()?.join(".cache")));
    match cache {
        Some(cache) => Ok(cache.join("perilune/libraries")),
        None => Err(Error::message(
            "there is no home folder to keep libraries in; name one in PERILUNE_LIBRARIES",
        )),
    }
}

/// A library by its place in the folder, such as `torch/lib/libtorch_cpu.so`, fit to be opened.
///
/// # Errors
/// Where it is not there: names the command that brings it. Where it lies in a folder that scripts write in and is not what is pinned.
pub fn find(name: &str) -> Result<PathBuf> {
    let folder = folder()?;
    let path = folder.join(name);
    let of = ALL
        .iter()
        .find(|library| library.members().any(|member| member.path == name));
    let Some(real) = path.canonicalize().ok().filter(|real| real.is_file()) else {
        let way_out = match of {
            Some(of) => format!("`{}` brings it", of.command),
            None => "no library of that name is known".to_string(),
        };
        return Err(Error::message(format!(
            "{name} is not in {}; {way_out}",
            folder.display()
        )));
    };
    if gate::may_scripts_write(&real) {
        let member = of.and_then(|of| of.members().find(|member| member.path == name));
        if !member.map_or(Ok(false), |member| is_pinned(&real, member))? {
            return Err(Error::file(
                path,
                "lies in a folder that this script may write in, and is not the library that was set up; start perilune in another folder, or \
                 remove it and set it up anew",
            ));
        }
    }
    Ok(path)
}

/// ONNX Runtime: the one for CUDA where it is there, which computes on the CPU too; None where neither is.
///
/// # Errors
/// Where it is there, but not fit to be opened, as `find`.
pub fn onnx_runtime() -> Result<Option<PathBuf>> {
    let Ok(folder) = folder() else {
        return Ok(None);
    };
    for library in [&ONNX_RUNTIME_CUDA, &ONNX_RUNTIME] {
        if let Some(main) = library.members().next()
            && folder.join(main.path).is_file()
        {
            return find(main.path).map(Some);
        }
    }
    Ok(None)
}

/// Files of other versions of what is pinned: `libonnxruntime.so.1.30.0` beside `libonnxruntime.so.1.32.0`.
pub fn outdated(folder: &Path) -> Vec<PathBuf> {
    let pinned: Vec<PathBuf> = ALL
        .iter()
        .flat_map(|library| library.members())
        .map(|member| folder.join(member.path))
        .collect();
    let mut places: Vec<&Path> = pinned.iter().filter_map(|path| path.parent()).collect();
    places.sort();
    places.dedup();
    let mut out = Vec::new();
    for entry in places
        .into_iter()
        .filter_map(|place| fs::read_dir(place).ok())
        .flatten()
        .flatten()
    {
        let path = entry.path();
        let same = |other: &&PathBuf| other.parent() == path.parent() && stem(other) == stem(&path);
        if stem(&path).is_some() && !pinned.contains(&path) && pinned.iter().any(|other| same(&other)) {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// `libcudart` of `libcudart.so.13`.
fn stem(path: &Path) -> Option<&str> {
    let (stem, version) = path.file_name().and_then(OsStr::to_str)?.split_once(".so")?;
    (version.is_empty() || version.starts_with('.')).then_some(stem)
}

/// Of a file, in hexadecimal digits.
///
/// # Errors
/// When it cannot be read, or the process is interrupted.
pub fn sha256(path: &Path) -> Result<String> {
    let failed = |e: io::Error| Error::io(path, e);
    let mut file = gate::open(path).map_err(failed)?;
    let (mut hasher, mut block) = (Sha256::new(), vec![0; 1 << 20]);
    loop {
        interrupt::check()?;
        match file.read(&mut block).map_err(failed)? {
            0 => break,
            n => hasher.update(&block[..n]),
        }
    }
    Ok(hasher
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_versions_of_the_same_library_are_outdated() {
        let folder = tempfile::tempdir().unwrap();
        let place = folder.path().join("onnxruntime/capi");
        fs::create_dir_all(&place).unwrap();
        for name in [
            "libonnxruntime.so.1.30.0",
            "libonnxruntime.so.1.32.0",
            "libonnxruntime_providers_shared.so",
            "libonnxruntime.sound",
            "LICENSE",
        ] {
            fs::write(place.join(name), "").unwrap();
        }
        assert_eq!(outdated(folder.path()), [place.join("libonnxruntime.so.1.30.0")]);
    }

    #[test]
    fn the_pins_name_each_file_once_and_alike() {
        let mut seen: Vec<&Member> = Vec::new();
        for library in ALL {
            let mut own: Vec<&str> = library.members().map(|member| member.path).collect();
            own.sort_unstable();
            let all = own.len();
            own.dedup();
            assert_eq!(own.len(), all, "{}", library.title);
            for member in library.members() {
                match seen.iter().find(|other| other.path == member.path) {
                    Some(other) => assert_eq!(*other, member),
                    None => seen.push(member),
                }
            }
        }
    }

    #[test]
    fn a_part_is_in_a_folder_only_as_it_is_pinned() {
        // FIPS 180-4: the digest of "abc".
        const PART: Part = Part {
            package: "a",
            version: "1",
            wheel: "",
            bytes: 0,
            sha256: "",
            members: &[Member {
                path: "liba.so",
                bytes: 3,
                sha256: "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad",
            }],
        };
        let folder = tempfile::tempdir().unwrap();
        assert!(!PART.is_in(folder.path()).unwrap());
        for (text, whole) in [("ab", false), ("abd", false), ("abc", true)] {
            fs::write(folder.path().join("liba.so"), text).unwrap();
            assert_eq!(PART.is_in(folder.path()).unwrap(), whole, "{text}");
        }
    }
}
