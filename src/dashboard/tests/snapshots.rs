//! Pictures of the screen, one per state that matters. Reviewed by eye.

use crossterm::event::Event as InputEvent;
use ratatui::Terminal;
use ratatui::backend::TestBackend;
use ratatui::buffer::Buffer;

use crate::dashboard::draw::draw;
use crate::dashboard::fixtures::*;
use crate::dashboard::theme::ascii;
use crate::dashboard::{App, Msg, update};
use crate::domain::{CopiedTo, CopyWhat, Event, EventKind, Holding, HostEvent, Inspection, Problem, TokenForm};
use crate::request_log::query::{LogAnswer, LogPosition, Page, PageId};

/// The screen at a size.
pub(crate) fn buffer(app: &mut App, width: u16, height: u16) -> Buffer {
    assert_eq!(update(app, Msg::Input(InputEvent::Resize(width, height)), now()), NOTHING);
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| draw(frame, app, now())).unwrap();
    terminal.backend().buffer().clone()
}

/// The screen as text, without the blanks at the ends of lines.
pub(crate) fn picture(app: &mut App, width: u16, height: u16) -> String {
    text(&buffer(app, width, height))
}

pub(crate) fn text(buffer: &Buffer) -> String {
    let lines = buffer.content.chunks(usize::from(buffer.area.width).max(1));
    let lines = lines.map(|line| {
        let line: String = line.iter().map(ratatui::buffer::Cell::symbol).collect();
        line.trim_end().to_owned() + "\n"
    });
    lines.collect()
}

/// Every kind of screen there is.
pub(crate) fn screens() -> Vec<App> {
    let mut screens = vec![app_of(vec![]), app_of(seven()), app_of(every_status())];
    for keys in [
        "?",
        "C",
        "C r",
        "o",
        "Enter",
        "Tab Tab Enter",
        "/ x",
        "f",
        "Tab",
        "Tab Tab",
        ":",
        ": x",
        ": t h e m e Space",
        "? / x",
        "s s s",
        "p Left",
        "* o",
        "s n Space / f",
    ] {
        let mut app = app_of(seven());
        press(&mut app, keys);
        learn(&mut app, Event::Host(HostEvent::ClipboardCleared));
        screens.push(app);
    }
    for redirect in [loopback(), pasted()] {
        let mut app = app_of(vec![logging_in("archive", redirect, Some(Err("no display — none".into())))]);
        press(&mut app, "l");
        paste(&mut app, "SplxlOBeZQQYbYS6WxSbIA");
        screens.push(app);
    }
    let mut app = app_of(vec![unsaved(manu("factory", 1700))]);
    press(&mut app, "q");
    screens.push(app);
    screens
}

#[test]
fn main_screen_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(seven());
        insta::assert_snapshot!(format!("main_{width}x{height}"), picture(&mut app, width, height));
    }
}

#[test]
fn the_header_says_that_notifications_are_off() {
    let headers: String = [60, 80, 120]
        .map(|width| {
            let mut app = app_of(seven());
            app.toggle_quiet();
            picture(&mut app, width, 15).lines().take(1).map(|line| line.to_owned() + "\n").collect::<String>()
        })
        .concat();
    insta::assert_snapshot!("quiet_headers", headers);
}

#[test]
fn every_status_in_the_table() {
    let mut app = app_of(every_status());
    insta::assert_snapshot!("statuses_120x40", picture(&mut app, 120, 40));
    let mut app = app_of(every_status());
    insta::assert_snapshot!("statuses_60x40", picture(&mut app, 60, 40));
}

#[test]
fn details_of_every_status_say_what_fixes_it() {
    let mut pictures = String::new();
    for view in every_status() {
        let mut app = app_of(vec![view]);
        let screen = picture(&mut app, 80, 24);
        let details = screen.lines().skip(7).take(14).map(|line| line.chars().take(34).collect::<String>() + "\n");
        pictures.extend(details);
    }
    insta::assert_snapshot!("details_of_every_status", pictures);
}

#[test]
fn login_dialog_with_a_listener() {
    let mut app = app_of(vec![manu("factory", 1443), logging_in("archive", loopback(), Some(Ok(())))]);
    press(&mut app, "j l");
    insta::assert_snapshot!("login_loopback_80x24", picture(&mut app, 80, 24));
    insta::assert_snapshot!("login_loopback_120x32", picture(&mut app, 120, 32));
}

