//! Lua bindings, thin: parse, call, wrap. One file per Lua module.
