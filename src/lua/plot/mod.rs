//! The Lua module `plot`: figures.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use mlua::{Table, Value};

use self::axes::AxesHandle;
use self::data::{ClassesLayer, ImageLayer, Images, RgbLayer};
pub use self::figure::{FigureHandle, places};
pub use self::options::Size;
use self::options::{Page, Panel};
use self::groups::{BarsLayer, BoxesLayer, HovmollerLayer};
use self::series::{HistogramLayer, LineLayer, ScatterLayer};
use self::surface::SurfaceLayer;
use super::access;
use super::args::Options;
use super::class::Builder;
use super::module::Module;
use super::options::OptionTable;
use super::rehearsal::is_told;
use super::spec::ValueType;
use super::value::{FromScript, describe};
use crate::error::{Error, Result};
use crate::options;
use crate::plot::{Axes, Color, ColorBar, Colormap, Coordinates, Figure, Graphics, AxesKind, Histogram, Terminal};
use crate::raster::stack::Stack;
use crate::raster::{Raster, preview, stats};
use crate::work;

mod animate;
mod axes;
mod data;
mod fields;
mod figure;
mod groups;
mod options;
mod series;
mod surface;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<FigureHandle>();
    m.class::<AxesHandle>();
    m.function_with("figure(options?)", |_, _, o: Page| {
        Ok(FigureHandle::new(o.figure()))
    })?;
    m.function_with("map(raster, options?)", |_, args, o: MapFigure| {
        Ok(FigureHandle::new(map_of(&args.get("raster")?, &o)?))
    })?;
    m.function_with("maps(images, options?)", |_, args, o: MapsFigure| {
        let images: Images = args.get("images")?;
        maps_of(&images.0, &o)
    })?;
    m.function_with("rgb(raster, options?)", |_, args, o: RgbFigure| {
        let raster: Raster = args.get("raster")?;
        handle(&o.size, &o.panel, MAP, |axes, detail| {
            axes.add(data::rgb(&raster, &o.layer, detail)?);
            Ok(())
        })
    })?;
    m.function_with("classes(raster, options?)", |_, args, o: ClassesFigure| {
        let raster: Raster = args.get("raster")?;
        handle(&o.size, &o.panel, MAP, |axes, detail| {
            axes.add(data::classes(&raster, o.layer, detail)?);
            Ok(())
        })
    })?;
    m.function_with("histogram(values, options?)", |_, args, o: HistogramFigure| {
        let values: Value = args.get("values")?;
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            for layer in histograms(&values, &o.layer, axes)? {
                axes.add(layer);
            }
            Ok(())
        })
    })?;
    m.function_with("line(x, y, options?)", |_, args, o: LineFigure| {
        let (x, y) = (args.get("x")?, args.get("y")?);
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            series::line(axes, x, y, o.layer)
        })
    })?;
    m.function_with("scatter(x, y, options?)", |_, args, o: ScatterFigure| {
        let (x, y) = (args.get("x")?, args.get("y")?);
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            series::scatter(axes, x, y, o.layer)
        })
    })?;
    m.function_with("bars(places, heights, options?)", |_, args, o: BarsFigure| {
        let (places, heights) = (args.get("places")?, args.get("heights")?);
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            groups::bars(axes, &places, heights, o.layer)
        })
    })?;
    m.function_with("boxes(groups, values, options?)", |_, args, o: BoxesFigure| {
        let (by, values) = (args.get("groups")?, args.get("values")?);
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            groups::boxes(axes, by, values, o.layer)
        })
    })?;
    m.function_with("hovmoller(x, times, values, options?)", |_, args, o: HovmollerFigure| {
        let (x, times, values) = (args.get("x")?, args.get("times")?, args.get("values")?);
        handle(&o.size, &o.panel, AxesKind::Chart, |axes, _| {
            groups::hovmoller(axes, x, times, values, o.layer)
        })
    })?;
    m.function_with("surface(heights, options?)", |_, args, o: SurfaceFigure| {
        let heights: Raster = args.get("heights")?;
        handle(&o.size, &o.panel, AxesKind::Space, |axes, _| {
            surface::surface(axes, &heights, o.layer)
        })
    })?;
    m.function_with("animate(images, path, options?)", |lua, args, o: animate::Animation| {
        let (images, path): (Images, PathBuf) = (args.get("images")?, args.get("path")?);
        let target = access(lua).write(&path)?;
        match work::rehearsal() {
            None => animate::write(&images.0, &target, &o)?,
            Some(rehearsal) => {
                is_told(lua, "write", &target);
                // To see how long a picture takes.
                rehearsal.allow(|| animate::frame(&images.0, 0, &o, None).map(drop))?;
            }
        }
        Ok(path.display().to_string())
    })?;
    m.function("colormaps()", |lua, _| {
        Ok(lua.create_sequence_from(Colormap::names().iter().copied())?)
    })?;
    Ok(())
}

