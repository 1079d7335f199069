//! The line of its own text that a script has come to, told to whoever follows it.

use std::rc::Rc;
use std::sync::atomic::{AtomicBool, Ordering};

use mlua::Lua;

/// Calls within calls that are looked through for the script's own.
const DEEPEST: usize = 200;

/// Whether any script of this process is followed, since every call of a native asks.
static ANY: AtomicBool = AtomicBool::new(false);

/// In app data.
#[derive(Clone)]
struct Follower {
    /// Of the script, as Lua has it: `@s1.lua`.
    chunk: Rc<str>,
    at: Rc<dyn Fn(usize)>,
}

/// From now on tells `at` the line of the main part of `chunk`, whenever something of perilune's is called and now and then between. What
/// runs in a coroutine of the script tells none.
pub fn follow(lua: &Lua, chunk: &str, at: impl Fn(usize) + 'static) {
    lua.set_app_data(Follower {
        chunk: chunk.into(),
        at: Rc::new(at),
    });
    ANY.store(true, Ordering::Relaxed);
}

/// Tells the follower of this machine, if it has one, where its script is.
pub fn look(lua: &Lua) {
    if !ANY.load(Ordering::Relaxed) {
        return;
    }
    let follower = lua.app_data_ref::<Follower>().map(|follower| follower.clone());
    if let Some(Follower { chunk, at }) = follower
        && let Some(line) = line_of(lua, &chunk)
    {
        at(line);
    }
}

fn line_of(lua: &Lua, chunk: &str) -> Option<usize> {
    for level in 0..DEEPEST {
        let found = lua.inspect_stack(level, |frame| {
            let source = frame.source();
            let is_main = source.what == "main" && source.source.as_deref() == Some(chunk);
            is_main.then(|| frame.current_line()).flatten()
        })?;
        if found.is_some() {
            return found;
        }
    }
    None
}
