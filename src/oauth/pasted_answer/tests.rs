use crate::oauth::pasted_answer::{CallbackError, Secret, read_answer};

const FOREIGN: &str = "https://www.getpostman.com/oauth2/callback";
const LOOPBACK: &str = "http://127.0.0.1:8400/callback";

fn at(redirect_uri: &str, text: &str) -> Result<String, CallbackError> {
    let expected = Secret::new("st-1").into();
    read_answer(&Secret::new(text), &expected, redirect_uri).map(|granted| granted.code.expose().to_owned())
}

fn assert_taken(redirect_uri: &str, texts: &[&str]) {
    for text in texts {
        assert_eq!(at(redirect_uri, text), Ok("a/b".into()), "{text}");
    }
}

#[test]
fn the_final_url_is_taken_as_people_copy_it() {
    assert_taken(
        FOREIGN,
        &[
            "  https://www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1\n",
            "www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1",
            "getpostman.com/oauth2/callback?code=a%2Fb&state=st-1",
            "//www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1",
            "WWW.GETPOSTMAN.COM/oauth2/callback?code=a%2Fb&state=st-1",
            "https://www.getpostman.com/oauth2/callback/?code=a%2Fb&state=st-1",
            "https://www.getpostman.com/oauth2/callback#code=a%2Fb&state=st-1",
            "https://www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1#_=_",
            "https://www.getpostman.com/oauth2/callback?code=a%2Fb&amp;state=st-1",
            "https%3A%2F%2Fwww.getpostman.com%2Foauth2%2Fcallback%3Fcode%3Da%252Fb%26state%3Dst-1",
            "www.getpostman.com%2foauth2%2fcallback%3fcode%3da%2Fb%26state%3dst-1",
            "/oauth2/callback?code=a%2Fb&state=st-1",
            "?code=a%2Fb&state=st-1",
            "#code=a%2Fb&state=st-1",
            "code=a%2Fb&state=st-1",
        ],
    );
    assert_taken(
        LOOPBACK,
        &[
            "http://127.0.0.1:8400/callback?code=a%2Fb&state=st-1",
            "127.0.0.1:8400/callback?code=a%2Fb&state=st-1",
            "127.0.0.1/callback?code=a%2Fb&state=st-1",
            "localhost:8400/callback?code=a%2Fb&state=st-1",
            "localhost/callback?code=a%2Fb&state=st-1",
            "[::1]:8400/callback?code=a%2Fb&state=st-1",
            "https://127.0.0.1:8400/callback?code=a%2Fb&state=st-1",
        ],
    );
}

#[test]
fn quotes_around_it_do_not_count() {
    let url = "https://www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1";
    for (open, close) in [
        ("\"", "\""),
        ("'", "'"),
        ("`", "`"),
        ("<", ">"),
        ("“", "”"),
        ("‘", "’"),
        ("„", "“"),
        ("«", "»"),
        ("\" <", ">\""),
    ] {
        assert_taken(FOREIGN, &[&format!("{open}{url}{close}"), &format!(" {open} {url}\n{close}\n")]);
    }
    assert_taken(FOREIGN, &[&format!("\u{feff}{url}\u{200b}")]);
}

#[test]
fn a_wrapped_url_is_put_together_again() {
    assert_taken(
        FOREIGN,
        &[
            "https://www.getpostman.com/oauth2/call\nback?code=a%2Fb&sta\nte=st-1",
            "https://www.getpostman.com/oauth2/callback?code=a%2Fb&  \r\n    state=st-1\r\n",
            "\"https://www.getpostman.com/oauth2/callback?code=a\n%2Fb&state=st-1\"",
            "https://www.getpostman.com/oauth2/callback?code=a%2Fb& state=st-1",
            "www.getpostman.com/oauth2/callback?code=\na%2Fb&state=\nst-1",
            "https://www.getpostman.com/oauth2/callback?code=3Da%2Fb=\n&state=3Dst-1",
            "https://www.getpostman.com/oauth2/callback?co=\nde=3Da%2Fb&state=3Dst-=\n1",
            "The page I ended on:\nhttps://www.getpostman.com/oauth2/callback?code=a%2Fb&state=st-1\nThanks",
        ],
    );
}

