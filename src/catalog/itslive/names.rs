//! What the name of a granule tells: both scenes, the grid's spacing, the version, the share of valid pixels.
//!
//! `<scene>_X_<scene>_G0120V02_P095.nc`, where a scene is the id that its own archive gave it. Version 1 names the later
//! scene first, version 2 the earlier one, so nothing here relies on the order.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime};
use jiff::{SignedDuration, Unit};
use regex::{Captures, Regex};

use crate::error::{Error, Result};

/// A velocity granule, by its file name.
#[derive(Debug, Clone, PartialEq)]
pub struct Granule {
    /// Without folders and extension.
    pub id: String,
    /// As the name has them; `earlier` and `later` have them in time.
    pub scenes: [Acquisition; 2],
    /// Metres from node to node.
    pub spacing_m: u32,
    /// As the archive's items state it: `001`, `002`, `002.1`.
    pub version: String,
    /// Nodes with a velocity among those on ice, 0 to 100.
    pub percent_valid_pixels: u8,
    /// Made on a user's demand at ASF, by the ending `_IL_ASF_OD`.
    pub on_demand: bool,
}

/// One image of the pair.
#[derive(Debug, Clone, PartialEq)]
pub struct Acquisition {
    pub id: String,
    /// As the archive's items state it: `LC08`, `S1A`, `S2B`, `NISAR`; `S1` for a burst, whose id tells no satellite.
    pub platform: String,
    /// Start of the acquisition, UTC; midnight where the id holds the day alone.
    pub time: DateTime,
    /// False where the id holds the day alone.
    pub to_the_second: bool,
    pub place: Frame,
}

/// Where a scene lies, in the terms of its mission.
#[derive(Debug, Clone, PartialEq)]
pub enum Frame {
    /// Landsat's WRS-2.
    PathRow {
        path: u16,
        row: u16,
    },
    /// A tile of the military grid, such as `22WED`; the compact ids tell no orbit.
    Tile {
        tile: String,
        relative_orbit: Option<u16>,
    },
    /// A slice of an orbit. The relative orbit follows from the absolute one where the satellite's offset is published.
    Orbit {
        absolute: u32,
        relative: Option<u16>,
    },
    /// A Sentinel-1 burst by its number along the track, and its swath.
    Burst {
        burst: u32,
        swath: String,
    },
    TrackFrame {
        track: u16,
        frame: u16,
    },
}

struct Patterns {
    granule: Regex,
    landsat: Regex,
    sentinel1: Regex,
    burst: Regex,
    sentinel2: Regex,
    sentinel2_tile: Regex,
    nisar: Regex,
}

static PATTERNS: LazyLock<Result<Patterns, regex::Error>> = LazyLock::new(|| {
    Ok(Patterns {
        granule: Regex::new(r"^(.+)_G(\d{4})V(\d{2}(?:\.\d+)?)_P(\d{3})(_IL_ASF_OD)?$")?,
        landsat: Regex::new(
            r"^(L[A-Z]\d{2})_(L\d[A-Z]{2})_(\d{3})(\d{3})_(\d{8})_(\d{8})_(\d{2})_(T1|T2|RT)$",
        )?,
        sentinel1: Regex::new(
            r"^(S1[A-Z])_(?:IW|EW|WV|S\d)_(?:SLC|GRD[FHM])_*\dS[SD][HV]_(\d{8}T\d{6})_\d{8}T\d{6}_(\d{6})_[0-9A-F]{6}_[0-9A-F]{4}$",
        )?,
        burst: Regex::new(r"^(S1)_(\d{6})_((?:IW|EW)\d)_(\d{8}T\d{6})_(?:HH|HV|VV|VH)_[0-9A-F]{4}-BURST$")?,
        sentinel2: Regex::new(
            r"^(S2[A-Z])_MSIL\d[A-Z]_(\d{8}T\d{6})_N\d{4}_R(\d{3})_T(\d{2}[A-Z]{3})_\d{8}T\d{6}$",
        )?,
        sentinel2_tile: Regex::new(r"^(S2[A-Z])_(\d{1,2}[A-Z]{3})_(\d{8})_\d{1,2}_L\d[A-Z]$")?,
        nisar: Regex::new(
            r"^(NISAR)_L\d_[A-Z]{2}_[A-Z]{4}_\d{3}_(\d{3})_[AD]_(\d{3})_\w{4}_\w{4}_[A-Z]_(\d{8}T\d{6})_\d{8}T\d{6}_\w{6}_.+$",
        )?,
    })
});

