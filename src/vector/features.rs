//! Features: geometries with properties, all in one CRS.

use std::fmt;
use std::sync::Arc;

use super::Geometry;
use super::geometry::{Part, for_each_part, shape_bounds, type_name};
use super::overlay::{from_gdal, to_gdal};
use super::transform::Projection;
use crate::error::{Error, Remedy, Result};
use crate::raster::extent::arc;
use crate::raster::{Bounds, Crs, Grid};
use geo::Geometry as Shape;

/// Edges over a grid are followed to this part of a pixel: a tenth would take a thousandth from the area of a disc of a hundred
/// pixels.
const FOLLOWED: f64 = 0.01;
use crate::table::{Table, Value};

/// Named values in order, each name once. Features may share the text of their names.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Properties(Vec<(Arc<str>, Value)>);

impl Properties {
    pub fn new() -> Properties {
        Properties::default()
    }

    /// Of names that differ.
    pub(super) fn of(named: Vec<(Arc<str>, Value)>) -> Properties {
        Properties(named)
    }

    pub fn get(&self, name: &str) -> Option<&Value> {
        self.0.iter().find(|(n, _)| **n == *name).map(|(_, value)| value)
    }

    /// Replaces the value of that name or adds it at the end.
    pub fn set(&mut self, name: impl Into<Arc<str>>, value: Value) {
        let name = name.into();
        match self.0.iter_mut().find(|(n, _)| *n == name) {
            Some((_, old)) => *old = value,
            None => self.0.push((name, value)),
        }
    }

    pub fn iter(&self) -> impl ExactSizeIterator<Item = (&str, &Value)> {
        self.0.iter().map(|(name, value)| (&**name, value))
    }

    pub fn names(&self) -> impl ExactSizeIterator<Item = &str> {
        self.0.iter().map(|(name, _)| &**name)
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl FromIterator<(String, Value)> for Properties {
    /// A name that comes again keeps its place and gets the later value.
    fn from_iter<I: IntoIterator<Item = (String, Value)>>(pairs: I) -> Properties {
        let mut out = Properties::new();
        for (name, value) in pairs {
            out.set(name, value);
        }
        out
    }
}

/// One geometry, or none, with properties. Its CRS is that of the `Features` it is in.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Feature {
    pub(super) shape: Option<geo::Geometry<f64>>,
    pub properties: Properties,
    /// The feature's number or name in its file, an integer or a string.
    pub id: Option<Value>,
}

impl Feature {
    pub fn new(shape: Option<geo::Geometry<f64>>, properties: Properties) -> Feature {
        Feature {
            shape: shape.map(super::geometry::plain),
            properties,
            id: None,
        }
    }

    pub fn shape(&self) -> Option<&geo::Geometry<f64>> {
        self.shape.as_ref()
    }
}

/// Features in order, in one CRS.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Features {
    pub features: Vec<Feature>,
    pub crs: Option<Crs>,
}

impl Features {
    pub fn new(features: Vec<Feature>, crs: Option<Crs>) -> Features {
        Features { features, crs }
    }

    /// One feature without properties.
    pub fn from_geometry(geometry: Geometry) -> Features {
        Features {
            crs: geometry.crs,
            features: vec![Feature::new(Some(geometry.shape), Properties::new())],
        }
    }

    /// One feature a geometry, without properties.
    ///
    /// # Errors
    /// When the geometries have different CRSs.
    pub fn from_geometries(geometries: Vec<Geometry>) -> Result<Features> {
        let mut out = Features::default();
        for geometry in geometries {
            match (&out.crs, &geometry.crs) {
                (Some(a), Some(b)) if a != b => {
                    return Err(Error::message(format!(
                        "the geometries lie in different coordinate reference systems, {a} and {b}; \
                         bring all into one first: `g:to_crs(crs)`"
                    )));
                }
                (None, Some(crs)) => out.crs = Some(crs.clone()),
                _ => {}
            }
            out.features
                .push(Feature::new(Some(geometry.shape), Properties::new()));
        }
        Ok(out)
    }

    pub fn len(&self) -> usize {
        self.features.len()
    }

    pub fn is_empty(&self) -> bool {
        self.features.is_empty()
    }

    /// The geometry of a feature (from 0), with the CRS; None where it has none or there is no such feature.
    pub fn geometry(&self, index: usize) -> Option<Geometry> {
        let shape = self.features.get(index)?.shape.clone()?;
        Some(Geometry {
            shape,
            crs: self.crs.clone(),
        })
    }

