//! Grids (CRS + affine transform + rows × cols), bounds and pixel windows.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::error::{Error, Remedy, Result};

/// Axis-aligned rectangle in the coordinates of a CRS.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds {
    pub min_x: f64,
    pub min_y: f64,
    pub max_x: f64,
    pub max_y: f64,
}

impl Bounds {
    /// The smallest rectangle around points; None when there is none or one is not finite.
    pub fn around(points: impl IntoIterator<Item = (f64, f64)>) -> Option<Bounds> {
        let mut out: Option<Bounds> = None;
        for (x, y) in points {
            if !(x.is_finite() && y.is_finite()) {
                return None;
            }
            let b = out.get_or_insert(Bounds {
                min_x: x,
                min_y: y,
                max_x: x,
                max_y: y,
            });
            *b = Bounds {
                min_x: b.min_x.min(x),
                min_y: b.min_y.min(y),
                max_x: b.max_x.max(x),
                max_y: b.max_y.max(y),
            };
        }
        out
    }

    pub fn width(&self) -> f64 {
        self.max_x - self.min_x
    }

    pub fn height(&self) -> f64 {
        self.max_y - self.min_y
    }

    pub fn intersects(&self, other: &Bounds) -> bool {
        self.min_x < other.max_x
            && other.min_x < self.max_x
            && self.min_y < other.max_y
            && other.min_y < self.max_y
    }

    pub fn union(&self, other: &Bounds) -> Bounds {
        Bounds {
            min_x: self.min_x.min(other.min_x),
            min_y: self.min_y.min(other.min_y),
            max_x: self.max_x.max(other.max_x),
            max_y: self.max_y.max(other.max_y),
        }
    }
}

impl fmt::Display for Bounds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "x {}..{}, y {}..{}",
            self.min_x, self.max_x, self.min_y, self.max_y
        )
    }
}

/// Pixel (col, row) to map (x, y): x = x0 + col·dx + row·rx, y = y0 + col·ry + row·dy.
/// Pixel corners are at whole numbers, pixel centres at halves. `dy` is negative for north-up images.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Affine {
    pub x0: f64,
    pub dx: f64,
    pub rx: f64,
    pub y0: f64,
    pub ry: f64,
    pub dy: f64,
}

impl Affine {
    /// Pixel coordinates themselves, rows downward: of images that lie nowhere on a map.
    pub const PIXELS: Affine = Affine {
        x0: 0.0,
        dx: 1.0,
        rx: 0.0,
        y0: 0.0,
        ry: 0.0,
        dy: 1.0,
    };

    /// North-up: upper-left corner and positive pixel sizes.
    pub fn north_up(x0: f64, y0: f64, dx: f64, dy: f64) -> Affine {
        Affine {
            x0,
            dx,
            rx: 0.0,
            y0,
            ry: 0.0,
            dy: -dy,
        }
    }

    pub fn from_gdal(t: [f64; 6]) -> Affine {
        Affine {
            x0: t[0],
            dx: t[1],
            rx: t[2],
            y0: t[3],
            ry: t[4],
            dy: t[5],
        }
    }

    pub fn to_gdal(self) -> [f64; 6] {
        [self.x0, self.dx, self.rx, self.y0, self.ry, self.dy]
    }

    /// Map coordinates of pixel coordinates (col, row), corners at whole numbers.
    pub fn apply(&self, col: f64, row: f64) -> (f64, f64) {
        (
            self.x0 + col * self.dx + row * self.rx,
            self.y0 + col * self.ry + row * self.dy,
        )
    }

    /// Pixel coordinates (col, row) of map coordinates; None when the transform is singular.
    pub fn invert(&self) -> Option<Affine> {
        let det = self.dx * self.dy - self.rx * self.ry;
        if det == 0.0 || !det.is_finite() {
            return None;
        }
        let (dx, rx, ry, dy) = (self.dy / det, -self.rx / det, -self.ry / det, self.dx / det);
        Some(Affine {
            x0: -(self.x0 * dx + self.y0 * rx),
            dx,
            rx,
            y0: -(self.x0 * ry + self.y0 * dy),
            ry,
            dy,
        })
    }

    pub fn is_axis_aligned(&self) -> bool {
        self.rx == 0.0 && self.ry == 0.0
    }

    /// The same lattice with its origin moved by whole pixels.
    pub fn moved(&self, cols: f64, rows: f64) -> Affine {
        let (x0, y0) = self.apply(cols, rows);
        Affine { x0, y0, ..*self }
    }
}

/// A rectangle of pixels of some grid. It may lie partly or wholly outside the grid (halos do).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Window {
    pub row: isize,
    pub col: isize,
    pub rows: usize,
    pub cols: usize,
}

impl Window {
    pub const EMPTY: Window = Window {
        row: 0,
        col: 0,
        rows: 0,
        cols: 0,
    };

