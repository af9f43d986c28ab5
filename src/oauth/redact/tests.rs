use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use proptest::prelude::*;

use crate::oauth::redact::{KnownSecrets, Secret, excerpt};

#[test]
fn echoed_and_unknown_tokens_are_masked() {
    let sent = Secret::new("s3cret");
    let text = "token s3cret refused, take eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF instead";
    assert_eq!(excerpt(text, &[&sent], 200), "token *** refused, take *** instead");
}

#[test]
fn error_codes_and_prose_stay_readable() {
    for text in [
        "unsupported_response_type_for_client",
        "The refresh token is invalid or has been revoked.",
        "INVALID_CLIENT_CREDENTIALS",
        "application/x-www-form-urlencoded",
        "AADSTS700082: The refresh token has expired; it was issued on 2026-03-01T12:00:00Z (90 days).",
        "it is up to you to go on or to let it be as it is",
        "upstream connect error or disconnect/reset before headers. reset reason: connection timeout",
        "redirect_uri https://app.example.com:8400/callback/v2 does not match any of the registered URIs: https://app.example.com/cb",
        "Invalid client credentials: client 'manutop-production-eu1' in realm 'https://id.example.com/realms/master'",
        "Trace ID: 0f3b1a52-9c7e-4d21-8a55-3d1c5b7e9f00 Correlation ID: 7c9e6679-7425-40de-944b-e07fc1f90ae7",
        "duplicate key violates unique constraint \"oauth_tokens_v2_client_id_key\"",
        "100 % of the calls & more: see <https://example.com/help?a=1&b=2>",
    ] {
        assert_eq!(excerpt(text, &[], 200), text);
    }
}

