//! Stack's methods over time, and those that it has of its images.

use std::rc::Rc;
use std::sync::LazyLock;

use mlua::{AnyUserData, Function, Lua, MetaMethod, MultiValue, ObjectLike, Table, Value};

use super::stack::{known_property, on_each};
use crate::error::{Choice, Domain, Error, Result};
use crate::lua::args::Args;
use crate::lua::class::{Builder, class_info};
use crate::lua::names::What;
use crate::lua::native::{body, native};
use crate::lua::signature::Signature;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::element::{Binary, Unary};
use crate::raster::interpolate::interpolate;
use crate::raster::math::{self, Operand};
use crate::raster::over_time::{Model, over_time};
use crate::raster::Raster;
use crate::raster::periods::Period;
use crate::raster::reduce::Reducer;
use crate::raster::stack::{GroupBy, Stack};

options! {
    struct HarmonicsOptions("raster.HarmonicsOptions") {
        /// Of the waves, in years of 365.25 days, from 0.001; an empty list leaves the line. Default 1 and 0.5.
        periods: Vec<f64> = vec![1.0, 0.5],
    }
}

options! {
    struct InterpolateOptions("raster.InterpolateOptions") {
        /// Between the valid images before and after, at most. Default any.
        max_gap_days: Option<f64>; Domain::above(0.0),
    }
}

pub fn define(c: &mut Builder<Stack>) {
    c.method_with("harmonics(options?)", |_, this, _, o: HarmonicsOptions| {
        over_time(&this.items, &Model::Harmonics { periods: o.periods })
    })
    .method("group_by(by)", group_by)
    .method("resample(period, reducer?)", |_, this, args| {
        let reducer = args.get::<Option<Reducer>>("reducer")?.unwrap_or(Reducer::Mean);
        this.resample(args.get("period")?, reducer)
    })
    .method("anomaly(by?)", |_, this, args| {
        let by = args.get::<Option<String>>("by")?;
        let by = by.map(|by| grouping(this, by)).transpose()?;
        let means = Stack {
            items: this.means(by.as_ref())?,
        };
        let items = this.items.iter().zip(&means.items);
        let items = items.map(|(image, mean)| with(image, Binary::Subtract, &Operand::Raster(mean.clone()), true));
        Ok(Stack {
            items: items.collect::<Result<_>>()?,
        })
    })
    .method("cumulative()", |_, this, _| this.cumulative())
    .method_with("interpolate(options?)", |_, this, _, o: InterpolateOptions| {
        interpolate(this, o.max_gap_days)
    })
    .method("mann_kendall()", |_, this, _| over_time(&this.items, &Model::MannKendall))
    .method("theil_sen()", |_, this, _| over_time(&this.items, &Model::TheilSen));
    for op in ARITHMETIC {
        c.operator(op.0, move |lua, args| operate(lua, args, op.1));
    }
    c.operator(MetaMethod::Unm, |_, args| {
        on_each(&args.get::<Stack>("left")?, |image| math::unary(image, Unary::Negate))
    })
    .dynamic_fields(of_images, |this| {
        let bands = this.items.first().map(|image| image.band_names()).unwrap_or_default();
        bands.into_iter().map(String::from).chain(METHODS.iter().cloned()).collect()
    });
}

/// A part of the calendar, or a property.
fn grouping(stack: &Stack, by: String) -> Result<GroupBy> {
    match Period::named(&by) {
        Some(period) => Ok(GroupBy::Period(period)),
        None => {
            known_property(stack, &by)?;
            Ok(GroupBy::Property(by))
        }
    }
}

/// A function's groups are in the order of their first images.
fn group_by(lua: &Lua, this: &Stack, args: &Args) -> Result<Table> {
    let list = lua.create_table()?;
    let add = |key: Value, members: &[usize]| -> Result<()> {
        let group = lua.create_table()?;
        group.raw_set("key", key)?;
        group.raw_set("stack", this.chosen(members))?;
        Ok(list.raw_push(group)?)
    };
    match args.get::<Value>("by")? {
        Value::Function(key_of) => {
            let mut groups: Vec<(Value, Vec<usize>)> = Vec::new();
            for (i, image) in this.items.iter().enumerate() {
                let key = key_of.call::<Value>(image.clone())?;
                if !matches!(key, Value::String(_) | Value::Integer(_) | Value::Number(_) | Value::Boolean(_)) {
                    let name = format!("what the function returns for image {}", i + 1);
                    return Err(Error::argument(name, "a text, a number or a boolean", describe(&key)));
                }
                match groups.iter_mut().find(|(known, _)| *known == key) {
                    Some((_, members)) => members.push(i),
                    None => groups.push((key, vec![i])),
                }
            }
            groups.into_iter().try_for_each(|(key, members)| add(key, &members))?;
        }
        by => {
            let by = grouping(this, String::from_script(&by, "by")?)?;
            for (key, members) in this.groups(&by)? {
                add(Value::String(lua.create_string(&key)?), &members)?;
            }
        }
    }
    Ok(list)
}

/// Of Raster. Those that a Stack has itself come before them.
static METHODS: LazyLock<Vec<String>> = LazyLock::new(|| {
    let entries = class_info::<Raster>().entries.into_iter();
    entries.filter(|entry| entry.what == What::Method).map(|entry| entry.name).collect()
});

