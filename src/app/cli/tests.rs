use std::path::PathBuf;

use super::*;
use crate::app::cli::decode_arguments::BodyArgument;
use crate::app::cli::send_arguments::SecretArgument;
use crate::app::cli::test_arguments::Output;
use crate::app::settings::LogLevel;
use crate::app::settings::topic::Topic;
use crate::domain::sender::Authentication;
use crate::ports::config_source::ConfigSource;

const SENDERS: [SenderProfile; 2] = [sender("docker.io", "docker"), sender("ghcr.io", "ghcr")];

const fn sender(name: &'static str, secret_name: &'static str) -> SenderProfile {
    SenderProfile {
        name,
        secret_name,
        title: name,
        authentication: Authentication::QuerySecret,
        documentation: "",
    }
}

fn call(arguments: &[&str]) -> Result<Invocation, UsageError> {
    parse([&[PROGRAM], arguments].concat(), &SENDERS)
}

fn printed(arguments: &[&str]) -> String {
    match call(arguments) {
        Ok(Invocation::Print(text)) => text,
        other => panic!("{other:?}"),
    }
}

fn refused(arguments: &[&str]) -> String {
    call(arguments).unwrap_err().to_string()
}

/// The command and its flags, as `NAME=VALUE` in the order in which they were given.
fn served(arguments: &[&str]) -> (Mode, Vec<String>) {
    let (mode, flags) = match call(arguments) {
        Ok(Invocation::Serve { mode, flags } | Invocation::Config { mode, flags }) => (mode, flags),
        other => panic!("{arguments:?} {other:?}"),
    };
    let values = flags.values().unwrap();
    let pairs = values
        .iter()
        .map(|given| format!("{}={}", given.key, given.value));
    (mode, pairs.collect())
}

#[test]
fn the_commands_are_well_defined() {
    command::program(&Table::new(&SENDERS), &SENDERS).debug_assert();
}

#[test]
fn flags_stand_before_or_after_the_command() {
    for (arguments, expected) in [
        (
            &["--webhook-port", "1", "webhook"][..],
            &["--webhook-port=1"][..],
        ),
        (&["webhook", "--webhook-port=1"], &["--webhook-port=1"]),
        (
            &["--webhook-port=1", "webhook", "--webhook-port", "2"],
            &["--webhook-port=2"],
        ),
        (
            &["webhook", "--webhook-port=1", "--webhook-port=2"],
            &["--webhook-port=2"],
        ),
        (
            &["--disable-tls", "webhook", "--loglevel", "debug"],
            &["--disable-tls=true", "--loglevel=debug"],
        ),
        (
            &["webhook", "--disable-tls=false"],
            &["--disable-tls=false"],
        ),
        (&["webhook", "--disable-tls=T"], &["--disable-tls=true"]),
        (&["webhook", "--disable-tls=0"], &["--disable-tls=false"]),
        (
            &["webhook", "--disable-tls=maybe"],
            &["--disable-tls=maybe"],
        ),
        (&["webhook", "--tlsciphers="], &["--tlsciphers="]),
        (
            &["webhook", "--docker-webhook-secret", "-x y"],
            &["--docker-webhook-secret=-x y"],
        ),
    ] {
        let (mode, flags) = served(arguments);
        assert_eq!(mode, Mode::Webhook);
        assert_eq!(flags, expected, "{arguments:?}");
    }
    let (mode, flags) = served(&["--metrics-bind-address=:8443", "run", "--interval", "-1s"]);
    assert_eq!(mode, Mode::Run);
    assert_eq!(flags, ["--metrics-bind-address=:8443", "--interval=-1s"]);
}

#[test]
fn every_setting_is_a_flag_of_its_commands_alone() {
    for mode in Mode::ALL {
        for setting in Table::new(&SENDERS).iter() {
            let flag = format!("--{}=x", setting.flag);
            for arguments in [[mode.name(), &flag], [&flag, mode.name()]] {
                let result = call(&arguments);
                assert_eq!(result.is_ok(), setting.is_of(mode), "{arguments:?}");
            }
            let config = call(&["config", mode.name(), &flag]);
            assert_eq!(config.is_ok(), setting.is_of(mode), "config {flag}");
        }
    }
    assert_eq!(
        refused(&["--once", "webhook"]),
        "--once is no flag of webhook; see argocd-image-updater --help"
    );
    assert!(refused(&["--once", "decode", "--list"]).starts_with("--once is no flag of decode"));
}

