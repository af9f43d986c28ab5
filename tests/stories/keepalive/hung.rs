//! An engine that hangs while the process lives: no sign of life, and health says so. What hangs is
//! its clock, which no real part could be made to do; the loop and all it reports are the real ones.
//! The keepalive service is this test binary, started again, for it needs an environment of its own.

use std::io::Read as _;
use std::process::Stdio;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use chrono::{DateTime, Utc};
use manutop::config::Config;
use manutop::dashboard_loop::appearance::check_keys;
use manutop::domain::{Clock, DEFAULT_LOG_LIMIT, Program as Kind, SystemClock};
use manutop::engine::{Browser, Engine, Opened, Parts};
use manutop::keepalive::listen::MetricsListener;
use manutop::keepalive::log::{Log, LogFormat};
use manutop::keepalive::run::{Keepalive, KeepaliveEnding};
use manutop::keepalive::service_manager::ServiceManager;
use manutop::live_configuration::{Configuration, ConfigurationSource};
use manutop::notifications::on_event::OnEvent;
use manutop::oauth::providers::ALL;
use manutop::platform::signals::Signals;
use manutop::request_log::segments::RequestLog;
use manutop::secrets::memory::MemoryStore;
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

use super::bench::{Bench, Manager, get};
use crate::support::again::{run_only, this_test};
use crate::support::program::{Program, eventually};

const PART: &str = "MANUTOP_TEST_HUNG_KEEPALIVE";

/// Stands still while it is held.
#[derive(Default)]
struct HangingClock(Mutex<()>);

impl Clock for HangingClock {
    fn now(&self) -> DateTime<Utc> {
        drop(self.0.lock().unwrap());
        SystemClock.now()
    }
}

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _: &str) -> Result<Opened, String> {
        Err("not used".into())
    }
}

/// The keepalive service; its engine hangs from the first byte on standard input to the second.
async fn keep(dir: &str) {
    let (dir, clock) = (std::path::PathBuf::from(dir), Arc::new(HangingClock::default()));
    let vault = Vault::open(Secrets::new(MemoryStore::new().factory()), &dir, Arc::new(SystemClock)).unwrap();
    let (engine, events) = Engine::start(Parts {
        connections: Vec::new(),
        vault: vault.clone(),
        clock: Arc::<HangingClock>::clone(&clock),
        browser: Arc::new(NoBrowser),
        program: Kind::Keepalive,
        automatic: false,
        login_timeout: Duration::from_secs(60),
        lost_pause: manutop::engine::connections::schedule::PAUSE_AFTER_LOST_ANSWER,
    })
    .unwrap();
    std::thread::spawn(move || {
        let mut input = std::io::stdin();
        input.read_exact(&mut [0]).unwrap();
        let held = clock.0.lock().unwrap();
        input.read_exact(&mut [0]).unwrap();
        drop(held);
    });
    let source = ConfigurationSource { file: dir.join("config.toml"), stamp: None, providers: ALL, check_keys };
    let keepalive = Keepalive {
        engine,
        events,
        vault,
        configuration: Configuration::start_unwatched(source, Config::default()).unwrap(),
        signals: Signals::listen_as_service().unwrap(),
        request_log: RequestLog::start(&dir, DEFAULT_LOG_LIMIT),
        on_event: OnEvent::start(None, None),
        log: Log::start(LogFormat::Text).unwrap(),
        notify: ServiceManager::start().unwrap(),
        answers: None,
        listener: Some(MetricsListener::bind("127.0.0.1:0".parse().unwrap()).await.unwrap()),
        clock: Arc::new(SystemClock),
    };
    assert!(matches!(keepalive.run().await.unwrap(), KeepaliveEnding::Stopped));
}

#[tokio::test]
async fn an_engine_that_hangs_gives_no_sign_of_life_and_health_says_so() {
    if let Ok(dir) = std::env::var(PART) {
        keep(&dir).await;
        return;
    }
    let bench = Bench::new(Duration::from_secs(600));
    let manager = Manager::listen(&bench, "notify");
    let mut command = run_only(this_test!());
    command.env(PART, bench.path("data")).stdout(Stdio::null());
    command.env("NOTIFY_SOCKET", &manager.socket).env("WATCHDOG_USEC", "200000").env_remove("WATCHDOG_PID");
    let mut keepalive = Program::start(&mut command);
    let said = keepalive.until_stderr("leader: refreshing");
    let address = said.split("health and metrics on ").nth(1).unwrap().lines().next().unwrap().to_owned();
    manager.until("WATCHDOG=1", 3);
    assert_eq!(get(&address, "/healthz").status, 200);

    keepalive.send("x");
    let is_hung = || get(&address, "/healthz").status == 503;
    eventually("health says so", is_hung);
    let before = manager.beats();
    // Each of these waits for the engine for longer than twenty signs of life are apart.
    let health = get(&address, "/healthz");
    assert_eq!((health.status, &health.json()["problem"]), (503, &"the engine does not answer".into()));
    assert_eq!(get(&address, "/metrics").status, 503);
    assert_eq!(manager.beats(), before, "no sign of life");

    keepalive.send("x");
    eventually("it lives again", || manager.beats() > before);
    assert_eq!(get(&address, "/healthz").status, 200);
    keepalive.signal("TERM");
    let ended = keepalive.end().expect(0);
    assert!(ended.stderr.contains("stopped; all tokens saved"), "{}", ended.stderr);
}
