//! A figure in characters: panels as coloured blocks, titles, tick labels, legends and colour bars as text.

use super::blocks::Canvas;
use super::{Graphics, Terminal};
use crate::error::Result;
use crate::plot::color::Color;
use crate::plot::figure::{AxesKind, Figure};
use crate::plot::key::{Key, LegendEntry};
use crate::plot::layout;
use crate::plot::panel::{self, ColorScale, Panel};
use crate::plot::picture::Picture;
use crate::plot::render;
use crate::plot::sides::{self, Sides};
use crate::plot::style::Style;

/// Font size at which a letter is about one pixel wide and two high: what a cell is in blocks.
const FONT: f64 = 1.7;
const SMALLEST: usize = 4;

/// One panel with everything around it, in cells.
struct Block {
    sides: Sides,
    title: String,
    /// Of the inside, in cells.
    width: usize,
    height: usize,
    left: usize,
    /// Columns for everything.
    cell: usize,
    legend: Vec<Vec<LegendEntry>>,
    bar: Option<(ColorScale, String)>,
}

pub fn figure(figure: &Figure, terminal: &Terminal) -> Result<String> {
    let panels = panel::panels(figure)?;
    let letters = terminal.graphics == Graphics::Ascii;
    let gap = 2;
    let cell = (terminal.columns.saturating_sub(gap * (figure.cols - 1)) / figure.cols).max(12);
    // Panels of one row of a figure take all lines; of more rows, at least half a screen each.
    let lines = terminal.rows.saturating_sub(5).max(8);
    let most = (lines / figure.rows).max(lines / 2);
    let blocks = panels
        .iter()
        .enumerate()
        .map(|(i, panel)| block(figure, &panels, i, panel, (cell, most)))
        .collect::<Result<Vec<Block>>>()?;
    let mut out = String::new();
    if !figure.title.is_empty() {
        let mut canvas = Canvas::new(terminal.columns, 1);
        canvas.text(&figure.title, centred(&figure.title, terminal.columns), 0, None);
        out.push_str(&canvas.encode(terminal));
    }
    for (row, members) in blocks.chunks(figure.cols).enumerate() {
        let height = members.iter().map(Block::total_height).max().unwrap_or(0);
        let mut canvas = Canvas::new((cell + gap) * members.len(), height);
        for (col, block) in members.iter().enumerate() {
            let index = row * figure.cols + col;
            let inside = render::inside(figure, &panels[index], block.width, 2 * block.height, letters)?;
            let chart = panels[index].axes.kind == AxesKind::Chart;
            block.draw(&mut canvas, col * (cell + gap), &inside, letters, chart);
        }
        out.push_str(&canvas.encode(terminal));
    }
    if let (Some(bar), Some(scale)) = (&figure.color_bar, panels.iter().find_map(|p| p.scale.as_ref())) {
        let mut canvas = Canvas::new(terminal.columns, 1);
        color_bar(&mut canvas, (0, 0), terminal.columns, scale, &bar.label, letters);
        out.push_str(&canvas.encode(terminal));
    }
    Ok(out)
}

fn centred(text: &str, width: usize) -> isize {
    (width as isize - text.chars().count() as isize) / 2
}

fn block(
    figure: &Figure,
    panels: &[Panel],
    index: usize,
    panel: &Panel,
    (cell, lines): (usize, usize),
) -> Result<Block> {
    let style = Style::new(FONT / 0.9);
    let (mut left, mut below) = (6, 2);
    let mut sides = Sides::default();
    let (mut width, mut height) = (0, 0);
    // Labels need room, and room decides on labels.
    for _ in 0..2 {
        let room = (
            cell.saturating_sub(left + 2).max(SMALLEST),
            lines.saturating_sub(below + 2).max(SMALLEST / 2),
        );
        (width, height) = fit(panel.aspect, room);
        sides = sides::sides(panel, width as f64, 2.0 * height as f64, &style)?;
        left = sides
            .y
            .major
            .iter()
            .map(|(_, l)| l.chars().count() + 1)
            .max()
            .unwrap_or(0);
        let highest = sides
            .x
            .major
            .iter()
            .map(|(_, l)| l.lines().count())
            .max()
            .unwrap_or(0);
        below = highest + usize::from(!sides.x.title.is_empty());
    }
    let own_bar = figure
        .color_bar
        .is_none()
        .then_some(panel.axes.color_bar.as_ref())
        .flatten();
    Ok(Block {
        title: layout::title_of(figure, panels, index),
        sides,
        width,
        height,
        left,
        cell,
        legend: in_lines(&panel.legend, cell),
        bar: own_bar
            .zip(panel.scale.clone())
            .map(|(bar, scale)| (scale, bar.label.clone())),
    })
}

