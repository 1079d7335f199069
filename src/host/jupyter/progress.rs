//! How far a cell has come, as one display below it that is brought up to date, and is empty when the cell has ended.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use serde_json::json;

use super::outbox::Outbox;
use crate::console::seconds_left;
use crate::error::shown_bytes;
use crate::work::markup::escaped;
use crate::work::{Progress, SideBySide};

/// Shorter tasks show nothing.
const AFTER: Duration = Duration::from_millis(300);
/// The display changes no more often.
const EVERY: Duration = Duration::from_millis(200);

pub struct Bars(Arc<Inner>);

struct Inner {
    outbox: Arc<Outbox>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// The innermost last.
    tasks: Vec<Task>,
    groups: BTreeMap<usize, Group>,
    /// So many groups and displays there have been.
    counted: usize,
    /// The display of the cell that runs, once there is one, and when it was last changed.
    display: Option<(String, Instant)>,
}

struct Task {
    label: String,
    total: u64,
    done: u64,
    started: Instant,
}

/// Things that go on side by side.
struct Group {
    label: String,
    text: String,
    started: Instant,
    members: BTreeMap<usize, Member>,
}

struct Member {
    name: String,
    done: u64,
    total: Option<u64>,
}

impl Bars {
    pub fn new(outbox: Arc<Outbox>) -> Bars {
        Bars(Arc::new(Inner {
            outbox,
            state: Mutex::default(),
        }))
    }
}

impl Inner {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn show(&self, state: &mut State) {
        if state.is_due() {
            let (text, html) = state.drawn();
            self.send(state, &text, &html);
        }
    }

    fn send(&self, state: &mut State, text: &str, html: &str) {
        let now = Instant::now();
        let kind = match &mut state.display {
            Some((_, last)) => {
                *last = now;
                "update_display_data"
            }
            None => {
                state.counted += 1;
                let name = format!("perilune-progress-{}-{}", std::process::id(), state.counted);
                state.display = Some((name, now));
                "display_data"
            }
        };
        let name = state.display.as_ref().map(|(name, _)| name.as_str());
        let content = json!({
            "data": { "text/plain": text, "text/html": html },
            "metadata": {},
            "transient": { "display_id": name },
        });
        self.outbox.publish(kind, content, text.len() + html.len());
    }
}

impl State {
    /// Whether something has gone on for long enough, and was not shown a moment ago.
    fn is_due(&self) -> bool {
        let tasks = self.tasks.iter().map(|task| task.started);
        let groups = self.groups.values().map(|group| group.started);
        tasks.chain(groups).any(|started| started.elapsed() >= AFTER)
            && self
                .display
                .as_ref()
                .is_none_or(|(_, last)| last.elapsed() >= EVERY)
    }

    /// As text and as markup.
    fn drawn(&self) -> (String, String) {
        let mut lines = Vec::new();
        for task in &self.tasks {
            let percent = 100.0 * task.done as f64 / task.total.max(1) as f64;
            let left = seconds_left(task.started.elapsed(), task.done, task.total);
            let left = match task.done {
                0 => String::new(),
                _ => format!(", {left:.0} s left"),
            };
            lines.push((task.label.clone(), Some(percent), format!("{percent:.0} %{left}")));
        }
        for group in self.groups.values() {
            lines.push((group.label.clone(), None, group.text.clone()));
            for member in group.members.values() {
                let percent = member.total.filter(|total| *total > 0);
                let percent = percent.map(|total| 100.0 * member.done as f64 / total as f64);
                let of = member
                    .total
                    .map_or(String::new(), |total| format!(" of {}", shown_bytes(total)));
                let done = format!("{}{of}", shown_bytes(member.done));
                lines.push((format!("  {}", member.name), percent, done));
            }
        }
        let text: Vec<String> = lines
            .iter()
            .map(|(label, _, how)| format!("{label}: {how}"))
            .collect();
        let html: Vec<String> = lines
            .iter()
            .map(|(label, percent, how)| {
                let bar = percent.map_or(String::new(), |percent| {
                    format!("<progress max=\"100\" value=\"{percent:.0}\"></progress> ")
                });
                format!("<div>{} {bar}{}</div>", escaped(label), escaped(how))
            })
            .collect();
        (text.join("\n"), html.concat())
    }
}

impl Progress for Bars {
    fn start(&self, total: u64, label: &str) {
        self.0.state().tasks.push(Task {
            label: label.to_string(),
            total,
            done: 0,
            started: Instant::now(),
        });
    }

    fn advance(&self, n: u64) {
        let state = &mut *self.0.state();
        if let Some(task) = state.tasks.last_mut() {
            task.done += n;
            self.0.show(state);
        }
    }

    fn finish(&self) {
        self.0.state().tasks.pop();
    }

    fn reset(&self) {
        let state = &mut *self.0.state();
        state.tasks.clear();
        state.groups.clear();
        if state.display.is_some() {
            self.0.send(state, "", "");
            state.display = None;
        }
    }

    fn side_by_side(&self, label: &str) -> Box<dyn SideBySide> {
        let state = &mut *self.0.state();
        state.counted += 1;
        let group = Group {
            label: label.to_string(),
            text: String::new(),
            started: Instant::now(),
            members: BTreeMap::new(),
        };
        state.groups.insert(state.counted, group);
        Box::new(Side {
            number: state.counted,
            bars: self.0.clone(),
        })
    }
}

/// One group, until it is dropped.
struct Side {
    number: usize,
    bars: Arc<Inner>,
}

impl Side {
    fn change(&self, change: impl FnOnce(&mut Group)) {
        let state = &mut *self.bars.state();
        if let Some(group) = state.groups.get_mut(&self.number) {
            change(group);
            self.bars.show(state);
        }
    }

    fn change_member(&self, key: usize, change: impl FnOnce(&mut Member)) {
        self.change(|group| {
            if let Some(member) = group.members.get_mut(&key) {
                change(member);
            }
        });
    }
}

impl SideBySide for Side {
    fn begin(&self, key: usize, name: &str, done: u64, total: Option<u64>) {
        let name = name.to_string();
        self.change(|group| drop(group.members.insert(key, Member { name, done, total })));
    }

    fn advance(&self, key: usize, bytes: u64) {
        self.change_member(key, |member| member.done += bytes);
    }

    fn restart(&self, key: usize) {
        self.change_member(key, |member| member.done = 0);
    }

    fn waits(&self, key: usize, name: &str, reason: &str) {
        self.change_member(key, |member| member.name = format!("{name} ({reason})"));
    }

    fn end(&self, key: usize) {
        self.change(|group| drop(group.members.remove(&key)));
    }

    fn whole(&self, text: &dyn Fn() -> String) {
        let is_due = self.bars.state().is_due();
        if is_due {
            let text = text();
            self.change(|group| group.text = text);
        }
    }
}

impl Drop for Side {
    fn drop(&mut self) {
        self.bars.state().groups.remove(&self.number);
    }
}
