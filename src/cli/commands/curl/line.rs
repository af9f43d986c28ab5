//! A command line for curl, read as curl reads it.
//!
//! Invariant: curl gets each option and each URL in a form that it cannot read differently.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::slice::Iter;

use crate::cli::commands::curl::options::{CurlOption, CurlOptionKind, by_long, by_short, refusal};
use crate::cli::commands::curl::target::judge;

/// What is passed on.
#[derive(Debug, Default)]
pub(crate) struct CurlLine {
    pub(crate) words: Vec<OsString>,
    /// Whether a URL is plain http.
    pub(crate) is_plain: bool,
}

/// The words in order, before the URLs are judged.
#[derive(Default)]
struct Parsed {
    words: Vec<CurlArgument>,
    /// An option that needs TLS.
    needs_tls: Option<String>,
    globs_are_literal: bool,
}

enum CurlArgument {
    Url(OsString),
    Other(OsString),
}

/// Reads the words, and judges every URL among them.
///
/// # Errors
/// Says what is not passed on to curl, and why.
pub(crate) fn read(words: &[OsString]) -> Result<CurlLine, String> {
    let parsed = Parsed::read(words)?;
    if !parsed.words.iter().any(|word| matches!(word, CurlArgument::Url(_))) {
        return Err("there is no URL for curl; add one after --".into());
    }
    let mut line = CurlLine::default();
    for word in parsed.words {
        match word {
            CurlArgument::Url(url) => {
                let text = url.to_str().ok_or("the URL is not UTF-8; percent-encode it")?;
                let url = judge(text, parsed.globs_are_literal)?;
                line.is_plain |= url.scheme() == "http";
                line.words.extend(["--url".into(), String::from(url).into()]);
            }
            CurlArgument::Other(word) => line.words.push(word),
        }
    }
    match parsed.needs_tls.filter(|_| line.is_plain) {
        Some(option) => Err(format!(
            "manutop curl does not pass on {option} with an http URL: the token could leave this machine unencrypted"
        )),
        None => Ok(line),
    }
}

impl Parsed {
    fn read(words: &[OsString]) -> Result<Self, String> {
        let (mut parsed, mut words) = (Self::default(), words.iter());
        while let Some(word) = words.next() {
            match word.as_bytes() {
                b"--" => parsed.words.extend(words.by_ref().map(|url| CurlArgument::Url(url.clone()))),
                [b'-', b'-', name @ ..] => parsed.long(name, &mut words)?,
                [b'-', letters @ ..] => parsed.short(letters, &mut words)?,
                _ => parsed.words.push(CurlArgument::Url(word.clone())),
            }
        }
        Ok(parsed)
    }

    /// `--name`, `--name value` or `--name=value`.
    fn long(&mut self, word: &[u8], rest: &mut Iter<'_, OsString>) -> Result<(), String> {
        let mut parts = word.splitn(2, |byte| *byte == b'=');
        let name = String::from_utf8_lossy(parts.next().unwrap_or_default());
        let known = by_long(&name).ok_or_else(|| {
            refusal(&format!("--{name}"), |_, long| name.strip_prefix("no-").unwrap_or(&name) == long)
        })?;
        self.option(known, format!("--{name}"), parts.next(), rest)
    }

    /// Flags in one word, the last of which may take the rest of it, or the next word, as its value.
    fn short(&mut self, letters: &[u8], rest: &mut Iter<'_, OsString>) -> Result<(), String> {
        if letters.is_empty() {
            return Err("curl has no option -".into());
        }
        for (at, byte) in letters.iter().enumerate() {
            let (letter, attached) = (char::from(*byte), &letters[at + 1..]);
            let known =
                by_short(letter).ok_or_else(|| refusal(&format!("-{letter}"), |short, _| short == Some(letter)))?;
            if known.kind == CurlOptionKind::Flag {
                self.option(known, format!("-{letter}"), None, rest)?;
            } else {
                return self.option(known, format!("-{letter}"), Some(attached).filter(|v| !v.is_empty()), rest);
            }
        }
        Ok(())
    }

