//! A panic is a mistake, in perilune or in a library that it uses. Whatever thread it happens on, it becomes an error that names the place.

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind, set_hook, take_hook};
use std::sync::Mutex;

use crate::error::{Error, Result};

/// Where the last panic happened.
static PLACE: Mutex<Option<String>> = Mutex::new(None);

/// Keeps the places of panics for the errors that they become, in place of printing them; with `RUST_BACKTRACE` they are printed too.
pub fn keep_places() {
    let print = take_hook();
    let wanted = std::env::var_os("RUST_BACKTRACE").is_some_and(|value| value != "0");
    set_hook(Box::new(move |panic| {
        let place = panic.location().map(ToString::to_string);
        *PLACE.lock().unwrap_or_else(|e| e.into_inner()) = place;
        if wanted {
            print(panic);
        }
    }));
}

/// What `work` answers, or an error where it panics.
///
/// # Errors
/// Those of `work`; where it panics, what it said and where.
pub fn caught<R>(work: impl FnOnce() -> Result<R>) -> Result<R> {
    // What was half changed is let go of: the work is over.
    catch_unwind(AssertUnwindSafe(work)).unwrap_or_else(|panic| {
        let place = PLACE.lock().unwrap_or_else(|e| e.into_inner()).take();
        let place = place.map_or(String::new(), |place| format!(" ({place})"));
        Err(Error::message(format!(
            "internal error, a mistake in perilune itself: {}{place}; please report it",
            text(&*panic)
        )))
    })
}

fn text(panic: &(dyn Any + Send)) -> &str {
    panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("panic")
}
