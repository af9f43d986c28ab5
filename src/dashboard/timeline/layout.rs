//! Where everything is in the timeline: in its full screen, and in its strip on the main one.

use ratatui::layout::Rect;

use crate::dashboard::layout::inner;

/// From this width on there are words at the end of every row; below, of the selected one alone.
const WORDS_FROM: u16 = 100;
/// Room for a blank and `limited for 24m 03s, ends 14:26`.
const WORDS: u16 = 32;
/// The marker of the selected row, the status's symbol, a blank each, and one behind the name.
const BESIDE_NAME: u16 = 5;
/// The least height of the past: borders, words, five rows of bars, failures, times.
const LEAST_BEHIND: u16 = 10;
/// The least height of what is to come.
const LEAST_AHEAD: u16 = 8;
/// With this height there is room for most people's connections; others are scrolled.
const ENOUGH_AHEAD: u16 = 15;
/// Room for `99.9 s` and a blank.
const SCALE: u16 = 8;
/// The most rows of the strip.
const STRIP: u16 = 8;

/// The two sides of the timeline; a low screen shows one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sides {
    /// What is to come.
    pub ahead: Option<Rect>,
    /// What was.
    pub behind: Option<Rect>,
}

/// The sides in the body of the screen, for so many connections. Where the past would take rows
/// from them, only one side is shown: `ahead`, or else the past.
#[must_use]
pub fn sides(body: Rect, connections: usize, ahead: bool) -> Sides {
    let wanted = height_for(body.width, connections).clamp(LEAST_AHEAD, ENOUGH_AHEAD);
    if body.height < wanted + LEAST_BEHIND {
        return Sides { ahead: ahead.then_some(body), behind: (!ahead).then_some(body) };
    }
    let height = height_for(body.width, connections).clamp(LEAST_AHEAD, body.height - LEAST_BEHIND);
    let below = Rect { y: body.y + height, height: body.height - height, ..body };
    Sides { ahead: Some(Rect { height, ..body }), behind: Some(below) }
}

/// The height of the strip for so many connections in so much room: none rather than a few rows of
/// them.
#[must_use]
pub fn strip(width: u16, connections: usize, room: u16) -> u16 {
    let height = height_for(width, connections.min(STRIP.into()));
    if connections > 0 && height <= room { height } else { 0 }
}

/// Borders, times and rows, and a line of words where the rows have none.
fn height_for(width: u16, connections: usize) -> u16 {
    let rows = u16::try_from(connections).unwrap_or(u16::MAX);
    rows.saturating_add(3 + u16::from(width < WORDS_FROM))
}

/// The parts of what is to come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tracks {
    /// How many connections are seen.
    pub rows: u16,
    /// The names, one row each.
    pub names: Rect,
    /// The bars.
    pub bars: Rect,
    /// Words at the end of each row, where there is room.
    pub words: Option<Rect>,
    /// The line of times above the bars.
    pub ticks: Rect,
    /// The line for words of the selected row, where the rows have none.
    pub said: Option<Rect>,
}

/// The parts inside a pane, names of at most so many columns.
#[must_use]
pub fn tracks(area: Rect, longest_name: usize) -> Tracks {
    let inside = inner(area);
    let wide = inside.width + 2 >= WORDS_FROM;
    let rows = inside.height.saturating_sub(1 + u16::from(!wide));
    let window = Rect { y: inside.y + 1, height: rows, ..inside };
    let names = BESIDE_NAME + u16::try_from(longest_name).unwrap_or(u16::MAX).clamp(6, 14);
    let words = if wide { WORDS } else { 1 };
    let bars = window.width.saturating_sub(names + words);
    let bars = Rect { x: window.x + names, width: bars, ..window };
    Tracks {
        rows,
        names: Rect { width: names, ..window },
        bars,
        words: wide.then_some(Rect { x: bars.right(), width: words, ..window }),
        ticks: Rect { y: inside.y, height: 1, ..bars },
        said: (!wide).then_some(Rect { y: window.bottom(), height: 1, ..inside }),
    }
}

/// The parts of the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plot {
    /// The line of numbers above the bars.
    pub words: Rect,
    /// The durations beside them.
    pub scale: Rect,
    /// The bars.
    pub bars: Rect,
    /// The line of failures below them.
    pub failed: Rect,
    /// The line of times.
    pub ticks: Rect,
}

/// The parts inside a pane.
#[must_use]
pub fn plot(area: Rect) -> Plot {
    let inside = inner(area);
    let bars = Rect {
        x: inside.x + SCALE,
        y: inside.y + 1,
        width: inside.width.saturating_sub(SCALE + 1),
        height: inside.height.saturating_sub(3),
    };
    Plot {
        words: Rect { height: 1, ..inside },
        scale: Rect { x: inside.x, width: SCALE, ..bars },
        bars,
        failed: Rect { y: bars.bottom(), height: 1, ..bars },
        ticks: Rect { y: bars.bottom() + 1, height: 1, ..bars },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn at_every_size_all_parts_are_inside_and_at_least_one_side_is_there() {
        for (width, height) in [(60, 13), (80, 19), (80, 20), (120, 29), (200, 47), (500, 120)] {
            let body = Rect { x: 0, y: 1, width, height };
            for connections in [1, 7, 10_000] {
                for ahead in [true, false] {
                    let sides = sides(body, connections, ahead);
                    let covered: u32 = [sides.ahead, sides.behind].into_iter().flatten().map(Rect::area).sum();
                    assert_eq!(covered, body.area(), "{body:?}");
                    if let Some(area) = sides.ahead {
                        let parts = tracks(area, 64);
                        let all =
                            [parts.names, parts.bars, parts.ticks].into_iter().chain(parts.words).chain(parts.said);
                        assert!(all.into_iter().all(|part| inner(area).intersection(part) == part), "{parts:?}");
                        assert!(parts.bars.width >= 30 && parts.rows >= 4, "{parts:?}");
                    }
                    if let Some(area) = sides.behind {
                        let parts = plot(area);
                        let all = [parts.words, parts.scale, parts.bars, parts.failed, parts.ticks];
                        assert!(all.into_iter().all(|part| inner(area).intersection(part) == part), "{parts:?}");
                        assert!(parts.bars.width >= 40 && parts.bars.height >= 5, "{parts:?}");
                    }
                }
            }
        }
    }
}
