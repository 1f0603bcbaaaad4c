//! Writing into the cluster: one PATCH for each change, made of what is known.
//!
//! The API server refuses a patch whose tests fail. Then the object is looked at, and where the change still holds, the patch is made anew of
//! the object itself: something that means the same may be written in another way there.

use std::collections::BTreeMap;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use async_trait::async_trait;
use futures_util::StreamExt as _;
use futures_util::stream;
use json_patch::Patch;
use kube::Api;
use kube::Resource as _;
use kube::api::GetParams;
use kube::api::PatchParams;
use kube::api::Request;
use serde_json::Value;
use tracing::debug;

use crate::adapters::kubernetes::client::CallError;
use crate::adapters::kubernetes::client::call;
use crate::adapters::kubernetes::patch::as_argo_cd_writes;
use crate::adapters::kubernetes::patch::patch;
use crate::adapters::kubernetes::resources::ClusterResources;
use crate::adapters::kubernetes::slim_object::SlimObject;
use crate::adapters::kubernetes::write_error::WriteError;
use crate::adapters::wire::application;
use crate::domain::change::ApplicationChange;
use crate::domain::change::ChangeConflict;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::resource::ResourceId;
use crate::ports::update_trigger::TriggerError;
use crate::ports::update_trigger::UpdateTrigger;

/// How many Applications are written at once.
const WRITERS: usize = 16;
/// How often a patch is sent for one change.
const ATTEMPTS: usize = 5;
/// The name under which the API server keeps who wrote which field.
const FIELD_MANAGER: &str = "argocd-image-updater";

/// A change, and its place in the call.
type Numbered<'c> = (usize, &'c ApplicationChange);

#[async_trait]
impl UpdateTrigger for ClusterResources {
    async fn apply(&self, changes: &[ApplicationChange]) -> Vec<Result<(), TriggerError>> {
        let _one_at_a_time = self.writing.lock().await;
        let mut by_application: BTreeMap<&ResourceId, Vec<Numbered<'_>>> = BTreeMap::new();
        for numbered in changes.iter().enumerate() {
            let id = &numbered.1.application;
            by_application.entry(id).or_default().push(numbered);
        }
        let is_away = AtomicBool::new(false);
        let groups: Vec<_> = by_application
            .into_values()
            .map(|changes| self.write_in_order(changes, &is_away))
            .collect();
        let written: Vec<_> = stream::iter(groups)
            .buffer_unordered(WRITERS)
            .collect()
            .await;
        let mut results = vec![Err(TriggerError::Gone); changes.len()];
        for (number, result) in written.into_iter().flatten() {
            if let Some(place) = results.get_mut(number) {
                *place = result;
            }
        }
        results
    }
}

impl ClusterResources {
    /// Makes the changes of one Application, of which each may build on the one before. Where the API server is away, all that are left would
    /// only wait for it, one after the other.
    async fn write_in_order(
        &self,
        changes: Vec<Numbered<'_>>,
        is_away: &AtomicBool,
    ) -> Vec<(usize, Result<(), TriggerError>)> {
        let mut results = Vec::with_capacity(changes.len());
        for (number, change) in changes {
            let result = if is_away.load(Ordering::Relaxed) {
                Err(TriggerError::Unavailable {
                    reason: "the API server does not answer".to_owned(),
                })
            } else {
                self.write(change, is_away).await
            };
            results.push((number, result));
        }
        results
    }

