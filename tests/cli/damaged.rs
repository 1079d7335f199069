//! Files on which the libraries of HDF5 and netCDF crash or never come back, and thousands that were damaged at random.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use super::{Run, finish, perilune};

/// A library in front of HDF5's that does to files of certain names what damage did to others: whether a given damage crashes HDF5
/// depends on its version.
const SHIM: &str = r#"
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdint.h>
#include <string.h>
int64_t H5Fopen(const char *name, unsigned flags, int64_t list) {
    int64_t (*next)(const char *, unsigned, int64_t) = (int64_t (*)(const char *, unsigned, int64_t))dlsym(RTLD_NEXT, "H5Fopen");
    int64_t opened = next(name, flags, list);
    // As with real damage, which the library meets once it reads.
    if (opened < 0) return opened;
    if (strstr(name, "crash")) raise(SIGSEGV);
    if (strstr(name, "endless")) raise(SIGPROF);
    if (strstr(name, "corrupt")) __builtin_trap();
    if (strstr(name, "hang")) for (volatile int i = 0;; i++) {}
    return opened;
}
"#;

fn shim(here: &Path) -> PathBuf {
    let (source, made) = (here.join("shim.c"), here.join("shim.so"));
    std::fs::write(&source, SHIM).unwrap();
    let compiled = Command::new("cc")
        .args(["-shared", "-fPIC", "-o"])
        .args([&made, &source])
        .arg("-ldl")
        .status();
    assert!(compiled.unwrap().success());
    made
}

/// A folder with an HDF5 file, under the names that the shim knows, and with virtual files around them.
fn files() -> tempfile::TempDir {
    files_in("damaged00")
}

/// GDAL takes a path with one 0 in it for the first of a family of files, and has HDF5 open that past our file system.
fn files_in(prefix: &str) -> tempfile::TempDir {
    // A name that has no more of them.
    let here = std::iter::repeat_with(|| tempfile::Builder::new().prefix(prefix).tempdir().unwrap())
        .find(|here| prefix.ends_with("00") || here.path().to_string_lossy().matches('0').count() == 1)
        .unwrap();
    let code = "local g = raster.grid{ rows = 20, cols = 30 }\n\
                raster.write_hdf5('good.h5', { ['/a/v'] = raster.constant(g, 3):cast('float32'), ['/a/n'] = 5, ['/a/t'] = 'text' })";
    let mut command = perilune(here.path());
    command.args(["-e", code]);
    let made = finish(command);
    assert_eq!(made.code, 0, "{made:?}");
    for name in ["crash.h5", "endless.h5", "corrupt.nc", "hang.h5"] {
        std::fs::copy(here.path().join("good.h5"), here.path().join(name)).unwrap();
    }
    for (name, inner) in [("around", "crash.h5"), ("sound", "good.h5")] {
        let text = format!(
            "<VRTDataset rasterXSize=\"30\" rasterYSize=\"20\"><VRTRasterBand dataType=\"Float32\" band=\"1\"><SimpleSource>\
             <SourceFilename relativeToVRT=\"0\">HDF5:\"{}\"://a/v</SourceFilename><SourceBand>1</SourceBand></SimpleSource></VRTRasterBand></VRTDataset>",
            here.path().join(inner).display()
        );
        std::fs::write(here.path().join(format!("{name}.vrt")), text).unwrap();
    }
    std::fs::write(here.path().join("around_around.vrt"), {
        let inner = std::fs::read_to_string(here.path().join("around.vrt")).unwrap();
        let start = inner.find("HDF5:").unwrap();
        let end = inner.find("</SourceFilename>").unwrap();
        format!(
            "{}{}{}",
            &inner[..start],
            here.path().join("around.vrt").display(),
            &inner[end..]
        )
    })
    .unwrap();
    here
}

fn ran(here: &Path, options: &[&str], code: &str) -> Run {
    let mut command = perilune(here);
    command
        .env("LD_PRELOAD", shim(here))
        .args(options)
        .args(["-e", code]);
    finish(command)
}

#[test]
fn a_crash_of_a_library_is_an_error_of_the_file() {
    for prefix in ["damaged00", "damaged0"] {
        crashes_in(&files_in(prefix));
    }
}

