//! What a journal holds: rows of any bytes are read or refused, and what is read is written as it was.

#![no_main]

use image_updater::adapters::journal::delivery_in;
use image_updater::adapters::wire::journal::RecordForm;
use image_updater::domain::queue::record::DeliveryRecord;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|row: &[u8]| {
    let Ok((record, waiting)) = delivery_in(row) else {
        return;
    };
    for queued in &waiting {
        assert_eq!(queued.delivery, record.id);
        assert!(record.events.iter().any(|known| known.event == queued.event));
    }
    let written = serde_json::to_vec(&RecordForm::from(&record)).unwrap();
    let form: RecordForm = serde_json::from_slice(&written).unwrap();
    assert_eq!(DeliveryRecord::try_from(form).as_ref(), Ok(&record));
});
