//! The program on a delivery: it writes what it says, and in a dry run it only says it.

use std::ffi::OsString;
use std::fs;

use serde_json::json;
use tempfile::TempDir;

use crate::deliver::announce;
use crate::server::Server;
use crate::support::ApiServer;
use crate::support::Proxy;
use crate::support::World;

/// An Application that runs 1.0.0 of an image which is followed, and the program that looks at it.
struct Running {
    world: World,
    proxy: Proxy,
    server: Server,
    _folder: TempDir,
}

impl Running {
    /// The program with these flags.
    async fn with(api: &ApiServer, flags: &[&str]) -> Self {
        let world = World::on(api).await;
        let source = json!({
            "repoURL": "https://example.com/x.git", "path": "x", "kustomize": {"images": ["ghcr.io/team/shop:1.0.0"]},
        });
        world.application("shop", json!({"source": source})).await;
        let follows = json!({"alias": "shop", "imageName": "ghcr.io/team/shop:1.x"});
        let spec = json!({"applicationRefs": [{"namePattern": "*", "images": [follows]}]});
        world.updater("all", spec).await;
        let proxy = Proxy::of(world.client.clone()).await;
        let folder = TempDir::new().unwrap();
        let kubeconfig = folder.path().join("kubeconfig");
        let text = api.kubeconfig("admin", &world.namespace);
        fs::write(&kubeconfig, text.replace(api.url(), &proxy.url())).unwrap();
        let own = ["--disable-tls", "--webhook-require-secret=false"];
        let mut arguments: Vec<OsString> = own.iter().chain(flags).map(OsString::from).collect();
        arguments.extend(["--watch-namespaces", &world.namespace].map(OsString::from));
        arguments.extend(["--kubeconfig".into(), kubeconfig.into_os_string()]);
        let server = Server::start(arguments);
        server.log.wait_for(&["msg=ready"]);
        Self {
            world,
            proxy,
            server,
            _folder: folder,
        }
    }

    async fn announce(&self) {
        announce(&self.server, "ghcr.io", "ghcr.io/team/shop:1.1.0", "").await;
    }

    /// Ends the program, and gives what it sent to the API server besides what it read.
    fn written(&mut self) -> Vec<String> {
        self.server.signal("TERM");
        assert!(self.server.wait().success(), "{}", self.server.log.text());
        let mut requests = self.proxy.paths();
        requests.retain(|request| !request.starts_with("GET "));
        requests
    }

    async fn image(&self) -> String {
        let object = self.world.read("shop").await;
        let image = &object["spec"]["source"]["kustomize"]["images"][0];
        image.as_str().unwrap().to_owned()
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn an_event_changes_the_application() {
    let Some(api) = ApiServer::shared() else {
        return;
    };
    let mut running = Running::with(api, &[]).await;
    running.announce().await;
    running.server.log.wait_for(&["outcome=changed"]);
    assert_eq!(running.image().await, "ghcr.io/team/shop:1.1.0");
    running.announce().await;
    running.server.log.wait_for(&["outcome=unchanged"]);
    let patches = running.written();
    let of_applications = patches
        .iter()
        .filter(|line| line.ends_with("applications/shop"));
    assert_eq!(of_applications.count(), 1, "{patches:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_dry_run_tells_of_each_event_and_writes_nothing_at_all() {
    let Some(api) = ApiServer::shared() else {
        return;
    };
    let mut running = Running::with(api, &["--dry-run"]).await;
    for count in [1, 2] {
        running.announce().await;
        let told = ["outcome=dry-run", "old=1.0.0", "new=1.1.0"];
        running.server.log.wait_for_count(count, &told);
    }
    assert_eq!(running.written(), [""; 0]);
    assert_eq!(running.image().await, "ghcr.io/team/shop:1.0.0");
}
