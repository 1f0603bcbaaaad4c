//! What a registry wants to see, and what was got for it.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::Mutex;

use http::header::WWW_AUTHENTICATE;
use reqwest::Url;

use super::challenge::Challenge;
use super::exchange::Reply;
use super::exchange::locked;
use super::once::Once;
use super::target::Key;
use super::token::Token;
use super::token::TokenError;
use super::wallet::Held;
use super::wallet::Wallet;

/// What a registry wants to see.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scheme {
    /// Nothing.
    Open,
    /// A user and a password.
    Basic,
    /// A token.
    Bearer {
        /// Where it is had.
        realm: Url,
        /// For what.
        service: Option<String>,
    },
}

/// A token, and the credentials for which it was issued.
#[derive(Clone)]
pub(super) struct Issued {
    pub(super) token: Token,
    pub(super) held: Option<Held>,
}

/// The state of one registry's access control.
pub(super) struct Guard {
    scheme: Mutex<Option<Scheme>>,
    /// Held by the question that finds out what the registry wants to see, so that a thousand do not all find out.
    pub(super) discovery: Arc<tokio::sync::Mutex<()>>,
    pub(super) tokens: Mutex<HashMap<Arc<Key>, Issued>>,
    pub(super) fetching: Once<Arc<Key>, Result<Issued, TokenError>>,
    pub(super) wallet: Wallet,
}

impl Guard {
    pub(super) fn new() -> Self {
        Self {
            scheme: Mutex::new(None),
            discovery: Arc::default(),
            tokens: Mutex::new(HashMap::new()),
            fetching: Once::new(),
            wallet: Wallet::new(),
        }
    }

    pub(super) fn scheme(&self) -> Option<Scheme> {
        locked(&self.scheme).clone()
    }

    /// It answered without having seen anything.
    pub(super) fn is_open(&self) {
        locked(&self.scheme).get_or_insert(Scheme::Open);
    }

    /// Takes up what an answer says that the registry wants to see; `false` where it says nothing that is understood.
    pub(super) fn learn(&self, reply: &Reply, api: &Url) -> bool {
        let scheme = scheme_of(reply, api);
        let is_understood = scheme.is_some();
        if is_understood {
            *locked(&self.scheme) = scheme;
        }
        is_understood
    }

    /// Forgets a token, if another has not taken its place.
    pub(super) fn forget_token(&self, key: &Key, refused: &Token) {
        let mut tokens = locked(&self.tokens);
        if tokens.get(key).is_some_and(|known| known.token == *refused) {
            tokens.remove(key);
        }
    }
}

/// A token is preferred, as in the Go program.
fn scheme_of(reply: &Reply, api: &Url) -> Option<Scheme> {
    let headers = reply.headers.get_all(WWW_AUTHENTICATE).iter();
    let challenges: Vec<Challenge> = headers
        .filter_map(|header| header.to_str().ok())
        .flat_map(Challenge::parse_all)
        .collect();
    let bearer = challenges.iter().find_map(|challenge| {
        let realm = challenge.parameter("realm");
        let realm = realm.filter(|_| challenge.scheme == "bearer")?;
        let realm = api.join(realm).ok()?;
        let is_http = matches!(realm.scheme(), "http" | "https");
        (is_http && realm.has_host()).then(|| Scheme::Bearer {
            realm,
            service: challenge.parameter("service").map(str::to_owned),
        })
    });
    let basic = || {
        challenges
            .iter()
            .any(|challenge| challenge.scheme == "basic")
    };
    bearer.or_else(|| basic().then_some(Scheme::Basic))
}
