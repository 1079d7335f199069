//! Messages between a front end and its kernel: frames of JSON, signed by a key that both know.

use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use jiff::Timestamp;
use ring::hmac;
use ring::rand::{SecureRandom, SystemRandom};
use serde_json::{Value as Json, json};
use zeromq::ZmqMessage;

use crate::error::{Error, Result};

/// Of the protocol, in which a client that subscribes is welcomed.
pub const VERSION: &str = "5.4";
/// Between the names of peers and what is said.
const DELIMITER: &[u8] = b"<IDS|MSG>";

/// What signs messages, and by what the messages of this process are told apart.
pub struct Signer {
    /// None where the front end wants no signatures.
    key: Option<hmac::Key>,
    session: String,
    sent: AtomicU64,
}

impl Signer {
    /// # Errors
    /// When the system has no random numbers.
    pub fn new(key: &str) -> Result<Signer> {
        let mut random = [0; 16];
        SystemRandom::new()
            .fill(&mut random)
            .map_err(|_| Error::message("the system gives no random numbers"))?;
        Ok(Signer {
            key: (!key.is_empty()).then(|| hmac::Key::new(hmac::HMAC_SHA256, key.as_bytes())),
            session: hex(&random),
            sent: AtomicU64::new(0),
        })
    }

    fn signature(&self, parts: &[Bytes]) -> String {
        let Some(key) = &self.key else {
            return String::new();
        };
        hex(hmac::sign(key, &parts.concat()).as_ref())
    }

    fn verify(&self, parts: &[Bytes], signature: &[u8]) -> Result<()> {
        let Some(key) = &self.key else { return Ok(()) };
        let signature = unhex(signature).unwrap_or_default();
        hmac::verify(key, &parts.concat(), &signature)
            .map_err(|_| Error::message("a message that is signed by another key was left out"))
    }
}

/// What was said, by whom, in answer to what.
#[derive(Debug, Clone)]
pub struct Message {
    /// Who it came from or goes to, by the names that its socket has for them.
    peers: Vec<Bytes>,
    header: Json,
    /// The header of the message to which this one belongs.
    parent: Json,
    pub content: Json,
}

impl Message {
    /// For all who listen.
    pub fn about(signer: &Signer, kind: &str, content: Json, parent: Option<&Message>) -> Message {
        let number = signer.sent.fetch_add(1, Ordering::Relaxed);
        Message {
            peers: vec![Bytes::from(kind.to_string())],
            header: json!({
                "msg_id": format!("{}_{number}", signer.session),
                "session": signer.session,
                "username": "perilune",
                "date": format!("{:.6}", Timestamp::now()),
                "msg_type": kind,
                "version": VERSION,
            }),
            parent: parent.map_or_else(|| json!({}), |parent| parent.header.clone()),
            content,
        }
    }

    /// For the one who has asked: `x_reply` to `x_request`.
    pub fn answer(signer: &Signer, content: Json, request: &Message) -> Message {
        let kind = request.kind().replace("_request", "_reply");
        Message {
            peers: request.peers.clone(),
            ..Message::about(signer, &kind, content, Some(request))
        }
    }

    pub fn kind(&self) -> &str {
        self.header["msg_type"].as_str().unwrap_or_default()
    }

    /// # Errors
    /// Frames that are no message, or that another key has signed.
    pub fn read(signer: &Signer, frames: ZmqMessage) -> Result<Message> {
        let frames = frames.into_vec();
        let delimiter = frames.iter().position(|frame| frame == DELIMITER);
        let said = delimiter.map_or(&[][..], |at| &frames[at + 1..]);
        let [signature, parts @ ..] = said else {
            return Err(Error::message("what is no message of Jupyter was left out"));
        };
        let Some(parts) = parts.get(..4) else {
            return Err(Error::message("a message without its content was left out"));
        };
        signer.verify(parts, signature)?;
        let json = |part: &Bytes| {
            serde_json::from_slice(part)
                .map_err(|e| Error::message(format!("a message that is no JSON was left out: {e}")))
        };
        Ok(Message {
            peers: frames[..delimiter.unwrap_or(0)].to_vec(),
            header: json(&parts[0])?,
            parent: json(&parts[1])?,
            content: json(&parts[3])?,
        })
    }

    pub fn written(&self, signer: &Signer) -> ZmqMessage {
        let parts = [&self.header, &self.parent, &json!({}), &self.content];
        let parts = parts.map(|part| Bytes::from(part.to_string()));
        let mut frames = ZmqMessage::from(Bytes::from(signer.signature(&parts)));
        frames.push_front(Bytes::from_static(DELIMITER));
        self.peers
            .iter()
            .rev()
            .for_each(|peer| frames.push_front(peer.clone()));
        parts.into_iter().for_each(|part| frames.push_back(part));
        frames
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn unhex(text: &[u8]) -> Option<Vec<u8>> {
    let text = std::str::from_utf8(text)
        .ok()
        .filter(|text| text.len() % 2 == 0)?;
    let pairs = (0..text.len()).step_by(2);
    pairs
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_read_as_it_was_written() {
        let signer = Signer::new("key").unwrap();
        let asked = Message::about(&signer, "execute_request", json!({ "code": "é" }), None);
        let read = Message::read(&signer, asked.written(&signer)).unwrap();
        assert_eq!(
            (read.kind(), &read.content, &read.peers),
            (asked.kind(), &asked.content, &asked.peers)
        );
        let answer = Message::answer(&signer, json!({ "status": "ok" }), &read);
        assert_eq!((answer.kind(), &answer.parent), ("execute_reply", &asked.header));
        assert_ne!(answer.header["msg_id"], asked.header["msg_id"]);
    }

    /// The signature that `hmac.new(b"key", b"{}{}{}{}", "sha256")` of Python gives.
    #[test]
    fn a_signature_is_that_of_others() {
        let signer = Signer::new("key").unwrap();
        let parts = [(); 4].map(|()| Bytes::from_static(b"{}"));
        assert_eq!(
            signer.signature(&parts),
            "ca767b02c5bc061ed184a9a029e7f93a7f2f7ed4e8fe74120fc1212f0b008fa3"
        );
    }

    #[test]
    fn what_another_key_has_signed_is_left_out() {
        let (ours, theirs) = (Signer::new("key").unwrap(), Signer::new("other").unwrap());
        let message = Message::about(&theirs, "shutdown_request", json!({}), None);
        let error = Message::read(&ours, message.written(&theirs)).unwrap_err();
        assert!(error.to_string().contains("another key"), "{error}");
        for frames in [
            ZmqMessage::from("x"),
            ZmqMessage::from(Bytes::from_static(DELIMITER)),
            ZmqMessage::try_from(vec![
                Bytes::from_static(DELIMITER),
                Bytes::new(),
                Bytes::from_static(b"{}"),
            ])
            .unwrap(),
        ] {
            assert!(Message::read(&ours, frames).is_err());
        }
    }
}
