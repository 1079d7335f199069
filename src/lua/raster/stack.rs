//! The class Stack: many images, with time and properties.

use std::path::PathBuf;

use mlua::{Function, IntoLua, Lua, MetaMethod, UserDataRef, Value};

use super::output::WriteTable;
use super::sample::{Points, SampleOptions, cell};
use super::values::{AlignOptions, Area, AreaOptions, band_names, property_value, time_range, time_text};
use super::{MosaicOptions, netcdf, over_time, reductions};
use crate::lua::spec::ValueType;
use crate::lua::rehearsal::are_told;
use crate::work::{self, Display, Form};
use crate::bind_class;
use crate::options;
use crate::error::{Domain, Error, Result, counted};
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::class::{Builder, Class};
use crate::lua::plot;
use crate::lua::value::{FromScript, describe};
use crate::raster::align::align;
use crate::raster::reduce::Reducer;
use crate::raster::stack::{Export, Rolling, Stack};
use crate::raster::{Property, Raster};
use crate::table;

bind_class!(Stack);

impl FromScript for Stack {
    fn expected() -> String {
        "a Stack".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Stack".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        UserDataRef::<Stack>::accept(value).map(|stack| stack.clone())
    }
}

impl Class for Stack {
    const NAME: &'static str = "Stack";

    fn define(c: &mut Builder<Self>) {
        c.field("bands", |_, this| {
            let first = this.items.first();
            Ok(first.map(|i| i.bands.iter().map(|b| b.name.clone()).collect::<Vec<_>>()))
        })
        .field("grid", |_, this| Ok(this.items.first().map(|i| i.grid.as_ref().clone())))
        .items(|lua, this, index| {
            if index <= 0 {
                return Err(Error::argument("index", "from 1: Lua counts from 1 (the last is `s[#s]`)", index));
            }
            let image = usize::try_from(index - 1).ok().and_then(|i| this.items.get(i));
            let image = image.map(|i| lua.create_userdata(i.clone())).transpose()?;
            Ok(image.map(Value::UserData))
        })
        .length(|this| this.items.len())
        .operator(MetaMethod::Concat, |_, args| {
            let (mut left, right): (Stack, Stack) = (args.get("left")?, args.get("right")?);
            left.items.extend(right.items);
            Ok(left)
        })
        .text(|this| format!("Stack of {}", counted(this.items.len(), "image")))
        .listing(show);
        choose(c);
        reduce(c);
        over_time::define(c);
        reductions::define(c);
        plot::stack_methods(c);
        c.method("map(fn)", map)
            .method("apply(fn)", apply)
            .method_with("align(target?, options?)", |_, this, args, o: AlignOptions| {
                let target = match (args.get("target")?, this.items.first()) {
                    (Some(target), _) => target,
                    (None, Some(first)) => first.grid.clone(),
                    (None, None) => return Ok(this.clone()),
                };
                on_each(this, |image| align(image, &target, o.resampling))
            })
            .method_with("mosaic(options?)", |_, this, _, o: MosaicOptions| o.mosaic(&this.items))
            .method_with("export(options)", export)
            .method_with("write(path, options?)", netcdf::write_stack)
            .method_with("sample(points, options?)", sample);
    }
}

/// Each image through a function; an error says which.
pub(super) fn on_each(stack: &Stack, f: impl Fn(&Raster) -> Result<Raster>) -> Result<Stack> {
    let one = |(i, image): (usize, &Raster)| {
        f(image).map_err(|e| match e {
            Error::Interrupted | Error::Script(_) => e,
            other => Error::message(format!("image {}: {other}", i + 1)),
        })
    };
    let items: Result<Vec<Raster>> = stack.items.iter().enumerate().map(one).collect();
    Ok(Stack { items: items? })
}

