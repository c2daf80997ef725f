//! Servers that listen, and WebSockets to them.

use std::io::{Read as _, Write as _};
use std::net::{Shutdown, TcpStream};
use std::os::unix::net::UnixStream;
use std::process::ExitStatus;
use std::sync::Mutex;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::json;
use tokio_tungstenite::tungstenite::protocol::{CloseFrame, Role};
use tokio_tungstenite::tungstenite::{Message, WebSocket, client};

use super::server::Server;
use super::{Client, Home, until};

/// A server that clients connect to.
pub(crate) struct Listening<'a> {
    home: &'a Home,
    server: Server,
    pub(crate) address: Address,
}

#[derive(Clone)]
pub(crate) enum Address {
    Tcp(String),
    Unix(String),
}

impl<'a> Listening<'a> {
    /// Starts a server with this `--listen` and these options.
    #[track_caller]
    pub(crate) fn start(home: &'a Home, listen: &str, options: &[&str]) -> Self {
        let seen = home.stderr().len();
        let (server, _) =
            Server::spawn(home, &[&["app-server", "--listen", listen], options].concat());
        let address = match listen.strip_prefix("unix://") {
            Some("") => Address::Unix(format!(
                "{}/app-server-control/app-server-control.sock",
                home.home().display()
            )),
            Some(path) => Address::Unix(path.to_owned()),
            None => Address::Tcp(until("announced address", || {
                let log = home.stderr()[seen..].to_owned();
                let (_, rest) = log.split_once("ws://")?;
                Some(rest.split_once('\n')?.0.to_owned())
            })),
        };
        let listening = Self { home, server, address };
        until("listening server", || listening.open().then_some(()));
        listening
    }

    fn open(&self) -> bool {
        match &self.address {
            Address::Tcp(address) => TcpStream::connect(address).is_ok(),
            Address::Unix(path) => UnixStream::connect(path).is_ok(),
        }
    }

    /// A client without the handshake.
    #[track_caller]
    pub(crate) fn connect(&self) -> Client {
        Client::on(self.home, Socket::open(&self.address))
    }

    /// A client that has shaken hands.
    #[track_caller]
    pub(crate) fn hello(&self) -> Client {
        let client = self.connect();
        client.shake_hands(&json!({"experimentalApi": true}));
        client
    }

    /// What the server answers to bytes that are no WebSocket.
    #[track_caller]
    pub(crate) fn http(&self, request: &str) -> String {
        let Address::Tcp(address) = &self.address else { panic!("only over TCP") };
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The process of the server.
    pub(crate) fn id(&self) -> u32 {
        self.server.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.server.signal(signal);
    }

    #[track_caller]
    pub(crate) fn exit(&self) -> ExitStatus {
        self.server.wait(Duration::from_secs(5)).expect("the server did not end within 5 s")
    }
}

trait Both: std::io::Read + std::io::Write + Send {}
impl<S: std::io::Read + std::io::Write + Send> Both for S {}

enum Raw {
    Tcp(TcpStream),
    Unix(UnixStream),
}

impl Raw {
    fn share(&self) -> Box<dyn Both> {
        match self {
            Self::Tcp(stream) => Box::new(stream.try_clone().unwrap()),
            Self::Unix(stream) => Box::new(stream.try_clone().unwrap()),
        }
    }
}

/// A client's end of a WebSocket.
pub(crate) struct Socket {
    raw: Raw,
    out: Mutex<WebSocket<Box<dyn Both>>>,
    closed: std::sync::Arc<Mutex<Option<CloseFrame>>>,
}

impl Socket {
    #[track_caller]
    fn open(address: &Address) -> Self {
        let raw = match address {
            Address::Tcp(address) => Raw::Tcp(TcpStream::connect(address).unwrap()),
            Address::Unix(path) => Raw::Unix(UnixStream::connect(path).unwrap()),
        };
        let (out, _) = client("ws://localhost/", raw.share()).unwrap();
        Self { raw, out: Mutex::new(out), closed: std::sync::Arc::default() }
    }

    pub(crate) fn send(&self, bytes: &[u8]) {
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        // A server that has gone is noticed by whoever waits for its answer.
        drop(self.out.lock().unwrap().send(Message::text(text.trim_end())));
    }

    /// What comes, until the server closes the connection.
    pub(crate) fn messages(&self) -> impl Iterator<Item = Vec<u8>> + Send + use<> {
        let mut socket = WebSocket::from_raw_socket(self.raw.share(), Role::Client, None);
        let closed = std::sync::Arc::clone(&self.closed);
        std::iter::from_fn(move || {
            loop {
                match socket.read() {
                    Ok(Message::Text(text)) => return Some(text.as_bytes().to_vec()),
                    Ok(Message::Close(frame)) => *closed.lock().unwrap() = frame,
                    Ok(_) => {}
                    Err(_) => return None,
                }
            }
        })
    }

    /// How the server has closed the connection.
    pub(crate) fn closed(&self) -> Option<u16> {
        self.closed.lock().unwrap().as_ref().map(|frame| frame.code.into())
    }

    /// Cuts the connection without a word.
    pub(crate) fn cut(&self) {
        // It may have been cut by the server.
        match &self.raw {
            Raw::Tcp(stream) => drop(stream.shutdown(Shutdown::Both)),
            Raw::Unix(stream) => drop(stream.shutdown(Shutdown::Both)),
        }
    }
}
