//! From the model to pictures and files.

use std::path::Path;

use super::bar_place::BarPlace;
use super::color::Color;
use super::figure::{AxesKind, Figure, Legend};
use super::font::Weight;
use super::frame;
use super::layout::{self, Layout, Placement};
use super::legend;
use super::mark::Page;
use super::paint;
use super::panel::{self, Panel};
use super::pdf;
use super::picture::Picture;
use super::place::Obstacles;
use super::scale_bar;
use super::scene::{Anchor, Item, Level, Rect, Scene, Text};
use super::style::Style;
use super::svg;
use super::told;
use crate::error::{Error, Result};
use crate::files;
use crate::work::provenance;

/// File name extensions that `Figure::write` knows.
pub const FORMATS: [&str; 3] = ["png", "svg", "pdf"];

impl Figure {
    /// The figure as pixels, at its size and dpi.
    ///
    /// # Errors
    /// Anything senseless in the model: empty figures, arrays of different lengths, unusable limits or sizes,
    /// images in different CRSs in one map.
    pub fn picture(&self) -> Result<Picture> {
        paint::paint(&self.scene()?, self.dpi)
    }

    /// The figure as an SVG document. Images inside it have the figure's dpi.
    ///
    /// # Errors
    /// As `picture`.
    pub fn svg(&self) -> Result<String> {
        svg::svg(&self.scene()?)
    }

    /// The figure as a PDF document of one page. Images inside it have the figure's dpi.
    ///
    /// # Errors
    /// As `picture`.
    pub fn pdf(&self) -> Result<Vec<u8>> {
        pdf::pdf(&self.scene()?, &self.title, None)
    }

    /// Writes a `.png`, `.svg` or `.pdf` file. The file appears under its name only when it is complete.
    ///
    /// # Errors
    /// Another extension, a folder that cannot be written to, and everything that `picture` reports.
    pub fn write(&self, path: &Path) -> Result<()> {
        let bytes = self.bytes(path, provenance::record(path).as_deref())?;
        files::write_whole(path, &bytes)
    }

    /// What the file of that name would hold.
    ///
    /// # Errors
    /// Another extension; as `picture`.
    pub fn file(&self, path: &Path) -> Result<Vec<u8>> {
        self.bytes(path, None)
    }

    fn bytes(&self, path: &Path, record: Option<&str>) -> Result<Vec<u8>> {
        let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match extension.to_ascii_lowercase().as_str() {
            "png" => Ok(told::in_png(self.picture()?.png(Some(self.dpi))?, record)),
            "svg" => Ok(told::in_svg(self.svg()?, record).into_bytes()),
            "pdf" => pdf::pdf(&self.scene()?, &self.title, record),
            _ => Err(Error::argument(
                "file name of a figure",
                FORMATS.map(|f| format!("*.{f}")).join(", "),
                format!("`{}`", path.display()),
            )),
        }
    }

    fn scene(&self) -> Result<Scene> {
        let style = Style::new(self.font_size);
        let panels = panel::panels(self)?;
        let layout = layout::layout(self, &panels, &style)?;
        // Before the images in it are drawn.
        paint::pixels(layout.width, layout.height, self.dpi)?;
        let mut items = Vec::new();
        for (i, (panel, placement)) in panels.iter().zip(&layout.panels).enumerate() {
            let title = layout::title_of(self, &panels, i);
            items.extend(panel_items(panel, placement, &title, self.dpi, &style)?);
        }
        items.extend(self.page_items(&panels, &layout, &style));
        Ok(Scene {
            width: layout.width,
            height: layout.height,
            background: self.background,
            items,
        })
    }

    /// Page title and shared colour bar.
    fn page_items(&self, panels: &[Panel], layout: &Layout, style: &Style) -> Vec<Item> {
        let mut items = Vec::new();
        if !self.title.is_empty() {
            let mut text = Text::new(
                &self.title,
                layout.width / 2.0,
                layout.block.y - 1.2 * style.title_pad(),
                style.page_title,
            )
            .anchored(Anchor::Middle, Level::Baseline);
            text.weight = Weight::Bold;
            items.push(Item::Text(text));
        }
        let scale = panels.iter().find_map(|p| p.scale.as_ref());
        if let (Some(bar), Some(rect), Some(scale)) = (&self.color_bar, &layout.shared_bar, scale) {
            let place = BarPlace::shared(bar, self, panels);
            items.extend(frame::color_bar(&bar.label, place, scale, rect, self.dpi, style));
        }
        items
    }

    /// Width and height in inches.
    ///
    /// # Errors
    /// As `picture`, but for the number of pixels.
    pub fn size(&self) -> Result<(f64, f64)> {
        let style = Style::new(self.font_size);
        let layout = layout::layout(self, &panel::panels(self)?, &style)?;
        Ok((layout.width / 72.0, layout.height / 72.0))
    }

    /// What stands for the figure where there is nothing but text.
    ///
    /// # Errors
    /// As `size`.
    pub fn words(&self) -> Result<String> {
        let (width, height) = self.size()?;
        Ok(format!("[figure of {width:.1} × {height:.1} inches]"))
    }
}

