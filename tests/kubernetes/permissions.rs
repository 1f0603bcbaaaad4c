//! The roles in `config/`: enough for the program, and no more than the Go program has.

use serde_json::Value;

use crate::manifests::apply;
use crate::manifests::documents;
use crate::manifests::kustomize;
use crate::support::World;
use crate::support::eventually;

/// What the Go program may do, by the name of the role: verbs on a resource of an API group.
fn allowed(role: &str) -> &'static [(&'static str, &'static str, &'static str)] {
    match role {
        "argocd-image-updater-manager-role" => &[
            ("", "events", "create"),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters",
                "create delete get list patch update watch",
            ),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters/finalizers",
                "update",
            ),
            (
                "argocd-image-updater.argoproj.io",
                "imageupdaters/status",
                "get patch update",
            ),
            ("argoproj.io", "applications", "get list patch update watch"),
        ],
        "argocd-image-updater" => &[
            ("", "secrets", "get list watch"),
            ("", "configmaps", "get list watch"),
            // The Go program's other Role has it, in the same namespace.
            ("", "events", "create"),
        ],
        // The Go program's Role of the name above, which it has in every namespace with Secrets that are named.
        "argocd-image-updater-pull-secrets-role" => &[("", "secrets", "get list watch")],
        "argocd-image-updater-leader-election-role" => &[(
            "coordination.k8s.io",
            "leases",
            "get list watch create update patch delete",
        )],
        other => panic!("{other} is no role of the Go program"),
    }
}

#[tokio::test]
async fn no_role_allows_more_than_the_go_program_has() {
    let Some((server, _)) = World::new().await else {
        return;
    };
    let mut objects = documents(&kustomize(server, "config/default"));
    objects.extend(documents(&kustomize(server, "config/rbac/cluster-wide")));
    let roles = objects.iter().filter(|object| {
        let kind = object["kind"].as_str().unwrap();
        kind == "Role" || kind == "ClusterRole"
    });
    let mut seen = 0;
    for role in roles {
        let name = role["metadata"]["name"].as_str().unwrap();
        for rule in role["rules"].as_array().unwrap() {
            for (group, resource, verb) in grants(rule) {
                seen += 1;
                let fits = |(g, r, verbs): &(&str, &str, &str)| {
                    *g == group && *r == resource && verbs.split(' ').any(|known| known == verb)
                };
                assert!(
                    allowed(name).iter().any(fits),
                    "{name}: {verb} {resource}.{group}"
                );
            }
        }
    }
    assert!(seen > 20);
}

/// The single permissions of a rule.
fn grants(rule: &Value) -> Vec<(String, String, String)> {
    let texts = |key: &str| -> Vec<String> {
        let list = rule[key].as_array().unwrap();
        list.iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect()
    };
    let groups = texts("apiGroups");
    let mut grants = Vec::new();
    for verb in texts("verbs") {
        for group in &groups {
            for resource in texts("resources") {
                grants.push((group.clone(), resource, verb.clone()));
            }
        }
    }
    grants
}

/// What it has to do where ImageUpdaters are, as `kubectl auth can-i` takes it.
const WHEREVER_IT_WATCHES: [(&str, &str); 10] = [
    ("list", "applications.argoproj.io"),
    ("watch", "applications.argoproj.io"),
    ("patch", "applications.argoproj.io"),
    ("get", "applications.argoproj.io"),
    ("list", "imageupdaters.argocd-image-updater.argoproj.io"),
    ("watch", "imageupdaters.argocd-image-updater.argoproj.io"),
    ("patch", "imageupdaters.argocd-image-updater.argoproj.io"),
    (
        "patch",
        "imageupdaters.argocd-image-updater.argoproj.io --subresource=status",
    ),
    ("create", "events"),
    ("get", "secrets"),
];

/// What it has to do in its own namespace alone, some of it with objects of one name.
const AT_HOME: [(&str, &str); 9] = [
    ("list", "secrets/argocd-image-updater-secret"),
    ("watch", "secrets/argocd-image-updater-secret"),
    ("list", "secrets/argocd-image-updater-tls"),
    ("watch", "secrets/argocd-image-updater-tls"),
    ("list", "configmaps/argocd-image-updater-config"),
    ("watch", "configmaps/argocd-image-updater-config"),
    ("create", "leases.coordination.k8s.io"),
    ("get", "leases.coordination.k8s.io/c21b75f2.argoproj.io"),
    ("patch", "leases.coordination.k8s.io/c21b75f2.argoproj.io"),
];

/// What it must not do anywhere.
const NEVER: [(&str, &str); 12] = [
    ("delete", "applications.argoproj.io"),
    ("create", "applications.argoproj.io"),
    ("delete", "imageupdaters.argocd-image-updater.argoproj.io"),
    ("list", "secrets"),
    ("watch", "secrets"),
    ("delete", "secrets/argocd-secret"),
    ("list", "configmaps"),
    ("get", "configmaps/argocd-cm"),
    ("update", "secrets/argocd-image-updater-secret"),
    ("patch", "leases.coordination.k8s.io/argocd"),
    ("create", "pods"),
    ("patch", "events"),
];

/// With the install's roles, in its own namespace and in one that is watched, and with no others.
#[tokio::test]
async fn the_account_may_do_what_it_has_to_and_nothing_else() {
    let Some((server, world)) = World::new().await else {
        return;
    };
    let (watched, other) = (World::on(server).await, World::on(server).await);
    apply(server, &world, "rbac", &kustomize(server, "config/rbac"));
    let role = kustomize(server, "config/rbac/watched-namespace");
    let role = role.replace(
        "namespace: argocd",
        &format!("namespace: {}", world.namespace),
    );
    apply(server, &watched, "watched-namespace", &role);
    let account = format!(
        "system:serviceaccount:{}:argocd-image-updater-controller",
        world.namespace
    );
    let may = |verb: &str, resource: &str, namespace: &str| {
        let mut ask = vec!["auth", "can-i", verb];
        ask.extend(resource.split(' '));
        ask.extend(["-n", namespace, "--as", &account]);
        server.kubectl(&ask, "").is_ok()
    };
    eventually("the roles are in effect", async || {
        let (own, watched) = (&world.namespace, &watched.namespace);
        let all = may("create", "events", own)
            && may("create", "events", watched)
            && may("watch", "secrets/argocd-image-updater-secret", own)
            && may("get", "secrets", own)
            && may("get", "secrets", watched)
            && may("create", "leases.coordination.k8s.io", own);
        all.then_some(())
    })
    .await;
    for (verb, resource) in WHEREVER_IT_WATCHES {
        assert!(may(verb, resource, &world.namespace), "{verb} {resource}");
        assert!(may(verb, resource, &watched.namespace), "{verb} {resource}");
        assert!(!may(verb, resource, &other.namespace), "{verb} {resource}");
    }
    for (verb, resource) in AT_HOME {
        assert!(may(verb, resource, &world.namespace), "{verb} {resource}");
        assert!(
            !may(verb, resource, &watched.namespace),
            "{verb} {resource}"
        );
    }
    for (verb, resource) in NEVER {
        assert!(!may(verb, resource, &world.namespace), "{verb} {resource}");
    }
}
