//! The demo's guided tour: what to look at, what to try, and noticing that it was tried.
//!
//! Steps are data: a step more is an entry more in [`STEPS`]. Invariants: the tour's keys are the
//! only ones it takes, so that everything can be tried meanwhile; no step has to be done, the key
//! that goes on does it for whoever does not.

pub mod fault;
pub mod view;

use chrono::{DateTime, Utc};
use ratatui::layout::Size;

use crate::dashboard::action::Action;
use crate::dashboard::effect::Effect;
use crate::dashboard::keymap::Scope;
use crate::dashboard::layout::Pane;
use crate::dashboard::screen::{LoginDialog, Screen};
use crate::dashboard::tour::fault::FaultKind;
use crate::dashboard::widgets::text_field::TextField;
use crate::dashboard::{App, dispatch};
use crate::domain::{Command, Event, Problem};

/// One step of the tour.
struct Step {
    title: &'static str,
    /// What to look at and what to press; each `{}` is the first key of the next of `keys`.
    text: &'static str,
    keys: &'static [Action],
    /// The connection that is selected when the step begins, where there is one of that name.
    connection: &'static str,
    /// What there is to try.
    deed: Option<Deed>,
}

/// Something to try.
struct Deed {
    noticed: Noticed,
    /// Does it for whoever goes on without having done it; none where waiting is all there is to do.
    help: Option<Help>,
}

type Help = fn(&mut App, DateTime<Utc>) -> Vec<Effect>;

/// How it is noticed that something was tried.
enum Noticed {
    /// By what the engine or the shell announces; told which connection the step is about.
    By(fn(&Event, &str) -> bool),
    /// By what the dashboard shows.
    On(fn(&App) -> bool),
}

/// The tour, step by step.
static STEPS: &[Step] = &[
    Step {
        title: "The connections",
        text: "Every row is a connection: a symbol and a word for its state, and what is left of its access token.",
        keys: &[],
        connection: "factory",
        deed: None,
    },
    Step {
        title: "It refreshes by itself",
        text: "Within seconds warehouse is refreshed without being asked. Watch its countdown begin anew.",
        keys: &[],
        connection: "warehouse",
        deed: Some(Deed { noticed: Noticed::By(is_refreshed), help: None }),
    },
    Step {
        title: "Refresh now",
        text: "{} refreshes the marked connection now: one key, one exchange, one line in the request log.",
        keys: &[Action::ForceRefresh],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::By(is_refreshed),
            help: Some(|app, now| dispatch::act(app, Action::ForceRefresh, now)),
        }),
    },
    Step {
        title: "Copy the token",
        text: "{} copies the access token, {} a header or a curl line. Neither is ever shown on the screen.",
        keys: &[Action::CopyAccessToken, Action::OpenCopyMenu],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::By(|event, _| matches!(event, Event::Copied { .. } | Event::CopyFailed { .. })),
            help: Some(|app, now| dispatch::act(app, Action::CopyAccessToken, now)),
        }),
    },
    Step {
        title: "Log in",
        text: "sandbox needs a login: {} opens a browser on the demo's page. Allow it there; manutop waits for it.",
        keys: &[Action::Login],
        connection: "sandbox",
        deed: Some(Deed {
            noticed: Noticed::By(|event, _| matches!(event, Event::LoggedIn { .. })),
            help: Some(|app, now| dispatch::act(app, Action::Login, now)),
        }),
    },
    Step {
        title: "Break something",
        text: "{} breaks things in the demo. Choose {}, the rate limit: factory is refused, and says until when.",
        keys: &[Action::OpenFaultMenu, Action::Fault(FaultKind::RateLimit)],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::By(is_rate_limit),
            help: Some(|app, now| play(app, FaultKind::RateLimit, now)),
        }),
    },
    Step {
        title: "Find what failed",
        text: "{} goes from pane to pane. In the request log, {} shows a request: what was sent, what came of it.",
        keys: &[Action::NextPane, Action::Open],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::On(|app| matches!(app.mode, Screen::Request { .. })),
            help: Some(|app, _| open_failure(app)),
        }),
    },
    Step {
        title: "All well again",
        text: "{}, then {}: all well again. factory goes on by itself when its wait is over; {} does not wait.",
        keys: &[Action::OpenFaultMenu, Action::Fault(FaultKind::AllWell), Action::ForceRefresh],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::By(is_refreshed),
            help: Some(|app, now| play(app, FaultKind::AllWell, now)),
        }),
    },
    Step {
        title: "Filter",
        text: "{} filters by name, provider or state: type \"live\" and press Enter. With many it is worth a key.",
        keys: &[Action::Filter],
        connection: "",
        deed: Some(Deed {
            noticed: Noticed::On(|app| app.mode == Screen::Normal && !app.connections.filter().is_empty()),
            help: Some(|app, now| {
                app.set_filter(TextField::new("live"), now);
                Vec::new()
            }),
        }),
    },
    Step {
        title: "Details",
        text: "{} shows all there is to know of a connection: what is wrong, which key mends it, its requests.",
        keys: &[Action::Open],
        connection: "payroll",
        deed: Some(Deed {
            noticed: Noticed::On(|app| matches!(app.mode, Screen::Connection { .. })),
            help: Some(|app, now| dispatch::act(app, Action::Open, now)),
        }),
    },
    Step {
        title: "The hours ahead",
        text: "{} shows how long each token lives and when it is refreshed; {} and {} zoom. Below: how long requests took.",
        keys: &[Action::Timeline, Action::ZoomIn, Action::ZoomOut],
        connection: "factory",
        deed: Some(Deed {
            noticed: Noticed::On(|app| app.mode == Screen::Timeline),
            help: Some(|app, now| dispatch::act(app, Action::Timeline, now)),
        }),
    },
    Step {
        title: "Connections of your own",
        text: "{} adds a connection, {} edits one: a form asks for what it needs. {} finds any command by its name.",
        keys: &[Action::New, Action::Edit, Action::OpenPalette],
        connection: "factory",
        deed: None,
    },
    Step {
        title: "Help",
        text: "{} lists every key there is, by where it works.",
        keys: &[Action::Help],
        connection: "",
        deed: Some(Deed {
            noticed: Noticed::On(|app| matches!(app.mode, Screen::Help { .. })),
            help: Some(|app, now| dispatch::act(app, Action::Help, now)),
        }),
    },
    Step {
        title: "That is all",
        text: "{} ends the tour and leaves the demo to you, {} quits. Nothing of it stays on this machine.",
        keys: &[Action::TourEnd, Action::Quit],
        connection: "factory",
        deed: None,
    },
];

