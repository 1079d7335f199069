//! Where everything goes: panels get what titles, labels, colour bars and legends leave, and the panels of maps
//! keep their shape. Labels depend on the panels' size and the other way round, so both are settled in a few rounds.

use super::bar_place::{BarPlace, CHART_ASPECT};
use super::depth::{flat_depth, label_size, upright_depth};
use super::figure::{AxesKind, Figure, Legend};
use super::font::{self, Weight};
use super::legend;
use super::panel::Panel;
use super::scene::Rect;
use super::sides::{self, Side, Sides};
use super::span::Span;
use super::style::Style;
use crate::error::Result;

/// A page with everything placed, in points.
pub struct Layout {
    pub width: f64,
    pub height: f64,
    pub panels: Vec<Placement>,
    /// Around all panels with their titles, labels and bars.
    pub block: Rect,
    pub shared_bar: Option<Rect>,
}

pub struct Placement {
    pub rect: Rect,
    pub sides: Sides,
    /// Whether tick labels and axis titles are shown; inner panels of shared axes have none.
    pub show: (bool, bool),
    pub bar: Option<Rect>,
    /// Upper left corner and columns of a legend beside or below the panel.
    pub legend: Option<((f64, f64), usize)>,
}

#[derive(Debug, Clone, Copy, Default)]
struct Margins {
    left: f64,
    right: f64,
    top: f64,
    bottom: f64,
    /// Distance of a legend from the panel's right side, or from its lower side.
    legend: f64,
}

/// Inches.
const WIDEST: f64 = 6.4;
const TALLEST: f64 = 8.0;
const ROUNDS: usize = 4;

pub fn layout(figure: &Figure, panels: &[Panel], style: &Style) -> Result<Layout> {
    for (name, inches) in [("width", figure.width), ("height", figure.height)] {
        inches.map(|v| Figure::SIZES.check(name, v)).transpose()?;
    }
    Figure::DPIS.check("dpi", figure.dpi)?;
    Figure::FONT_SIZES.check("font size", figure.font_size)?;
    let mut solver = Solver::new(figure, panels, style);
    for _ in 0..ROUNDS {
        solver.measure()?;
        solver.distribute();
    }
    solver.measure()?;
    Ok(solver.place())
}

struct Solver<'a> {
    figure: &'a Figure,
    panels: &'a [Panel<'a>],
    style: &'a Style,
    shared: (bool, bool),
    /// Panel sizes.
    sizes: Vec<(f64, f64)>,
    sides: Vec<Sides>,
    margins: Vec<Margins>,
    /// Of the page: title above, shared colour bar.
    outer: Margins,
    page: (f64, f64),
}

