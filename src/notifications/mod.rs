//! Notifications for a person who looks elsewhere: the window's title, notifications, the bell,
//! and the program that the configuration names for events.
//!
//! What is an incident says [`crate::domain::incident`]; here is what is done about one:
//!
//! - the *title* follows the state, changed or not by anything below;
//! - a *notification* and the bell announce that incidents opened: once for each, several as one, not
//!   more often than every half minute, not for what stood at the start, not while quiet. The
//!   desktop shows it; where there is none, or it does not answer, the terminal;
//! - `on_event` is run for incidents opened and closed, also for those that stood at the start,
//!   which say so, and for results; quiet or not.
//!
//! Nothing in here waits: what might hang has a thread of its own.

pub mod desktop;
pub mod hook;
pub mod notice;

pub mod on_event;
pub mod report;
pub mod title;

use std::time::{Duration, Instant};

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};

use crate::config::{Config, NotifySettings};
use crate::dashboard::App;
use crate::domain::{Event, HostEvent, Incident, IncidentChange, Incidents};
use crate::notifications::desktop::Desktop;
use crate::notifications::notice::Notice;
use crate::notifications::on_event::OnEvent;
use crate::platform::environment::Environment;
use crate::terminal::window::Window;

/// Openings are gathered for so long, for what breaks for one breaks for several.
const GATHER: TimeDelta = TimeDelta::seconds(2);
/// The pause between two notifications.
const PAUSE: TimeDelta = TimeDelta::seconds(30);
/// A desktop that has not shown a notification after so long is hung, and not asked again.
const DESKTOP_TIMEOUT: Duration = Duration::from_secs(5);

/// What to do about incidents; see the configuration's keys.
#[derive(Debug, Clone, Default)]
pub struct NotifierOptions {
    /// How to notify.
    pub notify: NotifySettings,
    /// Whether to ring the bell.
    pub bell: bool,
    /// The program to run for each event.
    pub on_event: Option<Vec<String>>,
    /// How long one run of it may take; `None` for half a minute.
    pub on_event_timeout: Option<Duration>,
}

impl From<&Config> for NotifierOptions {
    fn from(config: &Config) -> Self {
        Self { notify: config.notify, bell: config.bell, on_event: config.on_event.clone(), on_event_timeout: None }
    }
}

/// Watches for incidents, and announces them.
pub struct Notifier {
    incidents: Incidents,
    options: NotifierOptions,
    /// The second of the last look: one a second is enough.
    looked: Option<i64>,
    /// The title as last set.
    title: String,
    /// Openings not announced yet.
    gathered: Vec<Incident>,
    gathering_since: Option<DateTime<Utc>>,
    notified: Option<DateTime<Utc>>,
    /// Over SSH the desktop is not the person's.
    over_ssh: bool,
    desktop: Option<Desktop>,
    /// What the desktop was given and has not answered for.
    asked: Option<(Instant, Notice)>,
    /// What the terminal is to show in the desktop's place.
    undelivered: Option<Notice>,
    on_event: OnEvent,
    /// How the desktop fared with each.
    shown: UnboundedReceiver<Result<(), String>>,
    /// Held so that the channel never ends.
    show: UnboundedSender<Result<(), String>>,
}

impl Notifier {
    /// Begins to watch; the program was opened at `now`. Over SSH the desktop is not the person's.
    #[must_use]
    pub fn start(options: NotifierOptions, environment: &Environment, now: DateTime<Utc>) -> Self {
        let (show, shown) = mpsc::unbounded_channel();
        let mut notifier = Self {
            incidents: Incidents::new(now),
            looked: None,
            title: String::new(),
            gathered: Vec::new(),
            gathering_since: None,
            notified: None,
            over_ssh: environment.ssh,
            desktop: None,
            asked: None,
            undelivered: None,
            on_event: OnEvent::start(options.on_event.clone(), options.on_event_timeout),
            shown,
            show,
            options,
        };
        notifier.start_desktop();
        notifier
    }

