//! From the bytes of an answer to a JSON value, in every shape that servers and proxies give it:
//! character sets, JSON within other text, JSON within a JSON string, forms.
//!
//! Work is linear in the size of the body.

use serde_json::{Map, Value};

/// How deep JSON within JSON strings is looked for.
const MAX_DEPTH: usize = 3;
/// The longest name of a form's field, in bytes.
const MAX_FIELD_NAME: usize = 64;

/// The text of a body: UTF-8, UTF-16 or UTF-32 with or without a byte order mark, else Latin-1.
pub(super) fn text(body: &[u8]) -> String {
    let units = |bytes: &[u8], unit: fn([u8; 2]) -> u16| -> Vec<u16> {
        bytes.chunks_exact(2).map(|pair| unit([pair[0], pair[1]])).collect()
    };
    let text = match body {
        [0xff, 0xfe, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_le_bytes)),
        [0xfe, 0xff, rest @ ..] => String::from_utf16_lossy(&units(rest, u16::from_be_bytes)),
        _ => one_byte_text(body.strip_prefix(b"\xef\xbb\xbf").unwrap_or(body)),
    };
    // ASCII in wider units: what the tokens and all keys consist of is left.
    let zeros = text.bytes().take(64).filter(|byte| *byte == 0).count();
    if zeros > 0 && zeros * 3 >= text.len().min(64) {
        return text.replace(['\0', '\u{feff}', '\u{fffe}'], "");
    }
    text
}

