//! Colours, symbols and what must never be on the screen, whatever is drawn.

use chrono::TimeDelta;
use ratatui::style::{Color, Modifier};

use crate::dashboard::fixtures::*;
use crate::dashboard::tests::snapshots::*;
use crate::dashboard::theme::appearance::Appearance;
use crate::dashboard::{Msg, update};
use crate::domain::{EventKind, Problem};

#[test]
fn the_whole_login_url_can_be_read_on_the_smallest_screen() {
    let mut app = app_of(vec![logging_in("archive", loopback(), None)]);
    press(&mut app, "l");
    let mut seen = String::new();
    for _ in 0..20 {
        seen += &picture(&mut app, 60, 15);
        press(&mut app, "j");
    }
    for line in crate::dashboard::widgets::sheet::chop(&login_url(), 60) {
        assert!(seen.contains(&line), "{line} is never shown:\n{seen}");
    }
}

#[test]
fn found_letters_stand_out_without_colour_and_in_the_bar() {
    for color in [true, false] {
        let mut app = app_of(seven());
        app.options.appearance = if color { Appearance::SIXTEEN } else { Appearance::PLAIN };
        press(&mut app, "/ f t y");
        let screen = buffer(&mut app, 120, 32);
        let underlined = (3..10).filter(|&x| screen[(x, 3)].modifier.contains(Modifier::UNDERLINED));
        assert_eq!(underlined.collect::<Vec<_>>(), [3, 6, 9]);
    }
}

#[test]
fn without_colours_no_colour_is_used() {
    for mut app in screens() {
        app.options.appearance = Appearance::PLAIN;
        let colours = buffer(&mut app, 120, 40);
        assert!(colours.content.iter().all(|cell| cell.fg == Color::Reset && cell.bg == Color::Reset));
    }
}

#[test]
fn only_the_sixteen_ansi_colours_are_used() {
    for mut app in screens() {
        let colours = buffer(&mut app, 120, 40);
        let foreign = |color| matches!(color, Color::Rgb(..) | Color::Indexed(_));
        assert!(!colours.content.iter().any(|cell| foreign(cell.fg) || foreign(cell.bg)));
    }
}

#[test]
fn the_selected_row_is_a_neutral_bar_in_which_status_and_gauge_keep_their_colours() {
    let mut app = app_of(seven());
    for (row, color) in [(0, Color::Green), (1, Color::Cyan), (3, Color::Red), (5, Color::Yellow)] {
        app.connections.select(row);
        let screen = buffer(&mut app, 120, 32);
        let y = 3 + u16::try_from(row).unwrap();
        let symbol_at = (1..119).find(|&x| ["●", "◒", "✖", "▲"].contains(&screen[(x, y)].symbol())).unwrap();
        assert_eq!(screen[(symbol_at, y)].fg, color);
        for x in 1..119 {
            let cell = &screen[(x, y)];
            let gauge = ["━", "─"].contains(&cell.symbol());
            assert_eq!(cell.modifier.contains(Modifier::REVERSED), !gauge, "{x},{y}: {cell:?}");
            assert!(x >= symbol_at || cell.fg == Color::Reset, "{x},{y}: {cell:?}");
        }
        assert_eq!(screen[(1, y)].symbol(), "▸");
    }
}

#[test]
fn the_row_of_a_pane_without_the_keyboard_is_marked_but_no_bar() {
    let mut app = app_of(seven());
    press(&mut app, "Tab");
    let screen = buffer(&mut app, 120, 32);
    assert_eq!(screen[(1, 3)].symbol(), "▸");
    assert!(!screen[(1, 3)].modifier.contains(Modifier::REVERSED));
}

#[test]
fn no_pasted_code_is_ever_on_the_screen() {
    for mut app in screens() {
        let screen = picture(&mut app, 200, 50);
        assert!(!screen.contains("Splx"), "{screen}");
    }
}

#[test]
fn escape_sequences_of_a_server_are_drawn_as_replacement_characters() {
    let mut app = app_of(seven());
    press(&mut app, "Tab Tab j j Enter");
    let screen = picture(&mut app, 80, 24);
    assert!(screen.contains("revoked\u{fffd}[2J"), "{screen}");
}

#[test]
fn a_message_fades_by_the_clock() {
    let mut app = app_of(seven());
    learn(&mut app, EventKind::RefreshFailed { problem: Problem::Cancelled }.of(name("factory")));
    assert!(picture(&mut app, 80, 24).contains("factory: cancelled"));
    let later = now() + TimeDelta::seconds(30);
    assert_eq!(update(&mut app, Msg::Tick, later), NOTHING);
    assert!(!picture(&mut app, 80, 24).contains("factory: cancelled"));
}