    pub fn new(row: isize, col: isize, rows: usize, cols: usize) -> Window {
        Window { row, col, rows, cols }
    }

    pub fn is_empty(&self) -> bool {
        self.rows == 0 || self.cols == 0
    }

    pub fn len(&self) -> usize {
        self.rows * self.cols
    }

    pub fn row_end(&self) -> isize {
        self.row.saturating_add_unsigned(self.rows)
    }

    pub fn col_end(&self) -> isize {
        self.col.saturating_add_unsigned(self.cols)
    }

    /// Grown by `rows` and `cols` on each side: the halo of a neighbourhood operation.
    pub fn grow(&self, rows: usize, cols: usize) -> Window {
        if self.is_empty() {
            return *self;
        }
        Window {
            row: self.row - rows as isize,
            col: self.col - cols as isize,
            rows: self.rows + 2 * rows,
            cols: self.cols + 2 * cols,
        }
    }

    pub fn intersect(&self, other: &Window) -> Window {
        let (row, col) = (self.row.max(other.row), self.col.max(other.col));
        let (row_end, col_end) = (
            self.row_end().min(other.row_end()),
            self.col_end().min(other.col_end()),
        );
        if row >= row_end || col >= col_end {
            return Window::EMPTY;
        }
        Window {
            row,
            col,
            rows: (row_end - row) as usize,
            cols: (col_end - col) as usize,
        }
    }

    /// The smallest window that holds both.
    pub fn hull(&self, other: &Window) -> Window {
        if self.is_empty() {
            return *other;
        }
        if other.is_empty() {
            return *self;
        }
        let (row, col) = (self.row.min(other.row), self.col.min(other.col));
        Window {
            row,
            col,
            rows: (self.row_end().max(other.row_end()) - row) as usize,
            cols: (self.col_end().max(other.col_end()) - col) as usize,
        }
    }

    pub fn contains(&self, other: &Window) -> bool {
        other.is_empty()
            || (self.row <= other.row
                && self.col <= other.col
                && self.row_end() >= other.row_end()
                && self.col_end() >= other.col_end())
    }

    pub fn shifted(&self, rows: isize, cols: isize) -> Window {
        Window {
            row: self.row + rows,
            col: self.col + cols,
            ..*self
        }
    }
}

impl fmt::Display for Window {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "rows {}..{}, cols {}..{}",
            self.row,
            self.row_end(),
            self.col,
            self.col_end()
        )
    }
}

/// As many pixels as a side may have: GDAL counts them in 31 bits, and the pixels of a whole grid fit 62.
pub const LARGEST_SIDE: usize = i32::MAX as usize;

/// Where an image lies: coordinate reference system, affine transform, and size.
#[derive(Debug, Clone, PartialEq)]
pub struct Grid {
    /// WKT of the CRS; None for images in plain pixel coordinates.
    pub crs: Option<super::Crs>,
    pub transform: Affine,
    pub rows: usize,
    pub cols: usize,
}

impl Grid {
    /// # Errors
    /// No rows or columns, or more than `LARGEST_SIDE`; a transform that cannot be inverted or whose corners are not finite.
    pub fn new(crs: Option<super::Crs>, transform: Affine, rows: usize, cols: usize) -> Result<Grid> {
        if rows == 0 || cols == 0 || rows > LARGEST_SIDE || cols > LARGEST_SIDE {
            return Err(Error::argument(
                "grid size",
                format!("1 to {LARGEST_SIDE} rows and columns"),
                format!("{rows} × {cols} (rows × cols)"),
            ));
        }
        let corners = [(0.0, 0.0), (cols as f64, rows as f64)].map(|(c, r)| transform.apply(c, r));
        let finite = corners.iter().all(|(x, y)| x.is_finite() && y.is_finite());
        if !finite || transform.invert().is_none() {
            return Err(Error::argument(
                "grid transform",
                "an invertible affine transform (pixel sizes other than 0, corners that are finite)",
                format!("{:?}", transform.to_gdal()),
            ));
        }
        Ok(Grid {
            crs,
            transform,
            rows,
            cols,
        })
    }

    pub fn window(&self) -> Window {
        Window::new(0, 0, self.rows, self.cols)
    }

    /// The CRS; an error with the way to one where there is none.
    ///
    /// # Errors
    /// When it has none.
    pub fn crs(&self) -> Result<&super::Crs> {
        self.crs.as_ref().ok_or_else(|| {
            Error::message(match self.transform == Affine::PIXELS {
                true => format!(
                    "the image has no CRS, and lies in pixel coordinates; {}",
                    Remedy::Place
                ),
                false => format!("the image has no CRS; {}", Remedy::ImageCrs),
            })
        })
    }

