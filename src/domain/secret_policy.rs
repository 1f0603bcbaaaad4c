//! Who is let in.
//!
//! A delivery is checked on its raw bytes, before anything parses them. Comparisons are of MACs, so that neither the content nor the
//! length of a secret shows in the time they take, and every valid secret is tried, whichever matches.

use std::fmt;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use thiserror::Error;

use crate::domain::delivery::Delivery;
use crate::domain::sender::{Authentication, SenderProfile};

/// A shared secret. It is never shown, not even by `Debug`, and never empty.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Takes a text as a secret; an empty text is none. Only line ends are trimmed, blanks may be part of a secret.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let trimmed = text.trim_matches(['\r', '\n']);
        (!trimmed.is_empty()).then(|| Self(trimmed.to_owned()))
    }

    /// The secret itself, for the one who has to send it.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("[redacted]")
    }
}

/// The secrets of one sender type that are valid now: none, one, or several while they are rotated.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Secrets(Vec<Secret>);

impl Secrets {
    /// Parses one secret a line. Empty lines are none.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        Self(text.split('\n').filter_map(Secret::parse).collect())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// How many are valid at once.
    #[must_use]
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The first one, which a sending side uses.
    #[must_use]
    pub fn first(&self) -> Option<&Secret> {
        self.0.first()
    }
}

/// A value that came from a delivery which [`SecretPolicy`] let in. Only [`SecretPolicy::verify`] makes one of nothing, so what demands a
/// `Verified` is handed an event only after some delivery has been let in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verified<T>(T);

impl<T> Verified<T> {
    /// What is inside.
    #[must_use]
    pub fn get(&self) -> &T {
        &self.0
    }

    /// Gives the value up, and with it the proof.
    #[must_use]
    pub fn into_inner(self) -> T {
        self.0
    }

    /// Replaces the value by one that is derived from it. That it is derived is up to the caller: a closure that makes something up puts
    /// the proof on that.
    ///
    /// # Errors
    /// That of `derive`; the proof is given up.
    pub fn try_map<U, E>(self, derive: impl FnOnce(T) -> Result<U, E>) -> Result<Verified<U>, E> {
        derive(self.0).map(Verified)
    }
}

/// Why a delivery is not let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Denied {
    /// The type has no secret and one is required.
    #[error("no secret is configured for this type")]
    NotServed,
    /// The delivery carries no proof where the type has it.
    #[error("Missing webhook secret")]
    Missing,
    /// The proof is wrong.
    #[error("Invalid webhook secret")]
    Invalid,
}

/// The header of [`Authentication::HubSignature256`].
const HUB_SIGNATURE: &str = "x-hub-signature-256";

/// The rule by which deliveries are let in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SecretPolicy {
    /// Whether a type without a secret is closed (the default) rather than open to everybody.
    pub require_secret: bool,
}

impl SecretPolicy {
    /// Lets a delivery in, or says why not.
    ///
    /// # Errors
    /// [`Denied`]; the delivery is given up.
    pub fn verify(
        self,
        profile: &SenderProfile,
        secrets: &Secrets,
        delivery: Delivery,
    ) -> Result<Verified<Delivery>, Denied> {
        self.screen(profile, secrets, &delivery)?;
        if profile.authentication == Authentication::HubSignature256 && !secrets.is_empty() {
            let signature = present(delivery.header(HUB_SIGNATURE))?;
            if !is_signed(secrets, &delivery.body, signature) {
                return Err(Denied::Invalid);
            }
        }
        Ok(Verified(delivery))
    }

