//! The protocol: the providers as data, requests, lenient readers of answers, the redirect.
//!
//! Nothing here knows of stores or schedules. An exchange is [`http::Http::exchange`]; what its
//! answer means is [`answer::read`]; what a refusal means is [`refusal::Refusal::class`].

pub mod answer;
pub mod authorization;
pub mod callback;
mod codes;
mod coding;
mod deadline;
pub mod endpoint;
pub mod form;
mod headers;
pub mod http;
pub mod jwt;
pub mod lifetime;
mod linger;
pub mod listener;
mod loopback;
pub mod message;
pub mod outcomes;
mod page;
pub mod pasted;
pub mod pasted_answer;
pub mod providers;
mod received;
pub mod redact;
pub mod refusal;
mod salvage;
mod shape;
mod timing;

pub use crate::oauth::answer::TokenAnswer;
pub use crate::oauth::authorization::Authorization;
pub use crate::oauth::callback::CallbackError;
pub use crate::oauth::http::Http;
pub use crate::oauth::listener::{ListenError, Listener};
pub use crate::oauth::message::{Body, Broken, HttpAnswer, HttpRequest};
pub use crate::oauth::outcomes::CodeProgress;
pub use crate::oauth::refusal::{Class, Refusal};
