//! What an archive that brings its libraries keeps beside the program: what these read, in `../share/perilune`, as they lie in `../lib/perilune`
//! themselves (scripts/package). A program that uses the system's libraries uses the system's data, and has no such folder.

use std::env;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

/// The folder of such an archive's data.
#[derive(Debug, Clone, PartialEq)]
pub struct Package {
    pub folder: PathBuf,
}

/// Of this program, where it came in one.
pub fn own() -> Option<&'static Package> {
    static OWN: LazyLock<Option<Package>> = LazyLock::new(|| Package::beside(&env::current_exe().ok()?));
    OWN.as_ref()
}

impl Package {
    /// Of the program at `program`, links followed.
    pub fn beside(program: &Path) -> Option<Package> {
        let folder = program.parent()?.parent()?.join("share/perilune");
        folder.is_dir().then_some(Package { folder })
    }

    pub fn gdal(&self) -> PathBuf {
        self.folder.join("gdal")
    }

    pub fn proj(&self) -> PathBuf {
        self.folder.join("proj")
    }

    /// Of authorities, in PEM, for systems that have none.
    pub fn certificates(&self) -> PathBuf {
        self.folder.join("certificates.pem")
    }

    /// The oldest version of the system's C library that the program and its libraries start with.
    pub fn glibc(&self) -> Option<String> {
        let text = fs::read_to_string(self.folder.join("glibc")).ok()?;
        Some(text.trim().to_string())
    }

    /// What of it is not there, in words for the user.
    pub fn missing(&self) -> Vec<String> {
        let parts = [
            ("data of GDAL", self.gdal()),
            ("PROJ's coordinate systems", self.proj().join("proj.db")),
            ("certificates of authorities", self.certificates()),
        ];
        let absent = parts.into_iter().filter(|(_, path)| !path.exists());
        absent
            .map(|(what, path)| {
                format!(
                    "the {what} that came with the program: {} is gone; unpack the archive again",
                    path.display()
                )
            })
            .collect()
    }

    /// The variables that GDAL and PROJ look in, with this folder's data first: what the environment names may belong to other versions, as in
    /// environments of conda, and grids for PROJ lie there, too.
    pub fn variables(&self, set: impl Fn(&str) -> Option<OsString>) -> Vec<(&'static str, OsString)> {
        let mut variables = Vec::new();
        if self.gdal().is_dir() {
            variables.push(("GDAL_DATA", self.gdal().into_os_string()));
        }
        if self.proj().is_dir() {
            // PROJ before 9.1 knows the second alone.
            const NAMES: [&str; 2] = ["PROJ_DATA", "PROJ_LIB"];
            let named = NAMES.iter().find_map(|name| set(name)).unwrap_or_default();
            let others = env::split_paths(&named).filter(|folder| !folder.as_os_str().is_empty());
            if let Ok(folders) = env::join_paths([self.proj()].into_iter().chain(others)) {
                variables.extend(NAMES.map(|name| (name, folders.clone())));
            }
        }
        variables
    }
}

/// Has GDAL and PROJ, and the system's hold on scripts, find the data that came with the program.
///
/// # Safety
/// No other thread may run yet.
pub unsafe fn use_its_data() {
    let Some(package) = own() else { return };
    for (name, value) in package.variables(|name| env::var_os(name)) {
        // SAFETY: the caller's promise: no other thread could read the environment.
        unsafe { env::set_var(name, value) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unpacked() -> (tempfile::TempDir, Package) {
        let here = tempfile::tempdir().unwrap();
        for folder in ["bin", "share/perilune/gdal", "share/perilune/proj"] {
            fs::create_dir_all(here.path().join(folder)).unwrap();
        }
        let package = Package::beside(&here.path().join("bin/perilune")).unwrap();
        (here, package)
    }

    #[test]
    fn data_stand_beside_the_folder_of_the_program() {
        let (here, package) = unpacked();
        assert_eq!(package.folder, here.path().join("share/perilune"));
        fs::create_dir(here.path().join("other")).unwrap();
        // Not those of a folder above, nor of the working folder.
        for elsewhere in ["perilune", "bin/bin/perilune", "other/deps/perilune"] {
            assert_eq!(Package::beside(&here.path().join(elsewhere)), None, "{elsewhere}");
        }
        assert_eq!(Package::beside(Path::new("perilune")), None);
    }

    #[test]
    fn its_data_come_before_those_that_variables_name() {
        let (_here, package) = unpacked();
        let none = package.variables(|_| None);
        let proj = package.proj().into_os_string();
        assert_eq!(
            none,
            [
                ("GDAL_DATA", package.gdal().into_os_string()),
                ("PROJ_DATA", proj.clone()),
                ("PROJ_LIB", proj.clone())
            ]
        );
        let older = package.variables(|name| (name == "PROJ_LIB").then(|| OsString::from("/grids:/more")));
        let both = env::join_paths([package.proj(), "/grids".into(), "/more".into()]).unwrap();
        assert_eq!(older[1], ("PROJ_DATA", both.clone()));
        assert_eq!(older[2], ("PROJ_LIB", both));
        fs::remove_dir(package.proj()).unwrap();
        assert_eq!(package.variables(|_| Some("/grids".into())).len(), 1);
    }

    #[test]
    fn what_is_gone_is_named() {
        let (_here, package) = unpacked();
        let missing = package.missing();
        assert_eq!(missing.len(), 2, "{missing:?}");
        assert!(missing[0].contains("share/perilune/proj/proj.db"), "{missing:?}");
        assert!(missing[1].contains("certificates.pem"), "{missing:?}");
        assert_eq!(package.glibc(), None);
        fs::write(package.folder.join("glibc"), "2.36\n").unwrap();
        assert_eq!(package.glibc().as_deref(), Some("2.36"));
    }
}
