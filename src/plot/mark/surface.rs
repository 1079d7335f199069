//! Heights as a surface in space.

use ndarray::Array2;
use plotters::element::{PathElement, Polygon};
use plotters::style::{Color as _, ShapeStyle};

use super::{Ink, Mark, Page, Valued, fits_grid};
use crate::earth::ellipsoid::metres_per_degree;
use crate::error::{Domain, Error, Result};
use crate::plot::axis::Axis;
use crate::plot::backend::{charted, parts, rgba};
use crate::plot::color::Color;
use crate::plot::colormap::Colormap;
use crate::plot::place::Frame;
use crate::plot::reach::Extent;
use crate::plot::scene::{Item, Rect};
use crate::plot::sides::{self, Ruler, Side};
use crate::plot::space::{Point, Space, View};
use crate::plot::space_axes::{self, Edge};
use crate::plot::span::Span;
use crate::plot::stretch::{Limits, Norm, Stretch};
use crate::plot::style::Style;
use crate::plot::ticks;
use crate::raster::Grid;

/// Heights over the ground in a box with marked edges, in the colours of the heights or of other values at the same pixels, shaded. It stands
/// alone in its panel.
///
/// Each four neighbouring pixels span a facet between their middles; where one of them is masked there is none. Facets are drawn from the
/// farthest to the nearest.
#[derive(Debug, Clone)]
pub struct Surface {
    /// (rows, cols), in metres where the grid has a CRS.
    pub heights: Array2<f32>,
    pub grid: Grid,
    /// What the colours show; None for the heights. Facets are grey where it is masked.
    pub drape: Option<Array2<f32>>,
    pub colormap: Colormap,
    pub stretch: Stretch,
    pub norm: Norm,
    pub view: View,
    /// How many times as high as true; None takes a round number by which the heights differ by about a fifth of the ground's longer side.
    pub exaggeration: Option<f64>,
    /// 0 leaves the colours as they are, 1 makes slopes away from the light black.
    pub shading: f64,
    /// Quantity and unit of the heights.
    pub label: String,
    /// Titles of the axes along x and y; empty for those of a map.
    pub ground: [String; 2],
}

/// Where the drape is masked.
const BARE: Color = Color::grey(190);
const WALL: Color = Color::grey(247);
const LINES: Color = Color::grey(214);
/// What heights differ by, as a share of the ground's longer side, where nothing is said.
const RELIEF: f64 = 0.2;
/// The light comes from the left behind the viewer: degrees clockwise from where one looks, and above the horizon.
const LIGHT: (f64, f64) = (-120.0, 45.0);

impl Surface {
    pub const AZIMUTHS: Domain = Domain::within(-360.0, 360.0).in_unit("degrees");
    pub const ELEVATIONS: Domain = Domain::within(0.0, 90.0).in_unit("degrees");
    pub const EXAGGERATIONS: Domain = Domain::above(0.0);
    pub const SHADINGS: Domain = Domain::within(0.0, 1.0);
    /// Facets along the longer side.
    pub const FACETS: Domain = Domain::within(2.0, 1000.0);
    pub const VIEW: View = View {
        azimuth: 30.0,
        elevation: 30.0,
    };
    pub const SHADING: f64 = 0.5;

    pub fn new(heights: Array2<f32>, grid: Grid) -> Surface {
        Surface {
            heights,
            grid,
            drape: None,
            colormap: Colormap::default(),
            stretch: Stretch::default(),
            norm: Norm::default(),
            view: Surface::VIEW,
            exaggeration: None,
            shading: Surface::SHADING,
            label: String::new(),
            ground: [String::new(), String::new()],
        }
    }

    fn shown(&self) -> &Array2<f32> {
        self.drape.as_ref().unwrap_or(&self.heights)
    }

    /// Lowest and highest; something where there is nothing or all is flat.
    fn range(&self) -> (f64, f64) {
        let finite = self
            .heights
            .iter()
            .map(|v| f64::from(*v))
            .filter(|v| v.is_finite());
        let (low, high) = finite.fold((f64::MAX, f64::MIN), |(a, b), v| (a.min(v), b.max(v)));
        match low.partial_cmp(&high) {
            Some(std::cmp::Ordering::Less) => (low, high),
            Some(std::cmp::Ordering::Equal) => (low - 0.5, high + 0.5),
            _ => (0.0, 1.0),
        }
    }

