//! Frames of HTTP/2, made by hand: RFC 9113 section 4.1.

pub(crate) const DATA: u8 = 0;
pub(crate) const HEADERS: u8 = 1;
pub(crate) const RESET: u8 = 3;
pub(crate) const SETTINGS: u8 = 4;
pub(crate) const CONTINUATION: u8 = 9;

pub(crate) const END_STREAM: u8 = 1;
pub(crate) const END_HEADERS: u8 = 4;

/// What a client says first.
pub(crate) const PREFACE: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";
/// Settings by which the window of each stream is empty at first, so that no answer can be sent.
pub(crate) const NO_WINDOW: &[u8] = &[0, 4, 0, 0, 0, 0];

/// A GET of `/` at www.example.com, as RFC 7541 section C.4.1 packs it.
pub(crate) const GET: &[u8] =
    b"\x82\x86\x84\x41\x8c\xf1\xe3\xc2\xe5\xf2\x3a\x6b\xa0\xab\x90\xf4\xff";
/// POST, https, `/webhook` and no index.
pub(crate) const POST: &[u8] = b"\x83\x87\x04\x08/webhook\x01\x01h";

pub(crate) fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let stream = stream.to_be_bytes();
    [&length[1..], &[kind, flags], &stream, payload].concat()
}

/// A stream that is opened, and taken back at once.
pub(crate) fn reset_at_once(stream: u32) -> Vec<u8> {
    let open = frame(HEADERS, END_HEADERS, stream, GET);
    [open, frame(RESET, 0, stream, &[0, 0, 0, 8])].concat()
}

/// Fields of a head that are literal and never indexed.
pub(crate) fn fields() -> Vec<u8> {
    let field = [&b"\x10\x01a\x7f\x87\x01"[..], &[b'x'; 262]].concat();
    field.repeat(60)
}
