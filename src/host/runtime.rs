//! The virtual machine: Lua 5.4 without the dangerous libraries, with limits, and stoppable at any time.

use std::sync::Arc;
use std::time::Duration;

use mlua::chunk::ChunkMode;
use mlua::debug::{Debug, DebugEvent};
use mlua::{Function, HookTriggers, Lua, LuaOptions, MultiValue, StdLib, Table, VmState};

use super::watchdog::Watchdog;
use super::{loader, sandbox, sources};
use crate::error::{Error, Result};
use crate::interrupt;
use crate::lua::{Access, following};
use crate::work::{self, Context, Entered};

/// What a script may use up.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of the Lua heap: tables and strings, not pixels.
    pub heap: usize,
    pub time: Option<Duration>,
}

impl Default for Limits {
    fn default() -> Self {
        Limits {
            heap: 1 << 30,
            time: None,
        }
    }
}

/// How many instructions run between two looks at the stop flag: well below a millisecond.
const LOOK_EVERY: u32 = 20_000;

/// The machine, and the context in which it was made: its scripts run in that, whatever others the thread enters.
pub struct Runtime {
    lua: Lua,
    limits: Limits,
    context: Context,
}

impl Runtime {
    /// # Errors
    /// When Lua is out of memory, or cannot limit its heap.
    pub fn new(limits: Limits, access: Access) -> Result<Self> {
        crate::bytes::set_policy(crate::lua::access::policy_of_files());
        Runtime::for_names(limits, access)
    }

    /// One that is asked what names it has, and runs nothing: what this process may open stays as it is.
    ///
    /// # Errors
    /// As `new`.
    pub fn for_names(limits: Limits, access: Access) -> Result<Self> {
        let libraries =
            StdLib::COROUTINE | StdLib::TABLE | StdLib::STRING | StdLib::UTF8 | StdLib::MATH | StdLib::OS;
        // Natives turn panics into errors themselves, so that Lua's own pcall may stay (without the option mlua puts one of its own there):
        // coroutines yield across it.
        let lua = Lua::new_with(libraries, LuaOptions::new().catch_rust_panics(true))?;
        lua.set_app_data(access);
        lua.set_app_data(limits.clone());
        sandbox::install(&lua)?;
        loader::install(&lua)?;
        watch(&lua)?;
        lua.set_memory_limit(limits.heap)?;
        Ok(Runtime {
            lua,
            limits,
            context: Context::clone(&work::current()),
        })
    }

    pub fn lua(&self) -> &Lua {
        &self.lua
    }

    /// Compiles text (never bytecode). `name` is what errors call it: `@s1.lua` for a file, `=prompt` for others.
    ///
    /// # Errors
    /// Text that does not compile, and bytecode.
    pub fn load(&self, source: &str, name: &str, environment: Option<Table>) -> mlua::Result<Function> {
        sources::remember(&self.lua, name, source);
        let chunk = self.lua.load(source).set_name(name).set_mode(ChunkMode::Text);
        match environment {
            Some(environment) => chunk.set_environment(environment).into_function(),
            None => chunk.into_function(),
        }
    }

    /// Tells `at` the line of the main part of `chunk` that runs, where something of perilune's is called and now and then between; with `every_call` where
    /// anything is called that is not written in Lua, as coroutines are resumed, which slows calls down.
    ///
    /// # Errors
    /// When Lua is out of memory.
    pub fn follow(&self, chunk: &str, every_call: bool, at: impl Fn(usize) + 'static) -> Result<()> {
        following::follow(&self.lua, chunk, at);
        self.lua.set_app_data(EveryCall(every_call));
        Ok(watch(&self.lua)?)
    }

    /// Watches what follows, under the time limit.
    pub fn watchdog(&self, farewell: &'static str) -> Watchdog {
        Watchdog::start(self.limits.time, farewell)
    }

    /// Makes its context this thread's, until what is returned is dropped.
    #[must_use]
    pub fn enter(&self) -> Entered {
        self.context.enter()
    }

    /// Calls `function`. After an interruption the machine is ready for the next call.
    ///
    /// # Errors
    /// What the function raises; `Interrupted`, with the place that was reached.
    pub fn call(&self, function: &Function) -> mlua::Result<MultiValue> {
        self.run(|| function.call(()))
    }

    /// Runs `function` to its end or to where it yields, if that comes first; what is left of it then never runs.
    ///
    /// # Errors
    /// As `call`.
    pub fn begin(&self, function: &Function) -> mlua::Result<()> {
        let thread = self.lua.create_thread(function.clone())?;
        self.run(|| thread.resume(()))
    }

    /// Closes the machine, which runs the finalisers that are left.
    pub fn close(self) {
        let _entered = self.context.enter();
        drop(self.lua);
    }

    fn run<R>(&self, run: impl FnOnce() -> mlua::Result<R>) -> mlua::Result<R> {
        let _entered = self.enter();
        self.lua.remove_app_data::<StoppedAt>();
        let result = run();
        if !interrupt::requested() {
            return result;
        }
        watch(&self.lua)?;
        // mlua's own variant asks for an Arc.
        #[allow(clippy::arc_with_non_send_sync)]
        match self.lua.remove_app_data::<StoppedAt>() {
            Some(StoppedAt(traceback)) => Err(mlua::Error::CallbackError {
                traceback,
                cause: Arc::new(mlua::Error::external(Error::Interrupted)),
            }),
            // A pcall may have swallowed the stop in the script's last instructions.
            None => Err(result.err().unwrap_or(mlua::Error::external(Error::Interrupted))),
        }
    }
}

/// In app data: the calls that were running when the stop was first noticed.
struct StoppedAt(String);

/// In app data: whether a script is followed at every call.
struct EveryCall(bool);

/// Looks at the stop flag now and then. A hook's error can be caught by `pcall`, so once the flag is set a hook
/// on every instruction raises it again until nothing of the script is left.
fn watch(lua: &Lua) -> mlua::Result<()> {
    let mut when = HookTriggers::new().every_nth_instruction(LOOK_EVERY);
    if lua.app_data_ref::<EveryCall>().is_some_and(|every| every.0) {
        when = when.on_calls();
    }
    lua.set_global_hook(when, |lua: &Lua, debug: &Debug| {
        if debug.event() != DebugEvent::Call || debug.source().what == "C" {
            following::look(lua);
        }
        if !interrupt::requested() {
            return Ok(VmState::Continue);
        }
        lua.set_app_data(StoppedAt(lua.traceback(None, 0)?.to_string_lossy()));
        lua.set_global_hook(HookTriggers::new().every_nth_instruction(1), stop)?;
        Err(mlua::Error::external(Error::Interrupted))
    })
}

fn stop(_: &Lua, _: &Debug) -> mlua::Result<VmState> {
    if interrupt::requested() {
        Err(mlua::Error::external(Error::Interrupted))
    } else {
        Ok(VmState::Continue)
    }
}
