//! What the system holds scripts to beneath perilune's own checks, and what GDAL's files are asked.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use super::{Run, finish, folder, perilune};

const CANARY: &str = "tossed-biscuit-in-the-galley";

/// A home folder with a file of logins, and a working folder beside it.
fn homes() -> tempfile::TempDir {
    let here = folder(&[("work/plain.txt", "plain"), ("beside/kept.txt", "kept")]);
    let netrc = here.path().join("home/.netrc");
    std::fs::create_dir(here.path().join("home")).unwrap();
    std::fs::write(&netrc, format!("machine a login b password {CANARY}\n")).unwrap();
    std::fs::set_permissions(&netrc, std::fs::Permissions::from_mode(0o600)).unwrap();
    here
}

fn at(here: &Path) -> Command {
    let mut command = perilune(&here.join("work"));
    command
        .env("HOME", here.join("home"))
        .env_remove("NETRC")
        .env_remove("XDG_CONFIG_HOME");
    command
}

fn ran(here: &Path, options: &[&str], code: &str) -> Run {
    let mut command = at(here);
    command.args(options).args(["-e", code]);
    finish(command)
}

/// Whether this kernel can hold a process, as it says itself.
fn is_held(here: &Path) -> bool {
    let mut command = at(here);
    command.arg("doctor");
    let said = finish(command).out;
    let held = said.contains("files by Landlock") && said.contains("programs by seccomp");
    if !held {
        println!("this kernel does not hold processes:\n{said}");
    }
    held
}

/// Bytes of a file with a dataset `d` whose bytes are those of another file, as HDF5's external storage keeps them.
fn external_storage(file: &Path, of: &Path) {
    let code = format!(
        "import h5py; f = h5py.File('{}', 'w'); f.create_dataset('d', shape=(1, 30), dtype='u1', external=[('{}', 0, 30)]); f.close()",
        file.display(),
        of.display()
    );
    let made = Command::new("/usr/bin/python3")
        .args(["-c", &code])
        .status()
        .unwrap();
    assert!(made.success(), "scripts/setup --test installs python3-h5py");
}

#[test]
fn a_library_that_opens_files_itself_reads_no_logins() {
    let here = homes();
    let work = here.path().join("work");
    external_storage(&work.join("logins.h5"), &here.path().join("home/.netrc"));
    std::fs::write(here.path().join("beside/thirty.bin"), [7u8; 30]).unwrap();
    external_storage(&work.join("plain.h5"), &here.path().join("beside/thirty.bin"));
    let code = "local a = raster.open('plain.h5'):rename('v'):stats() assert(a.v.mean == 7)\n\
                print(pcall(function() return raster.open('logins.h5'):stats() end))\n\
                print(pcall(raster.read_array, 'logins.h5', '/d'))\n\
                print(pcall(function() return raster.open('NETCDF:logins.h5:d'):stats() end))";
    if !is_held(here.path()) {
        return;
    }
    let done = ran(here.path(), &["--confine", "require"], code);
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out.matches("false\t").count(), 3, "{done:?}");
    // Without the system's hold the library does read them: the test above is not vain.
    let free = ran(
        here.path(),
        &["--confine", "off"],
        "print(raster.open('logins.h5'):rename('v'):stats().v.max)",
    );
    assert_eq!(free.code, 0, "{free:?}");
}

