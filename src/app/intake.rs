//! The way of a delivery from raw bytes into the queue.

use std::sync::Arc;
use std::time::SystemTime;

use async_trait::async_trait;
use tracing::debug;
use tracing::error;
use tracing::info;
use tracing::warn;

use crate::domain::delivery::Delivery;
use crate::domain::delivery::DeliveryId;
use crate::domain::delivery::SenderKey;
use crate::domain::queue::accepted::Accepted;
use crate::domain::secret_policy::Denied;
use crate::domain::secret_policy::SecretPolicy;
use crate::domain::secret_policy::Secrets;
use crate::domain::secret_policy::Verified;
use crate::ports::event_queue::EventQueue;
use crate::ports::event_queue::Placement;
use crate::ports::event_queue::Pushed;
use crate::ports::event_queue::QueueError;
use crate::ports::payload_decoder::DecodeError;
use crate::ports::payload_decoder::Decoded;
use crate::ports::payload_decoder::PayloadDecoder;
use crate::ports::secret_source::SecretSource;
use crate::ports::webhook_intake::Outcome;
use crate::ports::webhook_intake::Rejection;
use crate::ports::webhook_intake::WebhookIntake;

/// Authenticates, decodes and queues deliveries.
pub struct Intake {
    /// One for each type that can be served.
    pub decoders: Vec<Box<dyn PayloadDecoder>>,
    /// The secrets of each type.
    pub secrets: Arc<dyn SecretSource>,
    /// Who is let in.
    pub policy: SecretPolicy,
    /// Where events wait.
    pub queue: Arc<dyn EventQueue>,
}

#[async_trait]
impl WebhookIntake for Intake {
    fn screen(&self, head: &Delivery) -> Result<(), Rejection> {
        self.look_at(head)
            .inspect_err(|rejection| tell_rejection(&head.id, rejection))
    }

    async fn accept(&self, delivery: Delivery) -> Outcome {
        let id = delivery.id.clone();
        let outcome = self
            .take_in(delivery)
            .await
            .unwrap_or_else(Outcome::Rejected);
        tell(&id, &outcome);
        outcome
    }
}

impl Intake {
    async fn take_in(&self, delivery: Delivery) -> Result<Outcome, Rejection> {
        let id = delivery.id.clone();
        let decoder = self.decoder(&delivery)?;
        let profile = decoder.profile();
        let secrets = self.secrets.secrets(profile.secret_name);
        let read = read(decoder, self.policy, &secrets, delivery)?;
        let accepted = read.try_map(|read| match read.decoded {
            Decoded::Images(events) => Ok(Accepted {
                delivery: id.clone(),
                sender: profile.name.to_owned(),
                key: read.key,
                at: SystemTime::now(),
                trace: None,
                events,
            }),
            Decoded::Ignored(reason) => Err(reason),
        });
        let accepted = match accepted {
            Ok(accepted) => accepted,
            Err(reason) => return Ok(Outcome::Ignored { reason }),
        };
        let images = accepted.get().events.clone();
        Ok(match self.enqueue(&id, accepted).await? {
            Some(of) => Outcome::Duplicate { of, images },
            None => Outcome::Accepted { images },
        })
    }

    fn look_at(&self, head: &Delivery) -> Result<(), Rejection> {
        let profile = self.decoder(head)?.profile();
        let secrets = self.secrets.secrets(profile.secret_name);
        Ok(self.policy.screen(profile, &secrets, head)?)
    }

    fn decoder(&self, delivery: &Delivery) -> Result<&dyn PayloadDecoder, Rejection> {
        let wanted = delivery.sender_type().ok_or(Rejection::NoHandler)?;
        let mut decoders = self.decoders.iter().map(AsRef::as_ref);
        decoders
            .find(|decoder| decoder.profile().name == wanted)
            .ok_or(Rejection::NoHandler)
    }

