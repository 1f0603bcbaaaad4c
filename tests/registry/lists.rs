//! Lists of tags.

use image_updater::domain::registry::answer::TagOrder;
use image_updater::domain::registry::endpoint::Endpoint;
use image_updater::ports::registry_client::RegistryClient as _;

use crate::scripted::Answer;
use crate::scripted::Scripted;
use crate::support::access;
use crate::support::client;
use crate::support::endpoint;
use crate::support::kind;
use crate::support::tags;

fn page(tags: &[&str]) -> Answer {
    let body = serde_json::json!({"name": "a", "tags": tags});
    Answer::json(body.to_string())
}

fn numbered(numbers: std::ops::Range<usize>) -> Answer {
    let tags: Vec<String> = numbers.map(|number| format!("t{number:05}")).collect();
    let tags: Vec<&str> = tags.iter().map(String::as_str).collect();
    page(&tags)
}

#[tokio::test]
async fn links_are_followed_and_what_is_no_tag_is_left_out() {
    let registry = Scripted::start(|ask, url, _| {
        if ask.is("last=2") {
            // As behind a proxy that took the TLS off.
            let link = format!("<{url}/v2/a/tags/list?last=4>; rel=\"next\"");
            page(&["-x", "3", "4", "2"]).with("link", &link)
        } else if ask.is("last=4") {
            page(&["5"])
        } else {
            page(&["1", "2"]).with("link", "</v2/a/tags/list?last=2>; rel=\"next\"")
        }
    })
    .await;
    let endpoint = Endpoint {
        order: TagOrder::LatestFirst,
        ..endpoint(&registry.url())
    };
    let client = client(endpoint);
    assert_eq!(tags(&client, "a").await.unwrap(), "1 2 3 4 5");
    let order = client.tags(&access("a")).await.unwrap().order;
    assert_eq!(order, TagOrder::LatestFirst);
}

#[tokio::test]
async fn a_full_page_without_a_link_is_not_the_end() {
    let registry = Scripted::start(|ask, _, _| {
        if ask.is("last=t00999") {
            numbered(1000..1500)
        } else {
            numbered(0..1000)
        }
    })
    .await;
    let list = client(endpoint(&registry.url())).tags(&access("a")).await;
    assert_eq!(list.unwrap().tags.len(), 1500);
    // Nor does it go on for ever where a registry does not know `last`.
    let whole = Scripted::start(|_, _, _| numbered(0..1200)).await;
    let list = client(endpoint(&whole.url())).tags(&access("a")).await;
    assert_eq!((list.unwrap().tags.len(), whole.asks().len()), (1200, 2));
}

#[tokio::test]
async fn a_registry_that_takes_no_size_is_asked_without() {
    let registry = Scripted::start(|ask, _, _| {
        if ask.is("n=") {
            Answer::error(400, "PAGINATION_NUMBER_INVALID")
        } else {
            page(&["1"])
        }
    })
    .await;
    let client = client(endpoint(&registry.url()));
    for _ in 0..2 {
        assert_eq!(tags(&client, "a").await.unwrap(), "1");
    }
    assert_eq!(registry.asks().len(), 3);
}

#[tokio::test]
async fn each_page_is_asked_again_and_sent_again_only_where_it_changed() {
    let registry = Scripted::start(|ask, _, before| {
        let (etag, tags) = match (ask.is("last=1"), before) {
            (false, _) => ("\"one\"", ["0", "1"]),
            (true, 0..=3) => ("\"two\"", ["2", "3"]),
            (true, _) => ("\"three\"", ["2", "4"]),
        };
        if ask.header("if-none-match") == Some(etag) {
            return Answer::of(304);
        }
        let answer = page(&tags).with("etag", etag);
        if ask.is("last=1") {
            answer
        } else {
            answer.with("link", "</v2/a/tags/list?last=1>; rel=next")
        }
    })
    .await;
    let client = client(endpoint(&registry.url()));
    for expected in ["0 1 2 3", "0 1 2 3", "0 1 2 4", "0 1 2 4"] {
        assert_eq!(tags(&client, "a").await.unwrap(), expected);
    }
    let conditions: Vec<bool> = registry
        .asks()
        .iter()
        .map(|ask| ask.header("if-none-match").is_some())
        .collect();
    let (first, later) = conditions.split_at(2);
    assert_eq!(first, [false, false]);
    assert_eq!(later, [true; 6]);
}

#[tokio::test]
async fn a_list_that_makes_no_sense_is_no_list() {
    let linked = |link: &str| page(&["1"]).with("link", link);
    for (name, answer, expected) in [
        (
            "html",
            Answer::of(200)
                .with("content-type", "text/html")
                .body("<html>"),
            "nonsense",
        ),
        (
            "cut",
            Answer::json(r#"{"name":"a","tags":["1","#),
            "nonsense",
        ),
        (
            "elsewhere",
            linked("<http://192.0.2.1/v2/a>; rel=next"),
            "nonsense",
        ),
        (
            "circle",
            linked("</v2/a/tags/list?n=1000>; rel=next"),
            "nonsense",
        ),
        ("unknown", Answer::error(404, "NAME_UNKNOWN"), "missing"),
        (
            "proxy",
            Answer::of(404)
                .with("content-type", "text/html")
                .body("<html>"),
            "nonsense",
        ),
        ("unasked", Answer::of(304), "nonsense"),
        ("strange", Answer::of(418), "nonsense"),
        ("null", Answer::json(r#"{"errors":null}"#), "nonsense"),
    ] {
        let registry = Scripted::start(move |_, _, _| answer.clone()).await;
        let list = tags(&client(endpoint(&registry.url())), "a").await;
        assert_eq!(kind(&list), expected, "{name}");
    }
}

#[tokio::test]
async fn a_list_of_nothing_is_one() {
    let registry = Scripted::start(|_, _, _| Answer::json(r#"{"name":"a","tags":null}"#)).await;
    assert_eq!(
        tags(&client(endpoint(&registry.url())), "a").await.unwrap(),
        ""
    );
}
