//! The lazy image: bands on one grid, with a time and properties.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::element::{Element, Unary, kind_of};
use super::execute;
use super::graph::Port;
use super::operation::{Operation, SceneOperation};
use super::scene::SceneNode;
use super::{Affine, Crs, DType, Grid, Kind, Pixels, Unit, Window};
use crate::error::{Error, Remedy, Result};

/// A value of an image's metadata.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Property {
    Number(f64),
    Integer(i64),
    Boolean(bool),
    Text(String),
    /// What pixels say, computed when somebody asks; see `Raster::property`.
    #[serde(skip)]
    Computed(Computed),
}

/// The one pixel of an image as a property.
#[derive(Clone)]
pub struct Computed {
    pub port: Port,
    /// For numbers that count something.
    pub whole: bool,
}

impl PartialEq for Computed {
    fn eq(&self, other: &Computed) -> bool {
        (self.port.node.id, self.port.output, self.whole)
            == (other.port.node.id, other.port.output, other.whole)
    }
}

impl std::fmt::Debug for Computed {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "output {} of {}", self.port.output, self.port.node.name())
    }
}

impl Property {
    /// Itself, or what it is computed to be.
    ///
    /// # Errors
    /// What goes wrong while it is computed.
    pub fn now(&self) -> Result<Property> {
        let Property::Computed(Computed { port, whole }) = self else {
            return Ok(self.clone());
        };
        let grid = &port.node.grid;
        let read = execute::read(grid, std::slice::from_ref(port), grid.window())?;
        let value = read
            .into_iter()
            .next()
            .and_then(|pixels| pixels.into_f64().first().copied());
        let value = value.unwrap_or(f64::NAN);
        Ok(match whole {
            true => Property::Integer(value as i64),
            false => Property::Number(value),
        })
    }
}

pub type Properties = BTreeMap<String, Property>;

impl std::fmt::Display for Property {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Property::Number(v) => write!(f, "{v}"),
            Property::Integer(v) => write!(f, "{v}"),
            Property::Boolean(v) => write!(f, "{v}"),
            Property::Text(v) => f.write_str(v),
            Property::Computed(_) => f.write_str("computed when it is asked for"),
        }
    }
}

/// One band: what it is called, what its values mean, and where they come from.
#[derive(Clone)]
pub struct Band {
    pub name: String,
    /// The type that `write` stores it in unless told otherwise.
    pub dtype: DType,
    pub unit: Unit,
    /// The value that marks masked pixels in files.
    pub nodata: Option<f64>,
    pub port: Port,
}

impl Band {
    pub fn kind(&self) -> Kind {
        self.port.kind()
    }
}

/// A lazy image. Cloning is cheap; nothing is read or computed until `write`, `read`, `stats`… ask.
#[derive(Clone)]
pub struct Raster {
    pub grid: Arc<Grid>,
    pub bands: Vec<Band>,
    /// When it was acquired, where that is known.
    pub time: Option<jiff::Timestamp>,
    pub properties: Properties,
}

impl Raster {
    pub fn new(grid: Arc<Grid>, bands: Vec<Band>) -> Raster {
        Raster {
            grid,
            bands,
            time: None,
            properties: Properties::new(),
        }
    }

    /// An image of one value.
    pub fn constant(grid: Arc<Grid>, value: f64) -> Raster {
        let port = Port::element(&grid, Element::Constant(value), Vec::new());
        let band = Band {
            name: "constant".into(),
            dtype: DType::F32,
            unit: Unit::Unknown,
            nodata: None,
            port,
        };
        Raster::new(grid, vec![band])
    }

    pub fn band_names(&self) -> Vec<&str> {
        self.bands.iter().map(|b| b.name.as_str()).collect()
    }

    /// A property, computed where it must be.
    ///
    /// # Errors
    /// What goes wrong with that.
    pub fn property(&self, name: &str) -> Result<Option<Property>> {
        self.properties.get(name).map(Property::now).transpose()
    }

    /// # Errors
    /// `NotFound` with the names that there are.
    pub fn band(&self, name: &str) -> Result<&Band> {
        let by_name = self.bands.iter().find(|b| b.name == name);
        by_name.ok_or_else(|| Error::not_found("band", name, self.band_names()))
    }

    /// The image's only band; an error that says how to choose one where there are several.
    ///
    /// # Errors
    /// When there is another number of bands than one.
    pub fn only_band(&self, what: &str) -> Result<&Band> {
        match self.bands.as_slice() {
            [band] => Ok(band),
            bands => Err(Error::argument(
                what,
                format!("an image of one band; {}", Remedy::OneBand),
                format!("{} bands ({})", bands.len(), self.band_names().join(", ")),
            )),
        }
    }

