//! Images on a server: only what is needed is fetched, and what goes wrong names the address.

use std::collections::HashMap;
use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use super::{Run, assert_holds, finish, folder, perilune, run};

/// A server of files that understands byte ranges, on a port of the loopback interface.
struct Server {
    address: SocketAddr,
    /// Bytes of content that were sent.
    sent: Arc<AtomicU64>,
    /// Method, path and range of each request.
    requests: Arc<Mutex<Vec<String>>>,
    /// Answers beyond the first bytes of a file that will break off in the middle.
    broken: Arc<AtomicU64>,
}

impl Server {
    fn start(files: HashMap<String, Vec<u8>>) -> Server {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let server = Server {
            address: listener.local_addr().unwrap(),
            sent: Arc::default(),
            requests: Arc::default(),
            broken: Arc::default(),
        };
        let (files, sent, requests) = (Arc::new(files), server.sent.clone(), server.requests.clone());
        let broken = server.broken.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (files, sent, requests) = (files.clone(), sent.clone(), requests.clone());
                let broken = broken.clone();
                // A client that hangs up in mid-answer has what it wanted.
                std::thread::spawn(move || {
                    let _ = answer(stream, &files, &sent, &requests, &broken);
                });
            }
        });
        server
    }

    fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }
}

/// Answers the requests of one connection until the other side closes it.
fn answer(
    stream: TcpStream,
    files: &HashMap<String, Vec<u8>>,
    sent: &AtomicU64,
    requests: &Mutex<Vec<String>>,
    broken: &AtomicU64,
) -> std::io::Result<()> {
    let mut reader = BufReader::new(stream.try_clone()?);
    let mut stream = stream;
    loop {
        let mut first = String::new();
        if reader.read_line(&mut first)? == 0 {
            return Ok(());
        }
        let mut range = None;
        loop {
            let mut header = String::new();
            reader.read_line(&mut header)?;
            if header.trim().is_empty() {
                break;
            }
            if let Some(bytes) = header.to_lowercase().trim().strip_prefix("range: bytes=") {
                range = Some(bytes.to_string());
            }
        }
        let mut words = first.split_whitespace();
        let (method, path) = (words.next().unwrap_or(""), words.next().unwrap_or(""));
        requests
            .lock()
            .unwrap()
            .push(format!("{method} {path} {}", range.as_deref().unwrap_or("-")));
        let Some(file) = files.get(path) else {
            let text = if method == "HEAD" { "" } else { "nothing here" };
            write!(
                stream,
                "HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\n{text}"
            )?;
            continue;
        };
        let (mut start, mut end) = (0, file.len());
        if let Some((from, to)) = range.as_deref().and_then(|r| r.split_once('-')) {
            start = from.parse().unwrap_or(0);
            end = to.parse::<usize>().map_or(end, |to| (to + 1).min(end));
        }
        let status = match range {
            Some(_) if start >= end => {
                write!(
                    stream,
                    "HTTP/1.1 416 Range Not Satisfiable\r\nContent-Length: 0\r\n\r\n"
                )?;
                continue;
            }
            Some(_) => format!(
                "206 Partial Content\r\nContent-Range: bytes {start}-{}/{}",
                end - 1,
                file.len()
            ),
            None => "200 OK".into(),
        };
        write!(
            stream,
            "HTTP/1.1 {status}\r\nAccept-Ranges: bytes\r\nContent-Type: image/tiff\r\nContent-Length: {}\r\n\r\n",
            end - start
        )?;
        let breaks = |left: u64| left.checked_sub(1);
        if start > 0
            && broken
                .fetch_update(Ordering::Relaxed, Ordering::Relaxed, breaks)
                .is_ok()
        {
            stream.write_all(&file[start..(start + end) / 2])?;
            return Ok(());
        }
        if method != "HEAD" {
            for part in file[start..end].chunks(64 << 10) {
                stream.write_all(part)?;
                sent.fetch_add(part.len() as u64, Ordering::Relaxed);
            }
        }
    }
}

/// Settings of the machine's user must not reach the tests, least of all a proxy.
fn plain(folder: &Path, code: &str) -> Command {
    let mut command = perilune(folder);
    for name in [
        "http_proxy",
        "https_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
        "all_proxy",
    ] {
        command.env_remove(name);
    }
    command.args(["-e", code]);
    command
}

fn fetch(folder: &Path, code: &str) -> Run {
    finish(plain(folder, code))
}