    /// The unit of the heights in units of the grid along x and along y.
    fn metres(&self) -> (f64, f64) {
        let bounds = self.grid.bounds();
        match &self.grid.crs {
            Some(crs) if crs.is_geographic() => metres_per_degree((bounds.min_y + bounds.max_y) / 2.0),
            Some(crs) => crs.metres_per_unit().map_or((1.0, 1.0), |m| (m, m)),
            None => (1.0, 1.0),
        }
    }

    /// Lengths of the box before heights are exaggerated, and by how much they are.
    fn lengths(&self) -> (Point, f64) {
        let (bounds, (across, along)) = (self.grid.bounds(), self.metres());
        let (low, high) = self.range();
        let lengths = (bounds.width() * across, bounds.height() * along, high - low);
        let exaggeration = self
            .exaggeration
            .unwrap_or_else(|| ticks::round_below(RELIEF * lengths.0.max(lengths.1) / lengths.2).max(1.0));
        (lengths, exaggeration)
    }

    fn space(&self, rect: Rect) -> Space {
        let (bounds, (low, high)) = (self.grid.bounds(), self.range());
        let ((east, north, up), exaggeration) = self.lengths();
        Space::new(
            (bounds.min_x, bounds.min_y, low),
            (bounds.max_x, bounds.max_y, high),
            (east, north, up * exaggeration),
            self.view,
            rect,
        )
    }

    /// What the three axes say where they are so long on the page.
    fn sides(&self, space: &Space, style: &Style) -> [Side; 3] {
        let ruler = |edge: &Edge, upright: bool| Ruler {
            length: edge.length(space),
            size: style.tick,
            upright,
        };
        let [east, north, up] = space_axes::edges(space);
        // What goes up the page has room for as many labels as there are lines.
        let steep = |edge: &Edge| edge.is_steep(space);
        let bounds = self.grid.bounds();
        let (mut x, mut y) = sides::of_map(
            self.grid.crs.as_ref(),
            (
                &Span::linear(bounds.min_x, bounds.max_x),
                &ruler(&east, steep(&east)),
            ),
            (
                &Span::linear(bounds.min_y, bounds.max_y),
                &ruler(&north, steep(&north)),
            ),
        );
        for (side, title) in [&mut x, &mut y].into_iter().zip(&self.ground) {
            if !title.is_empty() {
                side.title = title.clone();
            }
        }
        let (low, high) = self.range();
        let axis = Axis {
            label: self.label.clone(),
            ..Axis::default()
        };
        let z = sides::chart_side(&axis, &Span::linear(low, high), &ruler(&up, true));
        [x, y, z]
    }

    /// The box so small that what stands around it finds room in the rectangle.
    fn settled(&self, rect: Rect, style: &Style) -> (Space, [Side; 3]) {
        let mut inner = rect.grown(-2.0);
        let mut space = self.space(inner);
        let mut sides = self.sides(&space, style);
        for _ in 0..3 {
            let taken = space_axes::bounds(&space, &sides, style);
            inner = Rect::new(
                inner.x + (rect.x - taken.x),
                inner.y + (rect.y - taken.y),
                inner.width + rect.width - taken.width,
                inner.height + rect.height - taken.height,
            );
            // Never inside out.
            inner.width = inner.width.max(0.2 * rect.width);
            inner.height = inner.height.max(0.2 * rect.height);
            space = self.space(inner);
            sides = self.sides(&space, style);
        }
        (space, sides)
    }

