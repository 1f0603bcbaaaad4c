//! What holds for any delivery and any image.

use image_updater::adapters::senders;
use image_updater::domain::delivery::Delivery;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::Digest;
use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Registry;
use image_updater::domain::reference::Repository;
use image_updater::domain::reference::Tag;
use image_updater::ports::payload_decoder::Decoded;
use image_updater::ports::payload_decoder::PayloadDecoder;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::FIXTURES;
use crate::outcome;

/// Headers that change how a body is read.
fn headers() -> impl Strategy<Value = Vec<(String, String)>> {
    let kinds = [
        "application/json",
        "application/cloudevents+json",
        "application/cloudevents-batch+json",
        "application/vnd.docker.distribution.events.v2+json",
        "application/x-www-form-urlencoded",
        "text/plain",
        "",
    ];
    let content_type =
        select(kinds.to_vec()).prop_map(|kind| ("content-type".to_owned(), kind.into()));
    let names = [
        "x-github-event",
        "ce-specversion",
        "ce-type",
        "ce-source",
        "ce-subject",
    ];
    let value = prop_oneof![
        "\\PC{0,40}",
        select(vec![
            "ping",
            "package",
            "1.0",
            "com.amazon.ecr.image.push",
            "container.push"
        ])
        .prop_map(str::to_owned),
    ];
    let other = (select(names.to_vec()).prop_map(str::to_owned), value);
    (content_type, proptest::collection::vec(other, 0..5)).prop_map(|(first, mut others)| {
        others.push(first);
        others
    })
}

/// Parameters of the query that change how a delivery is read.
fn query() -> impl Strategy<Value = Vec<(String, String)>> {
    let name = select(vec!["registry_url", "type", "secret"]).prop_map(str::to_owned);
    let value = prop_oneof![
        "\\PC{0,40}",
        select(vec![
            "",
            " ",
            "registry.example.com",
            "https://registry.example.com:5000/v2/",
            "https://",
            "[::1]:80/x",
            "user:secret@host",
            "cloudevents",
        ])
        .prop_map(str::to_owned),
    ];
    proptest::collection::vec((name, value), 0..3)
}

fn json(depth: u32) -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "\\PC{0,20}".prop_map(Value::from),
        select(vec![
            "",
            "sha256:",
            "a:b",
            "../..",
            "1.0",
            "[::1]:80/x",
            "urn:aws:ecr:::"
        ])
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(depth, 16, 4, |inner| {
        let key = select(vec!["tag", "name", "repository", "data", "x", "type"]);
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key, inner), 0..4).prop_map(|pairs| {
                let pairs = pairs
                    .into_iter()
                    .map(|(key, value)| (key.to_owned(), value));
                Value::Object(pairs.collect())
            }),
        ]
    })
}

fn delivery(
    headers: Vec<(String, String)>,
    query: Vec<(String, String)>,
    body: Vec<u8>,
) -> Delivery {
    Delivery {
        id: DeliveryId::new("made-up".to_owned()),
        headers: headers.into_iter().collect(),
        query: query.into_iter().collect(),
        body,
    }
}