#[test]
fn ordinary_work_is_not_in_the_way() {
    let here = homes();
    let beside = here.path().join("beside/kept.txt");
    let code = format!(
        "local folder = fs.temporary() fs.write(folder .. '/x', 'x')\n\
         local r = raster.random(raster.grid{{ crs = 'EPSG:32611', bounds = {{ 0, 0, 640, 640 }}, resolution = 10 }})\n\
         r:write('a.tif') r:write('b.tif', {{ format = 'COG' }}) r:write(folder .. '/c.png', {{ dtype = 'uint8', nodata = 0 }})\n\
         geometry.read('{0}')",
        beside.display()
    );
    let done = ran(here.path(), &["--confine", "auto"], &code);
    // All but the last line, which reads what is no vector file, succeed.
    assert!(
        done.err.contains("kept.txt: cannot be read as a vector file"),
        "{done:?}"
    );
    assert!(here.path().join("work/a.tif").is_file() && here.path().join("work/b.tif").is_file());
    let left: Vec<_> = std::fs::read_dir(std::env::temp_dir())
        .unwrap()
        .flatten()
        .filter(|entry| {
            entry
                .file_name()
                .to_string_lossy()
                .starts_with("perilune-scratch-")
        })
        .filter(|entry| {
            let name = entry.file_name().to_string_lossy().into_owned();
            let process = name.split('-').nth(2).unwrap_or("").to_string();
            !Path::new(&format!("/proc/{process}")).exists()
        })
        .collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn what_is_put_beside_logins_later_is_said_to_be_held_back() {
    let here = homes();
    if !is_held(here.path()) {
        return;
    }
    let code = "fs.write('ready', '') while not fs.exists('go') do end\n\
                print(pcall(raster.open, '../home/late.tif'))\n\
                print(pcall(raster.open, '../home/late.h5'))\n\
                print(pcall(geometry.read, '../home/late.geojson'))";
    let done = std::thread::scope(|scope| {
        scope.spawn(|| {
            let work = here.path().join("work");
            for _ in 0..4000 {
                if work.join("ready").exists() {
                    break;
                }
                std::thread::sleep(std::time::Duration::from_millis(5));
            }
            for name in ["late.tif", "late.h5", "late.geojson"] {
                std::fs::write(here.path().join("home").join(name), "late").unwrap();
            }
            std::fs::write(work.join("go"), "").unwrap();
        });
        ran(here.path(), &["--time-limit", "60"], code)
    });
    assert_eq!(done.code, 0, "{done:?}");
    let said = done
        .out
        .lines()
        .filter(|line| line.contains("beside files of logins"));
    assert_eq!(said.count(), 3, "{done:?}");
}

#[test]
fn require_refuses_where_something_is_open() {
    let here = homes();
    if !is_held(here.path()) {
        return;
    }
    let mut command = perilune(here.path());
    command
        .env("HOME", here.path().join("home"))
        .args(["--confine", "require", "-e", "print('ran')"]);
    let done = finish(command);
    assert_eq!(done.code, 2, "{done:?}");
    assert!(
        done.err.contains("home/.netrc") && done.err.contains("--confine=require"),
        "{done:?}"
    );
    assert!(!done.out.contains("ran"));
}

#[test]
fn what_gdal_opens_is_asked_by_descriptor_at_any_depth() {
    let here = homes();
    let work = here.path().join("work");
    let netrc = here.path().join("home/.netrc");
    std::os::unix::fs::symlink(&netrc, work.join("link.bin")).unwrap();
    std::fs::hard_link(&netrc, work.join("hard.bin")).unwrap();
    let raw = |file: &str| {
        format!(
            "<VRTDataset rasterXSize=\"8\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\" subClass=\"VRTRawRasterBand\">\
             <SourceFilename>{file}</SourceFilename><PixelOffset>1</PixelOffset><LineOffset>8</LineOffset></VRTRasterBand></VRTDataset>"
        )
    };
    let around = |file: &str| {
        format!(
            "<VRTDataset rasterXSize=\"8\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource>\
             <SourceFilename relativeToVRT=\"1\">{file}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>"
        )
    };
    let write = |name: &str, text: String| std::fs::write(work.join(name), text).unwrap();
    let mut names = Vec::new();
    for (i, file) in [
        netrc.display().to_string(),
        "link.bin".into(),
        "hard.bin".into(),
        format!("/vsisubfile/0_40,{}", netrc.display()),
        "/proc/self/environ".into(),
        "/proc/self/mem".into(),
        "/dev/zero".into(),
    ]
    .iter()
    .enumerate()
    {
        let name = format!("raw{i}.vrt");
        write(&name, raw(file));
        names.push(name);
    }
    // Twelve deep, and beneath a label.
    write("deep0.vrt", raw("hard.bin"));
    for depth in 1..12 {
        write(
            &format!("deep{depth}.vrt"),
            around(&format!("deep{}.vrt", depth - 1)),
        );
    }
    names.push("deep11.vrt".into());
    std::os::unix::fs::symlink(&netrc, work.join("scene")).unwrap();
    write(
        "scene.hdr",
        "ENVI\nsamples = 8\nlines = 1\nbands = 1\ndata type = 1\ninterleave = bsq\n".into(),
    );
    names.push("scene".into());
    for name in &names {
        // Without the system's hold, which would hide a hole here.
        let code = format!("print(raster.open('{name}'):rename('v'):stats().v.max)");
        let done = ran(here.path(), &["--confine", "off"], &code);
        assert_eq!(done.code, 1, "{name}: {done:?}");
        assert!(
            !done.out.contains(CANARY) && !done.err.contains(CANARY),
            "{name}: {done:?}"
        );
        assert!(
            ["may hold logins", "device or a pipe", "file of the system"]
                .iter()
                .any(|why| done.err.contains(why)),
            "{name}: {done:?}"
        );
    }
}

#[test]
fn reading_writes_nothing_beside_what_is_read() {
    let here = homes();
    let work = here.path().join("work");
    let gml = "<?xml version=\"1.0\"?><ogr:FeatureCollection xmlns:ogr=\"http://ogr.maptools.org/\" xmlns:gml=\"http://www.opengis.net/gml\">\
               <gml:featureMember><ogr:a fid=\"a.0\"><ogr:geometryProperty><gml:Point srsName=\"EPSG:4326\"><gml:coordinates>1,2\
               </gml:coordinates></gml:Point></ogr:geometryProperty></ogr:a></gml:featureMember></ogr:FeatureCollection>";
    std::fs::write(work.join("points.gml"), gml).unwrap();
    let made = ran(
        here.path(),
        &[],
        "raster.random(raster.grid{ crs = 'EPSG:32611', bounds = { 0, 0, 64, 64 }, resolution = 1 }):write('a.tif')",
    );
    assert_eq!(made.code, 0, "{made:?}");
    let listed = || {
        let mut names: Vec<_> = std::fs::read_dir(&work)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        names.sort();
        names
    };
    let before = listed();
    let done = ran(
        here.path(),
        &[],
        "print(geometry.read('points.gml')) local r = raster.open('a.tif') print(r:stats(), r:percentile(50))",
    );
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(listed(), before);
}
