//! What `perilune.toml` says.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use toml_edit::{Document, Item, TableLike};
use url::Url;

use super::store::is_hash;
use crate::bounds;
use crate::bytes::http::{parse_url, redacted};
use crate::error::{Error, Result, nearest};
use crate::share::bundle::inside;
use crate::share::permissions::{Requirement, escaped};

/// The name of the file.
pub const FILE: &str = "perilune.toml";
/// Of its form. Grows when a program that knows the older form would misunderstand the newer one.
const FORMAT: i64 = 1;
/// Bytes of the longest one.
const LONGEST: u64 = 1 << 20;
/// Where archives' files are, if not at Zenodo itself.
const ZENODO: &str = "PERILUNE_ZENODO_URL";

/// A project by its file.
#[derive(Debug, Clone, PartialEq)]
pub struct Project {
    /// The folder that holds the file.
    pub root: PathBuf,
    pub name: String,
    pub version: Option<String>,
    pub authors: Vec<String>,
    pub licence: Option<String>,
    /// By the names that scripts require them by.
    pub dependencies: BTreeMap<String, Dependency>,
    /// Paths of scripts, from the root, by the names that they are run by.
    pub scripts: BTreeMap<String, String>,
}

/// Where a library is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Dependency {
    /// A folder, or a file of Lua, on this machine; relative ones count from the root.
    Path(String),
    Fetched {
        address: Url,
        /// As people know it: the address, or DOI and file.
        shown: String,
        sha256: String,
    },
}

/// A name for a library: the first part of the names of its modules.
pub fn is_library_name(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 100
        && name
            .chars()
            .all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-')
}

impl Project {
    /// The project that a folder is in: that of the nearest `perilune.toml`, in it or above. One that belongs to another user than this one, the
    /// system's, or `folder`'s own is passed over: anybody may put a file into the folders that all share.
    ///
    /// # Errors
    /// As `read`.
    pub fn around(folder: &Path) -> Result<Option<Project>> {
        let Ok(folder) = folder.canonicalize() else {
            return Ok(None);
        };
        // SAFETY: geteuid has no preconditions.
        let user = unsafe { libc::geteuid() };
        let owner = fs::metadata(&folder).map_or(user, |data| data.uid());
        for above in folder.ancestors() {
            let path = above.join(FILE);
            match fs::metadata(&path) {
                Ok(data) if data.is_file() && [user, owner, 0].contains(&data.uid()) => {
                    return Project::read(&path).map(Some);
                }
                _ => {}
            }
        }
        Ok(None)
    }

    /// # Errors
    /// A file that cannot be read, is no TOML, is of a later form or for another version of perilune, or says what no project says; with the line.
    pub fn read(path: &Path) -> Result<Project> {
        let bytes = bounds::read_file(path, 1, "a project's file is not that long")?;
        let text = String::from_utf8(bytes).map_err(|_| Error::file(path, "its text is not UTF-8"))?;
        if text.len() as u64 > LONGEST {
            return Err(Error::file(
                path,
                "is longer than a project's file, which has at most 1 MiB",
            ));
        }
        Project::from_text(&text, path)
    }

    /// What the file at `path` says, or would say.
    ///
    /// # Errors
    /// As `read`.
    pub fn from_text(text: &str, path: &Path) -> Result<Project> {
        let root = path.parent().map(Path::to_path_buf).unwrap_or_default();
        Project::parse(text, &root).map_err(|(at, what)| {
            let line = at.map_or(String::new(), |at| {
                format!(":{}", text[..at.start.min(text.len())].matches('\n').count() + 1)
            });
            Error::message(format!("{}{line}: {what}", path.display()))
        })
    }

