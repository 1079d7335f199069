//! Raster's methods that compute: write, read, statistics, samples.

use std::path::PathBuf;

use mlua::{Lua, Table, Value};

use super::array::{Array, reserve};
use super::histogram;
use super::values::WindowOptions;
use crate::error::{Choice, Domain, Error, Result, counted};
use crate::lua::args::{Args, Options};
use crate::lua::class::Builder;
use crate::lua::module::{guard, unknown_name};
use crate::lua::geometry::features::Zonal;
use crate::lua::options::OptionTable;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::lua::access;
use crate::lua::rehearsal::{are_told, pass_is_told};
use crate::raster::file::write::{Packing, WriteOptions, write, write_all};
use crate::raster::forecast::{Reading, forecast};
use crate::raster::{DType, Property, Raster, explain, stats};
use crate::table;
use crate::vector::{Features, zonal_statistics};

pub fn define(c: &mut Builder<Raster>) {
    c.method_with("write(path, options?)", |lua, this, args, o: WriteTable| {
        let path: PathBuf = args.get("path")?;
        let target = access(lua).write(&path)?;
        if !are_told(lua, &target, std::slice::from_ref(this))? {
            write(this, &target, &o.into())?;
        }
        Ok(path.display().to_string())
    })
    .method_with("read(options?)", |lua, this, _, o: WindowOptions| Array::read(lua, this, o.on(&this.grid)?))
    .method("chips(centres, size)", chips)
    .method("stats()", |lua, this, _| band_stats(lua, this))
    .method_with("histogram(options?)", histogram::histogram)
    .method_with("threshold(options?)", histogram::of_image)
    .method_with("mixture(options?)", histogram::mixture_of_image)
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
    .method_with("zonal(features, options?)", |_, this, args, o: Zonal| {
        let features: Features = args.get("features")?;
        zonal_statistics(this, &features, &o.into())
    })
    .method("explain()", |_, this, _| explain::explain(this))
    .method_with("plan(options?)", plan);
}

options! {
    struct Plan("raster.PlanOptions") {
        /// Compute a part of what is computed of whole images, and one tile in the middle, twice, and tell the time of all by these; else
        /// nothing is computed.
        measure: bool = false,
    }
}

