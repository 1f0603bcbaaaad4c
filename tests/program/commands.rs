//! Every command, as a new user runs it.

use std::fs;
use std::io::Write;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crate::folder::Folder;
use crate::server::Server;
use crate::server::program;
use crate::server::run;
use crate::server::wait_for_text;

const PUSH: &str = r#"{"name":"web","repository":"acme/web","namespace":"acme","docker_url":"quay.io/acme/web","updated_tags":["1.9.4","1.9"]}"#;

fn stdout(output: &Output) -> String {
    String::from_utf8(output.stdout.clone()).unwrap()
}

fn stderr(output: &Output) -> String {
    String::from_utf8(output.stderr.clone()).unwrap()
}

#[test]
fn decode_reads_standard_input_and_files() {
    let expected = concat!(
        r#"{"outcome":"accepted","reason":null,"images":["#,
        r#"{"registry":"quay.io","repository":"acme/web","tag":"1.9.4","digest":null},"#,
        r#"{"registry":"quay.io","repository":"acme/web","tag":"1.9","digest":null}]}"#,
    );
    let mut child = program()
        .args(["decode", "--type", "quay.io", "-"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(PUSH.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success());
    assert_eq!(stdout(&output).trim_end(), expected);

    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("push.json");
    fs::write(&file, PUSH).unwrap();
    let file = file.to_str().unwrap();
    assert_eq!(
        stdout(&run(&["decode", "--type", "quay.io", file])).trim_end(),
        expected
    );
    let with = |query: &str| {
        run(&[
            "decode",
            "--type=quay.io",
            "--secret",
            "a b",
            "--query",
            query,
            file,
        ])
    };
    assert_eq!(stdout(&with("secret=a b")).trim_end(), expected);
    let refused = with("secret=a+b");
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        stdout(&refused).trim_end(),
        r#"{"outcome":"rejected","reason":"Invalid webhook secret","images":[]}"#
    );
    let missing = run(&["decode", "--type", "quay.io", "/nowhere/push.json"]);
    assert_eq!(
        (missing.status.code(), stdout(&missing).as_str()),
        (Some(1), "")
    );
    assert!(
        stderr(&missing).contains("failed to read"),
        "{}",
        stderr(&missing)
    );
}

#[test]
fn decode_lists_every_type_with_its_authentication_and_documentation() {
    let output = run(&["decode", "--list"]);
    let listed = stdout(&output);
    let types: Vec<&str> = listed
        .lines()
        .map(|line| line.split_whitespace().next().unwrap())
        .collect();
    assert_eq!(
        types,
        [
            "docker.io",
            "ghcr.io",
            "harbor",
            "quay.io",
            "aliyun-acr",
            "acr",
            "distribution",
            "cloudevents"
        ]
    );
    assert!(
        listed.lines().all(|line| line.contains("https://")),
        "{listed}"
    );
    assert!(
        listed.contains("X-Hub-Signature-256") && listed.contains("Authorization"),
        "{listed}"
    );
}

/// An image of each type of sender: the type, the name of its secret, and the image.
const IMAGES: [(&str, &str, &str); 8] = [
    ("docker.io", "docker", "docker.io/acme/docker"),
    ("ghcr.io", "ghcr", "ghcr.io/acme/ghcr"),
    ("harbor", "harbor", "harbor.example.com:8443/acme/harbor"),
    ("quay.io", "quay", "quay.io/acme/quay"),
    (
        "aliyun-acr",
        "aliyun-acr",
        "acme-registry.cn-shanghai.cr.aliyuncs.com/acme/aliyun",
    ),
    ("acr", "acr", "acme.azurecr.io/acme/acr"),
    (
        "distribution",
        "distribution",
        "registry.example.com:5000/acme/distribution",
    ),
    (
        "cloudevents",
        "cloudevents",
        "123456789012.dkr.ecr.eu-west-1.amazonaws.com/acme/ecr",
    ),
];

/// Runs `send` for an image, with the secret in the last two arguments.
fn send(server: &Server, sender: &str, image: &str, secret: [&str; 2]) -> Output {
    let url = server.url("/webhook");
    let about = [
        "send",
        "--type",
        sender,
        "--image",
        image,
        "--url",
        &url,
        "--insecure",
    ];
    program().args(about).args(secret).output().unwrap()
}

#[test]
fn send_is_a_sender_of_any_type() {
    let folder = Folder::new("s");
    let file = |secret: &str| folder.secrets().join(format!("webhook.{secret}-secret"));
    for (_, secret, image) in IMAGES {
        folder.add(
            secret,
            &format!("{image}:1.0.0"),
            &format!("{image}:^1"),
            "",
        );
        fs::write(file(secret), format!("secret of {secret}\n")).unwrap();
    }
    let server = Server::start(folder.flags());
    for (sender, secret, image) in IMAGES {
        let image = format!("{image}:1.1.0");
        let output = send(
            &server,
            sender,
            &image,
            ["--secret-file", file(secret).to_str().unwrap()],
        );
        assert!(
            output.status.success(),
            "{sender}: {} {}",
            stdout(&output),
            stderr(&output)
        );
        wait_for_text(&folder.application(secret), &image);
        let output = send(&server, sender, &image, ["--secret", "wrong"]);
        assert_eq!(output.status.code(), Some(1), "{sender}");
        assert!(
            stdout(&output).contains("Invalid webhook secret"),
            "{sender}: {}",
            stdout(&output)
        );
    }
}

#[test]
fn send_trusts_no_certificate_that_nobody_vouches_for() {
    let folder = Folder::new("s");
    let server = Server::start(folder.flags());
    let url = server.url("/webhook");
    let output = run(&[
        "send",
        "--type",
        "quay.io",
        "--image",
        "quay.io/acme/quay:2",
        "--url",
        &url,
        "--secret",
        "hunter2",
    ]);
    assert_eq!(output.status.code(), Some(1));
    let told = stderr(&output);
    assert!(
        told.contains("certificate") && !told.contains("hunter2"),
        "{told}"
    );
}

#[test]
fn quickstart_shows_the_change_and_ends() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("try");
    let output = run(&["quickstart", "--once", "--dir", dir.to_str().unwrap()]);
    let shown = stdout(&output);
    assert!(output.status.success(), "{shown}{}", stderr(&output));
    let changed: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with(['+', '-']))
        .collect();
    assert_eq!(
        changed[2..],
        [
            "-        - \"ghcr.io/acme/storefront:1.4.2\"   # the shop itself",
            "+        - \"ghcr.io/acme/storefront:1.5.0\"   # the shop itself"
        ]
    );
    let secret = fs::read_to_string(dir.join("secrets/webhook.ghcr-secret")).unwrap();
    let everything = format!("{shown}{}", stderr(&output));
    assert!(secret.trim().len() >= 32 && !everything.contains(secret.trim()));
}

