//! The directory of manifests, through its public surface.

mod splice_fixtures;
