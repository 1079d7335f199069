//! Training while its disk is full: what was there before stays, the error says which file, and the next run ends as if nothing had been.

use std::collections::BTreeMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::path::Path;

use super::injected::injector;
use super::{Run, finish, folder, perilune};

const EPOCHS: usize = 5;

/// A network of some epochs and its history; prints which epoch is the best.
fn script(epochs: usize) -> String {
    format!(
        r#"
        local scenes = {{}}
        for i = 1, 4 do
          local grid = raster.grid {{ crs = "EPSG:32611", origin = {{ 400000 + 4000 * i, 3860000 }}, resolution = 10, rows = 64, cols = 64 }}
          local image = raster.random(grid, {{ distribution = "smooth", scale = 30, seed = i, name = "HH" }})
          scenes[i] = {{ image = image, labels = image:gt(0.5), group = "scene " .. i }}
        end
        local ds = learning.dataset {{
          scenes = scenes, classes = {{ [0] = "low", [1] = "high" }}, chip = 32, split = {{ validation = {{ "scene 4" }}, test = 0 }},
        }}
        local trained = learning.train(ds, {{
          checkpoint = "state", model = "model.onnx", epochs = {epochs}, batch = 4, learning_rate = 1e-3, seed = 5, device = "cpu",
        }})
        trained.history:write_csv "history.csv"
        print(trained.best)
        "#
    )
}

fn train(root: &Path, epochs: usize) -> Run {
    let mut command = perilune(root);
    command.args(["--quiet", "-e", &script(epochs)]);
    finish(command)
}

/// The same where every call that takes room for the file `name` fails from the second on, or `once` the call of this number.
fn with_fault(root: &Path, epochs: usize, name: &str, once: Option<usize>) -> (Run, Vec<String>) {
    let log = tempfile::NamedTempFile::new().unwrap();
    let mut command = perilune(root);
    command
        .args(["--quiet", "-e", &script(epochs)])
        .env("LD_PRELOAD", injector())
        .env("INJECT_FOLDER", root.canonicalize().unwrap())
        .env("INJECT_NAME", name)
        .env("INJECT_AT", once.unwrap_or(2).to_string())
        .env("INJECT_AS", if once.is_some() { "once" } else { "full" })
        .env("INJECT_LOG", log.path());
    let run = finish(command);
    let calls = std::fs::read_to_string(log.path()).unwrap();
    (run, calls.lines().map(String::from).collect())
}

/// What lies there: by name what tells one content from another.
fn look(root: &Path) -> BTreeMap<String, u64> {
    let mut found = BTreeMap::new();
    for folder in ["", "state"] {
        for entry in std::fs::read_dir(root.join(folder)).into_iter().flatten() {
            let path = entry.unwrap().path();
            if path.is_file() {
                let mut hasher = DefaultHasher::new();
                std::fs::read(&path).unwrap().hash(&mut hasher);
                let name = path.file_name().unwrap().to_string_lossy().into_owned();
                found.insert(name, hasher.finish());
            }
        }
    }
    found
}

#[test]
fn a_full_disk_loses_nothing_of_a_training() {
    let (whole, here) = (folder(&[]), folder(&[]));
    let (whole, root) = (whole.path(), here.path());
    let right = train(whole, EPOCHS);
    assert_eq!(right.code, 0, "{}", right.err);
    assert_ne!(right.out.trim(), "1", "no epoch was better than the first");

    let full = |epochs: usize, name: &str| {
        let before = look(root);
        let (run, calls) = with_fault(root, epochs, name, None);
        assert!(
            calls.iter().any(|call| call.starts_with("FAILED")),
            "{name}: nothing failed: {calls:?}"
        );
        assert_eq!(run.code, 1, "{name}: {}", run.err);
        for part in [name, "no space is left on the disk of", " free); make room there"] {
            assert!(run.err.contains(part), "{name}: {}", run.err);
        }
        let after = look(root);
        assert_eq!(before.get(name), after.get(name), "{name} is another one");
        assert!(after.keys().all(|name| !name.contains("draft")), "{after:?}");
        (before, after)
    };
    // Nothing was there before.
    for name in ["best.safetensors", "last.safetensors"] {
        let (_, after) = full(1, name);
        assert!(
            !after.contains_key("model.onnx") && !after.contains_key("history.csv"),
            "{after:?}"
        );
    }
    let first = train(root, 1);
    assert_eq!(first.code, 0, "{}", first.err);
    // A device that fails at the last moment, once all of it is written.
    let before = look(root);
    let (_, calls) = with_fault(root, 2, "last.safetensors", Some(0));
    let rename = 1 + calls.iter().position(|call| call.starts_with("rename")).unwrap();
    // That run went well: what it made is taken back by a run of the same.
    assert_ne!(look(root).get("last.safetensors"), before.get("last.safetensors"));
    let before = look(root);
    let (run, calls) = with_fault(root, 3, "last.safetensors", Some(rename));
    assert!(calls[rename - 1].starts_with("FAILED rename"), "{calls:?}");
    assert!(
        run.code == 1 && run.err.contains("last.safetensors"),
        "{}",
        run.err
    );
    assert_eq!(look(root).get("last.safetensors"), before.get("last.safetensors"));

    full(EPOCHS, "last.safetensors");
    full(EPOCHS, "best.safetensors");
    full(EPOCHS, "model.onnx");
    full(EPOCHS, "history.csv");
    let last = train(root, EPOCHS);
    assert_eq!((last.code, &last.out), (0, &right.out), "{}", last.err);
    // As if nothing had been.
    assert_eq!(look(root), look(whole));
}
