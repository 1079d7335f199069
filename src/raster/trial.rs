//! What operations on whole scenes take, found on a part of each; and a graph in which what that part gave stands in for all of it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Instant;

use ndarray::Array2;

use super::describe::{Description, of_port};
use super::execute;
use super::graph::{Node, Port, Work};
use super::operation::Operation;
use super::plan::post_order;
use super::reframe::crop;
use super::scene::SceneNode;
use super::whole::WholeNode;
use super::{Grid, Kind, Pixels, View, Window};
use crate::error::{Error, Result};
use crate::work;

/// Rows and columns of the part.
const SIDE: usize = 1024;

/// An operation that comes before the tiles.
#[derive(Debug, Clone, PartialEq)]
pub struct Before {
    /// Its node's.
    pub id: u64,
    pub name: String,
    /// Of all of it; None where it was not tried.
    pub seconds: Option<f64>,
}

/// What was found.
pub(super) struct Trial {
    pub before: Vec<Before>,
    /// The roots of the same graph with nothing before its tiles. Its pixels are good for nothing but to measure time. None where
    /// something cannot be tried.
    pub roots: Option<Vec<Port>>,
}

impl Trial {
    /// Of which nothing but the names is known.
    pub fn not_made(unprepared: &[Arc<Node>]) -> Trial {
        let untold = |node: &Arc<Node>| Before {
            id: node.id,
            name: node.name(),
            seconds: None,
        };
        Trial {
            before: unprepared.iter().map(untold).collect(),
            roots: None,
        }
    }
}

/// Tries all that comes before the tiles, inputs before their readers, each on the middle of what it reads.
///
/// # Errors
/// What computing the inputs of the part fails with; `Interrupted`.
pub(super) fn try_before(roots: &[Port]) -> Result<Trial> {
    let (mut before, mut untold) = (Vec::new(), false);
    let mut replaced: HashMap<u64, Arc<Node>> = HashMap::new();
    let instead = |port: &Port, replaced: &HashMap<u64, Arc<Node>>| Port {
        node: replaced.get(&port.node.id).unwrap_or(&port.node).clone(),
        output: port.output,
    };
    // What is tried is computed in a dry run, too, and told nowhere.
    let _entered = work::Context::clone(&work::current())
        .with_rehearsal(None)
        .enter();
    for node in post_order(roots) {
        let inputs: Vec<Port> = node.inputs.iter().map(|port| instead(port, &replaced)).collect();
        let tried = match &node.work {
            Work::Scene(scene) if !scene.is_ready() => Some(of_scene(scene, &node, &inputs)?),
            Work::Whole(whole) if !whole.is_ready() => Some(of_whole(whole, &node, &inputs)?),
            Work::Tiles(operation) if !operation.is_prepared() => None,
            _ => {
                let same = inputs
                    .iter()
                    .zip(&node.inputs)
                    .all(|(a, b)| a.node.id == b.node.id);
                let other = if same { None } else { node.reading(inputs) };
                replaced.extend(other.map(|other| (node.id, Arc::new(other))));
                continue;
            }
        };
        before.push(Before {
            id: node.id,
            name: node.name(),
            seconds: tried.as_ref().map(|(seconds, _)| *seconds),
        });
        match tried {
            Some((_, part)) => {
                let ports = Port::tiles(&node.grid, Arc::new(Repeat(part)), Vec::new());
                replaced.extend(ports.first().map(|port| (node.id, port.node.clone())));
            }
            // It would keep what it finds in stand-ins.
            None => untold = true,
        }
    }
    let roots = roots.iter().map(|root| instead(root, &replaced)).collect();
    Ok(Trial {
        before,
        roots: (!untold).then_some(roots),
    })
}

/// Seconds of all, and what a part gave.
type Tried = (f64, Vec<Array2<f32>>);

fn of_scene(scene: &SceneNode, node: &Node, inputs: &[Port]) -> Result<Tried> {
    let window = middle(&node.grid);
    let part = part_of(&inputs[0], window)?;
    let grid = part.node.grid.clone();
    let port = Port::scene(&grid, SceneNode::new(scene.operation.clone()), part);
    let (seconds, made) = timed(&[port], share(&node.grid, window));
    Ok((seconds, made?))
}

