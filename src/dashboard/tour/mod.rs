//! The demo's guided tour: what to look at, what to try, and noticing that it was tried.
//!
//! Invariants: the tour's keys are the only ones it takes, so that everything can be tried meanwhile; no step has to be
//! done by hand, the key for the next step does it.

pub mod fault;
pub mod fault_menu;
pub mod steps;
pub mod view;

use chrono::{DateTime, Utc};
use ratatui::layout::Size;

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::effect::Effect;
use crate::dashboard::flow::Flow;
use crate::dashboard::help::HelpScreen;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::login::LoginDialog;
use crate::dashboard::screen::Screen;
use crate::dashboard::tour::steps::{Exercise, Help, Noticed, STEPS, TourStep};
use crate::dashboard::widgets::text_field::TextField;
use crate::domain::{Command, Event};

/// How far the present step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TourProgress {
    /// There is nothing to do but to look.
    Looking,
    /// Something is to be tried.
    Waiting,
    /// It is under way: automatically, or done on a person's behalf.
    Helped,
    /// It was done.
    Done,
}

/// Where a person is on the tour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tour {
    at: usize,
    progress: TourProgress,
}

/// The present step as it is shown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TourPanel {
    /// Its number, from 1.
    pub number: usize,
    /// How many there are.
    pub count: usize,
    /// Its title.
    pub title: &'static str,
    /// What to look at and which keys to press.
    pub text: String,
    /// How far it is.
    pub progress: TourProgress,
    /// The tour's keys that work now, with what they do.
    pub keys: Vec<(Action, &'static str)>,
}

impl App {
    /// The same dashboard, on the tour.
    #[must_use]
    pub fn with_tour(mut self, now: DateTime<Utc>) -> Self {
        begin(&mut self, 0, now);
        self
    }

    /// The present step of the tour, where there is one.
    #[must_use]
    pub fn tour_panel(&self) -> Option<TourPanel> {
        let at = self.tour.as_ref()?.at;
        let step = STEPS.get(at)?;
        let progress = progress(self);
        let next = match progress {
            TourProgress::Waiting => "does it for you",
            _ if at + 1 == STEPS.len() => "ends the tour",
            _ => "continues",
        };
        let mut keys = vec![(Action::TourNext, next), (Action::TourBack, "back"), (Action::TourEnd, "end")];
        let scopes = self.tour_scopes();
        keys.retain(|(action, _)| {
            self.options.keymap.bindings().iter().any(|key| key.action == *action && scopes.contains(&key.scope))
        });
        let mut text = step.text.to_owned();
        for key in step.keys {
            text = text.replacen("{}", &self.options.keymap.label(*key), 1);
        }
        Some(TourPanel { number: at + 1, count: STEPS.len(), title: step.title, text, progress, keys })
    }

    /// How many rows the tour takes of a screen of `size`: as few as a login's long URL needs, and
    /// none over a QR code.
    pub(crate) fn tour_rows(&self, size: Size) -> u16 {
        let low = size.height < 20;
        match self.screens.top() {
            _ if self.tour.is_none() => 0,
            Screen::Login(LoginDialog { qr: true, .. }) => 0,
            Screen::Login(_) | Screen::LoginFailed { .. } | Screen::Unlock(_) if low => 1,
            _ => 4,
        }
    }

    /// The tour's scopes in the present mode: only keys that it has no other use for.
    pub(crate) fn tour_scopes(&self) -> &'static [Scope] {
        match self.screens.top() {
            _ if self.tour.is_none() => &[],
            Screen::Main => &[Scope::Tour, Scope::TourMain],
            Screen::Login(LoginDialog { qr: true, .. }) => &[],
            Screen::Help(HelpScreen { typing: false, .. })
            | Screen::Details { .. }
            | Screen::Request { .. }
            | Screen::Timeline
            | Screen::Login(_)
            | Screen::LoginFailed { .. } => &[Scope::Tour],
            _ => &[],
        }
    }
}

