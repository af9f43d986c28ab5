//! Events of the engine and of the program around it: taken into the state, and announced on the message line.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::details::token_history;
use crate::dashboard::dialogs::question::Question;
use crate::dashboard::effect::Effect;
use crate::dashboard::frame::message_line::{StatusMessage, reason};
use crate::dashboard::screen::Screen;
use crate::dashboard::unlock::UnlockDialog;
use crate::dashboard::{App, connection_form, login};
use crate::domain::{
    Activity, ConnectionEvent, ConnectionName, CopiedTo, CopyWhat, Event, EventKind, HostEvent, KeepaliveProcess,
    Reason, Severity, SubjectChange,
};
use crate::format;
use crate::format::event::Sentence;
use crate::format::time::{count, countdown, spoken};

/// Takes in an event; answers with what to do about it.
pub(crate) fn learn(app: &mut App, event: Event, now: DateTime<Utc>) -> Vec<Effect> {
    match event {
        Event::Connection(ConnectionEvent { connection, kind }) => happened(app, connection, kind, now),
        Event::Changed(view) => {
            let connection = view.name.clone();
            app.connections.put(*view, now);
            if app.awaited.take_if(|awaited| *awaited == connection).is_some() {
                app.connections.select_name(connection.as_str());
                let text = next_step(app, &connection, "saved");
                app.say(Some(&connection), Severity::Good, text, now);
            }
            offer_login(app, &connection);
        }
        Event::RequestLogged(entry) => app.requests.push(*entry),
        Event::Configured { connections } => {
            let order: Vec<_> = connections.iter().map(|connection| connection.name.clone()).collect();
            app.connections.arrange(&order, now);
            app.configure(connections);
        }
        Event::PassphraseAsked { new, refused } => passphrase_asked(app, new, refused.as_ref()),
        // What a keyring holds would be left behind there.
        Event::FilesOffered => app.offers_files = app.connections.all().iter().all(|view| view.token().is_none()),
        Event::UnlockEnded(result) => unlock_ended(app, result, now),
        Event::StoreChanged(ref result) => store_changed(app, result, &event, now),
        Event::KeepaliveChanged(keepalive) => keepalive_changed(app, keepalive, now),
        Event::Host(noticed) => notice(app, noticed, now),
    }
    Vec::new()
}

/// Takes in what happened to a connection.
fn happened(app: &mut App, connection: ConnectionName, kind: EventKind, now: DateTime<Utc>) {
    match kind {
        EventKind::LoginStarted => return login_started(app, &connection, now),
        EventKind::SubjectChanged { change } => return subject_changed(app, connection, change, now),
        EventKind::LoginFailed { .. } => return login_failed(app, connection, &kind, now),
        EventKind::ImportFailed { .. } => return import_failed(app, connection, &kind, now),
        EventKind::AnswerRefused { .. } => return paste_refused(app, &connection, &kind, now),
        EventKind::Inspected { inspection } => return token_history::take(app, &connection, inspection),
        EventKind::Removed => return removed(app, &connection, now),
        EventKind::LoggedIn { .. } | EventKind::NotSaved { .. } | EventKind::LoginCancelled => {
            if matches!(kind, EventKind::LoggedIn { .. }) {
                app.pendings.forget(&connection);
            }
            login_ended(app, &connection);
        }
        EventKind::Refreshed { .. } | EventKind::RefreshFailed { .. } | EventKind::Refused { .. } => {
            app.logins_asked.remove(&connection);
        }
        _ => {}
    }
    announce(app, &connection, &kind, now);
}

/// Says what happened to a connection, and which key comes next.
fn announce(app: &mut App, connection: &ConnectionName, kind: &EventKind, now: DateTime<Utc>) {
    let zone = app.zone();
    let Some(Sentence { severity, text }) = format::event::of_connection(kind, |at| zone.near(at, now)) else { return };
    let text = match kind {
        EventKind::StillFresh { expires_at } => {
            format!("fresh for {}, {} forces", countdown(*expires_at - now), app.key(Action::ForceRefresh))
        }
        EventKind::ClientSecretSet { result: Ok(()) } => next_step(app, connection, &text),
        EventKind::LoginStarted => format!("{text}; {} shows it", app.key(Action::Login)),
        _ => reason(&text),
    };
    app.say(Some(connection), severity, text, now);
}

