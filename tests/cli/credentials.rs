//! Logins as users meet them: stored once, listed without their secrets, used for remote images, hidden from scripts.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Stdio};

use super::standin::{Answer, StandIn};
use super::{Run, assert_holds, finish, folder, perilune, run};

const PASSWORD: &str = "eppur-si-muove";

/// In a home of its own, without the settings of the machine's user.
fn at_home(here: &Path) -> Command {
    let mut command = perilune(here);
    let home = here.join("home");
    fs::create_dir_all(&home).unwrap();
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
    ] {
        command.env_remove(name);
    }
    command.env("HOME", home);
    command
}

fn with_input(mut command: Command, input: &str) -> Run {
    let mut child = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    Run {
        code: output.status.code().unwrap_or(-1),
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
    }
}

fn call(here: &Path, arguments: &[&str]) -> Run {
    let mut command = at_home(here);
    command.args(arguments);
    finish(command)
}

fn write_secret(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

#[test]
fn a_login_is_stored_listed_and_forgotten() {
    let here = folder(&[]);
    let mut command = at_home(here.path());
    command.args(["login", "stac.example.org"]);
    let done = with_input(command, &format!("galileo\n{PASSWORD}\n"));
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "stored the user and password for stac.example.org in ");
    assert_holds(&done.out, ".config/perilune/credentials");
    let file = here.path().join("home/.config/perilune/credentials");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    assert_holds(&fs::read_to_string(&file).unwrap(), PASSWORD);
    let mut command = at_home(here.path());
    command.args(["login", "other.example.org", "--token"]);
    let token = with_input(command, "tok-5\n");
    assert_eq!(token.code, 0, "{}", token.err);
    let listed = call(here.path(), &["logins"]);
    assert_holds(&listed.out, "user galileo, from ");
    assert_holds(&listed.out, "other.example.org");
    let doctor = call(here.path(), &["doctor"]);
    assert_holds(&doctor.out, "stac.example.org");
    let left = call(here.path(), &["logout", "stac.example.org"]);
    assert_holds(&left.out, "removed the login for stac.example.org");
    assert_eq!(call(here.path(), &["logout", "stac.example.org"]).code, 1);
    assert!(!call(here.path(), &["logins"]).out.contains("stac.example.org"));
    for run in [&done, &token, &listed, &doctor, &left] {
        assert!(
            !run.out.contains(PASSWORD) && !run.err.contains(PASSWORD),
            "{run:?}"
        );
        assert!(
            !run.out.contains("tok-5") && !run.err.contains("tok-5"),
            "{run:?}"
        );
    }
    fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
    assert_holds(&call(here.path(), &["doctor"]).out, "chmod 600");
    let mut command = at_home(here.path());
    command.args(["login", "x.example.org"]);
    assert_eq!(with_input(command, "").code, 2, "nothing was typed");
}

#[test]
fn twelve_logins_at_once_are_twelve() {
    let here = folder(&[]);
    std::thread::scope(|scope| {
        for n in 0..12 {
            let mut command = at_home(here.path());
            command.args(["login", &format!("host{n}.example.org"), "--token"]);
            scope.spawn(move || {
                let done = with_input(command, &format!("tok-{n}\n"));
                assert_eq!(done.code, 0, "{}", done.err);
            });
        }
    });
    let listed = call(here.path(), &["logins"]).out;
    for n in 0..12 {
        assert_holds(&listed, &format!("host{n}.example.org"));
    }
}

