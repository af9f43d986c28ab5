//! `manutop list --watch`: what changes, one line for each change, for screen readers, logs and
//! scripts. Sends nothing; what other processes do is noticed within seconds.
//!
//! Invariants: no cursor is moved and nothing coloured; a line is whole, and written at once; a
//! countdown alone is no change.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use eyre::Report;
use serde_json::json;

use crate::cli::support::exit::Exit;
use crate::cli::support::session::{Session, Working};
use crate::cli::support::stderr::message;
use crate::cli::support::{json, stdout};
use crate::domain::clock::rfc3339;
use crate::domain::text::neutralise;
use crate::domain::{Author, ConnectionEvent, ConnectionName, ConnectionView, Event, EventKind, Status};
use crate::format::time::{Zone, in_words};
use crate::platform::signals;
use crate::platform::signals::{Signal, Signals};

/// How often statuses are looked at that change with time alone.
const LOOK: Duration = Duration::from_secs(1);
/// The longest reason printed, in characters.
const LONGEST_REASON: usize = 300;

/// Prints how things stand, then what changes, until asked to stop or until no one reads it.
pub(crate) async fn run(session: Session, mut working: Working, as_json: bool) -> Result<Exit, Report> {
    let mut signals = Signals::listen()?;
    let mut reporter = Reporter { as_json, zone: Zone::Local, reported: HashMap::new(), authors: HashMap::new() };
    let mut views = working.engine.views().await;
    if views.is_empty() {
        message!("there are no connections in {}", session.paths.config_file.display());
    }
    let (lines, mut written) = stdout::start_writing()?;
    let ended = loop {
        // Where a reader is slow, what it reads next is how things are by then.
        if let Ok(room) = lines.try_reserve() {
            room.send(reporter.news(&views, session.clock.now()));
        }
        tokio::select! {
            biased;
            signal = signals.next() => match signal {
                Signal::Quit | Signal::Interrupt | Signal::HungUp => break Ok(()),
                Signal::Suspend => signals::stop()?,
                Signal::Continued | Signal::Resized | Signal::Reload => {}
            },
            result = &mut written => break result.unwrap_or(Ok(())),
            event = working.events.recv() => match event {
                Some(Event::Changed(view)) => take(&mut views, *view),
                Some(Event::Connection(ConnectionEvent { connection, kind: EventKind::Adopted { generation, by: Some(by) } })) => {
                    reporter.authors.insert(connection, (generation, by));
                }
                Some(_) => {}
                None => break Ok(()),
            },
            () = tokio::time::sleep(LOOK) => {}
        }
    };
    working.finish().await;
    stdout::end(ended)
}

fn take(views: &mut [ConnectionView], view: ConnectionView) {
    if let Some(old) = views.iter_mut().find(|old| old.name == view.name) {
        *old = view;
    }
}

/// Knows what has been reported of each connection, and finds what is news.
struct Reporter {
    as_json: bool,
    zone: Zone,
    reported: HashMap<ConnectionName, Reported>,
    /// Who obtained which generation, of those that came while it watched.
    authors: HashMap<ConnectionName, (u64, Author)>,
}

/// What makes a difference.
#[derive(PartialEq, Eq)]
struct Reported {
    status: &'static str,
    problem: Option<String>,
    generation: Option<u64>,
}

impl Reporter {
    /// A line for each connection that is not as it was last reported.
    fn news(&mut self, views: &[ConnectionView], now: DateTime<Utc>) -> Vec<String> {
        views.iter().filter_map(|view| self.news_of(view, now)).collect()
    }

    fn news_of(&mut self, view: &ConnectionView, now: DateTime<Utc>) -> Option<String> {
        let is = Reported {
            status: view.status(now).id(),
            problem: view.problem.as_ref().map(ToString::to_string),
            generation: view.token().map(|token| token.generation),
        };
        let was = self.reported.get(&view.name);
        if was == Some(&is) {
            return None;
        }
        let line = if self.as_json { self.json_line(view, now) } else { self.line(view, was, now) };
        self.reported.insert(view.name.clone(), is);
        Some(line)
    }