/// 64 MiB without compression, so that bytes can be counted.
fn image(folder: &Path) -> Vec<u8> {
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 4096, cols = 4096 }
      raster.random(grid, { seed = 7 }):rename("VV"):write("x.tif", { format = "COG", compress = "none" })
    "#;
    let made = run(folder, &["--quiet", "-e", code]);
    assert_eq!(made.code, 0, "{}", made.err);
    std::fs::read(folder.join("x.tif")).unwrap()
}

/// What is kept of files on servers, their blocks and what GDAL holds of each, is within the ceiling too.
#[test]
fn a_stack_of_many_remote_files_stays_within_the_ceiling() {
    const CEILING_MIB: i64 = 64;
    // What GDAL holds of each open file, and code that a few pixels do not need.
    const OPEN_MIB: i64 = 16;
    let here = folder(&[]);
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 1400, cols = 1400 }
      for i = 1, 6 do
        local image = (raster.random(grid, { seed = i }) * 3000 + 100):mask(raster.random(grid, { seed = 10 + i }):gt(0.02))
        image:write(i .. ".tif", { format = "COG", dtype = "uint16", nodata = 0, level = 1 })
      end
    "#;
    let made = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(made.code, 0, "{}", made.err);
    let file = |i: usize| std::fs::read(here.path().join(format!("{}.tif", i % 6 + 1))).unwrap();
    let server = Server::start((0..48).map(|i| (format!("/{i}.tif"), file(i))).collect());
    // Off the grid of blocks, so that every tile has parts of four.
    let held = |files: usize, side: usize, out: &str| {
        let code = format!(
            "local list = {{}} for i = 1, {files} do list[i] = raster.open(('{}%d.tif'):format(i - 1)) end \
             local grid = raster.grid {{ crs = 'EPSG:32633', origin = {{ 501000, 4999000 }}, resolution = 10, rows = {side}, cols = {side} }} \
             raster.stack(list):align(grid):median():write('{out}', {{ compress = 'none' }})",
            server.url("/")
        );
        let mut command = plain(here.path(), &code);
        command.args(["-q", "--threads", "2", "--memory", &format!("{CEILING_MIB}M")]);
        let ended = super::bounds::watched(command, &here.path().join("err"));
        assert!(ended.status.success(), "{}", ended.err);
        ended.held_kib >> 10
    };
    // What the program takes that asks a server for a few pixels.
    let program = held(1, 8, "few.tif");
    let all = held(48, 1200, "median.tif");
    assert!(
        all <= program + CEILING_MIB + OPEN_MIB,
        "{all} MiB beside {program}"
    );
    // Eight of each: their median is that of the six.
    let code = "local six = {} for i = 1, 6 do six[i] = raster.open(i .. '.tif') end \
                local found = raster.open 'median.tif' \
                local wanted = raster.stack(six):align(found.grid):median() \
                local stats = (found - wanted):abs():stats() \
                local name = next(stats) assert(stats[name].max == 0 and stats[name].count > 1.3e6, stats[name].max)";
    let compared = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(compared.code, 0, "{}", compared.err);
}

#[test]
fn a_remote_image_is_read_by_windows() {
    let here = folder(&[]);
    let bytes = image(here.path());
    let size = bytes.len() as u64;
    assert!(size > 64 << 20);
    let server = Server::start(HashMap::from([
        ("/x.tif".to_string(), bytes.clone()),
        ("/bucket/scenes/x.tif".to_string(), bytes),
    ]));
    let compare = |address: &str| {
        format!(
            r#"
              local window = {{ row = 1030, col = 2060, rows = 200, cols = 300 }}
              local near, far = raster.open("x.tif"), raster.open("{address}")
              local difference = (near:crop(window) - far:crop(window)):abs():stats().VV
              print(far.rows, far.bands[1], difference.count, difference.max)
            "#
        )
    };
    let done = fetch(here.path(), &compare(&server.url("/x.tif")));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "4096\tVV\t60000\t0.0\n");
    let requests = server.requests.lock().unwrap().clone();
    let sent = server.sent.swap(0, Ordering::Relaxed);
    // The window lies in one block of 1 MiB.
    assert!(
        (1 << 20..3 << 20).contains(&sent),
        "{sent} of {size} bytes: {requests:?}"
    );

    let mut command = plain(here.path(), &compare("s3://bucket/scenes/x.tif"));
    command
        .env("AWS_S3_ENDPOINT", server.address.to_string())
        .env("AWS_HTTPS", "NO")
        .env("AWS_VIRTUAL_HOSTING", "FALSE")
        .env("AWS_NO_SIGN_REQUEST", "YES");
    let done = finish(command);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "4096\tVV\t60000\t0.0\n");
    let sent = server.sent.swap(0, Ordering::Relaxed);
    assert!((1 << 20..3 << 20).contains(&sent), "{sent} of {size} bytes");
}

