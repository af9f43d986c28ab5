//! What surrounds every screen: header, footer and message line.

pub mod footer;
pub mod footer_view;
pub mod header;
pub mod header_view;
pub mod message_line;
