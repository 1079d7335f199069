//! A network computed by ONNX Runtime.

use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use half::{bf16, f16};
use ndarray::{ArrayD, CowArray, IxDyn};
use ort::ep;
use ort::session::builder::GraphOptimizationLevel;
use ort::session::{RunOptions, Session, SessionInputValue};
use ort::value::{PrimitiveTensorElementType, Tensor, TensorElementType, TensorRef, ValueRef, ValueType};

use super::model::Opening;
use super::network::{Network, Port, check_count, whole};
use super::onnx::Onnx;
use super::precision::Precision;
use super::runtime::{Runtime, runtime};
use crate::error::{Error, Result};
use crate::libraries::{self, Device, ONNX_RUNTIME_CUDA, Wanted};
use crate::{interrupt, work};

/// How soon a stop reaches a network at work.
const LOOK: Duration = Duration::from_millis(50);

pub struct Computed {
    /// It takes one caller at a time, and uses all threads for it.
    session: Mutex<Session>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    kinds: Vec<TensorElementType>,
    identity: String,
    device: Device,
}

/// Gives what computes it, too.
///
/// # Errors
/// Where ONNX Runtime is not there or refuses the model; where the device or the precision is one of a GPU and something that it needs is missing.
pub fn open(bytes: &[u8], onnx: &Onnx, identity: &str, opening: &Opening) -> Result<(Computed, String)> {
    let runtime = runtime()?;
    let (session, device) = match opening.device {
        Wanted::On(Device::Cpu) => (commit(runtime, bytes, onnx, None)?, Device::Cpu),
        Wanted::On(device @ Device::Cuda(number)) => (on_gpu(runtime, bytes, onnx, number, opening)?, device),
        Wanted::Auto => match on_gpu(runtime, bytes, onnx, 0, opening) {
            Ok(session) => (session, Device::Cuda(0)),
            Err(why) if opening.precision == Precision::Tf32 => return Err(no_tf32(&why.to_string())),
            Err(why) => {
                // Nobody who has no GPU wants to hear of it, unless he asks.
                if opening.asked || libraries::driver().is_ok() {
                    work::warn_once("CUDA", || format!("the CPU computes models, not a GPU: {why}"));
                }
                (commit(runtime, bytes, onnx, None)?, Device::Cpu)
            }
        },
    };
    let ports = |outlets: &[ort::value::Outlet]| -> Vec<Port> { outlets.iter().map(port).collect() };
    let kind = |outlet: &ort::value::Outlet| match outlet.dtype() {
        ValueType::Tensor { ty, .. } => Ok(*ty),
        other => Err(Error::message(format!(
            "its input `{}` is {other}, not an array of numbers",
            outlet.name()
        ))),
    };
    let computed = Computed {
        inputs: ports(session.inputs()),
        outputs: ports(session.outputs()),
        kinds: session.inputs().iter().map(kind).collect::<Result<_>>()?,
        session: Mutex::new(session),
        identity: identity.to_string(),
        device,
    };
    Ok((computed, format!("{device} by ONNX Runtime {}", runtime.version)))
}

/// Why a network is not computed in TF32.
pub fn no_tf32(why: &str) -> Error {
    Error::argument(
        "precision",
        format!("\"float32\", since there is no GPU to compute it: {why}"),
        "\"tf32\"",
    )
}

fn port(outlet: &ort::value::Outlet) -> Port {
    let shape = match outlet.dtype() {
        ValueType::Tensor { shape, .. } => shape.iter().map(|size| usize::try_from(*size).ok()).collect(),
        _ => Vec::new(),
    };
    Port {
        name: outlet.name().to_string(),
        shape,
    }
}

fn commit(runtime: &Runtime, bytes: &[u8], onnx: &Onnx, gpu: Option<ep::CUDA>) -> Result<Session> {
    // Without its arena each batch takes all layers' arrays from the system anew: a fifth more CPU time, and more memory. `Network::rest` empties it.
    let cpu = ep::CPU::default().with_arena_allocator(true).build();
    let providers = match gpu {
        Some(gpu) => vec![gpu.build().error_on_failure(), cpu],
        None => vec![cpu],
    };
    let built = || -> ort::Result<Session> {
        let mut builder = Session::builder(&runtime.environment)?
            .with_optimization_level(GraphOptimizationLevel::All)?
            .with_intra_threads(work::threads())?
            .with_inter_threads(1)?
            .with_intra_op_spinning(false)?
            // Batches and tiles come in several sizes.
            .with_memory_pattern(false)?
            .with_execution_providers(providers)?;
        for (name, bytes) in &onnx.external {
            builder = builder.with_external_initializer_file_in_memory(name, Arc::from(bytes.as_slice()))?;
        }
        builder.commit_from_memory(bytes)
    };
    built().map_err(|e| refused(&e.to_string(), runtime))
}

