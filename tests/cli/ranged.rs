//! Files behind logins, read by windows: what is told to whom, and how many bytes come.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use super::standin::{Answer, Got, StandIn};
use super::workflows::shared;
use super::{Run, assert_holds, finish, folder, perilune};

const PASSWORD: &str = "eppur-si-muove";
/// galileo and this password.
const BASIC: &str = "Basic Z2FsaWxlbzplcHB1ci1zaS1tdW92ZQ==";

/// An archive that wants a login and sends on to a store, whose addresses are signed. Both are other hosts.
struct Archive {
    front: StandIn,
    store: StandIn,
}

impl Archive {
    fn start(name: &'static str, bytes: Vec<u8>) -> Archive {
        let store = StandIn::start("127.0.0.3", move |got| {
            match (got.parameter("X-Amz-Signature").as_deref(), got.path()) {
                (Some("5160"), path) if path == name => Answer::new(200, bytes.clone()).with("ETag", "\"1\""),
                (Some("5160"), _) => Answer::new(404, "no such key"),
                _ => Answer::new(403, "no"),
            }
        });
        let target = store.clone();
        let front = StandIn::start("127.0.0.2", move |got| match got.header("authorization") {
            Some(BASIC) => Answer::to(307, &target.url(&format!("{}?X-Amz-Signature=5160", got.path())))
                .with("Set-Cookie", "session=tossed-biscuit"),
            _ => Answer::new(401, "who are you?"),
        });
        Archive { front, store }
    }

    /// Bytes of the file that were asked for, and that the file has.
    fn fetched(&self, name: &str, size: usize) -> usize {
        let one = |got: &Got| {
            let (first, last) = got.header("range")?.strip_prefix("bytes=")?.split_once('-')?;
            let last: usize = last.parse().ok()?;
            Some(last.min(size - 1) + 1 - first.parse::<usize>().ok()?)
        };
        let log = self.store.log();
        let of_file = log.iter().filter(|got| got.path() == name);
        of_file.map(|got| one(got).expect("a range")).sum()
    }

    fn is_discreet(&self) {
        self.store
            .knows_nothing(&[PASSWORD, "Z2FsaWxlb", "tossed-biscuit"]);
        assert!(!self.store.log().is_empty());
        // One file and what lies beside it: the way in is asked for each once.
        let mut asked: Vec<String> = self.front.log().iter().map(|got| got.target.clone()).collect();
        let all = asked.len();
        asked.sort();
        asked.dedup();
        assert_eq!(asked.len(), all, "{:?}", self.front.log());
    }
}

fn plain(here: &Path) -> Command {
    let mut command = perilune(here);
    let home = here.join("home");
    fs::create_dir_all(&home).unwrap();
    let netrc = home.join(".netrc");
    fs::write(
        &netrc,
        format!("machine 127.0.0.2 login galileo password {PASSWORD}\n"),
    )
    .unwrap();
    fs::set_permissions(&netrc, fs::Permissions::from_mode(0o600)).unwrap();
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
        "NETRC",
        "EARTHDATA_TOKEN",
        "XDG_CONFIG_HOME",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
    ] {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

#[track_caller]
fn succeed(mut command: Command, code: &str) -> Run {
    command.args(["--quiet", "-e", code]);
    let done = finish(command);
    assert_eq!(done.code, 0, "{}\n{}", done.out, done.err);
    done
}

const ZIP: &[u8] = b"PK\x03\x04\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0a.txt\
    PK\x01\x02\x14\x03\x14\0\0\0\0\0\0\0\x21\0\0\0\0\0\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\0\0\0\0\0\xa4\x81\0\0\0\0a.txt\
    PK\x05\x06\0\0\0\0\x01\0\x01\0\x33\0\0\0\x23\0\0\0\0\0";

/// 16 MiB of classes without compression, with overviews of 2048, 1024 and 512 pixels a side.
const CLASSES: &str = r#"
  local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 4096, cols = 4096 }
  local water = (raster.random(grid, { seed = 3 }) * 4):floor():cast("uint8"):rename("water")
  water:write("x.tif", { format = "COG", compress = "none", overview_resampling = "nearest" })
