//! Raster's methods that compute: write, read, statistics, samples.

use std::path::PathBuf;

use mlua::{Lua, Table, Value};

use super::array::{Array, reserve};
use super::values::window;
use crate::error::{Error, Result, counted};
use crate::lua::args::{Args, Options};
use crate::lua::class::Builder;
use crate::lua::module::{guard, unknown_name};
use crate::lua::geometry::features::zonal_options;
use crate::lua::value::{FromScript, describe};
use crate::lua::access;
use crate::lua::rehearsal::{are_told, pass_is_told};
use crate::raster::file::write::{Packing, WriteOptions, write, write_all};
use crate::raster::forecast::{Reading, forecast};
use crate::raster::{DType, Property, Raster, explain, stats};
use crate::table;
use crate::vector::{Features, zonal_statistics};

pub fn define(c: &mut Builder<Raster>) {
    c.method("write(path, options?)", |lua, this, args| {
        let path: PathBuf = args.get("path")?;
        let options = args.options(write_options)?;
        let target = access(lua).write(&path)?;
        if !are_told(lua, &target, std::slice::from_ref(this))? {
            write(this, &target, &options)?;
        }
        Ok(path.display().to_string())
    })
    .method("read(options?)", |lua, this, args| {
        let window = args.options(|o| window(o, &this.grid))?;
        Array::read(lua, this, window)
    })
    .method("chips(centres, size)", chips)
    .method("stats()", |lua, this, _| band_stats(lua, this))
    .method("histogram(options?)", histogram)
    .method("percentile(p)", |lua, this, args| match args.get::<Value>("p")? {
        value @ Value::Table(_) => {
            let found = stats::percentiles(this, &Vec::from_script(&value, "p")?)?;
            Ok(Value::Table(lua.create_sequence_from(found)?))
        }
        value => {
            let found = stats::percentiles(this, &[f64::from_script(&value, "p")?])?;
            Ok(Value::Number(found[0]))
        }
    })
    .method("zonal(features, options?)", |_, this, args| {
        let features: Features = args.get("features")?;
        zonal_statistics(this, &features, &args.options(zonal_options)?)
    })
    .method("explain()", |_, this, _| explain::explain(this))
    .method("plan(options?)", plan);
}

/// `raster:plan(options?)`
fn plan(lua: &Lua, this: &Raster, args: &Args) -> Result<Table> {
    const NAMES: [&str; 10] = [
        "files", "tiles", "tile_rows", "tile_cols", "threads", "memory_mib", "read_mib", "result_mib", "before", "seconds",
    ];
    let found = forecast(this, args.options(|o| o.get_or("measure", false))?)?;
    let mebibytes = |bytes: f64| (bytes / f64::from(1 << 20) * 10.0).round() / 10.0;
    let read = |file: &Reading| file.size.map(|size| mebibytes(size as f64 * file.share));
    let number = |v: Option<f64>| v.map_or(table::Value::Missing, table::Value::Float);
    let rows = found.files.iter().map(|file| {
        vec![
            ("path".to_string(), table::Value::Text(file.path.clone())),
            ("size_mib".to_string(), number(file.size.map(|size| mebibytes(size as f64)))),
            ("share".to_string(), table::Value::Float((file.share * 1000.0).round() / 1000.0)),
            ("read_mib".to_string(), number(read(file))),
        ]
    });
    let files = table::Table::from_rows(rows.collect::<Vec<_>>())?;
    let total: f64 = found.files.iter().filter_map(read).sum();
    let total = (total * 10.0).round() / 10.0;
    let mut text = format!(
        "reads     {} MiB of {}\ncomputes  {} of {} × {} (rows × cols) on {}, {} MiB of pixels at a time (limit {} MiB)\nresult    {} MiB before compression",
        total,
        counted(found.files.len(), "file"),
        counted(found.tiles, "tile"),
        found.tile.0,
        found.tile.1,
        counted(found.threads, "thread"),
        mebibytes(found.memory as f64),
        crate::work::memory() >> 20,
        mebibytes(found.result as f64),
    );
    for name in &found.before {
        text.push_str(&format!("\nbefore    {name}, of the whole image"));
    }
    if let Some(seconds) = found.seconds {
        let shown = match seconds < 1.0 {
            true => format!("{:.0} ms", (seconds * 1000.0).max(1.0)),
            false => format!("{seconds:.1} s"),
        };
        text.push_str(&format!("\ntime      about {shown}, by one tile that was tried"));
    }
    let out = lua.create_table()?;
    out.raw_set("files", files)?;
    out.raw_set("tiles", found.tiles)?;
    out.raw_set("tile_rows", found.tile.0)?;
    out.raw_set("tile_cols", found.tile.1)?;
    out.raw_set("threads", found.threads)?;
    out.raw_set("memory_mib", mebibytes(found.memory as f64))?;
    out.raw_set("read_mib", total)?;
    out.raw_set("result_mib", mebibytes(found.result as f64))?;
    out.raw_set("before", found.before.clone())?;
    out.raw_set("seconds", found.seconds)?;
    speak(lua, &out, text, |name| match NAMES.contains(&name) {
        true => Ok(()),
        false => Err(Error::Message(unknown_name("plan()", "field", name, &NAMES.map(String::from)))),
    })?;
    Ok(out)
}

