//! The program `argocd-image-updater`.

use std::process::ExitCode;

fn main() -> ExitCode {
    image_updater::app::wiring::run(std::env::args_os())
}
