//! What is told of all bands of each pixel together, over many images: the geometric median, changes of radar backscatter.

use std::sync::{Arc, OnceLock};

use serde::{Deserialize, Serialize};

use super::dates::Calendar;
use super::describe::{Description, Site};
use super::image::{Band, Raster, float_of, in_order_of_time};
use super::lanes::over_lanes;
use super::math::to_power;
use super::operation::Operation;
use super::reduce::{Reducer, reduce};
use super::stack::Stack;
use super::{DType, Kind, Pixels, Port, Unit, View, Window};
use crate::described;
use crate::error::{Domain, Error, Remedy, Result};
use crate::statistics::series::{Geomedian, LANES, Omnibus, Scratch};

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum What {
    Geomedian {
        tolerance: f64,
        most_steps: usize,
    },
    /// What the tests say of the whole series: p-value, number of changes, numbers of the images after the first and the last.
    Changes {
        looks: f64,
        alpha: f64,
    },
    /// What has changed at each image but the first.
    EachChange {
        looks: f64,
        alpha: f64,
    },
}

/// Inputs are the bands of the first image, of the second, and so on.
#[derive(Serialize, Deserialize)]
struct Jointly {
    images: usize,
    bands: usize,
    what: What,
    /// Made once, as its limits take longer than a tile.
    #[serde(skip)]
    tests: OnceLock<Omnibus>,
}

described!(Jointly, Tiles, "raster.jointly", 1, Jointly::check);

/// Of the mean distance of the points of a pixel from their mean: a step that is no longer ends the search.
pub const TOLERANCE: Domain = Domain::within(1e-12, 0.1);
pub const STEPS: Domain = Domain::within(1.0, 100_000.0);
/// Below 1 the distribution of the tests is not that of their formulas.
pub const LOOKS: Domain = Domain::at_least(1.0);
pub const ALPHA: Domain = Domain::above(0.0).below(1.0);

impl What {
    fn check(&self) -> Result<()> {
        match self {
            What::Geomedian {
                tolerance,
                most_steps,
            } => {
                TOLERANCE.check("tolerance", *tolerance)?;
                STEPS.check_count("max_iterations", *most_steps).map(drop)
            }
            What::Changes { looks, alpha } | What::EachChange { looks, alpha } => {
                LOOKS.check("looks", *looks)?;
                ALPHA.check("alpha", *alpha).map(drop)
            }
        }
    }
}

impl Jointly {
    fn check(&self, site: &Site) -> Result<()> {
        site.on_grid()?.real()?;
        self.what.check()?;
        let least = match self.what {
            What::Geomedian { .. } => 1,
            What::Changes { .. } | What::EachChange { .. } => 2,
        };
        if self.bands == 0 || self.images < least {
            return Err(Error::argument(
                "images and bands",
                format!("at least {least} and 1"),
                format!("{} and {}", self.images, self.bands),
            ));
        }
        site.takes(self.images.saturating_mul(self.bands))?;
        Ok(())
    }
}

impl Operation for Jointly {
    fn name(&self) -> String {
        match self.what {
            What::Geomedian { .. } => "geometric median".into(),
            What::Changes { looks, alpha } => format!("omnibus(looks {looks}, alpha {alpha})"),
            What::EachChange { looks, alpha } => format!("omnibus changes(looks {looks}, alpha {alpha})"),
        }
    }

    fn describe(&self) -> Result<Description> {
        Description::of(self)
    }

    fn kind(&self, inputs: &[Kind]) -> Kind {
        match self.what {
            What::Geomedian { .. } => Kind::common(inputs).floating(),
            // A tail of 1e-200 is not 0; changes are classes.
            What::Changes { .. } => Kind::F64,
            What::EachChange { .. } => Kind::F32,
        }
    }

    fn outputs(&self) -> usize {
        match self.what {
            What::Geomedian { .. } => self.bands,
            What::Changes { .. } => 4,
            What::EachChange { .. } => self.images.saturating_sub(1),
        }
    }

    fn is_pointwise(&self) -> bool {
        true
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, inputs: &[View<'_>]) -> Result<Vec<Pixels>> {
        let kind = self.kind(&inputs.iter().map(View::kind).collect::<Vec<_>>());
        Ok(over_lanes(out, inputs, self.outputs(), kind, self.fit()))
    }
}

/// Fills results from planes.
type Fit<'a> = Box<dyn FnMut(&[[f64; LANES]], &mut [[f64; LANES]]) + 'a>;

impl Jointly {
    fn tests(&self, looks: f64, alpha: f64) -> &Omnibus {
        let made = || Omnibus::new(self.images, self.bands, looks, alpha);
        self.tests.get_or_init(made)
    }

