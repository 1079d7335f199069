//! Classes: Rust types as Lua objects with methods, fields, operators and names of their own such as bands.

use std::collections::HashMap;
use std::rc::Rc;

use mlua::{
    AnyUserData, IntoLua, IntoLuaMulti, Lua, MetaMethod, MultiValue, UserDataFields, UserDataRef,
    UserDataRegistry, Value,
};

use super::args::Args;
use super::module::unknown_name;
use super::names::{ClassInfo, Member, What};
use super::native::{Body, body, native};
use super::options::{OptionTable, declared};
use super::signature::Signature;
use super::spec::Declared;
use super::value::describe;
use super::words::with_article;
use crate::error::{Error, Result};
use crate::work::Display;

/// A Rust type that scripts hold objects of. `bind_class!(Type)` makes it one for mlua.
pub trait Class: mlua::UserData + 'static {
    /// What scripts and errors call it: `Raster`.
    const NAME: &'static str;

    fn define(class: &mut Builder<Self>);
}

/// Makes a type that implements `Class` known to mlua.
#[macro_export]
macro_rules! bind_class {
    ($type:ty) => {
        impl mlua::UserData for $type {
            fn register(registry: &mut mlua::UserDataRegistry<Self>) {
                $crate::lua::class::register::<$type>(registry)
            }
        }
    };
}

type Getter = Box<dyn Fn(&Lua, &AnyUserData) -> Result<Value>>;
type Lookup = Box<dyn Fn(&Lua, &AnyUserData, &Value) -> Result<Option<Value>>>;

/// Collects a class's contents.
pub struct Builder<T> {
    methods: Vec<(Signature, Body)>,
    fields: Vec<(&'static str, Getter)>,
    metas: Vec<(&'static str, Signature, Body)>,
    names: Option<Lookup>,
    items: Option<Lookup>,
    info: ClassInfo,
    phantom: std::marker::PhantomData<T>,
}

impl<T: Class> Builder<T> {
    fn new() -> Self {
        let mut builder = Builder {
            methods: Vec::new(),
            fields: Vec::new(),
            metas: Vec::new(),
            names: None,
            items: None,
            info: ClassInfo::default(),
            phantom: std::marker::PhantomData,
        };
        T::define(&mut builder);
        builder
    }

    /// A method, by its signature without `self`: `clamp(low, high)`.
    pub fn method<F, R>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &T, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add_method(signature, None, move |lua, object, args| {
            method(lua, &*borrow::<T>(object)?, args)
        })
    }

    /// A method whose trailing `options` are declared by `options!`: `write(path, options?)`.
    pub fn method_with<O, F, R>(&mut self, signature: &str, method: F) -> &mut Self
    where
        O: OptionTable,
        F: Fn(&Lua, &T, &Args, O) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add_method(signature, Some(declared::<O>()), move |lua, object, args| {
            method(lua, &*borrow::<T>(object)?, args, args.table()?)
        })
    }