    pub fn geometries(&self) -> impl Iterator<Item = Geometry> + '_ {
        (0..self.len()).filter_map(|i| self.geometry(i))
    }

    /// The names of all properties, in the order of their first appearance.
    pub fn property_names(&self) -> Vec<String> {
        let mut seen = std::collections::HashSet::new();
        let names = self.features.iter().flat_map(|f| f.properties.names());
        names
            .filter(|name| seen.insert(*name))
            .map(str::to_string)
            .collect()
    }

    /// The features for which `keep` is true; it gets the position (from 0) and the feature.
    ///
    /// # Errors
    /// Those of `keep`.
    pub fn filter(&self, mut keep: impl FnMut(usize, &Feature) -> Result<bool>) -> Result<Features> {
        let mut features = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            if keep(index, feature)? {
                features.push(feature.clone());
            }
        }
        Ok(Features {
            features,
            crs: self.crs.clone(),
        })
    }

    /// The features whose property equals the value; whole numbers equal themselves however they are stored.
    ///
    /// # Errors
    /// When no feature has a property of that name.
    pub fn having(&self, name: &str, value: &Value) -> Result<Features> {
        if !self.is_empty() && !self.features.iter().any(|f| f.properties.get(name).is_some()) {
            return Err(Error::not_found("property", name, self.property_names()));
        }
        let equal = |found: &Value| match (found.as_f64(), value.as_f64()) {
            (Some(a), Some(b)) => a == b,
            _ => found == value,
        };
        self.filter(|_, f| Ok(f.properties.get(name).map_or(value.is_missing(), equal)))
    }

    /// The features that share more than an edge with the rectangle, or a point within it; whole, not cut. The rectangle is in
    /// the features' CRS, or in `crs` where given.
    ///
    /// # Errors
    /// As `Geometry::bbox`; a rectangle in another CRS that has no image in the features'.
    pub fn within(&self, bounds: Bounds, crs: Option<&Crs>) -> Result<Features> {
        let area = Geometry::bbox(bounds, crs.or(self.crs.as_ref()).cloned())?;
        let area = match (crs, &self.crs) {
            // Edges bend on the way.
            (Some(from), Some(to)) if from != to => area.follow_to_crs(to)?,
            _ => area,
        };
        self.intersecting(&area)
    }

    /// The features that share a point with the geometry; whole, not cut.
    ///
    /// # Errors
    /// When the CRSs differ.
    pub fn intersecting(&self, area: &Geometry) -> Result<Features> {
        let empty = Geometry {
            shape: geo::MultiPolygon::new(Vec::new()).into(),
            crs: self.crs.clone(),
        };
        empty.common_crs(area)?;
        let Some(reach) = area.bounds() else {
            return Ok(Features {
                features: Vec::new(),
                crs: self.crs.clone(),
            });
        };
        let apart = |b: &Bounds| {
            b.max_x < reach.min_x || b.min_x > reach.max_x || b.max_y < reach.min_y || b.min_y > reach.max_y
        };
        self.filter(|_, f| {
            let Some(shape) = &f.shape else { return Ok(false) };
            if shape_bounds(shape).is_none_or(|b| apart(&b)) {
                return Ok(false);
            }
            Ok(geo::Intersects::intersects(shape, &area.shape))
        })
    }

    /// The features cut to the polygon; those outside are left out.
    ///
    /// # Errors
    /// When the CRSs differ, or GEOS makes nothing of a feature or the area because it is invalid.
    pub fn clip(&self, area: &Geometry) -> Result<Features> {
        let mut out = self.intersecting(area)?;
        let theirs = to_gdal(&area.shape, "clip")?;
        for feature in &mut out.features {
            if let Some(shape) = &feature.shape {
                feature.shape = Some(super::overlay::overlay(shape, &area.shape, "clip", |ours, _| {
                    ours.intersection(&theirs)
                })?);
            }
        }
        let empty = |f: &Feature| {
            f.shape
                .as_ref()
                .is_none_or(|s| geo::CoordsIter::coords_count(s) == 0)
        };
        out.features.retain(|f| !empty(f));
        Ok(out)
    }

    /// The features of both, one after the other.
    ///
    /// # Errors
    /// When the CRSs differ.
    pub fn append(&self, other: &Features) -> Result<Features> {
        let empty = |f: &Features| Geometry::new(geo::MultiPolygon::new(Vec::new()), f.crs.clone());
        let crs = empty(self).common_crs(&empty(other))?;
        let features = self.features.iter().chain(&other.features).cloned().collect();
        Ok(Features { features, crs })
    }

    /// All features in another CRS; see `Geometry::to_crs`.
    ///
    /// # Errors
    /// When the features have no CRS, or PROJ knows no way to the other; names the first feature of which a point has no image.
    pub fn to_crs(&self, to: &Crs, densify: Option<f64>) -> Result<Features> {
        let Some(from) = &self.crs else {
            return Err(Error::message(format!(
                "the features have no CRS to transform from; {}",
                Remedy::FeaturesCrs
            )));
        };
        let projection = Projection::new(from, to)?;
        self.map_shapes(to, |shape| projection.transform(shape, densify))
    }

    /// All features in another CRS, their edges followed within `tolerance`, in its units: straight edges become curves.
    ///
    /// # Errors
    /// As `to_crs`, but for features without a CRS; edges of which so many vertices do not fit the memory ceiling.
    pub(super) fn follow_to_crs(&self, to: &Crs, tolerance: f64) -> Result<Features> {
        match &self.crs {
            Some(from) if from != to => {
                let projection = Projection::new(from, to)?;
                self.map_shapes(to, |shape| projection.follow(shape, tolerance))
            }
            _ => Ok(self.clone()),
        }
    }

    /// All features as the pixels of a grid see them: in its CRS, edges followed to a hundredth of a pixel. Features or grids
    /// without CRS are taken as they are.
    ///
    /// # Errors
    /// As `follow_to_crs`.
    pub(super) fn over(&self, grid: &Grid) -> Result<Features> {
        let (width, height) = grid.resolution();
        match &grid.crs {
            Some(to) => self.follow_to_crs(to, FOLLOWED * width.min(height)),
            None => Ok(self.clone()),
        }
    }

    fn map_shapes(&self, to: &Crs, image: impl Fn(&Shape<f64>) -> Result<Shape<f64>>) -> Result<Features> {
        let mut features = self.features.clone();
        for (index, feature) in features.iter_mut().enumerate() {
            if let Some(shape) = &feature.shape {
                feature.shape =
                    Some(image(shape).map_err(|e| Error::message(format!("feature {}: {e}", index + 1)))?);
            }
        }
        Ok(Features {
            features,
            crs: Some(to.clone()),
        })
    }

    /// None where no feature has a geometry.
    pub fn bounds(&self) -> Option<Bounds> {
        self.features
            .iter()
            .filter_map(|f| shape_bounds(f.shape.as_ref()?))
            .reduce(|a, b| a.union(&b))
    }

    /// Bounds in the CRS of a grid, edges followed; None where no feature has a geometry. Shapes that were cut at the antimeridian
    /// are one there: longitudes go on beyond 180°.
    ///
    /// # Errors
    /// When a feature has no image in the grid's CRS.
    pub fn bounds_over(&self, grid: &Grid) -> Result<Option<Bounds>> {
        Ok(self.over(grid)?.arc_bounds(grid.crs.as_ref().and_then(Crs::turn)))
    }

    /// Bounds in the features' CRS, in which longitudes come back after `turn`; as `bounds_over`.
    pub fn arc_bounds(&self, turn: Option<f64>) -> Option<Bounds> {
        let (Some(bounds), Some(turn)) = (self.bounds(), turn) else {
            return self.bounds();
        };
        let mut arcs = Vec::new();
        for shape in self.features.iter().filter_map(|f| f.shape.as_ref()) {
            for_each_part(shape, &mut |part| {
                let part = match part {
                    Part::Point(p) => shape_bounds(&Shape::Point(p)),
                    Part::Line(l) => shape_bounds(&Shape::LineString(l.into_owned())),
                    Part::Polygon(p) => shape_bounds(&Shape::Polygon(p.into_owned())),
                };
                arcs.extend(part.map(|b| (b.min_x, b.max_x)));
            });
        }
        let near = |a: f64, b: f64| (a - b).abs() < 1e-9 * turn;
        let is_cut = near(bounds.min_x, -turn / 2.0) && near(bounds.max_x, turn / 2.0);
        Some(match arc(&arcs, turn) {
            Some((min_x, max_x)) if is_cut => Bounds {
                min_x,
                max_x,
                ..bounds
            },
            _ => bounds,
        })
    }

    /// The vertices of the one line that the features are.
    ///
    /// # Errors
    /// When they are anything else.
    pub fn line(&self) -> Result<Vec<(f64, f64)>> {
        match self.features.as_slice() {
            [
                Feature {
                    shape: Some(Shape::LineString(line)),
                    ..
                },
            ] => Ok(line.coords().map(|c| (c.x, c.y)).collect()),
            [
                Feature {
                    shape: Some(other), ..
                },
            ] => Err(Error::argument("line", "a LineString", type_name(other))),
            features => Err(Error::argument(
                "line",
                "one LineString",
                format!("{} features", features.len()),
            )),
        }
    }

    /// One geometry that covers all features.
    ///
    /// # Errors
    /// When GEOS makes nothing of a feature because it is invalid.
    pub fn union(&self) -> Result<Geometry> {
        let all = Geometry::union_all(&self.geometries().collect::<Vec<_>>())?;
        Ok(Geometry {
            crs: self.crs.clone(),
            ..all
        })
    }

    /// The properties as a table, one row a feature; `id` comes first where some feature has one and no property
    /// is called so.
    ///
    /// # Errors
    /// As `Table::from_rows`.
    pub fn to_table(&self) -> Result<Table> {
        let with_id = self
            .features
            .iter()
            .any(|f| f.id.is_some() && f.properties.get("id").is_none());
        let names = self.property_names();
        let with_id = with_id && !names.iter().any(|n| n == "id");
        Table::from_rows(self.features.iter().map(|f| {
            let mut row = Vec::with_capacity(names.len() + 1);
            if with_id {
                row.push(("id".to_string(), f.id.clone().unwrap_or(Value::Missing)));
            }
            row.extend(
                names
                    .iter()
                    .map(|n| (n.clone(), f.properties.get(n).cloned().unwrap_or(Value::Missing))),
            );
            row
        }))
    }

    /// The points of the features, (x, y): the vertices of points and multi-points.
    ///
    /// # Errors
    /// When a feature is a line or polygon, or has no geometry; its number is named.
    pub fn points(&self) -> Result<Vec<(f64, f64)>> {
        let mut out = Vec::new();
        for (index, feature) in self.features.iter().enumerate() {
            let wrong = |got: &str| Error::argument(format!("feature {}", index + 1), "a Point", got);
            let shape = feature.shape.as_ref().ok_or_else(|| wrong("no geometry"))?;
            let mut only_points = true;
            for_each_part(shape, &mut |part| match part {
                Part::Point(p) => out.push((p.x(), p.y())),
                _ => only_points = false,
            });
            if !only_points {
                return Err(wrong(type_name(shape)));
            }
        }
        Ok(out)
    }

    /// With the shapes given by GDAL's or GEOS's repair; see `Geometry::make_valid`.
    ///
    /// # Errors
    /// When GEOS cannot repair a shape.
    pub fn make_valid(&self) -> Result<Features> {
        let mut out = self.clone();
        for feature in &mut out.features {
            if let Some(shape) = feature.shape.take() {
                let valid = Geometry { shape, crs: None }.make_valid()?;
                feature.shape = Some(from_gdal(&to_gdal(&valid.shape, "make_valid")?, "make_valid")?);
            }
        }
        Ok(out)
    }
}

impl fmt::Display for Features {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plural = if self.len() == 1 { "feature" } else { "features" };
        write!(f, "{} {plural}", self.len())?;
        let mut kinds: Vec<&str> = Vec::new();
        for kind in self
            .features
            .iter()
            .map(|f| f.shape.as_ref().map_or("no geometry", type_name))
        {
            if !kinds.contains(&kind) {
                kinds.push(kind);
            }
        }
        if !kinds.is_empty() {
            write!(f, " ({})", kinds.join(", "))?;
        }
        match &self.crs {
            Some(crs) => write!(f, ", {crs}")?,
            None => f.write_str(", no CRS")?,
        }
        if let Some(bounds) = self.bounds() {
            write!(f, ", {bounds}")?;
        }
        let names = self.property_names();
        if !names.is_empty() {
            write!(f, "\nproperties: {}", names[..names.len().min(12)].join(", "))?;
            if names.len() > 12 {
                write!(f, ", … ({} in all)", names.len())?;
            }
        }
        Ok(())
    }
}