#[test]
fn addresses_that_do_not_answer_are_named() {
    let here = folder(&[]);
    let server = Server::start(HashMap::new());
    let opened = |address: &str| {
        let failed = fetch(here.path(), &format!("raster.open('{address}')"));
        assert_eq!(failed.code, 1, "{failed:?}");
        assert_holds(&failed.err, address);
        failed.err
    };
    assert_holds(
        &opened(&server.url("/no/such.tif")),
        "the server answers 404 Not Found: nothing here; check the address",
    );
    // A port that was free a moment ago.
    let closed = TcpListener::bind(("127.0.0.1", 0)).unwrap().local_addr().unwrap();
    let refused = opened(&format!("http://{closed}/x.tif"));
    assert_holds(&refused, "no connection: ");
    assert_holds(&refused, "check the address and the network");
    assert_holds(
        &opened("http://no-such-host.invalid/x.tif"),
        "check the address and the network",
    );
}

#[test]
fn buckets_that_do_not_answer_are_named() {
    let here = folder(&[]);
    let server = Server::start(HashMap::new());
    let mut command = plain(here.path(), "raster.open('s3://bucket/x.tif')");
    command
        .env("AWS_S3_ENDPOINT", server.address.to_string())
        .env("AWS_HTTPS", "NO")
        .env("AWS_VIRTUAL_HOSTING", "FALSE")
        .env("AWS_NO_SIGN_REQUEST", "YES");
    let missing = finish(command);
    assert_eq!(missing.code, 1);
    assert_holds(
        &missing.err,
        "s3://bucket/x.tif: the server answers 404 Not Found",
    );
    assert_holds(&missing.err, "check bucket and key");

    // No keys, and somebody who has to pay.
    let mut command = plain(here.path(), "raster.open('s3://bucket/x.tif')");
    command
        .env("HOME", here.path())
        .env("AWS_REQUEST_PAYER", "requester");
    let unknown = finish(command);
    assert_eq!(unknown.code, 1);
    assert_holds(&unknown.err, "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY");
}

/// Half of an answer, once and again, costs its bytes and time; for ever, the run, which names the address and how often it was tried.
#[test]
fn answers_that_break_off_are_asked_for_again() {
    let here = folder(&[]);
    let server = Server::start(HashMap::from([("/x.tif".to_string(), image(here.path()))]));
    let code = format!(
        r#"
          local window = {{ row = 1030, col = 2060, rows = 200, cols = 300 }}
          local near, far = raster.open("x.tif"), raster.open("{}")
          print((near:crop(window) - far:crop(window)):abs():stats().VV.max)
        "#,
        server.url("/x.tif")
    );
    server.broken.store(2, Ordering::Relaxed);
    let done = fetch(here.path(), &code);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, "0.0\n");
    let asked = server.requests.lock().unwrap().clone();
    let again = asked
        .iter()
        .filter(|text| **text == asked[asked.len() - 1])
        .count();
    assert_eq!(again, 3, "{asked:?}");
    server.broken.store(u64::MAX, Ordering::Relaxed);
    let failed = fetch(here.path(), &code);
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "/x.tif: the connection ended too early");
    assert_holds(&failed.err, "(after 6 tries)");
}

#[test]
fn a_server_that_leaves_in_the_middle_fails_the_run_and_leaves_nothing() {
    let here = folder(&[]);
    let bytes = image(here.path());
    std::fs::remove_file(here.path().join("x.tif")).unwrap();
    // The address of the image exists as long as it is opened, and its pixels never arrive.
    let mut head = bytes;
    head.truncate(1 << 20);
    let server = Server::start(HashMap::from([("/x.tif".to_string(), head)]));
    let code = format!("raster.open('{}'):write('y.tif')", server.url("/x.tif"));
    let failed = fetch(here.path(), &code);
    assert_eq!(failed.code, 1, "{failed:?}");
    assert_holds(&failed.err, "/x.tif: cannot read ");
    let left = std::fs::read_dir(here.path()).unwrap().flatten();
    let left: Vec<_> = left.map(|e| e.file_name()).filter(|n| n != "state").collect();
    assert!(left.is_empty(), "{left:?}");
}

