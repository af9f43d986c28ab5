//! Where everything stands on the screen: one pure function from size to rectangles.
//!
//! Drawing and hit-testing both ask it, so they cannot disagree.

use ratatui::layout::{Position, Rect, Size};

use crate::dashboard::timeline;

/// The smallest screen drawn on.
pub const SMALLEST: Size = Size { width: 60, height: 15 };

/// From this width on details and requests stand side by side; below, one of them is shown.
const SIDE_BY_SIDE: u16 = 80;

/// From this height on a strip of the timeline is on the main screen.
const TIMELINE_FROM: u16 = 40;

/// The panes, in the order of `Tab`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Pane {
    /// The table of connections.
    #[default]
    Connections,
    /// The selected connection's details.
    Details,
    /// The request log.
    Requests,
}

impl Pane {
    /// The pane after this.
    #[must_use]
    pub fn next(self) -> Self {
        match self {
            Self::Connections => Self::Details,
            Self::Details => Self::Requests,
            Self::Requests => Self::Connections,
        }
    }

    /// The pane before this.
    #[must_use]
    pub fn previous(self) -> Self {
        self.next().next()
    }
}

/// What of the state the layout depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shape {
    /// How many connections, and headings of groups, there are (filtered or not, so that the panes do not jump
    /// while one types).
    pub connections: usize,
    /// Whether the banner stands.
    pub banner: bool,
    /// The pane with the keyboard.
    pub pane: Pane,
    /// Rows kept for the guided tour.
    pub tour: u16,
}

/// The rectangles of the main screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Areas {
    /// The first line.
    pub header: Rect,
    /// The line below it, while something is wrong with the store.
    pub banner: Option<Rect>,
    /// All between the header or banner and the message: for the welcome and for full screens.
    pub body: Rect,
    /// The table, borders included.
    pub connections: Rect,
    /// A strip of the timeline, where there is room.
    pub timeline: Option<Rect>,
    /// The details, where there is room.
    pub details: Option<Rect>,
    /// The request log, where there is room.
    pub requests: Option<Rect>,
    /// The guided tour's panel, above the footer.
    pub tour: Option<Rect>,
    /// The line for what just happened. On low screens it is the lower border of the body, so that
    /// the keys in the footer stay visible.
    pub message: Rect,
    /// The last line.
    pub footer: Rect,
}

/// The main screen's rectangles; none when the screen is smaller than [`SMALLEST`].
#[must_use]
pub fn areas(size: Size, shape: Shape) -> Option<Areas> {
    if size.width < SMALLEST.width || size.height < SMALLEST.height {
        return None;
    }
    let line = |y| Rect { x: 0, y, width: size.width, height: 1 };
    let footer = line(size.height - 1);
    let low = size.height < 20;
    let above = line(size.height - 2 - shape.tour);
    let message = if low { Rect { x: 1, width: size.width - 2, ..above } } else { above };
    let top = 1 + u16::from(shape.banner);
    let tour = Rect { y: footer.y - shape.tour, height: shape.tour, ..footer };
    let bottom = if low { tour.y } else { message.y };
    let body = Rect { x: 0, y: top, width: size.width, height: bottom - top };

    let wanted = u16::try_from(shape.connections).unwrap_or(u16::MAX).saturating_add(3).max(6);
    let lower = (body.height * 45 / 100).max(5);
    // Where the tour leaves too little for two panes, the one it talks about has the room.
    let cramped = body.height < 11;
    let height = match shape.pane {
        Pane::Connections if cramped => body.height,
        _ if cramped => 4,
        _ => wanted.min(body.height - lower),
    };
    let connections = Rect { height, ..body };
    // A screen that high has rows to spare for the next hour.
    let room = if size.height < TIMELINE_FROM { 0 } else { body.height - lower - height };
    let strip = timeline::layout::strip(size.width, shape.connections, room);
    let timeline = (strip > 0).then_some(Rect { y: body.y + height, height: strip, ..body });
    let height = height + strip;
    let below = Rect { y: body.y + height, height: body.height - height, ..body };
    let (details, requests) = if below.height == 0 {
        (None, None)
    } else if size.width >= SIDE_BY_SIDE {
        let width = (below.width * 42 / 100).clamp(34, 68);
        let rest = Rect { x: width, width: below.width - width, ..below };
        (Some(Rect { width, ..below }), Some(rest))
    } else if shape.pane == Pane::Requests {
        (None, Some(below))
    } else {
        (Some(below), None)
    };
    Some(Areas {
        header: line(0),
        banner: shape.banner.then(|| line(1)),
        body,
        connections,
        timeline,
        details,
        requests,
        tour: (shape.tour > 0).then_some(tour),
        message,
        footer,
    })
}

