//! What a journal holds: rows of any bytes are read or refused, and what is read is written as it was.

#![no_main]

use image_updater::adapters::wire::journal::EntryForm;
use image_updater::adapters::wire::journal::RecordForm;
use image_updater::domain::queue::entry::EntryId;
use image_updater::domain::queue::record::DeliveryRecord;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (bool, &[u8])| {
    let (is_entry, bytes) = input;
    if is_entry {
        let Ok(form) = serde_json::from_slice::<EntryForm>(bytes) else {
            return;
        };
        if let Ok(queued) = form.queued(EntryId(7)) {
            let again = EntryForm::from(&queued).queued(EntryId(7));
            assert_eq!(again.as_ref(), Ok(&queued));
        }
        return;
    }
    let Ok(form) = serde_json::from_slice::<RecordForm>(bytes) else {
        return;
    };
    if let Ok(record) = DeliveryRecord::try_from(form) {
        let written = serde_json::to_vec(&RecordForm::from(&record)).unwrap();
        let form: RecordForm = serde_json::from_slice(&written).unwrap();
        assert_eq!(DeliveryRecord::try_from(form).as_ref(), Ok(&record));
    }
});
