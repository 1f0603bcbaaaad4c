//! Takes a port.

use std::io;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;

use tokio::net::TcpListener;

use crate::app::settings::listen_address::ListenAddress;

/// Listens on all addresses, of IPv6 too where the machine has it.
pub(super) async fn everywhere(port: u16) -> io::Result<TcpListener> {
    match TcpListener::bind((Ipv6Addr::UNSPECIFIED, port)).await {
        Err(error) if error.kind() != io::ErrorKind::AddrInUse => {
            TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).await
        }
        bound => bound,
    }
}

/// Listens on an address of the settings.
pub(super) async fn at(address: &ListenAddress) -> io::Result<TcpListener> {
    match &address.host {
        Some(host) => TcpListener::bind((host.as_str(), address.port)).await,
        None => everywhere(address.port).await,
    }
}
