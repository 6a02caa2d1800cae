//! Serving HTTP until told to stop.

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Context;
use axum::Router;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

/// A bound address; port 0 has become a real one.
pub struct Listener {
    listener: TcpListener,
    pub address: SocketAddr,
}

/// How long a shutdown waits for requests under way.
const DRAIN: Duration = Duration::from_secs(10);

impl Listener {
    /// Binds `address`, which came from `setting`.
    ///
    /// # Errors
    /// When the port is taken or not ours to take; the text names the setting that moves it.
    pub async fn bind(address: SocketAddr, setting: &str) -> anyhow::Result<Self> {
        let bound = TcpListener::bind(address).await;
        let listener =
            bound.with_context(|| format!("cannot listen on {address}; is it in use? {setting} moves it"))?;
        let address = listener.local_addr().context("a bound socket without an address")?;
        Ok(Self { listener, address })
    }
}

/// Serves `router` until `shutdown`, then lets requests under way finish for up to 10 s.
///
/// # Errors
/// When the listening socket breaks.
pub async fn serve(listener: Listener, router: Router, shutdown: CancellationToken) -> anyhow::Result<()> {
    let stop = shutdown.clone();
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    let tcp = axum::serve::ListenerExt::tap_io(listener.listener, |socket| {
        // Small answers must not wait for an acknowledgement of the one before.
        if let Err(error) = socket.set_nodelay(true) {
            tracing::debug!(%error, "cannot set TCP_NODELAY");
        }
    });
    let serving = axum::serve(tcp, router).with_graceful_shutdown(async move { stop.cancelled().await });
    let mut serving = std::pin::pin!(async { serving.await });
    tokio::select! {
        served = &mut serving => return served.context("serving HTTP"),
        () = shutdown.cancelled() => {}
    }
    match tokio::time::timeout(DRAIN, serving).await {
        Ok(served) => served.context("serving HTTP"),
        Err(_) => {
            tracing::warn!("requests did not finish in {} s and were cut", DRAIN.as_secs());
            Ok(())
        }
    }
}
