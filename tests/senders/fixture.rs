//! Deliveries in files; `tests/fixtures/README.md` describes their form.

use std::fs;
use std::path::Path;
use std::path::PathBuf;

use image_updater::domain::delivery::Delivery;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::pairs::Pairs;
use serde_json::Value;

/// A delivery and what it means.
pub(crate) struct Fixture {
    /// Sender and case.
    pub(crate) name: String,
    /// The request.
    pub(crate) delivery: Delivery,
    /// What the command `decode` prints of it.
    pub(crate) expected: Value,
}

/// All fixtures of a sender.
pub(crate) fn of(sender: &str) -> Vec<Fixture> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("tests/fixtures")
        .join(sender);
    let entries = fs::read_dir(&folder)
        .unwrap_or_else(|error| panic!("{sender} has no fixtures: {}: {error}", folder.display()));
    let mut files: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files.retain(|file| {
        file.extension()
            .is_some_and(|extension| extension == "http")
    });
    files.iter().map(|file| read(sender, file)).collect()
}

fn read(sender: &str, file: &Path) -> Fixture {
    let case = file.file_stem().unwrap().to_str().unwrap();
    let name = format!("{sender}/{case}");
    let expected = file.with_extension("expected.json");
    let expected =
        fs::read(&expected).unwrap_or_else(|error| panic!("{name} lacks its expectation: {error}"));
    Fixture {
        delivery: delivery(&name, &fs::read(file).unwrap()),
        expected: serde_json::from_slice(&expected)
            .unwrap_or_else(|error| panic!("{name}: {error}")),
        name,
    }
}

fn delivery(name: &str, mut rest: &[u8]) -> Delivery {
    let mut delivery = Delivery {
        id: DeliveryId::new(name.to_owned()),
        headers: Pairs::default(),
        query: Pairs::default(),
        body: Vec::new(),
    };
    loop {
        let end = rest.iter().position(|byte| *byte == b'\n');
        let end = end.unwrap_or_else(|| panic!("{name} has no blank line before its body"));
        let line = std::str::from_utf8(&rest[..end]).unwrap().trim_end();
        rest = &rest[end + 1..];
        if line.is_empty() {
            delivery.body = rest.to_vec();
            return delivery;
        }
        if let Some(query) = line.strip_prefix('?') {
            delivery.query = form_urlencoded::parse(query.as_bytes()).collect();
        } else {
            let (key, value) = line
                .split_once(": ")
                .unwrap_or_else(|| panic!("{name}: {line:?}"));
            delivery.headers.push(&key.to_ascii_lowercase(), value);
        }
    }
}
