//! Deliveries for people.

use std::time::SystemTime;

use crate::domain::queue::fate::ApplicationOutcome;
use crate::domain::queue::fate::Fate;
use crate::domain::queue::record::DeliveryRecord;
use crate::domain::queue::record::EventRecord;
use crate::domain::queue::record::EventState;

/// How many images of a delivery are named in a list.
const NAMED: usize = 3;

/// What stands above a list.
#[must_use]
pub fn heading() -> String {
    row("ID", "RECEIVED", "SENDER", "STATE", "IMAGES")
}

/// A line for each delivery.
#[must_use]
pub fn list(records: &[DeliveryRecord]) -> String {
    let rows = records.iter().map(|record| {
        row(
            record.id.as_str(),
            &time(record.at),
            &record.sender,
            record.progress().name(),
            &images(record),
        )
    });
    rows.collect::<Vec<_>>().join("\n")
}

fn row(id: &str, received: &str, sender: &str, state: &str, images: &str) -> String {
    format!("{id:36}  {received:20}  {sender:12}  {state:6}  {images}")
}

fn images(record: &DeliveryRecord) -> String {
    let named = record.events.iter().take(NAMED);
    let named: Vec<String> = named
        .map(|known| format!("{}:{}", known.event.image, known.event.tag))
        .collect();
    let rest = record.events.len() - named.len();
    let more = if rest > 0 {
        format!(" and {rest} more")
    } else {
        String::new()
    };
    format!("{}{more}", named.join(", "))
}

/// All that is known of a delivery.
#[must_use]
pub fn show(record: &DeliveryRecord) -> String {
    let sent = match &record.key {
        Some(key) => format!("{}, which calls it {}", record.sender, key.as_str()),
        None => record.sender.clone(),
    };
    let mut lines: Vec<String> = [
        ("delivery", record.id.to_string()),
        ("sender", sent),
        ("received", time(record.at)),
        ("state", record.progress().name().to_owned()),
    ]
    .map(|(name, text)| format!("{name:10}{text}"))
    .to_vec();
    for known in &record.events {
        lines.push(String::new());
        lines.extend(event(known));
    }
    lines.join("\n")
}

fn event(known: &EventRecord) -> Vec<String> {
    let head = known.event.to_string();
    let EventState::Ended { at, fate, unnamed } = &known.state else {
        return vec![head, "  waits, or is in work".to_owned()];
    };
    let at = time(*at);
    let mut lines = vec![head];
    match fate {
        // Where many have, they are not remembered each.
        Fate::Superseded(by) if by.as_str().is_empty() => {
            lines.push(format!("  {at}  superseded by a newer delivery"));
        }
        Fate::Superseded(by) => {
            lines.push(format!("  {at}  superseded by delivery {by}"));
        }
        Fate::Worked(outcomes) if outcomes.is_empty() => {
            lines.push(match unnamed {
                0 => format!("  {at}  unmatched: no Application runs this image"),
                // Which ones it was is not remembered.
                _ => format!("  {at}  worked on in {unnamed} Applications"),
            });
            return lines;
        }
        Fate::Worked(outcomes) => {
            lines.push(format!("  {at}  worked on"));
            lines.extend(outcomes.iter().map(outcome));
        }
    }
    if *unnamed > 0 {
        lines.push(format!("  and {unnamed} more Applications"));
    }
    lines
}

fn outcome(outcome: &ApplicationOutcome) -> String {
    let ApplicationOutcome {
        application,
        alias,
        outcome,
        detail,
    } = outcome;
    let alias = if alias.is_empty() {
        String::new()
    } else {
        format!(" ({alias})")
    };
    format!("  {outcome:10}{application}{alias}: {detail}")
}

