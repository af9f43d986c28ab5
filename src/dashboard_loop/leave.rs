//! How the loop quits and stops once nothing is left to wait for.

use std::io;
use std::time::Duration;

use ratatui::backend::Backend;

use crate::dashboard_loop::host::Host;
use crate::dashboard_loop::pending_exit::{Next, PendingExit};
use crate::dashboard_loop::run_loop::{Dashboard, Ending};
use crate::terminal::frame_writer::FrameWriter;

/// Signals that arrived while the process was stopped are delivered within this time after it continues.
const SIGNALS_ARRIVE: Duration = Duration::from_millis(20);

impl<H: Host> Dashboard<H> {
    /// Does what a request to leave or to stop has come to; gives the ending, where it is one.
    pub(super) async fn carry_out_exit<B>(
        &mut self,
        next: Next,
        pending_exit: &mut Option<PendingExit>,
        terminal: &mut FrameWriter<B>,
    ) -> io::Result<Option<Ending>>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        match next {
            Next::Wait => Ok(None),
            Next::Leave => Ok(Some(Ending::Quit)),
            Next::LeaveUnsaved => Ok(Some(Ending::QuitUnsaved)),
            Next::Stop => {
                let must_quit = self.suspend(terminal).await?;
                *pending_exit = None;
                Ok(must_quit.then_some(Ending::Quit))
            }
        }
    }

    /// Stops, and resumes when continued; true where that was only in order to quit. A window
    /// that is closed sends SIGHUP and continues what is stopped: a program that touched the terminal
    /// then would be stopped again for good.
    async fn suspend<B>(&mut self, terminal: &mut FrameWriter<B>) -> io::Result<bool>
    where
        B: Backend,
        io::Error: From<B::Error>,
    {
        // A stopped process answers no commands.
        self.answers = self.engine.stop_answering();
        self.host.suspend()?;
        let quit = async { while !self.signals.next().await.is_quit() {} };
        if tokio::time::timeout(SIGNALS_ARRIVE, quit).await.is_ok() {
            return Ok(true);
        }
        self.host.reenter()?;
        terminal.redraw()?;
        self.resize(terminal.size()?, self.clock.now());
        Ok(false)
    }
}
