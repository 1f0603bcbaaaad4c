//! Scripts that make shells complete command lines.

use clap::Command;
use clap_complete::Shell;

use super::PROGRAM;

/// The script for a shell.
pub(super) fn script(shell: Shell, mut program: Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, PROGRAM, &mut script);
    String::from_utf8_lossy(&script).into_owned()
}
