//! `refresh_token` absent from the answer, or empty: the old one is kept (RFC 6749 §6) beside the
//! new access token.

use chrono::TimeDelta;
use manutop::demo::{DemoFault, Reply};
use manutop::domain::Secret;
use manutop::engine::Refreshed;

use super::REDIRECT;
use crate::support::rig::Rig;

#[tokio::test]
async fn without_a_new_refresh_token_the_old_one_is_kept() {
    for rest in ["", r#","refresh_token":"""#, r#","refresh_token":null"#, r#","refresh_token":"  ""#] {
        let mut rig = Rig::new();
        let factory = rig.manu("factory", REDIRECT).await;
        let first = rig.logged_in(&factory, TimeDelta::zero()).await;
        let body = format!(r#"{{"access_token":"another","token_type":"bearer","expires_in":1799{rest}}}"#);
        // Not processed: the server has not replaced the old one either.
        rig.servers.manu().push_fault(DemoFault::Instead(Reply::Body(body)));
        let running = rig.start(false);
        running.engine.views().await;
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(2)), "{rest}");
        let standing = rig.vault().read(&factory).await.unwrap();
        let record = standing.record.unwrap();
        assert!(standing.saved && standing.hazard.is_none(), "{rest}");
        assert_eq!((record.generation, record.access_token), (2, Secret::new("another")), "{rest}");
        assert_eq!(record.refresh_token, first.refresh_token, "{rest}");
        assert_eq!(running.engine.refresh(&factory, true).await, Ok(Refreshed::Obtained(3)), "it works still: {rest}");
        assert_eq!(rig.servers.manu().stats().reuses_detected, 0, "{rest}");
    }
}