/// Others are refreshed all the time.
fn is_refreshed(event: &Event, subject: &str) -> bool {
    matches!(event, Event::Refreshed { connection, .. } if connection.as_str() == subject)
}

fn is_rate_limit(event: &Event, _subject: &str) -> bool {
    matches!(event, Event::RefreshFailed { problem: Problem::RateLimited { .. }, .. })
}

fn play(app: &mut App, kind: FaultKind, now: DateTime<Utc>) -> Vec<Effect> {
    let subject = app.subject().map(|view| view.name.clone());
    subject.map_or_else(Vec::new, |connection| fault::play(app, connection, kind, now))
}

/// Shows the newest request that failed, else the newest.
fn open_failure(app: &mut App) -> Vec<Effect> {
    app.pane = Pane::Requests;
    let mut shown = app.requests.window(0, usize::MAX);
    let newest = app.requests.window(0, 1).next();
    if let Some(row) = shown.find(|row| !row.is_ok()).or(newest) {
        app.mode = Screen::Request { entry: Box::new(row.clone()), scroll: 0 };
    }
    Vec::new()
}

/// How far the present step is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TourProgress {
    /// There is nothing to do but to look.
    Looking,
    /// Something is to be tried.
    Waiting,
    /// It is under way: by itself, or done on somebody's behalf.
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
            _ => "goes on",
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
        match &self.mode {
            _ if self.tour.is_none() => 0,
            Screen::Login(LoginDialog { qr: true, .. }) => 0,
            Screen::Login(_) | Screen::LoginFailed { .. } | Screen::Unlock(_) if low => 1,
            _ => 4,
        }
    }

    /// The tour's scopes in the present mode: only keys that it has no other use for.
    pub(crate) fn tour_scopes(&self) -> &'static [Scope] {
        match &self.mode {
            _ if self.tour.is_none() => &[],
            Screen::Normal => &[Scope::Tour, Scope::TourMain],
            Screen::Login(LoginDialog { qr: true, .. }) => &[],
            Screen::Help { .. }
            | Screen::Connection { .. }
            | Screen::Request { .. }
            | Screen::Timeline
            | Screen::Login(_)
            | Screen::LoginFailed { .. } => &[Scope::Tour],
            _ => &[],
        }
    }
}

/// Carries out one of the tour's own actions.
pub(crate) fn act(app: &mut App, action: Action, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(Tour { at, .. }) = app.tour else { return Vec::new() };
    match action {
        Action::TourNext if progress(app) == TourProgress::Waiting => help(app, at, now),
        Action::TourNext if at + 1 < STEPS.len() => begin(app, at + 1, now),
        Action::TourBack => begin(app, at.saturating_sub(1), now),
        // The filter first, as everywhere.
        Action::TourEnd if !app.connections.filter().is_empty() => {
            app.set_filter(TextField::default(), now);
            Vec::new()
        }
        _ => {
            let effects = tidy(app, now);
            app.tour = None;
            effects
        }
    }
}