#[test]
fn config_is_about_webhook_unless_told_otherwise() {
    assert_eq!(served(&["config"]).0, Mode::Webhook);
    assert_eq!(served(&["config", "run"]).0, Mode::Run);
    assert_eq!(
        served(&["--webhook-port=1", "config", "run", "--once"])
            .1
            .len(),
        2
    );
}

#[test]
fn help_is_complete_grouped_and_fits_a_terminal() {
    let table = Table::new(&SENDERS);
    for mode in Mode::ALL {
        let help = printed(&[mode.name(), "--help"]);
        assert_eq!(help, printed(&["help", mode.name()]));
        assert!(
            help.lines().all(|line| line.chars().count() <= 100),
            "{help}"
        );
        for setting in table.of(mode) {
            assert!(
                help.contains(&format!("--{}", setting.flag)),
                "{}",
                setting.flag
            );
        }
        let place = |topic: Topic| help.find(&format!("\n{topic}:\n")).unwrap();
        assert!(Topic::ALL.map(place).is_sorted(), "{help}");
    }
    let webhook = printed(&["webhook", "-h"]);
    assert!(webhook.contains("[default: 8080]"), "{webhook}");
    assert!(!webhook.contains("--interval"), "{webhook}");
    let root = printed(&["--help"]);
    for name in [
        "webhook",
        "run",
        "config",
        "decode",
        "send",
        "quickstart",
        "crd",
        "version",
        "completion",
    ] {
        assert!(root.contains(&format!("\n  {name} ")), "{root}");
    }
}

#[test]
fn versions_and_completions_are_printed() {
    assert_eq!(printed(&["--version"]), printed(&["version", "--short"]));
    assert!(printed(&["version"]).starts_with("argocd-image-updater: v"));
    for shell in ["bash", "zsh", "fish", "powershell", "elvish"] {
        let script = printed(&["completion", shell]);
        assert!(script.contains("webhook-require-secret"), "{shell}");
    }
    let unknown = refused(&["completion", "tcsh"]);
    assert!(
        unknown.contains("bash, elvish, fish, powershell, zsh"),
        "{unknown}"
    );
}

#[test]
fn wrong_usage_is_explained() {
    for (arguments, expected) in [
        (&[][..], "give a command"),
        (
            &["webhok"],
            "there is no such command; did you mean webhook?",
        ),
        (
            &["webhook", "--webhook-prot=1"],
            "there is no flag --webhook-prot; did you mean --webhook-port?",
        ),
        (
            &["webhook", "--webhook-port"],
            "--webhook-port <NUMBER> needs a value",
        ),
        (
            &["webhook", "--disable-tls", "true"],
            "there is an argument too many; values with blanks need quotes, and true or false an equals sign",
        ),
        (&["decode"], "--type <TYPE> is missing"),
        (
            &["decode", "--type", "nobody"],
            "--type <TYPE> is none of: docker.io, ghcr.io",
        ),
        (
            &["send", "--type", "ghcr.io"],
            "--image <IMAGE>, --url <URL> is missing",
        ),
        (
            &["quickstart", "--port", "x"],
            "give --port as a whole number",
        ),
        (
            &["quickstart", "--disable-tls"],
            "there is no flag --disable-tls",
        ),
        (
            &["decode", "--type", "ghcr.io", "--header", "x"],
            "give --header as 'NAME: VALUE'",
        ),
        (
            &["decode", "--type", "ghcr.io", "--query", "x"],
            "give --query as 'NAME=VALUE'",
        ),
    ] {
        let error = refused(arguments);
        assert!(error.starts_with(expected), "{arguments:?} {error}");
    }
}

#[test]
fn no_error_repeats_a_secret() {
    for line in [
        "webhook --docker-webhook-secert hunter2",
        "webhook --docker-webhook-secert=hunter2",
        "webhook --docker-webhook-secret a hunter2",
        "--docker-webhook-secret a hunter2 webhook",
        "--docker-webhook-secret= hunter2",
        "webhook -xhunter2",
        "webhook --interval hunter2",
        "decode --docker-webhook-secret hunter2",
        "decode --type hunter2",
        "decode --type ghcr.io --secret a f hunter2",
        "decode --type ghcr.io --header hunter2",
        "decode --type ghcr.io --query hunter2",
        "send --type ghcr.io --image a:1 --url ftp://x/?secret=hunter2",
        "send --type ghcr.io --image a:1 --url https://x --secret hunter2 --secret-file f",
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        let error = call(&arguments).unwrap_err();
        let shown = format!("{error} {error:?}");
        assert!(!shown.contains("unter2"), "{line}: {shown}");
    }
}