    /// Queues a delivery, or finds the one that it is the same as.
    async fn enqueue(
        &self,
        id: &DeliveryId,
        accepted: Verified<Accepted>,
    ) -> Result<Option<DeliveryId>, Rejection> {
        let pushed = self.queue.push(accepted).await;
        let pushed = pushed.map_err(|error| match error {
            QueueError::Full { retry_after } => Rejection::Busy { retry_after },
            QueueError::Unavailable {
                reason,
                retry_after,
            } => {
                // The sender is not told what is wrong in here.
                error!(delivery = %id, reason, "delivery cannot be kept");
                Rejection::Unavailable { retry_after }
            }
        })?;
        let placements = match pushed {
            Pushed::Queued(placements) => placements,
            Pushed::Duplicate(of) => return Ok(Some(of)),
        };
        for placement in placements {
            if let Placement::Replaced { superseded } = placement {
                info!(delivery = %superseded, by = %id, "delivery superseded by a newer one for the same tag");
            }
        }
        Ok(None)
    }
}

/// What a delivery says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// What it announces.
    pub decoded: Decoded,
    /// What its sender calls it. The type is a part of that: two senders may have the same names.
    pub key: Option<SenderKey>,
}

/// What a delivery means to the sender type that it claims, once it has proved who it is.
///
/// # Errors
/// [`Rejection`] where it is not let in or makes no sense.
pub fn read(
    decoder: &dyn PayloadDecoder,
    policy: SecretPolicy,
    secrets: &Secrets,
    delivery: Delivery,
) -> Result<Verified<Reading>, Rejection> {
    let profile = decoder.profile();
    policy
        .verify(profile, secrets, delivery)?
        .try_map(|delivery| {
            let decoded = decoder.decode(&delivery)?;
            let key = decoder.sender_key(&delivery);
            let key =
                key.and_then(|key| SenderKey::parse(&format!("{}:{}", profile.name, key.as_str())));
            Ok::<_, DecodeError>(Reading { decoded, key })
        })
        .map_err(|error| Rejection::Malformed {
            reason: error.to_string(),
        })
}

impl From<Denied> for Rejection {
    fn from(denied: Denied) -> Self {
        match denied {
            // To the caller a type that is not served is one that does not exist.
            Denied::NotServed => Self::NoHandler,
            Denied::Missing => Self::MissingSecret,
            Denied::Invalid => Self::InvalidSecret,
        }
    }
}

fn tell(id: &DeliveryId, outcome: &Outcome) {
    match outcome {
        Outcome::Accepted { images } => {
            for image in images {
                info!(delivery = %id, outcome = "accepted", %image, "delivery accepted");
            }
        }
        Outcome::Duplicate { of, images } => {
            for image in images {
                info!(delivery = %id, outcome = "duplicate", %of, %image, "delivery is not done yet and comes again");
            }
        }
        Outcome::Ignored { reason } => {
            info!(delivery = %id, outcome = "ignored", reason, "delivery ignored");
        }
        Outcome::Rejected(rejection) => tell_rejection(id, rejection),
    }
}

