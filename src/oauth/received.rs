//! The part of an answer that has arrived, until it is complete or abandoned: decoded, its headers masked for the log.

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::header::{HeaderMap, WWW_AUTHENTICATE};

use crate::domain::{LogEntry, Secret};
use crate::oauth::message::{Body, Broken, HttpAnswer, HttpRequest, Payload};
use crate::oauth::{answer, coding, headers, shape};

/// How much of a broken body is searched for pieces of tokens, in bytes.
const MOST_BROKEN: usize = 64 * 1024;
/// The longest `Retry-After` obeyed.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);

/// The part of an answer that has arrived, as sent.
pub(super) struct ReceivedBody {
    status: u16,
    headers: HeaderMap,
    retry_after: Option<DateTime<Utc>>,
    pub(super) body: Vec<u8>,
    /// Nothing of the body was left unread.
    pub(super) is_whole: bool,
}

impl ReceivedBody {
    /// The head of an answer, which arrived at `now`.
    pub(super) fn begin(response: &reqwest::Response, now: DateTime<Utc>) -> Self {
        let headers = response.headers().clone();
        let retry_after = retry_after(&headers, now);
        Self { status: response.status().as_u16(), headers, retry_after, body: Vec::new(), is_whole: true }
    }

    /// The answer, its codings undone and `entry` completed from it; broken if it ended so.
    pub(super) fn into_result(
        self,
        request: &HttpRequest<'_>,
        entry: &mut LogEntry,
        ended: Result<(), Broken>,
    ) -> Result<HttpAnswer, Broken> {
        entry.size = self.body.len() as u64;
        let decoded = coding::decode(self.body, &coding::named(&self.headers));
        entry.headers = received_headers(&self.headers, request, &decoded.bytes);
        let challenge = self.headers.get(WWW_AUTHENTICATE).map(|value| String::from_utf8_lossy(value.as_bytes()));
        let body = Body(decoded.bytes);
        match ended {
            Ok(()) => Ok(HttpAnswer {
                status: self.status,
                body,
                is_whole: self.is_whole && decoded.is_whole,
                challenge: challenge.map(Into::into),
                retry_after: self.retry_after,
            }),
            Err(Broken::Unanswered { why, .. } | Broken::NotSent(why)) => {
                Err(Broken::Unanswered { why, status: Some(self.status), partial: body })
            }
        }
    }
}

/// The answer's headers, masked wherever they echo what was sent or repeat what the body says.
fn received_headers(received: &HeaderMap, request: &HttpRequest<'_>, body: &[u8]) -> Vec<(String, String)> {
    let answered = match request.payload {
        Payload::Form(_) => secrets_in(body),
        Payload::Bearer(_) => Vec::new(),
    };
    let secrets: Vec<_> = request.secrets.iter().copied().chain(&answered).collect();
    headers::described(received, &secrets)
}

/// The tokens in a token endpoint's answer; the text itself if it is broken and may hold one.
fn secrets_in(body: &[u8]) -> Vec<Secret> {
    let tokens = answer::read(body);
    let is_broken = tokens.as_ref().is_none_or(|tokens| tokens.is_broken);
    let text = is_broken.then(|| shape::text(&body[..body.len().min(MOST_BROKEN)]));
    let text = text.filter(|text| shape::squeezed(text).contains("token")).map(Secret::new);
    tokens.iter().flat_map(|tokens| tokens.secrets()).cloned().chain(text).collect()
}

/// `Retry-After` in seconds or as an HTTP date (RFC 9110 §10.2.3).
fn retry_after(headers: &HeaderMap, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let value = headers.get("retry-after")?.to_str().ok()?.trim();
    let moment = match value.parse::<u32>() {
        Ok(seconds) => now + TimeDelta::seconds(seconds.into()),
        Err(_) => DateTime::parse_from_rfc2822(value).ok()?.to_utc(),
    };
    Some(moment.clamp(now, now + LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};
    use reqwest::header::{HeaderMap, HeaderValue};

    use super::{LONGEST_WAIT, retry_after};

    fn wait(value: &str) -> Option<TimeDelta> {
        let now: DateTime<Utc> = "1994-11-06T08:49:00Z".parse().unwrap();
        let mut headers = HeaderMap::new();
        headers.insert("retry-after", HeaderValue::from_str(value).unwrap());
        retry_after(&headers, now).map(|until| until - now)
    }

    #[test]
    fn retry_after_is_read_as_seconds_and_as_date_and_is_bounded() {
        assert_eq!(wait("30"), Some(TimeDelta::seconds(30)));
        assert_eq!(wait("Sun, 06 Nov 1994 08:49:37 GMT"), Some(TimeDelta::seconds(37)));
        assert_eq!(wait("Sun, 06 Nov 1993 08:49:37 GMT").map(|_| ()), None);
        assert_eq!(wait("Sat, 06 Nov 1993 08:49:37 GMT"), Some(TimeDelta::zero()));
        assert_eq!(wait("999999999"), Some(LONGEST_WAIT));
        assert_eq!(wait("soon"), None);
    }
}
