//! What a terminal sends, made into keys, mouse, focus, pasted text, and reports of its colours.
//!
//! A sequence may come in several pieces, and a piece may hold several. Only when nothing more is
//! there is a lone escape the key of that name: until then it may begin a sequence. Invariant: no
//! more than `LONGEST` bytes of what has not ended are held, whatever is pasted.

use std::collections::VecDeque;

use crossterm::event::{Event, KeyCode};
use terminput_crossterm::to_crossterm;

use crate::domain::Background;
use crate::terminal::background::LateAnswer;
use crate::terminal::terminal_event::TerminalEvent;

/// The longest sequence, that is the longest pasted text, in bytes. Of a longer one the rest is left out.
const LONGEST: usize = 1024 * 1024;
/// What ends a pasted text.
const PASTE_ENDS: &[u8] = b"\x1b[201~";
const ESCAPE: &[u8] = b"\x1b";

/// Bytes in, events out.
#[derive(Debug, Default)]
pub(crate) struct Decoder {
    /// The beginning of a sequence.
    begun: Vec<u8>,
    late: LateAnswer,
    events: VecDeque<TerminalEvent>,
}

impl Decoder {
    /// Takes in what came.
    pub(crate) fn take(&mut self, bytes: &[u8]) {
        for byte in bytes {
            if self.begun == ESCAPE && *byte == ESCAPE[0] {
                self.push(Event::Key(KeyCode::Esc.into()));
                continue;
            }
            self.begun.push(*byte);
            if self.begun == ESCAPE {
                continue;
            }
            if self.begun.len() > LONGEST {
                // What ends it is still to be seen.
                self.begun.remove(LONGEST - PASTE_ENDS.len());
            }
            if is_report(&self.begun) {
                self.events.extend(reported(&self.begun).map(TerminalEvent::Background));
                self.begun.clear();
                continue;
            }
            match terminput::Event::parse_from(&self.begun) {
                Ok(None) => continue,
                Ok(Some(event)) => {
                    if let Ok(event) = to_crossterm(event) {
                        self.push(event);
                    }
                }
                // Nothing that means anything here.
                Err(_) => {}
            }
            self.begun.clear();
        }
    }

    /// Nothing more is there for now.
    pub(crate) fn pause(&mut self) {
        if self.begun == ESCAPE {
            self.begun.clear();
            self.push(Event::Key(KeyCode::Esc.into()));
        }
    }

    /// The next event, the first to come first.
    pub(crate) fn next(&mut self) -> Option<TerminalEvent> {
        self.events.pop_front()
    }

    /// Whether there is no event.
    pub(crate) fn is_empty(&self) -> bool {
        self.events.is_empty()
    }

    fn push(&mut self, event: Event) {
        if !self.late.takes(&event) {
            self.events.push_back(event.into());
        }
    }
}

/// Whether it is a whole report of the terminal's state (`CSI ? … n`), for whose end the parser would wait for ever.
fn is_report(sequence: &[u8]) -> bool {
    let within = sequence.strip_prefix(b"\x1b[?").and_then(|rest| rest.strip_suffix(b"n"));
    within.is_some_and(|within| within.iter().all(|byte| byte.is_ascii_digit() || *byte == b';'))
}

