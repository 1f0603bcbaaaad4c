//! Loading, whole.

use std::collections::HashMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::app::settings::Rhythm;
use crate::app::settings::Settings;
use crate::app::settings::build::Build;
use crate::app::settings::kind::{Kind, Sign};
use crate::app::settings::layer::Origin;
use crate::app::settings::load::{Loaded, Mount, Objects, Presence, Sources, load};
use crate::app::settings::mode::Mode;
use crate::app::settings::namespaces::WatchedNamespaces;
use crate::app::settings::notice::Notice;
use crate::app::settings::queue_address::QueueLogin;
use crate::app::settings::setting::{Effect, Setting};
use crate::app::settings::table::Table;
use crate::app::settings::{LogFormat, LogLevel};
use crate::domain::admission::Admission;
use crate::domain::admission::Certified;
use crate::domain::rate_policy::RatePolicy;
use crate::domain::secret_policy::Secrets;
use crate::domain::sender::{Authentication, SenderProfile};
use crate::domain::tls::{Capabilities, TlsVersion};
use crate::ports::config_source::MockConfigSource;
use crate::ports::config_source::{ConfigSource, ConfigSourceError, ConfigValue};

const SENDERS: [SenderProfile; 2] = [
    sender("docker.io", "docker"),
    sender("aliyun-acr", "aliyun-acr"),
];

const fn sender(name: &'static str, secret_name: &'static str) -> SenderProfile {
    SenderProfile {
        name,
        secret_name,
        title: name,
        authentication: Authentication::QuerySecret,
        documentation: "",
    }
}

type Pairs = Vec<(String, String)>;

/// A small world to load settings from.
#[derive(Default, Clone)]
pub(super) struct World {
    flags: Pairs,
    environment: Pairs,
    folders: HashMap<PathBuf, Pairs>,
    objects: Option<(Pairs, Pairs)>,
}

fn own(pairs: &[(&str, &str)]) -> Pairs {
    let own = |(key, value): &(&str, &str)| ((*key).to_owned(), (*value).to_owned());
    pairs.iter().map(own).collect()
}

fn source(pairs: Result<Pairs, ConfigSourceError>) -> MockConfigSource {
    let mut source = MockConfigSource::new();
    source.expect_values().returning(move || {
        let value = |(key, value)| ConfigValue { key, value };
        pairs
            .clone()
            .map(|pairs| pairs.into_iter().map(value).collect())
    });
    source
}

impl World {
    fn flags(mut self, pairs: &[(&str, &str)]) -> Self {
        self.flags.extend(own(pairs));
        self
    }

    pub(super) fn environment(mut self, pairs: &[(&str, &str)]) -> Self {
        self.environment.extend(own(pairs));
        self
    }

    pub(super) fn folder(mut self, path: &str, pairs: &[(&str, &str)]) -> Self {
        self.folders
            .entry(path.into())
            .or_default()
            .extend(own(pairs));
        self
    }

    pub(super) fn objects(self, config_map: &[(&str, &str)], secret: &[(&str, &str)]) -> Self {
        let objects = Some((own(config_map), own(secret)));
        Self { objects, ..self }
    }

    pub(super) fn load(&self, mode: Mode) -> Loaded {
        let folder = |Mount { path, presence, .. }: Mount<'_>| -> Box<dyn ConfigSource> {
            let missing = ConfigSourceError {
                place: path.display().to_string(),
                reason: "missing".to_owned(),
            };
            Box::new(source(match (self.folders.get(path), presence) {
                (Some(pairs), _) => Ok(pairs.clone()),
                (None, Presence::Optional) => Ok(Vec::new()),
                (None, Presence::Required) => Err(missing),
            }))
        };
        let objects = self.objects.clone();
        let objects =
            objects.map(|(config_map, secret)| (source(Ok(config_map)), source(Ok(secret))));
        let build = Build {
            senders: &SENDERS,
            tls: Capabilities { tls11: true },
        };
        let sources = Sources {
            flags: &source(Ok(self.flags.clone())),
            environment: &source(Ok(self.environment.clone())),
            folder: &folder,
            objects: objects
                .as_ref()
                .map(|(config_map, secret)| Objects { config_map, secret }),
        };
        load(mode, &build, &sources)
    }

    fn settings(&self, mode: Mode) -> Settings {
        self.load(mode).into_settings().unwrap()
    }

    fn problems(&self, mode: Mode) -> Vec<String> {
        let problems = self.load(mode).problems;
        problems.iter().map(ToString::to_string).collect()
    }

    fn notices(&self, mode: Mode) -> Vec<Notice> {
        self.load(mode).notices
    }
}

