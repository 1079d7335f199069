//! Graphs as JSON and back, and what a graph is told by: a hash of all that its numbers depend on.
//!
//! Nodes are listed inputs first, each with its name, version, parameters, grid and inputs; grids and their CRS stand once. A node's identity is
//! the hash of the same, with the identities of its inputs in place of their numbers, so that it does not depend on what else a graph
//! holds, or in which order it was built.

use std::collections::HashMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};
use serde_json::{Value as Json, json};
use sha2::{Digest, Sha256};

use super::crs::Locator;
use super::describe::{self, Description, Made, Site, from_json, to_json};
use super::element::Element;
use super::graph::{Node, Port, Work};
use super::image::{Band, Computed, Properties, Property, Raster};
use super::plan::post_order;
use super::scene::SceneNode;
use super::{Affine, Crs, DType, Grid, Unit};
use crate::error::{Error, Result};

/// Of the form of what is written here.
const FORMAT: u64 = 1;
/// What elementwise nodes are called.
const ELEMENT: &str = "raster.element";

#[derive(Serialize, Deserialize)]
struct NodeEntry {
    operation: String,
    version: u32,
    parameters: Json,
    grid: usize,
    /// (node, output) of each.
    inputs: Vec<(usize, usize)>,
}

#[derive(Serialize, Deserialize)]
struct GridEntry {
    crs: Option<usize>,
    transform: Affine,
    rows: usize,
    cols: usize,
}

/// A CRS by its WKT, or the pixels of an image that has its place by something else.
#[derive(Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum CrsEntry {
    Wkt(String),
    Pixels {
        operation: String,
        version: u32,
        parameters: Json,
    },
}

#[derive(Serialize, Deserialize)]
struct Graph {
    crs: Vec<CrsEntry>,
    grids: Vec<GridEntry>,
    nodes: Vec<NodeEntry>,
}

#[derive(Serialize, Deserialize)]
struct BandEntry {
    name: String,
    dtype: DType,
    unit: Unit,
    nodata: Option<f64>,
    /// (node, output)
    port: (usize, usize),
}

#[derive(Serialize, Deserialize)]
struct Image {
    grid: usize,
    bands: Vec<BandEntry>,
    time: Option<String>,
    properties: Vec<(String, Property)>,
    /// Properties that are pixels: (node, output), and whether they are whole numbers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    computed: Vec<(String, (usize, usize), bool)>,
}

impl Node {
    /// What it is, as data, without its grid and inputs.
    ///
    /// # Errors
    /// Parameters that JSON cannot hold; a file that it reads and that is gone.
    pub fn describe(&self) -> Result<Description> {
        match &self.work {
            Work::Element(element) => Ok(Description {
                name: ELEMENT,
                version: 1,
                parameters: to_json(element)?,
            }),
            Work::Tiles(operation) => operation.describe(),
            Work::Scene(scene) => scene.operation.describe(),
            Work::Whole(whole) => whole.operation.describe(),
            Work::Lattice(lattice) => lattice.operation.describe(),
        }
    }
}

/// Entries that stand once, in the order in which they came.
struct Once<T> {
    entries: Vec<T>,
    numbers: HashMap<String, usize>,
}

impl<T> Once<T> {
    fn new() -> Once<T> {
        Once {
            entries: Vec::new(),
            numbers: HashMap::new(),
        }
    }

    fn number(&mut self, key: &str, make: impl FnOnce() -> Result<T>) -> Result<usize> {
        if let Some(&number) = self.numbers.get(key) {
            return Ok(number);
        }
        self.entries.push(make()?);
        self.numbers.insert(key.to_string(), self.entries.len() - 1);
        Ok(self.entries.len() - 1)
    }
}

struct Places {
    crs: Once<CrsEntry>,
    grids: Once<GridEntry>,
}

impl Places {
    fn new() -> Places {
        Places {
            crs: Once::new(),
            grids: Once::new(),
        }
    }

    fn grid(&mut self, grid: &Grid) -> Result<usize> {
        let crs = match &grid.crs {
            // The WKT tells one image's pixels from another's, too.
            Some(crs) => Some(self.crs.number(crs.wkt(), || CrsEntry::of(crs))?),
            None => None,
        };
        let entry = GridEntry {
            crs,
            transform: grid.transform,
            rows: grid.rows,
            cols: grid.cols,
        };
        let key = to_json(&entry)?.to_string();
        self.grids.number(&key, || Ok(entry))
    }
}

impl CrsEntry {
    fn of(crs: &Crs) -> Result<CrsEntry> {
        Ok(match crs.locator() {
            None => CrsEntry::Wkt(crs.wkt().to_string()),
            Some(locator) => {
                let Description {
                    name,
                    version,
                    parameters,
                } = Locator::describe(locator)?;
                CrsEntry::Pixels {
                    operation: name.to_string(),
                    version,
                    parameters,
                }
            }
        })
    }
}

