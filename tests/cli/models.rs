//! Models in the process of a script: what computes them, held by the system.

use std::path::Path;

use super::{Run, assert_holds, finish, folder, perilune};

/// Opens a small model, as the tests in Lua write it, and prints what computes it. `libraries`: the folder of libraries, if another one.
fn opened(libraries: Option<&str>, arguments: &[&str]) -> (tempfile::TempDir, Run) {
    let here = folder(&[]);
    let writer = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lua/inference/open.lua");
    let text = std::fs::read_to_string(writer).unwrap();
    let writer = text.split("\ntest(").next().unwrap();
    let script =
        format!("{writer}\nfs.write(\"m.onnx\", model())\nprint(inference.open(\"m.onnx\").device)\n");
    std::fs::write(here.path().join("m.lua"), script).unwrap();
    let mut command = perilune(here.path());
    if let Some(libraries) = libraries {
        command.env("PERILUNE_LIBRARIES", here.path().join(libraries));
        let planted = here
            .path()
            .join("planted/onnxruntime/capi/libonnxruntime.so.1.32.0");
        std::fs::create_dir_all(planted.parent().unwrap()).unwrap();
        std::fs::write(planted, "machine code of somebody else").unwrap();
    }
    command.args(arguments).args(["run", "m.lua"]);
    let run = finish(command);
    (here, run)
}

#[test]
fn onnx_runtime_opens_in_a_process_that_the_system_holds() {
    let (_here, run) = opened(None, &["--confine=require"]);
    if run.err.contains("the system does not hold") {
        return eprintln!("skipped: {}", run.err);
    }
    assert_eq!(run.code, 0, "{}", run.err);
    if run.err.contains("perilune setup onnxruntime") {
        return eprintln!("skipped: ONNX Runtime is not set up");
    }
    assert_holds(&run.out, "cpu by ONNX Runtime 1.");
    assert_eq!(run.err, "");
}

#[test]
fn without_onnx_runtime_a_note_says_how_to_get_it() {
    let (_here, run) = opened(Some("none"), &[]);
    assert_eq!((run.code, run.out.as_str()), (0, "cpu by rten\n"), "{}", run.err);
    assert_holds(&run.err, "warning: models are computed without ONNX Runtime");
    assert_holds(&run.err, "`perilune setup onnxruntime` brings it");
}

#[test]
fn a_library_that_a_script_may_have_written_is_not_opened() {
    let (_here, run) = opened(Some("planted"), &[]);
    assert_eq!(run.code, 1);
    assert_holds(
        &run.err,
        "libonnxruntime.so.1.32.0: lies in a folder that this script may write in",
    );
}