    /// The same metadata with other bands.
    pub fn with_bands(&self, bands: Vec<Band>) -> Raster {
        Raster {
            grid: self.grid.clone(),
            bands,
            time: self.time,
            properties: self.properties.clone(),
        }
    }

    /// The same metadata with other bands on another grid.
    pub fn with_grid(&self, grid: Arc<Grid>, bands: Vec<Band>) -> Raster {
        Raster {
            grid,
            bands,
            time: self.time,
            properties: self.properties.clone(),
        }
    }

    /// # Errors
    /// As `band`.
    pub fn select(&self, names: &[String]) -> Result<Raster> {
        let bands: Result<Vec<Band>> = names.iter().map(|n| self.band(n).cloned()).collect();
        Ok(self.with_bands(bands?))
    }

    /// # Errors
    /// Another number of names than of bands; a name given twice.
    pub fn rename(&self, names: &[String]) -> Result<Raster> {
        if names.len() != self.bands.len() {
            let expected = format!(
                "one per band ({}: {})",
                self.bands.len(),
                self.band_names().join(", ")
            );
            return Err(Error::argument("names", expected, names.len()));
        }
        let bands = self
            .bands
            .iter()
            .zip(names)
            .map(|(b, n)| Band {
                name: n.clone(),
                ..b.clone()
            })
            .collect();
        unique_names(self.with_bands(bands))
    }

    /// This image's bands and then those of `other`, which must lie on the same grid.
    ///
    /// # Errors
    /// Images on different grids; names that both have.
    pub fn add_bands(&self, other: &Raster) -> Result<Raster> {
        self.check_grid(other)?;
        let bands = self.bands.iter().chain(&other.bands).cloned().collect();
        unique_names(self.with_bands(bands))
    }

    pub fn with_unit(&self, unit: &Unit) -> Raster {
        self.with_bands(
            self.bands
                .iter()
                .map(|b| Band {
                    unit: unit.clone(),
                    ..b.clone()
                })
                .collect(),
        )
    }

    /// # Errors
    /// `GridMismatch` where they differ.
    pub fn check_grid(&self, other: &Raster) -> Result<()> {
        if Arc::ptr_eq(&self.grid, &other.grid) || self.grid.matches(&other.grid) {
            return Ok(());
        }
        Err(Error::GridMismatch {
            left: self.grid.to_string(),
            right: other.grid.to_string(),
        })
    }

    /// Each band through an elementwise operation; `describe` gives the new band's unit and type.
    ///
    /// # Errors
    /// Those of `describe`.
    pub fn map_elements(
        &self,
        unary: Unary,
        describe: impl Fn(&Band) -> Result<(Unit, DType)>,
    ) -> Result<Raster> {
        let one = |b: &Band| {
            let (unit, dtype) = describe(b)?;
            let port = Port::element(&self.grid, Element::Unary(unary), vec![b.port.clone()]);
            Ok(Band {
                name: b.name.clone(),
                dtype,
                unit,
                nodata: None,
                port,
            })
        };
        let bands: Result<Vec<Band>> = self.bands.iter().map(one).collect();
        Ok(self.with_bands(bands?))
    }

    /// Each band through its own tile operation on the same grid. The result keeps names and units and is float32.
    ///
    /// # Errors
    /// Those of `operation`.
    pub fn map_tiles(&self, operation: impl Fn(&Band) -> Result<Arc<dyn Operation>>) -> Result<Raster> {
        let one = |b: &Band| {
            let port = Port::tiles(&self.grid, operation(b)?, vec![b.port.clone()]).swap_remove(0);
            Ok(Band {
                dtype: float_of(port.kind()),
                nodata: None,
                port,
                ..b.clone()
            })
        };
        let bands: Result<Vec<Band>> = self.bands.iter().map(one).collect();
        Ok(self.with_bands(bands?))
    }

    /// Each band through an operation on the whole scene. The result keeps names and units and is float32.
    ///
    /// # Errors
    /// Those of `operation`.
    pub fn map_scenes(&self, operation: impl Fn(&Band) -> Result<Arc<dyn SceneOperation>>) -> Result<Raster> {
        let one = |b: &Band| {
            let port = Port::scene(&self.grid, SceneNode::new(operation(b)?), b.port.clone());
            Ok(Band {
                dtype: DType::F32,
                nodata: None,
                port,
                ..b.clone()
            })
        };
        let bands: Result<Vec<Band>> = self.bands.iter().map(one).collect();
        Ok(self.with_bands(bands?))
    }

