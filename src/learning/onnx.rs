//! Networks as ONNX files: opset 17, IR version 8, any number of samples, rows and columns, batch normalisation folded into the convolutions
//! before it. Numbers of fields and types are those of onnx.proto.

use std::collections::BTreeMap;

use super::network::{Array, Plan, Step, Weights};
use super::protobuf::Message;
use super::torch::operators::NORMALISATION_EPSILON;
use crate::error::{Error, Result};

/// The name of the input, (samples, channels, rows, columns).
pub const INPUT: &str = "image";
/// The name of the output: logits, (samples, classes, rows, columns).
pub const OUTPUT: &str = "logits";

const IR_VERSION: i64 = 8;
const OPSET: i64 = 17;
/// `TensorProto.DataType.FLOAT`
const FLOAT: i64 = 1;
/// A file of protocol buffers holds less than 2 GiB.
const MOST_BYTES: usize = i32::MAX as usize;

enum Attribute<'a> {
    Integer(i64),
    Integers(&'a [i64]),
    Text(&'a str),
}

/// The file of a network: its steps, its weights and texts for whoever uses it.
///
/// # Errors
/// Where a weight is missing, has another size, is left over, or is not finite; or the file would be 2 GiB or more.
pub fn write(plan: &Plan, weights: &Weights, metadata: &BTreeMap<String, String>) -> Result<Vec<u8>> {
    let mut graph = Graph {
        left: weights.iter().collect(),
        nodes: Message::default(),
        tensors: Message::default(),
        count: 0,
    };
    let last = graph.steps(plan)?;
    if !graph.left.is_empty() {
        let names: Vec<String> = graph.left.into_keys().cloned().collect();
        return Err(Error::message(format!(
            "the network has no place for {} of its weights: {}",
            names.len(),
            names.join(", ")
        )));
    }
    graph
        .nodes
        .message(1, &node("Identity", &[&last], OUTPUT, "output", &[]));
    let classes = plan.channels_of(plan.nodes.len());
    let mut whole = Message::default();
    whole
        .append(&graph.nodes)
        .text(2, "network")
        .append(&graph.tensors)
        .message(11, &port(INPUT, plan.channels))
        .message(12, &port(OUTPUT, classes));
    let mut opset = Message::default();
    opset.text(1, "").integer(2, OPSET);
    let mut model = Message::default();
    model
        .integer(1, IR_VERSION)
        .text(2, "perilune")
        .text(3, env!("CARGO_PKG_VERSION"))
        .message(7, &whole)
        .message(8, &opset);
    for (key, text) in metadata {
        let mut entry = Message::default();
        entry.text(1, key).text(2, text);
        model.message(14, &entry);
    }
    let bytes = model.into_bytes();
    if bytes.len() > MOST_BYTES {
        return Err(Error::message(format!(
            "an ONNX file holds at most 2 GiB, and this network needs {} bytes",
            bytes.len()
        )));
    }
    Ok(bytes)
}

/// An input or output of floats (`ValueInfoProto`).
fn port(name: &str, channels: usize) -> Message {
    let mut shape = Message::default();
    for axis in [Err("n"), Ok(channels), Err("h"), Err("w")] {
        let mut dimension = Message::default();
        match axis {
            Ok(length) => dimension.integer(1, length as i64),
            Err(any) => dimension.text(2, any),
        };
        shape.message(1, &dimension);
    }
    let (mut tensor, mut kind, mut port) = (Message::default(), Message::default(), Message::default());
    tensor.integer(1, FLOAT).message(2, &shape);
    kind.message(1, &tensor);
    port.text(1, name).message(2, &kind);
    port
}

fn node(
    operator: &str,
    inputs: &[&str],
    output: &str,
    name: &str,
    attributes: &[(&str, Attribute<'_>)],
) -> Message {
    let mut node = Message::default();
    for input in inputs {
        node.text(1, input);
    }
    node.text(2, output).text(3, name).text(4, operator);
    for (key, value) in attributes {
        let mut attribute = Message::default();
        attribute.text(1, key);
        match value {
            Attribute::Integer(value) => attribute.integer(3, *value).integer(20, 2),
            Attribute::Text(value) => attribute.text(4, value).integer(20, 3),
            Attribute::Integers(values) => {
                for value in *values {
                    attribute.integer(8, *value);
                }
                attribute.integer(20, 7)
            }
        };
        node.message(5, &attribute);
    }
    node
}

struct Graph<'a> {
    /// Weights that no step has taken yet.
    left: BTreeMap<&'a String, &'a Array>,
    nodes: Message,
    tensors: Message,
    count: usize,
}

impl Graph<'_> {
    /// Writes all steps; the name of what the last gives.
    fn steps(&mut self, plan: &Plan) -> Result<String> {
        const SCALES: &str = "twice";
        self.tensor(SCALES, &[4], &[1.0, 1.0, 2.0, 2.0]);
        let mut names = vec![INPUT.to_string()];
        let nodes = &plan.nodes;
        for (i, step) in nodes.iter().enumerate() {
            let from: Vec<&str> = step.from.iter().map(|value| names[*value].as_str()).collect();
            let name = match &step.step {
                Step::Convolution {
                    name,
                    kernel,
                    stride,
                    has_bias,
                } => {
                    let normalisation = match nodes.get(i + 1).map(|next| &next.step) {
                        Some(Step::Normalisation { name }) if nodes[i + 1].from == [i + 1] => {
                            Some(name.as_str())
                        }
                        _ => None,
                    };
                    let [weight, bias] = self.convolution(name, *has_bias, normalisation)?;
                    let (kernel, stride, padding) = (*kernel as i64, *stride as i64, (*kernel / 2) as i64);
                    self.node(
                        "Conv",
                        &[from[0], &weight, &bias],
                        &[
                            ("kernel_shape", Attribute::Integers(&[kernel; 2])),
                            ("strides", Attribute::Integers(&[stride; 2])),
                            ("pads", Attribute::Integers(&[padding; 4])),
                            ("dilations", Attribute::Integers(&[1; 2])),
                            ("group", Attribute::Integer(1)),
                        ],
                    )
                }
                // In the convolution before it.
                Step::Normalisation { .. } => from[0].to_string(),
                Step::Relu => self.node("Relu", &from, &[]),
                Step::MaxPool => self.node(
                    "MaxPool",
                    &from,
                    &[
                        ("kernel_shape", Attribute::Integers(&[3; 2])),
                        ("strides", Attribute::Integers(&[2; 2])),
                        ("pads", Attribute::Integers(&[1; 4])),
                    ],
                ),
                Step::Add => self.node("Add", &from, &[]),
                Step::Double => self.node(
                    "Resize",
                    &[from[0], "", SCALES],
                    &[
                        ("mode", Attribute::Text("nearest")),
                        ("coordinate_transformation_mode", Attribute::Text("asymmetric")),
                        ("nearest_mode", Attribute::Text("floor")),
                    ],
                ),
                Step::Concatenate => self.node("Concat", &from, &[("axis", Attribute::Integer(1))]),
            };
            names.push(name);
        }
        Ok(names.pop().unwrap_or_default())
    }

    fn node(&mut self, operator: &str, inputs: &[&str], attributes: &[(&str, Attribute<'_>)]) -> String {
        self.count += 1;
        let output = format!("value_{}", self.count);
        let name = format!("{operator}_{}", self.count);
        self.nodes
            .message(1, &node(operator, inputs, &output, &name, attributes));
        output
    }

    fn tensor(&mut self, name: &str, shape: &[usize], values: &[f32]) {
        let mut tensor = Message::default();
        for length in shape {
            tensor.integer(1, *length as i64);
        }
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        tensor.integer(2, FLOAT).text(8, name).bytes(9, &bytes);
        self.tensors.message(5, &tensor);
    }

    fn take(&mut self, name: &str, part: &str) -> Result<&Array> {
        let name = format!("{name}.{part}");
        let array = self
            .left
            .remove(&name)
            .ok_or_else(|| Error::not_found("weight", name.as_str(), Vec::<String>::new()))?;
        match array.values.iter().find(|v| !v.is_finite()) {
            Some(value) => Err(Error::message(format!(
                "the weight {name} holds {value}: the network has not been trained well; use an earlier checkpoint"
            ))),
            None => Ok(array),
        }
    }

    /// Writes kernel and bias of a convolution, with the normalisation after it in them; their names.
    fn convolution(
        &mut self,
        name: &str,
        has_bias: bool,
        normalisation: Option<&str>,
    ) -> Result<[String; 2]> {
        let kernel = self.take(name, "weight")?;
        let (shape, mut values) = (kernel.shape.clone(), kernel.values.clone());
        let outputs = shape.first().copied().unwrap_or(0);
        let mut bias: Vec<f64> = match has_bias {
            true => self
                .take(name, "bias")?
                .values
                .iter()
                .map(|v| f64::from(*v))
                .collect(),
            false => vec![0.0; outputs],
        };
        if let Some(normalisation) = normalisation {
            let mut part = |part| Ok::<_, Error>(self.take(normalisation, part)?.values.clone());
            let (scale, shift) = (part("weight")?, part("bias")?);
            let (mean, variance) = (part("running_mean")?, part("running_var")?);
            let area = values.len() / outputs.max(1);
            for (i, of_output) in values.chunks_mut(area.max(1)).enumerate() {
                let factor = f64::from(scale[i]) / (f64::from(variance[i]) + NORMALISATION_EPSILON).sqrt();
                of_output
                    .iter_mut()
                    .for_each(|v| *v = (f64::from(*v) * factor) as f32);
                bias[i] = (bias[i] - f64::from(mean[i])) * factor + f64::from(shift[i]);
            }
        }
        let names = ["weight", "bias"].map(|part| format!("{name}.{part}"));
        let bias: Vec<f32> = bias.into_iter().map(|v| v as f32).collect();
        self.tensor(&names[0], &shape, &values);
        self.tensor(&names[1], &[outputs], &bias);
        Ok(names)
    }
}

#[cfg(test)]
mod tests {
    use rten::Model;
    use rten_tensor::NdTensor;
    use rten_tensor::prelude::*;

    use super::*;
    use crate::learning::fixtures::{self, assert_close};
    use crate::learning::network::{Encoder, Net, UNet, on_device};
    use crate::learning::torch::{self, Device};

    fn small() -> (Plan, Weights) {
        let unet = UNet {
            encoder: Encoder::ResNet18,
            channels: 3,
            classes: 2,
        };
        let plan = unet.plan();
        let weights = fixtures::weights(&plan.parameters());
        (plan, weights)
    }

    /// Another engine reads the file and computes what libtorch does, at several sizes.
    #[test]
    fn the_file_computes_what_the_network_does() {
        torch::open(Device::Cpu).unwrap();
        for (encoder, channels, classes) in [
            (Encoder::ResNet18, 4, 2),
            (Encoder::ResNet34, 1, 2),
            (Encoder::ResNet50, 2, 3),
        ] {
            let unet = UNet {
                encoder,
                channels,
                classes,
            };
            let plan = unet.plan();
            let weights = fixtures::weights(&plan.parameters());
            let file = write(&plan, &weights, &BTreeMap::new()).unwrap();
            let model = Model::load(file).unwrap();
            let net = Net::new(plan, on_device(&weights, Device::Cpu).unwrap(), Device::Cpu).unwrap();
            for (samples, rows, cols) in [(1, 64, 64), (2, 32, 96)] {
                let size = [samples, channels, rows, cols];
                let expected = net
                    .evaluate(&fixtures::tensor(7, &size))
                    .unwrap()
                    .to_floats()
                    .unwrap();
                let image = NdTensor::from_data(size, fixtures::array(7, size.iter().product()));
                let logits: NdTensor<f32, 4> = model
                    .run_one(image.view().into(), None)
                    .unwrap()
                    .try_into()
                    .unwrap();
                assert_eq!(logits.shape(), [samples, classes, rows, cols]);
                assert_close(&unet.to_string(), &logits.to_vec(), &expected, 1e-5);
            }
        }
    }

    #[test]
    fn the_file_carries_names_and_texts() {
        let (plan, weights) = small();
        let texts = BTreeMap::from([("perilune".to_string(), "{\"bands\": [\"hh\"]}".to_string())]);
        let model = Model::load(write(&plan, &weights, &texts).unwrap()).unwrap();
        let texts: Vec<_> = ["perilune"].iter().map(|key| model.metadata().get(key)).collect();
        assert_eq!(texts, [Some("{\"bands\": [\"hh\"]}")]);
        let named = |name: &str| model.node_id(name).unwrap();
        assert_eq!(model.input_ids(), [named(INPUT)]);
        assert_eq!(model.output_ids(), [named(OUTPUT)]);
    }

    #[test]
    fn weights_that_are_missing_left_over_or_no_numbers_are_errors() {
        let (plan, weights) = small();
        let none = BTreeMap::new();
        let why = |weights: &Weights| write(&plan, weights, &none).unwrap_err().to_string();
        let mut less = weights.clone();
        less.remove("encoder.bn1.running_var");
        assert!(
            why(&less).contains("no weight `encoder.bn1.running_var`"),
            "{}",
            why(&less)
        );
        let mut more = weights.clone();
        more.insert("fc.bias".into(), weights["encoder.bn1.bias"].clone());
        assert!(
            why(&more).contains("no place for 1 of its weights: fc.bias"),
            "{}",
            why(&more)
        );
        let mut broken = weights;
        if let Some(array) = broken.get_mut("segmentation_head.0.weight") {
            array.values[5] = f32::NAN;
        }
        let text = why(&broken);
        assert!(text.contains("segmentation_head.0.weight holds NaN"), "{text}");
    }
}
