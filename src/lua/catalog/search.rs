//! The class Search: a question to an archive that has not been asked yet.

use std::cell::RefCell;
use std::path::PathBuf;
use std::sync::Arc;

use mlua::{Function, IntoLua, Lua, LuaSerdeExt, Value as LuaValue};

use super::items::LuaItems;
use crate::bind_class;
use crate::bytes::http::{Http, wait};
use crate::catalog::items::Items;
use crate::catalog::pages::{Search, Stream};
use crate::catalog::snapshot as file;
use crate::error::Result;
use crate::lua::spec::ValueType;
use crate::lua::rehearsal::is_told;
use crate::lua::{Args, Builder, Class, FromScript, Module, access};

#[derive(Clone)]
pub struct LuaSearch(pub Arc<dyn Search>);

bind_class!(LuaSearch);

impl FromScript for LuaSearch {
    fn expected() -> String {
        "a Search".into()
    }
    fn kind() -> ValueType {
        ValueType::Of("Search".into())
    }
    fn accept(value: &LuaValue) -> Option<Self> {
        value.as_userdata()?.borrow::<LuaSearch>().ok().map(|search| search.clone())
    }
}

impl LuaSearch {
    pub fn new(search: impl Search + 'static) -> LuaSearch {
        LuaSearch(Arc::new(search))
    }

    fn all(&self) -> Result<Items> {
        let http = Http::shared()?;
        wait(self.0.all(http))
    }
}

impl Class for LuaSearch {
    const NAME: &'static str = "Search";

    fn define(c: &mut Builder<Self>) {
        c.method("all()", |_, this, _| Ok(LuaItems::new(this.all()?)))
            .method("items()", each)
            .method("count()", |_, this, _| wait(this.0.matched(Http::shared()?)))
            .method("request()", |lua, this, _| Ok(lua.to_value(&this.0.describe())?))
            .text(|this| {
                let about = this.0.describe();
                let part = |name: &str| about[name].as_str().unwrap_or("").to_string();
                format!("search of {} at {}, not asked yet: :all(), :items() or :count() do", part("service"), part("url"))
            });
    }
}

/// The items one by one; pages are fetched as they are needed.
fn each(lua: &Lua, this: &LuaSearch, _: &Args) -> Result<Function> {
    struct Running {
        stream: Box<dyn Stream>,
        page: LuaItems,
        next: usize,
    }
    let running = RefCell::new(Running {
        stream: this.0.stream(),
        page: LuaItems::new(Items::default()),
        next: 0,
    });
    Module::alone(lua, "catalog.", "items(...)", move |lua, _| {
        let mut running = running.borrow_mut();
        if running.next >= running.page.0.len() {
            let http = Http::shared()?;
            let Some(items) = wait(running.stream.next(http))? else {
                return Ok(LuaValue::Nil);
            };
            running.page = LuaItems::new(Items::from(items));
            running.next = 0;
        }
        running.next += 1;
        Ok(running.page.item(running.next - 1).into_lua(lua)?)
    })
}

/// The answer of the file if it is there, else the archive's, which goes into the file.
pub fn snapshot(lua: &Lua, args: &Args) -> Result<LuaItems> {
    let path = access(lua).write(args.get::<PathBuf>("path")?)?;
    let search: LuaSearch = args.get("search")?;
    if let Some(items) = file::replay(&path, &search.0.describe())? {
        return Ok(LuaItems::new(items));
    }
    let items = search.all()?;
    if !is_told(lua, "write", &path) {
        file::save(&items, &path)?;
    }
    Ok(LuaItems::new(items))
}
