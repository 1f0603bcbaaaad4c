//! From where and how a delivery may come, whatever it says.

pub mod allow_list;
pub mod network;
pub mod source;

use std::net::IpAddr;

use thiserror::Error;

use self::allow_list::AllowList;
use self::network::Networks;

/// Whether a client showed a certificate that one of our authorities made for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ClientCertificate {
    /// It did.
    Verified,
    /// It did, and that counts no more: it has expired since, or the authorities were replaced.
    Lapsed,
    /// It showed none. (One of somebody else's ends the handshake.)
    Absent,
}

/// Where a delivery comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// The address that it comes from.
    pub source: IpAddr,
    /// What the connection showed, which is the last proxy's where there is one that ends TLS.
    pub certificate: ClientCertificate,
}

/// Why a delivery is turned away before anything in it is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum TurnedAway {
    /// It comes from elsewhere.
    #[error("deliveries of this type are not taken from your network")]
    Network,
    /// It comes without a certificate.
    #[error("deliveries of this type need a TLS client certificate")]
    Certificate,
    /// It comes with a certificate that would have to be shown again.
    #[error("the TLS client certificate of this connection counts no more: connect again")]
    Lapsed,
}

/// The types whose deliveries have to come with a client certificate.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Certified {
    /// None.
    #[default]
    None,
    /// All of them.
    All,
    /// These.
    These(Vec<String>),
}

impl Certified {
    /// Reads `*`, or types separated by commas.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let types: Vec<String> = network::elements(text).map(str::to_owned).collect();
        match types.as_slice() {
            [] => Self::None,
            [all] if all == "*" => Self::All,
            _ => Self::These(types),
        }
    }

    /// The types that are named.
    pub fn types(&self) -> impl Iterator<Item = &str> {
        let types = match self {
            Self::These(types) => types.as_slice(),
            Self::None | Self::All => &[],
        };
        types.iter().map(String::as_str)
    }

    fn covers(&self, sender_type: Option<&str>) -> bool {
        match self {
            Self::None => false,
            Self::All => true,
            Self::These(types) => types.iter().any(|name| Some(name.as_str()) == sender_type),
        }
    }
}

/// Who may deliver, as far as a connection tells. By default everybody may.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Admission {
    /// Those who are believed when they say for whom they speak.
    pub proxies: Networks,
    /// From where deliveries are taken.
    pub allowed: AllowList,
    /// Which need a certificate.
    pub certified: Certified,
}

impl Admission {
    /// Lets a delivery of that type come, or turns it away.
    ///
    /// # Errors
    /// [`TurnedAway`].
    pub fn admit(&self, sender_type: Option<&str>, origin: Origin) -> Result<(), TurnedAway> {
        if !self.allowed.admits(sender_type, origin.source) {
            return Err(TurnedAway::Network);
        }
        if !self.certified.covers(sender_type) {
            return Ok(());
        }
        match origin.certificate {
            ClientCertificate::Verified => Ok(()),
            ClientCertificate::Lapsed => Err(TurnedAway::Lapsed),
            ClientCertificate::Absent => Err(TurnedAway::Certificate),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn admit(
        certified: &str,
        sender_type: &str,
        certificate: ClientCertificate,
    ) -> Result<(), TurnedAway> {
        let admission = Admission {
            allowed: AllowList::parse("127.0.0.0/8").unwrap(),
            certified: Certified::parse(certified),
            ..Admission::default()
        };
        let source = IpAddr::from([127, 0, 0, 1]);
        admission.admit(
            Some(sender_type),
            Origin {
                source,
                certificate,
            },
        )
    }

    #[test]
    fn a_certificate_is_needed_where_it_is_asked_for() {
        use ClientCertificate::Absent;
        use ClientCertificate::Lapsed;
        use ClientCertificate::Verified;
        let missing = Err(TurnedAway::Certificate);
        for (certified, of_harbor, of_acr) in [
            ("", Ok(()), Ok(())),
            ("*", missing, missing),
            ("harbor", missing, Ok(())),
            ("acr, harbor", missing, missing),
        ] {
            assert_eq!(admit(certified, "harbor", Absent), of_harbor, "{certified}");
            assert_eq!(admit(certified, "acr", Absent), of_acr, "{certified}");
            assert_eq!(admit(certified, "harbor", Verified), Ok(()), "{certified}");
            let lapsed = of_harbor.map_err(|_| TurnedAway::Lapsed);
            assert_eq!(admit(certified, "harbor", Lapsed), lapsed, "{certified}");
        }
    }

    #[test]
    fn a_certificate_does_not_help_in_the_wrong_place() {
        let admission = Admission {
            allowed: AllowList::parse("10.0.0.0/8").unwrap(),
            ..Admission::default()
        };
        let origin = Origin {
            source: IpAddr::from([127, 0, 0, 1]),
            certificate: ClientCertificate::Verified,
        };
        assert_eq!(admission.admit(None, origin), Err(TurnedAway::Network));
    }
}
