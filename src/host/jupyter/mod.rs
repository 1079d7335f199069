//! The kernel of notebooks: the prompt's session behind Jupyter's protocol.
//!
//! Lua runs on the thread that `run` is called in. One more thread owns the sockets (`sockets`): it hands requests on, sends what is said in
//! its order (`outbox`), and asks for a stop when the front end does. What a cell prints and shows goes to the front end as an output of
//! its own (`frontend`, `progress`).

mod frontend;
mod history;
mod install;
mod kernel;
mod message;
mod outbox;
mod progress;
mod sockets;

use std::sync::Arc;
use std::sync::mpsc;
use std::time::{Duration, Instant};

use serde_json::{Value as Json, json};

use super::Limits;
use super::loader::{self, Surroundings};
use super::notebook;
use super::repl::session::{Of, Session};
use crate::error::Result;
use crate::lua::Access;
use crate::work::{self, Context};
pub use install::{Kernels, install, uninstall};
use kernel::Kernel;
pub use sockets::Connection;
use sockets::Sockets;

/// So long what was said last has to arrive.
const FAREWELL: Duration = Duration::from_secs(2);

/// Answers a front end until it wants no more. `quiet` shows no progress.
///
/// # Errors
/// When the front end's ports are taken, or Lua is out of memory.
pub fn run(
    connection: &Connection,
    limits: Limits,
    access: Access,
    project: Option<Surroundings>,
    quiet: bool,
) -> Result<()> {
    let sockets = Sockets::open(connection)?;
    let (outbox, answers) = outbox::Outbox::new(sockets.signer().clone());
    let outbox = Arc::new(outbox);
    let frontend = Arc::new(frontend::Frontend::new(outbox.clone()));
    let mut context = Context::clone(&work::current()).with_output(frontend.clone());
    if !quiet {
        context = context.with_progress(Arc::new(progress::Bars::new(outbox.clone())));
    }
    let _entered = context.enter();
    let (asked, requests) = mpsc::channel();
    let thread = sockets.serve(outbox.clone(), answers, asked)?;
    let session = Session::new(Of::Notebook, limits, access)?;
    loader::surround(&session.lua(), project);
    Kernel::new(session, outbox.clone(), frontend).answer(&requests);
    outbox.end();
    // Who listens and takes nothing is not waited for.
    let until = Instant::now() + FAREWELL;
    while !thread.is_finished() && Instant::now() < until {
        std::thread::sleep(Duration::from_millis(5));
    }
    Ok(())
}

/// The language of cells, as notebooks and front ends name it.
fn kernel_info() -> Json {
    json!({
        "status": "ok",
        "protocol_version": message::VERSION,
        "implementation": "perilune",
        "implementation_version": env!("CARGO_PKG_VERSION"),
        "language_info": notebook::language(),
        "banner": format!(
            "perilune {}. ?NAME explains, :help lists commands and modules.",
            env!("CARGO_PKG_VERSION")
        ),
        "help_links": [{ "text": "Lua 5.4", "url": "https://www.lua.org/manual/5.4/" }],
        "debugger": false,
    })
}

/// The answer to a request of a kind that there is not.
fn refusal(kind: &str) -> Json {
    json!({
        "status": "error",
        "ename": "NotAvailable",
        "evalue": format!("this kernel knows no {kind}"),
        "traceback": [],
    })
}
