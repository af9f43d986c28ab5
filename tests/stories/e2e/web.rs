//! What a browser does, without one: follows a login by hand, where a story is not about browsers.

use std::future::Future;

use reqwest::{Client, header};
use url::Url;

fn wait<T>(work: impl Future<Output = T>) -> T {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(work)
}

fn client() -> Client {
    // An error means that one is installed already, which serves as well.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let stay = reqwest::redirect::Policy::none();
    Client::builder().no_proxy().tls_certs_only([]).redirect(stay).build().unwrap()
}

/// The body at an address, whatever its status.
pub fn get(url: &str) -> String {
    wait(async { client().get(url).send().await.unwrap().text().await.unwrap() })
}

/// The address that a page on disk leads to.
pub fn target(page: &str) -> String {
    let page = std::fs::read_to_string(Url::parse(page).unwrap().to_file_path().unwrap()).unwrap();
    between(&page, "href=\"", "\"").expect("a link").replace("&amp;", "&")
}

/// Presses a button of the consent page; gives the address a browser would end at.
pub fn decide(url: &str, decision: &str) -> String {
    wait(async {
        let page = client().get(url).send().await.unwrap().text().await.unwrap();
        let consent = between(&page, r#"name="consent" value=""#, "\"").expect("a consent page");
        let form = format!("consent={consent}&decision={decision}");
        let mut action = Url::parse(url).unwrap();
        action.set_query(None);
        let kind = "application/x-www-form-urlencoded";
        let answer = client().post(action).header(header::CONTENT_TYPE, kind).body(form).send().await.unwrap();
        if let Some(to) = answer.headers().get(header::LOCATION) {
            return to.to_str().unwrap().to_owned();
        }
        let page = answer.text().await.unwrap();
        let shown = between(&page, "id=\"final-url\"", "</textarea>").expect("the final address");
        shown.split_once('>').unwrap().1.replace("&amp;", "&")
    })
}

fn between<'a>(text: &'a str, before: &str, after: &str) -> Option<&'a str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}