/// A CSLC of 16 MiB, of which two chips are wanted.
#[test]
fn chips_of_a_remote_cslc_are_read_by_themselves() {
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
      }, { compress = "none" })
    "#;
    let made = run(here.path(), &["--quiet", "-e", code]);
    assert_eq!(made.code, 0, "{}", made.err);
    let bytes = std::fs::read(here.path().join("t064_135523_iw2_20221228.h5")).unwrap();
    let size = bytes.len() as u64;
    assert!(size > 16 << 20);
    let server = Server::start(HashMap::from([
        ("/t064_135523_iw2_20221228.h5".to_string(), bytes.clone()),
        ("/bucket/t064_135523_iw2_20221228.h5".to_string(), bytes),
    ]));
    let compare = |address: &str| {
        format!(
            r#"
              local opera = require "opera"
              local points = {{ {{ 300, 200 }}, {{ 1800, 900 }} }}
              local near = opera.open("t064_135523_iw2_20221228.h5"):chips(points, 100)
              local far = opera.open("{address}")
              local difference = (near - far:chips(points, 100)):abs():stats().VV
              print(far.date, far.rows, difference.count, difference.max)
            "#
        )
    };
    let expected = "20221228\t1024\t20000\t0.0\n";
    let done = fetch(here.path(), &compare(&server.url("/t064_135523_iw2_20221228.h5")));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, expected);
    let sent = server.sent.swap(0, Ordering::Relaxed);
    assert!(sent < size / 4, "{sent} of {size} bytes");

    let mut command = plain(here.path(), &compare("s3://bucket/t064_135523_iw2_20221228.h5"));
    command
        .env("AWS_S3_ENDPOINT", server.address.to_string())
        .env("AWS_HTTPS", "NO")
        .env("AWS_VIRTUAL_HOSTING", "FALSE")
        .env("AWS_NO_SIGN_REQUEST", "YES");
    let done = finish(command);
    assert_eq!(done.code, 0, "{}", done.err);
    assert_eq!(done.out, expected);
    let sent = server.sent.swap(0, Ordering::Relaxed);
    assert!(sent < size / 4, "{sent} of {size} bytes");
}

/// A mask in a file of its own counts; what is asked for beside an image is the least, and at the same time.
#[test]
fn what_lies_beside_a_file_on_a_server_is_asked_for_once() {
    let here = folder(&[]);
    let made = r#"
      local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 64, cols = 64 }
      local image = (raster.random(grid, { seed = 3 }) * 4):floor():cast("uint8")
      image:write("plain.tif")
    "#;
    assert_eq!(fetch(here.path(), made).code, 0);
    let mut split = Command::new("gdal_translate");
    split
        .args([
            "-q",
            "-mask",
            "1",
            "--config",
            "GDAL_TIFF_INTERNAL_MASK",
            "NO",
            "plain.tif",
            "x.tif",
        ])
        .current_dir(here.path());
    assert!(split.status().unwrap().success());
    let read = |name: &str| std::fs::read(here.path().join(name)).unwrap();
    let server = Server::start(HashMap::from([
        ("/plain.tif".to_string(), read("plain.tif")),
        ("/x.tif".to_string(), read("x.tif")),
        ("/x.tif.msk".to_string(), read("x.tif.msk")),
    ]));
    let count = |place: &str| {
        let done = fetch(
            here.path(),
            &format!("print(raster.open(\"{place}\"):stats().random.count)"),
        );
        assert_eq!(done.code, 0, "{}", done.err);
        let mut asked = std::mem::take(&mut *server.requests.lock().unwrap());
        asked.sort_unstable();
        (done.out, asked)
    };
    let (whole, masked) = (count("plain.tif").0, count("x.tif").0);
    assert_ne!(masked, whole);
    let (found, asked) = count(&server.url("/x.tif"));
    assert_eq!(found, masked);
    let mut once = asked.clone();
    once.dedup();
    assert_eq!(once, asked, "nothing is asked for twice");
    let (found, asked) = count(&server.url("/plain.tif"));
    assert_eq!(found, whole);
    let names: Vec<&str> = asked.iter().filter_map(|r| r.split(' ').nth(1)).collect();
    assert_eq!(
        names,
        ["/plain.tif", "/plain.tif.aux.xml", "/plain.tif.msk"],
        "{asked:?}"
    );
}
