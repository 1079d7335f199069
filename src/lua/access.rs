//! Which files a script may touch: the one policy that every binding asks.

mod aside;

use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock};

use mlua::Lua;

use self::aside::Aside;
use crate::bytes;
use crate::bytes::credentials::Vault;
use crate::error::{Error, Result};
use crate::gate::{self, Places, Policy, settle};
use crate::raster::file::probe;
use crate::raster::file::zarr::is_zarr;
use crate::work::provenance::{self, Note};
use crate::{files, scratch, work};

/// Calls within calls that are looked through for the script's own.
const DEEPEST: usize = 200;

/// Reading is free, as the user's own programs read what she names; writing, and the module `fs`, stay inside the
/// working folder, the process's own temporary folder and the folders that were allowed on the command line. A script of others reads and
/// writes what it was granted, and its temporary folder. Files that hold logins are neither read nor written, whatever folder they are in.
#[derive(Debug, Clone)]
pub struct Access {
    working: PathBuf,
    policy: Policy,
    /// The ports of servers that may be asked, none of which is none at all; without a list, all.
    pub ports: Option<Vec<u16>>,
    /// The process is held to the policy: what is opened is judged by it.
    held: bool,
    /// The system holds the process to the folders by now: no more can be had.
    sealed: bool,
    aside: Option<Aside>,
}

impl Access {
    pub fn new(working: impl Into<PathBuf>) -> Self {
        let working = settle(&working.into());
        let writes = Places {
            folders: [working.clone()].into_iter().chain(own_folder()).collect(),
            files: Vec::new(),
        };
        Access::of(working, writes)
    }

    /// That of a script of others, which reads and writes what it was granted alone. `foreign` is the folder that it came in, if it reads there.
    pub fn restricted(
        working: impl Into<PathBuf>,
        reads: Places,
        writes: Places,
        foreign: Option<PathBuf>,
    ) -> Self {
        let (mut reads, mut writes) = (reads, writes);
        reads.folders.extend(foreign.clone());
        writes.folders.extend(own_folder());
        let mut access = Access::of(settle(&working.into()), writes);
        access.policy.reads = Some(reads);
        access.policy.foreign = foreign.into_iter().collect();
        access
    }

    fn of(working: PathBuf, writes: Places) -> Self {
        let settled = |files: Vec<PathBuf>| files.iter().map(|file| settle(file)).collect();
        let closed = Vault::closed_of_user();
        Access {
            working,
            policy: Policy {
                writes,
                logins: settled(Vault::files_of_user()),
                closed: closed
                    .iter()
                    .cloned()
                    .chain(closed.iter().map(|file| settle(file)))
                    .collect(),
                ..Policy::default()
            },
            ports: None,
            held: false,
            sealed: false,
            aside: None,
        }
    }

    /// Refuses what lies in these folders, or is these files, whatever is granted.
    pub fn deny(&mut self, reads: &[PathBuf], writes: &[PathBuf]) {
        let settled = |paths: &[PathBuf], access: &Access| -> Vec<PathBuf> {
            paths.iter().map(|path| settle(&access.absolute(path))).collect()
        };
        let (reads, writes) = (settled(reads, self), settled(writes, self));
        self.policy
            .denied_writes
            .extend(reads.iter().cloned().chain(writes));
        self.policy.denied_reads.extend(reads);
    }

    /// Whether it is that of a script of others.
    pub fn is_restricted(&self) -> bool {
        self.policy.reads.is_some()
    }

    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    /// Has everything that scripts write go below `folder`, by its whole path, and be read from there; `hidden` files are as if they were not.
    ///
    /// # Errors
    /// When the folder is not there.
    pub fn write_aside(&mut self, folder: &Path, hidden: Vec<PathBuf>) -> Result<()> {
        let folder = folder.canonicalize().map_err(|e| Error::io(folder, e))?;
        self.allow(&folder);
        self.aside = Some(Aside { folder, hidden });
        Ok(())
    }

    /// Where what is written goes, where that is not where scripts say.
    pub fn aside(&self) -> Option<&Path> {
        self.aside.as_ref().map(|aside| aside.folder.as_path())
    }

    /// Has everything that this process opens judged by this policy.
    pub fn hold(&mut self) {
        self.held = true;
        gate::hold(self.policy.clone());
    }