    fn parse(text: &str, root: &Path) -> Result<Project, Wrong> {
        let document =
            Document::parse(text).map_err(|e| (e.span(), format!("is no TOML: {}", e.message().trim())))?;
        let top = document.as_table();
        // What a later form means nobody knows here: before everything else.
        if let Some(format) = top.get("format") {
            match format.as_integer() {
                Some(FORMAT) => {}
                Some(later) if later > FORMAT => {
                    return Err((
                        format.span(),
                        format!(
                            "is of form {later}, and this perilune knows form {FORMAT}: a later perilune reads it"
                        ),
                    ));
                }
                _ => return Err((format.span(), format!("format must be {FORMAT}"))),
            }
        }
        let empty = toml_edit::Table::new();
        let table = |name: &str| -> Result<&dyn TableLike, Wrong> {
            match top.get(name) {
                None => Ok(&empty),
                Some(item) => item
                    .as_table_like()
                    .ok_or_else(|| (item.span(), format!("{name} must be a table, [{name}]"))),
            }
        };
        let about = table("project")?;
        if let Some((item, wanted)) = text_of(about, "perilune", "project")? {
            let requirement = Requirement::parse(&wanted).map_err(|_| {
                (
                    item.span(),
                    format!("project.perilune must be a comparison such as \">= 0.3\" or \">= 0.3, < 1\", got {wanted:?}"),
                )
            })?;
            let here = env!("CARGO_PKG_VERSION");
            if !requirement.admits(here) {
                return Err((
                    item.span(),
                    format!(
                        "the project needs perilune {requirement}, and this is {here}; install a version that will do"
                    ),
                ));
            }
        }
        known(top, "", &["format", "project", "dependencies", "scripts"])?;
        known(
            about,
            "project.",
            &["name", "version", "perilune", "authors", "licence"],
        )?;
        let plain = |name: &str| -> Result<Option<String>, Wrong> {
            Ok(text_of(about, name, "project")?.map(|(_, text)| text))
        };
        let Some((item, name)) = text_of(about, "name", "project")? else {
            return Err((
                None,
                "has no project.name: write [project] and name = \"…\"".into(),
            ));
        };
        if !is_library_name(&name) {
            return Err((
                item.span(),
                format!(
                    "project.name is `{}`, and must be of letters of ASCII, digits, `_` and `-`",
                    escaped(&name)
                ),
            ));
        }
        let authors = match about.get("authors") {
            None => Vec::new(),
            Some(item) => {
                let texts = item.as_array().map(|list| {
                    list.iter()
                        .map(|author| author.as_str().map(str::to_string))
                        .collect::<Option<Vec<String>>>()
                });
                texts
                    .flatten()
                    .ok_or_else(|| (item.span(), "project.authors must be a list of texts".to_string()))?
            }
        };
        let mut dependencies = BTreeMap::new();
        let listed = table("dependencies")?;
        for (name, item) in listed.iter() {
            let at = listed.key(name).and_then(toml_edit::Key::span).or(item.span());
            if !is_library_name(name) {
                return Err((
                    at,
                    format!(
                        "a library is named `{}`, and must be of letters of ASCII, digits, `_` and `-`: it is what scripts require",
                        escaped(name)
                    ),
                ));
            }
            let dependency = dependency(name, item).map_err(|(span, what)| (span.or(at), what))?;
            dependencies.insert(name.to_string(), dependency);
        }
        let mut scripts = BTreeMap::new();
        let named = table("scripts")?;
        for (name, _) in named.iter() {
            let Some((item, path)) = text_of(named, name, "scripts")? else {
                continue;
            };
            if !is_library_name(name) || !inside(&path) || !path.ends_with(".lua") {
                return Err((
                    item.span(),
                    format!(
                        "scripts.{} is `{}`, and must be a name of letters and digits with the path of a file .lua in the project, without `..`",
                        escaped(name),
                        escaped(&path)
                    ),
                ));
            }
            scripts.insert(name.to_string(), path);
        }
        Ok(Project {
            root: root.to_path_buf(),
            name,
            version: plain("version")?,
            authors,
            licence: plain("licence")?,
            dependencies,
            scripts,
        })
    }

    pub fn file(&self) -> PathBuf {
        self.root.join(FILE)
    }
}

/// What is wrong, and where.
type Wrong = (Option<Range<usize>>, String);

/// # Errors
/// A key that is none, with the one that was meant.
fn known(table: &dyn TableLike, within: &str, keys: &[&str]) -> Result<(), Wrong> {
    for (name, item) in table.iter() {
        if keys.contains(&name) {
            continue;
        }
        let hint = match nearest(name, keys.iter().copied()) {
            Some(near) => format!("did you mean `{within}{near}`?"),
            None => format!("there are: {}", keys.join(", ")),
        };
        let at = table.key(name).and_then(toml_edit::Key::span).or(item.span());
        return Err((at, format!("unknown key `{within}{}`; {hint}", escaped(name))));
    }
    Ok(())
}

/// A text, and where it stands.
fn text_of<'a>(
    table: &'a dyn TableLike,
    name: &str,
    within: &str,
) -> Result<Option<(&'a Item, String)>, Wrong> {
    let Some(item) = table.get(name) else {
        return Ok(None);
    };
    match item.as_str() {
        Some(text) if !text.trim().is_empty() && !text.contains('\0') => Ok(Some((item, text.to_string()))),
        _ => Err((
            item.span(),
            format!("{within}.{} must be a text, in quotes", escaped(name)),
        )),
    }
}

