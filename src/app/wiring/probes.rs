//! The server for the kubelet's probes.

use std::net::SocketAddr;

use tracing::info;

use crate::adapters::http::readiness::Readiness;
use crate::adapters::http::server::serve_probes;
use crate::app::settings::listen_address::ListenAddress;
use crate::app::wiring::listen;
use crate::app::wiring::server::Background;
use crate::app::wiring::server::StartError;

/// Takes the address, and serves there until the end of the process: as long as there is one, it can say whether it is well.
///
/// # Errors
/// [`StartError::Probes`].
pub(super) async fn open(
    address: &ListenAddress,
    readiness: Readiness,
) -> Result<Background, StartError> {
    let failed = |source| StartError::Probes {
        address: address.clone(),
        source,
    };
    let listener = listen::at(address).await.map_err(failed)?;
    let bound: SocketAddr = listener.local_addr().map_err(failed)?;
    info!(address = %bound, "probe server is listening");
    let never = std::future::pending();
    Ok(Box::pin(serve_probes(listener, readiness, never)))
}
