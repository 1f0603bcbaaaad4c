//! The contract of the ports [`ResourceReader`] and [`UpdateTrigger`], which one place implements together.

use std::sync::Arc;
use std::time::Duration;

use image_updater::domain::change::ApplicationChange;
use image_updater::domain::change::Edit;
use image_updater::domain::resources::Resources;
use image_updater::domain::resources::application::Application;
use image_updater::domain::resources::application::EnvVar;
use image_updater::domain::resources::application::HelmParameter;
use image_updater::domain::resources::application::Source;
use image_updater::domain::resources::application::SourcePlace;
use image_updater::domain::resources::application::Sources;
use image_updater::domain::resources::image_updater::ApplicationRef;
use image_updater::domain::resources::image_updater::ImageUpdater;
use image_updater::domain::resources::image_updater::UpdateSettings;
use image_updater::domain::resources::image_updater::WriteBackSettings;
use image_updater::domain::resources::image_updater_status::ImageUpdaterStatus;
use image_updater::domain::resources::labels::Labels;
use image_updater::domain::resources::resource::ResourceId;
use image_updater::ports::resource_reader::ResourceReader;
use image_updater::ports::update_trigger::TriggerError;
use image_updater::ports::update_trigger::UpdateTrigger;

/// The namespace of everything in [`resources`].
const NAMESPACE: &str = "argocd";

/// A place that holds resources: both ports.
pub(crate) trait Place: ResourceReader + UpdateTrigger {}
impl<T: ResourceReader + UpdateTrigger> Place for T {}

/// The contract. `make` makes a place that holds what [`resources`] says, in a namespace of its choice, and what keeps it alive.
pub(crate) async fn holds_for<P: Place + 'static, Keep>(make: impl AsyncFn() -> (Arc<P>, Keep)) {
    let (place, _keep) = make().await;
    it_knows_the_resources(&*place);
    let (place, _keep) = make().await;
    a_change_is_there_when_it_is_made(&*place).await;
    let (place, _keep) = make().await;
    untouched_objects_stay_the_same(&*place).await;
    let (place, _keep) = make().await;
    every_kind_of_edit_is_made(&*place).await;
    let (place, _keep) = make().await;
    all_edits_are_made_or_none(&*place).await;
    let (place, _keep) = make().await;
    changes_in_one_call_stand_for_themselves(&*place).await;
    let (place, _keep) = make().await;
    errors_say_what_to_do(&*place).await;
    let (place, _keep) = make().await;
    a_change_that_changes_nothing_is_fine(&*place).await;
    let (place, _keep) = make().await;
    changes_are_told(place).await;
    let (place, _keep) = make().await;
    changes_at_once_are_all_made(place).await;
}

fn it_knows_the_resources(place: &impl Place) {
    let mut current = (*place.current()).clone();
    for updater in &mut current.updaters {
        let updater = Arc::make_mut(updater);
        NAMESPACE.clone_into(&mut updater.id.namespace);
        // Where the place gives objects a time and a number, no other can be asked of it.
        updater.created = None;
        updater.generation = None;
    }
    for application in &mut current.applications {
        NAMESPACE.clone_into(&mut Arc::make_mut(application).id.namespace);
    }
    current.applications.sort_by(|a, b| a.id.cmp(&b.id));
    assert_eq!(current, resources());
}

async fn a_change_is_there_when_it_is_made(place: &impl Place) {
    apply(place, &image("web", Some("nginx:1.26"), "nginx:1.27"))
        .await
        .unwrap();
    let images = source(place, "web", SourcePlace::Single).kustomize.unwrap();
    assert_eq!(images, ["nginx:1.27", "redis:7"]);
}

async fn untouched_objects_stay_the_same(place: &impl Place) {
    let before = place.current();
    apply(place, &image("web", Some("nginx:1.26"), "nginx:1.27"))
        .await
        .unwrap();
    let after = place.current();
    let pairs = before.applications.iter().zip(&after.applications);
    for (before, after) in pairs {
        assert_eq!(
            Arc::ptr_eq(before, after),
            before.id.name != "web",
            "{}",
            before.id
        );
    }
    assert!(Arc::ptr_eq(&before.updaters[0], &after.updaters[0]));
}

