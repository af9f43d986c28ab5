//! A person with a browser who walks a login's real consent page, and what comes of it.

use std::collections::HashMap;
use std::net::TcpStream;
use std::time::Duration;

use manutop::domain::{Activity, Command, ConnectionEvent, ConnectionName, Event, EventKind, LoginView, Redirect};
use reqwest::{Client, Response, StatusCode, header, redirect};
use url::{Url, form_urlencoded};

use super::rig::{Rig, Running};

pub const LOOPBACK: &str = "http://127.0.0.1/callback";
pub const FOREIGN: &str = "https://www.getpostman.com/oauth2/callback";

/// A person with a browser that follows no redirect.
pub struct Person(Client);

impl Person {
    pub fn new() -> Self {
        // Another test may have been first.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().no_proxy().redirect(redirect::Policy::none());
        Self(client.timeout(Duration::from_secs(20)).build().unwrap())
    }

    /// Opens the login's URL and answers the consent page.
    pub async fn decide(&self, url: &str, decision: &str) -> Response {
        let response = self.0.get(url).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "no consent page");
        let page = response.text().await.unwrap();
        let (_, rest) = page.split_once(r#"name="consent" value=""#).expect("a hidden field");
        let (consent, _) = rest.split_once('"').expect("its end");
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.append_pair("consent", consent).append_pair("decision", decision);
        let mut endpoint = Url::parse(url).unwrap();
        endpoint.set_query(None);
        let kind = "application/x-www-form-urlencoded";
        self.0.post(endpoint).header(header::CONTENT_TYPE, kind).body(form.finish()).send().await.unwrap()
    }

    /// Allows or denies; gives the loopback URL that the browser is sent to.
    pub async fn sent_to(&self, url: &str, decision: &str) -> Url {
        let response = self.decide(url, decision).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        Url::parse(response.headers()["location"].to_str().unwrap()).unwrap()
    }

    /// Allows; gives the final URL that the page shows for a foreign redirect URI.
    pub async fn shown(&self, url: &str) -> Url {
        let page = self.decide(url, "allow").await.text().await.unwrap();
        let (_, rest) = page.split_once(FOREIGN).expect("the final URL");
        let (query, _) = rest.split_once("</textarea>").expect("its end");
        Url::parse(&format!("{FOREIGN}{}", query.replace("&amp;", "&"))).unwrap()
    }

    /// Asks for the head of a page alone.
    pub async fn look(&self, url: impl AsRef<str>) -> u16 {
        self.0.head(url.as_ref()).send().await.unwrap().status().as_u16()
    }

    pub async fn visit(&self, url: impl AsRef<str>) -> (u16, String) {
        let response = self.0.get(url.as_ref()).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }
}

pub fn parameters(url: impl AsRef<str>) -> HashMap<String, String> {
    Url::parse(url.as_ref()).unwrap().query_pairs().into_owned().collect()
}

/// The same URL with one parameter changed.
pub fn changed(url: impl AsRef<str>, key: &str, value: &str) -> String {
    let mut url = Url::parse(url.as_ref()).unwrap();
    let mut all = parameters(&url);
    all.insert(key.to_owned(), value.to_owned());
    url.query_pairs_mut().clear().extend_pairs(all);
    url.into()
}

/// Begins a login and waits until it waits for a person.
pub async fn begin(running: &mut Running, connection: &ConnectionName) -> LoginView {
    running.engine.views().await;
    running.engine.send(Command::Login { connection: connection.clone() });
    let view = running
        .until_view(connection, |view| matches!(&view.activity, Activity::LoggingIn(login) if login.browser.is_some()))
        .await;
    let Activity::LoggingIn(login) = view.activity else { unreachable!("just looked") };
    login
}

pub async fn logged_in(running: &mut Running) -> u64 {
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::LoggedIn { generation }, .. }) => Some(*generation),
            Event::Connection(ConnectionEvent { kind: EventKind::LoginFailed { why, .. }, .. }) => {
                panic!("the login failed: {why}")
            }
            _ => None,
        })
        .await
}

pub async fn failed(running: &mut Running) -> String {
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::LoginFailed { why, .. }, .. }) => {
                Some(why.to_string())
            }
            Event::Connection(ConnectionEvent { kind: EventKind::LoggedIn { .. }, .. }) => {
                panic!("the login succeeded")
            }
            _ => None,
        })
        .await
}

pub async fn refused(running: &mut Running) -> String {
    running
        .until(|event| match event {
            Event::Connection(ConnectionEvent { kind: EventKind::AnswerRefused { why }, .. }) => Some(why.to_string()),
            Event::Connection(ConnectionEvent { kind: EventKind::LoginFailed { why, .. }, .. }) => {
                panic!("the login ended: {why}")
            }
            _ => None,
        })
        .await
}

/// What is stored is whole, unhazardous, and the newest that the server knows.
pub async fn assert_newest_is_stored(rig: &Rig, connection: &ConnectionName, generation: u64) {
    let standing = rig.vault().read(connection).await.unwrap();
    assert!(standing.saved && standing.hazard.is_none(), "{:?}", standing.hazard);
    let record = standing.record.unwrap();
    assert_eq!(record.generation, generation);
    let newest = rig.servers.manu().newest_refresh_token(&format!("app-{connection}"));
    assert_eq!(Some(record.refresh_token.unwrap().token), newest);
}

pub fn assert_port_is_free(login: &LoginView) {
    let Redirect::Loopback { uri } = &login.redirect else { panic!("{:?}", login.redirect) };
    let address = Url::parse(uri).unwrap().socket_addrs(|| None).unwrap();
    // The sockets are closed by their tasks, which may take a moment longer.
    let closed = (0..100).any(|_| {
        std::thread::sleep(Duration::from_millis(20));
        TcpStream::connect(&*address).is_err()
    });
    assert!(closed, "{uri} is still open");
}