    async fn write(
        &self,
        change: &ApplicationChange,
        is_away: &AtomicBool,
    ) -> Result<(), TriggerError> {
        let id = &change.application;
        let known = self.application(id).ok_or(TriggerError::Gone)?.object;
        let mut next = patch(change, &known, &as_argo_cd_writes(&known)).map_err(conflict)?;
        let mut seen = None;
        let mut was_lost = false;
        for _ in 0..ATTEMPTS {
            if next.0.is_empty() {
                return Ok(());
            }
            let failure = match self.send(id, next).await {
                Ok(object) => {
                    self.put_application(&object);
                    return Ok(());
                }
                Err(error) => WriteError::of(error),
            };
            debug!(application = %id, ?failure, "the Application was not written");
            if let WriteError::Final(error) = failure {
                return Err(error);
            }
            let looked = self.look(id).await;
            if matches!(looked, Err(WriteError::Lost(_))) {
                is_away.store(true, Ordering::Relaxed);
            }
            let (now, object) = looked.map_err(unseen)?;
            let is_lost = matches!(failure, WriteError::Lost(_));
            // Even an earlier patch that got no answer may have been made by now.
            if (is_lost || was_lost) && change.is_made_in(&now) {
                return Ok(());
            }
            match failure {
                WriteError::Lost(reason) if was_lost => {
                    return Err(TriggerError::Unavailable { reason });
                }
                // It was made of this very object, so it is not the tests that fail.
                WriteError::TestFailed(reason) if seen.as_ref() == object.get("spec") => {
                    return Err(TriggerError::Refused { reason });
                }
                WriteError::Lost(_) | WriteError::TestFailed(_) | WriteError::Final(_) => {}
            }
            was_lost |= is_lost;
            check_source(change.source, &known, &now)?;
            next = patch(change, &now, &object).map_err(conflict)?;
            seen = object.get("spec").cloned();
        }
        Err(TriggerError::Moved {
            reason: format!("it changed {ATTEMPTS} times while it was written"),
        })
    }

    async fn send(
        &self,
        id: &ResourceId,
        patch: Patch,
    ) -> Result<SlimObject<Application>, CallError> {
        let all: Api<SlimObject<Application>> =
            Api::namespaced(self.client().clone(), &id.namespace);
        let how = PatchParams {
            field_manager: Some(FIELD_MANAGER.to_owned()),
            ..PatchParams::default()
        };
        let patch = kube::api::Patch::Json::<()>(patch);
        call(all.patch(&id.name, &how, &patch)).await
    }

    /// The Application as it is now, with the whole of its object.
    async fn look(&self, id: &ResourceId) -> Result<(Application, Value), WriteError> {
        let get = async {
            let path = SlimObject::<Application>::url_path(&(), Some(&id.namespace));
            let request = Request::new(path).get(&id.name, &GetParams::default());
            let request = request.map_err(kube::Error::BuildRequest)?;
            self.client().request::<Value>(request).await
        };
        let object = call(get).await.map_err(WriteError::of)?;
        if let Ok(slim) = serde_json::from_value::<SlimObject<Application>>(object.clone()) {
            self.put_application(&slim);
        }
        match application::read(&object, &id.namespace).0 {
            Some(now) => Ok((now, object)),
            None => Err(WriteError::Final(TriggerError::Moved {
                reason: "something in it is wrong by now".to_owned(),
            })),
        }
    }
}

/// What it means for a change that the Application cannot be looked at.
fn unseen(error: WriteError) -> TriggerError {
    match error {
        WriteError::Lost(reason) | WriteError::TestFailed(reason) => {
            TriggerError::Unavailable { reason }
        }
        WriteError::Final(error) => error,
    }
}

/// In a list of sources, another one may have come to stand in the place of the one that was decided on.
fn check_source(
    place: SourcePlace,
    known: &Application,
    now: &Application,
) -> Result<(), TriggerError> {
    let shown = |application: &Application| {
        let source = application.sources.at(place)?;
        Some((source.path.clone(), source.chart.clone()))
    };
    match place {
        SourcePlace::Multiple(_) if shown(known) != shown(now) => Err(TriggerError::Moved {
            reason: format!("{place} is another source by now"),
        }),
        SourcePlace::Multiple(_) | SourcePlace::Single | SourcePlace::Hydrator => Ok(()),
    }
}

#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what a failed patch gives"
)]
fn conflict(conflict: ChangeConflict) -> TriggerError {
    let reason = conflict.to_string();
    match conflict {
        ChangeConflict::Moved(_) => TriggerError::Moved { reason },
        ChangeConflict::Ambiguous(_) => TriggerError::Refused { reason },
    }
}
