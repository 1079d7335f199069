//! The catalogue of data cubes: which Zarr store holds the velocities of a place.
//!
//! Cubes are squares in their own projection, and are looked up there: a point or area is brought into each projection
//! and met with an R-tree of squares. Outlines in longitude and latitude, which break at the dateline and at the
//! poles, play no part.

use std::collections::BTreeMap;
use std::path::Path;

use geo::{
    Area as _, BooleanOps, BoundingRect, Coord, Intersects, LineString, MultiPolygon, Polygon, Rect,
    Translate,
};
use rstar::primitives::{GeomWithData, Rectangle};
use rstar::{AABB, RTree};
use serde::Deserialize;

use super::area::Area;
use super::projection::Projection;
use crate::bounds;
use crate::bytes::http::{Http, Request, parse_url, wait};
use crate::error::{Error, Result};

/// Where the archive keeps its catalogue of version 2.
pub const CATALOGUE: &str = "https://its-live-data.s3.amazonaws.com/datacubes/catalog_v02.json";

/// The largest catalogue that is read, in bytes: today's has 5 MB.
const LARGEST: u64 = 512 << 20;

const WAY_OUT: &str = "take a catalogue of fewer cubes";

/// One data cube.
#[derive(Debug, Clone, PartialEq)]
pub struct Cube {
    pub zarr_url: String,
    pub epsg: u32,
    /// West, south, east, north in the units of the projection (metres).
    pub bounds: [f64; 4],
    /// Share of the cube's nodes that lie on land ice, as the catalogue states it (rounding leads up to 100.24).
    pub roi_percent_coverage: Option<f64>,
    /// Region of the Randolph Glacier Inventory.
    pub region: Option<String>,
    /// False for cubes that are planned.
    pub exists: bool,
}

/// A cube that an area reaches.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Found<'a> {
    pub cube: &'a Cube,
    /// Share of the cube that lies in the area, 0 to 1; 1 for points.
    pub share: f64,
}

type Square = GeomWithData<Rectangle<[f64; 2]>, usize>;

pub struct Cubes {
    pub cubes: Vec<Cube>,
    zones: Vec<(Projection, RTree<Square>)>,
}

#[derive(Deserialize)]
struct Collection {
    features: Vec<Feature>,
}

#[derive(Deserialize)]
struct Feature {
    properties: Properties,
}

#[derive(Deserialize)]
struct Properties {
    zarr_url: String,
    #[serde(alias = "data_epsg")]
    epsg: Code,
    geometry_epsg: geojson::Geometry,
    roi_percent_coverage: Option<f64>,
    datacube_exist: Option<f64>,
    #[serde(rename = "FULL_NAME")]
    region: Option<String>,
}

/// `3031` in the catalogue of version 2, `"EPSG:3031"` in earlier ones.
#[derive(Deserialize)]
#[serde(untagged)]
enum Code {
    Number(u32),
    Text(String),
}

impl Code {
    fn number(&self) -> Option<u32> {
        match self {
            Code::Number(n) => Some(*n),
            Code::Text(text) => text.trim().trim_start_matches("EPSG:").parse().ok(),
        }
    }
}

impl Cubes {
    /// A catalogue on disk, GeoJSON, also gzipped.
    ///
    /// # Errors
    /// When the file is not there or not such a catalogue.
    pub fn open(path: &Path) -> Result<Cubes> {
        let bytes = bounds::read_file(path, 1, WAY_OUT)?;
        Cubes::parse(&bytes).map_err(|e| Error::file(path, e.to_string()))
    }

    /// A catalogue of the web.
    ///
    /// # Errors
    /// Those of the request; when the answer is not such a catalogue.
    pub fn fetch(http: &Http, address: &str) -> Result<Cubes> {
        let url = parse_url("catalogue", address)?;
        let bytes = wait(async {
            let answer = http.send(&Request::get(url.clone())).await?;
            answer.bytes(LARGEST as usize).await
        })?;
        Cubes::parse(&bytes).map_err(|e| Error::message(format!("{address}: {e}")))
    }

    /// # Errors
    /// When it is not a GeoJSON collection of cubes, or one of them is in a projection that ITS_LIVE does not use.
    pub fn parse(bytes: &[u8]) -> Result<Cubes> {
        let text;
        let bytes = match bytes {
            [0x1f, 0x8b, ..] => {
                text = bounds::read(
                    flate2::read::GzDecoder::new(bytes),
                    "unpacking it",
                    1,
                    WAY_OUT,
                    |e| Error::message(format!("a damaged gzip file: {e}")),
                )?;
                text.as_slice()
            }
            plain => plain,
        };
        let collection: Collection = serde_json::from_slice(bytes).map_err(|e| {
            Error::message(format!(
                "not a catalogue of data cubes (GeoJSON with zarr_url, epsg and geometry_epsg): {e}"
            ))
        })?;
        let cubes = collection
            .features
            .into_iter()
            .enumerate()
            .map(|(i, f)| cube(f.properties).map_err(|e| Error::message(format!("cube {}: {e}", i + 1))))
            .collect::<Result<Vec<_>>>()?;
        Cubes::new(cubes)
    }

    /// # Errors
    /// When a cube's projection is none that ITS_LIVE uses.
    pub fn new(cubes: Vec<Cube>) -> Result<Cubes> {
        let mut squares: BTreeMap<u32, Vec<Square>> = BTreeMap::new();
        for (i, cube) in cubes.iter().enumerate() {
            let [west, south, east, north] = cube.bounds;
            let square = Rectangle::from_corners([west, south], [east, north]);
            squares
                .entry(cube.epsg)
                .or_default()
                .push(GeomWithData::new(square, i));
        }
        let zones = squares
            .into_iter()
            .map(|(epsg, squares)| Ok((Projection::new(epsg)?, RTree::bulk_load(squares))))
            .collect::<Result<_>>()?;
        Ok(Cubes { cubes, zones })
    }

