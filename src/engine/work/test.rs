//! The test of a token: one real API call, logged, changing nothing.

use std::iter;
use std::sync::Arc;
use std::time::Duration;

use crate::domain::{Connection, EventKind, Exchange, Secret, TestFailure};
use crate::engine::work::context::{Context, TaskReport};
use crate::oauth::message::{HttpRequest, Payload};
use crate::oauth::{Broken, Refusal};

/// Calls the connection's test URL with an access token and announces what came of it. The refresh token is not sent,
/// only recognised: the provider knows it, and may repeat it.
pub(crate) async fn test_call(
    context: Arc<Context>,
    connection: Arc<Connection>,
    token: Secret,
    refresh_token: Option<Secret>,
) {
    let secrets: Vec<_> = iter::once(&token).chain(&refresh_token).collect();
    let (mut entry, answer) = {
        let _place = context.host_limit.enter(&connection.test_url).await;
        let request = HttpRequest {
            connection: &connection.name,
            exchange: Exchange::Test,
            url: &connection.test_url,
            payload: Payload::Bearer(&token),
            secrets: &secrets,
            attempt: 1,
        };
        context.http.exchange(&request).await
    };
    let duration = Duration::from_millis(entry.duration_ms);
    let result = match answer {
        Ok(answer) if answer.status < 300 => Ok((answer.status, duration)),
        Ok(answer) => {
            let refusal = Refusal::read(answer.status, &answer.body.0, &secrets);
            entry.oauth_error.clone_from(&refusal.code);
            entry.oauth_error_description.clone_from(&refusal.description);
            Err(TestFailure { status: Some(answer.status), why: refusal.reason() })
        }
        Err(Broken::NotSent(why) | Broken::Unanswered { why, .. }) => Err(TestFailure { status: None, why }),
    };
    context.log(entry);
    context.announce(EventKind::Tested { result }.of(connection.name.clone()));
    context.report(TaskReport::Tested(connection.name.clone()));
}
