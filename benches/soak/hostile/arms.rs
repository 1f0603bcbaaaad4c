//! The requests of strangers, made once.

use crate::Result;
use crate::hostile::Kind;
use crate::plan::secret;
use crate::template::Filling;
use crate::template::Template;
use crate::template::signed;
use crate::world::FIRST;

const MIB: usize = 1024 * 1024;
const HEAD: &str = "POST /webhook?type=ghcr.io HTTP/1.1\r\nHost: h\r\n";

/// Requests by what they are for.
pub(super) struct Arms(Vec<(Kind, Vec<Vec<u8>>)>);

impl Arms {
    pub(super) fn new() -> Result<Self> {
        let true_secret = secret(0)?;
        let deep = format!(r#"{{"package":{}"#, r#"{"package":"#.repeat(20_000));
        let long = format!(r#"{{"package":{{"names":[{}1]}}}}"#, "1,".repeat(500_000));
        Ok(Self(vec![
            (Kind::BadSignature, vec![of(0, "another secret")?]),
            (
                Kind::WrongSecret,
                (1..8)
                    .map(|sender| of(sender, "another-secret"))
                    .collect::<Result<_>>()?,
            ),
            (Kind::UnknownType, unknown_types()),
            (Kind::NoRoute, no_routes()),
            (
                Kind::HugeBody,
                vec![signed("another secret", "package", &vec![b'x'; MIB])?],
            ),
            (
                Kind::AnnouncedBody,
                vec![format!("{HEAD}Content-Length: {}\r\n\r\n", 2 * MIB).into()],
            ),
            (
                Kind::HugeHead,
                vec![format!("{HEAD}X-Fill: {}\r\n\r\n", "x".repeat(20 * 1024)).into()],
            ),
            (Kind::MalformedHead, malformed_heads()),
            (
                Kind::DeepJson,
                vec![signed(&true_secret, "package", deep.as_bytes())?],
            ),
            (
                Kind::LongJson,
                vec![signed(&true_secret, "package", long.as_bytes())?],
            ),
        ]))
    }

    /// The request for that turn.
    pub(super) fn request(&self, kind: Kind, turn: usize) -> &[u8] {
        let requests = self.0.iter().find(|(known, _)| *known == kind);
        let requests = requests.map_or(&[][..], |(_, requests)| requests);
        requests
            .get(turn % requests.len().max(1))
            .map_or(&[], Vec::as_slice)
    }
}

/// What a sender would send that knew another secret.
fn of(sender: usize, secret: &str) -> Result<Vec<u8>> {
    let filling = Filling {
        application: sender,
        version: FIRST + 1,
        id: 0xbad,
    };
    Ok(Template::new(sender, secret)?.fill(&filling))
}

fn unknown_types() -> Vec<Vec<u8>> {
    let types = ["gitlab", "ghcr", "GHCR.IO", "", "%00", "docker.io%20"];
    let each = types.iter().map(|name| {
        let body = "{\"action\":\"published\"}";
        let length = body.len();
        format!("POST /webhook?type={name} HTTP/1.1\r\nHost: h\r\nContent-Length: {length}\r\n\r\n{body}")
    });
    each.map(String::into_bytes).collect()
}

fn no_routes() -> Vec<Vec<u8>> {
    let lines = [
        "GET /webhook?type=ghcr.io",
        "DELETE /webhook",
        "GET /admin",
        "GET /../../etc/passwd",
        "PUT /metrics",
        "GET /.env",
    ];
    let each = lines.map(|line| format!("{line} HTTP/1.1\r\nHost: h\r\n\r\n"));
    each.map(String::into_bytes).into()
}

fn malformed_heads() -> Vec<Vec<u8>> {
    let smuggled = "POST /webhook?type=quay.io HTTP/1.1\r\nHost: h\r\nContent-Length: 0\r\n\r\n";
    let heads = [
        "X-One: a\r\n b\r\nContent-Length: 0",
        "Transfer-Encoding:\r\n chunked",
        "Transfer-Encoding\t: chunked",
        "Content-Length\0: 0",
        "X-One: a\rContent-Length: 5",
        "Content-Length: 0\r\nContent-Length: 0, 1",
        "Content-Length: 1e0",
        "Transfer-Encoding: \"chunked\"",
        "Content-Length: 6\r\nTransfer-Encoding: identity",
        "X One: a",
        ": a",
    ];
    let mut all: Vec<String> = heads
        .map(|head| format!("{HEAD}{head}\r\n\r\n{smuggled}"))
        .into();
    let chunks = [
        "2\n{}\r\n0\r\n\r\n",
        "0x2\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff1\r\n{}\r\n0\r\n\r\n",
    ];
    all.extend(
        chunks.map(|chunks| format!("{HEAD}Transfer-Encoding: chunked\r\n\r\n{chunks}{smuggled}")),
    );
    all.extend(
        ["POST  HTTP/1.1", "PO\0ST / HTTP/1.1", "POST / HTTP/2.0"]
            .map(|line| format!("{line}\r\nHost: h\r\n\r\n")),
    );
    all.into_iter().map(String::into_bytes).collect()
}
