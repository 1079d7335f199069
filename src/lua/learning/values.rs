//! Lua values as classes.

use mlua::{Table, Value};

use crate::error::{Error, Result};
use crate::learning::classes::Classes;
use crate::lua::spec::ValueType;
use crate::lua::value::{FromScript, describe};

impl FromScript for Classes {
    fn expected() -> String {
        "names by code, such as { [0] = \"land\", [1] = \"water\" }".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("table<integer, string>".into())
    }
    fn accept(value: &Value) -> Option<Self> {
        Self::from_script(value, "").ok()
    }
    fn from_script(value: &Value, name: &str) -> Result<Self> {
        let wrong = |got: String| Error::argument(name, Self::expected(), got);
        let Some(table) = Table::accept(value) else {
            return Err(wrong(describe(value)));
        };
        let mut named = Vec::new();
        for pair in table.pairs::<Value, Value>() {
            let (code, class) = pair?;
            match (i64::accept(&code), String::accept(&class)) {
                (Some(code), Some(class)) => named.push((code, class)),
                _ => return Err(wrong(format!("{} for {}", describe(&class), describe(&code)))),
            }
        }
        Classes::new(named)
    }
}
