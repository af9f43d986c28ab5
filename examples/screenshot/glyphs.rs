//! Lines and blocks as shapes: drawn by a font they would leave gaps between the cells.

use std::fmt::Write;

/// A cell's place on the picture.
#[derive(Clone, Copy)]
pub struct Place {
    pub x: f32,
    pub y: f32,
    pub width: f32,
    pub height: f32,
}

/// The SVG shape of a line or block character; `None` for everything that is text.
pub fn shape(character: char, place: Place, colour: &str) -> Option<String> {
    block(character, place, colour).or_else(|| line(character, place, colour))
}

fn block(character: char, place: Place, colour: &str) -> Option<String> {
    let Place { x, y, width, height } = place;
    let eighths = |from: char| f32::from(u8::try_from(u32::from(character) - u32::from(from)).unwrap_or(0) + 1) / 8.0;
    let (x, y, width, height, opacity) = match character {
        '▀' => (x, y, width, height / 2.0, 1.0),
        // Lower one eighth to the full block.
        '▁'..='█' => (x, y + height * (1.0 - eighths('▁')), width, height * eighths('▁'), 1.0),
        // Left seven eighths down to one eighth.
        '▉'..='▏' => (x, y, width * (1.0 - eighths('▉')), height, 1.0),
        '▐' => (x + width / 2.0, y, width / 2.0, height, 1.0),
        '░' => (x, y, width, height, 0.25),
        '▒' => (x, y, width, height, 0.5),
        '▓' => (x, y, width, height, 0.75),
        _ => return None,
    };
    Some(format!(
        r#"<rect x="{x:.2}" y="{y:.2}" width="{width:.2}" height="{height:.2}" fill="{colour}" opacity="{opacity}" shape-rendering="crispEdges"/>"#
    ))
}

/// Which sides of the cell a box-drawing character reaches, and whether it is a heavy one.
fn sides(character: char) -> Option<(&'static str, bool)> {
    Some(match character {
        '─' | '╌' | '┄' => ("lr", false),
        '│' | '╎' | '┆' => ("ud", false),
        '┌' | '╭' => ("rd", false),
        '┐' | '╮' => ("ld", false),
        '└' | '╰' => ("ur", false),
        '┘' | '╯' => ("ul", false),
        '├' => ("udr", false),
        '┤' => ("udl", false),
        '┬' => ("lrd", false),
        '┴' => ("lru", false),
        '┼' => ("lrud", false),
        '━' => ("lr", true),
        '┃' => ("ud", true),
        '┏' => ("rd", true),
        '┓' => ("ld", true),
        '┗' => ("ur", true),
        '┛' => ("ul", true),
        _ => return None,
    })
}

fn line(character: char, place: Place, colour: &str) -> Option<String> {
    let (sides, heavy) = sides(character)?;
    let Place { x, y, width, height } = place;
    let (middle_x, middle_y) = (x + width / 2.0, y + height / 2.0);
    let end = |side| match side {
        'l' => (x, middle_y),
        'r' => (x + width, middle_y),
        'u' => (middle_x, y),
        _ => (middle_x, y + height),
    };
    let mut path = String::new();
    if "╭╮╰╯".contains(character) {
        let ends: Vec<(f32, f32)> = sides.chars().map(end).collect();
        let ((from_x, from_y), (to_x, to_y)) = (ends[0], ends[1]);
        let _ = write!(path, "M{from_x:.2} {from_y:.2}Q{middle_x:.2} {middle_y:.2} {to_x:.2} {to_y:.2}");
    } else {
        for (to_x, to_y) in sides.chars().map(end) {
            let _ = write!(path, "M{middle_x:.2} {middle_y:.2}L{to_x:.2} {to_y:.2}");
        }
    }
    let thickness = if heavy { 2.4 } else { 1.2 };
    Some(format!(
        r#"<path d="{path}" stroke="{colour}" stroke-width="{thickness}" stroke-linecap="square" fill="none"/>"#
    ))
}
