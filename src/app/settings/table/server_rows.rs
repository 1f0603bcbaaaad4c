//! The webhook server, the log and the end of the program.

use crate::app::settings::kind::{Kind, Sign};
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::{DefaultValue, Setting};
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let mut rows = server();
    rows.extend(logging());
    rows.extend(shutdown());
    rows
}

fn server() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Server, key, flag, kind);
    vec![
        setting("webhook.enable", "enable-webhook", Kind::Bool)
            .env("ENABLE_WEBHOOK")
            .default("false")
            .only(Mode::Run)
            .help("Starts the webhook server. The command webhook always does."),
        setting("webhook.port", "webhook-port", Kind::PORT)
            .env("WEBHOOK_PORT")
            .default_value(DefaultValue::PerMode {
                webhook: "8080",
                run: "8082",
            })
            .help("Port of the webhook server. With 0 the command webhook takes any free port, and run starts no server."),
        setting("enable-http2", "enable-http2", Kind::Bool)
            .env("ENABLE_HTTP2")
            .default("false")
            .help("Offers HTTP/2 to senders beside HTTP/1.1."),
        setting("webhook.confirm", "webhook-confirm", Kind::Choice(&["registry", "event", "rescan"]))
            .env("WEBHOOK_CONFIRM")
            .default("registry")
            .help("What an update on a delivery rests on. registry: the event says which tag, and the registry confirms that one with one request. event: the authenticated event is believed, no registry is asked. rescan: the event only says when to look, and all tags are listed, as the Go program does."),
    ]
}

fn logging() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Logging, key, flag, kind);
    let levels = Kind::Choice(&["trace", "debug", "info", "warn", "error"]);
    vec![
        setting("log.level", "loglevel", levels)
            .env("IMAGE_UPDATER_LOGLEVEL")
            .live()
            .default("info")
            .help("The least severe lines that are logged."),
        setting("log.format", "logformat", Kind::Choice(&["text", "json"]))
            .env("IMAGE_UPDATER_LOGFORMAT")
            .default("text")
            .help("text: key=value pairs, on a terminal shorter and in colour. json: one object a line."),
        setting("log.colors", "log-colors", Kind::Bool)
            .env("ENABLE_LOG_COLORS")
            .default("true")
            .help("Colours on a terminal. The variable NO_COLOR, if it is not empty, turns them off too."),
    ]
}

fn shutdown() -> Vec<Setting> {
    let setting = |key, flag| {
        Setting::new(
            Topic::Shutdown,
            key,
            flag,
            Kind::Duration(Sign::NotNegative),
        )
    };
    vec![
        setting("shutdown.delay", "shutdown-delay")
            .env("IMAGE_UPDATER_SHUTDOWN_DELAY")
            .default_value(DefaultValue::PerPlace {
                pod: "3s",
                elsewhere: "0s",
            })
            .help("How long deliveries are still taken after a signal to end, while load balancers learn of it. It is part of --shutdown-grace."),
        setting("shutdown.grace", "shutdown-grace")
            .env("IMAGE_UPDATER_SHUTDOWN_GRACE")
            .default("8s")
            .help("Time within which the program ends after a signal. Keep it below the pod's terminationGracePeriodSeconds."),
    ]
}
