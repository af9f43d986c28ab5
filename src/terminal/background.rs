//! Asks the terminal how bright its background is, and keeps late answers from being taken for keys.
//!
//! The answer comes the way keys come, so it is asked for before anything reads them, and only for
//! a moment: many terminals answer within milliseconds, and those that do not know the question
//! answer another one that is sent along. A terminal at the end of a slow line may answer when
//! keys are read already. To a reader of keys `ESC ] 11 ; rgb:1c1c/...` is Alt-] and letters, some
//! of which refresh and copy: [`LateAnswer`] takes them out.

use std::io::{IsTerminal, stdin, stdout};
use std::thread;
use std::time::Duration;

use crossterm::event::{Event, KeyCode, KeyEvent, KeyModifiers};
use terminal_colorsaurus::{Color, QueryOptions, color_palette};
use tokio::sync::oneshot;

use crate::domain::Background;

/// How long an answer is waited for. Keys pressed in this time may be lost.
const PATIENCE: Duration = Duration::from_millis(100);

/// Asks the terminal; `None` where it does not answer, or not in time. To be called in raw mode before
/// anything waits for keys, and after the first frame, which must not wait for it. What was typed
/// ahead is to be taken in before: the question's reader drops it.
pub async fn ask() -> Option<Background> {
    if !stdin().is_terminal() || !stdout().is_terminal() {
        return None;
    }
    let (sender, answer) = oneshot::channel();
    let asking = thread::Builder::new().name("background".into()).spawn(move || {
        let mut options = QueryOptions::default();
        options.timeout = PATIENCE;
        // No one listens any more once the dashboard is leaving.
        let _ = sender.send(color_palette(options).ok());
    });
    asking.ok()?;
    let palette = answer.await.ok()??;
    Some(background(&palette.foreground, &palette.background))
}

/// The brighter one is the light: the background, or what is written on it. Where both look alike,
/// what is at least half as bright as white.
fn background(written: &Color, behind: &Color) -> Background {
    let half = brightness(&Color::rgb(u16::MAX, u16::MAX, u16::MAX)) / 2;
    let (written, behind) = (brightness(written), brightness(behind));
    if behind > written || (behind == written && behind > half) { Background::Light } else { Background::Dark }
}

/// How bright a colour looks, near enough to know which of two is brighter (luma, ITU-R BT.601). The
/// library's own measure is the only caller of `powf` in the program, for which the mathematical library
/// would be loaded at every start.
fn brightness(colour: &Color) -> u32 {
    299 * u32::from(colour.r) + 587 * u32::from(colour.g) + 114 * u32::from(colour.b)
}

/// Recognises an answer among keys: `ESC ] 10 ; rgb:…` or `ESC ] 11 ; rgb:…` up to BEL or `ESC \`.
#[derive(Debug, Default)]
pub struct LateAnswer {
    /// How much of an answer has gone by; `None` outside of one.
    within: Option<usize>,
}

impl LateAnswer {
    /// No answer is longer, in characters: `]11;rgba:` and four times four digits with three `/`.
    const LONGEST: usize = 28;

    /// Whether the event is part of an answer.
    pub fn takes(&mut self, event: &Event) -> bool {
        let Event::Key(KeyEvent { code: KeyCode::Char(character), modifiers, .. }) = *event else {
            self.within = None;
            return false;
        };
        let alt = modifiers == KeyModifiers::ALT;
        let ctrl = modifiers == KeyModifiers::CONTROL;
        let plain = !modifiers.intersects(KeyModifiers::ALT | KeyModifiers::CONTROL);
        let (takes, within) = match (self.within, character) {
            (None, ']') if alt => (true, Some(0)),
            (Some(0), '1') if plain => (true, Some(1)),
            (Some(1), '0' | '1') if plain => (true, Some(2)),
            (Some(2), ';') if plain => (true, Some(3)),
            (Some(at @ 3..Self::LONGEST), 'r' | 'g' | 'b' | 'a' | ':' | '/' | '0'..='9' | 'c'..='f' | 'A'..='F')
                if plain =>
            {
                (true, Some(at + 1))
            }
            // BEL, and what crossterm makes of `ESC \`.
            (Some(3..), 'g') if ctrl => (true, None),
            (Some(3..), '\\') if alt => (true, None),
            _ => (false, None),
        };
        self.within = within;
        takes
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(character: char, modifiers: KeyModifiers) -> Event {
        Event::Key(KeyEvent::new(KeyCode::Char(character), modifiers))
    }

    /// What is left of a late answer, with keys before and after it.
    fn left(answer: &str, end: Event) -> String {
        let plain = |character| key(character, KeyModifiers::NONE);
        let events = ['j', 'r'].map(plain).into_iter().chain([key(']', KeyModifiers::ALT)]);
        let events = events.chain(answer.chars().map(plain)).chain([end]).chain(['c', 'q'].map(plain));
        let mut late = LateAnswer::default();
        let passed = events.filter(|event| !late.takes(event));
        passed.filter_map(|event| event.as_key_event().and_then(|key| key.code.as_char())).collect()
    }

    #[test]
    fn the_brighter_one_is_the_light() {
        let colour = |[r, g, b]: [u16; 3]| Color::rgb(r * 257, g * 257, b * 257);
        let of = |written, behind| background(&colour(written), &colour(behind));
        assert_eq!(of([255, 255, 255], [0, 0, 0]), Background::Dark);
        assert_eq!(of([0x58, 0x6e, 0x75], [0xfd, 0xf6, 0xe3]), Background::Light, "Solarized light");
        assert_eq!(of([0x83, 0x94, 0x96], [0x00, 0x2b, 0x36]), Background::Dark, "Solarized dark");
        assert_eq!(of([0, 0, 255], [0, 128, 0]), Background::Light, "green is brighter than blue");
        assert_eq!(of([255, 255, 255], [255, 255, 255]), Background::Light);
        assert_eq!(of([0, 0, 0], [0, 0, 0]), Background::Dark);
    }

    #[test]
    fn an_answer_that_comes_late_presses_no_key() {
        let (bell, st) = (key('g', KeyModifiers::CONTROL), key('\\', KeyModifiers::ALT));
        assert_eq!(left("11;rgb:1c1c/2Ab0/ffff", bell.clone()), "jrcq");
        assert_eq!(left("10;rgb:cccc/cccc/cccc", st), "jrcq");
        assert_eq!(left("11;rgba:0000/0000/0000/ffff", bell), "jrcq");
    }

    #[test]
    fn keys_are_not_taken_for_an_answer() {
        let enter = || Event::Key(KeyEvent::new(KeyCode::Enter, KeyModifiers::NONE));
        assert_eq!(left("", enter()), "jrcq", "Alt-] alone means nothing here");
        assert_eq!(left("R", enter()), "jrRcq");
        assert_eq!(left("1t", enter()), "jrtcq");
        let endless = left(&format!("11;{}", "1".repeat(60)), enter());
        assert_eq!(endless.len(), 60 - (LateAnswer::LONGEST - 3) + 4, "{endless}");
    }
}
