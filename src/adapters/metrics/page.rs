//! The text of the metrics.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::meters::Meters;
use super::seen::Seen;
use crate::ports::metrics_page::MetricsPage;

/// What every name begins with.
const PREFIX: &str = "argocd_image_updater";

/// All metrics.
#[derive(Debug)]
pub struct Page {
    registry: Registry,
}

/// What this program was built of.
#[derive(Debug, Clone, Copy)]
pub struct Build {
    /// Its version.
    pub version: &'static str,
    /// The commit, where the build was told it.
    pub commit: &'static str,
    /// The features of Cargo that it has beside the usual ones.
    pub features: &'static str,
}

impl Page {
    /// A page of these.
    #[must_use]
    pub fn new(meters: &Meters, seen: Seen, build: Build) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        meters.register(&mut registry);
        let build = Info::new([
            ("version", build.version),
            ("commit", build.commit),
            ("features", build.features),
        ]);
        registry.register("build", "The program", build);
        registry.register_collector(Box::new(seen));
        Self { registry }
    }
}

impl MetricsPage for Page {
    fn text(&self) -> String {
        let mut text = String::new();
        // It fails only where the text takes no more, and memory takes whatever is written.
        let _ = encode(&mut text, &self.registry);
        text
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::collections::BTreeSet;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::queue::fate::ImageOutcome;
    use crate::domain::reference::ImageName;
    use crate::domain::testing::id;
    use crate::ports::api_calls::MockApiCalls;
    use crate::ports::backlog_view::MockBacklogView;
    use crate::ports::certificate_expiry::MockCertificateExpiry;
    use crate::ports::delivery_watcher::Answered;
    use crate::ports::delivery_watcher::DeliveryOutcome;
    use crate::ports::delivery_watcher::DeliveryWatcher;
    use crate::ports::delivery_watcher::Refusal;
    use crate::ports::meter::Meter;
    use crate::ports::pace_meter::Limit;
    use crate::ports::pace_meter::PaceMeter;
    use crate::ports::registry_meter::RegistryMeter;
    use crate::ports::resource_reader::MockResourceReader;
    use crate::ports::work_watcher::Occasion;
    use crate::ports::work_watcher::Step;
    use crate::ports::work_watcher::Stepped;
    use crate::ports::work_watcher::WorkWatcher;

    fn page(meters: &Meters, is_current: bool) -> String {
        let mut reader = MockResourceReader::new();
        reader.expect_is_current().return_const(is_current);
        let mut calls = MockApiCalls::new();
        calls.expect_requests().return_const(7_u64);
        calls.expect_errors().return_const(2_u64);
        let mut backlog = MockBacklogView::new();
        backlog.expect_events().return_const(4_usize);
        backlog.expect_capacity().return_const(10_000_usize);
        let age = Duration::from_millis(2500);
        backlog.expect_oldest().return_const(age);
        let mut certificate = MockCertificateExpiry::new();
        certificate
            .expect_not_after()
            .return_const(1_800_000_000_i64);
        let seen = Seen {
            reader: Arc::new(reader),
            calls: Some(Arc::new(calls)),
            backlog: Arc::new(backlog),
            certificate: Some(Arc::new(certificate)),
        };
        let build = Build {
            version: "1.2.3",
            commit: "abc",
            features: "tls11",
        };
        Page::new(meters, seen, build).text()
    }

    fn meters() -> Meters {
        Meters::new(["ghcr.io", "harbor"])
    }

    fn answered(meters: &Meters, claimed: Option<&str>, outcome: DeliveryOutcome) {
        meters.deliveries.answered(Answered {
            delivery: &DeliveryId::new("d1"),
            claimed,
            outcome,
            took: Duration::from_millis(2),
        });
    }

    /// Asserts that there is each of these lines.
    fn has(text: &str, lines: &[&str]) {
        for line in lines {
            let line = format!("argocd_image_updater_{line}");
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
    }

    /// Everything that is counted, once.
    fn counted() -> Meters {
        let meters = meters();
        meters.applications_watched(&id("web"), 3);
        meters.images_watched(&id("web"), 5);
        meters.images_updated(&id("web"), 2);
        meters.images_errors(&id("web"), 1);
        meters.asked("ghcr.io", false);
        meters.asked("ghcr.io", true);
        meters
    }

    #[test]
    fn deliveries_are_counted_by_type_and_outcome() {
        let meters = meters();
        answered(&meters, Some("ghcr.io"), DeliveryOutcome::Accepted);
        for refusal in [Refusal::InvalidSecret, Refusal::NoHandler] {
            answered(&meters, Some("harbor"), DeliveryOutcome::Rejected(refusal));
        }
        let text = page(&meters, true);
        has(
            &text,
            &[
                r#"deliveries_total{type="ghcr.io",outcome="accepted"} 1"#,
                r#"deliveries_total{type="ghcr.io",outcome="duplicate"} 0"#,
                r#"deliveries_total{type="harbor",outcome="rejected"} 2"#,
                r#"deliveries_rejected_total{type="harbor",reason="invalid_secret"} 1"#,
                r#"deliveries_rejected_total{type="harbor",reason="no_handler"} 1"#,
                r#"delivery_answer_seconds_bucket{le="0.001"} 0"#,
                r#"delivery_answer_seconds_bucket{le="0.0025"} 3"#,
                "delivery_answer_seconds_count 3",
            ],
        );
    }

    #[test]
    fn strangers_make_no_series() {
        let meters = meters();
        let series = |text: &str| -> BTreeSet<String> {
            let names = text.lines().filter_map(|line| line.rsplit_once(' '));
            names.map(|(name, _)| name.to_owned()).collect()
        };
        let before = page(&meters, true);
        let secret = "harbor?secret=hunter2";
        for claimed in [
            None,
            Some(""),
            Some("unknown"),
            Some("Harbor"),
            Some(secret),
        ] {
            let outcome = DeliveryOutcome::Rejected(Refusal::NoHandler);
            answered(&meters, claimed, outcome);
        }
        let after = page(&meters, true);
        assert_eq!(series(&before), series(&after));
        let line = r#"deliveries_rejected_total{type="unknown",reason="no_handler"} 5"#;
        has(&after, &[line]);
    }

    #[test]
    fn the_way_to_a_change_is_measured() {
        let meters = meters();
        let image = ImageName::parse("ghcr.io/a/b").unwrap();
        for (step, seconds) in [
            (Step::Queue, 2),
            (Step::Judge, 3),
            (Step::Ask, 4),
            (Step::Write, 5),
        ] {
            meters.work.stepped(Stepped {
                step,
                image: &image,
                events: &[],
                took: Duration::from_secs(seconds),
                failed: false,
            });
        }
        meters.work.changed(Duration::from_secs(6));
        meters
            .work
            .concluded(Occasion::Delivery, Some(ImageOutcome::Changed));
        for had_turn in [false, true] {
            meters.waits.waits(Limit::EventsPerHour);
            let time = Duration::from_millis(1500);
            meters.waits.waited(Limit::EventsPerHour, time);
            meters.waits.ended(Limit::EventsPerHour, had_turn);
        }
        meters.waits.waits(Limit::UpdatesPerMinute);
        meters.waited("ghcr.io", Duration::from_millis(250));
        has(
            &page(&meters, true),
            &[
                "queue_wait_seconds_sum 2.0",
                "judge_seconds_sum 3.0",
                "registry_answer_seconds_sum 4.0",
                "write_seconds_sum 5.0",
                "delivery_to_change_seconds_sum 6.0",
                r#"image_outcomes_total{occasion="delivery",outcome="changed"} 1"#,
                r#"image_outcomes_total{occasion="look",outcome="failed"} 0"#,
                r#"rate_limit_wait_seconds_total{limit="events_per_hour"} 3.0"#,
                r#"rate_limit_turns_total{limit="events_per_hour"} 1"#,
                r#"rate_limit_waiting{limit="events_per_hour"} 0"#,
                r#"rate_limit_waiting{limit="updates_per_minute"} 1"#,
                r#"registry_wait_seconds_total{registry="ghcr.io"} 0.25"#,
                "queue_events 4",
                "queue_capacity 10000",
                "queue_oldest_age_seconds 2.5",
                "certificate_expiry_timestamp_seconds 1800000000",
                r#"build_info{version="1.2.3",commit="abc",features="tls11"} 1"#,
            ],
        );
    }

    #[test]
    fn the_names_are_those_of_the_go_program() {
        let text = page(&counted(), true);
        let labels = r#"{image_updater_cr_name="web",image_updater_cr_namespace="argocd"}"#;
        for line in [
            format!("argocd_image_updater_applications_watched_total{labels} 3"),
            format!("argocd_image_updater_images_watched_total{labels} 5"),
            format!("argocd_image_updater_images_updated_total{labels} 2"),
            format!("argocd_image_updater_images_errors_total{labels} 1"),
            r#"argocd_image_updater_registry_requests_total{registry="ghcr.io"} 2"#.to_owned(),
            r#"argocd_image_updater_registry_requests_failed_total{registry="ghcr.io"} 1"#
                .to_owned(),
            "argocd_image_updater_k8s_api_requests_total 7".to_owned(),
            "argocd_image_updater_k8s_api_errors_total 2".to_owned(),
            "argocd_image_updater_watch_behind 0".to_owned(),
        ] {
            assert!(text.lines().any(|known| known == line), "{line}\n{text}");
        }
        assert!(text.ends_with("# EOF\n"));
        let behind = page(&counted(), false);
        assert!(behind.contains("argocd_image_updater_watch_behind 1\n"));
    }

    #[test]
    fn what_is_gone_is_counted_no_more() {
        let meters = counted();
        meters.forget(&id("web"));
        meters.images_updated(&id("web"), 1);
        meters.images_errors(&id("web"), 1);
        let text = page(&meters, true);
        assert!(!text.contains("image_updater_cr_name"), "{text}");
    }

    #[test]
    fn counters_are_there_before_they_count() {
        let meters = meters();
        meters.applications_watched(&id("web"), 0);
        let text = page(&meters, true);
        let labels = r#"{image_updater_cr_name="web",image_updater_cr_namespace="argocd"}"#;
        for name in ["images_updated_total", "images_errors_total"] {
            let line = format!("argocd_image_updater_{name}{labels} 0\n");
            assert!(text.contains(&line), "{text}");
        }
    }

    /// Each name with its type: of what is read, and of the documentation.
    #[test]
    fn the_documentation_lists_them_all() {
        let text = page(&counted(), true);
        let mut read = BTreeMap::new();
        for line in text.lines() {
            if let Some((name, kind)) = line
                .strip_prefix("# TYPE ")
                .and_then(|line| line.split_once(' '))
            {
                let suffix = match kind {
                    "counter" => "_total",
                    "info" => "_info",
                    _ => "",
                };
                read.insert(format!("{name}{suffix}"), kind.to_owned());
            }
        }
        let page = include_str!("../../../docs/METRICS.md");
        let rows = page.lines().filter_map(|line| line.strip_prefix("| `"));
        let rows = rows.filter(|row| row.starts_with(PREFIX));
        let documented: BTreeMap<_, _> = rows
            .map(|row| {
                let mut cells = row.split(" | ");
                let name = cells.next().unwrap().trim_end_matches('`');
                (name.to_owned(), cells.next().unwrap().to_owned())
            })
            .collect();
        assert_eq!(read, documented);
    }
}
