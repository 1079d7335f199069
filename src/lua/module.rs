//! Modules: read-only tables of natives whose unknown fields are errors that suggest the right one.

use std::rc::Rc;

use mlua::{Function, IntoLua, IntoLuaMulti, Lua, Table, Value};

use super::args::Args;
use super::class::{Class, class_info};
use super::names::{Member, What, change_names};
use super::native::{body, native};
use super::options::{OptionTable, declared};
use super::signature::Signature;
use super::spec::Declared;
use super::value::describe;
use crate::error::{Error, Result, nearest};

/// Collects a module's contents. See `crate::lua` for how to write one.
pub struct Module<'a> {
    lua: &'a Lua,
    name: &'a str,
    fields: Table,
    entries: Vec<Member>,
}

impl<'a> Module<'a> {
    /// Builds the module `name` by `define`, and enters its names for completion and help.
    ///
    /// # Errors
    /// Those of `define`; when Lua is out of memory.
    pub fn build(
        lua: &'a Lua,
        name: &'a str,
        define: impl FnOnce(&mut Module) -> Result<()>,
    ) -> Result<Table> {
        let mut module = Module {
            lua,
            name,
            fields: lua.create_table()?,
            entries: Vec::new(),
        };
        define(&mut module)?;
        let Module { fields, entries, .. } = module;
        change_names(lua, |names| {
            names.modules.insert(name.to_string(), entries);
        });
        protect(lua, name, fields)
    }

    pub fn lua(&self) -> &'a Lua {
        self.lua
    }

    /// A function, by its signature: `open(path, options?)`.
    ///
    /// # Errors
    /// When Lua is out of memory.
    pub fn function<F, R>(&mut self, signature: &str, function: F) -> Result<&mut Self>
    where
        F: Fn(&Lua, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add(signature, None, function)
    }

    /// A function whose trailing `options` are declared by `options!`: `lee(raster, options)`.
    ///
    /// # Errors
    /// When Lua is out of memory.
    pub fn function_with<O, F, R>(&mut self, signature: &str, function: F) -> Result<&mut Self>
    where
        O: OptionTable,
        F: Fn(&Lua, &Args, O) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add(signature, Some(declared::<O>()), move |lua, args| {
            function(lua, args, args.table()?)
        })
    }

    fn add<F, R>(&mut self, signature: &str, options: Option<Declared>, function: F) -> Result<&mut Self>
    where
        F: Fn(&Lua, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        let signature = Signature::parse(&format!("{}.", self.name), signature);
        let name = signature.name.clone();
        self.entries.push(Member {
            name: name.clone(),
            what: What::Function,
            signature: Some(signature.to_string()),
            options,
        });
        let function = native(self.lua, Rc::new(signature), body(function))?;
        self.fields.raw_set(name, function)?;
        Ok(self)
    }

    /// A function outside any module; `prefix` is what errors write before its name: `os.`.
    ///
    /// # Errors
    /// When Lua is out of memory.
    pub fn alone<F, R>(lua: &Lua, prefix: &str, signature: &str, function: F) -> Result<Function>
    where
        F: Fn(&Lua, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        Ok(native(
            lua,
            Rc::new(Signature::parse(prefix, signature)),
            body(function),
        )?)
    }

    /// A constant.
    ///
    /// # Errors
    /// A value that Lua cannot hold; when it is out of memory.
    pub fn value(&mut self, name: &str, value: impl IntoLua) -> Result<&mut Self> {
        self.entries.push(Member {
            name: name.to_string(),
            what: What::Value,
            signature: None,
            options: None,
        });
        self.fields.raw_set(name, value)?;
        Ok(self)
    }

    /// Says that a parameter of this module is a table, or a list of tables, that `options!` declares.
    pub fn table<O: OptionTable>(&mut self) -> &mut Self {
        change_names(self.lua, |names| names.tables.push(declared::<O>()));
        self
    }

    /// Says that objects of this class come from this module, so that help and completion know its methods.
    pub fn class<T: Class>(&mut self) -> &mut Self {
        let mut info = class_info::<T>();
        info.module = self.name.to_string();
        change_names(self.lua, |names| {
            names.classes.insert(T::NAME, info);
        });
        self
    }
}

/// A read-only view of `fields`: reading an unknown name and writing any are errors. `pairs` works.
///
/// # Errors
/// When Lua is out of memory.
pub fn protect(lua: &Lua, name: &str, fields: Table) -> Result<Table> {
    let module = lua.create_table()?;
    let meta = lua.create_table()?;
    let what = format!("module {name}");

    let (title, known) = (what.clone(), fields.clone());
    let unknown = guard(lua, "__index(table, key)", move |_, args| {
        let key = args.get::<Value>("key")?;
        Err::<Value, _>(unknown_field(&title, &key, &known))
    })?;
    let behind = lua.create_table()?;
    behind.raw_set("__index", unknown)?;
    fields.set_metatable(Some(behind))?;

    let title = what.clone();
    let write = guard(lua, "__newindex(table, key, value?)", move |_, args| {
        Err::<(), _>(Error::message(format!(
            "{title} is read-only; cannot set its field {}",
            describe(&args.get::<Value>("key")?)
        )))
    })?;
    let next: Function = lua.globals().raw_get("next")?;
    let inside = fields.clone();
    let pairs = guard(lua, "__pairs(table)", move |_, _| {
        Ok((next.clone(), inside.clone(), Value::Nil))
    })?;
    meta.raw_set("__index", fields)?;
    meta.raw_set("__newindex", write)?;
    meta.raw_set("__pairs", pairs)?;
    meta.raw_set("__name", what)?;
    meta.raw_set("__metatable", false)?;
    module.set_metatable(Some(meta))?;
    Ok(module)
}

/// What `protect` guards: the metatable is closed to scripts, not to the host.
pub fn contents(module: &Table) -> Option<Table> {
    module.metatable()?.raw_get("__index").ok()
}

/// A native whose errors do not start with its name, for metamethods that a script does not call by name.
pub(crate) fn guard<F, R>(lua: &Lua, signature: &str, function: F) -> Result<Function>
where
    F: Fn(&Lua, &Args) -> Result<R> + 'static,
    R: IntoLuaMulti,
{
    let mut signature = Signature::parse("", signature);
    signature.full.clear();
    Ok(native(lua, Rc::new(signature), body(function))?)
}

fn unknown_field(owner: &str, key: &Value, fields: &Table) -> Error {
    let Value::String(name) = key else {
        return Error::message(format!("{owner} has no field {}", describe(key)));
    };
    let name = name.to_string_lossy();
    let mut names: Vec<String> = fields
        .pairs::<Value, Value>()
        .filter_map(|pair| match pair {
            Ok((Value::String(name), _)) => Some(name.to_string_lossy()),
            _ => None,
        })
        .collect();
    names.sort();
    Error::message(unknown_name(owner, "field", &name, &names))
}

/// "module filter has no field `refind_lee`; did you mean `refined_lee`?"
pub(crate) fn unknown_name(owner: &str, what: &str, name: &str, known: &[String]) -> String {
    let mut text = format!("{owner} has no {what} `{name}`");
    if let Some(near) = nearest(name, known.iter().map(String::as_str)) {
        text.push_str(&format!("; did you mean `{near}`?"));
    } else if !known.is_empty() && known.len() <= 24 {
        text.push_str(&format!("; it has: {}", known.join(", ")));
    }
    text
}
