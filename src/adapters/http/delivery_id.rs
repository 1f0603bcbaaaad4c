//! Names for deliveries.

use uuid::Uuid;

use crate::domain::delivery::DeliveryId;

/// A new id: a [UUID of version 7](https://www.rfc-editor.org/rfc/rfc9562#section-5.7), so that ids sort by time.
pub(super) fn fresh() -> DeliveryId {
    let mut text = Uuid::encode_buffer();
    let text: &str = Uuid::now_v7().hyphenated().encode_lower(&mut text);
    DeliveryId::new(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn later_ids_sort_after_earlier_ones() {
        let ids: Vec<_> = (0..1000).map(|_| fresh()).collect();
        assert!(ids.is_sorted());
        let mut unique = ids.clone();
        unique.dedup();
        assert_eq!(unique.len(), ids.len());
    }
}