    /// Takes no more folders from here on.
    pub fn seal(&mut self) {
        self.sealed = true;
    }

    /// The files and folders that hold logins, where they exist or would exist.
    pub fn files_of_logins(&self) -> impl Iterator<Item = &PathBuf> {
        self.policy.logins.iter().chain(&self.policy.closed)
    }

    /// A path that the user gives herself, as a parameter, may be written to wherever it lies. Those of a script of others were judged before.
    pub fn allow_place_of(&mut self, path: &str) {
        if self.is_restricted() || path.is_empty() || path.contains("://") {
            return;
        }
        let absolute = self.working.join(path);
        match absolute.is_dir() {
            true => self.allow(&absolute),
            false => absolute
                .parent()
                .into_iter()
                .for_each(|folder| self.allow(folder)),
        }
    }

    /// Also lets scripts write in `folder` and below.
    pub fn allow(&mut self, folder: &Path) {
        let folder = settle(&self.absolute(folder));
        if self.sealed || self.policy.writes.folders.contains(&folder) {
            return;
        }
        self.policy.writes.folders.push(folder);
        if self.held {
            gate::hold(self.policy.clone());
        }
    }

    /// Also lets this one file be written.
    pub fn allow_file(&mut self, file: &Path) {
        let file = settle(&self.absolute(file));
        if !self.sealed {
            self.policy.writes.files.push(file);
        }
    }

    pub fn working(&self) -> &Path {
        &self.working
    }

