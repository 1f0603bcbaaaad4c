//! Any bytes as a message of the stream that replicas share: nothing panics.

#![no_main]

use image_updater::adapters::nats::delivery_in;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|message: &[u8]| {
    if let Some(record) = delivery_in(message) {
        let _ = record.progress();
    }
});
