//! One trace from a delivery to what is written for it, as a collector gets it.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::fs;
use std::sync::Arc;
use std::sync::Mutex;

use http_body_util::BodyExt;
use http_body_util::Empty;
use hyper::Request;
use hyper::Response;
use hyper::body::Bytes;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use image_updater::adapters::webhook_client::HttpWebhookClient;
use image_updater::ports::webhook_client::WebhookClient;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;

use crate::deliver::announcement;
use crate::deliver::deliver;
use crate::folder::Folder;
use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::server::Server;
use crate::server::program;

const SECRET: &str = "Zq7-traces-hunter2";
const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const SENDER: &str = "b7ad6b7169203331";

/// A collector, and what it got: the bodies, and the value of a header with a secret.
#[derive(Default)]
struct Collector {
    bodies: Mutex<Vec<Bytes>>,
    keys: Mutex<Vec<String>>,
}

impl Collector {
    /// Listens for as long as the test runs.
    async fn start() -> (Arc<Self>, String) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let collector = Arc::new(Self::default());
        let got = Arc::clone(&collector);
        tokio::spawn(async move {
            loop {
                let (tcp, _) = listener.accept().await.unwrap();
                let got = Arc::clone(&got);
                let service = service_fn(move |request| take(Arc::clone(&got), request));
                let connection = http1::Builder::new().serve_connection(TokioIo::new(tcp), service);
                tokio::spawn(connection);
            }
        });
        (collector, format!("http://{address}"))
    }

    fn requests(&self) -> Vec<ExportTraceServiceRequest> {
        let bodies = self.bodies.lock().unwrap();
        let decoded = bodies.iter();
        decoded
            .map(|body| ExportTraceServiceRequest::decode(body.clone()).unwrap())
            .collect()
    }

    fn spans(&self) -> Vec<Span> {
        let requests = self.requests().into_iter();
        let resources = requests.flat_map(|request| request.resource_spans);
        let scopes = resources.flat_map(|resource| resource.scope_spans);
        scopes.flat_map(|scope| scope.spans).collect()
    }
}

async fn take(
    collector: Arc<Collector>,
    request: Request<Incoming>,
) -> Result<Response<Empty<Bytes>>, Infallible> {
    assert_eq!(request.uri().path(), "/v1/traces");
    let header = |name| {
        request
            .headers()
            .get(name)
            .map(|value| value.to_str().unwrap())
    };
    assert_eq!(header("content-type"), Some("application/x-protobuf"));
    let key = header("x-key").unwrap_or_default().to_owned();
    collector.keys.lock().unwrap().push(key);
    let body = request.into_body().collect().await.unwrap().to_bytes();
    collector.bodies.lock().unwrap().push(body);
    Ok(Response::new(Empty::new()))
}

fn start(folder: &Folder, flags: &[String], variables: &[(&str, &str)]) -> Server {
    let mut command = program();
    command
        .args(["webhook", "--webhook-port", "0", "--loglevel", "debug"])
        .args(["--disable-tls", "--shutdown-delay=0s"])
        .args(folder.flags())
        .args(flags)
        .envs(variables.iter().copied());
    Server::spawn(command)
}

fn attributes(span: &Span) -> BTreeMap<&str, &str> {
    span.attributes
        .iter()
        .map(|attribute| {
            let value = attribute.value.as_ref().unwrap().value.as_ref().unwrap();
            let Value::StringValue(text) = value else {
                panic!("{value:?}");
            };
            (attribute.key.as_str(), text.as_str())
        })
        .collect()
}

fn named<'a>(spans: &'a [Span], name: &str) -> Vec<&'a Span> {
    spans.iter().filter(|span| span.name == name).collect()
}

