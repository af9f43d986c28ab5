//! What Manu Online's server knows: clients, codes, and token families.
//!
//! A *family* is every token that descends from one login. Invariants: at most one refresh token
//! of a family works; a family once revoked stays revoked, and none of its tokens works.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};

use crate::demo::issued::{Issued, REFRESH_LIFETIME, random_text};
use crate::demo::limit::{Limiter, RateLimit};
use crate::demo::manu::request::AuthorizationRequest;
use crate::domain::Secret;

/// How long an authorization code works (RFC 6749 §4.1.2: at most ten minutes, better less).
const CODE_LIFETIME: TimeDelta = TimeDelta::seconds(60);
/// How long a consent page can be answered.
const CONSENT_LIFETIME: TimeDelta = TimeDelta::minutes(10);

/// A Private App.
pub(super) struct DemoClient {
    pub(super) secret: Secret,
    pub(super) redirect_uris: Vec<String>,
}

/// Everything that descends from one login.
pub(super) struct Family {
    pub(super) client_id: String,
    pub(super) scope: String,
    revoked: bool,
    /// Its one refresh token that works.
    newest: String,
}

/// The number of a family.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct FamilyId(usize);

/// An authorization code's terms.
pub(super) struct Code {
    pub(super) asked: AuthorizationRequest,
    pub(super) expires_at: DateTime<Utc>,
    /// The family it gave, once it was used.
    pub(super) gave: Option<FamilyId>,
}

/// Why a refresh token was refused. The client learns `invalid_grant` and nothing else.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Never issued, issued to another client, expired, or of a revoked family.
    NotValid,
    /// It had been replaced: someone holds a copy (RFC 9700 §4.14.2).
    Reused(FamilyId),
}

/// The server's state.
pub(super) struct Grants {
    pub(super) clients: HashMap<String, DemoClient>,
    pub(super) limiter: Limiter,
    pub(super) access_lifetime: TimeDelta,
    /// For how long a token that was just replaced is still taken.
    grace: TimeDelta,
    families: Vec<Family>,
    /// Every refresh token ever issued, to know a used one when it comes back.
    refresh: HashMap<String, (FamilyId, DateTime<Utc>)>,
    /// When each of those that were replaced was sent first.
    spent: HashMap<String, DateTime<Utc>>,
    access: HashMap<String, (FamilyId, DateTime<Utc>)>,
    codes: HashMap<String, Code>,
    consents: HashMap<String, (AuthorizationRequest, DateTime<Utc>)>,
}

impl Grants {
    /// A server that has issued nothing yet.
    pub(super) fn new(access_lifetime: TimeDelta, grace: TimeDelta, limit: Option<RateLimit>) -> Self {
        Self {
            clients: HashMap::new(),
            limiter: Limiter::new(limit),
            access_lifetime,
            grace,
            families: Vec::new(),
            refresh: HashMap::new(),
            spent: HashMap::new(),
            access: HashMap::new(),
            codes: HashMap::new(),
            consents: HashMap::new(),
        }
    }

    /// Begins a family without tokens.
    pub(super) fn open_family(&mut self, client_id: &str, scope: &str) -> FamilyId {
        self.families.push(Family {
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
            revoked: false,
            newest: String::new(),
        });
        FamilyId(self.families.len() - 1)
    }

    /// Gives a family new tokens; the refresh token it had stops working.
    pub(super) fn issue(&mut self, family: FamilyId, issued_at: DateTime<Utc>) -> Issued {
        let (access, refresh) = (random_text(32), random_text(48));
        let expires_at = issued_at + self.access_lifetime;
        self.access.retain(|_, (_, expires_at)| *expires_at > issued_at);
        self.access.insert(access.clone(), (family, expires_at));
        self.refresh.insert(refresh.clone(), (family, issued_at + REFRESH_LIFETIME));
        let entry = &mut self.families[family.0];
        entry.newest.clone_from(&refresh);
        Issued {
            client_id: entry.client_id.clone(),
            access_token: Secret::new(access),
            refresh_token: Some(Secret::new(refresh)),
            issued_at,
            expires_at,
            scope: Some(entry.scope.clone()),
        }
    }

    /// Finds the family whose working refresh token this is.
    pub(super) fn redeem(&mut self, refresh: &str, client_id: &str, now: DateTime<Utc>) -> Result<FamilyId, Refused> {
        let &(id, expires_at) = self.refresh.get(refresh).ok_or(Refused::NotValid)?;
        let family = self.family(id);
        // Another client's token says nothing about who leaked it: no one is punished for it.
        if family.client_id != client_id {
            return Err(Refused::NotValid);
        }
        let is_in_grace = self.spent.get(refresh).is_some_and(|at| now - *at < self.grace);
        if family.newest != refresh && !is_in_grace {
            return Err(Refused::Reused(id));
        }
        if family.revoked || now >= expires_at {
            return Err(Refused::NotValid);
        }
        self.spent.entry(refresh.to_owned()).or_insert(now);
        Ok(id)
    }

    /// Revokes a family. Whether that changed anything.
    pub(super) fn revoke(&mut self, family: FamilyId) -> bool {
        !std::mem::replace(&mut self.families[family.0].revoked, true)
    }

    /// The family with this number.
    pub(super) fn family(&self, id: FamilyId) -> &Family {
        &self.families[id.0]
    }

    /// The family of a refresh token, old or new.
    pub(super) fn family_of(&self, refresh: &str) -> Option<FamilyId> {
        self.refresh.get(refresh).map(|&(family, _)| family)
    }

    /// The family of an access token that works, and when it ends.
    pub(super) fn access(&self, token: &str, now: DateTime<Utc>) -> Option<(&Family, DateTime<Utc>)> {
        let &(id, expires_at) = self.access.get(token)?;
        let family = self.family(id);
        (!family.revoked && now < expires_at).then_some((family, expires_at))
    }

    /// See [`crate::demo::manu::Manu::newest_refresh_token`].
    pub(super) fn newest_refresh_token(&self, client_id: &str) -> Option<Secret> {
        let family = self.families.iter().rev().find(|family| family.client_id == client_id)?;
        (!family.revoked && !family.newest.is_empty()).then(|| Secret::new(family.newest.clone()))
    }

    /// Keeps what a consent page asks, under a value only that page knows.
    pub(super) fn open_consent(&mut self, asked: AuthorizationRequest, now: DateTime<Utc>) -> String {
        let id = random_text(32);
        self.consents.retain(|_, (_, expires_at)| *expires_at > now);
        self.consents.insert(id.clone(), (asked, now + CONSENT_LIFETIME));
        id
    }

    /// What a consent page asked; once.
    pub(super) fn take_consent(&mut self, id: &str, now: DateTime<Utc>) -> Option<AuthorizationRequest> {
        let (asked, expires_at) = self.consents.remove(id)?;
        (now < expires_at).then_some(asked)
    }

    /// Makes an authorization code.
    pub(super) fn open_code(&mut self, asked: AuthorizationRequest, now: DateTime<Utc>) -> String {
        let code = random_text(24);
        self.codes.insert(code.clone(), Code { asked, expires_at: now + CODE_LIFETIME, gave: None });
        code
    }

    /// The terms of a code that was given out, used or not.
    pub(super) fn code(&mut self, code: &str) -> Option<&mut Code> {
        self.codes.get_mut(code)
    }
}
