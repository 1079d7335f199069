//! Chips as files: a folder for each band and one for labels, and training_data.csv, which names the files of each chip.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use super::{Dataset, IGNORED, Scene};
use crate::error::{Error, Result};
use crate::raster::file::open::{OpenOptions, open};
use crate::raster::file::write::{WriteOptions, write};
use crate::raster::memory::from_arrays;
use crate::raster::{DType, Pixels, Raster, Unit};
use crate::table::{CsvOptions, Table, Value};
use crate::{interrupt, work};

const TABLE: &str = "training_data.csv";
const LABELS: &str = "labels";
/// Columns beside the paths.
const GROUP: &str = "group";
const SIDE: &str = "side";

/// The chips of a folder, each a scene of one chip: what `training_data.csv` names, by column the folder and the band. The group is the column of
/// that name, or the name of the file without its number: `AP_1234567_00003.tif` is of `AP_1234567`. A column `side` is a property.
///
/// `resolve` says which file of the folder is read.
///
/// # Errors
/// No table; no labels in it; files that are not there or are no images; bands that lie on different grids.
pub fn read_chips(folder: &Path, resolve: &dyn Fn(&Path) -> Result<PathBuf>) -> Result<Vec<Scene>> {
    let path = resolve(&folder.join(TABLE))?;
    let table = Table::read(&path, &CsvOptions::default())?;
    // The index that other programs write has no name, and no folder.
    let is_folder =
        |name: &str| !name.is_empty() && resolve(&folder.join(name)).is_ok_and(|path| path.is_dir());
    let bands: Vec<String> = table
        .names()
        .filter(|name| is_folder(name))
        .map(str::to_string)
        .collect();
    if !bands.iter().any(|band| band == LABELS) || bands.len() < 2 {
        return Err(Error::file(
            path,
            format!(
                "must have a column `{LABELS}` and one for each band, with folders of these names beside it; it has the columns {}",
                table.names().collect::<Vec<_>>().join(", ")
            ),
        ));
    }
    let progress = work::progress();
    progress.start(table.rows() as u64, "opening chips");
    let scenes = (0..table.rows()).map(|row| {
        interrupt::check()?;
        progress.advance(1);
        one_chip(folder, &table, row, &bands, resolve)
    });
    let scenes = scenes.collect();
    progress.finish();
    scenes
}

fn one_chip(
    folder: &Path,
    table: &Table,
    row: usize,
    bands: &[String],
    resolve: &dyn Fn(&Path) -> Result<PathBuf>,
) -> Result<Scene> {
    let cell = |column: &str| match table.value(row, column) {
        Ok(Value::Text(text)) => Some(text),
        Ok(other) if !other.is_missing() => Some(other.to_string()),
        _ => None,
    };
    let (mut image, mut labels, mut group): (Option<Raster>, _, _) = (None, None, None);
    for band in bands {
        let Some(named) = cell(band) else {
            return Err(Error::message(format!(
                "{TABLE}: row {} names no file in `{band}`",
                row + 1
            )));
        };
        // Paths are of the machine that wrote them; the file lies in the folder of its column.
        let name = named.rsplit(['/', '\\']).next().unwrap_or_default();
        let options = OpenOptions {
            names: Some(vec![band.clone()]),
            ..OpenOptions::default()
        };
        let file = resolve(&folder.join(band).join(name))?;
        let opened = open(&file.to_string_lossy(), &options)?;
        if band == LABELS {
            let stem = name.rsplit_once('.').map_or(name, |(stem, _)| stem);
            group = Some(stem.rsplit_once('_').map_or(stem, |(group, _)| group).to_string());
            labels = Some(opened);
        } else {
            image = Some(match image {
                Some(image) => image.add_bands(&opened)?,
                None => opened,
            });
        }
    }
    let (Some(image), Some(labels), Some(group)) = (image, labels, group) else {
        return Err(Error::message(format!(
            "{TABLE}: row {} has no image or no labels",
            row + 1
        )));
    };
    let side = cell(SIDE).map(|side| (SIDE.to_string(), side));
    Ok(Scene {
        image,
        labels,
        group: cell(GROUP).unwrap_or(group),
        properties: side.into_iter().collect(),
    })
}

impl Dataset {
    /// Writes every chip as `<band>/<group>_<number>.tif` (in the type of its band) and `labels/<group>_<number>.tif` (bytes: classes from 0, 255 for
    /// none), then `training_data.csv` with their paths within the folder, group and side. Numbers begin with 0 in each group.
    ///
    /// # Errors
    /// What reading chips fails with; files that cannot be written; a band called `labels`.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let bands = self.scenes[0].image.band_names();
        if let Some(taken) = bands.iter().find(|band| [LABELS, GROUP, SIDE].contains(band)) {
            return Err(Error::argument(
                "bands",
                format!("other names than {LABELS}, {GROUP} and {SIDE}"),
                taken,
            ));
        }
        for name in bands.iter().chain(&[LABELS]) {
            let folder = folder.join(plain(name));
            std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        }
        let mut numbers: HashMap<String, usize> = HashMap::new();
        let mut rows = Vec::with_capacity(self.chips.len());
        let progress = work::progress();
        progress.start(self.chips.len() as u64, "writing chips");
        let mut written = || -> Result<()> {
            for (i, chip) in self.chips.iter().enumerate() {
                interrupt::check()?;
                let group = &self.scenes[chip.scene].group;
                let number = numbers.entry(plain(group)).or_default();
                let name = format!("{}_{number:05}.tif", plain(group));
                *number += 1;
                let mut row = Vec::with_capacity(bands.len() + 3);
                let image = self.image(i);
                let pixels = self.read_image(i)?;
                for (band, pixels) in image.bands.iter().zip(pixels.outer_iter()) {
                    let place = format!("{}/{name}", plain(&band.name));
                    let array = (
                        band.name.clone(),
                        Pixels::F32(pixels.to_owned()),
                        band.unit.clone(),
                    );
                    let options = WriteOptions {
                        dtype: Some(band.dtype),
                        nodata: band.nodata,
                        ..WriteOptions::default()
                    };
                    write(
                        &from_arrays(image.grid.clone(), vec![array])?,
                        &folder.join(&place),
                        &options,
                    )?;
                    row.push((band.name.clone(), Value::Text(place)));
                }
                let place = format!("{LABELS}/{name}");
                let classes = self.read_labels(i)?.mapv(|class| match class {
                    IGNORED => f32::NAN,
                    class => f32::from(class),
                });
                let array = (LABELS.to_string(), Pixels::F32(classes), Unit::CLASS);
                let options = WriteOptions {
                    dtype: Some(DType::U8),
                    nodata: Some(f64::from(IGNORED)),
                    ..WriteOptions::default()
                };
                write(
                    &from_arrays(image.grid.clone(), vec![array])?,
                    &folder.join(&place),
                    &options,
                )?;
                row.push((LABELS.to_string(), Value::Text(place)));
                row.push((GROUP.to_string(), Value::Text(group.clone())));
                row.push((SIDE.to_string(), Value::Text(chip.side.name().to_string())));
                rows.push(row);
                progress.advance(1);
            }
            Ok(())
        };
        let done = written();
        progress.finish();
        done?;
        Table::from_rows(rows)?.write_csv(&folder.join(TABLE), &CsvOptions::default())
    }
}

/// A name that any file system takes.
fn plain(name: &str) -> String {
    name.chars()
        .map(|c| {
            if c.is_alphanumeric() || "-_.".contains(c) {
                c
            } else {
                '_'
            }
        })
        .collect()
}
