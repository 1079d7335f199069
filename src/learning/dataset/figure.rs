//! A page of chips: each image beside its labels.

use std::sync::Arc;

use ndarray::{Array2, Array3, Axis, s};

use super::{Dataset, IGNORED, Side};
use crate::error::{Domain, Error, Result};
use crate::plot::{
    Axes, Axis as PlotAxis, Class, Classes, Color, Colormap, Figure, Image, Legend, Mark, Rgb, Stretch,
    TickChoice,
};
use crate::statistics::random::Random;

pub struct PageSettings {
    pub side: Option<Side>,
    /// How many, of those drawn by the seed.
    pub count: usize,
    /// One band in grey, or three as red, green and blue; the first without.
    pub bands: Option<Vec<String>>,
    /// Of the classes; the first is light without.
    pub colors: Vec<Color>,
    pub seed: u64,
}

impl PageSettings {
    pub const COUNTS: Domain = Domain::within(1.0, 48.0);
    pub const COUNT: usize = 8;
}

/// Pixels along a side that a panel can show.
const SHOWN: usize = 256;

impl Dataset {
    /// # Errors
    /// A side without chips; bands that are not there, or are neither one nor three; what reading chips fails with.
    pub fn page(&self, page: &PageSettings) -> Result<Figure> {
        let mut chips: Vec<usize> = match page.side {
            Some(side) => self.of(side),
            None => (0..self.chips.len()).collect(),
        };
        if chips.is_empty() {
            return Err(Error::message(format!(
                "no chip is on the {} side",
                page.side.map_or("", Side::name)
            )));
        }
        Random::of(&[page.seed]).shuffle(&mut chips);
        chips.truncate(page.count);
        chips.sort_unstable();
        let bands = self.shown(&page.bands)?;
        let across = if chips.len() > 3 { 2 } else { 1 };
        let mut figure = Figure::new(chips.len().div_ceil(across), 2 * across);
        for (place, &chip) in chips.iter().enumerate() {
            let image = self.read_image(chip)?;
            let found = &self.chips[chip];
            // What group a chip is of is in the table of chips: names of scenes are wider than panels.
            let mut left = panel(format!(
                "{}: row {}, col {}",
                chip + 1,
                found.window.row,
                found.window.col
            ));
            left.place(self.picture(&image, &bands)?, None);
            figure.axes.push(left);
            let labels = self.read_labels(chip)?;
            let labelled = found.labelled() as f64 / (self.chip * self.chip) as f64;
            let mut right = panel(format!(
                "{}, {:.0} % labelled",
                found.side.name(),
                100.0 * labelled
            ));
            right.add(Classes {
                values: thinned(&labels.mapv(|class| match class {
                    IGNORED => f32::NAN,
                    class => f32::from(class),
                })),
                grid: None,
                classes: self.classes_of(&page.colors),
            });
            right.face = Color::parse("#bdbdbd")?;
            // One legend says it for all.
            right.legend = if place + 1 == across.min(chips.len()) {
                Legend::Right
            } else {
                Legend::None
            };
            figure.axes.push(right);
        }
        figure.width = Some(if across == 2 { 7.5 } else { 4.6 });
        figure.font_size = 7.0;
        figure.height = Some(figure.rows as f64 * 1.75 + 0.2);
        Ok(figure)
    }

    fn shown(&self, bands: &Option<Vec<String>>) -> Result<Vec<usize>> {
        let image = &self.scenes[0].image;
        let Some(names) = bands else { return Ok(vec![0]) };
        let place = |name: &String| {
            let found = image.bands.iter().position(|band| band.name == *name);
            found.ok_or_else(|| Error::not_found("band", name, image.band_names()))
        };
        match names.len() {
            1 | 3 => names.iter().map(place).collect(),
            n => Err(Error::argument(
                "bands",
                "one, or three for red, green and blue",
                n,
            )),
        }
    }

    fn picture(&self, image: &Array3<f32>, bands: &[usize]) -> Result<Arc<dyn Mark>> {
        let band = |i: usize| thinned(&image.index_axis(Axis(0), bands[i]).to_owned());
        Ok(match bands {
            [_, _, _] => Arc::new(Rgb::new([band(0), band(1), band(2)], None)),
            _ => {
                let mut layer = Image::new(band(0), None);
                layer.colormap = Colormap::named("gray")?;
                layer.stretch = Stretch::Percentiles(2.0, 98.0);
                Arc::new(layer)
            }
        })
    }

    fn classes_of(&self, colors: &[Color]) -> Vec<Class> {
        let names = self.classes.names().iter().enumerate();
        let class = |(i, name): (usize, &String)| Class {
            value: i as i64,
            name: name.clone(),
            color: colors.get(i).copied().unwrap_or(match i {
                0 => Color::parse("#ece4cf").unwrap_or(Color::WHITE),
                i => Color::cycle(i - 1),
            }),
        };
        names.map(class).collect()
    }
}

fn panel(title: String) -> Axes {
    let mut axes = Axes::chart();
    axes.title = title;
    axes.legend = Legend::None;
    let bare = || PlotAxis {
        ticks: TickChoice::None,
        ..PlotAxis::default()
    };
    (axes.x, axes.y) = (bare(), bare());
    axes
}

/// Every so many pixels of what is larger than its panel.
fn thinned(values: &Array2<f32>) -> Array2<f32> {
    let by = values.nrows().max(values.ncols()).div_ceil(SHOWN).max(1) as isize;
    values.slice(s![..;by, ..;by]).to_owned()
}
