//! The dialog of a login that waits for a person.

pub mod layout;
pub mod qr;
pub mod update;
pub mod view;

use crate::dashboard::widgets::secret_field::SecretField;
use crate::domain::ConnectionName;

/// The dialog of a login under way. What it waits for is in the connection's view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LoginDialog {
    /// Whose login.
    pub connection: ConnectionName,
    /// The answer pasted so far.
    pub field: SecretField,
    /// Whether typed characters go into the field.
    pub typing: bool,
    /// Why the last answer was refused.
    pub refused: Option<String>,
    /// The first line of the URL shown.
    pub scroll: usize,
    /// Whether the URL is shown as a QR code, over everything.
    pub qr: bool,
}

impl LoginDialog {
    /// An empty dialog.
    #[must_use]
    pub fn new(connection: ConnectionName, typing: bool) -> Self {
        Self { connection, field: SecretField::default(), typing, refused: None, scroll: 0, qr: false }
    }
}
