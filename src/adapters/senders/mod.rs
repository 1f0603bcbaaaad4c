//! The senders: every registry, or service beside one, whose deliveries are understood.
//!
//! One file each, which holds how its payload is read and how one like it is written. `docs/ADDING-A-SENDER.md` shows how to add another.

mod aliyun_acr;
mod azure_acr;
mod cloud_events;
mod distribution;
mod docker_hub;
mod ghcr;
mod harbor;
mod quay;

mod compose;
mod fresh;
mod json;
mod keys;
mod media_type;
mod names;
mod pushes;
mod quote;

use crate::ports::payload_decoder::PayloadDecoder;

/// Every type of sender there is, in the order in which they are listed to people.
#[must_use]
pub fn all() -> Vec<Box<dyn PayloadDecoder>> {
    vec![
        Box::new(docker_hub::DockerHub),
        Box::new(ghcr::Ghcr),
        Box::new(harbor::Harbor),
        Box::new(quay::Quay),
        Box::new(aliyun_acr::AliyunAcr),
        Box::new(azure_acr::AzureAcr),
        Box::new(distribution::Distribution),
        Box::new(cloud_events::CloudEvents),
    ]
}
