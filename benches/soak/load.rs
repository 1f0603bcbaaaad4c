//! What all clients share.

use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering::Relaxed;
use std::time::Duration;
use std::time::Instant;

use crate::Result;
use crate::plan::Plan;
use crate::program::Program;
use crate::tally::Tally;
use crate::wire::Tls;
use crate::world::World;

/// The load.
pub(crate) struct Load {
    pub(crate) address: SocketAddr,
    pub(crate) tls: Tls,
    pub(crate) plan: Plan,
    pub(crate) tally: Tally,
    pub(crate) began: Instant,
    pub(crate) time: Duration,
    is_broken: AtomicBool,
}

impl Load {
    /// One that begins now and goes on for so long.
    pub(crate) fn new(world: &World, program: &Program, time: Duration) -> Result<Self> {
        Ok(Self {
            address: (Ipv4Addr::LOCALHOST, program.port).into(),
            tls: Tls::new(&world.roots()?)?,
            plan: Plan::new()?,
            tally: Tally::new(),
            began: Instant::now(),
            time,
            is_broken: AtomicBool::new(false),
        })
    }

    /// Whether it has come to its end.
    pub(crate) fn is_over(&self) -> bool {
        self.began.elapsed() >= self.time || self.is_broken()
    }

    /// Ends it early, for that reason.
    pub(crate) fn break_off(&self, reason: String) {
        self.is_broken.store(true, Relaxed);
        self.tally.complain(reason);
    }

    /// Whether it was ended early.
    pub(crate) fn is_broken(&self) -> bool {
        self.is_broken.load(Relaxed)
    }
}