/// What a report of the terminal's colours says: `CSI ? 997 ; 1 n` is dark, `2` is light.
fn reported(sequence: &[u8]) -> Option<Background> {
    match sequence {
        b"\x1b[?997;1n" => Some(Background::Dark),
        b"\x1b[?997;2n" => Some(Background::Light),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use crossterm::event::{KeyEvent, KeyModifiers, MouseButton, MouseEvent, MouseEventKind};
    use proptest::prelude::*;

    use super::*;

    /// The events of pieces that come one after another.
    fn events<'a>(pieces: impl IntoIterator<Item = &'a [u8]>) -> Vec<Event> {
        let mut decoder = Decoder::default();
        for piece in pieces {
            decoder.take(piece);
        }
        decoder.pause();
        inputs(&mut decoder).collect()
    }

    fn inputs(decoder: &mut Decoder) -> impl Iterator<Item = Event> {
        std::iter::from_fn(|| decoder.next()).map(|event| match event {
            TerminalEvent::Input(event) => event,
            TerminalEvent::Background(background) => panic!("{background:?}"),
        })
    }

    fn key(code: KeyCode, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(code, modifiers))
    }

    fn char(character: char) -> Event {
        key(KeyCode::Char(character), KeyModifiers::NONE)
    }

    #[test]
    fn each_sequence_is_one_event() {
        let click = MouseEventKind::Down(MouseButton::Left);
        let click = Event::Mouse(MouseEvent { kind: click, column: 4, row: 2, modifiers: KeyModifiers::NONE });
        for (bytes, event) in [
            ("j", char('j')),
            ("R", key(KeyCode::Char('R'), KeyModifiers::SHIFT)),
            ("ä", char('ä')),
            ("日", char('日')),
            ("\r", key(KeyCode::Enter, KeyModifiers::NONE)),
            ("\t", key(KeyCode::Tab, KeyModifiers::NONE)),
            ("\x7f", key(KeyCode::Backspace, KeyModifiers::NONE)),
            ("\x03", key(KeyCode::Char('c'), KeyModifiers::CONTROL)),
            ("\x1a", key(KeyCode::Char('z'), KeyModifiers::CONTROL)),
            ("\x1b", key(KeyCode::Esc, KeyModifiers::NONE)),
            ("\x1bx", key(KeyCode::Char('x'), KeyModifiers::ALT)),
            ("\x1b[A", key(KeyCode::Up, KeyModifiers::NONE)),
            ("\x1bOB", key(KeyCode::Down, KeyModifiers::NONE)),
            ("\x1b[1;5C", key(KeyCode::Right, KeyModifiers::CONTROL)),
            ("\x1b[Z", key(KeyCode::BackTab, KeyModifiers::SHIFT)),
            ("\x1b[5~", key(KeyCode::PageUp, KeyModifiers::NONE)),
            ("\x1b[15~", key(KeyCode::F(5), KeyModifiers::NONE)),
            ("\x1b[<0;5;3M", click),
            ("\x1b[I", Event::FocusGained),
            ("\x1b[200~q\x1b[A\r日\x1b[201~", Event::Paste("q\x1b[A\r日".into())),
        ] {
            assert_eq!(events([bytes.as_bytes()]), [event], "{bytes:?}");
        }
    }

    #[test]
    fn what_means_nothing_is_passed_over() {
        for bytes in ["\x1b[?62;22c", "\x1b[>1u", "\x1b]11;rgb:1c1c/1c1c/1c1c\x07", "\x1b[<999;5;3M"] {
            let (mut decoder, bytes) = (Decoder::default(), format!("{bytes}q"));
            decoder.take(bytes.as_bytes());
            let last = inputs(&mut decoder).last();
            assert_eq!(last, Some(char('q')), "{bytes:?}");
        }
        assert_eq!(events([&b"\xff\xc3q"[..], b"j"]), [char('j')], "no character begins so");
    }

    #[test]
    fn escape_is_a_key_only_when_nothing_follows() {
        let escape = || key(KeyCode::Esc, KeyModifiers::NONE);
        assert_eq!(events([&b"\x1b"[..], b"[A"]), [key(KeyCode::Up, KeyModifiers::NONE)]);
        assert_eq!(events([&b"\x1b\x1b"[..]]), [escape(), escape()]);
        assert_eq!(events([&b"\x1b\x1b[A"[..]]), [escape(), key(KeyCode::Up, KeyModifiers::NONE)]);
        let mut decoder = Decoder::default();
        decoder.take(b"\x1b");
        assert!(decoder.is_empty());
        decoder.pause();
        decoder.take(b"j");
        assert_eq!(inputs(&mut decoder).collect::<Vec<_>>(), [escape(), char('j')]);
    }

    #[test]
    fn only_whole_reports_of_dark_or_light_count() {
        assert_eq!(reported(b"\x1b[?997;1n"), Some(Background::Dark));
        assert_eq!(reported(b"\x1b[?997;2n"), Some(Background::Light));
        for other in [&b"\x1b[?997;3n"[..], b"\x1b[?997;1", b"\x1b[?998;1n", b""] {
            assert_eq!(reported(other), None, "{other:?}");
        }
    }

    #[test]
    fn a_report_of_dark_or_light_is_no_key_however_it_is_cut() {
        let bytes = b"j\x1b[?997;1nk\x1b[?997;2n\x1b[?997;3nl";
        for cut in 0..=bytes.len() {
            let mut decoder = Decoder::default();
            decoder.take(&bytes[..cut]);
            decoder.take(&bytes[cut..]);
            let wanted = [
                char('j').into(),
                TerminalEvent::Background(Background::Dark),
                char('k').into(),
                TerminalEvent::Background(Background::Light),
                char('l').into(),
            ];
            assert_eq!(std::iter::from_fn(|| decoder.next()).collect::<Vec<_>>(), wanted, "{cut}");
        }
    }

    #[test]
    fn an_endless_paste_is_cut_and_ends_where_it_ends() {
        let text = "x".repeat(LONGEST + 1000);
        let found = events([b"\x1b[200~", text.as_bytes(), PASTE_ENDS, b"j"]);
        let [Event::Paste(pasted), last] = &found[..] else { panic!("{} events", found.len()) };
        assert_eq!((pasted.len(), last), (LONGEST - 2 * PASTE_ENDS.len(), &char('j')));
        assert!(pasted.bytes().all(|byte| byte == b'x'));
    }

    proptest! {
        #[test]
        fn how_it_comes_in_pieces_makes_no_difference(
            parts in proptest::collection::vec(prop_oneof![
                "[a-zA-Z0-9äß日 ]{1,4}",
                Just("\x1b[A".to_owned()),
                Just("\x1bOP".to_owned()),
                Just("\x1bx".to_owned()),
                Just("\x1b[<64;10;20M".to_owned()),
                Just("\x1b[97;5u".to_owned()),
                "[a-z\x1b\r]{0,9}".prop_map(|text| format!("\x1b[200~{text}\x1b[201~")),
                "\\PC{0,6}",
            ], 0..12),
            cuts in proptest::collection::vec(0_usize..100, 0..6),
        ) {
            let bytes = parts.concat().into_bytes();
            let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).chain([0, bytes.len()]).collect();
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|cut| &bytes[cut[0]..cut[1]]);
            prop_assert_eq!(events(pieces), events([&bytes[..]]));
        }
    }
}
