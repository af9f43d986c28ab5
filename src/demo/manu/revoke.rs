//! The revocation endpoint (RFC 7009 §2): a refresh token takes its whole family with it.

use axum::http::StatusCode;
use serde_json::json;

use crate::demo::manu::grants::Grants;
use crate::demo::manu::token;
use crate::demo::manu::token::refusal;
use crate::demo::shared::{DemoForm, Inner};
use crate::demo::wire::DemoAnswer;

/// Answers `POST /oauth/revoke`.
pub(super) fn answer(inner: &mut Inner<Grants>, form: &DemoForm) -> DemoAnswer {
    inner.stats.revocation_posts += 1;
    let form = match form {
        Ok(form) => form,
        Err(reason) => return token::refused(&refusal("invalid_request", reason)),
    };
    let client_id = match token::authenticate(&inner.state, form) {
        Ok(client_id) => client_id,
        Err(refusal) => return token::refused(&refusal),
    };
    let Some(text) = form.get("token") else {
        return token::refused(&refusal("invalid_request", "token is missing"));
    };
    // An unknown one, or another client's, is answered alike: nothing is revealed (§2.2).
    let family = inner.state.family_of(text).filter(|id| inner.state.family(*id).client_id == client_id);
    if let Some(family) = family {
        inner.stats.families_revoked += u64::from(inner.state.revoke(family));
    }
    DemoAnswer::new(StatusCode::OK, json!({}))
}
