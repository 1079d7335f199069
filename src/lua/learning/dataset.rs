//! `learning.dataset` and the class Dataset.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use mlua::{Lua, Table, Value};
use ndarray::Array2;

use super::augment::{SampleOptions, normalisation};
use crate::bind_class;
use crate::error::{Error, Result};
use crate::learning::classes::Classes;
use crate::learning::dataset::batches::BatchSettings;
use crate::learning::dataset::{
    By, Dataset, IGNORED, PageSettings, Part, Scene, Settings, Side, Split, read_chips as read,
};
use crate::lua::access;
use crate::lua::args::Args;
use crate::lua::class::{Builder, Class};
use crate::lua::module::Module;
use crate::lua::options::Nested;
use crate::lua::plot::{FigureHandle, Size};
use crate::lua::raster::array::Array;
use crate::lua::rehearsal::is_told;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe, number_text};
use crate::options;
use crate::plot::Color;
use crate::raster::memory::from_arrays;
use crate::raster::{Grid, Pixels, Raster, Unit};
use crate::work::{Display, Form};

pub fn define(m: &mut Module) -> Result<()> {
    m.class::<DatasetHandle>();
    m.function_with("dataset(options)", made)?;
    m.function("read_chips(folder)", read_chips)?;
    Ok(())
}

options! {
    struct SceneOptions("learning.Scene") {
        /// What is known of each pixel; all scenes have the same bands in the same units.
        image: Raster,
        /// Codes of classes on the grid of the image, one band.
        labels: Raster,
        /// Scenes of one group stay on one side. Default: each scene is a group, called by its number.
        group: Option<String>,
        /// What `by = "column"` divides by, such as `{ site = "Nebraska" }`.
        properties: Option<Properties>,
    }
}

options! {
    struct SplitOptions("learning.SplitOptions") {
        /// What stays together. `"scene"`: scenes and groups, and those that share ground. `"block"`: squares of ground. `"column"`: scenes with one value of a
        /// property, and those that share ground. `"chip"`: nothing; neighbours on other sides make measures look better than they are.
        by: By = By::Scene,
        /// The share of chips that validation gets, or the names of its groups (or values of the column).
        validation: Part = Split::default().validation; Part::SHARES,
        /// The share of chips that test gets, or the names of its groups (or values of the column).
        test: Part = Split::default().test; Part::SHARES,
        /// Of the draw.
        seed: usize = Split::default().seed as usize,
        /// About how wide and high blocks are, in metres.
        block: Option<f64>; Split::BLOCKS,
        /// The property that divides scenes.
        column: Option<String>,
    }
}

options! {
    struct DatasetOptions("learning.DatasetOptions") {
        /// Images and their labels.
        scenes: Vec<Nested<SceneOptions>>,
        /// Names by code of the labels. Codes of one name are one class; codes that are not here are no label.
        classes: Classes,
        /// Pixels along a side of a chip.
        chip: usize = 512; Settings::CHIPS,
        /// Pixels from one chip to the next. Default: a chip's side.
        step: Option<usize>; Settings::CHIPS,
        /// A chip counts from this share of labelled pixels on.
        minimum_labelled: f64 = 0.1; Settings::SHARES,
        /// Whether training draws chips with replacement, those with rare classes more often.
        balance: bool = false,
        /// How chips are dealt out to training, validation and test. Default: by scene.
        split: Option<Nested<SplitOptions>>,
    }
}

impl SplitOptions {
    fn split(self) -> Split {
        Split {
            by: self.by,
            validation: self.validation,
            test: self.test,
            seed: self.seed as u64,
            block: self.block,
            column: self.column,
        }
    }
}

fn made(_: &Lua, _: &Args, o: DatasetOptions) -> Result<DatasetHandle> {
    let scene = |(i, Nested(scene)): (usize, Nested<SceneOptions>)| Scene {
        image: scene.image,
        labels: scene.labels,
        group: scene.group.unwrap_or_else(|| (i + 1).to_string()),
        properties: scene.properties.map_or_else(BTreeMap::new, |p| p.0),
    };
    let settings = Settings {
        chip: o.chip,
        step: o.step,
        minimum_labelled: o.minimum_labelled,
        classes: o.classes,
        split: o.split.map_or_else(Split::default, |Nested(split)| split.split()),
        balance: o.balance,
    };
    let scenes = o.scenes.into_iter().enumerate().map(scene).collect();
    Ok(DatasetHandle(Arc::new(Dataset::new(scenes, settings)?)))
}

/// A list of scenes, as `learning.dataset` takes them.
fn read_chips(lua: &Lua, args: &Args) -> Result<Table> {
    let folder = args.get::<PathBuf>("folder")?;
    let access = access(lua);
    let scenes = read(&folder, &|path| access.read(path))?;
    let list = lua.create_table_with_capacity(scenes.len(), 0)?;
    for scene in scenes {
        let one = lua.create_table()?;
        one.raw_set("image", scene.image)?;
        one.raw_set("labels", scene.labels)?;
        one.raw_set("group", scene.group)?;
        one.raw_set("properties", lua.create_table_from(scene.properties)?)?;
        list.raw_push(one)?;
    }
    Ok(list)
}

/// The pixels and classes of a chip as arrays of a script.
fn arrays(lua: &Lua, grid: &Arc<Grid>, image: Vec<(String, Pixels, Unit)>, labels: &Array2<u8>) -> Result<(Array, Array)> {
    let classes = labels.mapv(|class| match class {
        IGNORED => f32::NAN,
        class => f32::from(class),
    });
    let class = vec![("class".to_string(), Pixels::F32(classes), Unit::CLASS)];
    let read = |bands| Array::read(lua, &from_arrays(grid.clone(), bands)?, grid.window());
    Ok((read(image)?, read(class)?))
}

