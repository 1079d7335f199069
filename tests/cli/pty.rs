//! A pseudo-terminal with the prompt on it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

pub struct Terminal {
    child: Child,
    keys: File,
    screen: Arc<Mutex<String>>,
    /// How much of the screen earlier calls of `expect` have passed.
    seen: usize,
    /// How many prompts must have appeared before keys are pressed: what is typed while none is there gets lost.
    prompts: usize,
}

impl Terminal {
    pub fn start(folder: &Path) -> Terminal {
        let mut terminal = Terminal::of(super::perilune(folder));
        terminal.press("");
        terminal
    }

    /// A command on it, which need not be the prompt.
    pub fn of(command: Command) -> Terminal {
        let (mut ours, mut theirs) = (0, 0);
        let size = libc::winsize {
            ws_row: 40,
            ws_col: 100,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        // SAFETY: openpty writes two file descriptors, which nobody else owns.
        let (ours, theirs) = unsafe {
            let opened = libc::openpty(
                &mut ours,
                &mut theirs,
                std::ptr::null_mut(),
                std::ptr::null(),
                &size,
            );
            assert_eq!(opened, 0, "no pseudo-terminal");
            (OwnedFd::from_raw_fd(ours), OwnedFd::from_raw_fd(theirs))
        };
        let end = || Stdio::from(theirs.try_clone().unwrap());
        let mut command = command;
        command
            .stdin(end())
            .stdout(end())
            .stderr(end())
            .env("TERM", "xterm");
        // SAFETY: setsid and ioctl are safe between fork and exec.
        unsafe {
            command.pre_exec(|| {
                libc::setsid();
                libc::ioctl(0, libc::TIOCSCTTY, 0);
                Ok(())
            });
        }
        let child = command.spawn().unwrap();
        let keys = File::from(ours);
        let mut reader = keys.try_clone().unwrap();
        let screen = Arc::new(Mutex::new(String::new()));
        let shown = screen.clone();
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            while let Ok(n @ 1..) = reader.read(&mut buffer) {
                shown
                    .lock()
                    .unwrap()
                    .push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
        });
        Terminal {
            child,
            keys,
            screen,
            seen: 0,
            prompts: 1,
        }
    }

    /// Types at once, whatever is shown.
    pub fn send(&mut self, keys: &str) {
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Waits for the end of the command, and answers with its exit code.
    pub fn ended(&mut self) -> i32 {
        for _ in 0..2000 {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it has written comes a moment later.
                std::thread::sleep(Duration::from_millis(50));
                return status.code().unwrap_or(-1);
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        panic!("the command goes on; the screen:\n{}", self.whole());
    }

    pub fn press(&mut self, keys: &str) {
        let started = Instant::now();
        // The editor switches bracketed paste on when it starts to read.
        while self.screen.lock().unwrap().matches("\x1b[?2004h").count() < self.prompts {
            assert!(
                started.elapsed() < Duration::from_secs(20),
                "no prompt: {}",
                self.screen.lock().unwrap()
            );
            std::thread::sleep(Duration::from_millis(5));
        }
        self.keys.write_all(keys.as_bytes()).unwrap();
    }

    /// Types a line and Enter, which ends the input.
    pub fn enter(&mut self, line: &str) {
        self.press(&format!("{line}\r"));
        self.prompts += 1;
    }

    /// Types a line and Enter, after which the input goes on at a prompt of its own.
    pub fn go_on(&mut self, line: &str) {
        self.enter(line);
    }

    /// Pastes text as a terminal does that does not mark it: as if somebody typed it at once.
    pub fn paste(&mut self, text: &str) {
        self.press(text);
    }

    /// Pastes text as most terminals do, between marks, and presses Enter.
    pub fn paste_marked(&mut self, text: &str) {
        self.press(&format!("\x1b[200~{}\x1b[201~\r", text.replace('\n', "\r")));
    }

    pub fn whole(&self) -> String {
        self.screen.lock().unwrap().clone()
    }

    /// Ctrl-C while a line is edited.
    pub fn cancel(&mut self) {
        self.press("\x03");
        self.prompts += 1;
    }

    /// Ctrl-C while something runs.
    pub fn stop(&mut self) {
        self.keys.write_all(b"\x03").unwrap();
    }

    /// Waits until `text` appears after what was expected before.
    #[track_caller]
    pub fn expect(&mut self, text: &str) {
        self.expect_within(text, 20);
    }

    #[track_caller]
    pub fn expect_within(&mut self, text: &str, seconds: u64) {
        let started = Instant::now();
        loop {
            let screen = self.screen.lock().unwrap().clone();
            if let Some(at) = screen[self.seen..].find(text) {
                self.seen += at + text.len();
                // After a paste nobody has counted its prompts.
                self.prompts = self.prompts.max(screen.matches("\x1b[?2004h").count());
                return;
            }
            assert!(
                started.elapsed() < Duration::from_secs(seconds),
                "`{text}` did not appear; the screen since then:\n{}",
                screen[self.seen..].escape_debug()
            );
            std::thread::sleep(Duration::from_millis(10));
        }
    }

    pub fn leave(mut self) -> i32 {
        // One that comes before the prompt does is the terminal's, and may be lost.
        for _ in 0..20 {
            self.press("\x04");
            for _ in 0..20 {
                if let Some(status) = self.child.try_wait().unwrap() {
                    return status.code().unwrap_or(-1);
                }
                std::thread::sleep(std::time::Duration::from_millis(50));
            }
        }
        panic!(
            "the prompt was not left; the screen since then:\n{}",
            self.whole()
        );
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // Already gone where the test ended well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