/// An image as JSON: its graph, and what its bands are called and mean.
///
/// # Errors
/// Parts that cannot be described.
pub fn raster_to_json(raster: &Raster) -> Result<Json> {
    let mut places = Places::new();
    let mut ports = raster.ports();
    let mut computed = Vec::new();
    for (name, property) in &raster.properties {
        if let Property::Computed(one) = property {
            ports.push(one.port.clone());
            computed.push((name, one));
        }
    }
    let order = post_order(&ports);
    let number: HashMap<u64, usize> = order.iter().enumerate().map(|(i, node)| (node.id, i)).collect();
    let port = |port: &Port| (number[&port.node.id], port.output);
    let mut nodes = Vec::with_capacity(order.len());
    for node in &order {
        let Description {
            name,
            version,
            parameters,
        } = node.describe()?;
        nodes.push(NodeEntry {
            operation: name.to_string(),
            version,
            parameters,
            grid: places.grid(&node.grid)?,
            inputs: node.inputs.iter().map(port).collect(),
        });
    }
    let image = Image {
        grid: places.grid(&raster.grid)?,
        bands: raster
            .bands
            .iter()
            .map(|b| BandEntry {
                name: b.name.clone(),
                dtype: b.dtype,
                unit: b.unit.clone(),
                nodata: b.nodata,
                port: port(&b.port),
            })
            .collect(),
        time: raster.time.map(|time| time.to_string()),
        properties: raster
            .properties
            .iter()
            .filter(|(_, value)| !matches!(value, Property::Computed(_)))
            .map(|(name, value)| (name.clone(), value.clone()))
            .collect(),
        computed: computed
            .into_iter()
            .map(|(name, one)| (name.clone(), port(&one.port), one.whole))
            .collect(),
    };
    let graph = Graph {
        crs: places.crs.entries,
        grids: places.grids.entries,
        nodes,
    };
    Ok(json!({ "format": FORMAT, "graph": graph, "raster": to_json(&image)? }))
}

/// The image that `raster_to_json` described. `file` says by which name a file is opened, given the one by which it was, or why it must not be.
///
/// # Errors
/// JSON of something else, or of a later version; files that are gone or have changed; what `file` refuses.
pub fn raster_from_json(json: &Json, file: &dyn Fn(&str) -> Result<String>) -> Result<Raster> {
    const WHAT: &str = "a graph";
    match json.get("format").and_then(Json::as_u64) {
        Some(FORMAT) => {}
        Some(other) => {
            return Err(Error::message(format!(
                "the graph is in form {other}, which this program does not know"
            )));
        }
        None => {
            return Err(Error::message(
                "this is no graph that perilune wrote: it has no `format`",
            ));
        }
    }
    // Its parameters stay as they are.
    let graph: Graph = Deserialize::deserialize(json.get("graph").unwrap_or(&Json::Null))
        .map_err(|e| Error::message(format!("the graph is not as perilune writes it: {e}")))?;
    let image: Image = from_json(WHAT, json.get("raster").unwrap_or(&Json::Null))?;
    let grids = grids(&graph, file)?;
    let grid = |number: usize| grids.get(number).ok_or_else(|| missing("grid", number)).cloned();
    let mut nodes: Vec<Arc<Node>> = Vec::with_capacity(graph.nodes.len());
    for entry in &graph.nodes {
        let inputs = entry
            .inputs
            .iter()
            .map(|&at| port(&nodes, at))
            .collect::<Result<Vec<_>>>()?;
        nodes.push(node(entry, &grid(entry.grid)?, inputs, file)?);
    }
    let bands = image.bands.into_iter().map(|b| {
        let port = port(&nodes, b.port)?;
        Ok(Band {
            name: b.name,
            dtype: b.dtype,
            unit: b.unit,
            nodata: b.nodata,
            port,
        })
    });
    let mut raster = Raster::new(grid(image.grid)?, bands.collect::<Result<_>>()?);
    if let Some(band) = raster
        .bands
        .iter()
        .find(|b| !b.port.node.grid.matches(&raster.grid))
    {
        return Err(Error::message(format!(
            "band `{}` lies on another grid than its image",
            band.name
        )));
    }
    raster.time = match image.time {
        Some(time) => Some(
            time.parse()
                .map_err(|e| Error::message(format!("the time `{time}`: {e}")))?,
        ),
        None => None,
    };
    raster.properties = image.properties.into_iter().collect::<Properties>();
    for (name, at, whole) in image.computed {
        let port = port(&nodes, at)?;
        let grid = &port.node.grid;
        if (grid.rows, grid.cols) != (1, 1) {
            return Err(Error::argument(
                format!("property `{name}`"),
                "an image of one pixel",
                grid,
            ));
        }
        raster
            .properties
            .insert(name, Property::Computed(Computed { port, whole }));
    }
    Ok(raster)
}

