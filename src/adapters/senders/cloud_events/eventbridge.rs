//! What EventBridge sends for ECR without an input transformer.

use serde_json::Value;

use crate::adapters::senders::cloud_events::announcement::failure;
use crate::adapters::senders::cloud_events::ecr;
use crate::adapters::senders::json::Text;
use crate::adapters::senders::media_type::no_image;
use crate::adapters::senders::names::image;
use crate::adapters::senders::names::missing;
use crate::adapters::senders::pushes::Pushes;
use crate::adapters::senders::quote::quoted;
use crate::ports::payload_decoder::DecodeError;

/// Whether a value is an event of ECR in EventBridge's own form.
pub(super) fn is_native(event: &Value) -> bool {
    let source = Text::of(event, "source");
    source.get() == Some("aws.ecr") && event.get("detail-type").is_some()
}

/// Adds the push that an event announces. A replication is one in the registry that received the image, which is also the one whose
/// account and region the event names.
pub(super) fn read(event: &Value, pushes: &mut Pushes) -> Result<(), DecodeError> {
    let detail = event.get("detail").unwrap_or(&Value::Null);
    if let Some(reason) = no_push(event, detail) {
        pushes.leave_out(reason);
        return Ok(());
    }
    let (account, region) = (Text::of(event, "account"), Text::of(event, "region"));
    let registry = ecr::registry(
        account.get().ok_or_else(|| missing("account"))?,
        region.get().ok_or_else(|| missing("region"))?,
    )?;
    let name = Text::of(detail, "repository-name");
    let name = name
        .get()
        .ok_or_else(|| missing("detail.repository-name"))?;
    pushes.add(
        image(registry, "detail.repository-name", name)?,
        Text::of(detail, "image-tag").get(),
        Text::of(detail, "image-digest").get(),
    );
    Ok(())
}

fn no_push(event: &Value, detail: &Value) -> Option<String> {
    let kind = Text::of(event, "detail-type");
    let kind = kind.get().unwrap_or_default();
    let action = match kind {
        "ECR Image Action" => "PUSH",
        "ECR Replication Action" => "REPLICATE",
        other => {
            return Some(format!(
                "the event {} is no push of an image",
                quoted(other)
            ));
        }
    };
    let said = Text::of(detail, "action-type");
    let said = said.get().unwrap_or_default();
    if said != action {
        return Some(format!(
            "the action {} is no push of an image",
            quoted(said)
        ));
    }
    let failed = Text::of(detail, "result").get().and_then(failure);
    failed.or_else(|| no_image(Text::of(detail, "artifact-media-type").get()?))
}
