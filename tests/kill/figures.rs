//! What the parent counts.

use std::collections::BTreeMap;
use std::fmt;

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Figures {
    pub store: &'static str,
    pub seed: u64,
    pub kills: u64,
    /// Of them, at a fault point; by its name.
    pub at_points: BTreeMap<&'static str, u64>,
    /// Refresh tokens the server replaced.
    pub rotations: u64,
    /// Of them, known to have been durable on the client's side.
    pub kept: u64,
    /// Of them, answered to a process that was killed before it could write, or lost on the wire.
    pub lost_answers: u64,
    /// Connections found uncertain: the refresh token had been replaced, or had not.
    pub uncertain: u64,
    /// Of them, those whose token had not been replaced when we looked.
    pub unmoved: u64,
    /// Tries that were made of an uncertain token because somebody chose to.
    pub tries: u64,
    /// Of them, those that the server told for a reuse.
    pub chosen_reuses: u64,
    pub adoptions: u64,
    /// Refresh tokens that were durable once and are not to be found. Never.
    pub losses: Vec<String>,
    /// Replaced refresh tokens sent that nobody chose to send. Never.
    pub silent_reuses: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kill harness, store {}, seed {}: {} kills ({} at fault points), {} rotations ({} kept, {} answers lost), \
             {} uncertain ({} tried by choice, {} of them reuses), {} adoptions, {} losses, {} silent reuses",
            self.store,
            self.seed,
            self.kills,
            self.at_points.values().sum::<u64>(),
            self.rotations,
            self.kept,
            self.lost_answers,
            self.uncertain,
            self.tries,
            self.chosen_reuses,
            self.adoptions,
            self.losses.len(),
            self.silent_reuses.len(),
        )
    }
}
