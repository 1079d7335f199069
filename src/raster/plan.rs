//! From a graph to steps: an order of work in which every shared subgraph is computed once a tile, elementwise chains
//! are fused, and each array is dropped as soon as its last reader is done.

mod cubes;

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

pub use cubes::CubeReading;

use super::element::Element;
use super::graph::{Node, Port, Work};
use super::lattice::Kept;
use super::operation::{Operation, PicturePart};
use super::program::{Instruction, Operand, Program};
use super::{Grid, Kind, Pixels, View, Window};
use crate::error::{Error, Result};

/// A graph ready to run, for one or more bands on one grid.
pub struct Plan {
    pub grid: Arc<Grid>,
    steps: Vec<Step>,
    roots: Vec<(usize, usize)>,
}

struct Step {
    node: Arc<Node>,
    fused: Option<Program>,
    /// (step, output) of each input.
    inputs: Vec<(usize, usize)>,
    /// What a lattice has made for the region of the run.
    kept: Option<Arc<Kept>>,
}

/// One step of a plan, for `explain`.
pub struct StepInfo {
    pub name: String,
    pub kind: Kind,
    /// What one tile needs of it.
    pub window: Window,
    /// The steps that it reads.
    pub inputs: Vec<usize>,
}

impl Plan {
    /// All `roots` must lie on `grid`.
    pub fn new(grid: &Arc<Grid>, roots: &[Port]) -> Plan {
        let order = post_order(roots);
        let inlined = inlined_nodes(&order, roots);
        let mut plan = Plan {
            grid: grid.clone(),
            steps: Vec::new(),
            roots: Vec::new(),
        };
        let mut step_of: HashMap<u64, usize> = HashMap::new();
        for node in &order {
            if inlined.contains(&node.id) {
                continue;
            }
            let (fused, ports) = match &node.work {
                Work::Element(_) => {
                    let (program, ports) = fuse(node, &inlined);
                    (Some(program), ports)
                }
                _ => (None, node.inputs.clone()),
            };
            let inputs = ports.iter().map(|p| (step_of[&p.node.id], p.output)).collect();
            step_of.insert(node.id, plan.steps.len());
            plan.steps.push(Step {
                node: node.clone(),
                fused,
                inputs,
                kept: None,
            });
        }
        plan.roots = roots.iter().map(|p| (step_of[&p.node.id], p.output)).collect();
        plan
    }

    /// Operations of the plan that must run before its tiles and have not yet, in the order in which they must, and what of each is wanted
    /// for `region`.
    pub fn unprepared(&self, region: Window) -> Vec<(Arc<Node>, Window)> {
        let windows = self.windows_where(region, |step, index, out| match step.is_prepared() {
            true => step.needs(index, out),
            // These may look at all of their inputs.
            false => step.node.inputs[index].node.grid.window(),
        });
        let steps = self.steps.iter().zip(windows);
        steps
            .filter(|(step, window)| match step.node.work {
                Work::Lattice(_) => step.kept.is_none() && !window.is_empty(),
                _ => !step.is_prepared(),
            })
            .map(|(step, window)| (step.node.clone(), window))
            .collect()
    }

    /// The tiles read of `kept` what the lattice of this node makes.
    pub(super) fn keep(&mut self, node: &Node, kept: &Arc<Kept>) {
        for step in self.steps.iter_mut().filter(|step| step.node.id == node.id) {
            step.kept = Some(kept.clone());
        }
    }

    /// True where pixels come from a server.
    pub fn reads_remote(&self) -> bool {
        self.steps.iter().any(|step| match &step.node.work {
            Work::Tiles(operation) => operation.file().is_some_and(|file| file.is_remote),
            _ => false,
        })
    }

    pub fn root_names(&self) -> Vec<String> {
        let name = |&(step, _): &(usize, usize)| self.steps[step].node.name();
        self.roots.iter().map(name).collect()
    }

    pub fn root_kinds(&self) -> impl Iterator<Item = Kind> {
        self.roots.iter().map(|&(step, _)| self.steps[step].node.kind)
    }

    /// The block sizes (rows, cols) of the files that are read on this plan's own grid.
    pub fn blocks(&self) -> impl Iterator<Item = (usize, usize)> {
        self.steps
            .iter()
            .filter(|s| s.node.grid.as_ref() == self.grid.as_ref())
            .filter_map(|s| match &s.node.work {
                Work::Tiles(operation) => operation.block(),
                _ => None,
            })
    }

