//! The terminal: text, values, messages and progress bars that do not run into each other.

use std::collections::BTreeMap;
use std::io::IsTerminal;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};
use rustix::termios::tcgetwinsize;

use crate::error::Result;
use crate::work::{Bundle, Form, Output, Progress, SideBySide, Stream, traffic, write_to_process};

/// A line on standard output. Nobody may read it, and that is no reason to fail.
#[macro_export]
macro_rules! say {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stdout().lock(), $($text)*);
    }};
}

/// A line on standard error, which may be closed.
#[macro_export]
macro_rules! complain {
    ($($text:tt)*) => {{
        use std::io::Write as _;
        let _ = writeln!(std::io::stderr().lock(), $($text)*);
    }};
}

/// The streams of the process, on a terminal or not, and what they show of progress. One is made for a process and given to its context.
pub struct Console {
    state: Arc<Mutex<State>>,
    /// Nothing of progress is shown.
    quiet: bool,
}

struct State {
    bars: MultiProgress,
    /// Innermost last: a loop in a script that writes images has one bar, each image being written another.
    stack: Vec<Task>,
    /// Displays of things that go on side by side.
    side_by_side: usize,
}

struct Task {
    label: String,
    total: u64,
    done: u64,
    started: Instant,
    /// Bytes that servers had sent by then.
    fetched: u64,
    /// When a line was last written, where there is no terminal.
    said: Instant,
    bar: Option<ProgressBar>,
}

/// Where there is no terminal, a task longer than this says how far it is, this often.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// A bar appears only for tasks longer than this, so that short steps do not flicker.
const BAR_AFTER: Duration = Duration::from_millis(300);

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(|e| e.into_inner())
}

impl Console {
    pub fn new(quiet: bool) -> Console {
        let state = State {
            bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
            stack: Vec::new(),
            side_by_side: 0,
        };
        Console {
            state: Arc::new(Mutex::new(state)),
            quiet,
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        lock(&self.state)
    }

    /// Runs `write`, which prints, with the bars out of the way.
    fn above<R>(&self, write: impl FnOnce() -> R) -> R {
        let bars = {
            let state = self.state();
            let any = state.side_by_side > 0 || state.stack.iter().any(|t| t.bar.is_some());
            any.then(|| state.bars.clone())
        };
        match bars {
            Some(bars) => bars.suspend(write),
            None => write(),
        }
    }
}

impl Output for Console {
    fn forms(&self) -> &[Form] {
        &[Form::Terminal]
    }

    fn write(&self, stream: Stream, text: &[u8]) -> Result<()> {
        self.above(|| write_to_process(stream, text))
    }

    fn show(&self, bundle: Bundle) -> Result<()> {
        self.write(Stream::Stdout, format!("{}\n", bundle.for_terminal()).as_bytes())
    }

    fn columns(&self) -> usize {
        width()
    }

    fn colours(&self) -> bool {
        std::io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none()
    }
}

/// (columns, rows) of the terminal; 80 × 24 where there is none.
pub fn terminal_size() -> (u16, u16) {
    match tcgetwinsize(std::io::stdout()) {
        Ok(size) if size.ws_col > 0 && size.ws_row > 0 => (size.ws_col, size.ws_row),
        _ => (80, 24),
    }
}

/// Columns of what is printed.
pub fn width() -> usize {
    if !std::io::stdout().is_terminal() {
        return 100;
    }
    usize::from(terminal_size().0).clamp(40, 120)
}

/// Of the innermost task: a bar on a terminal, lines now and then elsewhere.
impl Progress for Console {
    fn start(&self, total: u64, label: &str) {
        let now = Instant::now();
        self.state().stack.push(Task {
            label: label.to_string(),
            total,
            done: 0,
            started: now,
            fetched: traffic().1,
            said: now,
            bar: None,
        });
    }

