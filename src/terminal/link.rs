//! A part of the screen that is a link (OSC 8): cells cannot hold one, so the terminal is given it around them.
//!
//! The link is set before a frame is drawn; [`TerminalBackend`](super::backend::TerminalBackend) writes it.
//! Terminals that do not know links pass over them, tmux hands them on.

use std::sync::{Arc, Mutex, PoisonError};

use ratatui::layout::{Position, Rect};

use crate::terminal::osc;

/// The link of the present frame, shared by the part that sets it and the one that writes it.
#[derive(Debug, Clone, Default)]
pub struct LinkSlot(Arc<Mutex<Option<Link>>>);

/// A link, and where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    area: Rect,
    url: String,
    opening: String,
}

impl Link {
    /// A link of an area; `None` where the address cannot be one.
    #[must_use]
    pub fn new(area: Rect, url: &str) -> Option<Self> {
        Some(Self { area, url: url.to_owned(), opening: osc::begin_link(url)? })
    }

    /// Whether a cell belongs to it.
    #[must_use]
    pub fn contains(&self, x: u16, y: u16) -> bool {
        self.area.contains(Position { x, y })
    }

    /// What begins it.
    #[must_use]
    pub fn opening(&self) -> &str {
        &self.opening
    }
}

impl LinkSlot {
    /// Sets the link of the frames that follow, or takes it away.
    pub fn set(&self, link: Option<(Rect, &str)>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let is_same = match (&*slot, link) {
            (Some(old), Some((area, url))) => old.area == area && old.url == url,
            (old, new) => old.is_none() && new.is_none(),
        };
        if !is_same {
            *slot = link.and_then(|(area, url)| Link::new(area, url));
        }
    }

    /// The link now.
    #[must_use]
    pub fn get(&self) -> Option<Link> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}
