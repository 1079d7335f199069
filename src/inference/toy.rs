//! Small ONNX files for tests, written by hand.

/// A protobuf message.
#[derive(Default, Clone)]
pub struct Message(pub Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push(value as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn int(mut self, field: u64, value: i64) -> Message {
        self.varint(field << 3);
        self.varint(value.cast_unsigned());
        self
    }

    pub fn bytes(mut self, field: u64, bytes: &[u8]) -> Message {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
        self
    }

    pub fn text(self, field: u64, text: &str) -> Message {
        self.bytes(field, text.as_bytes())
    }

    pub fn message(self, field: u64, message: &Message) -> Message {
        self.bytes(field, &message.0)
    }
}

pub const FLOAT: i64 = 1;

/// A tensor of the graph's inputs or outputs; axes by size, those of any size by name.
pub fn port(name: &str, kind: i64, axes: &[Result<i64, &str>]) -> Message {
    let mut shape = Message::default();
    for axis in axes {
        shape = shape.message(
            1,
            &match axis {
                Ok(size) => Message::default().int(1, *size),
                Err(name) => Message::default().text(2, name),
            },
        );
    }
    let tensor = Message::default().int(1, kind).message(2, &shape);
    let kind = Message::default().message(1, &tensor);
    Message::default().text(1, name).message(2, &kind)
}

pub fn weights(name: &str, dims: &[i64], values: &[f32]) -> Message {
    let raw: Vec<u8> = values.iter().flat_map(|x| x.to_le_bytes()).collect();
    header(name, dims, FLOAT).bytes(9, &raw)
}

pub fn header(name: &str, dims: &[i64], kind: i64) -> Message {
    let tensor = dims
        .iter()
        .fold(Message::default(), |tensor, size| tensor.int(1, *size));
    tensor.int(2, kind).text(8, name)
}

pub fn node(operator: &str, inputs: &[&str], output: &str, attributes: &[Message]) -> Message {
    let node = inputs
        .iter()
        .fold(Message::default(), |node, input| node.text(1, input));
    let node = node.text(2, output).text(3, output).text(4, operator);
    attributes
        .iter()
        .fold(node, |node, attribute| node.message(5, attribute))
}

pub fn ints(name: &str, values: &[i64]) -> Message {
    let attribute = Message::default().text(1, name);
    values
        .iter()
        .fold(attribute, |attribute, value| attribute.int(8, *value))
        .int(20, 7)
}

pub fn int(name: &str, value: i64) -> Message {
    Message::default().text(1, name).int(3, value).int(20, 2)
}

/// `parts`: numbered fields of the graph (1 nodes, 5 weights, 11 inputs, 12 outputs).
pub fn model(parts: &[(u64, Message)], opset: i64, metadata: &[(&str, &str)]) -> Vec<u8> {
    let graph = parts.iter().fold(Message::default(), |graph, (field, part)| {
        graph.message(*field, part)
    });
    let graph = graph.text(2, "toy");
    let set = Message::default().text(1, "").int(2, opset);
    let model = Message::default()
        .int(1, 8)
        .text(2, "toy")
        .message(7, &graph)
        .message(8, &set);
    let model = metadata.iter().fold(model, |model, (key, value)| {
        model.message(14, &Message::default().text(1, key).text(2, value))
    });
    model.0
}

/// One convolution of 3 × 3 from two bands to one, of any height and width; the kernels are those given.
pub fn convolution(kernels: &[f32; 18], bias: f32, metadata: &[(&str, &str)]) -> Vec<u8> {
    let attributes = [ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])];
    model(
        &[
            (
                1,
                node("Conv", &["image", "kernels", "bias"], "scores", &attributes),
            ),
            (5, weights("kernels", &[1, 2, 3, 3], kernels)),
            (5, weights("bias", &[1], &[bias])),
            (11, port("image", FLOAT, &[Err("n"), Ok(2), Err("h"), Err("w")])),
            (12, port("scores", FLOAT, &[Err("n"), Ok(1), Err("h"), Err("w")])),
        ],
        17,
        metadata,
    )
}

/// `cast`: the input is of `kind` and becomes float32, on which 1 is added.
pub fn plus_one(kind: i64) -> Vec<u8> {
    model(
        &[
            (1, node("Cast", &["x"], "f", &[int("to", FLOAT)])),
            (1, node("Add", &["f", "one"], "g", &[])),
            (1, node("Cast", &["g"], "y", &[int("to", kind)])),
            (5, weights("one", &[1], &[1.0])),
            (11, port("x", kind, &[Err("n"), Ok(3)])),
            (12, port("y", kind, &[Err("n"), Ok(3)])),
        ],
        17,
        &[],
    )
}

/// Multiplies a square matrix with itself `times` times: work of any length.
pub fn long(times: usize) -> Vec<u8> {
    let names: Vec<String> = (0..=times)
        .map(|i| if i == 0 { "x".into() } else { format!("y{i}") })
        .collect();
    let mut parts = vec![
        (11, port("x", FLOAT, &[Err("n"), Err("n")])),
        (12, port(&names[times], FLOAT, &[Err("n"), Err("n")])),
    ];
    for pair in names.windows(2) {
        parts.push((1, node("MatMul", &["x", &pair[0]], &pair[1], &[])));
    }
    model(&parts, 17, &[])
}

/// Convolutions of 3 × 3 with ReLU between them, `channels` wide, from two bands to two: work as that of a network of the field.
pub fn deep(layers: usize, channels: i64) -> Vec<u8> {
    let io = [Err("n"), Ok(2), Err("h"), Err("w")];
    let mut parts = vec![(11, port("image", FLOAT, &io)), (12, port("scores", FLOAT, &io))];
    let mut seed = 1_u32;
    let (mut from, mut wide) = ("image".to_string(), 2);
    for layer in 1..=layers {
        let last = layer == layers;
        let to = if last { 2 } else { channels };
        let size = usize::try_from(to * wide * 9).unwrap_or(0);
        // Of variance 2 over the numbers that are summed, as He et al. 2015 start networks.
        let spread = (6.0 / (wide as f32 * 9.0)).sqrt();
        let values: Vec<f32> = (0..size)
            .map(|_| {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((seed >> 8) as f32 / (1 << 23) as f32 - 1.0) * spread
            })
            .collect();
        let kernels = format!("w{layer}");
        parts.push((5, weights(&kernels, &[to, wide, 3, 3], &values)));
        let attributes = [ints("kernel_shape", &[3, 3]), ints("pads", &[1, 1, 1, 1])];
        let out = if last {
            "scores".to_string()
        } else {
            format!("c{layer}")
        };
        parts.push((1, node("Conv", &[&from, &kernels], &out, &attributes)));
        if !last {
            from = format!("r{layer}");
            parts.push((1, node("Relu", &[&out], &from, &[])));
        }
        wide = to;
    }
    model(&parts, 17, &[])
}
