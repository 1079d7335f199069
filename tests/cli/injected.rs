//! Every writer, with each of its calls to the file system failing in turn: what stands under a name afterwards is what was there before,
//! or the whole file, and the exit code says which.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Mutex, OnceLock};
use std::time::{Duration, Instant};

use super::perilune;
use crate::faults::{Server, Stored};

/// The library that fails calls, compiled once.
pub fn injector() -> &'static Path {
    static MADE: OnceLock<(tempfile::TempDir, PathBuf)> = OnceLock::new();
    let (_, made) = MADE.get_or_init(|| {
        let folder = tempfile::tempdir().unwrap();
        let made = folder.path().join("injected.so");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/injected.c");
        let compiled = Command::new("cc")
            .args(["-shared", "-fPIC", "-O1", "-o"])
            .args([&made, &source])
            .arg("-ldl")
            .status()
            .unwrap();
        assert!(compiled.success());
        (folder, made)
    });
    made
}

/// What lies in a folder: contents by path. Of a download's own folder of parts only drafts are looked for.
type Found = BTreeMap<String, Vec<u8>>;

fn look(root: &Path) -> Found {
    fn inside(root: &Path, folder: &Path, found: &mut Found) {
        for entry in std::fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            let name = path.strip_prefix(root).unwrap().to_string_lossy().into_owned();
            let keeps_parts = name.starts_with(".perilune") && !name.contains(".draft-");
            match path.is_dir() {
                true => {
                    if name.contains(".draft-") {
                        found.insert(name, Vec::new());
                    }
                    inside(root, &path, found);
                }
                false if keeps_parts => {}
                false => {
                    found.insert(name, std::fs::read(&path).unwrap());
                }
            }
        }
    }
    let mut found = Found::new();
    inside(root, root, &mut found);
    found
}

