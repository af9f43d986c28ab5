//! Opening an authorization URL in a browser: the interface, which tests replace.

use std::any::Any;

/// What a started browser needs until the login ends, such as a page that leads it to the URL.
/// Dropping it removes that.
#[derive(Debug, Default)]
pub struct Opened {
    _needed: Option<Box<dyn Any + Send>>,
}

impl Opened {
    /// A browser that needs this until the login ends.
    #[must_use]
    pub fn with(needed: impl Any + Send) -> Self {
        Self { _needed: Some(Box::new(needed)) }
    }
}

/// Opens URLs. Tests record what would have been opened.
pub trait Browser: Send + Sync {
    /// Starts a browser on `url` without waiting for it. Called off the drawing thread. The caller keeps
    /// what it returns until the login ends.
    ///
    /// # Errors
    /// Says in plain words why no browser was started ("over SSH no browser is started", …).
    fn open(&self, url: &str) -> Result<Opened, String>;
}