/// A dataset that scripts and training hold together.
pub struct DatasetHandle(pub Arc<Dataset>);

impl DatasetHandle {
    /// A chip by its number from 1.
    fn number(&self, args: &Args) -> Result<usize> {
        let (number, count) = (args.get::<usize>("chip")?, self.0.chips.len());
        match number {
            n if (1..=count).contains(&n) => Ok(n - 1),
            n => Err(Error::argument("chip", format!("a chip's number, 1 to {count}"), n)),
        }
    }
}

bind_class!(DatasetHandle);

options! {
    struct PageOptions("learning.DatasetPlotOptions") {
        ..size: Size,
        /// Only chips of this side.
        side: Option<Side>,
        /// How many chips are shown, drawn by the seed.
        count: usize = PageSettings::COUNT; PageSettings::COUNTS,
        /// One band in grey, or three as red, green and blue. Default: the first.
        bands: Option<Vec<String>>,
        /// Of the classes, in their order.
        colors: Vec<Color> = Vec::new(),
        /// Of the draw.
        seed: usize = 1,
    }
}

impl Class for DatasetHandle {
    const NAME: &'static str = "Dataset";

    fn define(c: &mut Builder<Self>) {
        c.field("table", |_, this| this.0.table())
            .field("classes", |lua, this| Ok(lua.create_sequence_from(this.0.classes.names().iter().map(String::as_str))?))
            .field("bands", |lua, this| {
                let names = this.0.scenes.first().map_or_else(Vec::new, |scene| scene.image.band_names());
                Ok(lua.create_sequence_from(names)?)
            })
            .field("chip_size", |_, this| Ok(this.0.chip))
            .field("dropped", |_, this| Ok(this.0.dropped))
            .length(|this| this.0.chips.len())
            .method("chips(side?)", |_, this, args| this.0.chip_table(args.get::<Option<Side>>("side")?))
            .method("image(chip)", |_, this, args| Ok(this.0.image(this.number(args)?)))
            .method("read(chip)", |lua, this, args| {
                let chip = this.number(args)?;
                let (image, labels) = (this.0.image(chip), this.0.read_labels(chip)?);
                let pixels = image.read(image.grid.window())?;
                let bands = image.bands.iter().zip(pixels);
                let bands = bands.map(|(band, pixels)| (band.name.clone(), pixels, band.unit.clone()));
                arrays(lua, &image.grid, bands.collect(), &labels)
            })
            .method_with("sample(chip, options?)", |lua, this, args, o: SampleOptions| {
                let chip = this.number(args)?;
                let image = this.0.image(chip);
                let settings = BatchSettings {
                    side: this.0.chips[chip].side,
                    size: 1,
                    shuffle: false,
                    seed: o.seed as u64,
                    epoch: o.epoch as u64,
                    augment: o.augment.into(),
                    normalisation: normalisation(&this.0, o.normalise)?,
                    fill: 0.0,
                };
                let (pixels, labels) = this.0.one(chip, &settings)?;
                let bands = image.bands.iter().zip(pixels.outer_iter());
                let bands = bands.map(|(band, v)| (band.name.clone(), Pixels::F32(v.as_standard_layout().into_owned()), Unit::Unknown));
                arrays(lua, &image.grid, bands.collect(), &labels)
            })
            .method("write(folder)", |lua, this, args| {
                let folder = access(lua).write(args.get::<PathBuf>("folder")?)?;
                match is_told(lua, "write", &folder) {
                    true => Ok(()),
                    false => this.0.write(&folder),
                }
            })
            .method_with("plot(options?)", |_, this, _, o: PageOptions| {
                let mut figure = this.0.page(&PageSettings {
                    side: o.side,
                    count: o.count,
                    bands: o.bands,
                    colors: o.colors,
                    seed: o.seed as u64,
                })?;
                let own = (figure.width, figure.height, figure.font_size);
                o.size.apply(&mut figure);
                (figure.width, figure.height) = (figure.width.or(own.0), figure.height.or(own.1));
                if o.size.font_size == crate::plot::Figure::FONT_SIZE {
                    figure.font_size = own.2;
                }
                Ok(FigureHandle::new(figure))
            })
            .text(|this| this.0.line())
            .show(|_, this| {
                let page = this.0.table()?;
                Ok(Display::new(this.0.listing()?).with(Form::Html, move || Ok(Some(page.html().into()))))
            });
    }
}

impl FromScript for Part {
    fn expected() -> String {
        "a share of the chips from 0 to 0.9, or a list of names".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("number|string[]".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        match f64::accept(value) {
            Some(share) => Some(Part::Share(share)),
            None => Vec::<String>::accept(value).map(Part::Names),
        }
    }
    fn literal(&self) -> serde_json::Value {
        match self {
            Part::Share(share) => (*share).into(),
            Part::Names(_) => serde_json::Value::Null,
        }
    }
}

/// Names and what they are, as text.
struct Properties(BTreeMap<String, String>);

impl FromScript for Properties {
    fn expected() -> String {
        "a table of strings or numbers by name, such as { site = \"Nebraska\" }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<string, string|number>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let Some(table) = Table::accept(value) else {
            return Err(Error::argument(name, Self::expected(), describe(value)));
        };
        let mut out = BTreeMap::new();
        for pair in table.pairs::<Value, Value>() {
            let (key, value) = pair?;
            let text = match &value {
                Value::String(text) => text.to_string_lossy(),
                Value::Integer(n) => n.to_string(),
                Value::Number(n) => number_text(*n),
                other => return Err(Error::argument(name, Self::expected(), describe(other))),
            };
            out.insert(String::from_script(&key, name)?, text);
        }
        Ok(Properties(out))
    }
}
