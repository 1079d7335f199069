//! The wire format of Protocol Buffers, as far as writing ONNX needs it.

/// A message being written, field after field.
#[derive(Debug, Default, Clone)]
pub(super) struct Message(Vec<u8>);

impl Message {
    fn varint(&mut self, mut value: u64) {
        while value > 127 {
            self.0.push((value & 127) as u8 | 128);
            value >>= 7;
        }
        self.0.push(value as u8);
    }

    pub fn integer(&mut self, field: u32, value: i64) -> &mut Message {
        self.varint(u64::from(field) << 3);
        self.varint(value as u64);
        self
    }

    pub fn bytes(&mut self, field: u32, value: &[u8]) -> &mut Message {
        self.varint(u64::from(field) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
        self
    }

    pub fn text(&mut self, field: u32, value: &str) -> &mut Message {
        self.bytes(field, value.as_bytes())
    }

    pub fn message(&mut self, field: u32, value: &Message) -> &mut Message {
        self.bytes(field, &value.0)
    }

    /// The fields of another message behind those that are there.
    pub fn append(&mut self, other: &Message) -> &mut Message {
        self.0.extend_from_slice(&other.0);
        self
    }

    pub fn into_bytes(self) -> Vec<u8> {
        self.0
    }
}