    fn line(&self, view: &ConnectionView, was: Option<&Reported>, now: DateTime<Utc>) -> String {
        let mut words = vec![view.status(now).word().to_owned()];
        let has_news = |token: u64| was.is_some_and(|was| was.generation != Some(token));
        match view.token() {
            Some(token) if has_news(token.generation) => {
                let by = self.author(view).map(|author| format!(" by {author}")).unwrap_or_default();
                words.push(format!("new tokens, generation {}{by}", token.generation));
            }
            None if was.is_some_and(|was| was.generation.is_some()) => words.push("tokens forgotten".into()),
            _ => {}
        }
        if let Some(token) = view.token() {
            let left = token.remaining(now);
            words.push(match view.status(now) {
                Status::Expired => format!("access token ended {} ago", in_words(-left)),
                _ if left > TimeDelta::zero() => format!("access token ends in {}", in_words(left)),
                _ => "access token has ended".into(),
            });
        }
        let mut line = format!("{} {}: {}", self.zone.time(now), view.name, words.join(", "));
        if let Some(problem) = &view.problem {
            let why = neutralise(&problem.to_string(), LONGEST_REASON);
            let status = view.status(now).word();
            // The problem's own words often begin with its name, which the line has said.
            let why = why.strip_prefix(status).map_or(&*why, |rest| rest.trim_start_matches([':', ';', ' ']));
            line.push_str(if why.is_empty() { "" } else { ": " });
            line.push_str(why);
        }
        line
    }

    /// Whose the tokens are that a connection has now, where that was seen.
    fn author(&self, view: &ConnectionView) -> Option<Author> {
        let (generation, author) = self.authors.get(&view.name)?;
        (view.token()?.generation == *generation).then_some(*author)
    }

    fn json_line(&self, view: &ConnectionView, now: DateTime<Utc>) -> String {
        let by = self.author(view);
        let connection = json::connection(view, now);
        json!({ "version": json::VERSION, "at": rfc3339(now), "connection": connection, "by": by }).to_string()
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::dashboard::fixtures::{fresh, manu, now, options, with_problem};
    use crate::domain::{Holding, Problem, Program};

    fn reporter(as_json: bool) -> Reporter {
        Reporter { as_json, zone: options().zone, reported: HashMap::new(), authors: HashMap::new() }
    }

    #[test]
    fn the_first_check_reports_everything_and_the_next_nothing() {
        let views = [manu("factory", 1800), fresh("partner"), manu("old", -90)];
        let mut reporter = reporter(false);
        assert_eq!(
            reporter.news(&views, now()),
            [
                "14:02:31 factory: live, access token ends in 30 min",
                "14:02:31 partner: never logged in",
                "14:02:31 old: expired, access token ended 1 min ago",
            ]
        );
        assert_eq!(reporter.news(&views, now() + TimeDelta::seconds(60)), [""; 0]);
    }

    #[test]
    fn each_change_is_one_line() {
        let mut reporter = reporter(false);
        let mut view = manu("factory", 1800);
        reporter.news(std::slice::from_ref(&view), now());
        let say = |reporter: &mut Reporter, view: &ConnectionView, second: i64| {
            reporter.news(std::slice::from_ref(view), now() + TimeDelta::seconds(second))
        };
        assert_eq!(say(&mut reporter, &view, 1700), ["14:30:51 factory: expiring, access token ends in 1 min"]);
        assert_eq!(say(&mut reporter, &view, 1801), ["14:32:32 factory: expired, access token ended 1 s ago"]);
        let revoked = with_problem(view.clone(), Problem::NeedsLogin { why: "token revoked\x1b[2J".into() });
        assert_eq!(
            say(&mut reporter, &revoked, 1802),
            ["14:32:33 factory: needs login, access token has ended: token revoked\u{fffd}[2J"]
        );
        if let Holding::Tokens { facts, .. } = &mut view.holding {
            facts.generation += 1;
            facts.expires_at += TimeDelta::hours(5);
        }
        assert_eq!(
            say(&mut reporter, &view, 1803),
            ["14:32:34 factory: live, new tokens, generation 42, access token ends in 4 h 59 min"]
        );
        let by = Author { program: Some(Program::Keepalive), pid: 7 };
        reporter.authors.insert(view.name.clone(), (43, by));
        if let Holding::Tokens { facts, .. } = &mut view.holding {
            facts.generation += 1;
        }
        let line = "14:32:34 factory: live, new tokens, generation 43 by keepalive, process 7, access token ends in 4 h 59 min";
        assert_eq!(reporter.news(std::slice::from_ref(&view), now() + TimeDelta::seconds(1803)), [line]);
        view.holding = Holding::Nothing;
        assert_eq!(say(&mut reporter, &view, 1804), ["14:32:35 factory: never logged in, tokens forgotten"]);
    }

    #[test]
    fn as_json_each_line_is_one_object_with_the_whole_connection() {
        let lines = reporter(true).news(&[manu("factory", 1800)], now());
        let object: Value = serde_json::from_str(&lines[0]).unwrap();
        assert!(!lines[0].contains('\n'));
        assert_eq!((&object["version"], &object["at"]), (&1.into(), &"2026-03-10T12:02:31Z".into()));
        assert_eq!(
            (&object["connection"]["name"], &object["connection"]["status"]),
            (&"factory".into(), &"live".into())
        );
    }
}