fn choose(c: &mut Builder<Stack>) {
    c.method("each()", |lua, this, _| {
        let images = this.items.clone();
        let mut next = 0;
        Ok(lua.create_function_mut(move |_, ()| {
            next += 1;
            Ok(images.get(next - 1).cloned())
        })?)
    })
    .method("filter(condition)", filter)
    .method("between(start, stop)", |_, this, args| {
        let wanted = time_range(args)?;
        let within = |i: &&Raster| i.time.is_some_and(|t| t >= wanted.first && t <= wanted.last);
        Ok(Stack {
            items: this.items.iter().filter(within).cloned().collect(),
        })
    })
    .method_with("overlapping(area, options?)", |_, this, args, o: AreaOptions| {
        let area: Area = args.get("area")?;
        let mut items = Vec::new();
        for image in &this.items {
            let bounds = area.bounds_on(&image.grid, o.crs.as_ref())?;
            if bounds.intersects(&image.grid.bounds()) {
                items.push(image.clone());
            }
        }
        Ok(Stack { items })
    })
    .method("select(...)", |_, this, args| {
        on_each(this, |image| image.select(&band_names(image, args.rest())?))
    })
    .method_with("sort(property?, options?)", |_, this, args, o: Sort| {
        let property: Option<String> = args.get("property")?;
        match property.as_deref() {
            None | Some("time") => this.sort(None, o.descending),
            Some(name) => {
                known_property(this, name)?;
                this.sort(Some(name), o.descending)
            }
        }
    })
    .method("times()", |lua, this, _| {
        let time = |i: &Raster| match time_text(i.time) {
            Some(text) => text.into_lua(lua),
            // A nil would end the list.
            None => Ok(Value::Boolean(false)),
        };
        let times: Vec<Value> = this.items.iter().map(time).collect::<Result<_, _>>()?;
        Ok(lua.create_sequence_from(times)?)
    })
    .method("days(since?)", |_, this, args| days(this, args.get("since")?))
    .method("values(property)", |lua, this, args| {
        let name: String = args.get("property")?;
        known_property(this, &name)?;
        let list = lua.create_table()?;
        for image in &this.items {
            match image.properties.get(&name) {
                Some(property) => list.raw_push(property_value(lua, property)?)?,
                None => list.raw_push(false)?,
            }
        }
        Ok(list)
    });
}

pub(super) fn known_property(stack: &Stack, name: &str) -> Result<()> {
    if stack.items.is_empty() || stack.items.iter().any(|i| i.properties.contains_key(name)) {
        return Ok(());
    }
    let mut names: Vec<&String> = stack.items.iter().flat_map(|i| i.properties.keys()).collect();
    names.sort();
    names.dedup();
    Err(Error::not_found("property", name, names))
}

/// Days from `since`, or from the first image's time, to each image.
fn days(stack: &Stack, since: Option<jiff::Timestamp>) -> Result<Vec<f64>> {
    let time = |(i, image): (usize, &Raster)| {
        image.time.ok_or_else(|| {
            Error::message(format!(
                "image {} has no time; give it one when the stack is made, or with `:set_time(…)`",
                i + 1
            ))
        })
    };
    let times: Vec<jiff::Timestamp> = stack.items.iter().enumerate().map(time).collect::<Result<_>>()?;
    let Some(origin) = since.or(times.first().copied()) else {
        return Ok(Vec::new());
    };
    let seconds = |t: &jiff::Timestamp| (t.as_nanosecond() - origin.as_nanosecond()) as f64 / 1e9;
    Ok(times.iter().map(|t| seconds(t) / 86400.0).collect())
}

fn filter(_: &Lua, this: &Stack, args: &Args) -> Result<Stack> {
    let mut items = Vec::new();
    match args.get::<Value>("condition")? {
        Value::Function(keep) => {
            for image in &this.items {
                match keep.call::<Value>(image.clone())? {
                    Value::Nil | Value::Boolean(false) => {}
                    _ => items.push(image.clone()),
                }
            }
        }
        Value::Table(wanted) => {
            let mut conditions: Vec<(String, Vec<Property>)> = Vec::new();
            for pair in wanted.pairs::<Value, Value>() {
                let (name, value) = pair?;
                let name = String::from_script(&name, "property name")?;
                known_property(this, &name)?;
                let values = match &value {
                    list @ Value::Table(_) => Vec::from_script(list, &name)?,
                    one => vec![Property::from_script(one, &name)?],
                };
                conditions.push((name, values));
            }
            for image in &this.items {
                let mut fits = true;
                for (name, values) in &conditions {
                    let own = image.property(name)?;
                    fits &= own.is_some_and(|own| values.iter().any(|v| same(&own, v)));
                }
                if fits {
                    items.push(image.clone());
                }
            }
        }
        other => {
            return Err(Error::argument(
                "condition",
                "a function of an image, or a table { property = value }",
                describe(&other),
            ));
        }
    }
    Ok(Stack { items })
}

