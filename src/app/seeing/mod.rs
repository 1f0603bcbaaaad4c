//! Seeing what happens to what was accepted, from outside of those who work on it.

pub mod traces_wanted;
pub mod watched_pace;
pub mod watched_queue;
pub mod watchers;
