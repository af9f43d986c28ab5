//! What must hold for every request to the listener of a login, and for every text pasted as its answer: no panic,
//! no code without the login's `state`, and a page that repeats neither.

use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use manutop::domain::Secret;
use manutop::local_server::http::answer;
use manutop::oauth::CodeProgress;
use manutop::oauth::endpoint::{Endpoint, LIMITS};
use manutop::oauth::pasted_answer::read_answer;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, duplex};
use url::form_urlencoded;

use super::planted::{planted, readable};

const CODE: &str = "m4xw7kq2vt9zc6rj";
const REDIRECT_URI: &str = "http://127.0.0.1:8400/callback";
const STATUSES: [&str; 12] = ["200", "204", "400", "404", "405", "408", "409", "413", "414", "421", "431", "505"];

/// Checks one input. `0xf5` in it stands for the login's `state`, `0xf6` for a code.
pub fn check(data: &[u8]) {
    // Another one for each input, so that no input can learn it.
    let mut hasher = DefaultHasher::new();
    data.hash(&mut hasher);
    let state = format!("{:016x}{:016x}", hasher.finish(), hasher.finish().rotate_left(29) ^ 0x9e37_79b9_7f4a_7c15);
    let input = planted(data, [&state, CODE]);
    pasted(&input, &state);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build();
    runtime.expect("a runtime").block_on(request(&input, &state));
}

async fn request(input: &[u8], state: &str) {
    let (endpoint, mut arrivals) = Endpoint::new("/callback", Secret::new(state));
    let (mut ours, theirs) = duplex(256 * 1024);
    let served = answer(theirs, endpoint.router(), LIMITS);
    let asked = async {
        // The listener may have seen enough before the end. Like a browser, this side does not close first.
        let _ = ours.write_all(input).await;
        let mut page = Vec::new();
        let _ = ours.read_to_end(&mut page).await;
        page
    };
    drop(endpoint);
    let heard = async {
        let mut codes = 0;
        while let Some(arrival) = arrivals.next().await {
            if let Ok(granted) = arrival {
                codes += 1;
                arrivals.report(&granted.code, CodeProgress::Ended(Ok("fuzzed is connected.".into())));
            }
        }
        codes
    };
    let ((), page, codes) = tokio::join!(served, asked, heard);
    assert!(codes == 0 || names(input, state), "a code without the state");
    assert!(codes <= 1, "one connection brings one answer");
    let page = String::from_utf8(page).expect("a page is text");
    if !page.is_empty() {
        let status = page.strip_prefix("HTTP/1.").and_then(|rest| rest.get(2..5)).unwrap_or_default();
        assert!(STATUSES.contains(&status), "{page}");
        assert_eq!(page.matches("HTTP/1.").count(), 1, "one answer a connection: {page}");
        assert!(!page.contains(state), "{page}");
        // Only what the server says in a refusal is repeated, and that has the state.
        if codes == 1 || !names(input, state) {
            assert_eq!(readable(&page, &[CODE]), None, "{page}");
        }
    }
}

fn pasted(input: &[u8], state: &str) {
    let text = Secret::new(String::from_utf8_lossy(input));
    match read_answer(&text, &Secret::new(state).into(), REDIRECT_URI) {
        Ok(granted) => assert!(!granted.code.is_empty() && granted.code.expose().len() <= text.expose().len()),
        Err(why) => assert!(!why.to_string().contains(state), "{why}"),
    }
}

/// Whether the input holds the state as a parameter can: as it is, or percent-encoded.
fn names(input: &[u8], state: &str) -> bool {
    let is_state = |text: &str| text.contains(state);
    is_state(&String::from_utf8_lossy(input))
        || form_urlencoded::parse(input).any(|(key, value)| is_state(&key) || is_state(&value))
}
