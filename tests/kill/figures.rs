//! What the parent counts.

use std::collections::BTreeMap;
use std::fmt;

/// The figures of one run.
#[derive(Debug, Default)]
pub struct Figures {
    pub store: &'static str,
    /// For how long the server takes a token that was just replaced, in seconds.
    pub grace: u64,
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
    /// Connections whose answer was found to be lost by the parent.
    pub uncertain: u64,
    /// Of them, those whose token had not been replaced when we looked.
    pub unmoved: u64,
    /// Refresh tokens sent again whose answer had been lost, each time by the rule.
    pub resends: u64,
    /// Lost answers that led to new tokens without a person.
    pub recovered: u64,
    /// Lost answers after which the server said that only a login helps.
    pub needed_a_person: u64,
    /// Replaced tokens that the server was sent again.
    pub reuses: u64,
    pub adoptions: u64,
    /// Refresh tokens that were durable once and are not to be found. Never.
    pub losses: Vec<String>,
    /// Replaced refresh tokens sent without that being journaled first. Never.
    pub silent_reuses: Vec<String>,
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "kill harness, store {}, grace period {} s, seed {}: {} kills ({} at fault points), {} rotations ({} kept, \
             {} answers lost), {} lost answers found, {} sent again ({} recovered without a person, {} needed one, {} \
             reuses), {} adoptions, {} losses, {} silent reuses",
            self.store,
            self.grace,
            self.seed,
            self.kills,
            self.at_points.values().sum::<u64>(),
            self.rotations,
            self.kept,
            self.lost_answers,
            self.uncertain,
            self.resends,
            self.recovered,
            self.needed_a_person,
            self.reuses,
            self.adoptions,
            self.losses.len(),
            self.silent_reuses.len(),
        )
    }
}
