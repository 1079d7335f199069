//! Ordered collections of images with time and properties.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::Timestamp;
use regex::Regex;

use super::file::write::{WriteOptions, write};
use super::image::{Property, Raster};
use super::line::linear_fit;
use super::periods::Period;
use super::reduce::{Reducer, reduce};
use crate::error::{Error, Remedy, Result, counted};
use crate::gate::Folder;

/// Images in order. Each keeps its own grid, bands, time and properties; reducers want one grid and the same bands.
#[derive(Clone, Default)]
pub struct Stack {
    pub items: Vec<Raster>,
}

/// The times of a stack, and of each band its images in their order.
pub struct Cube {
    pub times: Vec<Timestamp>,
    pub bands: Vec<(String, Vec<Raster>)>,
}

/// What images are grouped by.
#[derive(Debug, Clone, PartialEq)]
pub enum GroupBy {
    Period(Period),
    Property(String),
}

/// A group: its key, and the places of its images.
pub type Group = (String, Vec<usize>);

impl Stack {
    /// See `line::linear_fit`.
    ///
    /// # Errors
    /// As there.
    pub fn linear_fit(&self) -> Result<Raster> {
        linear_fit(&self.items)
    }

    /// # Errors
    /// As `reduce::reduce`.
    pub fn reduce(&self, reducers: &[Reducer]) -> Result<Raster> {
        reduce(&self.items, reducers)
    }

    /// In order of time, or of a property. Images without it come last, in the order they had.
    ///
    /// # Errors
    /// Those of properties that must be computed.
    pub fn sort(&self, property: Option<&str>, descending: bool) -> Result<Stack> {
        let key = |item: &Raster| property.map_or(Ok(None), |name| item.property(name));
        let keys = self.items.iter().map(key).collect::<Result<Vec<_>>>()?;
        let mut pairs: Vec<_> = self.items.iter().zip(keys).collect();
        pairs.sort_by(|(a, x), (b, y)| match property {
            None => compare_options(a.time, b.time, |x, y| x.cmp(y), descending),
            Some(_) => compare_options(
                x.as_ref(),
                y.as_ref(),
                |x, y| compare_properties(x, y),
                descending,
            ),
        });
        let items = pairs.into_iter().map(|(item, _)| item.clone()).collect();
        Ok(Stack { items })
    }

    /// Groups in the order of their times, or of their keys.
    ///
    /// # Errors
    /// Images without a time or without the property; a computed property that cannot be computed.
    pub fn groups(&self, by: &GroupBy) -> Result<Vec<Group>> {
        let mut groups: BTreeMap<(i32, String), Vec<usize>> = BTreeMap::new();
        for (i, item) in self.items.iter().enumerate() {
            let key = match by {
                GroupBy::Period(period) => period.of(item.time.ok_or_else(|| no_time(i))?),
                GroupBy::Property(name) => {
                    let value = item.property(name)?;
                    let missing = || Error::not_found("property", name, item.properties.keys());
                    (0, value.ok_or_else(missing)?.to_string())
                }
            };
            groups.entry(key).or_default().push(i);
        }
        Ok(groups
            .into_iter()
            .map(|((_, key), members)| (key, members))
            .collect())
    }

    /// The images at `places`.
    pub fn chosen(&self, places: &[usize]) -> Stack {
        Stack {
            items: places
                .iter()
                .filter_map(|i| self.items.get(*i).cloned())
                .collect(),
        }
    }

    /// An image for each period that has images: their reduction, of the time at which the period begins, with their number as the property `images`.
    ///
    /// # Errors
    /// Images without a time; a part of the year, which comes again; what `reduce` refuses.
    pub fn resample(&self, period: Period, reducer: Reducer) -> Result<Stack> {
        let mut items = Vec::new();
        for (_, members) in self.groups(&GroupBy::Period(period))? {
            let images = self.chosen(&members).items;
            let mut reduced = reduce(&images, &[reducer])?;
            let time = images.first().and_then(|image| image.time);
            reduced.time = time.map(|time| period.start(time)).transpose()?;
            let count = Property::Integer(images.len() as i64);
            reduced.properties = BTreeMap::from([("images".to_string(), count)]);
            items.push(reduced);
        }
        Ok(Stack { items })
    }

    /// For each image the mean of its group, or of all images.
    ///
    /// # Errors
    /// Those of `groups` and `reduce`.
    pub fn means(&self, by: Option<&GroupBy>) -> Result<Vec<Raster>> {
        let groups = match by {
            Some(by) => self.groups(by)?,
            None => vec![(String::new(), (0..self.items.len()).collect())],
        };
        let mut means: Vec<Option<Raster>> = vec![None; self.items.len()];
        for (_, members) in groups {
            let mean = self.chosen(&members).reduce(&[Reducer::Mean])?;
            for i in members {
                means[i] = Some(mean.clone());
            }
        }
        Ok(means.into_iter().flatten().collect())
    }

