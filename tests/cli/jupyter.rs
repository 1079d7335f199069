//! The kernel of notebooks, as Jupyter's own clients meet it; see tests/reference/jupyter.py.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::{Value as Json, json};

use super::{Run, assert_holds, finish, folder, of_setup, perilune, run};

/// Python with Jupyter's clients.
fn python() -> Option<PathBuf> {
    of_setup("jupyter/bin/python")
}

/// One of the checks, with a kernel that is installed in `here` and nothing else of Jupyter's.
fn check(here: &Path, words: &[&str]) -> Option<Run> {
    let python = python()?;
    if !here.join("jupyter/share").exists() {
        let done = run(
            here,
            &["--memory", "512MiB", "jupyter", "install", "--prefix", "jupyter"],
        );
        assert_eq!(done.code, 0, "{}", done.err);
    }
    let root = std::env::var_os("PERILUNE_TEST_ROOT").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    let mut command = Command::new(python);
    command
        .current_dir(here)
        .env("JUPYTER_PATH", here.join("jupyter/share/jupyter"))
        .env("JUPYTER_DATA_DIR", here.join("data"))
        .env("JUPYTER_CONFIG_DIR", here.join("config"))
        .env("JUPYTER_RUNTIME_DIR", here.join("runtime"))
        .env("XDG_STATE_HOME", here.join("state"))
        .env("NO_COLOR", "1")
        .arg(Path::new(&root).join("tests/reference/jupyter.py"))
        .args(words);
    Some(finish(command))
}

#[track_caller]
fn passes(name: &str) {
    let here = folder(&[]);
    if let Some(done) = check(here.path(), &[name]) {
        assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    }
}

/// By PyPI's jupyter_kernel_test, which nobody here wrote.
#[test]
fn the_kernel_passes_the_suite_of_jupyter() {
    passes("suite");
}

#[test]
fn cells_show_what_they_print_and_their_last_value() {
    passes("shows");
}

#[test]
fn errors_have_their_place_and_end_what_was_queued() {
    passes("fails");
}

#[test]
fn cells_are_interrupted_by_message_and_by_signal() {
    passes("interrupts");
}

#[test]
fn front_ends_get_completions_help_and_history() {
    passes("answers");
}

#[test]
fn progress_is_one_display_that_goes() {
    passes("progress");
}

#[test]
fn many_prints_arrive_in_order_and_in_few_messages() {
    passes("prints");
}

#[test]
fn a_kernel_that_is_killed_leaves_files_whole() {
    passes("killed");
}

#[test]
fn a_kernel_goes_with_its_front_end() {
    passes("orphan");
}

#[test]
fn the_kernel_is_installed_with_its_options_and_removed_again() {
    let here = folder(&[]);
    let at = here.path().join("env/share/jupyter/kernels/perilune");
    let install = |more: &[&str]| {
        let mut command = perilune(here.path());
        command
            .args(["jupyter", "install"])
            .args(more)
            .env("HOME", here.path().join("home"))
            .env_remove("XDG_DATA_HOME")
            .env_remove("JUPYTER_DATA_DIR")
            .env_remove("CONDA_PREFIX")
            .env("VIRTUAL_ENV", here.path().join("env"));
        finish(command)
    };
    let done = install(&[
        "--prefix",
        "env",
        "--memory",
        "2GiB",
        "--threads",
        "3",
        "--deny-write",
        "raw",
    ]);
    assert_eq!(done.code, 0, "{}", done.err);
    let kernel: Json = serde_json::from_slice(&fs::read(at.join("kernel.json")).unwrap()).unwrap();
    let program = fs::canonicalize(env!("CARGO_BIN_EXE_perilune")).unwrap();
    let raw = fs::canonicalize(here.path()).unwrap().join("raw");
    assert_eq!(
        kernel["argv"],
        json!([
            program,
            "--deny-write",
            raw,
            "--confine=auto",
            "--threads=3",
            "--memory=2147483648",
            "jupyter",
            "run",
            "{connection_file}"
        ])
    );
    assert_eq!(
        (&kernel["language"], &kernel["interrupt_mode"]),
        (&json!("lua"), &json!("message"))
    );
    assert!(
        fs::read_to_string(at.join("logo-svg.svg"))
            .unwrap()
            .starts_with("<svg")
    );

    // Anew, in the environment that is active, and for the user.
    assert_eq!(install(&["--sys-prefix"]).code, 0);
    assert_holds(
        &fs::read_to_string(at.join("kernel.json")).unwrap(),
        "--confine=auto\",\n    \"jupyter\"",
    );
    assert_eq!(install(&["--user"]).code, 0);
    let own = here.path().join("home/.local/share/jupyter/kernels/perilune");
    assert!(own.join("kernel.json").is_file());
    assert_eq!(install(&["--user", "--sys-prefix"]).code, 2);

    fs::write(at.join("notes.txt"), "mine").unwrap();
    let done = run(here.path(), &["jupyter", "uninstall", "--prefix", "env"]);
    assert_eq!(done.code, 0, "{}", done.err);
    let left: Vec<_> = fs::read_dir(&at)
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(left, ["notes.txt"]);
    let done = run(here.path(), &["jupyter", "uninstall", "--prefix", "env"]);
    assert_eq!(done.code, 2);
    assert_holds(&done.err, "there is no kernel of perilune");
}