/// Numbers are compared as numbers, also with text that holds one, as file names and tags do.
fn same(a: &Property, b: &Property) -> bool {
    let number = |p: &Property| match p {
        Property::Number(v) => Some(*v),
        Property::Integer(v) => Some(*v as f64),
        _ => None,
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x == y,
        (None, Some(y)) => matches!(a, Property::Text(t) if t.parse() == Ok(y)),
        (Some(x), None) => matches!(b, Property::Text(t) if t.parse() == Ok(x)),
        (None, None) => a == b,
    }
}

fn map(_: &Lua, this: &Stack, args: &Args) -> Result<Stack> {
    let function: Function = args.get("fn")?;
    let mut items = Vec::new();
    for (i, image) in this.items.iter().enumerate() {
        let result: Value = function.call((image.clone(), i + 1))?;
        if result.is_nil() {
            continue;
        }
        let mut made = Raster::accept(&result).ok_or_else(|| {
            let name = format!("what fn returns for image {}", i + 1);
            Error::argument(name, "a Raster, or nil to leave the image out", describe(&result))
        })?;
        // An image computed from others, as by a mosaic or a constant, still is this one's.
        made.time = made.time.or(image.time);
        for (name, value) in &image.properties {
            made.properties.entry(name.clone()).or_insert_with(|| value.clone());
        }
        items.push(made);
    }
    Ok(Stack { items })
}

fn apply(lua: &Lua, this: &Stack, args: &Args) -> Result<Raster> {
    let function: Function = args.get("fn")?;
    let images = lua.create_table()?;
    for image in &this.items {
        images.raw_push(image.clone())?;
    }
    let timed = this.items.iter().all(|i| i.time.is_some());
    let days = if timed { Some(days(this, None)?) } else { None };
    let result: Value = function.call((images, days))?;
    Raster::from_script(&result, "what fn returns")
}

fn reduce(c: &mut Builder<Stack>) {
    for name in Reducer::NAMES {
        c.method(&format!("{name}()"), move |_, this, _| this.reduce(&[Reducer::parse(name)?]));
    }
    c.method("percentile(p)", |_, this, args| {
        this.reduce(&[Reducer::percentile(args.get("p")?)?])
    })
    .method("linear_fit()", |_, this, _| this.linear_fit())
    .method("reduce(reducers)", |_, this, args| {
        let names: Vec<String> = match args.get::<Value>("reducers")? {
            Value::String(one) => vec![one.to_string_lossy()],
            list => Vec::from_script(&list, "reducers")?,
        };
        let reducers: Vec<Reducer> = names.iter().map(|n| Reducer::parse(n)).collect::<Result<_>>()?;
        this.reduce(&reducers)
    })
    .method_with("rolling(options)", |_, this, _, o: RollingOptions| {
        let window = match (o.images, o.days) {
            (Some(images), None) => Rolling::Images(images),
            (None, Some(days)) => Rolling::Days(days),
            _ => return Err(Error::message("say over what to roll: either images or days")),
        };
        this.rolling(window, o.reducer)
    });
}

options! {
    struct Sort("raster.SortOptions") {
        /// The largest first.
        descending: bool = false,
    }
}

options! {
    struct RollingOptions("raster.RollingOptions") {
        /// Over this many images that end with each one; the first images, which have fewer, are left out.
        images: Option<usize>; Domain::at_least(1.0),
        /// Over the images of this many days that end with each one.
        days: Option<f64>; Domain::above(0.0),
        /// What is made of them.
        reducer: Reducer = Reducer::Mean,
    }
}

options! {
    struct ExportOptions("raster.ExportOptions") {
        ..write: WriteTable,
        /// Where the files go. It is made where it is missing.
        folder: PathBuf,
        /// How the names begin.
        prefix: String = "image".to_string(),
        /// One for each image, in place of dates.
        names: Option<Vec<String>>,
        /// The first image to write, from 1.
        first: usize = 1; Domain::at_least(1.0),
        /// How many at most. Default all.
        max: Option<usize>; Domain::at_least(1.0),
    }
}

