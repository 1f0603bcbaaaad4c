//! The cluster: an API server with ImageUpdaters and Applications.

use std::path::PathBuf;
use std::time::Instant;

use kube::Api;
use kube::api::DynamicObject;
use kube::api::PostParams;
use serde_json::json;
use tempfile::TempDir;
use tokio::task::JoinSet;

use crate::Result;
use crate::UPDATERS;
use crate::application;
use crate::application::Application;
use crate::support::ApiServer;
use crate::support::World;

/// How many Applications are made at once.
const AT_ONCE: usize = 16;

/// An API server, and what was put there.
pub(crate) struct Cluster {
    server: ApiServer,
    world: World,
    folder: TempDir,
    applications: Vec<Application>,
}

impl Cluster {
    /// One with ImageUpdaters and no Application; `None` where there are no binaries.
    pub(crate) async fn start() -> Option<Self> {
        let server = ApiServer::own()?;
        let world = World::on(&server).await;
        let folder = TempDir::with_prefix("image-updater-bench-").ok()?;
        for number in 0..UPDATERS {
            let pattern = format!("{}-*", application::team(number));
            let spec =
                json!({"applicationRefs": [{"namePattern": pattern, "useAnnotations": true}]});
            world.updater(&application::team(number), spec).await;
        }
        Some(Self {
            server,
            world,
            folder,
            applications: Vec::new(),
        })
    }

    /// Adds Applications until there are so many.
    pub(crate) async fn grow_to(&mut self, size: usize) -> Result<()> {
        let began = Instant::now();
        let new: Vec<_> = (self.len()..size).map(Application::new).collect();
        let mut making = JoinSet::new();
        for application in &new {
            if making.len() >= AT_ONCE {
                making.join_next().await.transpose()?.transpose()?;
            }
            let all = self.world.applications();
            let object = serde_json::from_value(application.object())?;
            making.spawn(async move { create(&all, &object).await });
        }
        while let Some(made) = making.join_next().await {
            made??;
        }
        if let Some(first) = new.first() {
            let stored = self.world.read(first.name()).await.to_string().len();
            let (count, took) = (new.len(), began.elapsed());
            println!("made {count} Applications in {took:.0?}, the first one of {stored} bytes");
        }
        self.applications.extend(new);
        Ok(())
    }

    /// How many Applications there are.
    pub(crate) fn len(&self) -> usize {
        self.applications.len()
    }

    /// The Applications.
    pub(crate) fn applications(&mut self) -> &mut [Application] {
        &mut self.applications
    }

    /// Access to those in the API.
    pub(crate) async fn api(&self) -> World {
        World {
            client: self.server.admin().await,
            namespace: self.world.namespace.clone(),
        }
    }

    /// A file that leads here.
    pub(crate) fn kubeconfig(&self) -> Result<PathBuf> {
        let path = self.folder.path().join("kubeconfig");
        std::fs::write(
            &path,
            self.server.kubeconfig("admin", &self.world.namespace),
        )?;
        Ok(path)
    }
}

async fn create(all: &Api<DynamicObject>, object: &DynamicObject) -> Result<()> {
    let how = PostParams {
        field_manager: Some("argocd-controller".to_owned()),
        ..PostParams::default()
    };
    all.create(&how, object).await?;
    Ok(())
}