    /// A method that changes the object.
    pub fn method_mut<F, R>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &mut T, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add_method(signature, None, move |lua, object, args| {
            method(lua, &mut *borrow_mut::<T>(object)?, args)
        })
    }

    /// A method that changes the object and returns it, so that calls can be chained.
    pub fn chain<F>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &mut T, &Args) -> Result<()> + 'static,
    {
        self.add_method(signature, None, move |lua, object, args| {
            method(lua, &mut *borrow_mut::<T>(object)?, args)?;
            Ok(object.clone())
        })
    }

    /// As `chain`, with `options` that are declared by `options!`: `line(x, y, options?)`.
    pub fn chain_with<O, F>(&mut self, signature: &str, method: F) -> &mut Self
    where
        O: OptionTable,
        F: Fn(&Lua, &mut T, &Args, O) -> Result<()> + 'static,
    {
        self.add_method(signature, Some(declared::<O>()), move |lua, object, args| {
            method(lua, &mut *borrow_mut::<T>(object)?, args, args.table()?)?;
            Ok(object.clone())
        })
    }

    fn add_method<F, R>(&mut self, signature: &str, options: Option<Declared>, method: F) -> &mut Self
    where
        F: Fn(&Lua, &AnyUserData, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        let shown = Signature::parse(&format!("{}:", T::NAME), signature);
        self.info.entries.push(Member {
            name: shown.name.clone(),
            what: What::Method,
            signature: Some(shown.to_string()),
            options,
        });
        let inner = Rc::new(shown.clone());
        let mut outer = shown;
        outer.variadic = true;
        outer.parameters.clear();
        self.methods.push((
            outer,
            body(move |lua, args: &Args| {
                let (object, rest) = match args.values().split_first() {
                    Some((Value::UserData(object), rest)) if object.is::<T>() => (object, rest),
                    _ => {
                        return Err(Error::message(format!(
                            "the object is missing; call it with a colon, as in `x:{}(…)`",
                            inner.name
                        )));
                    }
                };
                method(lua, object, &Args::new(inner.clone(), rest.to_vec())?)
            }),
        ));
        self
    }

    /// A field that is read only: `r.grid`.
    pub fn field<F, R>(&mut self, name: &'static str, getter: F) -> &mut Self
    where
        F: Fn(&Lua, &T) -> Result<R> + 'static,
        R: IntoLua,
    {
        self.info.entries.push(Member {
            name: name.to_string(),
            what: What::Field,
            signature: None,
            options: None,
        });
        self.fields.push((
            name,
            Box::new(move |lua, object| Ok(getter(lua, &*borrow::<T>(object)?)?.into_lua(lua)?)),
        ));
        self
    }

    /// Fields that differ from object to object, such as bands: asked after methods and fields. `names` lists them.
    pub fn dynamic_fields<F, N>(&mut self, lookup: F, names: N) -> &mut Self
    where
        F: Fn(&Lua, &T, &str) -> Result<Option<Value>> + 'static,
        N: Fn(&T) -> Vec<String> + 'static,
    {
        self.names = Some(Box::new(move |lua, object, key| match key {
            Value::String(name) => lookup(lua, &*borrow::<T>(object)?, &name.to_string_lossy()),
            _ => Ok(None),
        }));
        self.info.dynamic = Some(Rc::new(move |object| match object.borrow::<T>() {
            Ok(this) => names(&this),
            Err(_) => Vec::new(),
        }));
        self
    }

    /// `x[1]`: entries by position, from 1; `None` is nil, which also ends `ipairs`.
    pub fn items<F>(&mut self, lookup: F) -> &mut Self
    where
        F: Fn(&Lua, &T, i64) -> Result<Option<Value>> + 'static,
    {
        self.items = Some(Box::new(move |lua, object, key| match key {
            Value::Integer(index) => lookup(lua, &*borrow::<T>(object)?, *index),
            _ => Ok(None),
        }));
        self
    }

    /// A binary operator; either of `args.get("left")` and `args.get("right")` may be the object.
    /// A unary operator gets the object as both.
    pub fn operator<F, R>(&mut self, operator: MetaMethod, function: F) -> &mut Self
    where
        F: Fn(&Lua, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.meta(operator, "(left, right?)", function)
    }

    /// `x(...)`: the object is `this`, the rest as in a method.
    pub fn call<F, R>(&mut self, parameters: &str, function: F) -> &mut Self
    where
        F: Fn(&Lua, &T, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        let inner = Rc::new(Signature::parse(T::NAME, parameters));
        self.meta(MetaMethod::Call, "(object, ...)", move |lua, args| {
            let object: AnyUserData = args.get("object")?;
            let inside = Args::new(inner.clone(), args.rest().to_vec())?;
            function(lua, &*borrow::<T>(&object)?, &inside)
        })
    }

    /// `tostring(x)`, one line; also what the prompt prints where there is no `show`.
    pub fn text<F>(&mut self, text: F) -> &mut Self
    where
        F: Fn(&T) -> String + 'static,
    {
        self.meta(MetaMethod::ToString, "(object, ...)", move |_, args| {
            Ok(text(&*args.get::<UserDataRef<T>>("object")?))
        })
    }

    /// `#x`.
    pub fn length<F>(&mut self, length: F) -> &mut Self
    where
        F: Fn(&T) -> usize + 'static,
    {
        self.meta(MetaMethod::Len, "(object, ...)", move |_, args| {
            Ok(length(&*args.get::<UserDataRef<T>>("object")?))
        })
    }

    /// What the prompt shows of an object: a text of several lines, and richer forms of it for outputs that can show them.
    pub fn show<F, R>(&mut self, show: F) -> &mut Self
    where
        F: Fn(&Lua, &T) -> Result<R> + 'static,
        R: Into<Display>,
    {
        self.info.show = Some(Rc::new(move |lua, object| {
            Ok(show(lua, &*borrow::<T>(object)?)?.into())
        }));
        self
    }

    /// As `show`, and what `tostring` gives too: for classes that hold many things, whose one line says little.
    pub fn listing<F, R>(&mut self, show: F) -> &mut Self
    where
        F: Fn(&T) -> Result<R> + Clone + 'static,
        R: Into<Display>,
    {
        let text = show.clone();
        self.metas
            .retain(|(name, ..)| *name != MetaMethod::ToString.name());
        self.show(move |_, this| show(this))
            .meta(MetaMethod::ToString, "(object, ...)", move |_, args| {
                let display: Display = text(&*args.get::<UserDataRef<T>>("object")?)?.into();
                Ok(display.text().to_string())
            })
    }

    fn meta<F, R>(&mut self, method: MetaMethod, parameters: &str, function: F) -> &mut Self
    where
        F: Fn(&Lua, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        let mut signature = Signature::parse("", parameters);
        signature.full = match symbol(method.name()) {
            "call" => T::NAME.to_string(),
            symbol => format!("operator {symbol}"),
        };
        self.metas.push((method.name(), signature, body(function)));
        self
    }
}

