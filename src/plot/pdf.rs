//! A page as PDF 1.7. Text is text, which can be selected and searched, in subsets of the embedded typeface; images keep the figure's dpi.

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, SystemInfo, TextRenderingMode, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Ref, Str, TextStr};
use subsetter::GlyphRemapper;

use super::color::Color;
use super::font::{self, Weight};
use super::picture::Picture;
use super::scene::{Glyph, Item, Path, PathStep, Rect, Scene, Stroke, Text};
use crate::error::{Error, Result};
use crate::work::provenance::RECORD;

/// The document of a page, with the record of how it was made, in ASCII.
///
/// # Errors
/// None that a user can cause.
pub fn pdf(scene: &Scene, title: &str, record: Option<&str>) -> Result<Vec<u8>> {
    let mut next = 0;
    let mut id = || {
        next += 1;
        Ref::new(next)
    };
    let (catalog, pages, page, content, info) = (id(), id(), id(), id(), id());
    let mut writer = Writer {
        content: Content::new(),
        alphas: BTreeSet::new(),
        images: Vec::new(),
        fonts: BTreeMap::new(),
    };
    // Scenes count from the top, PDF from the bottom.
    writer
        .content
        .transform([1.0, 0.0, 0.0, -1.0, 0.0, scene.height as f32]);
    if scene.background.a > 0 {
        let all = Rect::new(0.0, 0.0, scene.width, scene.height);
        writer.shape(&[all.into()], scene.background, None);
    }
    writer.draw(&scene.items);
    let Writer {
        content: drawn,
        alphas,
        images,
        fonts,
    } = writer;
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([page]).count(1);
    let image_ids: Vec<Ref> = images.iter().map(|_| id()).collect();
    let mut font_ids: BTreeMap<Weight, Ref> = BTreeMap::new();
    for weight in fonts.keys() {
        font_ids.insert(*weight, id());
    }
    {
        let mut described = pdf.page(page);
        described.parent(pages).contents(content);
        let (width, height) = (scene.width as f32, scene.height as f32);
        described.media_box(pdf_writer::Rect::new(0.0, 0.0, width, height));
        let mut resources = described.resources();
        let mut states = resources.ext_g_states();
        for &alpha in &alphas {
            let mut state = states
                .insert(Name(alpha_name(alpha).as_bytes()))
                .start::<pdf_writer::writers::ExtGraphicsState>();
            state
                .stroking_alpha(f32::from(alpha) / 255.0)
                .non_stroking_alpha(f32::from(alpha) / 255.0);
        }
        states.finish();
        let mut objects = resources.x_objects();
        for (i, image) in image_ids.iter().enumerate() {
            objects.pair(Name(image_name(i).as_bytes()), *image);
        }
        objects.finish();
        let mut named = resources.fonts();
        for (weight, font) in &font_ids {
            named.pair(Name(font_name(*weight).as_bytes()), *font);
        }
    }
    let drawn = packed(&drawn.finish())?;
    pdf.stream(content, &drawn).filter(Filter::FlateDecode);
    for (picture, image) in images.into_iter().zip(image_ids) {
        write_image(&mut pdf, image, picture, &mut id)?;
    }
    for (weight, used) in &fonts {
        write_font(&mut pdf, *weight, used, font_ids[weight], &mut id)?;
    }
    let mut about = pdf.document_info(info);
    about.creator(TextStr("perilune"));
    if !title.is_empty() {
        about.title(TextStr(title));
    }
    if let Some(record) = record {
        about.pair(Name(RECORD.as_bytes()), TextStr(record));
    }
    about.finish();
    Ok(pdf.finish())
}

fn packed(bytes: &[u8]) -> Result<Vec<u8>> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::default());
    encoder
        .write_all(bytes)
        .and_then(|()| encoder.finish())
        .map_err(|e| Error::message(format!("compressing a PDF: {e}")))
}

fn alpha_name(alpha: u8) -> String {
    format!("A{alpha}")
}

fn image_name(index: usize) -> String {
    format!("I{index}")
}

fn font_name(weight: Weight) -> &'static str {
    match weight {
        Weight::Regular => "F0",
        Weight::Bold => "F1",
    }
}

/// The glyphs of a typeface that are used, numbered anew, each with the character that it stands for.
#[derive(Default)]
struct Used {
    glyphs: GlyphRemapper,
    characters: BTreeMap<u16, (u16, char)>,
}

impl Used {
    /// The new number.
    fn add(&mut self, glyph: &Glyph) -> u16 {
        let new = self.glyphs.remap(glyph.glyph);
        self.characters
            .entry(new)
            .or_insert((glyph.glyph, glyph.character));
        new
    }
}

