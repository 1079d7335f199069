//! The libraries of a project, with those that they need themselves: one list of names, in which each means one thing.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use url::Url;

use super::manifest::{Dependency, FILE, Project};
use crate::error::{Error, Result};
use crate::share::bundle;

/// Modules that scripts of a project require.
#[derive(Debug, Clone, PartialEq)]
pub struct Library {
    /// That begins the names of its modules.
    pub name: String,
    /// By its own project's file.
    pub version: Option<String>,
    /// Where it is, as people know it.
    pub from: String,
    /// Of what was fetched.
    pub sha256: Option<String>,
    pub place: Place,
    /// The project that asks for it.
    by: String,
}

/// Where its modules are.
#[derive(Debug, Clone, PartialEq)]
pub enum Place {
    /// In a folder, by their names.
    Folder(PathBuf),
    /// In one file, which was read: at this place, where it is one of the user's own.
    Texts {
        path: Option<PathBuf>,
        modules: BTreeMap<String, String>,
    },
}

impl Library {
    /// What it is, for people on any machine: without paths of this one.
    pub fn shown(&self) -> String {
        let mut text = self.name.clone();
        if let Some(version) = &self.version {
            text.push_str(&format!(" {version}"));
        }
        if let Some(hash) = &self.sha256 {
            text.push_str(&format!(", {}, sha256 {}…", self.from, &hash[..12]));
        }
        text
    }

    /// Whether both are the same, wherever they were named.
    fn is(&self, other: &Library) -> bool {
        match (&self.sha256, &other.sha256) {
            (Some(one), Some(other)) => one == other,
            _ => self.place == other.place,
        }
    }
}

/// By their names.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Libraries {
    list: BTreeMap<String, Library>,
    /// Modules of bundles that are named otherwise, and whose they are.
    beside: BTreeMap<String, String>,
}

/// What has to be had from elsewhere: the bytes at an address that have this hash.
pub type Bytes<'a> = dyn Fn(&Url, &str) -> Result<Vec<u8>> + 'a;

impl Libraries {
    /// Those of a project. `shipped` are the modules of perilune itself.
    ///
    /// # Errors
    /// A library that is not there, has the name of a module that ships, of another library, or of another project than it is; libraries that need each
    /// other in a circle; those of `bytes`.
    pub fn of(project: &Project, shipped: &[String], bytes: &Bytes) -> Result<Libraries> {
        let mut libraries = Libraries::default();
        let mut way = vec![(project.name.clone(), real(&project.root))];
        libraries.add(project, shipped, bytes, &mut way)?;
        Ok(libraries)
    }

    pub fn iter(&self) -> impl Iterator<Item = &Library> {
        self.list.values()
    }

    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The library that a module of this name belongs to.
    pub fn of_module(&self, name: &str) -> Option<&Library> {
        let first = name.split('.').next().unwrap_or(name);
        self.list
            .get(first)
            .or_else(|| self.list.get(self.beside.get(name)?))
    }

    fn add(
        &mut self,
        project: &Project,
        shipped: &[String],
        bytes: &Bytes,
        way: &mut Vec<(String, PathBuf)>,
    ) -> Result<()> {
        let file = project.file();
        for (name, dependency) in &project.dependencies {
            if shipped.contains(name) {
                return Err(Error::file(
                    &file,
                    format!(
                        "the library `{name}` has the name of a module that ships with perilune; give it another, which is what scripts require"
                    ),
                ));
            }
            let library = open(project, name, dependency, bytes)?;
            let own = match &library.place {
                Place::Folder(folder) => Some(folder.clone()),
                Place::Texts { .. } => None,
            };
            if let Some(folder) = &own
                && let Some(start) = way.iter().position(|(_, root)| root == folder)
            {
                let mut names: Vec<&str> = way[start..].iter().map(|(name, _)| name.as_str()).collect();
                names.push(name);
                return Err(Error::file(
                    &file,
                    format!(
                        "libraries need each other in a circle: {}; take what they share into one of its own",
                        names.join(" → ")
                    ),
                ));
            }
            if let Some(known) = self.list.get(name) {
                if known.is(&library) {
                    continue;
                }
                return Err(Error::file(
                    &file,
                    format!(
                        "two libraries are named `{name}`: {}, which {} needs, and {}, which {} needs; a name means one library in a project, so \
                         have both need the same, or give one of them another name",
                        known.from, known.by, library.from, library.by
                    ),
                ));
            }
            self.enter(library, shipped, &file)?;
            let Some(folder) = own.filter(|folder| folder.join(FILE).is_file()) else {
                continue;
            };
            let inner = Project::read(&folder.join(FILE))?;
            way.push((name.clone(), folder));
            self.add(&inner, shipped, bytes, way)?;
            way.pop();
        }
        Ok(())
    }

