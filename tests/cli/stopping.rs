//! One Ctrl-C, and the time limit, end everything: each script with each of the two, what is left behind, and the exit code.
//!
//! The bound is what docs/security.md promises.

use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Mutex;
use std::time::{Duration, Instant};

use super::{assert_holds, folder, perilune};

/// From the request to the end of the process, whatever it does.
pub const BOUND: Duration = Duration::from_secs(2);

/// Few at a time, so that none waits for the processor for long.
const AT_ONCE: usize = 3;

/// Scripts that go on for hours at least, or for ever.
const ENDLESS: &[&str] = &[
    // Loops, and calls that catch the stop.
    "while true do end",
    "while true do pcall(function() while true do end end) end",
    "while true do pcall(error) end",
    "while true do pcall(pcall, error) end",
    "local function f() return f() end f()",
    "while true do select('#', table.unpack({ 1, 2, 3 })) end",
    // Coroutines.
    "local co = coroutine.wrap(function() while true do pcall(function() while true do end end) end end) while true do pcall(co) end",
    "while true do coroutine.wrap(function() coroutine.yield() end)() end",
    "coroutine.close(coroutine.create(function() end)) local co = coroutine.create(function() local x <close> = setmetatable({}, { __close = function() while true do end end }) coroutine.yield() end) coroutine.resume(co) coroutine.close(co)",
    // Finalisers, in the middle and at the end.
    "setmetatable({}, { __gc = function() while true do end end })",
    "setmetatable({}, { __gc = function() while true do pcall(error) end end }) collectgarbage() collectgarbage()",
    "local function again() setmetatable({}, { __gc = again }) while true do end end again()",
    "setmetatable({}, { __gc = function() while true do pcall(raster.grid, {}) end end }) collectgarbage() collectgarbage()",
    // Closing values.
    "local x <close> = setmetatable({}, { __close = function() while true do end end })",
    "local m = { __close = function() while true do end end } local a <close> = setmetatable({}, m) local b <close> = setmetatable({}, m) local c <close> = setmetatable({}, m) error('x')",
    // Message handlers.
    "xpcall(error, function() while true do end end)",
    "while true do xpcall(error, function() return xpcall(error, print) end) end",
    // Metamethods.
    "local t = setmetatable({}, { __index = function() while true do end end }) while true do pcall(function() return t.x end) end",
    "local t = setmetatable({}, { __tostring = function() while true do end end }) tostring(t)",
    // Patterns.
    "('a'):rep(30000):find('.-.-.-.-b')",
    "('a'):rep(30000):match('.-.-.-.-b')",
    "('a'):rep(30000):gsub('.-.-.-.-b', '')",
    "('a'):rep(30000):gsub('.-.-.-.-b', function() end)",
    "('a'):rep(30000):gsub('.-.-.-.-b', {})",
    "for _ in ('a'):rep(30000):gmatch('.-.-.-.-b') do end",
    "('a'):rep(30000):find('(.*)(.*)(.*)(.*)%1%2%3b')",
    "('a'):rep(1e5):find(('a?'):rep(60) .. ('a'):rep(60) .. 'b')",
    "while true do pcall(string.find, ('a'):rep(30000), '.-.-.-.-b') end",
    "('('):rep(1e6):gsub('%b()', '')",
    "string.gsub('aaa', 'a', function() while true do end end)",
    // Lists of any length.
    "table.insert(setmetatable({}, { __len = function() return 1 << 60 end }), 1, 2)",
    "table.remove(setmetatable({}, { __len = function() return 1 << 60 end }), 1)",
    "table.move({}, 1, 1 << 60, 2)",
    "table.move({}, 1, 1 << 60, 1, {})",
    "table.concat(setmetatable({}, { __index = function() return '' end }), '', 1, 1 << 60)",
    "table.sort({ 3, 2, 1 }, function() while true do end end)",
    "table.sort(setmetatable({}, { __len = function() return 1 << 30 end, __index = function() return 1 end }), rawequal)",
    // Natives in a loop.
    "while true do pcall(raster.grid, {}) end",
    "while true do pcall(json.decode, '{') end",
    "while true do fs.glob('*') end",
    "while true do pcall(geometry.from_wkt, 'POINT (1 2)') end",
    // Long natives.
    "local r = raster.random(raster.grid { rows = 60000, cols = 60000 }) r:stats()",
    "raster.random(raster.grid { rows = 60000, cols = 60000 }):write('x.tif')",
    "raster.random(raster.grid { rows = 30000, cols = 30000 }):write('x.tif', { format = 'COG' })",
    "raster.random(raster.grid { rows = 20000, cols = 20000 }):write('x.png')",
    "raster.random(raster.grid { rows = 30000, cols = 30000 }):write('x.jp2')",
    "raster.write_hdf5('x.h5', { ['/a'] = raster.random(raster.grid { rows = 60000, cols = 60000 }):cast('float32') })",
    "raster.random(raster.grid { rows = 40000, cols = 40000 }):percentile(50)",
    "filter.focal_percentile(raster.random(raster.grid { rows = 30000, cols = 30000 }), { radius = 40, percentile = 50 }):stats()",
    "filter.tv_bregman(raster.random(raster.grid { rows = 6000, cols = 6000 }), { max_iterations = 5000 }):stats()",
    "raster.random(raster.grid { crs = 'EPSG:32633', bounds = { 0, 0, 3e5, 3e5 }, resolution = 5 }):reproject { crs = 'EPSG:3035' }:stats()",
    "local ring = {} for i = 1, 200000 do local a = i / 200000 * 2 * math.pi local r = 1 + i % 2 ring[i] = { r * math.cos(a), r * math.sin(a) } end \
     local p = geometry.polygon(ring) while true do p:union(p) end",
    "local k = {} for i = 1, 4000 do k[i] = i % 2 end local t = tables.new { k = k, v = k } while true do t:join(t:rename('v', 'w'), 'k') end",
    "local t = {} for i = 1, 1e6 do t[i] = i end while true do json.encode(t) end",
    "local s = 'a,b,c\\n' .. ('1,2,3\\n'):rep(1000000) while true do tables.from_csv(s) end",
    "local x = {} for i = 1, 300000 do x[i] = i end while true do plot.line(x, x):svg() end",
    "local s = ('x'):rep(1e7) while true do s:reverse():upper():byte(1) end",
];

