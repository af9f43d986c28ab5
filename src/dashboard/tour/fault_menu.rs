//! What the demo's fault menu does.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::effect::Effect;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::{ConnectionName, Severity};

/// Breaks something, as seen from a connection; says what.
pub(crate) fn play(app: &mut App, connection: ConnectionName, kind: FaultKind, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(view) = app.connections.get(&connection) else { return Vec::new() };
    let refreshes = view.token().is_some_and(|token| token.refresh.is_some());
    if kind.needs_refresh_token() && !refreshes {
        app.say(
            Some(&connection),
            Severity::Warning,
            "it has no refresh token to lose; choose another connection",
            now,
        );
        return Vec::new();
    }
    let (whose, severity) =
        if kind == FaultKind::AllWell { (None, Severity::Good) } else { (Some(&connection), Severity::Warning) };
    app.say(whose, severity, kind.words(), now);
    vec![Effect::Fault { connection, kind }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::action::Action;
    use crate::dashboard::fixtures::{NOTHING, app_of, fresh, manu, manus, name, now, press};
    use crate::dashboard::keymap::{Keymap, Scope};

    #[test]
    fn every_fault_is_in_the_menu_and_the_menu_in_the_demo_alone() {
        let keymap = Keymap::default();
        for kind in FaultKind::ALL {
            assert!(keymap.of(Scope::FaultMenu).any(|binding| binding.action == Action::Fault(kind)), "{kind:?}");
        }
        let mut app = app_of(vec![manu("factory", 900)]);
        assert!(press(&mut app, "F l").iter().all(|effect| !matches!(effect, Effect::Fault { .. })));
        app.options.demo = true;
        app.screens.open(crate::dashboard::screen::Screen::Main);
        let fault = Effect::Fault { connection: name("factory"), kind: FaultKind::RateLimit };
        assert_eq!(press(&mut app, "F l"), [fault]);
    }

    #[test]
    fn what_has_no_refresh_token_cannot_lose_it() {
        for view in [manus("hr-sync", 900), fresh("archive")] {
            let mut app = app_of(vec![view]);
            let subject = app.connections.all()[0].name.clone();
            assert_eq!(play(&mut app, subject, FaultKind::Revoked, now()), NOTHING);
            assert!(app.message.unwrap().text.contains("no refresh token"));
        }
    }
}
