//! Whatever a server, a browser, a person or a disk hands in: the readers end soon, panic never,
//! drop no token, and repeat no secret.

#![expect(clippy::format_push_string, clippy::format_collect, reason = "texts of a few lines, put together to be read")]

use std::path::Path;
use std::time::{Duration, Instant};

use manutop::config;
use manutop::domain::Secret;
use manutop::oauth::callback::{CallbackError, read_redirect};
use manutop::oauth::pasted_answer::read_answer;
use manutop::oauth::providers::ALL;
use manutop::oauth::redact::excerpt;
use manutop::oauth::{Refusal, answer};
use proptest::prelude::*;
use serde_json::{Map, Value, json};

const REDIRECT: &str = "https://www.getpostman.com/oauth2/callback";
/// A million bytes are read in far less, even by a test build on a busy machine.
const SOON: Duration = Duration::from_secs(3);
const MEGABYTE: usize = 1024 * 1024;

fn config() -> ProptestConfig {
    // The code to repeat a failure is in its message; no file is left behind.
    ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() }
}

/// A token as servers make them: printable ASCII, quotes and backslashes not excluded.
fn token() -> impl Strategy<Value = String> {
    "[!-~]{1,80}"
}

/// A JSON value without tokens in it.
fn anything() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
        Just(json!(r#"{"access_token":"in a string","refresh_token":"in a string"}"#)),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            members(inner).prop_map(Value::from),
        ]
    })
}

fn members(value: impl Strategy<Value = Value>) -> impl Strategy<Value = Map<String, Value>> {
    prop::collection::vec(("[a-zé_\"]{0,12}", value), 0..4).prop_map(|members| members.into_iter().collect())
}

/// One more level around a text of JSON, with other members before and after it.
fn wrapped(inner: &str, before: &Map<String, Value>, after: &Map<String, Value>, key: &str, in_array: bool) -> String {
    let list = |members: &Map<String, Value>| -> Vec<String> {
        members.iter().map(|(key, value)| format!("{}:{value}", Value::from(key.as_str()))).collect()
    };
    let inner = if in_array { format!("[null, {inner}]") } else { inner.to_owned() };
    let mut all = list(before);
    all.push(format!("{}: {inner}", Value::from(key)));
    all.extend(list(after));
    format!("{{{}}}", all.join(" ,\n"))
}

/// The text of an object with the pair in it, and where the pair ends.
fn pair_object(access: &str, refresh: &str, before: &Map<String, Value>, is_refresh_first: bool) -> (String, usize) {
    let mut text = String::from("{");
    for (key, value) in before {
        text += &format!("{}:{value},", Value::from(key.as_str()));
    }
    let mut pair = [("access_token", access), ("refresh_token", refresh)];
    if is_refresh_first {
        pair.reverse();
    }
    let [first, second] = pair.map(|(key, token)| format!("\"{key}\" : {}", Value::from(token)));
    text += &format!("{first},{second}");
    let end = text.len();
    (text + "}", end)
}

fn found(body: &[u8]) -> (Option<String>, Option<String>) {
    let text = |secret: Option<Secret>| secret.map(|secret| secret.expose().to_owned());
    answer::read(body).map_or((None, None), |answer| (text(answer.access_token), text(answer.refresh_token)))
}

/// Levels around a pair: other members before and after, a key, and whether it is in an array.
type Levels = Vec<(Map<String, Value>, Map<String, Value>, String, bool)>;

fn levels(most: usize) -> impl Strategy<Value = Levels> {
    prop::collection::vec((members(anything()), members(anything()), "[a-z]{0,8}", any::<bool>()), 0..most)
}

