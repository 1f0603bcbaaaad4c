//! How the server is reached.

use std::fmt;
use std::io;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::time::Duration;

use async_nats::Client;
use async_nats::ConnectOptions;
use async_nats::Event;
use async_nats::ServerAddr;
use thiserror::Error;
use tokio::sync::watch;
use tracing::debug;
use tracing::info;
use tracing::warn;

/// Where the server is and who comes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    /// Host and port of each server of a cluster, at least one.
    pub servers: Vec<String>,
    /// Whether it has to be by TLS.
    pub is_tls: bool,
    /// Who comes; `None`: anybody.
    pub login: Option<Login>,
}

/// What proves who comes. Its `Debug` shows no secret.
#[derive(Clone, PartialEq, Eq)]
pub enum Login {
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

impl fmt::Debug for Login {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Password { .. } => "Password([redacted])",
            Self::Token(_) => "Token([redacted])",
        })
    }
}

/// Why there is not even an attempt to connect.
#[derive(Debug, Error)]
#[error("the NATS server at {place} cannot be used: {reason}")]
pub struct OpenError {
    place: String,
    reason: String,
}

impl Address {
    /// Where it is, for people.
    pub(super) fn place(&self) -> String {
        self.servers.join(",")
    }

    /// A connection that is made as soon as that is possible, and again whenever it is lost. `changes` rises with each change.
    /// `patience` is the longest time between two attempts.
    pub(super) async fn connect(
        &self,
        changes: &watch::Sender<u64>,
        patience: Duration,
    ) -> Result<Client, OpenError> {
        let failed = |error: &dyn fmt::Display| OpenError {
            place: self.place(),
            reason: error.to_string(),
        };
        let scheme = if self.is_tls { "tls" } else { "nats" };
        let servers = self.servers.iter();
        let servers = servers.map(|server| format!("{scheme}://{server}").parse::<ServerAddr>());
        let servers: Vec<ServerAddr> = servers
            .collect::<io::Result<_>>()
            .map_err(|error| failed(&error))?;
        let (teller, changes) = (Teller::new(self.place()), changes.clone());
        let options = ConnectOptions::new()
            .name("argocd-image-updater")
            .require_tls(self.is_tls)
            .retry_on_initial_connect()
            .connection_timeout(Duration::from_secs(5))
            .ping_interval(Duration::from_secs(10))
            .reconnect_delay_callback(move |attempts| {
                let shift = u32::try_from(attempts.min(6)).unwrap_or(6);
                patience.min(Duration::from_millis(50) * 2_u32.pow(shift))
            })
            .event_callback(move |event| {
                teller.tell(&event);
                changes.send_modify(|count| *count += 1);
                std::future::ready(())
            });
        let options = match self.login.clone() {
            Some(Login::Password { user, password }) => options.user_and_password(user, password),
            Some(Login::Token(token)) => options.token(token),
            None => options,
        };
        options
            .connect(servers)
            .await
            .map_err(|error| failed(&error))
    }
}

/// Tells of a connection, and of what is wrong with it once as long as it is the same: it is tried again every few seconds.
struct Teller {
    server: String,
    told: Mutex<String>,
}

impl Teller {
    fn new(server: String) -> Self {
        Self {
            server,
            told: Mutex::default(),
        }
    }

    fn tell(&self, event: &Event) {
        let server = &self.server;
        match event {
            Event::Connected => {
                self.is_news(String::new());
                info!(server, "connected to the NATS server");
            }
            Event::Disconnected => warn!(server, "the connection to the NATS server is lost"),
            Event::LameDuckMode | Event::Draining | Event::Closed => {
                debug!(server, "the NATS server: {event}");
            }
            Event::SlowConsumer(_) | Event::ServerError(_) | Event::ClientError(_) => {
                if self.is_news(event.to_string()) {
                    warn!(server, "the NATS server: {event}");
                }
            }
        }
    }

    fn is_news(&self, text: String) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        let before = std::mem::replace(&mut *told, text);
        before != *told
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_secret_is_shown() {
        let logins = [
            Login::Password {
                user: "u".to_owned(),
                password: "hunter2".to_owned(),
            },
            Login::Token("hunter2".to_owned()),
        ];
        for login in logins {
            let address = Address {
                servers: vec!["nats:4222".to_owned()],
                is_tls: false,
                login: Some(login),
            };
            assert!(!format!("{address:?} {}", address.place()).contains("hunter2"));
        }
    }

    #[test]
    fn what_goes_wrong_each_time_is_told_once_for_each_connection() {
        let teller = Teller::new("nats:4222".to_owned());
        let news = ["a", "a", "b", "a", "", "a"].map(|text| teller.is_news(text.to_owned()));
        assert_eq!(news, [true, false, true, true, true, true]);
    }
}
