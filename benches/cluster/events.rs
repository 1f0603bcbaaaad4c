//! Changing one Application after the other, by a delivery and by a bare PATCH.

use std::time::Duration;
use std::time::Instant;

use image_updater::adapters::senders;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::app::send::request;
use image_updater::domain::event::ImageEvent;
use image_updater::domain::reference::ImageName;
use image_updater::domain::reference::Tag;
use image_updater::domain::secret_policy::Secret;
use image_updater::ports::payload_decoder::PayloadDecoder;
use image_updater::ports::webhook_client::WebhookClient;
use kube::api::Patch;
use kube::api::PatchParams;
use serde_json::json;

use crate::Result;
use crate::application::Application;
use crate::cluster::Cluster;
use crate::program::Program;
use crate::program::SECRET;
use crate::registry::Registry;
use crate::support::World;
use crate::watch::Watch;

/// Rounds that are measured.
const ROUNDS: usize = 300;
/// Rounds before those.
const WARM_UP: usize = 20;
/// Between two changes, so that what follows upon one, such as statuses, does not fall into the next.
const PAUSE: Duration = Duration::from_millis(50);
/// After the start, so that the first statuses of all ImageUpdaters are written.
const SETTLE: Duration = Duration::from_secs(3);

/// How long it took until the watch showed what was changed.
#[derive(Debug, Default)]
pub(crate) struct Latencies {
    /// From the beginning of a delivery.
    pub(crate) deliveries: Vec<Duration>,
    /// From the beginning of a bare PATCH, or of the bare HEAD before it.
    pub(crate) patches: Vec<Duration>,
}

/// What it takes to change Applications.
pub(crate) struct Events<'c> {
    applications: &'c mut [Application],
    world: World,
    watch: Watch,
    sender: Box<dyn PayloadDecoder>,
    client: HttpWebhookClient,
    url: String,
    secret: Secret,
    registry: Option<&'c Registry>,
    /// The Application of the next round.
    next: usize,
}

impl<'c> Events<'c> {
    pub(crate) async fn new(
        cluster: &'c mut Cluster,
        program: &Program,
        registry: Option<&'c Registry>,
    ) -> Result<Self> {
        let senders = senders::all().into_iter();
        let mut ghcr = senders.filter(|sender| sender.profile().name == "ghcr.io");
        let world = cluster.api().await;
        Ok(Self {
            watch: Watch::of(&cluster.api().await).await?,
            world,
            applications: cluster.applications(),
            sender: ghcr.next().ok_or("no sender of GHCR's type")?,
            client: HttpWebhookClient::to_this_machine()?,
            url: program.url("/webhook"),
            secret: Secret::parse(SECRET).ok_or("no secret")?,
            registry,
            next: 0,
        })
    }

    /// Opens the connections, and lets the program come to rest.
    pub(crate) async fn warm_up(&mut self) -> Result<()> {
        tokio::time::sleep(SETTLE).await;
        for _ in 0..WARM_UP {
            self.round().await?;
        }
        Ok(())
    }

    pub(crate) async fn measure(&mut self) -> Result<Latencies> {
        let mut latencies = Latencies::default();
        for _ in 0..ROUNDS {
            let (delivery, patch) = self.round().await?;
            latencies.deliveries.push(delivery);
            latencies.patches.push(patch);
        }
        Ok(latencies)
    }

    /// One Application is changed by a delivery, and another one by a bare PATCH.
    async fn round(&mut self) -> Result<(Duration, Duration)> {
        let count = self.applications.len();
        let (delivered, patched) = (self.next % count, (self.next + count / 2) % count);
        self.next += 1;
        let delivery = self.deliver(delivered).await?;
        tokio::time::sleep(PAUSE).await;
        let patch = self.patch(patched).await?;
        tokio::time::sleep(PAUSE).await;
        Ok((delivery, patch))
    }

    async fn deliver(&mut self, number: usize) -> Result<Duration> {
        let application = self.applications.get_mut(number).ok_or("no Application")?;
        application.turn_newer();
        if let Some(registry) = self.registry {
            registry.push(application).await;
        }
        let event = ImageEvent {
            image: ImageName::parse(&application.image_name())?,
            tag: Tag::parse(&application.tag())?,
            digest: None,
        };
        let request = request(self.sender.as_ref(), &event, &self.url, Some(&self.secret))?;
        let image = application.image();
        let began = Instant::now();
        let (answer, seen) = tokio::join!(
            self.client.post(request),
            self.watch.sees(application.name(), &image)
        );
        let answer = answer?;
        if answer.status != 200 {
            return Err(format!("{} {}", answer.status, answer.body).into());
        }
        Ok(seen?.duration_since(began))
    }

    async fn patch(&mut self, number: usize) -> Result<Duration> {
        let application = self.applications.get_mut(number).ok_or("no Application")?;
        let before = application.image();
        application.turn_newer();
        if let Some(registry) = self.registry {
            registry.push(application).await;
        }
        let image = application.image();
        let path = "/spec/source/kustomize/images/0";
        let patch = serde_json::from_value(json!([
            {"op": "test", "path": path, "value": before},
            {"op": "replace", "path": path, "value": image},
        ]))?;
        let (how, patch) = (PatchParams::default(), Patch::Json::<()>(patch));
        let all = self.world.applications();
        let began = Instant::now();
        let work = async {
            if let Some(registry) = self.registry {
                registry.head(application).await?;
            }
            all.patch(application.name(), &how, &patch).await?;
            Result::Ok(())
        };
        let (answer, seen) = tokio::join!(work, self.watch.sees(application.name(), &image));
        answer?;
        Ok(seen?.duration_since(began))
    }
}