"#;

#[test]
fn one_overview_of_a_cog_behind_a_login_costs_its_bytes() {
    let here = folder(&[]);
    succeed(plain(here.path()), CLASSES);
    let bytes = fs::read(here.path().join("x.tif")).unwrap();
    let size = bytes.len();
    assert!(size > 16 << 20);
    let archive = Archive::start("/x.tif", bytes);
    let code = format!(
        r#"
          local far, near = raster.open("{}"), raster.open("x.tif")
          local classes = {{}}
          for value = 0, 3 do classes[value + 1] = {{ value = value, name = "c" .. value, color = "red" }} end
          plot.classes(far, {{ classes = classes, width = 4, dpi = 100 }}):write("map.png")
          local window = {{ row = 1030, col = 2060, rows = 20, cols = 30 }}
          if mode then print((far:crop(window) - near:crop(window)):abs():stats().water.max) end
        "#,
        archive.front.url("/x.tif")
    );
    succeed(plain(here.path()), &code.replace("if mode", "if false"));
    // The overview of 1024² pixels of a byte; the header, and blocks of 16 KiB that reach beyond what is wanted.
    let overview = 1 << 20;
    let fetched = archive.fetched("/x.tif", size);
    let asked = archive.store.log().len();
    println!("one overview: {fetched} bytes of {size}, {overview} needed, {asked} requests");
    assert!((overview..overview + 4 * 16_384).contains(&fetched), "{fetched}");
    archive.is_discreet();
    let done = succeed(plain(here.path()), &code.replace("if mode", "if true"));
    assert_eq!(done.out, "0.0\n");
}

#[test]
fn one_chip_of_a_cslc_behind_a_login_costs_its_chunks() {
    let here = folder(&[]);
    let code = r#"
      local grid = raster.grid { rows = 1024, cols = 2048 }
      local x, y = {}, {}
      for i = 1, grid.cols do x[i] = 400002.5 + 5 * i end
      for i = 1, grid.rows do y[i] = 3859995 - 10 * i end
      raster.write_hdf5("t064_135523_iw2_20221228.h5", {
        ["/data/VV"] = raster.complex(raster.random(grid), raster.random(grid, { seed = 2 })),
        ["/data/x_coordinates"] = x, ["/data/y_coordinates"] = y, ["/data/projection"] = 32611,
        ["/metadata/processing_information/input_burst_metadata/sensing_start"] = "2022-12-28 16:16:51",
      }, { compress = "none", chunk = { 128, 128 } })
    "#;
    succeed(plain(here.path()), code);
    let name = "/t064_135523_iw2_20221228.h5";
    let bytes = fs::read(here.path().join(&name[1..])).unwrap();
    let size = bytes.len();
    assert!(size > 16 << 20);
    let archive = Archive::start("/t064_135523_iw2_20221228.h5", bytes);
    // Rows 150 to 249 and columns 250 to 349 lie in two chunks of 128² pixels of 8 bytes.
    let code = format!(
        r#"
          local opera = require "opera"
          local near = opera.open("t064_135523_iw2_20221228.h5"):chips({{ {{ 300, 200 }} }}, 100)
          local far = opera.open("{}"):chips({{ {{ 300, 200 }} }}, 100)
          local difference = (near - far):abs():stats().VV
          print(difference.count, difference.max)
        "#,
        archive.front.url(name)
    );
    assert_eq!(succeed(plain(here.path()), &code).out, "10000\t0.0\n");
    let fetched = archive.fetched(name, size);
    let chunks = 2 * 128 * 128 * 8;
    let asked = archive.store.log().len();
    println!("one chip: {fetched} bytes of {size}, {chunks} in its chunks, {asked} requests");
    // How far is read ahead depends a little on which thread comes first.
    assert!((chunks..chunks + 8 * 16_384).contains(&fetched), "{fetched}");
    archive.is_discreet();
}

