//! Coordinate reference systems, and transforms between them in (x, y) = (easting or longitude, northing or latitude) order.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use gdal::spatial_ref::{AxisMappingStrategy, CoordTransform, SpatialRef};

use super::describe::Description;
use super::file::initialise;
use crate::error::{Error, Remedy, Result};

/// A coordinate reference system: its WKT and the short name it goes by (`EPSG:32611`, or the WKT's own name).
///
/// The pixel coordinates of an image that has its place by control points, rational polynomials or geolocation arrays are one, too:
/// from and to it leads the image's locator.
#[derive(Clone)]
pub struct Crs {
    name: Arc<str>,
    wkt: Arc<str>,
    locator: Option<Arc<dyn Locator>>,
}

/// The way between pixel coordinates (col, row), corners at whole numbers, and a map, where no affine transform leads.
pub trait Locator: Send + Sync {
    /// As a sentence has it: `210 ground control points`.
    fn means(&self) -> String;

    /// What it is, as data.
    ///
    /// # Errors
    /// Places that cannot be written as JSON, or that lie in a file that is gone.
    fn describe(&self) -> Result<Description>;

    /// What its places are in.
    fn crs(&self) -> &Crs;

    /// In place, to the map or back from it; (NaN, NaN) where there is no way.
    fn apply(&self, to_map: bool, xs: &mut [f64], ys: &mut [f64]);

    /// Control points (col, row, x, y), where they are what it knows, so that they can be written to a file.
    fn points(&self) -> &[[f64; 4]] {
        &[]
    }
}

impl Crs {
    /// Anything that PROJ understands: `EPSG:32611`, a bare EPSG number, WKT, a PROJ string.
    ///
    /// # Errors
    /// Text that PROJ does not understand, or that names a file; a PROJ without its coordinate systems.
    pub fn parse(text: &str) -> Result<Crs> {
        initialise();
        let text = text.trim();
        let definition = if !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit()) {
            format!("EPSG:{text}")
        } else {
            text.to_string()
        };
        let bad = || match SpatialRef::from_epsg(4326) {
            Ok(_) => Error::argument(
                "CRS",
                "an EPSG code (`EPSG:32611`), WKT or PROJ string",
                format!("`{text}`"),
            ),
            Err(_) => Error::message(format!(
                "CRS `{text}` cannot be looked up: PROJ finds no proj.db that it can read; `perilune doctor` tells what is wrong"
            )),
        };
        if names_a_file(&definition) {
            return Err(bad());
        }
        Crs::from_spatial_ref(&SpatialRef::from_definition(&definition).map_err(|_| bad())?)
    }

    /// # Errors
    /// Text that is no WKT of a CRS.
    pub fn from_wkt(wkt: &str) -> Result<Crs> {
        initialise();
        let reference = SpatialRef::from_wkt(wkt).map_err(|e| Error::Gdal {
            what: "reading a CRS".into(),
            message: e.to_string(),
        })?;
        Crs::from_spatial_ref(&reference)
    }

    /// # Errors
    /// When PROJ does not find its database.
    pub fn wgs84() -> Result<Crs> {
        Crs::parse("EPSG:4326")
    }

    fn from_spatial_ref(reference: &SpatialRef) -> Result<Crs> {
        let gdal_error = |e: gdal::errors::GdalError| Error::Gdal {
            what: "reading a CRS".into(),
            message: e.to_string(),
        };
        let wkt = reference.to_wkt().map_err(gdal_error)?;
        let name = match (reference.auth_name(), reference.auth_code()) {
            (Some(authority), Ok(code)) => format!("{authority}:{code}"),
            _ => reference.name().unwrap_or_else(|| "unnamed CRS".into()),
        };
        Ok(Crs {
            name: name.into(),
            wkt: wkt.into(),
            locator: None,
        })
    }

    /// The pixel coordinates of an image that has its place by a locator.
    pub fn of_pixels(locator: Arc<dyn Locator>) -> Crs {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let name = format!("pixels, in {} by {}", locator.crs(), locator.means());
        // The number tells the pixels of one image from those of another.
        let wkt = format!("LOCAL_CS[\"{name} ({})\"]", NEXT.fetch_add(1, Ordering::Relaxed));
        Crs {
            name: name.into(),
            wkt: wkt.into(),
            locator: Some(locator),
        }
    }

    pub fn locator(&self) -> Option<&dyn Locator> {
        self.locator.as_deref()
    }

    /// What coordinates on the map are in: the CRS itself, or that of the places of an image's pixels.
    pub fn on_map(&self) -> &Crs {
        self.locator.as_deref().map_or(self, Locator::crs)
    }

    /// `EPSG:32611`, or the CRS's own name where it has no code.
    pub fn name(&self) -> &str {
        &self.name
    }

    pub fn wkt(&self) -> &str {
        &self.wkt
    }

    /// EPSG number, where the CRS has one.
    pub fn epsg(&self) -> Option<u32> {
        self.name.strip_prefix("EPSG:").and_then(|code| code.parse().ok())
    }

    /// GDAL's object, with coordinates in (x, y) order whatever the authority says.
    ///
    /// # Errors
    /// For pixel coordinates, which only the image's own locator knows.
    pub fn spatial_ref(&self) -> Result<SpatialRef> {
        if let Some(locator) = &self.locator {
            return Err(Error::message(format!(
                "the image has its place by {}, not by a grid of its CRS; {}",
                locator.means(),
                Remedy::Reproject
            )));
        }
        let mut reference = SpatialRef::from_wkt(&self.wkt).map_err(|e| Error::Gdal {
            what: format!("reading CRS {}", self.name),
            message: e.to_string(),
        })?;
        reference.set_axis_mapping_strategy(AxisMappingStrategy::TraditionalGisOrder);
        Ok(reference)
    }

    /// True for longitude and latitude in degrees.
    pub fn is_geographic(&self) -> bool {
        self.spatial_ref().is_ok_and(|r| r.is_geographic())
    }

    /// A full turn of longitude in units of a geographic CRS (360 for degrees): where x comes back to the same place.
    pub fn turn(&self) -> Option<f64> {
        let reference = self.spatial_ref().ok()?;
        let unit = reference.angular_units();
        // Degrees are a whole number of turns, whatever the digits of π in the CRS.
        let turn = (std::f64::consts::TAU / unit * 1e9).round() / 1e9;
        (reference.is_geographic() && turn.is_finite() && turn > 0.0).then_some(turn)
    }

    /// Metres per unit of a projected CRS (1 for metres); None for geographic ones.
    pub fn metres_per_unit(&self) -> Option<f64> {
        let reference = self.spatial_ref().ok()?;
        reference
            .is_projected()
            .then(|| reference.linear_units())
            .filter(|u| u.is_finite() && *u > 0.0)
    }
}

