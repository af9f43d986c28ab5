//! The loopback listener that waits for the redirect of a login (RFC 8252 §7.3).
//!
//! It is bound before any browser opens, on IPv4 and IPv6 for `localhost`, answers stray requests
//! without ending, and keeps the browser waiting until the exchange is through, so that the page
//! can say how the login really went. A redirect that is asked for again gets the same page.

use std::time::Duration;

use axum::Router;
use tokio::net::TcpListener;
use tokio::task::JoinSet;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::domain::Secret;
use crate::local_server::{Places, http};
use crate::oauth::callback::{CallbackError, Expected, Granted};
use crate::oauth::endpoint::{Arrivals, Endpoint, LIMITS};
use crate::oauth::linger;
pub use crate::oauth::loopback::ListenError;
use crate::oauth::loopback::{bind_all, bind_free, explicit_port, parse, with_port};
use crate::oauth::outcomes::CodeProgress;

/// How long closing waits for pages that are on their way.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);

/// A bound listener that serves until dropped.
#[derive(Debug)]
pub struct Listener {
    redirect_uri: String,
    port: u16,
    sockets: Vec<TcpListener>,
    path: String,
}

/// A listener at work; dropping it closes the sockets.
#[derive(Debug)]
pub struct Serving {
    arrivals: Arrivals,
    port: u16,
    app: Router,
    places: Places,
    /// The same sockets again, for after the login.
    spare: Vec<std::net::TcpListener>,
    servers: JoinSet<()>,
    stop: DropGuard,
}

impl Listener {
    /// Whether a redirect URI can be listened for on this machine.
    #[must_use]
    pub fn is_loopback(redirect_uri: &str) -> bool {
        parse(redirect_uri).is_some()
    }

    /// Binds the address of a redirect URI; if it names no port, a free one is chosen.
    ///
    /// # Errors
    /// The URI is not on this machine, its port is taken, or the system refuses.
    pub async fn bind(redirect_uri: &str) -> Result<Self, ListenError> {
        let (url, addresses) = parse(redirect_uri).ok_or_else(|| ListenError::NotLoopback(redirect_uri.to_owned()))?;
        let (port, sockets) = match explicit_port(redirect_uri) {
            Some(port) => {
                linger::make_room(port).await;
                (port, bind_all(&addresses, port).await?)
            }
            None => bind_free(&addresses).await?,
        };
        let redirect_uri = with_port(redirect_uri, port);
        Ok(Self { redirect_uri, port, sockets, path: url.path().to_owned() })
    }

    /// The redirect URI with the port that is listened on: what the authorization request sends.
    #[must_use]
    pub fn redirect_uri(&self) -> &str {
        &self.redirect_uri
    }

    /// Starts answering; where no issuer is known, a `state` is all that is expected.
    #[must_use]
    pub fn serve(self, expected: impl Into<Expected>) -> Serving {
        let (endpoint, arrivals) = Endpoint::new(&self.path, expected);
        let (app, places) = (endpoint.router(), Places::new(LIMITS.most));
        let stop = CancellationToken::new();
        let (mut servers, mut spare) = (JoinSet::new(), Vec::new());
        for socket in self.sockets {
            // Without a second handle a reload finds a closed port; the login succeeds all the same.
            if let Ok(socket) = socket.into_std() {
                spare.extend(socket.try_clone());
                servers.spawn(serve(socket, places.clone(), app.clone(), stop.clone()));
            }
        }
        let (port, stop) = (self.port, stop.drop_guard());
        Serving { arrivals, port, app, places, spare, servers, stop }
    }
}

async fn serve(socket: std::net::TcpListener, places: Places, app: Router, stop: CancellationToken) {
    if let Ok(socket) = TcpListener::from_std(socket) {
        http::serve(socket, places, app, LIMITS, stop).await;
    }
}

impl Serving {
    /// Waits for the next redirect; see [`Arrivals::next`].
    pub async fn arrival(&mut self) -> Option<Result<Granted, CallbackError>> {
        self.arrivals.next().await
    }