/// The options of `write`.
pub fn write_options(o: &Options) -> Result<WriteOptions> {
    let default = WriteOptions::default();
    Ok(WriteOptions {
        format: o.get("format")?,
        compress: o.get_or("compress", default.compress)?,
        level: o.get("level")?,
        predictor: o.get("predictor")?,
        overviews: o.get_or("overviews", default.overviews)?,
        overview_resampling: o
            .choice("overview_resampling", OVERVIEW_METHODS)?
            .map(str::to_string),
        statistics: o.get_or("statistics", default.statistics)?,
        dtype: o.get::<DType>("dtype")?,
        packing: packing(o)?,
        nodata: o.get("nodata")?,
        tags: tags(o)?,
    })
}

fn packing(o: &Options) -> Result<Option<Packing>> {
    let scale = o.checked("scale", "a number other than 0", |v: &f64| v.is_finite() && *v != 0.0)?;
    let offset = o.checked("offset", "a finite number", |v: &f64| v.is_finite())?;
    Ok((scale.is_some() || offset.is_some()).then(|| Packing {
        scale: scale.unwrap_or(1.0),
        offset: offset.unwrap_or(0.0),
    }))
}

/// `raster:chips(centres, size)`
fn chips(lua: &Lua, this: &Raster, args: &Args) -> Result<Raster> {
    let size: Value = args.get("size")?;
    let whole = |n: &usize| (1..=65_536).contains(n);
    let [rows, cols] = match usize::accept(&size) {
        Some(side) => [side; 2],
        None => <[usize; 2]>::from_script(&size, "size")?,
    };
    if !whole(&rows) || !whole(&cols) {
        return Err(Error::argument("size", "from 1 to 65536 pixels, or { rows, cols } of such", format!("{rows} × {cols}")));
    }
    let centres: Vec<Table> = args.get("centres")?;
    let mut corners = Vec::with_capacity(centres.len());
    for (i, centre) in centres.iter().enumerate() {
        let part = |position: usize, name: &str| -> Result<isize> {
            let value = match centre.raw_get::<Value>(position)? {
                Value::Nil => centre.raw_get::<Value>(name)?,
                value => value,
            };
            Ok(i64::from_script(&value, &format!("{name} of centres[{}]", i + 1))? as isize)
        };
        corners.push((part(2, "y")? - (rows / 2) as isize, part(1, "x")? - (cols / 2) as isize));
    }
    let pixel: usize = this.bands.iter().map(|b| b.kind().bytes()).sum();
    let bytes = corners.len().saturating_mul(rows).saturating_mul(cols).saturating_mul(2 * pixel);
    let _held = reserve(lua, bytes, || format!("{} chips of {rows} × {cols} (rows × cols)", corners.len()))?;
    crate::raster::chips::chips(this, &corners, rows, cols)
}

/// What every GDAL from 3.6 on can make overviews with.
const OVERVIEW_METHODS: &[&str] = &[
    "average", "nearest", "mode", "bilinear", "cubic", "cubicspline", "lanczos", "gauss", "rms",
];

fn tags(o: &Options) -> Result<Vec<(String, String)>> {
    let mut tags = Vec::new();
    if let Some(table) = o.get::<Table>("tags")? {
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let key = String::from_script(&key, "each name in tags")?;
            let value = Property::from_script(&value, &format!("tags.{key}"))?;
            tags.push((key, value.to_string()));
        }
    }
    tags.sort();
    Ok(tags)
}

/// `raster.write_all{ { image, path, options }, … }`
pub fn write_many(lua: &Lua, args: &Args) -> Result<Vec<String>> {
    let list: Vec<Table> = args.get("jobs")?;
    let (mut jobs, mut shown) = (Vec::new(), Vec::new());
    for (i, job) in list.iter().enumerate() {
        let name = |part: &str| format!("jobs[{}]: {part}", i + 1);
        let raster = Raster::from_script(&job.raw_get::<Value>(1)?, &name("the image"))?;
        let path = PathBuf::from_script(&job.raw_get::<Value>(2)?, &name("the path"))?;
        let options: Value = job.raw_get(3)?;
        let options = Options::read(&options, "options", write_options)?;
        if job.raw_len() > 3 || job.pairs::<Value, Value>().count() != job.raw_len() {
            return Err(Error::argument(
                format!("jobs[{}]", i + 1),
                "{ image, path, options }",
                describe(&Value::Table(job.clone())),
            ));
        }
        shown.push(path.display().to_string());
        jobs.push((raster, access(lua).write(&path)?, options));
    }
    let files: Vec<_> = jobs.iter().map(|(raster, target, _)| (raster, target.as_path())).collect();
    if !pass_is_told(lua, &files)? {
        write_all(&jobs)?;
    }
    Ok(shown)
}

