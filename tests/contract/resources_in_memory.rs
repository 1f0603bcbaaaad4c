use std::sync::Arc;

use image_updater::adapters::memory::resources::InMemoryResources;

use crate::resources::holds_for;
use crate::resources::resources;

#[tokio::test]
async fn the_contract_holds() {
    holds_for(async || (Arc::new(InMemoryResources::new(resources())), ())).await;
}