/// The operators of two sides, of images and of stacks.
pub const ARITHMETIC: [(MetaMethod, Binary); 8] = [
    (MetaMethod::Add, Binary::Add),
    (MetaMethod::Sub, Binary::Subtract),
    (MetaMethod::Mul, Binary::Multiply),
    (MetaMethod::Div, Binary::Divide),
    (MetaMethod::Pow, Binary::Power),
    (MetaMethod::Mod, Binary::Modulo),
    (MetaMethod::BAnd, Binary::And),
    (MetaMethod::BOr, Binary::Or),
];

/// Of which one side at least is a Raster or a Stack: a Stack where one is.
pub fn operate(lua: &Lua, args: &Args, op: Binary) -> Result<Value> {
    let (left, right) = (Side::read(args, "left")?, Side::read(args, "right")?);
    let made = match (&left, &right) {
        (Side::One(left), Side::One(right)) => lua.create_userdata(math::binary(left, op, right, false)?),
        _ => lua.create_userdata(between(&left, &right, op)?),
    };
    Ok(Value::UserData(made?))
}

/// One side of an operator of stacks.
enum Side {
    Stack(Stack),
    One(Operand),
}

impl Side {
    /// Booleans come from `image == 2`, which Lua answers by itself.
    fn read(args: &Args, side: &str) -> Result<Side> {
        match args.get::<Value>(side)? {
            value @ Value::Boolean(_) => Err(Error::argument(
                side,
                Operand::expected(),
                format!(
                    "{}; to compare images use `a:eq(b)`, `a:gt(b)` and so on, not `==` or `>`",
                    describe(&value)
                ),
            )),
            value => match Stack::accept(&value) {
                Some(stack) => Ok(Side::Stack(stack)),
                None => Operand::from_script(&value, side).map(Side::One),
            },
        }
    }
}

fn between(left: &Side, right: &Side, op: Binary) -> Result<Stack> {
    match (left, right) {
        (Side::Stack(stack), Side::One(one)) => on_each(stack, |image| with(image, op, one, true)),
        (Side::One(one), Side::Stack(stack)) => on_each(stack, |image| with(image, op, one, false)),
        (Side::Stack(left), Side::Stack(right)) => {
            let items = left.items.iter().zip(left.partners(right)?);
            let items = items.map(|(image, partner)| with(image, op, &Operand::Raster(partner), true));
            Ok(Stack {
                items: items.collect::<Result<_>>()?,
            })
        }
        (Side::One(_), Side::One(_)) => Err(Error::message("neither side is a Stack")),
    }
}

fn with(image: &Raster, op: Binary, other: &Operand, image_first: bool) -> Result<Raster> {
    let own = Operand::Raster(image.clone());
    let made = match image_first {
        true => math::binary(&own, op, other, false),
        false => math::binary(other, op, &own, false),
    };
    Ok(dated(made?, image))
}

/// What is made of an image of the stack is of its time and has its properties.
fn dated(mut made: Raster, image: &Raster) -> Raster {
    made.time = image.time;
    made.properties = image.properties.clone();
    made
}

/// `stack.VV`, and `stack:to_db()` for every method of Raster that makes an image: image by image, a Stack among the arguments by its images of the
/// same times.
fn of_images(lua: &Lua, this: &Stack, name: &str) -> Result<Option<Value>> {
    let is_band = |image: &Raster| image.band_names().contains(&name);
    if !this.items.is_empty() && this.items.iter().all(is_band) {
        let selected = on_each(this, |image| image.select(&[name.to_string()]))?;
        return Ok(Some(Value::UserData(lua.create_userdata(selected)?)));
    }
    if !METHODS.iter().any(|method| method == name) {
        return Ok(None);
    }
    let mut signature = Signature::parse("Stack:", &format!("{name}(...)"));
    signature.variadic = true;
    signature.parameters.clear();
    let name = name.to_string();
    let each = native(lua, Rc::new(signature), body(move |lua, args| method_of_images(lua, &name, args)))?;
    Ok(Some(Value::Function(each)))
}

fn method_of_images(lua: &Lua, name: &str, args: &Args) -> Result<Stack> {
    let mut args = args.values().iter();
    let Some(this) = args.next().and_then(Stack::accept) else {
        return Err(Error::message(format!(
            "the stack is missing; call it with a colon, as in `stack:{name}(…)`"
        )));
    };
    // Where a stack is given, each image gets its partner.
    let mut given: Vec<(Value, Option<Vec<Raster>>)> = Vec::new();
    for value in args {
        let partners = match Stack::accept(value) {
            Some(other) => Some(this.partners(&other)?),
            None => None,
        };
        given.push((value.clone(), partners));
    }
    let mut items = Vec::with_capacity(this.items.len());
    for (i, image) in this.items.iter().enumerate() {
        let object: AnyUserData = lua.create_userdata(image.clone())?;
        let method: Function = object.get(name)?;
        let mut values = vec![Value::UserData(object)];
        for (value, partners) in &given {
            values.push(match partners {
                Some(partners) => Value::UserData(lua.create_userdata(partners[i].clone())?),
                None => value.clone(),
            });
        }
        let made: Value = method.call(MultiValue::from_vec(values))?;
        match Raster::accept(&made) {
            Some(made) => items.push(dated(made, image)),
            None => {
                return Err(Error::message(format!(
                    "`{name}` of an image gives {}, so that a Stack has no such method; go through the images: `for image in stack:each() do … end`",
                    describe(&made)
                )));
            }
        }
    }
    Ok(Stack { items })
}