    /// For every image the sum over it and all before it; pixels that are valid in none of these are masked. Times and properties are the images'.
    ///
    /// # Errors
    /// What `reduce` refuses.
    pub fn cumulative(&self) -> Result<Stack> {
        let mut items: Vec<Raster> = Vec::with_capacity(self.items.len());
        for image in &self.items {
            let pair: Vec<Raster> = items.last().into_iter().chain([image]).cloned().collect();
            let mut sum = reduce(&pair, &[Reducer::Sum])?;
            sum.time = image.time;
            sum.properties = image.properties.clone();
            items.push(sum);
        }
        Ok(Stack { items })
    }

    /// For every image, the reduction over the `count` images that end with it, or, with `days`, over those of the last
    /// `days` days. Times and properties are those of the window's last image.
    ///
    /// # Errors
    /// With `days`, images without a time; what `reduce` refuses.
    pub fn rolling(&self, window: Rolling, reducer: Reducer) -> Result<Stack> {
        let mut items = Vec::new();
        for (i, item) in self.items.iter().enumerate() {
            let members: Vec<Raster> = match window {
                Rolling::Images(count) => {
                    if i + 1 < count {
                        continue;
                    }
                    self.items[i + 1 - count..=i].to_vec()
                }
                Rolling::Days(days) => {
                    let end = item
                        .time
                        .ok_or_else(|| Error::message("rolling over days needs images with a time"))?;
                    let within = |r: &&Raster| {
                        r.time.is_some_and(|t| {
                            t <= end && end.as_second() - t.as_second() < (days * 86400.0) as i64
                        })
                    };
                    self.items.iter().filter(within).cloned().collect()
                }
            };
            let mut reduced = reduce(&members, &[reducer])?;
            reduced.time = item.time;
            reduced.properties = item.properties.clone();
            items.push(reduced);
        }
        Ok(Stack { items })
    }

    /// Of each image that of `other` which is of the same time; of stacks of images without times, that in the same place.
    ///
    /// # Errors
    /// Another number of images; a time that `other` has not, or has twice; times on one side alone.
    pub fn partners(&self, other: &Stack) -> Result<Vec<Raster>> {
        let timed = |stack: &Stack| stack.items.iter().filter(|image| image.time.is_some()).count();
        if self.items.len() != other.items.len() {
            return Err(Error::argument(
                "the other stack",
                format!("as long as the first ({})", counted(self.items.len(), "image")),
                counted(other.items.len(), "image"),
            ));
        }
        if timed(self) == 0 && timed(other) == 0 {
            return Ok(other.items.clone());
        }
        let mut by_time: BTreeMap<Timestamp, &Raster> = BTreeMap::new();
        for (i, image) in other.items.iter().enumerate() {
            let time = image.time.ok_or_else(|| no_time(i))?;
            if by_time.insert(time, image).is_some() {
                return Err(Error::message(format!(
                    "two images of the other stack are of {time}: which of them goes with the first stack's is not known"
                )));
            }
        }
        let partner = |(i, image): (usize, &Raster)| {
            let time = image.time.ok_or_else(|| no_time(i))?;
            by_time.get(&time).map(|found| (*found).clone()).ok_or_else(|| {
                Error::message(format!(
                    "image {} is of {time}, of which the other stack has none",
                    i + 1
                ))
            })
        };
        self.items.iter().enumerate().map(partner).collect()
    }

    /// What a file of all images is made of.
    ///
    /// # Errors
    /// No image; images without a time, of other bands than the first, or in other units.
    pub fn cube(&self) -> Result<Cube> {
        let first = self
            .items
            .first()
            .ok_or_else(|| Error::message("the stack holds no image"))?;
        let mut times = Vec::with_capacity(self.items.len());
        let mut bands: Vec<(String, Vec<Raster>)> = first
            .bands
            .iter()
            .map(|band| (band.name.clone(), Vec::new()))
            .collect();
        for (i, image) in self.items.iter().enumerate() {
            times.push(image.time.ok_or_else(|| no_time(i))?);
            if image.band_names() != first.band_names() {
                return Err(Error::message(format!(
                    "image {} has the bands {}, the first {}; {}",
                    i + 1,
                    image.band_names().join(", "),
                    first.band_names().join(", "),
                    Remedy::CommonBands
                )));
            }
            for ((_, images), band) in bands.iter_mut().zip(&image.bands) {
                images.push(image.with_bands(vec![band.clone()]));
                check_unit(images)?;
            }
        }
        Ok(Cube { times, bands })
    }