#[test]
fn a_known_secret_does_not_hide_the_text_around_it() {
    let secret = Secret::new("Rt-0123456789abcdef+/x");
    for (text, shown) in [
        ("the token Rt-0123456789abcdef+/x is unknown", "the token *** is unknown"),
        ("token=Rt-0123456789abcdef%2B%2Fx&more", "token=***&more"),
        ("you sent &quot;rt&#45;0123456789ABCDEF&quot;", "you sent &quot;***&quot;"),
        (r#"{"sent":"Rt-0123456789abcdef+\/x"}"#, r#"{"sent":"***"}"#),
        ("header UnQtMDEyMzQ1Njc4OWFiY2RlZisveA== refused", "header *** refused"),
        ("bytes 52742d303132333435363738396162636465662b2f78 refused", "bytes *** refused"),
        ("bytes 82, then 116, then 45, 48, 49, 50, 51, 52 and 53", "bytes ***"),
        ("starts with Rt-01234 and ends in bcdef+/x.", "starts with *** and ends in ***."),
    ] {
        assert_eq!(excerpt(text, &[&secret], 200), shown);
    }
}

#[test]
fn a_secret_within_another_or_broken_over_two_lines_is_masked_whole() {
    let (short, long) = (Secret::new("s3c"), Secret::new("s3cret word"));
    assert_eq!(excerpt("take s3cret\nword", &[&short, &long], 200), "take ***");
}

#[test]
fn what_has_the_shape_of_a_secret_is_cut_in_whatever_form() {
    for text in [
        "use eyJhbGciOiJIUzI1NiJ9xyz",
        "use sk_4eC39HqLyjWD",
        "use \\u0065\\u0079\\u004a\\u0068\\u0062\\u0047\\u0063\\u0069\\u004f\\u0069\\u004a\\u0049\\u0055\\u007a\\u0049\\u0031\\u004e\\u0069\\u004a\\u0039",
        "use &#101;&#121;&#74;&#104;&#98;&#71;&#99;&#105;&#79;&#105;&#74;&#73;&#85;&#122;&#73;&#49;&#78;&#105;&#74;&#57;",
        "use 65 79 4a 68 62 47 63 69 4f 69 4a 49 55 7a 49",
        "use e y J h b G c i O i J I U z I 1",
        "use [101,121,74,104,98,71,99,105,79,105,74,73]",
        "use abcdefghijklmnopqrstuvwxyz",
        "use 01100101 01111001 01001010 01101000 01100010 01000111 01100011 01101001 01001111 01101001 01001010 01001001",
        "use a1-b2-c3-d4-e5-f6-g7-h8",
        "use 0f3b1a52-9c7e-4d21-8a55-3d1c5b7e9f00",
    ] {
        let shown = excerpt(text, &[], 300);
        assert!(shown.contains("***") && shown.len() < 12, "{text}: {shown}");
    }
}

#[test]
fn the_bytes_that_a_secret_stands_for_are_recognised() {
    let digits = "00112233445566778899aabbccddeeff0f1e2d3c4b5a6978";
    let bytes: Vec<u8> =
        (0..digits.len()).step_by(2).map(|at| u8::from_str_radix(&digits[at..at + 2], 16).unwrap()).collect();
    for (secret, text) in
        [(digits.to_owned(), BASE64_STANDARD.encode(&bytes)), (BASE64_STANDARD.encode(&bytes), digits.to_uppercase())]
    {
        assert!(KnownSecrets::of(&[&Secret::new(secret)]).are_in(&format!("key: {text}")), "{text}");
    }
}

#[test]
fn the_excerpt_is_bounded_and_neutral() {
    assert_eq!(excerpt("\x1b[2Jab cd ef", &[], 5), "\u{fffd}[2Ja…");
    let long = "é".repeat(100_000);
    assert_eq!(excerpt(&long, &[], 5), "ééééé…");
}

#[test]
fn a_piece_of_a_secret_is_found_and_a_short_one_whole() {
    let (long, short, none) = (Secret::new("Rt-0123456789abcdef"), Secret::new("pin9"), Secret::default());
    let known = KnownSecrets::of(&[&long, &short, &none]);
    for text in ["Rt-0123456789abcdef", "ends in 89abcdef", "Rt-01234...", "the PIN9!", "p-i-n-9", "0123 4567"] {
        assert!(known.are_in(text), "{text}");
    }
    for text in ["", "Rt-0123", "pin8", "application/json"] {
        assert!(!known.are_in(text), "{text}");
    }
}

#[test]
fn a_text_full_of_secrets_is_one_mask() {
    let secret = Secret::new("0123456789abcdef0123456789abcdef");
    let encoded = BASE64_STANDARD.encode(secret.expose());
    for text in [secret.expose().repeat(400), encoded.repeat(400), BASE64_STANDARD.encode(encoded.repeat(100))] {
        assert_eq!(excerpt(&format!("you sent {text}"), &[&secret], 300), "you sent ***");
    }
}

/// A way to write a text, and how many characters it makes of one.
#[derive(Debug, Clone, Copy)]
enum Writing {
    Plain,
    Capitals,
    Percent,
    PercentAll,
    Reference,
    Named,
    Escaped,
    Hexadecimal,
    Dump,
    Numbers,
    Base64,
    Base64Url,
    Wide,
    Grouped,
    Hidden,
    Utf16,
}

const WRITINGS: [Writing; 16] = [
    Writing::Plain,
    Writing::Capitals,
    Writing::Percent,
    Writing::PercentAll,
    Writing::Reference,
    Writing::Named,
    Writing::Escaped,
    Writing::Hexadecimal,
    Writing::Dump,
    Writing::Numbers,
    Writing::Base64,
    Writing::Base64Url,
    Writing::Wide,
    Writing::Grouped,
    Writing::Hidden,
    Writing::Utf16,
];

impl Writing {
    fn of(self, text: &str) -> String {
        let each = |write: &dyn Fn(char) -> String| text.chars().map(write).collect::<String>();
        match self {
            Self::Plain => text.to_owned(),
            Self::Capitals => text.to_uppercase(),
            Self::Percent => each(&|c| if c.is_ascii_alphanumeric() { c.to_string() } else { percent(c) }),
            Self::PercentAll => each(&percent),
            Self::Reference => each(&|c| format!("&#{};", u32::from(c))),
            Self::Named => html_escape::encode_safe(text).into_owned(),
            Self::Escaped => each(&|c| format!("\\u{:04x}", u32::from(c))),
            Self::Hexadecimal => text.bytes().fold(String::new(), |mut all, byte| {
                let _ = write!(all, "{byte:02x}");
                all
            }),
            Self::Dump => text.bytes().map(|byte| format!("0x{byte:02X}")).collect::<Vec<_>>().join(", "),
            Self::Numbers => text.bytes().map(|byte| byte.to_string()).collect::<Vec<_>>().join(","),
            Self::Base64 => BASE64_STANDARD.encode(text),
            Self::Base64Url => BASE64_URL_SAFE_NO_PAD.encode(text),
            Self::Wide => {
                each(&|c| char::from_u32(u32::from(c) + 0xfee0).filter(|_| c.is_ascii_graphic()).unwrap_or(c).into())
            }
            Self::Grouped => {
                text.as_bytes().chunks(3).map(|group| String::from_utf8_lossy(group)).collect::<Vec<_>>().join("-")
            }
            Self::Hidden => each(&|c| format!("{c}\u{200b}")),
            Self::Utf16 => BASE64_STANDARD.encode(text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<_>>()),
        }
    }
}

fn percent(c: char) -> String {
    c.to_string().bytes().fold(String::new(), |mut all, byte| {
        let _ = write!(all, "%{byte:02X}");
        all
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// The oracle knows nothing of how secrets are recognised: of what was written, nothing may be left to read.
    #[test]
    fn a_secret_is_masked_however_it_is_written(
        secret in "([A-Za-z0-9]{2,6}[A-Za-z0-9._~+/!$&'()*,;:@-]){6,12}",
        piece in 0usize..8,
        outer in prop::sample::select(&WRITINGS[..]),
        inner in prop::sample::select(&WRITINGS[..]),
        twice in any::<bool>(),
        before in "[ .:=(\"]|you sent ",
        after in "[ .:;)\"]|, which is unknown",
    ) {
        let shown_piece = &secret[piece..];
        let inside = if twice { inner.of(shown_piece) } else { shown_piece.to_owned() };
        // What cannot be undone: the case of an encoding, where its groups were, and UTF-16 of more than ASCII.
        let is_lossy = matches!(outer, Writing::Capitals | Writing::Grouped) && !matches!(inner, Writing::Plain);
        prop_assume!(!(twice && is_lossy) && (inside.is_ascii() || !matches!(outer, Writing::Utf16)));
        let written = outer.of(&inside);
        let text = format!("{before}{written}{after}");
        let sent = Secret::new(secret.clone());
        prop_assert!(KnownSecrets::of(&[&sent]).are_in(&text) || written.len() > 2000, "{text}");
        let shown = excerpt(&text, &[&sent], 10_000);
        // What is left besides the masks: less than a piece of the secret, as long as that is when written so.
        let left = shown.replace("***", "").chars().count();
        let around = before.chars().count() + after.chars().count();
        let piece_written = written.chars().count().div_ceil(shown_piece.len()) * 8;
        prop_assert!(left < around + piece_written, "{text}\n{shown}");
    }

    #[test]
    fn any_text_gives_a_bounded_excerpt(text in any::<String>(), secret in any::<String>(), most in 0usize..50) {
        let shown = excerpt(&text, &[&Secret::new(secret)], most);
        prop_assert!(shown.chars().count() <= most + 1);
    }
}
