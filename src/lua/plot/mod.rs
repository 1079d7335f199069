//! The Lua module `plot`: figures.

use std::cell::RefCell;
use std::rc::Rc;

use mlua::{Table, Value};

use self::axes::AxesHandle;
use self::data::Images;
use self::figure::FigureHandle;
use super::args::{Args, Options};
use super::class::Builder;
use super::module::Module;
use super::value::{FromScript, describe};
use crate::lua::spec::ValueType;
use crate::error::{Error, Result};
use crate::plot::{Axes, Color, ColorBar, Colormap, Coordinates, Figure, Graphics, Kind, Layer, Terminal};
use crate::raster::stack::Stack;
use crate::raster::{Raster, preview, stats};

mod axes;
mod data;
mod figure;
mod options;
mod series;

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<FigureHandle>();
    m.class::<AxesHandle>();
    m.function("figure(options?)", |_, args| {
        Ok(FigureHandle::new(args.options(options::figure)?))
    })?;
    m.function("map(raster, options?)", |_, args| map_of(&args.get("raster")?, args))?;
    m.function("maps(images, options?)", |_, args| {
        let images: Images = args.get("images")?;
        maps_of(&images.0, args)
    })?;
    m.function("rgb(raster, options?)", |_, args| {
        let raster: Raster = args.get("raster")?;
        alone(args, Kind::Map(Coordinates::Map), |o, axes, detail| {
            axes.add(data::rgb(&raster, o, detail)?);
            Ok(())
        })
    })?;
    m.function("classes(raster, options?)", |_, args| {
        let raster: Raster = args.get("raster")?;
        alone(args, Kind::Map(Coordinates::Map), |o, axes, detail| {
            axes.add(data::classes(&raster, o, detail)?);
            Ok(())
        })
    })?;
    m.function("histogram(values, options?)", |_, args| {
        let values: Value = args.get("values")?;
        alone(args, Kind::Chart, |o, axes, _| {
            for layer in histograms(&values, o, axes)? {
                axes.add(layer);
            }
            Ok(())
        })
    })?;
    m.function("line(x, y, options?)", |_, args| {
        let (x, y) = (args.get("x")?, args.get("y")?);
        alone(args, Kind::Chart, |o, axes, _| series::line(axes, x, y, o))
    })?;
    m.function("scatter(x, y, options?)", |_, args| {
        let (x, y) = (args.get("x")?, args.get("y")?);
        alone(args, Kind::Chart, |o, axes, _| series::scatter(axes, x, y, o))
    })?;
    m.function("colormaps()", |lua, _| {
        Ok(lua.create_sequence_from(Colormap::names().iter().copied())?)
    })?;
    Ok(())
}

/// The methods of images.
pub fn raster_methods(c: &mut Builder<Raster>) {
    c.method("plot(options?)", |_, this, args| {
        if let [_] = this.bands.as_slice() {
            return map_of(this, args);
        }
        let bands: Vec<Raster> = this
            .bands
            .iter()
            .map(|band| this.with_bands(vec![band.clone()]))
            .collect();
        maps_of(&bands, args)
    });
}

/// The methods of stacks.
pub fn stack_methods(c: &mut Builder<Stack>) {
    c.method("plot(options?)", |_, this, args| maps_of(&this.items, args));
}

/// A figure of one panel, from options that hold those of the figure, of the axes and of what is drawn.
fn alone(
    args: &Args,
    kind: Kind,
    draw: impl FnOnce(&Options, &mut Axes, usize) -> Result<()>,
) -> Result<FigureHandle> {
    args.options(|o| {
        let mut figure = Figure::new(1, 1);
        options::size(o, &mut figure)?;
        let mut axes = Axes::new(kind);
        options::axes(o, &mut axes)?;
        draw(o, &mut axes, options::detail(&figure))?;
        figure.axes.push(axes);
        Ok(FigureHandle::new(figure))
    })
}

fn map_of(raster: &Raster, args: &Args) -> Result<FigureHandle> {
    alone(args, Kind::Map(Coordinates::Map), |o, axes, detail| {
        let (layer, label) = data::image(raster, o, detail)?;
        axes.color_bar = label.map(ColorBar::new);
        axes.add(layer);
        Ok(())
    })
}