    /// The path to open for reading; relative paths start at the working folder. Names that are not paths of the
    /// file system (`/vsicurl/…`, `https://…`, `NETCDF:"a.nc":var`) stay as they are.
    ///
    /// # Errors
    /// When the file holds logins, also by way of `..`, a link, or a name such as `/vsisubfile/…`; when it was not granted to a script of
    /// others, or was denied.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let told = |found: &Path| {
            provenance::note(Note::Named {
                name: &path.to_string_lossy(),
                path: found,
                is_read: true,
            });
        };
        if is_foreign(path) {
            self.check_names_in(path)?;
            told(path);
            return Ok(path.to_path_buf());
        }
        let absolute = self.absolute(path);
        let real = settle(&absolute);
        self.check_public(path, &real)?;
        self.check_granted(path, &real)?;
        let absolute = match &self.aside {
            Some(aside) => aside.found(absolute),
            None => absolute,
        };
        told(&absolute);
        if let Some(rehearsal) = work::rehearsal() {
            rehearsal.check(&absolute)?;
        }
        Ok(absolute)
    }

    /// # Errors
    /// When `real`, which the script calls `path`, is a file of logins or shows the system or this process.
    fn check_public(&self, path: &Path, real: &Path) -> Result<()> {
        let is_of_system = gate::is_of_system(real);
        if is_of_system && real.starts_with("/dev") {
            return Err(Error::file(path, "is a device or a pipe, not a file of data"));
        }
        if is_of_system || self.policy.is_login(real) {
            return Err(holds_logins(path));
        }
        Ok(())
    }

    /// # Errors
    /// When `real`, which the script calls `path`, may not be read.
    fn check_granted(&self, path: &Path, real: &Path) -> Result<()> {
        if self.policy.may_read(real) {
            return Ok(());
        }
        if self
            .policy
            .denied_reads
            .iter()
            .any(|denied| real.starts_with(denied))
        {
            return Err(Error::message(format!(
                "{} is not read: --deny-read says so",
                path.display()
            )));
        }
        Err(Error::message(format!(
            "{} was not granted to this script to read; a script states what it reads (needs {{ read = {{ … }} }}) and is asked about, \
             or is started with --allow-read {}",
            path.display(),
            real.display()
        )))
    }

    /// The same for the paths inside a name such as `/vsisubfile/0_100,/home/me/.netrc` or `CSV:~/.netrc`.
    fn check_names_in(&self, path: &Path) -> Result<()> {
        let text = path.to_string_lossy();
        if has_address_inside(&text) {
            return Err(Error::file(
                path,
                "has a library ask an address by itself; open the address alone, or give it after /vsicurl/",
            ));
        }
        let breaks = |c: char| {
            matches!(
                c,
                ':' | ',' | '"' | '\'' | '=' | '?' | '&' | '{' | '}' | '|' | ' ' | '>' | '<'
            )
        };
        let starts = text
            .char_indices()
            .filter(|(i, c)| breaks(*c) || *c == '/' || *i == 0);
        for (i, c) in starts {
            let rest = &text[if breaks(c) { i + c.len_utf8() } else { i }..];
            let rest = rest
                .split(['"', '\'', ',', '|', '}', '<', '&'])
                .next()
                .unwrap_or("");
            // What follows a file in an archive's name is inside it: `/vsizip//home/me/.netrc/x`.
            let mut part = self.absolute(Path::new(rest));
            while part.parent().is_some() {
                let real = settle(&part);
                self.check_public(path, &real)?;
                if self.is_restricted() && real.is_file() {
                    self.check_granted(path, &real)?;
                }
                part.pop();
            }
        }
        Ok(())
    }

    /// # Errors
    /// When `path` is, or holds, a folder that scripts write in, or a folder with a file of logins in it: moved as a whole, it would be
    /// found elsewhere.
    pub fn check_movable(&self, path: &Path) -> Result<()> {
        // A link is moved or removed itself, whatever it leads to.
        let real = match (path.is_symlink(), path.parent(), path.file_name()) {
            (true, Some(folder), Some(name)) => settle(folder).join(name),
            _ => settle(path),
        };
        if let Some(folder) = self
            .policy
            .writes
            .folders
            .iter()
            .find(|folder| folder.starts_with(&real))
        {
            return Err(Error::message(format!(
                "{} is or holds {}: the working folder itself, and the other folders that scripts write in, are not moved or removed",
                path.display(),
                folder.display()
            )));
        }
        let inside = |file: &&PathBuf| file.starts_with(&real) && file.exists();
        match self.files_of_logins().find(inside) {
            Some(file) => Err(Error::message(format!(
                "{} holds the file of logins {}: scripts cannot move or remove it",
                path.display(),
                file.display()
            ))),
            _ => Ok(()),
        }
    }

    /// The path to write to.
    ///
    /// # Errors
    /// When it lies outside every allowed folder, also by way of `..` or a symbolic link.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = self.writable(path.as_ref())?;
        self.written_at(path)
    }

    fn writable(&self, path: &Path) -> Result<PathBuf> {
        let absolute = self.absolute(path);
        let real = settle(&absolute);
        self.check_public(path, &real)?;
        if self.policy.may_write(&real) {
            provenance::note(Note::Named {
                name: &path.to_string_lossy(),
                path: &absolute,
                is_read: false,
            });
            return Ok(absolute);
        }
        let folder = real.parent().unwrap_or(&real);
        if self
            .policy
            .denied_writes
            .iter()
            .any(|denied| real.starts_with(denied))
        {
            return Err(Error::message(format!(
                "{} is not written: --deny-write or --deny-read says so",
                path.display()
            )));
        }
        if self.is_restricted() {
            return Err(Error::message(format!(
                "{} was not granted to this script to write; a script states where it writes (needs {{ write = {{ … }} }}) and is asked \
                 about, or is started with --allow-write {}",
                path.display(),
                folder.display()
            )));
        }
        Err(Error::message(format!(
            "{} is outside the working folder {}; start perilune there, or with --allow-write {}",
            path.display(),
            self.working.display(),
            folder.display()
        )))
    }

    fn written_at(&self, path: PathBuf) -> Result<PathBuf> {
        let Some(aside) = self
            .aside
            .as_ref()
            .filter(|aside| !path.starts_with(&aside.folder))
        else {
            return Ok(path);
        };
        let place = aside.place(&path);
        // Folders that are there are there; a Zarr is written as files are.
        let is_folder = path.is_dir() && !is_zarr(&path.to_string_lossy());
        let folder = if is_folder {
            Some(path.as_path())
        } else {
            path.parent()
        };
        if let Some(folder) = folder.filter(|folder| folder.is_dir()) {
            let folder = aside.place(folder);
            std::fs::create_dir_all(&folder).map_err(|e| Error::io(&folder, e))?;
        }
        Ok(place)
    }

    /// A path that the module `fs` reads or looks at: in the folders that scripts write in, and in those that a script of others was granted.
    ///
    /// # Errors
    /// As `write`; for a script of others, as `read`.
    pub fn inside(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let path = match self.is_restricted() {
            false => self.writable(path)?,
            true => {
                let absolute = self.absolute(path);
                let real = settle(&absolute);
                self.check_public(path, &real)?;
                self.check_granted(path, &real)?;
                absolute
            }
        };
        Ok(match &self.aside {
            Some(aside) => aside.found(path),
            None => path,
        })
    }

    /// The path as the user would write it: relative where it lies in the working folder.
    pub fn shown(&self, path: &Path) -> PathBuf {
        path.strip_prefix(&self.working).unwrap_or(path).to_path_buf()
    }

    fn absolute(&self, path: &Path) -> PathBuf {
        if let Ok(rest) = path.strip_prefix("~")
            && let Some(home) = std::env::home_dir()
        {
            return home.join(rest);
        }
        self.working.join(path)
    }
}