/// Carries out one of the tour's own actions.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Flow {
    if action == Action::StartTour {
        return begin(app, 0, now);
    }
    let Some(Tour { at, .. }) = app.tour else { return Flow::NOTHING };
    match action {
        Action::TourNext if progress(app) == TourProgress::Waiting => help(app, at, now),
        Action::TourNext if at + 1 < STEPS.len() => begin(app, at + 1, now),
        Action::TourBack => begin(app, at.saturating_sub(1), now),
        // The filter first, as everywhere.
        Action::TourEnd if !app.connections.filter().is_empty() => {
            app.set_filter(TextField::default(), now);
            Flow::NOTHING
        }
        _ => {
            let effects = tidy(app, now);
            app.tour = None;
            Flow::Restart(effects, Vec::new())
        }
    }
}

/// How far the present step is; a login that was begun is in progress, however it was begun.
fn progress(app: &App) -> TourProgress {
    match (app.screens.top(), app.tour.as_ref().map_or(TourProgress::Looking, |tour| tour.progress)) {
        (Screen::Login(_) | Screen::LoginFailed { .. }, TourProgress::Waiting) => TourProgress::Helped,
        (_, progress) => progress,
    }
}

/// Begins a step: the main screen, with nothing open from the one before.
fn begin(app: &mut App, at: usize, now: DateTime<Utc>) -> Flow {
    let Some(step) = STEPS.get(at) else { return Flow::NOTHING };
    let effects = tidy(app, now);
    app.connections.select_name(step.connection);
    let progress = match &step.exercise {
        None => TourProgress::Looking,
        Some(Exercise { help: None, .. }) => TourProgress::Helped,
        Some(_) => TourProgress::Waiting,
    };
    app.tour = Some(Tour { at, progress });
    Flow::Restart(effects, Vec::new())
}

/// Does what is to be tried, as though the step had just begun.
fn help(app: &mut App, at: usize, now: DateTime<Utc>) -> Flow {
    let flow = begin(app, at, now);
    app.tour = Some(Tour { at, progress: TourProgress::Helped });
    let help = STEPS.get(at).and_then(|step| step.exercise.as_ref()?.help);
    match (flow, help) {
        (Flow::Restart(effects, _), Some(Help::Press(actions))) => Flow::Restart(effects, actions.to_vec()),
        (flow, Some(Help::Filter(text))) => {
            app.set_filter(TextField::new(text), now);
            flow
        }
        (Flow::Restart(effects, _), Some(Help::OpenFailure)) => {
            app.pane = Pane::Requests;
            let failed = app.requests.window(0, usize::MAX).position(|row| !row.is_ok());
            app.requests.select(failed.unwrap_or(0));
            Flow::Restart(effects, vec![Action::Open])
        }
        (flow, _) => flow,
    }
}

/// Undoes what the step before left. A login that was asked for is cancelled: its dialog is what shows it.
fn tidy(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    app.pane = Pane::Connections;
    app.set_filter(TextField::default(), now);
    let mut logins = std::mem::take(&mut app.logins_asked);
    if let Screen::Login(dialog) = app.screens.top() {
        logins.insert(dialog.connection.clone());
    }
    logins.into_iter().map(|connection| Command::Cancel { connection }.into()).collect()
}

/// Takes notice of what was announced.
pub(crate) fn observe(app: &mut App, event: &Event) {
    notice(app, |step, noticed, _| matches!(noticed, Noticed::By(is_it) if is_it(event, step.connection)));
}

/// Takes notice of what is on the screen.
pub(crate) fn check(app: &mut App) {
    notice(app, |_, noticed, app| matches!(noticed, Noticed::On(is_it) if is_it(app)));
}

