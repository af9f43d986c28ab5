//! When a refresh is due, and how long to wait after a failure. Pure; randomness comes in.

use chrono::{DateTime, TimeDelta, Utc};

/// The least that is left of an access token when its refresh is due.
const SHORTEST_LEAD: TimeDelta = TimeDelta::seconds(60);
/// The longest wait between two tries.
pub const LONGEST_BACKOFF: TimeDelta = TimeDelta::minutes(5);
/// The first pause after a lost answer; see [`after_lost_answer`].
pub const PAUSE_AFTER_LOST_ANSWER: TimeDelta = TimeDelta::seconds(5);
/// What the first wait is drawn from.
const FIRST_BACKOFF: TimeDelta = TimeDelta::seconds(2);
/// How long to wait at least however soon a token ends.
const SHORTEST_LAST_WAIT: TimeDelta = TimeDelta::seconds(15);
/// No wait is shorter, so that a failure never turns into a storm.
const SHORTEST_BACKOFF: TimeDelta = TimeDelta::milliseconds(500);

/// How long before its end an access token is refreshed: a fifth of its lifetime, at least 60 s,
/// at most half its lifetime (else a short-lived token would be due the moment it came).
#[must_use]
pub fn lead(lifetime: TimeDelta) -> TimeDelta {
    (lifetime / 5).max(SHORTEST_LEAD).min(lifetime / 2)
}

/// When the refresh is due: [`lead`] before the end, earlier by up to a tenth of that, so that
/// tokens obtained together are not refreshed together. `jitter` is drawn from `0.0..=1.0`.
#[must_use]
pub fn due(obtained_at: DateTime<Utc>, expires_at: DateTime<Utc>, jitter: f64) -> DateTime<Utc> {
    let lead = lead(expires_at - obtained_at);
    expires_at - lead - scale(lead / 10, jitter)
}

/// The earliest that [`due`] can be: from then on a token counts as due for every process, because otherwise the
/// schedule would begin again and again what is found to be early.
#[must_use]
pub fn earliest(obtained_at: DateTime<Utc>, expires_at: DateTime<Utc>) -> DateTime<Utc> {
    due(obtained_at, expires_at, 1.0)
}

/// How long to wait after `failures` failures in a row: exponential, full jitter, at most 5 min.
/// `jitter` is drawn from `0.0..=1.0`.
#[must_use]
pub fn backoff(failures: u32, jitter: f64) -> TimeDelta {
    let ceiling = FIRST_BACKOFF * 2_i32.saturating_pow(failures.saturating_sub(1).min(16));
    scale(ceiling.min(LONGEST_BACKOFF), jitter).max(SHORTEST_BACKOFF)
}

/// How long after a refresh token was sent and its answer lost it is not sent again, unless a person
/// asks for it: the lost request may still be on its way. It doubles from `first` with every sending,
/// up to [`LONGEST_BACKOFF`].
#[must_use]
pub fn after_lost_answer(first: TimeDelta, sends: u32) -> TimeDelta {
    (first * 2_i32.saturating_pow(sends.saturating_sub(1).min(16))).min(LONGEST_BACKOFF)
}

/// The same while an access token still works for `left`: no wait is longer than half of that, so that
/// a passing problem is found solved before the token ends.
#[must_use]
pub fn in_time(wait: TimeDelta, left: TimeDelta) -> TimeDelta {
    if left > TimeDelta::zero() { wait.min((left / 2).max(SHORTEST_LAST_WAIT)) } else { wait }
}

/// Whether a record was obtained later than now: the clock has been set back since, and no process
/// knows how long the token still lives. Small corrections of the clock do not count.
#[must_use]
pub fn is_from_the_future(obtained_at: DateTime<Utc>, now: DateTime<Utc>) -> bool {
    obtained_at - now > TimeDelta::minutes(1)
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "spans of minutes in milliseconds")]
fn scale(span: TimeDelta, factor: f64) -> TimeDelta {
    TimeDelta::milliseconds((span.num_milliseconds() as f64 * factor.clamp(0.0, 1.0)) as i64)
}

/// When a refresh is due that another process should have made: half of the lead later.
#[must_use]
pub fn overdue(obtained: DateTime<Utc>, expires: DateTime<Utc>, jitter: f64) -> DateTime<Utc> {
    due(obtained, expires, jitter) + lead(expires - obtained) / 2
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, TimeDelta, Utc};

    use super::{backoff, due, in_time, lead, overdue};

    #[test]
    fn a_fifth_of_the_lifetime_at_least_a_minute_at_most_half() {
        for (lifetime, expected) in [(1799, 359), (3600, 720), (150, 60), (90, 45), (10, 5)] {
            assert_eq!(lead(TimeDelta::seconds(lifetime)).num_seconds(), expected, "{lifetime}");
        }
    }

    #[test]
    fn jitter_makes_it_earlier_by_a_tenth_of_the_lead_at_most() {
        let obtained: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let expires = obtained + TimeDelta::seconds(3600);
        assert_eq!(expires - due(obtained, expires, 0.0), TimeDelta::seconds(720));
        assert_eq!(expires - due(obtained, expires, 1.0), TimeDelta::seconds(792));
    }

    #[test]
    fn what_another_process_left_undone_is_begun_while_the_token_still_lives() {
        let obtained: DateTime<Utc> = "2026-01-01T00:00:00Z".parse().unwrap();
        let expires = obtained + TimeDelta::seconds(3600);
        assert_eq!(expires - overdue(obtained, expires, 0.0), TimeDelta::seconds(360));
        assert_eq!(expires - overdue(obtained, expires, 1.0), TimeDelta::seconds(432));
    }

    #[test]
    fn waits_double_up_to_five_minutes_and_are_drawn_from_the_whole_range() {
        for (failures, most) in [(1, 2), (2, 4), (5, 32), (8, 256), (9, 300), (1000, 300)] {
            assert_eq!(backoff(failures, 1.0), TimeDelta::seconds(most), "{failures}");
            assert_eq!(backoff(failures, 0.5), TimeDelta::milliseconds(most * 500), "{failures}");
        }
        assert_eq!(backoff(3, 0.0), TimeDelta::milliseconds(500));
    }

    #[test]
    fn no_wait_outlasts_a_token_that_still_works() {
        for (left, wait) in [(900, 300), (600, 300), (180, 90), (40, 20), (20, 15), (1, 15), (0, 300), (-5, 300)] {
            assert_eq!(in_time(TimeDelta::seconds(300), TimeDelta::seconds(left)), TimeDelta::seconds(wait), "{left}");
        }
        assert_eq!(in_time(TimeDelta::seconds(2), TimeDelta::seconds(20)), TimeDelta::seconds(2));
    }
}
