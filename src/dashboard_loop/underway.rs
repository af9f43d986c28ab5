//! What the loop is in the middle of.

use std::collections::VecDeque;

use crate::dashboard_loop::copying::PendingCopy;
use crate::dashboard_loop::foreground::Foreground;
use crate::dashboard_loop::own_commands::BackgroundRuns;
use crate::dashboard_loop::pending_exit::PendingExit;
use crate::domain::ProgramRun;

/// What has been begun and has not ended.
#[derive(Default)]
pub(super) struct Underway {
    /// A copy.
    pub(super) copy: Option<PendingCopy>,
    /// A wish to leave, or to stop.
    pub(super) pending_exit: Option<PendingExit>,
    /// Commands of the configuration that wait for their tokens.
    pub(super) starting: VecDeque<ProgramRun>,
    /// The program in the dashboard's place.
    pub(super) foreground: Option<Foreground>,
    /// Commands in the background.
    pub(super) background: BackgroundRuns,
}