impl Areas {
    /// The pane at a position.
    #[must_use]
    pub fn pane_at(&self, position: Position) -> Option<Pane> {
        let hit = |area: Option<Rect>| area.is_some_and(|area| area.contains(position));
        if hit(Some(self.connections)) {
            Some(Pane::Connections)
        } else if hit(self.details) {
            Some(Pane::Details)
        } else if hit(self.requests) {
            Some(Pane::Requests)
        } else {
            None
        }
    }
}

/// What is inside a pane's borders.
#[must_use]
pub fn inner(area: Rect) -> Rect {
    Rect { x: area.x + 1, y: area.y + 1, width: area.width.saturating_sub(2), height: area.height.saturating_sub(2) }
}

/// Where text stands inside a pane: a column away from its borders.
#[must_use]
pub fn text(area: Rect) -> Rect {
    let inside = inner(area);
    Rect { x: inside.x + 1, width: inside.width.saturating_sub(2), ..inside }
}

/// The rows of a table inside a pane: what is inside its borders and below its headings.
#[must_use]
pub fn rows(area: Rect) -> Rect {
    let inside = inner(area);
    Rect { y: inside.y + 1, height: inside.height.saturating_sub(1), ..inside }
}

/// A rectangle of at most the given size in the middle of `area`.
#[must_use]
pub fn centred(area: Rect, width: u16, height: u16) -> Rect {
    let (width, height) = (width.min(area.width), height.min(area.height));
    Rect { x: area.x + (area.width - width) / 2, y: area.y + (area.height - height) / 2, width, height }
}

/// The first row to show of `count` in a window of `height`, so that `selected` is in it, moving
/// as little as possible from `top`.
#[must_use]
pub fn first_row(top: usize, selected: usize, count: usize, height: usize) -> usize {
    let lowest = (selected + 1).saturating_sub(height.max(1));
    top.clamp(lowest, selected).min(count.saturating_sub(height))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(connections: usize) -> Shape {
        Shape { connections, banner: false, pane: Pane::Connections, tour: 0 }
    }

    #[test]
    fn below_the_smallest_size_there_is_no_layout() {
        assert_eq!(areas(Size::new(59, 40), shape(3)), None);
        assert_eq!(areas(Size::new(200, 14), shape(3)), None);
        assert!(areas(SMALLEST, shape(3)).is_some());
    }

    #[test]
    fn at_every_size_the_panes_fill_the_body_without_overlap() {
        for width in [60, 79, 80, 120, 200, 500] {
            for height in [15, 19, 20, 24, 50, 120] {
                for connections in [0, 1, 7, 10_000] {
                    for banner in [false, true] {
                        for pane in [Pane::Connections, Pane::Details, Pane::Requests] {
                            let shape = Shape { connections, banner, pane, tour: 0 };
                            let areas = areas(Size { width, height }, shape).unwrap();
                            let panes = [Some(areas.connections), areas.timeline, areas.details, areas.requests];
                            let covered: u32 = panes.iter().flatten().map(|area| area.area()).sum();
                            assert_eq!(covered, areas.body.area(), "{width}x{height} {shape:?}");
                            assert!(panes.iter().flatten().all(|area| area.height >= 4), "{areas:?}");
                        }
                    }
                }
            }
        }
    }

    #[test]
    fn beside_the_tour_there_is_room_for_what_it_talks_about() {
        for (width, height, tour) in [(60, 15, 4), (60, 15, 1), (80, 24, 4), (120, 32, 4)] {
            for pane in [Pane::Connections, Pane::Details, Pane::Requests] {
                let areas = areas(Size { width, height }, Shape { pane, tour, ..shape(6) }).unwrap();
                let place = match pane {
                    Pane::Connections => Some(areas.connections),
                    Pane::Details => areas.details,
                    Pane::Requests => areas.requests,
                };
                assert!(place.is_some_and(|area| area.height >= 5), "{width}x{height} {pane:?}: {areas:?}");
                let panel = areas.tour.unwrap();
                assert_eq!((panel.height, panel.bottom()), (tour, areas.footer.y));
                assert!(areas.body.bottom() <= panel.y && !panel.contains(areas.message.as_position()));
            }
        }
    }

    #[test]
    fn the_window_moves_no_more_than_the_selection_needs() {
        assert_eq!(first_row(0, 3, 10, 5), 0);
        assert_eq!(first_row(0, 7, 10, 5), 3);
        assert_eq!(first_row(5, 2, 10, 5), 2);
        assert_eq!(first_row(9, 9, 10, 5), 5);
        assert_eq!(first_row(4, 0, 0, 5), 0);
    }
}
