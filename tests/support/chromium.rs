//! A real Chromium without a window, driven through chromedriver. Nothing of the person's own
//! profile is used; both are gone when this is dropped.

#![expect(clippy::unwrap_used, reason = "whatever fails in here fails the test")]

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use fantoccini::{Client, ClientBuilder, Locator};
use hyper_util::client::legacy::connect::HttpConnector;
use serde_json::json;
use tokio::runtime::Runtime;

const PATIENCE: Duration = Duration::from_secs(40);

/// A browser with one tab.
pub struct Chromium {
    runtime: Runtime,
    client: Option<Client>,
    driver: Child,
    profile: tempfile::TempDir,
}

impl Chromium {
    /// Starts driver and browser.
    pub fn start() -> Self {
        let profile = tempfile::tempdir().unwrap();
        let mut driver = Command::new("chromedriver")
            .arg("--port=0")
            .env("HOME", profile.path())
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // A group of its own, so that the browser can be ended with it.
            .process_group(0)
            .spawn()
            .expect("chromedriver is installed");
        let mut lines = BufReader::new(driver.stdout.take().unwrap()).lines().map_while(Result::ok);
        let port = lines.find_map(|line| {
            let (_, port) = line.split_once("started successfully on port ")?;
            port.trim_end_matches('.').parse::<u16>().ok()
        });
        // What it says later must not fill the pipe.
        std::thread::spawn(move || lines.for_each(drop));
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let mut browser = Self { runtime, client: None, driver, profile };
        browser.client = Some(browser.connect(port.expect("chromedriver names its port")));
        browser
    }

    fn connect(&self, port: u16) -> Client {
        let profile = format!("--user-data-dir={}", self.profile.path().join("profile").display());
        let arguments = [
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-quic",
            "--disable-dev-shm-usage",
            "--no-first-run",
            "--no-proxy-server",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            &profile,
        ];
        let wanted = json!({"browserName": "chrome", "goog:chromeOptions": {"args": arguments}});
        let wanted = wanted.as_object().unwrap().clone();
        let mut builder = ClientBuilder::new(HttpConnector::new());
        let connecting = builder.capabilities(wanted);
        self.runtime.block_on(connecting.connect(&format!("http://127.0.0.1:{port}"))).unwrap()
    }

    /// Goes to an address.
    pub fn open(&self, url: &str) {
        self.runtime.block_on(self.client().goto(url)).unwrap();
    }

    /// Clicks what a CSS selector finds, once it is there.
    pub fn click(&self, selector: &str) {
        self.runtime.block_on(async {
            let found = self.client().wait().at_most(PATIENCE).for_element(Locator::Css(selector)).await.unwrap();
            found.click().await.unwrap();
        });
    }

    /// Waits until the page says this; gives all its text.
    pub fn until_text(&self, text: &str) -> String {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let page = self.runtime.block_on(async {
                let body = self.client().find(Locator::Css("body")).await.ok()?;
                body.text().await.ok()
            });
            let page = page.unwrap_or_default();
            if page.contains(text) {
                return page;
            }
            assert!(Instant::now() < deadline, "the page never said {text:?}: {page}");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    fn client(&self) -> &Client {
        self.client.as_ref().unwrap()
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if let Some(client) = self.client.take() {
            let closing = async { tokio::time::timeout(Duration::from_secs(10), client.close()).await };
            // One that does not close is killed below.
            let _ = self.runtime.block_on(closing);
        }
        let group = format!("-{}", self.driver.id());
        let _ = Command::new("sh").args(["-c", "kill -KILL \"$0\"", &group]).status();
        let _ = self.driver.kill();
        let _ = self.driver.wait();
    }
}
