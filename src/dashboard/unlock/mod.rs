//! The dialog that asks for the passphrase of the encrypted store.

pub mod update;
pub mod view;

use crate::dashboard::widgets::secret_field::SecretField;
use crate::domain::Secret;
use crate::domain::passphrase::weakness;

/// The dialog that asks for the passphrase of the encrypted store.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UnlockDialog {
    /// Whether it is chosen, because there is no store yet: then it is asked for twice.
    pub new: bool,
    /// What was typed so far.
    pub field: SecretField,
    /// The passphrase as it was chosen, while it is asked for the second time.
    pub chosen: Option<SecretField>,
    /// Whether it was handed over and is being tried, which takes a moment.
    pub trying: bool,
    /// Why the last one did not do.
    pub refused: Option<String>,
}

impl UnlockDialog {
    /// An empty dialog.
    #[must_use]
    pub fn new(new: bool, refused: Option<String>) -> Self {
        Self { new, field: SecretField::default(), chosen: None, trying: false, refused }
    }

    /// Hands over what was typed: the passphrase to try, or `None` where it is asked for (again).
    pub(crate) fn accept(&mut self) -> Option<Secret> {
        if self.trying {
            return None;
        }
        let typed = std::mem::take(&mut self.field);
        self.refused = None;
        match (self.new, self.chosen.take()) {
            _ if typed.is_empty() => self.refused = Some("an empty passphrase protects nothing".into()),
            (true, None) => match weakness(&typed.secret()) {
                Some(why) => self.refused = Some(format!("too weak: {why}. Four random words are strong")),
                None => self.chosen = Some(typed),
            },
            (true, Some(chosen)) if chosen != typed => {
                self.refused = Some("the two were not the same; choose it again".into());
            }
            _ => {
                self.trying = true;
                return Some(typed.secret());
            }
        }
        None
    }
}