/// Takes in what was noticed outside the engine.
fn notice(app: &mut App, event: HostEvent, now: DateTime<Utc>) {
    let (connection, severity, text) = match event {
        HostEvent::ConfigurationRead(Err(why)) => {
            app.config_problem = Some(reason(&why));
            return;
        }
        HostEvent::ConnectionSaved { connection, result } => {
            return connection_form::update::saved(app, &connection, result, now);
        }
        HostEvent::ConfigurationRead(Ok(())) | HostEvent::HookFailed { .. } => {
            if matches!(event, HostEvent::ConfigurationRead(_)) {
                app.config_problem = None;
            }
            return announce_program(app, &Event::Host(event), now);
        }
        HostEvent::ConfigurationUnwatched { why } => {
            let text = format!("changes of the configuration take a restart: {}", reason(&why));
            (None, Severity::Warning, text)
        }
        HostEvent::FilesChosen(Ok(())) => {
            (None, Severity::Good, "secrets are kept in encrypted files from now on".into())
        }
        HostEvent::FilesChosen(Err(why)) => {
            app.wants_files = false;
            (None, Severity::Bad, format!("encrypted files not chosen: {}", reason(&why)))
        }
        HostEvent::ConnectionDeleted { connection, result: Ok(()) } => {
            (Some(connection), Severity::Good, "deleted: tokens, client secret and configuration".into())
        }
        HostEvent::ConnectionDeleted { connection, result: Err(why) } => {
            let text = format!("its secrets are forgotten, but it is still in the file: {}", reason(&why));
            (Some(connection), Severity::Bad, text)
        }
        HostEvent::Copied { connection, what, to, cleared_after } => {
            (Some(connection), Severity::Good, copied(what, to, cleared_after))
        }
        HostEvent::CommandEnded { name, connection, result: Ok(line) } => {
            let text = if line.is_empty() { format!("{name}: done") } else { format!("{name}: {}", reason(&line)) };
            (connection, Severity::Good, text)
        }
        HostEvent::CommandEnded { name, connection, result: Err(why) } => {
            (connection, Severity::Warning, format!("{name}: {}", reason(&why)))
        }
        HostEvent::CopyFailed { connection, why } => {
            (Some(connection), Severity::Warning, format!("not copied: {}", reason(&why)))
        }
        HostEvent::NamesCopied(Ok((number, CopiedTo::Clipboard))) => {
            (None, Severity::Good, format!("{} copied", count(number, "name")))
        }
        HostEvent::NamesCopied(Ok((number, CopiedTo::Terminal))) => {
            (None, Severity::Good, format!("{} sent to the terminal", count(number, "name")))
        }
        HostEvent::NamesCopied(Err(why)) => (None, Severity::Warning, format!("not copied: {}", reason(&why))),
        HostEvent::ClipboardCleared => (None, Severity::Quiet, "clipboard cleared".into()),
        HostEvent::ClipboardNotCleared { why } => {
            (None, Severity::Warning, format!("the copy is still on the clipboard: {}", reason(&why)))
        }
        HostEvent::Exported { requests, all, result: Ok(path) } => {
            (None, Severity::Good, exported(requests, all, &path.display().to_string()))
        }
        HostEvent::Exported { result: Err(why), .. } => (None, Severity::Warning, reason(&why)),
    };
    app.say(connection.as_ref(), severity, text, now);
}

/// Says what is about no single connection.
fn announce_program(app: &mut App, event: &Event, now: DateTime<Utc>) {
    if let Some(Sentence { severity, text }) = format::event::of_program(event) {
        app.say(None, severity, reason(&text), now);
    }
}