fn band_stats(lua: &Lua, raster: &Raster) -> Result<Table> {
    const NAMES: [&str; 5] = ["count", "min", "max", "mean", "std"];
    let found = stats::stats(raster)?;
    let bands = lua.create_table()?;
    let mut rows = Vec::new();
    let names: Vec<String> = raster.bands.iter().map(|band| band.name.clone()).collect();
    for (band, moments) in raster.bands.iter().zip(&found) {
        let table = lua.create_table()?;
        table.raw_set("count", moments.count)?;
        if moments.count > 0 {
            // Whole numbers of 64 bits as Lua has them, where it does.
            let whole = |v: i128| i64::try_from(v).ok();
            match moments.exact.and_then(|(low, high)| whole(low).zip(whole(high))) {
                Some((low, high)) => {
                    table.raw_set("min", low)?;
                    table.raw_set("max", high)?;
                }
                None => {
                    table.raw_set("min", moments.min)?;
                    table.raw_set("max", moments.max)?;
                }
            }
            table.raw_set("mean", moments.mean)?;
            table.raw_set("std", moments.std())?;
        }
        let mut row = vec![("band".to_string(), table::Value::Text(band.name.clone()))];
        for name in NAMES {
            let value = match table.raw_get::<Value>(name)? {
                Value::Integer(n) => table::Value::Integer(n),
                Value::Number(n) => table::Value::Float(n),
                _ => table::Value::Missing,
            };
            row.push((name.to_string(), value));
        }
        let text = in_lines(vec![row.clone()])?;
        rows.push(row);
        let (owner, empty) = (format!("stats() of {}", band.name), moments.count == 0);
        speak(lua, &table, text, move |name| match NAMES.contains(&name) && empty {
            true => Ok(()),
            false => Err(Error::Message(unknown_name(&owner, "field", name, &NAMES.map(String::from)))),
        })?;
        bands.raw_set(band.name.as_str(), table)?;
    }
    speak(lua, &bands, in_lines(rows)?, move |name| {
        Err(Error::Message(if NAMES.contains(&name) && let Some(band) = names.first() {
            format!("statistics are by band: stats().{band}.{name}")
        } else {
            unknown_name("stats()", "band", name, &names)
        }))
    })?;
    Ok(bands)
}

/// Rows as the prompt prints a table, without the lines of its size and types.
fn in_lines(rows: Vec<Vec<(String, table::Value)>>) -> Result<String> {
    let text = table::Table::from_rows(rows)?.to_string();
    let lines: Vec<&str> = text.lines().enumerate().filter(|(i, _)| *i != 0 && *i != 2).map(|(_, line)| line).collect();
    Ok(lines.join("\n"))
}

/// Makes a table of results print as `text`; `missing` says what to make of a name that it lacks.
fn speak(lua: &Lua, table: &Table, text: String, missing: impl Fn(&str) -> Result<()> + 'static) -> Result<()> {
    let meta = lua.create_table()?;
    let index = guard(lua, "__index(table, key)", move |_, args| match args.get::<Value>("key")? {
        Value::String(name) => missing(&name.to_string_lossy()).map(|()| Value::Nil),
        _ => Ok(Value::Nil),
    })?;
    let show = guard(lua, "__tostring(table, ...)", move |_, _| Ok(text.clone()))?;
    meta.raw_set("__index", index)?;
    meta.raw_set("__tostring", show)?;
    table.set_metatable(Some(meta))?;
    Ok(())
}

fn histogram(lua: &Lua, this: &Raster, args: &Args) -> Result<Table> {
    let (bins, min, max) = args.options(|o| {
        Ok((o.count("bins")?.unwrap_or(256), o.get::<f64>("min")?, o.get::<f64>("max")?))
    })?;
    let range = match (min, max) {
        (None, None) => None,
        (Some(min), Some(max)) => Some((min, max)),
        _ => return Err(Error::message("give both min and max, or neither")),
    };
    let found = stats::histogram(this, bins, range)?;
    let width = (found.high - found.low) / bins as f64;
    let table = lua.create_table()?;
    table.raw_set("min", found.low)?;
    table.raw_set("max", found.high)?;
    table.raw_set("below", found.below)?;
    table.raw_set("above", found.above)?;
    let edges = (0..=bins).map(|i| if i == bins { found.high } else { found.low + i as f64 * width });
    table.raw_set("edges", lua.create_sequence_from(edges)?)?;
    table.raw_set("counts", lua.create_sequence_from(found.counts)?)?;
    Ok(table)
}