#[test]
fn a_login_is_checked_before_it_is_stored() {
    let here = folder(&[]);
    let earthdata = StandIn::start("localhost", |got| match got.header("authorization") {
        // galileo:eppur-si-muove
        Some("Basic Z2FsaWxlbzplcHB1ci1zaS1tdW92ZQ==") if got.path() == "/api/users/tokens" => {
            Answer::new(200, "[]")
        }
        _ => Answer::new(401, r#"{"error_description":"Invalid user credentials"}"#),
    });
    let login = |password: &str| {
        let mut command = at_home(here.path());
        command
            .args(["login", "earthdata", "--user", "galileo"])
            .env("PERILUNE_EARTHDATA_URL", earthdata.url("/"));
        with_input(command, &format!("{password}\n"))
    };
    let wrong = login("wrong-word");
    assert_eq!(wrong.code, 1);
    assert_holds(&wrong.err, "Invalid user credentials");
    assert_holds(&wrong.err, "nothing is stored");
    assert!(!wrong.err.contains("wrong-word") && !here.path().join("home/.config").exists());
    assert_eq!(earthdata.log().len(), 1, "a wrong password is told once");
    let right = login(PASSWORD);
    assert_eq!(right.code, 0, "{}", right.err);
    assert_holds(&right.out, "accepts it");
}

/// A small image as a file in memory.
fn image(here: &Path) -> Vec<u8> {
    let code = r#"
      local grid = raster.grid { crs = "EPSG:32633", origin = { 500000, 5000000 }, resolution = 10, rows = 64, cols = 64 }
      raster.constant(grid, 7):rename('v'):write("x.tif")
    "#;
    let made = run(here, &["--quiet", "-e", code]);
    assert_eq!(made.code, 0, "{}", made.err);
    fs::read(here.join("x.tif")).unwrap()
}

#[test]
fn images_behind_a_login_are_read_and_the_login_stays_there() {
    let here = folder(&[]);
    let bytes = image(here.path());
    let bucket = StandIn::start("127.0.0.3", move |got| {
        match got.path() == "/x.tif" && got.parameter("X-Amz-Signature").as_deref() == Some("5160") {
            true => Answer::new(200, bytes.clone()).with("Accept-Ranges", "bytes"),
            false => Answer::new(403, "no"),
        }
    });
    let signed = bucket.url("/x.tif?X-Amz-Signature=5160");
    let data = StandIn::start("127.0.0.2", move |got| {
        match got.header("authorization").is_some() && got.path() == "/x.tif" {
            true => Answer::to(307, &signed).with("Set-Cookie", "session=tossed-biscuit"),
            false => Answer::new(401, "who are you?"),
        }
    });
    let home = here.path().join("home");
    fs::create_dir_all(&home).unwrap();
    write_secret(
        &home.join(".netrc"),
        &format!("machine 127.0.0.2 login galileo password {PASSWORD}\n"),
    );
    let read = |name: &str| {
        let mut command = at_home(here.path());
        command.args([
            "-e",
            &format!(
                "local x = raster.open('{}') print(x:rename('v'):stats().v.mean)",
                data.url(name)
            ),
        ]);
        finish(command)
    };
    let done = read("/x.tif");
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "7");
    bucket.knows_nothing(&[PASSWORD, "tossed-biscuit"]);
    assert!(!bucket.log().is_empty());
    let failed = read("/none.tif");
    assert_eq!(failed.code, 1);
    assert_holds(&failed.err, "refuses the login from ");
    for text in [&done.out, &done.err, &failed.err] {
        assert!(!text.contains("5160") && !text.contains(PASSWORD), "{text}");
    }
    // One whose bytes cannot be opened is called by the name that it was asked for by.
    fs::write(home.join(".netrc"), "").unwrap();
    assert_holds(&read("/x.tif").err, "perilune login");
}

#[test]
fn gdal_tells_no_host_what_is_meant_for_another() {
    let here = folder(&[]);
    let bytes = image(here.path());
    let far = StandIn::start("127.0.0.9", move |_| {
        Answer::new(200, bytes.clone()).with("Accept-Ranges", "bytes")
    });
    let target = far.url("/x.tif");
    let near = StandIn::start("127.0.0.8", move |_| Answer::to(302, &target));
    let home = here.path().join("home");
    fs::create_dir_all(home.join(".gdal")).unwrap();
    // The file is in GDAL's own place too, and a VRT reads it without this program's asking for the address.
    write_secret(
        &home.join(".netrc"),
        &format!("machine 127.0.0.8 login galileo password {PASSWORD}\n"),
    );
    write_secret(
        &home.join(".gdal/gdalrc"),
        "[configoptions]\nGDAL_HTTP_NETRC=YES\nGDAL_HTTP_COOKIE=session=tossed-biscuit\n",
    );
    let vrt = format!(
        "<VRTDataset rasterXSize=\"64\" rasterYSize=\"64\"><VRTRasterBand dataType=\"Float32\" band=\"1\"><SimpleSource>\
         <SourceFilename>/vsicurl/{}</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>",
        near.url("/x.tif")
    );
    fs::write(here.path().join("x.vrt"), vrt).unwrap();
    let read = |code: &str, variable: Option<(&str, &str)>| {
        let mut command = at_home(here.path());
        command.args(["-e", code]).envs(variable);
        finish(command)
    };
    let vrt = "print(raster.open('x.vrt'):rename('v'):stats().v.mean)";
    let done = read(vrt, None);
    assert_eq!(done.code, 0, "{}", done.err);
    let direct = format!(
        "print(raster.open('{}'):rename('v'):stats().v.mean)",
        far.url("/x.tif")
    );
    for variable in [
        ("GDAL_HTTP_HEADERS", "X-Key: tossed-biscuit"),
        ("GDAL_HTTP_COOKIE", "session=tossed-biscuit"),
        ("GDAL_HTTP_USERPWD", "galileo:eppur-si-muove"),
    ] {
        let done = read(vrt, Some(variable));
        assert_eq!(done.code, 0, "{}", done.err);
        assert_eq!(read(&direct, Some(variable)).code, 0);
    }
    // The user's own login, for this host.
    let basic = "Z2FsaWxlbzplcHB1ci1zaS1tdW92ZQ";
    assert!(near.log().iter().all(|got| got.text().contains(basic)));
    for (server, secrets) in [
        (&near, &["tossed-biscuit"][..]),
        (&far, &[PASSWORD, basic, "tossed-biscuit"]),
    ] {
        assert!(!server.log().is_empty());
        for got in server.log() {
            let text = got.text();
            for secret in secrets {
                assert!(
                    !text.contains(secret),
                    "{} was told `{secret}`:\n{text}",
                    server.place()
                );
            }
        }
    }
}

