//! Commands: intents, as verbs. Keys and subcommands become these, and the engine carries them out.

use std::time::Duration;

use crate::domain::connection::{Connection, ConnectionName};
use crate::domain::secret::Secret;

/// Something the engine is asked to do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// Log in: with a browser, or by minting the first token.
    Login {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Hand over the pasted final URL, or the bare authorization code.
    FinishLogin {
        /// Which connection.
        connection: ConnectionName,
        /// What was pasted; it holds an authorization code.
        pasted: Secret,
    },
    /// Answer the question of a login that came back as another subject
    /// ([`SubjectChanged`](crate::domain::EventKind::SubjectChanged)).
    ConfirmLogin {
        /// Which connection.
        connection: ConnectionName,
        /// Whether the new tokens replace the ones held.
        replace: bool,
    },
    /// Open the login URL in the browser again.
    ReopenBrowser {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Cancel what is being done: a login, a wait for a lock. A request that has been sent is not interrupted.
    Cancel {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Get a new access token.
    Refresh {
        /// Which connection.
        connection: ConnectionName,
        /// Even while the current one is fresh; and with a refresh token that may have been replaced, if the
        /// connection's view says so: a person saw that and tries anyway.
        force: bool,
    },
    /// Get a new access token even while the current one is fresh, but do not send a refresh token that may have been
    /// replaced: the person has not seen that.
    ForceIfSure {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Ask the provider again about every connection that it has refused as misconfigured.
    AskAgain,
    /// Switch automatic refresh of one connection for this session.
    SetAuto {
        /// Which connection.
        connection: ConnectionName,
        /// On or off.
        on: bool,
    },
    /// Switch automatic refresh of every connection for this session.
    SetAutoAll {
        /// On or off.
        on: bool,
    },
    /// Start automatic work from now on: this process leads.
    TakeOver,
    /// Start no automatic work from now on; what is out is finished. The opposite of [`Command::TakeOver`].
    StandDown,
    /// Make one real API call with the access token.
    Test {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Report what is known about its tokens: their history, and the access token's claims.
    Inspect {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Forget the tokens; keep the connection and its client secret.
    Logout {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Work with these connections from now on. Running work ends with the old settings; a connection that is not among
    /// them is removed once all its tokens are saved. Its tokens stay stored.
    Configure {
        /// All connections, in their order; names unique.
        connections: Vec<Connection>,
        /// How long a login waits for a person.
        login_timeout: Duration,
    },
    /// Keep a client secret in the store. The connection need not be known yet.
    SetClientSecret {
        /// Whose.
        connection: ConnectionName,
        /// The client secret, as it was typed.
        secret: Secret,
    },
    /// Take over a refresh token that another program obtained: it is refreshed at once, and the
    /// answer replaces the tokens there are. It waits for the store to be read and for client
    /// secrets that are being stored.
    Import {
        /// Which connection.
        connection: ConnectionName,
        /// The refresh token, as it was pasted.
        refresh_token: Secret,
    },
    /// Forget everything about a connection: tokens, client secret, journal. It stays configured.
    Remove {
        /// Which connection.
        connection: ConnectionName,
    },
    /// Find out whether the secret store answers; an event says so where that changed.
    CheckStore,
    /// Keep secrets in encrypted files from now on, in place of a keyring that cannot be reached.
    UseFiles,
    /// Open the encrypted store with its passphrase, which on first use is chosen by this.
    Unlock {
        /// The passphrase.
        passphrase: Secret,
    },
}

/// What can be copied of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CopyWhat {
    /// The access token alone.
    AccessToken,
    /// `Authorization: Bearer …`.
    AuthorizationHeader,
    /// A `curl` command line for the test call.
    CurlLine,
    /// The refresh token alone.
    RefreshToken,
    /// The URL of the login under way.
    LoginUrl,
}

impl CopyWhat {
    /// Its stable name, for the configuration.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::AccessToken => "access_token",
            Self::AuthorizationHeader => "authorization_header",
            Self::CurlLine => "curl_line",
            Self::RefreshToken => "refresh_token",
            Self::LoginUrl => "login_url",
        }
    }

    /// What it is, in a sentence.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::AccessToken => "access token",
            Self::AuthorizationHeader => "Authorization header",
            Self::CurlLine => "curl line",
            Self::RefreshToken => "refresh token",
            Self::LoginUrl => "login URL",
        }
    }
}
