//! TLS 1.1 to 1.3 by OpenSSL, for what rustls does not have.

use std::io;
use std::pin::Pin;
use std::sync::Mutex;
use std::sync::PoisonError;

use arc_swap::ArcSwap;
use async_trait::async_trait;
use openssl::error::ErrorStack;
use openssl::pkey::PKey;
use openssl::ssl::{
    self, AlpnError, Ssl, SslContext, SslContextBuilder, SslMethod, SslMode, SslOptions,
    SslSessionCacheMode, SslVerifyMode, SslVersion,
};
use openssl::x509::X509;
use openssl::x509::store::X509StoreBuilder;
use tokio::net::TcpStream;
use tokio_openssl::SslStream;

use super::acceptor::{Accepted, Acceptor, TlsAcceptor, first_byte, version};
use super::certificate::KeyPair;
use super::client_ca::ClientCa;
use super::error::TlsError;
use super::shown::{Trust, shown};
use crate::domain::tls::cipher_suite::{CipherSuite, SuiteClass};
use crate::domain::tls::{TlsPolicy, TlsVersion};

/// What is offered by ALPN, in its wire format: each name after its length.
const WITH_HTTP2: &[u8] = b"\x02h2\x08http/1.1";
const WITHOUT_HTTP2: &[u8] = b"\x08http/1.1";

/// Accepts TLS 1.1 to 1.3.
pub(super) struct OpensslAcceptor {
    policy: TlsPolicy,
    http2: bool,
    /// What the context is made of: a part of it cannot be replaced alone.
    parts: Mutex<Parts>,
    context: ArcSwap<SslContext>,
    trust: Trust,
}

struct Parts {
    pair: KeyPair,
    clients: Option<ClientCa>,
}

impl OpensslAcceptor {
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
        let parts = Parts {
            pair: pair.copy(),
            clients: clients.cloned(),
        };
        Ok(Self {
            context: ArcSwap::from_pointee(context(policy, http2, &parts)?),
            policy: policy.clone(),
            http2,
            parts: Mutex::new(parts),
            trust: Trust::default(),
        })
    }

    /// Serves what has one part changed, if it can be served.
    fn change(&self, change: impl FnOnce(&Parts) -> Parts) -> Result<(), TlsError> {
        let mut parts = self.parts.lock().unwrap_or_else(PoisonError::into_inner);
        let changed = change(&parts);
        let context = context(&self.policy, self.http2, &changed)?;
        *parts = changed;
        self.context.store(context.into());
        Ok(())
    }
}

#[async_trait]
impl Acceptor for OpensslAcceptor {
    async fn accept(&self, tcp: TcpStream) -> io::Result<Accepted> {
        first_byte(&tcp).await?;
        // First this: authorities that are replaced in between count as replaced.
        let trust = self.trust.subscribe();
        let ssl = Ssl::new(&self.context.load())?;
        let mut stream = SslStream::new(ssl, tcp)?;
        Pin::new(&mut stream)
            .accept()
            .await
            .map_err(io::Error::other)?;
        let version = version(stream.ssl().selected_alpn_protocol());
        // A certificate that is no good has ended the handshake.
        let certificate = match stream.ssl().peer_certificate() {
            Some(leaf) => shown(&leaf.to_der()?.into(), trust),
            None => None,
        };
        Ok((Box::new(stream), version, certificate))
    }
}

impl TlsAcceptor for OpensslAcceptor {
    fn install(&self, pair: &KeyPair) -> Result<(), TlsError> {
        self.change(|parts| Parts {
            pair: pair.copy(),
            clients: parts.clients.clone(),
        })
    }

    fn trust(&self, clients: &ClientCa) -> Result<(), TlsError> {
        self.change(|parts| Parts {
            pair: parts.pair.copy(),
            clients: Some(clients.clone()),
        })?;
        self.trust.send_replace(());
        Ok(())
    }
}

fn context(policy: &TlsPolicy, http2: bool, parts: &Parts) -> Result<SslContext, TlsError> {
    let mut builder = configured(policy, http2).map_err(|error| TlsError::Configure {
        reason: error.to_string(),
    })?;
    add_certificate(&mut builder, &parts.pair)?;
    if let Some(clients) = &parts.clients {
        add_clients(&mut builder, clients).map_err(|error| TlsError::ParseClientCa {
            reason: error.to_string(),
        })?;
    }
    Ok(builder.build())
}

