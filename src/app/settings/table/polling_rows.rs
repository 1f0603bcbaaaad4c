//! Looking at registries by itself. Nothing of it exists yet; the flags are taken so that a Deployment that has them starts.

use crate::app::settings::kind::{Kind, Sign};
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let setting = |key, flag, kind| Setting::new(Topic::Polling, key, flag, kind).not_yet();
    let count = |max| Kind::Number { min: 1, max };
    vec![
        setting("interval", "interval", Kind::Duration(Sign::Any))
            .env("IMAGE_UPDATER_INTERVAL")
            .default("2m0s")
            .only(Mode::Run)
            .help("Time between two looks at the registries. 0 looks once, a negative one never."),
        setting("once", "once", Kind::Bool)
            .not_in_config_map()
            .default("false")
            .only(Mode::Run)
            .help("Looks once and ends."),
        setting("warmup-cache", "warmup-cache", Kind::Bool)
            .not_in_config_map()
            .default("true")
            .only(Mode::Run)
            .help("Looks at all registries before it is ready."),
        setting("max_concurrent_apps", "max-concurrent-apps", count(100))
            .env("MAX_CONCURRENT_APPS")
            .default("10")
            .help("How many Applications are worked on at once."),
        setting(
            "max_concurrent_reconciles",
            "max-concurrent-reconciles",
            count(10),
        )
        .env("MAX_CONCURRENT_RECONCILES")
        .default("1")
        .only(Mode::Run)
        .help("How many ImageUpdaters are worked on at once."),
        setting(
            "max_concurrent_updaters",
            "max-concurrent-updaters",
            count(10),
        )
        .env("MAX_CONCURRENT_UPDATERS")
        .default("1")
        .only(Mode::Webhook)
        .help("How many ImageUpdaters are worked on at once."),
    ]
}
