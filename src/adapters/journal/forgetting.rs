//! What is remembered of deliveries that have ended, and no longer.

use std::collections::HashSet;

use redb::ReadableTable;
use redb::ReadableTableMetadata;
use redb::Table;

use super::error::StoreError;
use super::store::Rows;
use crate::domain::delivery::DeliveryId;

/// How many deliveries are remembered that have ended. What waits or is in work is kept beside them.
const REMEMBERED: u64 = 10_000;
/// How many there may be beyond that before some are forgotten: many at once cost less for each.
const SURPLUS: usize = 256;

/// Forgets the oldest of the deliveries that have ended where those are too many, but for those that were just written.
pub(super) fn forget(
    deliveries: &mut Table<'_, &'static str, &'static [u8]>,
    open: &Rows,
    written: &[&str],
) -> Result<(), StoreError> {
    let beyond = deliveries.len()?.saturating_sub(REMEMBERED);
    let surplus = |stay: usize| {
        usize::try_from(beyond)
            .unwrap_or(usize::MAX)
            .saturating_sub(stay)
    };
    if surplus(open.len() + written.len()) < SURPLUS {
        return Ok(());
    }
    // What is about to be open is not among the open ones yet.
    let open = open.keys().map(DeliveryId::as_str);
    let stay: HashSet<&str> = open.chain(written.iter().copied()).collect();
    let mut surplus = surplus(stay.len());
    // So far one has to look where all that stay are old.
    let reach = surplus.saturating_add(stay.len());
    let mut stays = |id: &str| {
        let stays = surplus == 0 || stay.contains(id);
        surplus -= usize::from(!stays);
        stays
    };
    let end = deliveries.iter()?.nth(reach).transpose()?;
    match end.map(|(id, _)| id.value().to_owned()) {
        Some(end) => deliveries.retain_in(..end.as_str(), |id, _| stays(id))?,
        None => deliveries.retain(|id, _| stays(id))?,
    }
    Ok(())
}