fn export(lua: &Lua, this: &Stack, _: &Args, o: ExportOptions) -> Result<Vec<String>> {
    let options = o.write.into();
    let export = Export {
        folder: o.folder,
        prefix: o.prefix,
        names: o.names,
        first: o.first,
        max: o.max,
    };
    let folder = access(lua).write(&export.folder)?;
    let there = Export { folder: folder.clone(), ..export.clone() };
    let written = match work::rehearsal() {
        None => this.export(&there, &options)?,
        Some(_) => {
            let files = this.files(&there)?;
            for (path, image) in &files {
                are_told(lua, path, std::slice::from_ref(*image))?;
            }
            files.into_iter().map(|(path, _)| path).collect()
        }
    };
    let shown = |path: std::path::PathBuf| match path.strip_prefix(&folder) {
        Ok(name) => export.folder.join(name).display().to_string(),
        Err(_) => path.display().to_string(),
    };
    Ok(written.into_iter().map(shown).collect())
}

/// A row for each image and point.
fn sample(_: &Lua, this: &Stack, args: &Args, o: SampleOptions) -> Result<table::Table> {
    let points = Points::read(args, o)?;
    points.must_meet(&this.items)?;
    let mut rows = Vec::new();
    for (image, values) in this.items.iter().zip(points.sample_all(&this.items)?) {
        for (point, values) in points.places.iter().zip(values) {
            let time = match image.time {
                Some(time) => table::Value::Time(time),
                None => table::Value::Missing,
            };
            let mut row = vec![("time".to_string(), time)];
            row.extend(point.cells());
            let bands = image.bands.iter().map(|b| b.name.clone());
            row.extend(bands.zip(values.into_iter().map(cell)));
            rows.push(row);
        }
    }
    table::Table::from_rows(rows)
}

/// The images as a table: time, bands, size, CRS where they differ, and the properties that tell them apart.
fn show(stack: &Stack) -> Result<Display> {
    let rows = stack.items.iter().enumerate().map(|(i, image)| {
        let mut row = vec![
            ("image".to_string(), table::Value::Integer(i as i64 + 1)),
            ("time".to_string(), image.time.map_or(table::Value::Missing, table::Value::Time)),
            ("bands".to_string(), table::Value::Text(image.band_names().join(" "))),
            (
                "size".to_string(),
                table::Value::Text(format!("{} × {}", image.grid.rows, image.grid.cols)),
            ),
            (
                "crs".to_string(),
                table::Value::Text(image.grid.crs.as_ref().map_or("none".into(), |c| c.name().to_string())),
            ),
        ];
        for name in distinguishing(stack) {
            let value = image.properties.get(name).map_or(table::Value::Missing, |p| match p {
                Property::Number(v) => table::Value::Float(*v),
                Property::Integer(v) => table::Value::Integer(*v),
                Property::Boolean(v) => table::Value::Bool(*v),
                Property::Text(v) => table::Value::Text(v.clone()),
                // A table that is printed computes nothing.
                Property::Computed(_) => table::Value::Missing,
            });
            row.push((name.to_string(), value));
        }
        row
    });
    let rows: Vec<_> = rows.collect();
    let table = table::Table::from_rows(rows)?;
    let text = table.to_string();
    let body = text.split_once('\n').map_or("", |(_, body)| body);
    let head = format!("Stack of {}", counted(stack.items.len(), "image"));
    let text = format!("{head}\n{body}").trim_end().to_string();
    Ok(Display::new(text).with(Form::Html, move || Ok(Some(table.html_below(&head).into()))))
}

/// Properties that are not the same in all images, the path aside, which is too long for a table.
fn distinguishing(stack: &Stack) -> Vec<&str> {
    let Some(first) = stack.items.first() else {
        return Vec::new();
    };
    let differs = |name: &&String| {
        let own = first.properties.get(*name);
        stack.items.iter().any(|i| i.properties.get(*name) != own)
    };
    let names = first.properties.keys().filter(differs).map(String::as_str);
    names.filter(|n| *n != "path").take(6).collect()
}
