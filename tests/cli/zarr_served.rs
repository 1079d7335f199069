//! Zarrs in buckets: as anybody and with keys, with chunks that were never written, that are cut short, and that are refused. What they cost is told
//! before and while they are read.

use std::path::{Path, PathBuf};
use std::process::Command;

use super::standin::{Answer, StandIn};
use super::{Run, assert_holds, finish, folder, perilune};

const KEY: &str = "AKIAEXAMPLE";
const SECRET: &str = "secret-of-the-bucket";

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/zarr")
}

/// Buckets whose objects are the fixtures: `public`, `own` (of who signs), `closed` (of nobody), and others that miss something.
fn buckets() -> StandIn {
    StandIn::start("127.0.0.6", |got| {
        let signed = got
            .header("authorization")
            .is_some_and(|text| text.contains(&format!("Credential={KEY}/")));
        let denied = || Answer::new(403, "<Error><Code>AccessDenied</Code></Error>");
        let (bucket, key) = got
            .path()
            .trim_start_matches('/')
            .split_once('/')
            .unwrap_or_default();
        let is_chunk = !key
            .rsplit('/')
            .next()
            .is_some_and(|name| name.starts_with(".z") || name == "zarr.json");
        match bucket {
            "own" if !signed => return denied(),
            "closed" => return denied(),
            // Some of its chunks are of others.
            "mixed" if is_chunk && key.contains("/gzip/") => return denied(),
            "public" | "own" | "mixed" | "cut" => {}
            _ => return Answer::new(404, "<Error><Code>NoSuchBucket</Code></Error>"),
        }
        match std::fs::read(fixtures().join(key)) {
            Ok(bytes) => {
                let cut = bucket == "cut" && (key.contains("/gzip/0.") || key.contains("/zstd/c/0/"));
                let length = if cut { bytes.len() / 2 } else { bytes.len() };
                Answer::of_file(got, &bytes[..length])
            }
            Err(_) => Answer::new(404, "<Error><Code>NoSuchKey</Code></Error>"),
        }
    })
}

fn run(here: &Path, server: &StandIn, keys: bool, code: &str) -> Run {
    let mut command: Command = perilune(here);
    for name in [
        "AWS_SESSION_TOKEN",
        "AWS_REGION",
        "AWS_DEFAULT_REGION",
        "AWS_PROFILE",
        "HTTP_PROXY",
        "http_proxy",
    ] {
        command.env_remove(name);
    }
    command.env("HOME", here).env("AWS_ENDPOINT_URL", server.url(""));
    match keys {
        true => command
            .env("AWS_ACCESS_KEY_ID", KEY)
            .env("AWS_SECRET_ACCESS_KEY", SECRET),
        false => command
            .env_remove("AWS_ACCESS_KEY_ID")
            .env_remove("AWS_SECRET_ACCESS_KEY"),
    };
    command.args(["--quiet", "-e", code]);
    finish(command)
}