/// What is needed to start.
fn minimal() -> World {
    World::default().flags(&[("--manifests", "/m")])
}

/// A value that is allowed and, where the kind has more than one, not the default.
fn sample(setting: &Setting) -> &'static str {
    match (setting.key.as_str(), setting.kind) {
        ("tls.min-version", _) => "1.1",
        ("tls.max-version", _) => "1.2",
        ("shutdown.delay", _) => "1s",
        // It is switched on in a world where it is off, as it has no effect without an address.
        ("metrics-secure", _) => "true",
        (_, Kind::Bool) if setting.default_for(Mode::Run, false) == Some("true") => "false",
        (_, Kind::Bool) => "true",
        (_, Kind::Number { .. }) => "7",
        (_, Kind::Duration(_)) => "77s",
        (_, Kind::Choice(words)) => words.last().unwrap(),
        (_, Kind::TlsVersion) => unreachable!(),
        (_, Kind::TlsCiphers) => "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384",
        (_, Kind::Address) => "127.0.0.1:7777",
        (_, Kind::Namespace | Kind::QueuePrefix) => "sample",
        (_, Kind::Namespaces) => "sample,other",
        (_, Kind::CredentialKinds) => "env",
        (_, Kind::Networks) => "10.0.0.0/8,::1",
        (_, Kind::AllowList) => "10.0.0.0/8,docker.io=::1",
        (_, Kind::SenderTypes) => "docker.io",
        (_, Kind::QueueAddress) => "nats://sample:4222",
        (_, Kind::Text | Kind::Path | Kind::Secret) => "/sample",
    }
}

#[test]
fn the_program_starts_with_nothing_but_what_has_no_default() {
    let settings = minimal().settings(Mode::Webhook);
    assert_eq!(settings.manifests, Some(PathBuf::from("/m")));
    assert_eq!(settings.server.as_ref().unwrap().port, 8080);
    assert!(settings.secrets.policy.require_secret);
    assert_eq!(settings.rate, RatePolicy::Unlimited);
    assert_eq!(
        (settings.log.level, settings.log.format),
        (LogLevel::Info, LogFormat::Text)
    );
    let tls = settings.server.unwrap().tls.unwrap();
    assert_eq!(tls.policy.min(), TlsVersion::Tls13);

    let of_cluster = World::default().settings(Mode::Run);
    assert_eq!(of_cluster.manifests, None);
}