    /// # Errors
    /// When a bundle brings a module of a name that means another already.
    fn enter(&mut self, library: Library, shipped: &[String], file: &Path) -> Result<()> {
        if let Place::Texts { modules, .. } = &library.place {
            let others = modules
                .keys()
                .filter(|module| module.split('.').next() != Some(&library.name));
            for module in others {
                let first = module.split('.').next().unwrap_or(module);
                let taken = match self.of_module(module) {
                    Some(other) => Some(format!("one of the library `{}`", other.name)),
                    None if shipped.iter().any(|name| name == first) => {
                        Some("one that ships with perilune".to_string())
                    }
                    None => None,
                };
                if let Some(taken) = taken {
                    return Err(Error::file(
                        file,
                        format!(
                            "the library `{}` brings a module `{module}`, and {taken} has this name; modules of a library are best named {}.…",
                            library.name, library.name
                        ),
                    ));
                }
                self.beside.insert(module.clone(), library.name.clone());
            }
        }
        if let Some(of) = self.beside.get(&library.name) {
            return Err(Error::file(
                file,
                format!(
                    "the library `{of}` brings a module `{}`, and a library has this name",
                    library.name
                ),
            ));
        }
        self.list.insert(library.name.clone(), library);
        Ok(())
    }
}

fn real(path: &Path) -> PathBuf {
    path.canonicalize().unwrap_or_else(|_| path.to_path_buf())
}

/// # Errors
/// When it is not there, or is another.
fn open(project: &Project, name: &str, dependency: &Dependency, bytes: &Bytes) -> Result<Library> {
    let file = project.file();
    let library = |from: &str, place: Place| Library {
        name: name.to_string(),
        version: None,
        from: from.to_string(),
        sha256: None,
        place,
        by: project.name.clone(),
    };
    match dependency {
        Dependency::Fetched {
            address,
            shown,
            sha256,
        } => {
            let bytes = bytes(address, sha256)
                .map_err(|e| Error::file(&file, format!("the library `{name}`: {e}")))?;
            let modules = texts(name, &bytes).map_err(|e| Error::message(format!("{shown}: {e}")))?;
            Ok(Library {
                sha256: Some(sha256.clone()),
                ..library(shown, Place::Texts { path: None, modules })
            })
        }
        Dependency::Path(path) => {
            let at = project.root.join(path);
            let about = fs::metadata(&at).map_err(|_| {
                Error::file(
                    &file,
                    format!(
                        "the library `{name}` is not there: {path}, which is {}",
                        at.display()
                    ),
                )
            })?;
            if about.is_file() {
                let bytes = crate::bounds::read_file(&at, 1, "a module is not that long")?;
                let modules = texts(name, &bytes).map_err(|e| Error::file(&at, e.to_string()))?;
                return Ok(library(
                    path,
                    Place::Texts {
                        path: Some(real(&at)),
                        modules,
                    },
                ));
            }
            let folder = real(&at);
            let own = folder.join(FILE);
            let mut library = library(path, Place::Folder(folder));
            if own.is_file() {
                let inner = Project::read(&own)?;
                if inner.name != name {
                    return Err(Error::file(
                        &file,
                        format!(
                            "the library `{name}` is the project `{}` by {}; name it so, which is what scripts require",
                            inner.name,
                            own.display()
                        ),
                    ));
                }
                library.version = inner.version;
            }
            Ok(library)
        }
    }
}

