//! The hidden mode of this program in which it shuts itself in and becomes a command.
//!
//! A process of its own with one thread: what it does to itself reaches nothing else, and forking is safe.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use rustix::process::{Pid, WaitOptions, WaitStatus, waitpid};
use rustix::thread::{
    CapabilitySet, CapabilitySets, remove_capability_from_bounding_set, set_capabilities,
    set_no_new_privs,
};

use crate::util::error::chain;

use super::{Method, Network, Request, bubblewrap, landlock, namespace, seccomp};

/// Nothing was run because the confinement could not be set up.
const NOT_CONFINED: u8 = 126;
const NOT_FOUND: u8 = 127;

/// Why the command could not be run.
#[derive(Debug, thiserror::Error)]
pub(super) enum Error {
    #[error("the request cannot be read")]
    Request(#[source] serde_json::Error),
    #[error("no command is given")]
    NoCommand,
    #[error("{what}")]
    Step { what: &'static str, source: io::Error },
    #[error("cannot confine {}", .path.display())]
    Path { path: PathBuf, source: io::Error },
    #[error("the filter of system calls cannot be installed")]
    Filter(#[from] seccomp::Error),
    #[error("Landlock cannot enforce this")]
    Landlock(#[from] landlock::Error),
    #[error("{}", .program.to_string_lossy())]
    Exec { program: OsString, source: io::Error },
}

/// Names the step that failed.
pub(super) trait Step<T> {
    fn step(self, what: &'static str) -> Result<T, Error>;
    fn at(self, path: &Path) -> Result<T, Error>;
}

impl<T, E: Into<io::Error>> Step<T> for Result<T, E> {
    fn step(self, what: &'static str) -> Result<T, Error> {
        self.map_err(|source| Error::Step { what, source: source.into() })
    }

    fn at(self, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Path { path: path.to_owned(), source: source.into() })
    }
}

/// Runs a command confined; returns only when it has ended or could not be run, with the code to exit with.
pub(crate) fn run(request: &str, argv: &[OsString]) -> ExitCode {
    match confine(request, argv) {
        Ok(code) => code,
        Err(error) => {
            tell(&error);
            let is_missing = matches!(&error, Error::Exec { source, .. } if source.kind() == io::ErrorKind::NotFound);
            ExitCode::from(if is_missing { NOT_FOUND } else { NOT_CONFINED })
        }
    }
}

#[expect(clippy::print_stderr, reason = "the output of the command that could not be run")]
fn tell(error: &Error) {
    eprintln!("sandbox: {}", chain(error));
}

fn confine(request: &str, argv: &[OsString]) -> Result<ExitCode, Error> {
    let Request { confinement, method, cwd } =
        serde_json::from_str(request).map_err(Error::Request)?;
    match method {
        Method::Namespaces => namespace::run(&confinement, &cwd, argv),
        Method::Bubblewrap(bwrap) => bubblewrap::run(&bwrap, &confinement, &cwd, argv),
        Method::Landlock => {
            landlock::restrict(&confinement)?;
            set_no_new_privs(true).step("new privileges cannot be ruled out")?;
            seccomp::freeze_attributes()?;
            become_command(confinement.network, argv)
        }
        Method::Filter => become_command(confinement.network, argv),
    }
}

/// Gives up every privilege and becomes the command; returns only if that fails.
pub(super) fn become_command(network: Network, argv: &[OsString]) -> Result<ExitCode, Error> {
    let (program, arguments) = argv.split_first().ok_or(Error::NoCommand)?;
    give_up_capabilities()?;
    set_no_new_privs(true).step("new privileges cannot be ruled out")?;
    seccomp::install(network)?;
    let source = Command::new(program).args(arguments).exec();
    Err(Error::Exec { program: program.clone(), source })
}

/// Without this, the superuser of a namespace of its own would get all its powers back with the next program.
fn give_up_capabilities() -> Result<(), Error> {
    for capability in CapabilitySet::all().iter() {
        // A capability that this kernel does not know cannot be given up, nor had.
        let _unknown = remove_capability_from_bounding_set(capability);
    }
    let none = CapabilitySets {
        effective: CapabilitySet::empty(),
        permitted: CapabilitySet::empty(),
        inheritable: CapabilitySet::empty(),
    };
    set_capabilities(None, none).step("capabilities cannot be given up")
}

/// Which side of a fork this is.
pub(super) enum Fork {
    Child,
    Parent(Pid),
}

pub(super) fn fork() -> Result<Fork, Error> {
    #[expect(unsafe_code, reason = "the child goes on in this program")]
    // SAFETY: this process has one thread, so nobody else's lock is held in the child.
    let pid = unsafe { libc::fork() };
    match Pid::from_raw(pid) {
        Some(_) if pid < 0 => Err(io::Error::last_os_error()).step("no process can be started"),
        Some(child) => Ok(Fork::Parent(child)),
        None => Ok(Fork::Child),
    }
}

/// Waits for a child, and for whatever else becomes ours to wait for; its exit code is 128 and the signal for a child
/// that a signal ended.
pub(super) fn wait_for(child: Pid) -> ExitCode {
    loop {
        match waitpid(None, WaitOptions::empty()) {
            Ok(Some((pid, status))) if pid == child => return code_of(status),
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(_) => return ExitCode::from(NOT_CONFINED),
        }
    }
}

fn code_of(status: WaitStatus) -> ExitCode {
    let code =
        status.exit_status().or_else(|| status.terminating_signal().map(|signal| 128 + signal));
    ExitCode::from(code.and_then(|code| u8::try_from(code).ok()).unwrap_or(NOT_CONFINED))
}

/// Signals that reach the whole group, and that those who only wait for the command must survive.
const FOR_THE_COMMAND: [libc::c_int; 4] =
    [libc::SIGINT, libc::SIGQUIT, libc::SIGTERM, libc::SIGHUP];

/// Leaves signals to the command.
pub(super) fn ignore_signals() {
    set_signals(libc::SIG_IGN);
}

/// Lets the command be ended by signals again.
pub(super) fn heed_signals() {
    set_signals(libc::SIG_DFL);
}

fn set_signals(handler: libc::sighandler_t) {
    for signal in FOR_THE_COMMAND {
        #[expect(unsafe_code, reason = "a foreign function")]
        // SAFETY: both handlers are constants of the system, and no Rust code runs in them.
        unsafe {
            libc::signal(signal, handler);
        }
    }
}