/// What the names registry keeps of a class.
pub(crate) fn class_info<T: Class>() -> ClassInfo {
    let mut info = Builder::<T>::new().info;
    info.entries.sort_by(|a, b| a.name.cmp(&b.name));
    info
}

/// Fills the metatable; `bind_class!` calls it once for each virtual machine, on the first object.
pub fn register<T: Class>(registry: &mut UserDataRegistry<T>) {
    let Builder {
        methods,
        fields,
        metas,
        names,
        items,
        info,
        ..
    } = Builder::<T>::new();
    registry.add_meta_field("__name", T::NAME);
    for (name, signature, body) in metas {
        registry.add_meta_field_with(name, move |lua| native(lua, Rc::new(signature), body));
    }
    let known: Vec<String> = info.entries.iter().map(|e| e.name.clone()).collect();
    let dynamic = info.dynamic;
    registry.add_meta_field_with("__index", move |lua| {
        let mut found = HashMap::new();
        for (signature, body) in methods {
            let name = signature.name.clone();
            found.insert(name, native(lua, Rc::new(signature), body)?);
        }
        let getters: HashMap<&str, Getter> = fields.into_iter().collect();
        let signature = Signature::parse("", "(object, key)");
        let index = move |lua: &Lua, args: &Args| -> Result<MultiValue> {
            let object: AnyUserData = args.get("object")?;
            let key: Value = args.get("key")?;
            if let Value::String(name) = &key {
                let name = name.to_string_lossy();
                if let Some(method) = found.get(&name) {
                    return Ok(method.into_lua_multi(lua)?);
                }
                if let Some(getter) = getters.get(name.as_str()) {
                    return Ok(getter(lua, &object)?.into_lua_multi(lua)?);
                }
            }
            if let (Some(items), Value::Integer(_)) = (&items, &key) {
                return Ok(items(lua, &object, &key)?.into_lua_multi(lua)?);
            }
            if let Some(names) = &names
                && let Some(value) = names(lua, &object, &key)?
            {
                return Ok(value.into_lua_multi(lua)?);
            }
            let Value::String(name) = &key else {
                return Err(Error::message(format!("no field {}", describe(&key))));
            };
            let mut all = known.clone();
            if let Some(dynamic) = &dynamic {
                all.splice(0..0, dynamic(&object));
            }
            let owner = with_article(T::NAME);
            Err(Error::Message(unknown_name(
                &owner,
                "field or method",
                &name.to_string_lossy(),
                &all,
            )))
        };
        native(lua, Rc::new(signature), Box::new(index))
    });
    registry.add_meta_field_with("__newindex", |lua| {
        let signature = Signature::parse("", "(object, key, value?)");
        native(
            lua,
            Rc::new(signature),
            body(|_, args: &Args| -> Result<()> {
                Err(Error::message(format!(
                    "fields of {} cannot be set; tried {}",
                    with_article(T::NAME),
                    describe(&args.get::<Value>("key")?)
                )))
            }),
        )
    });
}

fn borrow<T: Class>(object: &AnyUserData) -> Result<UserDataRef<T>> {
    object
        .borrow()
        .map_err(|e| Error::message(format!("this {} is in use: {e}", T::NAME)))
}

fn borrow_mut<T: Class>(object: &AnyUserData) -> Result<mlua::UserDataRefMut<T>> {
    object
        .borrow_mut()
        .map_err(|e| Error::message(format!("this {} is in use: {e}", T::NAME)))
}

/// The operator as it is written.
fn symbol(metamethod: &str) -> &str {
    match metamethod {
        "__add" => "+",
        "__sub" | "__unm" => "-",
        "__mul" => "*",
        "__div" => "/",
        "__idiv" => "//",
        "__mod" => "%",
        "__pow" => "^",
        "__band" => "&",
        "__bor" => "|",
        "__bxor" | "__bnot" => "~",
        "__shl" => "<<",
        "__shr" => ">>",
        "__concat" => "..",
        "__len" => "#",
        "__eq" => "==",
        "__lt" => "<",
        "__le" => "<=",
        other => other.trim_start_matches("__"),
    }
}

#[cfg(test)]
mod tests;
