//! Reads the connections' table and the form off the screen, and clicks on what stands there.

use vt100::Screen;

use crate::support::pty::Terminal;

/// The table's row of a connection.
pub fn row(screen: &Screen, name: &str) -> Option<String> {
    let (_, columns) = screen.size();
    let named = |row: &String| row.trim_start_matches(['│', '▸', ' ']).split(' ').next() == Some(name);
    screen.rows(0, columns.get()).skip(2).find(named)
}

/// Whether a connection's row says this.
pub fn row_says(screen: &Screen, name: &str, text: &str) -> bool {
    row(screen, name).is_some_and(|row| row.contains(text))
}

/// The seconds left of a live connection's access token, read from its countdown (below an hour):
/// the first thing in the row that is a time.
pub fn seconds_left(screen: &Screen, name: &str) -> Option<u64> {
    let row = row(screen, name)?;
    let number = |word: &str, unit| word.strip_suffix(unit)?.parse::<u64>().ok();
    let mut words = row.split_whitespace().skip_while(|word| number(word, 'm').or(number(word, 's')).is_none());
    let first = words.next()?;
    match number(first, 'm') {
        Some(minutes) => Some(60 * minutes + number(words.next()?, 's')?),
        None => number(first, 's'),
    }
}

/// The label of the form's row that is typed into.
pub fn form_row(screen: &Screen) -> Option<String> {
    let (_, columns) = screen.size();
    let row = screen.rows(0, columns.get()).find_map(|row| row.strip_prefix("│ ▸ ").map(str::to_owned))?;
    let label = row.split("  ").next()?;
    Some(label.split(" *").next().unwrap_or(label).to_owned())
}

/// Clicks on a word of the screen.
pub fn click(terminal: &mut Terminal, word: &str) {
    terminal.until_text(word);
    let screen = terminal.screen();
    let (_, columns) = screen.size();
    let found = screen.rows(0, columns.get()).enumerate().find_map(|(y, row)| {
        let at = row.find(word)?;
        Some((row[..at].chars().count() + 1, y + 1))
    });
    let (x, y) = found.unwrap();
    terminal.keys(&format!("\x1b[<0;{x};{y}M\x1b[<0;{x};{y}m"));
}
