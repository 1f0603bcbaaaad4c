//! Deliveries as senders make them, over real sockets.

use image_updater::adapters::senders;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::app::send::request;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::Reference;
use image_updater::domain::secret_policy::Secret;
use image_updater::ports::webhook_client::Answer;
use image_updater::ports::webhook_client::Request;
use image_updater::ports::webhook_client::WebhookClient;

use crate::server::Server;

/// The request by which a sender of that type announces `image`.
pub(crate) fn announcement(server: &Server, sender: &str, image: &str, secret: &str) -> Request {
    let reference = Reference::parse(image).unwrap();
    let event = ImageEvent {
        image: reference.name().clone(),
        tag: reference.tag().unwrap().clone(),
        digest: reference.digest().cloned(),
    };
    let senders = senders::all();
    let sender = senders
        .iter()
        .find(|known| known.profile().name == sender)
        .unwrap();
    request(
        sender.as_ref(),
        &event,
        &server.url("/webhook"),
        Secret::parse(secret).as_ref(),
    )
    .unwrap()
}

/// Announces `image` and gives the answer.
pub(crate) async fn deliver(server: &Server, sender: &str, image: &str, secret: &str) -> Answer {
    let client = HttpWebhookClient::to_this_machine().unwrap();
    client
        .post(announcement(server, sender, image, secret))
        .await
        .unwrap()
}

/// Announces `image`, which must be accepted.
pub(crate) async fn announce(server: &Server, sender: &str, image: &str, secret: &str) {
    let answer = deliver(server, sender, image, secret).await;
    assert_eq!(answer.status, 200, "{} {}", answer.status, answer.body);
    assert!(answer.body.contains("\"accepted\""), "{}", answer.body);
}
