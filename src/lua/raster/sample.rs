//! Raster's methods at points and along lines, and the points that scripts name.

use mlua::{Lua, Table, UserDataRef, Value};

use crate::error::{Domain, Error, Result};
use crate::lua::args::Args;
use crate::lua::class::Builder;
use crate::lua::geometry::values::positions;
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::extent::Columns;
use crate::raster::sample::{Sampled, is_inside, sample as values_at, sample_all};
use crate::raster::warp::Resampling;
use crate::raster::{Crs, Raster, Transformer};
use crate::table;
use crate::vector::{Feature, Features, stations};

use super::hints;
use super::values::Interpolation;

pub fn define(c: &mut Builder<Raster>) {
    c.method_with("sample(points, options?)", sample)
        .method_with("profile(line, options?)", profile);
}

options! {
    pub struct SampleOptions("raster.SampleOptions") {
        /// Of the points. Default the image's own.
        crs: Option<Crs>,
        /// The pixel that holds the point, or a value between pixel centres.
        resampling: Interpolation = Interpolation::Nearest,
    }
}

options! {
    pub struct ProfileOptions("raster.ProfileOptions") {
        /// Of the line, where it has none itself. Default the image's own.
        crs: Option<Crs>,
        /// Most metres on the ground from one place to the next (units of the coordinates without a CRS). Default a pixel.
        step: Option<f64>; Domain::above(0.0),
        /// As in `:sample`.
        resampling: Interpolation = Interpolation::Nearest,
    }
}

/// Places on the map, with what came with them.
pub struct Points {
    pub places: Vec<SamplePoint>,
    crs: Option<Crs>,
    resampling: Resampling,
}

pub struct SamplePoint {
    x: f64,
    y: f64,
    /// What else was said of it.
    extra: Vec<(String, table::Value)>,
}

impl SamplePoint {
    /// The first cells of a row about it: its names, then its coordinates.
    pub fn cells(&self) -> impl Iterator<Item = (String, table::Value)> {
        let place = [("x", self.x), ("y", self.y)];
        let place = place.map(|(name, v)| (name.to_string(), table::Value::Float(v)));
        self.extra.iter().cloned().chain(place)
    }
}

impl Points {
    /// The argument `points`, and the options.
    pub fn read(args: &Args, o: SampleOptions) -> Result<Points> {
        let (crs, resampling) = (o.crs, o.resampling.into());
        let value: Value = args.get("points")?;
        if let Some(features) = Features::accept(&value) {
            let crs = features.crs.clone().or(crs);
            return Ok(Points {
                places: feature_places(&features)?,
                crs,
                resampling,
            });
        }
        if let Some(rows) = UserDataRef::<table::Table>::accept(&value) {
            return Ok(Points {
                places: table_places(&rows)?,
                crs,
                resampling,
            });
        }
        let list = Vec::<Table>::from_script(&value, "points").map_err(|_| {
            Error::argument(
                "points",
                "a list of { x, y } or { x = …, y = …, … }, or Features of points, or a Table with columns x and y",
                describe(&value),
            )
        })?;
        let mut places = Vec::with_capacity(list.len());
        for (i, point) in list.iter().enumerate() {
            let part = |position: i64, name: &str| {
                let value = match point.raw_get::<Value>(position)? {
                    Value::Nil => point.raw_get::<Value>(name)?,
                    value => value,
                };
                f64::accept(&value).ok_or_else(|| {
                    let place = format!("points[{}].{name}", i + 1);
                    Error::argument(place, "a number: points are { x, y } or { x = …, y = … }", describe(&value))
                })
            };
            places.push(SamplePoint {
                x: part(1, "x")?,
                y: part(2, "y")?,
                extra: named_cells(point)?,
            });
        }
        Ok(Points {
            places,
            crs,
            resampling,
        })
    }

    /// One row for each point, one value for each band.
    pub fn sample(&self, raster: &Raster) -> Result<Vec<Vec<Sampled>>> {
        values_at(raster, &self.on(raster)?, self.resampling)
    }

