//! The projections of ITS_LIVE: both polar stereographic ones and the UTM zones.

use geo::{Coord, Rect};
use proj4rs::Proj;
use proj4rs::transform::transform;

use crate::earth::antimeridian::wrapped;
use crate::error::{Error, Result};

pub struct Projection {
    to: Proj,
    from: Proj,
    window: Rect<f64>,
}

/// Degrees from a UTM zone's central meridian within which its cubes may lie; the zone itself reaches 3.
const REACH: f64 = 15.0;

impl Projection {
    /// # Errors
    /// When it is neither EPSG:3031, EPSG:3413 nor a UTM zone on WGS 84.
    pub fn new(epsg: u32) -> Result<Projection> {
        let (definition, window) = match epsg {
            3031 => (
                "+proj=stere +lat_0=-90 +lat_ts=-71 +lon_0=0".to_string(),
                Rect::new((-180.0, -90.0), (180.0, -30.0)),
            ),
            3413 => (
                "+proj=stere +lat_0=90 +lat_ts=70 +lon_0=-45".to_string(),
                Rect::new((-180.0, 30.0), (180.0, 90.0)),
            ),
            32601..=32660 | 32701..=32760 => {
                let zone = epsg % 100;
                let meridian = f64::from(zone) * 6.0 - 183.0;
                let south = if epsg >= 32700 { " +south" } else { "" };
                (
                    format!("+proj=utm +zone={zone}{south}"),
                    Rect::new((meridian - REACH, -84.0), (meridian + REACH, 84.0)),
                )
            }
            other => {
                return Err(Error::message(format!(
                    "EPSG:{other} is none of ITS_LIVE's projections (3031, 3413, UTM zones on WGS 84)"
                )));
            }
        };
        let made = |text: &str| {
            Proj::from_proj_string(&format!("{text} +datum=WGS84 +units=m"))
                .map_err(|e| Error::message(format!("EPSG:{epsg}: {e}")))
        };
        Ok(Projection {
            to: made(&definition)?,
            from: Proj::from_proj_string("+proj=longlat +datum=WGS84")
                .map_err(|e| Error::message(format!("longitude and latitude: {e}")))?,
            window,
        })
    }

    /// Longitudes and latitudes where it is used; longitudes run over ±180 for zones at the dateline.
    pub fn window(&self) -> Rect<f64> {
        self.window
    }

    /// Degrees to metres. `None` outside the window.
    pub fn forward(&self, longitude: f64, latitude: f64) -> Option<Coord<f64>> {
        let (low, high) = (self.window.min(), self.window.max());
        let middle = (low.x + high.x) / 2.0;
        let near = middle + wrapped(longitude - middle);
        let reach = (high.x - low.x) / 2.0;
        if (near - middle).abs() > reach + 1e-9 || latitude < low.y || latitude > high.y {
            return None;
        }
        // The wrapped longitude is what the series of both projections take.
        let wrapped = wrapped(near);
        let mut point = (wrapped.to_radians(), latitude.to_radians(), 0.0);
        transform(&self.from, &self.to, &mut point).ok()?;
        Some(Coord {
            x: point.0,
            y: point.1,
        })
    }
}