    /// The images that `export` writes, and their files.
    ///
    /// # Errors
    /// Images without a name; two of one; names that lead elsewhere.
    pub fn files<'a>(&'a self, export: &Export) -> Result<Vec<(PathBuf, &'a Raster)>> {
        let first = export.first.max(1) - 1;
        let count = export.max.unwrap_or(usize::MAX);
        if let Some(names) = &export.names
            && names.len() < self.items.len()
        {
            let expected = format!("one name per image ({})", self.items.len());
            return Err(Error::argument("names", expected, names.len()));
        }
        let mut jobs: Vec<(PathBuf, &Raster)> = Vec::new();
        for (i, item) in self.items.iter().enumerate().skip(first).take(count) {
            let name = match &export.names {
                Some(names) => names[i].clone(),
                None => item
                    .time
                    .map(|t| t.to_zoned(jiff::tz::TimeZone::UTC).strftime("%Y%m%d").to_string())
                    .ok_or_else(|| {
                        Error::message(format!(
                            "image {} has no time to name its file by; {}",
                            i + 1,
                            Remedy::ImageNames
                        ))
                    })?,
            };
            let file = format!("{}_{name}_{}.tif", export.prefix, resolution_label(item));
            // Else a prefix such as `../x` or `/x` would lead out of the folder that was allowed.
            if file.contains(['/', '\0']) {
                return Err(Error::argument(
                    "prefix and names",
                    "parts of a file's name, without folders",
                    format!("`{file}`"),
                ));
            }
            let path = export.folder.join(file);
            if jobs.iter().any(|(p, _)| *p == path) {
                return Err(Error::message(format!(
                    "two images would both be written to {}; group the stack by day first, or {}",
                    path.display(),
                    Remedy::ImageNames
                )));
            }
            jobs.push((path, item));
        }
        Ok(jobs)
    }

    /// Writes every image to its own file and answers the paths. The folder is made where it is missing.
    ///
    /// # Errors
    /// Those of `files`; a folder that cannot be made; what `write` refuses.
    pub fn export(&self, export: &Export, options: &WriteOptions) -> Result<Vec<PathBuf>> {
        let jobs = self.files(export)?;
        if !jobs.is_empty() {
            Folder::make(&export.folder)?;
        }
        for (path, item) in &jobs {
            write(item, path, options)?;
        }
        Ok(jobs.into_iter().map(|(path, _)| path).collect())
    }
}

fn no_time(index: usize) -> Error {
    Error::message(format!("image {} has no time; {}", index + 1, Remedy::ImageTime))
}

#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Rolling {
    Images(usize),
    Days(f64),
}

/// Which images to write, and under what names.
#[derive(Debug, Clone, Default)]
pub struct Export {
    pub folder: PathBuf,
    pub prefix: String,
    /// Used in place of dates.
    pub names: Option<Vec<String>>,
    /// From 1.
    pub first: usize,
    pub max: Option<usize>,
}

/// `10m`, `30m`, or `0.0001deg`.
fn resolution_label(image: &Raster) -> String {
    let (dx, _) = image.grid.resolution();
    let number = format!("{dx:.6}");
    let number = number.trim_end_matches('0').trim_end_matches('.');
    match &image.grid.crs {
        Some(crs) if crs.is_geographic() => format!("{number}deg"),
        Some(_) => format!("{number}m"),
        None => format!("{number}px"),
    }
}

fn compare_options<T>(
    a: Option<T>,
    b: Option<T>,
    order: impl Fn(&T, &T) -> std::cmp::Ordering,
    descending: bool,
) -> std::cmp::Ordering {
    use std::cmp::Ordering;
    match (a, b) {
        (Some(a), Some(b)) => {
            if descending {
                order(&b, &a)
            } else {
                order(&a, &b)
            }
        }
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => Ordering::Equal,
    }
}

fn compare_properties(a: &Property, b: &Property) -> std::cmp::Ordering {
    let number = |p: &Property| match p {
        Property::Number(v) => Some(*v),
        Property::Integer(v) => Some(*v as f64),
        Property::Boolean(v) => Some(f64::from(u8::from(*v))),
        Property::Text(_) | Property::Computed(_) => None,
    };
    match (number(a), number(b)) {
        (Some(x), Some(y)) => x.total_cmp(&y),
        _ => a.to_string().cmp(&b.to_string()),
    }
}

