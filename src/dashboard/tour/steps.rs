//! The steps of the tour, as data: a step more is an entry more in `STEPS`.

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::screen::Screen;
use crate::dashboard::tour::fault::FaultKind;
use crate::domain::{ConnectionEvent, Event, EventKind, HostEvent, Problem};

/// One step of the tour.
pub(super) struct TourStep {
    pub(super) title: &'static str,
    /// What to look at and what to press; each `{}` is the first key of the next of `keys`.
    pub(super) text: &'static str,
    pub(super) keys: &'static [Action],
    /// The connection that is selected when the step begins, where there is one of that name.
    pub(super) connection: &'static str,
    /// What there is to try.
    pub(super) exercise: Option<Exercise>,
}

/// Something to try.
pub(super) struct Exercise {
    pub(super) noticed: Noticed,
    /// Does it for a person who continues without having done it; none where waiting is all there is to do.
    pub(super) help: Option<Help>,
}

/// How a step is done for a person.
#[derive(Clone, Copy)]
pub(super) enum Help {
    /// As if these keys had been pressed.
    Press(&'static [Action]),
    /// The first request that failed is opened, else the newest.
    OpenFailure,
    /// This filter is set.
    Filter(&'static str),
}

/// How it is noticed that something was tried.
pub(super) enum Noticed {
    /// By what the engine or the shell announces; given the connection that the step is about.
    By(fn(&Event, &str) -> bool),
    /// By what the dashboard shows.
    On(fn(&App) -> bool),
}

/// The tour, step by step.
pub(super) static STEPS: &[TourStep] = &[
    TourStep {
        title: "The connections",
        text: "Every row is a connection: a symbol and a word for its state, and what is left of its access token.",
        keys: &[],
        connection: "factory",
        exercise: None,
    },
    TourStep {
        title: "It refreshes automatically",
        text: "Within seconds warehouse is refreshed without being asked. Watch its countdown start again.",
        keys: &[],
        connection: "warehouse",
        exercise: Some(Exercise { noticed: Noticed::By(is_refreshed), help: None }),
    },
    TourStep {
        title: "Refresh now",
        text: "{} refreshes the selected connection now, even though its token is still valid. See the request log.",
        keys: &[Action::ForceRefresh],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::By(is_refreshed),
            help: Some(Help::Press(&[Action::ForceRefresh])),
        }),
    },
    TourStep {
        title: "Copy the token",
        text: "{} copies the access token, {} a header or a curl line. Neither is ever shown on the screen.",
        keys: &[Action::CopyAccessToken, Action::OpenCopyMenu],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::By(|event, _| {
                matches!(event, Event::Host(HostEvent::Copied { .. } | HostEvent::CopyFailed { .. }))
            }),
            help: Some(Help::Press(&[Action::CopyAccessToken])),
        }),
    },
    TourStep {
        title: "Log in",
        text: "sandbox needs a login: {} opens a browser on the demo's page. Allow it there; manutop waits for it.",
        keys: &[Action::Login],
        connection: "sandbox",
        exercise: Some(Exercise {
            noticed: Noticed::By(|event, _| matches!(event.kind(), Some(EventKind::LoggedIn { .. }))),
            help: Some(Help::Press(&[Action::Login])),
        }),
    },
    TourStep {
        title: "Break something",
        text: "{} breaks things in the demo. Choose {}, the rate limit: factory is refused, and says until when.",
        keys: &[Action::OpenFaultMenu, Action::Fault(FaultKind::RateLimit)],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::By(is_rate_limit),
            help: Some(Help::Press(&[Action::OpenFaultMenu, Action::Fault(FaultKind::RateLimit)])),
        }),
    },
    TourStep {
        title: "Find what failed",
        text: "{} goes from pane to pane. In the request log, {} shows a request: what was sent, what came of it.",
        keys: &[Action::NextPane, Action::Open],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::On(|app| matches!(app.screens.top(), Screen::Request { .. })),
            help: Some(Help::OpenFailure),
        }),
    },
    TourStep {
        title: "Details",
        text: "{} shows all there is to know of a connection: what is wrong, which key fixes it, its requests.",
        keys: &[Action::Open],
        connection: "payroll",
        exercise: Some(Exercise {
            noticed: Noticed::On(|app| matches!(app.screens.top(), Screen::Details { .. })),
            help: Some(Help::Press(&[Action::Open])),
        }),
    },
    TourStep {
        title: "Fix everything",
        text: "{}, then {} repairs everything in the demo: factory is refreshed, payroll's secret matches again.",
        keys: &[Action::OpenFaultMenu, Action::Fault(FaultKind::AllWell)],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::By(is_refreshed),
            help: Some(Help::Press(&[Action::OpenFaultMenu, Action::Fault(FaultKind::AllWell)])),
        }),
    },
    TourStep {
        title: "Filter",
        text: "{} filters by name, provider or state: type \"live\" and press Enter. With many it is worth a key.",
        keys: &[Action::Filter],
        connection: "",
        exercise: Some(Exercise {
            noticed: Noticed::On(|app| app.screens.is_main() && !app.connections.filter().is_empty()),
            help: Some(Help::Filter("live")),
        }),
    },
    TourStep {
        title: "The hours ahead",
        text: "{} shows how long each token lives and when it is refreshed; {} and {} zoom. Below: how long requests took.",
        keys: &[Action::Timeline, Action::ZoomIn, Action::ZoomOut],
        connection: "factory",
        exercise: Some(Exercise {
            noticed: Noticed::On(|app| *app.screens.top() == Screen::Timeline),
            help: Some(Help::Press(&[Action::Timeline])),
        }),
    },
    TourStep {
        title: "Connections of your own",
        text: "{} adds a connection, {} edits one: a form asks for what it needs. {} finds any command by its name.",
        keys: &[Action::New, Action::Edit, Action::OpenPalette],
        connection: "factory",
        exercise: None,
    },
    TourStep {
        title: "Help",
        text: "{} lists every key there is, by where it works.",
        keys: &[Action::Help],
        connection: "",
        exercise: Some(Exercise {
            noticed: Noticed::On(|app| matches!(app.screens.top(), Screen::Help(_))),
            help: Some(Help::Press(&[Action::Help])),
        }),
    },
    TourStep {
        title: "That is all",
        text: "{} ends the tour and leaves the demo to you, {} quits. Nothing of it stays on this machine.",
        keys: &[Action::TourEnd, Action::Quit],
        connection: "factory",
        exercise: None,
    },
];

/// Others are refreshed all the time.
fn is_refreshed(event: &Event, subject: &str) -> bool {
    matches!(event, Event::Connection(ConnectionEvent { connection, kind: EventKind::Refreshed { .. } }) if connection.as_str() == subject)
}

fn is_rate_limit(event: &Event, _subject: &str) -> bool {
    matches!(event.kind(), Some(EventKind::RefreshFailed { problem: Problem::RateLimited { .. } }))
}
