//! Output while things go wrong: interruption, kill −9, a full disk, folders that cannot be written.

use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, Instant};

use super::stopping::BOUND;
use super::{finish, folder, perilune, run};

/// Some minutes of work that writes `big.tif`.
const LONG: &str = r#"
local grid = raster.grid { crs = "EPSG:32633", bounds = { 0, 0, 300000, 300000 }, resolution = 10 }
local image = raster.random(grid, { distribution = "speckle", looks = 4.4, seed = 1 })
filter.focal_median(image, { radius = 9 }):write("big.tif", { compress = "none" })
"#;

const SMALL: &str = r#"
local grid = raster.grid { crs = "EPSG:32633", bounds = { 0, 0, 5000, 5000 }, resolution = 10 }
raster.random(grid, { distribution = "uniform", seed = 1 }):write("big.tif", { compress = "none" })
"#;

fn names(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|e| e.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = entries.filter(|n| n != "state").collect();
    names.sort();
    names
}

/// Starts the long run and waits until it is writing.
fn writing(folder: &Path) -> std::process::Child {
    writing_as(folder, "big.tif")
}

fn writing_as(folder: &Path, name: &str) -> std::process::Child {
    let child = perilune(folder)
        .args(["--quiet", "-e", &LONG.replace("big.tif", name)])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !names(folder).iter().any(|n| n.starts_with(".draft-")) {
        assert!(
            start.elapsed() < Duration::from_secs(60),
            "no draft appeared: {:?}",
            names(folder)
        );
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(300));
    child
}

#[test]
fn ctrl_c_while_writing_leaves_nothing() {
    for name in ["big.tif", "big.nc"] {
        ctrl_c_while_writing(name);
    }
}

fn ctrl_c_while_writing(name: &str) {
    let folder = folder(&[]);
    let child = writing_as(folder.path(), name);
    let start = Instant::now();
    // SAFETY: the child has not been waited for, so its number is its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().unwrap();
    assert!(start.elapsed() < BOUND, "took {:?}", start.elapsed());
    assert_eq!(output.status.code(), Some(130));
    let text = String::from_utf8(output.stderr).unwrap();
    assert!(text.contains("interrupted"), "{text}");
    assert!(names(folder.path()).is_empty(), "{:?}", names(folder.path()));
}

#[test]
fn kill_9_leaves_nothing_under_the_final_name_and_the_next_run_sweeps() {
    let folder = folder(&[]);
    std::fs::write(folder.path().join("big.tif"), "what was there before").unwrap();
    let mut child = writing(folder.path());
    child.kill().unwrap();
    child.wait().unwrap();
    assert_eq!(
        std::fs::read(folder.path().join("big.tif")).unwrap(),
        b"what was there before"
    );
    let next = run(folder.path(), &["-e", SMALL]);
    assert_eq!(next.code, 0, "{}", next.err);
    assert_eq!(names(folder.path()), ["big.tif"]);
    assert!(std::fs::metadata(folder.path().join("big.tif")).unwrap().len() > 1_000_000);
}

#[test]
fn a_full_disk_is_an_error_and_keeps_the_old_file() {
    for name in ["big.tif", "big.nc"] {
        a_full_disk(name);
    }
}

fn a_full_disk(name: &str) {
    let folder = folder(&[]);
    std::fs::write(folder.path().join(name), "what was there before").unwrap();
    let mut command = perilune(folder.path());
    command.args(["-e", &SMALL.replace("big.tif", name)]);
    // A file may grow to 200 kB only; the image needs 1 MB. To the program this is what a full disk is.
    let limit = libc::rlimit {
        rlim_cur: 200_000,
        rlim_max: 200_000,
    };
    // SAFETY: setrlimit is async-signal-safe and takes plain data.
    unsafe {
        command.pre_exec(move || match libc::setrlimit(libc::RLIMIT_FSIZE, &limit) {
            0 => Ok(()),
            _ => Err(std::io::Error::last_os_error()),
        });
    }
    let full = finish(command);
    assert_eq!(full.code, 1, "{}{}", full.out, full.err);
    assert!(
        full.err.contains(name) && full.err.contains("cannot be written"),
        "{}",
        full.err
    );
    assert_eq!(names(folder.path()), [name]);
    assert_eq!(
        std::fs::read(folder.path().join(name)).unwrap(),
        b"what was there before"
    );
}

#[test]
fn folders_that_cannot_be_written_are_named() {
    let folder = folder(&[]);
    let missing = run(
        folder.path(),
        &["-e", &SMALL.replace("big.tif", "no/such/folder/x.tif")],
    );
    assert_eq!(missing.code, 1);
    assert!(
        missing.err.contains("no/such/folder") && missing.err.contains("does not exist"),
        "{}",
        missing.err
    );
    // Not even root can make files there.
    let script = SMALL.replace("big.tif", "/proc/x.tif");
    let refused = run(folder.path(), &["--allow-write", "/proc", "-e", &script]);
    assert_eq!(refused.code, 1);
    assert!(
        refused.err.contains("/proc/x.tif") && refused.err.contains("cannot be created"),
        "{}",
        refused.err
    );
}