fn dependency(name: &str, item: &Item) -> Result<Dependency, Wrong> {
    const WAYS: &str = "{ path = \"../folder\" }, { url = \"https://…/x.lua\", sha256 = \"…\" } or { doi = \"10.5281/zenodo.N\", file = \"x.lua\", sha256 = \"…\" }";
    let within = format!("dependencies.{name}");
    let Some(table) = item.as_table_like() else {
        return Err((item.span(), format!("{within} must be {WAYS}")));
    };
    known(
        table,
        &format!("{within}."),
        &["path", "url", "doi", "file", "sha256"],
    )?;
    let text = |key: &str| -> Result<Option<String>, Wrong> {
        Ok(text_of(table, key, &within)?.map(|(_, text)| text))
    };
    let hash = || -> Result<String, Wrong> {
        let Some((item, hash)) = text_of(table, "sha256", &within)? else {
            return Err((
                item.span(),
                format!(
                    "{within} has no sha256, and nothing that was fetched runs without its hash; `perilune add {name}` with the same --url or --doi writes it"
                ),
            ));
        };
        match is_hash(&hash) {
            true => Ok(hash),
            false => Err((
                item.span(),
                format!(
                    "{within}.sha256 must be 64 hexadecimal digits in lower case, got `{}`",
                    escaped(&hash)
                ),
            )),
        }
    };
    let wrong = |e: Error| (item.span(), format!("{within}: {e}"));
    match (text("path")?, text("url")?, text("doi")?, text("file")?) {
        (Some(path), None, None, None) => match table.contains_key("sha256") {
            false => Ok(Dependency::Path(path)),
            true => Err((
                item.span(),
                format!("{within} is a path, which is read as it is, and has no sha256: leave it out"),
            )),
        },
        (None, Some(url), None, None) => Dependency::at_address(&url, hash()?).map_err(wrong),
        (None, None, Some(doi), Some(file)) => Dependency::in_archive(&doi, &file, hash()?).map_err(wrong),
        (None, None, Some(_), None) => Err((
            item.span(),
            format!("{within} has a doi and no file: write file = \"x.lua\""),
        )),
        _ => Err((item.span(), format!("{within} must be one of {WAYS}"))),
    }
}

impl Dependency {
    /// # Errors
    /// When it is no address of the web, or one that says what it is by a login in it.
    pub fn at_address(text: &str, sha256: String) -> Result<Dependency> {
        let address = parse_url("url", text)?;
        if !address.username().is_empty() || address.password().is_some() {
            return Err(Error::message(format!(
                "{} holds a login, which everybody who reads {FILE} would have; `perilune login HOST` keeps logins",
                redacted(&address)
            )));
        }
        let shown = redacted(&address);
        Ok(Dependency::Fetched {
            address,
            shown,
            sha256,
        })
    }

