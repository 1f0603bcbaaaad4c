//! The journal: what it keeps over the end of a process, a power cut, a full disk and damage.

#![expect(clippy::unwrap_used, reason = "a test ends where something is missing")]

mod damage;
mod full_disk;
mod power_cut;
mod restart;
mod support;