/// Why a model is not taken, with the way out where its operators are it.
fn refused(text: &str, runtime: &Runtime) -> Error {
    const UNKNOWN: &str = "No Op registered for ";
    let unknown = text
        .split_once(UNKNOWN)
        .and_then(|(_, rest)| rest.split_whitespace().next());
    Error::message(match unknown {
        Some(operator) => format!(
            "ONNX Runtime {} does not know its operator `{operator}`; export it from ONNX's own operators, or by another opset (in PyTorch: \
             torch.onnx.export with opset_version=17)",
            runtime.version
        ),
        None => reason(text),
    })
}

fn on_gpu(runtime: &Runtime, bytes: &[u8], onnx: &Onnx, number: u8, opening: &Opening) -> Result<Session> {
    if !runtime.cuda {
        return Err(Error::message(format!(
            "this ONNX Runtime computes on the CPU only; `{}` brings the one for GPUs",
            ONNX_RUNTIME_CUDA.command
        )));
    }
    libraries::driver().map_err(Error::message)?;
    let folder = libraries::folder()?;
    if let [first, ..] = ONNX_RUNTIME_CUDA.missing(&folder).as_slice() {
        return Err(Error::message(format!(
            "{} is not in {}; `{}` brings it",
            first.package,
            folder.display(),
            ONNX_RUNTIME_CUDA.command
        )));
    }
    for member in ONNX_RUNTIME_CUDA.members() {
        libraries::find(member.path)?;
    }
    let at = |part: &str| folder.join(part);
    ep::cuda::preload_dylibs(Some(&at("nvidia/cu13/lib")), Some(&at("nvidia/cudnn/lib")))
        .map_err(|e| Error::message(e.to_string()))?;
    let mut gpu = ep::CUDA::default()
        .with_device_id(i32::from(number))
        .with_tf32(opening.precision == Precision::Tf32)
        .with_arena_extend_strategy(ep::ArenaExtendStrategy::SameAsRequested)
        .with_conv_algorithm_search(ep::cuda::ConvAlgorithmSearch::Heuristic);
    if let Some(memory) = opening.gpu_memory {
        gpu = gpu.with_memory_limit(memory);
    }
    commit(runtime, bytes, onnx, Some(gpu))
}

/// The runtime's words without the places in its source.
fn reason(text: &str) -> String {
    let text = text.lines().next().unwrap_or_default();
    let told = match text.rsplit_once(") ") {
        Some((place, told)) if place.contains(".cc:") || place.contains(".h:") => told,
        _ => text,
    };
    told.trim().trim_end_matches('.').to_string()
}

impl Network for Computed {
    fn inputs(&self) -> &[Port] {
        &self.inputs
    }

    fn outputs(&self) -> &[Port] {
        &self.outputs
    }

    fn identity(&self) -> &str {
        &self.identity
    }

    fn run(&self, inputs: &[ArrayD<f32>]) -> Result<Vec<ArrayD<f32>>> {
        interrupt::check()?;
        check_count(&self.inputs, inputs)?;
        let arrays: Vec<_> = inputs.iter().map(|array| array.as_standard_layout()).collect();
        let given = self.given(&arrays)?;
        let words = |e: ort::Error| self.failed(&e.to_string());
        let options = RunOptions::new().map_err(words)?;
        let mut session = self.session.lock().unwrap_or_else(|e| e.into_inner());
        let stop = || {
            // Refused only where the run has ended.
            let _ = options.terminate();
        };
        let done = watched(stop, || session.run_with_options(given, &options));
        interrupt::check()?;
        let done = done.map_err(words)?;
        self.outputs
            .iter()
            .map(|port| match done.get(&port.name) {
                Some(value) => output(&port.name, &value.view()),
                None => Err(Error::message(format!(
                    "the model has not given its output `{}`",
                    port.name
                ))),
            })
            .collect()
    }

    fn rest(&self) {
        // Arenas are emptied at the end of a run. One that is stopped before its first step is enough.
        let emptied = || -> ort::Result<()> {
            let mut options = RunOptions::new()?;
            options.set("memory.enable_memory_arena_shrinkage", "cpu:0")?;
            options.terminate()?;
            let sizes = |port: &Port| {
                port.shape
                    .iter()
                    .map(|size| size.unwrap_or(1))
                    .collect::<Vec<_>>()
            };
            let zeros: Vec<ArrayD<f32>> = self
                .inputs
                .iter()
                .map(|port| ArrayD::zeros(sizes(port)))
                .collect();
            let arrays: Vec<_> = zeros.iter().map(|array| array.as_standard_layout()).collect();
            // What cannot be given has never been run, and has filled no arena.
            let Ok(given) = self.given(&arrays) else {
                return Ok(());
            };
            let mut session = self.session.lock().unwrap_or_else(|e| e.into_inner());
            session.run_with_options(given, &options).map(drop)
        };
        // That it was stopped is what it says, always.
        let _ = emptied();
    }
}

