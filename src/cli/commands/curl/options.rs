//! The options of curl that are passed on, and why some others are not.
//!
//! Invariant: none of them names another destination, another configuration or weaker checks, and none
//! shows the request's headers. What is not listed is refused.

/// An option of curl.
pub(crate) struct CurlOption {
    pub(crate) short: Option<char>,
    pub(crate) long: &'static str,
    pub(crate) kind: CurlOptionKind,
}

/// What an option takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum CurlOptionKind {
    /// No value.
    Flag,
    /// A value.
    Value,
    /// A value that is a URL.
    Url,
    /// A value; safe only where TLS proves which server it is, so not beside plain http.
    Tls,
}

const fn flag(short: char, long: &'static str) -> CurlOption {
    CurlOption { short: Some(short), long, kind: CurlOptionKind::Flag }
}

const fn long_flag(long: &'static str) -> CurlOption {
    CurlOption { short: None, long, kind: CurlOptionKind::Flag }
}

const fn value(short: char, long: &'static str) -> CurlOption {
    CurlOption { short: Some(short), long, kind: CurlOptionKind::Value }
}

const fn long_value(long: &'static str) -> CurlOption {
    CurlOption { short: None, long, kind: CurlOptionKind::Value }
}

const fn tls(long: &'static str) -> CurlOption {
    CurlOption { short: None, long, kind: CurlOptionKind::Tls }
}

/// Passed on.
const KNOWN: &[CurlOption] = &[
    CurlOption { short: None, long: "url", kind: CurlOptionKind::Url },
    // the request
    value('X', "request"),
    value('d', "data"),
    long_value("data-ascii"),
    long_value("data-binary"),
    long_value("data-raw"),
    long_value("data-urlencode"),
    long_value("json"),
    value('F', "form"),
    long_value("form-string"),
    long_flag("form-escape"),
    flag('G', "get"),
    long_value("url-query"),
    flag('I', "head"),
    value('H', "header"),
    value('T', "upload-file"),
    value('A', "user-agent"),
    value('e', "referer"),
    value('b', "cookie"),
    value('c', "cookie-jar"),
    flag('j', "junk-session-cookies"),
    value('r', "range"),
    value('C', "continue-at"),
    value('z', "time-cond"),
    long_value("etag-compare"),
    long_value("etag-save"),
    long_flag("compressed"),
    flag('g', "globoff"),
    // redirects
    flag('L', "location"),
    long_value("max-redirs"),
    long_flag("post301"),
    long_flag("post302"),
    long_flag("post303"),
    // what is shown and kept
    value('o', "output"),
    flag('O', "remote-name"),
    flag('J', "remote-header-name"),
    long_flag("remote-name-all"),
    flag('R', "remote-time"),
    long_value("output-dir"),
    long_flag("create-dirs"),
    long_flag("clobber"),
    long_flag("no-clobber"),
    long_flag("remove-on-error"),
    value('D', "dump-header"),
    flag('i', "include"),
    long_flag("show-headers"),
    value('w', "write-out"),
    flag('s', "silent"),
    flag('S', "show-error"),
    flag('#', "progress-bar"),
    long_flag("progress-meter"),
    long_flag("no-progress-meter"),
    long_flag("styled-output"),
    long_value("stderr"),
    flag('N', "no-buffer"),
    long_flag("buffer"),
    long_flag("raw"),
    flag('f', "fail"),
    long_flag("fail-with-body"),
    long_flag("fail-early"),
    // time and size
    value('m', "max-time"),
    long_value("connect-timeout"),
    long_value("expect100-timeout"),
    long_value("max-filesize"),
    long_value("limit-rate"),
    value('Y', "speed-limit"),
    value('y', "speed-time"),
    long_value("retry"),
    long_flag("retry-all-errors"),
    long_flag("retry-connrefused"),
    long_value("retry-delay"),
    long_value("retry-max-time"),
    flag('Z', "parallel"),
    long_value("parallel-max"),
    // the connection
    flag('4', "ipv4"),
    flag('6', "ipv6"),
    flag('0', "http1.0"),
    long_flag("http1.1"),
    long_flag("http2"),
    long_value("interface"),
    long_value("keepalive-time"),
    long_flag("keepalive"),
    long_flag("no-keepalive"),
    long_flag("tcp-nodelay"),
    // TLS
    long_flag("tlsv1.2"),
    long_flag("tlsv1.3"),
    long_value("cacert"),
    long_value("capath"),
    long_flag("ca-native"),
    long_value("pinnedpubkey"),
    value('E', "cert"),
    long_value("cert-type"),
    long_value("key"),
    long_value("key-type"),
    // proxies and addresses
    CurlOption { short: Some('x'), long: "proxy", kind: CurlOptionKind::Tls },
    CurlOption { short: Some('U'), long: "proxy-user", kind: CurlOptionKind::Tls },
    tls("preproxy"),
    tls("socks4"),
    tls("socks4a"),
    tls("socks5"),
    tls("socks5-hostname"),
    tls("noproxy"),
    tls("resolve"),
    tls("connect-to"),
    // what manutop says anyway
    flag('q', "disable"),
];

