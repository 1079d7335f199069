//! How a Rust function becomes a Lua function whose errors are strings with the script's file and line.
//!
//! An `Err` that a plain mlua callback returns reaches `pcall` as a userdata with a "runtime error:" prefix and no
//! place. Here the callback returns `true, results…` or `false, message`, and a small C closure around it raises
//! the message with the place of its caller. A closure in Lua would not do: in `return filter.lee(x)`, which is how
//! most functions given to `map` end, a Lua function replaces its caller's frame and the line is lost; a C function
//! does not.

use std::ffi::CStr;
use std::rc::Rc;

use mlua::{Function, Lua, MultiValue, Value, ffi};

use super::args::Args;
use super::following;
use super::remedies::with_calls;
use super::signature::Signature;
use crate::error::{Error, Result};
use crate::{interrupt, panics};

pub(crate) type Body = Box<dyn Fn(&Lua, &Args) -> Result<MultiValue>>;

/// The Lua function for `body`. Panics inside become errors.
pub(crate) fn native(lua: &Lua, signature: Rc<Signature>, body: Body) -> mlua::Result<Function> {
    let full = signature.full.clone();
    raising(lua, full, move |lua, values| {
        Args::new(signature.clone(), values.into_vec()).and_then(|args| body(lua, &args))
    })
}

/// A function with the values as they come, for what is called too often to look at a signature; its errors do not start with a name.
pub(crate) fn plain<F>(lua: &Lua, function: F) -> mlua::Result<Function>
where
    F: Fn(&Lua, MultiValue) -> Result<MultiValue> + 'static,
{
    raising(lua, String::new(), function)
}

fn raising<F>(lua: &Lua, name: String, function: F) -> mlua::Result<Function>
where
    F: Fn(&Lua, MultiValue) -> Result<MultiValue> + 'static,
{
    let inner = lua.create_function(move |lua, values: MultiValue| {
        // Before and after, so that no loop of natives outlives a stop, whatever they do and whatever `pcall` catches.
        let call = || {
            interrupt::check()?;
            following::look(lua);
            let results = function(lua, values)?;
            interrupt::check().map(|()| results)
        };
        match panics::caught(call) {
            Ok(mut values) => {
                values.push_front(Value::Boolean(true));
                Ok(values)
            }
            Err(error) => {
                // What Lua's own functions raise when a native calls them has no place of its own.
                let located = matches!(&error, Error::Script(text) if place(text).is_some());
                let text = match &error {
                    Error::Script(text) if located => text.clone(),
                    other if name.is_empty() => other.to_string(),
                    other => format!("{name}: {other}"),
                };
                let text = if located { text } else { readable(with_calls(text)) };
                Ok(MultiValue::from_vec(vec![
                    Value::Boolean(false),
                    Value::String(lua.create_string(text)?),
                    Value::Boolean(located),
                ]))
            }
        }
    })?;
    // SAFETY: `enclose` is a well-behaved C function: it reads one argument and returns one value.
    let enclose = unsafe { lua.create_c_function(enclose)? };
    enclose.call(inner)
}

/// Bytes of a message that somebody reads: what was wrong with a text of megabytes is not made clearer by all of it.
const MOST_READ: usize = 16 << 10;

fn readable(text: String) -> String {
    if text.len() <= MOST_READ {
        return text;
    }
    let whole = |at: usize| {
        (at..text.len())
            .find(|&at| text.is_char_boundary(at))
            .unwrap_or(text.len())
    };
    let (start, end) = (whole(MOST_READ / 4 * 3), whole(text.len() - MOST_READ / 4));
    format!("{} … {}", &text[..start], &text[end..])
}

/// `body` with its results made into Lua values.
pub(crate) fn body<F, R>(function: F) -> Body
where
    F: Fn(&Lua, &Args) -> Result<R> + 'static,
    R: mlua::IntoLuaMulti,
{
    Box::new(move |lua, args| Ok(function(lua, args)?.into_lua_multi(lua)?))
}

unsafe extern "C-unwind" fn enclose(state: *mut ffi::lua_State) -> i32 {
    // SAFETY: called by Lua with one argument on a stack that has room for LUA_MINSTACK values.
    unsafe {
        ffi::lua_settop(state, 1);
        ffi::lua_pushcclosure(state, call_and_raise, 1);
    }
    1
}

