//! The text of the interface and the code say the same, and docs/api is made from it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use perilune::host::documentation::{self, Entry, Kind};
use perilune::host::{Limits, Runtime, loader};
use perilune::lua::names::{Names, What, with_names};
use perilune::lua::spec::Declared;
use perilune::lua::{Access, MODULES};

fn with_everything<R>(read: impl FnOnce(&Names) -> R) -> R {
    let runtime = Runtime::new(Limits::default(), Access::new("/")).unwrap();
    for name in MODULES {
        loader::load(runtime.lua(), name).unwrap();
    }
    with_names(runtime.lua(), read)
}

fn documented(name: &str) -> Option<&'static Entry> {
    documentation::find(name)
}

#[test]
fn every_native_name_has_a_stub_with_the_same_parameters() {
    let mut wrong = Vec::new();
    with_everything(|names| {
        for (module, entries) in &names.modules {
            let Some(page) = documented(module) else {
                wrong.push(format!("stdlib/_meta/{module}.lua has no class {module}"));
                continue;
            };
            for entry in entries {
                let full = format!("{module}.{}", entry.name);
                compare(&full, entry.what, entry.signature.as_deref(), page, &mut wrong);
            }
        }
        for (class, info) in &names.classes {
            let Some(page) = documented(class) else {
                wrong.push(format!("no stub of class {class}"));
                continue;
            };
            for entry in &info.entries {
                let full = format!("{class}:{}", entry.name);
                compare(&full, entry.what, entry.signature.as_deref(), page, &mut wrong);
            }
        }
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

fn compare(full: &str, what: What, signature: Option<&str>, owner: &Entry, wrong: &mut Vec<String>) {
    if matches!(what, What::Field | What::Value) {
        let short = full.rsplit(['.', ':']).next().unwrap();
        if !owner.fields.iter().any(|f| f.name == short) {
            wrong.push(format!("no ---@field {short} of {}", owner.name));
        }
        return;
    }
    match documented(full) {
        None => wrong.push(format!("no stub of {full}")),
        Some(entry) => {
            if let Some(signature) = signature.filter(|s| *s != entry.signature()) {
                wrong.push(format!(
                    "{full}: the code takes {signature}, the stub says {}",
                    entry.signature()
                ));
            }
            if entry.summary.is_empty() {
                wrong.push(format!("{full}: the stub says nothing"));
            }
        }
    }
}

#[test]
fn every_stub_is_of_something() {
    let known: BTreeSet<String> = with_everything(|names| {
        let functions = names
            .modules
            .iter()
            .flat_map(|(m, list)| list.iter().map(move |e| format!("{m}.{}", e.name)));
        let methods = names
            .classes
            .iter()
            .flat_map(|(c, info)| info.entries.iter().map(move |e| format!("{c}:{}", e.name)));
        functions.chain(methods).collect()
    });
    let native = |entry: &&Entry| MODULES.contains(&entry.module.as_str());
    let stubs = documentation::entries().iter().filter(native);
    let strangers: Vec<&str> = stubs
        .filter(|e| matches!(e.kind, Kind::Function | Kind::Method) && !known.contains(&e.name))
        .map(|e| e.name.as_str())
        .collect();
    assert!(
        strangers.is_empty(),
        "stubs without a function: {}",
        strangers.join(", ")
    );
}

#[test]
fn option_tables_that_are_named_exist() {
    let mut missing = BTreeSet::new();
    for entry in documentation::entries() {
        for field in entry.parameters.iter().chain(&entry.fields) {
            let words = field
                .type_name
                .split(|c: char| !(c.is_alphanumeric() || c == '_' || c == '.'));
            missing.extend(
                words
                    .filter(|w| w.ends_with("Options") && documented(w).is_none())
                    .map(|w| format!("{w} (in {})", entry.name)),
            );
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// The tables of options that the code declares, those that they build on included, by name.
fn declared() -> BTreeMap<&'static str, Declared> {
    let mut waiting: Vec<Declared> = with_everything(|names| {
        let functions = names.modules.values().flatten();
        let methods = names.classes.values().flat_map(|info| &info.entries);
        functions
            .chain(methods)
            .filter_map(|e| e.options)
            .chain(names.tables.iter().copied())
            .collect()
    });
    let mut found = BTreeMap::new();
    while let Some(table) = waiting.pop() {
        if found.insert(table.name, table).is_none() {
            waiting.extend(table.tables());
        }
    }
    found
}

/// Types, defaults, choices and limits of options stand once, in the code: their lines in the stubs are made from it.
#[test]
fn declared_options_are_those_of_the_stubs() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("stdlib/_meta");
    // `Table.SortOptions` stands in tables.lua: not every class is called as its file.
    let stubs: Vec<_> = std::fs::read_dir(&folder)
        .unwrap()
        .map(|e| e.unwrap().path())
        .collect();
    let mut stale = Vec::new();
    for (name, table) in declared() {
        let opens = |line: &str| {
            line.strip_prefix("---@class ")
                .is_some_and(|rest| rest.split([':', ' ']).next() == Some(name))
        };
        let found = stubs.iter().find_map(|path| {
            let text = std::fs::read_to_string(path).unwrap();
            let start = text.lines().position(opens)?;
            Some((path, text, start))
        });
        let Some((path, text, start)) = found else {
            stale.push(format!("no stub has ---@class {name}"));
            continue;
        };
        let lines: Vec<&str> = text.lines().collect();
        let fields = lines[start + 1..]
            .iter()
            .take_while(|l| l.starts_with("---@field"));
        let end = start + 1 + fields.count();
        let current: String = lines[start..end].iter().map(|l| format!("{l}\n")).collect();
        let wanted = table.stub();
        if current != wanted && std::env::var_os("PERILUNE_BLESS").is_some() {
            std::fs::write(path, text.replace(&current, &wanted)).unwrap();
        } else if current != wanted {
            stale.push(format!("{name}: the stub says\n{current}and the code\n{wanted}"));
        }
    }
    let bless = "PERILUNE_BLESS=1 cargo test --test cli declared_options writes them; build again after it";
    assert!(stale.is_empty(), "{bless}\n{}", stale.join("\n"));
}

/// A table that a call needs is marked as needed, and the stub names the table that the function reads.
#[test]
fn functions_take_the_tables_that_their_stubs_name() {
    let mut wrong = Vec::new();
    with_everything(|names| {
        let functions = names
            .modules
            .iter()
            .flat_map(|(module, list)| list.iter().map(move |e| (format!("{module}.{}", e.name), e)));
        let methods = names.classes.iter().flat_map(|(class, info)| {
            info.entries
                .iter()
                .map(move |e| (format!("{class}:{}", e.name), e))
        });
        for (full, entry) in functions.chain(methods) {
            let parameters = documented(&full).map_or(&[][..], |stub| &stub.parameters);
            let Some(stub) = parameters.iter().find(|p| p.name == "options") else {
                continue;
            };
            let Some(table) = entry.options else {
                wrong.push(format!(
                    "{full} reads options that are declared nowhere; declare them by `options!`"
                ));
                continue;
            };
            if stub.type_name != table.name {
                wrong.push(format!(
                    "{full} takes {}, the stub says {}",
                    table.name, stub.type_name
                ));
            }
            // Without a field that is needed, one of several may be.
            if stub.optional && table.required() {
                wrong.push(format!(
                    "{full}: {} has a field that a call must give",
                    table.name
                ));
            }
        }
    });
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// What Tab offers for `colormap = "` is what there is.
#[test]
fn aliases_list_what_the_code_has() {
    let listed = documentation::choices("Colormap");
    assert_eq!(listed, perilune::plot::Colormap::names());
}

#[test]
fn every_options_table_is_described() {
    let callable = documentation::entries()
        .iter()
        .filter(|e| matches!(e.kind, Kind::Function | Kind::Method));
    let bare: Vec<&str> = callable
        .filter(|e| {
            let mut options = e.parameters.iter().filter(|p| p.name == "options");
            options.any(|p| documentation::table_in(documentation::entries(), &p.type_name).is_none())
        })
        .map(|e| e.name.as_str())
        .collect();
    assert!(
        bare.is_empty(),
        "no ---@class describes the options of {}",
        bare.join(", ")
    );
}

#[test]
fn tables_have_the_fields_of_their_parents() {
    let fields = |name: &str| -> Vec<&str> {
        let entry = documented(name).unwrap();
        entry.fields.iter().map(|f| f.name.as_str()).collect()
    };
    let maps = fields("plot.MapsOptions");
    for parent in [
        "plot.SizeOptions",
        "plot.AxesOptions",
        "plot.ImageOptions",
        "plot.StretchOptions",
    ] {
        for field in fields(parent) {
            assert_eq!(
                maps.iter().filter(|name| **name == field).count(),
                1,
                "{field} of {parent}"
            );
        }
    }
    for entry in documentation::entries() {
        for parent in &entry.parents {
            assert!(
                documented(parent).is_some(),
                "{} is said to have the fields of {parent}, which is not there",
                entry.name
            );
        }
    }
}

#[test]
fn the_pages_in_docs_api_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/api");
    let pages = documentation::pages();
    if std::env::var_os("PERILUNE_BLESS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in &pages {
            std::fs::write(folder.join(name), text).unwrap();
        }
    }
    let bless = "PERILUNE_BLESS=1 cargo test --test cli the_pages_in_docs_api writes them";
    for (name, text) in &pages {
        let disk = std::fs::read_to_string(folder.join(name)).unwrap_or_default();
        assert!(disk == *text, "docs/api/{name} is stale; {bless}");
    }
    for entry in std::fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        assert!(
            pages.contains_key(&name),
            "docs/api/{name} is of no module any more"
        );
    }
}
