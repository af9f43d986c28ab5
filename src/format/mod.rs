//! How values are written for people: times, spans, text in columns, QR codes, and the sentence for each
//! event.

pub mod event;
pub mod qr;
pub mod time;
pub mod width;