/// Entries of a legend in lines that are no wider than a panel.
fn in_lines(entries: &[LegendEntry], width: usize) -> Vec<Vec<LegendEntry>> {
    let mut lines: Vec<Vec<LegendEntry>> = Vec::new();
    let mut used = 0;
    for entry in entries {
        let length = entry_width(entry);
        match lines.last_mut() {
            Some(line) if used + length <= width => line.push(entry.clone()),
            _ => {
                lines.push(vec![entry.clone()]);
                used = 0;
            }
        }
        used += length;
    }
    lines
}

/// Key, space, label and the distance to the next.
fn entry_width(entry: &LegendEntry) -> usize {
    entry.label.chars().count() + 4
}

/// Cells (width, height) of the largest panel of an aspect within some room.
fn fit(aspect: Option<f64>, (width, height): (usize, usize)) -> (usize, usize) {
    let Some(aspect) = aspect else {
        return (width, height.min(width / 3).max(SMALLEST / 2));
    };
    let full = width as f64 * aspect / 2.0;
    if full <= height as f64 {
        return (width, (full.round() as usize).max(1));
    }
    (
        ((2.0 * height as f64 / aspect).round() as usize).clamp(1, width),
        height,
    )
}

impl Block {
    fn total_height(&self) -> usize {
        let labels = self
            .sides
            .x
            .major
            .iter()
            .map(|(_, l)| l.lines().count())
            .max()
            .unwrap_or(0);
        let titles = [&self.title, &self.sides.y.title, &self.sides.x.title];
        let titles = titles.iter().filter(|t| !t.is_empty()).count();
        titles + self.height + labels + self.legend.len() + usize::from(self.bar.is_some())
    }

    /// Draws from a column on.
    fn draw(&self, canvas: &mut Canvas, column: usize, inside: &Picture, letters: bool, chart: bool) {
        let start = column + self.left;
        let middle = |text: &str| start as isize + centred(text, self.width);
        let mut line = 0;
        if !self.title.is_empty() {
            canvas.text(&self.title, middle(&self.title).max(column as isize), line, None);
            line += 1;
        }
        if !self.sides.y.title.is_empty() {
            canvas.text(&self.sides.y.title, column as isize, line, None);
            line += 1;
        }
        canvas.picture(inside, start, line, letters, chart);
        for (at, label) in &self.sides.y.major {
            let row = ((1.0 - at) * self.height as f64 - 0.5)
                .round()
                .clamp(0.0, self.height as f64 - 1.0);
            let from = start as isize - 1 - label.chars().count() as isize;
            canvas.text(label, from, line + row as usize, None);
        }
        line += self.height;
        let mut deepest = 0;
        for (at, label) in &self.sides.x.major {
            let centre = start as f64 + at * self.width as f64;
            for (i, part) in label.lines().enumerate() {
                let length = part.chars().count();
                let from = (centre - length as f64 / 2.0).round() as isize;
                canvas.text(part, from, line + i, None);
                deepest = deepest.max(i + 1);
            }
        }
        line += deepest;
        if !self.sides.x.title.is_empty() {
            canvas.text(&self.sides.x.title, middle(&self.sides.x.title), line, None);
            line += 1;
        }
        for entries in &self.legend {
            let mut at = column as isize + 1;
            for entry in entries {
                canvas.text("■", at, line, key_color(&entry.key).filter(|_| !letters));
                canvas.text(&entry.label, at + 2, line, None);
                at += entry_width(entry) as isize;
            }
            line += 1;
        }
        if let Some((scale, label)) = &self.bar {
            color_bar(canvas, (column, line), self.cell, scale, label, letters);
        }
    }
}

/// One line: lowest value, the colours, highest value, label.
fn color_bar(
    canvas: &mut Canvas,
    (column, line): (usize, usize),
    width: usize,
    scale: &ColorScale,
    label: &str,
    letters: bool,
) {
    let length = (width / 3).clamp(6, 40);
    let mut picture = Picture::new(length, 2);
    for (i, pixel) in picture.pixels.chunks_exact_mut(4).enumerate() {
        let c = scale.colormap.color(((i % length) as f64 + 0.5) / length as f64);
        pixel.copy_from_slice(&[c.r, c.g, c.b, 255]);
    }
    let (low, high) = ends(scale);
    let start = column + low.chars().count() + 2;
    canvas.text(&low, column as isize + 1, line, None);
    canvas.picture(&picture, start, line, letters, false);
    canvas.text(
        &format!("{high}  {label}"),
        (start + length + 1) as isize,
        line,
        None,
    );
}

