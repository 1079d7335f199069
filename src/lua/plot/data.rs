//! Images of a script as layers: read once, at the resolution that the panel can show.

use mlua::{Table, Value};
use ndarray::Array2;

use crate::error::{Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::args::Options;
use crate::lua::value::{FromScript, describe};
use crate::plot::{Class, Classes, Color, Colormap, Image, Layer, Rgb, Stretch};
use crate::raster::cyclic::cycle_of;
use crate::raster::preview::{self, Mode, preview};
use crate::raster::stack::Stack;
use crate::raster::{Affine, Band, Grid, Raster};
use crate::work;

/// A list of images or a stack.
pub struct Images(pub Vec<Raster>);

impl FromScript for Images {
    fn expected() -> String {
        "a Stack or a list of Rasters".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Stack|Raster[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match Stack::accept(value) {
            Some(stack) => Some(Images(stack.items)),
            None => Vec::accept(value).map(Images),
        }
    }
}

/// `VV (dB)`: what a colour bar says of a band.
pub fn label_of(band: &Band) -> String {
    match band.unit.symbol() {
        "" | "1" => band.name.clone(),
        unit => format!("{} ({unit})", band.name),
    }
}

/// What tells an image from its neighbours: its band or its date.
pub fn title_of(raster: &Raster, by_band: bool) -> String {
    if by_band || raster.time.is_none() {
        return raster.bands.first().map_or(String::new(), |b| b.name.clone());
    }
    raster.time.map_or(String::new(), |t| t.strftime("%Y-%m-%d").to_string())
}

/// All bands in at most about `detail` pixels a side, and the grid of those.
fn read(raster: &Raster, detail: usize, mode: Mode) -> Result<(Vec<Array2<f32>>, Grid)> {
    let (grid, (rows, cols)) = (&raster.grid, preview::shape(&raster.grid, detail, detail));
    let bands = match work::rehearsal() {
        // A dry run tells that a figure is written, and shows none.
        Some(_) => vec![Array2::from_elem((rows, cols), f32::NAN); raster.bands.len()],
        None => preview(raster, detail, detail, mode)?,
    };
    let (across, down) = (grid.cols as f64 / cols as f64, grid.rows as f64 / rows as f64);
    let t = grid.transform;
    let transform = Affine {
        dx: t.dx * across,
        ry: t.ry * across,
        rx: t.rx * down,
        dy: t.dy * down,
        ..t
    };
    Ok((bands, Grid::new(grid.crs.clone(), transform, rows, cols)?))
}

/// The band that `band` names, or the only one.
fn chosen(raster: &Raster, o: &Options) -> Result<Raster> {
    match o.get::<String>("band")? {
        Some(name) => raster.select(&[name]),
        None => raster
            .only_band("plot")
            .map(|band| raster.with_bands(vec![band.clone()]))
            .map_err(|_| {
                Error::message(format!(
                    "the image has {} bands ({}); choose one with the option `band`, or draw `image.{}`",
                    raster.bands.len(),
                    raster.band_names().join(", "),
                    raster.bands[0].name
                ))
            }),
    }
}

/// How values become colours.
pub fn stretch(o: &Options, default: Stretch) -> Result<Stretch> {
    let (min, max) = (o.get::<f64>("min")?, o.get::<f64>("max")?);
    let percentiles = o.get::<[f64; 2]>("percentiles")?;
    let symmetric = o.get_or("symmetric", false)?;
    let given = [min.is_some() || max.is_some(), percentiles.is_some(), symmetric];
    if given.iter().filter(|g| **g).count() > 1 {
        return Err(Error::message(
            "give limits in one way only: min and max, percentiles, or symmetric",
        ));
    }
    Ok(match (percentiles, symmetric) {
        (Some([low, high]), _) => Stretch::Percentiles(low, high),
        (None, true) => Stretch::Symmetric(98.0),
        (None, false) if given[0] => Stretch::Fixed(min, max),
        _ => default,
    })
}

/// An image in a colour map, and the label of its colour bar (None for no bar).
pub fn image(raster: &Raster, o: &Options, detail: usize) -> Result<(Layer, Option<String>)> {
    let raster = chosen(raster, o)?;
    let colormap = o.get::<Colormap>("colormap")?;
    let cycle = cycle_of(&raster.bands[0].port);
    // Of values that run in a circle all of it is shown: none lies beyond the ends.
    let usual = cycle.map_or(Stretch::Percentiles(2.0, 98.0), |(low, high)| Stretch::Fixed(Some(low), Some(high)));
    let stretch = stretch(o, usual)?;
    let opacity = opacity(o)?.unwrap_or(1.0);
    let label = o.get::<String>("label")?.unwrap_or_else(|| label_of(&raster.bands[0]));
    let label = o.get_or("color_bar", true)?.then_some(label);
    // Differences are read best in two colours that meet at zero.
    let colormap = match (colormap, stretch) {
        (Some(colormap), _) => colormap,
        (None, Stretch::Symmetric(_)) => Colormap::named("RdBu_r")?,
        (None, _) if cycle.is_some() => Colormap::named("twilight")?,
        (None, _) => Colormap::default(),
    };
    // Between π and −π lies no 0.
    let nearest = colormap.is_cyclic() || cycle.is_some();
    let mode = if nearest {
        Mode::Nearest
    } else {
        Mode::Mean
    };
    let (mut bands, grid) = read(&raster, detail, mode)?;
    let mut image = Image::new(bands.swap_remove(0), Some(grid));
    (image.colormap, image.nearest) = (colormap, nearest);
    image.stretch = stretch;
    image.opacity = opacity;
    Ok((Layer::Image(image), label))
}

pub fn opacity(o: &Options) -> Result<Option<f64>> {
    o.checked("opacity", "a number from 0 to 1", |v: &f64| (0.0..=1.0).contains(v))
}

/// Three bands as red, green and blue.
pub fn rgb(raster: &Raster, o: &Options, detail: usize) -> Result<Layer> {
    let raster = match o.get::<Vec<String>>("bands")? {
        Some(names) => raster.select(&names)?,
        None => raster.clone(),
    };
    let stretch = stretch(o, Stretch::Percentiles(2.0, 98.0))?;
    let common = o.get_or("common", false)?;
    let gamma = o.positive("gamma")?.unwrap_or(1.0);
    let (bands, grid) = read(&raster, detail, Mode::Mean)?;
    let count = bands.len();
    let bands: [_; 3] = bands.try_into().map_err(|_| {
        Error::argument(
            "bands",
            "three, for red, green and blue (the option `bands` chooses them)",
            format!("{count} ({})", raster.band_names().join(", ")),
        )
    })?;
    let mut layer = Rgb::new(bands, Some(grid));
    (layer.stretch, layer.common, layer.gamma) = (stretch, common, gamma);
    Ok(Layer::Rgb(layer))
}

/// Most classes that are told apart without being listed.
const MOST_CLASSES: usize = 20;

/// A classified image.
pub fn classes(raster: &Raster, o: &Options, detail: usize) -> Result<Layer> {
    let raster = chosen(raster, o)?;
    let listed: Option<Vec<Class>> = o.get("classes")?;
    let (mut bands, grid) = read(&raster, detail, Mode::Nearest)?;
    let values = bands.swap_remove(0);
    let classes = match listed {
        Some(classes) => classes,
        None => {
            let mut found: Vec<i64> = Vec::new();
            for v in values.iter().filter(|v| v.is_finite()) {
                let value = v.round() as i64;
                if let Err(at) = found.binary_search(&value) {
                    found.insert(at, value);
                    if found.len() > MOST_CLASSES {
                        return Err(Error::message(format!(
                            "the image has more than {MOST_CLASSES} classes; list those to show with the option \
                             `classes`, or draw it with `plot.map`"
                        )));
                    }
                }
            }
            let class = |(i, value): (usize, i64)| Class {
                value,
                name: value.to_string().replace('-', "−"),
                color: Color::cycle(i),
            };
            found.into_iter().enumerate().map(class).collect()
        }
    };
    let layer = Classes {
        values,
        grid: Some(grid),
        classes,
    };
    Ok(Layer::Classes(layer))
}

/// `{ value = 1, name = "water", color = "blue" }`
impl FromScript for Class {
    fn expected() -> String {
        "a class: { value = 1, name = \"water\", color = \"blue\" }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        if Table::accept(value).is_none() {
            return Err(Error::argument(name, Self::expected(), describe(value)));
        }
        Options::read(value, name, |o| {
            let value: i64 = o.require("value")?;
            Ok(Class {
                value,
                name: o.get::<String>("name")?.unwrap_or_else(|| value.to_string()),
                color: o.require("color")?,
            })
        })
    }
}
