//! A canvas as PDF: paths as in the SVG, maps as images, and text as text of the embedded font, which can be searched and copied.

use super::canvas::{Canvas, Fill, Item, Map, Rectangle, Stroke, glyph_matrix};
use super::font::{Cut, Glyph, Step};
use super::image::{Image, image};
use crate::output::sha256_of;
use crate::plot::colour::Colour;
use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::types::{CidFontType, FontFlags, LineJoinStyle, Predictor, SystemInfo, UnicodeCmap};
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str};
use std::collections::BTreeMap;
use std::io::Write;
use subsetter::GlyphRemapper;
use ttf_parser::GlyphId;

/// Text is written by the numbers of glyphs.
const ENCODING: Name = Name(b"Identity-H");
/// Registry and ordering of glyph numbers, and of the characters that they stand for.
const GLYPHS: SystemInfo = system(b"Identity");
const CHARACTERS: SystemInfo = system(b"UCS");

const fn system(ordering: &[u8]) -> SystemInfo<'_> {
    SystemInfo {
        registry: Str(b"Adobe"),
        ordering: Str(ordering),
        supplement: 0,
    }
}

/// The bytes of a PDF file of one page. Nothing in it depends on the time or the machine.
pub(super) fn render(canvas: &Canvas) -> Result<Vec<u8>, String> {
    let page = page(canvas)?;
    let mut references = (1..).map(Ref::new);
    let mut next = || references.next().ok_or("the figure is too large");
    let (catalog, pages, sheet, content) = (next()?, next()?, next()?, next()?);
    let mut pdf = Pdf::new();
    pdf.catalog(catalog).pages(pages);
    pdf.pages(pages).kids([sheet]).count(1);

    let mut fonts = Vec::new();
    for (cut, used) in &page.fonts {
        let numbers = [next()?, next()?, next()?, next()?, next()?];
        font(&mut pdf, canvas, *cut, used, numbers)?;
        fonts.push((font_name(*cut), numbers[0]));
    }
    let mut images = Vec::new();
    for (n, picture) in page.images.iter().enumerate() {
        let number = next()?;
        let data = compressed_pixels(&picture.png);
        let mut object = pdf.image_xobject(number, &data);
        object.width(picture.width as i32).height(picture.height as i32);
        object.bits_per_component(8).interpolate(false);
        object.color_space().device_rgb();
        object.filter(Filter::FlateDecode);
        let mut decoding = object.decode_parms();
        decoding.predictor(Predictor::PngOptimum);
        decoding.colors(3).columns(picture.width as i32);
        images.push((image_name(n), number));
    }

    let mut object = pdf.page(sheet);
    object.media_box(Rect::new(0.0, 0.0, canvas.width as f32, canvas.height as f32));
    object.parent(pages).contents(content);
    let mut resources = object.resources();
    resources.fonts().pairs(
        fonts
            .iter()
            .map(|(name, number)| (Name(name.as_bytes()), *number)),
    );
    resources.x_objects().pairs(
        images
            .iter()
            .map(|(name, number)| (Name(name.as_bytes()), *number)),
    );
    let mut states = resources.ext_g_states();
    for (n, opacity) in page.opacities.iter().enumerate() {
        let name = opacity_name(n);
        let mut state = states.insert(Name(name.as_bytes())).dict();
        state.pair(Name(b"Type"), Name(b"ExtGState"));
        state.pair(Name(b"ca"), *opacity as f32);
    }
    states.finish();
    resources.finish();
    object.finish();

    let data = deflated(&page.content.finish())?;
    pdf.stream(content, &data).filter(Filter::FlateDecode);
    Ok(pdf.finish())
}

/// Glyphs that a text uses, and the characters they stand for.
#[derive(Default)]
struct Used {
    glyphs: GlyphRemapper,
    characters: BTreeMap<u16, char>,
}

/// What is drawn on the page, and what that refers to.
struct Page {
    content: Content,
    fonts: BTreeMap<Cut, Used>,
    images: Vec<Image>,
    opacities: Vec<f64>,
}

fn page(canvas: &Canvas) -> Result<Page, String> {
    let mut page = Page {
        content: Content::new(),
        fonts: BTreeMap::new(),
        images: Vec::new(),
        opacities: Vec::new(),
    };
    // The canvas counts y from the upper edge down.
    page.content
        .transform([1.0, 0.0, 0.0, -1.0, 0.0, canvas.height as f32]);
    for item in &canvas.items {
        match item {
            Item::Path {
                steps,
                fill,
                stroke,
                clip,
            } => page.path(steps, *fill, stroke.as_ref(), *clip),
            Item::Map(map) => page.map(map)?,
            Item::Text {
                glyphs,
                x,
                y,
                upward,
                colour,
                ..
            } => page.text(canvas, glyphs, (*x, *y), *upward, *colour),
        }
    }
    Ok(page)
}