/// The modules of one file: itself, or all of a bundle.
///
/// # Errors
/// What is no text of Lua, and what is wrong with a bundle.
fn texts(name: &str, bytes: &[u8]) -> Result<BTreeMap<String, String>> {
    if bytes.starts_with(b"\x1bLua") {
        return Err(Error::message(
            "this is compiled Lua; only the text of modules is run",
        ));
    }
    if !bundle::is_one(bytes) {
        let text = String::from_utf8(bytes.to_vec())
            .map_err(|_| Error::message("no module: its text is not UTF-8"))?;
        return Ok(BTreeMap::from([(name.to_string(), text)]));
    }
    let found = bundle::read(bytes)?;
    let parts = found.manifest.modules.into_iter().zip(found.modules);
    let mut modules: BTreeMap<String, String> = parts.map(|(part, text)| (part.name, text)).collect();
    let script = match found.script.starts_with('#') {
        true => format!("--{}", found.script),
        false => found.script,
    };
    match modules.insert(name.to_string(), script) {
        None => Ok(modules),
        Some(_) => Err(Error::message(format!(
            "the bundle has a module `{name}` beside its script, which would be required by that name"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::share::provenance::sha256;

    /// A folder of projects: name, dependencies.
    fn projects(list: &[(&str, &str)]) -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        for (name, dependencies) in list {
            let root = folder.path().join(name);
            fs::create_dir_all(&root).unwrap();
            let own = name.rsplit('/').next().unwrap();
            let text =
                format!("[project]\nname = \"{own}\"\nversion = \"2.0\"\n[dependencies]\n{dependencies}");
            fs::write(root.join(FILE), text).unwrap();
        }
        folder
    }

    fn of(folder: &Path, name: &str) -> Result<Libraries> {
        let project = Project::read(&folder.join(name).join(FILE)).unwrap();
        Libraries::of(
            &project,
            &["raster".into()],
            &|_, hash| match hash == sha256(b"return 1") {
                true => Ok(b"return 1".to_vec()),
                false => Err(Error::message("nobody has that")),
            },
        )
    }

    #[test]
    fn libraries_bring_those_that_they_need() {
        let hash = sha256(b"return 1");
        let fetched = format!("flow = {{ url = \"https://a.org/f.lua\", sha256 = \"{hash}\" }}");
        let folder = projects(&[
            (
                "ice",
                &format!("glacier = {{ path = \"../glacier\" }}\n{fetched}"),
            ),
            (
                "glacier",
                &format!(
                    "tools = {{ path = \"../tools\" }}\n{}",
                    fetched.replace("a.org", "b.org")
                ),
            ),
            ("tools", ""),
        ]);
        let found = of(folder.path(), "ice").unwrap();
        let shown: Vec<String> = found.iter().map(Library::shown).collect();
        // The same bytes from two places are one library.
        assert_eq!(shown.len(), 3, "{shown:?}");
        assert!(
            shown[0].starts_with("flow, https://") && shown[0].contains(&hash[..12]),
            "{shown:?}"
        );
        assert_eq!(shown[1..], ["glacier 2.0", "tools 2.0"]);
        assert_eq!(found.of_module("tools.edges").unwrap().name, "tools");
        assert!(found.of_module("toolsy").is_none());
    }

    #[test]
    fn what_cannot_be_meant_is_refused() {
        let folder = projects(&[
            ("a", "b = { path = \"../b\" }"),
            ("b", "c = { path = \"../c\" }"),
            ("c", "b = { path = \"../b\" }"),
            ("itself", "itself = { path = \".\" }"),
            (
                "two",
                "one = { path = \"../one\" }\ntools = { path = \"../tools\" }",
            ),
            ("one", "tools = { path = \"../other/tools\" }"),
            ("tools", ""),
            ("other/tools", ""),
            ("shadow", "raster = { path = \"../tools\" }"),
            ("gone", "nowhere = { path = \"../nowhere\" }"),
            ("named", "toolz = { path = \"../tools\" }"),
            (
                "far",
                &format!(
                    "x = {{ url = \"https://a.org/x.lua\", sha256 = \"{}\" }}",
                    "0".repeat(64)
                ),
            ),
        ]);
        for (name, said) in [
            ("a", "in a circle: b → c → b"),
            ("itself", "in a circle: itself → itself"),
            ("two", "two libraries are named `tools`: "),
            ("shadow", "has the name of a module that ships with perilune"),
            ("gone", "the library `nowhere` is not there: ../nowhere"),
            ("named", "is the project `tools` by"),
            ("far", "the library `x`: nobody has that"),
        ] {
            let error = of(folder.path(), name).unwrap_err().to_string();
            assert!(error.contains(said), "{name}: {error}");
        }
    }
}
