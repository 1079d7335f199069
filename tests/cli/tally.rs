//! The count of the gate: a test that lacks its data has not passed, and beside the data it is an error.

use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use super::folder;

const LOG: &str = "
running 3 tests
test a ... ok
test b ... ok
test child ... ignored

successes:

---- a stdout ----
skipped: needs ../shared/data
skipped: needs ../shared/data

test result: ok. 2 passed; 0 failed; 1 ignored; 0 measured; 0 filtered out; finished in 0.44s

skipped: needs ../shared/data: tests/lua/raster/real.lua: one
test result: ok. 600 passed; 0 failed; 1 ignored; in 400 files and examples
";

fn tally(checkout: &Path, log: &str) -> (bool, String) {
    let mut child = Command::new("bash")
        .arg(checkout.join("scripts/tally"))
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(log.as_bytes()).unwrap();
    let output = child.wait_with_output().unwrap();
    (output.status.success(), String::from_utf8(output.stdout).unwrap())
}

#[test]
fn skipped_tests_do_not_count_as_passed() {
    let here = folder(&[]);
    let checkout = here.path().join("checkout");
    std::fs::create_dir_all(checkout.join("scripts")).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/tally");
    std::fs::copy(script, checkout.join("scripts/tally")).unwrap();
    // Alone: they are skipped.
    assert_eq!(
        tally(&checkout, LOG),
        (true, "601 passed, 3 skipped, 0 failed\n".into())
    );
    let failed = LOG.replace("600 passed; 0 failed", "599 passed; 1 failed");
    assert_eq!(
        tally(&checkout, &failed),
        (false, "600 passed, 3 skipped, 1 failed\n".into())
    );
    assert!(!tally(&checkout, "").0, "no test at all");
    // Beside the data: they should have run.
    std::fs::create_dir_all(here.path().join("shared/data")).unwrap();
    let (passed, said) = tally(&checkout, LOG);
    assert!(
        !passed && said.contains("although ../shared/data is there"),
        "{said}"
    );
    let whole = "test result: ok. 5 passed; 0 failed; 0 ignored;";
    assert_eq!(
        tally(&checkout, whole),
        (true, "5 passed, 0 skipped, 0 failed\n".into())
    );
}
