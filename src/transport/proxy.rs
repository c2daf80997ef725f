//! Bytes between standard input and output and a server's socket, for clients that can start a program but open no
//! socket.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::thread;

#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("failed to connect to socket at {}", .path.display())]
    Connect { path: PathBuf, source: io::Error },
    #[error("standard input cannot be read")]
    Input(#[source] io::Error),
}

/// Copies both ways until either side ends.
pub(crate) fn run(path: &Path) -> Result<(), Error> {
    let connect = |source| Error::Connect { path: path.to_owned(), source };
    let socket = UnixStream::connect(path).map_err(connect)?;
    let input = socket.try_clone().map_err(connect)?;
    thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(move || {
            copy(&mut io::stdin().lock(), &mut &input);
            // Ends the copy below as well. A socket that is closed already has ended it.
            drop(input.shutdown(Shutdown::Both));
        })
        .map_err(Error::Input)?;
    copy(&mut &socket, &mut io::stdout().lock());
    Ok(())
}

/// Passes on whatever comes, at once. Either end may break: that is how a connection ends.
fn copy(from: &mut impl Read, to: &mut impl Write) {
    let mut buffer = vec![0; 64 * 1024];
    loop {
        match from.read(&mut buffer) {
            Ok(0) => return,
            Ok(read) => {
                if to.write_all(&buffer[..read]).and_then(|()| to.flush()).is_err() {
                    return;
                }
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}