#[test]
fn no_debug_output_shows_a_secret() {
    for line in [
        "webhook --docker-webhook-secret hunter2",
        "decode --type ghcr.io --secret hunter2 --header a:hunter2 --query a=hunter2",
        "send --type ghcr.io --image a:1 --url https://x/webhook?secret=hunter2 --secret hunter2",
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        let shown = format!("{:?}", call(&arguments).unwrap());
        assert!(!shown.contains("hunter2"), "{shown}");
    }
}

#[test]
fn decode_takes_a_delivery_apart() {
    let arguments = [
        "decode",
        "--type",
        "ghcr.io",
        "--secret",
        "a\nb",
        "--header",
        "X-Thing:  v:1 ",
        "--query",
        "a=b=c",
        "--query",
        "d=",
        "body.json",
    ];
    let Ok(Invocation::Decode(DecodeArguments::Delivery(delivery))) = call(&arguments) else {
        panic!();
    };
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(delivery.sender, SENDERS[1]);
    assert_eq!(delivery.secrets.len(), 2);
    assert_eq!(delivery.headers, [pair("x-thing", "v:1")]);
    assert_eq!(delivery.query, [pair("a", "b=c"), pair("d", "")]);
    assert_eq!(delivery.body, BodyArgument::File("body.json".into()));
    for arguments in [
        &["decode", "--type", "ghcr.io"][..],
        &["decode", "--type", "ghcr.io", "-"],
    ] {
        let Ok(Invocation::Decode(DecodeArguments::Delivery(delivery))) = call(arguments) else {
            panic!("{arguments:?}");
        };
        assert_eq!(delivery.body, BodyArgument::Stdin);
    }
    assert!(matches!(
        call(&["decode", "--list"]),
        Ok(Invocation::Decode(DecodeArguments::List))
    ));
}

#[test]
fn an_empty_secret_is_not_taken_for_none() {
    for line in [
        "decode --type ghcr.io --secret=",
        "decode --type ghcr.io --secret=\n",
        "send --type ghcr.io --image ghcr.io/a/b:1 --url https://x/webhook --secret=",
    ] {
        let arguments: Vec<_> = line.split(' ').collect();
        let error = call(&arguments).unwrap_err().to_string();
        assert!(error.contains("--secret is empty"), "{line}: {error}");
    }
}

#[test]
fn send_announces_a_push() {
    let base = [
        "send",
        "--type",
        "docker.io",
        "--url",
        "https://localhost:8443/webhook?a=b",
        "--image",
    ];
    let send = |more: &[&str]| match call(&[&base, more].concat()) {
        Ok(Invocation::Send(send)) => send,
        other => panic!("{other:?}"),
    };
    let image = format!("nginx:1.29@sha256:{}", "a".repeat(64));
    let plain = send(&[&image]);
    assert_eq!(
        plain.event.to_string(),
        format!("docker.io/library/{image}")
    );
    assert_eq!(plain.url.uri(), "https://localhost:8443/webhook?a=b");
    assert_eq!(plain.url.to_string(), "https://localhost:8443/webhook");
    assert_eq!(
        (plain.secret, plain.insecure),
        (SecretArgument::None, false)
    );
    let file = send(&["a:1", "--secret-file", "f", "--insecure"]);
    assert_eq!(
        (file.secret, file.insecure),
        (SecretArgument::File("f".into()), true)
    );
    assert!(matches!(
        send(&["a:1", "--secret", "x"]).secret,
        SecretArgument::Given(_)
    ));
    for image in ["nginx", "", "a b:1"] {
        assert!(call(&[&base[..], &[image]].concat()).is_err(), "{image}");
    }
}

