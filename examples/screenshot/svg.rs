//! A terminal's screen as an SVG picture: backgrounds first, then runs of text of one style,
//! each stretched to its cells so that every font keeps the grid.

use std::collections::BTreeMap;
use std::fmt::Write;

use vt100::{Cell, Color, Screen};

use crate::glyphs::{Place, shape};

const CELL_WIDTH: f32 = 8.4;
const CELL_HEIGHT: f32 = 18.0;
const BASELINE: f32 = 13.5;
const MARGIN: f32 = 12.0;

struct Palette {
    foreground: &'static str,
    background: &'static str,
    /// The 16 colours a terminal has names for.
    named: [&'static str; 16],
}

const DARK: Palette = Palette {
    foreground: "#d4d8df",
    background: "#14171c",
    named: [
        "#2b303b", "#e0626c", "#8cc265", "#d9a95b", "#5fa8ec", "#c583dc", "#4fb8c2", "#c3c8d1", "#6c7483", "#f28c94",
        "#aedd8c", "#f0cc85", "#8cc4f7", "#dba6ee", "#7fd6de", "#ffffff",
    ],
};

const LIGHT: Palette = Palette {
    foreground: "#24292f",
    background: "#ffffff",
    named: [
        "#24292f", "#c22f3b", "#2c7a2c", "#8a6100", "#1665c0", "#8a3fb0", "#0f7480", "#6e7781", "#57606a", "#a40e26",
        "#1f6a1f", "#6f4c00", "#0b4f9e", "#6f2c91", "#0b5a64", "#8c959f",
    ],
};

/// How a cell is drawn.
#[derive(Clone, PartialEq)]
struct Style {
    foreground: String,
    background: Option<String>,
    /// SVG attributes for bold, italic and underlined text.
    marks: String,
    underline: bool,
    dim: bool,
}

/// The whole picture.
pub fn picture(screen: &Screen, light: bool, title: &str) -> String {
    let palette = if light { &LIGHT } else { &DARK };
    let (rows, columns) = screen.size();
    let (right, bottom) = place_of(rows.get(), columns.get());
    let (width, height) = (right + MARGIN, bottom + MARGIN);
    let mut svg = String::new();
    let _ = write!(
        svg,
        r#"<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0}" height="{height:.0}" viewBox="0 0 {width:.0} {height:.0}" role="img">
<title>{}</title>
<rect width="100%" height="100%" rx="8" fill="{}"/>
<g font-family="ui-monospace, 'SF Mono', 'Cascadia Mono', 'DejaVu Sans Mono', Menlo, Consolas, monospace" font-size="14">
"#,
        escape(title),
        palette.background,
    );
    let mut layers = Layers::default();
    for row in 0..rows.get() {
        draw_row(screen, row, columns.get(), palette, &mut layers);
    }
    svg + &layers.fields.svg() + &layers.halves.svg() + &layers.texts + "</g>\n</svg>\n"
}

/// The upper left corner of a cell.
fn place_of(row: u16, column: u16) -> (f32, f32) {
    (MARGIN + f32::from(column) * CELL_WIDTH, MARGIN + f32::from(row) * CELL_HEIGHT)
}

/// Cells of one style that stand side by side.
struct Run {
    column: u16,
    width: u16,
    text: String,
    style: Style,
}

/// What is drawn, each on top of the one before.
#[derive(Default)]
struct Layers {
    /// Backgrounds.
    fields: Fields,
    /// Upper halves of cells, of which a QR code has thousands.
    halves: Fields,
    texts: String,
}

/// Filled rectangles: one path a colour.
#[derive(Default)]
struct Fields(BTreeMap<String, String>);

impl Fields {
    fn add(&mut self, colour: &str, (x, y): (f32, f32), (width, height): (f32, f32)) {
        let path = self.0.entry(colour.to_owned()).or_default();
        let _ = write!(path, "M{x:.1} {y:.1}h{width:.1}v{height:.1}h-{width:.1}z");
    }