    /// As `sample` of each of many images, on all cores.
    pub fn sample_all(&self, images: &[Raster]) -> Result<Vec<Vec<Vec<Sampled>>>> {
        // Most stacks have one CRS, in which the places are the same.
        let mut on: Vec<(&Raster, Vec<(f64, f64)>)> = Vec::new();
        let mut which = Vec::with_capacity(images.len());
        for image in images {
            let known = on.iter().position(|(other, _)| other.grid.crs == image.grid.crs);
            which.push(known.unwrap_or(on.len()));
            if known.is_none() {
                on.push((image, self.on(image)?));
            }
        }
        sample_all(images, |i| &on[which[i]].1, self.resampling)
    }

    /// The places in the CRS of an image; NaN where they have no image there.
    fn on(&self, raster: &Raster) -> Result<Vec<(f64, f64)>> {
        let places: Vec<(f64, f64)> = self.places.iter().map(|p| (p.x, p.y)).collect();
        in_crs_of(raster, &places, self.crs.as_ref())
    }

    /// # Errors
    /// When there are points and none of them lies in any of the images.
    pub fn must_meet(&self, images: &[Raster]) -> Result<()> {
        let Some(first) = self.places.first() else { return Ok(()) };
        for raster in images {
            let columns = Columns::new(&raster.grid);
            if self.on(raster)?.into_iter().any(|p| is_inside(raster, &columns, p)) {
                return Ok(());
            }
        }
        let Some(raster) = images.first() else { return Ok(()) };
        Err(outside("points", self.places.len(), (first.x, first.y), self.crs.as_ref(), raster))
    }
}

/// Places in `crs`, or in the image's own, in the image's.
fn in_crs_of(raster: &Raster, places: &[(f64, f64)], crs: Option<&Crs>) -> Result<Vec<(f64, f64)>> {
    let (mut xs, mut ys): (Vec<f64>, Vec<f64>) = places.iter().copied().unzip();
    // Of an image that is placed by control points or the like, coordinates are those of the map.
    let stated = crs.or(raster.grid.crs.as_ref().map(Crs::on_map));
    if let Some(crs) = stated
        && crs != raster.crs()?
    {
        Transformer::new(crs, raster.crs()?)?.apply(&mut xs, &mut ys);
    }
    Ok(xs.into_iter().zip(ys).collect())
}

/// What is said when nothing that was asked for lies in the image.
fn outside(what: &str, count: usize, first: (f64, f64), crs: Option<&Crs>, raster: &Raster) -> Error {
    let own = raster.grid.crs.as_ref();
    let hint = hints::place(first, crs, &raster.grid);
    let number = |v: f64| if v.abs() < 1e15 { v.to_string() } else { format!("{v:e}") };
    let first = format!("{{ {}, {} }}", number(first.0), number(first.1));
    let named = crs.or(own).map_or(String::new(), |crs| format!(" of {crs}"));
    Error::argument(
        what,
        format!(
            "{{ x, y }} (longitude before latitude), at least one of them in the image ({}{}){}",
            raster.grid.bounds(),
            own.map_or(String::new(), |crs| format!(" of {crs}")),
            hint,
        ),
        match count {
            1 => format!("{first}{named}"),
            n => format!("{n} outside, the first {first}{named}"),
        },
    )
}

/// The rows of a table with columns x and y.
fn table_places(rows: &table::Table) -> Result<Vec<SamplePoint>> {
    let mut places = Vec::with_capacity(rows.rows());
    for row in 0..rows.rows() {
        let mut place = SamplePoint {
            x: f64::NAN,
            y: f64::NAN,
            extra: Vec::new(),
        };
        for (name, value) in rows.row(row) {
            match (name, value.as_f64()) {
                ("x", Some(x)) => place.x = x,
                ("y", Some(y)) => place.y = y,
                ("x" | "y", None) => {}
                _ => place.extra.push((name.to_string(), value)),
            }
        }
        if place.x.is_nan() || place.y.is_nan() {
            let expected = "a Table whose columns x and y hold a number in every row";
            return Err(Error::argument("points", expected, format!("row {} without", row + 1)));
        }
        places.push(place);
    }
    Ok(places)
}

