//! What is reported about a connection's tokens on request: their history, and the claims of the access token. It
//! holds no secret.

use chrono::{DateTime, Utc};

use crate::domain::history::Rotation;

/// The answer to [`Inspect`](crate::domain::Command::Inspect).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Inspection {
    /// The newest generations, newest first (`Ok`), or why they cannot be read.
    pub history: Result<Vec<Rotation>, String>,
    /// What the access token is.
    pub token: TokenForm,
}

/// What can be read from an access token without the server's key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TokenForm {
    /// There is none.
    Nothing,
    /// Opaque text (RFC 6749 §1.4).
    Opaque,
    /// A JSON Web Token, decoded and not verified.
    Jwt(Box<Jwt>),
}

/// A JSON Web Token (RFC 7519) without its signature. Its claims are not verified: only the server has the key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Jwt {
    /// Its header, as neutralised lines of JSON.
    pub header: Vec<String>,
    /// Its claims, as neutralised lines of JSON.
    pub claims: Vec<String>,
    /// `iat` (§4.1.6).
    pub issued_at: Option<DateTime<Utc>>,
    /// `nbf` (§4.1.5).
    pub not_before: Option<DateTime<Utc>>,
    /// `exp` (§4.1.4).
    pub expires_at: Option<DateTime<Utc>>,
}
