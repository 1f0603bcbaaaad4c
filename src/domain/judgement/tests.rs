//! Tests of judgements.

use std::sync::Arc;

use super::*;
use crate::domain::change::Edit;
use crate::domain::change::ImageChange;
use crate::domain::reference::Digest;
use crate::domain::resources::Resources;
use crate::domain::resources::application::Application;
use crate::domain::resources::application::SourcePlace;
use crate::domain::resources::application::Sources;
use crate::domain::resources::image_updater::ImageConfig;
use crate::domain::resources::image_updater::ImageUpdater;
use crate::domain::resources::image_updater::SecretKeyRef;
use crate::domain::resources::image_updater::UpdateSettings;
use crate::domain::resources::image_updater::VerificationSettings;
use crate::domain::resources::image_updater::WriteBackSettings;
use crate::domain::testing::Shelf;
use crate::domain::testing::application;
use crate::domain::testing::digest;
use crate::domain::testing::event;
use crate::domain::testing::git_source;
use crate::domain::testing::helm_image;
use crate::domain::testing::helm_source;
use crate::domain::testing::id;
use crate::domain::testing::image;
use crate::domain::testing::kustomize_image;
use crate::domain::testing::kustomize_source;
use crate::domain::testing::live;
use crate::domain::testing::reference;
use crate::domain::testing::shelf;
use crate::domain::testing::updater;

/// What the pushes mean, given everything that is known.
fn judged(
    applications: Vec<Application>,
    updaters: Vec<ImageUpdater>,
    pushes: &[&str],
) -> Judgement {
    let mut index = Index::new();
    index.refresh(&Resources {
        updaters: updaters.into_iter().map(Arc::new).collect(),
        applications: applications.into_iter().map(Arc::new).collect(),
    });
    let events: Vec<_> = pushes.iter().map(|push| event(push)).collect();
    judge(&index, &events[0].image, &events)
}

/// What the pushes mean for one Application that tracks these images.
fn of_one(application: Application, images: Vec<ImageConfig>, pushes: &[&str]) -> Judgement {
    let all = updater("u", vec![reference("*", images)]);
    judged(vec![application], vec![all], pushes)
}

/// `old -> new`, or the first words of the reason.
fn shown(judgement: &Judgement) -> Vec<String> {
    judgement
        .verdicts
        .iter()
        .map(|verdict| match &verdict.opinion {
            Opinion::Change { old, new } => format!("{old} -> {new}"),
            Opinion::Unchanged(_) => "unchanged".to_owned(),
            Opinion::Undecided(_) => "undecided".to_owned(),
            Opinion::Open => "open".to_owned(),
            Opinion::Failed(_) => "failed".to_owned(),
        })
        .collect()
}

#[track_caller]
fn assert_reason(judgement: &Judgement, outcome: &str, words: &str) {
    assert_eq!(shown(judgement), [outcome]);
    assert_eq!(judgement.changes, []);
    let reason = match &judgement.verdicts[0].opinion {
        Opinion::Unchanged(reason) | Opinion::Undecided(reason) => reason,
        Opinion::Change { .. } | Opinion::Open | Opinion::Failed(_) => {
            panic!("{judgement:?}")
        }
    };
    assert!(reason.contains(words), "{reason}");
}

fn running(application: Application, images: &[&str]) -> Application {
    Application {
        status: Some(live(images)),
        ..application
    }
}

fn kustomize(images: &[&str]) -> Application {
    application("web", kustomize_source(images))
}

fn strategy(image: ImageConfig, strategy: &str) -> ImageConfig {
    ImageConfig {
        settings: UpdateSettings {
            strategy: Some(strategy.to_owned()),
            ..image.settings.clone()
        },
        ..image
    }
}

#[test]
fn a_newer_version_changes_the_application() {
    let judgement = of_one(
        kustomize(&["nginx:1.25", "redis:7"]),
        vec![image("web", "docker.io/nginx:1.x"), image("db", "redis")],
        &["nginx:1.26", "nginx:2.0"],
    );
    assert_eq!(
        judgement,
        Judgement {
            verdicts: vec![Verdict {
                application: id("web"),
                updater: id("u"),
                alias: "web".to_owned(),
                image: "docker.io/nginx".to_owned(),
                live: true,
                opinion: Opinion::Change {
                    old: "1.25".to_owned(),
                    new: "1.26".to_owned(),
                },
            }],
            changes: vec![ApplicationChange {
                application: id("web"),
                source: SourcePlace::Single,
                edits: vec![Edit::KustomizeImage {
                    expected: Some("nginx:1.25".to_owned()),
                    value: "nginx:1.26".to_owned(),
                }],
                images: vec![ImageChange {
                    updater: id("u"),
                    alias: "web".to_owned(),
                    image: "docker.io/nginx".to_owned(),
                    old: "1.25".to_owned(),
                    new: "1.26".to_owned(),
                    remark: None
                }],
            }],
            questions: BTreeMap::new(),
        }
    );
}

