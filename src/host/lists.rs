//! `table.insert`, `remove` and `move` as Lua's own, but stoppable: what `#` says may be any number, and Lua's loops over it
//! run in C, where no hook looks at the stop flag.

use mlua::ffi::{
    self, lua_State, lua_compare, lua_geti, lua_gettop, lua_pushnil, lua_pushvalue, lua_seti, luaL_argerror,
    luaL_checkinteger, luaL_error, luaL_optinteger,
};
use mlua::{Lua, Table};

use crate::error::Result;
use crate::interrupt;

pub fn install(lua: &Lua, table: &Table) -> Result<()> {
    // SAFETY: each is a well-behaved C function: it reads its arguments and returns as many values as it says.
    unsafe {
        table.raw_set("insert", lua.create_c_function(insert)?)?;
        table.raw_set("remove", lua.create_c_function(remove)?)?;
        table.raw_set("move", lua.create_c_function(r#move)?)?;
    }
    Ok(())
}

/// Elements that move between two looks at the stop flag.
const LOOK_EVERY: i64 = 1 << 12;

/// Copies field `from` of the table at `source` to field `to` of the one at `target`.
/// # Safety
/// Both are indices of values that may be indexed, the stack has room for one value, and no frame up to the protected call has a destructor.
unsafe fn copy(state: *mut lua_State, source: i32, from: i64, target: i32, to: i64, done: i64) {
    // SAFETY: promised by the caller.
    unsafe {
        if done % LOOK_EVERY == 0 && interrupt::requested() {
            luaL_error(state, c"interrupted".as_ptr());
        }
        lua_geti(state, source, from);
        lua_seti(state, target, to);
    }
}

/// An error unless argument `index` is a table, or has metamethods that make it behave like one.
/// # Safety
/// As for `copy`.
unsafe fn check(state: *mut lua_State, index: i32, metamethods: &[&std::ffi::CStr]) {
    // SAFETY: promised by the caller; `luaL_getmetafield` pushes one value where there is one, which is popped.
    unsafe {
        if ffi::lua_type(state, index) == ffi::LUA_TTABLE {
            return;
        }
        for name in metamethods {
            if ffi::luaL_getmetafield(state, index, name.as_ptr()) == ffi::LUA_TNIL {
                ffi::luaL_checktype(state, index, ffi::LUA_TTABLE);
            }
            ffi::lua_pop(state, 1);
        }
    }
}

const LIST: &[&std::ffi::CStr] = &[c"__index", c"__newindex", c"__len"];

unsafe extern "C-unwind" fn insert(state: *mut lua_State) -> i32 {
    // SAFETY: called by Lua with LUA_MINSTACK values of room; no value here has a destructor.
    unsafe {
        check(state, 1, LIST);
        let end = ffi::luaL_len(state, 1).wrapping_add(1);
        let position = match lua_gettop(state) {
            2 => end,
            3 => {
                let position = luaL_checkinteger(state, 2);
                if position.wrapping_sub(1) as u64 >= end as u64 {
                    return luaL_argerror(state, 2, c"position out of bounds".as_ptr());
                }
                let mut i = end;
                while i > position {
                    copy(state, 1, i - 1, 1, i, end - i);
                    i -= 1;
                }
                position
            }
            _ => return luaL_error(state, c"wrong number of arguments to 'insert'".as_ptr()),
        };
        lua_seti(state, 1, position);
    }
    0
}

unsafe extern "C-unwind" fn remove(state: *mut lua_State) -> i32 {
    // SAFETY: as in `insert`.
    unsafe {
        check(state, 1, LIST);
        let size = ffi::luaL_len(state, 1);
        let mut position = luaL_optinteger(state, 2, size);
        if position != size && position.wrapping_sub(1) as u64 > size as u64 {
            return luaL_argerror(state, 2, c"position out of bounds".as_ptr());
        }
        lua_geti(state, 1, position);
        let start = position;
        while position < size {
            copy(state, 1, position + 1, 1, position, position - start);
            position += 1;
        }
        lua_pushnil(state);
        lua_seti(state, 1, position);
    }
    1
}

unsafe extern "C-unwind" fn r#move(state: *mut lua_State) -> i32 {
    // SAFETY: as in `insert`.
    unsafe {
        let (first, last, to) = (
            luaL_checkinteger(state, 2),
            luaL_checkinteger(state, 3),
            luaL_checkinteger(state, 4),
        );
        let target = if ffi::lua_isnoneornil(state, 5) == 0 { 5 } else { 1 };
        check(state, 1, &LIST[..1]);
        check(state, target, &LIST[1..2]);
        if last >= first {
            if first <= 0 && last >= i64::MAX + first {
                return luaL_argerror(state, 3, c"too many elements to move".as_ptr());
            }
            let count = last - first + 1;
            if to > i64::MAX - count + 1 {
                return luaL_argerror(state, 4, c"destination wrap around".as_ptr());
            }
            let forwards = to > last
                || to <= first
                || (target != 1 && lua_compare(state, 1, target, ffi::LUA_OPEQ) == 0);
            for done in 0..count {
                let i = if forwards { done } else { count - 1 - done };
                copy(state, 1, first + i, target, to + i, done);
            }
        }
        lua_pushvalue(state, target);
    }
    1
}
