//! Why a path is not trusted, and what to do about it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::trust::Purpose;
#[cfg(unix)]
use crate::trust::rules::TrustFault;
#[cfg(unix)]
use crate::trust::system::System;
#[cfg(unix)]
use crate::trust::system::group_name;
#[cfg(unix)]
use crate::trust::system::user_name;
#[cfg(unix)]
use crate::trust::system::user_word;
#[cfg(unix)]
use crate::trust::walk::StepPlace;
#[cfg(unix)]
use crate::trust::walk::WalkStep;

/// A path is not used, because another user could change or read what is there.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{} is not used: {} {reason}", purpose_words(*.purpose), .at.display())]
pub struct Untrusted {
    pub(super) purpose: Purpose,
    /// The file, directory or link that is not to be trusted.
    pub(super) at: PathBuf,
    pub(super) reason: TrustReason,
}

/// Why a path is not trusted.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum TrustReason {
    /// Another user owns it.
    #[error("belongs to {owner}, but manutop runs as {me}")]
    Owner {
        owner: String,
        me: String,
        /// What to do about it.
        advice: String,
    },
    /// Other users can change it.
    #[error("can be changed by {by} (mode {mode:04o})")]
    Writable {
        by: Cow<'static, str>,
        mode: u32,
        /// Whether it is a sticky data directory, in which others can only make files of their own.
        is_shared: bool,
    },
    /// Other users can read a secret.
    #[error("can be read by other users (mode {mode:04o})")]
    Readable { mode: u32 },
    /// It cannot be inspected.
    #[error("cannot be inspected: {why}")]
    Unseen { why: String },
}

impl Untrusted {
    /// The file, directory or link that is not to be trusted.
    #[must_use]
    pub fn at(&self) -> &Path {
        &self.at
    }

    /// What to do about it: a sentence without its full stop.
    #[must_use]
    pub fn advice(&self) -> String {
        let at = quoted(&self.at);
        match &self.reason {
            TrustReason::Owner { advice, .. } => advice.clone(),
            TrustReason::Writable { is_shared: true, .. } => {
                let inside = quoted(&self.at.join("manutop"));
                format!("name a directory of its own inside it, such as --data-dir {inside}")
            }
            TrustReason::Writable { mode, .. } => {
                let drive = if mode & 0o777 == 0o777 {
                    "; if that has no effect, as on a Windows drive, move it to a file system that keeps modes"
                } else {
                    ""
                };
                format!("correct this with: chmod go-w {at}{drive}")
            }
            TrustReason::Readable { .. } => format!("correct this with: chmod 600 {at}"),
            TrustReason::Unseen { .. } => format!("check the permissions of {at} and of the directories above it"),
        }
    }

    /// What is wrong and what to do about it, in one sentence.
    #[must_use]
    pub fn with_advice(&self) -> String {
        format!("{self}; {}", self.advice())
    }
}

fn purpose_words(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::Configuration => "the configuration",
        Purpose::Credential | Purpose::Secret => "the file",
        Purpose::DataDirectory | Purpose::Data => "the data directory",
    }
}

/// A path as a shell takes it.
fn quoted(path: &Path) -> String {
    let shown = path.display().to_string();
    shlex::try_quote(&shown).map_or_else(|_| shown.clone(), Cow::into_owned)
}

/// What is wrong with a step, in words.
#[cfg(unix)]
pub(super) fn explain(step: &WalkStep, fault: TrustFault, purpose: Purpose, system: &System) -> Untrusted {
    use crate::trust::rules::SystemFacts as _;
    let mode = step.mode;
    let is_shared = purpose == Purpose::DataDirectory && step.place == StepPlace::End && mode & 0o1000 != 0;
    let writable = |by| TrustReason::Writable { by, mode, is_shared };
    let reason = match fault {
        TrustFault::Owner => {
            let (owner, me) = (user_name(step.uid), user_name(system.me()));
            TrustReason::Owner { owner, me, advice: owner_advice(step, purpose, system.me()) }
        }
        TrustFault::GroupWrites => writable(format!("the group {}", group_name(step.gid)).into()),
        TrustFault::AllWrite => writable("all users".into()),
        TrustFault::OthersRead => TrustReason::Readable { mode },
    };
    Untrusted { purpose, at: step.path.clone(), reason }
}

#[cfg(unix)]
fn owner_advice(step: &WalkStep, purpose: Purpose, me: u32) -> String {
    let (at, owner) = (quoted(&step.path), user_word(step.uid, true));
    let chown = match (step.place, purpose) {
        (StepPlace::Link, _) => "chown -h",
        (_, Purpose::Data) => "chown -R",
        _ => "chown",
    };
    let mine = format!("{chown} {} {at}", user_word(me, false));
    if me == 0 {
        return format!("run manutop as that user: sudo -u {owner} manutop; or, if root should use it: {mine}");
    }
    let other = if matches!(purpose, Purpose::DataDirectory | Purpose::Data) {
        "name a data directory of your own with --data-dir"
    } else {
        "name a file in a directory of your own"
    };
    format!("{other}, or correct the owner with: sudo {mine}")
}
