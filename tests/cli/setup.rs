//! `perilune setup`, where it cannot succeed, and what doctor says of libraries.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use super::{Run, assert_holds, finish, folder, perilune};

/// In `here`, with no library there yet, and only the programs of `here`/bin.
fn setup(here: &Path, arguments: &[&str]) -> Run {
    let mut command = perilune(here);
    command
        .env("PERILUNE_LIBRARIES", here.join("libraries"))
        .env("PATH", here.join("bin"))
        .args(arguments);
    finish(command)
}

/// A `python3` that runs `body` in the shell.
fn python(here: &Path, body: &str) {
    let program = here.join("bin/python3");
    std::fs::create_dir_all(here.join("bin")).unwrap();
    std::fs::write(&program, format!("#!/bin/sh\n{body}\n")).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
}

/// Nothing but the lock is left.
fn assert_empty(here: &Path) {
    let entries = std::fs::read_dir(here.join("libraries")).unwrap();
    let names: Vec<_> = entries.map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, [".lock"]);
}

#[test]
fn without_python_or_pip_the_way_out_is_told() {
    let here = folder(&[]);
    let run = setup(here.path(), &["setup", "onnxruntime"]);
    assert_eq!(run.code, 2);
    assert_holds(&run.out, "MB to fetch");
    for part in [
        "there is no python3",
        "apt-get install python3-pip",
        "--from FOLDER",
        "onnxruntime==",
    ] {
        assert_holds(&run.err, part);
    }
    python(
        here.path(),
        "echo '/usr/bin/python3: No module named pip' >&2; exit 1",
    );
    let run = setup(here.path(), &["setup", "onnxruntime"]);
    assert_eq!(run.code, 2);
    assert_holds(&run.err, "this python3 has no pip");
    python(here.path(), "echo 'NewConnectionError' >&2; exit 1");
    let run = setup(here.path(), &["setup", "torch", "--cuda"]);
    assert_holds(&run.err, "is there a network?");
    assert_empty(here.path());
}

#[test]
fn what_pip_brings_is_checked() {
    let here = folder(&[]);
    // The folder follows `--dest`.
    python(
        here.path(),
        "while [ $# -gt 0 ]; do [ \"$1\" = --dest ] && dest=$2; shift; done\n\
         echo 'another file' >\"$dest/onnxruntime-1.32.0-cp311-cp311-manylinux_2_28_x86_64.whl\"",
    );
    let run = setup(here.path(), &["setup", "onnxruntime"]);
    assert_eq!(run.code, 2);
    assert_holds(&run.err, "is not the wheel that is pinned");
    assert_empty(here.path());
}

#[test]
fn wheels_that_a_folder_lacks_are_named() {
    let here = folder(&[]);
    let run = setup(here.path(), &["setup", "torch", "--from", "."]);
    assert_eq!(run.code, 2);
    assert_holds(&run.err, "has not all the wheels");
    assert_holds(&run.err, "torch-2.13.0-cp311-cp311-manylinux_2_28_x86_64.whl");
    assert_holds(&run.err, "nvidia-cuda-runtime==");
}

#[test]
fn ctrl_c_ends_the_fetching_and_leaves_nothing_half() {
    let here = folder(&[]);
    python(here.path(), "exec /bin/sleep 60");
    let mut command = perilune(here.path());
    command
        .env("PERILUNE_LIBRARIES", here.path().join("libraries"))
        .env("PATH", here.path().join("bin"))
        .args(["setup", "onnxruntime"]);
    let mut child = command
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap();
    let started = std::time::Instant::now();
    while std::fs::read_dir(here.path().join("libraries")).map_or(0, Iterator::count) < 2 {
        assert!(started.elapsed().as_secs() < 30);
        std::thread::sleep(std::time::Duration::from_millis(20));
    }
    std::thread::sleep(std::time::Duration::from_millis(300));
    // SAFETY: the child is ours and runs.
    unsafe { libc::kill(i32::try_from(child.id()).unwrap(), libc::SIGINT) };
    assert_eq!(child.wait().unwrap().code(), Some(130));
    assert!(started.elapsed().as_secs() < 40);
    assert_empty(here.path());
}

#[test]
fn doctor_says_which_libraries_are_there() {
    let here = folder(&[]);
    let run = setup(here.path(), &["doctor"]);
    assert_holds(&run.out, "NO  ONNX Runtime 1.32.0");
    assert_holds(&run.out, "for models in ONNX: perilune setup onnxruntime\n");
    assert_holds(&run.out, "for training: perilune setup torch\n");
    assert_holds(&run.out, "NVIDIA driver");
}
