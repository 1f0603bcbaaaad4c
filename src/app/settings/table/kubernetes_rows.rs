//! The cluster.

use crate::app::settings::kind::Kind;
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::DefaultValue;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let mut rows = of_both();
    rows.extend(of_run().map(|setting| setting.not_in_config_map().only(Mode::Run)));
    rows
}

fn setting(key: &str, kind: Kind) -> Setting {
    Setting::new(Topic::Kubernetes, key, key, kind)
}

fn of_both() -> Vec<Setting> {
    let named = |key, flag, kind| Setting::new(Topic::Kubernetes, key, flag, kind);
    vec![
        setting("kubeconfig", Kind::Text)
            .not_in_config_map()
            .default("")
            .help("Kubeconfig file; empty: the pod's own account, and outside of pods what $KUBECONFIG or ~/.kube/config says."),
        named("argocd.namespace", "argocd-namespace", Kind::Namespace)
            .env("ARGOCD_NAMESPACE")
            .default("")
            .help("Namespace of Argo CD. Empty: the program's own, which is $POD_NAMESPACE, or else that of the pod's account; outside of pods it is this one, or else that of the kubeconfig's context."),
        named("watch.namespaces", "watch-namespaces", Kind::Namespaces)
            .env("IMAGE_UPDATER_WATCH_NAMESPACES")
            .default("")
            .help("Namespaces with ImageUpdaters and their Applications, separated by commas; *: all. Empty: for run the program's own; for webhook all, or the program's own where the account may not look at all (a permission that is granted later takes a restart)."),
        setting("health-probe-bind-address", Kind::Address)
            .not_in_config_map()
            .default_value(DefaultValue::PerPlace {
                pod: ":8081",
                elsewhere: "0",
            })
            .help("Address of the plain HTTP server for the kubelet's probes, /healthz and /readyz; 0: none. The webhook server answers them too."),
        setting("metrics-bind-address", Kind::Address)
            .not_in_config_map()
            .default("0")
            .help("Address of the metrics server, such as :8443; 0: none. docs/METRICS.md lists the metrics."),
        setting("metrics-secure", Kind::Bool)
            .not_in_config_map()
            .default("true")
            .help("Serves metrics over HTTPS with a certificate of its own making, to accounts of the cluster that may get /metrics. With false: over plain HTTP, to everybody."),
        named("kube.events", "disable-kube-events", Kind::Bool)
            .env("IMAGE_UPDATER_KUBE_EVENTS")
            .default("false")
            .help("With true, no Kubernetes Events are written. The variable and the key have this meaning too, whatever their names suggest."),
    ]
}

fn of_run() -> impl Iterator<Item = Setting> {
    [
        setting("leader-election", Kind::Bool)
            .default("true")
            .help("Lets one of several replicas hold the Lease c21b75f2.argoproj.io, which is the Go program's too. Deliveries are taken and worked on by every replica; only looking at registries on its own needs the Lease."),
        setting("leader-election-namespace", Kind::Namespace)
            .default("")
            .help("Namespace of the Lease; empty: the program's own."),
    ]
    .into_iter()
}
