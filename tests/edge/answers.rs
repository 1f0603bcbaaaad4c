//! Every answer, byte by byte over a socket.

use std::time::Duration;

use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::{Digest, ImageName, Tag};
use image_updater::ports::webhook_intake::{Outcome, Rejection};
use serde_json::json;

use crate::support::intake::FakeIntake;
use crate::support::log::Log;
use crate::support::server::Server;
use crate::support::wire::{Reply, Wire, exchange, post, request};

const DIGEST: &str = "sha256:b08e51f13515aa214fa40e6048af1d091d26cf5cdb48feceaec7292af742bb49";

async fn answer_to(outcome: Outcome) -> Reply {
    let server = Server::with_intake(FakeIntake::new(outcome)).await;
    exchange(server.address, post("{}")).await
}

async fn answer_to_rejection(rejection: Rejection) -> Reply {
    let reply = answer_to(Outcome::Rejected(rejection)).await;
    let json = reply.json();
    assert_eq!(json["outcome"], "rejected");
    assert_eq!(json["images"], json!([]));
    reply
}

#[tokio::test]
async fn an_accepted_delivery_names_its_images() {
    let event = |image, tag, digest: Option<&str>| ImageEvent {
        image: ImageName::parse(image).unwrap(),
        tag: Tag::parse(tag).unwrap(),
        digest: digest.map(|text| Digest::parse(text).unwrap()),
    };
    let images = vec![
        event("ghcr.io/acme/api", "1.5.1", Some(DIGEST)),
        event("nginx", "1.27", None),
    ];
    let reply = answer_to(Outcome::Accepted { images }).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.header("content-type"), Some("application/json"));
    let id = reply.header("x-delivery-id").unwrap();
    assert_eq!(
        reply.json(),
        json!({
            "outcome": "accepted",
            "message": "queued 2 images",
            "delivery": id,
            "images": [
                {"registry": "ghcr.io", "repository": "acme/api", "tag": "1.5.1", "digest": DIGEST},
                {"registry": "docker.io", "repository": "library/nginx", "tag": "1.27", "digest": null},
            ],
        })
    );
}

#[tokio::test]
async fn an_ignored_delivery_says_why() {
    let reason = "it is a \"ping\"".to_owned();
    let reply = answer_to(Outcome::Ignored { reason }).await;
    assert_eq!(reply.status, 200);
    assert_eq!(reply.json()["outcome"], "ignored");
    assert_eq!(reply.message(), "it is a \"ping\"");
    assert_eq!(reply.json()["images"], json!([]));
}

#[tokio::test]
async fn rejections_have_the_words_of_the_documentation() {
    let reply = answer_to_rejection(Rejection::NoHandler).await;
    assert_eq!(reply.status, 404);
    assert!(
        reply
            .message()
            .starts_with("no handler available for this webhook")
    );

    let reply = answer_to_rejection(Rejection::MissingSecret).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.message(), "Missing webhook secret");

    let reply = answer_to_rejection(Rejection::InvalidSecret).await;
    assert_eq!(reply.status, 401);
    assert_eq!(reply.message(), "Invalid webhook secret");

    let reason = "no JSON".to_owned();
    let reply = answer_to_rejection(Rejection::Malformed { reason }).await;
    assert_eq!(reply.status, 400);
    assert_eq!(reply.message(), "Failed to process webhook event: no JSON");
}

#[tokio::test]
async fn a_full_queue_says_when_to_come_again() {
    let retry_after = Duration::from_millis(2500);
    let reply = answer_to_rejection(Rejection::Busy { retry_after }).await;
    assert_eq!(reply.status, 503);
    assert_eq!(reply.header("retry-after"), Some("3"));
    assert!(reply.message().contains("try again in 3 s"));
}

#[tokio::test]
async fn the_intake_sees_what_was_sent() {
    let server = Server::plain().await;
    let mut request = b"POST /webhook?type=quay.io&secret=a%26b+c&x=1&x=2&%20 HTTP/1.1\r\nHost: h\r\nX-Registry-Type: \xc3\xa9\r\n\
        X-Bytes: \xff\r\nx-twice: 1\r\nX-Twice: 2\r\nContent-Length: 3\r\n\r\n"
        .to_vec();
    request.extend([0, 255, b'}']);
    let reply = exchange(server.address, request).await;

    let seen = server.intake.seen();
    assert_eq!(seen.len(), 1);
    let delivery = &seen[0];
    assert_eq!(Some(delivery.id.as_str()), reply.header("x-delivery-id"));
    assert_eq!(delivery.body, [0, 255, b'}']);
    assert_eq!(
        delivery.query.iter().collect::<Vec<_>>(),
        [
            ("type", "quay.io"),
            ("secret", "a&b c"),
            ("x", "1"),
            ("x", "2"),
            (" ", ""),
        ]
    );
    assert_eq!(
        delivery.headers.iter().collect::<Vec<_>>(),
        [
            ("host", "h"),
            ("x-registry-type", "é"),
            ("x-twice", "1"),
            ("x-twice", "2"),
            ("content-length", "3"),
        ]
    );
}

#[tokio::test]
async fn a_delivery_needs_no_query() {
    let server = Server::plain().await;
    let request = "POST /webhook HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    assert_eq!(exchange(server.address, request).await.status, 200);
    assert!(server.intake.seen()[0].query.is_empty());
}

