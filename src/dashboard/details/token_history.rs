//! What the engine reports of a connection's tokens when asked: kept while the connection's full
//! screen is open, requested again with every generation, and shown there.

use std::fmt::Write as _;

use chrono::{DateTime, Utc};

use crate::dashboard::App;
use crate::dashboard::details::inspected::Inspected;
use crate::dashboard::screen::Screen;
use crate::dashboard::widgets::sheet::{SheetLine, Tone};
use crate::domain::text::neutralise;
use crate::domain::{Command, ConnectionName, Inspection, Jwt, Obtained, Program, Rotation, Severity, TokenForm};
use crate::format::time::{Zone, ago, countdown};

/// From this width of the screen on the history has all its columns.
const WIDE: u16 = 84;

/// Asks, if a connection is open whose present generation was not asked for yet.
pub(crate) fn ask(app: &mut App) -> Option<Command> {
    let Screen::Details { connection, inspected, .. } = app.screens.top_mut() else { return None };
    let generation = app.connections.get(connection)?.token().map_or(0, |facts| facts.generation);
    if inspected.asked == Some(generation) {
        return None;
    }
    inspected.asked = Some(generation);
    Some(Command::Inspect { connection: connection.clone() })
}

/// Keeps an answer, if its connection is still open.
pub(crate) fn take(app: &mut App, of: &ConnectionName, inspection: Box<Inspection>) {
    if let Screen::Details { connection, inspected, .. } = app.screens.top_mut()
        && connection == of
    {
        inspected.found = Some(inspection);
    }
}

/// The sections of the full screen that show the answer.
pub(crate) fn sections(app: &App, inspected: &Inspected, now: DateTime<Utc>) -> Vec<SheetLine> {
    let Some(inspection) = &inspected.found else { return Vec::new() };
    let mut lines = token(&inspection.token, app.options.zone, now);
    lines.extend(history(&inspection.history, app.options.zone, app.size.width >= WIDE));
    lines
}

fn heading(text: &str) -> [SheetLine; 2] {
    [SheetLine::blank(), SheetLine::new("", text, Tone::Heading)]
}

fn token(token: &TokenForm, zone: Zone, now: DateTime<Utc>) -> Vec<SheetLine> {
    let jwt = match token {
        TokenForm::Nothing => return Vec::new(),
        TokenForm::Opaque => {
            let says = SheetLine::new("", "It is opaque: what it means, only the server knows.", Tone::Dim);
            return heading("Access token").into_iter().chain([says]).collect();
        }
        TokenForm::Jwt(jwt) => jwt,
    };
    let mut lines = heading("Access token: a JWT, decoded, not verified").to_vec();
    lines.extend(moments(jwt, zone, now));
    for (label, json) in [("header", &jwt.header), ("claims", &jwt.claims)] {
        // The outermost braces would only cost lines.
        let members = json.iter().filter(|line| !["{", "}"].contains(&line.as_str()));
        let members = members.map(|line| line.strip_prefix("  ").unwrap_or(line));
        let labels = std::iter::once(label).chain(std::iter::repeat(""));
        lines.extend(labels.zip(members).map(|(label, text)| SheetLine::new(label, text, Tone::Plain)));
    }
    lines
}

/// What the token says of its own lifetime.
fn moments(jwt: &Jwt, zone: Zone, now: DateTime<Utc>) -> Vec<SheetLine> {
    let moments = [("issued", jwt.issued_at), ("not before", jwt.not_before), ("expires", jwt.expires_at)];
    let lines =
        moments.into_iter().filter_map(|(label, at)| Some(SheetLine::new(label, moment(zone, at?, now), Tone::Plain)));
    lines.collect()
}

/// A moment exactly, by this machine's zone and by UTC, and how far it is away.
pub(crate) fn moment(zone: Zone, at: DateTime<Utc>, now: DateTime<Utc>) -> String {
    let away = if at > now { format!("in {}", countdown(at - now)) } else { ago(now - at) };
    format!("{}{}, {away}", zone.date_time(at), zone.in_utc(at))
}

