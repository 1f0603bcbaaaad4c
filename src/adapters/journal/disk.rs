//! The store, and what is known of it when it fails. Only opened anew can it be trusted again.

use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use tracing::error;
use tracing::info;

use super::error::OpenError;
use super::error::StoreError;
use super::store::Rows;
use super::store::Store;
use crate::adapters::wire::journal::RecordForm;
use crate::domain::delivery::DeliveryId;
use crate::ports::delivery_log::LogError;

/// How long a disk that failed is left alone.
const REST: Duration = Duration::from_secs(1);

/// Opens the store anew.
pub(super) type Reopen = Box<dyn Fn() -> Result<Store, OpenError> + Send>;

pub(super) struct Disk {
    /// `None` after it has failed, until it can be opened again.
    store: Option<Store>,
    reopen: Reopen,
    /// When it has failed last, and why.
    failed: Option<(Instant, String)>,
    /// What was refused as it could not be written, and may be there all the same: a disk that fails may have done what it was told. The rows
    /// are as they were before; `None` where there was none.
    doubtful: HashMap<DeliveryId, Option<RecordForm>>,
}

impl Disk {
    pub(super) fn new(store: Store, reopen: Reopen) -> Self {
        Self {
            store: Some(store),
            reopen,
            failed: None,
            doubtful: HashMap::new(),
        }
    }

    /// How long it is still left alone; `None` where it has not failed.
    pub(super) fn rest(&self) -> Option<Duration> {
        let (at, _) = self.failed.as_ref()?;
        Some(REST.saturating_sub(at.elapsed()))
    }

    /// Leaves it alone no longer.
    pub(super) fn hurry(&mut self) {
        self.failed = None;
    }

    /// Whether something is there that should not be, as far as is known.
    pub(super) fn is_in_doubt(&self) -> bool {
        !self.doubtful.is_empty()
    }

    /// Something was refused, and may have been written: its row as it was before.
    pub(super) fn doubt(&mut self, id: DeliveryId, before: Option<RecordForm>) {
        self.doubtful.insert(id, before);
    }

    /// The store. One that had failed is opened again, and made to hold what is open and nothing that was refused.
    ///
    /// # Errors
    /// That it can be neither read nor written now; nothing of it was changed.
    pub(super) fn store(&mut self, open: &Rows) -> Result<&Store, LogError> {
        if self.store.is_none() {
            if let Some((at, reason)) = &self.failed
                && at.elapsed() < REST
            {
                return Err(LogError::Unavailable(reason.clone()));
            }
            match self.opened_again(open) {
                Ok(store) => {
                    self.store = Some(store);
                    self.doubtful.clear();
                }
                Err(reason) => {
                    self.failed = Some((Instant::now(), reason.clone()));
                    return Err(LogError::Unavailable(reason));
                }
            }
        }
        self.store
            .as_ref()
            .ok_or_else(|| LogError::Unavailable("it is not open".to_owned()))
    }

    fn opened_again(&self, open: &Rows) -> Result<Store, String> {
        let store = (self.reopen)().map_err(|error| error.to_string())?;
        let settled = store.settle(&self.doubtful, open);
        settled.map_err(|error| error.to_string())?;
        Ok(store)
    }

    /// Writes rows to the store, all or none.
    ///
    /// # Errors
    /// Why none can be trusted to be there, or not to be.
    pub(super) fn write<'r>(
        &mut self,
        rows: impl IntoIterator<Item = &'r RecordForm>,
        open: &Rows,
    ) -> Result<(), StoreError> {
        let written = self
            .store
            .as_ref()
            .map_or(Ok(()), |store| store.write(rows, open));
        match &written {
            Ok(()) => {
                if self.failed.take().is_some() {
                    info!("the journal can be written again");
                }
            }
            Err(error) => {
                let reason = error.to_string();
                error!(
                    reason,
                    "the journal cannot be written: deliveries are refused until it can"
                );
                self.store = None;
                self.failed = Some((Instant::now(), reason));
            }
        }
        written
    }
}
