//! Requests that are to be refused, one after the other.

use std::io;

use super::Kind;
use super::Stranger;

impl Stranger {
    /// Sends one, over the connection of the last one if that is still there.
    pub(super) async fn ask(&mut self) -> io::Result<()> {
        let mut wire = match self.wire.take() {
            Some(wire) => wire,
            None => self.connect().await?,
        };
        let request = self.arms.request(self.kind, self.turn);
        let answer = wire.exchange(request).await?;
        if (200..300).contains(&answer.status) {
            let text = String::from_utf8_lossy(&answer.body);
            let kind = self.kind;
            self.load.tally.let_in.add();
            self.load
                .tally
                .complain(format!("{kind:?} was let in: {text}"));
        }
        // What follows a malformed head is another request, to which there may be an answer.
        if !answer.closes && self.kind != Kind::MalformedHead {
            self.wire = Some(wire);
        }
        Ok(())
    }
}
