//! The keyboard and the mouse as a channel. A plain thread waits for them, so that nothing polls
//! and the loop can take several at once without losing one.

use std::io;
use std::thread;

use crossterm::event::{self, Event};
use tokio::sync::mpsc::{self, UnboundedReceiver};

use super::background::LateAnswer;

/// Starts reading the terminal. The channel ends when the terminal cannot be read any more. The
/// thread ends with the process: nothing can wake it from its wait.
///
/// # Errors
/// The system gives no thread.
pub fn read_terminal() -> io::Result<UnboundedReceiver<Event>> {
    let (sender, receiver) = mpsc::unbounded_channel();
    thread::Builder::new().name("input".into()).spawn(move || {
        let mut late = LateAnswer::default();
        while let Ok(input) = event::read() {
            if late.takes(&input) {
                continue;
            }
            if sender.send(input).is_err() {
                break;
            }
        }
    })?;
    Ok(receiver)
}
