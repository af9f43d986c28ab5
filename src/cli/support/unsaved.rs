//! What a command leaves for another process to do, and what it says of it.

use std::collections::HashMap;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::session::Working;
use crate::domain::{ConnectionName, Problem};
use crate::engine::UnfinishedWork;

/// The connections whose new tokens the store has not taken, and why.
pub(crate) async fn owed(working: &Working) -> HashMap<ConnectionName, Problem> {
    let is_owed = |problem: &Problem| matches!(problem, Problem::NotSaved { .. });
    let views = working.engine.views().await.into_iter();
    views.filter_map(|view| Some((view.name, view.problem.filter(is_owed)?))).collect()
}

/// A second signal asked the program to end: what that endangers.
pub(crate) fn given_up(owing: &[UnfinishedWork]) -> CliError {
    let exit = match owing {
        [] => Exit::Failed,
        owing if UnfinishedWork::is_in_memory(owing) => Exit::StoreUnavailable,
        _ => Exit::Uncertain,
    };
    let message = format!("left although {}", UnfinishedWork::cost(owing));
    match owing {
        [only] => CliError { connection: Some(only.connection.clone()), ..CliError::new(exit, message) },
        _ => CliError::new(exit, message),
    }
}

/// Tokens that are in use but not in the store yet: what is owed, and who pays it.
pub(crate) fn still_owed(name: &ConnectionName, problem: &Problem) -> CliError {
    let why = format!("{problem}; it is safe in the journal, and the next manutop refresh {name} saves it");
    CliError::on(name, Exit::from(problem), why)
}
