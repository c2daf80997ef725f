//! Pseudo-terminals: a pair of descriptors and a size. What is read from or written to them is not its business.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::fs::{Mode, OFlags};
use rustix::pty::OpenptFlags;
use rustix::termios::Winsize;

/// Both ends of a new pseudo-terminal; neither is inherited by other commands.
#[derive(Debug)]
pub(super) struct Pty {
    /// Ours: what is written here is typed, what is read here was printed.
    pub(super) master: OwnedFd,
    /// The command's.
    pub(super) slave: OwnedFd,
}

/// Opens a pseudo-terminal of this size.
pub(super) fn open(rows: u16, cols: u16) -> io::Result<Pty> {
    let master =
        rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
    rustix::pty::grantpt(&master)?;
    rustix::pty::unlockpt(&master)?;
    let name = rustix::pty::ptsname(&master, Vec::new())?;
    let flags = OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC;
    let slave = rustix::fs::open(name.as_c_str(), flags, Mode::empty())?;
    resize(&slave, rows, cols)?;
    Ok(Pty { master, slave })
}

/// Gives a pseudo-terminal another size; whoever uses it is told.
pub(super) fn resize(end: impl AsFd, rows: u16, cols: u16) -> io::Result<()> {
    let size = Winsize { ws_row: rows, ws_col: cols, ws_xpixel: 0, ws_ypixel: 0 };
    Ok(rustix::termios::tcsetwinsize(end, size)?)
}