#[test]
fn quickstart_takes_the_settings_of_the_log() {
    let arguments = [
        "--loglevel",
        "debug",
        "quickstart",
        "--dir",
        "d",
        "--once",
        "--port=1",
    ];
    let Ok(Invocation::Quickstart(quickstart)) = call(&arguments) else {
        panic!();
    };
    assert_eq!(quickstart.dir, Some(PathBuf::from("d")));
    assert_eq!((quickstart.once, quickstart.port), (true, 1));
    assert_eq!(quickstart.log.values().unwrap().len(), 1);
    assert!(call(&["--disable-tls", "quickstart"]).is_err());
}

fn tested(arguments: &[&str]) -> TestArguments {
    match call(&[&["test"], arguments].concat()) {
        Ok(Invocation::Test(test)) => *test,
        other => panic!("{other:?}"),
    }
}

#[test]
fn test_takes_an_image_and_its_policy() {
    let plain = tested(&["nginx"]);
    assert_eq!(plain.image.spelling(), "nginx");
    assert_eq!((plain.ignored_version, plain.constraint), (None, None));
    assert_eq!(plain.strategy.as_deref(), Some("semver"));
    assert_eq!(
        (plain.log_level, plain.output),
        (LogLevel::Warn, Output::Text)
    );
    assert_eq!((plain.platforms, plain.rate_limit), (Vec::new(), None));
    let full = tested(&[
        "quay.io/a/b",
        "--semver-constraint=~1.2",
        "--allow-tags",
        "regexp:^1",
        "--ignore-tags=*-rc[1,2]",
        "--ignore-tags",
        "*-debug",
        "--update-strategy=newest-build",
        "--registries-conf-path=r",
        "--loglevel=DEBUG",
        "--kubeconfig=k",
        "--credentials=quay.io=env:X",
        "--platforms=linux/amd64,linux/arm64",
        "--rate-limit=5",
        "--output=json",
    ]);
    assert_eq!(full.constraint.as_deref(), Some("~1.2"));
    assert_eq!(full.allow_tags.as_deref(), Some("regexp:^1"));
    assert_eq!(full.ignore_tags, ["*-rc[1,2]", "*-debug"]);
    assert_eq!(full.registries, Some(PathBuf::from("r")));
    assert_eq!(full.kubeconfig, Some(PathBuf::from("k")));
    assert_eq!(full.platforms, ["linux/amd64", "linux/arm64"]);
    assert_eq!(full.rate_limit.map(u32::from), Some(5));
    assert_eq!(full.credentials.unwrap().to_string(), "env:X");
    assert_eq!(
        (full.log_level, full.output),
        (LogLevel::Debug, Output::Json)
    );
}

#[test]
fn what_stands_behind_the_name_of_an_image_to_test_does_not_count() {
    let digest = format!("@sha256:{}", "a".repeat(64));
    for (text, name, version) in [
        ("nginx:1.29", "nginx", Some(":1.29")),
        ("nginx:~1.2", "nginx", Some(":~1.2")),
        (
            "web=localhost:5000/a:>=1.0",
            "localhost:5000/a",
            Some(":>=1.0"),
        ),
        ("localhost:5000/a", "localhost:5000/a", None),
        (
            &format!("a/b:1{digest}"),
            "a/b",
            Some(&*format!(":1{digest}")),
        ),
        (&format!("a/b{digest}"), "a/b", Some(&*digest)),
    ] {
        let test = tested(&[text]);
        assert_eq!(test.image.spelling(), name, "{text}");
        assert_eq!(test.ignored_version.as_deref(), version, "{text}");
    }
}

#[test]
fn test_refuses_what_it_cannot_read_and_shows_no_credentials() {
    for arguments in [
        &[][..],
        &["a b"],
        &["a", "b"],
        &["a", "--rate-limit", "0"],
        &["a", "--loglevel", "loud"],
        &["a", "--output", "yaml"],
        &["a", "--credentials", "me:hunter2"],
    ] {
        let error = refused(&[&["test"], arguments].concat());
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn template_takes_a_file_or_nothing() {
    for (arguments, expected) in [
        (&["template"][..], None),
        (&["template", "f"], Some(PathBuf::from("f"))),
    ] {
        let Ok(Invocation::Template(TemplateArguments(path))) = call(arguments) else {
            panic!("{arguments:?}");
        };
        assert_eq!(path, expected);
    }
    assert!(call(&["template", "a", "b"]).is_err());
}
