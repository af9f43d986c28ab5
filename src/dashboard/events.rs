//! What the engine and the shell announce: taken into the state, and said on the message line.

use chrono::{DateTime, Utc};

use crate::dashboard::action::Action;
use crate::dashboard::details::token_history;
use crate::dashboard::dialogs::removal::not_forgotten;
use crate::dashboard::effect::Effect;
use crate::dashboard::frame::message_line::Message;
use crate::dashboard::screen::{Question, Screen, UnlockDialog};
use crate::dashboard::{App, connection_form, dispatch};
use crate::domain::text::neutralise;
use crate::domain::{
    Activity, Author, ConnectionName, CopiedTo, Event, KeepaliveProcess, Problem, Reason, Revocation, Severity,
    SubjectChange,
};
use crate::format::time::{count, countdown, milliseconds, spoken};

/// The most characters of a reason on the message line.
const LONGEST_REASON: usize = 300;

/// Takes in a fact; answers with what is to be done about it.
pub(crate) fn learn(app: &mut App, event: Event, now: DateTime<Utc>) -> Vec<Effect> {
    match event {
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
        Event::LoginStarted { connection } => login_started(app, &connection, now),
        Event::LoggedIn { connection, generation } => {
            login_ended(app, &connection);
            app.say(Some(&connection), Severity::Good, format!("logged in, generation {generation} saved"), now);
        }
        Event::NotSaved { connection, generation, why } => {
            login_ended(app, &connection);
            let text = format!("generation {generation} is not saved yet, but safe in the journal: {}", reason(&why));
            app.say(Some(&connection), Severity::Bad, text, now);
        }
        Event::InMemoryOnly { connection, why, .. } => {
            let text = reason(&Problem::NotSaved { why, durable: false });
            app.say(Some(&connection), Severity::Bad, text, now);
        }
        Event::SubjectChanged { connection, change } => subject_changed(app, connection, change, now),
        Event::LoginFailed { connection, why, .. } => login_failed(app, connection, &why.to_string(), now),
        Event::ImportFailed { connection, why, .. } => import_failed(app, connection, &why.to_string(), now),
        Event::LoginCancelled { connection } => {
            login_ended(app, &connection);
            app.say(Some(&connection), Severity::Quiet, "login cancelled", now);
        }
        Event::AnswerRefused { connection, why } => paste_refused(app, &connection, &why.to_string(), now),
        Event::Refused { connection, why } => {
            app.logins_asked.remove(&connection);
            app.say(Some(&connection), Severity::Warning, reason(&why), now);
        }
        Event::Exported { requests, all, result: Ok(path) } => {
            let requests = count(requests, "request");
            let path = neutralise(&path.display().to_string(), LONGEST_REASON);
            let text = if all {
                format!("{requests} written to {path}")
            } else {
                format!("the newest {requests} written to {path}; manutop log --json writes all")
            };
            app.say(None, Severity::Good, text, now);
        }
        Event::Exported { result: Err(why), .. } => app.say(None, Severity::Warning, reason(&why), now),
        Event::Inspected { connection, inspection } => token_history::take(app, &connection, inspection),
        Event::PassphraseAsked { new, refused } => passphrase_asked(app, new, refused.as_ref()),
        Event::UnlockEnded(result) => unlock_ended(app, result, now),
        Event::StoreChanged(result) => store_changed(app, result, now),
        Event::Configured { connections } => {
            let order: Vec<_> = connections.iter().map(|connection| connection.name.clone()).collect();
            app.connections.arrange(&order, now);
            app.configure(connections);
        }
        Event::Removed { connection } => removed(app, &connection, now),
        Event::ConfigurationRead(result) => configuration_read(app, result, now),
        Event::ConfigurationUnwatched { why } => {
            let text = format!("changes of the configuration take a restart: {}", reason(&why));
            app.say(None, Severity::Warning, text, now);
        }
        Event::ConnectionSaved { connection, result } => connection_form::update::saved(app, &connection, result, now),
        Event::ClipboardNotCleared { why } => {
            app.say(None, Severity::Warning, format!("the copy is still on the clipboard: {}", reason(&why)), now);
        }
        Event::HookFailed { why } => app.say(None, Severity::Warning, format!("on_event: {}", reason(&why)), now),
        Event::KeeperChanged(keeper) => keeper_changed(app, keeper, now),
        Event::NamesCopied(result) => names_copied(app, result, now),
        Event::ClipboardCleared => app.say(None, Severity::Quiet, "clipboard cleared", now),
        other => announce(app, other, now),
    }
    Vec::new()
}