    /// Rounds and limits to the range of `dtype`, which `write` then stores.
    ///
    /// # Errors
    /// A complex type, or complex bands.
    pub fn cast(&self, dtype: DType) -> Result<Raster> {
        if dtype.is_complex() || self.bands.iter().any(|b| b.dtype.is_complex()) {
            return Err(Error::argument(
                "dtype",
                format!("a real type, for real bands; {}", Remedy::Real),
                dtype,
            ));
        }
        let mut cast = self.map_elements(Unary::Cast(dtype), |b| {
            // What was computed of masks is none.
            let unit = if b.dtype == DType::U8 {
                b.unit.clone()
            } else {
                b.unit.plain()
            };
            Ok((unit, dtype))
        })?;
        for (new, old) in cast.bands.iter_mut().zip(&self.bands) {
            // A 32-bit float holds every value of a narrower type, so crossing to f64 needs an explicit step.
            debug_assert_eq!(new.kind(), kind_of(dtype));
            new.nodata = old.nodata.filter(|v| {
                dtype
                    .integer_range()
                    .is_some_and(|(lo, hi)| (lo..=hi).contains(v))
            });
        }
        Ok(cast)
    }

    pub fn ports(&self) -> Vec<Port> {
        self.bands.iter().map(|b| b.port.clone()).collect()
    }

    /// One array per band over a window of the grid; an error if they exceed the memory ceiling.
    ///
    /// # Errors
    /// A window outside the image; arrays that do not fit the memory ceiling; what an operation or reading a file fails with;
    /// `Interrupted`.
    pub fn read(&self, window: Window) -> Result<Vec<Pixels>> {
        execute::read(&self.grid, &self.ports(), window)
    }

    /// # Errors
    /// When it has none.
    pub fn crs(&self) -> Result<&Crs> {
        self.grid.crs()
    }

    /// The same pixels, said to lie in another CRS.
    ///
    /// # Errors
    /// When the image lies in pixel coordinates, which are no CRS's.
    pub fn set_crs(&self, crs: Crs) -> Result<Raster> {
        if let Some(located) = self.grid.crs.as_ref().filter(|crs| crs.locator().is_some()) {
            // Says how the image has its place.
            located.spatial_ref()?;
        }
        if self.grid.transform == Affine::PIXELS {
            return Err(Error::message(format!(
                "the image lies in pixel coordinates, which would be taken for those of {crs}; say where it lies: open it with \
                 {{ grid = raster.grid {{ crs = \"{crs}\", bounds = …, rows = {}, cols = {} }} }}",
                self.grid.rows, self.grid.cols
            )));
        }
        let grid = Arc::new(Grid {
            crs: Some(crs),
            ..self.grid.as_ref().clone()
        });
        super::reframe::onto(self, grid)
    }
}

/// The float type that holds what was computed in `kind`.
pub fn float_of(kind: Kind) -> DType {
    match kind {
        Kind::F32 => DType::F32,
        Kind::F64 | Kind::I128 => DType::F64,
        Kind::C32 => DType::C32,
    }
}

fn unique_names(raster: Raster) -> Result<Raster> {
    let mut seen = std::collections::HashSet::new();
    let twice = raster.bands.iter().find(|band| !seen.insert(&band.name));
    match twice {
        None => Ok(raster),
        Some(band) => Err(Error::argument(
            "band names",
            format!("unique; {}", Remedy::Rename),
            format!("`{}` twice", band.name),
        )),
    }
}

/// The images' times in years of 365.25 days since the beginning of 2000.
///
/// # Errors
/// An image without a time, by its number.
pub fn years(images: &[Raster]) -> Result<Vec<f64>> {
    const YEAR: f64 = 365.25 * 86_400.0;
    /// 2000-01-01T00:00:00Z in seconds since 1970.
    const ORIGIN: f64 = 946_684_800.0;
    let years = |time: Timestamp| (time.as_millisecond() as f64 / 1000.0 - ORIGIN) / YEAR;
    Ok(times(images)?.into_iter().map(years).collect())
}

/// # Errors
/// An image without a time, by its number.
pub fn times(images: &[Raster]) -> Result<Vec<Timestamp>> {
    let time = |(i, image): (usize, &Raster)| {
        image
            .time
            .ok_or_else(|| Error::message(format!("image {} has no time; {}", i + 1, Remedy::ImageTime)))
    };
    images.iter().enumerate().map(time).collect()
}

/// The places of the images in the order of their times, those of one time as they are, and these times as `years` gives them.
///
/// # Errors
/// An image without a time, by its number.
pub fn in_order_of_time(images: &[Raster]) -> Result<(Vec<usize>, Vec<f64>)> {
    let times = years(images)?;
    let mut order: Vec<usize> = (0..images.len()).collect();
    order.sort_by(|a, b| times[*a].total_cmp(&times[*b]));
    let times = order.iter().map(|i| times[*i]).collect();
    Ok((order, times))
}