#[test]
fn an_image_that_nothing_tracks_has_no_verdict() {
    let judgement = of_one(
        kustomize(&["nginx:1"]),
        vec![image("", "nginx")],
        &["quay.io/acme/nginx:2"],
    );
    assert_eq!(judgement, Judgement::default());
}

#[test]
fn a_push_must_beat_the_spec_and_what_runs() {
    for (in_spec, running_images, push, expected) in [
        (
            &["nginx:1.25"][..],
            &["nginx:1.25"][..],
            "nginx:1.26",
            "1.25 -> 1.26",
        ),
        (&["nginx:1.25"], &["nginx:1.27"], "nginx:1.26", "unchanged"),
        (&["nginx:1.27"], &["nginx:1.25"], "nginx:1.26", "unchanged"),
        (&["nginx:1.26"], &["nginx:1.25"], "nginx:1.26", "unchanged"),
        (&[], &["nginx:1.25"], "nginx:1.26", "1.25 -> 1.26"),
        (&[], &["nginx"], "nginx:1.26", " -> 1.26"),
        (
            &[],
            &["docker.io/library/nginx:1.25"],
            "nginx:1.26",
            "1.25 -> 1.26",
        ),
        (&["nginx:1.25"], &["redis:7"], "nginx:1.26", "unchanged"),
    ] {
        let application = running(kustomize(in_spec), running_images);
        let judgement = of_one(application, vec![image("", "nginx")], &[push]);
        assert_eq!(
            shown(&judgement),
            [expected],
            "{in_spec:?} {running_images:?}"
        );
        assert_eq!(
            judgement.changes.len(),
            usize::from(expected.contains("->"))
        );
    }
}

#[test]
fn reasons() {
    let nginx = || vec![image("", "nginx:1.x")];
    assert_reason(
        &of_one(kustomize(&["redis:7"]), nginx(), &["nginx:1.2"]),
        "unchanged",
        "forceUpdate",
    );
    assert_reason(
        &of_one(kustomize(&["nginx:1.1"]), nginx(), &["nginx:2.0"]),
        "unchanged",
        "2.0",
    );
    assert_reason(
        &of_one(application("web", git_source()), nginx(), &["nginx:1.2"]),
        "undecided",
        "manifestTargets",
    );
    assert_reason(
        &of_one(
            kustomize(&["nginx:1"]),
            vec![image("", "nginx:no")],
            &["nginx:1.2"],
        ),
        "undecided",
        "no",
    );
}

#[test]
fn nothing_is_written_unverified_or_in_another_way_than_asked() {
    let judged_by = |change: fn(&mut ImageUpdater), push| {
        let mut all = updater("u", vec![reference("*", vec![image("", "nginx")])]);
        change(&mut all);
        judged(vec![kustomize(&["nginx:1"])], vec![all], &[push])
    };
    let git = |updater: &mut ImageUpdater| {
        updater.write_back = WriteBackSettings {
            method: Some("git".to_owned()),
            target: None,
        };
    };
    let verified = |updater: &mut ImageUpdater| {
        updater.verification = Some(VerificationSettings::default());
    };
    assert_reason(&judged_by(git, "nginx:2"), "undecided", "git");
    assert_reason(&judged_by(verified, "nginx:2"), "undecided", "signature");
    // What would not be changed anyway needs neither.
    assert_reason(&judged_by(verified, "nginx:0.9"), "unchanged", "0.9");
}

