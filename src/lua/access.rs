//! Which files a script may touch: the one policy that every binding asks.

use std::path::{Component, Path, PathBuf};

use mlua::Lua;

use crate::error::{Error, Result};

/// Reading is free, as the user's own programs read what she names; writing, and the module `fs`, stay inside the
/// working folder, the temporary folder and the folders that were allowed on the command line.
#[derive(Debug, Clone)]
pub struct Access {
    working: PathBuf,
    allowed: Vec<PathBuf>,
}

impl Access {
    pub fn new(working: impl Into<PathBuf>) -> Self {
        let working = settle(&working.into());
        let allowed = vec![working.clone(), settle(&std::env::temp_dir())];
        Access { working, allowed }
    }

    /// Also lets scripts write in `folder` and below.
    pub fn allow(&mut self, folder: &Path) {
        let folder = settle(&self.absolute(folder));
        if !self.allowed.contains(&folder) {
            self.allowed.push(folder);
        }
    }

    pub fn working(&self) -> &Path {
        &self.working
    }

    /// The path to open for reading; relative paths start at the working folder. Names that are not paths of the
    /// file system (`/vsicurl/…`, `https://…`, `NETCDF:"a.nc":var`) stay as they are.
    pub fn read(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        if is_foreign(path) {
            return Ok(path.to_path_buf());
        }
        Ok(self.absolute(path))
    }

    /// The path to write to.
    ///
    /// # Errors
    /// When it lies outside every allowed folder, also by way of `..` or a symbolic link.
    pub fn write(&self, path: impl AsRef<Path>) -> Result<PathBuf> {
        let path = path.as_ref();
        let absolute = self.absolute(path);
        let real = settle(&absolute);
        if self.allowed.iter().any(|folder| real.starts_with(folder)) {
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

/// The real path of the part that exists, with the rest behind it: what a write to `path` would touch.
fn settle(path: &Path) -> PathBuf {
    let mut settled = PathBuf::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                settled.pop();
            }
            part => {
                settled.push(part);
                if let Ok(real) = settled.canonicalize() {
                    settled = real;
                }
            }
        }
    }
    settled
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
            allowed: vec![settle(&working)],
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
        assert!(access.read("/etc/x").is_ok());
    }

    #[test]
    fn an_allowed_folder_is_writable() {
        let folder = tempfile::tempdir().unwrap();
        let mut access = Access {
            working: PathBuf::from("/nonexistent"),
            allowed: Vec::new(),
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
}
