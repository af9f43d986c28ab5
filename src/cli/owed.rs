//! What a command leaves for somebody else to do, and what it says of it.

use std::collections::HashMap;

use super::exit::{Exit, Stop};
use super::session::Working;
use crate::domain::{ConnectionName, Problem, Reason};
use crate::engine::Owing;

/// The connections whose new tokens the store has not taken, and why.
pub(super) async fn owed(working: &Working) -> HashMap<ConnectionName, Problem> {
    let is_owed = |problem: &Problem| matches!(problem, Problem::NotSaved { .. });
    let views = working.engine.views().await.into_iter();
    views.filter_map(|view| Some((view.name, view.problem.filter(is_owed)?))).collect()
}

/// New tokens are in memory only: what a person must know at once.
pub(super) fn in_memory(name: &ConnectionName, why: &Reason) -> String {
    let problem = Problem::NotSaved { why: why.clone(), durable: false };
    format!("{name}: {problem}; manutop goes on trying to save it")
}

/// A second signal asked the program to end: what that endangers.
pub(super) fn given_up(owing: &[Owing]) -> Stop {
    let exit = match owing {
        [] => Exit::Failed,
        owing if Owing::is_in_memory(owing) => Exit::StoreUnavailable,
        _ => Exit::Uncertain,
    };
    let message = format!("left although {}", Owing::cost(owing));
    match owing {
        [only] => Stop { connection: Some(only.connection.clone()), ..Stop::new(exit, message) },
        _ => Stop::new(exit, message),
    }
}

/// Tokens that are in use but not in the store yet: what is owed, and who pays it.
pub(super) fn still_owed(name: &ConnectionName, problem: &Problem) -> Stop {
    let why = format!("{problem}; it is safe in the journal, and the next manutop refresh {name} saves it");
    Stop::on(name, Exit::from(problem), why)
}
