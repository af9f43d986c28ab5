//! The request log: what was sent and answered, without bodies and secrets. The segments on disk, what filters them, and
//! the formats it is exported in. Used by the dashboard and by `manutop log`.

pub mod export;
pub mod filter;
pub mod segments;