/// A JSON pointer to every value inside a value, itself included.
fn pointers(value: &Value, own: &str, found: &mut Vec<String>) {
    found.push(own.to_owned());
    match value {
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                pointers(item, &format!("{own}/{index}"), found);
            }
        }
        Value::Object(fields) => {
            for (key, field) in fields {
                let key = key.replace('~', "~0").replace('/', "~1");
                pointers(field, &format!("{own}/{key}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// The fixtures whose body is JSON.
fn json_fixtures() -> impl Iterator<Item = (&'static dyn PayloadDecoder, Delivery, Value)> {
    FIXTURES.iter().flat_map(|(sender, fixtures)| {
        let deliveries = fixtures.iter().map(|fixture| &fixture.delivery);
        deliveries.filter_map(|delivery| {
            let value = serde_json::from_slice(&delivery.body).ok()?;
            Some((sender.as_ref(), delivery.clone(), value))
        })
    })
}

/// Drops every field that is null and adds one that nobody knows to every object.
fn restated(value: &mut Value) {
    match value {
        Value::Array(items) => items.iter_mut().for_each(restated),
        Value::Object(fields) => {
            fields.retain(|_, field| !field.is_null());
            fields.values_mut().for_each(restated);
            fields.insert(
                "nobody-knows".to_owned(),
                serde_json::json!([{"this": 1e300}]),
            );
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// An outcome whose reason does not say where in the body something is wrong.
fn without_position(mut outcome: Value) -> Value {
    if let Some(reason) = outcome["reason"].as_str() {
        let reason = reason.split(" at line ").next().unwrap_or_default();
        outcome["reason"] = Value::from(reason);
    }
    outcome
}

#[test]
fn null_equals_absent_and_unknown_fields_do_not_matter() {
    for (sender, mut delivery, mut value) in json_fixtures() {
        let before = without_position(outcome(sender, &delivery));
        restated(&mut value);
        delivery.body = value.to_string().into_bytes();
        let after = without_position(outcome(sender, &delivery));
        assert_eq!(after, before, "{:?}", delivery.id);
    }
}

fn check(decoded: &Decoded) {
    if let Decoded::Images(images) = decoded {
        assert!(!images.is_empty());
        assert!(images.iter().all(|event| !event.tag.is_attachment()));
        let mut names: Vec<_> = images
            .iter()
            .map(|event| (&event.image, &event.tag))
            .collect();
        names.sort();
        names.dedup();
        assert_eq!(names.len(), images.len(), "a tag comes twice");
    }
}

fn event() -> impl Strategy<Value = ImageEvent> {
    let known = [
        "docker.io",
        "ghcr.io",
        "quay.io",
        "localhost:5000",
        "registry.cn-hangzhou.aliyuncs.com",
        "acme-registry.cn-shanghai.cr.aliyuncs.com",
        "111122223333.dkr.ecr.eu-west-1.amazonaws.com",
        "111122223333.dkr.ecr.cn-north-1.amazonaws.com.cn",
        "111122223333.dkr.ecr.cn-north-1.amazonaws.com",
        "x.dkr.ecr.eu-west-1.amazonaws.com",
    ];
    let registry = prop_oneof![
        select(known.to_vec()).prop_map(str::to_owned),
        "[a-z0-9]{1,8}(\\.[a-z0-9]{1,8}){0,3}(:[1-9][0-9]{1,3})?",
    ];
    let repository = "[a-z0-9]{1,6}([._-][a-z0-9]{1,6})?(/[a-z0-9]{1,6}){0,3}";
    let digest = proptest::option::of("sha256:[0-9a-f]{64}");
    let tag = "[A-Za-z0-9_][A-Za-z0-9._-]{0,40}";
    (registry, repository, tag, digest).prop_map(|(registry, repository, tag, digest)| ImageEvent {
        image: ImageName::new(
            Registry::parse(&registry).unwrap(),
            Repository::parse(&repository).unwrap(),
        ),
        tag: Tag::parse(&tag).unwrap(),
        digest: digest.map(|digest| Digest::parse(&digest).unwrap()),
    })
}

/// Whether a sender can speak of an image.
fn can_speak_of(sender: &str, image: &ImageName) -> bool {
    match sender {
        "docker.io" => image.registry().is_docker_hub(),
        "ghcr.io" => {
            image.registry().as_str() == "ghcr.io" && image.repository().as_str().contains('/')
        }
        _ => true,
    }
}

/// Whether the deliveries of a sender name digests.
fn carries_digests(sender: &str) -> bool {
    !matches!(sender, "docker.io" | "quay.io")
}

proptest! {
    #[test]
    fn no_bytes_make_a_sender_panic(
        headers in headers(),
        query in query(),
        body in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        let delivery = delivery(headers, query, body);
        for sender in senders::all() {
            sender.decode(&delivery).iter().for_each(check);
        }
    }

    #[test]
    fn no_json_makes_a_sender_panic(headers in headers(), query in query(), value in json(6)) {
        let delivery = delivery(headers, query, value.to_string().into_bytes());
        for sender in senders::all() {
            sender.decode(&delivery).iter().for_each(check);
        }
    }

    #[test]
    fn no_change_to_a_real_delivery_makes_a_sender_panic(
        at in any::<proptest::sample::Index>(),
        query in query(),
        value in json(3),
    ) {
        for (sender, mut delivery, original) in json_fixtures() {
            delivery.query = query.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            let mut found = Vec::new();
            pointers(&original, "", &mut found);
            let mut changed = original;
            *changed.pointer_mut(&found[at.index(found.len())]).unwrap() = value.clone();
            delivery.body = changed.to_string().into_bytes();
            sender.decode(&delivery).iter().for_each(check);
        }
    }

    #[test]
    fn no_cut_of_a_real_delivery_makes_a_sender_panic(at in any::<proptest::sample::Index>()) {
        for (sender, fixtures) in FIXTURES.iter() {
            for fixture in fixtures {
                let mut delivery = fixture.delivery.clone();
                let length = at.index(delivery.body.len() + 1);
                delivery.body.truncate(length);
                sender.decode(&delivery).iter().for_each(check);
            }
        }
    }

    #[test]
    fn what_is_composed_is_decoded_to_the_same(event in event()) {
        prop_assume!(!event.tag.is_attachment());
        for sender in senders::all() {
            let name = sender.profile().name;
            let composed = sender.compose(&event);
            prop_assert_eq!(composed.is_ok(), can_speak_of(name, &event.image), "{}", name);
            let Ok(composed) = composed else { continue };
            let headers = composed.headers.into_iter();
            let delivery = delivery(
                headers.map(|(key, value)| (key.to_ascii_lowercase(), value)).collect(),
                composed.query,
                composed.body,
            );
            let Ok(Decoded::Images(mut decoded)) = sender.decode(&delivery) else {
                return Err(TestCaseError::fail(format!("{name} does not decode {event}")));
            };
            prop_assert_eq!(decoded.len(), 1);
            let mut decoded = decoded.remove(0);
            let mut expected = event.clone();
            if !carries_digests(name) {
                expected.digest = None;
            } else if event.digest.is_none() && name == "ghcr.io" {
                // GitHub always names one, so it was made up.
                decoded.digest = None;
            }
            prop_assert_eq!(decoded, expected, "{}", name);
        }
    }
}