/// Asks for a certificate and does not insist: which deliveries need one is known when they have said their type. No session is resumed: it would
/// have its certificate from the first handshake, and nothing would look at that again.
fn add_clients(builder: &mut SslContextBuilder, clients: &ClientCa) -> Result<(), ErrorStack> {
    let mut store = X509StoreBuilder::new()?;
    for certificate in clients.certificates() {
        let certificate = X509::from_der(certificate)?;
        builder.add_client_ca(&certificate)?;
        store.add_cert(certificate)?;
    }
    builder.set_verify_cert_store(store.build())?;
    builder.set_verify(SslVerifyMode::PEER);
    builder.set_session_cache_mode(SslSessionCacheMode::OFF);
    builder.set_options(SslOptions::NO_TICKET);
    builder.set_num_tickets(0)?;
    Ok(())
}

fn configured(policy: &TlsPolicy, http2: bool) -> Result<SslContextBuilder, ErrorStack> {
    let mut builder = SslContextBuilder::new(SslMethod::tls_server())?;
    builder.set_options(SslOptions::NO_COMPRESSION | SslOptions::NO_RENEGOTIATION);
    // A write that has to wait may be tried again with more bytes in another place, and an idle connection holds no buffers.
    builder.set_mode(
        SslMode::AUTO_RETRY
            | SslMode::ACCEPT_MOVING_WRITE_BUFFER
            | SslMode::ENABLE_PARTIAL_WRITE
            | SslMode::RELEASE_BUFFERS,
    );
    builder.set_min_proto_version(Some(protocol(policy.min())))?;
    builder.set_max_proto_version(Some(protocol(policy.max())))?;
    let mut suites = suites(policy);
    if policy.min() == TlsVersion::Tls11 {
        // Its signatures are of MD5 and SHA-1, which OpenSSL 3 permits at this level only.
        builder.set_security_level(0);
        suites.push_str(":@SECLEVEL=0");
    }
    builder.set_cipher_list(&suites)?;
    builder.set_session_id_context(b"argocd-image-updater")?;
    let offered = if http2 { WITH_HTTP2 } else { WITHOUT_HTTP2 };
    builder.set_alpn_select_callback(move |_, client| {
        ssl::select_next_proto(offered, client).ok_or(AlpnError::ALERT_FATAL)
    });
    Ok(builder)
}

fn protocol(version: TlsVersion) -> SslVersion {
    match version {
        TlsVersion::Tls11 => SslVersion::TLS1_1,
        TlsVersion::Tls12 => SslVersion::TLS1_2,
        TlsVersion::Tls13 => SslVersion::TLS1_3,
    }
}

/// The suites below TLS 1.3 by OpenSSL's names. Unless RSA key exchange is asked for by name, every one has forward secrecy.
fn suites(policy: &TlsPolicy) -> String {
    let usual = CipherSuite::ALL
        .iter()
        .filter(|suite| matches!(suite.class(), SuiteClass::Modern | SuiteClass::Legacy))
        .filter(|suite| suite.name().starts_with("TLS_ECDHE_"));
    let names: Vec<_> = if policy.suites().is_empty() {
        usual.map(|suite| ssl::cipher_name(suite.name())).collect()
    } else {
        let named = policy.suites().iter();
        named.map(|suite| ssl::cipher_name(suite.name())).collect()
    };
    names.join(":")
}

fn add_certificate(builder: &mut SslContextBuilder, pair: &KeyPair) -> Result<(), TlsError> {
    let unusable = |error: ErrorStack| TlsError::UseCertificate {
        reason: error.to_string(),
    };
    let mut chain = pair.chain.iter();
    if let Some(leaf) = chain.next() {
        let leaf = X509::from_der(leaf).map_err(unusable)?;
        builder.set_certificate(&leaf).map_err(unusable)?;
    }
    for issuer in chain {
        let issuer = X509::from_der(issuer).map_err(unusable)?;
        builder.add_extra_chain_cert(issuer).map_err(unusable)?;
    }
    let key = PKey::private_key_from_der(pair.key.secret_der()).map_err(|_| TlsError::ParseKey)?;
    builder
        .set_private_key(&key)
        .and_then(|()| builder.check_private_key())
        .map_err(|_| TlsError::MatchKey)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn openssl_knows_every_suite_that_is_served() {
        for suite in CipherSuite::ALL {
            if matches!(suite.class(), SuiteClass::Modern | SuiteClass::Legacy) {
                assert_ne!(ssl::cipher_name(suite.name()), "(NONE)", "{suite}");
            }
        }
    }
}