    /// Says how far a code has come; see [`Arrivals::report`].
    pub fn report(&self, code: &Secret, progress: CodeProgress) {
        self.arrivals.report(code, progress);
    }

    /// How many requests came that nothing was said about; see [`Arrivals::ignored`].
    #[must_use]
    pub fn ignored(&self) -> u64 {
        self.arrivals.ignored()
    }

    /// Ends the login's listener, after the last page has gone out: the browser should not be left
    /// with a broken connection where it was about to say that all is well. Where a browser has
    /// brought an answer, its page can be asked for again for a few seconds more.
    pub async fn close(self) {
        let Self { arrivals, port, app, places, spare, mut servers, stop } = self;
        let was_asked = arrivals.close();
        drop(stop);
        // The servers have stopped accepting and are about to end every silent connection.
        let all = async { while servers.join_next().await.is_some() {} };
        // A browser that does not read its page is not waited for.
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, all).await;
        if was_asked {
            let mut lingering = JoinSet::new();
            for socket in spare {
                lingering.spawn(serve(socket, places.clone(), app.clone(), CancellationToken::new()));
            }
            linger::linger(port, lingering);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CallbackError, CodeProgress, ListenError, Listener, Secret};

    async fn fetch(url: &str) -> (u16, String) {
        asked_for(reqwest::Method::GET, url).await
    }

    async fn asked_for(method: reqwest::Method, url: &str) -> (u16, String) {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = reqwest::Client::builder().no_proxy().build().unwrap();
        let response = client.request(method, url).send().await.unwrap();
        (response.status().as_u16(), response.text().await.unwrap())
    }

    fn answer(listener: &Listener, code: &str) -> String {
        format!("{}?code={code}&state=st", listener.redirect_uri())
    }

    fn ended(outcome: Result<&str, &str>) -> CodeProgress {
        CodeProgress::Ended(outcome.map(str::to_owned).map_err(str::to_owned))
    }

    #[test]
    fn only_http_on_loopback_is_listened_for() {
        for (uri, expected) in [
            ("http://127.0.0.1:8400/callback", true),
            ("http://127.9.9.9/callback", true),
            ("http://[::1]/callback", true),
            ("http://LOCALHOST:1/", true),
            ("https://127.0.0.1/callback", false),
            ("https://www.getpostman.com/oauth2/callback", false),
            ("http://127.0.0.1.example.com/", false),
        ] {
            assert_eq!(Listener::is_loopback(uri), expected, "{uri}");
        }
    }