#[test]
fn quickstart_logs_as_the_environment_asks_and_heeds_nothing_else_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let output = program()
        .env("IMAGE_UPDATER_LOGFORMAT", "json")
        .env("DISABLE_TLS", "no value that is allowed")
        .args(["quickstart", "--once", "--dir"])
        .arg(folder.path().join("try"))
        .output()
        .unwrap();
    let log = stderr(&output);
    assert!(output.status.success(), "{log}");
    assert!(log.lines().all(|line| line.starts_with('{')), "{log}");
}

#[test]
fn the_lines_that_quickstart_prints_work() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("it's a folder");
    let mut command = program();
    command.args(["quickstart", "--dir"]).arg(&dir);
    let mut server = Server::spawn(command);
    server.output.wait_for(&["End with Ctrl-C."]);
    let text = server.output.text();
    let command_after = |word: &str| {
        let at = text
            .find(word)
            .unwrap_or_else(|| panic!("no {word} in {text}"));
        text[at..].split("\n\n").next().unwrap().to_owned()
    };
    let shell = |line: &str| Command::new("sh").args(["-c", line]).output().unwrap();
    if Command::new("curl").arg("--version").output().is_ok() {
        let answer = stdout(&shell(&command_after("curl --insecure")));
        assert!(answer.contains(r#""outcome":"accepted""#), "{answer}");
        wait_for_text(&dir.join("manifests/storefront.yaml"), "storefront:1.6.0");
    } else {
        assert!(std::env::var_os("CI").is_none(), "curl is missing");
        eprintln!("LEFT OUT: curl is not installed");
    }
    let send = command_after(env!("CARGO_BIN_EXE_argocd-image-updater"));
    let output = shell(&send);
    assert!(output.status.success(), "{send}\n{}", stderr(&output));
    wait_for_text(&dir.join("manifests/payments.yaml"), "value: '2.3.1'");
    server.signal("INT");
    assert!(server.wait().success());
}

#[test]
fn config_tells_what_would_stop_the_start() {
    let output = program()
        .env("WEBHOOK_PORT", "tcp://10.0.0.1:8080")
        .env("TLS_MIN_VERSION", "9")
        .env("GHCR_WEBHOOK_SECRET", "hunter2")
        .args(["config", "--webhook-queue-size", "0"])
        .output()
        .unwrap();
    let shown = stdout(&output);
    assert_eq!(output.status.code(), Some(64));
    for expected in ["$TLS_MIN_VERSION", "--webhook-queue-size", "--manifests"] {
        assert!(
            shown
                .split("Problems that stop the start")
                .nth(1)
                .unwrap()
                .contains(expected),
            "{expected}: {shown}"
        );
    }
    assert!(
        !shown.contains("hunter2") && !shown.contains("tcp://"),
        "{shown}"
    );
    let folder = Folder::new("s");
    let mut fine = program();
    let output = fine
        .args(["config", "run", "--enable-webhook"])
        .args(folder.flags())
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", stdout(&output));
    let shown = stdout(&output);
    let is_port = |line: &str| line.split_whitespace().take(2).eq(["webhook.port", "8082"]);
    assert!(shown.lines().any(is_port), "{shown}");
}

#[test]
fn places_that_settings_name_are_looked_at_before_the_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tls.crt"), "nonsense").unwrap();
    fs::write(folder.path().join("tls.key"), "nonsense").unwrap();
    let tls = folder.path().to_str().unwrap();
    for command in [&["config"][..], &["webhook"]] {
        let output = program()
            .args(command)
            .env("IMAGE_UPDATER_MANIFESTS", "/nowhere/manifests")
            .args(["--webhook-port", "0", "--tls-dir", tls])
            .output()
            .unwrap();
        let shown = format!("{}{}", stdout(&output), stderr(&output));
        assert_eq!(output.status.code(), Some(64), "{command:?}: {shown}");
        for expected in [
            "manifests: $IMAGE_UPDATER_MANIFESTS is \"/nowhere/manifests\"; ",
            "is no directory",
            "tls.dir: --tls-dir is ",
            "tls.crt holds no certificate",
        ] {
            assert!(shown.contains(expected), "{command:?}: {shown}");
        }
    }
}