#[test]
fn scripts_cannot_read_the_files_of_logins() {
    let here = folder(&[("plain.csv", "a,b\n1,2\n")]);
    let home = here.path().join("home");
    fs::create_dir_all(home.join(".config/perilune")).unwrap();
    let netrc = home.join(".netrc");
    write_secret(&netrc, &format!("machine a login galileo password {PASSWORD}\n"));
    let stored = home.join(".config/perilune/credentials");
    write_secret(
        &stored,
        &format!("{{\"logins\":[{{\"host\":\"a\",\"token\":\"{PASSWORD}\"}}]}}"),
    );
    let token = here.path().join("token.txt");
    write_secret(&token, PASSWORD);
    symlink(&netrc, here.path().join("link.csv")).unwrap();
    fs::hard_link(&stored, here.path().join("hard.csv")).unwrap();
    let names = [
        "home/.netrc",
        "home/../home/.netrc",
        "~/.netrc",
        "link.csv",
        "hard.csv",
        "token.txt",
        "home/.config/perilune/credentials",
        "/proc/self/environ",
        "/vsisubfile/0_40,home/.netrc",
        "CSV:home/.netrc",
    ];
    let readers = [
        "fs.read(name)",
        "fs.lines(name)()",
        "fs.copy(name, 'copy.txt')",
        "raster.open(name)",
        "tables.read_csv(name)",
        "geometry.read(name)",
        "catalog.open(name)",
        "fs.rename(name, 'moved.txt')",
        "fs.write(name, 'x')",
        "assert(fs.remove(name))",
        "fs.rename('home', 'elsewhere')",
        "fs.remove('home', { recursive = true })",
    ];
    // Files that have a file of logins read as pixels, as columns, through another of their kind.
    let raw = |file: &Path| {
        format!(
            "<VRTDataset rasterXSize=\"8\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\" subClass=\"VRTRawRasterBand\">\
             <SourceFilename>{}</SourceFilename><PixelOffset>1</PixelOffset><LineOffset>8</LineOffset></VRTRasterBand></VRTDataset>",
            file.display()
        )
    };
    fs::write(here.path().join("raw.vrt"), raw(&netrc)).unwrap();
    fs::write(here.path().join("plain.vrt"), raw(&here.path().join("plain.csv"))).unwrap();
    let around = "<VRTDataset rasterXSize=\"8\" rasterYSize=\"1\"><VRTRasterBand dataType=\"Byte\" band=\"1\"><SimpleSource>\
                  <SourceFilename relativeToVRT=\"1\">raw.vrt</SourceFilename></SimpleSource></VRTRasterBand></VRTDataset>";
    fs::write(here.path().join("around.vrt"), around).unwrap();
    let columns = "<OGRVRTDataSource><OGRVRTLayer name=\".netrc\"><SrcDataSource>CSV:home/.netrc</SrcDataSource></OGRVRTLayer></OGRVRTDataSource>";
    fs::write(here.path().join("columns.vrt"), columns).unwrap();
    for (name, reader, way) in [
        ("raw.vrt", "raster.open('raw.vrt'):stats()", "may hold logins"),
        (
            "around.vrt",
            "raster.open('around.vrt'):stats()",
            "may hold logins",
        ),
        ("columns.vrt", "geometry.read('columns.vrt')", "cannot"),
    ] {
        let mut command = at_home(here.path());
        command.args(["-e", &format!("print({reader})")]);
        let done = finish(command);
        assert_eq!(done.code, 1, "{name}: {}", done.out);
        assert!(
            done.err.contains(way) || done.err.contains("virtual vector source"),
            "{name}: {}",
            done.err
        );
    }
    let mut command = at_home(here.path());
    command.args([
        "-e",
        "print(raster.open('plain.vrt'):rename('v'):stats().v.count)",
    ]);
    let done = finish(command);
    assert_eq!((done.code, done.out.trim()), (0, "8"), "{}", done.err);

    let mut code = String::from("local names, out = {}, {}\n");
    for name in names {
        code.push_str(&format!("names[#names + 1] = {name:?}\n"));
    }
    for reader in readers {
        code.push_str(&format!(
            "for _, name in ipairs(names) do local ok, e = pcall(function() return {reader} end)\n\
             print(ok and [[GIVEN {reader} ]] .. name or 'refused: ' .. tostring(e)) end\n"
        ));
    }
    code.push_str("print(pcall(os.getenv, 'EARTHDATA_TOKEN'))\nprint(tables.read_csv('plain.csv'))");
    let mut command = at_home(here.path());
    command
        .args(["-e", &code])
        .env("EARTHDATA_TOKEN", PASSWORD)
        .env("USGS_TOKEN_FILE", &token);
    let done = finish(command);
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(!done.out.contains("GIVEN"), "{}", done.out);
    assert!(
        !done.out.contains(PASSWORD) && !done.err.contains(PASSWORD),
        "{done:?}"
    );
    assert_eq!(done.out.matches("refused: ").count(), names.len() * readers.len());
    assert!(
        done.out.matches("may hold logins").count() > names.len() * 7,
        "{}",
        done.out
    );
    assert_holds(&done.out, "not available");
    assert!(netrc.exists() && stored.exists() && token.exists());
}
