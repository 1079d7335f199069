//! The lazy graph. Nodes are immutable and shared; nothing is computed when one is made.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::element::Element;
use super::lattice::{LatticeNode, LatticeOperation};
use super::operation::Operation;
use super::scene::SceneNode;
use super::whole::{WholeNode, WholeOperation};
use super::{Grid, Kind, integer};

/// One operation on one grid. Its bands are its outputs.
pub struct Node {
    pub id: u64,
    pub grid: Arc<Grid>,
    pub kind: Kind,
    pub work: Work,
    pub inputs: Vec<Port>,
}

/// What a node does.
pub enum Work {
    /// Pixel by pixel, on one grid: chains of these run fused, in one pass.
    Element(Element),
    /// Windows to windows.
    Tiles(Arc<dyn Operation>),
    /// The whole scene at once, kept for the tiles to read.
    Scene(SceneNode),
    /// All of a small output at once, from windows of its inputs, kept for the tiles to read.
    Whole(WholeNode),
    /// Windows of a lattice, each once, for the region that is asked for, kept for the tiles to read.
    Lattice(LatticeNode),
}

/// One output of a node.
#[derive(Clone)]
pub struct Port {
    pub node: Arc<Node>,
    pub output: usize,
}

fn next_id() -> u64 {
    static NEXT: AtomicU64 = AtomicU64::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}

impl Port {
    pub fn kind(&self) -> Kind {
        self.node.kind
    }

    /// `element` applied to inputs that all lie on `grid`.
    pub fn element(grid: &Arc<Grid>, element: Element, inputs: Vec<Port>) -> Port {
        let kinds: Vec<Kind> = inputs.iter().map(Port::kind).collect();
        if let Some(exact) = integer::element(element, &kinds) {
            return Port::tiles(grid, exact, inputs).swap_remove(0);
        }
        let kind = element.kind(kinds.into_iter().reduce(Kind::join));
        let node = Node {
            id: next_id(),
            grid: grid.clone(),
            kind,
            work: Work::Element(element),
            inputs,
        };
        Port {
            node: Arc::new(node),
            output: 0,
        }
    }

    /// The outputs of a tile operation, one port each.
    pub fn tiles(grid: &Arc<Grid>, operation: Arc<dyn Operation>, inputs: Vec<Port>) -> Vec<Port> {
        let kinds: Vec<Kind> = inputs.iter().map(Port::kind).collect();
        let (kind, outputs) = (operation.kind(&kinds), operation.outputs());
        let node = Arc::new(Node {
            id: next_id(),
            grid: grid.clone(),
            kind,
            work: Work::Tiles(operation),
            inputs,
        });
        (0..outputs)
            .map(|output| Port {
                node: node.clone(),
                output,
            })
            .collect()
    }

    /// The output of an operation on the whole scene.
    pub fn scene(grid: &Arc<Grid>, scene: SceneNode, input: Port) -> Port {
        let work = Work::Scene(scene);
        let node = Node {
            id: next_id(),
            grid: grid.clone(),
            kind: Kind::F32,
            work,
            inputs: vec![input],
        };
        Port {
            node: Arc::new(node),
            output: 0,
        }
    }
}

impl Port {
    /// The outputs of an operation that makes all of them at once, one port each.
    pub fn whole(grid: &Arc<Grid>, operation: Arc<dyn WholeOperation>, inputs: Vec<Port>) -> Vec<Port> {
        let outputs = operation.outputs();
        Port::several(grid, Work::Whole(WholeNode::new(operation)), inputs, outputs)
    }

    /// The outputs of an operation on a lattice of windows, one port each. Its inputs lie on one grid, which need not be `grid`.
    pub fn lattice(grid: &Arc<Grid>, operation: Arc<dyn LatticeOperation>, inputs: Vec<Port>) -> Vec<Port> {
        let outputs = operation.outputs();
        Port::several(grid, Work::Lattice(LatticeNode::new(operation)), inputs, outputs)
    }

    fn several(grid: &Arc<Grid>, work: Work, inputs: Vec<Port>, outputs: usize) -> Vec<Port> {
        let node = Arc::new(Node {
            id: next_id(),
            grid: grid.clone(),
            kind: Kind::F32,
            work,
            inputs,
        });
        (0..outputs)
            .map(|output| Port {
                node: node.clone(),
                output,
            })
            .collect()
    }
}

impl Node {
    /// How many bands it makes.
    pub fn outputs(&self) -> usize {
        match &self.work {
            Work::Tiles(operation) => operation.outputs(),
            Work::Whole(whole) => whole.operation.outputs(),
            Work::Lattice(lattice) => lattice.operation.outputs(),
            Work::Element(_) | Work::Scene(_) => 1,
        }
    }

    /// The same on other inputs; None of what keeps what it made of its own.
    pub(super) fn reading(&self, inputs: Vec<Port>) -> Option<Node> {
        let work = match &self.work {
            Work::Element(element) => Work::Element(*element),
            Work::Tiles(operation) => Work::Tiles(operation.clone()),
            Work::Scene(_) | Work::Whole(_) | Work::Lattice(_) => return None,
        };
        Some(Node {
            id: next_id(),
            grid: self.grid.clone(),
            kind: self.kind,
            work,
            inputs,
        })
    }

    pub fn name(&self) -> String {
        match &self.work {
            Work::Element(element) => element.name(),
            Work::Tiles(operation) => operation.name(),
            Work::Scene(scene) => scene.operation.name(),
            Work::Whole(whole) => whole.operation.name(),
            Work::Lattice(lattice) => lattice.operation.name(),
        }
    }
}

// A long chain (`x = x + 1` a hundred thousand times) must not overflow the stack when it is dropped.
impl Drop for Node {
    fn drop(&mut self) {
        let mut pending: Vec<Port> = std::mem::take(&mut self.inputs);
        while let Some(port) = pending.pop() {
            if let Ok(mut node) = Arc::try_unwrap(port.node) {
                pending.append(&mut node.inputs);
            }
        }
    }
}
