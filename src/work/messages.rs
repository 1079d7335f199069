//! Messages beside the results of a run.

use super::context::{current, output};
use super::output::Stream;

/// A line among the messages of this thread's context. That nobody can read it is no reason to fail.
pub fn tell(text: &str) {
    let _ = output().write(Stream::Stderr, format!("{text}\n").as_bytes());
}

/// A message that results may not be what they seem.
pub fn warn(text: &str) {
    tell(&format!("warning: {text}"));
}

/// A warning that a context gets once about each thing, whoever meets it again.
pub fn warn_once(about: &str, text: impl FnOnce() -> String) {
    if current().is_first_about(about) {
        warn(&text());
    }
}
