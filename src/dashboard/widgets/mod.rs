//! Building blocks that screens are drawn from. None of them knows the dashboard's state.

pub mod bidi;
pub mod border;
pub mod line;
pub mod pane;
pub mod secret_field;
pub mod sheet;
pub mod table;
pub mod text_field;
pub mod text_field_view;
pub mod truncate;
