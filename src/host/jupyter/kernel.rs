//! What front ends ask, answered one after the other.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::Receiver;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::frontend::Frontend;
use super::history::History;
use super::message::Message;
use super::outbox::Outbox;
use super::sockets::Request;
use super::{kernel_info, refusal};
use crate::host::repl::blocks::{self, State};
use crate::host::repl::session::{Failure, Outcome, Session};
use crate::host::repl::{complete, inspect};
use crate::host::signals;
use crate::interrupt;

/// Front ends send the cells of "Run All" at once and leave it to the kernel to drop the rest after an error. Who waits for answers has sent
/// nothing more yet. So what arrives before the error's own answer, which is held back this long, is what to drop.
const HOLD_BACK: Duration = Duration::from_millis(20);

pub struct Kernel {
    session: Session,
    outbox: Arc<Outbox>,
    frontend: Arc<Frontend>,
    /// Cells so far.
    count: usize,
    history: History,
    ended: bool,
}

/// What a cell has come to.
enum Ended {
    Well(Json),
    Failed(Json),
}

impl Kernel {
    pub fn new(session: Session, outbox: Arc<Outbox>, frontend: Arc<Frontend>) -> Kernel {
        Kernel {
            session,
            outbox,
            frontend,
            count: 0,
            history: History::default(),
            ended: false,
        }
    }

    /// Answers until the front end wants no more.
    pub fn answer(mut self, requests: &Receiver<Request>) {
        let mut waiting = VecDeque::new();
        while !self.ended {
            waiting.extend(requests.try_iter());
            // Cells that are queued before the end do not run any more.
            if waiting.iter().any(|request| matches!(request, Request::End)) {
                break;
            }
            let request = match waiting.pop_front() {
                Some(request) => Ok(request),
                None => {
                    signals::idle(true);
                    let request = requests.recv();
                    signals::idle(false);
                    request
                }
            };
            match request {
                Ok(Request::Asked(request)) => self.one(&request, requests, &mut waiting),
                Ok(Request::End) | Err(_) => break,
            }
        }
        interrupt::clear();
        self.session.close();
    }

    fn one(&mut self, request: &Arc<Message>, requests: &Receiver<Request>, waiting: &mut VecDeque<Request>) {
        // Of a stop that came when its cell had just ended.
        interrupt::clear();
        self.outbox.belongs_to(request);
        self.outbox.status(request, "busy");
        let asked = &request.content;
        let content = match request.kind() {
            "execute_request" => match self.execute(asked) {
                Ended::Well(content) => content,
                Ended::Failed(content) if asked["stop_on_error"].as_bool() == Some(false) => content,
                Ended::Failed(content) => {
                    let dropped = self.gather(requests, waiting);
                    self.outbox.answer(request, content);
                    self.outbox.status(request, "idle");
                    dropped.iter().for_each(|request| self.drop_cell(request));
                    return;
                }
            },
            "kernel_info_request" => kernel_info(),
            "complete_request" => self.complete(asked),
            "inspect_request" => self.inspect(asked),
            "is_complete_request" => self.is_complete(asked),
            "history_request" => self.history.answer(asked),
            "comm_info_request" => json!({ "status": "ok", "comms": {} }),
            // Nothing here takes part in one.
            "comm_open" => {
                let content = json!({ "comm_id": asked["comm_id"], "data": {} });
                self.outbox.publish("comm_close", content, 0);
                self.outbox.status(request, "idle");
                return;
            }
            "shutdown_request" => {
                self.ended = true;
                json!({ "status": "ok", "restart": asked["restart"].as_bool().unwrap_or(false) })
            }
            kind if kind.ends_with("_request") => refusal(kind),
            _ => {
                self.outbox.status(request, "idle");
                return;
            }
        };
        self.outbox.answer(request, content);
        self.outbox.status(request, "idle");
    }

    /// The cells that came in while another failed; what else came in waits.
    fn gather(&self, requests: &Receiver<Request>, waiting: &mut VecDeque<Request>) -> Vec<Arc<Message>> {
        let until = Instant::now() + HOLD_BACK;
        while let Ok(request) = requests.recv_timeout(until.saturating_duration_since(Instant::now())) {
            waiting.push_back(request);
        }
        let mut dropped = Vec::new();
        waiting.retain(|request| match request {
            Request::Asked(message) if message.kind() == "execute_request" => {
                dropped.push(message.clone());
                false
            }
            _ => true,
        });
        dropped
    }

