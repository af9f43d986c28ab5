//! The browser, a seam: what opens an authorization URL for a person.

/// Opens URLs. The shell has the real one; tests record what would have been opened.
pub trait Browser: Send + Sync {
    /// Starts a browser on `url` without waiting for it. Called off the drawing thread.
    ///
    /// # Errors
    /// Says in plain words why no browser was started ("over SSH no browser is started", …).
    fn open(&self, url: &str) -> Result<(), String>;
}