fn one_byte_text(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        // Cut off within a character.
        Err(error) if error.error_len().is_none() => String::from_utf8_lossy(bytes).into_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

/// The value a text holds: JSON at its start or after something else (a comment, a prefix against
/// hijacking, a JSONP call), else a form. Trailing text is ignored. `None` if nothing is whole.
///
/// `is_whole` says that the text is not known to end early: of a form that does, the last field
/// counts as missing.
pub(super) fn value(text: &str, is_whole: bool) -> Option<Value> {
    first_json(text)
        .filter(|value| !matches!(value, Value::Number(_) | Value::Bool(_) | Value::Null))
        .or_else(|| text.find(['{', '[']).and_then(|at| first_json(&text[at..])))
        .or_else(|| form(text, is_whole))
}

/// The value with JSON objects and forms in the place of the strings that hold them. Such a string
/// may be arbitrary text, so this is only for a value that holds nothing else.
pub(super) fn unfolded(mut value: Value) -> Value {
    unfold(&mut value, MAX_DEPTH);
    value
}

fn first_json(text: &str) -> Option<Value> {
    serde_json::Deserializer::from_str(text).into_iter().next()?.ok()
}

fn unfold(value: &mut Value, depth: usize) {
    if depth == 0 {
        return;
    }
    match value {
        Value::String(text) if text.contains("token") || text.contains("error") => {
            let inner = text.trim_start();
            let found = if inner.starts_with(['{', '[', '"']) { first_json(inner) } else { form(inner, true) };
            if let Some(mut found) = found {
                unfold(&mut found, depth - 1);
                *value = found;
            }
        }
        Value::Object(members) => {
            // A token may look like anything.
            let others = members.iter_mut().filter(|(key, inner)| !inner.is_string() || !is_token(key));
            others.for_each(|(_, inner)| unfold(inner, depth));
        }
        Value::Array(items) => items.iter_mut().for_each(|inner| unfold(inner, depth)),
        _ => {}
    }
}

/// A form with a token or an error in it (`access_token=…&expires_in=…`), as an object of strings.
/// Of fields of one name the last that is not empty counts.
fn form(text: &str, is_whole: bool) -> Option<Value> {
    let text = text.trim_start().trim_start_matches(['?', '#', '&']);
    let text = if is_whole { text.trim_end() } else { text.rsplit_once('&')?.0 };
    if !text.split('&').all(is_field) {
        return None;
    }
    let mut members = Map::new();
    for (key, value) in url::form_urlencoded::parse(text.as_bytes()) {
        if !value.is_empty() || !members.contains_key(&*key) {
            members.insert(key.into_owned(), Value::String(value.into_owned()));
        }
    }
    let is_known = |(key, value): (&String, &Value)| value != "" && (is_token(key) || squeezed(key) == "error");
    members.iter().any(is_known).then_some(Value::Object(members))
}

fn is_token(key: &str) -> bool {
    ["accesstoken", "refreshtoken"].contains(&squeezed(key).as_str())
}

/// Whether this can be a field of a form: a plain name, then a value without blanks and quotes
/// other than those of sloppy encoders.
fn is_field(field: &str) -> bool {
    let (name, value) = field.split_once('=').unwrap_or((field, ""));
    name.len() <= MAX_FIELD_NAME
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.%[]".contains(&byte))
        && !value.contains(['<', '>', '{', '}', '\n', '\r'])
}

/// A name or an error code without case and separators: `accessToken`, `Access-Token` and
/// `access_token` are the same.
pub(super) fn squeezed(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{squeezed, text, unfolded, value};

    fn utf16(text: &str, mark: bool, unit: fn(u16) -> [u8; 2]) -> Vec<u8> {
        let mark = mark.then_some(0xfeff);
        mark.into_iter().chain(text.encode_utf16()).flat_map(unit).collect()
    }

    #[test]
    fn every_character_set_gives_its_text() {
        let json = r#"{"a":"é"}"#;
        assert_eq!(text(json.as_bytes()), json);
        assert_eq!(text(format!("\u{feff}{json}").as_bytes()), json);
        assert_eq!(text(b"{\"a\":\"\xe9\"}"), json, "Latin-1");
        assert_eq!(text(&utf16(json, true, u16::to_le_bytes)), json);
        assert_eq!(text(&utf16(json, true, u16::to_be_bytes)), json);
        let ascii = r#"{"a":"e"}"#;
        assert_eq!(text(&utf16(ascii, false, u16::to_le_bytes)), ascii);
        assert_eq!(text(&utf16(ascii, false, u16::to_be_bytes)), ascii);
        for unit in [u32::to_le_bytes, u32::to_be_bytes] {
            let wide: Vec<u8> = format!("\u{feff}{ascii}").chars().flat_map(|c| unit(c.into())).collect();
            assert_eq!(text(&wide).trim_start_matches(|c: char| !c.is_ascii()), ascii);
        }
        assert_eq!(text(&"é".as_bytes()[..1]), "\u{fffd}", "cut off within a character");
        assert_eq!(text(b""), "");
    }

    #[test]
    fn json_is_found_within_other_text() {
        let expected = json!({"access_token": "A"});
        for body in [
            r#"{"access_token":"A"}"#,
            r#"{"access_token":"A"} trailing"#,
            r#"callback({"access_token":"A"});"#,
            r#"/**/ cb && cb({"access_token":"A"})"#,
            ")]}',\n{\"access_token\":\"A\"}",
            r#"<!-- proxy -->{"access_token":"A"}"#,
            r#"17 {"access_token":"A"}"#,
            r#""{\"access_token\":\"A\"}""#,
            r#""\"{\\\"access_token\\\":\\\"A\\\"}\"""#,
            r#""access_token=A""#,
            "access_token=A",
            "?access_token=A",
            "\naccess_token=A\r\n",
        ] {
            let found = value(body, true).map(unfolded);
            assert_eq!(found.as_ref(), Some(&expected), "{body}");
        }
        let looks_like_one = r#"{"access_token":"access_token=A","refresh_token":"{\"error\":1}"}"#;
        assert_eq!(unfolded(value(looks_like_one, true).unwrap())["access_token"], "access_token=A");
        assert_eq!(unfolded(value(looks_like_one, true).unwrap())["refresh_token"], r#"{"error":1}"#);
        let wrapped = r#"{"statusCode":200,"body":"{\"access_token\":\"A\"}"}"#;
        assert_eq!(unfolded(value(wrapped, true).unwrap())["body"], expected);
    }

    #[test]
    fn a_form_is_one_only_where_it_can_be() {
        let form = value("access_token=a%2Fb+c&scope=&x&refresh_token=&refresh_token=R&refresh_token=", true).unwrap();
        assert_eq!(form["access_token"], "a/b c");
        assert_eq!(form["refresh_token"], "R");
        for body in [
            "",
            "a=b",
            "token",
            "<a href='?access_token=1'>",
            "Please see error=1 in our log & call us",
            "access_token=<b>1</b>",
        ] {
            assert_eq!(value(body, true).filter(Value::is_object), None, "{body}");
        }
    }

    #[test]
    fn the_last_field_of_a_form_that_breaks_off_is_missing() {
        let form = value("access_token=A&refresh_token=R-is-c", false).unwrap();
        assert_eq!(form, json!({"access_token": "A"}));
        assert_eq!(value("access_token=A-is-c", false), None);
    }

    #[test]
    fn names_are_compared_without_case_and_separators() {
        for name in ["access_token", "accessToken", "Access-Token", "ACCESS TOKEN"] {
            assert_eq!(squeezed(name), "accesstoken");
        }
    }
}
