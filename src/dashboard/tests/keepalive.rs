//! A keepalive service beside the dashboard: where it is shown, and what is said of it.

use crate::dashboard::frame::header::header;
use crate::dashboard::tests::*;
use crate::domain::{Author, EventKind, Program};

#[test]
fn the_first_line_names_the_keepalive_where_that_costs_the_counts_nothing() {
    let mut app = app_of(seven());
    let without: Vec<_> = (60..=200).map(|width| header(&app, width, now())).collect();
    learn(&mut app, Event::KeepaliveChanged(Some(KeepaliveProcess { pid: Some(1234) })));
    assert_eq!(message_text(&app), "keepalive, process 1234, refreshes beside this dashboard");
    let with: Vec<_> = (60..=200).map(|width| header(&app, width, now())).collect();
    for (with, without) in with.iter().zip(&without) {
        assert_eq!(with.parts, without.parts, "{with:?}");
        let expected = format!("keepalive 1234, {}", without.auto);
        assert!(with.auto == expected || with.auto == without.auto, "{with:?}");
    }
    assert_eq!(with[0], without[0], "the smallest screen has no room for it");
    assert!(with.last().unwrap().auto.starts_with("keepalive 1234, "), "{with:?}");
    learn(&mut app, Event::KeepaliveChanged(None));
    assert_eq!(message_text(&app), "keepalive has ended; this dashboard refreshes alone");
    assert_eq!(header(&app, 200, now()), *without.last().unwrap());
}

#[test]
fn whose_tokens_were_taken_over_is_said_where_it_is_known() {
    let mut app = app_of(seven());
    let by = Some(Author { program: Some(Program::Keepalive), pid: 1234 });
    learn(&mut app, EventKind::Adopted { generation: 42, by }.of(name("factory")));
    assert_eq!(message_text(&app), "keepalive, process 1234, refreshed it, generation 42 taken over");
    learn(&mut app, EventKind::Adopted { generation: 43, by: None }.of(name("factory")));
    assert_eq!(message_text(&app), "another process refreshed it, generation 43 taken over");
}