    fn svg(&self) -> String {
        let path = |(colour, path): (&String, &String)| {
            format!("<path fill=\"{colour}\" shape-rendering=\"crispEdges\" d=\"{path}\"/>\n")
        };
        self.0.iter().map(path).collect()
    }
}

/// Draws a row into the layers.
fn draw_row(screen: &Screen, row: u16, columns: u16, palette: &Palette, layers: &mut Layers) {
    let texts = &mut layers.texts;
    let mut run: Option<Run> = None;
    let mut ruled_to = 0; // a long line is one shape
    for column in 0..columns {
        let Some(cell) = screen.cell(row, column).filter(|cell| !cell.is_wide_continuation()) else { continue };
        let style = style(cell, palette);
        let width = if cell.is_wide() { 2 } else { 1 };
        if let Some(background) = &style.background {
            layers.fields.add(background, place_of(row, column), (f32::from(width) * CELL_WIDTH, CELL_HEIGHT));
        }
        let text = if cell.has_contents() { cell.contents() } else { " " };
        if column < ruled_to {
            continue;
        }
        if text == "▀" && !style.dim {
            finish(run.take(), row, texts);
            // Half of the cell in the colour of the whole is not seen.
            if style.background.as_ref() != Some(&style.foreground) {
                layers.halves.add(&style.foreground, place_of(row, column), (CELL_WIDTH, CELL_HEIGHT / 2.0));
            }
            continue;
        }
        let repeats = if text == "─" { repeats(screen, row, column, cell) } else { 1 };
        if let Some(drawn) = drawn_shape(text, row, column, repeats, &style) {
            finish(run.take(), row, texts);
            let _ = writeln!(texts, "{drawn}");
            ruled_to = column + repeats;
            continue;
        }
        // Symbols and wide letters stand alone: their width in a font is anybody's guess.
        let alone = !text.is_ascii();
        match &mut run {
            Some(run) if run.style == style && !alone && run.text.is_ascii() => {
                run.text.push_str(text);
                run.width += width;
            }
            _ => {
                finish(run.take(), row, texts);
                run = Some(Run { column, width, text: text.to_owned(), style });
            }
        }
    }
    finish(run, row, texts);
}

fn drawn_shape(text: &str, row: u16, column: u16, repeats: u16, style: &Style) -> Option<String> {
    let (x, y) = place_of(row, column);
    let place = Place { x, y, width: CELL_WIDTH * f32::from(repeats), height: CELL_HEIGHT };
    let shape = shape(text.chars().next()?, place, &style.foreground)?;
    Some(if style.dim { format!(r#"<g opacity="0.6">{shape}</g>"#) } else { shape })
}

/// How many cells from here on are the same.
fn repeats(screen: &Screen, row: u16, column: u16, cell: &Cell) -> u16 {
    let same = (column..u16::MAX).take_while(|at| screen.cell(row, *at).is_some_and(|other| other == cell)).count();
    u16::try_from(same).expect("a row is shorter than 65,536 cells")
}

/// Draws a run. Renderers disagree about the white space at a text's ends and within it, so each
/// stretch between two or more spaces is put in its own place; an underline needs them all.
fn finish(run: Option<Run>, row: u16, texts: &mut String) {
    let Some(run) = run else { return };
    if run.style.underline {
        return write_text(&run.text, run.column, run.width, row, &run.style, texts);
    }
    if !run.text.is_ascii() {
        return write_text(run.text.trim(), run.column, run.width, row, &run.style, texts);
    }
    let mut column = run.column;
    for part in run.text.split_inclusive("  ") {
        let word = part.trim_start();
        let indent = cells(part) - cells(word);
        write_text(word.trim_end(), column + indent, cells(word.trim_end()), row, &run.style, texts);
        column += cells(part);
    }
}

fn write_text(text: &str, column: u16, width: u16, row: u16, style: &Style, texts: &mut String) {
    if text.is_empty() {
        return;
    }
    let text = escape(text).replace(' ', "\u{a0}");
    let (x, y) = place_of(row, column);
    let length = f32::from(width) * CELL_WIDTH;
    let Style { foreground, marks, dim, .. } = style;
    let opacity = if *dim { r#" opacity="0.6""# } else { "" };
    let _ = writeln!(
        texts,
        r#"<text x="{x:.2}" y="{:.2}" textLength="{length:.2}" lengthAdjust="spacingAndGlyphs" fill="{foreground}"{marks}{opacity}>{text}</text>"#,
        y + BASELINE,
    );
}

/// How many cells ASCII text takes.
fn cells(text: &str) -> u16 {
    u16::try_from(text.len()).expect("a row is shorter than 65,536 cells")
}

fn style(cell: &Cell, palette: &Palette) -> Style {
    let mut foreground = colour(cell.fgcolor(), palette);
    let mut background = colour(cell.bgcolor(), palette);
    if cell.inverse() {
        foreground = foreground.or_else(|| Some(palette.foreground.to_owned()));
        background = background.or_else(|| Some(palette.background.to_owned()));
        (foreground, background) = (background, foreground);
    }
    let mut marks = String::new();
    for (on, attribute) in [
        (cell.bold(), r#" font-weight="bold""#),
        (cell.italic(), r#" font-style="italic""#),
        (cell.underline(), r#" text-decoration="underline""#),
    ] {
        if on {
            marks.push_str(attribute);
        }
    }
    let foreground = foreground.unwrap_or_else(|| palette.foreground.to_owned());
    Style { foreground, background, marks, underline: cell.underline(), dim: cell.dim() }
}

/// A terminal colour as SVG writes it; `None` for the default one.
fn colour(colour: Color, palette: &Palette) -> Option<String> {
    let level = |step: u8| if step == 0 { 0 } else { 55 + 40 * step };
    let hex = |red: u8, green: u8, blue: u8| format!("#{red:02x}{green:02x}{blue:02x}");
    Some(match colour {
        Color::Default => return None,
        Color::Idx(index @ 0..16) => palette.named[usize::from(index)].to_owned(),
        // A cube of 6 × 6 × 6 colours, then 24 greys.
        Color::Idx(index @ 16..232) => {
            let index = index - 16;
            hex(level(index / 36), level(index / 6 % 6), level(index % 6))
        }
        Color::Idx(index) => hex(8 + 10 * (index - 232), 8 + 10 * (index - 232), 8 + 10 * (index - 232)),
        Color::Rgb(red, green, blue) => hex(red, green, blue),
    })
}

fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}