fn missing(what: &str, number: usize) -> Error {
    Error::message(format!(
        "the graph names {what} {number}, which it does not have before that"
    ))
}

fn port(nodes: &[Arc<Node>], (number, output): (usize, usize)) -> Result<Port> {
    let node = nodes.get(number).ok_or_else(|| missing("node", number))?;
    match output < node.outputs() {
        true => Ok(Port {
            node: node.clone(),
            output,
        }),
        false => Err(missing(&format!("of node {number} the output"), output)),
    }
}

fn grids(graph: &Graph, file: &dyn Fn(&str) -> Result<String>) -> Result<Vec<Arc<Grid>>> {
    let mut crs = Vec::with_capacity(graph.crs.len());
    let nowhere = Arc::new(Grid::new(None, Affine::PIXELS, 1, 1)?);
    for entry in &graph.crs {
        crs.push(match entry {
            CrsEntry::Wkt(wkt) => Crs::from_wkt(wkt)?,
            CrsEntry::Pixels {
                operation,
                version,
                parameters,
            } => {
                let site = Site {
                    name: operation,
                    grid: &nowhere,
                    inputs: &[],
                    file,
                };
                match describe::make(operation, *version, parameters, &site)? {
                    Made::Locator(locator) => Crs::of_pixels(locator),
                    _ => return Err(Error::message(format!("{operation} leads to no place"))),
                }
            }
        });
    }
    let one = |entry: &GridEntry| {
        let crs = match entry.crs {
            Some(number) => Some(crs.get(number).ok_or_else(|| missing("CRS", number))?.clone()),
            None => None,
        };
        Grid::new(crs, entry.transform, entry.rows, entry.cols).map(Arc::new)
    };
    graph.grids.iter().map(one).collect()
}

fn node(
    entry: &NodeEntry,
    grid: &Arc<Grid>,
    inputs: Vec<Port>,
    file: &dyn Fn(&str) -> Result<String>,
) -> Result<Arc<Node>> {
    let NodeEntry {
        operation,
        version,
        parameters,
        ..
    } = entry;
    let site = Site {
        name: operation,
        grid,
        inputs: &inputs,
        file,
    };
    if operation == ELEMENT {
        let element: Element = from_json(ELEMENT, parameters)?;
        element.check()?;
        site.takes(element.inputs())?.on_grid()?.real()?;
        return Ok(Port::element(grid, element, inputs).node);
    }
    let made = describe::make(operation, *version, parameters, &site)?;
    let ports = match made {
        Made::Tiles(operation) => Port::tiles(grid, operation, inputs),
        Made::Whole(operation) => Port::whole(grid, operation, inputs),
        Made::Lattice(operation) => Port::lattice(grid, operation, inputs),
        Made::Scene(operation) => {
            let input = site.takes(1)?.on_grid()?.real()?.only_input()?.clone();
            vec![Port::scene(grid, SceneNode::new(operation), input)]
        }
        Made::Locator(_) => return Err(Error::message(format!("{operation} is no node of a graph"))),
    };
    let first = ports.into_iter().next();
    first
        .map(|port| port.node)
        .ok_or_else(|| Error::message(format!("{operation} has no output")))
}

/// The hash that tells a port's numbers from others, in hexadecimal digits.
///
/// # Errors
/// Parts that cannot be described.
pub fn identity(port: &Port) -> Result<String> {
    let mut identities: HashMap<u64, String> = HashMap::new();
    let mut places: HashMap<String, String> = HashMap::new();
    for node in post_order(std::slice::from_ref(port)) {
        let Description {
            name,
            version,
            parameters,
        } = node.describe()?;
        let crs = match &node.grid.crs {
            None => String::new(),
            Some(crs) => match places.get(crs.wkt()) {
                Some(known) => known.clone(),
                None => {
                    let place = hash(&to_json(&CrsEntry::of(crs)?)?);
                    places.insert(crs.wkt().to_string(), place.clone());
                    place
                }
            },
        };
        let inputs: Vec<(&str, usize)> = node
            .inputs
            .iter()
            .map(|p| (identities[&p.node.id].as_str(), p.output))
            .collect();
        let whole = json!({
            "operation": name,
            "version": version,
            "parameters": parameters,
            "grid": [crs, to_json(&node.grid.transform)?, node.grid.rows, node.grid.cols],
            "inputs": inputs,
        });
        identities.insert(node.id, hash(&whole));
    }
    Ok(hash(&json!([identities[&port.node.id], port.output])))
}

fn hash(json: &Json) -> String {
    let digest = Sha256::digest(json.to_string());
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