/// The inside of one panel without frame and labels, `width` × `height` pixels: what a terminal can show where
/// letters cannot be drawn. Lines and marks are 0.7 pixels wide for every point. `bare` leaves the
/// background transparent.
pub fn inside(figure: &Figure, panel: &Panel, width: usize, height: usize, bare: bool) -> Result<Picture> {
    let style = Style::new(figure.font_size);
    const PIXELS_PER_POINT: f64 = 0.7;
    let rect = Rect::new(
        0.0,
        0.0,
        width as f64 / PIXELS_PER_POINT,
        height as f64 / PIXELS_PER_POINT,
    );
    let frame = panel.frame(rect);
    let page = Page {
        cells: (width, height),
        style: &style,
    };
    let items = panel
        .marks
        .iter()
        // Letters of a figure would be unreadable specks.
        .filter(|m| !m.mark.is_text())
        .flat_map(|m| m.mark.draw(&m.ink, &frame, &page))
        .collect();
    let scene = Scene {
        width: rect.width,
        height: rect.height,
        background: if bare { Color::TRANSPARENT } else { panel.axes.face },
        items: vec![Item::Clip { rect, items }],
    };
    paint::paint(&scene, 72.0 * PIXELS_PER_POINT)
}

fn panel_items(
    panel: &Panel,
    placement: &Placement,
    title: &str,
    dpi: f64,
    style: &Style,
) -> Result<Vec<Item>> {
    let rect = placement.rect;
    let frame = panel.frame(rect);
    let cells = |points: f64| ((points * dpi / 72.0).round() as usize).max(1);
    let page = Page {
        cells: (cells(rect.width), cells(rect.height)),
        style,
    };
    let map = matches!(panel.axes.kind, AxesKind::Map(_));
    let mut items = vec![Item::Box {
        rect,
        fill: panel.axes.face,
        stroke: None,
    }];
    let mut inside = Vec::new();
    if !map {
        inside.extend(frame::grid_lines(panel, placement, style)?);
    }
    for placed in &panel.marks {
        inside.extend(placed.mark.draw(&placed.ink, &frame, &page));
    }
    if map {
        inside.extend(frame::grid_lines(panel, placement, style)?);
    }
    items.push(Item::Clip { rect, items: inside });
    let mut taken = None;
    if let (true, Some(corner)) = (map, panel.axes.scale_bar) {
        items.extend(scale_bar::draw(panel, &rect, corner, style)?);
        taken = Some(corner);
    }
    items.extend(frame::frame(
        placement,
        title,
        panel.axes.kind != AxesKind::Space,
        style,
    ));
    if let (Some(bar), Some(rect), Some(scale)) = (&panel.axes.color_bar, &placement.bar, &panel.scale) {
        let place = BarPlace::of(bar, panel);
        items.extend(frame::color_bar(&bar.label, place, scale, rect, dpi, style));
    }
    if let Some((at, columns)) = placement.legend {
        items.extend(legend::draw(&panel.legend, at, columns, false, style));
    } else if !panel.legend.is_empty() {
        let size = legend::size(&panel.legend, 1, style);
        let corner = match panel.axes.legend {
            Legend::At(corner) => corner,
            _ => {
                let mut obstacles = Obstacles::default();
                for placed in &panel.marks {
                    placed.mark.obstacles(&frame, &mut obstacles);
                }
                let mut points = obstacles.0;
                // A scale bar is in the way of everything.
                if let Some(corner) = taken {
                    let middle = legend::in_corner(&rect, size, corner, style).centre();
                    points.extend(std::iter::repeat_n(middle, 1_000_000));
                }
                legend::emptiest(&rect, size, &points, style)
            }
        };
        let at: Rect = legend::in_corner(&rect, size, corner, style);
        items.extend(legend::draw(&panel.legend, (at.x, at.y), 1, true, style));
    }
    Ok(items)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::figure::Axes;
    use crate::plot::mark::Line;

    fn chart() -> Figure {
        let mut axes = Axes::chart();
        let mut line = Line::new(vec![0.0, 1.0, 2.0], vec![0.0, 3.0, 1.0]);
        line.label = "backscatter".into();
        axes.add(line);
        Figure::of(axes)
    }

    #[test]
    fn the_size_and_dpi_asked_for_are_what_comes() {
        let mut figure = chart();
        (figure.width, figure.height, figure.dpi) = (Some(3.0), Some(2.0), 120.0);
        let picture = figure.picture().unwrap();
        assert_eq!((picture.width, picture.height), (360, 240));
        assert!(figure.svg().unwrap().contains("width=\"216pt\" height=\"144pt\""));
    }

    #[test]
    fn files_appear_whole_and_leave_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a.png", "b.SVG", "c.pdf"] {
            chart().write(&folder.path().join(name)).unwrap();
        }
        let mut names: Vec<String> = std::fs::read_dir(folder.path())
            .unwrap()
            .map(|e| e.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        assert_eq!(names, ["a.png", "b.SVG", "c.pdf"]);
    }

    #[test]
    fn an_unknown_extension_names_the_known_ones() {
        let error = chart().write(Path::new("out.jpeg")).unwrap_err().to_string();
        assert_eq!(
            error,
            "file name of a figure must be *.png, *.svg, *.pdf, got `out.jpeg`"
        );
        let missing = chart()
            .write(Path::new("/nonexistent/folder/a.png"))
            .unwrap_err()
            .to_string();
        assert!(
            missing.contains("the folder /nonexistent/folder does not exist"),
            "{missing}"
        );
    }

    #[test]
    fn an_empty_figure_says_what_to_do() {
        let message = Figure::new(1, 1).picture().unwrap_err().to_string();
        assert_eq!(message, "the figure is empty: add axes first");
    }
}
