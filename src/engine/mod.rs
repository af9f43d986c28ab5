//! The engine: owns the connections; commands in, events out, no screen.

pub mod browser;

pub use browser::Browser;