/// A pattern for file names with named parts: `S1?_{platform}_{date:yyyymmdd}_*.tif`. `{name}` takes text up to the
/// next literal character, `{name:yyyymmdd}` and `{name:yyyymmddThhmmss}` take times, `*` anything, `?` one character.
pub struct NamePattern {
    text: String,
    regex: Regex,
    fields: Vec<(String, Option<TimeFormat>)>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum TimeFormat {
    Date,
    DateTime,
    IsoDate,
}

impl NamePattern {
    /// # Errors
    /// A `{` that is not closed; a part without a plain name; a format of times that is unknown.
    pub fn parse(text: &str) -> Result<NamePattern> {
        let bad = |why: String| {
            Error::argument(
                "pattern",
                format!("text with {{name}} or {{name:yyyymmdd}} parts ({why})"),
                format!("`{text}`"),
            )
        };
        let (mut regex, mut fields) = (String::from("^"), Vec::new());
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            rest = &rest[c.len_utf8()..];
            match c {
                '*' => regex.push_str(".*?"),
                '?' => regex.push('.'),
                '{' => {
                    let (inside, after) = rest
                        .split_once('}')
                        .ok_or_else(|| bad("a `{` is not closed".into()))?;
                    rest = after;
                    let (name, format) = inside
                        .split_once(':')
                        .map_or((inside, None), |(n, f)| (n, Some(f)));
                    if name.is_empty() || !name.chars().all(|c| c.is_alphanumeric() || c == '_') {
                        return Err(bad(format!("`{{{inside}}}` has no plain name")));
                    }
                    let (piece, format) = match format {
                        None => ("(.+?)", None),
                        Some("yyyymmdd") => (r"(\d{8})", Some(TimeFormat::Date)),
                        Some("yyyymmddThhmmss") => (r"(\d{8}T\d{6})", Some(TimeFormat::DateTime)),
                        Some("yyyy-mm-dd") => (r"(\d{4}-\d{2}-\d{2})", Some(TimeFormat::IsoDate)),
                        Some(other) => {
                            return Err(bad(format!(
                                "unknown format `{other}`; there are yyyymmdd, yyyy-mm-dd, yyyymmddThhmmss"
                            )));
                        }
                    };
                    regex.push_str(piece);
                    fields.push((name.to_string(), format));
                }
                c => regex.push_str(&regex::escape(&c.to_string())),
            }
        }
        regex.push('$');
        let regex = Regex::new(&regex).map_err(|e| bad(e.to_string()))?;
        Ok(NamePattern {
            text: text.to_string(),
            regex,
            fields,
        })
    }

    /// As it was written.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The parts of a file name; None where it does not match. The first time among them is the image's.
    ///
    /// # Errors
    /// When a part that should be a time is none.
    pub fn matches(&self, name: &str) -> Result<Option<NameParts>> {
        let Some(found) = self.regex.captures(name) else {
            return Ok(None);
        };
        let (mut time, mut properties) = (None, Vec::new());
        for (i, (field, format)) in self.fields.iter().enumerate() {
            let value = found.get(i + 1).map_or("", |m| m.as_str());
            if let Some(format) = format {
                let parsed = parse_time(value, *format).ok_or_else(|| {
                    Error::message(format!("`{value}` in {name} is no date (pattern {})", self.text))
                })?;
                time.get_or_insert(parsed);
            }
            properties.push((field.clone(), Property::Text(value.to_string())));
        }
        Ok(Some(NameParts { time, properties }))
    }
}

pub struct NameParts {
    pub time: Option<Timestamp>,
    pub properties: Vec<(String, Property)>,
}

fn parse_time(text: &str, format: TimeFormat) -> Option<Timestamp> {
    use jiff::civil::{Date, DateTime};
    let moment = match format {
        TimeFormat::Date => Date::strptime("%Y%m%d", text).ok()?.at(0, 0, 0, 0),
        TimeFormat::IsoDate => Date::strptime("%Y-%m-%d", text).ok()?.at(0, 0, 0, 0),
        TimeFormat::DateTime => DateTime::strptime("%Y%m%dT%H%M%S", text).ok()?,
    };
    moment
        .to_zoned(jiff::tz::TimeZone::UTC)
        .ok()
        .map(|z| z.timestamp())
}
/// A file says one unit of all steps of a variable: where both are stated, that of the last of these images is that of the first.
fn check_unit(images: &[Raster]) -> Result<()> {
    let of = |image: &Raster| {
        let band = image.bands.first()?;
        let unit = band.unit.symbol().to_string();
        (!unit.is_empty()).then(|| (band.name.clone(), unit))
    };
    match (images.first().and_then(of), images.last().and_then(of)) {
        (Some((name, first)), Some((_, last))) if first != last => Err(Error::message(format!(
            "the band `{name}` of image {} is in {last}, that of the first in {first}; convert the images to one unit",
            images.len()
        ))),
        _ => Ok(()),
    }
}