/// Runs the script with or without a limit, after it has said that it is there; how long it took to end after the request.
fn stopped(folder: &Path, code: &str, limit: bool) -> (i32, String, Duration) {
    let mut command = perilune(folder);
    if limit {
        command.args(["--time-limit", "0.5"]);
    }
    let mut child: Child = command
        .args(["--quiet", "-e", &format!("print(1); {code}")])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut out = child.stdout.take().unwrap();
    std::io::Read::read_exact(&mut out, &mut [0; 1]).unwrap();
    std::thread::sleep(Duration::from_millis(500));
    if !limit {
        // SAFETY: kill has no preconditions; the process is ours and not yet waited for.
        unsafe { libc::kill(child.id() as libc::pid_t, libc::SIGINT) };
    }
    let asked = Instant::now();
    // A child that does not end must not keep the test from saying so.
    while child.try_wait().unwrap().is_none() && asked.elapsed() < 2 * BOUND {
        std::thread::sleep(Duration::from_millis(10));
    }
    let took = asked.elapsed();
    let _ = child.kill();
    let output = child.wait_with_output().unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    (output.status.code().unwrap_or(-1), said, took)
}

#[test]
fn one_ctrl_c_or_the_time_limit_ends_anything() {
    all_end(ENDLESS);
}

/// Libraries that wait for an answer look at nothing.
#[test]
fn one_ctrl_c_or_the_time_limit_ends_the_waiting_for_a_server() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = silent.local_addr().unwrap().port();
    std::thread::spawn(move || {
        let mut kept = Vec::new();
        for stream in silent.incoming() {
            kept.push(stream);
        }
    });
    let at = |code: &str| code.replace("ADDRESS", &format!("http://127.0.0.1:{port}"));
    let waiting: Vec<String> = [
        "raster.open('ADDRESS/x.tif')",
        "raster.open('HDF5:\"/vsicurl/ADDRESS/x.h5\"://a')",
        "geometry.read('/vsicurl/ADDRESS/x.gpkg')",
        "catalog.stac('ADDRESS'):search{}:all()",
        "catalog.open('ADDRESS/catalog.json')",
        "catalog.download({ { url = 'ADDRESS/x.tif' } }, { dir = 'there' })",
        "catalog.zip_members('ADDRESS/x.zip')",
    ]
    .map(at)
    .into();
    all_end(&waiting.iter().map(String::as_str).collect::<Vec<_>>());
}

/// The image opens, and its pixels come a byte in ten seconds.
#[test]
fn one_ctrl_c_or_the_time_limit_ends_a_slow_range() {
    let here = folder(&[]);
    let made = super::run(
        here.path(),
        &[
            "--quiet",
            "-e",
            "raster.random(raster.grid { rows = 512, cols = 512 }):write('x.tif', { compress = 'none' })",
        ],
    );
    assert_eq!(made.code, 0, "{}", made.err);
    let bytes = std::fs::read(here.path().join("x.tif")).unwrap();
    let server = super::standin::StandIn::start("127.0.0.1", move |got| {
        let range = got.header("range").unwrap_or("");
        if got.path() != "/x.tif" {
            return super::standin::Answer::new(404, "");
        }
        if !range.starts_with("bytes=0-") {
            std::thread::sleep(Duration::from_secs(60));
        }
        super::standin::Answer::new(200, bytes.clone())
    });
    let slow = format!("raster.open('{}'):stats()", server.url("/x.tif"));
    let code = slow.as_str();
    all_end(&[code]);
    let reads = server.count(|got| {
        got.header("range")
            .is_some_and(|range| !range.starts_with("bytes=0-"))
    });
    assert!(reads >= 2, "{:?}", server.log());
}