    fn drop_cell(&self, request: &Message) {
        self.outbox.status(request, "busy");
        let content = json!({ "status": "aborted", "execution_count": self.count });
        self.outbox.answer(request, content);
        self.outbox.status(request, "idle");
    }

    fn execute(&mut self, asked: &Json) -> Ended {
        let code = asked["code"].as_str().unwrap_or_default();
        let silent = asked["silent"].as_bool().unwrap_or(false);
        if !silent {
            if asked["store_history"].as_bool().unwrap_or(true) {
                self.count += 1;
                self.history.keep(self.count, code);
            }
            let content = json!({ "code": code, "execution_count": self.count });
            self.outbox.publish("execute_input", content, code.len());
        }
        self.frontend.begin(self.count);
        let failure = match self.session.cell(code, self.count) {
            Outcome::Done => return Ended::Well(self.done(json!([]))),
            Outcome::Quit => {
                return Ended::Well(self.done(json!([{ "source": "ask_exit", "keepkernel": false }])));
            }
            Outcome::Failed(failure) => failure,
            Outcome::Interrupted | Outcome::ReaderGone => {
                let name = "Interrupted";
                return self.failed(name, "the cell was stopped", "the cell was stopped", silent);
            }
        };
        let Failure {
            message,
            text,
            syntax,
        } = failure;
        let name = if syntax { "SyntaxError" } else { "Error" };
        self.failed(name, &message, &text, silent)
    }

    fn done(&self, payload: Json) -> Json {
        json!({ "status": "ok", "execution_count": self.count, "payload": payload, "user_expressions": {} })
    }

    fn failed(&self, name: &str, message: &str, text: &str, silent: bool) -> Ended {
        let lines: Vec<&str> = text.lines().collect();
        let mut content = json!({ "ename": name, "evalue": message, "traceback": lines });
        if !silent {
            self.outbox.publish("error", content.clone(), text.len());
        }
        content["status"] = "error".into();
        content["execution_count"] = self.count.into();
        Ended::Failed(content)
    }

    fn complete(&self, asked: &Json) -> Json {
        let code = asked["code"].as_str().unwrap_or_default();
        let cursor = asked["cursor_pos"].as_u64().map_or(usize::MAX, |at| at as usize);
        let before = &code[..byte_of(code, cursor)];
        // Commands and questions are lines of their own.
        let line = before.rfind('\n').map_or(0, |at| at + 1);
        let from = if blocks::asks(&before[line..]) || before[line..].starts_with(':') {
            line
        } else {
            0
        };
        let (start, matches) = complete::complete(&self.session.lua(), &before[from..]);
        interrupt::clear();
        json!({
            "status": "ok",
            "matches": matches,
            "cursor_start": before[..from + start].chars().count(),
            "cursor_end": before.chars().count(),
            "metadata": {},
        })
    }

    fn inspect(&self, asked: &Json) -> Json {
        let code = asked["code"].as_str().unwrap_or_default();
        let cursor = asked["cursor_pos"].as_u64().map_or(usize::MAX, |at| at as usize);
        let found = inspect::inspect(&self.session, code, byte_of(code, cursor));
        interrupt::clear();
        json!({
            "status": "ok",
            "found": found.is_some(),
            "data": found.map_or_else(|| json!({}), |text| json!({ "text/plain": text })),
            "metadata": {},
        })
    }

    fn is_complete(&self, asked: &Json) -> Json {
        let code = asked["code"].as_str().unwrap_or_default();
        match blocks::state(&self.session.lua(), code) {
            State::Whole => json!({ "status": "complete" }),
            State::Wrong => json!({ "status": "invalid" }),
            State::GoesOn => {
                let last = code.lines().last().unwrap_or_default();
                let indent = &last[..last.len() - last.trim_start().len()];
                json!({ "status": "incomplete", "indent": format!("{indent}  ") })
            }
        }
    }
}

/// Front ends count characters.
fn byte_of(text: &str, characters: usize) -> usize {
    text.char_indices()
        .nth(characters)
        .map_or(text.len(), |(at, _)| at)
}
