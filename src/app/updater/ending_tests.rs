//! The end of the process while something has failed for now.

use super::registry_tests::asking;
use super::registry_tests::away;
use super::registry_tests::follows;
use super::registry_tests::writes;
use super::tests::batch;
use super::tests::updater;
use super::*;
use crate::ports::registry_client::MockRegistryClient;

#[tokio::test(start_paused = true)]
async fn what_failed_for_now_is_left_to_the_next_start_where_the_queue_keeps_it() {
    let events = batch(&["quay.io/a/b:1.6.0"]);
    for (answer, is_durable) in [
        (Err(away()), true),
        (Ok(None), true),
        (Err(away()), false),
        (Ok(None), false),
    ] {
        let mut client = MockRegistryClient::new();
        client.expect_digest().return_const(answer);
        // Where nobody keeps it, it ends with the process, and people are told.
        let updater = updater(
            usize::from(!is_durable),
            writes(0),
            follows("quay.io/a/b:^1"),
        );
        let mut updater = asking(client, Confirm::Registry, updater);
        updater.terms.is_durable = is_durable;
        updater.examine(events.clone()).await;
        let answers = updater.asking.next().await;
        updater.is_closing.store(true, Ordering::Relaxed);
        updater.take_in(answers).await;
        let left: &[Batch] = if is_durable {
            std::slice::from_ref(&events)
        } else {
            &[]
        };
        assert_eq!(updater.unfinished(), left);
    }
}
