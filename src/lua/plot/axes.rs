//! The class Axes: one panel of a figure. Every method returns the axes, so that calls can be chained.

use mlua::Value;

use super::{Shared, data, fields, groups, histograms, options, series, surface};
use crate::bind_class;
use crate::error::Result;
use crate::lua::class::{Builder, Class};
use crate::plot::{Axes, ColorBar, Coordinates, AxesKind};
use crate::raster::{Bounds, Raster};
use crate::vector::Features;

pub struct AxesHandle {
    pub figure: Shared,
    pub index: usize,
}

bind_class!(AxesHandle);

impl AxesHandle {
    /// Changes the axes; nothing changes where that fails.
    fn change(&mut self, draw: impl FnOnce(&mut Axes, usize) -> Result<()>) -> Result<()> {
        let (mut axes, detail) = {
            let figure = self.figure.borrow();
            (figure.axes[self.index].clone(), options::detail(&figure))
        };
        draw(&mut axes, detail)?;
        self.figure.borrow_mut().axes[self.index] = axes;
        Ok(())
    }
}

/// Axes that show an image are a map.
fn as_map(axes: &mut Axes) {
    if axes.kind == AxesKind::Chart {
        axes.kind = AxesKind::Map(Coordinates::Map);
    }
}

impl Class for AxesHandle {
    const NAME: &'static str = "Axes";

    fn define(c: &mut Builder<Self>) {
        images(c);
        c.chain_with("line(x, y, options?)", |_, this, args, o| {
            let (x, y) = (args.get("x")?, args.get("y")?);
            this.change(|axes, _| series::line(axes, x, y, o))
        })
        .chain_with("scatter(x, y, options?)", |_, this, args, o| {
            let (x, y) = (args.get("x")?, args.get("y")?);
            this.change(|axes, _| series::scatter(axes, x, y, o))
        })
        .chain_with("error_bars(x, y, error, options?)", |_, this, args, o| {
            let (x, y, error) = (args.get("x")?, args.get("y")?, args.get("error")?);
            this.change(|axes, _| series::error_bars(axes, x, y, error, o))
        })
        .chain_with("band(x, low, high, options?)", |_, this, args, o| {
            let (x, low, high) = (args.get("x")?, args.get("low")?, args.get("high")?);
            this.change(|axes, _| series::band(axes, x, low, high, o))
        })
        .chain_with("histogram(values, options?)", |_, this, args, o| {
            let values: Value = args.get("values")?;
            this.change(|axes, _| {
                for layer in histograms(&values, &o, axes)? {
                    axes.add(layer);
                }
                Ok(())
            })
        })
        .chain_with("bars(places, heights, options?)", |_, this, args, o| {
            let (places, heights) = (args.get("places")?, args.get("heights")?);
            this.change(|axes, _| groups::bars(axes, &places, heights, o))
        })
        .chain_with("boxes(groups, values, options?)", |_, this, args, o| {
            let (by, values) = (args.get("groups")?, args.get("values")?);
            this.change(|axes, _| groups::boxes(axes, by, values, o))
        })
        .chain_with("hovmoller(x, times, values, options?)", |_, this, args, o| {
            let (x, times, values) = (args.get("x")?, args.get("times")?, args.get("values")?);
            this.change(|axes, _| groups::hovmoller(axes, x, times, values, o))
        })
        .chain_with("surface(heights, options?)", |_, this, args, o| {
            let heights: Raster = args.get("heights")?;
            this.change(|axes, _| surface::surface(axes, &heights, o))
        })
        .chain_with("features(features, options?)", |_, this, args, o| {
            let features: Features = args.get("features")?;
            this.change(|axes, _| series::features(axes, &features, o))
        })
        .chain_with("rectangle(bounds, options?)", |_, this, args, o| {
            let bounds: Bounds = args.get("bounds")?;
            this.change(|axes, _| series::rectangle(axes, bounds, o))
        })
        .chain_with("text(x, y, text, options?)", |_, this, args, o| {
            let (at, text) = ((args.get("x")?, args.get("y")?), args.get("text")?);
            this.change(|axes, _| series::text(axes, at, text, o))
        })
        .chain_with("vertical_line(x, options?)", |_, this, args, o| {
            let at: Value = args.get("x")?;
            this.change(|axes, _| series::guide(axes, &at, true, o))
        })
        .chain_with("horizontal_line(y, options?)", |_, this, args, o| {
            let at: Value = args.get("y")?;
            this.change(|axes, _| series::guide(axes, &at, false, o))
        })
        .chain("title(text)", |_, this, args| {
            let text = args.get("text")?;
            this.change(|axes, _| {
                axes.title = text;
                Ok(())
            })
        })
        .chain("x_label(text)", |_, this, args| {
            let text = args.get("text")?;
            this.change(|axes, _| {
                axes.x.label = text;
                Ok(())
            })
        })
        .chain("y_label(text)", |_, this, args| {
            let text = args.get("text")?;
            this.change(|axes, _| {
                axes.y.label = text;
                Ok(())
            })
        })
        .text(|this| format!("Axes {} of a figure", this.index + 1));
    }
}

fn images(c: &mut Builder<AxesHandle>) {
    c.chain_with("image(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        let shared = this.figure.borrow().color_bar.is_some();
        this.change(|axes, detail| {
            let (layer, label) = data::image(&raster, &o, detail)?;
            if !shared {
                axes.color_bar = label.map(ColorBar::new);
            }
            axes.add(layer);
            as_map(axes);
            Ok(())
        })
    })
    .chain_with("rgb(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        this.change(|axes, detail| {
            axes.add(data::rgb(&raster, &o, detail)?);
            as_map(axes);
            Ok(())
        })
    })
    .chain_with("classes(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        this.change(|axes, detail| {
            axes.add(data::classes(&raster, o, detail)?);
            as_map(axes);
            Ok(())
        })
    })
    .chain_with("quiver(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        this.change(|axes, detail| {
            fields::quiver(axes, &raster, detail, &o)?;
            as_map(axes);
            Ok(())
        })
    })
    .chain_with("streamlines(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        this.change(|axes, detail| {
            fields::streamlines(axes, &raster, detail, &o)?;
            as_map(axes);
            Ok(())
        })
    })
    .chain_with("contours(raster, options?)", |_, this, args, o| {
        let raster: Raster = args.get("raster")?;
        this.change(|axes, detail| {
            fields::contours(axes, &raster, detail, &o)?;
            as_map(axes);
            Ok(())
        })
    });
}