#[test]
fn login_dialog_for_a_pasted_answer_that_was_refused() {
    let no_browser = Some(Err("this is an SSH session".into()));
    let mut app = app_of(vec![manu("factory", 1443), logging_in("archive", pasted(), no_browser)]);
    press(&mut app, "j l");
    paste(&mut app, "https://www.getpostman.com/oauth2/callback?code=SplxlOBeZQQYbYS6WxSbIA&state=wrong");
    let why = "its state is not the one of this login; was it copied from an older try?".into();
    learn(&mut app, EventKind::AnswerRefused { why }.of(name("archive")));
    let screen = picture(&mut app, 80, 24);
    assert!(!screen.contains("Splx"), "the code is readable:\n{screen}");
    insta::assert_snapshot!("login_pasted_80x24", screen);
    insta::assert_snapshot!("login_pasted_60x15", picture(&mut app, 60, 15));
}

#[test]
fn the_demo_s_menu_of_things_to_break() {
    let mut app = app_of(seven());
    app.options.demo = true;
    press(&mut app, "F");
    insta::assert_snapshot!("fault_menu_80x24", picture(&mut app, 80, 24));
    press(&mut app, "j j j j j j j j j j j");
    insta::assert_snapshot!("fault_menu_60x15", picture(&mut app, 60, 15));
}

#[test]
fn every_step_of_the_tour_at_every_size() {
    for (width, height) in [(60, 15), (80, 24), (120, 32)] {
        let mut app = app_of(seven());
        app.options.demo = true;
        let mut app = app.with_tour(now());
        let mut pictures = String::new();
        while let Some(panel) = app.tour_panel() {
            let screen = picture(&mut app, width, height);
            assert!(screen.contains(panel.title), "{screen}");
            // The first steps whole; of the others, what is the tour's.
            let skip = if panel.number < 4 { 0 } else { usize::from(height) - 6 };
            pictures.extend(screen.lines().skip(skip).map(|line| format!("{line}\n")));
            press(&mut app, "Right");
        }
        insta::assert_snapshot!(format!("tour_{width}x{height}"), pictures);
    }
}

#[test]
fn dialogs() {
    let mut app = app_of(seven());
    press(&mut app, "C j");
    insta::assert_snapshot!("copy_menu", picture(&mut app, 80, 24));
    press(&mut app, "r");
    insta::assert_snapshot!("confirm_copy", picture(&mut app, 80, 24));
    press(&mut app, "n o");
    insta::assert_snapshot!("confirm_logout", picture(&mut app, 60, 15));
    let uncertain = Problem::Uncertain { why: "process 4711 sent it and no answer was recorded".into() };
    let mut app = app_of(vec![with_problem(manu("factory", -5), uncertain)]);
    press(&mut app, "R");
    for (width, height) in [(60, 15), (120, 32)] {
        insta::assert_snapshot!(format!("send_again_{width}x{height}"), picture(&mut app, width, height));
    }
    let mut app = app_of(vec![unsaved(manu("factory", 1700)), unsaved(manu("warehouse", 1700))]);
    press(&mut app, "q");
    insta::assert_snapshot!("confirm_quit", picture(&mut app, 80, 24));
    let mut app = app_of(seven());
    press(&mut app, "G l");
    let why = "needs login: 400 invalid_grant: The code is unknown, expired or was used before".into();
    learn(&mut app, EventKind::LoginFailed { why, problem: None }.of(name("archive")));
    insta::assert_snapshot!("login_failed", picture(&mut app, 80, 24));
}

#[test]
fn whose_tokens_these_are() {
    let asks = |size: (u16, u16)| {
        let mut app = app_of(vec![manu("factory", 1443), logging_in("archive", loopback(), Some(Ok(())))]);
        press(&mut app, "j l");
        learn(&mut app, EventKind::SubjectChanged { change: Box::new(other_subject()) }.of(name("archive")));
        picture(&mut app, size.0, size.1)
    };
    let shows = |size: (u16, u16), keys: &str| {
        let mut view = manu("factory", 1443);
        if let Holding::Tokens { facts, .. } = &mut view.holding {
            facts.subject = Some(other_subject().held);
        }
        let mut app = app_of(vec![view]);
        picture(&mut app, size.0, size.1);
        press(&mut app, keys);
        picture(&mut app, size.0, size.1)
    };
    for (width, height) in [(60, 15), (120, 32)] {
        insta::assert_snapshot!(format!("subject_question_{width}x{height}"), asks((width, height)));
        insta::assert_snapshot!(format!("subject_details_{width}x{height}"), shows((width, height), "Enter"));
    }
    assert!(shows((120, 32), "k").contains("ada@example.com · sub 7"), "in the pane, too");
}