    #[tokio::test]
    async fn strays_are_answered_and_the_page_waits_for_the_outcome() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let uri = listener.redirect_uri().to_owned();
        let mut serving = listener.serve(Secret::new("st"));
        let base = uri.trim_end_matches("/callback").to_owned();
        assert_eq!(fetch(&format!("{base}/favicon.ico")).await.0, 204);
        assert_eq!(fetch(&format!("{base}/other")).await.0, 404);
        let good = format!("{uri}?code=c&state=st");
        assert_eq!(asked_for(reqwest::Method::HEAD, &good).await.0, 204, "looking is no answer");
        assert_eq!(asked_for(reqwest::Method::POST, &good).await.0, 404);
        let (page, ()) = tokio::join!(fetch(&good), async {
            let code = serving.arrival().await.unwrap().unwrap().code;
            assert_eq!(code.expose(), "c");
            serving.report(&code, ended(Ok("factory is connected.")));
        });
        assert!(page.0 == 200 && page.1.contains("factory is connected."), "{page:?}");
    }

    #[tokio::test]
    async fn a_redirect_asked_for_again_gets_the_same_page_and_arrives_once() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let (good, other) = (answer(&listener, "c"), answer(&listener, "d"));
        let mut serving = listener.serve(Secret::new("st"));
        let work = async {
            let code = serving.arrival().await.unwrap().unwrap().code;
            let busy = fetch(&other).await;
            assert!(busy.0 == 409 && busy.1.contains("came first"), "{busy:?}");
            serving.report(&code, ended(Ok("factory is connected.")));
        };
        let (first, second, ()) = tokio::join!(fetch(&good), fetch(&good), work);
        assert!(first == second && first.1.contains("Logged in"), "{first:?} {second:?}");
        assert_eq!(fetch(&good).await, first, "a reload");
        assert_eq!(fetch(&other).await.0, 409);
        assert!(futures_util::FutureExt::now_or_never(serving.arrival()).is_none(), "only one arrived");
        serving.close().await;
        assert_eq!(fetch(&good).await, first, "a reload just after the login");
    }

    #[tokio::test]
    async fn after_a_refused_code_another_one_is_taken() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let (bad, good) = (answer(&listener, "used"), answer(&listener, "c"));
        let mut serving = listener.serve(Secret::new("st"));
        for (url, outcome) in [(&bad, Err("the code was used")), (&good, Ok("in"))] {
            let (page, ()) = tokio::join!(fetch(url), async {
                let code = serving.arrival().await.unwrap().unwrap().code;
                serving.report(&code, ended(outcome));
            });
            assert_eq!(page.0, if outcome.is_ok() { 200 } else { 400 });
        }
        assert!(fetch(&bad).await.1.contains("the code was used"));
    }

    #[tokio::test]
    async fn a_page_that_waits_for_a_person_loads_itself_again() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let good = answer(&listener, "c");
        let mut serving = listener.serve(Secret::new("st"));
        let (page, code) = tokio::join!(fetch(&good), async {
            let code = serving.arrival().await.unwrap().unwrap().code;
            serving.report(&code, CodeProgress::Asking("Is that you?".into()));
            code
        });
        assert!(page.1.contains("Waiting for confirmation in manutop") && page.1.contains("refresh"), "{page:?}");
        serving.report(&code, ended(Err("kept")));
        let page = fetch(&good).await;
        assert!(page.0 == 400 && page.1.contains("kept") && !page.1.contains("http-equiv"), "{page:?}");
    }

    #[tokio::test]
    async fn a_listener_that_lingers_makes_room_for_the_next_login() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let (uri, good) = (listener.redirect_uri().to_owned(), answer(&listener, "c"));
        let mut serving = listener.serve(Secret::new("st"));
        let (page, ()) = tokio::join!(fetch(&good), async {
            let code = serving.arrival().await.unwrap().unwrap().code;
            serving.report(&code, ended(Ok("in")));
        });
        assert_eq!(page.0, 200);
        serving.close().await;
        let next = Listener::bind(&uri).await.expect("the port is free");
        let serving = next.serve(Secret::new("other"));
        assert_eq!(fetch(&good).await.0, 400, "the old answer is none to the new login");
        drop(serving);
    }

    #[tokio::test]
    async fn a_login_that_ends_without_an_answer_ends_its_pages() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let good = answer(&listener, "c");
        let mut serving = listener.serve(Secret::new("st"));
        let (page, ()) = tokio::join!(fetch(&good), async {
            serving.arrival().await.unwrap().unwrap();
            serving.close().await;
        });
        assert!(page.0 == 400 && page.1.contains("no longer waits"), "{page:?}");
    }

    #[tokio::test]
    async fn a_forged_state_is_reported_and_explained_in_the_browser() {
        let listener = Listener::bind("http://127.0.0.1/callback").await.unwrap();
        let url = format!("{}?code=c&state=forged", listener.redirect_uri());
        let mut serving = listener.serve(Secret::new("st"));
        let page = fetch(&url).await;
        assert!(page.0 == 400 && page.1.contains("is not the one sent"), "{page:?}");
        assert_eq!(serving.arrival().await, Some(Err(CallbackError::WrongState)));
    }

    #[tokio::test]
    async fn localhost_is_bound_on_both_families_and_a_taken_port_is_named() {
        let listener = Listener::bind("http://localhost/cb").await.unwrap();
        let families: Vec<_> = listener.sockets.iter().map(|socket| socket.local_addr().unwrap()).collect();
        assert!(families[0].is_ipv4() && families.iter().all(|address| address.port() == families[0].port()));
        let error = Listener::bind(&format!("http://localhost:{}/cb", families[0].port())).await.unwrap_err();
        assert!(matches!(error, ListenError::Taken { port } if port == families[0].port()), "{error}");
    }
}
