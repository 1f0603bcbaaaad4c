//! Deliveries of any bytes, to every sender.
//!
//! The first byte chooses the sender, the headers and the query; what follows is the body, in which a form feed ends the text of a header
//! or of a parameter.

#![no_main]

use std::sync::LazyLock;

use image_updater::adapters::senders;
use image_updater::domain::delivery::Delivery;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::event::ImageEvent;
use image_updater::ports::payload_decoder::Composed;
use image_updater::ports::payload_decoder::Decoded;
use image_updater::ports::payload_decoder::PayloadDecoder;
use libfuzzer_sys::fuzz_target;

/// By their names, so that `seed` knows which is which.
static SENDERS: LazyLock<Vec<Box<dyn PayloadDecoder>>> = LazyLock::new(|| {
    let mut all = senders::all();
    all.sort_by_key(|sender| sender.profile().name);
    all
});

const CONTENT_TYPES: [&str; 4] = [
    "application/json",
    "application/cloudevents+json",
    "application/cloudevents-batch+json",
    "application/x-www-form-urlencoded",
];

fuzz_target!(|bytes: &[u8]| {
    let Some((shape, rest)) = bytes.split_first() else {
        return;
    };
    let shape = usize::from(*shape);
    let sender = &SENDERS[shape % SENDERS.len()];
    let delivery = delivery(shape / SENDERS.len(), rest);
    if let Ok(Decoded::Images(images)) = sender.decode(&delivery) {
        assert!(!images.is_empty());
        for image in &images {
            check(sender.as_ref(), image);
        }
    }
});

/// Some shapes take the value of a header or of the query from the bytes.
fn delivery(shape: usize, bytes: &[u8]) -> Delivery {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let mut headers = Vec::new();
    if let Some(content_type) = CONTENT_TYPES.get(shape % (CONTENT_TYPES.len() + 1)) {
        headers.push(header("content-type", content_type));
    }
    let mut parts = bytes.splitn(6, |byte| *byte == b'\x0c');
    let mut body = parts.next().unwrap_or_default();
    let kind = shape / (CONTENT_TYPES.len() + 1);
    if kind % 2 == 1 {
        headers.push(header("ce-specversion", "1.0"));
        for name in ["ce-type", "ce-source", "ce-subject"] {
            headers.push(header(name, &String::from_utf8_lossy(body)));
            body = parts.next().unwrap_or_default();
        }
    }
    let mut query = Vec::new();
    if kind / 2 % 2 == 1 {
        for name in ["registry_url", "type"] {
            query.push(header(name, &String::from_utf8_lossy(body)));
            body = parts.next().unwrap_or_default();
        }
    }
    Delivery {
        id: DeliveryId::new(String::new()),
        headers: headers.into_iter().collect(),
        query: query.into_iter().collect(),
        body: body.to_vec(),
    }
}

/// Whatever a sender reads, it can write, and reads the same again.
fn check(sender: &dyn PayloadDecoder, event: &ImageEvent) {
    assert!(!event.tag.is_attachment());
    let Composed {
        headers,
        query,
        body,
    } = sender.compose(event).expect("it was decoded");
    let headers = headers.into_iter();
    let again = Delivery {
        id: DeliveryId::new(String::new()),
        headers: headers
            .map(|(name, value)| (name.to_ascii_lowercase(), value))
            .collect(),
        query: query.into_iter().collect(),
        body,
    };
    let Ok(Decoded::Images(images)) = sender.decode(&again) else {
        panic!(
            "{} does not read what it wrote of {event}",
            sender.profile().name
        );
    };
    assert_eq!(images.len(), 1);
    assert_eq!(
        (&images[0].image, &images[0].tag),
        (&event.image, &event.tag)
    );
}