proptest! {
    #![proptest_config(config())]

    #[test]
    fn a_token_answer_of_any_bytes_is_read_without_a_panic(body in prop::collection::vec(any::<u8>(), 0..2000)) {
        let _ = answer::read(&body);
    }

    #[test]
    fn a_token_answer_that_looks_like_one_is_read_without_a_panic(
        pieces in prop::collection::vec(prop::sample::select(&[
            "\"access_token\"", "\"refresh_token\"", "\"expires_in\"", ":", ",", "{", "}", "[", "]", "\"", "\\", "\\u00",
            "1e999", "-0", "12.", " ", "\u{feff}", "é", "null", "\"T\"", "\0",
        ][..]), 0..60),
    ) {
        let _ = answer::read(pieces.concat().as_bytes());
    }

    #[test]
    fn a_pair_at_any_depth_among_anything_is_never_dropped(
        access in token(), refresh in token(), is_refresh_first: bool,
        before in members(anything()), levels in levels(6),
        (has_mark, garbage) in (any::<bool>(), any::<String>()),
    ) {
        let (mut text, _) = pair_object(&access, &refresh, &before, is_refresh_first);
        for (before, after, key, in_array) in &levels {
            text = wrapped(&text, before, after, key, *in_array);
        }
        let mark = if has_mark { "\u{feff}" } else { "" };
        prop_assert_eq!(found(format!("{mark}{text}{garbage}").as_bytes()), (Some(access), Some(refresh)));
    }

    #[test]
    fn a_pair_is_not_dropped_where_the_answer_breaks_off_after_it(
        access in token(), refresh in token(), is_refresh_first: bool,
        before in members(anything()), levels in levels(4), cut in any::<prop::sample::Index>(),
    ) {
        let (inner, end) = pair_object(&access, &refresh, &before, is_refresh_first);
        let (tail, mut text) = (inner.len() - end, inner);
        let mut after_pair = tail;
        for (before, after, key, in_array) in &levels {
            let outer = wrapped(&text, before, after, key, *in_array);
            after_pair += outer.len() - outer.find(&text).unwrap() - text.len();
            text = outer;
        }
        let end = text.len() - cut.index(after_pair + 1);
        prop_assert_eq!(found(&text.as_bytes()[..end]), (Some(access), Some(refresh)));
    }

    #[test]
    fn a_pair_is_not_dropped_for_single_tokens_outside_of_it(
        access in token(), refresh in token(), other in token(), which in prop::sample::select(&["access_token", "refresh_token"][..]),
        levels in 1_usize..5,
    ) {
        let mut value = json!({"access_token": access, "refresh_token": refresh});
        for _ in 0..levels {
            value = json!({which: other, "data": value});
        }
        prop_assert_eq!(found(value.to_string().as_bytes()), (Some(access), Some(refresh)));
    }

    #[test]
    fn a_pair_is_not_dropped_for_a_duplicate_key(
        access in token(), refresh in token(), junk in prop::sample::select(&["null", "\"\"", "{}", "7", "[]"][..]),
        key in prop::sample::select(&["data", "access_token", "refresh_token"][..]),
    ) {
        let (pair, end) = pair_object(&access, &refresh, &Map::new(), false);
        let body = match key {
            "data" => format!(r#"{{"data":{pair},"data":{junk}}}"#),
            key => format!("{},\"{key}\":{junk}}}", &pair[..end]),
        };
        prop_assert_eq!(found(body.as_bytes()), (Some(access), Some(refresh)), "{}", body);
    }

    #[test]
    fn a_refresh_token_beside_or_below_its_access_token_is_never_dropped(
        access in token(), refresh in token(), levels in 1_usize..4,
    ) {
        let mut value = json!({"refresh_token": refresh});
        for _ in 0..levels {
            value = json!({"more": value});
        }
        value["access_token"] = access.as_str().into();
        prop_assert_eq!(found(value.to_string().as_bytes()), (Some(access), Some(refresh)));
    }

    #[test]
    fn a_refusal_is_bounded_neutral_and_without_the_secrets_sent(
        status in 100_u16..600, secrets in prop::collection::vec("[!-~]{4,60}", 1..3),
        parts in prop::collection::vec((any::<String>(), any::<prop::sample::Index>(), 0_usize..4), 0..6), shape in 0_usize..6,
    ) {
        prop_assume!(secrets.iter().all(|secret| !"***".contains(secret.as_str())));
        let echo: String = parts
            .iter()
            .map(|(text, which, case)| {
                let secret = &secrets[which.index(secrets.len())];
                match case {
                    0 => format!("{text}{secret}"),
                    1 => format!("{text}{}", secret.to_ascii_lowercase()),
                    2 => format!("{text}{}", secret.to_ascii_uppercase()),
                    _ => text.clone(),
                }
            })
            .collect();
        let body = match shape {
            0 => json!({"error": echo, "error_description": echo}).to_string(),
            1 => json!({"code": echo, "message": echo}).to_string(),
            2 => json!({"ok": false, "error": {"code": echo, "message": echo}}).to_string(),
            3 => format!("<h1>{echo}</h1>"),
            4 => json!({"error": echo}).to_string(),
            _ => echo,
        };
        let sent: Vec<Secret> = secrets.iter().map(Secret::new).collect();
        let refusal = Refusal::read(status, body.as_bytes(), &sent.iter().collect::<Vec<_>>());
        for text in refusal.code.iter().chain(&refusal.description).chain([&refusal.words()]) {
            prop_assert!(text.chars().count() < 450 && !text.chars().any(char::is_control), "{:?}", text);
            for secret in &secrets {
                prop_assert!(!text.contains(secret.as_str()), "{:?} in {:?}", secret, text);
            }
        }
        let _ = refusal.class();
    }

    #[test]
    fn a_refusal_of_any_bytes_is_read_without_a_panic(status: u16, body in prop::collection::vec(any::<u8>(), 0..2000)) {
        let refusal = Refusal::read(status, &body, &[]);
        prop_assert!(!refusal.words().chars().any(char::is_control));
    }

    #[test]
    fn an_excerpt_holds_no_secret_that_was_sent_and_no_control_character(
        secrets in prop::collection::vec("[ -~]{4,60}", 1..4), parts in prop::collection::vec((any::<String>(), any::<prop::sample::Index>()), 0..6),
        most in 0_usize..400,
    ) {
        prop_assume!(secrets.iter().all(|secret| !secret.contains("**") && !secret.trim().is_empty()));
        let text: String =
            parts.iter().map(|(text, which)| format!("{text}{}", secrets[which.index(secrets.len())])).collect();
        let sent: Vec<Secret> = secrets.iter().map(Secret::new).collect();
        for text in [text.clone(), text.replace(' ', "\t")] {
            let excerpt = excerpt(&text, &sent.iter().collect::<Vec<_>>(), most);
            prop_assert!(excerpt.chars().count() <= most + 1 && !excerpt.chars().any(char::is_control), "{:?}", excerpt);
            for secret in &secrets {
                prop_assert!(!excerpt.contains(secret.as_str()), "{:?} in {:?}", secret, excerpt);
            }
        }
    }

    #[test]
    fn a_redirect_gives_its_code_with_the_right_state_alone(
        code in token(), state in token(), other in token(), extra in "[a-z&=%?;#]{0,30}",
    ) {
        let query = |state: &str| {
            url::form_urlencoded::Serializer::new(String::new()).append_pair("code", &code).append_pair("state", state).finish()
        };
        let right = Secret::new(&state);
        prop_assert_eq!(read_redirect(&query(&state), &right.clone().into()).map(|granted| granted.code), Ok(Secret::new(&code)));
        if other != state {
            let query = query(&other);
            prop_assert_eq!(read_redirect(&query, &right.clone().into()).map(|granted| granted.code), Err(CallbackError::WrongState));
            for text in [
                query.clone(),
                format!("?{query}"),
                format!("{REDIRECT}?{query}"),
                format!("{REDIRECT}?{query}&{query}"),
                format!("  {REDIRECT}#{query}"),
                format!("{query}&{query}"),
                format!("{query}&{extra}"),
                format!("{REDIRECT}?{extra}&{query}"),
            ] {
                prop_assert!(read_answer(&Secret::new(&text), &right.clone().into(), REDIRECT).is_err(), "{}", text);
            }
        }
    }

    #[test]
    fn a_redirect_or_paste_of_any_text_is_read_without_a_panic(text: String, tail in "[a-z&=%?;#+ ]{0,60}", state in token()) {
        for text in [text.clone(), format!("{REDIRECT}?{text}"), format!("code={text}&state={tail}"), tail.clone()] {
            let state = Secret::new(&state);
            let _ = read_answer(&Secret::new(&text), &state.clone().into(), REDIRECT);
            if let Ok(code) = read_redirect(&text, &state.clone().into()).map(|granted| granted.code) {
                prop_assert!(text.contains("code") && !code.is_empty());
            }
        }
    }

    #[test]
    fn a_configuration_of_any_text_is_refused_or_read_without_a_panic(text: String, lines in "[a-z_\\[\\]\"'=., 0-9\n#{}]{0,300}") {
        for text in [text, lines] {
            let _ = config::parse(&text, Path::new("c.toml"), ALL);
        }
    }

    #[test]
    fn no_fault_of_a_configuration_repeats_a_value_that_may_be_a_secret(
        secret in "[A-Za-z0-9]{8}s3cr3t[A-Za-z0-9]{4,20}",
        lines in prop::collection::vec((
            prop::sample::select(&[
                "provider", "client_id", "client_secret", "redirect_uri", "scope", "auto_refresh", "pkce", "token_url",
                "authorize_url", "test_url", "client_secret_command", "store", "login_timeout_seconds",
            ][..]),
            0_usize..9,
        ), 0..8),
        is_in_table: bool,
    ) {
        let mut text = String::from(if is_in_table { "[[connections]]\n" } else { "" });
        for (key, shape) in lines {
            text += &match shape {
                0 => format!("{key} = \"{secret}\"\n"),
                1 => format!("{key} = {secret}\n"),
                2 => format!("{key} = [\"{secret}\", 7]\n"),
                3 => format!("{key} = \"https://{secret}@example.com/?x={secret}\"\n"),
                4 => format!("{key} = \"http://example.com/{secret}\"\n"),
                5 => format!("{key} = \"{secret}\n"),
                6 => format!("{key} = {{ a = \"{secret}\" }}\n"),
                7 => format!("{key} = '''{secret}\n"),
                _ => format!("{key} \"{secret}\"\n"),
            };
        }
        if let Err(error) = config::parse(&text, Path::new("c.toml"), ALL) {
            prop_assert!(!format!("{error} {error:?}").contains(&secret), "{}\n{}", error, text);
        }
    }
}

#[test]
fn a_megabyte_made_to_be_slow_is_read_soon() {
    for piece in [
        "[",
        "{\"a\":",
        "\"",
        "\\",
        "\"access_token\"",
        "\"access_token\":",
        "\"access_token\":\"",
        "\"access_token\":\"\\",
        "\"expires_in\":9",
        "\"refresh_token\":         ",
        "\"scope\":\"\\\"",
        "<",
        "s3cret",
        "\u{feff}",
        "{\"data\":{\"access_token\":7}},",
    ] {
        let body = piece.repeat(MEGABYTE / piece.len());
        let began = Instant::now();
        let _ = answer::read(body.as_bytes());
        let _ = Refusal::read(400, body.as_bytes(), &[&Secret::new("s3cret")]);
        let _ = read_answer(&Secret::new(&body), &Secret::new("st").into(), REDIRECT);
        let _ = config::parse(&body, Path::new("c.toml"), ALL);
        assert!(began.elapsed() < SOON, "{piece}: {:?}", began.elapsed());
    }
}

#[test]
fn a_pair_below_a_thousand_levels_is_found() {
    let pair = r#"{"access_token":"A","refresh_token":"R"}"#;
    for (open, close) in [("[", "]"), ("{\"a\":", "}")] {
        let body = format!("{}{pair}{}", open.repeat(1000), close.repeat(1000));
        assert_eq!(found(body.as_bytes()), (Some("A".into()), Some("R".into())));
    }
}
