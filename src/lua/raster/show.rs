//! How an image shows itself: what it is, and a small map of its first band where that is quickly made.

use std::cell::OnceCell;
use std::fmt::Write;
use std::rc::Rc;

use base64::Engine;

use super::values::time_text;
use crate::error::{Error, Result};
use crate::lua::plot;
use crate::raster::graph::Work;
use crate::raster::{Band, Class, Raster};
use crate::work::markup::escaped;
use crate::work::{Display, Form};

/// What the image is stays worth knowing where there is no picture of it, as when a file of it has gone.
pub fn display(raster: &Raster) -> Display {
    let text = several_lines(raster);
    let (below, on_terminal) = (text.clone(), raster.clone());
    let picture = Rc::new(Picture {
        raster: raster.clone(),
        made: OnceCell::new(),
    });
    let (alone, placed) = (picture.clone(), picture.clone());
    Display::new(text)
        .with(Form::Terminal, move || {
            let picture = plot::glance_in_terminal(&on_terminal)?;
            Ok(picture.map(|picture| format!("{below}\n{picture}").into()))
        })
        .with(Form::Html, move || Ok(Some(html(&picture)?.into())))
        .with(Form::Png, move || Ok(alone.png()?.map(<[u8]>::to_vec)))
        .with(Form::Places, move || Ok(placed.made()?.and_then(|made| made.places.clone())))
        .or_say("no picture")
}

/// Made once, for all forms that hold it.
struct Picture {
    raster: Raster,
    made: OnceCell<Option<Made>>,
}

struct Made {
    png: Vec<u8>,
    places: Option<Vec<u8>>,
}

impl Picture {
    fn made(&self) -> Result<Option<&Made>> {
        if self.made.get().is_none() {
            let made = match plot::glance(&self.raster)? {
                None => None,
                Some(figure) => Some(Made {
                    png: figure.picture()?.png(Some(figure.dpi))?,
                    places: plot::places(&figure)?,
                }),
            };
            // Nobody else has set it.
            let _ = self.made.set(made);
        }
        Ok(self.made.get().and_then(Option::as_ref))
    }

    fn png(&self) -> Result<Option<&[u8]>> {
        Ok(self.made()?.map(|made| made.png.as_slice()))
    }
}

/// The grid, then a line for each band with what it is made by.
fn several_lines(raster: &Raster) -> String {
    let mut text = format!("Raster {}\n", raster.grid);
    if let Some(time) = time_text(raster.time) {
        let _ = writeln!(text, "time {time}");
    }
    let width = raster.bands.iter().map(|b| b.name.chars().count()).max().unwrap_or(0);
    for band in &raster.bands {
        let source = made_by(band).map_or(String::new(), |name| format!("  ← {name}"));
        let unit = band.unit.symbol();
        let line = format!("  {:width$}  {:9} {unit:6}{source}", band.name, band.dtype.name());
        let _ = writeln!(text, "{}", line.trim_end());
        if !band.unit.classes().is_empty() {
            let _ = writeln!(text, "  {:width$}  {}", "", classes_line(band.unit.classes()));
        }
    }
    text.truncate(text.trim_end().len());
    text
}

/// Classes that a line has room for.
const SHOWN_CLASSES: usize = 8;

/// `0 land, 1 water`
fn classes_line(classes: &[Class]) -> String {
    let shown = classes.iter().take(SHOWN_CLASSES);
    let mut parts: Vec<String> = shown.map(|class| format!("{} {}", class.value, class.name)).collect();
    if classes.len() > SHOWN_CLASSES {
        parts.push(format!("… ({} classes)", classes.len()));
    }
    parts.join(", ")
}

/// The operation that gives a band; None of what a file holds.
fn made_by(band: &Band) -> Option<String> {
    match &band.port.node.work {
        Work::Tiles(operation) if operation.block().is_some() => None,
        _ => Some(band.port.node.name()),
    }
}

fn html(picture: &Picture) -> Result<String> {
    let raster = &picture.raster;
    let mut out = format!("<p>{}", escaped(&format!("Raster {}", raster.grid)));
    if let Some(time) = time_text(raster.time) {
        let _ = write!(out, "<br>time {}", escaped(&time));
    }
    out.push_str("</p>\n<table>\n");
    let row = |out: &mut String, tag: &str, cells: [&str; 4]| {
        out.push_str("<tr>");
        for cell in cells {
            let _ = write!(out, "<{tag} style=\"text-align: left\">{}</{tag}>", escaped(cell));
        }
        out.push_str("</tr>\n");
    };
    row(&mut out, "th", ["band", "type", "unit", "made by"]);
    for band in &raster.bands {
        let source = made_by(band).unwrap_or_else(|| "file".into());
        row(&mut out, "td", [&band.name, band.dtype.name(), band.unit.symbol(), &source]);
    }
    out.push_str("</table>\n");
    match picture.png() {
        Ok(Some(png)) => {
            let data = base64::engine::general_purpose::STANDARD.encode(png);
            let name = raster.bands.first().map_or("", |band| band.name.as_str());
            let _ = writeln!(out, "<img alt=\"map of {}\" src=\"data:image/png;base64,{data}\">", escaped(name));
        }
        Ok(None) => {}
        Err(Error::Interrupted) => return Err(Error::Interrupted),
        Err(error) => {
            let _ = writeln!(out, "<p>(no picture: {})</p>", escaped(&error.to_string()));
        }
    }
    Ok(out)
}
