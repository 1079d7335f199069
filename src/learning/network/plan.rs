//! A network as data: the steps in their order, from which its parameters, its forward and backward pass and its ONNX file follow.

/// One step. Images are (samples, channels, rows, columns).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A square kernel of odd size, padded by half of it. Parameters `weight` and, where it has one, `bias`.
    Convolution {
        name: String,
        kernel: usize,
        stride: usize,
        has_bias: bool,
    },
    /// Batch normalisation. Parameters `weight`, `bias`, `running_mean`, `running_var`.
    Normalisation {
        name: String,
    },
    Relu,
    /// Of 3 × 3 pixels with a stride of 2.
    MaxPool,
    Add,
    /// Every pixel four times.
    Double,
    /// Along the channels.
    Concatenate,
}

/// A step with the values that it takes and the channels that it gives. Value 0 is the image; node i gives value i + 1.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    pub step: Step,
    pub from: Vec<usize>,
    pub channels: usize,
}

/// What a parameter is to its step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// (outputs, inputs, rows, columns)
    Kernel,
    /// Added, one a channel.
    Bias,
    /// Multiplied, one a channel.
    Scale,
    RunningMean,
    RunningVariance,
}

impl Role {
    /// Whether the optimiser changes it. The running numbers follow the batches.
    pub fn is_trained(self) -> bool {
        !matches!(self, Role::RunningMean | Role::RunningVariance)
    }
}

/// A tensor of the state dict.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameter {
    pub name: String,
    pub shape: Vec<usize>,
    pub role: Role,
}

/// All steps of a network. The last gives the logits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Of the image.
    pub channels: usize,
    pub nodes: Vec<Node>,
}

impl Plan {
    pub fn new(channels: usize) -> Plan {
        Plan {
            channels,
            nodes: Vec::new(),
        }
    }

    /// Adds a step; the number of the value that it gives.
    pub fn push(&mut self, step: Step, from: &[usize], channels: usize) -> usize {
        self.nodes.push(Node {
            step,
            from: from.to_vec(),
            channels,
        });
        self.nodes.len()
    }

    pub fn channels_of(&self, value: usize) -> usize {
        match value.checked_sub(1) {
            Some(node) => self.nodes[node].channels,
            None => self.channels,
        }
    }

    /// In the order of the steps.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        let mut push = |name: &str, part: &str, shape: &[usize], role| {
            all.push(Parameter {
                name: format!("{name}.{part}"),
                shape: shape.to_vec(),
                role,
            });
        };
        for node in &self.nodes {
            let one = [node.channels];
            match &node.step {
                Step::Convolution {
                    name,
                    kernel,
                    has_bias,
                    ..
                } => {
                    let inputs = self.channels_of(node.from[0]);
                    push(
                        name,
                        "weight",
                        &[node.channels, inputs, *kernel, *kernel],
                        Role::Kernel,
                    );
                    if *has_bias {
                        push(name, "bias", &one, Role::Bias);
                    }
                }
                Step::Normalisation { name } => {
                    push(name, "weight", &one, Role::Scale);
                    push(name, "bias", &one, Role::Bias);
                    push(name, "running_mean", &one, Role::RunningMean);
                    push(name, "running_var", &one, Role::RunningVariance);
                }
                Step::Relu | Step::MaxPool | Step::Add | Step::Double | Step::Concatenate => {}
            }
        }
        all
    }

    /// The node that uses each value last; that of a value nobody uses is its own.
    pub fn last_uses(&self) -> Vec<usize> {
        let mut last: Vec<usize> = (0..=self.nodes.len())
            .map(|value| value.saturating_sub(1))
            .collect();
        for (i, node) in self.nodes.iter().enumerate() {
            for value in &node.from {
                last[*value] = i;
            }
        }
        last
    }

    /// What a sample of this size takes in training: the values that the way back needs, and the largest of them once more for its gradient
    /// and the library's own copy of it.
    pub fn bytes_in_training(&self, rows: usize, cols: usize) -> usize {
        let mut sizes = vec![(rows, cols)];
        let (mut sum, mut largest) = (0usize, 0);
        for node in &self.nodes {
            let (rows, cols) = sizes[node.from[0]];
            let size = match node.step {
                Step::Convolution { stride, .. } => (rows.div_ceil(stride), cols.div_ceil(stride)),
                Step::MaxPool => (rows.div_ceil(2), cols.div_ceil(2)),
                Step::Double => (rows * 2, cols * 2),
                Step::Normalisation { .. } | Step::Relu | Step::Add | Step::Concatenate => (rows, cols),
            };
            sizes.push(size);
            let bytes = size
                .0
                .saturating_mul(size.1)
                .saturating_mul(node.channels * size_of::<f32>());
            largest = bytes.max(largest);
            // A relu writes over what it is given; doubled values go into a concatenation and are let go.
            if !matches!(node.step, Step::Relu | Step::Double) {
                sum = sum.saturating_add(bytes);
            }
        }
        sum.saturating_add(largest.saturating_mul(3))
    }
}