fn patterns() -> Result<&'static Patterns> {
    PATTERNS
        .as_ref()
        .map_err(|e| Error::message(format!("the patterns of granule names: {e}")))
}

/// The last part of an address or path, without `?…`, `#…` and `.nc`.
pub fn id_of(address: &str) -> &str {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let name = path.rsplit(['/', '\\']).next().unwrap_or(path);
    name.strip_suffix(".nc").unwrap_or(name)
}

impl Granule {
    /// Reads the name at the end of an address or path.
    ///
    /// # Errors
    /// When it is not the name of an ITS_LIVE granule; the part that is wrong is named.
    pub fn parse(address: &str) -> Result<Granule> {
        let id = id_of(address);
        let wrong = |reason: String| {
            Error::message(format!(
                "`{id}` is not the name of an ITS_LIVE granule, <scene>_X_<scene>_G<spacing>V<version>_P<percent>.nc: {reason}"
            ))
        };
        let Some((first, rest)) = id.split_once("_X_") else {
            return Err(wrong("there is no `_X_` between two scenes".to_string()));
        };
        let Some(parts) = patterns()?.granule.captures(rest) else {
            return Err(wrong(format!(
                "`{rest}` does not end in the grid, version and valid share, as in `_G0120V02_P095`"
            )));
        };
        let percent: u8 = number(&parts, 4)
            .filter(|p| *p <= 100)
            .ok_or_else(|| wrong(format!("the valid share P{} is more than 100 %", &parts[4])))?;
        let scene = |text: &str| Acquisition::parse(text).map_err(|e| wrong(e.to_string()));
        Ok(Granule {
            id: id.to_string(),
            scenes: [scene(first)?, scene(&parts[1])?],
            spacing_m: number(&parts, 2)
                .filter(|s| *s > 0)
                .ok_or_else(|| wrong(format!("the spacing G{} is not a number of metres", &parts[2])))?,
            version: format!("0{}", &parts[3]),
            percent_valid_pixels: percent,
            on_demand: parts.get(5).is_some(),
        })
    }

    pub fn earlier(&self) -> &Acquisition {
        &self.scenes[usize::from(self.scenes[1].time < self.scenes[0].time)]
    }

    pub fn later(&self) -> &Acquisition {
        &self.scenes[usize::from(self.scenes[1].time >= self.scenes[0].time)]
    }

    /// Half way between the acquisitions.
    pub fn mid_date(&self) -> DateTime {
        let (from, to) = (self.earlier().time, self.later().time);
        // Two dates of four digits are never so far apart that half of it leads outside the calendar.
        from.checked_add(from.duration_until(to) / 2).unwrap_or(from)
    }

    /// Days between the acquisitions.
    pub fn separation_days(&self) -> f64 {
        days(self.earlier().time.duration_until(self.later().time))
    }
}

fn days(duration: SignedDuration) -> f64 {
    duration.as_secs_f64() / SignedDuration::from_hours(24).as_secs_f64()
}

fn number<T: std::str::FromStr>(parts: &Captures, group: usize) -> Option<T> {
    parts.get(group)?.as_str().parse().ok()
}

