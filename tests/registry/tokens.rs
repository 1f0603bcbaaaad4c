//! A token server, for a registry that checks the signature.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::SystemTime;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use rcgen::KeyPair;
use rcgen::PublicKeyData as _;
use rcgen::SigningKey as _;
use serde_json::Value;
use serde_json::json;

use crate::registry::Auth;
use crate::registry::PASSWORD;
use crate::registry::USER;
use crate::scripted::Answer;
use crate::scripted::Ask;
use crate::scripted::Scripted;

const SERVICE: &str = "registry of the tests";
/// In seconds; more than the minute by which a registry may be wrong.
const HOUR: u64 = 3600;

/// A token server.
pub(crate) struct TokenServer {
    pub(crate) server: Scripted,
    signer: Arc<Signer>,
}

struct Signer {
    key: KeyPair,
    /// How many tokens more are given out that have ended already.
    expired: Mutex<usize>,
}

impl TokenServer {
    /// One that gives tokens to whoever has the password.
    pub(crate) async fn start() -> Self {
        let signer = Arc::new(Signer {
            key: KeyPair::generate_for(&rcgen::PKCS_ED25519).unwrap(),
            expired: Mutex::new(0),
        });
        let server = Scripted::start({
            let signer = Arc::clone(&signer);
            move |ask, _, _| signer.answer(ask)
        })
        .await;
        Self { server, signer }
    }

    /// How a registry is told of it.
    pub(crate) fn auth(&self) -> Auth {
        let key = BASE64_URL_SAFE_NO_PAD.encode(self.signer.key.der_bytes());
        Auth::Token {
            realm: format!("{}/token", self.server.url()),
            service: SERVICE.to_owned(),
            keys: json!({"keys": [
                {"kty": "OKP", "crv": "Ed25519", "use": "sig", "alg": "EdDSA", "kid": "tests", "x": key},
            ]}),
        }
    }

    /// What lets somebody push.
    pub(crate) fn to_push(&self, repository: &str) -> String {
        format!(
            "Bearer {}",
            self.signer.token(repository, "pull,push", false)
        )
    }

    /// The next tokens have ended already, which the registry alone can tell.
    pub(crate) fn expire(&self, tokens: usize) {
        *self.signer.expired.lock().unwrap() = tokens;
    }
}

impl Signer {
    fn answer(&self, ask: &Ask) -> Answer {
        let encoded = BASE64_STANDARD.encode(format!("{USER}:{PASSWORD}"));
        if ask.header("authorization") != Some(&format!("Basic {encoded}")) {
            return Answer::error(401, "UNAUTHORIZED");
        }
        let (_, query) = ask.line.split_once('?').unwrap();
        let pairs = form_urlencoded::parse(query.as_bytes());
        let scope = pairs
            .into_iter()
            .find(|(name, _)| name == "scope")
            .unwrap()
            .1;
        let [kind, repository, actions] = scope.split(':').collect::<Vec<_>>()[..] else {
            panic!("{scope}");
        };
        assert_eq!((kind, actions), ("repository", "pull"));
        let is_expired = {
            let mut expired = self.expired.lock().unwrap();
            let is_expired = *expired > 0;
            *expired = expired.saturating_sub(1);
            is_expired
        };
        let token = self.token(repository, actions, is_expired);
        Answer::json(json!({"token": token, "expires_in": 300}).to_string())
    }

    fn token(&self, repository: &str, actions: &str, is_expired: bool) -> String {
        let now = SystemTime::now();
        let seconds = now
            .duration_since(SystemTime::UNIX_EPOCH)
            .unwrap()
            .as_secs();
        let (start, end) = if is_expired {
            (seconds - 2 * HOUR, seconds - HOUR)
        } else {
            (seconds - HOUR, seconds + HOUR)
        };
        let claims = json!({
            "iss": SERVICE, "aud": SERVICE, "sub": USER, "jti": "1",
            "iat": start, "nbf": start, "exp": end,
            "access": [{"type": "repository", "name": repository, "actions": actions.split(',').collect::<Vec<_>>()}],
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let head = json!({"alg": "EdDSA", "typ": "JWT", "kid": "tests"});
        let signed = format!("{}.{}", part(&head), part(&claims));
        let signature = self.key.sign(signed.as_bytes()).unwrap();
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature))
    }
}
