//! The pieces of work that the actor starts, each as a task of its own that only reports back.

pub mod access;
pub mod client_secret;
pub mod code_exchange;
pub mod context;
pub mod exchange;
pub mod import;
pub mod inspect;
pub mod load;
pub mod login;
pub mod refresh;
pub mod revoke;
pub mod test;
pub mod unread;