    /// Corners and colour of each facet, the farthest first.
    fn facets(&self, limits: Limits) -> Vec<([Point; 4], Color)> {
        let (rows, cols) = self.heights.dim();
        let shown = self.shown();
        let ((across, along), (_, exaggeration)) = (self.metres(), self.lengths());
        let bearing = (self.view.azimuth + LIGHT.0).to_radians();
        let (lift, flat) = LIGHT.1.to_radians().sin_cos();
        let light = (bearing.sin() * flat, bearing.cos() * flat, lift);
        let mut found = Vec::new();
        for row in 0..rows.saturating_sub(1) {
            for col in 0..cols.saturating_sub(1) {
                let at = [(row, col), (row, col + 1), (row + 1, col + 1), (row + 1, col)];
                let heights = at.map(|at| f64::from(self.heights[at]));
                if heights.iter().any(|h| !h.is_finite()) {
                    continue;
                }
                let corner = |i: usize| {
                    let (row, col) = at[i];
                    let (x, y) = self.grid.transform.apply(col as f64 + 0.5, row as f64 + 0.5);
                    (x, y, heights[i])
                };
                let corners = [corner(0), corner(1), corner(2), corner(3)];
                let values = at.map(|at| f64::from(shown[at]));
                let mean = values.iter().sum::<f64>() / 4.0;
                let color = match mean.is_finite() {
                    true => self.colormap.color(limits.position(mean)),
                    false => BARE,
                };
                // Across one diagonal and along the other.
                let edge = |a: Point, b: Point| {
                    (
                        (b.0 - a.0) * across,
                        (b.1 - a.1) * along,
                        (b.2 - a.2) * exaggeration,
                    )
                };
                let (u, v) = (edge(corners[0], corners[2]), edge(corners[3], corners[1]));
                let lit = brightness(u, v, light) / lift;
                let middle = (
                    corners.iter().map(|c| c.0).sum::<f64>() * across / 4.0,
                    corners.iter().map(|c| c.1).sum::<f64>() * along / 4.0,
                );
                let shaded = shaded(color, 1.0 + self.shading * (lit.min(1.35) - 1.0));
                found.push((self.view.depth(middle.0, middle.1), (corners, shaded)));
            }
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        found.into_iter().map(|(_, facet)| facet).collect()
    }
}

/// How squarely light falls on what two edges span: 1 at most, 0 from below and behind.
fn brightness(u: Point, v: Point, light: Point) -> f64 {
    let normal = (
        u.1 * v.2 - u.2 * v.1,
        u.2 * v.0 - u.0 * v.2,
        u.0 * v.1 - u.1 * v.0,
    );
    let up = if normal.2 < 0.0 { -1.0 } else { 1.0 };
    let length = (normal.0.powi(2) + normal.1.powi(2) + normal.2.powi(2)).sqrt();
    let along = normal.0 * light.0 + normal.1 * light.1 + normal.2 * light.2;
    (up * along / length).max(0.0)
}

fn shaded(color: Color, factor: f64) -> Color {
    let [r, g, b] =
        [color.r, color.g, color.b].map(|v| (f64::from(v) * factor).round().clamp(0.0, 255.0) as u8);
    Color::rgb(r, g, b)
}

impl Mark for Surface {
    fn check(&self) -> Result<()> {
        fits_grid(Some(&self.grid), self.heights.dim())?;
        if let Some(drape) = self.drape.as_ref().filter(|d| d.dim() != self.heights.dim()) {
            return Err(Error::argument(
                "drape",
                format!("of the heights' size {:?}", self.heights.dim()),
                format!("{:?}", drape.dim()),
            ));
        }
        if !self.grid.transform.is_axis_aligned() {
            return Err(Error::message(
                "a surface has to lie along its map's axes; bring the heights onto such a grid first",
            ));
        }
        Surface::ELEVATIONS.check("elevation", self.view.elevation)?;
        Surface::AZIMUTHS.check("azimuth", self.view.azimuth)?;
        self.exaggeration
            .map(|e| Surface::EXAGGERATIONS.check("exaggeration", e))
            .transpose()?;
        Ok(())
    }

    fn grid(&self) -> Option<&Grid> {
        Some(&self.grid)
    }

    /// The box has axes of its own.
    fn reach(&self, _: &mut Extent) {}

    fn valued(&self) -> Option<Valued<'_>> {
        Some(Valued {
            values: Box::new(self.shown().iter()),
            colormap: &self.colormap,
            stretch: self.stretch,
            norm: self.norm,
        })
    }

    fn aspect(&self) -> Option<f64> {
        let ((east, north, up), exaggeration) = self.lengths();
        let (width, height) = self.view.extent((east, north, up * exaggeration));
        // What stands around the box takes about as much everywhere.
        Some(((height + 0.12 * width) / (1.12 * width)).clamp(0.35, 1.3))
    }