    /// The largest tile (rows, cols) that the operations on this plan's own grid care for, if any does.
    pub fn largest_tile(&self) -> Option<(usize, usize)> {
        self.steps
            .iter()
            .filter(|s| s.node.grid.as_ref() == self.grid.as_ref())
            .filter_map(|s| match &s.node.work {
                Work::Tiles(operation) => operation.tile(),
                _ => None,
            })
            .reduce(|a, b| (a.0.min(b.0), a.1.min(b.1)))
    }

    /// What the tile `out` takes, step by step, inputs before their readers.
    pub fn describe(&self, out: Window) -> Vec<StepInfo> {
        let windows = self.windows(out);
        let describe = |(step, window): (&Step, Window)| StepInfo {
            name: match &step.fused {
                Some(program) => program.name(),
                None => step.node.name(),
            },
            kind: step.node.kind,
            window,
            inputs: step.inputs.iter().map(|&(input, _)| input).collect(),
        };
        self.steps.iter().zip(windows).map(describe).collect()
    }

    /// The nodes without inputs, and what the tile `out` needs of each; those of which it needs nothing are left out.
    pub fn sources(&self, out: Window) -> impl Iterator<Item = (Arc<Node>, Window)> {
        let windows = self.windows(out);
        let steps = self.steps.iter().zip(windows);
        steps
            .filter(|(step, window)| step.node.inputs.is_empty() && !window.is_empty())
            .map(|(step, window)| (step.node.clone(), window))
    }

    /// The operations that read files by blocks, in an order of their own, and what the tile `out` needs of each.
    fn by_blocks(&self, out: Window) -> impl Iterator<Item = (&Step, &Arc<dyn Operation>, Window)> {
        let windows = self.windows(out);
        let steps = self.steps.iter().zip(windows);
        steps.filter_map(|(step, window)| match &step.node.work {
            Work::Tiles(operation) if operation.block().is_some() => Some((step, operation, window)),
            _ => None,
        })
    }

    /// What is decoded for the tile `out`: for each operation that reads a file by blocks, the window that these cover, and the bytes that
    /// they take where they are kept.
    pub fn decoded(&self, out: Window) -> Vec<(Window, usize)> {
        self.by_blocks(out)
            .map(|(step, operation, window)| match operation.decoded(window) {
                Some((blocks, pixels)) if !window.is_empty() => {
                    (blocks, pixels.saturating_mul(step.node.kind.bytes()))
                }
                _ => (Window::EMPTY, 0),
            })
            .collect()
    }

    /// Has the operation of this number among those of `decoded` decode and keep what `out` needs of it.
    ///
    /// # Errors
    /// When the file cannot be read or has changed.
    pub(super) fn decode(&self, number: usize, out: Window) -> Result<()> {
        match self.by_blocks(out).nth(number) {
            Some((_, operation, window)) if !window.is_empty() => operation.decode(window),
            _ => Ok(()),
        }
    }

    /// Lets go what was decoded for the tile `out` alone.
    pub fn forget(&self, out: Window) {
        for (_, operation, window) in self.by_blocks(out) {
            operation.forget(window);
        }
    }

    /// The step that makes each root.
    pub fn root_steps(&self) -> impl Iterator<Item = usize> {
        self.roots.iter().map(|&(step, _)| step)
    }

    /// Pixels of the sources, and of the steps that do more than pixel-by-pixel arithmetic, over the whole image.
    pub fn work(&self) -> (usize, usize) {
        let (mut read, mut computed) = (0, 0);
        for step in &self.steps {
            let pixels = step.node.grid.window().len();
            match &step.node.work {
                Work::Tiles(operation) if operation.can_reduce() => read = pixels.saturating_add(read),
                Work::Tiles(operation) if operation.is_pointwise() => {}
                Work::Scene(scene) if scene.is_ready() => {}
                Work::Whole(whole) if whole.is_ready() => {}
                Work::Element(_) => {}
                _ => computed = pixels.saturating_add(computed),
            }
        }
        (read, computed)
    }

    /// Bytes that a pixel of a picture takes while `reduced` makes it.
    pub fn reduced_bytes(&self) -> usize {
        let step = |step: &Step| step.node.kind.bytes() * 2;
        self.steps.iter().map(step).sum()
    }

