//! Which URLs secrets and tokens may be sent to, and where a login may come back to.
//!
//! Messages never repeat the URL: it may have a password in it.

use url::Url;

use crate::local_server::is_loopback;

/// Checks an endpoint that secrets or tokens are sent to: `https`, or `http` on loopback.
///
/// # Errors
/// Says what is wrong with it, in words that follow the key.
pub(super) fn endpoint(text: &str) -> Result<Url, String> {
    let url = parse(text, "https://example.com/oauth/token")?;
    match url.scheme() {
        "https" => Ok(url),
        "http" if is_loopback(&url) => Ok(url),
        "http" => Err("plain http would expose secrets to the network; use https (http is for loopback only: \
                       127.0.0.1, [::1], localhost)"
            .into()),
        _ => Err("must begin with https:// (or http:// on loopback)".into()),
    }
}

/// Checks a redirect URI (RFC 6749 §3.1.2): absolute, without fragment; plain `http` only on
/// loopback (RFC 8252 §7.3), else `https` or an app's own scheme (§7.1).
///
/// # Errors
/// Says what is wrong with it, in words that follow the key.
pub(super) fn redirect_uri(text: &str) -> Result<Url, String> {
    let url = parse(text, "http://127.0.0.1:8400/callback")?;
    match url.scheme() {
        "http" if !is_loopback(&url) => Err("plain http would expose the authorization code to the network; \
                                             use https (http is for loopback only: 127.0.0.1, [::1], localhost)"
            .into()),
        "javascript" | "data" | "file" | "blob" | "about" | "vbscript" => {
            Err("has a scheme that a login cannot return to; use http on loopback, https, or the app's own scheme"
                .into())
        }
        _ => Ok(url),
    }
}

fn parse(text: &str, example: &str) -> Result<Url, String> {
    // The URL parser drops these silently; what is sent must be what was written.
    if text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Err("must not contain white space or control characters".into());
    }
    let url = Url::parse(text).map_err(|error| format!("not a URL ({error}); use one such as {example}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("contains a user name or password; do not put secrets in this file".into());
    }
    if url.fragment().is_some() {
        return Err("has a fragment (#...), which RFC 6749 forbids; remove it".into());
    }
    Ok(url)
}

#[cfg(test)]
mod tests {
    use super::{endpoint, redirect_uri};

    #[test]
    fn endpoints_are_https_or_loopback() {
        for url in ["https://a.example/x?y=1", "http://127.9.9.9:1/t", "http://[::1]:80/", "http://LOCALHOST/t"] {
            endpoint(url).unwrap();
        }
        for url in [
            "http://a.example/",
            "http://localhost.a.example/",
            "http://127.0.0.1.a.example/",
            "http://0.0.0.0/",
            "http://[::ffff:127.0.0.1]/",
            "http://2130706434.example/",
            "ftp://127.0.0.1/",
            "https:",
            "/oauth/token",
            "https://u@a.example/",
            "https://u:p@a.example/",
            "https://a.example/#f",
            " https://a.example/",
            "https://a.exa\tmple/",
            "",
        ] {
            endpoint(url).unwrap_err();
        }
    }

    #[test]
    fn redirects_come_back_to_loopback_https_or_an_app() {
        for uri in [
            "http://127.0.0.1/callback",
            "http://localhost:8400/cb?x=1",
            "https://www.getpostman.com/oauth2/callback",
            "com.example.app:/oauth2redirect",
        ] {
            redirect_uri(uri).unwrap();
        }
        for uri in
            ["http://a.example/cb", "callback", "javascript:alert(1)", "https://a.example/cb#", "http://u:p@localhost/"]
        {
            redirect_uri(uri).unwrap_err();
        }
    }
}