#[test]
fn no_problem_hides_another() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("tls.crt"), "nonsense").unwrap();
    fs::write(folder.path().join("tls.key"), "nonsense").unwrap();
    let tls = folder.path().to_str().unwrap();
    let crossed = ["--tlsminversion=1.3", "--tlsmaxversion=1.2"];
    let problems = |arguments: &[&str]| {
        let output = program()
            .arg("webhook")
            .args(arguments)
            .env("HOME", folder.path())
            .env_remove("KUBECONFIG")
            .env_remove("KUBERNETES_SERVICE_HOST")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(64), "{}", stderr(&output));
        stderr(&output)
    };

    let shown = problems(&[&crossed[..], &["--manifests", "/nowhere", "--tls-dir", tls]].concat());
    assert!(shown.contains("tls.min-version: "), "{shown}");
    assert!(shown.contains("manifests: --manifests is "), "{shown}");
    assert!(shown.contains("tls.dir: --tls-dir is "), "{shown}");

    let shown = problems(&["--tls-dir", tls]);
    assert!(
        shown.contains("manifests: not set, and no cluster was found"),
        "{shown}"
    );
    assert!(shown.contains("--kubeconfig"), "{shown}");
    assert!(shown.contains("tls.dir: --tls-dir is "), "{shown}");

    let shown = problems(&["--kubeconfig", "/nowhere/kubeconfig", "--tls-dir", tls]);
    assert!(shown.contains("kubeconfig: --kubeconfig is "), "{shown}");
    assert!(!shown.contains("manifests: "), "{shown}");
}

