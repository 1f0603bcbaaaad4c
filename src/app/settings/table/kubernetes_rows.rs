//! The cluster. It is not read yet; the flags are taken so that a Deployment that has them starts.

use crate::app::settings::kind::Kind;
use crate::app::settings::mode::Mode;
use crate::app::settings::setting::Setting;
use crate::app::settings::topic::Topic;

pub(super) fn rows() -> Vec<Setting> {
    let mut rows = of_both();
    rows.extend(of_run().map(|setting| setting.not_in_config_map().only(Mode::Run)));
    rows.into_iter().map(Setting::not_yet).collect()
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
            .help("Kubeconfig file; empty: the pod's own account."),
        named("argocd.namespace", "argocd-namespace", Kind::Text)
            .env("ARGOCD_NAMESPACE")
            .default("")
            .help("Namespace of Argo CD; empty: the program's own."),
        named("watch.namespaces", "watch-namespaces", Kind::Text)
            .env("IMAGE_UPDATER_WATCH_NAMESPACES")
            .default("")
            .only(Mode::Run)
            .help("Namespaces with ImageUpdaters, separated by commas; *: all, empty: the program's own."),
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
            .help("Lets one of several replicas work."),
        setting("leader-election-namespace", Kind::Text)
            .default("")
            .help("Namespace of the leader's Lease; empty: the pod's own."),
        setting("metrics-bind-address", Kind::Text)
            .default("0")
            .help("Address of the metrics server, such as :8443; 0: none."),
        setting("metrics-secure", Kind::Bool)
            .default("true")
            .help("Serves metrics over HTTPS, to those who may read them."),
        setting("health-probe-bind-address", Kind::Text)
            .default(":8081")
            .help("Address of the server for the kubelet's probes."),
    ]
    .into_iter()
}
