//! Losing the API server without harming it.

use std::net::Ipv4Addr;

use tokio::io::copy_bidirectional;
use tokio::net::TcpListener;
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use super::ApiServer;

/// A way to the API server that can be cut.
pub(crate) struct Way {
    port: u16,
    is_open: watch::Sender<bool>,
    carrying: JoinHandle<()>,
}

impl Way {
    /// Makes it, and it is open.
    pub(crate) async fn to(server: &ApiServer) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let target = server.url().trim_start_matches("https://").to_owned();
        let is_open = watch::Sender::new(true);
        let opening = is_open.clone();
        let carrying = tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                tokio::spawn(carry(near, target.clone(), opening.subscribe()));
            }
        });
        Self {
            port,
            is_open,
            carrying,
        }
    }

    /// The address of the API server by this way.
    pub(crate) fn url(&self) -> String {
        format!("https://127.0.0.1:{}", self.port)
    }

    /// Breaks every connection, and lets none through.
    pub(crate) fn cut(&self) {
        self.is_open.send_replace(false);
    }

    /// Lets connections through again.
    pub(crate) fn open(&self) {
        self.is_open.send_replace(true);
    }
}

impl Drop for Way {
    fn drop(&mut self) {
        self.carrying.abort();
    }
}

/// Carries a connection as long as the way is open.
async fn carry(mut near: TcpStream, target: String, mut is_open: watch::Receiver<bool>) {
    if !*is_open.borrow() {
        return;
    }
    let mut far = TcpStream::connect(target).await.unwrap();
    tokio::select! {
        _ = copy_bidirectional(&mut near, &mut far) => {}
        _ = is_open.wait_for(|open| !open) => {}
    }
}