#[tokio::test]
async fn other_methods_are_405_and_say_which_are_not() {
    let server = Server::plain().await;
    for (method, path, allow) in [
        ("GET", "/webhook", "POST"),
        ("PUT", "/webhook?secret=x", "POST"),
        ("OPTIONS", "/webhook", "POST"),
        ("POST", "/healthz", "GET, HEAD"),
        ("DELETE", "/readyz", "GET, HEAD"),
    ] {
        let reply = exchange(server.address, request(method, path)).await;
        assert_eq!(reply.status, 405, "{method} {path}");
        assert_eq!(reply.header("allow"), Some(allow), "{method} {path}");
        assert_eq!(reply.json()["outcome"], "rejected");
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn other_paths_are_404() {
    let server = Server::plain().await;
    for path in ["/", "/webhooks", "/webhook/x", "/api/webhook", "*"] {
        for method in ["GET", "POST"] {
            let reply = exchange(server.address, request(method, path)).await;
            assert_eq!(reply.status, 404, "{method} {path}");
            assert_eq!(reply.json()["outcome"], "rejected");
        }
    }
    assert!(server.intake.seen().is_empty());
}

#[tokio::test]
async fn a_target_without_a_path_is_404() {
    let server = Server::plain().await;
    let request = "CONNECT example.com:443 HTTP/1.1\r\nHost: example.com:443\r\n\r\n";
    let reply = exchange(server.address, request).await;
    assert_eq!(reply.status, 404);
    assert_eq!(reply.json()["outcome"], "rejected");
}

#[tokio::test]
async fn probes_are_answered_in_text() {
    let server = Server::plain().await;
    for path in ["/healthz", "/readyz"] {
        let mut wire = Wire::connect(server.address).await;
        wire.send(request("GET", path)).await;
        let reply = wire.reply().await;
        assert_eq!((reply.status, reply.body.as_str()), (200, "OK"), "{path}");
        assert_eq!(
            reply.header("content-type"),
            Some("text/plain; charset=utf-8")
        );
        wire.send(request("HEAD", path)).await;
        let reply = wire.reply_to_head().await;
        assert_eq!(reply.status, 200, "{path}");
        assert_eq!(reply.header("content-length"), Some("2"));
    }
}

#[tokio::test]
async fn readiness_is_shown_and_life_is_another_thing() {
    let server = Server::plain().await;
    server.readiness.set(false);
    let reply = exchange(server.address, request("GET", "/readyz")).await;
    assert_eq!((reply.status, reply.body.as_str()), (503, "not ready"));
    let reply = exchange(server.address, request("GET", "/healthz")).await;
    assert_eq!(reply.status, 200);
    server.readiness.set(true);
    let reply = exchange(server.address, request("GET", "/readyz")).await;
    assert_eq!(reply.status, 200);
}

#[tokio::test]
async fn every_request_has_an_id_of_its_own() {
    let server = Server::plain().await;
    let mut wire = Wire::connect(server.address).await;
    let mut ids = Vec::new();
    for bytes in [
        post("{}"),
        post("{}"),
        request("GET", "/webhook"),
        request("GET", "/nowhere"),
        request("GET", "/healthz"),
    ] {
        wire.send(bytes).await;
        let reply = wire.reply().await;
        let id = reply.header("x-delivery-id").unwrap().to_owned();
        if reply.header("content-type") == Some("application/json") {
            assert_eq!(reply.json()["delivery"], id.as_str());
        }
        assert_eq!(id.len(), 36, "{id}");
        assert!(!ids.contains(&id));
        ids.push(id);
    }
}

#[tokio::test]
async fn the_log_has_one_line_for_each_refusal_and_no_query() {
    let log = Log::start();
    let rejected = Outcome::Rejected(Rejection::InvalidSecret);
    let server = Server::with_intake(FakeIntake::new(rejected)).await;
    let bytes = "POST /webhook?type=quay.io&secret=hunter2 HTTP/1.1\r\nHost: h\r\nAuthorization: hunter2\r\n\
        Content-Length: 7\r\n\r\nhunter2";
    let reply = exchange(server.address, bytes).await;
    let id = reply.header("x-delivery-id").unwrap();
    let lines = log.lines(id);
    assert_eq!(lines.len(), 1, "{lines:?}");
    for part in [
        "INFO",
        "status=401",
        "type=\"quay.io\"",
        "method=\"POST\"",
        "path=\"/webhook\"",
        "remote=127.0.0.1:",
        "duration=",
    ] {
        assert!(lines[0].contains(part), "{part} in {lines:?}");
    }
    exchange(server.address, request("GET", "/no?secret=hunter2")).await;
    assert_eq!(log.lines("request answered").len(), 2);
    assert_eq!(log.lines("hunter2"), Vec::<String>::new());
}

/// A slash at the end makes no difference, to the log neither.
#[tokio::test]
async fn what_goes_well_is_logged_for_debugging_only() {
    let log = Log::start();
    let server = Server::plain().await;
    for bytes in [
        post("{}"),
        post("{}").replace("/webhook?", "/webhook/?"),
        request("GET", "/healthz"),
        request("GET", "/healthz/"),
        request("GET", "/readyz/"),
    ] {
        assert_eq!(exchange(server.address, bytes).await.status, 200);
    }
    assert_eq!(log.lines("request answered"), Vec::<String>::new());
}