impl PartialEq for Crs {
    fn eq(&self, other: &Crs) -> bool {
        if self.wkt == other.wkt || (self.epsg().is_some() && self.name == other.name) {
            return true;
        }
        if self.locator.is_some() || other.locator.is_some() {
            return false;
        }
        match (self.spatial_ref(), other.spatial_ref()) {
            (Ok(a), Ok(b)) => a == b,
            _ => false,
        }
    }
}

impl fmt::Display for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

impl fmt::Debug for Crs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Crs({})", self.name)
    }
}

/// Transforms points from one CRS to another. Not Sync: make one per thread.
pub struct Transformer {
    /// To the map, first.
    from: Option<Arc<dyn Locator>>,
    /// None where both maps are in one CRS.
    between: Option<CoordTransform>,
    /// From the map, last.
    to: Option<Arc<dyn Locator>>,
}

impl Transformer {
    /// # Errors
    /// When PROJ knows no way from one to the other.
    pub fn new(from: &Crs, to: &Crs) -> Result<Transformer> {
        let (start, end) = (from.on_map(), to.on_map());
        let located = from.locator.is_some() || to.locator.is_some();
        let between = match located && start == end {
            true => None,
            false => {
                let made = CoordTransform::new(&start.spatial_ref()?, &end.spatial_ref()?);
                Some(made.map_err(|e| Error::Gdal {
                    what: format!("transform from {from} to {to}"),
                    message: e.to_string(),
                })?)
            }
        };
        Ok(Transformer {
            from: from.locator.clone(),
            between,
            to: to.locator.clone(),
        })
    }

    /// In place; a point that has no image becomes (NaN, NaN).
    pub fn apply(&self, xs: &mut [f64], ys: &mut [f64]) {
        if let Some(from) = &self.from {
            from.apply(true, xs, ys);
        }
        if let Some(between) = &self.between {
            // PROJ marks the points that failed as infinite; GDAL then reports failure for the whole call.
            let _ = between.transform_coords(xs, ys, &mut []);
            for (x, y) in xs.iter_mut().zip(ys.iter_mut()) {
                if !(x.is_finite() && y.is_finite()) {
                    (*x, *y) = (f64::NAN, f64::NAN);
                }
            }
        }
        if let Some(to) = &self.to {
            to.apply(false, xs, ys);
        }
    }
}

/// GDAL would read a definition from the file or the address that a text names.
fn names_a_file(text: &str) -> bool {
    let is_definition = text.starts_with(['+', '{'])
        || text.contains('[')
        || text.starts_with("urn:")
        || ["http://www.opengis.net/", "https://www.opengis.net/"]
            .iter()
            .any(|base| text.starts_with(base));
    !is_definition && (text.contains(['/', '\\']) || std::path::Path::new(text).exists())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_is_never_read_from_a_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("utm.prj");
        let wkt = SpatialRef::from_epsg(32611).unwrap().to_wkt().unwrap();
        std::fs::write(&file, &wkt).unwrap();
        assert!(
            SpatialRef::from_definition(file.to_str().unwrap()).is_ok(),
            "GDAL reads it"
        );
        for name in [
            file.to_str().unwrap(),
            "/vsicurl/http://host/a.prj",
            "http://host/a.prj",
            "Cargo.toml",
        ] {
            let error = Crs::parse(name).unwrap_err().to_string();
            assert!(error.contains("an EPSG code"), "{name}: {error}");
        }
        for text in [
            wkt.as_str(),
            "EPSG:4326",
            "4326",
            "+proj=utm +zone=11",
            "urn:ogc:def:crs:EPSG::32611",
            "WGS84",
        ] {
            assert!(Crs::parse(text).is_ok(), "{text}");
        }
    }
}
