//! The table "what the tests must cover" of the rotation promises: one file for every row, named
//! after it, its tests named after what the row promises. All run through the real engine, most
//! against servers that revoke on reuse; those that need a real keyring are ignored by default.
//!
//! One row lives elsewhere: SIGKILL at every step, thousands of times, is the kill harness.

#[cfg(unix)]
mod process;
#[cfg(target_os = "linux")]
mod program;

mod answer_lost;
mod asleep_past_expiry;
mod beside;
mod clock_jumps;
mod empty_item;
mod host_out_of_order;
mod hundred_triggers;
mod invalid_client;
mod invalid_grant;
mod keyring_rolled_back;
#[cfg(unix)]
mod lock_holder;
mod login_during_a_refresh;
mod manus;
mod new_refresh_token;
mod odd_answers;
mod quit_during_a_refresh;
mod refresh_token_absent;
mod rejected_token;
mod save_fails;
mod store_hangs;
mod two_processes;

/// A redirect URI for connections without a login.
const REDIRECT: &str = "http://127.0.0.1/callback";
