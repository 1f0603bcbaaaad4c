//! Clients that know the secrets, and send what was not taken again.

use std::io;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use futures_util::future::join_all;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use crate::chance::Chance;
use crate::http2;
use crate::load::Load;
use crate::plan::Delivery;
use crate::plan::Sort;
use crate::plan::TWICE;
use crate::wire;
use crate::wire::Answer;
use crate::wire::Wire;

/// Clients whose connection stays.
const STAY: u8 = 24;
/// Clients that connect anew for each few deliveries.
const COME_AND_GO: u8 = 6;
/// Clients of HTTP/2, and how much each sends at once.
const HTTP2: u8 = 4;
const AT_ONCE: usize = 4;
/// A delivery that is not taken by then is lost.
const GIVE_UP: Duration = Duration::from_secs(180);
/// Before a delivery that got no answer is sent again.
const PAUSE: Duration = Duration::from_millis(50);

/// How many there are.
pub(crate) fn count() -> u8 {
    STAY + COME_AND_GO + HTTP2
}

/// Where the client of that number is. The first ones share their addresses with strangers.
pub(crate) fn address(number: u8) -> Ipv4Addr {
    Ipv4Addr::new(127, 0, 0, 2 + number)
}

/// All of them.
pub(crate) fn begin(load: &Arc<Load>) -> Vec<JoinHandle<()>> {
    (0..count())
        .map(|number| {
            let client = Client {
                load: Arc::clone(load),
                source: address(number),
                chance: Chance::new(0x50a7 + u64::from(number) * 7919),
                speaks_http2: number >= STAY + COME_AND_GO,
                connection: Connection::None,
            };
            if number < STAY {
                tokio::spawn(client.stay())
            } else if number < STAY + COME_AND_GO {
                tokio::spawn(client.come_and_go())
            } else {
                tokio::spawn(client.several_at_once())
            }
        })
        .collect()
}

struct Client {
    load: Arc<Load>,
    source: Ipv4Addr,
    chance: Chance,
    speaks_http2: bool,
    connection: Connection,
}

enum Connection {
    None,
    Http1(Box<Wire>),
    Http2(http2::Sender),
}

/// What became of a try.
enum Try {
    Taken,
    Later(Duration),
    Refused(String),
}

impl Client {
    async fn stay(mut self) {
        while !self.load.is_over() {
            self.one().await;
        }
    }

    async fn come_and_go(mut self) {
        while !self.load.is_over() {
            for _ in 0..=self.chance.below(4) {
                self.one().await;
            }
            self.connection = Connection::None;
        }
    }

    async fn one(&mut self) {
        let mut delivery = self.load.plan.next(&mut self.chance);
        self.deliver(&delivery).await;
        if self.chance.below(TWICE) == 0 {
            delivery.sort = Sort::Twice;
            self.deliver(&delivery).await;
        }
    }

    /// Each of the clients that it divides into takes the connection that it has, and makes one of its own where that fails.
    async fn several_at_once(mut self) {
        while !self.load.is_over() {
            if let Ok(sender) = http2::connect(&self.load, self.source).await {
                self.connection = Connection::Http2(sender);
            }
            let mut each: Vec<_> = (0..AT_ONCE).map(|_| self.divided()).collect();
            // Not for ever, so that handshakes of HTTP/2 come as well.
            for _ in 0..200 {
                join_all(each.iter_mut().map(Self::one)).await;
                if self.load.is_over() {
                    return;
                }
            }
        }
    }

    fn divided(&mut self) -> Self {
        Self {
            load: Arc::clone(&self.load),
            source: self.source,
            chance: Chance::new(self.chance.below(u64::from(u32::MAX))),
            speaks_http2: true,
            connection: match &self.connection {
                Connection::Http2(sender) => Connection::Http2(sender.clone()),
                Connection::Http1(_) | Connection::None => Connection::None,
            },
        }
    }

    /// Sends it until it is taken.
    async fn deliver(&mut self, delivery: &Delivery) {
        let load = Arc::clone(&self.load);
        let began = Instant::now();
        let comes_new = matches!(self.connection, Connection::None);
        let mut may_be_taken = false;
        while began.elapsed() < GIVE_UP && !load.is_broken() {
            let is_new = matches!(self.connection, Connection::None);
            match self.exchange(&delivery.request).await {
                Ok(answer) => match judge(&answer, delivery.sort, may_be_taken) {
                    Try::Taken => {
                        load.tally.latency(comes_new).add(began.elapsed());
                        load.tally.take(delivery.sort);
                        load.plan.promise(delivery);
                        return;
                    }
                    Try::Later(wait) => {
                        load.tally.pushed_back.add();
                        sleep(wait).await;
                    }
                    Try::Refused(how) => {
                        load.tally.lost.add();
                        let sort = delivery.sort;
                        return load.tally.complain(format!("{sort:?} was refused: {how}"));
                    }
                },
                Err(error) => {
                    self.connection = Connection::None;
                    may_be_taken = true;
                    if is_new || error.kind() == io::ErrorKind::TimedOut {
                        load.tally.unanswered.add();
                        load.tally.complain(format!("no answer: {error}"));
                        sleep(PAUSE).await;
                    } else {
                        load.tally.closed.add();
                    }
                }
            }
        }
        load.tally.lost.add();
        load.tally.complain("a delivery was given up".to_owned());
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        let load = Arc::clone(&self.load);
        if matches!(self.connection, Connection::None) && self.speaks_http2 {
            let sender = http2::connect(&load, self.source).await?;
            self.connection = Connection::Http2(sender);
        } else if matches!(self.connection, Connection::None) {
            let tls = if self.chance.below(2) == 0 {
                &load.tls.again
            } else {
                &load.tls.anew
            };
            let stream = wire::tls(load.address, self.source, tls).await?;
            self.connection = Connection::Http1(Box::new(Wire::new(stream)));
        }
        let answer = match &mut self.connection {
            Connection::None => return Err(io::ErrorKind::NotConnected.into()),
            Connection::Http1(wire) => wire.exchange(request).await?,
            Connection::Http2(sender) => http2::exchange(sender.clone(), request).await?,
        };
        if answer.closes {
            self.connection = Connection::None;
        }
        Ok(answer)
    }
}

/// An earlier try, whose answer was lost, may have been taken.
fn judge(answer: &Answer, sort: Sort, may_be_taken: bool) -> Try {
    let text = String::from_utf8_lossy(&answer.body);
    let says = |outcome: &str| text.contains(&format!("\"outcome\":\"{outcome}\""));
    let is_right = match sort {
        Sort::New | Sort::Same | Sort::Older => {
            says("accepted") || may_be_taken && says("duplicate")
        }
        Sort::Twice => says("accepted") || says("duplicate") || says("ignored"),
        Sort::Ping => says("ignored"),
    };
    match (answer.status, answer.retry_after) {
        (200, _) if is_right => Try::Taken,
        (503, Some(seconds)) => Try::Later(Duration::from_secs(seconds)),
        (status, _) => Try::Refused(format!("{status} {text}")),
    }
}