#[test]
fn welcome() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(vec![]);
        insta::assert_snapshot!(format!("welcome_{width}x{height}"), picture(&mut app, width, height));
        learn(&mut app, Event::FilesOffered);
        learn(&mut app, Event::StoreChanged(Err("no secret store can be reached".into())));
        insta::assert_snapshot!(format!("no_keyring_{width}x{height}"), picture(&mut app, width, height));
        press(&mut app, "n");
        insta::assert_snapshot!(format!("no_keyring_asked_{width}x{height}"), picture(&mut app, width, height));
    }
}

#[test]
fn request_and_connection_details() {
    let mut app = app_of(seven());
    press(&mut app, "Tab Tab j j Enter");
    insta::assert_snapshot!("request_80x24", picture(&mut app, 80, 24));
    press(&mut app, "Esc Tab Enter");
    insta::assert_snapshot!("connection_120x32", picture(&mut app, 120, 32));
    let event = EventKind::Inspected { inspection: Box::new(inspection()) }.of(name("factory"));
    learn(&mut app, event);
    insta::assert_snapshot!("connection_inspected_200x50", picture(&mut app, 200, 50));
    insta::assert_snapshot!("connection_inspected_80x24", picture(&mut app, 80, 24));
    picture(&mut app, 60, 15);
    press(&mut app, "PgDn PgDn");
    insta::assert_snapshot!("connection_inspected_60x15", picture(&mut app, 60, 15));
    press(&mut app, "Esc j j j Enter");
    let history = Err("reading /home/ada/.local/share/manutop/history/sandbox.jsonl failed: Permission denied".into());
    let inspection = Box::new(Inspection { history, token: TokenForm::Opaque });
    learn(&mut app, EventKind::Inspected { inspection }.of(name("sandbox")));
    insta::assert_snapshot!("connection_refused_100x32", picture(&mut app, 100, 32));
    press(&mut app, "Esc k k k");
    press(&mut app, "Esc j j j");
    let screen = picture(&mut app, 120, 50);
    assert!(screen.contains("13:58:40 ✖ 400 invalid_grant"), "a blank on either side of the symbol:\n{screen}");
}

#[test]
fn a_filter_being_typed_and_a_frozen_log() {
    let mut app = app_of(seven());
    press(&mut app, "f / m a n u s");
    learn(&mut app, Event::RequestLogged(Box::new(request("factory", 0))));
    insta::assert_snapshot!("filter_and_freeze", picture(&mut app, 120, 24));
    press(&mut app, "z z");
    insta::assert_snapshot!("filter_without_matches", picture(&mut app, 60, 15));
}

#[test]
fn a_log_that_continues_on_disk() {
    let mut app = app_of(seven());
    let take_answer = |app: &mut App, news| update(app, Msg::Log(news), now());
    let place = LogPosition { segment: 3, offset: 4711 };
    assert_eq!(
        take_answer(&mut app, LogAnswer::Opened { rows: Vec::new(), place }).len(),
        1,
        "it is asked how much there is"
    );
    let page = |segment, end, count| Page { id: PageId { segment, end }, entries: count, count, rows: None };
    let pages = vec![page(3, Some(4711), 900), page(2, None, 2400)];
    let back_to = Some(now() - chrono::TimeDelta::hours(3));
    let found = LogAnswer::Found { question: 1, pages, back_to, goes_on: true, ended: false };
    assert_eq!(take_answer(&mut app, found), NOTHING);
    press(&mut app, "S-Tab PgDn");
    insta::assert_snapshot!("log_on_disk_searched", picture(&mut app, 120, 32));
    let rest = LogAnswer::Found { question: 1, pages: Vec::new(), back_to: None, goes_on: false, ended: false };
    assert_eq!(take_answer(&mut app, rest).len(), 1, "the rows that are seen are read");
    assert_eq!(take_answer(&mut app, LogAnswer::Failed { why: "input/output error".into() }), NOTHING);
    insta::assert_snapshot!("log_on_disk_unreadable", picture(&mut app, 80, 24));
}

#[test]
fn banner_and_message() {
    let mut app = app_of(seven());
    learn(&mut app, Event::StoreChanged(Err("the keyring is locked; unlock it".into())));
    learn(
        &mut app,
        Event::Host(HostEvent::Copied {
            connection: name("factory"),
            what: CopyWhat::AccessToken,
            to: CopiedTo::Clipboard,
            cleared_after: Some(std::time::Duration::from_secs(45)),
        }),
    );
    insta::assert_snapshot!("banner_and_message", picture(&mut app, 100, 24));
}

