//! The sockets on which front ends reach the kernel, and the one thread that owns them. Lua never waits for it, and it never waits for Lua.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::sync::mpsc::Sender;
use std::thread::JoinHandle;
use std::time::Duration;

use serde::Deserialize;
use serde_json::json;
use tokio::runtime::{Builder, Runtime};
use tokio::sync::mpsc::UnboundedReceiver;
use zeromq::{
    RepSocket, RouterRecvHalf, RouterSendHalf, RouterSocket, Socket, SocketRecv, SocketSend, XPubSocket,
};

use super::kernel_info;
use super::message::{Message, Signer};
use super::outbox::Outbox;
use crate::error::{Error, Result};
use crate::host::signals;
use crate::interrupt::{self, Reason};

/// What the kernel's own thread is told.
pub enum Request {
    Asked(Arc<Message>),
    /// The front end wants no more, or is gone.
    End,
}

/// Where the front end wants to find the kernel: the file that it has written.
#[derive(Deserialize)]
pub struct Connection {
    transport: String,
    ip: String,
    key: String,
    signature_scheme: String,
    shell_port: u16,
    iopub_port: u16,
    stdin_port: u16,
    control_port: u16,
    hb_port: u16,
}

impl Connection {
    /// # Errors
    /// A file that cannot be read, is none of these, or wants what perilune does not have.
    pub fn read(file: &Path) -> Result<Connection> {
        let text = fs::read(file).map_err(|e| Error::io(file, e))?;
        let found: Connection = serde_json::from_slice(&text).map_err(|e| {
            Error::file(
                file,
                format!("it is no connection file of Jupyter, which starts kernels by itself: {e}"),
            )
        })?;
        if found.transport != "tcp" {
            return Err(Error::file(
                file,
                format!(
                    "it asks for the transport `{}`; perilune has tcp alone, which is Jupyter's own choice unless its settings say otherwise",
                    found.transport
                ),
            ));
        }
        if !found.key.is_empty() && found.signature_scheme != "hmac-sha256" {
            return Err(Error::file(
                file,
                format!(
                    "it asks for signatures by {}; perilune has hmac-sha256 alone",
                    found.signature_scheme
                ),
            ));
        }
        Ok(found)
    }
}

pub struct Sockets {
    runtime: Runtime,
    signer: Arc<Signer>,
    shell: RouterSocket,
    control: RouterSocket,
    /// Nothing of perilune asks; a front end waits until it is there.
    stdin: RouterSocket,
    public: XPubSocket,
    heartbeat: RepSocket,
}

impl Sockets {
    /// Opens all of them, so that none is missing when the first message comes.
    ///
    /// # Errors
    /// A port that is taken.
    pub fn open(connection: &Connection) -> Result<Sockets> {
        let runtime = Builder::new_current_thread()
            .enable_all()
            .build()
            .map_err(|e| Error::message(format!("the sockets of the kernel cannot be opened: {e}")))?;
        let signer = Arc::new(Signer::new(&connection.key)?);
        let bound = runtime.block_on(async {
            let c = connection;
            Ok::<_, Error>((
                bound(RouterSocket::new(), c, c.shell_port).await?,
                bound(RouterSocket::new(), c, c.control_port).await?,
                bound(RouterSocket::new(), c, c.stdin_port).await?,
                bound(XPubSocket::new(), c, c.iopub_port).await?,
                bound(RepSocket::new(), c, c.hb_port).await?,
            ))
        });
        let (shell, control, stdin, public, heartbeat) = bound?;
        Ok(Sockets {
            runtime,
            signer,
            shell,
            control,
            stdin,
            public,
            heartbeat,
        })
    }

    pub fn signer(&self) -> &Arc<Signer> {
        &self.signer
    }

