//! Ways to write, to read and to remove outside the folders that a script may work in.

use std::os::unix::fs::symlink;

use super::{folder, run};

#[test]
fn paths_that_lead_out_are_refused() {
    let around = folder(&[
        ("kept/here.txt", "kept"),
        ("kept/code.lua", "secret = = canary\n"),
        ("work/own.lua", "return { answer = 42 }"),
    ]);
    let work = around.path().join("work");
    let kept = around.path().join("kept");
    // The temporary folder is open to scripts, and this test lives in it: the rest of it is closed for the test.
    let temporary = around.path().join("work/tmp");
    std::fs::create_dir(&temporary).unwrap();
    symlink(kept.join("new.txt"), work.join("dangling.txt")).unwrap();
    symlink(kept.join("code.lua"), work.join("linked.lua")).unwrap();
    let dotted = kept.display().to_string().replace('/', ".");
    let image = "raster.from_array({ { 1, 2 }, { 3, 4 } }, { grid = raster.grid{ crs = 'EPSG:32611', bounds = { 0, 0, 2, 2 }, resolution = 1 } })";
    let attempts = [
        format!(
            "raster.stack{{ {image} }}:export{{ folder = 'out', prefix = '{}/x', names = {{ 'a' }} }}",
            kept.display()
        ),
        format!(
            "raster.stack{{ {image} }}:export{{ folder = 'out', prefix = '../../kept/x', names = {{ 'a' }} }}"
        ),
        format!(
            "raster.stack{{ {image} }}:export{{ folder = 'out', prefix = 'x', names = {{ '/../../../kept/a' }} }}"
        ),
        "fs.append('dangling.txt', 'x')".to_string(),
        "fs.write('dangling.txt', 'x')".to_string(),
        "fs.remove('../work', { recursive = true })".to_string(),
        "fs.remove('.', { recursive = true })".to_string(),
        "fs.rename('../work', 'tmp/x')".to_string(),
        "fs.remove('../kept', { recursive = true })".to_string(),
        format!("require '{dotted}.code'"),
        format!("require '{}/code'", kept.display()),
        "require '../kept/code'".to_string(),
        "require 'linked'".to_string(),
    ];
    for attempt in &attempts {
        let code = format!("local fs, raster = require 'fs', require 'raster'\nlocal r = {attempt}\n");
        std::fs::write(work.join("try.lua"), code).unwrap();
        let mut command = super::perilune(&work);
        command.env("TMPDIR", &temporary).args(["run", "try.lua"]);
        let done = super::finish(command);
        assert_eq!(done.code, 1, "{attempt}: {done:?}");
        assert!(!done.err.contains("canary"), "{attempt}: {}", done.err);
        assert!(!done.err.contains("internal error"), "{attempt}: {}", done.err);
        let mut left: Vec<_> = std::fs::read_dir(&kept)
            .unwrap()
            .map(|e| e.unwrap().file_name())
            .collect();
        left.sort();
        assert_eq!(left, ["code.lua", "here.txt"], "{attempt}");
        assert!(work.join("own.lua").exists(), "{attempt}");
    }
    let fine = run(&work, &["-e", "print(require('own').answer)"]);
    assert_eq!(fine.out, "42\n", "{fine:?}");
}
