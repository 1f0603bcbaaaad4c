//! Where a server listens, in the spelling of Go's [`net.Listen`](https://pkg.go.dev/net#Listen).

use std::fmt;

/// An address to listen on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListenAddress {
    /// The name or the IP address of one of the machine's addresses; `None`: all of them.
    pub host: Option<String>,
    /// The port; 0: any that is free.
    pub port: u16,
}

impl ListenAddress {
    /// Reads `:8081`, `localhost:8081`, `127.0.0.1:8081` or `[::1]:8081`; `None` where it is empty or `0`, which turn the server off.
    pub(super) fn parse(text: &str) -> Result<Option<Self>, String> {
        if text.is_empty() || text == "0" {
            return Ok(None);
        }
        let address = text.rsplit_once(':').and_then(|(host, port)| {
            let port = port.parse().ok()?;
            let bare = host.strip_prefix('[').and_then(|it| it.strip_suffix(']'));
            let host = bare.unwrap_or(host);
            // An IPv6 address without brackets could be meant with its last part as the port, or without.
            let is_clear = bare.is_some() || !host.contains(':');
            is_clear.then(|| Self {
                host: Some(host.to_owned()).filter(|host| !host.is_empty()),
                port,
            })
        });
        address.map(Some).ok_or_else(|| {
            "give an address such as :8081 or 127.0.0.1:8081, or 0 for none".to_owned()
        })
    }
}

impl fmt::Display for ListenAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.host {
            Some(host) if host.contains(':') => write!(f, "[{host}]:{}", self.port),
            Some(host) => write!(f, "{host}:{}", self.port),
            None => write!(f, ":{}", self.port),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_are_spelled_as_in_go() {
        for text in [":8081", "localhost:8081", "127.0.0.1:0", "[::1]:8081"] {
            let address = ListenAddress::parse(text).unwrap().unwrap();
            assert_eq!(address.to_string(), text);
        }
        for off in ["", "0"] {
            assert_eq!(ListenAddress::parse(off), Ok(None));
        }
        for text in ["8081", ":", ":http", ":65536", "::1:8081", "localhost"] {
            assert!(ListenAddress::parse(text).is_err(), "{text}");
        }
    }
}
