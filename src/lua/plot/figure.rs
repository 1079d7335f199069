//! The class Figure.

use std::cell::RefCell;
use std::io::Write;
use std::path::PathBuf;
use std::rc::Rc;

use mlua::Value;

use super::Shared;
use super::axes::AxesHandle;
use super::options;
use crate::bind_class;
use crate::console;
use crate::error::Error;
use crate::interrupt;
use crate::work;
use crate::lua::rehearsal::is_told;
use crate::lua::access;
use crate::lua::class::{Builder, Class};
use crate::plot::{Axes, Figure, Terminal};

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
        c.method("axes(options?)", |_, this, args| {
            let mut axes = Axes::chart();
            args.options(|o| options::axes(o, &mut axes))?;
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
        .method("write(path)", |lua, this, args| {
            let path: PathBuf = args.get("path")?;
            let target = access(lua).write(&path)?;
            if !is_told(lua, "write", &target) {
                this.0.borrow().write(&target)?;
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
            let text = Terminal::detect()?.figure(&this.0.borrow())?;
            match console::above(|| std::io::stdout().lock().write_all(text.as_bytes())) {
                Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => {
                    interrupt::request(interrupt::Reason::ReaderGone);
                    Err(Error::Interrupted)
                }
                Err(e) => Err(Error::io("standard output", e)),
                Ok(()) => Ok(()),
            }
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
        .show(|_, this| {
            let text = Terminal::detect()?.figure(&this.0.borrow())?;
            Ok(text.trim_end_matches('\n').to_string())
        });
    }
}