struct Writer<'a> {
    content: Content,
    /// Opacities that occur, of 255.
    alphas: BTreeSet<u8>,
    images: Vec<&'a Picture>,
    fonts: BTreeMap<Weight, Used>,
}

impl From<Rect> for Path {
    fn from(r: Rect) -> Path {
        Path::polygon([
            (r.x, r.y),
            (r.right(), r.y),
            (r.right(), r.bottom()),
            (r.x, r.bottom()),
        ])
    }
}

impl<'a> Writer<'a> {
    fn draw(&mut self, items: &'a [Item]) {
        for item in items {
            match item {
                Item::Rule {
                    from,
                    to,
                    width,
                    color,
                } => {
                    let path = Path::polyline([*from, *to]);
                    self.shape(&[path], Color::TRANSPARENT, Some(&Stroke::solid(*color, *width)));
                }
                Item::Box { rect, fill, stroke } => self.shape(&[(*rect).into()], *fill, stroke.as_ref()),
                Item::Path { path, fill, stroke } if !path.is_empty() => {
                    self.shape(std::slice::from_ref(path), *fill, stroke.as_ref());
                }
                Item::Path { .. } => {}
                Item::Marks {
                    shape,
                    at,
                    fills,
                    stroke,
                } => {
                    for (i, &(x, y)) in at.iter().enumerate() {
                        let Some(fill) = fills.get(i).or(fills.first()) else {
                            continue;
                        };
                        self.shape(&[shape.moved(x, y)], *fill, stroke.as_ref());
                    }
                }
                Item::Bitmap { rect, picture } => self.bitmap(rect, picture),
                Item::Text(text) => self.text(text),
                Item::Clip { rect, items } => {
                    self.content.save_state();
                    self.content.rect(
                        rect.x as f32,
                        rect.y as f32,
                        rect.width as f32,
                        rect.height as f32,
                    );
                    self.content.clip_nonzero().end_path();
                    self.draw(items);
                    self.content.restore_state();
                }
            }
        }
    }

    /// Sets the opacity of what comes; the state around is saved before.
    fn opacity(&mut self, alpha: u8) {
        if alpha < 255 {
            self.alphas.insert(alpha);
            self.content.set_parameters(Name(alpha_name(alpha).as_bytes()));
        }
    }

    fn shape(&mut self, paths: &[Path], fill: Color, stroke: Option<&Stroke>) {
        if fill.a > 0 {
            self.content.save_state();
            self.opacity(fill.a);
            let [r, g, b] = levels(fill);
            self.content.set_fill_rgb(r, g, b);
            paths.iter().for_each(|path| trace(&mut self.content, path));
            self.content.fill_even_odd().restore_state();
        }
        if let Some(stroke) = stroke.filter(|s| s.color.a > 0 && s.width > 0.0) {
            self.content.save_state();
            self.opacity(stroke.color.a);
            let [r, g, b] = levels(stroke.color);
            self.content
                .set_stroke_rgb(r, g, b)
                .set_line_width(stroke.width as f32)
                .set_line_join(LineJoinStyle::RoundJoin);
            if !stroke.dash.is_empty() {
                let dash = stroke.dash.iter().map(|d| *d as f32);
                self.content.set_dash_pattern(dash, 0.0);
            }
            paths.iter().for_each(|path| trace(&mut self.content, path));
            self.content.stroke().restore_state();
        }
    }

    fn bitmap(&mut self, rect: &Rect, picture: &'a Picture) {
        if picture.width == 0 || picture.height == 0 {
            return;
        }
        let name = image_name(self.images.len());
        self.images.push(picture);
        self.content.save_state();
        // Images stand on their lower left corner.
        self.content.transform([
            rect.width as f32,
            0.0,
            0.0,
            -rect.height as f32,
            rect.x as f32,
            rect.bottom() as f32,
        ]);
        self.content.x_object(Name(name.as_bytes())).restore_state();
    }

    fn text(&mut self, text: &Text) {
        let glyphs = text.glyphs();
        if glyphs.is_empty() {
            return;
        }
        self.content.save_state();
        if let Some((halo, width)) = text.halo {
            self.content.save_state();
            self.opacity(halo.a);
            let [r, g, b] = levels(halo);
            self.content
                .set_stroke_rgb(r, g, b)
                .set_line_width(2.0 * width as f32)
                .set_line_join(LineJoinStyle::RoundJoin)
                .begin_text()
                .set_text_rendering_mode(TextRenderingMode::Stroke);
            self.lines(text, &glyphs);
            self.content.end_text().restore_state();
        }
        self.opacity(text.color.a);
        let [r, g, b] = levels(text.color);
        self.content.set_fill_rgb(r, g, b).begin_text();
        self.lines(text, &glyphs);
        self.content.end_text().restore_state();
    }

