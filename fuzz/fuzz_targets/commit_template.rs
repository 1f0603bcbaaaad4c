//! Any text as a template for messages: it is filled in or refused, and nothing panics or takes long.

#![no_main]

use std::collections::BTreeMap;

use image_updater::adapters::commit_template::CommitTemplate;
use image_updater::domain::commit::Commit;
use image_updater::domain::commit::CommitChange;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(template) = CommitTemplate::parse(text) else {
        return;
    };
    let change = CommitChange {
        image: "acme/web".to_owned(),
        old_tag: "1.0".to_owned(),
        new_tag: "1.1".to_owned(),
        labels: BTreeMap::from([("a".to_owned(), "b".to_owned())]),
    };
    let _ = template.render(&Commit {
        app_name: "shop".to_owned(),
        changes: vec![change.clone(), change],
    });
});