#[test]
fn a_digest_is_followed_and_never_guessed() {
    let (old, new) = (digest('a'), digest('b'));
    let latest = || vec![strategy(image("", "nginx:latest"), "digest")];
    let pinned = format!("nginx:latest@{old}");
    let application = || kustomize(&[&pinned]);
    let pushed = format!("nginx:latest@{new}");
    let judgement = of_one(application(), latest(), &[&pushed]);
    assert_eq!(shown(&judgement), [format!("latest@{old} -> latest@{new}")]);
    assert_eq!(
        judgement.changes[0].edits,
        [Edit::KustomizeImage {
            expected: Some(pinned.clone()),
            value: pushed,
        }]
    );
    assert_reason(
        &of_one(application(), latest(), &["nginx:latest"]),
        "undecided",
        "digest",
    );
    assert_reason(
        &of_one(application(), latest(), &[&pinned]),
        "unchanged",
        "in use already",
    );
}

#[test]
fn what_the_spec_has_already_is_no_change() {
    // The pin is in the spec, and Argo CD has not carried it out.
    let pinned = format!("nginx:latest@{}", digest('b'));
    let application = running(kustomize(&[&pinned]), &["nginx:latest"]);
    let latest = vec![strategy(image("", "nginx:latest"), "digest")];
    assert_reason(
        &of_one(application, latest, &[&pinned]),
        "unchanged",
        "is set in the Application already",
    );
}

#[test]
fn a_named_image_that_is_set_already_is_no_change() {
    let application = running(
        kustomize(&["web=ghcr.io/acme/web:2"]),
        &["web:1", "ghcr.io/acme/web:2"],
    );
    let web = vec![kustomize_image("", "ghcr.io/acme/web", "web")];
    assert_reason(
        &of_one(application, web, &["ghcr.io/acme/web:2"]),
        "unchanged",
        "2",
    );
}

#[test]
fn three_tags_of_one_push_serve_three_policies() {
    let sha = digest('c');
    let images = vec![
        helm_image("patch", "acme/web:~1.5", "a.name", "a.tag"),
        strategy(
            helm_image("minor", "acme/web:1.5", "b.name", "b.tag"),
            "digest",
        ),
        strategy(
            helm_image("edge", "acme/web:latest", "c.name", "c.tag"),
            "digest",
        ),
    ];
    let source = helm_source(&[("a.tag", "1.5.0"), ("b.tag", "1.5"), ("c.tag", "latest")]);
    let pushes = ["1.5.1", "1.5", "latest"].map(|tag| format!("acme/web:{tag}@{sha}"));
    let pushes = pushes.each_ref().map(String::as_str);
    let judgement = of_one(application("web", source), images, &pushes);
    assert_eq!(
        shown(&judgement),
        [
            "1.5.0 -> 1.5.1".to_owned(),
            format!("1.5 -> 1.5@{sha}"),
            format!("latest -> latest@{sha}"),
        ]
    );
    // They are written together.
    assert_eq!(judgement.changes.len(), 1);
    assert_eq!(judgement.changes[0].images.len(), 3);
    assert_eq!(judgement.changes[0].edits.len(), 6);
}

#[test]
fn a_parameter_that_two_aliases_share_is_edited_once() {
    let images = vec![
        helm_image("a", "nginx", "", "a.tag"),
        helm_image("b", "docker.io/nginx", "", "b.tag"),
    ];
    let source = helm_source(&[("a.tag", "1"), ("b.tag", "1")]);
    let judgement = of_one(application("web", source), images, &["nginx:2"]);
    let names: Vec<_> = judgement.changes[0]
        .edits
        .iter()
        .map(|edit| match edit {
            Edit::HelmParameter { name, .. } | Edit::PluginEnv { name, .. } => name.as_str(),
            Edit::KustomizeImage { value, .. } => value.as_str(),
        })
        .collect();
    assert_eq!(names, ["image.name", "a.tag", "b.tag"]);
}

#[test]
fn each_source_of_an_application_has_its_change() {
    let mut application = application("web", git_source());
    application.sources = Sources::Multiple(vec![
        helm_source(&[("image.tag", "1")]),
        kustomize_source(&["nginx:1"]),
    ]);
    let images = vec![
        helm_image("chart", "nginx", "", ""),
        kustomize_image("overlay", "nginx", "nginx"),
    ];
    let judgement = of_one(application, images, &["nginx:2"]);
    let places: Vec<_> = judgement
        .changes
        .iter()
        .map(|change| change.source)
        .collect();
    assert_eq!(places, [SourcePlace::Multiple(0), SourcePlace::Multiple(1)]);
}

