//! Images of a script as marks: read once, at the resolution that the panel can show.

use mlua::Value;
use ndarray::Array2;

use crate::error::{Choice, Domain, Error, Result};
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, number_text};
use crate::options;
use crate::plot::{Class, Classes, Color, Colormap, Image, Norm, OPACITIES, Rgb, Stretch};
use crate::raster::cyclic::cycle_of;
use crate::raster::forecast::reads_remote;
use crate::raster::preview::{self, Mode, preview};
use crate::raster::stack::Stack;
use crate::raster::{self, Affine, Band, Grid, Property, Raster};
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
    raster
        .time
        .map_or(String::new(), |t| t.strftime("%Y-%m-%d").to_string())
}

/// A property as a title; empty where it has none of the name.
///
/// # Errors
/// When a property that pixels say cannot be computed.
pub fn property_of(raster: &Raster, name: &str) -> Result<String> {
    Ok(match raster.property(name)? {
        None => String::new(),
        Some(Property::Text(text)) => text,
        Some(Property::Number(number)) => number_text(number),
        Some(Property::Integer(number)) => number.to_string(),
        Some(Property::Boolean(value)) => value.to_string(),
        Some(Property::Computed(_)) => String::new(),
    })
}

/// All bands in at most about `detail` pixels a side, and the grid of those.
pub fn read(raster: &Raster, detail: usize, mode: Mode) -> Result<(Vec<Array2<f32>>, Grid)> {
    let (grid, (rows, cols)) = (&raster.grid, preview::shape(&raster.grid, detail, detail));
    let bands = match work::rehearsal() {
        None => preview(raster, detail, detail, mode)?,
        Some(rehearsal) => {
            let shown = match preview::is_easy(raster) && !reads_remote(raster) {
                true => rehearsal.allow(|| preview(raster, detail, detail, mode))?,
                false => None,
            };
            // The run itself reads those again that it has written.
            let is_written = || raster.bands.iter().all(|band| rehearsal.has_told(band.port.node.id));
            if shown.is_none() && !is_written() {
                rehearsal.leave_out("figures of images that take long to compute");
            }
            // Nobody sees the figure.
            shown.unwrap_or_else(|| vec![Array2::from_elem((rows, cols), f32::NAN); raster.bands.len()])
        }
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
pub fn chosen(raster: &Raster, band: &Option<String>) -> Result<Raster> {
    match band {
        Some(name) => raster.select(std::slice::from_ref(name)),
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

options! {
    /// How values become colours.
    pub struct Stretching("plot.StretchOptions") {
        /// The value of the first colour. Default: the smallest.
        min: Option<f64>,
        /// The value of the last colour. Default: the largest.
        max: Option<f64>,
        /// `{ low, high }`: limits as percentiles of the values shown. Default `{ 2, 98 }`; of values that run in a circle
        /// (`:phase()`, `:cyclic()`) the whole circle, of points' values the smallest and the largest.
        percentiles: Option<[f64; 2]>; Domain::PERCENT,
        /// Limits on both sides of zero, the 98th percentile of the absolute values.
        symmetric: bool = false,
    }
}

impl Stretching {
    pub fn or(&self, default: Stretch) -> Result<Stretch> {
        let fixed = self.min.is_some() || self.max.is_some();
        let given = [fixed, self.percentiles.is_some(), self.symmetric];
        if given.iter().filter(|g| **g).count() > 1 {
            return Err(Error::message(
                "give limits in one way only: min and max, percentiles, or symmetric",
            ));
        }
        Ok(match (self.percentiles, self.symmetric) {
            (Some([low, high]), _) => Stretch::Percentiles(low, high),
            (None, true) => Stretch::Symmetric(98.0),
            (None, false) if fixed => Stretch::Fixed(self.min, self.max),
            _ => default,
        })
    }
}

/// How values are spread over the colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NormName {
    Linear,
    Log,
    SymLog,
}

impl Choice for NormName {
    const ALL: &'static [(&'static str, Self)] = &[
        ("linear", NormName::Linear),
        ("log", NormName::Log),
        ("symlog", NormName::SymLog),
    ];
}

options! {
    /// How values become colours, also by their logarithms.
    pub struct Norming("plot.NormOptions") {
        ..stretch: Stretching,
        /// How values are spread over the colours: evenly, by their logarithms (those of 0 and below are transparent), or by logarithms on both
        /// sides of zero with an even part around it.
        norm: NormName = NormName::Linear,
        /// With `norm = "symlog"`: half the width of the even part. Default: a hundredth of the larger limit.
        linear_within: Option<f64>; Norm::LINEAR,
    }
}

impl Norming {
    pub fn norm(&self) -> Result<Norm> {
        if self.linear_within.is_some() && self.norm != NormName::SymLog {
            return Err(Error::message("`linear_within` goes with the norm \"symlog\""));
        }
        Ok(match self.norm {
            NormName::Linear => Norm::Linear,
            NormName::Log => Norm::Log,
            NormName::SymLog => Norm::SymLog {
                linear: self.linear_within,
            },
        })
    }
}

options! {
    pub struct ImageLayer("plot.ImageOptions") {
        ..norming: Norming,
        /// A name (see `plot.colormaps`) or a list of colours to blend. Default `"viridis"`; `"RdBu_r"` where symmetric,
        /// `"twilight"` of values that run in a circle. Of one that ends where it began (`"twilight"`) the values do, too: pictures
        /// smaller than the image show single pixels, not means.
        colormap: Option<Colormap>,
        /// The band, where the image has several.
        band: Option<String>,
        /// Of the colour bar. Default: the band's name and unit.
        label: Option<String>,
        /// Whether there is one.
        color_bar: bool = true,
        /// 0 is invisible.
        opacity: f64 = 1.0; OPACITIES,
    }
}

/// An image in a colour map, and the label of its colour bar (None for no bar).
pub fn image(raster: &Raster, o: &ImageLayer, detail: usize) -> Result<(Image, Option<String>)> {
    let raster = chosen(raster, &o.band)?;
    let cycle = cycle_of(&raster.bands[0].port);
    // Of values that run in a circle all of it is shown: none lies beyond the ends.
    let usual = cycle.map_or(Stretch::Percentiles(2.0, 98.0), |(low, high)| {
        Stretch::Fixed(Some(low), Some(high))
    });
    let stretch = o.norming.stretch.or(usual)?;
    let label = o.label.clone().unwrap_or_else(|| label_of(&raster.bands[0]));
    let label = o.color_bar.then_some(label);
    // Differences are read best in two colours that meet at zero.
    let colormap = match (&o.colormap, stretch) {
        (Some(colormap), _) => colormap.clone(),
        (None, Stretch::Symmetric(_)) => Colormap::named("RdBu_r")?,
        (None, _) if cycle.is_some() => Colormap::named("twilight")?,
        (None, _) => Colormap::default(),
    };
    // Between π and −π lies no 0.
    let nearest = colormap.is_cyclic() || cycle.is_some();
    let mode = if nearest { Mode::Nearest } else { Mode::Mean };
    let (mut bands, grid) = read(&raster, detail, mode)?;
    let mut image = Image::new(bands.swap_remove(0), Some(grid));
    (image.colormap, image.nearest) = (colormap, nearest);
    (image.stretch, image.norm) = (stretch, o.norming.norm()?);
    image.opacity = o.opacity;
    Ok((image, label))
}

options! {
    pub struct RgbLayer("plot.RgbLayerOptions") {
        ..stretch: Stretching,
        /// Red, green, blue. Default: the image's three bands in their order.
        bands: Option<Vec<String>>,
        /// The same limits for all three, which keeps colours true, rather than each its own.
        common: bool = false,
        /// Above 1 brightens the dark parts.
        gamma: f64 = 1.0; Rgb::GAMMAS,
    }
}

/// Three bands as red, green and blue.
pub fn rgb(raster: &Raster, o: &RgbLayer, detail: usize) -> Result<Rgb> {
    let raster = match &o.bands {
        Some(names) => raster.select(names)?,
        None => raster.clone(),
    };
    let stretch = o.stretch.or(Stretch::Percentiles(2.0, 98.0))?;
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
    (layer.stretch, layer.common, layer.gamma) = (stretch, o.common, o.gamma);
    Ok(layer)
}

/// Most classes that are told apart without being listed.
const MOST_CLASSES: usize = 20;

options! {
    pub struct ClassesLayer("plot.ClassesLayerOptions") {
        /// The classes in the order of the legend; pixels of others are transparent. Default: those of the image, as `Raster:set_classes` or its file
        /// names them, and all other values; up to 20.
        classes: Option<Vec<raster::Class>>,
        /// The band, where the image has several.
        band: Option<String>,
    }
}

/// A classified image.
pub fn classes(raster: &Raster, o: ClassesLayer, detail: usize) -> Result<Classes> {
    let raster = chosen(raster, &o.band)?;
    let (mut bands, grid) = read(&raster, detail, Mode::Nearest)?;
    let values = bands.swap_remove(0);
    let classes = match o.classes {
        Some(classes) => classes,
        None => named_and_found(raster.bands[0].unit.classes(), &values)?,
    };
    let colored = |(i, class): (usize, raster::Class)| Class {
        value: class.value,
        name: class.name,
        color: class.color.map_or_else(|| Color::cycle(i), |[r, g, b]| Color::rgb(r, g, b)),
    };
    let classes = classes.into_iter().enumerate().map(colored).collect();
    Ok(Classes {
        values,
        grid: Some(grid),
        classes,
    })
}

/// The classes that are known, then the values that are none of them. Of more than can be told apart those that occur.
fn named_and_found(known: &[raster::Class], values: &Array2<f32>) -> Result<Vec<raster::Class>> {
    let mut found: Vec<i64> = Vec::new();
    for v in values.iter().filter(|v| v.is_finite()) {
        let value = v.round() as i64;
        if let Err(at) = found.binary_search(&value) {
            found.insert(at, value);
            if found.len() > MOST_CLASSES {
                return Err(Error::message(format!(
                    "the image has more than {MOST_CLASSES} classes; list those to show with the option `classes`, or draw it with `plot.map`"
                )));
            }
        }
    }
    let occurs = |class: &&raster::Class| known.len() <= MOST_CLASSES || found.binary_search(&class.value).is_ok();
    let mut classes: Vec<raster::Class> = known.iter().filter(occurs).cloned().collect();
    found.retain(|value| known.iter().all(|class| class.value != *value));
    classes.extend(found.into_iter().map(|value| raster::Class {
        value,
        name: value.to_string().replace('-', "−"),
        color: None,
    }));
    Ok(classes)
}