/// How far the present step is; a login that was begun is on its way, whoever began it.
fn progress(app: &App) -> TourProgress {
    match (&app.mode, app.tour.as_ref().map_or(TourProgress::Looking, |tour| tour.progress)) {
        (Screen::Login(_) | Screen::LoginFailed { .. }, TourProgress::Waiting) => TourProgress::Helped,
        (_, progress) => progress,
    }
}

/// Begins a step: the main screen, with nothing open from the one before.
fn begin(app: &mut App, at: usize, now: DateTime<Utc>) -> Vec<Effect> {
    let Some(step) = STEPS.get(at) else { return Vec::new() };
    let effects = tidy(app, now);
    app.connections.select_name(step.connection);
    let progress = match &step.deed {
        None => TourProgress::Looking,
        Some(Deed { help: None, .. }) => TourProgress::Helped,
        Some(_) => TourProgress::Waiting,
    };
    app.tour = Some(Tour { at, progress });
    effects
}

/// Does what is to be tried, as though the step had just begun.
fn help(app: &mut App, at: usize, now: DateTime<Utc>) -> Vec<Effect> {
    let mut effects = begin(app, at, now);
    app.tour = Some(Tour { at, progress: TourProgress::Helped });
    if let Some(help) = STEPS.get(at).and_then(|step| step.deed.as_ref()?.help) {
        effects.extend(help(app, now));
    }
    effects
}

/// Closes what is open. A login that was asked for is given up: its dialog is what shows it.
fn tidy(app: &mut App, now: DateTime<Utc>) -> Vec<Effect> {
    let mode = std::mem::replace(&mut app.mode, Screen::Normal);
    app.pane = Pane::Connections;
    app.set_filter(TextField::default(), now);
    let mut logins = std::mem::take(&mut app.logins_asked);
    if let Screen::Login(dialog) = mode {
        logins.insert(dialog.connection);
    }
    logins.into_iter().map(|connection| Command::Cancel { connection }.into()).collect()
}

/// Takes notice of what was announced.
pub(crate) fn hear(app: &mut App, event: &Event) {
    notice(app, |step, noticed, _| matches!(noticed, Noticed::By(is_it) if is_it(event, step.connection)));
}

/// Takes notice of what is on the screen.
pub(crate) fn look(app: &mut App) {
    notice(app, |_, noticed, app| matches!(noticed, Noticed::On(is_it) if is_it(app)));
}

fn notice(app: &mut App, is_done: impl FnOnce(&Step, &Noticed, &App) -> bool) {
    let Some(Tour { at, .. }) = app.tour else { return };
    let Some(step) = STEPS.get(at) else { return };
    if step.deed.as_ref().is_some_and(|deed| is_done(step, &deed.noticed, app)) {
        app.tour = Some(Tour { at, progress: TourProgress::Done });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{app_of, fresh, learn, logging_in, loopback, manu, name, now, press};
    use crate::dashboard::widgets::sheet::wrap;

    fn touring() -> App {
        let mut app = app_of(vec![manu("factory", 900), manu("warehouse", 70), fresh("sandbox"), fresh("payroll")]);
        app.options.demo = true;
        app.with_tour(now())
    }

    fn number(app: &App) -> usize {
        app.tour_panel().expect("on the tour").number
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
        assert_eq!(app.mode, Screen::Normal);
    }

    #[test]
    fn what_was_done_is_noticed_and_nothing_goes_on_by_itself() {
        let mut app = touring();
        press(&mut app, "Space Space");
        assert_eq!((number(&app), app.tour_panel().unwrap().progress), (3, TourProgress::Waiting));
        press(&mut app, "R");
        learn(&mut app, Event::Refreshed { connection: name("warehouse"), generation: 9, recovered: None });
        assert_eq!(app.tour_panel().unwrap().progress, TourProgress::Waiting, "that was another");
        learn(&mut app, Event::Refreshed { connection: name("factory"), generation: 42, recovered: None });
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
        assert_eq!((number(&app), &app.mode), (2, &Screen::Normal));
        press(&mut app, "Esc");
        assert_eq!(app.tour, None);
        press(&mut app, "Enter");
        assert!(matches!(app.mode, Screen::Connection { .. }), "Enter is the dashboard's again");
    }

    #[test]
    fn a_login_left_behind_is_given_up() {
        let mut app = touring();
        let _ = begin(&mut app, STEPS.iter().position(|step| step.title == "Log in").unwrap(), now());
        press(&mut app, "Space");
        crate::dashboard::fixtures::change(&mut app, logging_in("sandbox", loopback(), Some(Ok(()))));
        assert!(matches!(app.mode, Screen::Login(_)));
        assert_eq!(press(&mut app, "Space"), [Command::Cancel { connection: name("sandbox") }]);
        assert_eq!(app.mode, Screen::Normal);
    }
}
