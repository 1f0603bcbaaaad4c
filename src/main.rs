//! The program `argocd-image-updater`.

fn main() {}