fn all_end(scripts: &[&str]) {
    let jobs: Vec<(&str, bool)> = scripts
        .iter()
        .flat_map(|code| [(*code, false), (*code, true)])
        .collect();
    let next = Mutex::new(jobs.iter());
    let failed = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                loop {
                    let job = next.lock().unwrap().next();
                    let Some((code, limit)) = job else { return };
                    let here = folder(&[]);
                    let (exit, said, took) = stopped(here.path(), code, *limit);
                    let (right, message) = match limit {
                        true => (1, "error: stopped: the time limit is over"),
                        false => (130, "error: interrupted"),
                    };
                    let left: Vec<_> = std::fs::read_dir(here.path())
                        .unwrap()
                        .map(|e| e.unwrap().file_name())
                        // A download keeps what has come.
                        .filter(|name| name != "state" && name != "there")
                        .collect();
                    if exit != right || !said.contains(message) || took > BOUND || !left.is_empty() {
                        let how = if *limit { "time limit" } else { "Ctrl-C" };
                        let line =
                            format!("{code} ({how}): exit {exit} after {took:?}, left {left:?}\n{said}");
                        failed.lock().unwrap().push(line);
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().unwrap();
    assert!(
        failed.is_empty(),
        "{} of {}:\n{}",
        failed.len(),
        jobs.len(),
        failed.join("\n")
    );
}

/// Work that looks at the flag has time for its own end: the watchdog leaves it alone.
#[test]
fn what_stops_in_time_says_where_itself() {
    let here = folder(&[]);
    let (exit, said, took) = stopped(here.path(), "local function f() while true do end end f()", false);
    assert_eq!(exit, 130);
    assert_holds(&said, "called from (command line):1");
    assert!(took < Duration::from_millis(1400), "{took:?}");
}

#[test]
fn a_script_that_ends_before_its_limit_is_left_alone() {
    let here = folder(&[]);
    let done = super::run(here.path(), &["--time-limit", "20", "-e", "print(1)"]);
    assert_eq!((done.code, done.out.as_str(), done.err.as_str()), (0, "1\n", ""));
}

#[test]
fn a_prompt_whose_input_cannot_be_stopped_ends_with_a_sentence() {
    let here = folder(&[]);
    let mut command = perilune(here.path());
    command.args(["--time-limit", "0.5"]);
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    let code =
        "setmetatable({}, { __gc = function() while true do end end }) collectgarbage() collectgarbage()\n";
    std::io::Write::write_all(child.stdin.as_mut().unwrap(), code.as_bytes()).unwrap();
    let started = Instant::now();
    let output = child.wait_with_output().unwrap();
    assert!(started.elapsed() < Duration::from_millis(500) + BOUND);
    assert_eq!(output.status.code(), Some(1));
    assert_holds(
        &String::from_utf8_lossy(&output.stderr),
        "the input did not stop, so the prompt ends; the history of inputs and what :save wrote are kept",
    );
}

#[test]
fn streams_that_are_closed_or_full_change_no_exit_code() {
    let here = folder(&[]);
    for (arguments, code) in [
        (&["-e", "error('x')"][..], 1),
        (&["-e", "local x ="], 1),
        (&["run", "nothing"], 2),
        (&["doctor"], 0),
        (&["workflows"], 0),
        (&["--time-limit", "0.2", "-e", "while true do end"], 1),
    ] {
        let full = || std::fs::File::options().write(true).open("/dev/full").unwrap();
        let ended = perilune(here.path())
            .args(arguments)
            .stdout(full())
            .stderr(full())
            .status()
            .unwrap();
        assert_eq!(ended.code(), Some(code), "{arguments:?}");
        let program = perilune(here.path()).get_program().to_os_string();
        for shut in ["2>&-", ">&- 2>&-", "<&- >&- 2>&-"] {
            let ended = std::process::Command::new("sh")
                .args(["-c", &format!("exec \"$0\" \"$@\" {shut}")])
                .arg(&program)
                .args(arguments)
                .env("XDG_STATE_HOME", here.path().join("state"))
                .current_dir(here.path())
                .stdout(Stdio::null())
                .status()
                .unwrap();
            assert_eq!(ended.code(), Some(code), "{arguments:?} {shut}");
        }
    }
}