fn crashes_in(here: &tempfile::TempDir) {
    let code = "local function try(what, ...) print(select(2, pcall(what, ...))) end\n\
                local function mean(name, options) return raster.open(name, options):rename('v'):stats().v.mean end\n\
                try(raster.open, 'crash.h5')\n\
                try(raster.open, 'crash.h5', { subdataset = '/a/v' })\n\
                try(raster.open, 'NETCDF:crash.h5:v')\n\
                try(raster.subdatasets, 'crash.h5')\n\
                try(raster.arrays, 'crash.h5')\n\
                try(raster.read_array, 'crash.h5', '/a/n')\n\
                try(mean, 'around.vrt')\n\
                try(mean, 'around_around.vrt')\n\
                try(raster.open, 'corrupt.nc')\n\
                try(raster.open, 'endless.h5')\n\
                print(mean('good.h5', { subdataset = '/a/v' }), mean('sound.vrt'), raster.read_array('good.h5', '/a/n'))";
    for options in [&["--confine", "off"][..], &[]] {
        let done = ran(here.path(), options, code);
        assert_eq!(done.code, 0, "{done:?}");
        let lines: Vec<&str> = done.out.lines().collect();
        assert_eq!(lines.len(), 11, "{done:?}");
        for line in &lines[..8] {
            assert!(
                line.contains("crash.") && line.contains("crashes on it (SIGSEGV)"),
                "{line}"
            );
        }
        assert!(lines[8].contains("corrupt.nc: is damaged"), "{}", lines[8]);
        assert!(lines[9].contains("does not come back"), "{}", lines[9]);
        assert_eq!(lines[10], "3.0\t3.0\t5");
    }
}

#[test]
fn a_file_that_hangs_a_library_is_given_up_with_the_script() {
    let here = files();
    let begun = Instant::now();
    let done = ran(here.path(), &["--time-limit", "1"], "raster.open('hang.h5')");
    assert!(done.err.contains("time limit"), "{done:?}");
    assert!(begun.elapsed() < Duration::from_secs(4), "{:?}", begun.elapsed());
    // Nothing of it goes on.
    std::thread::sleep(Duration::from_millis(300));
    let left = std::fs::read_dir("/proc")
        .unwrap()
        .flatten()
        .any(|entry| std::fs::read_link(entry.path().join("cwd")).is_ok_and(|folder| folder == here.path()));
    assert!(!left, "a process is left");
}

/// Bytes of HDF5, netCDF-4 and classic netCDF files are changed at random places. Some crash the libraries, each is an error or an answer.
#[test]
fn damage_at_random_places_ends_no_script() {
    let here = files();
    let netcdf = "import h5py; f = h5py.File('{}', 'w')\n\
                  x = f.create_dataset('x', data=[1.0, 2.0, 3.0]); x.make_scale('x'); x.attrs['units'] = 'm'\n\
                  v = f.create_dataset('v', data=[[1.0, 2.0, 3.0]] * 4, chunks=(2, 3), compression='gzip'); v.dims[1].attach_scale(x)\n\
                  v.attrs['long_name'] = 'a value'; v.attrs['flags'] = [1, 2, 3]; f.attrs['Conventions'] = 'CF-1.8'; f.close()";
    let made = Command::new("/usr/bin/python3")
        .args([
            "-c",
            &netcdf.replace("{}", &here.path().join("good.nc").display().to_string()),
        ])
        .status()
        .unwrap();
    assert!(made.success(), "scripts/setup --test installs python3-h5py");
    let code = "math.randomseed(11)\n\
        local answers, errors = 0, 0\n\
        local function try(what, ...) local fine, value = pcall(what, ...) if fine then answers = answers + 1 else errors = errors + 1 end return fine and value end\n\
        for _, name in ipairs{ 'good.h5', 'good.nc' } do\n\
          local whole = fs.read(name)\n\
          for i = 1, 120 do\n\
            local bytes = whole\n\
            for _ = 1, math.random(1, 5) do\n\
              local at = math.random(1, #bytes)\n\
              bytes = bytes:sub(1, at - 1) .. string.char(math.random(0, 255)) .. bytes:sub(at + 1)\n\
            end\n\
            local damaged = 'm' .. i .. name:sub(-3)\n\
            fs.write(damaged, bytes)\n\
            local image = try(raster.open, damaged)\n\
            if image then try(function() return image:stats() end) end\n\
            for _, inner in ipairs(try(raster.subdatasets, damaged) or {}) do try(raster.open, damaged, { subdataset = inner.name }) end\n\
            for _, array in ipairs(try(raster.arrays, damaged) or {}) do try(raster.read_array, damaged, array.name) end\n\
          end\n\
        end\n\
        print(answers > 100, errors > 20)";
    let mut command = perilune(here.path());
    command.args(["-e", code]);
    let done = finish(command);
    assert_eq!((done.code, done.out.as_str()), (0, "true\ttrue\n"), "{done:?}");
}