fn tell_rejection(id: &DeliveryId, rejection: &Rejection) {
    let outcome = "rejected";
    match rejection {
        // Anybody can send these without end: the edge has a line for each, as long as they are not too many.
        Rejection::NoHandler => {
            debug!(delivery = %id, outcome, "no handler available for this webhook");
        }
        Rejection::MissingSecret => {
            debug!(delivery = %id, outcome, "delivery without a webhook secret");
        }
        Rejection::InvalidSecret => {
            debug!(delivery = %id, outcome, "delivery with an invalid webhook secret");
        }
        Rejection::Malformed { reason } => {
            warn!(delivery = %id, outcome, reason, "delivery cannot be read");
        }
        Rejection::Busy { retry_after } => {
            warn!(delivery = %id, outcome, retry_after_seconds = retry_after.as_secs(), "delivery refused, the queue is full");
        }
        // Told with its reason, which is not for the sender.
        Rejection::Unavailable { .. } => {}
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::domain::event::ImageEvent;
    use crate::domain::pairs::Pairs;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::sender::Authentication;
    use crate::domain::sender::SenderProfile;
    use crate::ports::event_queue::MockEventQueue;
    use crate::ports::payload_decoder::MockPayloadDecoder;
    use crate::ports::secret_source::MockSecretSource;

    static PROFILE: SenderProfile = SenderProfile {
        name: "quay.io",
        secret_name: "quay",
        title: "Quay",
        authentication: Authentication::QuerySecret,
        documentation: "",
    };

    fn event() -> ImageEvent {
        ImageEvent {
            image: ImageName::parse("quay.io/a/b").unwrap(),
            tag: Tag::parse("1").unwrap(),
            digest: None,
        }
    }

    fn decoder(result: Result<Decoded, DecodeError>) -> MockPayloadDecoder {
        let mut decoder = MockPayloadDecoder::new();
        decoder.expect_profile().return_const(&PROFILE);
        decoder.expect_decode().times(0..=1).return_const(result);
        let key = SenderKey::parse("k");
        decoder.expect_sender_key().return_const(key);
        decoder
    }

    fn intake(decoder: MockPayloadDecoder, queue: MockEventQueue, secret: &'static str) -> Intake {
        let mut secrets = MockSecretSource::new();
        secrets.expect_secrets().returning(move |name| {
            assert_eq!(name, "quay");
            Arc::new(Secrets::parse(secret))
        });
        Intake {
            decoders: vec![Box::new(decoder)],
            secrets: Arc::new(secrets),
            policy: SecretPolicy {
                require_secret: true,
            },
            queue: Arc::new(queue),
        }
    }

    fn delivery(query: &[(&str, &str)]) -> Delivery {
        Delivery {
            id: DeliveryId::new("d1".to_owned()),
            headers: Pairs::default(),
            query: query.iter().copied().collect(),
            body: Vec::new(),
        }
    }

    #[tokio::test]
    async fn an_authentic_push_is_queued_under_the_id_of_its_delivery() {
        let mut queue = MockEventQueue::new();
        queue
            .expect_push()
            .once()
            .withf(|accepted| {
                let accepted = accepted.get();
                let key = accepted.key.as_ref().map(SenderKey::as_str);
                accepted.delivery.as_str() == "d1"
                    && accepted.events == [event()]
                    && (accepted.sender.as_str(), key) == ("quay.io", Some("quay.io:k"))
            })
            .returning(|_| Ok(Pushed::Queued(vec![Placement::Added])));
        let intake = intake(decoder(Ok(Decoded::Images(vec![event()]))), queue, "s");
        let outcome = intake
            .accept(delivery(&[("type", "quay.io"), ("secret", "s")]))
            .await;
        assert_eq!(
            outcome,
            Outcome::Accepted {
                images: vec![event()]
            }
        );
    }

    #[tokio::test]
    async fn nothing_is_decoded_before_it_is_authenticated() {
        let mut decoder = MockPayloadDecoder::new();
        decoder.expect_profile().return_const(&PROFILE);
        decoder.expect_decode().never();
        let intake = intake(decoder, MockEventQueue::new(), "s");
        let outcome = intake
            .accept(delivery(&[("type", "quay.io"), ("secret", "t")]))
            .await;
        assert_eq!(outcome, Outcome::Rejected(Rejection::InvalidSecret));
        let outcome = intake.accept(delivery(&[("type", "quay.io")])).await;
        assert_eq!(outcome, Outcome::Rejected(Rejection::MissingSecret));
    }

    #[tokio::test]
    async fn a_type_without_a_secret_looks_like_no_type() {
        for (secret, name) in [("", "quay.io"), ("s", "other"), ("s", "")] {
            let intake = intake(
                decoder(Ok(Decoded::Images(vec![event()]))),
                MockEventQueue::new(),
                secret,
            );
            let outcome = intake
                .accept(delivery(&[("type", name), ("secret", "s")]))
                .await;
            assert_eq!(
                outcome,
                Outcome::Rejected(Rejection::NoHandler),
                "{name:?} {secret:?}"
            );
        }
    }

    #[test]
    fn a_head_is_refused_as_the_delivery_would_be() {
        let screened = |secret, query: &[(&str, &str)]| {
            let unread = decoder(Ok(Decoded::Images(vec![event()])));
            intake(unread, MockEventQueue::new(), secret).screen(&delivery(query))
        };
        let quay = ("type", "quay.io");
        assert_eq!(screened("s", &[quay, ("secret", "s")]), Ok(()));
        for (secret, query, rejection) in [
            ("s", &[("secret", "s")][..], Rejection::NoHandler),
            ("s", &[("type", "other")], Rejection::NoHandler),
            ("", &[quay, ("secret", "s")], Rejection::NoHandler),
            ("s", &[quay], Rejection::MissingSecret),
            ("s", &[quay, ("secret", "t")], Rejection::InvalidSecret),
        ] {
            assert_eq!(screened(secret, query), Err(rejection), "{query:?}");
        }
    }

    #[tokio::test]
    async fn what_means_nothing_or_makes_no_sense_is_not_queued() {
        let request = || delivery(&[("type", "quay.io"), ("secret", "s")]);
        let ignoring = decoder(Ok(Decoded::Ignored("ping".to_owned())));
        let outcome = intake(ignoring, MockEventQueue::new(), "s")
            .accept(request())
            .await;
        assert_eq!(
            outcome,
            Outcome::Ignored {
                reason: "ping".to_owned()
            }
        );
        let failing = decoder(Err(DecodeError("no JSON".to_owned())));
        let outcome = intake(failing, MockEventQueue::new(), "s")
            .accept(request())
            .await;
        assert_eq!(
            outcome,
            Outcome::Rejected(Rejection::Malformed {
                reason: "no JSON".to_owned()
            })
        );
    }

    #[tokio::test]
    async fn a_full_queue_says_when_to_come_back() {
        let retry_after = Duration::from_secs(7);
        let mut queue = MockEventQueue::new();
        queue
            .expect_push()
            .returning(move |_| Err(QueueError::Full { retry_after }));
        let intake = intake(decoder(Ok(Decoded::Images(vec![event()]))), queue, "s");
        let outcome = intake
            .accept(delivery(&[("type", "quay.io"), ("secret", "s")]))
            .await;
        assert_eq!(outcome, Outcome::Rejected(Rejection::Busy { retry_after }));
    }

    #[tokio::test]
    async fn what_comes_twice_is_told_and_so_is_what_cannot_be_kept() {
        let request = || delivery(&[("type", "quay.io"), ("secret", "s")]);
        let decoder = || decoder(Ok(Decoded::Images(vec![event()])));
        let mut queue = MockEventQueue::new();
        let first = DeliveryId::new("d0");
        let of = first.clone();
        queue
            .expect_push()
            .returning(move |_| Ok(Pushed::Duplicate(first.clone())));
        let outcome = intake(decoder(), queue, "s").accept(request()).await;
        let images = vec![event()];
        assert_eq!(outcome, Outcome::Duplicate { of, images });
        let mut queue = MockEventQueue::new();
        let retry_after = Duration::from_secs(7);
        queue.expect_push().returning(move |_| {
            Err(QueueError::Unavailable {
                reason: "the disk is full".to_owned(),
                retry_after,
            })
        });
        let outcome = intake(decoder(), queue, "s").accept(request()).await;
        let expected = Rejection::Unavailable { retry_after };
        assert_eq!(outcome, Outcome::Rejected(expected));
    }
}
