//! The fault points in tests: named by the environment, killing the process and recording steps in the witness's file.

use std::fs::{File, OpenOptions};
use std::io::Write as _;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::domain::{ConnectionName, Fingerprint, TokenRecord};
use crate::fault_point::Step;

/// The environment variable that names the step to die at, and at which pass: `saved:3`.
pub const POINT: &str = "MANUTOP_FAULT_POINT";

/// The environment variable that names the witness's file.
pub const WITNESS: &str = "MANUTOP_FAULT_WITNESS";

struct Armed {
    step: Step,
    passes_left: AtomicU32,
}

impl Step {
    /// Every step of a rotation, in order.
    pub const ALL: [Self; 12] = [
        Self::Locked,
        Self::Recovered,
        Self::Preflighted,
        Self::JournalWritten,
        Self::SpendingDurable,
        Self::AnswerBegan,
        Self::AnswerRead,
        Self::ReceivedDurable,
        Self::Saved,
        Self::Settled,
        Self::TakingBack,
        Self::Releasing,
    ];

    /// Every step of a rename, in order.
    pub const OF_A_RENAME: [Self; 8] = [
        Self::RenameBegun,
        Self::RenamePrepared,
        Self::RenameDeparted,
        Self::RenameAwaited,
        Self::RenameArrived,
        Self::RenameConfigured,
        Self::RenameEmptied,
        Self::RenameDone,
    ];

    /// Its name in the environment and in the witness's file.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Locked => "locked",
            Self::Recovered => "recovered",
            Self::Preflighted => "preflighted",
            Self::JournalWritten => "journal-written",
            Self::SpendingDurable => "spending-durable",
            Self::AnswerBegan => "answer-began",
            Self::AnswerRead => "answer-read",
            Self::ReceivedDurable => "received-durable",
            Self::Saved => "saved",
            Self::Settled => "settled",
            Self::TakingBack => "taking-back",
            Self::Releasing => "releasing",
            Self::RenameBegun => "rename-begun",
            Self::RenamePrepared => "rename-prepared",
            Self::RenameDeparted => "rename-departed",
            Self::RenameAwaited => "rename-awaited",
            Self::RenameArrived => "rename-arrived",
            Self::RenameConfigured => "rename-configured",
            Self::RenameEmptied => "rename-emptied",
            Self::RenameDone => "rename-done",
        }
    }

    /// The step with this name.
    #[must_use]
    pub fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().chain(Self::OF_A_RENAME).find(|step| step.name() == name)
    }
}

pub(super) fn pass(step: Step) {
    static ARMED: OnceLock<Option<Armed>> = OnceLock::new();
    let Some(armed) = ARMED.get_or_init(|| std::env::var(POINT).ok().map(|text| parse(&text))) else { return };
    if armed.step == step && armed.passes_left.fetch_sub(1, Ordering::Relaxed) == 1 {
        die();
    }
}

/// A test that misspells its step must not look like one that survived it.
fn parse(text: &str) -> Armed {
    let (name, passes) = text.split_once(':').unwrap_or((text, "1"));
    let step = Step::named(name).expect("MANUTOP_FAULT_POINT names a step");
    let passes = passes.parse().expect("MANUTOP_FAULT_POINT counts passes");
    Armed { step, passes_left: AtomicU32::new(passes) }
}

fn die() -> ! {
    #[cfg(unix)]
    let _ = signal_hook::low_level::raise(signal_hook::consts::signal::SIGKILL);
    std::process::abort()
}

/// One line, in one write: processes that append to one file do not mix their lines. One whose
/// writer is killed may be torn where it crosses a page; it begins on a line of its own as well,
/// so that it takes no other with it.
pub(super) fn witness(step: Step, name: &ConnectionName, record: &TokenRecord) {
    static FILE: OnceLock<Option<File>> = OnceLock::new();
    let open = || {
        let path = std::env::var_os(WITNESS)?;
        Some(OpenOptions::new().create(true).append(true).open(path).expect("the witness's file can be written"))
    };
    let Some(mut file) = FILE.get_or_init(open).as_ref() else { return };
    let token = record.refresh_token.as_ref().map_or(&record.access_token, |refresh| &refresh.token);
    let line = format!("\n{} {name} {} {}\n", step.name(), record.generation, Fingerprint::of(token));
    file.write_all(line.as_bytes()).expect("the witness's file takes a line");
}