    fn advance(&self, n: u64) {
        let mut state = self.state();
        let (bars, depth) = (state.bars.clone(), state.stack.len());
        let Some(task) = state.stack.last_mut() else {
            return;
        };
        task.done += n;
        if self.quiet || task.started.elapsed() < BAR_AFTER {
            return;
        }
        if std::io::stderr().is_terminal() {
            if task.bar.is_none() {
                task.bar = Some(bars.add(new_bar(task, depth)));
            }
            if let Some(bar) = &task.bar {
                bar.set_position(task.done);
                // What has come since is to be seen, too, where no pixel has.
                if n == 0 {
                    bar.tick();
                }
            }
        } else if task.said.elapsed() >= LINE_EVERY {
            task.said = Instant::now();
            let percent = 100.0 * task.done as f64 / task.total.max(1) as f64;
            crate::complain!(
                "{}: {percent:.0} %{}, {:.0} s left",
                task.label,
                fetched_since(task.fetched),
                seconds_left(task.started.elapsed(), task.done, task.total)
            );
        }
    }

    fn finish(&self) {
        let Some(task) = self.state().stack.pop() else {
            return;
        };
        if let Some(bar) = task.bar {
            bar.finish_and_clear();
        } else if !self.quiet && task.said > task.started {
            crate::complain!(
                "{}: done in {:.1} s",
                task.label,
                task.started.elapsed().as_secs_f64()
            );
        }
    }

    fn reset(&self) {
        for task in self.state().stack.drain(..) {
            if let Some(bar) = task.bar {
                bar.finish_and_clear();
            }
        }
    }

    fn side_by_side(&self, label: &str) -> Box<dyn SideBySide> {
        let mut state = self.state();
        state.side_by_side += 1;
        let whole = (!self.quiet && std::io::stderr().is_terminal()).then(|| {
            let style =
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar());
            state.bars.add(
                ProgressBar::new(0)
                    .with_style(style)
                    .with_message(label.to_string()),
            )
        });
        Box::new(Bars {
            label: label.to_string(),
            whole,
            bars: Mutex::default(),
            said: Mutex::new(Instant::now()),
            state: self.state.clone(),
            quiet: self.quiet,
        })
    }
}

/// What is left at the pace so far.
pub fn seconds_left(elapsed: Duration, done: u64, total: u64) -> f64 {
    elapsed.as_secs_f64() / done.max(1) as f64 * total.saturating_sub(done) as f64
}

/// What servers have sent since they had sent so much; nothing where that is nothing.
fn fetched_since(before: u64) -> String {
    match traffic().1.saturating_sub(before) {
        0 => String::new(),
        bytes => format!(", {} fetched", indicatif::HumanBytes(bytes)),
    }
}

/// Counts of pixels are shown in millions, small counts as they are.
fn new_bar(task: &Task, depth: usize) -> ProgressBar {
    let (total, started, before) = (task.total, task.started, task.fetched);
    let template = if total > 10_000 {
        "{prefix}{msg} [{bar:30}] {percent:>3} % {pixel_rate} {remaining} left{fetched}"
    } else {
        "{prefix}{msg} [{bar:30}] {pos}/{len} {remaining} left{fetched}"
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key(
            "pixel_rate",
            |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let seconds = state.elapsed().as_secs_f64().max(1e-3);
                let _ = write!(out, "{:.1} Mpx/s", state.pos() as f64 / seconds / 1e6);
            },
        )
        .with_key(
            "fetched",
            move |_: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = out.write_str(&fetched_since(before));
            },
        )
        // Of the whole time so far. The library's own measure starts with the bar, which appears late: it takes what was done
        // before for the work of a moment, and promises too much.
        .with_key(
            "remaining",
            |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let left = seconds_left(state.elapsed(), state.pos(), state.len().unwrap_or(0));
                let _ = write!(
                    out,
                    "{:#}",
                    indicatif::HumanDuration(Duration::from_secs_f64(left))
                );
            },
        );
    ProgressBar::new(total)
        .with_style(style)
        .with_prefix("  ".repeat(depth.saturating_sub(1)))
        .with_message(task.label.clone())
        .with_elapsed(started.elapsed())
}

