//! The class Figure.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;

use mlua::Value;

use super::Shared;
use super::axes::AxesHandle;
use super::options::Panel;
use crate::bind_class;
use crate::error::{Error, Result};
use crate::lua::access;
use crate::lua::class::{Builder, Class};
use crate::lua::rehearsal::is_told;
use crate::plot::{Axes, Figure, Terminal};
use crate::work::provenance::{Note, note};
use crate::work::{self, Display, Form};

pub struct FigureHandle(Shared);

impl FigureHandle {
    pub fn new(figure: Figure) -> FigureHandle {
        FigureHandle(Rc::new(RefCell::new(figure)))
    }
}

bind_class!(FigureHandle);

impl Class for FigureHandle {
    const NAME: &'static str = "Figure";

    fn define(c: &mut Builder<Self>) {
        c.method_with("axes(options?)", |_, this, _, o: Panel| {
            let mut axes = Axes::chart();
            o.apply(&mut axes);
            let mut figure = this.0.borrow_mut();
            let (rows, cols) = (figure.rows, figure.cols);
            if figure.axes.len() == rows * cols {
                return Err(Error::message(format!(
                    "all {rows} × {cols} panels (rows × cols) are taken; ask for more in `plot.figure{{ rows = …, cols = … }}`"
                )));
            }
            figure.axes.push(axes);
            Ok(AxesHandle {
                figure: this.0.clone(),
                index: figure.axes.len() - 1,
            })
        })
        .chain("title(text)", |_, this, args| {
            this.0.borrow_mut().title = args.get("text")?;
            Ok(())
        })
        .method("write(path)", |lua, this, args| {
            let path: PathBuf = args.get("path")?;
            let target = access(lua).write(&path)?;
            match work::rehearsal() {
                None => {
                    let figure = this.0.borrow();
                    figure.write(&target)?;
                    if work::output().forms().contains(&Form::Places)
                        && let Some(places) = places(&figure)?
                    {
                        let places = String::from_utf8_lossy(&places);
                        note(Note::Maps { path: &target, places: &places });
                    }
                }
                Some(rehearsal) => {
                    is_told(lua, "write", &target);
                    // To see how long it takes.
                    rehearsal.allow(|| this.0.borrow().file(&target).map(drop))?;
                }
            }
            Ok(path.display().to_string())
        })
        .method("svg()", |_, this, _| match work::rehearsal() {
            Some(rehearsal) => Err(rehearsal.wants("a figure as text".to_string())),
            None => this.0.borrow().svg(),
        })
        .method("show()", |_, this, _| {
            if work::rehearsal().is_some() {
                return Ok(());
            }
            work::output().display(&display(this)?)
        })
        .items(|lua, this, index| {
            let count = this.0.borrow().axes.len();
            let Some(index) = usize::try_from(index - 1).ok().filter(|i| *i < count) else {
                return Ok(None);
            };
            let axes = AxesHandle {
                figure: this.0.clone(),
                index,
            };
            Ok(Some(Value::UserData(lua.create_userdata(axes)?)))
        })
        .length(|this| this.0.borrow().axes.len())
        .text(|this| {
            let figure = this.0.borrow();
            format!("Figure {} × {} (rows × cols), {} axes", figure.rows, figure.cols, figure.axes.len())
        })
        .show(|_, this| display(this));
    }
}

/// Its size in words, and the page as a terminal, a notebook or a report draws it.
fn display(this: &FigureHandle) -> Result<Display> {
    let (on_terminal, as_svg, as_png, on_map) = (this.0.clone(), this.0.clone(), this.0.clone(), this.0.clone());
    let words = this.0.borrow().words()?;
    Ok(Display::new(words)
        .with(Form::Terminal, move || {
            let text = Terminal::detect()?.figure(&on_terminal.borrow())?;
            Ok(Some(text.trim_end_matches('\n').into()))
        })
        .with(Form::Places, move || places(&on_map.borrow()))
        .with(Form::Svg, move || Ok(Some(as_svg.borrow().svg()?.into())))
        .with(Form::Png, move || {
            let figure = as_png.borrow();
            Ok(Some(figure.picture()?.png(Some(figure.dpi))?))
        }))
}

/// Where its maps are; None of charts.
pub fn places(figure: &Figure) -> Result<Option<Vec<u8>>> {
    let places = figure.map_places()?;
    Ok((!places.is_empty()).then(|| serde_json::to_vec(&places).unwrap_or_default()))
}