struct Writer {
    name: &'static str,
    /// Of `perilune`.
    arguments: Vec<String>,
    /// What is typed.
    input: &'static str,
    /// What is there before.
    given: Vec<(&'static str, Vec<u8>)>,
    /// Whether files of the names that it writes may be there, too.
    replaces: bool,
    /// What an error names.
    named: &'static str,
    /// Its file says when it was made, in as many bytes each time.
    dated: bool,
}

fn script(name: &'static str, named: &'static str, code: &str) -> Writer {
    let code = format!(
        "local grid = raster.grid {{ crs = 'EPSG:32633', bounds = {{ 0, 0, 400, 300 }}, resolution = 10 }}\n\
         local image = (raster.random(grid, {{ distribution = 'uniform', seed = 1 }}) * 200):rename 'a'\n{code}"
    );
    Writer {
        name,
        arguments: ["--quiet", "-e", &code].map(String::from).to_vec(),
        input: "",
        given: Vec::new(),
        replaces: true,
        named,
        dated: false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Fault {
    /// One call fails with an error of the device.
    Once,
    /// From one call on the disk is full.
    Full,
}

struct Done {
    code: Option<i32>,
    err: String,
    after: Found,
    /// The calls, those that were made to fail marked.
    calls: Vec<String>,
}

fn run(writer: &Writer, before: &Found, fault: Fault, at: usize) -> Done {
    let here = tempfile::tempdir().unwrap();
    let work = here.path().canonicalize().unwrap().join("work");
    std::fs::create_dir(&work).unwrap();
    for (name, contents) in before {
        let path = work.join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }
    let log = here.path().join("log");
    let mut child = perilune(&work)
        .args(&writer.arguments)
        .env("XDG_STATE_HOME", here.path().join("state"))
        .env("XDG_CONFIG_HOME", work.join("config"))
        .env("LD_PRELOAD", injector())
        .env("INJECT_FOLDER", &work)
        .env("INJECT_AT", at.to_string())
        .env("INJECT_AS", if fault == Fault::Full { "full" } else { "once" })
        .env("INJECT_LOG", &log)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(here.path().join("err")).unwrap())
        .spawn()
        .unwrap();
    // The program may leave before it has read everything.
    let _ = child.stdin.take().unwrap().write_all(writer.input.as_bytes());
    let start = Instant::now();
    let code = loop {
        match child.try_wait().unwrap() {
            Some(status) => break status.code(),
            None if start.elapsed() > Duration::from_secs(30) => {
                child.kill().unwrap();
                child.wait().unwrap();
                break Some(-1);
            }
            None => std::thread::sleep(Duration::from_millis(5)),
        }
    };
    let calls = std::fs::read_to_string(&log).unwrap_or_default();
    Done {
        code,
        err: std::fs::read_to_string(here.path().join("err")).unwrap(),
        after: look(&work),
        calls: calls.lines().map(String::from).collect(),
    }
}

fn shown(found: &Found) -> String {
    let each = found
        .iter()
        .map(|(name, bytes)| format!("{name} ({})", bytes.len()));
    each.collect::<Vec<_>>().join(", ")
}

/// What is wrong with how a run with a fault ended.
fn wrong(writer: &Writer, fault: Fault, done: &Done, before: &Found, whole: &[Found; 2]) -> Option<String> {
    if done.err.contains("panicked") {
        return Some("panicked".into());
    }
    match done.code {
        Some(0) => {
            let same = |(name, bytes): (&String, &Vec<u8>)| match writer.dated {
                true => whole[0].get(name).is_some_and(|whole| whole.len() == bytes.len()),
                false => whole.iter().all(|whole| whole.get(name) == Some(bytes)),
            };
            let names = |found: &Found| found.keys().cloned().collect::<Vec<_>>();
            let right = names(&done.after) == names(&whole[0]) && done.after.iter().all(same);
            (!right).then(|| format!("ended well with {}", shown(&done.after)))
        }
        Some(1 | 2) if done.after != *before => Some(format!(
            "left {} in place of {}",
            shown(&done.after),
            shown(before)
        )),
        Some(1 | 2) if !done.err.contains(writer.named) => Some(format!("does not name {}", writer.named)),
        Some(1 | 2) if fault == Fault::Full && !done.err.contains("no space is left") => {
            Some("does not say that the disk is full".into())
        }
        Some(1 | 2) => None,
        Some(-1) => Some("never ended".into()),
        other => Some(format!("exit code {other:?}")),
    }
}

/// Fails each call of each writer in turn, in both ways.
fn inject(writers: &[Writer]) {
    struct Attempt<'a> {
        writer: &'a Writer,
        fault: Fault,
        before: Found,
        whole: [Found; 2],
        at: usize,
    }
    let mut attempts = Vec::new();
    for writer in writers {
        let given: Found = writer
            .given
            .iter()
            .map(|(n, b)| (n.to_string(), b.clone()))
            .collect();
        let new = run(writer, &given, Fault::Once, 0);
        assert!(new.code == Some(0), "{}: {}", writer.name, new.err);
        for fault in [Fault::Once, Fault::Full] {
            let mut before = given.clone();
            if writer.replaces && fault == Fault::Once {
                let names = new.after.keys().filter(|name| !given.contains_key(*name));
                before.extend(names.map(|name| (name.clone(), b"old\n".to_vec())));
            }
            let [first, second] = [(); 2].map(|()| run(writer, &before, fault, 0));
            for done in [&first, &second] {
                assert!(done.code == Some(0), "{}: {}", writer.name, done.err);
                assert!(done.after != before, "{}: nothing was written", writer.name);
                assert!(
                    done.after.values().all(|bytes| bytes != b"old\n"),
                    "{}",
                    writer.name
                );
            }
            assert!(!first.calls.is_empty(), "{}: no call was seen", writer.name);
            for at in 1..=first.calls.len() {
                attempts.push(Attempt {
                    writer,
                    fault,
                    before: before.clone(),
                    whole: [first.after.clone(), second.after.clone()],
                    at,
                });
            }
        }
    }
    let (next, failures) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                while let Some(attempt) = attempts.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Attempt {
                        writer,
                        fault,
                        before,
                        whole,
                        at,
                    } = attempt;
                    let done = run(writer, before, *fault, *at);
                    if let Some(what) = wrong(writer, *fault, &done, before, whole) {
                        let call = done.calls.iter().find(|call| call.starts_with("FAILED"));
                        failures.lock().unwrap().push(format!(
                            "{} {fault:?} {at}: {what}\n  {}\n  {}",
                            writer.name,
                            call.map_or("nothing failed", String::as_str),
                            done.err.lines().next().unwrap_or_default()
                        ));
                    }
                }
            });
        }
    });
    println!("{} attempts", attempts.len());
    let mut broken: Vec<String> = failures.into_inner().unwrap();
    broken.sort();
    assert!(
        broken.is_empty(),
        "{} of {}:\n{}",
        broken.len(),
        attempts.len(),
        broken.join("\n")
    );
}