/// The limits, as precise as the range needs.
fn ends(scale: &ColorScale) -> (String, String) {
    use crate::plot::ticks;
    let (low, high) = (scale.limits.low, scale.limits.high);
    let step = ticks::steps(high - low, 100).next().unwrap_or(1.0);
    let decimals = ticks::decimals(step).min(6);
    (ticks::plain(low, decimals), ticks::plain(high, decimals))
}

/// The colour of a key, unless it is too dark to be seen on a dark terminal.
fn key_color(key: &Key) -> Option<Color> {
    let color = match key {
        Key::Patch { fill, outline } if fill.a == 0 => outline.unwrap_or(Color::BLACK),
        Key::Patch { fill, .. } => *fill,
        Key::Line { color, .. }
        | Key::Mark { color, .. }
        | Key::Arrow { color, .. }
        | Key::ErrorBar { color, .. } => *color,
    };
    (color.luma() > 40.0).then_some(Color { a: 255, ..color })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::{Axes, ColorBar, Coordinates};
    use crate::plot::mark::{Image, Line};
    use crate::raster::{Affine, Crs, Grid};
    use ndarray::Array2;

    fn terminal(graphics: Graphics, columns: usize, rows: usize) -> Terminal {
        Terminal {
            graphics,
            true_color: true,
            unicode: true,
            tmux: false,
            columns,
            rows,
            cell: (9.0, 18.0),
        }
    }

    fn map() -> Figure {
        let grid = Grid::new(
            Some(Crs::parse("EPSG:32611").unwrap()),
            Affine::north_up(600_000.0, 3_780_000.0, 100.0, 100.0),
            60,
            80,
        )
        .unwrap();
        let values = Array2::from_shape_fn((60, 80), |(r, c)| (r + c) as f32);
        let mut axes = Axes::map(Coordinates::Map);
        axes.title = "A slope".into();
        axes.add(Image::new(values, Some(grid)));
        axes.color_bar = Some(ColorBar::new("Height (m)"));
        Figure::of(axes)
    }

    /// Text without its escape sequences.
    fn bare(text: &str) -> String {
        let mut out = String::new();
        let mut parts = text.split('\x1b');
        out.push_str(parts.next().unwrap_or_default());
        for part in parts {
            out.push_str(part.split_once('m').unwrap().1);
        }
        out
    }

    #[test]
    fn a_map_has_its_title_labels_and_colour_bar() {
        let text = figure(&map(), &terminal(Graphics::Blocks, 60, 30)).unwrap();
        let plain = bare(&text);
        for part in [
            "A slope",
            "Northing (km)",
            "Easting (km)",
            "3776",
            "604",
            "0 ▀",
            "▀ 138  Height (m)",
        ] {
            assert!(plain.contains(part), "no {part:?} in\n{plain}");
        }
        assert!(plain.lines().all(|l| l.chars().count() <= 60), "{plain}");
        assert!(plain.lines().count() <= 30);
    }

    #[test]
    fn every_size_of_terminal_will_do() {
        for (columns, rows) in [(10, 4), (20, 10), (80, 24), (300, 100)] {
            for graphics in [Graphics::Blocks, Graphics::Ascii] {
                let text = figure(&map(), &terminal(graphics, columns, rows)).unwrap();
                assert!(!text.is_empty() && text.ends_with('\n'));
            }
        }
    }

    #[test]
    fn letters_carry_a_chart_without_escapes() {
        let mut axes = Axes::chart();
        let x: Vec<f64> = (0..50).map(f64::from).collect();
        let mut line = Line::new(x.clone(), x.iter().map(|v| v * v).collect());
        line.label = "squares".into();
        axes.add(line);
        axes.y.label = "Area (m²)".into();
        let text = figure(&Figure::of(axes), &terminal(Graphics::Ascii, 60, 20)).unwrap();
        assert!(!text.contains('\x1b'));
        assert!(
            text.contains("Area (m²)") && text.contains("■ squares") && text.contains("2000"),
            "{text}"
        );
        // The line rises from the lower left to the upper right.
        let column_of = |line: &str| line.find(['@', '#', '%', '*']);
        let inked: Vec<usize> = text
            .lines()
            .filter(|l| !l.contains("squares"))
            .filter_map(column_of)
            .collect();
        assert!(inked.len() > 4 && inked.first() > inked.last(), "{text}");
    }
}
