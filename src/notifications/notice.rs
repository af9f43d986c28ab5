//! Notifications of incidents, outside the dashboard: whose, what, and which key helps.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::action::Action;
use crate::dashboard::details::remedy::remedy;
use crate::domain::Incident;
use crate::domain::text::neutralise;
use crate::format::time::count;

/// The longest reason, in characters.
const LONGEST_REASON: usize = 160;
/// How many connections are named.
const MOST_NAMED: usize = 4;

/// A notification: a head, and what follows it. Free of secrets and of control characters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Notice {
    /// Whose, and what: a few words.
    pub head: String,
    /// Why, and which key helps.
    pub text: String,
}

impl Notice {
    /// One notification for all these incidents; `None` where there are none.
    pub(crate) fn of(incidents: &[Incident], app: &App, now: DateTime<Utc>) -> Option<Self> {
        let (first, more) = incidents.split_first()?;
        if more.is_empty() {
            // The desktop keeps notifications, and a lock screen may show them.
            let why = neutralise(first.why.public(), LONGEST_REASON);
            let head = format!("{} {}", first.connection, first.kind.words());
            // The problem's own words often begin with its name, which the head has said.
            let why = why.strip_prefix("needs login: ").or(why.strip_prefix("misconfigured: ")).unwrap_or(&why);
            let text = [Some(why.to_owned()), help(first, app, now)];
            return Some(Self { head, text: text.into_iter().flatten().collect::<Vec<_>>().join(". ") });
        }
        let mut named: Vec<_> = incidents.iter().take(MOST_NAMED).map(named).collect();
        if incidents.len() > MOST_NAMED {
            named.push(format!("and {} more", incidents.len() - MOST_NAMED));
        }
        Some(Self { head: format!("{} need you", count(incidents.len(), "connection")), text: named.join(", ") })
    }

    /// All of it in one line.
    #[must_use]
    pub fn line(&self) -> String {
        format!("{}: {}", self.head, self.text)
    }
}

fn named(incident: &Incident) -> String {
    format!("{} {}", incident.connection, incident.kind.words())
}

/// The key, or the command, that helps best.
fn help(incident: &Incident, app: &App, now: DateTime<Utc>) -> Option<String> {
    let way = remedy(app.connections.get(&incident.connection)?, now)?;
    let key = |(action, does): &(Action, &str)| format!("In manutop, {}: {does}", app.key(*action));
    let command = way.command.map(|command| format!("In a shell: {command}"));
    way.first.as_ref().map(key).or(command).or(way.keys.first().map(key))
}

#[cfg(test)]
mod tests {
    use super::Notice;
    use crate::dashboard::App;
    use crate::dashboard::fixtures::{manu, name, now, options, with_problem};
    use crate::domain::{Incident, IncidentKind, Problem, Reason};

    fn incident(connection: &str, why: &'static str) -> Incident {
        let kind = IncidentKind::NeedsLogin;
        Incident { connection: name(connection), kind, since: now(), why: why.into(), standing: false }
    }

    #[test]
    fn one_is_announced_with_its_reason_and_its_key() {
        let view = with_problem(manu("sandbox", 0), Problem::NeedsLogin { why: "revoked".into() });
        let app = App::new(vec![view], Vec::new(), options(), now());
        let notice = Notice::of(&[incident("sandbox", "needs login: revoked\x1b[2J")], &app, now()).unwrap();
        assert_eq!(notice.head, "sandbox needs login");
        assert_eq!(notice.text, "revoked\u{fffd}[2J. In manutop, l: log in with the browser");
    }

    #[test]
    fn a_notification_holds_no_words_of_a_server() {
        let app = App::new(Vec::new(), Vec::new(), options(), now());
        let why = Reason::withheld("400 invalid_grant: MARKER", "400 invalid_grant");
        let why = Problem::NeedsLogin { why }.reason();
        let notice = Notice::of(&[Incident { why, ..incident("sandbox", "") }], &app, now()).unwrap();
        assert_eq!(notice.line(), "sandbox needs login: 400 invalid_grant");
    }

    #[test]
    fn several_are_one_with_a_count() {
        let app = App::new(Vec::new(), Vec::new(), options(), now());
        let names = ["a", "b", "c", "d", "e", "f"].map(|name| incident(name, "revoked"));
        let notice = Notice::of(&names, &app, now()).unwrap();
        assert_eq!(notice.head, "6 connections need you");
        assert_eq!(notice.text, "a needs login, b needs login, c needs login, d needs login, and 2 more");
        assert_eq!(Notice::of(&[], &app, now()), None);
    }
}