fn notice(app: &mut App, is_done: impl FnOnce(&TourStep, &Noticed, &App) -> bool) {
    let Some(Tour { at, .. }) = app.tour else { return };
    let Some(step) = STEPS.get(at) else { return };
    if step.exercise.as_ref().is_some_and(|exercise| is_done(step, &exercise.noticed, app)) {
        app.tour = Some(Tour { at, progress: TourProgress::Done });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{app_of, fresh, learn, logging_in, loopback, manu, name, now, press};
    use crate::dashboard::tour::fault::FaultKind;
    use crate::dashboard::widgets::sheet::wrap;
    use crate::domain::EventKind;

    fn touring() -> App {
        let mut app = app_of(vec![manu("factory", 900), manu("warehouse", 70), fresh("sandbox"), fresh("payroll")]);
        app.options.demo = true;
        app.with_tour(now())
    }

    fn number(app: &App) -> usize {
        app.tour_panel().expect("on the tour").number
    }

    #[test]
    fn its_key_starts_it_from_the_table_and_from_details() {
        for keys in ["I", "Enter I"] {
            let mut app = touring();
            press(&mut app, "Esc");
            assert_eq!(app.tour, None);
            press(&mut app, keys);
            assert_eq!((number(&app), app.screens.top()), (1, &Screen::Main), "{keys}");
        }
    }

    #[test]
    fn every_step_fits_the_smallest_screen_and_names_its_keys() {
        let mut app = touring();
        for (at, step) in STEPS.iter().enumerate() {
            let _ = begin(&mut app, at, now());
            let panel = app.tour_panel().unwrap();
            assert!(wrap(&panel.text, 58).len() <= 2, "{}", panel.title);
            assert!(!panel.text.contains("{}"), "{}", panel.text);
            assert_eq!(step.text.matches("{}").count(), step.keys.len(), "{}", panel.title);
            for action in step.keys {
                assert!(!app.options.keymap.label(*action).is_empty(), "{action:?} has no key");
            }
        }
    }

    #[test]
    fn space_alone_leads_to_the_end_and_does_everything_on_the_way() {
        let mut app = touring();
        let (mut effects, mut presses) = (Vec::new(), 0);
        while app.tour.is_some() {
            effects.extend(press(&mut app, "Space"));
            presses += 1;
            assert!(presses < 3 * STEPS.len(), "stuck at {}", number(&app));
        }
        let connection = name("factory");
        let refresh = Command::ForceIfSure { connection: connection.clone() };
        assert!(effects.iter().any(|effect| *effect == refresh));
        for kind in [FaultKind::RateLimit, FaultKind::AllWell] {
            assert!(effects.contains(&Effect::Fault { connection: connection.clone(), kind }));
        }
        assert!(effects.iter().any(|effect| *effect == Command::Login { connection: name("sandbox") }));
        assert_eq!(*app.screens.top(), Screen::Main);
    }

    #[test]
    fn what_was_done_is_noticed_and_no_step_begins_by_itself() {
        let mut app = touring();
        press(&mut app, "Space Space");
        assert_eq!((number(&app), app.tour_panel().unwrap().progress), (3, TourProgress::Waiting));
        press(&mut app, "R");
        learn(&mut app, EventKind::Refreshed { generation: 9, recovered: None }.of(name("warehouse")));
        assert_eq!(app.tour_panel().unwrap().progress, TourProgress::Waiting, "that was another");
        learn(&mut app, EventKind::Refreshed { generation: 42, recovered: None }.of(name("factory")));
        assert_eq!((number(&app), app.tour_panel().unwrap().progress), (3, TourProgress::Done));
        press(&mut app, "Space");
        assert_eq!(number(&app), 4);
    }

    #[test]
    fn back_and_out_work_and_leave_nothing_open() {
        let mut app = touring();
        press(&mut app, "Right Right Left");
        assert_eq!(number(&app), 2);
        press(&mut app, "?");
        let offered: Vec<_> = app.tour_panel().unwrap().keys.into_iter().map(|(action, _)| action).collect();
        assert_eq!(offered, [Action::TourNext, Action::TourBack], "Esc closes the help");
        press(&mut app, "Esc");
        assert_eq!((number(&app), app.screens.top()), (2, &Screen::Main));
        press(&mut app, "Esc");
        assert_eq!(app.tour, None);
        press(&mut app, "Enter");
        assert!(matches!(*app.screens.top(), Screen::Details { .. }), "Enter is the dashboard's again");
    }

    #[test]
    fn a_login_left_behind_is_given_up() {
        let mut app = touring();
        let _ = begin(&mut app, STEPS.iter().position(|step| step.title == "Log in").unwrap(), now());
        press(&mut app, "Space");
        crate::dashboard::fixtures::change(&mut app, logging_in("sandbox", loopback(), Some(Ok(()))));
        assert!(matches!(*app.screens.top(), Screen::Login(_)));
        assert_eq!(press(&mut app, "Space"), [Command::Cancel { connection: name("sandbox") }]);
        assert_eq!(*app.screens.top(), Screen::Main);
    }
}
