//! What is taken for power and holds what no power is, is said once.

use super::{assert_holds, folder, run};

const DECIBELS: &str = r#"
local grid = raster.grid { crs = 32611, origin = { 0, 0 }, resolution = 10, rows = 2, cols = 2 }
raster.from_table(grid, { { -12.5, -11 }, { -14, 1 } }, { name = "VV" }):write("vv.tif")
local vv = raster.open("vv.tif")
"#;

/// How often `part` is in what a script says, which goes on all the same.
#[track_caller]
fn said(script: &str, part: &str) -> usize {
    let folder = folder(&[]);
    let run = run(
        folder.path(),
        &["-q", "-e", &format!("{DECIBELS}; {script} print('done')")],
    );
    assert_eq!((run.code, run.out.as_str()), (0, "done\n"), "{}", run.err);
    run.err.matches(part).count()
}

#[test]
fn negative_values_without_a_unit_are_named_once() {
    let to_db = "vv.tif band 1) states no unit and is taken for power, but holds negative values";
    assert_eq!(
        said("vv:to_db():stats() vv:to_db():stats() vv:to_db():read()", to_db),
        1
    );
    assert_eq!(said("vv:crop({ rows = 1, cols = 1 }):to_db():stats()", to_db), 1);
    assert_eq!(
        said(
            "filter.lee(vv, { size = 3, looks = 4 }):stats()",
            "filter.lee: band `VV`"
        ),
        1
    );
    assert_eq!(
        said("filter.refined_lee(vv):stats()", "filter.refined_lee: band `VV`"),
        1
    );
    assert_eq!(said("(vv / vv):stats()", "ratio: band `VV`"), 1);
    let folder = folder(&[]);
    let run = run(
        folder.path(),
        &["-q", "-e", &format!("{DECIBELS}; vv:to_db():stats()")],
    );
    assert_holds(&run.err, "`:set_unit \"dB\"`");
}

#[test]
fn nothing_is_said_of_what_states_its_unit_or_is_positive_or_computed() {
    let any = "states no unit";
    assert_eq!(said("vv:set_unit('dB'):to_power():to_db():stats()", any), 0);
    assert_eq!(said("vv:mask(vv:gt(0)):to_db():stats()", any), 0);
    assert_eq!(said("(vv * -1):to_db():stats()", any), 0);
    assert_eq!(said("(vv / 2):stats()", any), 0);
    assert_eq!(said("raster.open('vv.tif', { unit = 'm' }):stats()", any), 0);
}
