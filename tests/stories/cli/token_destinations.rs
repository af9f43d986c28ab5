//! `manutop curl` and `manutop exec`: the token reaches the server or the program it was meant for, and no
//! other. The real program and the real curl, with servers and proxies on this machine that record what
//! they are sent.

use std::fs;
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::os::unix::fs::PermissionsExt as _;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use manutop::domain::Secret;

use crate::support::again::{is_alone, this_test};
use crate::support::bench::Bench;
use crate::support::factory::Factory;
use crate::support::file_home::PASSPHRASE;
use crate::support::program::{Ended, Program};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok";

/// A server that records the head of each request and always gives the same answer.
struct Recorder {
    address: SocketAddr,
    heads: Arc<Mutex<Vec<String>>>,
}

impl Recorder {
    fn start(answer: impl Into<String>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, heads, answer) = (listener.local_addr().unwrap(), Arc::default(), answer.into());
        let kept = Arc::clone(&heads);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                record(stream, &answer, &kept);
            }
        });
        Self { address, heads }
    }

    fn url(&self) -> String {
        format!("http://{}/", self.address)
    }

    fn heads(&self) -> Vec<String> {
        self.heads.lock().unwrap().clone()
    }
}

fn record(mut stream: TcpStream, answer: &str, kept: &Mutex<Vec<String>>) {
    let (mut head, mut buffer) = (Vec::new(), [0; 16_384]);
    while !head.ends_with(b"\r\n\r\n") {
        match stream.read(&mut buffer) {
            Ok(read @ 1..) => head.extend_from_slice(&buffer[..read]),
            _ => break,
        }
    }
    let has = |field: &str| String::from_utf8_lossy(&head).to_ascii_lowercase().contains(field);
    if has("content-length:") || has("transfer-encoding:") {
        if has("expect: 100-continue") {
            let _ = stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n");
        }
        // As much of the body as comes.
        stream.set_read_timeout(Some(Duration::from_millis(300))).unwrap();
        while let Ok(read @ 1..) = stream.read(&mut buffer) {
            head.extend_from_slice(&buffer[..read]);
        }
    }
    kept.lock().unwrap().push(String::from_utf8_lossy(&head).into_owned());
    let _ = stream.write_all(answer.as_bytes());
}

impl Bench {
    fn curl(&self, words: &[&str]) -> Ended {
        self.curl_with(&[], words)
    }

    fn curl_with(&self, variables: &[(&str, &str)], words: &[&str]) -> Ended {
        let mut command = self.command(&["curl", "factory", "--no-refresh", "--min-ttl", "0", "--"]);
        Program::start(command.args(words).envs(variables.iter().copied())).end()
    }

