//! `manutop refresh` and `manutop token`.

use std::collections::HashMap;
use std::io::Write;
use std::time::Duration;

use color_eyre::eyre::Report;
use futures_util::future::join_all;

use super::exit::{Exit, Stop};
use super::say::say;
use super::session::{Session, Working};
use crate::domain::{ConnectionName, Problem};
use crate::engine::Refreshed;

/// The least a printed token must still be good for.
const MIN_TTL: Duration = Duration::from_secs(60);

/// Refreshes every connection that has tokens, or can get them without a person.
pub(super) async fn refresh_all(session: Session, force: bool) -> Result<Exit, Report> {
    let names: Vec<_> = session.config.connections.iter().map(|connection| connection.name.clone()).collect();
    refresh(session, &names, force).await
}

/// Refreshes connections side by side; the exit code is the worst of theirs.
pub(super) async fn refresh(session: Session, names: &[ConnectionName], force: bool) -> Result<Exit, Report> {
    for name in names {
        session.connection(name)?;
    }
    let mut working = session.work(true)?;
    // What is there must be known first: otherwise a token found would look like somebody else's new one.
    working.engine.views().await;
    let results =
        working.attend(async |engine| join_all(names.iter().map(|name| engine.refresh(name, force))).await).await?;
    let owed = owed(&working).await;
    working.finish(&session).await;
    let mut worst = Exit::Ok;
    for (name, result) in names.iter().zip(results) {
        match result {
            Ok(refreshed) => {
                writeln!(std::io::stdout(), "{name}: {}", words(refreshed))?;
                if let Some(problem) = owed.get(name) {
                    tell_owed(name, problem);
                    worst = worst.max(Exit::from(problem));
                }
            }
            Err(problem) => {
                say!("{name}: {problem}{}", hint(name, &problem));
                worst = worst.max(Exit::from(&problem));
            }
        }
    }
    Ok(worst)
}

/// Prints a valid access token, alone.
pub(super) async fn print(session: Session, name: &ConnectionName) -> Result<Exit, Report> {
    session.connection(name)?;
    let mut working = session.work(true)?;
    let result = working.attend(async |engine| engine.access_token(name, MIN_TTL).await).await?;
    if let Some(problem) = owed(&working).await.get(name) {
        tell_owed(name, problem);
    }
    working.finish(&session).await;
    let token = result
        .map_err(|problem| Stop::new(Exit::from(&problem), format!("{name}: {problem}{}", hint(name, &problem))))?;
    writeln!(std::io::stdout(), "{}", token.expose())?;
    Ok(Exit::Ok)
}

/// The connections whose new tokens the store has not taken, and why.
async fn owed(working: &Working) -> HashMap<ConnectionName, Problem> {
    let is_owed = |problem: &Problem| matches!(problem, Problem::NotSaved { .. });
    let views = working.engine.views().await.into_iter();
    views.filter_map(|view| Some((view.name, view.problem.filter(is_owed)?))).collect()
}

/// Leaving says what is owed.
fn tell_owed(name: &ConnectionName, problem: &Problem) {
    say!("{name}: {problem}; it is safe in the journal, and the next manutop refresh {name} saves it");
}

fn words(refreshed: Refreshed) -> String {
    match refreshed {
        Refreshed::Obtained(generation) => format!("refreshed, generation {generation}"),
        Refreshed::Adopted(generation) => format!("another process had refreshed it, generation {generation}"),
        Refreshed::StillFresh(generation) => {
            format!("still fresh, generation {generation}; --force refreshes it all the same")
        }
    }
}

/// The command that mends it, where there is one.
fn hint(name: &ConnectionName, problem: &Problem) -> String {
    match problem {
        Problem::NeverLoggedIn | Problem::NeedsLogin { .. } | Problem::RolledBack { .. } => {
            format!("; log in with: manutop login {name}")
        }
        Problem::Uncertain { .. } => {
            format!("; try it once with: manutop refresh {name} --force, or log in again with: manutop login {name}")
        }
        _ => String::new(),
    }
}
