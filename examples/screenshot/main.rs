//! Takes a picture of a terminal program: runs it in a real pseudo-terminal, presses keys, and
//! writes what its screen then holds as an SVG. `scripts/pictures` makes the README's with it. One
//! of your own, or with no `--out` the screen's text:
//!
//! ```sh
//! cargo run --example screenshot -- --wait misconfigured --out screen.svg -- target/debug/manutop demo
//! ```

mod glyphs;
mod svg;

use std::io::{Read, Write};
use std::num::NonZeroU16;
use std::path::PathBuf;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use clap::Parser;
use eyre::{Result, bail, eyre};
use portable_pty::{CommandBuilder, PtySize, native_pty_system};

/// Takes a picture of a terminal program.
#[derive(Parser)]
struct Arguments {
    /// Columns and rows of the terminal.
    #[arg(long, default_value = "120x32", value_parser = parse_size)]
    size: (NonZeroU16, NonZeroU16),
    /// Text to wait for; repeatable. The n-th --keys follow the n-th --wait.
    #[arg(long, value_name = "TEXT")]
    wait: Vec<String>,
    /// Keys to press, with \r, \t, \e and \\ for Enter, Tab, Escape and backslash; repeatable.
    #[arg(long, value_parser = parse_keys, allow_hyphen_values = true)]
    keys: Vec<Vec<u8>>,
    /// How long the screen is let go on after the last key, in milliseconds.
    #[arg(long, default_value_t = 700)]
    settle: u64,
    /// How long each text is waited for, in seconds.
    #[arg(long, default_value_t = 20)]
    timeout: u64,
    /// A light palette in place of the dark one.
    #[arg(long)]
    light: bool,
    /// A description for people who cannot see the picture.
    #[arg(long, default_value = "a terminal screen")]
    title: String,
    /// The picture to write; without it the screen's text goes to standard output.
    #[arg(long)]
    out: Option<PathBuf>,
    /// The program and its arguments.
    #[arg(last = true, required = true)]
    command: Vec<String>,
}

fn parse_size(text: &str) -> Result<(NonZeroU16, NonZeroU16), String> {
    let (columns, rows) = text.split_once('x').ok_or("write it as 120x32")?;
    let number = |text: &str| text.parse().map_err(|_| format!("{text:?} is not a number above 0"));
    Ok((number(columns)?, number(rows)?))
}

fn parse_keys(text: &str) -> Result<Vec<u8>, String> {
    let mut keys = String::new();
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        keys.push(match character {
            '\\' => match characters.next() {
                Some('r' | 'n') => '\r',
                Some('t') => '\t',
                Some('e') => '\x1b',
                Some('\\') => '\\',
                other => return Err(format!("unknown escape: \\{}", other.map_or(String::new(), String::from))),
            },
            plain => plain,
        });
    }
    Ok(keys.into_bytes())
}

fn main() -> Result<()> {
    let arguments = Arguments::parse();
    let screen = capture(&arguments)?;
    match &arguments.out {
        Some(out) => std::fs::write(out, svg::picture(&screen, arguments.light, &arguments.title))?,
        None => println!("{}", screen.contents()),
    }
    Ok(())
}

/// Runs the program, plays the waits and keys, and returns its last screen.
fn capture(arguments: &Arguments) -> Result<vt100::Screen> {
    let (columns, rows) = arguments.size;
    let size = PtySize { rows: rows.get(), cols: columns.get(), pixel_width: 0, pixel_height: 0 };
    let pair = native_pty_system().openpty(size).map_err(|error| eyre!("no pseudo-terminal: {error}"))?;
    let mut command = CommandBuilder::new(program(&arguments.command[0])?);
    command.args(&arguments.command[1..]);
    command.cwd(std::env::current_dir()?);
    command.env("TERM", "xterm-256color");
    command.env("COLORTERM", "truecolor");
    // The picture is of the program as it greets a person at their desk.
    for name in ["NO_COLOR", "SSH_CONNECTION", "SSH_TTY"] {
        command.env_remove(name);
    }
    let mut child = pair.slave.spawn_command(command).map_err(|error| eyre!("{}: {error}", arguments.command[0]))?;
    drop(pair.slave);
    let output = read_in_background(pair.master.try_clone_reader().map_err(|error| eyre!("{error}"))?);
    let mut keyboard = pair.master.take_writer().map_err(|error| eyre!("{error}"))?;
    let mut parser = vt100::Parser::new(rows, columns, 0);

    for at in 0..arguments.wait.len().max(arguments.keys.len()) {
        if let Some(text) = arguments.wait.get(at) {
            let limit = Duration::from_secs(arguments.timeout);
            if !show(&mut parser, &output, limit, |screen| screen.contents().contains(text.as_str())) {
                child.kill()?;
                bail!("{text:?} did not appear; the screen is:\n{}", parser.screen().contents());
            }
        }
        if let Some(keys) = arguments.keys.get(at) {
            keyboard.write_all(keys)?;
            keyboard.flush()?;
        }
    }
    show(&mut parser, &output, Duration::from_millis(arguments.settle), |_| false);
    let screen = parser.screen().clone();
    // The program may have exited on its own already.
    let _ = child.kill();
    child.wait()?;
    Ok(screen)
}

/// A path as the shell understands it; a bare name is looked for in `$PATH`.
fn program(name: &str) -> Result<PathBuf> {
    let path = PathBuf::from(name);
    Ok(if path.components().count() > 1 { std::path::absolute(path)? } else { path })
}

fn read_in_background(mut reader: Box<dyn Read + Send>) -> Receiver<Vec<u8>> {
    let (sender, output) = mpsc::channel();
    std::thread::spawn(move || {
        let mut buffer = [0; 16 * 1024];
        while let Ok(read @ 1..) = reader.read(&mut buffer) {
            if sender.send(buffer[..read].to_vec()).is_err() {
                break;
            }
        }
    });
    output
}

/// Feeds the screen until it satisfies the condition (true), or the time or the program is over.
fn show(
    parser: &mut vt100::Parser,
    output: &Receiver<Vec<u8>>,
    limit: Duration,
    condition: impl Fn(&vt100::Screen) -> bool,
) -> bool {
    let deadline = Instant::now() + limit;
    while !condition(parser.screen()) {
        match output.recv_timeout(deadline.saturating_duration_since(Instant::now())) {
            Ok(bytes) => parser.process(&bytes),
            Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => return false,
        }
    }
    true
}
