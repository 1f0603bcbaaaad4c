//! CloudEvents: AWS ECR through EventBridge, and any other service that announces images in this form.
//!
//! * An event of ECR names its registry in `source`, as `urn:aws:ecr:…` or `arn:aws:ecr:…`. EventBridge makes it with an input transformer.
//! * What EventBridge sends without a transformer is read too, as an event's data or alone.
//! * Any other event counts if its type speaks of a container or an image and ends in a word that means a push.

mod announcement;
mod attribute;
mod ecr;
mod envelope;
mod eventbridge;
mod fields;
mod made_up;

use crate::adapters::senders::pushes::Pushes;
use crate::domain::delivery::Delivery;
use crate::domain::delivery::SenderKey;
use crate::domain::event::ImageEvent;
use crate::domain::sender::Authentication;
use crate::domain::sender::SenderProfile;
use crate::ports::payload_decoder::ComposeError;
use crate::ports::payload_decoder::Composed;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;
use crate::ports::payload_decoder::PayloadDecoder;

use self::envelope::Event;

/// Any sender of CloudEvents.
pub(super) struct CloudEvents;

static PROFILE: SenderProfile = SenderProfile {
    name: "cloudevents",
    secret_name: "cloudevents",
    title: "CloudEvents (AWS ECR through EventBridge)",
    authentication: Authentication::HeaderOrQuerySecret,
    documentation: "https://github.com/cloudevents/spec/blob/v1.0.2/cloudevents/bindings/http-protocol-binding.md",
};

impl PayloadDecoder for CloudEvents {
    fn profile(&self) -> &'static SenderProfile {
        &PROFILE
    }

    fn decode(&self, delivery: &Delivery) -> Result<Decoded, DecodeError> {
        let mut pushes = Pushes::default();
        for event in envelope::open(delivery)? {
            if let Err(error) = event.and_then(|event| read(&event, delivery, &mut pushes)) {
                pushes.wrong(error);
            }
        }
        pushes.decoded()
    }

    fn sender_key(&self, delivery: &Delivery) -> Option<SenderKey> {
        envelope::key(delivery)
    }

    fn compose(&self, event: &ImageEvent) -> Result<Composed, ComposeError> {
        Ok(made_up::delivery(event))
    }
}

fn read(event: &Event, delivery: &Delivery, pushes: &mut Pushes) -> Result<(), DecodeError> {
    if eventbridge::is_native(&event.data) {
        return eventbridge::read(&event.data, pushes);
    }
    if let Some(reason) = announcement::no_push(event) {
        pushes.leave_out(reason);
        return Ok(());
    }
    fields::read(event, delivery, pushes)
}
