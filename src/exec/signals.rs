//! Signals that a command must hear although this process was started so that it ignores them.
//!
//! A shell starts background jobs with SIGINT and SIGQUIT ignored, `nohup` does so with SIGHUP. What is ignored stays
//! ignored across `exec`, and a shell cannot even trap it: commands could not be interrupted.

use std::ffi::c_int;
use std::io;

use rustix::process::Signal;

const SIG_DFL: usize = 0;
const SIG_ERR: usize = usize::MAX;

#[expect(unsafe_code, reason = "the C library's signal, which rustix does not offer")]
// SAFETY: this is the declaration of POSIX; a handler is as large as a pointer, and the C library is linked by std.
unsafe extern "C" {
    fn signal(number: c_int, handler: usize) -> usize;
}

/// Has these signals do what they do by default. Makes system calls only, so it may run between fork and exec.
pub(super) fn listen() -> io::Result<()> {
    for heard in [Signal::INT, Signal::QUIT, Signal::HUP] {
        #[expect(unsafe_code, reason = "a foreign function")]
        // SAFETY: the signal exists and its default action is no code of ours.
        let before = unsafe { signal(heard.as_raw(), SIG_DFL) };
        if before == SIG_ERR {
            return Err(io::Error::last_os_error());
        }
    }
    Ok(())
}