    /// Says why a delivery will not be let in, as far as its headers and its query show. Its body is not looked at, so the signature of
    /// one is not checked.
    ///
    /// # Errors
    /// [`Denied`], whatever the body is.
    pub fn screen(
        self,
        profile: &SenderProfile,
        secrets: &Secrets,
        head: &Delivery,
    ) -> Result<(), Denied> {
        if secrets.is_empty() {
            return if self.require_secret {
                Err(Denied::NotServed)
            } else {
                Ok(())
            };
        }
        let in_query = || present(head.query("secret"));
        let may_enter = match profile.authentication {
            Authentication::HubSignature256 => {
                // What is no signature at all is the signature of no body.
                claimed(present(head.header(HUB_SIGNATURE))?).is_some()
            }
            Authentication::AuthorizationHeader => {
                let proof = present(head.header("authorization"))?;
                is_known(secrets, proof, in_header)
            }
            Authentication::QuerySecret => is_known(secrets, in_query()?, whole),
            Authentication::HeaderOrQuerySecret => {
                let header = present(head.header("x-webhook-secret"))
                    .map(|proof| is_known(secrets, proof, in_header));
                let query = in_query().map(|proof| is_known(secrets, proof, whole));
                match (header, query) {
                    (Ok(header), Ok(query)) => header | query,
                    (Ok(known), Err(_)) | (Err(_), Ok(known)) => known,
                    (Err(missing), Err(_)) => return Err(missing),
                }
            }
        };
        if may_enter {
            Ok(())
        } else {
            Err(Denied::Invalid)
        }
    }
}

fn present(proof: Option<&str>) -> Result<&str, Denied> {
    proof.filter(|text| !text.is_empty()).ok_or(Denied::Missing)
}

/// HMAC takes a key of any length, so there is no error to handle; an impossible one counts as "does not match".
fn mac(key: &[u8], data: &[u8]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).ok()?;
    mac.update(data);
    Some(mac)
}

/// The signature that a sender of [`Authentication::HubSignature256`] puts into its header.
#[must_use]
pub fn hub_signature(secret: &Secret, body: &[u8]) -> String {
    let tag = mac(secret.0.as_bytes(), body).map(|mac| hex::encode(mac.finalize().into_bytes()));
    format!("sha256={}", tag.unwrap_or_default())
}

/// What a sender adds to a delivery to prove that it knows the secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Proof {
    /// A header.
    Header(&'static str, String),
    /// A query parameter.
    Query(&'static str, String),
}

impl fmt::Debug for Proof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Header(name, _) => write!(f, "Header({name:?}, [redacted])"),
            Self::Query(name, _) => write!(f, "Query({name:?}, [redacted])"),
        }
    }
}

/// The proof that [`SecretPolicy::verify`] accepts for this body.
#[must_use]
pub fn prove(authentication: Authentication, secret: &Secret, body: &[u8]) -> Proof {
    match authentication {
        Authentication::HubSignature256 => {
            Proof::Header(HUB_SIGNATURE, hub_signature(secret, body))
        }
        Authentication::AuthorizationHeader => {
            Proof::Header("authorization", in_header(secret).to_owned())
        }
        Authentication::QuerySecret => Proof::Query("secret", whole(secret).to_owned()),
        Authentication::HeaderOrQuerySecret => {
            Proof::Header("x-webhook-secret", in_header(secret).to_owned())
        }
    }
}

/// The HMAC that a signature claims.
fn claimed(signature: &str) -> Option<[u8; 32]> {
    let mut tag = [0; 32];
    let hex = signature.strip_prefix("sha256=")?;
    hex::decode_to_slice(hex, &mut tag).ok()?;
    Some(tag)
}

fn is_signed(secrets: &Secrets, body: &[u8], signature: &str) -> bool {
    let Some(tag) = claimed(signature) else {
        return false;
    };
    secrets.0.iter().fold(false, |known, secret| {
        let matches =
            mac(secret.0.as_bytes(), body).is_some_and(|mac| mac.verify_slice(&tag).is_ok());
        known | matches
    })
}

/// A secret as a query parameter holds it.
fn whole(secret: &Secret) -> &str {
    &secret.0
}

/// A secret as a header holds it: HTTP takes blanks off both ends of a value ([RFC 9110, 5.5]), so no sender can send them.
///
/// [RFC 9110, 5.5]: https://www.rfc-editor.org/rfc/rfc9110#section-5.5
fn in_header(secret: &Secret) -> &str {
    secret.0.trim_matches([' ', '\t'])
}