/// Small multiples: a panel for each image, with one colour bar for all.
fn maps_of(images: &[Raster], args: &Args) -> Result<FigureHandle> {
    if images.is_empty() {
        return Err(Error::argument("images", "at least one image", "none"));
    }
    args.options(|o| {
        let count = images.len();
        let near_square = (count as f64).sqrt().ceil() as usize;
        let cols = o.count("cols")?.unwrap_or(near_square.min(4)).min(count);
        let mut figure = Figure::new(count.div_ceil(cols), cols);
        options::size(o, &mut figure)?;
        figure.title = o.get_or("title", String::new())?;
        figure.letters = o.get_or("letters", false)?;
        let titles: Option<Vec<String>> = o.get("titles")?;
        let shared = o.get_or("shared", true)?;
        let detail = options::detail(&figure);
        let by_band = images.windows(2).any(|p| p[0].bands[0].name != p[1].bands[0].name);
        for (i, image) in images.iter().enumerate() {
            let mut axes = Axes::map(Coordinates::Map);
            options::axes(o, &mut axes)?;
            axes.title = match titles.as_ref().and_then(|t| t.get(i)) {
                Some(title) => title.clone(),
                None => data::title_of(image, by_band),
            };
            let (layer, label) = data::image(image, o, detail)?;
            match (label, shared) {
                (Some(label), true) => figure.color_bar = figure.color_bar.or(Some(ColorBar::new(label))),
                (label, false) => axes.color_bar = label.map(ColorBar::new),
                (None, true) => {}
            }
            axes.add(layer);
            figure.axes.push(axes);
        }
        Ok(FigureHandle::new(figure))
    })
}

/// One histogram for each band of an image, or one of a list of numbers.
fn histograms(values: &Value, o: &Options, axes: &mut Axes) -> Result<Vec<Layer>> {
    let style = series::histogram_style(o)?;
    let bars = |edges: Vec<f64>, counts: Vec<f64>, label: String, several: bool| {
        let mut bars = crate::plot::Histogram::new(edges, counts);
        if style.density {
            bars = bars.density();
        }
        bars.label = style.label.clone().unwrap_or(label);
        bars.color = style.color;
        bars.filled = style.filled;
        bars.opacity = style.opacity.unwrap_or(if several { 0.6 } else { 1.0 });
        Layer::Histogram(bars)
    };
    if axes.y.label.is_empty() {
        axes.y.label = if style.density { "Density" } else { "Pixels" }.into();
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
                let found = stats::histogram(&one, style.bins, style.range)?;
                let n = found.counts.len() as f64;
                let edge = |i: usize| found.low + (found.high - found.low) * i as f64 / n;
                let label = if several { band.name.clone() } else { String::new() };
                let counts = found.counts.iter().map(|c| *c as f64).collect();
                Ok(bars((0..=found.counts.len()).map(edge).collect(), counts, label, several))
            })
            .collect();
    }
    let list = Vec::<f64>::from_script(values, "values").map_err(|_| {
        Error::argument("values", "a Raster or a list of numbers", describe(values))
    })?;
    if axes.y.label == "Pixels" {
        axes.y.label = "Count".into();
    }
    let found = crate::plot::Histogram::of(list.iter().map(|v| *v as f32), style.bins, style.range)?;
    Ok(vec![bars(found.edges, found.counts, String::new(), false)])
}

/// A small map of an image's first band; None where there is no band, or where computing the image may take long.
pub fn glance(raster: &Raster) -> Result<Option<Figure>> {
    let Some(band) = raster.bands.first().filter(|_| preview::is_easy(raster)) else {
        return Ok(None);
    };
    let one = raster.with_bands(vec![band.clone()]);
    let mut axes = Axes::map(Coordinates::Map);
    let (layer, label) = Options::read(&Value::Nil, "options", |o| data::image(&one, o, 400))?;
    axes.add(layer);
    axes.color_bar = label.map(ColorBar::new);
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
