//! A network computed by rten, in Rust: where ONNX Runtime is not set up. It is slower and knows fewer operators and types.

use std::sync::{Arc, mpsc};
use std::time::Duration;

use ndarray::ArrayD;
use rten::{
    DataType, Dimension, Model, ModelOptions, NodeId, RunOptions, ThreadPool, Value, ValueOrView, ValueType,
};
use rten_tensor::Tensor;
use rten_tensor::prelude::*;

use super::network::{Network, Port, check_count, whole};
use super::onnx::Onnx;
use crate::error::{Error, Result};
use crate::libraries::ONNX_RUNTIME;
use crate::{interrupt, work};

const LOOK: Duration = Duration::from_millis(50);

/// rten goes through a graph by recursion: bytes of stack for each step of the longest chain, which may be all of them. What is not used of it is
/// never taken from the system.
const STACK_A_NODE: usize = 2 << 10;
const STACK: usize = 8 << 20;

pub struct Fallback {
    model: Arc<Model>,
    threads: Arc<ThreadPool>,
    inputs: Vec<Port>,
    outputs: Vec<Port>,
    kinds: Vec<Option<ValueType>>,
    takes: Vec<NodeId>,
    gives: Vec<NodeId>,
    stack: usize,
    identity: String,
}

/// # Errors
/// For what rten cannot compute; names ONNX Runtime as the way out.
pub fn open(bytes: Vec<u8>, onnx: &Onnx, identity: &str) -> Result<(Fallback, String)> {
    let external = onnx.external.clone();
    let stack = STACK + onnx.nodes * STACK_A_NODE;
    let loading = std::thread::Builder::new().stack_size(stack);
    let model = loading
        .spawn(move || {
            let mut options = ModelOptions::with_all_ops();
            for (name, bytes) in external {
                options.external_data(&name, bytes);
            }
            options.load(bytes).map_err(|e| beyond(&e.to_string()))
        })
        .map_err(|e| beyond(&format!("no thread for {} steps: {e}", onnx.nodes)))?
        .join()
        .unwrap_or_else(|_| Err(beyond("it is damaged")))?;
    let ports = |ids: &[NodeId]| ids.iter().map(|id| port(&model, *id)).collect();
    let fallback = Fallback {
        inputs: ports(model.input_ids()),
        outputs: ports(model.output_ids()),
        kinds: model
            .input_ids()
            .iter()
            .map(|id| model.node_info(*id).and_then(|node| node.dtype()))
            .collect(),
        takes: model.input_ids().to_vec(),
        gives: model.output_ids().to_vec(),
        threads: Arc::new(ThreadPool::with_num_threads(work::threads())),
        model: Arc::new(model),
        stack,
        identity: identity.to_string(),
    };
    Ok((fallback, "cpu by rten".to_string()))
}

fn port(model: &Model, id: NodeId) -> Port {
    let node = model.node_info(id);
    let size = |size: Dimension| match size {
        Dimension::Fixed(size) => Some(size),
        Dimension::Symbolic(_) => None,
    };
    Port {
        name: node
            .as_ref()
            .and_then(|node| node.name())
            .unwrap_or_default()
            .to_string(),
        shape: node
            .and_then(|node| node.shape())
            .map(|shape| shape.into_iter().map(size).collect())
            .unwrap_or_default(),
    }
}

fn beyond(why: &str) -> Error {
    Error::message(format!(
        "without ONNX Runtime this model cannot be computed ({why}); `{}` brings it",
        ONNX_RUNTIME.command
    ))
}

impl Network for Fallback {
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
        let mut given: Vec<(NodeId, ValueOrView<'static>)> = Vec::new();
        for (((id, kind), port), array) in self.takes.iter().zip(&self.kinds).zip(&self.inputs).zip(inputs) {
            given.push((*id, input(&port.name, *kind, array)?.into()));
        }
        let (model, gives) = (self.model.clone(), self.gives.clone());
        let mut options = RunOptions::default();
        options.thread_pool = Some(self.threads.clone());
        // It knows no stop: on one its thread is left behind, to end by itself.
        let (done, ended) = mpsc::channel();
        let running = std::thread::Builder::new().stack_size(self.stack).spawn(move || {
            let made = model.run(given, &gives, Some(options));
            let _ = done.send(made.map_err(|e| e.to_string()));
        });
        running.map_err(|e| Error::message(format!("the model gets no thread: {e}")))?;
        let made = loop {
            match ended.recv_timeout(LOOK) {
                Ok(made) => break made,
                Err(mpsc::RecvTimeoutError::Timeout) => interrupt::check()?,
                Err(mpsc::RecvTimeoutError::Disconnected) => {
                    break Err("it has ended without an answer".to_string());
                }
            }
        };
        let made = made.map_err(|why| beyond(&why))?;
        made.into_iter()
            .zip(&self.outputs)
            .map(|(value, port)| output(&port.name, value))
            .collect()
    }
}

fn input(name: &str, kind: Option<ValueType>, array: &ArrayD<f32>) -> Result<Value> {
    let shape = array.shape();
    Ok(match kind {
        None | Some(ValueType::Tensor(DataType::Float)) => {
            Tensor::from_data(shape, array.iter().copied().collect::<Vec<f32>>()).into()
        }
        Some(ValueType::Tensor(DataType::Int32)) => {
            Tensor::from_data(shape, whole::<i32>(name, array)?).into()
        }
        Some(other) => return Err(beyond(&format!("its input `{name}` is of {other:?}"))),
    })
}

fn output(name: &str, value: Value) -> Result<ArrayD<f32>> {
    let (shape, numbers) = match value {
        Value::FloatTensor(it) => (it.shape().to_vec(), it.to_vec()),
        Value::Int32Tensor(it) => (it.shape().to_vec(), it.iter().map(|x| *x as f32).collect()),
        Value::Int8Tensor(it) => (it.shape().to_vec(), it.iter().map(|x| f32::from(*x)).collect()),
        Value::UInt8Tensor(it) => (it.shape().to_vec(), it.iter().map(|x| f32::from(*x)).collect()),
        _ => return Err(beyond(&format!("its output `{name}` is no array of numbers"))),
    };
    ArrayD::from_shape_vec(shape, numbers).map_err(|e| Error::message(e.to_string()))
}