    /// A file of a record at Zenodo.
    ///
    /// # Errors
    /// When the DOI is of another archive, or the file's name is none.
    pub fn in_archive(doi: &str, file: &str, sha256: String) -> Result<Dependency> {
        let plain = doi
            .trim_start_matches("https://doi.org/")
            .trim_start_matches("doi:");
        let number = plain.strip_prefix("10.5281/zenodo.");
        let Some(number) =
            number.filter(|number| !number.is_empty() && number.chars().all(|c| c.is_ascii_digit()))
        else {
            return Err(Error::message(format!(
                "`{}` is no DOI of Zenodo, such as 10.5281/zenodo.1234567; a file of another archive is named by its address, url = \"https://…\"",
                escaped(doi)
            )));
        };
        if file.contains(['/', '\\', '?', '#']) || file.starts_with('.') || file.is_empty() {
            return Err(Error::message(format!(
                "`{}` is no name of a file in a record",
                escaped(file)
            )));
        }
        let base = std::env::var(ZENODO).ok().filter(|base| !base.is_empty());
        let base = parse_url(ZENODO, base.as_deref().unwrap_or("https://zenodo.org"))?;
        let address = base
            .join(&format!("/records/{number}/files/{file}"))
            .map_err(|e| Error::message(format!("{file}: {e}")))?;
        Ok(Dependency::Fetched {
            address,
            shown: format!("doi:{plain}, {file}"),
            sha256,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Project> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(FILE);
        fs::write(&path, text).unwrap();
        Project::read(&path)
    }

    #[test]
    fn projects_are_read() {
        let hash = "a".repeat(64);
        let project = read(&format!(
            "[project]\nname = \"ice\"\nversion = \"1.0\"\nperilune = \">= 0.1\"\nauthors = [\"A\"]\nlicence = \"MIT\"\n\
             [dependencies]\nglacier = {{ path = \"../glacier\" }}\nflow = {{ url = \"https://example.org/flow.lua\", sha256 = \"{hash}\" }}\n\
             [dependencies.old]\ndoi = \"10.5281/zenodo.42\"\nfile = \"old.lua\"\nsha256 = \"{hash}\"\n[scripts]\nvelocity = \"scripts/velocity.lua\"\n"
        ))
        .unwrap();
        assert_eq!(
            project.dependencies["glacier"],
            Dependency::Path("../glacier".into())
        );
        let Dependency::Fetched { address, shown, .. } = &project.dependencies["old"] else {
            panic!("{project:?}");
        };
        assert_eq!(address.as_str(), "https://zenodo.org/records/42/files/old.lua");
        assert_eq!(shown, "doi:10.5281/zenodo.42, old.lua");
        assert_eq!(project.scripts["velocity"], "scripts/velocity.lua");
        assert_eq!(project.authors, ["A"]);
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        let head = "[project]\nname = \"ice\"\n";
        for (text, said) in [
            (
                "[project]\nnaem = \"ice\"",
                ":2: unknown key `project.naem`; did you mean `project.name`?",
            ),
            (
                "[projekt]\nname = \"ice\"",
                ":1: unknown key `projekt`; did you mean `project`?",
            ),
            ("[project]", "has no project.name"),
            ("[project]\nname = 3", ":2: project.name must be a text"),
            ("[project]\nname = \"a/b\"", ":2: project.name is `a/b`"),
            ("[project", "is no TOML"),
            (
                "format = 2\nsomething = 1",
                ":1: is of form 2, and this perilune knows form 1",
            ),
            (
                "[project]\nname = \"ice\"\nperilune = \">= 9\"\nnew = 1",
                ":3: the project needs perilune >= 9, and this is ",
            ),
            (
                "[project]\nname = \"ice\"\nperilune = \"new\"",
                ":3: project.perilune must be a comparison",
            ),
            (
                "[project]\nname = \"ice\"\nauthors = \"A\"",
                "must be a list of texts",
            ),
        ] {
            let error = read(text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        for (text, said) in [
            ("g = \"../g\"", "dependencies.g must be { path"),
            ("g = { path = \"a\", url = \"https://a/b\" }", "must be one of"),
            (
                "g = { pat = \"a\" }",
                ":4: unknown key `dependencies.g.pat`; did you mean `dependencies.g.path`?",
            ),
            (
                "g = { url = \"https://a/b.lua\" }",
                ":4: dependencies.g has no sha256, and nothing that was fetched runs",
            ),
            (
                "g = { url = \"https://a/b.lua\", sha256 = \"ABC\" }",
                "64 hexadecimal digits",
            ),
            (
                "g = { url = \"ftp://a/b.lua\", sha256 = \"HASH\" }",
                "a web address",
            ),
            (
                "g = { url = \"https://u:p@a/b.lua\", sha256 = \"HASH\" }",
                "holds a login",
            ),
            (
                "g = { doi = \"10.1000/1\", file = \"a.lua\", sha256 = \"HASH\" }",
                "is no DOI of Zenodo",
            ),
            ("g = { doi = \"10.5281/zenodo.1\", sha256 = \"HASH\" }", "no file"),
            (
                "g = { doi = \"10.5281/zenodo.1\", file = \"../a.lua\", sha256 = \"HASH\" }",
                "no name of a file",
            ),
            ("g = { path = \"a\", sha256 = \"HASH\" }", "leave it out"),
            ("g = { path = \"a\" }\ng = { path = \"b\" }", "duplicate key"),
            ("\"a b\" = { path = \"a\" }", "it is what scripts require"),
        ] {
            let text = format!("{head}[dependencies]\n{}", text.replace("HASH", &"a".repeat(64)));
            let error = read(&text).unwrap_err().to_string();
            assert!(error.contains(said), "{text}: {error}");
        }
        let error = read(&format!("{head}[scripts]\nv = \"../v.lua\""))
            .unwrap_err()
            .to_string();
        assert!(error.contains(":4: scripts.v is `../v.lua`"), "{error}");
    }

    #[test]
    fn the_nearest_project_above_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let inner = folder.path().join("a/b");
        fs::create_dir_all(&inner).unwrap();
        fs::write(folder.path().join(FILE), "[project]\nname = \"outer\"").unwrap();
        assert_eq!(Project::around(&inner).unwrap().unwrap().name, "outer");
        fs::write(folder.path().join("a").join(FILE), "[project]\nname = \"inner\"").unwrap();
        assert_eq!(Project::around(&inner).unwrap().unwrap().name, "inner");
        assert!(Project::around(&folder.path().join("nowhere")).unwrap().is_none());
    }
}
