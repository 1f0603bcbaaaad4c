//! Strangers, and senders out of their minds: all that `tests/edge` knows of, all the time.

mod arms;
mod connections;
mod frames;
mod requests;

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;

use tokio::task::JoinSet;
use tokio::time::sleep;

use crate::good;
use crate::load::Load;
use crate::wire;
use crate::wire::Wire;
use arms::Arms;

/// What they do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// A connection that says nothing at all.
    Silent,
    /// One that says nothing after the handshake.
    SilentAfterHandshake,
    /// A head that comes byte by byte, a body that does, and one that stops before its end.
    SlowHead,
    SlowBody,
    StalledBody,
    /// A connection that is reset in the middle of a request, and one that is no TLS.
    Reset,
    Garbage,
    /// Requests in a row whose answers nobody reads.
    ReadsNothing,
    /// Deliveries with the signature of another secret, with another secret, and of types that there are not.
    BadSignature,
    WrongSecret,
    UnknownType,
    /// Paths and methods that there are not.
    NoRoute,
    /// A mebibyte with a bad signature, and the announcement of two.
    HugeBody,
    AnnouncedBody,
    HugeHead,
    /// Heads that are none, and those that two readers could read differently.
    MalformedHead,
    /// What only a sender can send, as it is authentic: JSON without end, downwards and lengthwise.
    DeepJson,
    LongJson,
    /// HTTP/2: streams that are reset at once, a head and a body without end, and no room for an answer.
    ResetStreams,
    EndlessHead,
    EndlessBody,
    NoWindow,
}

/// How many kinds there are.
pub(crate) const KINDS: usize = Kind::ALL.len();

impl Kind {
    /// All kinds, with how many do it at a time, how many milliseconds each of them rests after it, and what it is called.
    pub(crate) const ALL: [(Self, u8, u64, &str); 22] = [
        (Self::Silent, 150, 500, "silent connections"),
        (
            Self::SilentAfterHandshake,
            40,
            500,
            "silent after the handshake",
        ),
        (Self::SlowHead, 20, 500, "slow heads"),
        (Self::SlowBody, 20, 500, "slow bodies"),
        (Self::StalledBody, 4, 500, "bodies of 900 KiB that stop"),
        (Self::Reset, 4, 100, "resets in a request"),
        (Self::Garbage, 4, 100, "connections that are no TLS"),
        (Self::ReadsNothing, 2, 500, "answers that nobody reads"),
        (Self::BadSignature, 4, 5, "bad signatures"),
        (Self::WrongSecret, 2, 10, "wrong secrets"),
        (Self::UnknownType, 2, 10, "unknown types"),
        (Self::NoRoute, 2, 10, "unknown paths and methods"),
        (Self::HugeBody, 2, 200, "bodies of 1 MiB"),
        (Self::AnnouncedBody, 2, 100, "announced bodies of 2 MiB"),
        (Self::HugeHead, 2, 100, "heads of 20 KiB"),
        (Self::MalformedHead, 4, 50, "malformed heads"),
        (Self::DeepJson, 1, 200, "authentic, deep JSON"),
        (Self::LongJson, 1, 500, "authentic, long JSON"),
        (Self::ResetStreams, 2, 500, "floods of reset streams"),
        (Self::EndlessHead, 1, 500, "endless heads of HTTP/2"),
        (Self::EndlessBody, 4, 500, "endless bodies of HTTP/2"),
        (Self::NoWindow, 4, 500, "no room for answers in HTTP/2"),
    ];
}

/// How many they are.
pub(crate) fn count() -> u32 {
    let each = Kind::ALL.iter().map(|(_, workers, ..)| u32::from(*workers));
    each.sum()
}

/// All of them, until what this returns is dropped.
pub(crate) fn begin(load: &Arc<Load>) -> crate::Result<JoinSet<()>> {
    let arms = Arc::new(Arms::new()?);
    let mut all = JoinSet::new();
    for (kind, workers, rest, _) in Kind::ALL {
        for number in 0..workers {
            let stranger = Stranger {
                load: Arc::clone(load),
                arms: Arc::clone(&arms),
                kind,
                number,
                turn: 0,
                wire: None,
            };
            all.spawn(stranger.go_on(Duration::from_millis(rest)));
        }
    }
    Ok(all)
}

struct Stranger {
    load: Arc<Load>,
    arms: Arc<Arms>,
    kind: Kind,
    number: u8,
    /// How often it has attacked.
    turn: usize,
    /// A connection that may be used again.
    wire: Option<Wire>,
}

impl Stranger {
    async fn go_on(mut self, rest: Duration) {
        loop {
            let is_done = match self.kind {
                Kind::Silent
                | Kind::SilentAfterHandshake
                | Kind::SlowHead
                | Kind::SlowBody
                | Kind::StalledBody
                | Kind::Reset
                | Kind::Garbage
                | Kind::ReadsNothing => self.hold_a_connection().await,
                Kind::BadSignature
                | Kind::WrongSecret
                | Kind::UnknownType
                | Kind::NoRoute
                | Kind::HugeBody
                | Kind::AnnouncedBody
                | Kind::HugeHead
                | Kind::MalformedHead
                | Kind::DeepJson
                | Kind::LongJson => self.ask().await,
                Kind::ResetStreams | Kind::EndlessHead | Kind::EndlessBody | Kind::NoWindow => {
                    self.flood_streams().await
                }
            };
            if is_done.is_ok() {
                self.load.tally.attack(self.kind);
            }
            self.turn += 1;
            sleep(rest).await;
        }
    }

    /// Where it comes from: some share the address of a good client, some stay where they are, and some come from somewhere else each time.
    fn source(&self) -> Ipv4Addr {
        let kind = self.kind as u8;
        match self.kind {
            Kind::BadSignature | Kind::MalformedHead | Kind::SlowBody if self.number < 4 => {
                good::address(self.number)
            }
            Kind::Silent | Kind::Reset | Kind::Garbage | Kind::WrongSecret => {
                let turn = u8::try_from(self.turn % 250).unwrap_or_default();
                Ipv4Addr::new(127, 100 + kind, self.number, turn)
            }
            _ => Ipv4Addr::new(127, 100 + kind, self.number, 1),
        }
    }

    async fn connect(&self) -> io::Result<Wire> {
        let load = &self.load;
        let stream = wire::tls(load.address, self.source(), &load.tls.anew).await?;
        Ok(Wire::new(stream))
    }
}