    /// True where `reduced` can make small pictures of all roots.
    pub fn can_reduce(&self) -> bool {
        let size = (self.grid.rows, self.grid.cols);
        self.steps.iter().all(|step| {
            (step.node.grid.rows, step.node.grid.cols) == size
                && match &step.node.work {
                    Work::Element(_) => true,
                    Work::Tiles(operation) => operation.is_pointwise() || operation.can_reduce(),
                    Work::Scene(_) | Work::Whole(_) | Work::Lattice(_) => false,
                }
        })
    }

    /// Every root over part of a picture, by picking nearest pixels in the sources. Only where `can_reduce`.
    ///
    /// # Errors
    /// When a file cannot be read or has changed; `Interrupted`.
    pub(super) fn reduced(&self, part: &PicturePart) -> Result<Vec<Pixels>> {
        let out = Window::new(part.rows.start as isize, 0, part.rows.len(), part.shape.1);
        let mut readers = self.readers(&vec![out; self.steps.len()]);
        let mut held: Vec<Vec<Pixels>> = Vec::with_capacity(self.steps.len());
        for step in &self.steps {
            crate::interrupt::check()?;
            let made = match &step.node.work {
                Work::Tiles(operation) if operation.can_reduce() => operation.reduced(part)?,
                _ => {
                    let view = |&(input, output): &(usize, usize)| {
                        let pixels: &Pixels = &held[input][output];
                        pixels.view(out, out)
                    };
                    let views: Vec<View> = step.inputs.iter().map(view).collect();
                    step.compute(out, &views)?
                }
            };
            for &(input, _) in &step.inputs {
                readers[input] -= 1;
                if readers[input] == 0 {
                    held[input] = Vec::new();
                }
            }
            held.push(made);
        }
        Ok(self
            .roots
            .iter()
            .map(|&(step, output)| held[step][output].clone())
            .collect())
    }

    /// The window of each step that the tile `out` needs.
    fn windows(&self, out: Window) -> Vec<Window> {
        self.windows_where(out, Step::needs)
    }

    /// The same where a step needs something else of its inputs.
    fn windows_where(&self, out: Window, needs: impl Fn(&Step, usize, Window) -> Window) -> Vec<Window> {
        let mut windows = vec![Window::EMPTY; self.steps.len()];
        for &(step, _) in &self.roots {
            windows[step] = out;
        }
        for (i, step) in self.steps.iter().enumerate().rev() {
            if windows[i].is_empty() {
                continue;
            }
            for (index, &(input, _)) in step.inputs.iter().enumerate() {
                let needed = needs(step, index, windows[i]);
                let inside = needed.intersect(&self.steps[input].node.grid.window());
                windows[input] = windows[input].hull(&inside);
            }
        }
        windows
    }

    /// How often each step's arrays are read in the tile, roots included.
    fn readers(&self, windows: &[Window]) -> Vec<usize> {
        let mut readers = vec![0; self.steps.len()];
        for (i, step) in self.steps.iter().enumerate() {
            if !windows[i].is_empty() {
                for &(input, _) in &step.inputs {
                    readers[input] += 1;
                }
            }
        }
        for &(step, _) in &self.roots {
            readers[step] += 1;
        }
        readers
    }

    /// Bytes of pixels held at the worst moment of computing the tile `out`.
    pub fn peak_bytes(&self, out: Window) -> usize {
        let windows = self.windows(out);
        let mut readers = self.readers(&windows);
        let bytes = |i: usize| {
            let each = self.steps[i].node.kind.bytes() * self.steps[i].node.outputs();
            windows[i].len().saturating_mul(each)
        };
        let (mut held, mut peak) = (0_usize, 0);
        for (i, step) in self.steps.iter().enumerate() {
            if windows[i].is_empty() {
                continue;
            }
            held = held.saturating_add(bytes(i));
            // Padding and kernels of neighbourhood operations take about as much again as their inputs.
            let scratch: usize = match &step.node.work {
                Work::Tiles(operation) => {
                    let input = step.inputs.iter().map(|&(input, _)| bytes(input)).max();
                    input
                        .unwrap_or(0)
                        .saturating_mul(2)
                        .saturating_add(operation.scratch_bytes(windows[i]))
                }
                _ => 0,
            };
            peak = peak.max(held.saturating_add(scratch));
            for &(input, _) in &step.inputs {
                readers[input] -= 1;
                if readers[input] == 0 {
                    held = held.saturating_sub(bytes(input));
                }
            }
        }
        peak
    }

