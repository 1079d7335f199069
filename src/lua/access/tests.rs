use super::*;

/// Written are these folders alone, whatever the system's temporary folder is, which tests live in.
fn of(working: PathBuf, folders: Vec<PathBuf>, logins: Vec<PathBuf>) -> Access {
    Access {
        working,
        policy: Policy {
            writes: Places {
                folders,
                files: Vec::new(),
            },
            logins,
            ..Policy::default()
        },
        ports: None,
        held: false,
        sealed: false,
        aside: None,
    }
}

#[test]
fn writes_stay_inside() {
    let folder = tempfile::tempdir().unwrap();
    let working = folder.path().join("work");
    std::fs::create_dir(&working).unwrap();
    let access = of(settle(&working), vec![settle(&working)], Vec::new());
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
    let mut access = of(PathBuf::from("/nonexistent"), Vec::new(), Vec::new());
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
    let access = of(root.join("home/here"), vec![root.clone()], vec![file.clone()]);
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