    /// The letters, line by line, kerned as they were measured.
    fn lines(&mut self, text: &Text, glyphs: &[Glyph]) {
        let (sin, cos) = (-text.rotation).to_radians().sin_cos();
        let used = self.fonts.entry(text.weight).or_default();
        self.content
            .set_font(Name(font_name(text.weight).as_bytes()), text.size as f32);
        for line in glyphs.chunk_by(|a, b| a.y == b.y) {
            let (x, y) = (
                text.x + line[0].x * cos - line[0].y * sin,
                text.y + line[0].x * sin + line[0].y * cos,
            );
            // Letters stand upright on a page that counts downwards.
            let matrix = [cos, sin, sin, -cos, x, y].map(|v| v as f32);
            self.content.set_text_matrix(matrix);
            let mut shown = self.content.show_positioned();
            let mut items = shown.items();
            for (i, glyph) in line.iter().enumerate() {
                let new = used.add(glyph);
                items.show(Str(&new.to_be_bytes()));
                if let Some(next) = line.get(i + 1) {
                    let advance = font::advance(glyph.glyph, text.weight);
                    let kern = 1000.0 * (advance - (next.x - glyph.x) / text.size);
                    if kern.abs() > 0.5 {
                        items.adjust(kern as f32);
                    }
                }
            }
        }
    }
}

fn levels(color: Color) -> [f32; 3] {
    [color.r, color.g, color.b].map(|v| f32::from(v) / 255.0)
}

fn trace(content: &mut Content, path: &Path) {
    for step in &path.0 {
        match *step {
            PathStep::Move(x, y) => content.move_to(x as f32, y as f32),
            PathStep::Line(x, y) => content.line_to(x as f32, y as f32),
            PathStep::Cubic(v) => {
                let [a, b, c, d, e, f] = v.map(|v| v as f32);
                content.cubic_to(a, b, c, d, e, f)
            }
            PathStep::Close => content.close_path(),
        };
    }
}

fn write_image(pdf: &mut Pdf, image: Ref, picture: &Picture, id: &mut impl FnMut() -> Ref) -> Result<()> {
    let pixels = || picture.pixels.chunks_exact(4);
    let opaque = pixels().all(|p| p[3] == 255);
    let colors: Vec<u8> = pixels().flat_map(|p| [p[0], p[1], p[2]]).collect();
    let (width, height) = (picture.width as i32, picture.height as i32);
    let colors = packed(&colors)?;
    let mask = (!opaque).then(&mut *id);
    let mut object = pdf.image_xobject(image, &colors);
    object.filter(Filter::FlateDecode);
    object.width(width).height(height).bits_per_component(8);
    object.color_space().device_rgb();
    if let Some(mask) = mask {
        object.s_mask(mask);
    }
    object.finish();
    if let Some(mask) = mask {
        let shares: Vec<u8> = pixels().map(|p| p[3]).collect();
        let shares = packed(&shares)?;
        let mut object = pdf.image_xobject(mask, &shares);
        object.filter(Filter::FlateDecode);
        object.width(width).height(height).bits_per_component(8);
        object.color_space().device_gray();
    }
    Ok(())
}

const IDENTITY: SystemInfo = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};

