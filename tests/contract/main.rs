//! One suite for each port that more than one adapter serves: a fake that passes it cannot drift from the real thing.

mod event_queue;
