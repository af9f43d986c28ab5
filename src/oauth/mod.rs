//! The protocol: the providers as data, requests, lenient readers of answers, the redirect.

pub mod providers;
