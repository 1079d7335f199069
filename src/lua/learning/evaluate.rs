//! `learning.evaluate` and the class Evaluation.

use mlua::{Lua, Value};

use crate::bind_class;
use crate::error::{Error, Result};
use crate::learning::classes::Classes;
use crate::learning::evaluate::{Evaluation, Pair, Settings, evaluate};
use crate::lua::args::{Args, Options};
use crate::lua::class::{Builder, Class};
use crate::lua::module::Module;
use crate::lua::options::{Nested, OptionTable};
use crate::lua::plot::{FigureHandle, Size};
use crate::lua::value::{FromScript, describe};
use crate::options;
use crate::raster::Raster;
use crate::work::{Display, Form};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<Evaluation>();
    m.function_with("evaluate(prediction, labels?, options?)", measured)?;
    Ok(())
}

options! {
    struct Measuring("learning.EvaluateOptions") {
        /// Names by code, of labels and predictions. Codes of one name are one class. Default: every code is a class.
        classes: Option<Classes>,
        /// Codes whose pixels are left out, wherever they stand.
        ignore: Vec<i64> = Vec::new(),
        /// A raster of whole numbers on the same grid, such as land cover: measures are also given for each of its codes.
        by: Option<Raster>,
        /// The share of intervals that hold the truth.
        confidence: f64 = Settings::default().confidence; Settings::CONFIDENCES,
        /// How often the groups are drawn anew for the intervals.
        resamples: usize = Settings::default().resamples; Settings::RESAMPLES,
        /// Of the draws.
        seed: usize = Settings::default().seed as usize,
    }
}

options! {
    struct Scene("learning.EvaluatedScene") {
        /// Classes, one band.
        prediction: Raster,
        /// Classes on the same grid, one band.
        labels: Raster,
        /// Scenes of one group count as one for the intervals. Default: each scene is a group, called by its number.
        group: Option<String>,
    }
}

fn measured(_: &Lua, args: &Args, mut o: Measuring) -> Result<Evaluation> {
    let (first, second): (Value, Value) = (args.get("prediction")?, args.get("labels")?);
    let pairs = if let Some(prediction) = Raster::accept(&first) {
        vec![Pair {
            prediction,
            labels: Raster::from_script(&second, "labels")?,
            group: "the scene".into(),
        }]
    } else if first.as_table().is_some() {
        // There is no second raster: what follows the list are the options.
        if !second.is_nil() {
            o = Options::read(&second, "options", Measuring::read)?;
        }
        let scenes = Vec::<Nested<Scene>>::from_script(&first, "scenes")?;
        let pair = |(i, Nested(scene)): (usize, Nested<Scene>)| Pair {
            prediction: scene.prediction,
            labels: scene.labels,
            group: scene.group.unwrap_or_else(|| (i + 1).to_string()),
        };
        scenes.into_iter().enumerate().map(pair).collect()
    } else {
        let expected = "a Raster, or a list of { prediction = …, labels = …, group = … }";
        return Err(Error::argument("prediction", expected, describe(&first)));
    };
    if pairs.is_empty() {
        return Err(Error::argument("scenes", "a list of at least one scene", "an empty one"));
    }
    if o.by.is_some() && pairs.len() > 1 {
        return Err(Error::argument("by", "given for one prediction only", format!("{} scenes", pairs.len())));
    }
    let settings = Settings {
        classes: o.classes,
        ignore: o.ignore,
        confidence: o.confidence,
        resamples: o.resamples,
        seed: o.seed as u64,
    };
    evaluate(&pairs, o.by.as_ref(), &settings)
}

options! {
    struct Drawing("learning.EvaluationPlotOptions") {
        ..size: Size,
        /// Above the matrix. Default: accuracy, kappa and mean IoU.
        title: Option<String>,
    }
}

bind_class!(Evaluation);

impl Class for Evaluation {
    const NAME: &'static str = "Evaluation";

    fn define(c: &mut Builder<Self>) {
        c.field("matrix", |_, this| this.matrix())
            .field("classes", |_, this| this.by_class())
            .field("overall", |_, this| this.overall())
            .field("groups", |_, this| this.by_group())
            .field("strata", |_, this| this.by_stratum())
            .field("accuracy", |_, this| Ok(this.total.overall().accuracy))
            .field("kappa", |_, this| Ok(this.total.overall().kappa))
            .field("mean_f1", |_, this| Ok(this.total.overall().mean_f1))
            .field("mean_iou", |_, this| Ok(this.total.overall().mean_iou))
            .field("pixels", |_, this| Ok(this.total.pixels()))
            .field("unlabelled", |_, this| Ok(this.left_out.unlabelled))
            .field("unpredicted", |_, this| Ok(this.left_out.unpredicted))
            .field("ignored", |_, this| Ok(this.left_out.ignored))
            .method_with("plot(options?)", |_, this, _, o: Drawing| {
                let mut figure = this.figure()?;
                let own = (figure.width, figure.height);
                o.size.apply(&mut figure);
                (figure.width, figure.height) = (figure.width.or(own.0), figure.height.or(own.1));
                if let (Some(title), Some(axes)) = (o.title, figure.axes.first_mut()) {
                    axes.title = title;
                }
                Ok(FigureHandle::new(figure))
            })
            .text(Evaluation::line)
            .show(|_, this| {
                let page = this.by_class()?;
                Ok(Display::new(this.listing()?).with(Form::Html, move || Ok(Some(page.html().into()))))
            });
    }
}
