//! A relay in front of a demo server that notes every secret that crosses the wire, so that a
//! test knows all of them: also those that are never shown, such as PKCE verifiers.
//!
//! It changes nothing of what passes.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};

/// What is secret in a token request and in its answer (RFC 6749 §4.1.3, §5.1, §6; RFC 7636 §4.5).
const IN_FORMS: [&str; 4] = ["client_secret", "code", "code_verifier", "refresh_token"];
const IN_ANSWERS: [&str; 2] = ["access_token", "refresh_token"];

type Notes = Arc<Mutex<Vec<Arc<Mutex<Vec<u8>>>>>>;

/// A relay at work. Its thread ends with the process.
pub struct Wiretap {
    base: String,
    notes: Notes,
}

impl Wiretap {
    /// Relays to the server at `base`, an `http://` URL without a path.
    pub fn on(base: &str) -> Self {
        let server = base.strip_prefix("http://").unwrap().to_owned();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        let notes = Notes::default();
        let kept = Arc::clone(&notes);
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // A server that is gone shows as a connection closed at once.
                if let Ok(server) = TcpStream::connect(&server) {
                    relay(&client, &server, &kept);
                    relay(&server, &client, &kept);
                }
            }
        });
        Self { base, notes }
    }

    /// `http://127.0.0.1:PORT`, without a slash at the end.
    pub fn base(&self) -> &str {
        &self.base
    }

    /// Every secret that has passed so far.
    pub fn secrets(&self) -> BTreeSet<String> {
        let notes = self.notes.lock().unwrap();
        notes.iter().flat_map(|note| secrets_in(&String::from_utf8_lossy(&note.lock().unwrap()))).collect()
    }
}

/// Copies one direction of a connection on a thread of its own.
fn relay(from: &TcpStream, to: &TcpStream, notes: &Notes) {
    let (mut from, mut to) = (from.try_clone().unwrap(), to.try_clone().unwrap());
    let note = Arc::new(Mutex::new(Vec::new()));
    notes.lock().unwrap().push(Arc::clone(&note));
    std::thread::spawn(move || {
        let mut buffer = [0; 16_384];
        while let Ok(read @ 1..) = from.read(&mut buffer) {
            note.lock().unwrap().extend_from_slice(&buffer[..read]);
            if to.write_all(&buffer[..read]).is_err() {
                break;
            }
        }
        // The other side may be gone already.
        let _ = to.shutdown(Shutdown::Write);
    });
}

fn secrets_in(text: &str) -> Vec<String> {
    let mut secrets = Vec::new();
    for part in text.split(['&', '\n']) {
        let found = IN_FORMS.iter().find_map(|key| part.strip_prefix(key)?.strip_prefix('='));
        let pair = found.map(|value| format!("v={}", value.trim_end()));
        let decoded = pair.iter().flat_map(|pair| url::form_urlencoded::parse(pair.as_bytes()));
        secrets.extend(decoded.map(|(_, value)| value.into_owned()));
        let bearer = part.split_once(": Bearer ").map(|(_, token)| token.trim_end().to_owned());
        secrets.extend(bearer);
    }
    for key in IN_ANSWERS {
        let label = format!("\"{key}\":\"");
        let values = text.split(&label).skip(1);
        secrets.extend(values.filter_map(|rest| rest.split_once('"')).map(|(value, _)| value.to_owned()));
    }
    secrets
}
