//! The window's title: the worst there is, in a few words. It does not flicker: what is being
//! done right now counts as well as it was before.

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::theme::ascii;
use crate::dashboard::theme::symbols::severity_symbol;
use crate::domain::{Activity, ConnectionView, Severity};

/// The title for the present state: `manutop: ✖ sandbox needs login`, `manutop: ● 7 live`.
pub(crate) fn title(app: &App, now: DateTime<Utc>) -> String {
    let text = format!("manutop: {}", words(app, now));
    if app.options.ascii { text.chars().map(|c| if c.is_ascii() { c } else { ascii(c) }).collect() } else { text }
}

fn words(app: &App, now: DateTime<Utc>) -> String {
    let asking: Vec<_> = app.connections.asking().map(|view| (&view.name, at_rest(view, now))).collect();
    for severity in [Severity::Bad, Severity::Warning] {
        let mut troubled = asking.iter().filter(|(_, (own, _))| *own == severity);
        let symbol = severity_symbol(severity, now);
        match (troubled.next(), troubled.count()) {
            (Some((name, (_, word))), 0) => return format!("{symbol} {name} {word}"),
            (Some((name, (_, word))), more) => return format!("{symbol} {name} {word} and {more} more"),
            (None, _) if severity == Severity::Bad && app.store_problem.is_some() => {
                return format!("{symbol} no store");
            }
            (None, _) => {}
        }
    }
    // What is neither busy nor asks for attention is well, or nothing is known of it.
    let well = app.connections.status_counts().counts().filter(|(status, _)| status.severity() == Severity::Good);
    let busy = asking.iter().filter(|(_, (own, _))| matches!(own, Severity::Good | Severity::Busy));
    let live = well.map(|(_, number)| number).sum::<usize>() + busy.count();
    let severity = if live > 0 { Severity::Good } else { Severity::Quiet };
    format!("{} {live} live", severity_symbol(severity, now))
}

/// A connection's status apart from what is being done with it.
fn at_rest(view: &ConnectionView, now: DateTime<Utc>) -> (Severity, &'static str) {
    let status = match view.activity {
        Activity::Idle | Activity::Testing { .. } => view.status(now),
        _ => ConnectionView { activity: Activity::Idle, ..view.clone() }.status(now),
    };
    (status.severity(), status.word())
}

#[cfg(test)]
mod tests {
    use super::title;
    use crate::dashboard::App;
    use crate::dashboard::fixtures::{manu, now, options, with_activity, with_problem};
    use crate::domain::{Activity, ConnectionView, Problem};

    fn titled(views: Vec<ConnectionView>) -> String {
        title(&App::new(views, Vec::new(), options(), now()), now())
    }

    fn revoked(name: &str) -> ConnectionView {
        with_problem(manu(name, 1400), Problem::NeedsLogin { why: "revoked".into() })
    }

    #[test]
    fn it_names_the_worst() {
        assert_eq!(titled(vec![]), "manutop: ○ 0 live");
        assert_eq!(titled(vec![manu("a", 1400), manu("b", 1400)]), "manutop: ● 2 live");
        assert_eq!(titled(vec![manu("a", 1400), manu("b", 20)]), "manutop: ▲ b expiring");
        assert_eq!(titled(vec![manu("b", 20), revoked("a")]), "manutop: ✖ a needs login");
        assert_eq!(titled(vec![revoked("a"), revoked("b"), revoked("c")]), "manutop: ✖ a needs login and 2 more");
    }

    #[test]
    fn a_refresh_under_way_changes_nothing() {
        let refreshing = |view| with_activity(view, Activity::Refreshing { since: now() });
        assert_eq!(titled(vec![refreshing(manu("a", 1400))]), "manutop: ● 1 live");
        assert_eq!(titled(vec![refreshing(revoked("a"))]), "manutop: ✖ a needs login");
    }

    #[test]
    fn in_ascii_mode_it_is_ascii() {
        let mut options = options();
        options.ascii = true;
        let app = App::new(vec![revoked("a")], Vec::new(), options, now());
        assert_eq!(title(&app, now()), "manutop: X a needs login");
    }
}
