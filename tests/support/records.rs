//! A connection's records as tests of the stores write them: the size of real ones, and not ASCII.
#![allow(clippy::unwrap_used, reason = "test support")]

use chrono::{DateTime, TimeDelta, Utc};
use manutop::domain::{ConnectionName, RefreshToken, Secret, TokenRecord};

pub fn name() -> ConnectionName {
    ConnectionName::new("factory").unwrap()
}

pub fn record(generation: u64) -> TokenRecord {
    let at: DateTime<Utc> = "2026-03-01T12:00:00Z".parse().unwrap();
    TokenRecord {
        generation,
        access_token: Secret::new(format!("access-{generation}-{}", "x".repeat(1500))),
        obtained_at: at,
        expires_at: at + TimeDelta::seconds(1799),
        refresh_token: Some(RefreshToken {
            token: Secret::new(format!("refresh-{generation}")),
            obtained_at: at,
            estimated_end: at + TimeDelta::days(730),
        }),
        scope: Some("API_ALL é".into()),
        client_id: "client".into(),
        subject: None,
    }
}
