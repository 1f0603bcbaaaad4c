//! The command `crd`: the definition of the custom resource.

use std::process::ExitCode;

use crate::adapters::wire::crd;
use crate::app::wiring::complain;
use crate::app::wiring::print;

/// Prints it as YAML.
pub(super) fn run() -> ExitCode {
    match crd::yaml() {
        Ok(yaml) => print(yaml),
        Err(error) => complain(format_args!("failed to write the definition: {error}"), 1),
    }
}
