//! What an authorization request asks for, once it is checked.

/// What an authorization request asks for, checked.
#[derive(Clone)]
pub(super) struct AuthorizationRequest {
    pub(super) client_id: String,
    pub(super) redirect_uri: String,
    pub(super) scope: String,
    pub(super) state: Option<String>,
    /// The PKCE challenge, always S256 (RFC 7636 §4.3); none when the client uses no PKCE.
    pub(super) challenge: Option<String>,
}
