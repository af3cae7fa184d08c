//! The loop that takes connections and speaks HTTP on them.
//!
//! It is a crate of its own because of what the compiler does: the code of a connection (hyper's state machine, tokio's
//! task) is generic, so it is compiled where it is first used, as much optimised as that crate is. Every request passes
//! through it, and nothing else that is called once per program needs to be fast.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;

use axum::Router;
use tokio::net::TcpListener;

/// Answers every connection to `listener` with `router`, whose handlers can ask for the peer's address as
/// `ConnectInfo<SocketAddr>`.
///
/// Once `stop` is ready no connection is taken any more, and it ends when the requests under way are answered.
pub async fn serve(
    listener: TcpListener,
    router: Router,
    stop: Pin<Box<dyn Future<Output = ()> + Send>>,
) -> io::Result<()> {
    let router = router.into_make_service_with_connect_info::<SocketAddr>();
    axum::serve(listener, router).with_graceful_shutdown(stop).await
}
