//! What is refused, and when waiting ends.

use crate::app::settings::kind::Kind;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Limits, key, flag, kind);
    let count = |min, max| Kind::Number { min, max };
    vec![
        setting("webhook.ratelimit-allowed", "webhook-ratelimit-allowed", count(0, u32::MAX.into()))
            .env("WEBHOOK_RATELIMIT_ALLOWED")
            .live()
            .default("0")
            .help("How many events that lead to work are worked on in an hour, evenly spaced. The excess waits in the queue. 0: no limit."),
        setting("webhook.queue-size", "webhook-queue-size", count(1, 1_000_000))
            .env("WEBHOOK_QUEUE_SIZE")
            .default("10000")
            .help("How many events may wait. A delivery that finds no room is answered 503."),
        setting("webhook.max-connections", "webhook-max-connections", count(1, 100_000))
            .env("WEBHOOK_MAX_CONNECTIONS")
            .default("256")
            .help("How many connections are served at once. A further one takes the place of one that is idle; while all are busy, it waits."),
        setting("webhook.handshake-timeout", "webhook-handshake-timeout", Kind::TIMEOUT)
            .env("WEBHOOK_HANDSHAKE_TIMEOUT")
            .default("10s")
            .help("Time for the TLS handshake."),
        setting("webhook.head-timeout", "webhook-head-timeout", Kind::TIMEOUT)
            .env("WEBHOOK_HEAD_TIMEOUT")
            .default("10s")
            .help("Time for the head of a request."),
        setting("webhook.body-timeout", "webhook-body-timeout", Kind::TIMEOUT)
            .env("WEBHOOK_BODY_TIMEOUT")
            .default("10s")
            .help("Time for the body of a request, which is answered 408 after that."),
        setting("webhook.idle-timeout", "webhook-idle-timeout", Kind::TIMEOUT)
            .env("WEBHOOK_IDLE_TIMEOUT")
            .default("60s")
            .help("How long a connection is kept between two requests."),
        setting("webhook.failures-per-minute", "webhook-failures-per-minute", count(0, u32::MAX.into()))
            .env("WEBHOOK_FAILURES_PER_MINUTE")
            .default("60")
            .help("How many requests of one source that fail, and connections without a request, are answered and logged one by one in a minute. More are answered 429. What is authentic is taken however much of the same source fails. A source is an IPv4 address or the /64 of an IPv6 one. 0: no limit."),
        setting("webhook.allow-from", "webhook-allow-from", Kind::AllowList)
            .env("WEBHOOK_ALLOW_FROM")
            .default("")
            .help("Networks that deliveries are taken from, separated by commas; empty: all. ghcr.io=192.0.2.0/24 is for one type, and a type that has such entries is taken from those alone. From elsewhere a delivery is answered 403. Behind a proxy it takes --webhook-trusted-proxies too."),
        setting("webhook.trusted-proxies", "webhook-trusted-proxies", Kind::Networks)
            .env("WEBHOOK_TRUSTED_PROXIES")
            .default("")
            .help("Networks of the proxies in front, separated by commas. What one of them says in X-Forwarded-For is believed: the source of a request is the last address there that is no such proxy. Empty: none is believed, and the source is who connects."),
    ]
}