#[test]
fn odd_images_are_written_and_read() {
    let folder = folder(&[]);
    let script = r#"
      for _, size in ipairs { { 1, 1 }, { 1, 1000 }, { 1000, 1 }, { 513, 511 }, { 17, 3 } } do
        local grid = raster.grid { crs = "EPSG:32633", origin = { 0, 0 }, resolution = 10, rows = size[1], cols = size[2] }
        local image = raster.random(grid, { distribution = "normal", seed = 3 })
        for _, format in ipairs { "GTiff", "COG" } do
          image:write("odd.tif", { format = format })
          local difference = (image - raster.open("odd.tif")):abs():stats().random
          print(difference.count == size[1] * size[2], difference.max)
        end
      end
    "#;
    let done = run(folder.path(), &["-e", script]);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out.lines().count(), 10, "{}", done.out);
    assert!(done.out.lines().all(|l| l.starts_with("true\t0")), "{}", done.out);
}

/// Starts `code`, waits until `ready` likes what is in the folder, sends SIGINT, and says how long the end took.
fn stopped(folder: &Path, code: &str, ready: impl Fn(&[String]) -> bool) -> Duration {
    let mut child = perilune(folder)
        .args(["--quiet", "-e", code])
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let start = Instant::now();
    while !ready(&names(folder)) {
        if child.try_wait().unwrap().is_some() {
            panic!("it ended by itself: {:?}", child.wait_with_output());
        }
        assert!(start.elapsed() < Duration::from_secs(120), "{:?}", names(folder));
        std::thread::sleep(Duration::from_millis(5));
    }
    // Into the thick of it.
    std::thread::sleep(Duration::from_millis(500));
    let start = Instant::now();
    // SAFETY: the child has not been waited for, so its number is its own.
    unsafe { libc::kill(child.id() as i32, libc::SIGINT) };
    let output = child.wait_with_output().unwrap();
    let took = start.elapsed();
    assert_eq!(output.status.code(), Some(130), "{code}");
    assert_eq!(names(folder), [""; 0], "{code}");
    took
}

#[test]
fn ctrl_c_stops_within_a_tile() {
    let folder = folder(&[]);
    // A tile of each takes many seconds.
    for filter in [
        "focal_median(image, { radius = 500 })",
        "focal_percentile(image, { percentile = 30, radius = 500 })",
        "focal_mode(image, { radius = 500 })",
        "focal_mode((image * 200):cast('uint8'), { radius = 500 })",
        "focal_std(image, { radius = 500 })",
        "frost(image, { size = 101 })",
    ] {
        let code = format!(
            r#"
            local grid = raster.grid {{ rows = 4000, cols = 4000 }}
            local image = raster.random(grid, {{ seed = 1 }}):set_unit("power")
            filter.{filter}:write("big.tif")
            "#
        );
        let took = stopped(folder.path(), &code, |names| !names.is_empty());
        assert!(took < BOUND, "{filter}: {took:?}");
    }
}

#[test]
fn ctrl_c_stops_the_last_steps_of_a_file() {
    let folder = folder(&[]);
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32633", bounds = { 0, 0, 90000, 90000 }, resolution = 10 }
      raster.random(grid, { seed = 1 }):write("big.tif", { format = "COG" })
    "#;
    // The second draft is the file itself, which is made when all blocks of the image lie in the first.
    let took = stopped(folder.path(), code, |names| names.len() > 1);
    assert!(took < BOUND, "{took:?}");
}

#[test]
fn the_number_of_threads_does_not_show() {
    let folder = folder(&[]);
    let script = |name: &str| {
        format!(
            r#"
            local grid = raster.grid {{ crs = "EPSG:32633", origin = {{ 0, 0 }}, resolution = 10, rows = 700, cols = 900 }}
            local image = raster.random(grid, {{ distribution = "speckle", looks = 4, seed = 1, unit = "power" }})
            image = image:mask(image:gt(0.2))
            local small = {{ radius = 4 }}
            local warped = image:reproject {{ crs = "EPSG:3035", resampling = "cubic" }}:align(grid)
            raster.bands {{
              filter.focal_median(image, small):rename("a"), filter.focal_std(image, small):rename("b"),
              filter.refined_lee(image):rename("c"), filter.frost(image):rename("d"), warped:rename("e"),
              filter.tv_bregman(image:to_db(), {{ weight = 0.35 }}):rename("f"), (image / (image + 1)):log():rename("g"),
              raster.stack({{ image, image * 2, image * 3 }}):std():rename("h"),
            }}:write("{name}", {{ compress = "none" }})
            "#
        )
    };
    let mut files = Vec::new();
    for threads in ["1", "2", "7"] {
        let done = run(
            folder.path(),
            &["--quiet", "--threads", threads, "-e", &script("x.tif")],
        );
        assert_eq!(done.code, 0, "{}", done.err);
        let all = r#"local x = raster.open("x.tif"):read() local s = {} for r = 0, 699, 3 do
          for c = 0, 899 do s[#s + 1] = string.format(("%a "):rep(8), x:get(r, c)) end end fs.write("x.txt", table.concat(s))"#;
        let read = run(folder.path(), &["--quiet", "-e", all]);
        assert_eq!(read.code, 0, "{}", read.err);
        files.push(std::fs::read(folder.path().join("x.txt")).unwrap());
    }
    assert!(files[0].len() > 1_000_000);
    assert!(files[0] == files[1] && files[0] == files[2]);
}