fn write_font(
    pdf: &mut Pdf,
    weight: Weight,
    used: &Used,
    font: Ref,
    id: &mut impl FnMut() -> Ref,
) -> Result<()> {
    let (descendant, descriptor, file, unicode) = (id(), id(), id(), id());
    // The letters before the plus sign mark a subset.
    let name: &[u8] = match weight {
        Weight::Regular => b"PERILU+DejaVuSans",
        Weight::Bold => b"PERILV+DejaVuSans-Bold",
    };
    pdf.type0_font(font)
        .base_font(Name(name))
        .encoding_predefined(Name(b"Identity-H"))
        .descendant_font(descendant)
        .to_unicode(unicode);
    let mut cid = pdf.cid_font(descendant);
    cid.subtype(CidFontType::Type2)
        .base_font(Name(name))
        .system_info(IDENTITY)
        .font_descriptor(descriptor)
        .default_width(0.0)
        .cid_to_gid_map_predefined(Name(b"Identity"));
    let mut widths = cid.widths();
    for (new, (old, _)) in &used.characters {
        let width = 1000.0 * font::advance(*old, weight);
        widths.same(*new, *new, width as f32);
    }
    widths.finish();
    cid.finish();
    let measures = font::measures(weight);
    let [x0, y0, x1, y1] = measures.bounds.map(|v| 1000.0 * v as f32);
    pdf.font_descriptor(descriptor)
        .name(Name(name))
        .flags(FontFlags::SYMBOLIC)
        .bbox(pdf_writer::Rect::new(x0, y0, x1, y1))
        .italic_angle(0.0)
        .ascent(1000.0 * measures.ascent as f32)
        .descent(-1000.0 * font::DESCENT as f32)
        .cap_height(1000.0 * font::CAP_HEIGHT as f32)
        .stem_v(if weight == Weight::Bold { 180.0 } else { 90.0 })
        .font_file2(file);
    let mut cmap = UnicodeCmap::new(Name(b"Custom"), IDENTITY);
    for (new, (_, character)) in &used.characters {
        cmap.pair(*new, *character);
    }
    let cmap = packed(&cmap.finish())?;
    pdf.stream(unicode, &cmap).filter(Filter::FlateDecode);
    let subset = subsetter::subset(font::bytes(weight), 0, &used.glyphs)
        .map_err(|e| Error::message(format!("taking the letters of a PDF out of their typeface: {e}")))?;
    let length = subset.len() as i32;
    let subset = packed(&subset)?;
    let mut stream = pdf.stream(file, &subset);
    stream.filter(Filter::FlateDecode);
    stream.pair(Name(b"Length1"), length);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plot::scene::{Anchor, Level};
    use std::io::Read;

    fn page(items: Vec<Item>) -> Vec<u8> {
        let scene = Scene {
            width: 72.0,
            height: 36.0,
            background: Color::WHITE,
            items,
        };
        pdf(&scene, "A page", None).unwrap()
    }

    /// What compressed streams hold, in their order.
    fn streams(pdf: &[u8]) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        let mut rest = pdf;
        let find = |bytes: &[u8], what: &[u8]| bytes.windows(what.len()).position(|w| w == what);
        while let Some(start) = find(rest, b"\nstream\n") {
            rest = &rest[start + 8..];
            let mut bytes = Vec::new();
            flate2::read::ZlibDecoder::new(rest)
                .read_to_end(&mut bytes)
                .unwrap();
            out.push(bytes);
            rest = &rest[find(rest, b"endstream").unwrap()..];
        }
        out
    }

    #[test]
    fn text_can_be_read_back() {
        let mut text = Text::new("AV −3 m²", 5.0, 20.0, 9.0).anchored(Anchor::Start, Level::Baseline);
        text.halo = Some((Color::WHITE, 1.0));
        let bytes = page(vec![Item::Text(text)]);
        assert!(bytes.starts_with(b"%PDF-1.7"));
        let streams = streams(&bytes);
        let text_of = |s: &Vec<u8>| String::from_utf8_lossy(s).into_owned();
        let cmap = streams
            .iter()
            .map(text_of)
            .find(|s| s.contains("beginbfchar"))
            .unwrap();
        // Glyphs are numbered in the order in which they come, from 1 on.
        for (i, c) in "AV −3m²".chars().enumerate() {
            let pair = format!("<{:04X}> <{:04X}>", i + 1, c as u32);
            assert!(cmap.contains(&pair), "no {pair} for {c:?} in {cmap}");
        }
        let font = streams.iter().find(|s| s.starts_with(&[0, 1, 0, 0])).unwrap();
        assert!(font.len() < 20_000, "a subset has {} bytes", font.len());
        let face = ttf_parser::Face::parse(font, 0).unwrap();
        assert_eq!(face.number_of_glyphs(), 8);
        // A and V are drawn together.
        assert!(text_of(&streams[0]).contains(" TJ") || text_of(&streams[0]).contains("] TJ"));
        assert_eq!(text_of(&streams[0]).matches("BT").count(), 2);
    }

    #[test]
    fn images_keep_their_pixels_and_opacity() {
        let mut picture = Picture::new(2, 1);
        picture
            .pixels
            .copy_from_slice(&[10, 20, 30, 255, 40, 50, 60, 128]);
        let bytes = page(vec![Item::Bitmap {
            rect: Rect::new(1.0, 2.0, 3.0, 4.0),
            picture,
        }]);
        let streams = streams(&bytes);
        assert!(streams.contains(&vec![10, 20, 30, 40, 50, 60]));
        assert!(streams.contains(&vec![255, 128]));
    }

    #[test]
    fn the_same_page_gives_the_same_bytes() {
        let items = || vec![Item::Text(Text::new("same", 1.0, 9.0, 8.0))];
        assert_eq!(page(items()), page(items()));
    }
}
