//! Texts that fill the screen and are scrolled: help, details of a connection, a request; and the text of the main
//! screen's lower pane.

use chrono::{DateTime, Utc};
use ratatui::layout::{Rect, Size};

use crate::dashboard::action::Action;
use crate::dashboard::connections::groups;
use crate::dashboard::flow::Flow;
use crate::dashboard::help::welcome;
use crate::dashboard::request_log::request;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::sheet::Sheet;
use crate::dashboard::{App, details, help, layout};

impl App {
    /// The sheet that is read and scrolled now in a screen of `size`: its text, where it is, and the first line shown.
    pub(crate) fn reading(&self, size: Size, now: DateTime<Utc>) -> Option<(Sheet, Rect, usize)> {
        let areas = layout::areas(size, self.shape())?;
        let body = layout::text(areas.body);
        match self.screens.below(|screen| !screen.fills_the_body()) {
            Screen::Request { entry, scroll } => Some((request::sheet(self.options.zone, entry), body, *scroll)),
            Screen::Details { connection, scroll, inspected } => {
                let view = self.connections.get(connection)?;
                Some((details::full_sheet(self, view, inspected, now), body, *scroll))
            }
            _ => self.lower_sheet(size, now),
        }
    }

    /// The sheet of the main screen: the selected connection's details, or the welcome.
    pub(crate) fn lower_sheet(&self, size: Size, now: DateTime<Utc>) -> Option<(Sheet, Rect, usize)> {
        let areas = layout::areas(size, self.shape())?;
        if self.connections.all().is_empty() {
            return Some((welcome::sheet(&self.options), layout::text(areas.body), self.scroll));
        }
        let text = layout::text(areas.details?);
        if let Some(block) = self.connections.selected_group() {
            return Some((groups::sheet(block, &self.options.keymap), text, self.scroll));
        }
        let view = self.connections.selected()?;
        Some((details::sheet(self, view, text.as_size(), now), text, self.scroll))
    }

    /// How many lines what is scrolled now has, and how many of them are shown at once.
    pub(crate) fn extent(&self, size: Size, now: DateTime<Utc>) -> Option<(usize, usize)> {
        if let Screen::Help(help) = self.screens.top() {
            let area = layout::text(layout::areas(size, self.shape())?.body);
            return Some((help::columns::of(self, help, area.width, now).height(), area.height.into()));
        }
        let (sheet, area, _) = self.reading(size, now)?;
        Some((sheet.wrapped(area.width.into()).len(), area.height.into()))
    }

    /// The first line shown of what is scrolled now.
    pub(crate) fn scroll_mut(&mut self) -> &mut usize {
        match self.screens.top_mut() {
            Screen::Help(help) => &mut help.scroll,
            Screen::Request { scroll, .. } | Screen::Details { scroll, .. } => scroll,
            Screen::Login(dialog) => &mut dialog.scroll,
            _ => &mut self.scroll,
        }
    }
}

/// Carries out an action on a text that fills the screen.
pub(crate) fn act(app: &mut App, action: Action) -> Flow {
    let page = layout::areas(app.size, app.shape()).map_or(1, |areas| usize::from(layout::inner(areas.body).height));
    let scroll = app.scroll_mut();
    match action {
        // Brought back to the last page once the message has been taken in.
        action if action.moves() => *scroll = scroll.saturating_add_signed(action.distance(page)),
        Action::Cancel => return Flow::CLOSE,
        _ => return Flow::Pass,
    }
    Flow::NOTHING
}