/// One that has values for nodes all over its inputs is tried for those in the middle, with an eighth more of its inputs around them; one that
/// makes a few values of all that it reads, on the middle of that.
fn of_whole(whole: &WholeNode, node: &Node, inputs: &[Port]) -> Result<Tried> {
    let image = inputs.first().map_or(&node.grid, |first| &first.node.grid);
    let window = middle(image);
    let on = |grid: &Grid, margin: usize| match same_place(image, window, grid, margin) {
        Window { rows: 0, .. } | Window { cols: 0, .. } => grid.window(),
        found => found,
    };
    let nodes = on(&node.grid, 0);
    let grid = Arc::new(node.grid.subgrid(&nodes));
    if let Some(operation) = whole.operation.on_part(&grid) {
        let part = |port: &Port| match port.node.grid == node.grid {
            true => part_of(port, nodes),
            false => part_of(port, on(&port.node.grid, SIDE / 8)),
        };
        let inputs = inputs.iter().map(part).collect::<Result<Vec<_>>>()?;
        let (seconds, made) = timed(&Port::whole(&grid, operation, inputs), share(&node.grid, nodes));
        return Ok((seconds, made?));
    }
    let part = |port: &Port| part_of(port, on(&port.node.grid, 0));
    let inputs = inputs.iter().map(part).collect::<Result<Vec<_>>>()?;
    let ports = Port::whole(&node.grid, whole.operation.clone(), inputs);
    match timed(&ports, share(image, window)) {
        (_, Err(Error::Interrupted)) => Err(Error::Interrupted),
        // A part may hold too little where all of it does not, such as of still ground; the time went into reading.
        (seconds, Err(_)) => Ok((seconds, vec![Array2::zeros((1, 1)); ports.len()])),
        (seconds, Ok(made)) => Ok((seconds, made)),
    }
}

/// The window of at most `SIDE` pixels a side in the middle.
fn middle(grid: &Grid) -> Window {
    let (rows, cols) = (grid.rows.min(SIDE), grid.cols.min(SIDE));
    let (row, col) = ((grid.rows - rows) / 2, (grid.cols - cols) / 2);
    Window::new(row as isize, col as isize, rows, cols)
}

fn share(grid: &Grid, window: Window) -> f64 {
    grid.window().len() as f64 / window.len().max(1) as f64
}

/// The window of `grid`, in the same CRS, that covers `window` of `image` and so many pixels around it.
fn same_place(image: &Grid, window: Window, grid: &Grid, margin: usize) -> Window {
    let bounds = image.subgrid(&window).bounds();
    let corners = [(bounds.min_x, bounds.min_y), (bounds.max_x, bounds.max_y)];
    // Elsewhere altogether there is nothing in common; the limit keeps the numbers within isize.
    let limited = |v: f64| v.clamp(-1e12, 1e12);
    let [(c0, r0), (c1, r1)] = corners
        .map(|(x, y)| grid.to_pixel(x, y))
        .map(|(c, r)| (limited(c), limited(r)));
    let least = |a: f64, b: f64| a.min(b).round() as isize - margin as isize;
    let size = |a: f64, b: f64| (a - b).abs().round() as usize + 2 * margin;
    Window::new(least(r0, r1), least(c0, c1), size(r0, r1), size(c0, c1)).intersect(&grid.window())
}

fn part_of(port: &Port, window: Window) -> Result<Port> {
    Ok(crop(&of_port(port), window)?.bands.swap_remove(0).port)
}

/// Runs what makes `ports`, all of one node, and takes all of it to last `share` times as long.
fn timed(ports: &[Port], share: f64) -> (f64, Result<Vec<Array2<f32>>>) {
    let grid = &ports[0].node.grid;
    let start = Instant::now();
    let made = execute::read(grid, ports, grid.window());
    let seconds = start.elapsed().as_secs_f64() * share;
    (
        seconds,
        made.map(|part| part.into_iter().map(Pixels::into_f32).collect()),
    )
}

/// A part of an image over and over in all directions, one array an output.
struct Repeat(Vec<Array2<f32>>);

impl Operation for Repeat {
    fn name(&self) -> String {
        "a part that was tried".into()
    }

    /// # Errors
    /// Always: it stands for another while time is measured, and goes nowhere.
    fn describe(&self) -> Result<Description> {
        Err(Error::message("what stands in for a scene has no description"))
    }

    fn outputs(&self) -> usize {
        self.0.len()
    }

    fn kind(&self, _: &[Kind]) -> Kind {
        Kind::F32
    }

    fn needs(&self, _: usize, out: Window) -> Window {
        out
    }

    fn compute(&self, out: Window, _: &[View<'_>]) -> Result<Vec<Pixels>> {
        let one = |part: &Array2<f32>| {
            let (rows, cols) = (part.nrows() as isize, part.ncols() as isize);
            Pixels::F32(Array2::from_shape_fn((out.rows, out.cols), |(r, c)| {
                let row = (out.row + r as isize).rem_euclid(rows);
                let col = (out.col + c as isize).rem_euclid(cols);
                part[(row as usize, col as usize)]
            }))
        };
        Ok(self.0.iter().map(one).collect())
    }
}