    /// Starts the thread that sends what is in `outbox`, until its end, and `answers`, and hands on what is asked.
    ///
    /// # Errors
    /// When the system has no thread left.
    pub fn serve(
        self,
        outbox: Arc<Outbox>,
        answers: UnboundedReceiver<Message>,
        requests: Sender<Request>,
    ) -> Result<JoinHandle<()>> {
        let Sockets {
            runtime,
            signer,
            shell,
            control,
            stdin,
            mut public,
            heartbeat,
        } = self;
        let serve = async move {
            let (to_shell, shell) = shell.split();
            tokio::spawn(echo(heartbeat));
            tokio::spawn(answer(to_shell, signer.clone(), answers));
            tokio::spawn(ask(shell, signer.clone(), requests.clone()));
            tokio::spawn(steer(control, signer.clone(), outbox.clone(), requests.clone()));
            tokio::spawn(leave_with_parent(requests));
            loop {
                tokio::select! {
                    message = outbox.next() => match message {
                        // A front end that has gone hears nothing; another may come.
                        Some(message) => drop(public.send(message.written(&signer)).await),
                        None => break,
                    },
                    event = public.recv() => match event.map(zeromq::ZmqMessage::into_vec).as_deref() {
                        // Who subscribes is told that nothing is missed from here on.
                        Ok([event]) if event.first() == Some(&1) => {
                            let subscription = String::from_utf8_lossy(&event[1..]).into_owned();
                            let welcome = Message::about(&signer, "iopub_welcome", json!({ "subscription": subscription }), None);
                            let _ = public.send(welcome.written(&signer)).await;
                        }
                        Ok(_) => {}
                        Err(_) => tokio::time::sleep(AFTER_ERROR).await,
                    },
                }
            }
            // What was sent last is on its way.
            tokio::time::sleep(Duration::from_millis(50)).await;
            drop(stdin);
        };
        std::thread::Builder::new()
            .name("jupyter".into())
            .spawn(move || runtime.block_on(serve))
            .map_err(|e| Error::message(format!("the kernel cannot be started: {e}")))
    }
}

/// Before a socket is asked again that has failed.
const AFTER_ERROR: Duration = Duration::from_millis(10);

async fn bound<S: Socket>(mut socket: S, connection: &Connection, port: u16) -> Result<S> {
    let address = format!("tcp://{}:{port}", connection.ip);
    match socket.bind(&address).await {
        Ok(_) => Ok(socket),
        Err(e) => Err(Error::message(format!("{address} cannot be listened at: {e}"))),
    }
}

/// By which front ends see that the kernel lives.
async fn echo(mut heartbeat: RepSocket) {
    loop {
        match heartbeat.recv().await {
            Ok(beat) => drop(heartbeat.send(beat).await),
            Err(_) => tokio::time::sleep(AFTER_ERROR).await,
        }
    }
}

/// The next message; what is none is told on standard error, which front ends keep in their logs.
async fn received<S: SocketRecv>(socket: &mut S, signer: &Signer) -> Message {
    loop {
        let read = match socket.recv().await {
            Ok(frames) => Message::read(signer, frames),
            Err(e) => Err(Error::message(e.to_string())),
        };
        match read {
            Ok(message) => return message,
            Err(error) => {
                crate::complain!("{error}");
                tokio::time::sleep(AFTER_ERROR).await;
            }
        }
    }
}

async fn answer(mut shell: RouterSendHalf, signer: Arc<Signer>, mut answers: UnboundedReceiver<Message>) {
    while let Some(message) = answers.recv().await {
        let _ = shell.send(message.written(&signer)).await;
    }
}

async fn ask(mut shell: RouterRecvHalf, signer: Arc<Signer>, requests: Sender<Request>) {
    loop {
        let message = received(&mut shell, &signer).await;
        if requests.send(Request::Asked(Arc::new(message))).is_err() {
            return;
        }
    }
}

/// What has to be heard while a cell runs: that it is to stop.
async fn steer(
    mut control: RouterSocket,
    signer: Arc<Signer>,
    outbox: Arc<Outbox>,
    requests: Sender<Request>,
) {
    loop {
        let request = received(&mut control, &signer).await;
        outbox.status(&request, "busy");
        let mut ends = false;
        let content = match request.kind() {
            "kernel_info_request" => kernel_info(),
            "interrupt_request" => {
                if !signals::is_idle() {
                    interrupt::request(Reason::Signal);
                }
                json!({ "status": "ok" })
            }
            "shutdown_request" => {
                interrupt::request(Reason::Signal);
                ends = true;
                json!({ "status": "ok", "restart": request.content["restart"].as_bool().unwrap_or(false) })
            }
            other => super::refusal(other),
        };
        let answer = Message::answer(&signer, content, &request);
        let _ = control.send(answer.written(&signer)).await;
        outbox.status(&request, "idle");
        if ends {
            let _ = requests.send(Request::End);
        }
    }
}

/// A front end that was killed tells nobody; the kernel that it has started goes with it.
async fn leave_with_parent(requests: Sender<Request>) {
    if std::env::var_os("JPY_PARENT_PID").is_none() {
        return;
    }
    let parent = std::os::unix::process::parent_id();
    while std::os::unix::process::parent_id() == parent {
        tokio::time::sleep(Duration::from_secs(1)).await;
    }
    interrupt::request(Reason::Signal);
    let _ = requests.send(Request::End);
}
