//! The description of registries, at the start and while the program runs.

use std::fs;
use std::path::Path;
use std::path::PathBuf;
use std::process::Output;

use crate::folder::Folder;
use crate::server::Server;
use crate::server::run;

const MISTAKES: &str = "registries:
- name: A
  api_url: ftp://a.example
- name: B
  api-url: https://b.example
  credentials: bob:hunter2
";

fn described(name: &str) -> String {
    format!("registries:\n- {{name: {name}, api_url: 'https://a.example', prefix: a.example}}\n")
}

/// The manifests of nothing, and a file.
struct World {
    folder: Folder,
    file: PathBuf,
}

impl World {
    fn new(text: &str) -> Self {
        let folder = Folder::new("s");
        let file = folder.secrets().join("registries.conf");
        fs::write(&file, text).unwrap();
        Self { folder, file }
    }

    fn flags(&self, file: &Path) -> Vec<String> {
        let mut flags = self.folder.flags();
        flags.push(format!("--registries-conf-path={}", file.display()));
        flags
    }

    /// Runs the program with this command, and with the flags that name a description.
    fn run(&self, command: &[&str], file: &Path) -> Output {
        let flags = self.flags(file);
        let flags = flags.iter().map(String::as_str);
        let arguments: Vec<&str> = command.iter().copied().chain(flags).collect();
        run(&arguments)
    }

    fn config(&self, file: &Path) -> Output {
        self.run(&["config", "webhook"], file)
    }
}

#[test]
fn a_description_with_mistakes_stops_the_start_and_all_are_told() {
    let world = World::new(MISTAKES);
    for (output, name) in [
        (world.run(&["webhook"], &world.file), "the start"),
        (world.config(&world.file), "config"),
    ] {
        assert_eq!(output.status.code(), Some(64), "{name}");
        let told = [output.stdout, output.stderr].concat();
        let told = String::from_utf8(told).unwrap();
        for part in [
            "line 3: registry \"A\": api_url: must be https://",
            "line 5: registry \"B\": api-url: is no key of a registry; did you mean api_url?",
            "line 4: registry \"B\": api_url: is missing",
            "line 6: registry \"B\": credentials: it is no source of credentials",
        ] {
            assert!(told.contains(part), "{name}: {told}");
        }
        let place = world.file.display().to_string();
        assert_eq!(
            told.matches(&format!("registries.conf: {place}: line"))
                .count(),
            4
        );
        assert!(!told.contains("hunter2"), "{name}: {told}");
    }
}

#[test]
fn what_is_not_there_or_not_to_be_read_is_no_mistake() {
    let world = World::new(MISTAKES);
    for file in ["", "/nowhere/registries.conf"] {
        assert!(world.config(Path::new(file)).status.success(), "{file}");
    }
    let folder = world.config(&world.folder.secrets());
    assert_eq!(folder.status.code(), Some(64));
}

#[test]
fn a_warning_is_shown_and_stops_nothing() {
    let world = World::new(&described("A").replace("prefix", "insecure: true, prefix"));
    let output = world.config(&world.file);
    assert!(output.status.success());
    let told = String::from_utf8(output.stdout).unwrap();
    assert!(
        told.contains("line 2: registry \"A\": insecure: true lets anybody"),
        "{told}"
    );
}

#[test]
fn a_change_counts_and_a_broken_one_is_refused() {
    let world = World::new(&described("A"));
    let server = Server::start(world.flags(&world.file));
    server
        .log
        .wait_for(&["registries are described", "registries=2"]);
    fs::write(&world.file, MISTAKES).unwrap();
    let refused = server.log.wait_for(&["is refused as a whole"]);
    assert!(refused.contains("level=error"), "{refused}");
    assert!(!server.log.text().contains("hunter2"));
    fs::write(&world.file, described("B")).unwrap();
    server
        .log
        .wait_for(&["the registries changed and count from now on"]);
    fs::remove_file(&world.file).unwrap();
    server.log.wait_for(&[
        "the registries changed and count from now on",
        "registries=1",
    ]);
    assert_eq!(server.log.with(&["is refused as a whole"]).len(), 1);
}
