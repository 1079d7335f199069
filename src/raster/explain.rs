//! What computing an image will take, without computing it.

use std::collections::HashSet;
use std::fmt::Write;

use super::plan::{Plan, StepInfo};
use super::tiling::tiling;
use super::{Kind, Raster, Window};
use crate::error::{Result, counted};
use crate::work;

/// The steps as a tree for each band, with the pixels that one tile needs of each, the tiles, and the memory that
/// they take. Steps that several readers share are computed once a tile and shown once.
///
/// # Errors
/// A memory that the smallest tile does not fit.
pub fn explain(raster: &Raster) -> Result<String> {
    let grid = &raster.grid;
    let plan = Plan::new(grid, &raster.ports());
    let ((rows, cols), sharing) = tiling(&plan, grid.window())?;
    let (rows, cols) = (rows.min(grid.rows), cols.min(grid.cols));
    // A tile away from the border, so that halos show in full.
    let middle = |size: usize, tile: usize| (size / 2 / tile * tile) as isize;
    let tile =
        Window::new(middle(grid.rows, rows), middle(grid.cols, cols), rows, cols).intersect(&grid.window());
    let tiles = grid.rows.div_ceil(rows) * grid.cols.div_ceil(cols);
    let threads = work::threads().min(tiles);
    let peak = plan
        .peak_bytes(Window::new(tile.row, tile.col, rows, cols))
        .saturating_mul(threads)
        .saturating_add(sharing.room);
    let steps = plan.describe(tile);
    let mut text = format!("{grid}\n");
    let _ = writeln!(
        text,
        "{tiles} {} of {rows} × {cols} on {threads} {}, about {} of pixels at a time (limit {})",
        if tiles == 1 { "tile" } else { "tiles" },
        if threads == 1 { "thread" } else { "threads" },
        mebibytes(peak),
        mebibytes(work::memory()),
    );
    for reading in plan.cube_readings(grid.window()) {
        let _ = writeln!(
            text,
            "reads {} of {} of {}, {} before compression",
            counted(usize::try_from(reading.chunks).unwrap_or(usize::MAX), "chunk"),
            reading.array,
            shortened(&reading.path),
            mebibytes(usize::try_from(reading.bytes).unwrap_or(usize::MAX)),
        );
    }
    let mut tree = Tree {
        steps: &steps,
        shown: HashSet::new(),
        lines: Vec::new(),
    };
    for (band, step) in raster.bands.iter().zip(plan.root_steps()) {
        tree.add(step, &format!("{}: ", band.name), "", "");
    }
    let width = tree
        .lines
        .iter()
        .map(|(left, _)| left.chars().count())
        .max()
        .unwrap_or(0);
    for (left, right) in tree.lines {
        let _ = writeln!(text, "{left:width$}  {right}");
    }
    text.truncate(text.trim_end().len());
    Ok(text)
}

/// More inputs than these are as a rule the images of a stack, all made alike: two are shown.
const MANY: usize = 4;
/// Characters of a name.
const NAME: usize = 60;
/// Levels shown.
const DEEPEST: usize = 40;

struct Tree<'a> {
    steps: &'a [StepInfo],
    shown: HashSet<usize>,
    /// Left and right column of each line.
    lines: Vec<(String, String)>,
}

impl Tree<'_> {
    /// `label` stands before the name, `lead` before its own line, `below` before the lines under it.
    fn add(&mut self, step: usize, label: &str, lead: &str, below: &str) {
        let steps = self.steps;
        let info = &steps[step];
        let mut left = format!("{lead}{label}{}", shortened(&info.name));
        if !self.shown.insert(step) && !info.inputs.is_empty() {
            left.push_str(" (as above)");
            self.lines.push((left, String::new()));
            return;
        }
        let right = format!(
            "{:7}  {} × {}",
            kind(info.kind),
            info.window.rows,
            info.window.cols
        );
        self.lines.push((left, right));
        if below.chars().count() > 3 * DEEPEST {
            self.lines.push((format!("{below}└─ …"), String::new()));
            return;
        }
        let mut inputs: Vec<usize> = Vec::new();
        for &input in &info.inputs {
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
        let shown = if inputs.len() > MANY { 2 } else { inputs.len() };
        let hidden = inputs.len() - shown;
        for (i, &input) in inputs.iter().take(shown).enumerate() {
            let last = i + 1 == inputs.len();
            let (branch, trunk) = if last {
                ("└─ ", "   ")
            } else {
                ("├─ ", "│  ")
            };
            self.add(input, "", &format!("{below}{branch}"), &format!("{below}{trunk}"));
        }
        if hidden > 0 {
            self.lines
                .push((format!("{below}└─ and {hidden} more"), String::new()));
        }
    }
}

/// Of long names, as those of files with their folders, the end.
fn shortened(name: &str) -> String {
    let length = name.chars().count();
    if length <= NAME {
        return name.to_string();
    }
    let end: String = name.chars().skip(length - NAME + 1).collect();
    format!("…{end}")
}

fn kind(kind: Kind) -> &'static str {
    match kind {
        Kind::I128 => "integer",
        Kind::F32 => "float32",
        Kind::F64 => "float64",
        Kind::C32 => "complex",
    }
}

fn mebibytes(bytes: usize) -> String {
    match bytes >> 20 {
        0 => format!("{:.1} KiB", bytes as f64 / 1024.0),
        1..10 => format!("{:.1} MiB", bytes as f64 / (1 << 20) as f64),
        n => format!("{n} MiB"),
    }
}
