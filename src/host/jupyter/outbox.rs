//! What the kernel has to say, in its order, until the thread of the sockets has sent it.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::{Value as Json, json};
use tokio::sync::Notify;
use tokio::sync::mpsc::{self, UnboundedReceiver, UnboundedSender};

use super::message::{Message, Signer};
use crate::error::Result;
use crate::interrupt;
use crate::work::Stream;

/// Text of one stream goes out in pieces of so many bytes at most.
const LARGEST_PIECE: usize = 1 << 16;
/// A script that says more than can be sent waits when so many bytes have gathered.
const MOST_WAITING: usize = 16 << 20;

enum Waiting {
    Message(Box<Message>, usize),
    /// Lines that came one after the other are one message: a message for each would take a loop of prints tens of times as long.
    Text(Stream, Vec<u8>, Option<Arc<Message>>),
}

pub struct Outbox {
    signer: Arc<Signer>,
    /// They do not wait for who listens and takes nothing.
    answers: UnboundedSender<Message>,
    state: Mutex<State>,
    arrived: Notify,
    sent: Condvar,
}

#[derive(Default)]
struct State {
    waiting: VecDeque<Waiting>,
    bytes: usize,
    /// Nothing comes any more.
    ended: bool,
    /// To what all belongs that is said now.
    request: Option<Arc<Message>>,
}

impl Outbox {
    /// And where the answers come out of it, each for the one who has asked.
    pub fn new(signer: Arc<Signer>) -> (Outbox, UnboundedReceiver<Message>) {
        let (answers, answered) = mpsc::unbounded_channel();
        let outbox = Outbox {
            signer,
            answers,
            state: Mutex::default(),
            arrived: Notify::new(),
            sent: Condvar::new(),
        };
        (outbox, answered)
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is said from now on belongs to `request`.
    pub fn belongs_to(&self, request: &Arc<Message>) {
        self.state().request = Some(request.clone());
    }

    fn push(&self, waiting: Waiting, bytes: usize) {
        let mut state = self.state();
        state.waiting.push_back(waiting);
        state.bytes += bytes;
        drop(state);
        self.arrived.notify_one();
    }

    pub fn end(&self) {
        self.state().ended = true;
        self.arrived.notify_one();
    }

    pub fn answer(&self, request: &Message, content: Json) {
        // Where nobody sends them any more, nobody waits for them.
        let _ = self.answers.send(Message::answer(&self.signer, content, request));
    }

    /// Tells all who listen; `bytes` says about how long it is.
    pub fn publish(&self, kind: &str, content: Json, bytes: usize) {
        let request = self.state().request.clone();
        self.publish_about(request.as_deref(), kind, content, bytes);
    }

    fn publish_about(&self, request: Option<&Message>, kind: &str, content: Json, bytes: usize) {
        let message = Message::about(&self.signer, kind, content, request);
        self.push(Waiting::Message(Box::new(message), bytes), bytes);
    }

    /// Whether the kernel is busy with a request.
    pub fn status(&self, request: &Message, state: &str) {
        let content = json!({ "execution_state": state });
        self.publish_about(Some(request), "status", content, 0);
    }

    pub fn text(&self, stream: Stream, text: &[u8]) {
        let state = &mut *self.state();
        state.bytes += text.len();
        let request = &state.request;
        match state.waiting.back_mut() {
            Some(Waiting::Text(of, before, about))
                if *of == stream && before.len() < LARGEST_PIECE && is_same(about, request) =>
            {
                before.extend_from_slice(text);
            }
            _ => {
                let text = Waiting::Text(stream, text.to_vec(), request.clone());
                state.waiting.push_back(text);
            }
        }
        self.arrived.notify_one();
    }

    /// Waits until there is room for more.
    ///
    /// # Errors
    /// `Interrupted`, where a stop is asked for meanwhile.
    pub fn wait_for_room(&self) -> Result<()> {
        let mut state = self.state();
        while state.bytes > MOST_WAITING {
            interrupt::check()?;
            let waited = self.sent.wait_timeout(state, Duration::from_millis(50));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        Ok(())
    }

    /// What all who listen are to be told next, once there is something; None at the end. One thread alone asks.
    pub async fn next(&self) -> Option<Message> {
        loop {
            match self.take() {
                Some(message) => return Some(message),
                None if self.state().ended => return None,
                None => self.arrived.notified().await,
            }
        }
    }

    fn take(&self) -> Option<Message> {
        let mut state = self.state();
        let message = match state.waiting.pop_front()? {
            Waiting::Message(message, bytes) => {
                state.bytes -= bytes;
                *message
            }
            Waiting::Text(stream, text, request) => {
                state.bytes -= text.len();
                let name = match stream {
                    Stream::Stdout => "stdout",
                    Stream::Stderr => "stderr",
                };
                let content = json!({ "name": name, "text": String::from_utf8_lossy(&text) });
                Message::about(&self.signer, "stream", content, request.as_deref())
            }
        };
        drop(state);
        self.sent.notify_all();
        Some(message)
    }
}

fn is_same(one: &Option<Arc<Message>>, other: &Option<Arc<Message>>) -> bool {
    match (one, other) {
        (Some(one), Some(other)) => Arc::ptr_eq(one, other),
        (None, None) => true,
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(outbox: &Outbox) -> Vec<String> {
        let mut found = Vec::new();
        while let Some(message) = outbox.take() {
            let text = message.content["text"].as_str();
            found.push(text.unwrap_or_else(|| message.kind()).to_string());
        }
        found
    }

    #[test]
    fn lines_go_out_together_and_in_order() {
        let signer = Arc::new(Signer::new("").unwrap());
        let (outbox, _answers) = Outbox::new(signer.clone());
        let request = || Arc::new(Message::about(&signer, "execute_request", json!({}), None));
        outbox.belongs_to(&request());
        outbox.text(Stream::Stdout, b"a\n");
        outbox.text(Stream::Stdout, b"b\n");
        outbox.text(Stream::Stderr, b"c\n");
        outbox.text(Stream::Stdout, b"d\n");
        outbox.publish("display_data", json!({}), 3);
        outbox.text(Stream::Stdout, b"e\n");
        outbox.belongs_to(&request());
        outbox.text(Stream::Stdout, b"f\n");
        assert_eq!(
            texts(&outbox),
            ["a\nb\n", "c\n", "d\n", "display_data", "e\n", "f\n"]
        );
        assert_eq!(outbox.state().bytes, 0);
    }

    #[test]
    fn what_waits_is_bounded() {
        let (outbox, _answers) = Outbox::new(Arc::new(Signer::new("").unwrap()));
        outbox.text(Stream::Stdout, &vec![b'x'; MOST_WAITING]);
        outbox.wait_for_room().unwrap();
        outbox.text(Stream::Stdout, b"x");
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| outbox.wait_for_room());
            assert!(!waiting.is_finished());
            assert!(outbox.take().is_some());
            waiting.join().unwrap().unwrap();
        });
    }
}