const MAP: AxesKind = AxesKind::Map(Coordinates::Map);

/// Figures of one panel: the options of the page, of the panel, and of what is drawn.
macro_rules! figures {
    ($($figure:ident($name:literal) of $layer:ty;)*) => {
        $(options! {
            struct $figure($name) {
                ..size: Size,
                ..panel: Panel,
                ..layer: $layer,
            }
        })*
    };
}

figures! {
    MapFigure("plot.MapOptions") of ImageLayer;
    RgbFigure("plot.RgbOptions") of RgbLayer;
    ClassesFigure("plot.ClassesOptions") of ClassesLayer;
    HistogramFigure("plot.HistogramOptions") of HistogramLayer;
    LineFigure("plot.LineOptions") of LineLayer;
    ScatterFigure("plot.ScatterOptions") of ScatterLayer;
    BarsFigure("plot.BarsOptions") of BarsLayer;
    BoxesFigure("plot.BoxesOptions") of BoxesLayer;
    HovmollerFigure("plot.HovmollerOptions") of HovmollerLayer;
    SurfaceFigure("plot.SurfaceOptions") of SurfaceLayer;
}

options! {
    struct MapsFigure("plot.MapsOptions") {
        ..map: MapFigure,
        /// Panels in a row. Default: about as many as rows, at most 4.
        cols: Option<usize>; Figure::PANELS,
        /// One for each panel. Default: the dates, or the names of the bands.
        titles: Option<Vec<String>>,
        /// The property that panels are titled by: `"orbit_direction"`. Default: the date, or the name of the band.
        title_by: Option<String>,
        /// Panels are called (a), (b), (c)…
        letters: bool = false,
        /// One colour bar and the same limits for all.
        shared: bool = true,
    }
}

/// The methods of images.
pub fn raster_methods(c: &mut Builder<Raster>) {
    c.method_with("plot(options?)", |_, this, _, o: MapsFigure| {
        if let [_] = this.bands.as_slice() {
            return one_of(this, &o);
        }
        let bands: Vec<Raster> = this
            .bands
            .iter()
            .map(|band| this.with_bands(vec![band.clone()]))
            .collect();
        maps_of(&bands, &o)
    });
}

/// The methods of stacks.
pub fn stack_methods(c: &mut Builder<Stack>) {
    c.method_with("plot(options?)", |_, this, _, o: MapsFigure| {
        maps_of(&this.items, &o)
    });
}

/// A figure of one panel.
fn alone(
    size: &Size,
    panel: &Panel,
    kind: AxesKind,
    draw: impl FnOnce(&mut Axes, usize) -> Result<()>,
) -> Result<Figure> {
    let mut figure = Figure::new(1, 1);
    size.apply(&mut figure);
    let mut axes = Axes::new(kind);
    panel.apply(&mut axes);
    draw(&mut axes, options::detail(&figure))?;
    figure.axes.push(axes);
    Ok(figure)
}

/// As `alone`, for Lua.
fn handle(
    size: &Size,
    panel: &Panel,
    kind: AxesKind,
    draw: impl FnOnce(&mut Axes, usize) -> Result<()>,
) -> Result<FigureHandle> {
    alone(size, panel, kind, draw).map(FigureHandle::new)
}