/// Announces an image as part of the sender's trace.
async fn announce(server: &Server, image: &str) {
    let mut request = announcement(server, "ghcr.io", image, SECRET);
    let parent = format!("00-{TRACE}-{SENDER}-01");
    request.headers.push(("traceparent".to_owned(), parent));
    let client = HttpWebhookClient::to_this_machine().unwrap();
    let answer = client.post(request).await.unwrap();
    assert_eq!(answer.status, 200, "{}", answer.body);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_delivery_makes_one_trace_up_to_the_change() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (collector, endpoint) = Collector::start().await;
    let key = "Zq7-collector-hunter2";
    let header = format!("x-key={key}");
    let mut server = start(
        &folder,
        &[],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("OTEL_EXPORTER_OTLP_HEADERS", header.as_str()),
        ],
    );
    announce(&server, "ghcr.io/acme/web:1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
    // Whoever does not know the secret makes no span.
    let refused = deliver(&server, "ghcr.io", "ghcr.io/acme/web:1.2.0", "wrong").await;
    assert_eq!(refused.status, 401);
    server.signal("TERM");
    assert!(server.wait().success());

    let spans = collector.spans();
    assert!(
        spans
            .iter()
            .all(|span| hex::encode(&span.trace_id) == TRACE),
        "{spans:?}"
    );
    let [receipt] = named(&spans, "receive delivery")[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(hex::encode(&receipt.parent_span_id), SENDER);
    let told = attributes(receipt);
    assert_eq!(told["image_updater.type"], "ghcr.io");
    assert_eq!(told["image_updater.outcome"], "accepted");
    let id = told["image_updater.delivery"];
    assert!(!server.log.with(&[id, "outcome=changed"]).is_empty());
    check_parts(&spans, receipt);
    check_secrecy(&collector, &server, key);
    check_service(&collector);
}

/// The work is part of the receipt.
fn check_parts(spans: &[Span], receipt: &Span) {
    for (name, least) in [
        ("wait in queue", 1),
        ("judge image", 2),
        ("write changes", 1),
    ] {
        let parts = named(spans, name);
        assert!(parts.len() >= least, "{name}: {spans:?}");
        for part in parts {
            assert_eq!(part.parent_span_id, receipt.span_id, "{name}");
            assert!(part.start_time_unix_nano <= part.end_time_unix_nano);
            let told = attributes(part);
            assert_eq!(told["image_updater.image"], "ghcr.io/acme/web");
            assert_eq!(told["image_updater.tags"], "1.1.0");
        }
    }
    let write = named(spans, "write changes")[0];
    assert!(receipt.start_time_unix_nano < write.end_time_unix_nano);
}

/// The collector gets its key, and nobody anything else that is secret.
fn check_secrecy(collector: &Collector, server: &Server, key: &str) {
    let keys = collector.keys.lock().unwrap();
    assert!(!keys.is_empty() && keys.iter().all(|sent| sent == key));
    let bodies = collector.bodies.lock().unwrap();
    for secret in [SECRET, key, "wrong"] {
        let holds = |body: &Bytes| {
            body.windows(secret.len())
                .any(|part| part == secret.as_bytes())
        };
        assert!(!bodies.iter().any(holds), "{secret}");
        assert!(!server.log.text().contains(secret), "{secret}");
    }
}

fn check_service(collector: &Collector) {
    let requests = collector.requests();
    let resource = requests[0].resource_spans[0].resource.as_ref().unwrap();
    let named = resource.attributes.iter().any(|attribute| {
        let value = attribute.value.as_ref();
        let value = value.and_then(|value| value.value.as_ref());
        let name = Value::StringValue("argocd-image-updater".to_owned());
        attribute.key == "service.name" && value == Some(&name)
    });
    assert!(named, "{resource:?}");
}

/// A registry that shows every tag.
async fn registry() -> Scripted {
    let digest = format!("sha256:{}", "a".repeat(64));
    let manifest = Answer::of(200)
        .with("content-type", "application/vnd.oci.image.manifest.v1+json")
        .with("docker-content-digest", &digest);
    Scripted::start(move |ask, _, _| {
        assert!(ask.is("/manifests/1.1.0"), "{}", ask.line);
        manifest.clone()
    })
    .await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_asked_of_a_registry_is_part_of_the_trace() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let registry = registry().await;
    let description = folder.secrets().join("registries.conf");
    let described = format!(
        "registries:\n- {{name: Tests, prefix: ghcr.io, api_url: '{}'}}\n",
        registry.url()
    );
    fs::write(&description, described).unwrap();
    let (collector, endpoint) = Collector::start().await;
    let mut server = start(
        &folder,
        &[format!("--registries-conf-path={}", description.display())],
        &[
            ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
            ("WEBHOOK_CONFIRM", "registry"),
        ],
    );
    announce(&server, "ghcr.io/acme/web:1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
    server.signal("TERM");
    assert!(server.wait().success());
    let spans = collector.spans();
    let [receipt] = named(&spans, "receive delivery")[..] else {
        panic!("{spans:?}");
    };
    let [ask] = named(&spans, "ask registries")[..] else {
        panic!("{spans:?}");
    };
    assert_eq!(ask.parent_span_id, receipt.span_id);
    assert_eq!(hex::encode(&ask.trace_id), TRACE);
    let write = named(&spans, "write changes")[0];
    assert!(ask.end_time_unix_nano <= write.start_time_unix_nano);
}

/// What a process that is killed has left is part of the sender's trace in the next one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_trace_goes_on_after_a_new_start() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (collector, endpoint) = Collector::start().await;
    let state = folder.manifests().with_file_name("state");
    let flags = [format!("--state-dir={}", state.display())];
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("WEBHOOK_RATELIMIT_ALLOWED", "1"),
    ];
    let mut server = start(&folder, &flags, &variables);
    announce(&server, "ghcr.io/acme/web:1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
    // Its turn comes in an hour.
    announce(&server, "ghcr.io/acme/web:1.2.0").await;
    server.signal("KILL");
    server.wait();
    let mut server = start(&folder, &flags, &variables);
    server.log.wait_for(&["outcome=changed", "1.2.0"]);
    server.signal("TERM");
    assert!(server.wait().success());
    let spans = collector.spans();
    let of_the_second = |span: &&&Span| attributes(span)["image_updater.tags"] == "1.2.0";
    let writes = named(&spans, "write changes");
    let write = writes.iter().find(of_the_second).unwrap();
    assert_eq!(hex::encode(&write.trace_id), TRACE);
    // Its receipt is a span of the process before, and not the sender's.
    assert!(!write.parent_span_id.is_empty());
    assert_ne!(hex::encode(&write.parent_span_id), SENDER);
}

/// Deliveries that are judged together: the spans are those of the latest, and lead to the others.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn work_for_several_deliveries_leads_to_all_of_them() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let (collector, endpoint) = Collector::start().await;
    let endpoint = format!("{endpoint}/v1/traces");
    let variables = [
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", endpoint.as_str()),
        ("WEBHOOK_RATELIMIT_ALLOWED", "1"),
    ];
    let mut server = start(&folder, &[], &variables);
    let send = async |version: &str| {
        let image = format!("ghcr.io/acme/web:{version}");
        let answer = deliver(&server, "ghcr.io", &image, SECRET).await;
        assert_eq!(answer.status, 200);
    };
    send("1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
    // The next turn comes with the end of the process, for both at once.
    send("1.2.0").await;
    send("1.3.0").await;
    server.signal("TERM");
    assert!(server.wait().success());

    let spans = collector.spans();
    let receipts = named(&spans, "receive delivery");
    assert_eq!(receipts.len(), 3, "{spans:?}");
    let writes = named(&spans, "write changes");
    assert_eq!(writes.len(), 2, "{spans:?}");
    let together = writes
        .into_iter()
        .find(|span| attributes(span)["image_updater.tags"] == "1.3.0,1.2.0")
        .unwrap();
    let linked: Vec<_> = together.links.iter().map(|link| &link.span_id).collect();
    let [one] = linked[..] else {
        panic!("{together:?}");
    };
    assert_ne!(*one, together.parent_span_id);
    for id in [one, &together.parent_span_id] {
        assert!(receipts.iter().any(|receipt| receipt.span_id == *id));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_collector_that_is_away_holds_nothing_up_and_is_told_once() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    drop(listener);
    let endpoint = format!("http://user:{SECRET}@{address}");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "10"),
    ];
    let mut server = start(&folder, &[], &variables);
    announce(&server, "ghcr.io/acme/web:1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
    server.log.wait_for(&["traces cannot be sent"]);
    server.signal("TERM");
    assert!(server.wait().success());
    assert_eq!(server.log.with(&["traces cannot be sent"]).len(), 1);
    assert!(!server.log.text().contains(SECRET), "{}", server.log.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn another_protocol_is_told_and_nothing_else_depends_on_it() {
    let folder = Folder::new(SECRET);
    folder.add("web", "ghcr.io/acme/web:1.0.0", "ghcr.io/acme/web:^1", "");
    let variables = [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317"),
        ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc"),
    ];
    let server = start(&folder, &[], &variables);
    server
        .log
        .wait_for(&["level=warning", "traces are not sent", "http/protobuf"]);
    announce(&server, "ghcr.io/acme/web:1.1.0").await;
    server.log.wait_for(&["outcome=changed"]);
}