async fn every_kind_of_edit_is_made(place: &impl Place) {
    apply(place, &image("web", None, "ghcr.io/acme/new:1"))
        .await
        .unwrap();
    let mut change = tag(Some("1.2"), "20240101");
    change
        .edits
        .extend(tag_named("image.name", None, "nginx").edits);
    apply(place, &change).await.unwrap();
    apply(place, &variable(Some("v1"), "v2")).await.unwrap();

    let images = source(place, "web", SourcePlace::Single).kustomize.unwrap();
    assert_eq!(images, ["nginx:1.26", "redis:7", "ghcr.io/acme/new:1"]);
    let helm = source(place, "multi", SourcePlace::Multiple(1))
        .helm
        .unwrap();
    assert_eq!(
        helm,
        [
            parameter("image.tag", "20240101", true),
            parameter("image.name", "nginx", true)
        ]
    );
    let plugin = source(place, "dry", SourcePlace::Hydrator).plugin.unwrap();
    assert_eq!(
        plugin,
        [EnvVar {
            name: "TAG".into(),
            value: "v2".into()
        }]
    );
}

async fn all_edits_are_made_or_none(place: &impl Place) {
    let before = place.current();
    let mut change = image("web", Some("nginx:1.26"), "nginx:1.27");
    change
        .edits
        .extend(image("web", Some("nothing:1"), "nothing:2").edits);
    let error = apply(place, &change).await.unwrap_err();
    assert!(matches!(error, TriggerError::Moved { .. }), "{error}");
    assert_eq!(place.current(), before);
}

async fn errors_say_what_to_do(place: &impl Place) {
    let missing = apply(place, &image("missing", None, "nginx:1"))
        .await
        .unwrap_err();
    assert_eq!(missing, TriggerError::Gone);
    for moved in [
        image("web", Some("nginx:1.25"), "nginx:1.27"),
        image("web", None, "redis:7"),
        ApplicationChange {
            source: SourcePlace::Multiple(0),
            ..image("web", Some("nginx:1.26"), "nginx:1.27")
        },
        ApplicationChange {
            source: SourcePlace::Multiple(2),
            ..tag(Some("1.2"), "1.3")
        },
        tag(Some("1.1"), "1.3"),
        tag(None, "1.3"),
    ] {
        let error = apply(place, &moved).await.unwrap_err();
        assert!(
            matches!(error, TriggerError::Moved { .. }),
            "{moved:?}: {error}"
        );
    }
    let twice = apply(place, &image("twice", Some("nginx:1"), "nginx:2"))
        .await
        .unwrap_err();
    assert!(matches!(twice, TriggerError::Refused { .. }), "{twice}");
}

async fn a_change_that_changes_nothing_is_fine(place: &impl Place) {
    let before = place.current();
    apply(place, &image("web", Some("redis:7"), "redis:7"))
        .await
        .unwrap();
    assert_eq!(place.current(), before);
}

async fn changes_are_told(place: Arc<impl Place + 'static>) {
    let waiting = tokio::spawn({
        let place = Arc::clone(&place);
        async move { place.changed().await }
    });
    apply(&*place, &image("web", Some("nginx:1.26"), "nginx:1.27"))
        .await
        .unwrap();
    within(waiting).await.unwrap();
    // One that comes while nobody waits is told to the next who does, once.
    apply(&*place, &image("web", Some("nginx:1.27"), "nginx:1.28"))
        .await
        .unwrap();
    within(place.changed()).await;
    let again = tokio::time::timeout(Duration::from_millis(20), place.changed());
    assert!(again.await.is_err(), "a change is told twice");
}

async fn changes_at_once_are_all_made(place: Arc<impl Place + 'static>) {
    let writers: Vec<_> = (0..8)
        .map(|number| {
            let place = Arc::clone(&place);
            tokio::spawn(async move {
                apply(&*place, &image("web", None, &format!("new/{number}:1"))).await
            })
        })
        .collect();
    for writer in writers {
        within(writer).await.unwrap().unwrap();
    }
    let images = source(&*place, "web", SourcePlace::Single)
        .kustomize
        .unwrap();
    assert_eq!(images.len(), 10, "{images:?}");
}

async fn changes_in_one_call_stand_for_themselves(place: &impl Place) {
    let results = apply_all(
        place,
        &[
            image("web", Some("nginx:1.25"), "nginx:1.27"),
            tag(Some("1.2"), "1.3"),
            image("missing", None, "nginx:1"),
            variable(Some("v1"), "v2"),
            image("twice", Some("nginx:1"), "nginx:2"),
            // The next one builds on this.
            image("web", Some("redis:7"), "redis:8"),
            image("web", Some("redis:8"), "redis:9"),
        ],
    )
    .await;
    let kinds: Vec<_> = results
        .iter()
        .map(|result| match result {
            Ok(()) => "made",
            Err(TriggerError::Moved { .. }) => "moved",
            Err(TriggerError::Gone) => "gone",
            Err(TriggerError::Refused { .. }) => "refused",
            Err(TriggerError::Unavailable { .. }) => "unavailable",
        })
        .collect();
    let expected = ["moved", "made", "gone", "made", "refused", "made", "made"];
    assert_eq!(kinds, expected, "{results:?}");
    let images = source(place, "web", SourcePlace::Single).kustomize.unwrap();
    assert_eq!(images, ["nginx:1.26", "redis:9"]);
    let helm = source(place, "multi", SourcePlace::Multiple(1))
        .helm
        .unwrap();
    assert_eq!(helm, [parameter("image.tag", "1.3", false)]);
    let plugin = source(place, "dry", SourcePlace::Hydrator).plugin.unwrap();
    assert_eq!(plugin[0].value, "v2");
    assert_eq!(place.apply(&[]).await, []);
}