/// `raster:plan(options?)`
fn plan(lua: &Lua, this: &Raster, _: &Args, o: Plan) -> Result<Table> {
    const NAMES: [&str; 12] = [
        "files", "tiles", "tile_rows", "tile_cols", "threads", "memory_mib", "read_mib", "chunks", "chunks_mib", "result_mib", "before", "seconds",
    ];
    let found = forecast(this, o.measure)?;
    let mebibytes = |bytes: f64| (bytes / f64::from(1 << 20) * 10.0).round() / 10.0;
    let read = |file: &Reading| file.size.map(|size| mebibytes(size as f64 * file.share));
    let number = |v: Option<f64>| v.map_or(table::Value::Missing, table::Value::Float);
    let rows = found.files.iter().map(|file| {
        vec![
            ("path".to_string(), table::Value::Text(file.path.clone())),
            ("size_mib".to_string(), number(file.size.map(|size| mebibytes(size as f64)))),
            ("share".to_string(), table::Value::Float((file.share * 1000.0).round() / 1000.0)),
            ("read_mib".to_string(), number(read(file))),
            ("chunks".to_string(), file.chunks.map_or(table::Value::Missing, |(chunks, _)| table::Value::Integer(chunks as i64))),
            ("chunks_mib".to_string(), number(file.chunks.map(|(_, bytes)| mebibytes(bytes as f64)))),
        ]
    });
    let files = table::Table::from_rows(rows.collect::<Vec<_>>())?;
    let total: f64 = found.files.iter().filter_map(read).sum();
    let total = (total * 10.0).round() / 10.0;
    let cubes: Vec<(u64, u64)> = found.files.iter().filter_map(|file| file.chunks).collect();
    let chunks: u64 = cubes.iter().map(|(chunks, _)| chunks).sum();
    let chunk_bytes: u64 = cubes.iter().map(|(_, bytes)| bytes).sum();
    let mut text = String::new();
    if found.files.len() > cubes.len() || cubes.is_empty() {
        text = format!("reads     {total} MiB of {}\n", counted(found.files.len() - cubes.len(), "file"));
    }
    if !cubes.is_empty() {
        text.push_str(&format!(
            "reads     {} of {}, {} MiB before compression\n",
            counted(usize::try_from(chunks).unwrap_or(usize::MAX), "chunk"),
            counted(cubes.len(), "cube"),
            mebibytes(chunk_bytes as f64),
        ));
    }
    text.push_str(&format!(
        "computes  {} of {} × {} (rows × cols) on {}, {} MiB of pixels at a time (limit {} MiB)\nresult    {} MiB before compression",
        counted(found.tiles, "tile"),
        found.tile.0,
        found.tile.1,
        counted(found.threads, "thread"),
        mebibytes(found.memory as f64),
        crate::work::memory() >> 20,
        mebibytes(found.result as f64),
    ));
    let shown = |seconds: f64| match seconds < 1.0 {
        true => format!("{:.0} ms", (seconds * 1000.0).max(1.0)),
        false => format!("{seconds:.1} s"),
    };
    for before in &found.before {
        let time = before.seconds.map(|seconds| format!(", about {}", shown(seconds)));
        text.push_str(&format!("\nbefore    {}, of the whole image{}", before.name, time.unwrap_or_default()));
    }
    if let Some(seconds) = found.seconds() {
        text.push_str(&format!("\ntime      about {}, by parts that were tried", shown(seconds)));
    }
    let out = lua.create_table()?;
    out.raw_set("files", files)?;
    out.raw_set("tiles", found.tiles)?;
    out.raw_set("tile_rows", found.tile.0)?;
    out.raw_set("tile_cols", found.tile.1)?;
    out.raw_set("threads", found.threads)?;
    out.raw_set("memory_mib", mebibytes(found.memory as f64))?;
    out.raw_set("read_mib", total)?;
    out.raw_set("chunks", chunks)?;
    out.raw_set("chunks_mib", mebibytes(chunk_bytes as f64))?;
    out.raw_set("result_mib", mebibytes(found.result as f64))?;
    let names: Vec<String> = found.before.iter().map(|before| before.name.clone()).collect();
    out.raw_set("before", names)?;
    out.raw_set("seconds", found.seconds())?;
    speak(lua, &out, text, |name| match NAMES.contains(&name) {
        true => Ok(()),
        false => Err(Error::Message(unknown_name("plan()", "field", name, &NAMES.map(String::from)))),
    })?;
    Ok(out)
}

options! {
    /// How a file is written.
    pub struct WriteTable("raster.WriteOptions") {
        /// `GTiff`, `COG`, `netCDF`, `PNG` and others. Default by the extension of the path.
        format: Option<String>,
        /// `deflate`, `none`, `lzw`, `zstd`, `lzma`, `packbits`, `lerc`, `lerc_deflate`, `lerc_zstd`, `jpeg`, `webp`; of netCDF `deflate`
        /// or `none`.
        compress: String = WriteOptions::default().compress,
        /// How hard `deflate` and `lzma` (1 to 9) or `zstd` (1 to 22) try. Time and size of each are in docs/benchmarks.md. Default GDAL's
        /// own: 6, 6 and 9; of netCDF 2.
        level: Option<u32>,
        /// Difference neighbouring pixels before compression. Default true, but for types of one byte: those are classes and masks more
        /// often than pictures.
        predictor: Option<bool>,
        /// Add reduced copies for fast display; a COG has them always.
        overviews: bool = false,
        /// How they are made. Default average; of classes mode; of int8 before GDAL 3.7 nearest, unless mode is asked for.
        overview_resampling: Option<OverviewMethod>,
        /// Note minimum, maximum, mean and standard deviation in the file.
        statistics: bool = true,
        /// Pixel type of the file. Default the bands' own.
        dtype: Option<DType>,
        /// The value of masked pixels, as it is stored. Default NaN for floats; for integers the band's own, else an end of the type's
        /// range where pixels are masked.
        nodata: Option<f64>,
        /// Packs values into a `dtype` of whole numbers: a value is stored as (value − offset) / scale, rounded. GeoTIFF, COG and netCDF
        /// say so, and readers undo it. Default 1.
        scale: Option<f64>; Domain::NOT_ZERO,
        /// What is taken off before values are packed. Default 0.
        offset: Option<f64>; Domain::FINITE,
        /// Metadata items, beside those that name the script and its parameters.
        tags: Option<Tags>,
        /// Keep what networks have made in `.perilune` beside the file until it is whole: where this run is stopped or killed, the same call goes
        /// on there, and ends with the same bytes. At most the windows of one row, and those that were under way, are computed again.
        resume: bool = false,
    }
}