    /// Pixel width and height in CRS units, always positive.
    pub fn resolution(&self) -> (f64, f64) {
        let t = &self.transform;
        (
            (t.dx * t.dx + t.ry * t.ry).sqrt(),
            (t.rx * t.rx + t.dy * t.dy).sqrt(),
        )
    }

    /// Columns in a full turn of longitude, where the columns count longitudes.
    pub fn turn(&self) -> Option<f64> {
        let turn = self.crs.as_ref()?.turn()?;
        (self.transform.is_axis_aligned()).then(|| turn / self.transform.dx.abs())
    }

    pub fn bounds(&self) -> Bounds {
        self.window_bounds(&self.window())
    }

    /// Bounds of a pixel window in CRS units.
    pub fn window_bounds(&self, w: &Window) -> Bounds {
        let (c0, r0, c1, r1) = (w.col as f64, w.row as f64, w.col_end() as f64, w.row_end() as f64);
        let t = &self.transform;
        let corners = [t.apply(c0, r0), t.apply(c1, r0), t.apply(c0, r1), t.apply(c1, r1)];
        let (mut b, rest) = (
            Bounds {
                min_x: corners[0].0,
                min_y: corners[0].1,
                max_x: corners[0].0,
                max_y: corners[0].1,
            },
            &corners[1..],
        );
        for &(x, y) in rest {
            b = b.union(&Bounds {
                min_x: x,
                min_y: y,
                max_x: x,
                max_y: y,
            });
        }
        b
    }

    /// Map coordinates of the centre of a pixel.
    pub fn pixel_centre(&self, row: isize, col: isize) -> (f64, f64) {
        self.transform.apply(col as f64 + 0.5, row as f64 + 0.5)
    }

    /// (col, row) of map coordinates, fractional, pixel corners at whole numbers.
    pub fn to_pixel(&self, x: f64, y: f64) -> (f64, f64) {
        // Grid::new admits invertible transforms only.
        self.transform
            .invert()
            .map_or((f64::NAN, f64::NAN), |inverse| inverse.apply(x, y))
    }

    /// The grid of a window of this grid.
    pub fn subgrid(&self, w: &Window) -> Grid {
        Grid {
            crs: self.crs.clone(),
            transform: self.transform.moved(w.col as f64, w.row as f64),
            rows: w.rows,
            cols: w.cols,
        }
    }

    /// True where both grids are the same pixels: CRS, size, and origin and pixel size within 1e-3 of a pixel
    /// over the whole extent (files written by different tools differ in the last digits of their transforms).
    pub fn matches(&self, other: &Grid) -> bool {
        if self.rows != other.rows || self.cols != other.cols {
            return false;
        }
        let same_crs = match (&self.crs, &other.crs) {
            (Some(a), Some(b)) => a == b,
            (None, None) => true,
            _ => false,
        };
        let (w, h) = (self.cols as f64, self.rows as f64);
        let tolerance = 1e-3;
        same_crs
            && [(0.0, 0.0), (w, 0.0), (0.0, h), (w, h)].iter().all(|&(c, r)| {
                let (x, y) = other.transform.apply(c, r);
                let (c2, r2) = self.to_pixel(x, y);
                (c2 - c).abs() < tolerance && (r2 - r).abs() < tolerance
            })
    }
}

impl fmt::Display for Grid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (dx, dy) = self.resolution();
        write!(f, "{} × {} (rows × cols), ", self.rows, self.cols)?;
        match &self.crs {
            Some(crs) => write!(f, "{crs}")?,
            None => f.write_str("no CRS")?,
        }
        let (width, height) = (significant(dx), significant(dy));
        if width == height {
            write!(f, ", pixel {width}")?
        } else {
            write!(f, ", pixel {width} × {height}")?
        }
        let b = self.bounds();
        let [x0, x1, y0, y1] = [(b.min_x, dx), (b.max_x, dx), (b.min_y, dy), (b.max_y, dy)].map(place);
        write!(f, ", x {x0}..{x1}, y {y0}..{y1}")
    }
}

/// Ten significant digits: over a million pixels, less than a thousandth of one is lost.
fn significant(v: f64) -> String {
    let digits = (9 - v.abs().log10().floor() as i32).clamp(0, 20) as usize;
    trimmed(format!("{v:.digits$}"))
}

/// A coordinate to a hundred-thousandth of a pixel, so that grids that do not match differ as text, too.
fn place((v, pixel): (f64, f64)) -> String {
    let digits = (5 - pixel.log10().floor() as i32).clamp(0, 15) as usize;
    trimmed(format!("{v:.digits$}"))
}

fn trimmed(text: String) -> String {
    if !text.contains('.') {
        return text;
    }
    match text.trim_end_matches('0').trim_end_matches('.') {
        "-0" => "0".into(),
        text => text.into(),
    }
}