/// Makes one change.
async fn apply(place: &impl Place, change: &ApplicationChange) -> Result<(), TriggerError> {
    let mut results = apply_all(place, std::slice::from_ref(change)).await;
    assert_eq!(results.len(), 1);
    results.remove(0)
}

/// Makes changes, in the namespace that the place chose.
async fn apply_all(
    place: &impl Place,
    changes: &[ApplicationChange],
) -> Vec<Result<(), TriggerError>> {
    let namespace = place.current().updaters[0].id.namespace.clone();
    let mut changes = changes.to_vec();
    for change in &mut changes {
        change.application.namespace.clone_from(&namespace);
    }
    place.apply(&changes).await
}

async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(20), future)
        .await
        .unwrap()
}

fn source(place: &impl Place, name: &str, at: SourcePlace) -> Source {
    let current = place.current();
    let application = current
        .applications
        .iter()
        .find(|one| one.id.name == name)
        .unwrap();
    application.sources.at(at).unwrap().clone()
}

fn id(name: &str) -> ResourceId {
    ResourceId {
        namespace: NAMESPACE.into(),
        name: name.into(),
    }
}

fn change(name: &str, source: SourcePlace, edit: Edit) -> ApplicationChange {
    ApplicationChange {
        application: id(name),
        source,
        edits: vec![edit],
        images: Vec::new(),
    }
}

fn image(name: &str, expected: Option<&str>, value: &str) -> ApplicationChange {
    let expected = expected.map(str::to_owned);
    let value = value.to_owned();
    change(
        name,
        SourcePlace::Single,
        Edit::KustomizeImage { expected, value },
    )
}

fn tag(expected: Option<&str>, value: &str) -> ApplicationChange {
    tag_named("image.tag", expected, value)
}

fn tag_named(name: &str, expected: Option<&str>, value: &str) -> ApplicationChange {
    let edit = Edit::HelmParameter {
        name: name.to_owned(),
        expected: expected.map(str::to_owned),
        value: value.to_owned(),
    };
    change("multi", SourcePlace::Multiple(1), edit)
}

fn variable(expected: Option<&str>, value: &str) -> ApplicationChange {
    let edit = Edit::PluginEnv {
        name: "TAG".to_owned(),
        expected: expected.map(str::to_owned),
        value: value.to_owned(),
    };
    change("dry", SourcePlace::Hydrator, edit)
}

fn parameter(name: &str, value: &str, force_string: bool) -> HelmParameter {
    HelmParameter {
        name: name.into(),
        value: value.into(),
        force_string,
    }
}

fn application(name: &str, sources: Sources) -> Arc<Application> {
    Arc::new(Application {
        id: id(name),
        labels: Labels::from_iter([("tier".to_owned(), "web".to_owned())]),
        annotations: Labels::default(),
        sources,
        status: None,
    })
}

/// What every place is filled with, Applications by name.
pub(crate) fn resources() -> Resources {
    let images = |images: &[&str]| Source {
        kustomize: Some(images.iter().map(|&image| image.to_owned()).collect()),
        ..Source::default()
    };
    let helm = Source {
        helm: Some(vec![parameter("image.tag", "1.2", false)]),
        ..Source::default()
    };
    let plugin = Source {
        plugin: Some(vec![EnvVar {
            name: "TAG".into(),
            value: "v1".into(),
        }]),
        path: Some("dry".into()),
        ..Source::default()
    };
    let updater = ImageUpdater {
        id: id("images"),
        created: None,
        generation: None,
        applications: vec![ApplicationRef {
            name_pattern: "*".into(),
            use_annotations: true,
            ..ApplicationRef::default()
        }],
        settings: UpdateSettings::default(),
        write_back: WriteBackSettings::default(),
        verification: None,
        status: ImageUpdaterStatus::default(),
    };
    Resources {
        updaters: vec![Arc::new(updater)],
        applications: vec![
            application("dry", Sources::Hydrator(plugin)),
            application("multi", Sources::Multiple(vec![Source::default(), helm])),
            application("twice", Sources::Single(images(&["nginx:1", "nginx:1"]))),
            application("web", Sources::Single(images(&["nginx:1.26", "redis:7"]))),
        ],
    }
}
