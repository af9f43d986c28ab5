//! What would take too long by a real clock, or happens only now and then.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;

use crate::domain::{Activity, Clock, ConnectionName, Problem, Secret, SystemClock, TokenRecord};
use crate::engine::connections::schedule;
use crate::engine::work::context::{Context, TaskReport};
use crate::engine::work::refresh::decide::Need;
use crate::engine::work::refresh::{LOCK_PATIENCE, lock};
use crate::oauth::Http;
use crate::platform::open_url::{Browser, Opened};
use crate::secrets::memory::MemoryStore;
use crate::secrets::worker::Secrets;
use crate::tokens::vault::Vault;

struct NoBrowser;

impl Browser for NoBrowser {
    fn open(&self, _: &str) -> Result<Opened, String> {
        Err("there is none".into())
    }
}

#[tokio::test(start_paused = true)]
async fn a_lock_is_waited_for_with_its_holder_shown_and_not_for_ever() {
    let dir = tempfile::tempdir().unwrap();
    let clock: Arc<dyn Clock> = Arc::new(SystemClock);
    let vault = Vault::open(Secrets::new(MemoryStore::new().factory()), dir.path(), Arc::clone(&clock)).unwrap();
    let (reports, mut received) = mpsc::unbounded_channel();
    let context = Context {
        http: Http::new(Arc::clone(&clock)),
        clock,
        vault: vault.clone(),
        host_limit: crate::engine::connections::host_limit::HostLimit::default(),
        browser: Arc::new(NoBrowser),
        lost_pause: schedule::PAUSE_AFTER_LOST_ANSWER,
        program: crate::domain::Program::Command,
        store_opened: tokio::sync::Notify::new(),
        reports,
    };
    let (name, cancel) = (ConnectionName::new("factory").unwrap(), CancellationToken::new());
    let held = vault.lock(&name, |_| {}).await.unwrap();
    let began = tokio::time::Instant::now();
    let Err(problem) = lock(&context, &name, &cancel, &mut None).await else { panic!("it is held") };
    assert!(matches!(&problem, Problem::Retrying { why, .. } if why.to_string().contains("120 s")), "{problem:?}");
    let waited = began.elapsed();
    assert!(waited >= LOCK_PATIENCE && waited < LOCK_PATIENCE + Duration::from_secs(1), "{waited:?}");
    let Some(TaskReport::Activity(_, Activity::WaitingForLock { pid, .. })) = received.recv().await else {
        panic!("not reported")
    };
    assert_eq!(pid, Some(std::process::id()));
    drop(held);
    assert!(lock(&context, &name, &cancel, &mut None).await.is_ok(), "free again");
}

#[test]
fn what_the_schedule_finds_due_is_early_for_no_one_else() {
    let obtained_at: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
    for (lifetime, jitter) in [10, 90, 1799, 86_400].into_iter().flat_map(|life| [0.0, 0.5, 1.0].map(|j| (life, j))) {
        let record = TokenRecord {
            generation: 1,
            access_token: Secret::new("A"),
            obtained_at,
            expires_at: obtained_at + TimeDelta::seconds(lifetime),
            refresh_token: None,
            scope: None,
            client_id: "client".into(),
            subject: None,
        };
        let due = schedule::due(record.obtained_at, record.expires_at, jitter);
        assert!(!Need::NotDue.is_met_by(&record, due), "{lifetime} s, {jitter}: else it is begun again and again");
        assert!(Need::NotDue.is_met_by(&record, obtained_at), "{lifetime} s: else it is never fresh");
    }
}
