//! A copy by the terminal (OSC 52): what is written so that the terminal takes all of it and paints
//! none of it.
//!
//! GNU screen reads a control string of up to 768 bytes and paints the rest of a longer one. It hands on
//! what is wrapped in a DCS, piece by piece. tmux takes OSC 52 itself, and ignores such a DCS. Where
//! either may be there, a copy is written in both forms, if both are short enough.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::domain::Secret;
use crate::terminal::osc;

/// The longest text: 100,000 bytes in base64, as xterm.js and hterm take, for a common bound.
const LONGEST: usize = 74_994;
/// The longest control string for GNU screen, with room to spare.
const SCREEN_TAKES: usize = 700;

/// What reads the sequence first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Osc52Reader {
    /// A terminal, or tmux.
    Terminal,
    Screen,
    TmuxOrScreen,
    /// Something that paints what it does not understand.
    Painter,
}

/// The sequence that has the terminal of this environment copy a text.
///
/// # Errors
/// Says why this terminal cannot take it.
pub(crate) fn sequence(text: &Secret) -> Result<Secret, String> {
    let reader = if osc::is_understood() {
        reader(|name| std::env::var(name).ok().filter(|value| !value.is_empty()))
    } else {
        Osc52Reader::Painter
    };
    sequence_for(reader, text.expose())
}

/// What the variables say. tmux and GNU screen both inherit the other's.
fn reader(variable: impl Fn(&str) -> Option<String>) -> Osc52Reader {
    let term = variable("TERM").unwrap_or_default();
    match (variable("TMUX").is_some(), variable("STY").is_some()) {
        (true, false) => Osc52Reader::Terminal,
        (false, true) => Osc52Reader::Screen,
        // Also over SSH or sudo, where neither variable arrives.
        _ if term.starts_with("screen.") => Osc52Reader::Screen,
        _ if term.starts_with("screen") => Osc52Reader::TmuxOrScreen,
        _ => Osc52Reader::Terminal,
    }
}

fn sequence_for(reader: Osc52Reader, text: &str) -> Result<Secret, String> {
    if text.len() > LONGEST {
        return Err(format!(
            "it is too long for a terminal's clipboard ({} bytes); print a token with manutop token NAME",
            text.len()
        ));
    }
    let plain = format!("\x1b]52;c;{}", STANDARD.encode(text));
    let sequence = match reader {
        Osc52Reader::Terminal => format!("{plain}\x1b\\"),
        Osc52Reader::Screen => wrapped(&plain),
        Osc52Reader::TmuxOrScreen if plain.len() <= SCREEN_TAKES => format!("{}{plain}\x1b\\", wrapped(&plain)),
        Osc52Reader::TmuxOrScreen => {
            return Err("it is too long to copy where either tmux or GNU screen may run; set TERM=tmux-256color \
                        (in tmux) or TERM=screen.xterm-256color (in GNU screen)"
                .into());
        }
        Osc52Reader::Painter => {
            return Err("this terminal has no clipboard; print a token with manutop token NAME".into());
        }
    };
    Ok(Secret::new(sequence))
}

/// In pieces that GNU screen hands on. The end is a BEL: `ESC \` would end the piece.
fn wrapped(plain: &str) -> String {
    let whole = format!("{plain}\x07");
    let mut pieces = String::with_capacity(whole.len() + whole.len() / SCREEN_TAKES * 4 + 4);
    for piece in whole.as_bytes().chunks(SCREEN_TAKES) {
        pieces.push_str("\x1bP");
        pieces.push_str(&String::from_utf8_lossy(piece));
        pieces.push_str("\x1b\\");
    }
    pieces
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Osc52Reader, reader, sequence_for};

    fn read_by(variables: &[(&str, &str)]) -> Osc52Reader {
        reader(|name| variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn the_variables_show_what_reads_the_sequence() {
        let (tmux, sty) = (("TMUX", "/tmp/x,1,0"), ("STY", "1.pts-0.host"));
        for (variables, expected) in [
            (&[("TERM", "xterm-256color")][..], Osc52Reader::Terminal),
            (&[], Osc52Reader::Terminal),
            (&[tmux, ("TERM", "screen-256color")], Osc52Reader::Terminal),
            (&[sty, ("TERM", "screen")], Osc52Reader::Screen),
            (&[sty, ("TERM", "xterm")], Osc52Reader::Screen),
            (&[("TERM", "screen.xterm-256color")], Osc52Reader::Screen),
            (&[("TERM", "screen-256color")], Osc52Reader::TmuxOrScreen),
            (&[("TERM", "screen")], Osc52Reader::TmuxOrScreen),
            (&[tmux, sty, ("TERM", "tmux-256color")], Osc52Reader::Terminal),
            (&[tmux, sty, ("TERM", "screen.xterm")], Osc52Reader::Screen),
            (&[tmux, sty, ("TERM", "screen")], Osc52Reader::TmuxOrScreen),
        ] {
            assert_eq!(read_by(variables), expected, "{variables:?}");
        }
    }

    #[test]
    fn a_terminal_gets_one_sequence() {
        // printf token | base64
        let sequence = sequence_for(Osc52Reader::Terminal, "token").unwrap();
        assert_eq!(sequence.expose(), "\x1b]52;c;dG9rZW4=\x1b\\");
        sequence_for(Osc52Reader::Terminal, &"x".repeat(LONGEST)).unwrap();
    }

    #[test]
    fn no_control_string_is_longer_than_screen_takes() {
        for (reader, length) in
            [(Osc52Reader::Screen, 5_000), (Osc52Reader::Screen, LONGEST), (Osc52Reader::TmuxOrScreen, 500)]
        {
            let sequence = sequence_for(reader, &"x".repeat(length)).unwrap();
            assert!(sequence.expose().split("\x1b\\").all(|string| string.len() < 768));
        }
    }

    #[test]
    fn what_would_be_painted_or_lost_is_refused() {
        sequence_for(Osc52Reader::TmuxOrScreen, &"x".repeat(600)).unwrap_err();
        sequence_for(Osc52Reader::Painter, "x").unwrap_err();
        for reader in [Osc52Reader::Terminal, Osc52Reader::Screen] {
            assert!(sequence_for(reader, &"x".repeat(LONGEST + 1)).unwrap_err().contains("manutop token NAME"));
        }
    }
}
