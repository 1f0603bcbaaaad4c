//! Where several replicas share their work.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Places, key, flag, kind);
    vec![
        setting("queue.address", "queue", Kind::QueueAddress)
            .env("IMAGE_UPDATER_QUEUE")
            .not_in_config_map()
            .help("NATS server with JetStream on which several replicas share what they have accepted, such as nats://user:password@host:4222, or tls://… for TLS; a token may stand in the place of user and password, and further servers after commas. What is special in user and password is percent-encoded. See docs/QUEUES.md."),
        setting("queue.prefix", "queue-prefix", Kind::QueuePrefix)
            .env("IMAGE_UPDATER_QUEUE_PREFIX")
            .default("argocd-image-updater")
            .help("Name of the stream on the NATS server, and the beginning of its subjects. Installations that share a server need one each."),
        setting("queue.replicas", "queue-replicas", Kind::Choice(&["1", "3", "5"]))
            .env("IMAGE_UPDATER_QUEUE_REPLICAS")
            .default("1")
            .help("On how many servers of a NATS cluster the stream is kept: with 3 it survives the loss of one, with 5 of two. A stream that is kept on fewer is changed, one that is kept on more stays as it is."),
        setting("queue.patience", "queue-patience", Kind::TIMEOUT)
            .env("IMAGE_UPDATER_QUEUE_PATIENCE")
            .default("15s")
            .help("How long a replica may be silent before the others take over its work."),
    ]
}