    /// Computes one tile: an array of `out`'s shape for each root.
    ///
    /// # Errors
    /// What an operation or reading a file fails with; `Interrupted`.
    pub fn compute(&self, out: Window) -> Result<Vec<Pixels>> {
        let windows = self.windows(out);
        let _loaded = self.load(&windows)?;
        let mut readers = self.readers(&windows);
        let mut held: Vec<Option<Vec<Pixels>>> = (0..self.steps.len()).map(|_| None).collect();
        for (i, step) in self.steps.iter().enumerate() {
            if windows[i].is_empty() {
                continue;
            }
            let views: Vec<View> = step
                .inputs
                .iter()
                .enumerate()
                .map(|(index, &(input, output))| {
                    let needed = step.needs(index, windows[i]);
                    match &held[input] {
                        Some(arrays) => arrays[output].view(windows[input], needed),
                        None => View::masked(self.steps[input].node.kind, needed),
                    }
                })
                .collect();
            let made = step.compute(windows[i], &views)?;
            // A kernel that saw the stop flag has left pixels out.
            crate::interrupt::check()?;
            drop(views);
            for &(input, _) in &step.inputs {
                readers[input] -= 1;
                if readers[input] == 0 {
                    held[input] = None;
                }
            }
            held[i] = Some(made);
        }
        self.roots
            .iter()
            .map(|&(step, output)| {
                readers[step] -= 1;
                let last = readers[step] == 0 && self.steps[step].node.outputs() == 1;
                let arrays = if last {
                    held[step].take()
                } else {
                    held[step].clone()
                };
                arrays.and_then(|a| a.into_iter().nth(output)).ok_or_else(|| {
                    Error::message(format!(
                        "{} made no output {output}",
                        self.steps[step].node.name()
                    ))
                })
            })
            .collect()
    }
}

impl Step {
    /// False for what must run on all of its inputs first.
    fn is_prepared(&self) -> bool {
        match &self.node.work {
            Work::Scene(scene) => scene.is_ready(),
            Work::Whole(whole) => whole.is_ready(),
            Work::Tiles(operation) => operation.is_prepared(),
            // It needs no more than the windows that a region touches.
            Work::Lattice(_) | Work::Element(_) => true,
        }
    }

    fn needs(&self, index: usize, out: Window) -> Window {
        match &self.node.work {
            Work::Element(_) => out,
            Work::Tiles(operation) => operation.needs(index, out),
            // Its inputs were read when it was prepared.
            Work::Scene(_) | Work::Whole(_) => Window::EMPTY,
            Work::Lattice(_) if self.kept.is_some() => Window::EMPTY,
            Work::Lattice(lattice) => lattice.operation.needs(out),
        }
    }