fn history(history: &Result<Vec<Rotation>, String>, zone: Zone, wide: bool) -> Vec<SheetLine> {
    let mut lines = heading("History of its tokens").to_vec();
    match history {
        Err(why) => lines.push(SheetLine::new("", neutralise(why, 300), Tone::Status(Severity::Warning))),
        Ok(rotations) if rotations.is_empty() => {
            lines.push(SheetLine::new("", "It begins with the next new tokens.", Tone::Dim));
        }
        Ok(rotations) => {
            let columns = if wide { "   ACCESS    REFRESH   PROCESS" } else { "   SHA-256" };
            lines.push(SheetLine::new("GEN", format!("{:<19}  {:<9}{columns}", "TIME", "HOW"), Tone::Dim));
            lines.extend(rotations.iter().map(|rotation| row(rotation, zone, wide)));
        }
    }
    lines
}

fn row(rotation: &Rotation, zone: Zone, wide: bool) -> SheetLine {
    let how = match rotation.how {
        Obtained::Login => "login",
        Obtained::Refresh => "refresh",
        Obtained::Mint => "mint",
        Obtained::Import => "import",
        Obtained::Recovered => "recovered",
    };
    let mut text = format!("{}  {how:<9}", zone.date_time(rotation.at));
    let (access, refresh) = (rotation.access.as_str(), rotation.refresh.as_ref());
    if wide {
        let program = match rotation.by {
            Some(Program::Dashboard) => " dashboard",
            Some(Program::Keepalive) => " keepalive",
            Some(Program::Command) => " command",
            None => "",
        };
        let refresh = refresh.map_or("—", |print| print.as_str());
        let _ = write!(text, "   {access:<8}  {refresh:<8}  {}{program}", rotation.pid);
        if let Some(lost) = rotation.recovered {
            let _ = write!(text, "   answer lost at {}, recovered", zone.date_time(lost.at));
        }
    } else {
        // Only one has room: the one that must never be lost.
        let _ = write!(text, "   {}", refresh.map_or(access, |print| print.as_str()));
    }
    SheetLine::new(rotation.generation.to_string(), neutralise(&text, 200), Tone::Plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dashboard::fixtures::{NOTHING, app_of, change, inspection, learn, manu, name, now, press};
    use crate::dashboard::{Msg, update};
    use crate::domain::{ConnectionView, Event, EventKind, Holding};

    fn asks(connection: &str) -> [Command; 1] {
        [Command::Inspect { connection: name(connection) }]
    }

    fn of_generation(generation: u64) -> Event {
        let view = manu("factory", 1443);
        let Holding::Tokens { facts, saved } = view.holding.clone() else { panic!() };
        let facts = crate::domain::TokenFacts { generation, ..facts };
        Event::Changed(Box::new(ConnectionView { holding: Holding::Tokens { facts, saved }, ..view }))
    }

    #[test]
    fn it_is_asked_for_when_the_screen_opens_and_once_with_every_new_generation() {
        let mut app = app_of(vec![manu("factory", 1443), manu("warehouse", 72)]);
        assert_eq!(update(&mut app, Msg::Event(of_generation(42)), now()), NOTHING, "no one looks");
        assert_eq!(press(&mut app, "Enter"), asks("factory"));
        assert_eq!(press(&mut app, "j k"), NOTHING);
        change(&mut app, manu("warehouse", 60));
        assert_eq!(update(&mut app, Msg::Event(of_generation(43)), now()), asks("factory"));
        assert_eq!(update(&mut app, Msg::Event(of_generation(43)), now()), NOTHING);
        press(&mut app, "Esc");
        assert_eq!(update(&mut app, Msg::Event(of_generation(44)), now()), NOTHING, "no one looks any more");
        assert_eq!(press(&mut app, "Enter"), asks("factory"));
    }

    #[test]
    fn an_answer_about_another_connection_is_dropped() {
        let mut app = app_of(vec![manu("factory", 1443)]);
        press(&mut app, "Enter");
        let before = app.clone();
        learn(&mut app, EventKind::Inspected { inspection: Box::new(inspection()) }.of(name("other")));
        assert_eq!(app, before);
        learn(&mut app, EventKind::Inspected { inspection: Box::new(inspection()) }.of(name("factory")));
        assert_ne!(app, before);
        press(&mut app, "Esc");
        let before = app.clone();
        learn(&mut app, EventKind::Inspected { inspection: Box::new(inspection()) }.of(name("factory")));
        assert_eq!(app, before, "the screen is closed");
    }
}