impl Computed {
    fn given<'a>(
        &'a self,
        arrays: &'a [CowArray<'_, f32, IxDyn>],
    ) -> Result<Vec<(&'a str, SessionInputValue<'a>)>> {
        let ports = self.inputs.iter().zip(&self.kinds).zip(arrays);
        ports
            .map(|((port, kind), array)| Ok((port.name.as_str(), input(&port.name, *kind, array)?)))
            .collect()
    }

    fn failed(&self, text: &str) -> Error {
        let lower = text.to_lowercase();
        let of_memory = [
            "out of memory",
            "failed to allocate memory",
            "alloc_failed",
            "bfc_arena",
        ];
        match self.device {
            Device::Cuda(_) if of_memory.iter().any(|words| lower.contains(words)) => Error::DeviceMemory {
                device: self.device.to_string(),
                message: reason(text),
            },
            _ => Error::message(format!("the model has failed: {}", reason(text))),
        }
    }
}

/// Does `work` while another thread looks for a stop of this thread's context, and calls `stop` then.
fn watched<T>(stop: impl Fn() + Send, work: impl FnOnce() -> T) -> T {
    let context = work::current();
    std::thread::scope(|scope| {
        let (done, ended) = mpsc::channel::<()>();
        scope.spawn(move || {
            let _entered = context.enter();
            while ended.recv_timeout(LOOK) == Err(mpsc::RecvTimeoutError::Timeout) {
                if interrupt::requested() {
                    stop();
                }
            }
        });
        let out = work();
        drop(done);
        out
    })
}

/// Numbers as the model takes them: integers rounded.
fn input<'a>(
    name: &str,
    kind: TensorElementType,
    array: &'a CowArray<'_, f32, IxDyn>,
) -> Result<SessionInputValue<'a>> {
    use TensorElementType as Kind;
    Ok(match kind {
        Kind::Float32 => TensorRef::from_array_view(array.view()).map_err(wrong)?.into(),
        Kind::Float64 => tensor(array.mapv(f64::from))?,
        Kind::Float16 => tensor(array.mapv(f16::from_f32))?,
        Kind::Bfloat16 => tensor(array.mapv(bf16::from_f32))?,
        Kind::Uint8 => whole_tensor::<u8>(name, array)?,
        Kind::Int8 => whole_tensor::<i8>(name, array)?,
        Kind::Uint16 => whole_tensor::<u16>(name, array)?,
        Kind::Int16 => whole_tensor::<i16>(name, array)?,
        Kind::Int32 => whole_tensor::<i32>(name, array)?,
        Kind::Int64 => whole_tensor::<i64>(name, array)?,
        other => {
            return Err(Error::message(format!(
                "the model's input `{name}` is of {other}, which images have not"
            )));
        }
    })
}

fn wrong(e: ort::Error) -> Error {
    Error::message(reason(&e.to_string()))
}

fn tensor<T: PrimitiveTensorElementType + std::fmt::Debug + Clone + 'static>(
    array: ArrayD<T>,
) -> Result<SessionInputValue<'static>> {
    Ok(Tensor::from_array(array).map_err(wrong)?.into())
}

fn whole_tensor<T: PrimitiveTensorElementType + num_traits::NumCast + std::fmt::Debug + Clone + 'static>(
    name: &str,
    array: &CowArray<'_, f32, IxDyn>,
) -> Result<SessionInputValue<'static>> {
    let array = ArrayD::from_shape_vec(array.raw_dim(), whole::<T>(name, array)?);
    tensor(array.map_err(|e| Error::message(e.to_string()))?)
}

fn output(name: &str, value: &ValueRef<'_>) -> Result<ArrayD<f32>> {
    use TensorElementType as Kind;
    let ValueType::Tensor { ty, .. } = value.dtype() else {
        return Err(Error::message(format!(
            "the model's output `{name}` is {}, not an array of numbers",
            value.dtype()
        )));
    };
    macro_rules! as_f32 {
        ($t:ty, $f:expr) => {
            value.try_extract_array::<$t>().map_err(wrong)?.mapv($f)
        };
    }
    Ok(match ty {
        Kind::Float32 => value.try_extract_array::<f32>().map_err(wrong)?.to_owned(),
        Kind::Float64 => as_f32!(f64, |x| x as f32),
        Kind::Float16 => as_f32!(f16, f16::to_f32),
        Kind::Bfloat16 => as_f32!(bf16, bf16::to_f32),
        Kind::Uint8 => as_f32!(u8, f32::from),
        Kind::Int8 => as_f32!(i8, f32::from),
        Kind::Uint16 => as_f32!(u16, f32::from),
        Kind::Int16 => as_f32!(i16, f32::from),
        Kind::Int32 => as_f32!(i32, |x| x as f32),
        Kind::Int64 => as_f32!(i64, |x| x as f32),
        Kind::Bool => as_f32!(bool, |x| f32::from(u8::from(x))),
        other => {
            return Err(Error::message(format!(
                "the model's output `{name}` is of {other}, which images have not"
            )));
        }
    })
}