/// Compares texts by their MACs under one key: equal work whatever they hold and however long they are.
fn is_known(secrets: &Secrets, proof: &str, as_sent: fn(&Secret) -> &str) -> bool {
    const KEY: &[u8] = b"comparison of webhook secrets";
    let Some(proof) = mac(KEY, proof.as_bytes()).map(|mac| mac.finalize().into_bytes()) else {
        return false;
    };
    secrets.0.iter().fold(false, |known, secret| {
        let secret = as_sent(secret).as_bytes();
        let matches = mac(KEY, secret).is_some_and(|mac| mac.verify_slice(&proof).is_ok());
        known | matches
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::delivery::DeliveryId;

    const CLOSED: SecretPolicy = SecretPolicy {
        require_secret: true,
    };

    fn profile(authentication: Authentication) -> SenderProfile {
        SenderProfile {
            name: "t",
            secret_name: "t",
            title: "T",
            authentication,
            documentation: "",
        }
    }

    fn delivery(headers: &[(&str, &str)], query: &[(&str, &str)], body: &str) -> Delivery {
        Delivery {
            id: DeliveryId::new("d"),
            headers: headers.iter().copied().collect(),
            query: query.iter().copied().collect(),
            body: body.as_bytes().to_vec(),
        }
    }

    fn verdict(auth: Authentication, secrets: &str, delivery: Delivery) -> Result<(), Denied> {
        CLOSED
            .verify(&profile(auth), &Secrets::parse(secrets), delivery)
            .map(|_| ())
    }

    #[test]
    fn a_github_signature_is_checked_on_the_raw_body() {
        // The example of GitHub's documentation.
        let signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        let secret = "It's a Secret to Everybody";
        let signed = |value| delivery(&[("x-hub-signature-256", value)], &[], "Hello, World!");
        let auth = Authentication::HubSignature256;
        assert_eq!(verdict(auth, secret, signed(signature)), Ok(()));
        assert_eq!(
            verdict(auth, &format!("new\n{secret}"), signed(signature)),
            Ok(())
        );
        for wrong in [
            "sha256=00",
            "sha256=",
            "sha256=zz",
            &signature[7..],
            "sha1=757107ea0eb2509fc211221cce984b8a37570b6d",
        ] {
            assert_eq!(
                verdict(auth, secret, signed(wrong)),
                Err(Denied::Invalid),
                "{wrong}"
            );
        }
        assert_eq!(
            verdict(auth, secret, delivery(&[], &[("secret", secret)], "")),
            Err(Denied::Missing)
        );
        assert_eq!(
            hub_signature(&Secret::parse(secret).unwrap(), b"Hello, World!"),
            signature
        );
    }

    #[test]
    fn what_is_no_signature_is_refused_before_its_body_comes() {
        let screened = |value: &str| {
            let head = delivery(&[("x-hub-signature-256", value)], &[], "");
            let profile = profile(Authentication::HubSignature256);
            CLOSED.screen(&profile, &Secrets::parse("s"), &head)
        };
        let some = format!("sha256={}", "0".repeat(64));
        assert_eq!(screened(&some), Ok(()));
        for wrong in ["sha256=", "sha1=00", &some[1..], &format!("{some}0")] {
            assert_eq!(screened(wrong), Err(Denied::Invalid), "{wrong}");
        }
        assert_eq!(screened(""), Err(Denied::Missing));
    }

    #[test]
    fn plain_secrets_must_be_whole() {
        let auth = Authentication::AuthorizationHeader;
        let with = |value| delivery(&[("authorization", value)], &[], "");
        assert_eq!(verdict(auth, "Bearer a b", with("Bearer a b")), Ok(()));
        for wrong in ["a b", "Bearer a", "Bearer a b ", "bearer a b"] {
            assert_eq!(
                verdict(auth, "Bearer a b", with(wrong)),
                Err(Denied::Invalid),
                "{wrong}"
            );
        }
        // A type with a method of its own takes no query parameter.
        assert_eq!(
            verdict(auth, "x", delivery(&[], &[("secret", "x")], "")),
            Err(Denied::Missing)
        );
    }

    #[test]
    fn the_header_or_the_query_is_enough() {
        let auth = Authentication::HeaderOrQuerySecret;
        let both =
            |header, query| delivery(&[("x-webhook-secret", header)], &[("secret", query)], "");
        assert_eq!(verdict(auth, "x", both("x", "wrong")), Ok(()));
        assert_eq!(verdict(auth, "x", both("wrong", "x")), Ok(()));
        assert_eq!(verdict(auth, "x", both("", "x")), Ok(()));
        assert_eq!(verdict(auth, "x", both("wrong", "")), Err(Denied::Invalid));
        assert_eq!(verdict(auth, "x", both("", "")), Err(Denied::Missing));
        assert_eq!(
            verdict(Authentication::QuerySecret, "x", both("x", "")),
            Err(Denied::Missing)
        );
    }

    #[test]
    fn blanks_around_a_secret_are_not_waited_for_in_a_header() {
        // HTTP takes them off the value of a header, so no sender can send them there.
        let header = |name, value| delivery(&[(name, value)], &[], "");
        let auth = Authentication::AuthorizationHeader;
        let sent = |value| header("authorization", value);
        assert_eq!(verdict(auth, " Bearer a b \t", sent("Bearer a b")), Ok(()));
        assert_eq!(
            verdict(auth, "Bearer a", sent("Bearera")),
            Err(Denied::Invalid)
        );
        let auth = Authentication::HeaderOrQuerySecret;
        assert_eq!(verdict(auth, "x ", header("x-webhook-secret", "x")), Ok(()));
        // In a query and in a signature they count.
        let query = |value| delivery(&[], &[("secret", value)], "");
        assert_eq!(verdict(auth, "x ", query("x ")), Ok(()));
        assert_eq!(verdict(auth, "x ", query("x")), Err(Denied::Invalid));
    }

    #[test]
    fn an_empty_secret_is_no_secret() {
        assert!(Secrets::parse("\n\r\n").is_empty());
        assert_eq!(Secrets::parse("a\r\n\nb\n").len(), 2);
        let open = SecretPolicy {
            require_secret: false,
        };
        let none = Secrets::default();
        let auth = profile(Authentication::QuerySecret);
        assert_eq!(
            CLOSED.verify(&auth, &none, delivery(&[], &[], "")),
            Err(Denied::NotServed)
        );
        assert!(open.verify(&auth, &none, delivery(&[], &[], "")).is_ok());
        assert!(
            open.verify(&auth, &Secrets::parse("x"), delivery(&[], &[], ""))
                .is_err()
        );
    }

    #[test]
    fn the_head_alone_shows_all_but_a_wrong_signature() {
        let screened =
            |auth, head: Delivery| CLOSED.screen(&profile(auth), &Secrets::parse("s"), &head);
        let query = |secret| delivery(&[], &[("secret", secret)], "");
        let auth = Authentication::QuerySecret;
        assert_eq!(screened(auth, query("s")), Ok(()));
        assert_eq!(screened(auth, query("t")), Err(Denied::Invalid));
        assert_eq!(screened(auth, query("")), Err(Denied::Missing));
        let auth = Authentication::HubSignature256;
        let some = format!("sha256={}", "0".repeat(64));
        let signed = delivery(&[("x-hub-signature-256", &some)], &[], "");
        assert_eq!(screened(auth, signed), Ok(()));
        assert_eq!(screened(auth, query("s")), Err(Denied::Missing));
        assert_eq!(
            CLOSED.screen(&profile(auth), &Secrets::default(), &query("s")),
            Err(Denied::NotServed)
        );
    }

    #[test]
    fn what_is_proved_is_let_in() {
        let secret = Secret::parse("s p a c e").unwrap();
        for authentication in [
            Authentication::HubSignature256,
            Authentication::AuthorizationHeader,
            Authentication::QuerySecret,
            Authentication::HeaderOrQuerySecret,
        ] {
            let mut delivery = delivery(&[], &[], "body");
            match prove(authentication, &secret, &delivery.body) {
                Proof::Header(name, value) => delivery.headers.push(name, &value),
                Proof::Query(name, value) => delivery.query.push(name, &value),
            }
            assert_eq!(
                verdict(authentication, "s p a c e", delivery),
                Ok(()),
                "{authentication}"
            );
        }
    }

    #[test]
    fn debug_shows_no_secret() {
        let delivery = delivery(
            &[("authorization", "hunter2")],
            &[("secret", "hunter2")],
            "hunter2",
        );
        let shown = format!(
            "{:?} {:?} {delivery:?}",
            Secret::parse("hunter2"),
            Secrets::parse("hunter2")
        );
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}
