//! Where a request comes from, where proxies stand in between.

use std::net::IpAddr;
use std::net::SocketAddr;

use super::network::Networks;

/// The source of a request that came from that peer, with those values of `X-Forwarded-For`, first one first. They are bytes: a proxy may pass on
/// some that are no text, in front of the address that it adds.
///
/// A proxy adds the address that it sees at the end. So an address counts only as far as every hop behind it, down to the peer, is a trusted
/// proxy: the source is the last one that is none. Whatever stands before that anybody may have made up. What is no address ends the way at
/// the proxy that told of it.
#[must_use]
pub fn source<'a>(
    peer: IpAddr,
    forwarded: impl DoubleEndedIterator<Item = &'a [u8]>,
    proxies: &Networks,
) -> IpAddr {
    let mut source = peer.to_canonical();
    let hops = forwarded.flat_map(|value| value.split(|byte| *byte == b','));
    for hop in hops.rev() {
        if !proxies.contain(source) {
            break;
        }
        let Some(address) = address(hop) else {
            break;
        };
        source = address;
    }
    source
}

/// An address as proxies write it: some add a port, and then put IPv6 into brackets.
fn address(hop: &[u8]) -> Option<IpAddr> {
    let hop = str::from_utf8(hop).ok()?.trim();
    let bare = hop
        .strip_prefix('[')
        .and_then(|hop| hop.strip_suffix(']'))
        .unwrap_or(hop);
    let address = bare.parse().ok();
    let address = address.or_else(|| hop.parse().ok().map(|socket: SocketAddr| socket.ip()));
    address.map(|address: IpAddr| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::*;

    fn found(peer: &str, forwarded: &[impl AsRef<[u8]>]) -> String {
        let proxies = Networks::parse("10.0.0.0/8,fd00::/8").unwrap();
        let forwarded = forwarded.iter().map(AsRef::as_ref);
        source(peer.parse().unwrap(), forwarded, &proxies).to_string()
    }

    #[test]
    fn only_proxies_are_believed() {
        assert_eq!(found("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(found("10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("::ffff:10.0.0.1", &["1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &[""; 0]), "10.0.0.1");
    }

    #[test]
    fn what_the_client_made_up_does_not_count() {
        assert_eq!(found("10.0.0.1", &["9.9.9.9, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &["10.9.9.9, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &["9.9.9.9", "1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &["9.9.9.9", "x, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &[b"\xe9, 1.2.3.4"]), "1.2.3.4");
        assert_eq!(found("10.0.0.1", &[b"1.2.3.4, \xe9"]), "10.0.0.1");
    }

    #[test]
    fn a_chain_of_proxies_is_followed() {
        assert_eq!(
            found("10.0.0.1", &["9.9.9.9, 1.2.3.4, 10.0.0.2,fd00::1"]),
            "1.2.3.4"
        );
        assert_eq!(found("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
    }

    #[test]
    fn addresses_are_read_as_proxies_write_them() {
        for (hop, expected) in [
            ("1.2.3.4:5678", "1.2.3.4"),
            ("[2001:db8::1]:443", "2001:db8::1"),
            ("[2001:db8::1]", "2001:db8::1"),
            ("2001:db8::1", "2001:db8::1"),
            ("::ffff:1.2.3.4", "1.2.3.4"),
        ] {
            assert_eq!(found("10.0.0.1", &[hop]), expected, "{hop}");
        }
        for hop in ["", "unknown", "1.2.3", "1.2.3.4, ", "[1.2.3.4", "_hidden"] {
            assert_eq!(found("10.0.0.1", &[hop]), "10.0.0.1", "{hop:?}");
        }
    }

    proptest! {
        /// Whatever a client sends, behind one proxy that is trusted its own address is found.
        #[test]
        fn a_client_cannot_choose_its_source(mut lines in vec(vec(any::<u8>(), 0..40), 0..4)) {
            let own = b"198.51.100.7".as_slice();
            prop_assert_eq!(found("203.0.113.9", &lines), "203.0.113.9");
            if let Some(last) = lines.last() {
                let appended = [last, b", ".as_slice(), own].concat();
                prop_assert_eq!(found("10.0.0.1", &[appended]), "198.51.100.7");
            }
            lines.push(own.to_owned());
            prop_assert_eq!(found("10.0.0.1", &lines), "198.51.100.7");
        }
    }
}
