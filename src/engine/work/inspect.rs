//! What is known of a connection's tokens, on request; see [`Inspection`].

use std::sync::Arc;

use crate::domain::{ConnectionName, EventKind, Inspection, Secret, TokenForm};
use crate::engine::work::context::Context;
use crate::oauth::jwt;

/// Reads the history, looks into the access token, and announces what is there.
pub(crate) async fn inspect(context: Arc<Context>, connection: ConnectionName, token: Option<Secret>) {
    let history = context.vault.history(&connection).await.map_err(|error| error.to_string());
    let token = match token.filter(|token| !token.is_empty()) {
        None => TokenForm::Nothing,
        Some(token) => jwt::read(&token).map_or(TokenForm::Opaque, |jwt| TokenForm::Jwt(Box::new(jwt))),
    };
    context.announce(EventKind::Inspected { inspection: Box::new(Inspection { history, token }) }.of(connection));
}