/// The policy on the files that GDAL opens, whichever script has it do so and by whatever name: no logins and nothing of the process
/// itself is read; what is written are drafts, and scratch files of the process.
pub fn policy_of_files() -> bytes::Policy {
    // For processes that are held to nothing, as tests of bindings are.
    static ACCESS: LazyLock<Arc<Policy>> = LazyLock::new(|| {
        Arc::new(Access::new(std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))).policy)
    });
    fn policy() -> Arc<Policy> {
        gate::held().unwrap_or_else(|| ACCESS.clone())
    }
    bytes::Policy {
        read: |file, name| policy().judge(file).map_err(|e| Error::io(name, e)),
        sound: probe::try_out_nested,
        write: |name| {
            // Where it leads, through the open folder that its draft is in.
            let real = settle(name);
            let scratch = || scratch::folder().is_ok_and(|folder| real.starts_with(folder));
            match (files::is_in_draft(&real) || scratch()) && !policy().is_login(&real) {
                true => Ok(()),
                false => Err(Error::file(name, "is not written while files are read")),
            }
        },
    }
}

/// The process's own folder. Without one, what asks for a temporary folder fails in its own words.
fn own_folder() -> Option<PathBuf> {
    scratch::folder().ok()
}

fn holds_logins(path: &Path) -> Error {
    Error::message(format!(
        "{} may hold logins: scripts cannot read or change it; `perilune login` stores logins, which the catalogues use \
         without showing them",
        path.display()
    ))
}

/// The policy of this virtual machine. Without one, as in tests of bindings, the process's working folder counts.
pub fn access(lua: &Lua) -> Access {
    if provenance::is_kept() {
        provenance::note(Note::Line(line_of_script(lua)));
    }
    match lua.app_data_ref::<Access>() {
        Some(access) => access.clone(),
        None => Access::new(std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))),
    }
}

/// The line that the script itself has come to: the outermost call is its own.
fn line_of_script(lua: &Lua) -> usize {
    let mut line = 0;
    for level in 0..DEEPEST {
        let found = lua.inspect_stack(level, |frame| frame.current_line());
        match found {
            Some(found) => line = found.unwrap_or(line),
            None => break,
        }
    }
    line
}

fn is_foreign(path: &Path) -> bool {
    let text = path.to_string_lossy();
    if text.starts_with("/vsi") || text.contains("://") {
        return true;
    }
    // `DRIVER:…` names a subdataset; a file of that very name still wins.
    let driver = text.split_once(':').map_or("", |(driver, _)| driver);
    driver.len() > 1
        && driver.chars().all(|c| c.is_ascii_alphanumeric() || c == '_')
        && !Path::new(text.as_ref()).exists()
}

/// `DRIVER:"scheme://…`, which libraries understand in ways of their own.
fn has_address_inside(text: &str) -> bool {
    let Some((driver, rest)) = text.split_once(':') else {
        return false;
    };
    let named = rest.trim_start_matches(['"', '\'']);
    let is_scheme = |text: &str| {
        !text.is_empty()
            && text
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || "+-.".contains(c))
    };
    !driver.contains('/')
        && named
            .split_once("://")
            .is_some_and(|(scheme, _)| is_scheme(scheme))
}

#[cfg(test)]
mod tests;