fn keeper_changed(app: &mut App, keeper: Option<KeepaliveProcess>, now: DateTime<Utc>) {
    let text = match keeper {
        Some(KeepaliveProcess { pid: Some(pid) }) => {
            format!("keepalive, process {pid}, refreshes beside this dashboard")
        }
        Some(KeepaliveProcess { pid: None }) => "keepalive refreshes beside this dashboard".into(),
        None => "keepalive has ended; this dashboard refreshes alone".into(),
    };
    app.keeper = keeper;
    app.say(None, Severity::Quiet, text, now);
}

fn names_copied(app: &mut App, result: Result<(usize, CopiedTo), String>, now: DateTime<Utc>) {
    let (severity, text) = match result {
        Ok((number, CopiedTo::Clipboard)) => (Severity::Good, format!("{} copied", count(number, "name"))),
        Ok((number, CopiedTo::Terminal)) => (Severity::Good, format!("{} sent to the terminal", count(number, "name"))),
        Err(why) => (Severity::Warning, format!("not copied: {}", reason(&why))),
    };
    app.say(None, severity, text, now);
}

/// What was done, and which key comes next where there are no tokens yet.
fn next_step(app: &App, connection: &ConnectionName, done: &str) -> String {
    let has_tokens = app.connections.get(connection).is_some_and(|view| view.token().is_some());
    if has_tokens { done.to_owned() } else { format!("{done}; {} logs in", app.key(Action::Login)) }
}

/// Facts that change nothing here but the message line.
fn announce(app: &mut App, event: Event, now: DateTime<Utc>) {
    let (connection, severity, text) = match event {
        Event::Refreshed { connection, generation, recovered } => {
            app.logins_asked.remove(&connection);
            let zone = app.zone();
            let after = recovered.map_or_else(String::new, |lost| {
                format!("; the answer lost at {} is recovered", zone.near(lost.at, now))
            });
            (connection, Severity::Good, format!("new tokens, generation {generation} saved{after}"))
        }
        Event::Imported { connection, replaced: true, .. } => {
            (connection, Severity::Good, "refresh token taken over; the pasted copy no longer works".into())
        }
        Event::Imported { connection, .. } => {
            (connection, Severity::Good, "refresh token taken over; not replaced, the pasted copy still works".into())
        }
        Event::Adopted { connection, generation, by } => {
            let who = Author::subject(by);
            let text = format!("{who} refreshed it; generation {generation} taken over");
            (connection, Severity::Good, text)
        }
        Event::StillFresh { connection, expires_at } => {
            let force = app.key(Action::ForceRefresh);
            (connection, Severity::Good, format!("fresh for {}, {force} forces", countdown(expires_at - now)))
        }
        Event::RefreshFailed { connection, problem } => {
            app.logins_asked.remove(&connection);
            let severity = match problem {
                Problem::Cancelled => Severity::Quiet,
                ref problem if problem.is_passing() => Severity::Warning,
                _ => Severity::Bad,
            };
            (connection, severity, reason(&problem.to_string()))
        }
        Event::Tested { connection, result: Ok((status, duration)) } => {
            let took = milliseconds(duration.as_millis().try_into().unwrap_or(u64::MAX));
            (connection, Severity::Good, format!("the token works: {status} in {took}"))
        }
        Event::Tested { connection, result: Err(failure) } => {
            (connection, Severity::Warning, format!("test failed: {}", reason(&failure.why)))
        }
        Event::LogoutFailed { connection, problem: Problem::Cancelled, .. } => {
            (connection, Severity::Quiet, "the logout was given up, nothing was forgotten".into())
        }
        Event::LogoutFailed { connection, problem, revocation } => {
            let failure = format!("not all of the logout could be done: {}", reason(&problem.to_string()));
            (connection, Severity::Bad, revocation.before_failure(&failure))
        }
        Event::ClientSecretSet { connection, result: Ok(()) } => {
            let text = next_step(app, &connection, "client secret stored");
            (connection, Severity::Good, text)
        }
        Event::ClientSecretSet { connection, result: Err(why) } => {
            (connection, Severity::Bad, format!("client secret not stored: {}", reason(&why)))
        }
        Event::Forgotten { connection, result: Ok(()), revocation } => {
            left(connection, "tokens and client secret forgotten", &revocation)
        }
        Event::Forgotten { connection, result: Err(why), revocation } => {
            (connection, Severity::Bad, revocation.before_failure(&reason(&not_forgotten(&why))))
        }
        Event::ConnectionDeleted { connection, result: Ok(()) } => {
            (connection, Severity::Good, "deleted: tokens, client secret and configuration".into())
        }
        Event::ConnectionDeleted { connection, result: Err(why) } => {
            let text = format!("its secrets are forgotten, but it is still in the file: {}", reason(&why));
            (connection, Severity::Bad, text)
        }
        Event::LoggedOut { connection, revocation } => left(connection, "logged out, tokens forgotten", &revocation),
        Event::Copied { connection, what, to, cleared_after } => {
            let label = what.label();
            let text = match (to, cleared_after) {
                (CopiedTo::Clipboard, Some(after)) => format!("{label} copied, cleared in {}", spoken(after)),
                (CopiedTo::Clipboard, None) => format!("{label} copied"),
                (CopiedTo::Terminal, Some(after)) => {
                    format!("{label} sent to the terminal, cleared in {}", spoken(after))
                }
                (CopiedTo::Terminal, None) => format!("{label} sent to the terminal"),
            };
            (connection, Severity::Good, text)
        }
        Event::CopyFailed { connection, why } => {
            (connection, Severity::Warning, format!("not copied: {}", reason(&why)))
        }
        // Taken in by `learn`.
        _ => return,
    };
    app.say(Some(&connection), severity, text, now);
}