fn map_of(raster: &Raster, o: &MapFigure) -> Result<Figure> {
    alone(&o.size, &o.panel, MAP, |axes, detail| {
        let (layer, label) = data::image(raster, &o.layer, detail)?;
        axes.color_bar = label.map(ColorBar::new);
        axes.add(layer);
        Ok(())
    })
}

/// An image of one band by the options of several: its panel has no title unless one is given.
fn one_of(raster: &Raster, o: &MapsFigure) -> Result<FigureHandle> {
    let mut figure = map_of(raster, &o.map)?;
    figure.letters = o.letters;
    if let Some(title) = o.titles.as_ref().and_then(|titles| titles.first()) {
        figure.title = std::mem::replace(&mut figure.axes[0].title, title.clone());
    }
    Ok(FigureHandle::new(figure))
}

/// Small multiples: a panel for each image, with one colour bar for all.
fn maps_of(images: &[Raster], o: &MapsFigure) -> Result<FigureHandle> {
    if images.is_empty() {
        return Err(Error::argument("images", "at least one image", "none"));
    }
    let MapFigure { size, panel, layer } = &o.map;
    let count = images.len();
    let near_square = (count as f64).sqrt().ceil() as usize;
    let cols = o.cols.unwrap_or(near_square.min(4)).min(count);
    let mut figure = Figure::new(count.div_ceil(cols), cols);
    size.apply(&mut figure);
    figure.title = panel.title.clone().unwrap_or_default();
    figure.letters = o.letters;
    let detail = options::detail(&figure);
    let by_band = images
        .windows(2)
        .any(|p| p[0].bands[0].name != p[1].bands[0].name);
    for (i, image) in images.iter().enumerate() {
        let mut axes = Axes::new(MAP);
        panel.apply(&mut axes);
        axes.title = match (o.titles.as_ref().and_then(|t| t.get(i)), &o.title_by) {
            (Some(title), _) => title.clone(),
            (None, Some(property)) => data::property_of(image, property)?,
            (None, None) => data::title_of(image, by_band),
        };
        let (layer, label) = data::image(image, layer, detail)?;
        match (label, o.shared) {
            (Some(label), true) => figure.color_bar = figure.color_bar.or(Some(ColorBar::new(label))),
            (label, false) => axes.color_bar = label.map(ColorBar::new),
            (None, true) => {}
        }
        axes.add(layer);
        figure.axes.push(axes);
    }
    Ok(FigureHandle::new(figure))
}

/// One histogram for each band of an image, or one of a list of numbers.
fn histograms(values: &Value, style: &HistogramLayer, axes: &mut Axes) -> Result<Vec<Histogram>> {
    let range = style.range()?;
    let bars = |edges: Vec<f64>, counts: Vec<f64>, label: String, several: bool| {
        let mut bars = Histogram::new(edges, counts);
        if style.density {
            bars = bars.density();
        }
        bars.label = style.label.clone().unwrap_or(label);
        bars.color = style.color;
        bars.filled = style.filled;
        bars.opacity = style.opacity.unwrap_or(if several { 0.6 } else { 1.0 });
        bars
    };
    if axes.y.label.is_empty() {
        let raster = Raster::accept(values);
        let unit = raster.as_ref().and_then(|r| r.bands.first()).map_or("", |band| band.unit.symbol());
        axes.y.label = match (style.density, unit) {
            (false, _) => "Pixels".into(),
            (true, "" | "1") => "Density".into(),
            (true, unit) if unit.contains(['/', ' ']) => format!("Density (1/({unit}))"),
            (true, unit) => format!("Density (1/{unit})"),
        };
    }
    if let Some(raster) = Raster::accept(values) {
        if axes.x.label.is_empty()
            && let Some(band) = raster.bands.first()
        {
            axes.x.label = match (raster.bands.len(), band.unit.symbol()) {
                (1, _) => data::label_of(band),
                (_, unit) => unit.to_string(),
            };
        }
        let several = raster.bands.len() > 1;
        return raster
            .bands
            .iter()
            .map(|band| {
                let one = raster.with_bands(vec![band.clone()]);
                let found = stats::histogram(&one, style.bins, range)?;
                let n = found.counts.len() as f64;
                let edge = |i: usize| found.low + (found.high - found.low) * i as f64 / n;
                let label = if several { band.name.clone() } else { String::new() };
                let counts = found.counts.iter().map(|c| *c as f64).collect();
                Ok(bars(
                    (0..=found.counts.len()).map(edge).collect(),
                    counts,
                    label,
                    several,
                ))
            })
            .collect();
    }
    let list = Vec::<f64>::from_script(values, "values")
        .map_err(|_| Error::argument("values", "a Raster or a list of numbers", describe(values)))?;
    if axes.y.label == "Pixels" {
        axes.y.label = "Count".into();
    }
    let found = Histogram::of(list.iter().map(|v| *v as f32), style.bins, range)?;
    Ok(vec![bars(found.edges, found.counts, String::new(), false)])
}