#[test]
fn an_answer_of_sixteen_kilobytes_is_taken_and_no_longer_one() {
    for length in [4_600, 16_000] {
        let code = "Ab1".repeat(length / 3);
        assert_eq!(at(FOREIGN, &format!("{FOREIGN}?code={code}&state=st-1")), Ok(code.clone()));
        assert_eq!(at(FOREIGN, &code), Ok(code));
    }
    assert_eq!(at(FOREIGN, &"Ab1".repeat(6_000)), Err(CallbackError::TooLong));
}

#[test]
fn what_is_another_address_is_not_an_answer() {
    for elsewhere in [
        "https://evil.example/oauth2/callback?code=a&state=st-1",
        "evil.example/oauth2/callback?code=a&state=st-1",
        "https://www.getpostman.com/oauth2/other?code=a&state=st-1",
        "https://www.getpostman.com.evil.example/oauth2/callback?code=a&state=st-1",
        "https://www.getpostman.com@evil.example/oauth2/callback?code=a&state=st-1",
        "ftp://www.getpostman.com/oauth2/callback?code=a&state=st-1",
        "https://login.example/error",
        "login.example/error/404",
        "127.0.0.1:8400",
        "example.com",
    ] {
        assert_eq!(at(FOREIGN, elsewhere), Err(CallbackError::Elsewhere(FOREIGN.into())), "{elsewhere}");
    }
}

#[test]
fn the_login_url_pasted_back_is_named_as_what_it_is() {
    let query = "response_type=code&client_id=app&redirect_uri=https%3A%2F%2Fx%2Fcb&scope=A&state=st-1";
    for text in [format!("https://auth.example/authorize?{query}"), query.into(), format!("auth.example/a?{query}")] {
        assert_eq!(at(FOREIGN, &text), Err(CallbackError::LoginUrl), "{text}");
    }
}

#[test]
fn the_parameters_are_checked_like_those_of_a_redirect() {
    for (query, error) in [
        ("code=a&state=other", CallbackError::WrongState),
        ("code=a", CallbackError::NoState),
        ("code=a&code=b&state=st-1", CallbackError::Twice("code")),
        ("state=st-1", CallbackError::Nothing),
        ("error=access_denied&state=other", CallbackError::WrongState),
    ] {
        assert_eq!(at(FOREIGN, &format!("{FOREIGN}?{query}")), Err(error.clone()), "{query}");
        assert_eq!(at(FOREIGN, query), Err(error), "{query}");
    }
    assert!(matches!(at(FOREIGN, "error=access_denied&state=st-1"), Err(CallbackError::Refused { .. })));
    assert_eq!(at(FOREIGN, FOREIGN), Err(CallbackError::NoState));
    assert_eq!(at(FOREIGN, "https://www.getpostman.com/oauth2/callback?x=1"), Err(CallbackError::NoState));
}

#[test]
fn a_bare_code_is_taken_in_the_shapes_that_servers_give_out() {
    for (text, code) in [
        ("a-Bare_c0de", "a-Bare_c0de"),
        ("SplxlOBeZQQYbYS6WxSbIA", "SplxlOBeZQQYbYS6WxSbIA"),
        ("4%2F0AX4XfWhabc", "4/0AX4XfWhabc"),
        ("'4/0AX4XfWhabc'", "4/0AX4XfWhabc"),
        ("0.AXoAabc.AgABAAIA-xyz", "0.AXoAabc.AgABAAIA-xyz"),
        ("3f2a.77-b1.9e00c4", "3f2a.77-b1.9e00c4"),
        ("M.C5_BL2.2.U.1f-2e", "M.C5_BL2.2.U.1f-2e"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIi\nOiIxIn0.abc-DEF", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc-DEF"),
        ("abcdefghijklmnopqrstuvwxyz", "abcdefghijklmnopqrstuvwxyz"),
    ] {
        assert_eq!(at(FOREIGN, text), Ok(code.into()), "{text}");
    }
}

#[test]
fn words_are_never_sent_as_a_code() {
    for text in [
        "",
        "yes",
        "ok",
        "y",
        "quit",
        "cancel",
        "Please",
        "PLEASE",
        "password",
        "two words",
        "Log in to Manu 2",
        "ada@example.com",
        "a1@b",
        "123456",
        "2026-11-30",
        "ab12",
        "code",
        "factory",
        "https",
        "Ünïcode1",
        "it did not work, what now?",
        "username1\npassword2",
        "www.getpostman.com",
        "\u{1b}[A",
        "http://",
        "localhost",
    ] {
        assert!(at(FOREIGN, text).is_err(), "{text}");
    }
}
