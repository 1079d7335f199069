//! Ways out, tried by scripts: reading a login or the process's memory, writing where nothing may be written, running native code. The
//! attempts are tables in escape/*.lua, one attempt a way and a name; each has to be refused.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use super::faults::{Reply, Server};
use super::{Run, finish, perilune};

const CANARY: &str = "tossed-biscuit-in-the-galley";

/// Folders `home`, `kept`, `open` and `work`, as escape/world.py lays them out.
fn world() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let around = folder.path().canonicalize().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cli/escape/world.py");
    let made = Command::new("/usr/bin/python3")
        .arg(script)
        .args([around.as_os_str(), CANARY.as_ref()])
        .status()
        .unwrap();
    assert!(made.success());
    (folder, around)
}

/// Runs a script in `work`. The system's own hold is off where `confine` says so: perilune's checks have to do without it.
fn tried(around: &Path, confine: &str, script: &str) -> Run {
    let work = around.join("work");
    std::fs::write(work.join("try.lua"), script).unwrap();
    let mut command = perilune(&work);
    command
        .env("HOME", around.join("home"))
        .env("NETRC", around.join("open/.netrc"))
        .env_remove("XDG_CONFIG_HOME")
        .args(["--confine", confine, "--allow-write"])
        .arg(around.join("open"))
        .args(["run", "try.lua"]);
    finish(command)
}

/// What lies outside the working folder.
fn outside(around: &Path) -> BTreeMap<PathBuf, Option<Vec<u8>>> {
    let mut found = BTreeMap::new();
    let mut folders = vec![around.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().flatten() {
            let (path, kind) = (entry.path(), entry.file_type().unwrap());
            if path == around.join("work") {
                continue;
            }
            found.insert(
                path.clone(),
                kind.is_file().then(|| std::fs::read(&path).unwrap()),
            );
            if kind.is_dir() {
                folders.push(path);
            }
        }
    }
    found
}

/// Makes the attempts of a table, with and without the system's hold. There are at least so many.
fn all_are_refused(table: &str, least: usize) {
    let server = Server::start(|_| Reply::new(200, *b"abcd"));
    for confine in ["off", "auto"] {
        let (_folder, around) = world();
        let before = outside(&around);
        let script = format!(
            "local login, kept = [[{0}/home/.netrc]], [[{0}/kept]]\nlocal library, server = [[{0}/work/evil.so]], '{1}'\n{2}\n{table}",
            around.display(),
            server.url("").trim_end_matches('/'),
            include_str!("escape/common.lua"),
        );
        let done = tried(&around, confine, &script);
        assert_eq!(done.code, 0, "{confine}: {}", done.err);
        let worked: Vec<&str> = done
            .out
            .lines()
            .filter(|line| line.starts_with("WORKED"))
            .collect();
        assert!(worked.is_empty(), "{confine}: {worked:#?}");
        let refused: Vec<&str> = done
            .out
            .lines()
            .filter(|line| line.starts_with("refused\t"))
            .collect();
        assert!(refused.len() >= least, "{confine}: {} attempts", refused.len());
        for text in [&done.out, &done.err] {
            let shown = text.lines().find(|line| line.contains(CANARY));
            assert_eq!(shown, None, "{confine}: a login is shown");
        }
        for line in &refused {
            let (what, said) = line["refused\t".len()..].split_once('\t').unwrap();
            assert!(!said.contains("internal error"), "{confine}: {line}");
            // Names that the program made for itself are nobody's to know.
            assert!(
                what.contains("/proc/") || !said.contains("/proc/self/fd/"),
                "{confine}: {line}"
            );
        }
        // Into `open` may be written, apart from what was there.
        let mut after = outside(&around);
        after.retain(|path, _| before.contains_key(path) || !path.starts_with(around.join("open")));
        assert_eq!(
            before.keys().collect::<Vec<_>>(),
            after.keys().collect::<Vec<_>>(),
            "{confine}"
        );
        assert!(before == after, "{confine}: a file outside was changed");
        // Downloads of the one file are all that asks it.
        let asked: Vec<String> = server
            .log()
            .iter()
            .map(|seen| seen.ask.path().to_string())
            .filter(|path| path != "/a.bin")
            .collect();
        assert!(asked.is_empty(), "{confine}: {asked:?}");
        let work = around.join("work");
        assert!(!work.join("loaded").exists(), "{confine}: native code was run");
        assert!(
            work.join("own.txt").exists() || !table.contains("own.txt"),
            "{confine}"
        );
    }
}

#[test]
fn logins_are_not_read() {
    all_are_refused(include_str!("escape/login.lua"), 1300);
}

#[test]
fn memory_and_devices_are_not_read() {
    all_are_refused(include_str!("escape/memory.lua"), 330);
}

#[test]
fn nothing_is_written_outside() {
    all_are_refused(include_str!("escape/write.lua"), 850);
}

#[test]
fn native_code_is_not_run_and_services_are_not_reached() {
    all_are_refused(include_str!("escape/code.lua"), 400);
}

#[test]
fn modules_below_the_folders_are_read() {
    let (_folder, around) = world();
    let work = around.join("work");
    std::fs::write(work.join("own.lua"), "return { answer = 42 }").unwrap();
    std::fs::write(work.join("here/deep.lua"), "return 7").unwrap();
    std::os::unix::fs::symlink("own.lua", work.join("also.lua")).unwrap();
    let fine = tried(
        &around,
        "off",
        "print(require('own').answer, require('here.deep'), require('also').answer)",
    );
    assert_eq!(fine.out, "42\t7\t42\n", "{fine:?}");
    let notes = tried(&around, "off", "require 'notes'");
    assert_eq!(notes.code, 1, "{notes:?}");
    assert!(
        notes.err.contains("notes.lua:1: ")
            && !notes.err.contains(CANARY)
            && !notes.err.contains("a line that is"),
        "{notes:?}"
    );
}

