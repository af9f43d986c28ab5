//! How long an access token lives. `expires_in` is a number of seconds (RFC 6749 §5.1), but some
//! servers send milliseconds or the moment of the end; such a number, believed, keeps a dead token
//! in use for days. What is plausible is the provider's data.

use std::time::Duration;

use chrono::{DateTime, Utc};

use crate::domain::{LIFETIME_NOTE, Provider};

/// Milliseconds that give less than this part of the usual lifetime are not taken for such.
const LEAST_PART: u32 = 10;

/// The lifetime of an access token that was asked for at `asked_at`, and a note for the log where
/// it is not what `expires_in` says.
#[must_use]
pub fn judge(expires_in: Option<Duration>, provider: &Provider, asked_at: DateTime<Utc>) -> (Duration, Option<String>) {
    let usual = provider.access_token_lifetime;
    let Some(said) = expires_in else { return (usual, None) };
    let longest = provider.longest_access_token_lifetime;
    if said <= longest {
        return (said, None);
    }
    let now = Duration::from_secs(u64::try_from(asked_at.timestamp()).unwrap_or(0));
    let until = |moment: Duration| moment.checked_sub(now).filter(|left| !left.is_zero() && *left <= longest);
    let in_milliseconds = said / 1000;
    let (lifetime, reading) = if in_milliseconds >= usual / LEAST_PART && in_milliseconds <= longest {
        (in_milliseconds, "taken as milliseconds".to_owned())
    } else if let Some(left) = until(said).or_else(|| until(in_milliseconds)) {
        (left, "taken as the moment of the end".to_owned())
    } else {
        (usual, format!("not believed, {} s assumed", usual.as_secs()))
    };
    (lifetime, Some(format!("{LIFETIME_NOTE}{} {reading}", said.as_secs())))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use chrono::{DateTime, Utc};

    use super::judge;
    use crate::oauth::providers::{ALL, MANU, MANUS};

    fn now() -> DateTime<Utc> {
        "2026-03-01T12:00:00Z".parse().unwrap()
    }

    fn judged(seconds: u64) -> (u64, Option<String>) {
        let (lifetime, note) = judge(Some(Duration::from_secs(seconds)), &MANU, now());
        (lifetime.as_secs(), note)
    }

    #[test]
    fn a_plausible_lifetime_is_believed_without_a_word() {
        for seconds in [1, 90, 1799, 3600, 86_400] {
            assert_eq!(judged(seconds), (seconds, None));
        }
        assert_eq!(judge(None, &MANUS, now()), (Duration::from_secs(3600), None));
    }

    #[test]
    fn milliseconds_and_moments_are_recognised_and_logged() {
        let epoch = u64::try_from(now().timestamp()).unwrap();
        for (said, lifetime, reading) in [
            (1_799_000, 1799, "taken as milliseconds"),
            (3_600_000, 3600, "taken as milliseconds"),
            (86_400_000, 86_400, "taken as milliseconds"),
            (epoch + 1799, 1799, "taken as the moment of the end"),
            (epoch + 86_400, 86_400, "taken as the moment of the end"),
            ((epoch + 1799) * 1000, 1799, "taken as the moment of the end"),
        ] {
            assert_eq!(judged(said), (lifetime, Some(format!("expires_in {said} {reading}"))));
        }
    }

    #[test]
    fn whatever_else_is_said_the_usual_lifetime_is_assumed() {
        let epoch = u64::try_from(now().timestamp()).unwrap();
        for said in [86_401, 100_000, 315_360_000, epoch, epoch - 60, epoch + 86_401, epoch * 1000, 10_000_000_000_000]
        {
            let note = format!("expires_in {said} not believed, 1799 s assumed");
            assert_eq!(judged(said), (1799, Some(note)));
        }
    }

    #[test]
    fn nothing_is_ever_believed_beyond_the_provider_s_bound() {
        for provider in ALL {
            for exponent in 0..44 {
                let (lifetime, _) = judge(Some(Duration::from_secs(1 << exponent)), provider, now());
                assert!(lifetime <= provider.longest_access_token_lifetime && !lifetime.is_zero());
            }
        }
    }
}
