use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::domain::reference::ImageName;
use crate::domain::registry::answer::TagOrder;
use crate::domain::registry::endpoint::Registries;
use crate::domain::registry::endpoint::Trust;

fn read(text: &str) -> Described {
    parse(text).unwrap_or_else(|mistakes| panic!("{mistakes:?}"))
}

fn one(members: &str) -> Endpoint {
    let mut endpoints = read(&entry(members)).endpoints;
    assert_eq!(endpoints.len(), 1);
    endpoints.remove(0)
}

/// An entry with a name and an address.
fn entry(members: &str) -> String {
    format!("registries:\n- name: Acme\n  api_url: https://acme.example\n{members}")
}

#[track_caller]
fn assert_mistakes(text: &str, expected: &[&str]) {
    let mistakes = parse(text).expect_err("it has mistakes");
    let told: Vec<String> = mistakes.iter().map(Mistake::to_string).collect();
    assert_eq!(told.len(), expected.len(), "{told:#?}");
    for (told, expected) in told.iter().zip(expected) {
        assert!(told.starts_with(expected), "{told}\n{expected}");
    }
}

fn fixture(name: &str) -> String {
    let path = format!(
        "{}/tests/fixtures/registries/{name}",
        env!("CARGO_MANIFEST_DIR")
    );
    std::fs::read_to_string(path).unwrap()
}

#[test]
fn every_member_is_read() {
    let text = fixture("every-key.conf");
    let described = read(&text);
    let [hub, acme, quay] = described.endpoints.as_slice() else {
        panic!("{described:?}");
    };
    assert_eq!(hub.name, "Docker Hub");
    assert_eq!(hub.prefix, "docker.io");
    assert_eq!(hub.api, "https://registry-1.docker.io");
    assert_eq!(
        hub.credentials.as_ref().unwrap().to_string(),
        "secret:argocd/hub#login"
    );
    assert_eq!(hub.default_namespace.as_deref(), Some("library"));
    assert_eq!(hub.limit.unwrap().get(), 5);
    assert!(hub.is_default);
    assert_eq!(acme.api, "http://registry.acme.example:5000/base");
    assert_eq!(acme.prefix, "registry.acme.example:5000/team");
    assert_eq!(
        acme.credentials.as_ref().unwrap().to_string(),
        "ext:/app/scripts/login.sh"
    );
    assert_eq!(acme.credentials_expire, Some(Duration::from_secs(5400)));
    assert_eq!(acme.order, TagOrder::LatestFirst);
    assert_eq!(acme.trust, Trust::Anything);
    assert_eq!(acme.limit, None);
    let Trust::Authorities {
        file: Some(file),
        data: Some(data),
    } = &quay.trust
    else {
        panic!("{quay:?}");
    };
    assert_eq!(file.to_str(), Some("/app/config/tls/quay.pem"));
    assert!(data.starts_with("-----BEGIN CERTIFICATE-----"));
    let warnings: Vec<String> = described.warnings.iter().map(Mistake::to_string).collect();
    let [sorted, insecure] = warnings.as_slice() else {
        panic!("{warnings:?}");
    };
    assert!(
        sorted.contains("registry \"Acme\": tagsortmode: "),
        "{sorted}"
    );
    assert!(
        insecure.contains("registry \"Acme\": insecure: "),
        "{insecure}"
    );
}

#[test]
fn what_people_mount_is_read() {
    for name in ["clouds.conf", "mirror.conf"] {
        let registries = Registries::of(read(&fixture(name)).endpoints);
        assert!(registries.all().len() > 1, "{name}");
        let default = registries.default_registry();
        let nginx = ImageName::parse("nginx").unwrap();
        let resolved = default.resolve(&nginx, "nginx").to_string();
        let expected = if name == "mirror.conf" {
            "harbor.acme.example/proxy/nginx"
        } else {
            "docker.io/library/nginx"
        };
        assert_eq!(resolved, expected, "{name}");
    }
}