impl<'a> Solver<'a> {
    fn new(figure: &'a Figure, panels: &'a [Panel<'a>], style: &'a Style) -> Self {
        let width = figure.width.unwrap_or(WIDEST) * 72.0;
        let height = figure.height.unwrap_or(TALLEST) * 72.0;
        let guess = width / figure.cols as f64 * 0.7;
        let same = |get: fn(&Panel) -> Span| {
            figure.share_axes
                && panels.len() > 1
                && panels.windows(2).all(|p| {
                    p[0].axes.kind == p[1].axes.kind
                        && get(&p[0]) == get(&p[1])
                        && p[0].axes.x.label == p[1].axes.x.label
                        && p[0].axes.y.label == p[1].axes.y.label
                })
        };
        Solver {
            figure,
            panels,
            style,
            shared: (same(|p| p.x), same(|p| p.y)),
            sizes: panels
                .iter()
                .map(|p| (guess, guess * p.aspect.unwrap_or(CHART_ASPECT)))
                .collect(),
            sides: Vec::new(),
            margins: Vec::new(),
            outer: Margins::default(),
            page: (width, height),
        }
    }

    fn cell(&self, index: usize) -> (usize, usize) {
        (index / self.figure.cols, index % self.figure.cols)
    }

    /// Whether a panel shows its horizontal and vertical labels.
    fn shows(&self, index: usize) -> (bool, bool) {
        let (_, col) = self.cell(index);
        let lowest = index + self.figure.cols >= self.panels.len();
        (!self.shared.0 || lowest, !self.shared.1 || col == 0)
    }

    /// Marks and margins for the present sizes.
    fn measure(&mut self) -> Result<()> {
        self.sides.clear();
        self.margins.clear();
        for (i, panel) in self.panels.iter().enumerate() {
            let (width, height) = self.sizes[i];
            let sides = sides::sides(panel, width, height, self.style)?;
            self.margins.push(self.panel_margins(i, &sides));
            self.sides.push(sides);
        }
        self.outer = Margins::default();
        let s = self.style;
        if !self.figure.title.is_empty() {
            self.outer.top = font::height(&self.figure.title, s.page_title) + 1.2 * s.title_pad();
        }
        if let (Some(bar), Some(scale)) = (
            &self.figure.color_bar,
            self.panels.iter().find_map(|p| p.scale.as_ref()),
        ) {
            let span = scale.limits.span();
            let length = self.sizes[0].1 * self.figure.rows as f64;
            match BarPlace::shared(bar, self.figure, self.panels) {
                BarPlace::Right => {
                    let side = sides::bar_side(&span, &bar.label, length, true, s);
                    self.outer.right = s.bar_gap() * 1.3 + s.bar_width() + upright_depth(&side, s);
                }
                BarPlace::Bottom => {
                    let side = sides::bar_side(&span, &bar.label, self.sizes[0].0 * 1.5, false, s);
                    self.outer.bottom = s.bar_gap() + s.bar_width() + flat_depth(&side, s);
                }
            }
        }
        Ok(())
    }

    fn panel_margins(&self, index: usize, sides: &Sides) -> Margins {
        let (panel, s) = (&self.panels[index], self.style);
        let (width, height) = self.sizes[index];
        let (show_x, show_y) = self.shows(index);
        let mut m = Margins::default();
        let ticked = |side: &Side| !side.major.is_empty();
        if show_y {
            m.left = upright_depth(&sides.y, s);
        } else if ticked(&sides.y) {
            m.left = s.tick_length();
        }
        if show_x {
            m.bottom = flat_depth(&sides.x, s);
            // Labels at the ends of a side reach beyond the panel.
            for (at, label) in &sides.x.major {
                let half = label_size(&sides.x, label, s).0 / 2.0;
                m.left = m.left.max(half - at * width);
                m.right = m.right.max(at * width + half - width);
            }
        } else if ticked(&sides.x) {
            m.bottom = s.tick_length();
        }
        if show_y {
            for (at, label) in &sides.y.major {
                let half = font::height(label, s.tick) / 2.0;
                m.top = m.top.max(at * height + half - height);
                m.bottom = m.bottom.max(half - at * height);
            }
        }
        // Titles longer than their side reach beyond it on both ends.
        let beyond = |title: &str, length: f64| {
            ((font::width(title, s.label, Weight::Regular) - length) / 2.0).max(0.0)
        };
        if show_x {
            let over = beyond(&sides.x.title, width);
            (m.left, m.right) = (m.left.max(over), m.right.max(over));
        }
        if show_y {
            let over = beyond(&sides.y.title, height);
            (m.top, m.bottom) = (m.top.max(over), m.bottom.max(over));
        }
        let title = self.title_of(index);
        if !title.is_empty() {
            m.top = m
                .top
                .max(font::height(&title, s.title) + s.title_pad() + font::DESCENT * s.title * 0.5);
        }
        let mut beside_panel = 0.0;
        if let (Some(bar), Some(scale), None) = (&panel.axes.color_bar, &panel.scale, &self.figure.color_bar)
        {
            let span = scale.limits.span();
            match BarPlace::of(bar, panel) {
                BarPlace::Right => {
                    let side = sides::bar_side(&span, &bar.label, height, true, s);
                    beside_panel = s.bar_gap() + s.bar_width() + upright_depth(&side, s);
                    let over = beyond(&side.title, height);
                    (m.top, m.bottom) = (m.top.max(over), m.bottom.max(over));
                    m.top = m.top.max(s.tick * 0.4);
                    m.bottom = m.bottom.max(s.tick * 0.4);
                }
                BarPlace::Bottom => {
                    let side = sides::bar_side(&span, &bar.label, width, false, s);
                    m.bottom += s.bar_gap() + s.bar_width() + flat_depth(&side, s);
                }
            }
        }
        match outside(panel, self.figure) {
            Some(BarPlace::Right) => {
                let (legend_width, legend_height) = legend::size(&panel.legend, 1, s);
                beside_panel += s.bar_gap() + legend_width;
                m.legend = beside_panel - legend_width;
                m.bottom = m.bottom.max(legend_height - height);
            }
            Some(BarPlace::Bottom) => {
                let columns = legend::columns(&panel.legend, width, s);
                m.legend = m.bottom + s.bar_gap();
                m.bottom = m.legend + legend::size(&panel.legend, columns, s).1;
            }
            None => {}
        }
        m.right = m.right.max(beside_panel);
        // What stands below a panel over an empty cell has room there.
        let below_is_empty = index + self.figure.cols >= self.panels.len();
        if below_is_empty && self.cell(index).0 + 1 < self.panels.len().div_ceil(self.figure.cols) {
            m.bottom = 0.0;
        }
        m
    }

    fn title_of(&self, index: usize) -> String {
        title_of(self.figure, self.panels, index)
    }

    fn gap(&self) -> f64 {
        self.style.margin() * 1.7
    }

    /// The largest of a margin over each column (or row) of panels.
    fn along(&self, columns: bool, get: fn(&Margins) -> f64) -> Vec<f64> {
        let count = if columns {
            self.figure.cols
        } else {
            self.figure.rows
        };
        let mut out = vec![0.0f64; count];
        for (i, m) in self.margins.iter().enumerate() {
            let (row, col) = self.cell(i);
            let at = if columns { col } else { row };
            out[at] = out[at].max(get(m));
        }
        out
    }

    /// Panel sizes for the present margins.
    fn distribute(&mut self) {
        let (rows, cols) = (self.figure.rows, self.figure.cols);
        let edge = 2.0 * self.style.margin();
        let sum = |v: Vec<f64>| v.iter().sum::<f64>();
        let taken_width = sum(self.along(true, |m| m.left))
            + sum(self.along(true, |m| m.right))
            + self.gap() * (cols - 1) as f64
            + self.outer.left
            + self.outer.right
            + edge;
        let taken_height = sum(self.along(false, |m| m.top))
            + sum(self.along(false, |m| m.bottom))
            + self.gap() * (rows - 1) as f64
            + self.outer.top
            + self.outer.bottom
            + edge;
        let least = 8.0;
        let page_width = match self.figure.width {
            Some(_) => self.page.0,
            None => self.page.0.max(taken_width + 0.5 * self.page.0),
        };
        let width = ((page_width - taken_width) / cols as f64).max(least);
        let free_height = (self.page.1 - taken_height).max(least * rows as f64);
        let all_fixed = self.panels.iter().all(|p| p.aspect.is_some());
        if self.figure.height.is_some() && !all_fixed {
            let height = free_height / rows as f64;
            for (size, panel) in self.sizes.iter_mut().zip(self.panels) {
                *size = match panel.aspect {
                    Some(aspect) => (width.min(height / aspect), height.min(width * aspect)),
                    None => (width, height),
                };
            }
            return;
        }
        // Rows as high as their highest panel; all narrower when that is too high for the page.
        let mut row_heights = vec![0.0f64; rows];
        for (i, panel) in self.panels.iter().enumerate() {
            let row = i / cols;
            row_heights[row] = row_heights[row].max(width * panel.aspect.unwrap_or(CHART_ASPECT));
        }
        let total: f64 = row_heights.iter().sum();
        let shrink = (free_height / total).min(1.0);
        for (i, panel) in self.panels.iter().enumerate() {
            self.sizes[i] = match panel.aspect {
                Some(aspect) => (width * shrink, width * shrink * aspect),
                None => (width, row_heights[i / cols] * shrink),
            };
        }
    }

    /// The final places, with panel edges on whole pixels.
    fn place(mut self) -> Layout {
        let (rows, cols) = (self.figure.rows, self.figure.cols);
        let (left, right) = (self.along(true, |m| m.left), self.along(true, |m| m.right));
        let (top, bottom) = (self.along(false, |m| m.top), self.along(false, |m| m.bottom));
        let (mut widths, mut heights) = (vec![0.0f64; cols], vec![0.0f64; rows]);
        for (i, size) in self.sizes.iter().enumerate() {
            let (row, col) = self.cell(i);
            widths[col] = widths[col].max(size.0);
            heights[row] = heights[row].max(size.1);
        }
        let sum = |lists: [&Vec<f64>; 3]| lists.iter().flat_map(|l| l.iter()).sum::<f64>();
        let block_width = sum([&left, &widths, &right]) + self.gap() * (cols - 1) as f64;
        let block_height = sum([&top, &heights, &bottom]) + self.gap() * (rows - 1) as f64;
        let edge = self.style.margin();
        let pixel = 72.0 / self.figure.dpi;
        let whole = |v: f64| (v / pixel).round() * pixel;
        let needed_width = block_width + self.outer.left + self.outer.right + 2.0 * edge;
        let needed_height = block_height + self.outer.top + self.outer.bottom + 2.0 * edge;
        let title_width =
            font::width(&self.figure.title, self.style.page_title, Weight::Regular) + 2.0 * edge;
        let width = match self.figure.width {
            Some(inches) => whole(inches * 72.0),
            None => (needed_width.max(title_width) / pixel).ceil() * pixel,
        };
        let height = match self.figure.height {
            Some(inches) => whole(inches * 72.0),
            None => (needed_height / pixel).ceil() * pixel,
        };
        let block = Rect::new(
            edge + self.outer.left + ((width - needed_width) / 2.0).max(0.0),
            edge + self.outer.top + ((height - needed_height) / 2.0).max(0.0),
            block_width,
            block_height,
        );
        let starts = |origin: f64, before: &[f64], size: &[f64], after: &[f64], gap: f64| -> Vec<f64> {
            let mut at = origin;
            (0..size.len())
                .map(|i| {
                    let start = at + before[i];
                    at = start + size[i] + after[i] + gap;
                    start
                })
                .collect()
        };
        let xs = starts(block.x, &left, &widths, &right, self.gap());
        let ys = starts(block.y, &top, &heights, &bottom, self.gap());
        let sides = std::mem::take(&mut self.sides);
        let panels: Vec<Placement> = sides
            .into_iter()
            .enumerate()
            .map(|(i, sides)| {
                let (row, col) = self.cell(i);
                let (w, h) = self.sizes[i];
                let (x, y) = (
                    xs[col] + (widths[col] - w) / 2.0,
                    ys[row] + (heights[row] - h) / 2.0,
                );
                let (x0, y0) = (whole(x), whole(y));
                let rect = Rect::new(
                    x0,
                    y0,
                    whole(x + w).max(x0 + pixel) - x0,
                    whole(y + h).max(y0 + pixel) - y0,
                );
                self.around(i, rect, sides)
            })
            .collect();
        let shared_bar = self.shared_bar(&panels, &block);
        Layout {
            width,
            height,
            panels,
            block,
            shared_bar,
        }
    }

    fn around(&self, index: usize, rect: Rect, sides: Sides) -> Placement {
        let (panel, s) = (&self.panels[index], self.style);
        let show = self.shows(index);
        let own_bar = self.figure.color_bar.is_none() && panel.scale.is_some();
        let bar =
            panel
                .axes
                .color_bar
                .as_ref()
                .filter(|_| own_bar)
                .map(|bar| match BarPlace::of(bar, panel) {
                    BarPlace::Right => {
                        Rect::new(rect.right() + s.bar_gap(), rect.y, s.bar_width(), rect.height)
                    }
                    BarPlace::Bottom => {
                        let depth = if show.0 {
                            flat_depth(&sides.x, s)
                        } else {
                            s.tick_length()
                        };
                        Rect::new(
                            rect.x,
                            rect.bottom() + depth + s.bar_gap(),
                            rect.width,
                            s.bar_width(),
                        )
                    }
                });
        let away = self.margins[index].legend;
        let legend = outside(panel, self.figure).map(|side| match side {
            BarPlace::Right => ((rect.right() + away, rect.y), 1),
            BarPlace::Bottom => (
                (rect.x, rect.bottom() + away),
                legend::columns(&panel.legend, rect.width, s),
            ),
        });
        Placement {
            rect,
            sides,
            show,
            bar,
            legend,
        }
    }

    fn shared_bar(&self, panels: &[Placement], block: &Rect) -> Option<Rect> {
        let bar = self.figure.color_bar.as_ref()?;
        self.panels.iter().find(|p| p.scale.is_some())?;
        let s = self.style;
        let ends = |low: fn(&Rect) -> f64, high: fn(&Rect) -> f64| {
            let low = panels.iter().map(|p| low(&p.rect)).fold(f64::MAX, f64::min);
            let high = panels.iter().map(|p| high(&p.rect)).fold(f64::MIN, f64::max);
            (low, high)
        };
        Some(match BarPlace::shared(bar, self.figure, self.panels) {
            BarPlace::Right => {
                let (top, bottom) = ends(|r| r.y, |r| r.bottom());
                Rect::new(
                    block.right() + s.bar_gap() * 1.3,
                    top,
                    s.bar_width(),
                    bottom - top,
                )
            }
            BarPlace::Bottom => {
                let (left, right) = ends(|r| r.x, |r| r.right());
                let length = (right - left) * if self.figure.cols > 1 { 0.6 } else { 1.0 };
                let start = (left + right - length) / 2.0;
                Rect::new(start, block.bottom() + s.bar_gap(), length, s.bar_width())
            }
        })
    }
}

/// Title of a panel with its letter.
pub fn title_of(figure: &Figure, panels: &[Panel], index: usize) -> String {
    let title = &panels[index].axes.title;
    if !figure.letters {
        return title.clone();
    }
    let letter = char::from(b'a' + (index % 26) as u8);
    if title.is_empty() {
        format!("({letter})")
    } else {
        format!("({letter}) {title}")
    }
}

/// The side of the panel at which the legend stands, if it is not within. Together with a colour bar it would leave a map
/// little room, so that the legend goes below then.
fn outside(panel: &Panel, figure: &Figure) -> Option<BarPlace> {
    let beside = panel.marks.iter().any(|m| m.mark.is_legend_beside());
    let map = matches!(panel.axes.kind, AxesKind::Map(_));
    let own_bar = figure.color_bar.is_none() && panel.scale.is_some();
    let bar = panel
        .axes
        .color_bar
        .as_ref()
        .filter(|bar| own_bar && BarPlace::of(bar, panel) == BarPlace::Right);
    match panel.axes.legend {
        _ if panel.legend.is_empty() => None,
        Legend::Right => Some(BarPlace::Right),
        Legend::Auto if beside && map && bar.is_some() => Some(BarPlace::Bottom),
        Legend::Auto if beside && map => Some(BarPlace::Right),
        _ => None,
    }
}