/// HDF5's driver reads them, since netCDF's library reads this machine's files only: what CF says of the values has to hold.
#[test]
fn netcdf_4_on_a_server_has_the_values_that_it_has_on_disk() {
    let here = folder(&[]);
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 60, cols = 70 }
      local v = raster.random(grid, { seed = 5 }) * 100
      raster.write_netcdf("one.nc", { { name = "v", image = v:mask(v:gt(20)), dtype = "int16", fill = -1, attributes = {
        scale_factor = 0.01, add_offset = 5, units = "m", valid_min = 30 } } })
      local wide = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 2048, cols = 2048 }
      raster.random(wide, { seed = 6 }):rename("v"):write("tiles.nc", { compress = "none" })
    "#;
    succeed(plain(here.path()), code);
    fs::copy(here.path().join("one.nc"), here.path().join("one.h5")).unwrap();
    fs::copy(
        Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/encodings/classic.nc"),
        here.path().join("classic.nc"),
    )
    .unwrap();
    let mut names = vec!["one.nc".to_string(), "tiles.nc".to_string()];
    if let Some(data) = shared() {
        for entry in fs::read_dir(data.join("awkward")).unwrap().flatten() {
            let path = entry.path();
            let is_nc = path.extension().is_some_and(|e| e == "nc");
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            if is_nc && fs::read(&path).unwrap().starts_with(b"\x89HDF") {
                fs::copy(&path, here.path().join(&name)).unwrap();
                names.push(name);
            }
        }
    }
    names.sort();
    let home = here.path().to_path_buf();
    let server = StandIn::start("127.0.0.1", move |got| {
        match fs::read(home.join(got.path().trim_start_matches('/'))) {
            Ok(bytes) => Answer::new(200, bytes),
            Err(_) => Answer::new(404, ""),
        }
    });
    let list: String = names.iter().map(|name| format!("{name:?},")).collect();
    let code = format!(
        r#"
          local function all(path, subdataset)
            local ok, r = pcall(raster.open, path, {{ subdataset = subdataset }})
            if not ok then return "none: " .. r end
            local text = {{ tostring(r.grid) }}
            for _, band in ipairs(r.bands) do
              local s = r[band]:rename("v"):stats().v
              text[#text + 1] = ("%s %s %s %s %s"):format(s.count, s.mean, s.min, s.max, r.units[band] or "")
            end
            return table.concat(text, "\n")
          end
          local as_netcdf, as_hdf5 = raster.open("one.nc"), raster.open("one.h5")
          assert(as_netcdf:stats().v.mean == as_hdf5:stats().v.mean and as_hdf5:stats().v.min > 5)
          local compared = 0
          for _, name in ipairs {{ {list} }} do
            local far = "{}" .. name
            local subdatasets = {{}}
            for _, s in ipairs(raster.subdatasets(name)) do subdatasets[#subdatasets + 1] = s.name end
            if #subdatasets == 0 then subdatasets[1] = false end
            for _, s in ipairs(subdatasets) do
              local here, there = all(name, s or nil), all(far, s or nil)
              if here:sub(1, 5) ~= "none:" then
                compared = compared + 1
                if here ~= there then print(name, s, here, there) end
              end
            end
          end
          print(compared > 0)
          print(pcall(raster.open, "{}"))
        "#,
        server.url("/"),
        server.url("/classic.nc")
    );
    let done = succeed(plain(here.path()), &code);
    let (first, classic) = done.out.split_once('\n').unwrap();
    assert_eq!(first, "true", "{}", done.out);
    assert_holds(classic, "netCDF in its classic format");
    assert_holds(classic, "download it");
}

#[test]
fn a_window_of_a_netcdf_costs_its_chunk() {
    let here = folder(&[]);
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32611", origin = { 400000, 3860000 }, resolution = 10, rows = 2048, cols = 2048 }
      raster.random(grid, { seed = 4 }):rename("v"):write("wide.nc", { compress = "none" })
    "#;
    succeed(plain(here.path()), code);
    let bytes = fs::read(here.path().join("wide.nc")).unwrap();
    let size = bytes.len();
    assert!(size > 16 << 20);
    let archive = Archive::start("/wide.nc", bytes);
    let code = format!(
        r#"
          local function part(image) return image:crop {{ row = 600, col = 600, rows = 100, cols = 100 }} end
          local near, far = part(raster.open "wide.nc"), part(raster.open("{}"))
          local difference = (near - far):abs():stats().v
          print(difference.count, difference.max, near.grid == far.grid)
        "#,
        archive.front.url("/wide.nc")
    );
    assert_eq!(succeed(plain(here.path()), &code).out, "10000\t0.0\ttrue\n");
    // Rows and columns 512 to 1023 are a chunk.
    let (fetched, chunk) = (archive.fetched("/wide.nc", size), 512 * 512 * 4);
    println!("one window: {fetched} bytes of {size}, {chunk} in its chunk");
    assert!((chunk..chunk + 16 * 16_384).contains(&fetched), "{fetched}");
    archive.is_discreet();
}

#[test]
fn a_server_without_parts_and_members_of_archives() {
    let here = folder(&[]);
    succeed(
        plain(here.path()),
        "raster.random(raster.grid { rows = 2100, cols = 2100 }):rename('v'):write('x.tif', { compress = 'none' }) \
         raster.random(raster.grid { rows = 50, cols = 50 }):rename('v'):write('small.tif')",
    );
    let home = here.path().to_path_buf();
    let server = StandIn::start("127.0.0.1", move |got| {
        match fs::read(home.join(got.path().trim_start_matches('/'))) {
            Ok(bytes) => Answer::new(200, bytes).with("X-No-Ranges", "1"),
            Err(_) => Answer::new(404, ""),
        }
    });
    let code = format!("raster.open('{}')", server.url("/x.tif"));
    let mut command = plain(here.path());
    command.args(["-e", &code]);
    let failed = finish(command);
    assert_eq!(failed.code, 1);
    assert_holds(
        &failed.err,
        "/x.tif: the server does not serve parts of this file but only all of it (26.2 MB)",
    );
    let done = succeed(
        plain(here.path()),
        &format!(
            "print(raster.open('{}'):stats().v.count)",
            server.url("/small.tif")
        ),
    );
    assert_eq!(done.out, "2500\n");
    assert_eq!(server.count(|got| got.path() == "/small.tif"), 1);
    let places = r#"{"type":"FeatureCollection","features":[{"type":"Feature","properties":{"a":1},"geometry":{"type":"Point","coordinates":[1,2]}}]}"#;
    fs::write(here.path().join("places.geojson"), places).unwrap();
    let done = succeed(
        plain(here.path()),
        &format!("print(#geometry.read('{}'))", server.url("/places.geojson")),
    );
    assert_eq!(done.out, "1\n");
    let mut command = plain(here.path());
    command.args([
        "-e",
        &format!(
            "raster.open('/vsizip//vsicurl/{}/x.tif')",
            server.url("/none.zip")
        ),
    ]);
    let failed = finish(command);
    assert_holds(&failed.err, "/none.zip: the server answers 404");
}

/// The user's keys open a private bucket, whose public neighbour never sees them.
#[test]
fn buckets_are_read_by_windows_as_anybody_first() {
    let here = folder(&[]);
    succeed(plain(here.path()), CLASSES);
    let bytes = fs::read(here.path().join("x.tif")).unwrap();
    let size = bytes.len();
    let server = StandIn::start("127.0.0.5", move |got| {
        let signed = got
            .header("authorization")
            .is_some_and(|text| text.contains("Credential=AKIAEXAMPLE/"));
        match got.path() {
            "/public/x.tif" => Answer::new(200, bytes.clone()),
            // An archive of one empty file.
            "/own/a.zip" if signed => Answer::new(200, ZIP),
            "/own/a.zip" => Answer::new(403, "<Error><Code>AccessDenied</Code></Error>"),
            "/own/x.tif" if signed => Answer::new(200, bytes.clone()),
            "/own/x.tif" => Answer::new(403, "<Error><Code>AccessDenied</Code></Error>"),
            _ => Answer::new(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    });
    let bucket = |name: &str, keys: bool| {
        let mut command = plain(here.path());
        command
            .env("AWS_ENDPOINT_URL", server.url(""))
            .args(["-e", &format!("print(raster.open('s3://{name}/x.tif'):crop {{ row = 9, col = 9, rows = 2, cols = 2 }}:stats().water.count)")]);
        if keys {
            command
                .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
                .env("AWS_SECRET_ACCESS_KEY", "secret-5");
        }
        finish(command)
    };
    let done = bucket("public", true);
    assert_eq!((done.code, done.out.as_str()), (0, "4\n"), "{}", done.err);
    server.knows_nothing(&["AKIAEXAMPLE", "secret-5"]);
    let done = bucket("own", true);
    assert_eq!((done.code, done.out.as_str()), (0, "4\n"), "{}", done.err);
    let mut command = plain(here.path());
    command
        .env("AWS_ENDPOINT_URL", server.url(""))
        .env("AWS_ACCESS_KEY_ID", "AKIAEXAMPLE")
        .env("AWS_SECRET_ACCESS_KEY", "secret-5");
    let listed = succeed(command, "print(catalog.zip_members('s3://own/a.zip')[1].name)");
    assert_eq!(listed.out, "a.txt\n");
    let refused = bucket("own", false);
    assert_eq!(refused.code, 1);
    assert_holds(&refused.err, "s3://own/x.tif: the server answers 403");
    assert_holds(&refused.err, "the bucket is not public");
    assert!(server.log().iter().all(|got| !got.text().contains("secret-5")));
    assert!(
        size > 16 << 20 && server.log().len() < 40,
        "{:?}",
        server.log().len()
    );
}

#[test]
fn a_login_that_is_refused_is_told_once() {
    let here = folder(&[]);
    let front = StandIn::start("127.0.0.2", |_| Answer::new(401, "no"));
    let mut command = plain(here.path());
    let code = format!(
        "for i = 1, 3 do print(pcall(raster.open, '{}')) end",
        front.url("/x.tif")
    );
    command.args(["-e", &code]);
    let done = finish(command);
    assert_holds(&done.out, "refuses the login from ");
    assert_eq!(front.count(|got| got.header("authorization").is_some()), 1);
}

/// A description names the version of a file on a server, as it names the time of one on disk.
#[test]
fn a_file_that_a_server_has_replaced_is_not_the_one_that_was_described() {
    let here = folder(&[]);
    let make = "raster.random(raster.grid { rows = 40, cols = 50 }):write('x.tif', { compress = 'none' })";
    succeed(plain(here.path()), make);
    let bytes = fs::read(here.path().join("x.tif")).unwrap();
    let version = Arc::new(Mutex::new("\"first\""));
    let stated = version.clone();
    let store = StandIn::start("127.0.0.4", move |got| match got.path() {
        "/x.tif" => Answer::new(200, bytes.clone()).with("ETag", *stated.lock().unwrap()),
        _ => Answer::new(404, "no"),
    });
    let describe = format!(
        "local image = raster.open('{}') \
         fs.write('x.json', (image + 1):to_json()) \
         local plan = (image + 1):plan() \
         print(image:identity(), plan.files[1].size_mib)",
        store.url("/x.tif")
    );
    let first = succeed(plain(here.path()), &describe);
    // 40 × 50 pixels of 4 bytes and a header.
    assert_holds(&first.out, "\t0.0\n");
    let described = fs::read_to_string(here.path().join("x.json")).unwrap();
    assert_holds(&described, "first");
    let again = "print(raster.from_json(fs.read('x.json')):stats().random.max < 2)";
    assert_holds(&succeed(plain(here.path()), again).out, "true");
    *version.lock().unwrap() = "\"second\"";
    let mut command = plain(here.path());
    command.args(["--quiet", "-e", again]);
    let refused = finish(command);
    assert_eq!(refused.code, 1);
    assert_holds(
        &refused.err,
        "the file has changed since the graph was described; open it again",
    );
    assert_ne!(succeed(plain(here.path()), &describe).out, first.out);
}