impl Acquisition {
    /// # Errors
    /// When the id is of no known mission, or holds a day that is in no calendar.
    pub fn parse(id: &str) -> Result<Acquisition> {
        let p = patterns()?;
        let made = |parts: &Captures, time: usize, place: Option<Frame>| {
            let text = &parts[time];
            let when = match text.contains('T') {
                true => DateTime::strptime("%Y%m%dT%H%M%S", text),
                false => Date::strptime("%Y%m%d", text).map(|d| d.to_datetime(jiff::civil::Time::midnight())),
            };
            let time =
                when.map_err(|_| Error::message(format!("the scene `{id}` has no valid date at `{text}`")))?;
            Ok(Acquisition {
                id: id.to_string(),
                platform: parts[1].to_string(),
                to_the_second: text.contains('T'),
                time,
                place: place.ok_or_else(|| {
                    Error::message(format!("the scene `{id}` has numbers that are too large"))
                })?,
            })
        };
        if let Some(parts) = p.landsat.captures(id) {
            let place = number(&parts, 3).zip(number(&parts, 4));
            return made(&parts, 5, place.map(|(path, row)| Frame::PathRow { path, row }));
        }
        if let Some(parts) = p.sentinel1.captures(id) {
            let place = number(&parts, 3).map(|absolute| Frame::Orbit {
                absolute,
                relative: relative_orbit(&parts[1], absolute),
            });
            return made(&parts, 2, place);
        }
        if let Some(parts) = p.burst.captures(id) {
            let place = number(&parts, 2).map(|burst| Frame::Burst {
                burst,
                swath: parts[3].to_string(),
            });
            return made(&parts, 4, place);
        }
        if let Some(parts) = p.sentinel2.captures(id) {
            let place = Frame::Tile {
                tile: parts[4].to_string(),
                relative_orbit: number(&parts, 3),
            };
            return made(&parts, 2, Some(place));
        }
        if let Some(parts) = p.sentinel2_tile.captures(id) {
            let place = Frame::Tile {
                tile: format!("{:0>5}", &parts[2]),
                relative_orbit: None,
            };
            return made(&parts, 3, Some(place));
        }
        if let Some(parts) = p.nisar.captures(id) {
            let place = number(&parts, 2).zip(number(&parts, 3));
            return made(
                &parts,
                4,
                place.map(|(track, frame)| Frame::TrackFrame { track, frame }),
            );
        }
        Err(Error::message(format!(
            "the scene `{id}` is not named as those of Landsat 4 to 9 (Collection 1 and 2), Sentinel-1, Sentinel-2 or NISAR are"
        )))
    }
}

/// The orbit within the repeat cycle of 175, from the count since launch: `(absolute − offset) mod 175 + 1`.
fn relative_orbit(satellite: &str, absolute: u32) -> Option<u16> {
    let offset = match satellite {
        "S1A" => 73,
        "S1B" => 27,
        "S1C" => 172,
        _ => return None,
    };
    absolute
        .checked_sub(offset)
        .map(|orbits| (orbits % 175 + 1) as u16)
}

/// The projection that the folders of a granule's address tell: `EPSG:32622` from a folder of that number, and polar
/// stereographic from a cell of ten degrees (named by the corner nearest to 0° N 0° E) at 60° or more. Elsewhere it
/// depends on the UTM zone or on where in the cell the granule lies: `None`.
pub fn projection_of(address: &str) -> Option<String> {
    let path = address.split(['?', '#']).next().unwrap_or(address);
    let mut folders: Vec<&str> = path.split(['/', '\\']).collect();
    folders.pop();
    folders.iter().rev().find_map(|folder| {
        let bare = folder
            .strip_prefix("EPSG")
            .map_or(*folder, |f| f.trim_start_matches([':', '_']));
        if let Some(code) = epsg_folder(bare) {
            return Some(format!("EPSG:{code}"));
        }
        let (latitude, north) = cell(folder)?;
        match (latitude >= 60, north) {
            (true, true) => Some("EPSG:3413".to_string()),
            (true, false) => Some("EPSG:3031".to_string()),
            (false, _) => None,
        }
    })
}

/// Folders of the first version: the codes of the projections that ITS_LIVE uses.
fn epsg_folder(folder: &str) -> Option<u32> {
    let code = folder.parse().ok()?;
    matches!(code, 3031 | 3413 | 32601..=32660 | 32701..=32760).then_some(code)
}

/// `N70W040`: 70, north.
fn cell(folder: &str) -> Option<(u32, bool)> {
    static CELL: LazyLock<Option<Regex>> = LazyLock::new(|| Regex::new(r"^([NS])(\d0)[EW](\d{2}0)$").ok());
    let parts = CELL.as_ref()?.captures(folder)?;
    Some((number(&parts, 2)?, &parts[1] == "N"))
}

/// As items write times: `2012-11-18T00:00:00Z`.
pub fn stamp(time: DateTime) -> String {
    let whole = time.round(Unit::Second).unwrap_or(time);
    format!("{}Z", whole.strftime("%Y-%m-%dT%H:%M:%S"))
}

/// The relative orbit of a scene, where its id tells it.
pub fn orbit(scene: &Acquisition) -> Option<u16> {
    match &scene.place {
        Frame::Tile { relative_orbit, .. } => *relative_orbit,
        Frame::Orbit { relative, .. } => *relative,
        Frame::TrackFrame { track, .. } => Some(*track),
        Frame::PathRow { .. } | Frame::Burst { .. } => None,
    }
}
