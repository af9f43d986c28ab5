//! The floor: the least a ratatui program with a table and a countdown can cost. What manutop costs
//! is measured as a multiple of it; `benches/README.md` says how.
//!
//! `floor [ROWS [ticking]]` shows a table of so many rows (10 by default) and the seconds since it began,
//! or with `ticking` a countdown in each row; `j` and `k` move the selection, `q` quits. One thread, no runtime, no poll interval: it waits for a
//! key or for the next second, whichever comes first. Only the rows that are seen are built.

use std::borrow::Cow;
use std::io;
use std::time::{Duration, Instant};

use crossterm::event::{self, Event, KeyCode};
use ratatui::layout::Constraint;
use ratatui::style::{Style, Stylize as _};
use ratatui::widgets::{Block, Row, Table};
use ratatui::{DefaultTerminal, Frame};

struct Floor {
    /// Name, provider, status and end of each row.
    rows: Vec<[String; 4]>,
    ticking: bool,
    selected: usize,
    top: usize,
    begun: Instant,
}

fn main() -> io::Result<()> {
    let count = std::env::args().nth(1).map_or(10, |rows| rows.parse().expect("the number of rows"));
    let ticking = std::env::args().nth(2).is_some_and(|word| word == "ticking");
    let mut terminal = ratatui::init();
    let ended = Floor::new(count, ticking).run(&mut terminal);
    ratatui::restore();
    ended
}

impl Floor {
    fn new(count: usize, ticking: bool) -> Self {
        let row =
            |at| [format!("connection-{at}"), "Manu Online".into(), "live".into(), format!("10:{:02}:00", at % 60)];
        Self { rows: (0..count).map(row).collect(), ticking, selected: 0, top: 0, begun: Instant::now() }
    }

    fn run(mut self, terminal: &mut DefaultTerminal) -> io::Result<()> {
        loop {
            terminal.draw(|frame| self.draw(frame))?;
            if event::poll(until_next_second(self.begun))?
                && let Event::Key(key) = event::read()?
            {
                match key.code {
                    KeyCode::Char('q') => return Ok(()),
                    KeyCode::Char('j') => self.selected = (self.selected + 1).min(self.rows.len() - 1),
                    KeyCode::Char('k') => self.selected = self.selected.saturating_sub(1),
                    _ => {}
                }
            }
        }
    }

    fn draw(&mut self, frame: &mut Frame) {
        let height = usize::from(frame.area().height.saturating_sub(3));
        self.top = self.top.clamp((self.selected + 1).saturating_sub(height), self.selected);
        let seen = self.rows.iter().enumerate().skip(self.top).take(height).map(|(at, cells)| {
            let style = if at == self.selected { Style::new().reversed() } else { Style::new() };
            let [first @ .., end] = cells;
            let end = if self.ticking { Cow::from(left(at, self.begun)) } else { Cow::from(end) };
            Row::new(first.iter().map(|cell| Cow::from(cell.as_str())).chain([end])).style(style)
        });
        let widths = [Constraint::Length(30), Constraint::Length(20), Constraint::Length(20), Constraint::Length(20)];
        let title = format!(" {} rows, {} s ", self.rows.len(), self.begun.elapsed().as_secs());
        let table = Table::new(seen, widths)
            .header(Row::new(["NAME", "PROVIDER", "STATUS", "ENDS"]).bold())
            .block(Block::bordered().title(title));
        frame.render_widget(table, frame.area());
    }
}

/// How long a row's token would live.
fn left(row: usize, begun: Instant) -> String {
    let seconds = (1800 + row).saturating_sub(usize::try_from(begun.elapsed().as_secs()).unwrap_or(usize::MAX));
    format!("{}m {:02}s", seconds / 60, seconds % 60)
}

/// How long until the countdown changes.
fn until_next_second(begun: Instant) -> Duration {
    Duration::from_secs(1).saturating_sub(Duration::from_nanos(u64::from(begun.elapsed().subsec_nanos())))
}
