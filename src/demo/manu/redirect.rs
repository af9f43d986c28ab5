//! Redirect URIs: which one is registered, which one leads back to this machine.

use url::{Host, Url};

/// Whether `asked` is the registered redirect URI: character by character (RFC 9700 §2.1), but
/// for the port of a loopback URI that was registered without one (RFC 8252 §7.3).
pub(super) fn matches(registered: &str, asked: &str) -> bool {
    registered == asked || matches_but_for_port(registered, asked).is_some()
}

fn matches_but_for_port(registered: &str, asked: &str) -> Option<()> {
    if !is_loopback(registered) {
        return None;
    }
    let authority_end = "http://".len() + registered.strip_prefix("http://")?.find(['/', '?']).unwrap_or_default();
    let (authority, path) = registered.split_at_checked(authority_end)?;
    let port = asked.strip_prefix(authority)?.strip_suffix(path)?.strip_prefix(':')?;
    let is_port = port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    is_port.then_some(())
}

/// Whether a redirect URI leads to a listener on the same machine.
pub(super) fn is_loopback(uri: &str) -> bool {
    let Ok(uri) = Url::parse(uri) else { return false };
    uri.scheme() == "http"
        && match uri.host() {
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            Some(Host::Domain(name)) => name == "localhost",
            None => false,
        }
}

#[cfg(test)]
mod tests {
    use super::matches;

    #[test]
    fn a_loopback_uri_without_a_port_matches_any_port() {
        for (registered, asked) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1/callback"),
            ("http://[::1]/callback?a=b", "http://[::1]:8400/callback?a=b"),
            ("http://localhost/", "http://localhost:1/"),
        ] {
            assert!(matches(registered, asked), "{registered} {asked}");
        }
    }

    #[test]
    fn everything_else_must_be_the_same_to_the_letter() {
        for (registered, asked) in [
            ("http://127.0.0.1/callback", "http://127.0.0.1:49152/callback/"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:0/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:99999/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:80@evil.example/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1:+80/callback"),
            ("http://127.0.0.1/callback", "http://127.0.0.1.evil.example/callback"),
            ("http://127.0.0.1/callback", "http://localhost:80/callback"),
            ("http://127.0.0.1/callback", "https://127.0.0.1:80/callback"),
            ("http://127.0.0.1:8400/callback", "http://127.0.0.1:8401/callback"),
            ("https://www.getpostman.com/oauth2/callback", "https://www.getpostman.com:444/oauth2/callback"),
            ("https://www.getpostman.com/oauth2/callback", "https://www.getpostman.com/oauth2/callback?x=1"),
        ] {
            assert!(!matches(registered, asked), "{registered} {asked}");
        }
    }
}