/// Swaps two entries of a folder for each other, again and again, while `work` runs.
fn swapping<T>(one: &Path, other: &Path, work: impl FnOnce() -> T) -> T {
    let ended = AtomicBool::new(false);
    std::thread::scope(|scope| {
        scope.spawn(|| {
            use rustix::fs::{CWD, RenameFlags, renameat_with};
            while !ended.load(Ordering::Relaxed) {
                renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE).unwrap();
            }
        });
        let done = work();
        ended.store(true, Ordering::Relaxed);
        done
    })
}

#[test]
fn a_folder_that_is_swapped_for_a_link_is_not_followed() {
    let (_folder, around) = world();
    let work = around.join("work");
    std::fs::create_dir(work.join("turn")).unwrap();
    std::fs::write(work.join("turn/gone.txt"), "x").unwrap();
    std::fs::write(around.join("kept/gone.txt"), "kept").unwrap();
    let before = outside(&around);
    let script = "local fs, raster, geometry, tables, catalog = require 'fs', require 'raster', require 'geometry', require 'tables', require 'catalog'\n\
        local image = raster.constant(raster.grid{ crs = 'EPSG:32611', bounds = { 0, 0, 8, 8 }, resolution = 1 }, 1)\n\
        local features = geometry.features{ geometry.point(1, 2, 'EPSG:4326') }\n\
        local rows = tables.new{ n = { 1 } }\n\
        fs.write('own.txt', 'own')\n\
        local ways = {\n\
          function() fs.write('turn/new.txt', 'x') end,\n\
          function() fs.append('turn/log.txt', 'x') end,\n\
          function() fs.copy('own.txt', 'turn/copy.txt') end,\n\
          function() fs.mkdir('turn/folder/deep') end,\n\
          function() fs.write('turn/gone.txt', 'x') fs.remove('turn/gone.txt') end,\n\
          function() fs.write('moving.txt', 'x') fs.rename('moving.txt', 'turn/moved.txt') end,\n\
          function() fs.remove('turn/folder', { recursive = true }) end,\n\
          function() image:write('turn/image.tif') end,\n\
          function() raster.write_netcdf('turn/cube.nc', { v = image }) end,\n\
          function() features:write('turn/points.shp') end,\n\
          function() features:write('turn/points.gpkg') end,\n\
          function() rows:write_csv('turn/rows.csv') end,\n\
          function() catalog.unzip('plain.zip', { into = 'turn', overwrite = true }) end,\n\
          function() catalog.unzip('plain.zip', { into = 'turn/deeper', overwrite = true }) end,\n\
        }\n\
        local worked = 0\n\
        for _ = 1, 60 do for _, way in ipairs(ways) do if pcall(way) then worked = worked + 1 end end end\n\
        print(worked)";
    let done = swapping(&work.join("turn"), &work.join("out"), || {
        tried(&around, "off", script)
    });
    assert_eq!(done.code, 0, "{done:?}");
    let worked: usize = done.out.trim().parse().unwrap();
    // Both happen, or nothing was tried.
    assert!(worked > 10 && worked < 60 * 14, "{worked}");
    assert!(before == outside(&around), "something was written outside");
}

#[test]
fn a_file_that_is_swapped_for_a_login_is_not_read() {
    let (_folder, around) = world();
    let work = around.join("work");
    let plain = format!("machine a login b password {}\n", "-".repeat(CANARY.len()));
    std::fs::write(work.join("turn.csv"), plain).unwrap();
    std::fs::write(
        work.join("turn.vrt"),
        "<VRTDataset rasterXSize=\"40\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\" subClass=\"VRTRawRasterBand\">\
         <SourceFilename relativeToVRT=\"1\">turn.csv</SourceFilename><PixelOffset>1</PixelOffset><LineOffset>40</LineOffset></VRTRasterBand>\
         </VRTDataset>",
    )
    .unwrap();
    let script = "local fs, raster, geometry, tables, json = require 'fs', require 'raster', require 'geometry', require 'tables', require 'json'\n\
        local function text(image)\n\
          local letters = {}\n\
          for i, value in ipairs(image:read():values()) do letters[i] = string.char(math.floor(value)) end\n\
          return table.concat(letters)\n\
        end\n\
        local ways = {\n\
          function() return fs.read('turn.csv') end,\n\
          function() return fs.lines('turn.csv')() end,\n\
          function() fs.copy('turn.csv', 'copied') return fs.read('copied') end,\n\
          function() return tables.read_csv('turn.csv'):to_csv() end,\n\
          function() return geometry.read('turn.csv'):to_geojson() end,\n\
          function() return text(raster.open('turn.vrt')) end,\n\
        }\n\
        for _ = 1, 300 do for number, way in ipairs(ways) do local ok, said = pcall(way) print(ok, number, said) end end";
    let done = swapping(&work.join("turn.csv"), &work.join("link.csv"), || {
        tried(&around, "off", script)
    });
    assert_eq!(done.code, 0, "{done:?}");
    for number in 1..=6 {
        assert!(
            done.out.contains(&format!("true\t{number}\t")),
            "way {number} never works"
        );
    }
    assert!(done.out.contains("false\t"), "nothing was refused");
    let shown = done.out.lines().find(|line| line.contains(CANARY));
    assert_eq!(shown, None);
}
