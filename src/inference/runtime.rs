//! ONNX Runtime, opened once in a process, when the first model asks for it.

use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

use ort::environment::Environment;
use ort::logging::LogLevel;

use crate::error::{Error, Result};
use crate::libraries;
use crate::work;
use crate::work::provenance::{self, Note};

pub struct Runtime {
    pub environment: Environment,
    pub version: String,
    /// It was built with CUDA.
    pub cuda: bool,
}

/// # Errors
/// Where it is not set up, or its library does not open: in words for the user.
pub fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<std::result::Result<Runtime, String>> = OnceLock::new();
    let found = || match libraries::onnx_runtime()? {
        Some(library) => open(library),
        None => Err(Error::message(format!(
            "ONNX Runtime is not set up; `{}` brings it",
            libraries::ONNX_RUNTIME.command
        ))),
    };
    let opened = RUNTIME.get_or_init(|| found().map_err(|e| e.to_string()));
    let runtime = opened.as_ref().map_err(|text| Error::message(text.clone()))?;
    provenance::note(Note::Library {
        name: "ONNX Runtime",
        version: &runtime.version,
    });
    Ok(runtime)
}

fn open(library: PathBuf) -> Result<Runtime> {
    let failed = |why: String| {
        Error::file(
            &library,
            format!(
                "ONNX Runtime does not open: {why}; remove the file and run `perilune setup onnxruntime`"
            ),
        )
    };
    let builder = ort::init_from(&library).map_err(|e| {
        let reason = std::error::Error::source(&e).map(|source| format!(" ({source})"));
        failed(format!("{e}{}", reason.unwrap_or_default()))
    })?;
    let environment = builder
        .with_name("perilune")
        .with_telemetry(false)
        .with_logger(Arc::new(tell))
        .build()
        .map_err(|e| failed(e.to_string()))?;
    environment.set_log_level(LogLevel::Warning);
    let version = library
        .file_name()
        .and_then(|name| name.to_str()?.split_once(".so."))
        .map_or("of unknown version", |(_, version)| version)
        .to_string();
    let beside = library.with_file_name("libonnxruntime_providers_cuda.so");
    Ok(Runtime {
        environment,
        version,
        cuda: beside.is_file(),
    })
}

/// Errors come back from the call that they stop; what else it has to say is told once.
fn tell(level: LogLevel, _: &str, _: &str, _: &str, message: &str) {
    if level == LogLevel::Warning {
        work::warn_once(&format!("ONNX Runtime: {message}"), || {
            format!("ONNX Runtime: {message}")
        });
    }
}