#[test]
fn the_password_of_the_queue_is_not_shown() {
    let queue = |value| minimal().environment(&[("IMAGE_UPDATER_QUEUE", value)]);
    let world = queue("nats://u:hunter2@nats:4222");
    let report = world.load(Mode::Webhook).report();
    assert!(report.contains("nats://u:[redacted]@nats:4222"), "{report}");
    let settings = world.settings(Mode::Webhook);
    let login = settings.shared_queue.address.clone().unwrap().login;
    let expected = QueueLogin::Password {
        user: "u".to_owned(),
        password: "hunter2".to_owned(),
    };
    assert_eq!(login, Some(expected));
    let wrong = queue("u:hunter2@nats:4222");
    let problems = wrong.problems(Mode::Webhook);
    assert!(
        problems[0]
            .starts_with("queue.address: $IMAGE_UPDATER_QUEUE is [redacted]; give an address"),
        "{problems:?}"
    );
    let report = wrong.load(Mode::Webhook).report();
    for text in [report, format!("{settings:?}"), problems.join("\n")] {
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[test]
fn a_queue_is_kept_on_an_odd_number_of_servers() {
    let replicas = |value| minimal().environment(&[("IMAGE_UPDATER_QUEUE_REPLICAS", value)]);
    let kept_on = |world: &World| world.settings(Mode::Webhook).shared_queue.replicas;
    assert_eq!(kept_on(&minimal()), 1);
    assert_eq!(kept_on(&replicas("3")), 3);
    for even in ["0", "2", "7", "three"] {
        let problems = replicas(even).problems(Mode::Webhook);
        assert!(
            problems[0].ends_with("give 1 or 3 or 5") && problems.len() == 1,
            "{problems:?}"
        );
    }
}

#[test]
fn a_replica_may_be_silent_for_a_second_at_least() {
    let patience = |value| minimal().environment(&[("IMAGE_UPDATER_QUEUE_PATIENCE", value)]);
    let settings = patience("1s").settings(Mode::Webhook);
    assert_eq!(settings.shared_queue.patience, Duration::from_secs(1));
    let problems = patience("999ms").problems(Mode::Webhook);
    assert!(
        problems[0].ends_with("give 1s or more") && problems.len() == 1,
        "{problems:?}"
    );
}

#[test]
fn of_every_setting_the_strongest_source_counts() {
    for mode in Mode::ALL {
        let table = Table::new(&SENDERS);
        for setting in table.of(mode) {
            strongest_counts(mode, setting);
        }
    }
}

fn strongest_counts(mode: Mode, setting: &Setting) {
    let origins = [
        Origin::ConfigMap("/app/config".into()),
        Origin::SecretFolder("/app/config/secrets".into()),
        Origin::Environment,
        Origin::Flags,
    ];
    let base = World::default().folder("/sample", &[]);
    let mut world = base.flags(&[("--tlsminversion", "1.2"), ("--shutdown-grace", "99s")]);
    world
        .flags
        .retain(|(flag, _)| *flag != format!("--{}", setting.flag));
    let mut places = Vec::new();
    for origin in origins {
        let Some(spelling) = origin.spelling(setting) else {
            continue;
        };
        let value = sample(setting);
        let given = [(spelling.as_str(), value)];
        world = match &origin {
            Origin::ConfigMap(path) | Origin::SecretFolder(path) => {
                world.folder(&path.display().to_string(), &given)
            }
            Origin::Environment => world.environment(&given),
            _ => world.flags(&given),
        };
        let loaded = world.load(mode);
        let place = loaded.values.place(&setting.key).unwrap();
        assert_eq!(place, origin.place(&spelling), "{mode} {}", setting.key);
        let shown = setting.kind.show(&loaded.values.raw(&setting.key).unwrap());
        if setting.is_secret() {
            assert_eq!(shown, "[set, 1 value]");
        } else if !matches!(setting.kind, Kind::Duration(_)) {
            assert_eq!(shown, value, "{mode} {}", setting.key);
        }
        places.push(place);
    }
    places.dedup();
    let expected = usize::from(setting.in_config_map || setting.is_secret())
        + usize::from(setting.env.is_some())
        + 1;
    assert_eq!(places.len(), expected, "{}", setting.key);
}

#[test]
fn every_setting_that_has_an_effect_reaches_the_program() {
    let base = World::default().folder("/sample", &[]).flags(&[
        ("--tlsminversion", "1.2"),
        ("--tls-client-ca", "/ca"),
        ("--metrics-bind-address", ":8443"),
        ("--metrics-secure", "false"),
        ("--enable-webhook", "true"),
    ]);
    for mode in Mode::ALL {
        let mut world = base.clone();
        if mode == Mode::Webhook {
            world.flags.pop();
        }
        let before = world.settings(mode);
        for setting in Table::new(&SENDERS).of(mode) {
            let acts = setting.effect == Effect::Acts;
            // It is used up by the loading itself.
            if !acts || setting.key == "config.dir" {
                continue;
            }
            let mut changed = world.clone();
            let flag = format!("--{}", setting.flag);
            // Without TLS there are no client certificates.
            let is_odd = |given: &str| flag == "--disable-tls" && given == "--tls-client-ca";
            changed
                .flags
                .retain(|(given, _)| *given != flag && !is_odd(given));
            let value = if setting.key == "webhook.enable" {
                "false"
            } else {
                sample(setting)
            };
            let after = changed.flags(&[(&flag, value)]).settings(mode);
            assert_ne!(after, before, "{mode} {}", setting.key);
        }
    }
}

/// Who may read is a question to the cluster.
#[test]
fn metrics_are_secure_only_where_there_is_a_cluster() {
    let metrics = |world: World| world.settings(Mode::Webhook).metrics;
    let on = ("--metrics-bind-address", ":8443");
    let open = ("--metrics-secure", "false");
    assert_eq!(metrics(minimal()), None);
    assert!(metrics(World::default().flags(&[on])).unwrap().secure);
    assert!(!metrics(minimal().flags(&[on, open])).unwrap().secure);
    let problems = minimal().flags(&[on]).problems(Mode::Webhook);
    assert_eq!(problems.len(), 1, "{problems:?}");
    assert!(problems[0].contains("metrics-secure"), "{problems:?}");
}

/// Its variable has the name of the opposite, and disables Events all the same, as that of the Go program does.
#[test]
fn events_are_written_unless_they_are_disabled() {
    let writes_events = |world: &World| world.settings(Mode::Run).cluster.events;
    let world = World::default();
    assert!(writes_events(&world));
    for disabled in [
        world.clone().flags(&[("--disable-kube-events", "true")]),
        world.environment(&[("IMAGE_UPDATER_KUBE_EVENTS", "true")]),
    ] {
        assert!(!writes_events(&disabled));
    }
}

#[test]
fn without_a_word_webhook_looks_everywhere_and_run_at_its_own_namespace() {
    let watched = |world: &World, mode| world.settings(mode).cluster.watched;
    let silent = World::default();
    let empty = silent.clone().flags(&[("--watch-namespaces", "")]);
    for world in [silent, empty] {
        let everywhere = watched(&world, Mode::Webhook);
        assert_eq!(everywhere, WatchedNamespaces::AllOrOwn);
        assert_eq!(watched(&world, Mode::Run), WatchedNamespaces::Own);
    }
    let all = World::default().environment(&[("IMAGE_UPDATER_WATCH_NAMESPACES", "*")]);
    for mode in Mode::ALL {
        assert_eq!(watched(&all, mode), WatchedNamespaces::All);
    }
}

#[test]
fn every_problem_is_reported_at_once() {
    let world = World::default()
        .folder(
            "/app/config",
            &[("webhook.port", "http"), ("log.level", "loud")],
        )
        .environment(&[
            ("WEBHOOK_REQUIRE_SECRET", "yes"),
            ("MAX_CONCURRENT_APPS", "0"),
            ("IMAGE_UPDATER_WATCH_NAMESPACES", " , "),
            ("DOCKER_WEBHOOK_SECRET", "hunter2\u{fffd}"),
        ])
        .flags(&[
            ("--tlsciphers", "nonsense"),
            ("--webhook-body-timeout", "0"),
            ("--webhook-port", "8443"),
            ("--tlsmaxversion", "1.2"),
            ("--shutdown-delay", "8s"),
        ]);
    let problems = world.problems(Mode::Webhook);
    for expected in [
        "webhook.port: /app/config/webhook.port is \"http\"; give a whole number from 0 to 65535",
        "log.level: /app/config/log.level is \"loud\"; give trace or debug or info or warn or error",
        "webhook.require-secret: $WEBHOOK_REQUIRE_SECRET is \"yes\"; give true or false",
        "max_concurrent_apps: $MAX_CONCURRENT_APPS is \"0\"; give a whole number from 1 to 100",
        "webhook.docker-secret: $DOCKER_WEBHOOK_SECRET is [redacted]; give text in UTF-8",
        "tls.ciphers: --tlsciphers is \"nonsense\"; unknown cipher suite",
        "webhook.body-timeout: --webhook-body-timeout is \"0\"; give a duration above 0",
        "tls.min-version: set by default and --tlsmaxversion; ",
        "shutdown.delay: --shutdown-delay must be shorter than shutdown.grace (default)",
        "watch.namespaces: $IMAGE_UPDATER_WATCH_NAMESPACES is \" , \"; give names of namespaces",
    ] {
        let found = problems
            .iter()
            .filter(|text| text.starts_with(expected))
            .count();
        assert_eq!(found, 1, "{expected}\n{problems:#?}");
    }
    assert_eq!(problems.len(), 10, "{problems:#?}");
    assert!(!format!("{problems:?}").contains("hunter2"));
}

#[test]
fn a_value_that_cannot_be_read_is_not_judged_by_its_default() {
    let world = minimal()
        .environment(&[("TLS_MIN_VERSION", "1.4"), ("TLS_MAX_VERSION", "1.2")])
        .flags(&[("--shutdown-delay", "soon"), ("--shutdown-grace", "1ms")]);
    let problems = world.problems(Mode::Webhook);
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn what_is_not_of_the_command_is_left_alone() {
    let world = minimal().environment(&[("IMAGE_UPDATER_INTERVAL", "nonsense")]);
    assert_eq!(world.problems(Mode::Webhook), [""; 0]);
    assert_eq!(world.problems(Mode::Run).len(), 1);
}

#[test]
fn an_empty_text_is_unset_except_in_a_flag() {
    let world = minimal()
        .folder("/app/config", &[("log.level", "debug")])
        .environment(&[
            ("IMAGE_UPDATER_LOGLEVEL", ""),
            ("TLS_CIPHERS", "TLS_ECDHE_RSA_WITH_AES_256_GCM_SHA384"),
            ("DOCKER_WEBHOOK_SECRET", "one"),
        ])
        .flags(&[("--tlsciphers", ""), ("--docker-webhook-secret", "")]);
    let settings = world.settings(Mode::Webhook);
    assert_eq!(settings.log.level, LogLevel::Debug);
    assert_eq!(settings.secrets.fixed[0].place, "$DOCKER_WEBHOOK_SECRET");
    let tls_notices = world.notices(Mode::Webhook);
    assert!(
        !tls_notices
            .iter()
            .any(|notice| matches!(notice, Notice::Tls(_)))
    );
    let empty = minimal().flags(&[("--webhook-port", "")]);
    assert_eq!(empty.problems(Mode::Webhook).len(), 1);
}

#[test]
fn an_address_put_there_by_kubernetes_is_no_port() {
    for address in ["tcp://10.0.0.1:443", "udp://10.0.0.1:53"] {
        let world = minimal().environment(&[("WEBHOOK_PORT", address)]);
        assert_eq!(world.settings(Mode::Webhook).server.unwrap().port, 8080);
        let variable = "$WEBHOOK_PORT".to_owned();
        let notices = world.notices(Mode::Webhook);
        assert!(notices.contains(&Notice::InjectedByKubernetes { variable }));
    }
    let flag = minimal().flags(&[("--webhook-port", "tcp://10.0.0.1:443")]);
    assert_eq!(flag.problems(Mode::Webhook).len(), 1);
}

#[test]
fn unknown_keys_of_a_config_map_are_named() {
    let world = minimal().folder(
        "/app/config",
        &[
            ("webhook.prot", "hunter2"),
            ("ca.crt", "x"),
            ("registries.conf", "x"),
            ("git.commit-message-template", "x"),
            ("webhook.docker-secret", "hunter2"),
        ],
    );
    let notices: Vec<_> = world
        .notices(Mode::Webhook)
        .iter()
        .map(ToString::to_string)
        .collect();
    let about = |text: &str| {
        notices
            .iter()
            .filter(|notice| notice.contains(text))
            .count()
    };
    assert_eq!(
        about("/app/config/webhook.prot is no setting and is ignored; did you mean webhook.port?"),
        1
    );
    assert_eq!(about("/app/config/ca.crt is no setting and is ignored"), 1);
    assert_eq!(
        about("/app/config/webhook.docker-secret is ignored: a secret belongs into a Secret"),
        1
    );
    assert_eq!(
        about("registries.conf") + about("template") + about("hunter2"),
        0,
        "{notices:?}"
    );
}

#[test]
fn folders_can_be_elsewhere_and_must_be_there_if_named() {
    let world = minimal()
        .folder("/c", &[("secrets.dir", "/s"), ("webhook.port", "1")])
        .folder(
            "/s",
            &[("webhook.docker-secret", "one\ntwo"), ("other", "x")],
        )
        .environment(&[("IMAGE_UPDATER_CONFIG_DIR", "/c")]);
    let loaded = world.load(Mode::Webhook);
    assert_eq!(
        loaded.values.place("webhook.port").unwrap(),
        "/c/webhook.port"
    );
    let (secrets, place) = loaded.values.secrets("webhook.docker-secret").unwrap();
    assert_eq!((secrets.len(), place), (2, "/s/webhook.docker-secret"));
    let settings = loaded.into_settings().unwrap();
    assert_eq!(settings.secrets.dir, PathBuf::from("/s"));
    assert_eq!(settings.secrets.fixed, []);

    let gone = minimal().environment(&[("IMAGE_UPDATER_CONFIG_DIR", "/gone")]);
    assert_eq!(gone.problems(Mode::Webhook), ["/gone: missing"]);
}

#[test]
fn config_map_and_secret_may_share_a_folder() {
    let world = minimal()
        .folder(
            "/app/config",
            &[("webhook.port", "1"), ("webhook.docker-secret", "x")],
        )
        .flags(&[("--secrets-dir", "/app/config")]);
    let senders = vec!["aliyun-acr"];
    assert_eq!(
        world.notices(Mode::Webhook),
        [Notice::NotServed { senders }]
    );
}

#[test]
fn of_secrets_the_strongest_source_counts_alone() {
    let world = minimal()
        .folder(
            "/app/config/secrets",
            &[("webhook.docker-secret", "folder")],
        )
        .environment(&[
            ("DOCKER_WEBHOOK_SECRET", "env"),
            ("ALIYUN_ACR_WEBHOOK_SECRET", "a\nb"),
        ])
        .flags(&[("--docker-webhook-secret", "flag")]);
    let settings = world.settings(Mode::Webhook);
    let [docker, aliyun] = settings.secrets.fixed.as_slice() else {
        panic!("{settings:?}");
    };
    assert_eq!(docker.secrets, Secrets::parse("flag"));
    assert_eq!(docker.place, "--docker-webhook-secret");
    assert_eq!(aliyun.secrets.len(), 2);
    let hidden = Notice::HiddenSecret {
        place: "/app/config/secrets/webhook.docker-secret".to_owned(),
        by: "--docker-webhook-secret".to_owned(),
    };
    assert!(world.notices(Mode::Webhook).contains(&hidden));
    let shown = format!("{settings:?} {:?}", world.load(Mode::Webhook));
    assert!(
        !shown.contains("\"flag\"") && !shown.contains("\"env\""),
        "{shown}"
    );
}

#[test]
fn types_without_a_secret_are_spoken_of() {
    let none = minimal().notices(Mode::Webhook);
    let example = "$DOCKER_WEBHOOK_SECRET".to_owned();
    assert_eq!(none, [Notice::NoSecrets { example }]);

    let one = minimal().environment(&[("DOCKER_WEBHOOK_SECRET", "x")]);
    let senders = vec!["aliyun-acr"];
    let not_served = Notice::NotServed { senders };
    assert_eq!(one.notices(Mode::Webhook), [not_served]);

    let open = one.flags(&[("--webhook-require-secret", "false")]);
    let notice = Notice::Open {
        sender: "aliyun-acr",
    };
    assert_eq!(open.notices(Mode::Webhook), [notice]);
}

#[test]
fn run_has_a_server_only_on_request_and_with_a_port() {
    let asked = minimal().flags(&[("--enable-webhook", "true")]);
    assert_eq!(asked.settings(Mode::Run).server.unwrap().port, 8082);
    assert_eq!(minimal().settings(Mode::Run).server, None);
    let without_port = asked.flags(&[("--webhook-port", "0")]);
    assert_eq!(without_port.settings(Mode::Run).server, None);
    assert_eq!(without_port.notices(Mode::Run), []);
    let idle = without_port.flags(&[("--interval", "-1s")]);
    assert_eq!(idle.notices(Mode::Run), [Notice::NothingToDo]);
    let any_port = minimal().flags(&[("--webhook-port", "0")]);
    assert_eq!(any_port.settings(Mode::Webhook).server.unwrap().port, 0);
}

#[test]
fn plain_http_asks_for_no_tls_policy() {
    let world = minimal().flags(&[("--disable-tls", "true"), ("--tlsmaxversion", "1.2")]);
    assert_eq!(world.settings(Mode::Webhook).server.unwrap().tls, None);
}

#[test]
fn a_pod_waits_for_its_load_balancers() {
    let delay = |world: World| world.settings(Mode::Webhook).shutdown.delay.as_secs();
    assert_eq!(delay(minimal()), 0);
    let pod = minimal().environment(&[("KUBERNETES_SERVICE_HOST", "10.0.0.1")]);
    assert_eq!(delay(pod), 3);
}

#[test]
fn colours_can_be_turned_off_in_two_ways() {
    let colors = |world: World| world.settings(Mode::Webhook).log.colors;
    assert!(colors(minimal()));
    assert!(colors(minimal().environment(&[("NO_COLOR", "")])));
    assert!(!colors(minimal().environment(&[("NO_COLOR", "1")])));
    assert!(!colors(
        minimal().environment(&[("ENABLE_LOG_COLORS", "false")])
    ));
}

#[test]
fn a_report_shows_values_with_their_places_and_problems_last() {
    let world = World::default()
        .environment(&[
            ("WEBHOOK_PORT", "8443"),
            ("DOCKER_WEBHOOK_SECRET", "hunter2\nhunter3"),
            ("GIT_COMMIT_USER", "a\nb"),
            ("WEBHOOK_QUEUE_SIZE", "many"),
        ])
        .folder("/app/config", &[("webhook.prot", "x")]);
    let report = world.load(Mode::Webhook).report();
    let line = |start: &str| {
        let found = report
            .lines()
            .find(|line| line.trim_start().starts_with(start));
        found
            .unwrap_or_default()
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ")
    };
    assert_eq!(line("webhook.port"), "webhook.port 8443 $WEBHOOK_PORT");
    assert_eq!(
        line("webhook.docker-secret"),
        "webhook.docker-secret [set, 2 values] $DOCKER_WEBHOOK_SECRET"
    );
    assert_eq!(
        line("webhook.aliyun-acr-secret"),
        "webhook.aliyun-acr-secret (not set)"
    );
    assert_eq!(
        line("webhook.queue-size"),
        "webhook.queue-size 10000 default"
    );
    assert_eq!(line("git.user"), r#"git.user "a\nb" $GIT_COMMIT_USER"#);
    assert_eq!(line("tls.ciphers"), "tls.ciphers (empty) default");
    assert_eq!(line("interval"), "", "it is a setting of run alone");
    let (before, problems) = report
        .split_once("\nProblems that stop the start\n")
        .unwrap();
    assert!(
        before.contains("/app/config/webhook.prot is no setting"),
        "{report}"
    );
    assert_eq!(problems.lines().count(), 1, "{report}");
    assert!(!report.contains("hunter"), "{report}");
    assert!(
        minimal()
            .load(Mode::Run)
            .report()
            .contains("Nothing in these settings stops the start")
    );
}

#[test]
fn what_does_nothing_yet_says_so() {
    let world = minimal().environment(&[("GIT_COMMIT_USER", "me")]);
    let notice = Notice::NoEffectYet {
        key: "git.user".to_owned(),
        place: "$GIT_COMMIT_USER".to_owned(),
    };
    assert!(world.notices(Mode::Webhook).contains(&notice));
}

#[test]
fn both_commands_can_run_dry() {
    for mode in [Mode::Run, Mode::Webhook] {
        assert!(!minimal().settings(mode).dry_run);
        let dry = minimal().flags(&[("--dry-run", "true")]);
        assert!(dry.settings(mode).dry_run, "{mode}");
    }
}

#[test]
fn the_table_has_no_two_settings_of_one_name_and_good_defaults() {
    let table = Table::new(&SENDERS);
    let mut names: Vec<_> = table
        .iter()
        .flat_map(|row| {
            [
                Some(row.key.clone()),
                Some(format!("--{}", row.flag)),
                row.env.clone(),
            ]
        })
        .flatten()
        .collect();
    let count = names.len();
    names.sort();
    names.dedup();
    assert_eq!(names.len(), count);
    for setting in table.iter() {
        // A key must not be a group of others, because figment nests by dots.
        let group = format!("{}.", setting.key);
        assert!(
            !table.iter().any(|other| other.key.starts_with(&group)),
            "{group}"
        );
        for (mode, in_pod) in [(Mode::Run, true), (Mode::Webhook, false)] {
            if let Some(text) = setting.default_for(mode, in_pod) {
                assert!(setting.kind.parse(text).is_ok(), "{} {text}", setting.key);
            }
        }
    }
    assert!(Kind::Duration(Sign::Any).parse("-1s").is_ok());
}

#[test]
fn an_object_is_stronger_than_its_mount_and_weaker_than_the_environment() {
    let world = World::default()
        .folder(
            "/app/config",
            &[("log.level", "debug"), ("log.format", "json")],
        )
        .folder(
            "/app/config/secrets",
            &[
                ("webhook.docker-secret", "folder"),
                ("webhook.aliyun-acr-secret", "same"),
            ],
        )
        .objects(
            &[
                ("log.level", "warn"),
                ("webhook.port", "1"),
                ("manifests", "/m"),
            ],
            &[
                ("webhook.docker-secret", "object"),
                ("webhook.aliyun-acr-secret", "same"),
            ],
        )
        .environment(&[("WEBHOOK_PORT", "2")]);
    let loaded = world.load(Mode::Webhook);
    let place = |key: &str| loaded.values.place(key).unwrap_or_default();
    let object = "configmap/argocd-image-updater-config";
    assert_eq!(place("log.level"), format!("{object}:log.level"));
    assert_eq!(place("log.format"), "/app/config/log.format");
    assert_eq!(place("webhook.port"), "$WEBHOOK_PORT");
    assert_eq!(
        place("manifests"),
        "",
        "a cluster cannot say that it is not read"
    );
    let (secrets, by) = loaded.values.secrets("webhook.docker-secret").unwrap();
    assert_eq!(*secrets, Secrets::parse("object"));
    assert_eq!(
        by,
        "secret/argocd-image-updater-secret:webhook.docker-secret"
    );
    let hidden: Vec<_> = loaded
        .notices
        .iter()
        .filter(|notice| matches!(notice, Notice::HiddenSecret { .. }))
        .collect();
    let expected = Notice::HiddenSecret {
        place: "/app/config/secrets/webhook.docker-secret".to_owned(),
        by: by.to_owned(),
    };
    assert_eq!(hidden, [&expected]);
    let report = loaded.report();
    let order = format!(
        "/app/config, {object}, /app/config/secrets, secret/argocd-image-updater-secret, environment, flags."
    );
    assert!(report.contains(&order), "{report}");
    let settings = loaded.into_settings().unwrap();
    assert_eq!(settings.secrets.fixed, [], "secrets of objects can change");
}

#[test]
fn a_cluster_is_talked_to_where_no_folder_is_named_and_nothing_is_wrong() {
    let cluster = World::default();
    assert!(cluster.load(Mode::Run).cluster().is_some());
    assert!(minimal().load(Mode::Run).cluster().is_none());
    let wrong = cluster.flags(&[("--webhook-port", "x")]);
    assert!(wrong.load(Mode::Run).cluster().is_none());
}

#[test]
fn each_command_looks_in_a_rhythm_of_its_own() {
    let every = |seconds| Rhythm::Every(std::time::Duration::from_secs(seconds));
    for (mode, flags, rhythm) in [
        (Mode::Webhook, &[][..], Rhythm::AtStart),
        (Mode::Webhook, &[("--catch-up", "false")], Rhythm::Never),
        (Mode::Run, &[], every(120)),
        (Mode::Run, &[("--interval", "90s")], every(90)),
        (Mode::Run, &[("--interval", "0")], Rhythm::OnEdit),
        (Mode::Run, &[("--once", "true")], Rhythm::Once),
        (
            Mode::Run,
            &[("--once", "true"), ("--interval", "5m")],
            Rhythm::Once,
        ),
    ] {
        let settings = minimal().flags(flags).settings(mode);
        assert_eq!(settings.polling.rhythm, rhythm, "{flags:?}");
    }
}

#[test]
fn who_may_deliver_is_read_and_checked() {
    let admission = |flags: &[(&str, &str)]| {
        let settings = minimal().flags(flags).settings(Mode::Webhook);
        settings.server.unwrap().admission
    };
    assert_eq!(admission(&[]), Admission::default());
    // They count with authorities alone, without which nobody could show a certificate.
    let authorities = ("--tls-client-ca", "/ca");
    assert_eq!(admission(&[authorities]).certified, Certified::All);
    let one = admission(&[authorities, ("--tls-client-types", "docker.io")]);
    assert_eq!(
        one.certified,
        Certified::These(vec!["docker.io".to_owned()])
    );
    let proxies = admission(&[("--webhook-trusted-proxies", "10.0.0.0/8")]).proxies;
    assert!(!proxies.is_empty());

    let problem = |flags: &[(&str, &str)]| {
        let problems = minimal().flags(flags).problems(Mode::Webhook);
        assert_eq!(problems.len(), 1, "{problems:?}");
        problems.into_iter().next().unwrap()
    };
    for (flags, told) in [
        (
            &[("--webhook-allow-from", "10.0.0.0/8,harbour=::1")][..],
            "\"harbour\" is no type of sender",
        ),
        (&[("--webhook-allow-from", "10.0.0.0/99")], "is no network"),
        (&[("--webhook-trusted-proxies", "ingress")], "is no network"),
        (
            &[("--tls-client-types", "docker.io")],
            "set tls.client-ca too",
        ),
        (
            &[authorities, ("--tls-client-types", "harbour")],
            "\"harbour\" is no type of sender",
        ),
        (&[authorities, ("--tls-client-types", "")], "name the types"),
        (
            &[authorities, ("--disable-tls", "true")],
            "without TLS no client",
        ),
    ] {
        let problem = problem(flags);
        assert!(problem.contains(told), "{problem}");
    }
}
