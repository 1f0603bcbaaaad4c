//! Scripts that make shells complete command lines.

use clap::Command;
use clap_complete::Shell;

use super::PROGRAM;

/// The script for a shell.
pub(super) fn script(shell: Shell, mut program: Command) -> String {
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut program, PROGRAM, &mut script);
    let script = String::from_utf8_lossy(&script).into_owned();
    if shell == Shell::Bash {
        with_one_spelling(&script)
    } else {
        script
    }
}

/// In bash's script `clap_complete` spells a program's name with hyphens in two ways, one where it sets a state and one where it asks for
/// it, so that nothing is completed after a command: [clap issue 6421].
///
/// [clap issue 6421]: https://github.com/clap-rs/clap/issues/6421
fn with_one_spelling(script: &str) -> String {
    script.replace(
        &PROGRAM.replace('-', "__subcmd__"),
        &PROGRAM.replace('-', "__"),
    )
}

#[cfg(test)]
mod tests {
    use crate::app::cli::command;
    use crate::app::settings::table::Table;

    use super::*;

    #[test]
    fn bash_finds_every_command() {
        let script = script(Shell::Bash, command::program(&Table::new(&[]), &[]));
        let states = script.lines().filter_map(|line| {
            let state = line.trim().strip_prefix("cmd=\"")?.strip_suffix('"')?;
            (!state.is_empty()).then_some(state)
        });
        let states: Vec<&str> = states.collect();
        assert!(states.len() > 8, "{states:?}");
        for state in states {
            let arm = format!("        {state})\n");
            assert!(script.contains(&arm), "no completion in the state {state}");
        }
    }
}
