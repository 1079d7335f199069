//! How far work has come, for whoever shows it.

/// Told how far a run has come, from any thread.
pub trait Progress: Send + Sync {
    fn start(&self, total: u64, label: &str);
    fn advance(&self, n: u64);
    fn finish(&self);

    /// Nothing of what was started goes on any more, as after an error.
    fn reset(&self) {}

    /// Of things that go on side by side, such as files that arrive.
    fn side_by_side(&self, _label: &str) -> Box<dyn SideBySide> {
        Box::new(Silent)
    }
}

/// Told how far several things have come that go on side by side, until it is dropped. Each has a key of its own.
pub trait SideBySide: Send + Sync {
    /// Of `key` so many bytes are there already, of so many in all where that is known.
    fn begin(&self, key: usize, name: &str, done: u64, total: Option<u64>);
    fn advance(&self, key: usize, bytes: u64);
    /// What had arrived of `key` is void.
    fn restart(&self, key: usize);
    /// What `key` waits for.
    fn waits(&self, key: usize, name: &str, reason: &str);
    fn end(&self, key: usize);
    /// How far the whole is; `text` is asked for only when it will be shown.
    fn whole(&self, text: &dyn Fn() -> String);
}

/// Tells nobody.
pub(super) struct Silent;

impl Progress for Silent {
    fn start(&self, _: u64, _: &str) {}
    fn advance(&self, _: u64) {}
    fn finish(&self) {}
}

impl SideBySide for Silent {
    fn begin(&self, _: usize, _: &str, _: u64, _: Option<u64>) {}
    fn advance(&self, _: usize, _: u64) {}
    fn restart(&self, _: usize) {}
    fn waits(&self, _: usize, _: &str, _: &str) {}
    fn end(&self, _: usize) {}
    fn whole(&self, _: &dyn Fn() -> String) {}
}