fn time(time: SystemTime) -> String {
    humantime::format_rfc3339_seconds(time).to_string()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::app::deliveries::json;
    use crate::domain::delivery::DeliveryId;
    use crate::domain::delivery::SenderKey;
    use crate::domain::event::ImageEvent;
    use crate::domain::queue::accepted::Accepted;
    use crate::domain::queue::fate::ImageOutcome;
    use crate::domain::reference::ImageName;
    use crate::domain::reference::Tag;
    use crate::domain::testing::id;

    fn at(seconds: u64) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_secs(1_790_000_000 + seconds)
    }

    fn record() -> DeliveryRecord {
        let event = |tag: &str| ImageEvent {
            image: ImageName::parse("ghcr.io/acme/web").unwrap(),
            tag: Tag::parse(tag).unwrap(),
            digest: None,
        };
        let events: Vec<ImageEvent> = ["1.5.0", "1.5", "1", "latest"].map(event).into();
        let mut record = DeliveryRecord::new(&Accepted {
            delivery: DeliveryId::new("0199f6a0-0000-7000-8000-000000000000"),
            sender: "ghcr.io".to_owned(),
            key: SenderKey::parse("ghcr.io:68fcbaf2"),
            at: at(0),
            trace: None,
            events: events.clone(),
        });
        let outcome = |name: &str, outcome, detail: &str| ApplicationOutcome {
            application: id(name),
            alias: "main".to_owned(),
            outcome,
            detail: detail.to_owned(),
        };
        let worked = Fate::Worked(vec![
            outcome("shop", ImageOutcome::Changed, "from \"1.4.2\" to \"1.5.0\""),
            outcome("blog", ImageOutcome::Failed, "it is forbidden"),
        ]);
        record.end(&events[0], at(1), &worked);
        record.end(&events[1], at(2), &Fate::Superseded(DeliveryId::new("d2")));
        record.end(&events[2], at(3), &Fate::Worked(Vec::new()));
        record
    }

    #[test]
    fn people_see_what_became_of_each_image_and_why() {
        let shown = show(&record());
        let expected = "\
delivery  0199f6a0-0000-7000-8000-000000000000
sender    ghcr.io, which calls it ghcr.io:68fcbaf2
received  2026-09-21T14:13:20Z
state     open

ghcr.io/acme/web:1.5.0
  2026-09-21T14:13:21Z  worked on
  failed    argocd/blog (main): it is forbidden
  changed   argocd/shop (main): from \"1.4.2\" to \"1.5.0\"

ghcr.io/acme/web:1.5
  2026-09-21T14:13:22Z  superseded by delivery d2

ghcr.io/acme/web:1
  2026-09-21T14:13:23Z  unmatched: no Application runs this image

ghcr.io/acme/web:latest
  waits, or is in work";
        assert_eq!(shown, expected);
        let listed = list(&[record()]);
        assert!(listed.contains("web:1 and 1 more"), "{listed}");
        assert_eq!(heading().find("IMAGES"), listed.find("ghcr.io/acme"));
    }

    #[test]
    fn what_is_not_remembered_in_full_is_not_taken_for_something_else() {
        let mut record = record();
        let superseded = Fate::Superseded(DeliveryId::new(""));
        record.events[1].state = EventState::ended(at(4), &superseded);
        record.events[2].state = EventState::Ended {
            at: at(4),
            fate: Fate::Worked(Vec::new()),
            unnamed: 3,
        };
        let shown = show(&record);
        let expected = "
ghcr.io/acme/web:1.5
  2026-09-21T14:13:24Z  superseded by a newer delivery

ghcr.io/acme/web:1
  2026-09-21T14:13:24Z  worked on in 3 Applications

";
        assert!(shown.contains(expected), "{shown}");
    }

    #[test]
    fn programs_see_the_same() {
        let lines = json::render(&[record(), record()]).unwrap();
        let one: serde_json::Value = serde_json::from_str(lines.lines().next().unwrap()).unwrap();
        assert_eq!(lines.lines().count(), 2);
        assert_eq!(one["state"], "open");
        assert_eq!(one["images"][0]["applications"][0]["outcome"], "failed");
        assert_eq!(one["images"][1]["superseded_by"], "d2");
        assert_eq!(one["images"][3]["ended"], serde_json::Value::Null);
    }
}