/// Two members, in two places.
fn archive() -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(std::io::Cursor::new(Vec::new()));
    for name in ["folder/one.txt", "two.txt"] {
        zip.start_file(name, zip::write::SimpleFileOptions::default())
            .unwrap();
        zip.write_all(&[b'x'; 900]).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn images_are_whole_or_absent() {
    let format = |name: &'static str, file: &'static str, options: &str| {
        script(
            name,
            file,
            &format!("image:cast('uint8'):write('{file}', {{ {options} }})"),
        )
    };
    inject(&[
        format("GTiff", "a.tif", ""),
        format("COG", "a.tif", "format = 'COG'"),
        format("PNG", "a.png", ""),
        format("JPEG", "a.jpg", "format = 'JPEG'"),
        format("JP2", "a.jp2", ""),
        format("ENVI", "a.img", "format = 'ENVI'"),
        format("HFA", "a.img", "format = 'HFA'"),
        Writer {
            dated: true,
            ..format("netCDF", "a.nc", "")
        },
        Writer {
            replaces: false,
            ..format("Zarr", "a.zarr", "format = 'Zarr'")
        },
        script(
            "overviews",
            "a.tif",
            "raster.random(raster.grid { rows = 20, cols = 600 }, {}):write('a.tif', { overviews = true })",
        ),
        script("write_all", "a.tif", "raster.write_all { { image, 'a.tif' } }"),
        script(
            "write_netcdf",
            "a.nc",
            "raster.write_netcdf('a.nc', { { image = image } })",
        ),
        script(
            "write_hdf5",
            "a.h5",
            "raster.write_hdf5('a.h5', { ['/data/a'] = image:cast 'float32', ['/n'] = 5, ['/t'] = 'text' })",
        ),
    ]);
}

#[test]
fn several_images_say_which_were_written() {
    let code = "raster.write_all { { image, 'a.tif' }, { image + 1, 'b.tif' } }";
    let writer = script("write_all", "a.tif", code);
    let none = Found::new();
    let whole = run(&writer, &none, Fault::Once, 0);
    assert!(whole.code == Some(0) && whole.after.len() == 2, "{}", whole.err);
    // Those by which a file comes to stand where it is wanted, none within a draft.
    let is_last = |call: &str| call.starts_with("rename") && !call.contains("/.draft-");
    let renames: Vec<usize> = (1..=whole.calls.len())
        .filter(|at| is_last(&whole.calls[at - 1]))
        .collect();
    let [first, second] = renames[..] else {
        panic!("{:?}", whole.calls)
    };
    for at in 1..=second {
        let done = run(&writer, &none, Fault::Once, at);
        // A folder's own sync, and the closing of what was synced, are nothing that a file needs.
        let is_needless = whole.calls[at - 1].starts_with("close") || at > first && at < second;
        if done.code == Some(0) && is_needless {
            assert_eq!(done.after, whole.after);
            continue;
        }
        assert_eq!(done.code, Some(1), "{at}: {}", done.err);
        let (says, left) = match at > first {
            true => ("/a.tif; not written: ", vec!["a.tif"]),
            false => ("none of the 2 files was written", vec![]),
        };
        assert!(done.err.contains(says), "{at}: {}", done.err);
        assert_eq!(done.after.keys().collect::<Vec<_>>(), left, "{at}");
        assert!(done.after.iter().all(|(name, bytes)| whole.after[name] == *bytes));
    }
}

#[test]
fn features_are_whole_or_absent() {
    let all = |name: &'static str, file: &'static str| {
        let code = format!(
            "geometry.features({{ {{ geometry = geometry.point(11.5, 48.1), properties = {{ name = 'Munich', people = 3 }} }}, \
             {{ geometry = geometry.point(9.9, 48.4), properties = {{ name = 'Ulm', people = 1 }} }} }}):write('{file}')"
        );
        script(name, file, &code)
    };
    inject(&[
        all("GeoJSON", "a.geojson"),
        all("GeoJSONSeq", "a.geojsonl"),
        all("KML", "a.kml"),
        all("GML", "a.gml"),
        all("Shapefile", "a.shp"),
        all("FlatGeobuf", "a.fgb"),
        Writer {
            dated: true,
            ..all("GeoPackage", "a.gpkg")
        },
    ]);
}

#[test]
fn tables_texts_and_figures_are_whole_or_absent() {
    let server = Server::start(|ask| Stored::new(vec![b'x'; 9000]).reply(ask));
    let download = format!(
        "require 'catalog'.download({{ {{ url = '{}', name = 'a.bin', size = 9000 }} }}, {{ dir = '.' }})",
        server.url("a.bin")
    );
    let command = |name: &'static str, arguments: &[&str], named: &'static str| Writer {
        name,
        arguments: arguments.iter().map(|a| a.to_string()).collect(),
        input: "",
        given: Vec::new(),
        replaces: false,
        named,
        dated: false,
    };
    inject(&[
        script(
            "csv",
            "a.csv",
            "require 'tables'.new { a = { 1, 2 } }:write_csv('a.csv')",
        ),
        Writer {
            dated: true,
            ..script("items", "a.json", "require 'catalog'.items({}):save('a.json')")
        },
        Writer {
            given: vec![("a.zip", archive())],
            replaces: false,
            ..script(
                "unzip",
                "out",
                "require 'catalog'.unzip('a.zip', { into = 'out' })",
            )
        },
        script("fs.write", "a.txt", "fs.write('a.txt', ('text'):rep(5000))"),
        script("fs.append", "a.txt", "fs.append('a.txt', ('text'):rep(5000))"),
        Writer {
            given: vec![("b.txt", b"text".repeat(5000))],
            ..script("fs.copy", "a.txt", "fs.copy('b.txt', 'a.txt')")
        },
        script(
            "figure.png",
            "a.png",
            "plot.line({ 1, 2 }, { 1, 4 }, { width = 2 }):write('a.png')",
        ),
        script(
            "figure.svg",
            "a.svg",
            "plot.line({ 1, 2 }, { 1, 4 }, { width = 2 }):write('a.svg')",
        ),
        Writer {
            replaces: false,
            ..script("download", "a.bin", &download)
        },
        command(
            "workflows copy",
            &["workflows", "copy", "footprints"],
            "footprints.lua",
        ),
        Writer {
            input: "word\n",
            // Stays, so that those who wait for it wait for the same file.
            given: vec![("config/perilune/credentials.lock", Vec::new())],
            ..command("login", &["login", "a.example.org", "--token"], "config/perilune")
        },
        Writer {
            input: "x = 1\n:save a.lua\n",
            ..command("save", &["--quiet"], "a.lua")
        },
    ]);
}
