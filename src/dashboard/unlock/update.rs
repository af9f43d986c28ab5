//! Keys in the passphrase dialog.

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::flow::Flow;
use crate::dashboard::screen::Screen;
use crate::dashboard::unlock::UnlockDialog;
use crate::domain::Command;

/// What a person has to decide before a secret can be stored: the passphrase of the encrypted store, or whether to have
/// one where there is no keyring.
pub(crate) fn opened(app: &App) -> Option<Screen> {
    match app.passphrase {
        Some(new) => Some(Screen::Unlock(UnlockDialog::new(new, None))),
        None => app.offers_files.then_some(Screen::Confirm(Question::UseFiles)),
    }
}

/// Carries out an action in the dialog.
pub(crate) fn act(app: &mut App, action: Action) -> Flow {
    let Screen::Unlock(dialog) = app.screens.top_mut() else { return Flow::NOTHING };
    match action {
        Action::Accept => {
            let passphrase = dialog.accept();
            return passphrase.map_or(Flow::NOTHING, |passphrase| Flow::effect(Command::Unlock { passphrase }));
        }
        Action::Erase => dialog.field.pop(),
        Action::EraseAll => dialog.field.clear(),
        Action::Cancel => return Flow::CLOSE,
        _ => {}
    }
    Flow::NOTHING
}

/// Adds typed text, blanks included.
pub(crate) fn type_text(dialog: &mut UnlockDialog, text: &str) {
    if !dialog.trying {
        dialog.field.push_words(text);
        dialog.refused = None;
    }
}
