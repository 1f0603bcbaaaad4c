//! Networks of addresses.

use std::fmt;
use std::net::IpAddr;
use std::net::Ipv4Addr;

use ipnet::IpNet;
use ipnet::Ipv4Net;
use thiserror::Error;

/// What is no network.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{0:?} is no network; give one such as 10.0.0.0/8, 2001:db8::/32 or 192.0.2.7")]
pub struct NetworkError(pub String);

/// Networks, none at all by default.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Networks(Vec<IpNet>);

impl Networks {
    /// Reads networks separated by commas; an empty text is none.
    ///
    /// # Errors
    /// [`NetworkError`] with the first that is none.
    pub fn parse(text: &str) -> Result<Self, NetworkError> {
        elements(text)
            .map(network)
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether one of them has that address. An IPv4 address in IPv6 clothes (`::ffff:10.0.0.1`) is the IPv4 address.
    #[must_use]
    pub fn contain(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.0.iter().any(|network| network.contains(&address))
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, text: &str) -> Result<(), NetworkError> {
        self.0.push(network(text)?);
        Ok(())
    }
}

impl fmt::Display for Networks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let all: Vec<_> = self.0.iter().map(ToString::to_string).collect();
        f.write_str(&all.join(","))
    }
}

/// What is between the commas, without blanks; nothing where the whole is empty.
pub(super) fn elements(text: &str) -> impl Iterator<Item = &str> {
    let is_empty = text.trim().is_empty();
    text.split(',').map(str::trim).filter(move |_| !is_empty)
}

/// A network, or an address, which is one of its own.
fn network(text: &str) -> Result<IpNet, NetworkError> {
    let wrong = || NetworkError(text.to_owned());
    let network = match text.parse::<IpAddr>() {
        Ok(address) => IpNet::from(address),
        Err(_) => text.parse::<IpNet>().map_err(|_| wrong())?.trunc(),
    };
    Ok(in_ipv4(network))
}

/// An IPv4 network in IPv6 clothes is the IPv4 network: no address would be in it otherwise.
fn in_ipv4(network: IpNet) -> IpNet {
    /// The bits of `::ffff:0:0`.
    const CLOTHES: u8 = 96;
    let IpNet::V6(six) = network else {
        return network;
    };
    let four = six.network().to_ipv4_mapped().and_then(|four| {
        let prefix = six.prefix_len().checked_sub(CLOTHES)?;
        Ipv4Net::new(four, prefix).ok()
    });
    four.map_or(network, IpNet::V4)
}

/// Whose misdeeds are counted together: an IPv4 address, or the /64 of an IPv6 one, of which one host has all addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Neighbourhood {
    /// One address.
    V4(Ipv4Addr),
    /// The upper half of the addresses.
    V6(u64),
}

impl Neighbourhood {
    /// That of an address.
    #[must_use]
    pub fn of(address: IpAddr) -> Self {
        match address.to_canonical() {
            IpAddr::V4(address) => Self::V4(address),
            IpAddr::V6(address) => {
                const LOWER_HALF: u32 = 64;
                Self::V6((address.to_bits() >> LOWER_HALF) as u64)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn networks(text: &str) -> Networks {
        Networks::parse(text).unwrap()
    }

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn an_address_is_in_a_network_or_not() {
        let some = networks("10.0.0.0/8, 192.0.2.7,2001:db8::/32");
        for inside in [
            "10.255.0.1",
            "192.0.2.7",
            "2001:db8:1::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(some.contain(address(inside)), "{inside}");
        }
        for outside in ["11.0.0.1", "192.0.2.8", "2001:db9::1", "::10.0.0.1", "::1"] {
            assert!(!some.contain(address(outside)), "{outside}");
        }
        assert!(networks("0.0.0.0/0").contain(address("203.0.113.1")));
        assert!(!networks("0.0.0.0/0").contain(address("2001:db8::1")));
    }

    #[test]
    fn nothing_is_no_network() {
        assert!(networks("").is_empty() && networks(" ").is_empty());
        assert!(!networks("").contain(address("127.0.0.1")));
    }

    #[test]
    fn clothes_make_no_other_network() {
        assert_eq!(networks("::ffff:10.0.0.0/104"), networks("10.0.0.0/8"));
        assert_eq!(networks("::ffff:10.0.0.1"), networks("10.0.0.1/32"));
        assert_eq!(networks("10.1.2.3/8"), networks("10.0.0.0/8"));
    }

    #[test]
    fn what_is_no_network_is_named() {
        for text in ["x", "10.0.0.0/33", "10.0.0/8", "10.0.0.0/8,,::1", "a=b"] {
            let error = Networks::parse(text).unwrap_err();
            assert!(error.to_string().contains("10.0.0.0/8"), "{text}: {error}");
        }
    }

    #[test]
    fn neighbours_share_64_bits() {
        let of = |text| Neighbourhood::of(address(text));
        assert_eq!(of("2001:db8:0:1::1"), of("2001:db8:0:1:ffff::2"));
        assert_ne!(of("2001:db8:0:1::1"), of("2001:db8:0:2::1"));
        assert_ne!(of("10.0.0.1"), of("10.0.0.2"));
        assert_eq!(of("::ffff:10.0.0.1"), of("10.0.0.1"));
    }

    proptest! {
        #[test]
        fn any_text_is_read_without_panic(text in any::<String>()) {
            let _ = Networks::parse(&text);
        }

        #[test]
        fn what_is_shown_is_read_again(bits in any::<u32>(), six in any::<u128>(), prefix in 0_u8..=32) {
            let four = format!("{}/{prefix}", Ipv4Addr::from_bits(bits));
            let six = format!("{}/{}", std::net::Ipv6Addr::from_bits(six), 128 - prefix);
            let some = networks(&format!("{four},{six}"));
            prop_assert_eq!(networks(&some.to_string()), some);
        }
    }
}
