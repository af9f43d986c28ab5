//! One logged request as a command line for a POSIX shell. The secret is not in it: the command
//! fetches it, or names where it would stand.

use std::borrow::Cow;

use crate::domain::text::neutralise;
use crate::domain::{Exchange, LogEntry};
use crate::request_log::words::{purpose, result};

/// Headers that curl makes itself, or that say who sent the logged one.
const NOT_REPEATED: [&str; 5] = ["authorization", "content-length", "content-type", "host", "user-agent"];

/// The request as a `curl` command with a comment above it.
///
/// A test call can be made again with it. A token request cannot: its body held the client secret
/// and perhaps a refresh token, which is good for one exchange only, so a skeleton with
/// placeholders takes its place. A redirect is not a request to make: there is only the
/// comment.
#[must_use]
pub fn curl(entry: &LogEntry) -> String {
    let when = entry.at.format("%Y-%m-%d %H:%M:%S UTC");
    let mut lines = comment(&format!(
        "{} of {}, {when}: {}",
        purpose(entry.exchange),
        entry.connection,
        neutralise(&result(entry), 200)
    ));
    let form: &[&str] = match entry.exchange {
        Exchange::Authorization => {
            return lines + &comment("A browser brought this one: there is no request to repeat.");
        }
        Exchange::Test => return lines + &masked_query(entry) + &command(entry, test_arguments(entry)),
        Exchange::Code => &["grant_type=authorization_code", "code=CODE", "redirect_uri=REDIRECT_URI"],
        Exchange::Refresh => &["grant_type=refresh_token", "refresh_token=REFRESH_TOKEN"],
        Exchange::Mint => &["grant_type=client_credentials"],
        Exchange::Revoke => &["token=REFRESH_TOKEN", "token_type_hint=refresh_token"],
    };
    lines += &comment("Its body is not logged: it held secrets. Words in capitals stand in their place.");
    if entry.exchange == Exchange::Refresh {
        lines += &comment("A real refresh token sent by hand is spent: the connection would need a new login.");
    }
    let fields = form.iter().copied().chain(["client_id=CLIENT_ID", "client_secret=CLIENT_SECRET"]);
    lines
        + &masked_query(entry)
        + &command(entry, fields.map(|field| format!("--data-urlencode {}", quoted(field))).collect())
}

fn comment(text: &str) -> String {
    // Neutral: no line break ends the comment.
    format!("# {}\n", neutralise(text, 400))
}

fn masked_query(entry: &LogEntry) -> String {
    let is_masked = entry.url().contains("***");
    if is_masked {
        comment("Not all of the query is logged: put in what stands where *** does.")
    } else {
        String::new()
    }
}

/// The access token as manutop gives it out at that moment.
fn test_arguments(entry: &LogEntry) -> Vec<String> {
    let mut arguments = Vec::new();
    if entry.method != "GET" {
        arguments.push(format!("--request {}", quoted(&entry.method)));
    }
    // A connection's name is made of letters, digits and `-_.`, and begins with no dash.
    arguments.push(format!("-H \"Authorization: Bearer $(manutop token {})\"", entry.connection));
    arguments
}

fn command(entry: &LogEntry, arguments: Vec<String>) -> String {
    let is_repeated = |name: &str, value: &str| {
        // Curl would read a file for a name that begins with an `@`.
        let is_name = name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
        is_name && !NOT_REPEATED.contains(&name) && !value.contains("***")
    };
    let repeated = entry.wire.request_headers.iter().filter(|(name, value)| is_repeated(name, value));
    let headers = repeated.map(|(name, value)| format!("-H {}", quoted(&format!("{name}: {value}"))));
    // Brackets in an address are no pattern; `--url`, so that it is not taken for an option.
    let address = format!("curl --include --globoff --url {}", quoted(&entry.url()));
    let lines: Vec<String> = std::iter::once(address).chain(headers).chain(arguments).collect();
    lines.join(" \\\n  ") + "\n"
}