impl Page {
    fn path(&mut self, steps: &[Step], fill: Option<Fill>, stroke: Option<&Stroke>, clip: Option<Rectangle>) {
        self.content.save_state();
        if let Some(clip) = clip {
            self.outline(&clip.steps());
            self.content.clip_nonzero().end_path();
        }
        if let Some(fill) = fill {
            let [red, green, blue] = parts(fill.colour);
            self.content.set_fill_rgb(red, green, blue);
            if fill.opacity < 1.0 {
                let known = self.opacities.iter().position(|o| *o == fill.opacity);
                let n = known.unwrap_or_else(|| {
                    self.opacities.push(fill.opacity);
                    self.opacities.len() - 1
                });
                self.content.set_parameters(Name(opacity_name(n).as_bytes()));
            }
        }
        if let Some(stroke) = stroke {
            let [red, green, blue] = parts(stroke.colour);
            self.content.set_stroke_rgb(red, green, blue);
            self.content.set_line_width(stroke.width as f32);
            self.content.set_line_join(LineJoinStyle::RoundJoin);
            if !stroke.dash.is_empty() {
                self.content
                    .set_dash_pattern(stroke.dash.iter().map(|d| *d as f32), 0.0);
            }
        }
        self.outline(steps);
        match (fill, stroke) {
            (Some(_), Some(_)) => self.content.fill_nonzero_and_stroke(),
            (Some(_), None) => self.content.fill_nonzero(),
            (None, Some(_)) => self.content.stroke(),
            (None, None) => self.content.end_path(),
        };
        self.content.restore_state();
    }

    fn outline(&mut self, steps: &[Step]) {
        let mut at = (0.0, 0.0);
        for step in steps {
            match *step {
                Step::Move(x, y) => {
                    self.content.move_to(x as f32, y as f32);
                    at = (x, y);
                }
                Step::Line(x, y) => {
                    self.content.line_to(x as f32, y as f32);
                    at = (x, y);
                }
                Step::Quadratic(a, b, x, y) => {
                    // The same curve as a cubic one.
                    let control = |from: f64, towards: f64| (from + 2.0 / 3.0 * (towards - from)) as f32;
                    let (first, second) = (
                        (control(at.0, a), control(at.1, b)),
                        (control(x, a), control(y, b)),
                    );
                    self.content
                        .cubic_to(first.0, first.1, second.0, second.1, x as f32, y as f32);
                    at = (x, y);
                }
                Step::Cubic(a, b, c, d, x, y) => {
                    self.content
                        .cubic_to(a as f32, b as f32, c as f32, d as f32, x as f32, y as f32);
                    at = (x, y);
                }
                Step::Close => {
                    self.content.close_path();
                }
            }
        }
    }

    fn map(&mut self, map: &Map) -> Result<(), String> {
        let Some(image) = image(map)? else { return Ok(()) };
        let place = image.place;
        let [width, height, left, bottom] =
            [place.width(), place.height(), place.left, place.bottom].map(|v| v as f32);
        self.content.save_state();
        self.content.transform([width, 0.0, 0.0, -height, left, bottom]);
        self.content
            .x_object(Name(image_name(self.images.len()).as_bytes()));
        self.content.restore_state();
        self.images.push(image);
        Ok(())
    }

    fn text(&mut self, canvas: &Canvas, line: &[Glyph], (x, y): (f64, f64), upward: bool, colour: Colour) {
        let [red, green, blue] = parts(colour);
        self.content.set_fill_rgb(red, green, blue).begin_text();
        for run in line.chunk_by(|a, b| (a.cut, a.scale, a.y) == (b.cut, b.scale, b.y)) {
            let first = &run[0];
            let used = self.fonts.entry(first.cut).or_default();
            let mut codes = Vec::with_capacity(2 * run.len());
            for glyph in run {
                let code = used.glyphs.remap(glyph.id);
                used.characters.entry(code).or_insert(glyph.character);
                codes.extend(code.to_be_bytes());
            }
            let em = f64::from(canvas.font.face(first.cut).units_per_em());
            let [a, b, c, d, e, f] = glyph_matrix(first, x, y, upward);
            let turn = [a, b, c, d].map(|v| (v / first.scale) as f32);
            self.content
                .set_font(Name(font_name(first.cut).as_bytes()), (first.scale * em) as f32);
            self.content
                .set_text_matrix([turn[0], turn[1], turn[2], turn[3], e as f32, f as f32]);
            self.content.show(Str(&codes));
        }
        self.content.end_text();
    }
}

