//! README.md and docs/ hold what they promise to their readers.

mod floors;
mod pages;
mod program;
mod source;
mod structure;