/// Bars of things that go on side by side, below a line about the whole of them. Where there is no terminal the line is written now and
/// then.
struct Bars {
    label: String,
    whole: Option<ProgressBar>,
    bars: Mutex<BTreeMap<usize, ProgressBar>>,
    said: Mutex<Instant>,
    state: Arc<Mutex<State>>,
    quiet: bool,
}

impl Bars {
    fn bars(&self) -> MutexGuard<'_, BTreeMap<usize, ProgressBar>> {
        self.bars.lock().unwrap_or_else(|e| e.into_inner())
    }
}

impl SideBySide for Bars {
    fn begin(&self, key: usize, name: &str, done: u64, total: Option<u64>) {
        if self.whole.is_none() {
            return;
        }
        let template = match total {
            Some(_) => {
                "  {msg:40!} [{bar:20}] {decimal_bytes:>10} of {decimal_total_bytes:10} {decimal_bytes_per_sec}"
            }
            None => "  {msg:40!} {spinner} {decimal_bytes:>10} {decimal_bytes_per_sec}",
        };
        let style = ProgressStyle::with_template(template)
            .unwrap_or_else(|_| ProgressStyle::default_bar())
            .progress_chars("=> ");
        let bar = ProgressBar::new(total.unwrap_or(0))
            .with_style(style)
            .with_message(name.to_string())
            .with_position(done);
        let bar = lock(&self.state).bars.add(bar);
        if let Some(old) = self.bars().insert(key, bar) {
            old.finish_and_clear();
        }
    }

    fn advance(&self, key: usize, bytes: u64) {
        if let Some(bar) = self.bars().get(&key) {
            bar.inc(bytes);
        }
    }

    fn restart(&self, key: usize) {
        if let Some(bar) = self.bars().get(&key) {
            bar.set_position(0);
        }
    }

    fn waits(&self, key: usize, name: &str, reason: &str) {
        if let Some(bar) = self.bars().get(&key) {
            bar.set_message(format!("{name} ({reason})"));
        }
    }

    fn end(&self, key: usize) {
        if let Some(bar) = self.bars().remove(&key) {
            bar.finish_and_clear();
            lock(&self.state).bars.remove(&bar);
        }
    }

    fn whole(&self, text: &dyn Fn() -> String) {
        let mut said = self.said.lock().unwrap_or_else(|e| e.into_inner());
        let every = if self.whole.is_some() {
            Duration::from_millis(200)
        } else {
            LINE_EVERY
        };
        if self.quiet || said.elapsed() < every {
            return;
        }
        *said = Instant::now();
        match &self.whole {
            Some(bar) => bar.set_message(format!("{}: {}", self.label, text())),
            None => crate::complain!("{}: {}", self.label, text()),
        }
    }
}

impl Drop for Bars {
    fn drop(&mut self) {
        let mut state = lock(&self.state);
        state.side_by_side = state.side_by_side.saturating_sub(1);
        let bars = std::mem::take(&mut *self.bars());
        for bar in bars.values().chain(&self.whole) {
            bar.finish_and_clear();
            state.bars.remove(bar);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A bar appears late; what is left is of the whole time all the same, and a clock of the bar's own would promise too much.
    #[test]
    fn what_is_left_counts_from_the_start_of_the_task() {
        assert_eq!(seconds_left(Duration::from_secs(6), 3, 12), 18.0);
        assert_eq!(seconds_left(Duration::from_secs(6), 0, 12), 72.0);
        assert_eq!(seconds_left(Duration::from_secs(6), 13, 12), 0.0);
        let started = Instant::now().checked_sub(Duration::from_secs(6)).unwrap();
        let task = Task {
            label: "x".into(),
            total: 12,
            done: 0,
            started,
            fetched: traffic().1,
            said: started,
            bar: None,
        };
        let bar = new_bar(&task, 1);
        bar.set_position(3);
        assert!(bar.elapsed() >= Duration::from_secs(6));
    }
}
