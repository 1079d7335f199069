//! Which files a script may touch: the one policy that every binding asks.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use mlua::Lua;

use crate::bytes;
use crate::bytes::credentials::Vault;
use crate::error::{Error, Result};
use crate::gate::{self, Policy, settle};
use crate::raster::file::probe;
use crate::{files, scratch, work};

/// Reading is free, as the user's own programs read what she names; writing, and the module `fs`, stay inside the
/// working folder, the process's own temporary folder and the folders that were allowed on the command line. Files that hold logins
/// are neither read nor written, whatever folder they are in.
#[derive(Debug, Clone)]
pub struct Access {
    working: PathBuf,
    policy: Policy,
    /// The process is held to the policy: what is opened is judged by it.
    held: bool,
    /// The system holds the process to the folders by now: no more can be had.
    sealed: bool,
}

impl Access {
    pub fn new(working: impl Into<PathBuf>) -> Self {
        let working = settle(&working.into());
        // Without one, what asks for a temporary folder fails in its own words.
        let scratch = scratch::folder().ok();
        let policy = Policy {
            folders: [working.clone()].into_iter().chain(scratch).collect(),
            logins: Vault::files_of_user().iter().map(|file| settle(file)).collect(),
        };
        Access {
            working,
            policy,
            held: false,
            sealed: false,
        }
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

    /// The folders that scripts write in.
    pub fn folders(&self) -> &[PathBuf] {
        &self.policy.folders
    }

    /// The files that hold logins, where they exist or would exist.
    pub fn files_of_logins(&self) -> &[PathBuf] {
        &self.policy.logins
    }

    /// A path that the user gives herself, as a parameter, may be written to wherever it lies.
    pub fn allow_place_of(&mut self, path: &str) {
        if path.is_empty() || path.contains("://") {
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
        if self.sealed || self.policy.folders.contains(&folder) {
            return;
        }
        self.policy.folders.push(folder);
        if self.held {
            gate::hold(self.policy.clone());
        }
    }

    pub fn working(&self) -> &Path {
        &self.working
    }

    /// The path to open for reading; relative paths start at the working folder. Names that are not paths of the
    /// file system (`/vsicurl/…`, `https://…`, `NETCDF:"a.nc":var`) stay as they are.
    ///
    /// # Errors
    /// When the file holds logins, also by way of `..`, a link, or a name such as `/vsisubfile/…`.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        if is_foreign(path) {
            self.check_names_in(path)?;
            return Ok(path.to_path_buf());
        }
        let absolute = self.absolute(path);
        self.check_public(path, &settle(&absolute))?;
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
                self.check_public(path, &settle(&part))?;
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
        match self.policy.logins.iter().find(inside) {
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
        let path = path.as_ref();
        let absolute = self.absolute(path);
        let real = settle(&absolute);
        self.check_public(path, &real)?;
        if self.policy.may_write(&real) {
            return Ok(absolute);
        }
        let folder = real.parent().unwrap_or(&real);
        Err(Error::message(format!(
            "{} is outside the working folder {}; start perilune there, or with --allow-write {}",
            path.display(),
            self.working.display(),
            folder.display()
        )))
    }

    /// A path for the module `fs`, which reads and writes in the allowed folders only.
    ///
    /// # Errors
    /// As `write`.
    pub fn inside(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        self.write(path)
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
    static ACCESS: LazyLock<Access> =
        LazyLock::new(|| Access::new(std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))));
    bytes::Policy {
        read: |file, name| ACCESS.policy.judge(file).map_err(|e| Error::io(name, e)),
        sound: probe::try_out_nested,
        write: |name| {
            // Where it leads, through the open folder that its draft is in.
            let real = settle(name);
            let scratch = || scratch::folder().is_ok_and(|folder| real.starts_with(folder));
            match (files::is_in_draft(&real) || scratch()) && !ACCESS.policy.is_login(&real) {
                true => Ok(()),
                false => Err(Error::file(name, "is not written while files are read")),
            }
        },
    }
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
    match lua.app_data_ref::<Access>() {
        Some(access) => access.clone(),
        None => Access::new(std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"))),
    }
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
mod tests {
    use super::*;

    #[test]
    fn writes_stay_inside() {
        let folder = tempfile::tempdir().unwrap();
        let working = folder.path().join("work");
        std::fs::create_dir(&working).unwrap();
        // The system's temporary folder is allowed, and this test lives in it.
        let access = Access {
            working: settle(&working),
            policy: Policy {
                folders: vec![settle(&working)],
                logins: Vec::new(),
            },
            held: false,
            sealed: false,
        };
        assert_eq!(access.write("a/b.tif").unwrap(), settle(&working).join("a/b.tif"));
        assert!(access.write("a/../b.tif").is_ok());
        for outside in ["../b.tif", "a/../../b.tif", "/etc/x"] {
            let error = access.write(outside).unwrap_err().to_string();
            assert!(error.contains("outside the working folder"), "{error}");
            assert!(error.contains("--allow-write"), "{error}");
        }
        std::os::unix::fs::symlink("/etc", working.join("link")).unwrap();
        assert!(access.write("link/x").is_err());
        std::os::unix::fs::symlink(folder.path().join("not-there"), working.join("dangling")).unwrap();
        assert!(access.write("dangling").is_err());
        std::os::unix::fs::symlink("inside", working.join("well")).unwrap();
        assert!(access.write("well").is_ok());
        for root in [
            working.clone(),
            working.join("../work"),
            folder.path().to_path_buf(),
        ] {
            assert!(access.check_movable(&root).is_err(), "{}", root.display());
        }
        assert!(access.check_movable(&working.join("link")).is_ok());
        assert!(access.read("/etc/x").is_ok());
    }

    #[test]
    fn an_allowed_folder_is_writable() {
        let folder = tempfile::tempdir().unwrap();
        let mut access = Access {
            working: PathBuf::from("/nonexistent"),
            policy: Policy {
                folders: Vec::new(),
                logins: Vec::new(),
            },
            held: false,
            sealed: false,
        };
        let file = folder.path().join("x.tif");
        assert!(access.write(&file).is_err());
        access.allow(folder.path());
        assert!(access.write(&file).is_ok());
    }

    #[test]
    fn names_that_are_no_paths_stay() {
        let access = Access::new("/somewhere");
        for name in ["/vsicurl/http://a/b.tif", "https://a/b.tif", "NETCDF:\"a.nc\":v"] {
            assert_eq!(access.read(name).unwrap(), PathBuf::from(name));
        }
        assert_eq!(access.read("a.tif").unwrap(), PathBuf::from("/somewhere/a.tif"));
    }

    #[test]
    fn addresses_are_not_asked_by_libraries() {
        let access = Access::new("/somewhere");
        for name in [
            "NETCDF:\"http://a/b.nc\":v",
            "NETCDF:https://a/b",
            "HDF5:\"s3://a/b\"://d",
            "NETCDF:\"file:///a#mode=zarr\":v",
        ] {
            assert!(access.read(name).is_err(), "{name}");
        }
        for name in [
            "NETCDF:\"/vsicurl/http://a/b.nc\":v",
            "HDF5:\"a.h5\"://d",
            "https://a/b:c://d",
        ] {
            assert!(access.read(name).is_ok(), "{name}");
        }
    }

    #[test]
    fn files_of_logins_are_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let root = settle(folder.path());
        let file = root.join("home/.netrc");
        std::fs::create_dir_all(root.join("home/here")).unwrap();
        std::fs::write(&file, "machine").unwrap();
        std::fs::write(root.join("home/here/a.csv"), "a").unwrap();
        std::os::unix::fs::symlink(&file, root.join("home/here/link.csv")).unwrap();
        std::os::unix::fs::symlink(root.join("home"), root.join("home/here/folder")).unwrap();
        std::fs::hard_link(&file, root.join("home/here/hard.csv")).unwrap();
        let access = Access {
            working: root.join("home/here"),
            policy: Policy {
                folders: vec![root.clone()],
                logins: vec![file.clone()],
            },
            held: false,
            sealed: false,
        };
        let shown = file.display();
        let names = [
            format!("{shown}"),
            "../.netrc".into(),
            "link.csv".into(),
            "hard.csv".into(),
            "folder/.netrc".into(),
            "folder/here/../.netrc".into(),
            "/proc/self/environ".into(),
            format!("/proc/self/root{shown}"),
            "/proc/self/task/../environ".into(),
        ];
        for name in &names {
            for result in [access.read(name), access.write(name), access.inside(name)] {
                let error = result.expect_err(name).to_string();
                assert!(
                    error.contains("may hold logins") || error.contains("outside the working folder"),
                    "{name}: {error}"
                );
            }
            assert!(
                access
                    .read(name)
                    .unwrap_err()
                    .to_string()
                    .contains("perilune login"),
                "{name}"
            );
        }
        for name in [
            format!("/vsisubfile/0_100,{shown}"),
            format!("/vsisubfile/0_100,{}", "../.netrc"),
            format!("/vsizip/{shown}/x"),
            format!("/vsizip/{{{shown}}}/x"),
            format!("/vsigzip/{}", root.join("home/here/link.csv").display()),
            format!("CSV:{shown}"),
            "CSV:hard.csv".into(),
            format!("NETCDF:\"{shown}\":v"),
            format!("file://{shown}"),
            format!("/vsistdin?buffer={shown}"),
        ] {
            assert!(access.read(&name).is_err(), "{name}");
        }
        assert!(access.read("a.csv").is_ok() && access.write("b.csv").is_ok());
        assert!(access.read("NETCDF:\"a.csv\":v").is_ok() && access.read("https://host/.netrc").is_ok());
        assert!(access.check_movable(&root.join("home")).is_err());
        assert!(access.check_movable(&root.join("home/here")).is_ok());
    }
}