    fn option(
        &mut self,
        known: &CurlOption,
        shown: String,
        attached: Option<&[u8]>,
        rest: &mut Iter<'_, OsString>,
    ) -> Result<(), String> {
        if known.kind == CurlOptionKind::Flag {
            if attached.is_some() {
                return Err(format!("curl's {shown} takes no value"));
            }
            self.globs_are_literal |= known.long == "globoff";
            self.words.push(CurlArgument::Other(shown.into()));
            return Ok(());
        }
        let attached = attached.map(|value| OsStr::from_bytes(value).to_owned());
        let value = attached.or_else(|| rest.next().cloned()).ok_or_else(|| format!("curl's {shown} needs a value"))?;
        if known.kind == CurlOptionKind::Url {
            self.words.push(CurlArgument::Url(value));
            return Ok(());
        }
        let is_credential = |value: &OsStr| value.as_bytes().to_ascii_lowercase().starts_with(b"authorization:");
        if known.long == "header" && is_credential(&value) {
            return Err(format!(
                "manutop curl does not pass on {shown} with an Authorization header: the token is in one"
            ));
        }
        if known.kind == CurlOptionKind::Tls {
            self.needs_tls.get_or_insert_with(|| shown.clone());
        }
        self.words.extend([CurlArgument::Other(shown.into()), CurlArgument::Other(value)]);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::read;

    fn line(words: &[&str]) -> Result<String, String> {
        let line = read(&words.iter().map(Into::into).collect::<Vec<_>>())?;
        Ok(line.words.iter().map(|word| word.to_str().unwrap()).collect::<Vec<_>>().join(" "))
    }

    #[test]
    fn what_people_use_reaches_curl() {
        for (words, passed) in [
            (&["-sSfL", "api.example/"][..], "-s -S -f -L --url https://api.example/"),
            (&["-sXPOST", "-d@body", "https://api.example/"], "-s -X POST -d @body --url https://api.example/"),
            (&["-so", "-", "--url", "api.example"], "-s -o - --url https://api.example/"),
            (&["-X", "-k", "api.example"], "-X -k --url https://api.example/"),
            (&["--data=a=b", "--url=api.example"], "--data a=b --url https://api.example/"),
            (&["--no-silent", "--retry", "3", "--", "api.example"], "--no-silent --retry 3 --url https://api.example/"),
            (&["-g", "https://a.example/?x[]=1"], "-g --url https://a.example/?x[]=1"),
            (&["https://a.example/?x[]=1", "--globoff"], "--url https://a.example/?x[]=1 --globoff"),
            (
                &["-o", "a", "a.example", "-o", "b", "b.example"],
                "-o a --url https://a.example/ -o b --url https://b.example/",
            ),
            (&["-x", "http://proxy:3128", "api.example"], "-x http://proxy:3128 --url https://api.example/"),
            (&["-H", "X: y", "-i", "http://[::1]:80/"], "-H X: y -i --url http://[::1]/"),
        ] {
            assert_eq!(line(words).as_deref(), Ok(passed), "{words:?}");
        }
    }

    #[test]
    fn what_could_take_the_token_elsewhere_or_show_it_is_refused_however_it_is_written() {
        for words in [
            &["-K", "file"][..],
            &["-Kfile"],
            &["--config", "file"],
            &["--config=file"],
            &["-sk"],
            &["-sLk"],
            &["--insecure"],
            &["--insec"],
            &["--loc"],
            &["--location-trusted"],
            &["--location-t"],
            &["-v"],
            &["-siv"],
            &["--verbose"],
            &["--trace", "-"],
            &["--trace-ascii=-"],
            &["--libcurl", "file.c"],
            &["-:"],
            &["--next"],
            &["--proto", "=http"],
            &["--proto-redir", "=http"],
            &["--proto-default", "http"],
            &["--unix-socket", "/tmp/socket"],
            &["--abstract-unix-socket", "x"],
            &["--doh-url", "https://evil.example"],
            &["--proxy-insecure"],
            &["--proxy-h"],
            &["--netrc"],
            &["-u", "a:b"],
            &["-H", "authorization: Basic x"],
            &["-HAuthorization: x"],
            &["--expand-url", "{{X}}"],
            &["--variable", "%HOME"],
            &["--haproxy-clientip", "x"],
            &["--ssl-no-revoke"],
            &["--no-"],
            &["-"],
            &["-é"],
            &["--url", "http://evil.example/"],
            &["--url=http://127.0.0.1\\@evil.example/"],
            &["--", "http://evil.example/"],
        ] {
            let words = [words, &["https://api.example/"]].concat();
            let refused = line(&words).unwrap_err();
            assert!(!refused.is_empty(), "{words:?}");
        }
        assert!(line(&["-sk", "a.example"]).unwrap_err().contains("-k: the token would go to a server"));
        assert!(line(&["--proxyx", "a.example"]).unwrap_err().contains("manutop exec"));
    }

    #[test]
    fn no_proxy_and_no_other_address_is_named_beside_plain_http() {
        for option in ["-x", "--proxy", "--preproxy", "--socks5", "--socks5-hostname", "--resolve", "--connect-to"] {
            let refused = line(&[option, "value", "https://api.example/", "http://127.0.0.1:9/"]).unwrap_err();
            assert!(refused.contains(option) && refused.contains("unencrypted"), "{refused}");
        }
        line(&["-xhttp://proxy", "http://127.0.0.1:9/"]).unwrap_err();
    }

    #[test]
    fn a_line_that_curl_could_not_read_is_explained() {
        assert!(line(&["-s"]).unwrap_err().contains("no URL"));
        assert!(line(&["api.example", "-o"]).unwrap_err().contains("-o needs a value"));
        assert!(line(&["api.example", "--silent=x"]).unwrap_err().contains("takes no value"));
    }
}