    /// Takes over the options of a reloaded configuration. How long the program may
    /// take stays.
    pub fn configure(&mut self, options: NotifierOptions) {
        let before = std::mem::replace(&mut self.options, options);
        self.options.on_event_timeout = before.on_event_timeout;
        self.start_desktop();
        self.on_event.configure(self.options.on_event.clone());
    }

    fn start_desktop(&mut self) {
        if self.options.notify == NotifySettings::Desktop && !self.over_ssh && self.desktop.is_none() {
            let shown = self.show.clone();
            // The receiver is gone once the dashboard is leaving.
            self.desktop = Desktop::start(move |result| drop(shown.send(result)));
        }
    }

    /// Hears what happened, for the program that wants to know.
    pub fn observe(&mut self, event: &Event, now: DateTime<Utc>) {
        self.on_event.observe(event, now);
    }

    /// Looks at the state, once a second at most, and does what is due.
    pub fn turn(&mut self, app: &App, host: &mut impl Window, now: DateTime<Utc>) {
        // A terminal that cannot be written to shows at the next frame.
        if let Some(notice) = self.undelivered.take() {
            let _ = host.notify(&notice.line());
        }
        if self.looked.replace(now.timestamp()) == Some(now.timestamp()) {
            return;
        }
        let title = title::title(app, now);
        if title != self.title {
            let _ = host.set_title(&title);
            self.title = title;
        }
        let connections = &app.connections;
        for change in self.incidents.look_at(connections.asking(), |name| connections.get(name), now) {
            self.on_event.observe_incident(&change, now);
            self.gather(change, now);
        }
        self.notify(app, host, now);
    }

    /// Waits for something to say on the message line. Nothing is lost when the wait is given up.
    /// `None` only says that [`Notifier::turn`] is due.
    pub async fn next(&mut self) -> Option<Event> {
        loop {
            tokio::select! {
                why = self.on_event.trouble() => return Some(Event::Host(HostEvent::HookFailed { why })),
                Some(shown) = self.shown.recv() => {
                    let asked = self.asked.take();
                    if shown.is_err() {
                        self.undelivered = asked.map(|(_, notice)| notice);
                        return None;
                    }
                }
            }
        }
    }

    /// Gives events that still wait for the program a moment.
    pub async fn close(&mut self, patience: Duration) {
        self.on_event.close(patience).await;
    }

    fn gather(&mut self, change: IncidentChange, now: DateTime<Utc>) {
        match change {
            IncidentChange::Opened(incident) if !incident.standing => {
                self.gathering_since.get_or_insert(now);
                self.gathered.push(incident);
            }
            IncidentChange::Opened(_) => {}
            // What is over before it was announced need not be.
            IncidentChange::Closed { incident, .. } => self.gathered.retain(|other| *other != incident),
        }
    }

    fn notify(&mut self, app: &App, host: &mut impl Window, now: DateTime<Utc>) {
        if let Some((_, notice)) = self.asked.take_if(|(since, _)| since.elapsed() > DESKTOP_TIMEOUT) {
            self.desktop = None;
            let _ = host.notify(&notice.line());
        }
        let is_due = self.gathering_since.is_some_and(|since| now - since >= GATHER)
            && self.notified.is_none_or(|last| now - last >= PAUSE || now < last);
        if !is_due {
            return;
        }
        self.gathering_since = None;
        let gathered = std::mem::take(&mut self.gathered);
        let Some(notice) = Notice::of(&gathered, app, now).filter(|_| !app.quiet) else { return };
        self.notified = Some(now);
        if self.options.bell {
            let _ = host.ring();
        }
        match &self.desktop {
            _ if self.options.notify == NotifySettings::Off => {}
            Some(desktop) if desktop.send(notice.clone()) => self.asked = Some((Instant::now(), notice)),
            _ => drop(host.notify(&notice.line())),
        }
    }
}
