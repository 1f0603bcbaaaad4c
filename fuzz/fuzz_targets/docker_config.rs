//! Any bytes as a Docker configuration, and any text as the name of a registry: nothing panics, and the same is found again.

#![no_main]

use image_updater::adapters::credentials::docker_config::DockerConfig;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (&str, &[u8])| {
    let (host, bytes) = input;
    let hosts = [host.to_owned(), "docker.io".to_owned()];
    for config in [DockerConfig::parse(bytes), DockerConfig::parse_legacy(bytes)] {
        let Ok(config) = config else { continue };
        let found = config.credentials(&hosts);
        assert!(found == config.credentials(&hosts));
    }
});
