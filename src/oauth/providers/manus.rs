//! Manus: client ID and secret are exchanged for a one-hour token; minting is rate-limited.

use std::time::Duration;

use crate::domain::{Grant, Provider};

/// Manus. The token authorises the users API only, which is therefore what a test calls.
pub static MANUS: Provider = Provider {
    id: "manus",
    label: "Manus",
    title: "Manus",
    issuer: None,
    grant: Grant::ClientCredentials,
    token_url: "https://api.manus.im/api/user/manage/v1/oauth/token",
    test_url: "https://api.manus.im/api/user/manage/v1/users?limit=1",
    access_token_lifetime: Duration::from_secs(3600),
    longest_access_token_lifetime: Duration::from_secs(24 * 60 * 60),
};
