//! Standard error as scripts and the engine use it: messages and progress bars that do not run into each other.

use std::io::{IsTerminal, Write};
use std::sync::{Arc, LazyLock, Mutex, MutexGuard};
use std::time::{Duration, Instant};

use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::raster::settings::{self, Progress};

static STATE: LazyLock<Mutex<State>> = LazyLock::new(|| {
    Mutex::new(State {
        bars: MultiProgress::with_draw_target(ProgressDrawTarget::stderr_with_hz(10)),
        stack: Vec::new(),
        quiet: false,
    })
});

struct State {
    bars: MultiProgress,
    /// Innermost last: a loop in a script that writes images has one bar, each image being written another.
    stack: Vec<Task>,
    quiet: bool,
}

struct Task {
    label: String,
    total: u64,
    done: u64,
    started: Instant,
    /// When a line was last written, where there is no terminal.
    said: Instant,
    bar: Option<ProgressBar>,
}

/// Where there is no terminal, a task longer than this says how far it is, this often.
const LINE_EVERY: Duration = Duration::from_secs(10);
/// A bar appears only for tasks longer than this, so that short steps do not flicker.
const BAR_AFTER: Duration = Duration::from_millis(300);

fn state() -> MutexGuard<'static, State> {
    STATE.lock().unwrap_or_else(|e| e.into_inner())
}

/// Makes the engine report here. With `quiet` nothing of progress is shown.
pub fn install(quiet: bool) {
    state().quiet = quiet;
    settings::set_progress(Arc::new(Display));
}

/// A line on standard error, above the bars.
pub fn message(text: &str) {
    above(|| {
        let _ = writeln!(std::io::stderr().lock(), "{text}");
    });
}

/// Runs `write`, which prints, with the bars out of the way.
pub fn above<R>(write: impl FnOnce() -> R) -> R {
    let bars = {
        let state = state();
        state
            .stack
            .iter()
            .any(|t| t.bar.is_some())
            .then(|| state.bars.clone())
    };
    match bars {
        Some(bars) => bars.suspend(write),
        None => write(),
    }
}

/// Removes every bar, after an error or an interruption has left some.
pub fn reset() {
    let mut state = state();
    for task in state.stack.drain(..) {
        if let Some(bar) = task.bar {
            bar.finish_and_clear();
        }
    }
}

/// (columns, rows) of the terminal; 80 × 24 where there is none.
pub fn terminal_size() -> (u16, u16) {
    let mut size = libc::winsize {
        ws_row: 0,
        ws_col: 0,
        ws_xpixel: 0,
        ws_ypixel: 0,
    };
    // SAFETY: TIOCGWINSZ fills the winsize that it is given.
    let answer = unsafe { libc::ioctl(libc::STDOUT_FILENO, libc::TIOCGWINSZ, &mut size) };
    match (answer, size.ws_col, size.ws_row) {
        (0, columns, rows) if columns > 0 && rows > 0 => (columns, rows),
        _ => (80, 24),
    }
}

/// Progress of the innermost task: a bar on a terminal, lines now and then elsewhere.
pub struct Display;

impl Progress for Display {
    fn start(&self, total: u64, label: &str) {
        let now = Instant::now();
        state().stack.push(Task {
            label: label.to_string(),
            total,
            done: 0,
            started: now,
            said: now,
            bar: None,
        });
    }

    fn advance(&self, n: u64) {
        let mut state = state();
        let (quiet, bars, depth) = (state.quiet, state.bars.clone(), state.stack.len());
        let Some(task) = state.stack.last_mut() else {
            return;
        };
        task.done += n;
        if quiet || task.started.elapsed() < BAR_AFTER {
            return;
        }
        if std::io::stderr().is_terminal() {
            let bar = task
                .bar
                .get_or_insert_with(|| bars.add(new_bar(task.total, &task.label, depth, task.started)));
            bar.set_position(task.done);
        } else if task.said.elapsed() >= LINE_EVERY {
            task.said = Instant::now();
            let percent = 100.0 * task.done as f64 / task.total.max(1) as f64;
            eprintln!(
                "{}: {percent:.0} %, {:.0} s left",
                task.label,
                task.seconds_left()
            );
        }
    }

    fn finish(&self) {
        let mut state = state();
        let quiet = state.quiet;
        let Some(task) = state.stack.pop() else {
            return;
        };
        if let Some(bar) = task.bar {
            bar.finish_and_clear();
        } else if !quiet && task.said > task.started {
            eprintln!(
                "{}: done in {:.1} s",
                task.label,
                task.started.elapsed().as_secs_f64()
            );
        }
    }
}

impl Task {
    fn seconds_left(&self) -> f64 {
        let elapsed = self.started.elapsed().as_secs_f64();
        elapsed / self.done.max(1) as f64 * self.total.saturating_sub(self.done) as f64
    }
}

/// Counts of pixels are shown in millions, small counts as they are.
fn new_bar(total: u64, label: &str, depth: usize, started: Instant) -> ProgressBar {
    let template = if total > 10_000 {
        "{prefix}{msg} [{bar:30}] {percent:>3} % {pixel_rate} {eta} left"
    } else {
        "{prefix}{msg} [{bar:30}] {pos}/{len} {eta} left"
    };
    let style = ProgressStyle::with_template(template)
        .unwrap_or_else(|_| ProgressStyle::default_bar())
        .progress_chars("=> ")
        .with_key(
            "pixel_rate",
            |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
                let _ = write!(out, "{:.1} Mpx/s", state.per_sec() / 1e6);
            },
        );
    ProgressBar::new(total)
        .with_style(style)
        .with_prefix("  ".repeat(depth.saturating_sub(1)))
        .with_message(label.to_string())
        .with_elapsed(started.elapsed())
}
