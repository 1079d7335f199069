//! Sizes, numbers and files that would need more than the machine has: each is an error that says so, or work that stays in bounds,
//! never a signal, a panic or an end of the stack. `bounds_attempts.rs` lists them, `bounds_files.rs` makes the files.

use std::fs::File;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use super::bounds_attempts::{ATTEMPTS, BEFORE, CONTAINERS, Expected};
use super::{bounds_files, folder, perilune};

/// What a process may address, far above what any attempt should take and below what the machine has: beyond it the system refuses
/// memory, which must be an error too.
const ADDRESSES: u64 = 8 << 30;

/// What a process may hold: the ceiling that perilune gives itself here (twice 256 MiB, 512 MiB for the script, 512 MiB beside), half
/// as much again where it has to end the process from outside, and what is taken between two looks.
const MOST_HELD_KIB: i64 = (1536 + 768 + 512) << 10;

const TOO_LONG: Duration = Duration::from_secs(90);

/// How a process ended: status, stderr, the most memory that it held.
pub struct Ended {
    pub status: ExitStatus,
    pub err: String,
    pub held_kib: i64,
}

/// The most memory that a process has held since its program was loaded. (What wait4 says begins with that of the process that forked.)
fn most_held_kib(process: libc::pid_t) -> i64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap_or_default();
    let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    most.and_then(|text| text.split_whitespace().next()?.parse().ok())
        .unwrap_or(0)
}

/// Runs it to its end, or for as long as any should take.
pub fn watched(mut command: Command, errors: &Path) -> Ended {
    command
        .stdout(std::process::Stdio::null())
        .stderr(File::create(errors).unwrap());
    // SAFETY: setrlimit is safe between fork and exec.
    unsafe {
        command.pre_exec(|| {
            let limit = libc::rlimit {
                rlim_cur: ADDRESSES,
                rlim_max: ADDRESSES,
            };
            let none = libc::rlimit {
                rlim_cur: 0,
                rlim_max: 0,
            };
            libc::setrlimit(libc::RLIMIT_AS, &limit);
            libc::setrlimit(libc::RLIMIT_CORE, &none);
            Ok(())
        });
    }
    // Waited for below.
    #[allow(clippy::zombie_processes)]
    let child = command.spawn().unwrap();
    let (id, started) = (child.id() as libc::pid_t, Instant::now());
    let (mut status, mut killed, mut held_kib) = (0, false, 0);
    loop {
        held_kib = most_held_kib(id).max(held_kib);
        // SAFETY: the child is ours, and waited for here alone.
        let ended = unsafe { libc::waitpid(id, &mut status, libc::WNOHANG) };
        assert!(ended >= 0);
        if ended == id {
            return Ended {
                status: ExitStatus::from_raw(status),
                err: String::from_utf8_lossy(&std::fs::read(errors).unwrap()).into_owned(),
                held_kib,
            };
        }
        if started.elapsed() > TOO_LONG && !killed {
            // SAFETY: kill has no preconditions; the process is not yet waited for.
            unsafe { libc::kill(id, libc::SIGKILL) };
            killed = true;
        }
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// What is wrong with an attempt; None where nothing is.
fn tried(here: &Path, number: usize, code: &str, expected: &Expected) -> Option<String> {
    let limit = match expected {
        Expected::Endless => "3",
        _ => "60",
    };
    let code = format!("{BEFORE} local out = 'out{number}' {code}");
    let mut command = perilune(here);
    command.args(["--memory", "256M", "--lua-memory", "512M", "--threads", "2", "-q"]);
    command.args(["--time-limit", limit, "-e", &code]);
    let ended = watched(command, &here.join(format!("errors{number}")));
    let (code, words) = match expected {
        Expected::Bounded => (0, ""),
        Expected::Refused(words) => (1, *words),
        Expected::Endless => (1, "the time limit is over"),
    };
    let bad = [
        "panicked",
        "internal error",
        "overflowed its stack",
        "memory allocation of",
    ];
    let good = ended.status.code() == Some(code)
        && ended.err.contains(words)
        && !bad.iter().any(|bad| ended.err.contains(bad))
        && ended.held_kib < MOST_HELD_KIB;
    (!good).then(|| {
        format!(
            "{}, {} MiB, expected {expected:?}: {}",
            ended.status,
            ended.held_kib >> 10,
            ended.err.chars().take(600).collect::<String>()
        )
    })
}

fn all_hold(here: &Path, attempts: &[(&str, Expected)]) {
    let (next, wrong) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                loop {
                    let number = next.fetch_add(1, Ordering::Relaxed);
                    let Some((code, expected)) = attempts.get(number) else {
                        return;
                    };
                    if let Some(problem) = tried(here, number, code, expected) {
                        wrong.lock().unwrap().push(format!("{code}\n    {problem}"));
                    }
                }
            });
        }
    });
    let wrong = wrong.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} of {} attempts:\n{}",
        wrong.len(),
        attempts.len(),
        wrong.join("\n")
    );
    let drafts = std::fs::read_dir(here).unwrap().filter(|entry| {
        let name = entry.as_ref().unwrap().file_name();
        name.to_string_lossy().starts_with(".draft-")
    });
    assert_eq!(drafts.count(), 0);
}

#[test]
fn whatever_is_asked_for_is_refused_or_stays_in_bounds() {
    assert!(ATTEMPTS.len() >= 80);
    let here = folder(&[]);
    bounds_files::make(here.path());
    all_hold(here.path(), ATTEMPTS);
}

#[test]
fn whatever_a_container_claims_is_refused_or_stays_in_bounds() {
    let here = folder(&[]);
    if bounds_files::containers(here.path()) {
        all_hold(here.path(), CONTAINERS);
    }
}