/// What was forgotten here, and what became of the refresh token at the provider.
fn left(connection: ConnectionName, what: &str, revocation: &Revocation) -> (ConnectionName, Severity, String) {
    let severity = if revocation.why().is_some() { Severity::Warning } else { Severity::Good };
    let text = match revocation {
        Revocation::None => what.to_owned(),
        revocation => format!("{what}; {}", reason(&revocation.words())),
    };
    (connection, severity, text)
}

/// A login came back as somebody else: asks, if no other dialog would be torn away.
fn subject_changed(app: &mut App, connection: ConnectionName, change: Box<SubjectChange>, now: DateTime<Utc>) {
    let (_, received) = change.names();
    if login_ended(app, &connection) || is_free(&app.mode) {
        app.mode = Screen::Confirm(Question::ReplaceSubject { connection, change });
    } else {
        let text =
            format!("you logged in as {received}; {} asks whether to replace the tokens", app.key(Action::Login));
        app.say(Some(&connection), Severity::Warning, text, now);
    }
}

/// Opens the dialog of a login that somebody asked for here, once, as soon as it waits for a
/// person and no other dialog would be torn away.
fn offer_login(app: &mut App, connection: &ConnectionName) -> bool {
    let wanted = app.logins_asked.contains(connection) && is_free(&app.mode);
    let shown = wanted && dispatch::show_login(app, connection);
    if shown {
        app.logins_asked.remove(connection);
    }
    shown
}

/// The announcement and the view with the URL may come in either order.
fn login_started(app: &mut App, connection: &ConnectionName, now: DateTime<Utc>) {
    let open = matches!(&app.mode, Screen::Login(dialog) if dialog.connection == *connection);
    let waits = app.connections.get(connection).is_some_and(|view| matches!(view.activity, Activity::LoggingIn(_)));
    let comes = app.logins_asked.contains(connection) && !waits;
    if open || comes || offer_login(app, connection) {
        return;
    }
    app.logins_asked.remove(connection);
    let text = format!("a login waits; {} shows it", app.key(Action::Login));
    app.say(Some(connection), Severity::Busy, text, now);
}

/// Whether a dialog may open by itself.
fn is_free(mode: &Screen) -> bool {
    matches!(mode, Screen::Normal | Screen::Timeline | Screen::Connection { .. })
}

/// Closes the dialog of a login that is over.
fn login_ended(app: &mut App, connection: &ConnectionName) -> bool {
    app.logins_asked.remove(connection);
    let open = match &app.mode {
        Screen::Login(dialog) => dialog.connection == *connection,
        Screen::Confirm(Question::ReplaceSubject { connection: asked, .. }) => asked == connection,
        _ => false,
    };
    if open {
        app.mode = Screen::Normal;
    }
    open
}