const SHOWS_IT: &str = "it shows the token; use --include or --dump-header for the answer's headers";

/// Why options that people try are not passed on.
const REFUSED: &[(Option<char>, &str, &str)] = &[
    (Some('v'), "verbose", SHOWS_IT),
    (None, "trace", SHOWS_IT),
    (None, "trace-ascii", SHOWS_IT),
    (None, "libcurl", "it writes the token to a file"),
    (Some('k'), "insecure", "the token would go to a server that is not verified; use --cacert for a private CA"),
    (Some('K'), "config", "a file could name other URLs"),
    (None, "location-trusted", "a redirect could take the token to another host; use --location"),
    (Some(':'), "next", "what follows it would not have the token; run manutop curl again"),
    (None, "proto", "manutop decides which protocols are safe"),
    (None, "proto-redir", "redirects are followed to https only"),
    (None, "proto-default", "a URL without a scheme is https"),
    (Some('u'), "user", "the token is the credential"),
    (Some('n'), "netrc", "the token is the credential"),
    (None, "oauth2-bearer", "the token is the credential"),
];

/// The option with this long name; `--no-` switches a flag off.
pub(crate) fn by_long(name: &str) -> Option<&'static CurlOption> {
    let known = |name: &str| KNOWN.iter().find(|option| option.long == name);
    known(name).or_else(|| known(name.strip_prefix("no-")?).filter(|option| option.kind == CurlOptionKind::Flag))
}

/// The option with this letter.
pub(crate) fn by_short(letter: char) -> Option<&'static CurlOption> {
    KNOWN.iter().find(|option| option.short == Some(letter))
}

/// Why an option is not passed on; `shown` is how it was written.
pub(crate) fn refusal(shown: &str, is_it: impl Fn(Option<char>, &str) -> bool) -> String {
    match REFUSED.iter().find(|(short, long, _)| is_it(*short, long)) {
        Some((_, _, why)) => format!("manutop curl does not pass on {shown}: {why}"),
        None => format!(
            "manutop curl does not pass on {}: it passes on only options that neither send the token elsewhere nor show \
             it, with their full names; for others use manutop exec",
            crate::domain::text::neutralise(shown, 80)
        ),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::{KNOWN, REFUSED, by_long, by_short};

    #[test]
    fn each_option_is_listed_once_and_none_is_both_passed_on_and_refused() {
        let mut seen = HashSet::new();
        let refused = REFUSED.iter().map(|(short, long, _)| (*short, *long));
        for (short, long) in KNOWN.iter().map(|known| (known.short, known.long)).chain(refused) {
            assert!(seen.insert(long.to_owned()), "{long}");
            assert!(short.is_none_or(|short| seen.insert(format!("-{short}"))), "{short:?}");
        }
    }

    #[test]
    fn only_flags_can_be_switched_off() {
        assert!(by_long("no-silent").is_some() && by_long("no-no-silent").is_none());
        assert!(by_long("no-proxy").is_none() && by_long("no-data").is_none() && by_short('v').is_none());
    }
}
