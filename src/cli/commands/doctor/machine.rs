//! What manutop is run on: the browser, the clipboard, the terminal.

use std::io::IsTerminal;

use crate::cli::commands::dashboard::locale_is_utf8;
use crate::cli::commands::doctor::Check;
use crate::dashboard_loop::appearance::depth;
use crate::domain::Depth;
use crate::platform::environment::Environment;

/// The smallest terminal the dashboard is useful on.
const SMALLEST: (u16, u16) = (60, 15);

pub(crate) fn checks(environment: &Environment) -> Vec<Check> {
    vec![browser(environment), clipboard(environment), terminal()]
}

fn browser(environment: &Environment) -> Check {
    let name = "browser";
    let by_hand = "open the login URL on any machine and paste the final URL";
    match &environment.browser {
        _ if environment.ssh => Check::warn(name, "no browser is started over SSH", by_hand),
        Some(command) => Check::ok(name, format!("BROWSER={}", command.to_string_lossy())),
        None if environment.display => Check::ok(name, "the desktop's own"),
        None => Check::warn(name, "there is no display", by_hand),
    }
}

fn clipboard(environment: &Environment) -> Check {
    let name = "clipboard";
    if environment.ssh || !environment.display {
        let why = if environment.ssh { "over SSH" } else { "without a display" };
        return Check::warn(
            name,
            format!("{why} copies go to the terminal (OSC 52), which does not confirm them"),
            "in tmux: set -s set-clipboard on; other terminals have an option for it",
        );
    }
    Check::ok(name, "the desktop's own")
}

fn terminal() -> Check {
    let name = "terminal";
    if !std::io::stdout().is_terminal() {
        return Check::ok(name, "standard output is not a terminal; not checked");
    }
    let term = std::env::var("TERM").unwrap_or_else(|_| "unset".into());
    let glyphs = if locale_is_utf8() { "UTF-8" } else { "ASCII, by the locale" };
    let colors = match depth(|name| std::env::var_os(name)) {
        Depth::None => "no colours (NO_COLOR)",
        Depth::Sixteen => "16 colours",
        Depth::Many => "256 colours",
    };
    match crossterm::terminal::size() {
        Ok((width, height)) if width < SMALLEST.0 || height < SMALLEST.1 => Check::warn(
            name,
            format!("{term}, {width}x{height}"),
            format!("make it {}x{} or larger", SMALLEST.0, SMALLEST.1),
        ),
        Ok((width, height)) => Check::ok(name, format!("{term}, {width}x{height}, {colors}, {glyphs}")),
        Err(error) => Check::warn(name, format!("{term}: its size is unknown: {error}"), "use another terminal"),
    }
}
