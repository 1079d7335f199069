//! The class Axes: one panel of a figure. Every method returns the axes, so that calls can be chained.

use mlua::Value;

use super::{Shared, data, histograms, options, series};
use crate::bind_class;
use crate::error::Result;
use crate::lua::args::{Args, Options};
use crate::lua::class::{Builder, Class};
use crate::plot::{Axes, ColorBar, Coordinates, Kind};
use crate::raster::{Bounds, Raster};
use crate::vector::Features;

pub struct AxesHandle {
    pub figure: Shared,
    pub index: usize,
}

bind_class!(AxesHandle);

impl AxesHandle {
    /// Reads the options and changes the axes; nothing changes where that fails.
    fn change(
        &mut self,
        args: &Args,
        draw: impl FnOnce(&Options, &mut Axes, usize) -> Result<()>,
    ) -> Result<()> {
        let (mut axes, detail) = {
            let figure = self.figure.borrow();
            (figure.axes[self.index].clone(), options::detail(&figure))
        };
        args.options(|o| draw(o, &mut axes, detail))?;
        self.figure.borrow_mut().axes[self.index] = axes;
        Ok(())
    }
}

/// Axes that show an image are a map.
fn as_map(axes: &mut Axes) {
    if axes.kind == Kind::Chart {
        axes.kind = Kind::Map(Coordinates::Map);
    }
}

impl Class for AxesHandle {
    const NAME: &'static str = "Axes";

    fn define(c: &mut Builder<Self>) {
        images(c);
        c.chain("line(x, y, options?)", |_, this, args| {
            let (x, y) = (args.get("x")?, args.get("y")?);
            this.change(args, |o, axes, _| series::line(axes, x, y, o))
        })
        .chain("scatter(x, y, options?)", |_, this, args| {
            let (x, y) = (args.get("x")?, args.get("y")?);
            this.change(args, |o, axes, _| series::scatter(axes, x, y, o))
        })
        .chain("error_bars(x, y, error, options?)", |_, this, args| {
            let (x, y, error) = (args.get("x")?, args.get("y")?, args.get("error")?);
            this.change(args, |o, axes, _| series::error_bars(axes, x, y, error, o))
        })
        .chain("band(x, low, high, options?)", |_, this, args| {
            let (x, low, high) = (args.get("x")?, args.get("low")?, args.get("high")?);
            this.change(args, |o, axes, _| series::band(axes, x, low, high, o))
        })
        .chain("histogram(values, options?)", |_, this, args| {
            let values: Value = args.get("values")?;
            this.change(args, |o, axes, _| {
                for layer in histograms(&values, o, axes)? {
                    axes.add(layer);
                }
                Ok(())
            })
        })
        .chain("features(features, options?)", |_, this, args| {
            let features: Features = args.get("features")?;
            this.change(args, |o, axes, _| series::features(axes, &features, o))
        })
        .chain("rectangle(bounds, options?)", |_, this, args| {
            let bounds: Bounds = args.get("bounds")?;
            this.change(args, |o, axes, _| series::rectangle(axes, bounds, o))
        })
        .chain("text(x, y, text, options?)", |_, this, args| {
            let (at, text) = ((args.get("x")?, args.get("y")?), args.get("text")?);
            this.change(args, |o, axes, _| series::text(axes, at, text, o))
        })
        .chain("vertical_line(x, options?)", |_, this, args| {
            let at: Value = args.get("x")?;
            this.change(args, |o, axes, _| series::guide(axes, &at, true, o))
        })
        .chain("horizontal_line(y, options?)", |_, this, args| {
            let at: Value = args.get("y")?;
            this.change(args, |o, axes, _| series::guide(axes, &at, false, o))
        })
        .text(|this| format!("Axes {} of a figure", this.index + 1));
    }
}

fn images(c: &mut Builder<AxesHandle>) {
    c.chain("image(raster, options?)", |_, this, args| {
        let raster: Raster = args.get("raster")?;
        let shared = this.figure.borrow().color_bar.is_some();
        this.change(args, |o, axes, detail| {
            let (layer, label) = data::image(&raster, o, detail)?;
            if !shared {
                axes.color_bar = label.map(ColorBar::new);
            }
            axes.add(layer);
            as_map(axes);
            Ok(())
        })
    })
    .chain("rgb(raster, options?)", |_, this, args| {
        let raster: Raster = args.get("raster")?;
        this.change(args, |o, axes, detail| {
            axes.add(data::rgb(&raster, o, detail)?);
            as_map(axes);
            Ok(())
        })
    })
    .chain("classes(raster, options?)", |_, this, args| {
        let raster: Raster = args.get("raster")?;
        this.change(args, |o, axes, detail| {
            axes.add(data::classes(&raster, o, detail)?);
            as_map(axes);
            Ok(())
        })
    });
}
