//! How values are written for people: times, spans, and text in columns.

pub mod time;
pub mod width;