    fn draw(&self, ink: &Ink, frame: &Frame, page: &Page) -> Vec<Item> {
        let Some(&limits) = ink.limits.first() else {
            return Vec::new();
        };
        let (space, sides) = self.settled(frame.rect, page.style);
        let whole = Rect::new(0.0, 0.0, frame.rect.right(), frame.rect.bottom());
        let line = |color: Color, width: f64| ShapeStyle {
            color: rgba(color),
            filled: false,
            stroke_width: parts(width).max(1) as u32,
        };
        let to_plotters = |p: Point| (p.0, p.2, p.1);
        let mut items = charted(whole, |area| {
            let area = area.apply_coord_spec(space.coordinates.clone());
            // Nothing but this draws here, and shapes in memory do not fail.
            for wall in space_axes::walls(&space) {
                let corners: Vec<_> = wall.into_iter().map(to_plotters).collect();
                let _ = area.draw(&Polygon::new(corners, rgba(WALL).filled()));
            }
            for grid_line in space_axes::grid(&space, &sides) {
                let points: Vec<_> = grid_line.into_iter().map(to_plotters).collect();
                let _ = area.draw(&PathElement::new(points, line(LINES, page.style.line())));
            }
            for (corners, color) in self.facets(limits) {
                let corners: Vec<_> = corners.into_iter().map(to_plotters).collect();
                let _ = area.draw(&Polygon::new(corners, rgba(color).filled()));
            }
        });
        items.extend(space_axes::marks(&space, &sides, page.style));
        let (_, exaggeration) = self.lengths();
        if exaggeration != 1.0 {
            items.push(space_axes::note(&frame.rect, exaggeration, page.style));
        }
        items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::raster::Affine;

    fn cone() -> Surface {
        let grid = Grid::new(None, Affine::north_up(0.0, 400.0, 10.0, 10.0), 40, 60).unwrap();
        let heights = Array2::from_shape_fn((40, 60), |(r, c)| {
            (60.0 - 2.0 * (r as f64 - 19.5).hypot(c as f64 - 29.5)).max(0.0) as f32
        });
        Surface::new(heights, grid)
    }

    #[test]
    fn facets_go_from_the_farthest_to_the_nearest_and_leave_out_what_is_masked() {
        let mut surface = cone();
        surface.heights[(10, 20)] = f32::NAN;
        for azimuth in [0.0, 30.0, 90.0, 200.0, 315.0] {
            surface.view.azimuth = azimuth;
            let facets = surface.facets(Limits::linear(0.0, 60.0));
            assert_eq!(facets.len(), 39 * 59 - 4);
            let depth = |corners: &[Point; 4]| {
                corners.iter().map(|c| surface.view.depth(c.0, c.1)).sum::<f64>() / 4.0
            };
            for pair in facets.windows(2) {
                assert!(depth(&pair[0].0) >= depth(&pair[1].0) - 1e-9);
            }
        }
    }

    #[test]
    fn slopes_towards_the_light_are_brighter() {
        let mut surface = cone();
        surface.colormap = Colormap::from_colors("flat", &[Color::grey(120), Color::grey(120)]).unwrap();
        surface.view.azimuth = 0.0;
        let facets = surface.facets(Limits::linear(0.0, 60.0));
        // From 240°: south-west.
        let tone = |x: f64, y: f64| {
            let near = |c: &[Point; 4]| (c[0].0 - x).hypot(c[0].1 - y);
            let found = facets.iter().min_by(|a, b| near(&a.0).total_cmp(&near(&b.0)));
            found.unwrap().1.r
        };
        assert!(tone(200.0, 150.0) > tone(380.0, 250.0) + 40);
        assert_eq!(tone(5.0, 395.0), 120);
        surface.shading = 0.0;
        assert!(
            surface
                .facets(Limits::linear(0.0, 60.0))
                .iter()
                .all(|f| f.1 == Color::grey(120))
        );
    }

    #[test]
    fn heights_are_exaggerated_to_a_fifth_of_the_ground_or_as_told() {
        let mut surface = cone();
        // 590 metres wide... 600 by 400, a little less than 60 high.
        let ((east, north, up), exaggeration) = surface.lengths();
        assert_eq!((east, north), (600.0, 400.0));
        assert!(up > 50.0 && up <= 60.0 && exaggeration == 2.0);
        surface.exaggeration = Some(7.5);
        assert_eq!(surface.lengths().1, 7.5);
    }

    #[test]
    fn all_that_stands_around_the_box_is_within_the_panel() {
        let style = Style::new(9.0);
        let mut surface = cone();
        surface.label = "Height (m)".into();
        let rect = Rect::new(20.0, 10.0, 300.0, 220.0);
        for azimuth in [-150.0, -60.0, 0.0, 30.0, 90.0, 120.0] {
            for elevation in [10.0, 30.0, 60.0, 90.0] {
                surface.view = View { azimuth, elevation };
                let (space, sides) = surface.settled(rect, &style);
                let taken = space_axes::bounds(&space, &sides, &style);
                assert!(
                    taken.x > rect.x - 1.5 && taken.right() < rect.right() + 1.5,
                    "{azimuth} {elevation} {taken:?}"
                );
                assert!(
                    taken.y > rect.y - 1.5 && taken.bottom() < rect.bottom() + 1.5,
                    "{azimuth} {elevation} {taken:?}"
                );
            }
        }
    }
}
