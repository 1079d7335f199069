//! Every name that the bindings register, for completion, help and the test that the stubs are complete.

use std::collections::BTreeMap;
use std::rc::Rc;

use mlua::{AnyUserData, Lua};

use super::spec::Declared;
use crate::error::Result;
use crate::work::Display;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum What {
    Function,
    Method,
    Field,
    /// A constant of a module.
    Value,
}

#[derive(Debug, Clone)]
pub struct Member {
    pub name: String,
    pub what: What,
    /// `filter.refined_lee(raster, options?)`; none for fields and values.
    pub signature: Option<String>,
    /// What its table of options was declared to be.
    pub options: Option<Declared>,
}

type FieldNames = Rc<dyn Fn(&AnyUserData) -> Vec<String>>;
type Show = Rc<dyn Fn(&Lua, &AnyUserData) -> Result<Display>>;

/// A class as the prompt sees it.
#[derive(Clone, Default)]
pub struct ClassInfo {
    pub module: String,
    pub entries: Vec<Member>,
    /// Names that this one object has beyond its class's, such as bands.
    pub dynamic: Option<FieldNames>,
    /// What the prompt shows of an object.
    pub show: Option<Show>,
}

/// Lives in the virtual machine's app data. Modules and classes appear when they are first required.
#[derive(Default)]
pub struct Names {
    pub modules: BTreeMap<String, Vec<Member>>,
    pub classes: BTreeMap<&'static str, ClassInfo>,
    /// Declared tables that are no options of a function but in another parameter.
    pub tables: Vec<Declared>,
}

/// Reads the names that this virtual machine knows so far.
pub fn with_names<R>(lua: &Lua, read: impl FnOnce(&Names) -> R) -> R {
    match lua.app_data_ref::<Names>() {
        Some(names) => read(&names),
        None => read(&Names::default()),
    }
}

pub(crate) fn change_names(lua: &Lua, change: impl FnOnce(&mut Names)) {
    if lua.app_data_ref::<Names>().is_none() {
        lua.set_app_data(Names::default());
    }
    if let Some(mut names) = lua.app_data_mut::<Names>() {
        change(&mut names);
    }
}
