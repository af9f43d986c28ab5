//! Which version this is, and of which commit; `build.rs` finds out.

/// The version with the commit and its date, as far as they are known: `0.1.0 (abc123def 2026-11-22)`;
/// with `modified` where the sources were not the commit's.
pub const LONG: &str = env!("MANUTOP_VERSION");

/// The commit's date, `2026-11-22`; empty where it is not known.
pub const DATE: &str = env!("MANUTOP_DATE");
