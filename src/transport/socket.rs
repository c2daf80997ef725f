//! Sockets to listen on: TCP, or a file that only the user can reach.

use std::fs::{self, DirBuilder, File};
use std::io;
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt as _, FileTypeExt as _};
use std::os::unix::net::UnixStream as BlockingStream;
use std::path::{Path, PathBuf};

use rustix::fs::Mode;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, UnixListener};

use super::auth::Auth;
use super::websocket::{Door, Origin};

/// A stream to whoever has connected.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// A socket that clients can connect to, and who of them is let in.
#[derive(Debug)]
pub(crate) struct Listener {
    pub(crate) door: Door,
    socket: Socket,
}

#[derive(Debug)]
enum Socket {
    Tcp(TcpListener),
    Unix { listener: UnixListener, path: PathBuf },
}

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(
        "refusing to start non-loopback websocket listener {0} without auth; configure \
         `--ws-auth capability-token` or `--ws-auth signed-bearer-token`"
    )]
    Open(SocketAddr),
    #[error("failed to listen on {address}")]
    Tcp { address: SocketAddr, source: io::Error },
    #[error("app-server control socket is already in use at {}", .0.display())]
    InUse(PathBuf),
    #[error("app-server control socket path exists and is not a socket: {}", .0.display())]
    NoSocket(PathBuf),
    #[error("failed to listen on socket {}", .path.display())]
    Unix { path: PathBuf, source: io::Error },
}

/// The control socket of a home.
pub(crate) fn control_path(home: &Path) -> PathBuf {
    control_folder(home).join("app-server-control.sock")
}

/// Connections have a send buffer of a fixed size: what waits in the kernel for a client that reads slowly would delay
/// what it is to be told at the end.
fn listen(address: SocketAddr) -> io::Result<TcpListener> {
    const SEND_BUFFER: u32 = 256 * 1024;
    const BACKLOG: u32 = 1024;
    let socket = match address {
        SocketAddr::V4(_) => TcpSocket::new_v4()?,
        SocketAddr::V6(_) => TcpSocket::new_v6()?,
    };
    socket.set_reuseaddr(true)?;
    socket.set_send_buffer_size(SEND_BUFFER)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

fn control_folder(home: &Path) -> PathBuf {
    home.join("app-server-control")
}

impl Listener {
    /// Listens on an address; beyond this machine only where clients have to show something.
    pub(crate) async fn tcp(address: SocketAddr, auth: Auth) -> Result<Self, Error> {
        if !address.ip().is_loopback() && !auth.is_required() {
            return Err(Error::Open(address));
        }
        let listener = listen(address).map_err(|source| Error::Tcp { address, source })?;
        let door = Door { auth, origin: Origin::Refused };
        Ok(Self { door, socket: Socket::Tcp(listener) })
    }

    /// Listens on a file, in place of one that nobody listens on any more.
    pub(crate) fn unix(home: &Path, path: PathBuf) -> Result<Self, Error> {
        let failed = |source| Error::Unix { path: path.clone(), source };
        for folder in [Some(control_folder(home).as_path()), path.parent()].into_iter().flatten() {
            DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        }
        // Of two servers that start at the same time, the second one finds the first.
        let starting = File::options()
            .create(true)
            .append(true)
            .open(control_folder(home).join("app-server-startup.lock"))
            .map_err(failed)?;
        starting.lock().map_err(failed)?;
        make_way(&path)?;
        // The file must not be open to others for even a moment.
        let before = rustix::process::umask(Mode::from_raw_mode(0o177));
        let bound = UnixListener::bind(&path);
        rustix::process::umask(before);
        let listener = bound.map_err(failed)?;
        drop(starting);
        let door = Door { auth: Auth::Nothing, origin: Origin::Ignored };
        Ok(Self { door, socket: Socket::Unix { listener, path } })
    }

    /// The address, for a socket that has one.
    pub(crate) fn address(&self) -> Option<SocketAddr> {
        match &self.socket {
            Socket::Tcp(listener) => listener.local_addr().ok(),
            Socket::Unix { .. } => None,
        }
    }

    pub(crate) async fn accept(&self) -> io::Result<Box<dyn Stream>> {
        Ok(match &self.socket {
            Socket::Tcp(listener) => {
                let (stream, _) = listener.accept().await?;
                // Messages are written whole: waiting for more would only delay them.
                stream.set_nodelay(true)?;
                Box::new(stream)
            }
            Socket::Unix { listener, .. } => Box::new(listener.accept().await?.0),
        })
    }
}

/// Removes a socket that nobody listens on.
fn make_way(path: &Path) -> Result<(), Error> {
    let failed = |source| Error::Unix { path: path.to_owned(), source };
    let kind = match fs::symlink_metadata(path) {
        Ok(found) => found.file_type(),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    };
    if !kind.is_socket() {
        return Err(Error::NoSocket(path.to_owned()));
    }
    match BlockingStream::connect(path) {
        Ok(_) => Err(Error::InUse(path.to_owned())),
        Err(_) => fs::remove_file(path).map_err(failed),
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Socket::Unix { path, .. } = &self.socket
            && let Err(error) = fs::remove_file(path)
        {
            tracing::debug!(%error, "the control socket cannot be removed");
        }
    }
}