#[test]
fn a_screen_that_is_too_small_says_so() {
    insta::assert_snapshot!("too_small", picture(&mut app_of(seven()), 40, 10));
    for (width, height) in [(1, 1), (0, 0), (5, 200), (200, 2)] {
        picture(&mut app_of(seven()), width, height);
    }
}

#[test]
fn found_letters_marks_and_the_order_in_the_table() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(seven());
        press(&mut app, "s s Space j Space / a c Enter");
        insta::assert_snapshot!(format!("marked_{width}x{height}"), picture(&mut app, width, height));
    }
    let mut app = app_of(seven());
    press(&mut app, "s s Space j Space G");
    insta::assert_snapshot!("sorted_120x32", picture(&mut app, 120, 32));
}

#[test]
fn groups_folded_and_not() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(seven());
        press(&mut app, "p j j Space g Left");
        insta::assert_snapshot!(format!("groups_{width}x{height}"), picture(&mut app, width, height));
    }
    let mut app = app_of(seven());
    press(&mut app, "p s n");
    insta::assert_snapshot!("groups_unfolded_100x24", picture(&mut app, 100, 24));
}

#[test]
fn palette_and_sort_menu() {
    for (width, height) in [(60, 15), (80, 24), (120, 32), (200, 50)] {
        let mut app = app_of(seven());
        press(&mut app, ":");
        insta::assert_snapshot!(format!("palette_{width}x{height}"), picture(&mut app, width, height));
        press(&mut app, "r e f t o");
        insta::assert_snapshot!(format!("palette_typed_{width}x{height}"), picture(&mut app, width, height));
        press(&mut app, "C-u t h e m e Space");
        insta::assert_snapshot!(format!("palette_argument_{width}x{height}"), picture(&mut app, width, height));
    }
    let mut app = app_of(seven());
    press(&mut app, ": t h e m e Space d r a k");
    insta::assert_snapshot!("palette_fault_60x15", picture(&mut app, 60, 15));
    let mut app = app_of(seven());
    press(&mut app, "s s s");
    insta::assert_snapshot!("sort_menu_60x15", picture(&mut app, 60, 15));
    press(&mut app, "Esc * / f a c Enter o");
    insta::assert_snapshot!("confirm_logout_marked_80x24", picture(&mut app, 80, 24));
}

#[test]
fn ascii_mode_draws_nothing_but_ascii() {
    for mut app in screens() {
        let screen = picture(&mut app, 120, 40);
        let lost = screen.chars().find(|c| !c.is_ascii() && *c != '\u{fffd}' && ascii(*c) == '?');
        assert_eq!(lost, None, "a symbol without an ASCII counterpart:\n{screen}");
        app.options.ascii = true;
        let screen = picture(&mut app, 120, 40);
        assert!(screen.is_ascii(), "{screen}");
    }
    let mut app = app_of(every_status());
    app.options.ascii = true;
    insta::assert_snapshot!("ascii_100x32", picture(&mut app, 100, 32));
}

#[test]
fn on_a_low_screen_a_message_leaves_the_keys_in_sight() {
    let mut app = app_of(seven());
    let why = "invalid_grant: The refresh token is unknown, expired, revoked or was used before".into();
    learn(&mut app, EventKind::RefreshFailed { problem: Problem::NeedsLogin { why } }.of(name("factory")));
    let screen = picture(&mut app, 60, 15);
    assert!(screen.contains("✖ factory: needs login") && screen.contains("q quit"), "{screen}");
    insta::assert_snapshot!("message_60x15", screen);
}

#[test]
fn the_passphrase_dialogs_show_dots_only() {
    let locked = Problem::PassphraseNeeded { why: "the encrypted store waits for its passphrase".into() };
    let view = crate::domain::ConnectionView { problem: Some(locked), ..fresh("archive") };
    let mut app = app_of(vec![view]);
    learn(&mut app, Event::PassphraseAsked { new: false, refused: Some("the passphrase is wrong".into()) });
    insta::assert_snapshot!("unlock_80x24", picture(&mut app, 80, 24));
    press(&mut app, "h u n t e r 2");
    let screen = picture(&mut app, 80, 24);
    assert!(screen.contains("▸ ••••••• ") && !screen.contains("hunter"), "{screen}");
    press(&mut app, "Esc");
    insta::assert_snapshot!("left_locked_80x24", picture(&mut app, 80, 24));
    let mut app = app_of(seven());
    learn(&mut app, Event::PassphraseAsked { new: true, refused: None });
    insta::assert_snapshot!("make_store_60x15", picture(&mut app, 60, 15));
}
