//! `manutop status`: how connections stand, in full, with an exit code that says so. Sends nothing.

use chrono::{DateTime, Utc};
use eyre::Report;

use crate::cli::commands::list::Which;
use crate::cli::support::exit::Exit;
use crate::cli::support::global_args::GlobalArgs;
use crate::domain::clock::rfc3339;
use crate::domain::text::neutralise;
use crate::domain::{ConnectionView, Holding, Status};
use crate::format::time;
use crate::format::time::{Zone, count};

/// The longest text from a third party that is printed, in characters.
const LONGEST: usize = 300;

/// Show connections in detail; the exit code is the worst status
#[derive(Debug, clap::Args)]
pub struct StatusArgs {
    #[command(flatten)]
    which: Which,
}

impl StatusArgs {
    pub(crate) async fn run(self, files: &GlobalArgs) -> Result<Exit, Report> {
        self.which.show(files, text, worst).await
    }
}

fn worst(views: &[ConnectionView], now: DateTime<Utc>) -> Exit {
    views.iter().map(|view| exit(view, now)).max().unwrap_or(Exit::Ok)
}

/// One connection after the other, a gap between them.
fn text(views: &[ConnectionView], now: DateTime<Utc>) -> Vec<String> {
    let each: Vec<_> = views.iter().map(|view| lines(view, Zone::Local, now)).collect();
    each.join(&String::new())
}

/// What a script can do about it; all that is well or under way is 0.
fn exit(view: &ConnectionView, now: DateTime<Utc>) -> Exit {
    match (&view.problem, view.status(now)) {
        (Some(problem), _) => Exit::from(problem),
        (None, Status::NeverLoggedIn) => Exit::NeedsLogin,
        // A refresh fixes it.
        (None, Status::Expired) => Exit::Transient,
        (None, _) => Exit::Ok,
    }
}

fn lines(view: &ConnectionView, zone: Zone, now: DateTime<Utc>) -> Vec<String> {
    let title = view.title.as_deref().map(|title| format!(" ({})", neutralise(title, LONGEST))).unwrap_or_default();
    let mut lines = vec![format!("{}{title}: {}", view.name, view.status(now).word())];
    let mut line = |label: &str, text: String| lines.push(format!("  {label:<15}{text}"));
    line("provider", view.provider.label.to_owned());
    if let Some(token) = view.token() {
        let left = token.remaining(now);
        let until = zone.near(token.expires_at, now);
        line(
            "access token",
            if left.num_seconds() > 0 {
                format!("{} left, until {until} ({})", time::countdown(left), rfc3339(token.expires_at))
            } else {
                format!("ended at {until} ({})", rfc3339(token.expires_at))
            },
        );
        if let Some(refresh) = &token.refresh {
            let left = time::countdown(refresh.estimated_end - now);
            line("refresh token", format!("~{left} left, until about {}", zone.date(refresh.estimated_end)));
        }
        let saved = match view.holding {
            Holding::Tokens { saved: true, .. } => "saved and read back",
            _ => "not saved yet, safe in the journal",
        };
        line("generation", format!("{}, {saved}", token.generation));
        if let Some(subject) = &token.subject {
            line("subject", subject.words());
        }
        if let Some(scope) = &token.scope {
            line("scope", neutralise(scope, LONGEST));
        }
    }
    line("auto refresh", if view.auto { "on".into() } else { "off".into() });
    if let Some((lost, outcome)) = view.lost_answer {
        line("lost answer", format!("{lost}, sent {} in all: {}", count(lost.sends as usize, "time"), outcome.id()));
    }
    if let Some(problem) = &view.problem {
        line("problem", neutralise(&problem.to_string(), LONGEST));
    }
    lines
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{fresh, manu, now, options, with_problem};
    use crate::domain::Problem;

    #[test]
    fn the_exit_code_says_what_a_script_can_do_about_it() {
        let revoked = with_problem(manu("a", 1800), Problem::NeedsLogin { why: "x".into() });
        let waiting = with_problem(manu("a", 1800), Problem::Retrying { at: None, why: "x".into() });
        for (view, expected) in [
            (manu("a", 1800), Exit::Ok),
            (manu("a", 100), Exit::Ok),
            (manu("a", -1), Exit::Transient),
            (fresh("a"), Exit::NeedsLogin),
            (revoked, Exit::NeedsLogin),
            (waiting, Exit::Transient),
        ] {
            assert_eq!(exit(&view, now()), expected, "{view:?}");
        }
    }

    #[test]
    fn it_is_said_whose_tokens_these_are() {
        let mut view = manu("factory", 1800);
        let json = crate::cli::support::json::connection(&view, now());
        assert!(json.as_object().unwrap().contains_key("subject") && json["subject"].is_null());
        if let Holding::Tokens { facts, .. } = &mut view.holding {
            facts.subject = Some(crate::dashboard::fixtures::other_subject().held);
        }
        let text = lines(&view, options().zone, now()).join("\n");
        assert!(text.contains("  subject        ada@example.com · sub 7"), "{text}");
        let json = crate::cli::support::json::connection(&view, now());
        assert_eq!((&json["subject"]["sub"], &json["subject"]["email"]), (&"7".into(), &"ada@example.com".into()));
        assert!(json["subject"]["client_id"].is_null());
    }

    #[test]
    fn everything_is_said_and_nothing_draws_on_the_terminal() {
        let mut view = with_problem(manu("factory", 1800), Problem::NeedsLogin { why: "gone\x1b[2J".into() });
        view.title = Some("Fábrica".into());
        let text = lines(&view, options().zone, now()).join("\n");
        for words in
            ["factory (Fábrica): needs login", "30m 00s left, until 14:32:31", "gone\u{fffd}[2J", "saved and read back"]
        {
            assert!(text.contains(words), "{words}: {text}");
        }
    }
}