/// Pixels of a small map, down and across at most.
const GLANCE: usize = 400;

/// A small map of an image's first band, of classes in their colours; None where there is no band, or where computing the image may take long.
pub fn glance(raster: &Raster) -> Result<Option<Figure>> {
    let Some(band) = raster.bands.first().filter(|_| preview::is_easy(raster)) else {
        return Ok(None);
    };
    let one = raster.with_bands(vec![band.clone()]);
    let mut axes = Axes::map(Coordinates::Map);
    let named = match band.unit.classes().is_empty() {
        true => None,
        // Of more classes than can be told apart there is a map of their numbers.
        false => {
            let usual = Options::read(&Value::Nil, "options", ClassesLayer::read)?;
            data::classes(&one, usual, GLANCE).ok()
        }
    };
    if let Some(layer) = named {
        axes.add(layer);
    } else {
        let usual = Options::read(&Value::Nil, "options", ImageLayer::read)?;
        let (layer, label) = data::image(&one, &usual, GLANCE)?;
        axes.add(layer);
        axes.color_bar = label.map(ColorBar::new);
    }
    let mut figure = Figure::of(axes);
    figure.width = Some(4.5);
    Ok(Some(figure))
}

/// The same as the terminal of this process draws it; None where that has no colours.
pub fn glance_in_terminal(raster: &Raster) -> Result<Option<String>> {
    let mut terminal = Terminal::detect()?;
    if !matches!(terminal.graphics, Graphics::Kitty | Graphics::Sixel | Graphics::Blocks) {
        return Ok(None);
    }
    terminal.rows = terminal.rows.min(20);
    terminal.columns = terminal.columns.min(72);
    let Some(figure) = glance(raster)? else {
        return Ok(None);
    };
    let text = terminal.figure(&figure)?;
    Ok(Some(text.trim_end_matches('\n').to_string()))
}

/// A figure that Lua holds together with its axes.
type Shared = Rc<RefCell<Figure>>;

impl FromScript for Color {
    fn expected() -> String {
        "a colour: a CSS name, `#rrggbb`, or `C0` to `C9`".into()
    }
    fn kind() -> ValueType {
        ValueType::String
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn literal(&self) -> serde_json::Value {
        self.to_string().into()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        match String::accept(value) {
            Some(text) => Color::parse(&text),
            None => Err(Error::argument(name, Self::expected(), describe(value))),
        }
    }
}

impl FromScript for Colormap {
    fn expected() -> String {
        "the name of a colour map, or a list of colours".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Colormap|string[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn literal(&self) -> serde_json::Value {
        self.name().into()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        if let Some(text) = String::accept(value) {
            return Colormap::named(&text);
        }
        match Table::accept(value) {
            Some(_) => Colormap::from_colors("list", &Vec::<Color>::from_script(value, name)?),
            None => Err(Error::argument(name, Self::expected(), describe(value))),
        }
    }
}
