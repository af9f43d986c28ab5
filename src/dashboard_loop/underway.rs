//! What the loop is in the middle of.

use std::collections::VecDeque;

use crate::dashboard_loop::copying::Copy;
use crate::dashboard_loop::departure::Departure;
use crate::dashboard_loop::foreground::Foreground;
use crate::dashboard_loop::own_commands::Background;
use crate::domain::ProgramRun;

/// What has been begun and has not ended.
#[derive(Default)]
pub(super) struct Underway {
    /// A copy.
    pub(super) copy: Option<Copy>,
    /// A wish to leave, or to stop.
    pub(super) departure: Option<Departure>,
    /// Commands of the configuration that wait for their tokens.
    pub(super) starting: VecDeque<ProgramRun>,
    /// The program in the dashboard's place.
    pub(super) foreground: Option<Foreground>,
    /// Commands in the background.
    pub(super) background: Background,
}
