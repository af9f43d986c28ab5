//! A logout or a deletion that is taken back: nothing of it has reached server, store or file.

use chrono::TimeDelta;
use manutop::dashboard_loop::run_loop::Ending;

use crate::support::rig::Rig;
use crate::support::stage::Stage;

/// Two connections with tokens that are revoked at a logout.
async fn rig_with_two() -> Rig {
    let mut rig = Rig::new();
    for name in ["factory", "warehouse"] {
        let name = rig.manu(name, "http://127.0.0.1/callback").await;
        rig.logged_in(&name, TimeDelta::zero()).await;
    }
    let revoke_url = rig.servers.manu().revoke_url();
    for connection in &mut rig.connections {
        connection.revoke_url = Some(revoke_url.clone());
    }
    rig
}

async fn has_tokens(rig: &Rig, at: usize) -> bool {
    rig.vault().read(&rig.connections[at].name).await.expect("readable").record.is_some()
}

#[tokio::test]
async fn what_is_taken_back_never_reached_the_server_and_what_is_not_is_done_once() {
    let rig = rig_with_two().await;
    Stage::new()
        .play(&rig, async |person| {
            person.sees("● 2 live").await;
            person.press("oy");
            person.sees("logout… u undo").await;
            person.press("u");
            person.sees("kept: nothing was done").await;
            // Asked for later, and done: the time of the first has passed by then.
            person.press("joy");
            person.sees("logging out in 8 s; u undoes it").await;
            assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
            person.sees("○ 1 never logged in").await;
            assert!(has_tokens(&rig, 0).await && !has_tokens(&rig, 1).await);
            assert_eq!(rig.servers.manu().stats().revocation_posts, 1);
            person.press("R");
            person.press("kR");
            person.sees("generation 2").await;
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn a_refresh_that_comes_meanwhile_keeps_its_tokens_and_the_logout_revokes_the_newest() {
    let rig = rig_with_two().await;
    Stage::new()
        .play(&rig, async |person| {
            person.sees("● 2 live").await;
            person.press("oyR");
            person.sees("generation 2").await;
            let held = rig.vault().read(&rig.connections[0].name).await.expect("readable").record.expect("a record");
            assert_eq!(held.generation, 2);
            person.sees("○ 1 never logged in").await;
            assert_eq!(rig.servers.manu().stats().revocation_posts, 1);
            person.press("q");
        })
        .await;
}

#[tokio::test]
async fn leaving_meanwhile_asks_and_leaves_every_connection_as_it_was() {
    let rig = rig_with_two().await;
    let file = rig.dir.path().join("config.toml");
    let ending = Stage::new()
        .play(&rig, async |person| {
            person.sees("● 2 live").await;
            person.press("dyjoy");
            person.sees("removing… u undo").await;
            person.press("q");
            person.sees("Not logged out or deleted yet: factory, warehouse.").await;
            person.press("y");
        })
        .await;
    assert_eq!(ending, Ending::Quit);
    assert!(has_tokens(&rig, 0).await && has_tokens(&rig, 1).await);
    assert_eq!(rig.servers.manu().stats().revocation_posts, 0);
    assert!(std::fs::read_to_string(file).expect("readable").contains("factory"));
}