/// Points with the features' properties.
fn feature_places(features: &Features) -> Result<Vec<SamplePoint>> {
    let points = features.points()?;
    if points.len() != features.len() {
        return Err(Error::argument(
            "points",
            "features of one point each",
            format!("{} features of {} points", features.len(), points.len()),
        ));
    }
    let place = |(feature, (x, y)): (&Feature, (f64, f64))| SamplePoint {
        x,
        y,
        extra: feature
            .properties
            .iter()
            .filter(|(name, _)| *name != "x" && *name != "y")
            .map(|(name, value)| (name.to_string(), value.clone()))
            .collect(),
    };
    Ok(features.features.iter().zip(points).map(place).collect())
}

/// A value of a band as tables hold it.
pub fn cell(value: Sampled) -> table::Value {
    match value {
        Sampled::Number(v) => table::Value::Float(v),
        Sampled::Integer(None) => table::Value::Missing,
        // What only unsigned ones hold is rounded.
        Sampled::Integer(Some(v)) => i64::try_from(v).map_or(table::Value::Float(v as f64), table::Value::Integer),
    }
}

/// What a point has beside its coordinates, by name.
fn named_cells(point: &Table) -> Result<Vec<(String, table::Value)>> {
    let mut cells = Vec::new();
    for pair in point.pairs::<Value, Value>() {
        let (key, value) = pair?;
        if let Some(name) = key.as_string().map(|s| s.to_string_lossy())
            && name != "x"
            && name != "y"
        {
            let value = table::Value::from_script(&value, &name)?;
            cells.push((name, value));
        }
    }
    cells.sort_by(|a, b| a.0.cmp(&b.0));
    Ok(cells)
}

fn sample(_: &Lua, this: &Raster, args: &Args, o: SampleOptions) -> Result<table::Table> {
    let points = Points::read(args, o)?;
    points.must_meet(std::slice::from_ref(this))?;
    let values = points.sample(this)?;
    let rows = points.places.iter().zip(values).map(|(place, values)| {
        let bands = this.bands.iter().map(|b| b.name.clone());
        let values = bands.zip(values.into_iter().map(cell));
        place.cells().chain(values).collect()
    });
    table::Table::from_rows(rows)
}

/// `raster:profile(line, options?)`
fn profile(_: &Lua, this: &Raster, args: &Args, o: ProfileOptions) -> Result<table::Table> {
    let crs = o.crs;
    let value: Value = args.get("line")?;
    let (line, crs) = match Features::accept(&value) {
        Some(features) => (features.line()?, features.crs.clone().or(crs)),
        None => {
            let list = positions(&value, "line", 2)?;
            (list.into_iter().map(|c| (c.x, c.y)).collect(), crs)
        }
    };
    let own = crs.as_ref().or(this.grid.crs.as_ref());
    let stations = stations(&line, own, &this.grid, o.step)?;
    let places: Vec<(f64, f64)> = stations.iter().map(|s| (s.x, s.y)).collect();
    let places = in_crs_of(this, &places, crs.as_ref())?;
    let columns = Columns::new(&this.grid);
    if !places.iter().any(|&p| is_inside(this, &columns, p)) {
        return Err(outside("line", line.len(), line[0], crs.as_ref(), this));
    }
    let distance = if own.is_some() { "distance_m" } else { "distance" };
    let rows = stations.iter().zip(values_at(this, &places, o.resampling.into())?).map(|(station, values)| {
        let place = [(distance, station.distance), ("x", station.x), ("y", station.y)];
        let place = place.map(|(name, v)| (name.to_string(), table::Value::Float(v)));
        let bands = this.bands.iter().map(|b| b.name.clone());
        place.into_iter().chain(bands.zip(values.into_iter().map(cell))).collect()
    });
    table::Table::from_rows(rows)
}