#[test]
fn a_hydrated_application_is_changed_in_its_dry_source() {
    let mut application = application("web", git_source());
    application.sources = Sources::Hydrator(helm_source(&[("image.tag", "1")]));
    let nginx = helm_image("", "nginx", "", "image.tag");
    let judgement = of_one(application, vec![nginx], &["nginx:2"]);
    assert_eq!(judgement.changes[0].source, SourcePlace::Hydrator);
}

#[test]
fn force_update_writes_what_is_not_live() {
    let mut nginx = image("", "nginx");
    nginx.settings.force_update = Some(true);
    let application = Application {
        status: Some(live(&[])),
        ..kustomize(&[])
    };
    let judgement = of_one(application, vec![nginx], &["nginx:2"]);
    assert_eq!(
        judgement.changes[0].edits,
        [Edit::KustomizeImage {
            expected: None,
            value: "nginx:2".to_owned(),
        }]
    );
}

#[test]
fn a_tag_parameter_alone_is_no_sign_of_an_image_that_anything_may_run() {
    let push = |application: Application| {
        let images = vec![image("", "ghcr.io/acme/web")];
        of_one(application, images, &["ghcr.io/acme/web:16.0"])
    };
    let db = || application("db", helm_source(&[("image.tag", "15.3")]));
    assert_reason(&push(db()), "unchanged", "not live");
    // Where Argo CD reports that it runs it, the parameter is its own.
    assert_eq!(
        shown(&push(running(db(), &["ghcr.io/acme/web:15.3"]))),
        ["15.3 -> 16.0"]
    );
}

#[test]
fn an_entry_that_makes_another_image_of_the_name_is_no_reason_to_try_again() {
    let application = running(kustomize(&["nginx=other:1"]), &["nginx:1.25"]);
    let judgement = of_one(application, vec![image("", "nginx")], &["nginx:1.26"]);
    assert_reason(&judgement, "undecided", "kustomize image nginx=other:1");
}

#[test]
fn a_default_parameter_that_names_another_image_is_that_images() {
    let source = helm_source(&[("image.name", "redis"), ("image.tag", "7")]);
    let application = running(application("web", source), &["redis:7", "nginx:1.25"]);
    let judgement = of_one(application, vec![image("", "nginx")], &["nginx:1.26"]);
    assert_reason(&judgement, "undecided", "image.name names redis");
}

#[test]
fn every_application_is_judged_for_itself() {
    let named = |name: &str, entry| application(name, kustomize_source(&[entry]));
    let applications = vec![
        named("c", "nginx:3"),
        named("a", "nginx:1"),
        named("b", "redis:7"),
    ];
    let all = updater("u", vec![reference("*", vec![image("", "nginx")])]);
    let judgement = judged(applications, vec![all], &["nginx:2"]);
    assert_eq!(shown(&judgement), ["1 -> 2", "unchanged", "unchanged"]);
    let live: Vec<_> = judgement
        .verdicts
        .iter()
        .map(|verdict| verdict.live)
        .collect();
    assert_eq!(live, [true, false, true]);
    assert_eq!(judgement.changes.len(), 1);
    assert_eq!(judgement.changes[0].application, id("a"));
}

/// What a look or pushes mean with a registry that answers.
fn with_registry(
    updater: ImageUpdater,
    application: Application,
    pushes: Option<&[&str]>,
    shelf: &Shelf,
) -> Judgement {
    let mut index = Index::new();
    index.refresh(&Resources {
        updaters: vec![Arc::new(updater)],
        applications: vec![Arc::new(application)],
    });
    let events: Option<Vec<_>> =
        pushes.map(|pushes| pushes.iter().map(|push| event(push)).collect());
    let image = ImageName::parse("quay.io/a/b").unwrap();
    shelf.settle(|knowledge| {
        let occasion = events.as_deref().map_or(Occasion::Look, Occasion::Pushed);
        let grounds = Grounds {
            knowledge: Some(knowledge),
            never_downgrade: false,
            is_last_try: false,
            credential_kinds: &[CredentialKind::PullSecret],
        };
        let judgement = judge_on(&index, &image, occasion, grounds);
        let questions = judgement.questions.clone();
        (judgement, questions)
    })
}

fn tracks(settings: UpdateSettings, verification: Option<VerificationSettings>) -> ImageUpdater {
    let config = ImageConfig {
        settings,
        verification,
        ..image("web", "quay.io/a/b:1.x")
    };
    updater("u", vec![reference("*", vec![config])])
}

