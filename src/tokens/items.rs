//! The names of the items in the secret store.

use crate::domain::ConnectionName;

/// The identity that journals are sealed to.
pub(crate) const IDENTITY: &str = "identity";

/// A connection's newest token record.
pub(crate) fn token_item(name: &ConnectionName) -> String {
    format!("{name}/token")
}

/// A connection's client secret.
pub(crate) fn client_secret_item(name: &ConnectionName) -> String {
    format!("{name}/client-secret")
}