impl From<WriteTable> for WriteOptions {
    fn from(o: WriteTable) -> WriteOptions {
        WriteOptions {
            format: o.format,
            compress: o.compress,
            level: o.level,
            predictor: o.predictor,
            overviews: o.overviews,
            overview_resampling: o.overview_resampling.map(|method| method.name().to_string()),
            statistics: o.statistics,
            dtype: o.dtype,
            packing: (o.scale.is_some() || o.offset.is_some()).then(|| Packing {
                scale: o.scale.unwrap_or(1.0),
                offset: o.offset.unwrap_or(0.0),
            }),
            nodata: o.nodata,
            tags: o.tags.map_or(Vec::new(), |Tags(tags)| tags),
            resume: o.resume,
        }
    }
}

/// What every GDAL from 3.6 on can make overviews with.
#[derive(Clone, Copy, PartialEq)]
pub struct OverviewMethod(&'static str);

impl Choice for OverviewMethod {
    const ALL: &'static [(&'static str, Self)] = &[
        ("average", OverviewMethod("average")),
        ("nearest", OverviewMethod("nearest")),
        ("mode", OverviewMethod("mode")),
        ("bilinear", OverviewMethod("bilinear")),
        ("cubic", OverviewMethod("cubic")),
        ("cubicspline", OverviewMethod("cubicspline")),
        ("lanczos", OverviewMethod("lanczos")),
        ("gauss", OverviewMethod("gauss")),
        ("rms", OverviewMethod("rms")),
    ];
}

/// Metadata items by name, in order.
pub struct Tags(pub Vec<(String, String)>);

impl FromScript for Tags {
    fn expected() -> String {
        "a table such as { name = value }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<string, string|number|boolean>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "tags").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let table = Table::from_script(value, name)?;
        let mut tags = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let key = String::from_script(&key, &format!("each name in {name}"))?;
            let value = Property::from_script(&value, &format!("{name}.{key}"))?;
            tags.push((key, value.to_string()));
        }
        tags.sort();
        Ok(Tags(tags))
    }
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

/// `raster.write_all{ { image, path, options }, … }`
pub fn write_many(lua: &Lua, args: &Args) -> Result<Vec<String>> {
    let list: Vec<Table> = args.get("jobs")?;
    let (mut jobs, mut shown) = (Vec::new(), Vec::new());
    for (i, job) in list.iter().enumerate() {
        let name = |part: &str| format!("jobs[{}]: {part}", i + 1);
        let raster = Raster::from_script(&job.raw_get::<Value>(1)?, &name("the image"))?;
        let path = PathBuf::from_script(&job.raw_get::<Value>(2)?, &name("the path"))?;
        let options: Value = job.raw_get(3)?;
        let options = Options::read(&options, "options", WriteTable::read)?.into();
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
        table.raw_set("count", moments.count())?;
        if moments.count() > 0 {
            // Whole numbers of 64 bits as Lua has them, where it does.
            let whole = |v: i128| i64::try_from(v).ok();
            match moments.exact.and_then(|(low, high)| whole(low).zip(whole(high))) {
                Some((low, high)) => {
                    table.raw_set("min", low)?;
                    table.raw_set("max", high)?;
                }
                None => {
                    table.raw_set("min", moments.min())?;
                    table.raw_set("max", moments.max())?;
                }
            }
            table.raw_set("mean", moments.mean())?;
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
        let (owner, empty) = (format!("stats() of {}", band.name), moments.count() == 0);
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
