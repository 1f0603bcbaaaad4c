//! TLS 1.2 and 1.3 by rustls.

use std::io;
use std::sync::Arc;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use rustls::crypto::CryptoProvider;
use rustls::server::danger::ClientCertVerifier;
use rustls::server::{
    ClientHello, NoServerSessionStorage, ResolvesServerCert, WebPkiClientVerifier,
};
use rustls::sign::CertifiedKey;
use rustls::{Error, ServerConfig, SupportedCipherSuite, SupportedProtocolVersion};
use tokio::net::TcpStream;

use super::acceptor::{Accepted, Acceptor, H2, HTTP11, TlsAcceptor, first_byte, version};
use super::certificate::KeyPair;
use super::client_ca::ClientCa;
use super::error::TlsError;
use super::shown::{Trust, shown};
use crate::domain::tls::{TlsPolicy, TlsVersion};

/// Accepts TLS 1.2 and 1.3.
pub(super) struct RustlsAcceptor {
    config: ArcSwap<ServerConfig>,
    terms: Terms,
    trust: Trust,
}

/// What stays whoever is trusted.
struct Terms {
    provider: Arc<CryptoProvider>,
    versions: Vec<&'static SupportedProtocolVersion>,
    http2: bool,
    certificate: Arc<Certificate>,
}

impl RustlsAcceptor {
    /// Serves that policy with that certificate. Clients may show certificates of these authorities, if there are any.
    ///
    /// # Errors
    /// [`TlsError`] where the pair, the policy or the authorities cannot be used.
    pub(super) fn new(
        policy: &TlsPolicy,
        http2: bool,
        pair: &KeyPair,
        clients: Option<&ClientCa>,
    ) -> Result<Self, TlsError> {
        let provider = Arc::new(provider(policy));
        let key = certified(pair, &provider)?;
        let terms = Terms {
            provider,
            versions: versions(policy),
            http2,
            certificate: Arc::new(Certificate(ArcSwap::from_pointee(key))),
        };
        Ok(Self {
            config: ArcSwap::from_pointee(terms.config(clients)?),
            terms,
            trust: Trust::default(),
        })
    }
}

impl Terms {
    fn config(&self, clients: Option<&ClientCa>) -> Result<ServerConfig, TlsError> {
        let certificate = Arc::clone(&self.certificate) as Arc<dyn ResolvesServerCert>;
        let mut config = ServerConfig::builder_with_provider(Arc::clone(&self.provider))
            .with_protocol_versions(&self.versions)
            .map_err(|error| TlsError::Configure {
                reason: error.to_string(),
            })?
            .with_client_cert_verifier(self.verifier(clients)?)
            .with_cert_resolver(certificate);
        if self.http2 {
            config.alpn_protocols.push(H2.to_vec());
        }
        config.alpn_protocols.push(HTTP11.to_vec());
        if clients.is_some() {
            // A session that is resumed has its certificate from the first handshake, and nothing would look at that again.
            config.session_storage = Arc::new(NoServerSessionStorage {});
            config.send_tls13_tickets = 0;
        }
        Ok(config)
    }

    /// A client may do without a certificate here: which deliveries need one is known when they have said their type.
    fn verifier(
        &self,
        clients: Option<&ClientCa>,
    ) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
        let Some(clients) = clients else {
            return Ok(WebPkiClientVerifier::no_client_auth());
        };
        let roots = Arc::new(clients.roots()?);
        WebPkiClientVerifier::builder_with_provider(roots, Arc::clone(&self.provider))
            .allow_unauthenticated()
            .build()
            .map_err(|error| TlsError::ParseClientCa {
                reason: error.to_string(),
            })
    }
}