/// Lua that compares every step of a variable with that of the folder, and prints how many pixels there are.
fn compare(bucket: &str, zarr: &str, variable: &str) -> String {
    format!(
        r#"
        local there = raster.stack("s3://{bucket}/{zarr}", {{ variables = "{variable}" }})
        local here = raster.stack("{}/{zarr}", {{ variables = "{variable}" }})
        local count = 0
        for i, image in ipairs(here) do
          local a, b = there[i]:read(), image:read()
          for r = 0, a.rows - 1 do
            for c = 0, a.cols - 1 do
              local v, w = a:get(r, c), b:get(r, c)
              assert(v == w or v ~= v and w ~= w, v)
              if v == v then count = count + 1 end
            end
          end
          assert(there[i].time == image.time)
        end
        print(#there, count)
        "#,
        fixtures().display()
    )
}

#[test]
fn public_and_own_buckets_hold_what_the_folder_holds() {
    let (here, server) = (folder(&[]), buckets());
    for (zarr, variable) in [
        // A chunk of it was never written, so that its pixels are masked there as here.
        ("codecs.zarr", "blosc_zlib"),
        ("codecs.zarr", "gzip"),
        ("sharded.zarr", "zstd"),
        ("xarray.zarr", "v"),
    ] {
        let done = run(here.path(), &server, false, &compare("public", zarr, variable));
        assert_eq!(done.code, 0, "{}", done.err);
        assert!(done.out.starts_with("6\t"), "{}", done.out);
        assert!(!done.out.contains("\t420"), "some are masked: {}", done.out);
    }
    // Who has keys is anybody first, and signs only where that is refused.
    let before = server.log().len();
    let done = run(
        here.path(),
        &server,
        true,
        &compare("public", "codecs.zarr", "zlib"),
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(
        server.log()[before..]
            .iter()
            .all(|got| got.header("authorization").is_none())
    );
    let done = run(
        here.path(),
        &server,
        true,
        &compare("own", "codecs.zarr", "blosc_zlib"),
    );
    assert_eq!(done.code, 0, "{}", done.err);
    let done = run(
        here.path(),
        &server,
        true,
        &compare("own", "sharded.zarr", "zstd"),
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert!(server.log().iter().all(|got| !got.text().contains(SECRET)));
}

#[test]
fn what_buckets_refuse_or_cut_short_is_named() {
    let (here, server) = (folder(&[]), buckets());
    let open = |bucket: &str, keys: bool, zarr: &str, variable: &str| {
        let code = format!(
            "raster.stack('s3://{bucket}/{zarr}', {{ variables = '{variable}' }}):mean():write('mean.tif')"
        );
        let failed = run(here.path(), &server, keys, &code);
        assert_eq!(failed.code, 1, "{}", failed.out);
        assert!(!failed.err.contains(SECRET), "{}", failed.err);
        assert!(!here.path().join("mean.tif").exists());
        failed.err
    };
    let refused = open("own", false, "codecs.zarr", "gzip");
    assert_holds(&refused, "s3://own/codecs.zarr/");
    assert_holds(&refused, "the server answers 403");
    assert_holds(&refused, "the bucket is not public: read it with AWS keys");
    let refused = open("closed", true, "codecs.zarr", "gzip");
    assert_holds(&refused, "s3://closed/codecs.zarr/");
    assert_holds(&refused, "the server answers 403");
    // Metadata that anybody reads, and chunks that nobody does.
    let refused = open("mixed", false, "codecs.zarr", "gzip");
    assert_holds(&refused, "s3://mixed/codecs.zarr/gzip/");
    assert_holds(&refused, "the server answers 403");
    let cut = open("cut", false, "codecs.zarr", "gzip");
    assert_holds(&cut, "s3://cut/codecs.zarr/gzip/0.");
    assert_holds(&cut, "of gzip cannot be decoded");
    let cut = open("cut", false, "sharded.zarr", "zstd");
    assert_holds(&cut, "s3://cut/sharded.zarr/zstd/c/0/");
    let none = open("nothing", false, "codecs.zarr", "gzip");
    assert_holds(&none, "s3://nothing/codecs.zarr");
    assert_holds(&none, "is no Zarr");
}

#[test]
fn what_a_cube_costs_is_told_before_it_is_read() {
    let (here, server) = (folder(&[]), buckets());
    let done = run(
        here.path(),
        &server,
        false,
        r#"
        local stack = raster.stack("s3://public/codecs.zarr", { variables = { "zlib", "gzip" } })
        local before = catalog.traffic().requests
        local plan = stack:mean():plan()
        -- 6 times of 7 × 10 pixels in chunks of 4 × 3 × 4: 2 × 3 × 3 chunks, of each variable.
        assert(plan.chunks == 36, plan.chunks)
        -- Of two bytes a number.
        print(tostring(plan))
        local part = stack:mean():crop { row = 0, col = 0, rows = 3, cols = 4 }
        assert(part:plan().chunks == 4, part:plan().chunks)
        assert(stack[1]:plan().chunks == 18 and stack[1].zlib:plan().chunks == 9)
        print(stack[1]:explain())
        assert(catalog.traffic().requests == before, "nothing was fetched")
        assert(stack:mean():stats().zlib.count > 0)
        assert(catalog.traffic().requests == before + 36, catalog.traffic().requests - before)
        "#,
    );
    assert_eq!(done.code, 0, "{}", done.err);
    assert_holds(&done.out, "reads     36 chunks of 1 cube, ");
    assert_holds(
        &done.out,
        "reads 9 chunks of zlib of s3://public/codecs.zarr, 0.8 KiB before compression",
    );
}
