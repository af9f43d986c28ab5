//! How values are written for people: times, spans, text in columns, and the sentence for each
//! event.

pub mod event;
pub mod time;
pub mod width;