/// Quoted for a POSIX shell.
fn quoted(text: &str) -> Cow<'_, str> {
    // Only a NUL cannot be quoted, and no request holds one: that log was tampered with.
    shlex::try_quote(text).unwrap_or(Cow::Borrowed("''"))
}

#[cfg(test)]
mod tests {
    use super::curl;
    use crate::domain::{Exchange, LogEntry, Wire};
    use crate::request_log::fixtures::{refused_request, request};

    fn test_call() -> LogEntry {
        let headers = [("accept", "application/json"), ("authorization", "Bearer ***"), ("host", "api.manus.im")];
        LogEntry {
            exchange: Exchange::Test,
            method: "GET".into(),
            wire: Wire {
                url: Some("https://api.manus.im/users?limit=1".into()),
                request_headers: headers.map(|(name, value)| (name.into(), value.into())).to_vec(),
                ..Wire::default()
            },
            ..request("hr-sync", 200)
        }
    }

    #[test]
    fn a_test_call_is_a_command_that_fetches_the_token() {
        insta::assert_snapshot!("test_call", curl(&test_call()));
    }

    #[test]
    fn a_token_request_is_a_skeleton_that_sends_nothing_real() {
        insta::assert_snapshot!("refresh", curl(&refused_request()));
        let minted = curl(&LogEntry { exchange: Exchange::Mint, ..refused_request() });
        assert!(minted.contains("grant_type=client_credentials") && !minted.contains("refresh_token"), "{minted}");
    }

    #[test]
    fn a_redirect_is_a_comment_only() {
        let text = curl(&LogEntry { exchange: Exchange::Authorization, ..refused_request() });
        assert!(text.lines().all(|line| line.starts_with("# ")), "{text}");
    }

    #[test]
    fn an_older_entry_is_never_repeated_without_tls_but_on_this_machine() {
        let old = |host: &str| curl(&LogEntry { wire: Wire::default(), host: host.into(), ..test_call() });
        assert!(old("api.manus.im").contains(" https://api.manus.im/"), "{}", old("api.manus.im"));
        assert!(old("127.0.0.1:8080").contains(" http://127.0.0.1:8080/"), "{}", old("127.0.0.1:8080"));
        assert!(old("127.0.0.1.evil.example").contains(" https://127"), "a name is no address");
    }

    #[cfg(unix)]
    #[test]
    fn whatever_a_log_holds_the_shell_reads_one_curl_command() {
        for evil in ["a'b", "$(touch x)", "`id`", "\"; rm -rf /; \"", "x\ny", "[1-9]{a,b}", "-K/etc/passwd", "a\\"] {
            let wire = Wire {
                url: Some(format!("https://h.example/{evil}")),
                request_headers: vec![("x-h".into(), evil.into())],
                ..Wire::default()
            };
            let error = Some(evil.to_owned());
            for exchange in [Exchange::Test, Exchange::Refresh] {
                let entry = LogEntry {
                    method: evil.into(),
                    exchange,
                    wire: wire.clone(),
                    oauth_error: error.clone(),
                    ..test_call()
                };
                let text = curl(&entry);
                // Runs it with a curl that only counts: exactly the words meant reach it.
                let script = format!("curl() {{ printf '%s\\0' \"$@\"; }}\nmanutop() {{ printf TOKEN; }}\n{text}");
                let ran = std::process::Command::new("sh").arg("-c").arg(&script).output().unwrap();
                assert!(ran.status.success() && ran.stderr.is_empty(), "{text}: {ran:?}");
                let words = String::from_utf8(ran.stdout).unwrap();
                let words: Vec<&str> = words.split_terminator('\0').collect();
                let expected = [format!("https://h.example/{evil}"), format!("x-h: {evil}")];
                assert_eq!([words[3], words[5]], expected, "{text}");
                let count = if exchange == Exchange::Test { 10 } else { 14 };
                assert_eq!(words.len(), count, "{words:?}");
            }
        }
    }
}