fn copied(what: CopyWhat, to: CopiedTo, cleared_after: Option<Duration>) -> String {
    let label = what.label();
    match (to, cleared_after) {
        (CopiedTo::Clipboard, Some(after)) => format!("{label} copied, cleared in {}", spoken(after)),
        (CopiedTo::Clipboard, None) => format!("{label} copied"),
        (CopiedTo::Terminal, Some(after)) => format!("{label} sent to the terminal, cleared in {}", spoken(after)),
        (CopiedTo::Terminal, None) => format!("{label} sent to the terminal"),
    }
}

fn exported(requests: usize, all: bool, path: &str) -> String {
    let (requests, path) = (count(requests, "request"), reason(path));
    if all {
        format!("{requests} written to {path}")
    } else {
        format!("the newest {requests} written to {path}; manutop log --json writes all")
    }
}

fn keepalive_changed(app: &mut App, keepalive: Option<KeepaliveProcess>, now: DateTime<Utc>) {
    let text = match keepalive {
        Some(KeepaliveProcess { pid: Some(pid) }) => {
            format!("keepalive, process {pid}, refreshes beside this dashboard")
        }
        Some(KeepaliveProcess { pid: None }) => "keepalive refreshes beside this dashboard".into(),
        None => "keepalive has ended; this dashboard refreshes alone".into(),
    };
    app.keepalive = keepalive;
    app.say(None, Severity::Quiet, text, now);
}

/// What was done, and which key comes next where there are no tokens yet.
fn next_step(app: &App, connection: &ConnectionName, done: &str) -> String {
    let has_tokens = app.connections.get(connection).is_some_and(|view| view.token().is_some());
    if has_tokens { done.to_owned() } else { format!("{done}; {} logs in", app.key(Action::Login)) }
}

/// A login came back as someone else: asks, if no other dialog would be torn away.
fn subject_changed(app: &mut App, connection: ConnectionName, change: Box<SubjectChange>, now: DateTime<Utc>) {
    let (_, received) = change.names();
    if login_ended(app, &connection) || app.screens.top().may_be_covered() {
        app.screens.open(Screen::Confirm(Question::ReplaceSubject { connection, change }));
    } else {
        let text =
            format!("you logged in as {received}; {} asks whether to replace the tokens", app.key(Action::Login));
        app.say(Some(&connection), Severity::Warning, text, now);
    }
}

/// Opens the dialog of a login that a person asked for here, once, as soon as it waits for a
/// person and no other dialog would be torn away.
fn offer_login(app: &mut App, connection: &ConnectionName) -> bool {
    let wanted = app.logins_asked.contains(connection) && app.screens.top().may_be_covered();
    let Some(screen) = wanted.then(|| login::update::waiting(app, connection)).flatten() else { return false };
    app.screens.open(screen);
    app.logins_asked.remove(connection);
    true
}

/// The announcement and the view with the URL may come in either order.
fn login_started(app: &mut App, connection: &ConnectionName, now: DateTime<Utc>) {
    let open = matches!(app.screens.top(), Screen::Login(dialog) if dialog.connection == *connection);
    let waits = app.connections.get(connection).is_some_and(|view| matches!(view.activity, Activity::LoggingIn(_)));
    let comes = app.logins_asked.contains(connection) && !waits;
    if open || comes || offer_login(app, connection) {
        return;
    }
    app.logins_asked.remove(connection);
    announce(app, connection, &EventKind::LoginStarted, now);
}

/// Closes the dialog of a login that is over.
fn login_ended(app: &mut App, connection: &ConnectionName) -> bool {
    app.logins_asked.remove(connection);
    app.screens.close_where(|screen| match screen {
        Screen::Login(dialog) => dialog.connection == *connection,
        Screen::Confirm(Question::ReplaceSubject { connection: asked, .. }) => asked == connection,
        _ => false,
    })
}

/// A failure stays on the screen until it has been read, if a person was looking.
fn login_failed(app: &mut App, connection: ConnectionName, kind: &EventKind, now: DateTime<Utc>) {
    let EventKind::LoginFailed { why, .. } = kind else { return };
    let asked = app.logins_asked.contains(&connection) && app.screens.top().may_be_covered();
    if login_ended(app, &connection) || asked {
        let why = reason(format::event::after_login(&why.to_string()));
        app.screens.open(Screen::LoginFailed { is_import: false, connection, why });
    } else {
        announce(app, &connection, kind, now);
    }
}

