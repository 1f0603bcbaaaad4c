//! The command `template`: the message of a commit, as a template makes it.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use crate::adapters::commit_template::CommitTemplate;
use crate::adapters::commit_template::CommitTemplateError;
use crate::adapters::commit_template::DEFAULT;
use crate::app::cli::template_arguments::TemplateArguments;
use crate::app::wiring::complain;
use crate::app::wiring::print;
use crate::domain::commit::Commit;
use crate::domain::commit::CommitChange;

/// What the example's digests are filled with.
const DIGESTS: [&str; 2] = ["5", "c"];

/// Fills the template in and prints the message.
pub(super) fn run(TemplateArguments(path): &TemplateArguments) -> ExitCode {
    let outcome = match path {
        None => message(DEFAULT).map_err(|error| error.to_string()),
        Some(path) => read(path),
    };
    match outcome {
        Ok(message) => print(message),
        Err(error) => complain(error, 1),
    }
}

fn read(path: &Path) -> Result<String, String> {
    let shown = path.display();
    let text =
        fs::read_to_string(path).map_err(|error| format!("failed to read {shown}: {error}"))?;
    message(&text).map_err(|error| format!("{shown}: {error}"))
}

fn message(template: &str) -> Result<String, CommitTemplateError> {
    CommitTemplate::parse(template)?.render(&example())
}

fn example() -> Commit {
    let change = |image: &str, old_tag: String, new_tag: String| CommitChange {
        image: image.to_owned(),
        old_tag,
        new_tag,
        labels: BTreeMap::new(),
    };
    let [old, new] = DIGESTS.map(|fill| format!("sha256:{}", fill.repeat(64)));
    Commit {
        app_name: "example-app".to_owned(),
        changes: vec![
            change("example/example", "1.0.0".to_owned(), "1.0.1".to_owned()),
            change("example/updater", old, new),
        ],
    }
}
