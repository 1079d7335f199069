//! Point targets.

use mlua::{Lua, Table};

use crate::correlation::point_target::Analysis;
use crate::correlation::target_in_image::{Place, point_target};
use crate::error::Result;
use crate::lua::args::Args;
use crate::lua::module::Module;
use crate::raster::Raster;

pub fn define(m: &mut Module) -> Result<()> {
    m.function("point_target(slc, x, y, options?)", measured)?;
    Ok(())
}

fn measured(lua: &Lua, args: &Args) -> Result<Table> {
    let slc: Raster = args.get("slc")?;
    let default = Analysis::default();
    let (search, chip, analysis) = args.options(|o| {
        let chip = o.checked("chip", "an even number from 16 to 1024", |n: &usize| {
            n.is_multiple_of(2) && (16..=1024).contains(n)
        })?;
        let search = o.checked("search", "from 0 to 512 pixels", |n: &usize| *n <= 512)?;
        let analysis = Analysis {
            oversampling: o
                .checked("oversampling", "from 4 to 256", |n: &usize| (4..=256).contains(n))?
                .unwrap_or(default.oversampling),
            sidelobes: o.positive("sidelobes")?.unwrap_or(default.sidelobes),
            guard: o.get_or("guard", default.guard)?,
        };
        Ok((search.unwrap_or(8), chip.unwrap_or(64), analysis))
    })?;
    let place = Place {
        x: args.get("x")?,
        y: args.get("y")?,
        search,
        chip,
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