/// It stays on the screen until it has been read, unless that would tear away another dialog.
fn import_failed(app: &mut App, connection: ConnectionName, kind: &EventKind, now: DateTime<Utc>) {
    let EventKind::ImportFailed { why, .. } = kind else { return };
    if app.screens.top().may_be_covered() {
        app.screens.open(Screen::LoginFailed { is_import: true, connection, why: reason(why) });
    } else {
        announce(app, &connection, kind, now);
    }
}

fn paste_refused(app: &mut App, connection: &ConnectionName, kind: &EventKind, now: DateTime<Utc>) {
    let EventKind::AnswerRefused { why } = kind else { return };
    match app.screens.top_mut() {
        Screen::Login(dialog) if dialog.connection == *connection => {
            dialog.refused = Some(reason(why));
            dialog.typing = true;
        }
        _ => announce(app, connection, kind, now),
    }
}

/// Opens the dialog, unless that would tear away another; the banner names the key in any case.
fn passphrase_asked(app: &mut App, new: bool, refused: Option<&Reason>) {
    app.passphrase = Some(new);
    app.offers_files = false;
    let key = app.key(Action::Unlock);
    let what = if new { "has no passphrase yet: press" } else { "is locked: press" };
    app.store_problem = Some(format!("the encrypted store {what} {key}"));
    // A first passphrase is chosen before the first secret is typed, not before there is anything to see.
    let waits = new && refused.is_none() && app.connections.all().is_empty();
    let is_wanted = std::mem::take(&mut app.wants_files);
    if is_wanted || (app.screens.top().may_be_covered() && !waits) {
        app.screens.open(Screen::Unlock(UnlockDialog::new(new, refused.map(reason))));
    }
}

fn unlock_ended(app: &mut App, result: Result<(), String>, now: DateTime<Utc>) {
    let open = match app.screens.top_mut() {
        Screen::Unlock(dialog) => Some(dialog),
        _ => None,
    };
    match result {
        Ok(()) => {
            if open.is_some() {
                app.screens.close();
            }
            app.passphrase = None;
            app.store_problem = None;
            app.say(None, Severity::Good, "the encrypted store is open", now);
        }
        Err(why) => match open {
            Some(dialog) => {
                dialog.trying = false;
                dialog.refused = Some(reason(&why));
            }
            None => app.say(None, Severity::Bad, format!("the store stays locked: {}", reason(&why)), now),
        },
    }
}

fn store_changed(app: &mut App, result: &Result<(), Reason>, event: &Event, now: DateTime<Utc>) {
    app.passphrase = None;
    app.offers_files &= result.is_err();
    match result {
        Ok(()) if app.store_problem.take().is_some() => announce_program(app, event, now),
        Ok(()) => {}
        Err(_) if app.offers_files => {
            let key = app.key(Action::Unlock);
            app.store_problem = Some(format!("no keyring here: {key} keeps secrets in encrypted files"));
        }
        Err(why) => app.store_problem = Some(reason(why)),
    }
}

fn removed(app: &mut App, connection: &ConnectionName, now: DateTime<Utc>) {
    app.logins_asked.remove(connection);
    app.pendings.forget(connection);
    // A dialog about what is gone would ask for what no one can do.
    app.screens.close_where(|screen| screen.connection() == Some(connection));
    let has_tokens = app.connections.get(connection).is_some_and(|view| view.token().is_some());
    app.connections.remove(connection, now);
    // The person who deleted it has seen what became of it.
    let is_current = |message: &StatusMessage| message.connection.as_ref() == Some(connection) && message.lives(now);
    if !app.message.as_ref().is_some_and(is_current) {
        let kept = if has_tokens { "; its tokens are kept" } else { "" };
        let text = format!("{connection} is no longer in the configuration{kept}");
        app.say(None, Severity::Quiet, text, now);
    }
}
