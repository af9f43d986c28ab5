//! What `manutop add` asks for on a terminal: what a connection cannot do without and no option gave.

use std::io;

use crate::cli::support::exit::{CliError, Exit};
use crate::cli::support::prompt;
use crate::cli::support::stderr::message;
use crate::config::{ConfigField, Draft, FieldKind, fields, suggested_text};
use crate::domain::Connection;
use crate::oauth::providers;

/// Asks for what is missing in the draft; whether anything was.
pub(super) fn complete(draft: &mut Draft, others: &[Connection]) -> Result<bool, CliError> {
    let mut has_asked = false;
    if draft.get("provider").is_empty() {
        begin(&mut has_asked);
        let ids: Vec<_> = providers::ALL.iter().map(|provider| provider.id).collect();
        let words = format!("Provider ({})", ids.join(", "));
        loop {
            draft.set("provider", answer(&words, ids[0])?);
            if draft.provider(providers::ALL).is_some() {
                break;
            }
            message!("unknown provider; there are {}", ids.join(" and "));
        }
    }
    let Some(provider) = draft.provider(providers::ALL) else { return Ok(has_asked) };
    let missing: Vec<_> = fields(provider)
        .filter(|field| field.required && field.kind != FieldKind::Provider && draft.get(field.key).is_empty())
        .collect();
    for field in missing {
        begin(&mut has_asked);
        ask(draft, field, suggested_text(provider, field.key).unwrap_or_default(), others)?;
    }
    Ok(has_asked)
}

/// Says once what the questions are for.
fn begin(has_asked: &mut bool) {
    if !std::mem::replace(has_asked, true) {
        message!("adding a connection; Enter takes what is in brackets, Ctrl-C adds nothing");
    }
}

/// Asks for one field until the answer is right.
fn ask(draft: &mut Draft, field: &ConfigField, default: &str, others: &[Connection]) -> Result<(), CliError> {
    loop {
        draft.set(field.key, answer(&format!("{} ({})", field.label, field.help), default)?);
        let faults = draft.check(others, providers::ALL).err().unwrap_or_default();
        let Some(fault) = faults.into_iter().find(|fault| fault.key == field.key) else { return Ok(()) };
        message!("{}", fault.what);
    }
}

fn answer(words: &str, default: &str) -> Result<String, CliError> {
    let end = || CliError::new(Exit::Failed, "nothing was added: the terminal was closed");
    prompt::line(words, default).map_err(|error| failed(&error))?.ok_or_else(end)
}

/// Asks a question; Enter is a yes.
pub(super) fn agreed(words: &str) -> Result<bool, CliError> {
    Ok(prompt::choose(words, &['y', 'n']).map_err(|error| failed(&error))? == Some('y'))
}

fn failed(error: &io::Error) -> CliError {
    CliError::new(Exit::Failed, format!("nothing more could be asked: {error}"))
}
