//! What registries answer: headers and bodies of any bytes are read or refused, and nothing panics.

#![no_main]

use std::time::SystemTime;

use image_updater::adapters::registry::challenge::Challenge;
use image_updater::adapters::registry::image_config;
use image_updater::adapters::registry::link;
use image_updater::adapters::registry::manifest;
use image_updater::adapters::registry::manifest::Manifest;
use image_updater::adapters::registry::referrers;
use image_updater::adapters::registry::retry_after;
use image_updater::adapters::registry::tag_page;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u8, &[u8])| {
    let (kind, bytes) = input;
    let text = String::from_utf8_lossy(bytes);
    match kind % 7 {
        0 => {
            for challenge in Challenge::parse_all(&text) {
                assert!(!challenge.scheme.is_empty());
                let _ = challenge.parameter("realm");
            }
        }
        1 => {
            if let Some(target) = link::next_page(&text) {
                assert!(text.contains(target));
            }
        }
        2 => {
            let _ = retry_after::parse(&text, SystemTime::now());
        }
        3 => {
            if let Ok(page) = tag_page::parse(bytes, None) {
                assert!(page.tags.len() <= page.listed);
            }
        }
        4 => {
            if let Ok(Manifest::Index { children, .. }) = manifest::parse(bytes) {
                assert!(children.len() <= bytes.len());
            }
        }
        5 => {
            let _ = image_config::parse(bytes);
        }
        _ => {
            let _ = referrers::parse(bytes);
        }
    }
});