/// The used part of a font: the composite font, its glyphs, their description, the font file and the characters.
fn font(
    pdf: &mut Pdf,
    canvas: &Canvas,
    cut: Cut,
    used: &Used,
    [whole, glyphs, descriptor, file, characters]: [Ref; 5],
) -> Result<(), String> {
    let face = canvas.font.face(cut);
    let data = subsetter::subset(face.raw_face().data, 0, &used.glyphs).map_err(|e| e.to_string())?;
    // Six letters before the name of a part of a font, different for different parts.
    let digest = sha256_of(data.as_slice()).map_err(|e| e.to_string())?;
    let letters: Vec<u8> = digest.bytes().take(6).map(|digit| b'A' + digit % 26).collect();
    let name = [&letters, &b"+"[..], postscript_name(cut)].concat();
    let name = Name(&name);
    let to_em = 1000.0 / f32::from(face.units_per_em());

    pdf.type0_font(whole)
        .base_font(name)
        .encoding_predefined(ENCODING)
        .descendant_font(glyphs)
        .to_unicode(characters);

    let mut cid = pdf.cid_font(glyphs);
    cid.subtype(CidFontType::Type2)
        .base_font(name)
        .system_info(GLYPHS)
        .font_descriptor(descriptor)
        .cid_to_gid_map_predefined(Name(b"Identity"));
    let widths = used.glyphs.remapped_gids().map(|id| {
        let advance = face.glyph_hor_advance(GlyphId(id)).unwrap_or(0);
        f32::from(advance) * to_em
    });
    cid.widths().consecutive(0, widths);
    cid.finish();

    let slanted = if cut == Cut::Slanted {
        FontFlags::ITALIC
    } else {
        FontFlags::empty()
    };
    let height = |units: i16| f32::from(units) * to_em;
    let bounds = face.global_bounding_box();
    pdf.font_descriptor(descriptor)
        .name(name)
        .flags(FontFlags::SYMBOLIC | slanted)
        .bbox(Rect::new(
            height(bounds.x_min),
            height(bounds.y_min),
            height(bounds.x_max),
            height(bounds.y_max),
        ))
        .italic_angle(face.italic_angle())
        .ascent(height(face.ascender()))
        .descent(height(face.descender()))
        .cap_height(height(face.capital_height().unwrap_or(face.ascender())))
        .stem_v(if cut == Cut::Bold { 140.0 } else { 80.0 })
        .font_file2(file);

    let length = i32::try_from(data.len()).map_err(|e| e.to_string())?;
    let packed = deflated(&data)?;
    let mut stream = pdf.stream(file, &packed);
    stream.filter(Filter::FlateDecode);
    stream.pair(Name(b"Length1"), length);
    stream.finish();

    let mut map = UnicodeCmap::new(Name(b"Characters"), CHARACTERS);
    for (code, character) in &used.characters {
        map.pair(*code, *character);
    }
    let packed = deflated(&map.finish())?;
    pdf.cmap(characters, &packed).filter(Filter::FlateDecode);
    Ok(())
}

fn postscript_name(cut: Cut) -> &'static [u8] {
    match cut {
        Cut::Upright => b"DejaVuSans",
        Cut::Slanted => b"DejaVuSans-Oblique",
        Cut::Bold => b"DejaVuSans-Bold",
    }
}

fn font_name(cut: Cut) -> &'static str {
    match cut {
        Cut::Upright => "upright",
        Cut::Slanted => "slanted",
        Cut::Bold => "bold",
    }
}

fn image_name(n: usize) -> String {
    format!("map{n}")
}

fn opacity_name(n: usize) -> String {
    format!("opacity{n}")
}

fn parts(colour: Colour) -> [f32; 3] {
    [colour.0, colour.1, colour.2].map(|part| f32::from(part) / 255.0)
}

/// The deflated rows of a PNG file, whose filters PDF knows too: the chunks IDAT, each behind its length and before its checksum.
fn compressed_pixels(png: &[u8]) -> Vec<u8> {
    const SIGNATURE: usize = 8;
    let mut data = Vec::new();
    let mut rest = png.get(SIGNATURE..).unwrap_or_default();
    while let Some(([a, b, c, d, kind @ ..], body)) = rest.split_first_chunk::<8>() {
        let length = u32::from_be_bytes([*a, *b, *c, *d]) as usize;
        if kind == b"IDAT" {
            data.extend_from_slice(body.get(..length).unwrap_or_default());
        }
        rest = body.get(length + 4..).unwrap_or_default();
    }
    data
}

fn deflated(bytes: &[u8]) -> Result<Vec<u8>, String> {
    let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).map_err(|e| e.to_string())?;
    encoder.finish().map_err(|e| e.to_string())
}