/// A failure stays on the screen until it has been read, if somebody was looking.
fn login_failed(app: &mut App, connection: ConnectionName, why: &str, now: DateTime<Utc>) {
    // That a login is needed needs no saying to somebody who has just tried.
    let why = reason(why.strip_prefix("needs login: ").unwrap_or(why));
    let asked = app.logins_asked.contains(&connection) && is_free(&app.mode);
    if login_ended(app, &connection) || asked {
        app.mode = Screen::LoginFailed { is_import: false, connection, why };
    } else {
        app.say(Some(&connection), Severity::Bad, format!("login failed: {why}"), now);
    }
}

/// It stays on the screen until it has been read, unless that would tear away another dialog.
fn import_failed(app: &mut App, connection: ConnectionName, why: &str, now: DateTime<Utc>) {
    let why = reason(why);
    if is_free(&app.mode) {
        app.mode = Screen::LoginFailed { is_import: true, connection, why };
    } else {
        app.say(Some(&connection), Severity::Bad, format!("import failed: {why}"), now);
    }
}

fn paste_refused(app: &mut App, connection: &ConnectionName, why: &str, now: DateTime<Utc>) {
    match &mut app.mode {
        Screen::Login(dialog) if dialog.connection == *connection => {
            dialog.refused = Some(reason(why));
            dialog.typing = true;
        }
        _ => app.say(Some(connection), Severity::Warning, format!("answer refused: {}", reason(why)), now),
    }
}

/// Opens the dialog, unless that would tear away another; the banner names the key in any case.
fn passphrase_asked(app: &mut App, new: bool, refused: Option<&Reason>) {
    app.passphrase = Some(new);
    let key = app.key(Action::Unlock);
    let what = if new { "has no passphrase yet: press" } else { "is locked: press" };
    app.store_problem = Some(format!("the encrypted store {what} {key}"));
    if is_free(&app.mode) {
        app.mode = Screen::Unlock(UnlockDialog::new(new, refused.map(reason)));
    }
}

fn unlock_ended(app: &mut App, result: Result<(), String>, now: DateTime<Utc>) {
    let open = match &mut app.mode {
        Screen::Unlock(dialog) => Some(dialog),
        _ => None,
    };
    match result {
        Ok(()) => {
            if open.is_some() {
                app.mode = Screen::Normal;
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

fn store_changed(app: &mut App, result: Result<(), Reason>, now: DateTime<Utc>) {
    match result {
        Ok(()) => {
            app.passphrase = None;
            if app.store_problem.take().is_some() {
                app.say(None, Severity::Good, "the secret store is back", now);
            }
        }
        Err(why) => {
            app.passphrase = None;
            app.store_problem = Some(reason(&why));
        }
    }
}

fn removed(app: &mut App, connection: &ConnectionName, now: DateTime<Utc>) {
    app.logins_asked.remove(connection);
    // A dialog about what is gone would ask for what nobody can do.
    if !matches!(app.mode, Screen::Normal | Screen::Filter)
        && app.subject().is_some_and(|subject| subject.name == *connection)
    {
        app.mode = Screen::Normal;
    }
    let has_tokens = app.connections.get(connection).is_some_and(|view| view.token().is_some());
    app.connections.remove(connection, now);
    // Somebody who deleted it has been told what became of it.
    let is_told = |toast: &Message| toast.connection.as_ref() == Some(connection) && toast.lives(now);
    if !app.toast.as_ref().is_some_and(is_told) {
        let kept = if has_tokens { "; its tokens are kept" } else { "" };
        let text = format!("{connection} is in the configuration no more{kept}");
        app.say(None, Severity::Quiet, text, now);
    }
}

fn configuration_read(app: &mut App, result: Result<(), String>, now: DateTime<Utc>) {
    match result {
        Ok(()) => {
            app.config_problem = None;
            app.say(None, Severity::Good, "the configuration was read anew", now);
        }
        Err(why) => app.config_problem = Some(reason(&why)),
    }
}

pub(crate) fn reason(why: &(impl ToString + ?Sized)) -> String {
    neutralise(&why.to_string(), LONGEST_REASON)
}
