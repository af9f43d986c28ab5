//! The demo servers over real sockets: every rule of the providers that the rest of the project
//! relies on being kept. Here, starting and stopping them.

mod bench;
mod faults;
mod login;
mod manus;
mod refresh;
mod story;

use std::time::{Duration, Instant};

use bench::{Bench, refresh_form};
use manutop::demo::{DemoFault, DemoOptions, Servers};
use reqwest::header;

#[tokio::test]
async fn dropping_the_servers_closes_their_ports_at_once_even_with_a_request_out() {
    let bench = Bench::new();
    let (_, refresh) = bench.issue();
    let Bench { servers, http, .. } = bench;
    servers.manu().push_fault(DemoFault::DelayAfter(Duration::from_secs(60)));
    let (token_url, test_url) = (servers.manu().token_url(), servers.manu().test_url());
    let kind = "application/x-www-form-urlencoded";
    let request = http.post(token_url).header(header::CONTENT_TYPE, kind).body(bench::encode(&refresh_form(&refresh)));
    let out = tokio::spawn(request.send());
    while servers.manu().stats().rotations == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let started = Instant::now();
    drop(servers);
    assert!(started.elapsed() < Duration::from_secs(2), "{:?}", started.elapsed());
    out.await.unwrap().unwrap_err();
    assert!(http.get(test_url).send().await.unwrap_err().is_connect());
}

#[test]
fn a_taken_port_is_an_error_that_names_it() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port();
    let error = Servers::start(DemoOptions { port: Some(port), ..DemoOptions::default() }).err().unwrap();
    assert!(error.to_string().contains(&port.to_string()), "{error}");
    assert!(
        Servers::start(DemoOptions { port: Some(u16::MAX), ..DemoOptions::default() }).is_err(),
        "no port after the last"
    );
}

#[tokio::test]
async fn answers_are_dated_by_the_servers_own_clock() {
    let bench = Bench::new();
    let answer = bench.get(bench.servers.manu().test_url()).await;
    assert_eq!(bench::head(&answer, "date"), "Fri, 15 Jan 2027 08:00:00 GMT");
}

#[test]
fn debug_output_of_issued_tokens_does_not_show_them() {
    let bench = Bench::new();
    let issued = bench.servers.manu().issue("app", "API_ALL");
    let shown = format!("{issued:?}");
    assert!(!shown.contains(issued.access_token.expose()));
    assert!(!shown.contains(issued.refresh_token.as_ref().unwrap().expose()));
}
