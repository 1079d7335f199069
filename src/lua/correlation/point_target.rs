//! Point targets.

use mlua::{Lua, Table};

use crate::correlation::point_target::{Analysis, CHIP, OVERSAMPLING, SIDELOBES};
use crate::correlation::target_in_image::{Expected, point_target};
use crate::error::{Domain, Result};
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::options;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function_with("point_target(slc, x, y, options?)", measured)?;
    Ok(())
}

options! {
    struct Target("correlation.PointTargetOptions") {
        /// How far from the place its brightest pixel may lie.
        search: usize = 8; Domain::within(0.0, 512.0).in_unit("pixels"),
        /// Side of the square that is measured.
        chip: usize = 64; CHIP,
        /// Samples a pixel of the cuts through the peak.
        oversampling: usize = Analysis::default().oversampling; OVERSAMPLING,
        /// How far from the peak sidelobes count, in widths of the main lobe.
        sidelobes: f64 = Analysis::default().sidelobes; SIDELOBES,
        /// Half of the cross around the peak that is no clutter, in pixels.
        guard: usize = Analysis::default().guard,
    }
}

fn measured(lua: &Lua, args: &Args, o: Target) -> Result<Table> {
    let slc: Raster = args.get("slc")?;
    let analysis = Analysis {
        oversampling: o.oversampling,
        sidelobes: o.sidelobes,
        guard: o.guard,
    };
    let place = Expected {
        x: args.get("x")?,
        y: args.get("y")?,
        search: o.search,
        chip: o.chip,
    };
    let table = lua.create_table()?;
    match point_target(&slc, &place, &analysis)? {
        Err(failure) => {
            for name in NUMBERS {
                table.raw_set(name, f64::NAN)?;
            }
            table.raw_set("reason", failure.name())?;
        }
        Ok(t) => {
            // Places on the map count from the corner of a pixel, places in the image from its centre.
            let (map_x, map_y) = slc.grid.transform.apply(t.x + 0.5, t.y + 0.5);
            let (across, down) = (t.across, t.down);
            let values = [
                t.x, t.y, map_x, map_y, t.amplitude, t.phase, across.width, down.width, across.pslr_db, down.pslr_db,
                across.islr_db, down.islr_db, t.scr_db,
            ];
            for (name, value) in NUMBERS.into_iter().zip(values) {
                table.raw_set(name, value)?;
            }
            table.raw_set("reason", "ok")?;
        }
    }
    Ok(table)
}

const NUMBERS: [&str; 13] = [
    "x", "y", "map_x", "map_y", "amplitude", "phase", "width_x", "width_y", "pslr_x_db", "pslr_y_db", "islr_x_db",
    "islr_y_db", "scr_db",
];
