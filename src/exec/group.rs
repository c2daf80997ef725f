//! The process group of one command: signals to all of it, and its end with its owner.
//!
//! A group dies in three ways besides its own: [`Group::signal`], the drop of the [`Group`], and the death of this
//! process, however sudden. The last one is the kernel's work: each command inherits the read end of a *lifeline*
//! pipe to which nothing is ever written, armed so that the kernel kills the whole group when the write end closes.
//! The parent-death signal of `spawn.rs` reaches the leader only and would leave the leader's children behind.

use std::io;

use rustix::process::{Pid, Signal, kill_process_group};

/// A process group that is killed when this value is dropped.
#[derive(Debug)]
pub(super) struct Group {
    leader: Pid,
    /// Closing it kills whoever of the group still holds the other end, even after the leader is gone.
    _lifeline: io::PipeWriter,
}

impl Group {
    pub(super) fn new(leader: Pid, lifeline: io::PipeWriter) -> Self {
        Self { leader, _lifeline: lifeline }
    }

    pub(super) fn leader(&self) -> Pid {
        self.leader
    }

    /// Sends `signal` to every process of the group; a group that is gone already is fine.
    pub(super) fn signal(&self, signal: Signal) {
        let _gone = kill_process_group(self.leader, signal);
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        self.signal(Signal::KILL);
    }
}

/// Ties the calling process's group to the life of the lifeline's write end.
///
/// Runs between fork and exec, so it makes system calls and nothing else. The caller must lead its group.
#[cfg(target_os = "linux")]
pub(super) fn hold(lifeline: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::{FdFlags, fcntl_setfd};

    owner::set(lifeline, rustix::process::getpid())?;
    let flags = fcntl_getfl(lifeline)?;
    fcntl_setfl(lifeline, flags | OFlags::ASYNC)?;
    fcntl_setfd(lifeline, FdFlags::empty())?;
    Ok(())
}

/// Elsewhere a group ends with its owner only.
#[cfg(not(target_os = "linux"))]
pub(super) fn hold(_lifeline: std::os::fd::BorrowedFd<'_>) -> io::Result<()> {
    Ok(())
}

/// The two `fcntl` commands that rustix does not have.
#[cfg(target_os = "linux")]
mod owner {
    use std::ffi::c_int;
    use std::io;
    use std::os::fd::{AsRawFd as _, BorrowedFd};

    use rustix::process::{Pid, Signal};

    const F_SETOWN: c_int = 8;
    const F_SETSIG: c_int = 10;

    #[expect(
        unsafe_code,
        reason = "the C library's fcntl, for commands that rustix does not offer"
    )]
    // SAFETY: this is the declaration of POSIX; the C library is linked by std in any case.
    unsafe extern "C" {
        fn fcntl(fd: c_int, command: c_int, ...) -> c_int;
    }

    /// Has the kernel send SIGKILL to the group of `leader` at every event of `fd`.
    pub(super) fn set(fd: BorrowedFd<'_>, leader: Pid) -> io::Result<()> {
        call(fd, F_SETOWN, -leader.as_raw_nonzero().get())?;
        call(fd, F_SETSIG, Signal::KILL.as_raw())
    }

    fn call(fd: BorrowedFd<'_>, command: c_int, argument: c_int) -> io::Result<()> {
        #[expect(unsafe_code, reason = "a foreign function")]
        // SAFETY: the descriptor is open while it is borrowed, and both commands take one integer.
        let result = unsafe { fcntl(fd.as_raw_fd(), command, argument) };
        if result == -1 { Err(io::Error::last_os_error()) } else { Ok(()) }
    }
}
