//! Taking up authorities that were replaced.

use std::sync::Arc;

use super::acceptor::TlsAcceptor;
use super::client_ca::ClientCa;
use super::client_ca::ClientCaFile;
use super::error::TlsError;

/// Watches over the authorities whose word counts for clients.
pub(super) struct ClientCaWatch {
    pub(super) file: ClientCaFile,
    pub(super) acceptor: Arc<dyn TlsAcceptor>,
    /// What was taken up last.
    pub(super) known: Vec<u8>,
    /// What is wrong with the file, and was said.
    problem: Option<String>,
}

impl ClientCaWatch {
    /// Starts from what the acceptor was made with.
    pub(super) fn new(file: ClientCaFile, acceptor: Arc<dyn TlsAcceptor>, known: Vec<u8>) -> Self {
        Self {
            file,
            acceptor,
            known,
            problem: None,
        }
    }

    /// Takes up what the file holds now. What cannot be used leaves the authorities as they were, and is said once.
    pub(super) fn look(&mut self, now: Result<Vec<u8>, TlsError>) {
        let taken = now.and_then(|bytes| {
            if bytes == self.known {
                return Ok(false);
            }
            let clients = ClientCa::parse(&bytes)?;
            // Another comment is no other authority, for which every connection would have to show its certificate again.
            let is_new = ClientCa::parse(&self.known).ok().as_ref() != Some(&clients);
            if is_new {
                self.acceptor.trust(&clients)?;
            }
            self.known = bytes;
            Ok(is_new)
        });
        let place = self.file.0.display();
        match taken {
            Ok(is_new) => {
                self.problem = None;
                if is_new {
                    tracing::info!(%place, "client certificates are those of the authorities that have replaced the previous ones");
                }
            }
            Err(error) => {
                let reason = error.to_string();
                if self.problem.as_ref() != Some(&reason) {
                    tracing::error!(%place, reason, "keeping the previous authorities of client certificates");
                    self.problem = Some(reason);
                }
            }
        }
    }
}
