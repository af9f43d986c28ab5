//! What a command leaves for another process to do, and what it says of it.

use std::collections::HashMap;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::session::Working;
use crate::domain::{ConnectionName, Problem};
use crate::engine::UnfinishedWork;

/// The connections whose new tokens the store has not taken, and why.
pub(crate) async fn unsaved(working: &Working) -> HashMap<ConnectionName, Problem> {
    let is_unsaved = |problem: &Problem| matches!(problem, Problem::NotSaved { .. });
    let views = working.engine.views().await.into_iter();
    views.filter_map(|view| Some((view.name, view.problem.filter(is_unsaved)?))).collect()
}

/// A second signal asked the program to end: what that endangers.
pub(crate) fn given_up(unfinished: &[UnfinishedWork]) -> CliError {
    let exit = match unfinished {
        [] => Exit::Failed,
        unfinished if UnfinishedWork::is_in_memory(unfinished) => Exit::StoreUnavailable,
        _ => Exit::Uncertain,
    };
    let message = format!("left although {}", UnfinishedWork::cost(unfinished));
    match unfinished {
        [only] => CliError { connection: Some(only.connection.clone()), ..CliError::new(exit, message) },
        _ => CliError::new(exit, message),
    }
}

/// Tokens that are in use but not in the store yet, and what saves them.
pub(crate) fn not_in_the_store_yet(name: &ConnectionName, problem: &Problem) -> CliError {
    let why = format!("{problem}; it is safe in the journal, and the next manutop refresh {name} saves it");
    CliError::on(name, Exit::from(problem), why)
}