#[test]
fn nothing_describes_nothing() {
    for text in [
        "",
        "# nothing\n",
        "---\n",
        "registries:\n",
        "registries: []\n",
        "{}\n",
    ] {
        assert_eq!(read(text), Described::default(), "{text:?}");
    }
}

#[test]
fn all_mistakes_are_told_each_with_its_line() {
    assert_mistakes(
        &fixture("mistakes.conf"),
        &[
            "line 4: registry number 1: name: is missing",
            "line 4: registry number 1: api_url: is missing",
            "line 5: registry number 1: api_ulr: is no key of a registry; did you mean api_url?",
            "line 7: registry \"Two\": api_url: must be https://",
            "line 8: registry \"Two\": credsexpire: must be a duration with a unit",
            "line 9: registry \"Two\": tagsortmode: \"newest\" is none",
            "line 10: registry \"Two\": ca_data: has no certificate",
            "line 11: registry \"Two\": ca_file: must be an absolute path",
            "line 12: registry \"Two\": insecure: must be true or false",
            "line 13: registry \"Two\": limit: must be a whole number",
            "line 14: registry \"Two\": credentials: it is no source of credentials",
        ],
    );
}

#[test]
fn entries_that_get_in_each_others_way_are_mistakes() {
    let text = "registries:
- {name: A, api_url: 'https://a.example', default: true}
- {name: B, api_url: 'https://b.example'}
- {name: C, api_url: 'https://c.example', prefix: docker.io, default: true}
- {name: D, api_url: 'https://d.example', prefix: INDEX.docker.io/}
- {name: E, api_url: 'https://e.example', prefix: e.example/team, default: true}
";
    assert_mistakes(
        text,
        &[
            "line 3: registry \"B\": prefix: only one registry may do without a prefix, and that is registry \"A\" (line 2) already",
            "line 4: registry \"C\": default: there is one default registry, and that is registry \"A\" (line 2) already",
            "line 5: registry \"D\": prefix: registry \"C\" (line 4) has the prefix docker.io already",
            "line 6: registry \"E\": default: true is for a registry whose prefix is a host alone",
            "line 6: registry \"E\": default: there is one default registry",
        ],
    );
}

#[test]
fn what_is_no_description_is_told() {
    assert_mistakes("- name: A\n", &["line 1: the file must be a mapping"]);
    assert_mistakes(
        "registries: 3\n",
        &["line 1: registries must be a list and is a number"],
    );
    assert_mistakes(
        "registries:\n- A\n- 3\n",
        &[
            "line 2: a registry must be a mapping and is a text",
            "line 3: a registry must be a mapping and is a number",
        ],
    );
    assert_mistakes(
        "other: 1\nregistry:\n- a\n",
        &[
            "line 1: \"other\" is no key here",
            "line 2: \"registry\" is no key here",
        ],
    );
    assert_mistakes("registries:\n- name: [\n", &["line "]);
    assert_mistakes(
        &entry("  name: B\n"),
        &["line 4: the key \"name\" stands twice"],
    );
    assert_mistakes(
        &entry("  prefix: [a]\n  defaultns: {a: b}\n"),
        &[
            "line 4: registry \"Acme\": prefix: must be a text and is a list",
            "line 5: registry \"Acme\": defaultns: must be a text and is a mapping",
        ],
    );
}

#[test]
fn prefixes_are_names_of_registries() {
    for (prefix, expected) in [
        ("index.docker.io", "docker.io"),
        ("https://GHCR.io/", "ghcr.io"),
        ("localhost:5000", "localhost:5000"),
        ("quay.io/Acme", "quay.io/acme"),
    ] {
        assert_eq!(one(&format!("  prefix: {prefix}\n")).prefix, expected);
    }
    for prefix in ["ghcr.io//x", "a b", "ghcr.io:x", "ghcr.io/a:1"] {
        let text = entry(&format!("  prefix: {prefix}\n"));
        assert_mistakes(&text, &["line 4: registry \"Acme\": prefix: "]);
    }
    let warnings = read(&entry("  prefix: registry\n")).warnings;
    assert!(
        warnings[0].reason.contains("no image has a name"),
        "{warnings:?}"
    );
}

