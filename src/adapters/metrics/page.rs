//! The text of the metrics.

use std::fmt;
use std::sync::Arc;

use prometheus_client::collector::Collector;
use prometheus_client::encoding::DescriptorEncoder;
use prometheus_client::encoding::EncodeMetric;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::ConstCounter;
use prometheus_client::metrics::gauge::ConstGauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::Registry;

use super::meters::Meters;
use crate::ports::api_calls::ApiCalls;
use crate::ports::metrics_page::MetricsPage;
use crate::ports::resource_reader::ResourceReader;

/// What every name begins with.
const PREFIX: &str = "argocd_image_updater";

/// All metrics.
#[derive(Debug)]
pub struct Page {
    registry: Registry,
}

/// What is looked up when somebody reads.
pub struct Seen {
    /// Knows whether what is known of ImageUpdaters and Applications may be old.
    pub reader: Arc<dyn ResourceReader>,
    /// Knows how often the cluster was asked; `None`: there is none.
    pub calls: Option<Arc<dyn ApiCalls>>,
}

impl Page {
    /// A page of these.
    #[must_use]
    pub fn new(meters: &Meters, seen: Seen) -> Self {
        let mut registry = Registry::with_prefix(PREFIX);
        meters.register(&mut registry);
        let build = Info::new([("version", env!("CARGO_PKG_VERSION"))]);
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

impl Collector for Seen {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let behind = ConstGauge::new(i64::from(!self.reader.is_current()));
        behind.encode(encoder.encode_descriptor(
            "watch_behind",
            "1 while what is known of ImageUpdaters and Applications may be old, so that deliveries wait; else 0",
            None,
            behind.metric_type(),
        )?)?;
        let calls = self.calls.as_deref();
        let requests = ConstCounter::new(calls.map_or(0, ApiCalls::requests));
        requests.encode(encoder.encode_descriptor(
            "k8s_api_requests",
            "The number of requests to the Kubernetes API",
            None,
            requests.metric_type(),
        )?)?;
        let errors = ConstCounter::new(calls.map_or(0, ApiCalls::errors));
        errors.encode(encoder.encode_descriptor(
            "k8s_api_errors",
            "The number of requests to the Kubernetes API that were answered by an error, or not at all",
            None,
            errors.metric_type(),
        )?)
    }
}

impl fmt::Debug for Seen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Seen").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::domain::testing::id;
    use crate::ports::api_calls::MockApiCalls;
    use crate::ports::meter::Meter;
    use crate::ports::registry_meter::RegistryMeter;
    use crate::ports::resource_reader::MockResourceReader;

    fn page(meters: &Meters, is_current: bool) -> String {
        let mut reader = MockResourceReader::new();
        reader.expect_is_current().return_const(is_current);
        let mut calls = MockApiCalls::new();
        calls.expect_requests().return_const(7_u64);
        calls.expect_errors().return_const(2_u64);
        let seen = Seen {
            reader: Arc::new(reader),
            calls: Some(Arc::new(calls)),
        };
        Page::new(meters, seen).text()
    }

    /// Everything that is counted, once.
    fn counted() -> Meters {
        let meters = Meters::default();
        meters.applications_watched(&id("web"), 3);
        meters.images_watched(&id("web"), 5);
        meters.images_updated(&id("web"), 2);
        meters.images_errors(&id("web"), 1);
        meters.asked("ghcr.io", false);
        meters.asked("ghcr.io", true);
        meters
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
        let meters = Meters::default();
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
