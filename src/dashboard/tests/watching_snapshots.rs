//! Pictures of what is watched: the request log, the timeline, the latencies. Reviewed by eye.

use ratatui::Terminal;
use ratatui::backend::TestBackend;

use crate::dashboard::draw::draw;
use crate::dashboard::fixtures::*;
use crate::dashboard::tests::snapshots::picture;
use crate::domain::Event;

const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 32), (200, 50)];

#[test]
fn the_log_s_filter_while_it_is_typed() {
    for (width, height) in SIZES {
        let mut app = app_of(seven());
        press(&mut app, "S-Tab E /");
        let mut pictures = picture(&mut app, width, height);
        paste(&mut app, "post @sandbox");
        pictures += &picture(&mut app, width, height);
        insta::assert_snapshot!(format!("log_filter_{width}x{height}"), pictures);
    }
}

#[test]
fn the_log_of_one_connection_scrolled_away_from_what_is_new() {
    for (width, height) in SIZES {
        let mut app = app_of(seven());
        press(&mut app, "S-Tab O j j");
        for ago in 0..12 {
            learn(&mut app, Event::RequestLogged(Box::new(request("factory", ago))));
        }
        insta::assert_snapshot!(format!("log_scrolled_{width}x{height}"), picture(&mut app, width, height));
    }
}

#[test]
fn the_menu_of_files_and_the_next_request() {
    let mut app = app_of(seven());
    press(&mut app, "S-Tab x");
    insta::assert_snapshot!("export_menu", picture(&mut app, 80, 24));
    press(&mut app, "Esc Enter J");
    insta::assert_snapshot!("next_request_60x15", picture(&mut app, 60, 15));
}

#[test]
fn the_timeline_at_every_size() {
    for (width, height) in SIZES {
        let mut app = app_of(seven());
        press(&mut app, "T j");
        insta::assert_snapshot!(format!("timeline_{width}x{height}"), picture(&mut app, width, height));
    }
}

#[test]
fn the_past_on_screens_too_low_for_both() {
    for (width, height) in [(60, 15), (80, 24)] {
        let mut app = app_of(seven());
        press(&mut app, "T Tab");
        insta::assert_snapshot!(format!("latency_{width}x{height}"), picture(&mut app, width, height));
    }
}

#[test]
fn the_timeline_of_every_status_from_near_and_from_afar() {
    let mut app = app_of(every_status());
    picture(&mut app, 120, 40);
    press(&mut app, "T + +");
    insta::assert_snapshot!("timeline_10_minutes_120x40", picture(&mut app, 120, 40));
    press(&mut app, "0 - - - - - O Tab 0");
    insta::assert_snapshot!("timeline_2_years_120x40", picture(&mut app, 120, 40));
}

#[test]
fn a_screen_that_shrinks_before_the_event_arrives_is_drawn_as_it_is() {
    for keys in ["T", "T Tab", "S-Tab E /"] {
        let mut app = app_of(seven());
        picture(&mut app, 200, 50);
        press(&mut app, keys);
        for (width, height) in [(60, 15), (20, 3), (120, 32)] {
            let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
            terminal.draw(|frame| draw(frame, &app, now())).unwrap();
            let words = if width < 60 { "60x15" } else { "manutop" };
            assert!(terminal.backend().to_string().contains(words), "{keys}: {}", terminal.backend());
        }
    }
}