/// Calls upvalue 1 with the arguments; returns its results, or raises its message behind the caller's place.
unsafe extern "C-unwind" fn call_and_raise(state: *mut ffi::lua_State) -> i32 {
    // SAFETY: no value here has a destructor, so errors of Lua may leave this frame by longjmp. The stack has room
    // for LUA_MINSTACK values beyond the arguments; `lua_call` makes room for its results.
    unsafe {
        let arguments = ffi::lua_gettop(state);
        ffi::lua_pushvalue(state, ffi::lua_upvalueindex(1));
        ffi::lua_insert(state, 1);
        ffi::lua_call(state, arguments, ffi::LUA_MULTRET);
        if ffi::lua_toboolean(state, 1) != 0 {
            return ffi::lua_gettop(state) - 1;
        }
        let located = ffi::lua_toboolean(state, 3) != 0;
        ffi::lua_settop(state, 2);
        if !located {
            push_place(state);
            ffi::lua_insert(state, 2);
            ffi::lua_concat(state, 2);
        }
        ffi::lua_error(state)
    }
}

/// Pushes `file:line: ` of the nearest Lua function up the stack: `pcall(raster.open, "x")` has a C function between.
/// Functions of the library in stdlib/ are passed over, so that an error names the script's line and not the library's.
unsafe fn push_place(state: *mut ffi::lua_State) {
    // SAFETY: as in `call_and_raise`, its only caller; `record` is written by lua_getstack before it is read.
    unsafe {
        let mut record: ffi::lua_Debug = std::mem::zeroed();
        let mut level = 1;
        while ffi::lua_getstack(state, level, &mut record) != 0 {
            ffi::lua_getinfo(state, c"Sl".as_ptr(), &mut record);
            if record.currentline > 0 && !is_library(&record) {
                ffi::luaL_where(state, level);
                return;
            }
            level += 1;
        }
        ffi::lua_pushliteral(state, c"");
    }
}

/// Whether a frame runs a module of the library. The workflows that ship are scripts, whose lines a user knows.
fn is_library(record: &ffi::lua_Debug) -> bool {
    if record.source.is_null() {
        return false;
    }
    // SAFETY: Lua's chunk names are zero-terminated and live as long as the function on the stack.
    let source = unsafe { CStr::from_ptr(record.source) }.to_bytes();
    source == b"=perilune" || source.starts_with(b"@stdlib/") && !source.starts_with(b"@stdlib/workflows/")
}

/// Errors of the virtual machine, as when a native calls a Lua function that fails. What a script raised keeps its
/// own place and loses mlua's traceback; an interruption stays one.
impl From<mlua::Error> for Error {
    fn from(error: mlua::Error) -> Self {
        if is_interrupted(&error) {
            return Error::Interrupted;
        }
        match error {
            mlua::Error::RuntimeError(text) => Error::Script(without_traceback(&text).to_string()),
            mlua::Error::MemoryError(_) => Error::Script(OUT_OF_MEMORY.to_string()),
            mlua::Error::SyntaxError { message, .. } => Error::Script(message),
            mlua::Error::CallbackError { cause, .. } | mlua::Error::WithContext { cause, .. } => {
                Error::from((*cause).clone())
            }
            mlua::Error::ExternalError(error) => Error::message(error.to_string()),
            other => Error::message(other.to_string()),
        }
    }
}

pub const OUT_OF_MEMORY: &str = "not enough memory: the script's tables and strings have reached the limit of the \
    Lua heap (pixels do not count); keep less in tables, or raise it with --lua-memory";

pub fn is_interrupted(error: &mlua::Error) -> bool {
    error
        .chain()
        .any(|e| matches!(e.downcast_ref::<Error>(), Some(Error::Interrupted)))
}

/// The message before the traceback that mlua puts behind it.
pub fn without_traceback(text: &str) -> &str {
    text.split("\nstack traceback:").next().unwrap_or(text)
}

/// `file:line:` at the start of a message.
pub fn place(message: &str) -> Option<(String, usize)> {
    message.match_indices(':').find_map(|(at, _)| {
        let rest = &message[at + 1..];
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        if digits == 0 || !rest[digits..].starts_with(':') || message[..at].contains(": ") {
            return None;
        }
        Some((message[..at].to_string(), rest[..digits].parse().ok()?))
    })
}