    fn compute(&self, out: Window, views: &[View<'_>]) -> Result<Vec<Pixels>> {
        let made = match (&self.node.work, &self.fused) {
            (_, Some(program)) => Ok(vec![program.run(views, out.rows, out.cols)]),
            (Work::Tiles(operation), None) => operation.compute(out, views),
            (Work::Scene(scene), None) => scene.read(out).map(|p| vec![p]),
            (Work::Whole(whole), None) => whole.read(out),
            (Work::Lattice(lattice), None) => match &self.kept {
                Some(kept) => kept.read(out),
                None => Err(Error::message(format!(
                    "{}: its windows were read before they were made",
                    lattice.operation.name()
                ))),
            },
            (Work::Element(_), None) => Err(Error::message("an elementwise step without a program")),
        };
        made.map_err(|e| match e {
            Error::Interrupted | Error::Node { .. } => e,
            // A source's error names its file already.
            other if self.node.inputs.is_empty() => other,
            other => Error::Node {
                node: self.node.name(),
                source: Box::new(other),
            },
        })
    }
}

/// Every node below the roots, inputs before their readers, each once. Depth first, so that one branch is finished
/// and dropped before the next begins. Scene inputs are left out once the scene is kept.
pub(super) fn post_order(roots: &[Port]) -> Vec<Arc<Node>> {
    let mut order = Vec::new();
    let mut seen = HashSet::new();
    for root in roots {
        let mut stack: Vec<(Arc<Node>, usize)> = vec![(root.node.clone(), 0)];
        while let Some((node, next)) = stack.pop() {
            if next == 0 && !seen.insert(node.id) {
                continue;
            }
            match node.inputs.get(next) {
                Some(input) => {
                    let input = input.node.clone();
                    stack.push((node, next + 1));
                    if !seen.contains(&input.id) {
                        stack.push((input, 0));
                    }
                }
                None => order.push(node),
            }
        }
    }
    order
}

/// Elementwise nodes that vanish into their reader: all their readers are elementwise, of the same kind, and end up
/// in one and the same program.
fn inlined_nodes(order: &[Arc<Node>], roots: &[Port]) -> HashSet<u64> {
    let root_ids: HashSet<u64> = roots.iter().map(|p| p.node.id).collect();
    let mut readers: HashMap<u64, Vec<&Arc<Node>>> = HashMap::new();
    for node in order {
        for input in &node.inputs {
            readers.entry(input.node.id).or_default().push(node);
        }
    }
    // The program that each elementwise node belongs to, found from the roots down.
    let mut program: HashMap<u64, u64> = HashMap::new();
    let mut inlined = HashSet::new();
    for node in order.iter().rev() {
        if !matches!(node.work, Work::Element(_)) {
            continue;
        }
        let home = readers
            .get(&node.id)
            .filter(|_| !root_ids.contains(&node.id))
            .and_then(|readers| {
                let first = program.get(&readers[0].id)?;
                let fits = |r: &&Arc<Node>| {
                    matches!(r.work, Work::Element(_))
                        && r.kind == node.kind
                        && program.get(&r.id) == Some(first)
                };
                readers.iter().all(fits).then_some(*first)
            });
        if home.is_some() {
            inlined.insert(node.id);
        }
        program.insert(node.id, home.unwrap_or(node.id));
    }
    inlined
}

/// The program of an elementwise node and all that is inlined into it, and the ports that it reads.
fn fuse(root: &Arc<Node>, inlined: &HashSet<u64>) -> (Program, Vec<Port>) {
    let mut members: Vec<Arc<Node>> = Vec::new();
    let mut inputs: Vec<Port> = Vec::new();
    let mut stack = vec![(root.clone(), 0)];
    let mut seen = HashSet::new();
    while let Some((node, next)) = stack.pop() {
        if next == 0 && !seen.insert(node.id) {
            continue;
        }
        match node.inputs.get(next) {
            Some(port) => {
                let port = port.clone();
                stack.push((node, next + 1));
                if inlined.contains(&port.node.id) {
                    if !seen.contains(&port.node.id) {
                        stack.push((port.node, 0));
                    }
                } else if !inputs
                    .iter()
                    .any(|p| p.node.id == port.node.id && p.output == port.output)
                {
                    inputs.push(port);
                }
            }
            None => members.push(node),
        }
    }
    let mut reads: HashMap<u64, usize> = HashMap::new();
    for node in &members {
        for port in node.inputs.iter().filter(|p| inlined.contains(&p.node.id)) {
            *reads.entry(port.node.id).or_default() += 1;
        }
    }
    let mut register: HashMap<u64, usize> = HashMap::new();
    let (mut free, mut registers) = (Vec::new(), 0);
    let mut instructions = Vec::new();
    let mut result = 0;
    for node in &members {
        let Work::Element(element) = node.work else {
            continue;
        };
        let operand = |port: &Port| match register.get(&port.node.id) {
            Some(&r) if inlined.contains(&port.node.id) => Operand::Register(r),
            _ => Operand::Input(
                inputs
                    .iter()
                    .position(|p| p.node.id == port.node.id && p.output == port.output)
                    .unwrap_or(0),
            ),
        };
        let mut operands = [Operand::Input(0); 3];
        for (slot, port) in operands.iter_mut().zip(&node.inputs) {
            *slot = operand(port);
        }
        let constant = matches!(element, Element::Constant(_));
        // A constant is filled once a run, so its register serves nothing else.
        let reused = if constant { None } else { free.pop() };
        let target = reused.unwrap_or_else(|| {
            registers += 1;
            registers - 1
        });
        register.insert(node.id, target);
        result = target;
        instructions.push(Instruction {
            element,
            operands,
            target,
        });
        for port in node.inputs.iter().filter(|p| inlined.contains(&p.node.id)) {
            if let Some(left) = reads.get_mut(&port.node.id) {
                *left -= 1;
                let holds_constant = matches!(port.node.work, Work::Element(Element::Constant(_)));
                if *left == 0 && !holds_constant {
                    free.push(register[&port.node.id]);
                }
            }
        }
    }
    // A lone constant has no other instruction to write it.
    (
        Program {
            kind: if root.kind == Kind::C32 {
                Kind::F32
            } else {
                root.kind
            },
            instructions,
            registers,
            result,
        },
        inputs,
    )
}
