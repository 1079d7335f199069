//! What is installed: data that came with the program, the certificates among them, and its manual pages. The packages themselves are tried by
//! scripts/check_package.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::{Run, assert_holds, finish, folder, perilune, run};

/// The program as an archive has it, in `here`/bin.
fn unpacked(here: &Path) -> PathBuf {
    let program = here.join("bin/perilune");
    std::fs::create_dir_all(here.join("bin")).unwrap();
    let built = env!("CARGO_BIN_EXE_perilune");
    if std::fs::hard_link(built, &program).is_err() {
        std::fs::copy(built, &program).unwrap();
    }
    std::fs::create_dir_all(here.join("share/perilune")).unwrap();
    program
}

/// Where PROJ's coordinate systems lie on this machine, by the doctor of a program that came alone.
fn proj_of_the_system(here: &Path) -> PathBuf {
    let said = run(here, &["doctor"]).out;
    let line = said.lines().find(|line| line.starts_with("PROJ")).unwrap();
    PathBuf::from(line.split_once("; data in ").expect(line).1)
}

const REPROJECT: &str = "local grid = raster.grid { crs = 'EPSG:32633', bounds = { 500000, 4990000, 510000, 5000000 }, resolution = 100 }
    print(raster.constant(grid, 1):reproject { crs = 'EPSG:4326' }.grid)";

/// `program` in `here`, in an environment that names the data of another PROJ.
fn in_odd_environment(program: &Path, here: &Path, arguments: &[&str]) -> Run {
    let other = here.join("other");
    std::fs::create_dir_all(&other).unwrap();
    std::fs::write(other.join("proj.db"), "of another version").unwrap();
    let mut command = Command::new(program);
    command
        .current_dir(here)
        .env("XDG_STATE_HOME", here.join("state"))
        .env("PROJ_DATA", &other)
        .env("PROJ_LIB", &other)
        .env("GDAL_DATA", &other)
        .args(arguments);
    finish(command)
}

#[test]
fn data_that_came_with_the_program_are_used_whatever_the_environment_names() {
    let here = folder(&[]);
    let system = proj_of_the_system(here.path());
    let program = unpacked(here.path());
    let share = here.path().join("share/perilune");
    let alone = in_odd_environment(&program, here.path(), &["-e", REPROJECT]);
    assert_ne!(alone.code, 0, "{alone:?}");
    assert_holds(&alone.err, "PROJ finds no proj.db that it can read");
    let said = in_odd_environment(&program, here.path(), &["doctor"]).out;
    assert_holds(&said, "unpack the archive again");
    let plain = Path::new(env!("CARGO_BIN_EXE_perilune"));
    let said = in_odd_environment(plain, here.path(), &["doctor"]).out;
    assert_holds(&said, "PROJ_DATA names the data of another PROJ; unset it");

    std::fs::create_dir_all(share.join("gdal")).unwrap();
    std::fs::create_dir_all(share.join("proj")).unwrap();
    std::fs::copy(system.join("proj.db"), share.join("proj/proj.db")).unwrap();
    std::fs::write(share.join("glibc"), "2.17\n").unwrap();
    let packed = in_odd_environment(&program, here.path(), &["-e", REPROJECT]);
    assert_eq!(packed.code, 0, "{packed:?}");
    assert_holds(&packed.out, "EPSG:4326");

    // A script of others may read them, wherever they lie.
    std::fs::write(
        here.path().join("others.lua"),
        format!("local raster = require 'raster'\n{REPROJECT}"),
    )
    .unwrap();
    let work = here.path().join("work");
    std::fs::create_dir_all(&work).unwrap();
    std::fs::rename(here.path().join("others.lua"), work.join("others.lua")).unwrap();
    let untrusted = in_odd_environment(
        &program,
        here.path(),
        &["run", "--untrusted", "--allow-all", "work/others.lua"],
    );
    assert_eq!(untrusted.code, 0, "{untrusted:?}");

    let said = in_odd_environment(&program, here.path(), &["doctor"]).out;
    let real = here.path().canonicalize().unwrap().join("share/perilune");
    assert_holds(&said, &format!("; data in {}", real.join("gdal").display()));
    assert_holds(&said, &format!("; data in {}", real.join("proj").display()));
    assert_holds(&said, "(2.17 or later)");
    assert_holds(&said, "certificates.pem is gone; unpack the archive again");
}