#[test]
fn a_connection_that_cannot_be_is_told() {
    let connection = |transport: &str, scheme: &str, port: u16| {
        json!({
            "transport": transport, "ip": "127.0.0.1", "key": "k", "signature_scheme": scheme, "shell_port": port,
            "iopub_port": 0, "stdin_port": 0, "control_port": 0, "hb_port": 0,
        })
        .to_string()
    };
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let here = folder(&[
        ("no.json", "{}"),
        ("ipc.json", &connection("ipc", "hmac-sha256", 1)),
        ("md5.json", &connection("tcp", "hmac-md5", 0)),
        (
            "taken.json",
            &connection("tcp", "hmac-sha256", taken.local_addr().unwrap().port()),
        ),
    ]);
    for (file, expected) in [
        ("gone.json", "gone.json"),
        ("no.json", "it is no connection file of Jupyter"),
        ("ipc.json", "transport `ipc`"),
        ("md5.json", "hmac-md5"),
        ("taken.json", "cannot be listened at"),
    ] {
        let done = run(here.path(), &["jupyter", "run", file]);
        assert_eq!(done.code, 2, "{file}: {}", done.err);
        assert_holds(&done.err, expected);
    }
}

/// The only entry of a folder that is a folder.
fn first_folder(folder: &Path) -> String {
    let mut names: Vec<String> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap())
        .filter(|entry| entry.path().is_dir())
        .map(|entry| entry.file_name().into_string().unwrap())
        .collect();
    names.sort();
    names.swap_remove(0)
}

/// Makes notebooks of workflows, runs them in their order, and answers with the cells of each. Run, they are the same scripts as before.
pub fn run_notebooks(here: &Path, notebooks: &[(&str, &str)]) -> Option<Vec<Vec<Json>>> {
    let mut words = vec!["notebook".to_string()];
    for (name, parameters) in notebooks {
        let done = run(here, &["convert", name, &format!("{name}.ipynb"), "--force"]);
        assert_eq!(done.code, 0, "{}", done.err);
        words.push(format!("{name}.ipynb?{parameters}"));
    }
    let words: Vec<&str> = words.iter().map(String::as_str).collect();
    let done = check(here, &words)?;
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    println!("{}", done.out);
    let cells = notebooks.iter().map(|(name, _)| {
        let back = run(
            here,
            &["convert", &format!("{name}.ipynb"), "back.lua", "--force"],
        );
        assert_eq!(back.code, 0, "{}", back.err);
        let copy = run(here, &["workflows", "copy", name, "own.lua"]);
        assert_eq!(copy.code, 0, "{}", copy.err);
        assert!(
            fs::read(here.join("own.lua")).unwrap() == fs::read(here.join("back.lua")).unwrap(),
            "{name}"
        );
        fs::remove_file(here.join("own.lua")).unwrap();
        let notebook: Json =
            serde_json::from_slice(&fs::read(here.join(format!("{name}.ipynb"))).unwrap()).unwrap();
        assert_eq!(notebook["metadata"]["kernelspec"]["name"], "perilune");
        let cells = notebook["cells"].as_array().unwrap();
        let code = cells.iter().filter(|cell| cell["cell_type"] == "code");
        let code: Vec<Json> = code.cloned().collect();
        assert!(code.iter().all(|cell| cell["execution_count"].is_u64()), "{name}");
        code
    });
    Some(cells.collect())
}

