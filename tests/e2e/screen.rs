//! Reads the connections' table off the screen.

use vt100::Screen;

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

/// The seconds left of a connection's access token, read from its countdown (below an hour).
pub fn seconds_left(screen: &Screen, name: &str) -> Option<u64> {
    let row = row(screen, name)?;
    let after_bar = row.rsplit(['█', '░']).next().filter(|rest| rest.len() < row.len())?;
    let mut seconds = 0;
    for word in after_bar.split_whitespace() {
        if let Some(minutes) = word.strip_suffix('m') {
            seconds += 60 * minutes.parse::<u64>().ok()?;
        } else {
            return Some(seconds + word.strip_suffix('s')?.parse::<u64>().ok()?);
        }
    }
    None
}
