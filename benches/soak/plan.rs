//! What is delivered next, and what was promised so far.

use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering::Relaxed;

use image_updater::adapters::senders;

use crate::Result;
use crate::chance::Chance;
use crate::template::Filling;
use crate::template::Template;
use crate::template::signed;
use crate::world;
use crate::world::APPLICATIONS;
use crate::world::FIRST;
use crate::world::REGISTRIES;

/// Of a hundred deliveries, so many announce a version that was not there before, the version that was announced last, an older one; the rest is pings.
const NEW: u64 = 5;
const SAME: u64 = 70;
const OLDER: u64 = 15;
/// One delivery in so many is sent twice.
pub(crate) const TWICE: u64 = 10;

/// What a delivery is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Sort {
    New,
    Same,
    Older,
    Ping,
    Twice,
}

impl Sort {
    pub(crate) const ALL: [(Self, &str); 5] = [
        (Self::New, "a new version"),
        (Self::Same, "the newest version again"),
        (Self::Older, "an older version"),
        (Self::Ping, "a ping"),
        (Self::Twice, "the same delivery again"),
    ];
}

/// A delivery.
pub(crate) struct Delivery {
    pub(crate) sort: Sort,
    /// The whole request.
    pub(crate) request: Vec<u8>,
    /// Application and version; `None`: a ping.
    announces: Option<(usize, u64)>,
}

/// All deliveries.
pub(crate) struct Plan {
    templates: Vec<Template>,
    ping: Vec<u8>,
    images: Vec<Image>,
    deliveries: AtomicU64,
}

struct Image {
    /// The newest version that was sent.
    sent: AtomicU64,
    /// The newest version that was answered 200.
    promised: AtomicU64,
}

impl Plan {
    pub(crate) fn new() -> Result<Self> {
        let templates = (0..REGISTRIES.len())
            .map(|sender| Template::new(sender, &secret(sender)?))
            .collect::<Result<Vec<_>>>()?;
        let image = || Image {
            sent: FIRST.into(),
            promised: FIRST.into(),
        };
        Ok(Self {
            templates,
            ping: signed(
                &secret(0)?,
                "ping",
                br#"{"zen":"Keep it logically awesome.","hook_id":518200771}"#,
            )?,
            images: (0..APPLICATIONS).map(|_| image()).collect(),
            deliveries: AtomicU64::new(0),
        })
    }

    /// The next one.
    pub(crate) fn next(&self, chance: &mut Chance) -> Delivery {
        let number = chance.below(APPLICATIONS as u64);
        let application = usize::try_from(number).unwrap_or_default();
        let sent = &self.images[application].sent;
        let (sort, version) = match chance.below(100) {
            roll if roll < NEW => (Sort::New, sent.fetch_add(1, Relaxed) + 1),
            roll if roll < NEW + SAME => (Sort::Same, sent.load(Relaxed)),
            roll if roll < NEW + SAME + OLDER => {
                let older = sent.load(Relaxed).saturating_sub(1 + chance.below(5));
                (Sort::Older, older.max(FIRST))
            }
            _ => return self.ping(),
        };
        let filling = Filling {
            application,
            version,
            id: self.deliveries.fetch_add(1, Relaxed),
        };
        Delivery {
            sort,
            request: self.templates[application % REGISTRIES.len()].fill(&filling),
            announces: Some((application, version)),
        }
    }

    fn ping(&self) -> Delivery {
        Delivery {
            sort: Sort::Ping,
            request: self.ping.clone(),
            announces: None,
        }
    }

    /// Notes that a delivery was answered 200.
    pub(crate) fn promise(&self, delivery: &Delivery) {
        if let Some((application, version)) = delivery.announces {
            let promised = &self.images[application].promised;
            promised.fetch_max(version, Relaxed);
        }
    }

    /// The newest version of each Application that was promised.
    pub(crate) fn promised(&self) -> impl Iterator<Item = (usize, u64)> {
        let promised = self.images.iter().map(|image| image.promised.load(Relaxed));
        promised.enumerate()
    }
}

/// The secret of a sender, by its number.
pub(crate) fn secret(sender: usize) -> Result<String> {
    let all = senders::all();
    let known = all
        .iter()
        .find(|known| known.profile().name == world::sender(sender));
    Ok(world::secret(known.ok_or("no such sender")?.profile()))
}