#[async_trait]
impl Acceptor for RustlsAcceptor {
    async fn accept(&self, tcp: TcpStream) -> io::Result<Accepted> {
        first_byte(&tcp).await?;
        // First this: authorities that are replaced in between count as replaced.
        let trust = self.trust.subscribe();
        let tls = tokio_rustls::TlsAcceptor::from(self.config.load_full());
        let stream = tls.accept(tcp).await.map_err(io::Error::other)?;
        let session = stream.get_ref().1;
        let version = version(session.alpn_protocol());
        // A certificate that is no good has ended the handshake.
        let certificate = match session.peer_certificates() {
            Some([leaf, ..]) => shown(leaf, trust),
            Some([]) | None => None,
        };
        Ok((Box::new(stream), version, certificate))
    }
}

impl TlsAcceptor for RustlsAcceptor {
    fn install(&self, pair: &KeyPair) -> Result<(), TlsError> {
        let key = certified(pair, &self.terms.provider)?;
        self.terms.certificate.0.store(Arc::new(key));
        Ok(())
    }

    fn trust(&self, clients: &ClientCa) -> Result<(), TlsError> {
        let config = self.terms.config(Some(clients))?;
        self.config.store(Arc::new(config));
        self.trust.send_replace(());
        Ok(())
    }
}

/// The certificate that is served now.
#[derive(Debug)]
struct Certificate(ArcSwap<CertifiedKey>);

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.0.load_full())
    }
}

fn certified(pair: &KeyPair, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    CertifiedKey::from_der(pair.chain.clone(), pair.key.clone_key(), provider).map_err(|error| {
        match error {
            Error::InconsistentKeys(_) => TlsError::MatchKey,
            other => TlsError::UseCertificate {
                reason: other.to_string(),
            },
        }
    })
}

/// AWS-LC, and no other provider that some dependency may have switched on; with the policy's suites.
fn provider(policy: &TlsPolicy) -> CryptoProvider {
    let mut provider = rustls::crypto::aws_lc_rs::default_provider();
    if !policy.suites().is_empty() {
        provider
            .cipher_suites
            .retain(|suite| is_served(policy, *suite));
    }
    provider
}

/// Suites of TLS 1.3 are no matter of configuration. Below, rustls calls suites by their IANA names.
fn is_served(policy: &TlsPolicy, suite: SupportedCipherSuite) -> bool {
    let name = suite.suite().as_str();
    suite.tls13().is_some()
        || policy
            .suites()
            .iter()
            .any(|named| Some(named.name()) == name)
}

fn versions(policy: &TlsPolicy) -> Vec<&'static SupportedProtocolVersion> {
    let range = policy.min()..=policy.max();
    let mut versions = Vec::new();
    if range.contains(&TlsVersion::Tls13) {
        versions.push(&rustls::version::TLS13);
    }
    if range.contains(&TlsVersion::Tls12) {
        versions.push(&rustls::version::TLS12);
    }
    versions
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::tls::Capabilities;
    use crate::domain::tls::cipher_suite::{CipherList, CipherSuite, SuiteClass};

    /// Neither table may know a suite that the other does not.
    #[test]
    fn rustls_serves_exactly_the_modern_suites() {
        let theirs: Vec<_> = rustls::crypto::aws_lc_rs::default_provider()
            .cipher_suites
            .iter()
            .filter(|suite| suite.tls13().is_none())
            .filter_map(|suite| CipherSuite::named(suite.suite().as_str()?))
            .collect();
        let modern = CipherSuite::ALL
            .iter()
            .filter(|suite| suite.class() == SuiteClass::Modern);
        assert_eq!(theirs.len(), modern.clone().count());
        for suite in modern {
            assert!(theirs.contains(suite), "{suite}");
        }
    }

    #[test]
    fn a_restricted_policy_keeps_the_suites_of_tls_13() {
        let name = "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256";
        let list = CipherList::parse(name).unwrap();
        let build = Capabilities { tls11: false };
        let (policy, _) =
            TlsPolicy::new(TlsVersion::Tls12, TlsVersion::Tls13, &list, build).unwrap();
        let names: Vec<_> = provider(&policy)
            .cipher_suites
            .iter()
            .filter_map(|suite| suite.suite().as_str())
            .collect();
        assert_eq!(names.len(), 4, "{names:?}");
        assert!(names.contains(&name));
    }
}
