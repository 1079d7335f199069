//! The threads that wait for servers, and the one way in from code that blocks.

use std::future::Future;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::runtime::{Builder, Runtime};

use crate::error::{Error, Result};
use crate::interrupt;

static RUNTIME: LazyLock<std::io::Result<Runtime>> = LazyLock::new(|| {
    Builder::new_multi_thread()
        .worker_threads(2)
        .thread_name("perilune-net")
        .enable_all()
        .build()
});

/// Runs `future` to its end on the network threads. Ctrl-C ends it within a twentieth of a second: the future is dropped, and
/// with it every connection that it holds.
///
/// # Errors
/// Those of the future; `Interrupted`.
pub fn wait<T, E: Into<Error>>(future: impl Future<Output = Result<T, E>>) -> Result<T> {
    let runtime = RUNTIME
        .as_ref()
        .map_err(|e| Error::message(format!("cannot start the network threads: {e}")))?;
    runtime.block_on(async {
        let stopped = async {
            loop {
                tokio::time::sleep(Duration::from_millis(50)).await;
                if interrupt::requested() {
                    break;
                }
            }
        };
        tokio::select! {
            result = future => result.map_err(Into::into),
            () = stopped => Err(Error::Interrupted),
        }
    })
}