/// An authority that signed nothing; made by
/// `openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 36500 -subj /CN=nobody -keyout /dev/null`.
const NOBODY: &str = include_str!("../fixtures/nobody.pem");

#[test]
fn without_certificates_of_the_system_those_that_came_along_count() {
    let here = folder(&[]);
    let program = unpacked(here.path());
    // A file that holds none is what a system without certificates is to the library that looks for them.
    let none = here.path().join("none.pem");
    std::fs::write(&none, "").unwrap();
    let doctor = || {
        let mut command = Command::new(&program);
        command
            .current_dir(here.path())
            .env("XDG_STATE_HOME", here.path().join("state"))
            .env("SSL_CERT_FILE", &none)
            .env_remove("SSL_CERT_DIR")
            .arg("doctor");
        finish(command).out
    };
    let said = doctor();
    assert_holds(&said, "servers    cannot be asked");
    assert_holds(&said, "ca-certificates");
    assert_holds(&said, "SSL_CERT_FILE");
    std::fs::write(here.path().join("share/perilune/certificates.pem"), NOBODY).unwrap();
    let said = doctor();
    assert_holds(&said, "certificates that came with the program");
    std::fs::write(&none, NOBODY).unwrap();
    assert_holds(&doctor(), "certificates of the system");
}

#[test]
fn every_command_has_its_manual_page() {
    let here = folder(&[]);
    let made = run(here.path(), &["manual", "pages"]);
    assert_eq!(made.code, 0, "{made:?}");
    let page = |name: &str| std::fs::read_to_string(here.path().join("pages").join(name)).unwrap();
    assert_holds(&page("perilune.1"), "A scripting host for Earth observation");
    assert_holds(&page("perilune-run.1"), "dry\\-run");
    assert_holds(&page("perilune-workflows-copy.1"), ".TH");
    let mut help = perilune(here.path());
    help.arg("--help");
    let help = finish(help).out;
    let commands = help
        .split("Commands:")
        .nth(1)
        .unwrap()
        .split("\n\n")
        .next()
        .unwrap();
    let names = commands.lines().filter_map(|line| {
        let line = line.strip_prefix("  ")?;
        (!line.starts_with(' ')).then(|| line.split_whitespace().next().unwrap())
    });
    let names: Vec<&str> = names.filter(|name| *name != "help").collect();
    assert!(names.len() > 10, "{help}");
    for name in names {
        assert_holds(
            &page(&format!("perilune-{name}.1")),
            name.split('-').next().unwrap(),
        );
    }
}

/// Without its licence nothing that is linked may be handed on. The crates are here, since this was built of them.
#[test]
fn licences_of_what_is_linked_are_gathered() {
    let here = folder(&[]);
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut command = Command::new("python3");
    command
        .arg(root.join("scripts/notices"))
        .arg(here.path().join("third-party"))
        .current_dir(root);
    let done = finish(command);
    assert_eq!(done.code, 0, "{done:?}");
    let text = std::fs::read_to_string(here.path().join("third-party")).unwrap();
    for part in [
        "\nrayon 1.",
        "Lua.org, PUC-Rio",
        "Bitstream Vera",
        "Meta Platforms, Inc",
        "Permission is hereby granted",
        "Apache License",
    ] {
        assert_holds(&text, part);
    }
    // What only builds and tests use is not handed on.
    for part in ["\nproptest ", "\nsyn ", "\nbindgen "] {
        assert!(!text.contains(part), "{part}");
    }
}
