//! Looking at registries.

use crate::app::settings::kind::Kind;
use crate::app::settings::kind::Sign;
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let mut rows = of_run();
    rows.extend(of_both());
    rows
}

fn setting(key: &str, kind: Kind) -> Setting {
    Setting::new(Topic::Polling, key, key, kind)
}

fn of_run() -> Vec<Setting> {
    let named = |key, flag, kind| Setting::new(Topic::Polling, key, flag, kind).only(Mode::Run);
    let of_run = |key, kind| setting(key, kind).only(Mode::Run);
    vec![
        of_run("interval", Kind::Duration(Sign::Any))
            .env("IMAGE_UPDATER_INTERVAL")
            .default("2m0s")
            .help("Time between two looks at the registries, give or take a tenth. 0 looks at the start and whenever an ImageUpdater is edited, a negative one never."),
        of_run("once", Kind::Bool)
            .not_in_config_map()
            .default("false")
            .help("Looks once and ends."),
        of_run("fail-on-error", Kind::Bool)
            .not_in_config_map()
            .default("false")
            .help("With --once: ends with exit code 1 where an image could not be decided or changed for a failure."),
        of_run("warmup-cache", Kind::Bool)
            .not_in_config_map()
            .default("true")
            .without_effect()
            .help("Taken for the Go program's sake, and of no effect: readiness waits for no registry, as deliveries would be lost meanwhile."),
        named("max_concurrent_reconciles", "max-concurrent-reconciles", Kind::Number { min: 1, max: 10 })
            .env("MAX_CONCURRENT_RECONCILES")
            .default("1")
            .without_effect()
            .help("Taken for the Go program's sake, and of no effect: ImageUpdaters are not worked on one by one. See max-concurrent-apps."),
    ]
}

fn of_both() -> Vec<Setting> {
    let count = |max| Kind::Number { min: 1, max };
    vec![
        Setting::new(Topic::Polling, "max_concurrent_apps", "max-concurrent-apps", count(100))
            .env("MAX_CONCURRENT_APPS")
            .default("10")
            .help("How many questions registries are asked at once, whatever for."),
        Setting::new(
            Topic::Polling,
            "max_concurrent_updaters",
            "max-concurrent-updaters",
            count(10),
        )
        .env("MAX_CONCURRENT_UPDATERS")
        .default("1")
        .only(Mode::Webhook)
        .without_effect()
            .help("Taken for the Go program's sake, and of no effect: ImageUpdaters are not worked on one by one. See max-concurrent-apps."),
        setting("catch-up", Kind::Bool)
            .env("IMAGE_UPDATER_CATCH_UP")
            .default("true")
            .only(Mode::Webhook)
            .help("Looks at the registries once after the start, for what was pushed while nobody listened."),
        setting("never-downgrade", Kind::Bool)
            .env("IMAGE_UPDATER_NEVER_DOWNGRADE")
            .default("false")
            .help("Never replaces a version by a lower one, not even where the policy excludes the one in use or the registry no longer has it."),
        setting("max-updates-per-minute", Kind::Number { min: 0, max: 60_000 })
            .env("IMAGE_UPDATER_MAX_UPDATES_PER_MINUTE")
            .default("0")
            .help("How many Applications are changed in a minute, evenly spaced, so that a large change does not stampede Argo CD. 0: no limit."),
    ]
}
