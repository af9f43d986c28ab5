//! The error codes that specifications register. Only these appear in public, where a server's own words do not: a code
//! that a server made up may hold anything.

/// The codes that describe the grant wherever they occur: RFC 6749 §5.2 and §4.1.2.1, RFC 6750 §3.1,
/// RFC 8628 §3.5, RFC 8707 §2, and those of the providers.
pub const MEANINGFUL: [&str; 17] = [
    "invalid_grant",
    "invalid_client",
    "invalid_request",
    "invalid_scope",
    "unauthorized_client",
    "unsupported_grant_type",
    "invalid_grant_type",
    "access_denied",
    "unsupported_response_type",
    "server_error",
    "temporarily_unavailable",
    "invalid_token",
    "insufficient_scope",
    "slow_down",
    "authorization_pending",
    "expired_token",
    "invalid_target",
];

/// The others: RFC 7009 §2.2.1, RFC 9470, RFC 9449, RFC 9396 and `OpenID` Connect Core §3.1.2.6.
const OTHERS: [&str; 15] = [
    "unsupported_token_type",
    "insufficient_user_authentication",
    "unmet_authentication_requirements",
    "invalid_dpop_proof",
    "use_dpop_nonce",
    "invalid_authorization_details",
    "interaction_required",
    "login_required",
    "account_selection_required",
    "consent_required",
    "invalid_request_uri",
    "invalid_request_object",
    "request_not_supported",
    "request_uri_not_supported",
    "registration_not_supported",
];

/// The registered code equal to `text`.
#[must_use]
pub fn registered(text: &str) -> Option<&'static str> {
    MEANINGFUL.into_iter().chain(OTHERS).find(|code| *code == text)
}