#[test]
fn notebooks_of_the_workflows_of_scenes_run() {
    let here = folder(&[]);
    let notebooks = [
        ("make_s1_scenes", "out=scenes size=128 dates=2 bursts=1"),
        ("s1_vv_vh", "folder=scenes out=vv_vh.tif radius=30"),
        ("make_cslc_stack", "out=cslc dates=2 rows=200 cols=400"),
        ("rle", "folder=cslc out=rle points=4 neighbours=1"),
        ("make_itslive_granules", "out=itslive count=8 size=24"),
        ("itslive_cube", "granules=itslive out=cube"),
    ];
    let Some(cells) = run_notebooks(here.path(), &notebooks) else {
        return;
    };
    for made in ["vv_vh.tif", "rle", "cube"] {
        assert!(here.path().join(made).exists(), "{made}");
    }
    // What a run prints stands below the cells that print it.
    let printed: Vec<String> = cells[1]
        .iter()
        .flat_map(|cell| cell["outputs"].as_array().unwrap())
        .map(|output| output["text"].to_string())
        .collect();
    assert_holds(&printed.concat(), "vv_vh");
}

#[test]
fn notebooks_of_the_workflows_of_water_run() {
    let here = folder(&[]);
    if python().is_none() {
        return;
    }
    let root = here.path();
    let make = [("make_water_scenes", "out=scenes scenes=3 size=160")];
    if run_notebooks(root, &make).is_none() {
        return;
    }
    let scene = format!("scenes/{}", first_folder(&root.join("scenes")));
    let of_scene = format!("scene={scene} out=threshold.tif");
    let of_network = format!("model=water.onnx scene={scene} hand=scene device=cpu out=network.tif");
    let notebooks = [
        ("water_threshold", of_scene.as_str()),
        (
            "water_training_data",
            "folder=scenes optical=scene hand=scene out=training",
        ),
        (
            "water_train",
            "scenes=training/scenes.csv bands=HH,HV,DEM,HAND chip=32 step=64 batch=16 epochs=1 validation=0.34 test=0.33",
        ),
        ("water_map", of_network.as_str()),
        ("water_compare", "map=network.tif reference=threshold.tif"),
    ];
    run_notebooks(root, &notebooks);
    for made in [
        "threshold.tif",
        "training/scenes.csv",
        "water.onnx",
        "network.tif",
        "comparison_classes.csv",
    ] {
        assert!(root.join(made).exists(), "{made}");
    }
}

#[test]
fn notebooks_of_the_workflows_of_offsets_and_footprints_run() {
    let here = folder(&[(
        "items.json",
        r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"platform":"a"},"geometry":{"type":"Polygon","coordinates":[[[8,46],[9,46],[9,47],[8,47],[8,46]]]}}]}"#,
    )]);
    let pair = "
        local grid = raster.grid { crs = 'EPSG:32632', origin = { 0, 0 }, resolution = 10, rows = 200, cols = 200 }
        local noise = filter.focal_mean(raster.random(grid, { seed = 1 }), { radius = 1 })
        noise:write 'a.tif'
        raster.open('a.tif'):shift({ cols = 1, rows = 2 }):write 'b.tif'";
    let made = run(here.path(), &["--quiet", "-e", pair]);
    assert_eq!(made.code, 0, "{}", made.err);
    let notebooks = [
        (
            "glacier_velocity",
            "reference=a.tif secondary=b.tif reference_time=2020-01-01 secondary_time=2020-02-01 search=6 out=velocity.tif",
        ),
        ("footprints", "items=items.json out=footprints.png dpi=60"),
    ];
    if run_notebooks(here.path(), &notebooks).is_some() {
        assert!(here.path().join("velocity.tif").exists() && here.path().join("footprints.png").exists());
    }
}