    fn header(&self) -> String {
        format!("Authorization: Bearer {}\r\n", self.access_token())
    }
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn plain_http_goes_to_this_machine_through_no_proxy() {
    let bench = Bench::new().await;
    let (server, proxy) = (Recorder::start(OK), Recorder::start(OK));
    let named = proxy.url();
    for variable in ["http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY", "https_proxy"] {
        assert_eq!(bench.curl_with(&[(variable, &named)], &["-s", &server.url()]).expect(0).stdout, "ok");
    }
    let socks = named.replace("http://", "socks5h://");
    bench.curl_with(&[("ALL_PROXY", &socks)], &["-s", &server.url()]).expect(0);
    let heads = server.heads();
    assert!(heads.len() == 6 && heads.iter().all(|head| head.contains(&bench.header())), "{heads:?}");

    for option in ["-x", "--proxy", "--preproxy", "--socks4", "--socks5", "--connect-to", "--resolve"] {
        let refused = bench.curl(&["-s", option, &named, &server.url()]).expect(2);
        assert!(refused.stderr.contains(option), "{refused:?}");
    }
    assert_eq!((server.heads().len(), proxy.heads()), (6, Vec::new()));
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn a_proxy_for_https_is_not_shown_the_token() {
    let bench = Bench::new().await;
    let proxy = Recorder::start("HTTP/1.1 200 Connection established\r\n\r\n");
    let named = proxy.url();
    // The proxy leads nowhere, so curl fails after it asked for the tunnel.
    let by_variable = bench.curl_with(&[("https_proxy", &named)], &["-s", "https://api.example/"]);
    let by_option = bench.curl(&["-s", "-x", &named, "https://api.example/"]);
    assert!(by_variable.code != Some(0) && by_option.code != Some(0));
    let heads = proxy.heads();
    assert!(heads.len() == 2 && heads.iter().all(|head| head.starts_with("CONNECT api.example:443 ")), "{heads:?}");
    assert!(!heads.concat().contains("Bearer"), "{heads:?}");
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn the_configuration_of_curl_names_no_proxy_and_no_other_server() {
    let bench = Bench::new().await;
    let (server, other) = (Recorder::start(OK), Recorder::start(OK));
    let lines = format!("proxy = {0}\nurl = {0}\nlocation-trusted\ninsecure\nverbose\n", other.url());
    fs::write(bench.path(".curlrc"), &lines).unwrap();
    let home = bench.dir.path().to_str().unwrap();
    let ended = bench.curl_with(&[("CURL_HOME", home)], &["-s", &server.url()]).expect(0);
    assert_eq!((&*ended.stdout, &*ended.stderr), ("ok", ""));
    assert_eq!((server.heads().len(), other.heads().len()), (1, 0));
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn a_redirect_takes_the_token_nowhere_else() {
    let bench = Bench::new().await;
    let other = Recorder::start(OK);
    let leads_to = |url: &str| {
        Recorder::start(format!(
            "HTTP/1.1 307 Moved\r\nLocation: {url}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
        ))
    };
    let to_plain = leads_to(&other.url());
    assert_ne!(bench.curl(&["-sL", &to_plain.url()]).code, Some(0));
    // The other server gets the beginning of TLS at most.
    let to_tls = leads_to(&other.url().replace("http://", "https://"));
    assert_ne!(bench.curl(&["-sL", "--max-time", "3", &to_tls.url()]).code, Some(0));
    assert!(to_plain.heads()[0].contains(&bench.header()) && to_tls.heads()[0].contains(&bench.header()));
    assert!(!other.heads().concat().contains("Bearer"), "{:?}", other.heads());
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn no_option_reads_the_header_as_a_file() {
    let bench = Bench::new().await;
    let server = Recorder::start(OK);
    for option in ["-Fa=@", "-d@", "-T", "--etag-compare="] {
        for descriptor in 3..20 {
            bench.curl(&["-s", "--max-time", "5", &format!("{option}/dev/fd/{descriptor}"), &server.url()]);
        }
    }
    let heads = server.heads();
    assert!(heads.len() > 10, "{}", heads.len());
    for head in heads {
        assert_eq!(head.matches("Bearer").count(), 1, "{head}");
    }
}

#[tokio::test]
async fn what_could_take_the_token_elsewhere_is_refused_before_anything_is_sent() {
    let bench = Bench::new().await;
    let (server, other) = (Recorder::start(OK), Recorder::start(OK));
    let (url, elsewhere) = (server.url(), other.address.to_string());
    for words in [
        &[&*format!("{}\\@{elsewhere}/", url.trim_end_matches('/'))][..],
        &[&format!("http://127.0.0.1@{elsewhere}/")],
        &[&format!("http://127.0.0.1:80@{elsewhere}/")],
        &[&format!("http://{{127.0.0.1,{elsewhere}}}/")],
        &["http://api.example/"],
        &[&url, "http://api.example/"],
        &[&url, "--url", "http://api.example/"],
        &["-K", "/dev/null", &url],
        &["-sSvK/dev/null", &url],
        &["--insec", &url],
        &["-sk", &url],
        &["--location-trusted", &url],
        &["--unix-socket", "/tmp/socket", &url],
        &["--libcurl", "code.c", &url],
        &["--trace-ascii", "-", &url],
        &["-v", &url],
        &["-s", "--next", &url],
        &["-s"],
    ] {
        let refused = bench.curl(words).expect(2);
        assert!(refused.stdout.is_empty() && !refused.stderr.contains(bench.access_token()), "{words:?}: {refused:?}");
    }
    assert!(server.heads().is_empty() && other.heads().is_empty());
}

#[tokio::test]
#[ignore = "needs curl; scripts/test runs it"]
async fn a_token_of_any_length_reaches_the_server() {
    for length in [66_000, 400_000] {
        let mut factory = Factory::new();
        factory.record.access_token = Secret::new("t".repeat(length));
        let configuration = factory.alone("");
        let bench = Bench::with(factory, &configuration).await;
        let server = Recorder::start(OK);
        bench.curl(&["-sS", &server.url()]).expect(0);
        assert!(server.heads()[0].contains(&bench.header()), "{length}");
    }
}

#[tokio::test]
async fn a_program_gets_the_token_and_nothing_else_of_manutop() {
    // Descriptors that other tests open are inherited, for a moment, by whatever is started.
    if !is_alone(this_test!()) {
        return;
    }
    let bench = Bench::new().await;
    let credentials = bench.path("credentials");
    fs::create_dir(&credentials).unwrap();
    fs::write(credentials.join("manutop"), PASSPHRASE).unwrap();
    fs::set_permissions(credentials.join("manutop"), fs::Permissions::from_mode(0o600)).unwrap();
    let script = "echo $MANUTOP_ACCESS_TOKEN; exec ls /proc/self/fd";
    let line = ["exec", "factory", "--no-refresh", "--min-ttl", "0", "--"];
    let program = |words: &[&str]| {
        let mut command = bench.command(&[&line[..], words].concat());
        command.env("CREDENTIALS_DIRECTORY", &credentials).env("NOTIFY_SOCKET", "/run/notify");
        Program::start(&mut command).end().expect(0).stdout
    };
    // What the test itself hands on is no fault of manutop.
    let own = Command::new("ls").arg("/proc/self/fd").stdin(Stdio::null()).output().unwrap();
    let descriptors = String::from_utf8(own.stdout).unwrap();
    assert_eq!(program(&["sh", "-c", script]), format!("{}\n{descriptors}", bench.access_token()));

    let environment = program(&["env"]);
    let is_there = |name: &str| environment.lines().any(|line| line.starts_with(&format!("{name}=")));
    assert!(is_there("MANUTOP_ACCESS_TOKEN") && is_there("NOTIFY_SOCKET"), "{environment}");
    assert!(!is_there("MANUTOP_PASSPHRASE") && !is_there("CREDENTIALS_DIRECTORY"), "{environment}");
    assert!(!environment.contains(PASSPHRASE));
}
