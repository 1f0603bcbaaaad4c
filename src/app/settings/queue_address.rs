//! Where a queue is that replicas share.

use std::fmt;

use percent_encoding::percent_decode_str;

/// The longest address, in bytes.
const LONGEST: usize = 2048;

/// Servers of NATS, and who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QueueAddress {
    /// Host and port of each server of a cluster, at least one.
    pub servers: Vec<String>,
    /// Whether it has to be by TLS.
    pub is_tls: bool,
    /// Who comes; `None`: anybody.
    pub login: Option<QueueLogin>,
}

/// What proves who comes. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum QueueLogin {
    /// A user and a password.
    Password {
        /// The user.
        user: String,
        /// The password.
        password: String,
    },
    /// A token.
    Token(String),
}

impl fmt::Debug for QueueLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password([redacted])",
            Self::Token(_) => "Token([redacted])",
        })
    }
}

impl QueueAddress {
    /// Reads `nats://user:password@host:4222`, with `tls://` for TLS, a token in the place of user and password, no login at all, and further
    /// servers after commas. What stands in the address for the login is percent-encoded.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let request = || {
            "give an address such as nats://user:password@host:4222, or tls://… for TLS".to_owned()
        };
        let text = text.trim();
        let (is_tls, rest) = match text.split_once("://") {
            Some(("nats", rest)) => (false, rest),
            Some(("tls", rest)) => (true, rest),
            Some(_) | None => return Err(request()),
        };
        let (login, hosts) = match rest.rsplit_once('@') {
            Some((login, hosts)) => (Some(login), hosts),
            None => (None, rest),
        };
        let servers: Option<Vec<String>> = hosts
            .trim_end_matches('/')
            .split(',')
            .map(|host| server(host.trim()))
            .collect();
        let is_long = text.len() > LONGEST;
        let servers = servers.filter(|_| !is_long).ok_or_else(request)?;
        Ok(Self {
            servers,
            is_tls,
            login: login.map(read_login).transpose()?,
        })
    }
}

/// As people may see it.
impl fmt::Display for QueueAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scheme = if self.is_tls { "tls" } else { "nats" };
        let login = match &self.login {
            Some(QueueLogin::Password { user, .. }) => {
                format!("{}:[redacted]@", user.escape_debug())
            }
            Some(QueueLogin::Token(_)) => "[redacted]@".to_owned(),
            None => String::new(),
        };
        write!(f, "{scheme}://{login}{}", self.servers.join(","))
    }
}

/// Host and port; the port of NATS where none is given.
fn server(text: &str) -> Option<String> {
    const PORT: u16 = 4222;
    let (host, port) = match text.rsplit_once(':') {
        Some((host, port)) if !port.ends_with(']') => (host, port.parse().ok()?),
        Some(_) | None => (text, PORT),
    };
    let inner = host
        .strip_prefix('[')
        .and_then(|host| host.strip_suffix(']'));
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '.' || c == '-' || c == '_';
    let is_host = match inner {
        Some(inner) => inner.parse::<std::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.chars().all(is_name),
    };
    is_host.then(|| format!("{host}:{port}"))
}

fn read_login(text: &str) -> Result<QueueLogin, String> {
    let decoded = |text: &str| match percent_decode_str(text).decode_utf8() {
        Ok(text) if !text.is_empty() => Ok(text.into_owned()),
        Ok(_) | Err(_) => Err("give a user and a password, or a token, before the @".to_owned()),
    };
    Ok(match text.split_once(':') {
        Some((user, password)) => QueueLogin::Password {
            user: decoded(user)?,
            password: decoded(password)?,
        },
        None => QueueLogin::Token(decoded(text)?),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        QueueAddress::parse(text).unwrap().to_string()
    }

    #[test]
    fn addresses_are_read_and_shown_without_secrets() {
        for (text, expected) in [
            ("nats://nats", "nats://nats:4222"),
            (
                "tls://nats.example.com:4443/",
                "tls://nats.example.com:4443",
            ),
            ("nats://[::1]", "nats://[::1]:4222"),
            ("nats://[::1]:1", "nats://[::1]:1"),
            (
                "nats://u:hunter2@a,b:1, c",
                "nats://u:[redacted]@a:4222,b:1,c:4222",
            ),
            ("nats://hunter2@a", "nats://[redacted]@a:4222"),
        ] {
            assert_eq!(shown(text), expected);
            let address = QueueAddress::parse(text).unwrap();
            assert!(!format!("{address:?}").contains("hunter2"), "{address:?}");
        }
    }

    #[test]
    fn a_login_may_hold_anything() {
        let address = QueueAddress::parse("nats://us%3Aer:p%40ss%2f%3a:x@a").unwrap();
        let login = QueueLogin::Password {
            user: "us:er".to_owned(),
            password: "p@ss/::x".to_owned(),
        };
        assert_eq!(address.login, Some(login));
    }

    #[test]
    fn what_is_no_address_is_refused_without_being_shown() {
        for text in [
            "",
            "nats",
            "http://a",
            "nats://",
            "nats://u:hunter2@",
            "nats://a:b:c",
            "nats://a:hunter2",
            "nats://a,,b",
            "nats://a b",
            "nats://:hunter2@a",
            "nats://u:@a",
            "nats://%ff:hunter2@a",
            "nats://[1]",
        ] {
            let error = QueueAddress::parse(text).unwrap_err();
            assert!(!error.contains("hunter2"), "{error}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_given_is_read_without_a_panic(text in "(nats|tls)?(://)?[ -~é]{0,40}") {
            if let Ok(address) = QueueAddress::parse(&text) {
                let _ = address.to_string();
            }
        }
    }
}