    fn fit(&self) -> Fit<'_> {
        match self.what {
            What::Geomedian {
                tolerance,
                most_steps,
            } => {
                let median = Geomedian {
                    bands: self.bands,
                    tolerance,
                    most_steps,
                };
                Box::new(move |planes, out| median.fit(planes, out))
            }
            What::Changes { looks, alpha } => {
                let tests = self.tests(looks, alpha);
                let mut scratch = Scratch::default();
                Box::new(move |planes, out| {
                    for i in 0..LANES {
                        let results = match tests.series(planes, i, &mut scratch, |_, _| {}) {
                            Some(found) => [
                                found.p_value,
                                found.frequency as f64,
                                number_of(found.first),
                                number_of(found.last),
                            ],
                            None => [f64::NAN; 4],
                        };
                        for (plane, result) in out.iter_mut().zip(results) {
                            plane[i] = result;
                        }
                    }
                })
            }
            What::EachChange { looks, alpha } => {
                let tests = self.tests(looks, alpha);
                let mut scratch = Scratch::default();
                Box::new(move |planes, out| {
                    out.iter_mut().for_each(|plane| plane.fill(f64::NAN));
                    for i in 0..LANES {
                        tests.series(planes, i, &mut scratch, |place, change| {
                            if let Some(plane) = place.checked_sub(1).and_then(|at| out.get_mut(at)) {
                                plane[i] = f64::from(change as u8);
                            }
                        });
                    }
                })
            }
        }
    }
}

/// Of an image, from 1; there is none of a change that is none.
fn number_of(image: usize) -> f64 {
    if image == 0 { f64::NAN } else { image as f64 }
}

/// The ports of all bands of all images, image by image.
fn ports(images: &[&Raster]) -> Vec<Port> {
    images.iter().flat_map(|image| image.ports()).collect()
}

/// The geometric median of the bands of each pixel over the images; they keep their names and units. Images of which a band is masked do not count.
///
/// # Errors
/// As `reduce`; bands in different units; a tolerance or a number of steps out of range.
pub fn geomedian(images: &[Raster], tolerance: f64, most_steps: usize) -> Result<Raster> {
    // Its checks are those of any reduction.
    let template = reduce(images, &[Reducer::Mean])?;
    let what = What::Geomedian {
        tolerance,
        most_steps,
    };
    what.check()?;
    if let Some(other) = template
        .bands
        .iter()
        .find(|band| band.unit.plain() != template.bands[0].unit.plain())
    {
        return Err(Error::Unit {
            message: format!(
                "bands `{}` ({}) and `{}` ({}) are in different units, between which there are no distances; {}",
                template.bands[0].name,
                template.bands[0].unit,
                other.name,
                other.unit,
                Remedy::OneScale
            ),
        });
    }
    let operation = Jointly {
        images: images.len(),
        bands: template.bands.len(),
        what,
        tests: OnceLock::new(),
    };
    let inputs = ports(&images.iter().collect::<Vec<_>>());
    let found = Port::tiles(&template.grid, Arc::new(operation), inputs);
    let bands = template.bands.iter().zip(found).map(|(band, port)| Band {
        dtype: float_of(port.kind()),
        nodata: None,
        port,
        ..band.clone()
    });
    let bands = bands.collect();
    Ok(template.with_bands(bands))
}

/// Changes of backscatter by the omnibus test and the sequence of tests after it (`statistics::series::Omnibus`), of bands of power, each a channel: bands `p_value`, `frequency`,
/// `first_change` and `last_change`; and for each image but the first, in the order of time, a band `change`. Decibels and amplitudes are made powers.
///
/// # Errors
/// As `reduce`; bands in another unit, or without one; an image without a time; fewer than two images; looks below 1, or an alpha that is not between 0 and 1.
pub fn omnibus(images: &[Raster], looks: f64, alpha: f64, calendar: Calendar) -> Result<(Raster, Stack)> {
    // Its checks are those of any reduction.
    let template = reduce(images, &[Reducer::Mean])?;
    let (order, _) = in_order_of_time(images)?;
    let powers = order.iter().map(|i| to_power(&images[*i]));
    let powers: Vec<Raster> = powers.collect::<Result<_>>()?;
    let changes = What::Changes { looks, alpha };
    changes.check()?;
    if images.len() < 2 {
        return Err(Error::argument("images", "2 at least", images.len()));
    }
    let bands = template.bands.len();
    let made = |what: What| {
        let operation = Jointly {
            images: images.len(),
            bands,
            what,
            tests: OnceLock::new(),
        };
        let inputs = ports(&powers.iter().collect::<Vec<_>>());
        Port::tiles(&template.grid, Arc::new(operation), inputs)
    };
    let band = |name: &str, dtype: DType, nodata: Option<f64>, unit: &str, port: Port| Band {
        name: name.into(),
        dtype,
        unit: Unit::Other(unit.into()),
        nodata,
        port,
    };
    let mut summary = Vec::new();
    let names = ["p_value", "frequency", "first_change", "last_change"];
    for (name, port) in names.into_iter().zip(made(changes)) {
        summary.push(match name {
            "p_value" => band(name, DType::F64, None, "1", port),
            "frequency" => band(name, DType::U16, Some(f64::from(u16::MAX)), "1", port),
            _ => calendar.dated(band(name, DType::F64, None, "1", port), &powers)?,
        });
    }
    let each = made(What::EachChange { looks, alpha });
    let items = powers[1..].iter().zip(each).map(|(image, port)| {
        let change = band("change", DType::U8, Some(255.0), "class", port);
        image.with_bands(vec![change])
    });
    let items = items.collect();
    Ok((Raster::new(template.grid.clone(), summary), Stack { items }))
}