    /// The cubes at a place, in the order of the catalogue: one as a rule, more on an edge and where two projections
    /// overlap. Longitude and latitude in degrees.
    ///
    /// # Errors
    /// When it is no place on Earth.
    pub fn at(&self, longitude: f64, latitude: f64) -> Result<Vec<&Cube>> {
        let place = Area::of(geo::Point::new(longitude, latitude).into())?;
        Ok(self.intersecting(&place).into_iter().map(|f| f.cube).collect())
    }

    /// The cubes that share some of an area, in the order of the catalogue.
    pub fn intersecting(&self, area: &Area) -> Vec<Found<'_>> {
        let mut shares: BTreeMap<usize, f64> = BTreeMap::new();
        for (projection, tree) in &self.zones {
            for point in &area.points {
                if let Some(p) = projection.forward(point.x, point.y) {
                    let hits = tree.locate_in_envelope_intersecting(&AABB::from_point([p.x, p.y]));
                    shares.extend(hits.map(|square| (square.data, 1.0)));
                }
            }
            for polygon in projected(area, projection) {
                let Some(envelope) = envelope(&polygon) else {
                    continue;
                };
                for square in tree.locate_in_envelope_intersecting(&envelope) {
                    let share = share(&polygon, &self.cubes[square.data].bounds);
                    if share > 0.0 {
                        // Parts of one area do not overlap, so that their shares add up.
                        let sum = shares.entry(square.data).or_default();
                        *sum = (*sum + share).min(1.0);
                    }
                }
            }
        }
        shares
            .into_iter()
            .map(|(i, share)| Found {
                cube: &self.cubes[i],
                share,
            })
            .collect()
    }
}

fn cube(p: Properties) -> Result<Cube> {
    let epsg = p
        .epsg
        .number()
        .ok_or_else(|| Error::message("its epsg is not a number"))?;
    let outline = crate::earth::geojson_shape(&p.geometry_epsg)
        .map_err(|e| Error::message(format!("its geometry_epsg: {e}")))?;
    let bounds = outline
        .bounding_rect()
        .filter(|b| b.width() > 0.0 && b.height() > 0.0)
        .ok_or_else(|| Error::message("its geometry_epsg has no area"))?;
    Ok(Cube {
        zarr_url: p.zarr_url,
        epsg,
        bounds: [bounds.min().x, bounds.min().y, bounds.max().x, bounds.max().y],
        roi_percent_coverage: p.roi_percent_coverage,
        region: p.region,
        exists: p.datacube_exist.is_none_or(|e| e != 0.0),
    })
}

/// The longest edge, in degrees, that is brought into a projection as a straight line: its bend is then below 10 m.
const STEP: f64 = 0.25;

/// The parts of an area within reach of a projection, in its coordinates.
fn projected(area: &Area, projection: &Projection) -> Vec<Polygon<f64>> {
    let window = projection.window();
    let mut out = Vec::new();
    for polygon in &area.polygons {
        for turn in [-360.0, 0.0, 360.0] {
            for part in clip(&polygon.translate(turn, 0.0), window) {
                let line = |ring: &LineString<f64>| {
                    let points = dense(ring).into_iter().map(|c| projection.forward(c.x, c.y));
                    points.collect::<Option<Vec<_>>>().map(LineString::new)
                };
                let holes: Option<Vec<_>> = part.interiors().iter().map(line).collect();
                if let (Some(exterior), Some(holes)) = (line(part.exterior()), holes) {
                    out.push(Polygon::new(exterior, holes));
                }
            }
        }
    }
    out
}

/// The part of `polygon` inside `window`; itself, untouched, where it lies inside altogether.
fn clip(polygon: &Polygon<f64>, window: Rect<f64>) -> MultiPolygon<f64> {
    let Some(bounds) = polygon.bounding_rect() else {
        return MultiPolygon::new(Vec::new());
    };
    let (min, max) = (bounds.min(), bounds.max());
    let (low, high) = (window.min(), window.max());
    if min.x >= low.x && max.x <= high.x && min.y >= low.y && max.y <= high.y {
        return MultiPolygon::new(vec![polygon.clone()]);
    }
    if max.x <= low.x || min.x >= high.x || max.y <= low.y || min.y >= high.y {
        return MultiPolygon::new(Vec::new());
    }
    polygon.intersection(&window.to_polygon())
}

fn dense(ring: &LineString<f64>) -> Vec<Coord<f64>> {
    let mut out = Vec::new();
    for edge in ring.lines() {
        let (dx, dy) = (edge.dx(), edge.dy());
        let steps = (dx.abs().max(dy.abs()) / STEP).ceil().max(1.0) as usize;
        out.extend((0..steps).map(|i| {
            let t = i as f64 / steps as f64;
            Coord {
                x: edge.start.x + t * dx,
                y: edge.start.y + t * dy,
            }
        }));
    }
    out.extend(ring.0.last());
    out
}

fn envelope(polygon: &Polygon<f64>) -> Option<AABB<[f64; 2]>> {
    let b = polygon.bounding_rect()?;
    Some(AABB::from_corners([b.min().x, b.min().y], [b.max().x, b.max().y]))
}

/// The share of the square `bounds` that lies in `polygon`.
fn share(polygon: &Polygon<f64>, bounds: &[f64; 4]) -> f64 {
    let [west, south, east, north] = *bounds;
    let square = Rect::new((west, south), (east, north));
    if !polygon.intersects(&square) {
        return 0.0;
    }
    let common: MultiPolygon<f64> = polygon.intersection(&square.to_polygon());
    common.unsigned_area() / square.unsigned_area()
}
