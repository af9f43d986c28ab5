//! The request log: what was sent and answered, without bodies and secrets. The segments on disk and how they are
//! searched, the filter, and the formats it is exported in. Used by the dashboard and the commands alike.

pub mod export;
pub mod filter;
#[cfg(test)]
pub(crate) mod fixtures;
pub mod query;
pub mod search;
pub mod segments;
pub mod words;