#[test]
fn docker_hub_needs_no_prefix_to_be_docker_hub() {
    let text = "registries:\n- {name: Hub, api_url: 'https://registry-1.docker.io', credentials: 'env:HUB'}\n";
    let registries = Registries::of(read(text).endpoints);
    let endpoint = registries.endpoint_of(&ImageName::parse("nginx").unwrap());
    assert!(endpoint.credentials.is_some() && endpoint.is_default);
    let other = registries.endpoint_of(&ImageName::parse("ghcr.io/a/b").unwrap());
    assert_eq!(other.name, "ghcr.io");
}

#[test]
fn values_are_spelled_as_the_go_program_takes_them() {
    assert_eq!(one("  limit: -3\n").limit, None);
    assert_eq!(
        one("  limit: 99999999999\n").limit.map(u32::from),
        Some(u32::MAX)
    );
    assert!(one("  default: yes\n").is_default);
    assert!(!one("  default:\n  ping: no\n").is_default);
    for (text, seconds) in [
        ("0", None),
        ("0s", None),
        ("1h30m", Some(5400)),
        ("12h0m0s", Some(43200)),
        (".5h", Some(1800)),
    ] {
        let expire = one(&format!("  credsexpire: {text}\n")).credentials_expire;
        assert_eq!(expire, seconds.map(Duration::from_secs), "{text}");
    }
    for mode in ["none", "''", "NONE"] {
        assert_eq!(
            one(&format!("  tagsortmode: {mode}\n")).order,
            TagOrder::Unsorted
        );
    }
    assert_eq!(
        one("  tagsortmode: Latest-Last\n").order,
        TagOrder::LatestLast
    );
    let mistake = "line 4: registry \"Acme\": credsexpire: ";
    for text in ["10", "-1s", "x", "true"] {
        assert_mistakes(&entry(&format!("  credsexpire: {text}\n")), &[mistake]);
    }
}

#[test]
fn no_mistake_quotes_credentials() {
    let text = "registries:
- name: A
  api_url: https://bob:hunter2@a.example
  credentials: bob:hunter2
";
    let mistakes = parse(text).unwrap_err();
    assert_eq!(mistakes.len(), 2);
    let told = format!("{mistakes:?}");
    assert!(!told.contains("hunter2"), "{told}");
}

proptest! {
    #[test]
    fn parsing_never_panics(text in "\\PC*") {
        let _ = parse(&text);
    }

    #[test]
    fn anything_in_a_member_is_read_or_told_with_its_line(
        key in "name|api_url|prefix|credentials|credsexpire|tagsortmode|insecure|ca_file|ca_data|defaultns|limit|default|ping|[a-z_]{1,9}",
        value in "[a-z0-9:/.#='\"{\\[,-]{0,20}",
    ) {
        let text = format!("registries:\n- {key}: {value}\n");
        match parse(&text) {
            Ok(described) => prop_assert!(described.endpoints.is_empty(), "nothing has both a name and an address"),
            Err(mistakes) => {
                prop_assert!(!mistakes.is_empty());
                prop_assert!(mistakes.iter().all(|mistake| (1..=3).contains(&mistake.line)), "{:?}", mistakes);
            }
        }
    }

    #[test]
    fn prefixes_begin_the_names_of_their_images(prefix in "[a-zA-Z0-9]{1,6}\\.[a-z]{2,4}(:[0-9]{1,4})?(/[a-z]{1,5}){0,2}/?", rest in "[a-z]{1,6}") {
        let text = format!("registries:\n- {{name: A, api_url: 'https://a.example', prefix: {prefix:?}}}\n");
        let registries = Registries::of(read(&text).endpoints);
        let image = ImageName::parse(&format!("{}/{rest}", prefix.trim_end_matches('/'))).unwrap();
        prop_assert_eq!(registries.endpoint_of(&image).name, "A");
    }
}