fn with_key() -> VerificationSettings {
    VerificationSettings {
        enabled: None,
        cosign_key: Some(SecretKeyRef {
            secret_name: "cosign".to_owned(),
            key: "cosign.pub".to_owned(),
        }),
    }
}

#[test]
fn what_was_verified_is_what_is_deployed() {
    let runs = || kustomize(&["quay.io/a/b:1.2"]);
    let there = Shelf {
        signed: vec![Digest::parse(&digest('b')).unwrap()],
        ..shelf(&["1.2@a", "1.3@b"])
    };
    let judgement = with_registry(
        tracks(UpdateSettings::default(), Some(with_key())),
        runs(),
        None,
        &there,
    );
    assert_eq!(shown(&judgement), [format!("1.2 -> 1.3@{}", digest('b'))]);
    assert_eq!(*there.asked.borrow(), ["tags", "digest 1.3", "signature b"]);
    let pushed = ["quay.io/a/b:1.3"];
    let judgement = with_registry(
        tracks(UpdateSettings::default(), Some(with_key())),
        runs(),
        Some(&pushed),
        &there,
    );
    assert_eq!(shown(&judgement), [format!("1.2 -> 1.3@{}", digest('b'))]);

    let unsigned = shelf(&["1.2@a", "1.3@b"]);
    let judgement = with_registry(
        tracks(UpdateSettings::default(), Some(with_key())),
        runs(),
        None,
        &unsigned,
    );
    assert_eq!(shown(&judgement), ["failed"]);
    let failure = Failure {
        reason: "no matching signature".to_owned(),
        is_passing: true,
    };
    assert_eq!(judgement.verdicts[0].opinion, Opinion::Failed(failure));
}

#[test]
fn an_event_alone_verifies_nothing() {
    let updater = tracks(UpdateSettings::default(), Some(with_key()));
    let judgement = judged(
        vec![kustomize(&["quay.io/a/b:1.2"])],
        vec![updater],
        &["quay.io/a/b:1.3"],
    );
    assert_reason(&judgement, "undecided", "--webhook-confirm");
}

#[test]
fn credentials_are_those_of_the_image_and_guarded() {
    let of = |pull_secret: &str| {
        let settings = UpdateSettings {
            pull_secret: Some(pull_secret.to_owned()),
            ..UpdateSettings::default()
        };
        let mut index = Index::new();
        index.refresh(&Resources {
            updaters: vec![Arc::new(tracks(settings, None))],
            applications: vec![Arc::new(kustomize(&["quay.io/a/b:1.2"]))],
        });
        let image = ImageName::parse("quay.io/a/b").unwrap();
        let grounds = Grounds {
            knowledge: Some(&Knowledge::new()),
            never_downgrade: false,
            is_last_try: false,
            credential_kinds: &[CredentialKind::PullSecret],
        };
        judge_on(&index, &image, Occasion::Look, grounds)
    };
    let judgement = of("pullsecret:argocd/pull");
    assert_eq!(shown(&judgement), ["open"]);
    let access = judgement.questions.into_keys().next().unwrap();
    assert_eq!(
        access.credentials.unwrap().to_string(),
        "pullsecret:argocd/pull"
    );
    assert_reason(
        &of("PullSecret:kube-system/pull"),
        "undecided",
        "namespace kube-system",
    );
    assert_reason(&of("env:TOKEN"), "undecided", "--image-credential-sources");
    assert_reason(&of("nonsense"), "undecided", "no source of credentials");
}

#[test]
fn nothing_is_asked_for_what_cannot_be_written() {
    let off = UpdateSettings::default;
    let shelf = shelf(&["1.3"]);
    let not_live = application("web", kustomize_source(&["redis:7"]));
    let judgement = with_registry(tracks(off(), None), not_live, None, &shelf);
    assert_reason(&judgement, "unchanged", "not live");
    let git = ImageUpdater {
        write_back: WriteBackSettings {
            method: Some("git".to_owned()),
            ..WriteBackSettings::default()
        },
        ..tracks(off(), None)
    };
    let judgement = with_registry(git, kustomize(&["quay.io/a/b:1.2"]), None, &shelf);
    assert_reason(&judgement, "undecided", "git");
    assert_eq!(*shelf.asked.borrow(), Vec::<String>::new());
}
