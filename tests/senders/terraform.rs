//! The Terraform module for ECR: what EventBridge makes of native events by its transformer is decoded.
//!
//! The [events](https://docs.aws.amazon.com/AmazonECR/latest/userguide/ecr-eventbridge.html) have the form that AWS documents, and the
//! [transformer](https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-transform-target-input.html) works as it says there.

use std::collections::BTreeMap;

use image_updater::adapters::senders;
use image_updater::domain::delivery::Delivery;
use image_updater::domain::delivery::DeliveryId;
use image_updater::domain::pairs::Pairs;
use serde_json::Value;
use serde_json::json;

use super::outcome;
use super::read;

/// What the module tells EventBridge.
struct Module {
    /// Names of variables, and where an event has their values.
    paths: BTreeMap<String, String>,
    template: String,
    /// For each detail type of ECR: which action of it is announced, and as which type of event it goes on.
    announcements: Vec<Announcement>,
}

struct Announcement {
    detail_type: String,
    action: String,
    event_type: String,
}

impl Module {
    fn read() -> Self {
        let text = read("config/examples/cloudevents/terraform/main.tf");
        let block = between(&text, "input_paths = {\n", "}");
        let paths = block.lines().filter_map(assignment).collect();
        let template = between(&text, "<<-JSON\n", "JSON\n").to_owned();
        let locals = between(&text, "locals {\n", "repositories =");
        let announcements: Vec<_> = locals
            .split("detail_type")
            .skip(1)
            .map(announcement)
            .collect();
        assert_eq!(announcements.len(), 2);
        Self {
            paths,
            template,
            announcements,
        }
    }

    /// What EventBridge delivers of an event.
    fn transform(&self, event: &Value) -> String {
        let fits = |announcement: &&Announcement| {
            event["detail-type"] == announcement.detail_type
                && event["detail"]["action-type"] == announcement.action
        };
        let announcement = self.announcements.iter().find(fits).unwrap();
        let mut body = self
            .template
            .replace("${each.value.event_type}", &announcement.event_type);
        for (name, path) in &self.paths {
            let value = look_up(event, path);
            let escaped = Value::from(value).to_string();
            body = body.replace(&format!("<{name}>"), escaped.trim_matches('"'));
        }
        body
    }
}

fn between<'t>(text: &'t str, start: &str, end: &str) -> &'t str {
    let (_, rest) = text.split_once(start).unwrap();
    rest.split_once(end).unwrap().0
}

/// The name and the text of `name = "text"`.
fn assignment(line: &str) -> Option<(String, String)> {
    let (name, value) = line.split_once('=')?;
    let value = value.trim().trim_matches('"');
    Some((name.trim().to_owned(), value.to_owned()))
}

fn announcement(block: &str) -> Announcement {
    let mut texts = block.split('"').skip(1).step_by(2).map(str::to_owned);
    Announcement {
        detail_type: texts.next().unwrap(),
        action: texts.next().unwrap(),
        event_type: texts.next().unwrap(),
    }
}

/// A text of an event, by a path such as `$.detail.image-tag`.
fn look_up<'e>(event: &'e Value, path: &str) -> &'e str {
    let pointer = path.strip_prefix('$').unwrap().replace('.', "/");
    event
        .pointer(&pointer)
        .and_then(Value::as_str)
        .unwrap_or_default()
}

fn native(region: &str, repository: &str, tag: &str) -> Value {
    json!({
        "version": "0",
        "id": "13cde686-328b-6117-af20-0e5566167482",
        "detail-type": "ECR Image Action",
        "source": "aws.ecr",
        "account": "111122223333",
        "time": "2026-11-16T01:54:34Z",
        "region": region,
        "resources": [],
        "detail": {
            "result": "SUCCESS",
            "repository-name": repository,
            "image-digest": DIGEST,
            "action-type": "PUSH",
            "image-tag": tag,
            "manifest-media-type": "application/vnd.oci.image.manifest.v1+json",
        },
    })
}

fn replicated() -> Value {
    let mut event = native("eu-central-1", "team/orders", "2.0");
    event["detail-type"] = json!("ECR Replication Action");
    event["resources"] = json!(["arn:aws:ecr:eu-central-1:111122223333:repository/team/orders"]);
    event["detail"]["action-type"] = json!("REPLICATE");
    event["detail"]["source-account"] = json!("111122223333");
    event["detail"]["source-region"] = json!("eu-west-1");
    event
}

const DIGEST: &str = "sha256:7f5b2640fe6fb4f46592dfd3410c4a79dac4f89e4782432e0378abcd12345678";

#[test]
fn what_event_bridge_makes_of_an_event_is_understood() {
    let module = Module::read();
    let all = senders::all();
    let sender = all
        .iter()
        .find(|sender| sender.profile().name == "cloudevents");
    let host = |region: &str, domain: &str| format!("111122223333.dkr.ecr.{region}.{domain}");
    for (event, registry, repository, tag) in [
        (
            native("eu-west-1", "orders", "1.0"),
            host("eu-west-1", "amazonaws.com"),
            "orders",
            "1.0",
        ),
        (
            native("us-east-1", "team/a/b-c_d", "v1.0-rc.1"),
            host("us-east-1", "amazonaws.com"),
            "team/a/b-c_d",
            "v1.0-rc.1",
        ),
        (
            replicated(),
            host("eu-central-1", "amazonaws.com"),
            "team/orders",
            "2.0",
        ),
    ] {
        let body = module.transform(&event);
        let delivery = Delivery {
            id: DeliveryId::new("transformed".to_owned()),
            headers: Pairs::default(),
            query: Pairs::default(),
            body: body.clone().into_bytes(),
        };
        let image =
            json!({"registry": registry, "repository": repository, "tag": tag, "digest": DIGEST});
        let actual = outcome(sender.unwrap().as_ref(), &delivery);
        assert_eq!(actual["images"], json!([image]), "{body}: {actual}");
        let body: Value = serde_json::from_str(&body).unwrap();
        assert_eq!((&body["id"], &body["time"]), (&event["id"], &event["time"]));
    }
}

/// EventBridge knows no other variables than these.
#[test]
fn every_variable_of_the_template_has_a_path() {
    let module = Module::read();
    let names = module.template.split('<').skip(1);
    let names: Vec<&str> = names
        .filter_map(|rest| rest.split_once('>'))
        .map(|(name, _)| name)
        .collect();
    assert!(names.len() > 7);
    for name in names {
        assert!(module.paths.contains_key(name), "{name}");
    }
}
