//! Classes: Rust types as Lua objects with methods, fields, operators and names of their own such as bands.

use std::collections::HashMap;
use std::rc::Rc;

use mlua::{
    AnyUserData, IntoLua, IntoLuaMulti, Lua, MetaMethod, MultiValue, UserDataFields, UserDataRef,
    UserDataRegistry, Value,
};

use super::args::Args;
use super::module::unknown_name;
use super::names::{ClassInfo, Entry, What};
use super::native::{Body, body, native};
use super::signature::Signature;
use super::value::{describe, with_article};
use crate::error::{Error, Result};

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
        self.add_method(signature, move |lua, object, args| {
            method(lua, &*borrow::<T>(object)?, args)
        })
    }

    /// A method that changes the object.
    pub fn method_mut<F, R>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &mut T, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        self.add_method(signature, move |lua, object, args| {
            method(lua, &mut *borrow_mut::<T>(object)?, args)
        })
    }

    /// A method that changes the object and returns it, so that calls can be chained.
    pub fn chain<F>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &mut T, &Args) -> Result<()> + 'static,
    {
        self.add_method(signature, move |lua, object, args| {
            method(lua, &mut *borrow_mut::<T>(object)?, args)?;
            Ok(object.clone())
        })
    }

    fn add_method<F, R>(&mut self, signature: &str, method: F) -> &mut Self
    where
        F: Fn(&Lua, &AnyUserData, &Args) -> Result<R> + 'static,
        R: IntoLuaMulti,
    {
        let shown = Signature::parse(&format!("{}:", T::NAME), signature);
        self.info.entries.push(Entry {
            name: shown.name.clone(),
            what: What::Method,
            signature: Some(shown.to_string()),
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
        self.info.entries.push(Entry {
            name: name.to_string(),
            what: What::Field,
            signature: None,
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

    /// What the prompt prints for an object: several lines, a small picture.
    pub fn show<F>(&mut self, show: F) -> &mut Self
    where
        F: Fn(&Lua, &T) -> Result<String> + 'static,
    {
        self.info.show = Some(Rc::new(move |lua, object| show(lua, &*borrow::<T>(object)?)));
        self
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
mod tests {
    use super::*;
    use crate::lua::module::Module;
    use crate::lua::names::with_names;

    struct Tally(Vec<i64>);
    bind_class!(Tally);

    impl Class for Tally {
        const NAME: &'static str = "Tally";

        fn define(c: &mut Builder<Self>) {
            c.method("scaled(factor, options?)", |_, this, args| {
                let factor: i64 = args.get("factor")?;
                let offset = args.options(|o| o.get_or("offset", 0))?;
                Ok(Tally(this.0.iter().map(|n| n * factor + offset).collect()))
            })
            .method("map(fn)", |_, this, args| {
                let function: mlua::Function = args.get("fn")?;
                let mapped = this.0.iter().map(|n| Ok(function.call(*n)?));
                Ok(Tally(mapped.collect::<Result<_>>()?))
            })
            .method("fall()", |_, _, _| -> Result<()> { panic!("upside down") })
            .chain("push(number)", |_, this, args| {
                this.0.push(args.get("number")?);
                Ok(())
            })
            .field("first", |_, this| Ok(this.0.first().copied()))
            .dynamic_fields(
                |_, this, name| Ok((name == "only" && this.0.len() == 1).then(|| Value::Integer(this.0[0]))),
                |this| {
                    if this.0.len() == 1 {
                        vec!["only".into()]
                    } else {
                        vec![]
                    }
                },
            )
            .items(|_, this, i| Ok(this.0.get((i - 1) as usize).map(|n| Value::Integer(*n))))
            .length(|this| this.0.len())
            .text(|this| format!("{:?}", this.0))
            .call("(index)", |_, this, args| {
                Ok(this.0
                    [args.checked("index", "a position", |i: &usize| (1..=this.0.len()).contains(i))? - 1])
            })
            .operator(MetaMethod::Add, |_, args| {
                let left: UserDataRef<Tally> = args.get("left")?;
                let right: i64 = args.get("right")?;
                Ok(Tally(left.0.iter().map(|n| n + right).collect()))
            });
        }
    }

    fn machine() -> Lua {
        let lua = Lua::new();
        let module = Module::build(&lua, "tallies", |m| {
            m.class::<Tally>();
            m.function("new(...)", |_, args| {
                let numbers = args
                    .rest()
                    .iter()
                    .map(|v| crate::lua::FromScript::from_script(v, "number"));
                Ok(Tally(numbers.collect::<Result<_>>()?))
            })?;
            Ok(())
        });
        lua.globals().set("tallies", module.unwrap()).unwrap();
        lua
    }

    fn run(code: &str) -> mlua::Result<String> {
        machine().load(code).set_name("=a.lua").eval()
    }

    #[test]
    fn objects_work_as_in_lua() {
        for (code, expected) in [
            (
                "tostring(tallies.new(1, 2):scaled(3, { offset = 1 }) + 10)",
                "[14, 17]",
            ),
            ("tostring(tallies.new(1):push(5))", "[1, 5]"),
            ("tostring(#tallies.new(1, 2, 3))", "3"),
            ("tostring(tallies.new(4).only + tallies.new(4).first)", "8"),
            ("tostring(tallies.new(4, 5)(2))", "5"),
            (
                "tostring(tallies.new(1, 2):map(function(n) return n * n end))",
                "[1, 4]",
            ),
            (
                "(function() local s = '' for i, n in ipairs(tallies.new(7, 8)) do s = s .. i .. n end return s end)()",
                "1728",
            ),
        ] {
            assert_eq!(run(&format!("return {code}")).unwrap(), expected, "{code}");
        }
    }

    #[test]
    fn errors_name_line_method_and_value() {
        for (code, expected) in [
            (
                "tallies.new(1):scaled('x')",
                "Tally:scaled: factor must be an integer, got \"x\" (string)",
            ),
            (
                "tallies.new(1):scaled(1, { ofset = 2 })",
                "Tally:scaled: unknown option `ofset`; did you mean `offset`?",
            ),
            (
                "tallies.new(1):scaled(1, {}, 3)",
                "Tally:scaled: takes at most 2 arguments, got 3: Tally:scaled(factor, options?)",
            ),
            (
                "tallies.new(1).scaled(2)",
                "Tally:scaled: the object is missing; call it with a colon, as in `x:scaled(…)`",
            ),
            (
                "tallies.new(1):scald(2)",
                "a Tally has no field or method `scald`; did you mean `scaled`?",
            ),
            (
                "tallies.new(1).onli",
                "a Tally has no field or method `onli`; did you mean `only`?",
            ),
            (
                "tallies.new(1) + 'x'",
                "operator +: right must be an integer, got \"x\" (string)",
            ),
            (
                "2 + tallies.new(1)",
                "operator +: left must be a Tally, got 2 (integer)",
            ),
            (
                "tallies.new(1)(3)",
                "Tally: index must be a position, got 3 (integer)",
            ),
            (
                "tallies.new(1, {})",
                "tallies.new: number must be an integer, got an empty table",
            ),
            (
                "tallies.new(1):fall()",
                "Tally:fall: internal error, a mistake in perilune itself: upside down",
            ),
            (
                "tallies.new(1):map(function(n)\nerror('mine') end)",
                "a.lua:3: mine",
            ),
            (
                "tallies.nwe(1)",
                "module tallies has no field `nwe`; did you mean `new`?",
            ),
            (
                "(function() local t = tallies.new(1) t.first = 3 end)()",
                "fields of a Tally cannot be set; tried \"first\" (string)",
            ),
        ] {
            let code = format!("local ok, message = pcall(function()\nreturn {code} end) return message");
            let message = run(&code).unwrap();
            let expected = if expected.starts_with("a.lua") {
                expected.into()
            } else {
                format!("a.lua:2: {expected}")
            };
            assert_eq!(message, expected);
        }
    }

    #[test]
    fn names_are_entered() {
        let lua = machine();
        with_names(&lua, |names| {
            let tally = &names.classes["Tally"];
            assert_eq!(tally.module, "tallies");
            let entry = tally.entries.iter().find(|e| e.name == "scaled").unwrap();
            assert_eq!(entry.signature.as_deref(), Some("Tally:scaled(factor, options?)"));
            assert_eq!(
                names.modules["tallies"][0].signature.as_deref(),
                Some("tallies.new(...)")
            );
        });
    }
}
