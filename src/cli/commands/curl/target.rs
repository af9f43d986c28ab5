//! The URLs that curl may be given: each is judged, and curl gets what was judged.

use url::Url;

use crate::config::is_loopback;

/// A URL in the form in which it was judged.
///
/// # Errors
/// Says why the token must not go there.
pub(crate) fn judge(text: &str, globs_are_literal: bool) -> Result<Url, String> {
    let url = read(text, globs_are_literal).map_err(|why| {
        let shown = crate::domain::text::neutralise(text, 200);
        format!("{shown}: {why}")
    })?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => {
            Err(format!("{url}: http sends the token unencrypted, which is only safe to this machine; use https"))
        }
        other => Err(format!("{url}: manutop curl does not support {other}; use https")),
    }
}

fn read(text: &str, globs_are_literal: bool) -> Result<Url, String> {
    if text.contains(|c: char| c.is_whitespace() || c.is_control()) {
        return Err("contains white space or control characters; percent-encode them".into());
    }
    if text.contains('\\') {
        return Err("contains a backslash, which programs read differently; use / or %5C".into());
    }
    let whole = if text.contains("://") { text.to_owned() } else { format!("https://{text}") };
    let url = Url::parse(&whole).map_err(|error| format!("not a URL ({error})"))?;
    let (_, rest) = whole.split_once("://").unwrap_or_default();
    let (authority, rest) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    if authority.contains('@') {
        return Err("contains a user name or password; remove it".into());
    }
    if authority.contains(['{', '}']) || (!globs_are_literal && rest.contains(['{', '}', '[', ']'])) {
        return Err(
            "manutop curl does not expand {…} and […]; pass --globoff to send them as they are, or name each URL"
                .into(),
        );
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::judge;

    #[test]
    fn curl_gets_the_url_that_was_judged() {
        for (text, judged) in [
            ("api.example/x", "https://api.example/x"),
            ("https://api.example", "https://api.example/"),
            ("HTTPS://API.example/a/../b?c=d#e", "https://api.example/b?c=d#e"),
            ("localhost:9000/x", "https://localhost:9000/x"),
            ("http://127.1:9000/x", "http://127.0.0.1:9000/x"),
            ("http://0x7f.0.0.1/", "http://127.0.0.1/"),
            ("http://[::1]:9/", "http://[::1]:9/"),
            ("http://LOCALHOST/", "http://localhost/"),
            ("https://api.example/me@work?to=a@b", "https://api.example/me@work?to=a@b"),
        ] {
            assert_eq!(judge(text, false).map(String::from).as_deref(), Ok(judged), "{text}");
        }
        assert_eq!(judge("https://a.example/?x[]=1", true).unwrap().as_str(), "https://a.example/?x[]=1");
    }

    #[test]
    fn what_two_programs_could_read_differently_is_refused() {
        for (text, why) in [
            ("http://127.0.0.1\\@evil.example/", "backslash"),
            ("http:\\\\127.0.0.1/", "backslash"),
            ("http://127.0.0.1@evil.example/", "user name"),
            ("http://127.0.0.1:80@evil.example/", "user name"),
            ("https://@api.example/", "user name"),
            ("http://127.0.0.1{.evil.example,}/", "does not expand"),
            ("https://api.example/[1-9]", "does not expand"),
            ("https://api.example/{a,b}", "does not expand"),
            ("https://api.example/ x", "white space"),
            ("https://api.exa\tmple/", "white space"),
            ("http://api.example/", "unencrypted"),
            ("http://127.0.0.1.evil.example/", "unencrypted"),
            ("http://localhost.evil.example/", "unencrypted"),
            ("http://0.0.0.0/", "unencrypted"),
            ("HTTP://evil.example#@127.0.0.1/", "unencrypted"),
            ("file:///etc/passwd", "not support"),
            ("ftp://127.0.0.1/", "not support"),
            ("http:127.0.0.1/", "not a URL"),
            ("", "not a URL"),
        ] {
            let refused = judge(text, false).unwrap_err();
            assert!(refused.contains(why), "{text}: {refused}");
        }
        judge("http://127.0.0.1{.evil.example,}/", true).unwrap_err();
    }
}