#[test]
fn a_mounted_config_map_configures_the_server() {
    let folder = Folder::new("s");
    let config = tempfile::tempdir().unwrap();
    for (key, value) in [
        ("disable-tls", "true"),
        ("log.format", "json"),
        ("webhook.port", "1"),
        ("no.such-key", "1"),
    ] {
        fs::write(config.path().join(key), value).unwrap();
    }
    // The flag goes before the environment, and that before the ConfigMap.
    let mut command = program();
    command
        .env("WEBHOOK_PORT", "2")
        .args([
            "--config-dir",
            config.path().to_str().unwrap(),
            "webhook",
            "--webhook-port",
            "0",
            "--logformat",
            "text",
        ])
        .args(folder.flags());
    let server = Server::spawn(command);
    server.log.wait_for(&["no.such-key is no setting"]);
    assert!(
        server.url("").starts_with("http://"),
        "{}",
        server.log.text()
    );
}

#[test]
fn what_cannot_start_says_why() {
    let folder = Folder::new("s");
    let server = Server::start(folder.flags());
    let port = server.url("").rsplit(':').next().unwrap().to_owned();
    let start = |arguments: &[&str]| {
        let output = program()
            .arg("webhook")
            .args(arguments)
            .args(folder.flags())
            .output()
            .unwrap();
        assert!(!output.status.success());
        stderr(&output)
    };
    let taken = start(&["--webhook-port", &port]);
    assert!(
        taken.contains("failed to listen on port") && taken.contains("--webhook-port"),
        "{taken}"
    );
    let certificate = tempfile::tempdir().unwrap();
    for file in ["tls.crt", "tls.key"] {
        fs::write(certificate.path().join(file), "no PEM").unwrap();
    }
    let unreadable = start(&[
        "--webhook-port",
        "0",
        "--tls-dir",
        certificate.path().to_str().unwrap(),
    ]);
    assert!(unreadable.contains("tls.crt"), "{unreadable}");
    let nowhere = program()
        .args(["webhook", "--manifests", "/nowhere"])
        .output()
        .unwrap();
    assert!(!nowhere.status.success());
    assert!(
        stderr(&nowhere).contains("/nowhere"),
        "{}",
        stderr(&nowhere)
    );
}

#[test]
fn help_version_and_completion_print_and_end_well() {
    for (arguments, expected) in [
        (&["--help"][..], "quickstart"),
        (&["webhook", "--help"], "--webhook-ratelimit-allowed"),
        (&["version"], "argocd-image-updater: v"),
        (&["version", "--short"], env!("CARGO_PKG_VERSION")),
        (&["completion", "bash"], "argocd-image-updater"),
        (&["crd"], "kind: CustomResourceDefinition"),
    ] {
        let output = run(arguments);
        assert!(
            output.status.success() && stdout(&output).contains(expected),
            "{arguments:?}: {}",
            stdout(&output)
        );
    }
}
