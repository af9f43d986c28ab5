//! README.md and docs/ hold what they promise to their readers.

mod pages;
mod program;
mod source;
mod structure;
