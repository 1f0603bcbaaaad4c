//! Use cases, settings, life cycle.
