//! The main screen: connections, details and request log side by side; without connections, the welcome.

pub mod update;
pub mod view;
