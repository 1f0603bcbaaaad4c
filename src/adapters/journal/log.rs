//! What people see of the journal, and have worked on again.

use async_trait::async_trait;
use tokio::sync::oneshot;

use super::Journal;
use super::error::StoreError;
use super::error::unavailable;
use super::gone;
use super::order::Order;
use super::store::Store;
use crate::domain::delivery::DeliveryId;
use crate::domain::queue::record::DeliveryRecord;
use crate::ports::delivery_log::DeliveryLog;
use crate::ports::delivery_log::LogError;
use crate::ports::delivery_log::Redelivery;

#[async_trait]
impl DeliveryLog for Journal {
    async fn list(
        &self,
        before: Option<DeliveryId>,
        most: usize,
    ) -> Result<Vec<DeliveryRecord>, LogError> {
        read(self, move |store| store.list(before.as_ref(), most)).await
    }

    async fn show(&self, id: &DeliveryId) -> Result<Option<DeliveryRecord>, LogError> {
        let id = id.clone();
        let row = read(self, move |store| store.find(&id)).await?;
        let record = row.map(DeliveryRecord::try_from).transpose();
        record.map_err(LogError::Unavailable)
    }

    async fn redeliver(&self, id: &DeliveryId) -> Result<Redelivery, LogError> {
        let (answer, answered) = oneshot::channel();
        self.order(Order::Redeliver {
            id: id.clone(),
            answer,
        })?;
        answered.await.unwrap_or_else(|_| Err(gone()))
    }
}

async fn read<T: Send + 'static>(
    journal: &Journal,
    read: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
) -> Result<T, LogError> {
    let (answer, answered) = oneshot::channel();
    journal.order(Order::Read(Box::new(move |store| {
        let found = store.and_then(|store| read(store).map_err(unavailable));
        let _ = answer.send(found);
    })))?;
    answered.await.unwrap_or_else(|_| Err(gone()))
}
