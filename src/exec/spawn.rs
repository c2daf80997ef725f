//! Starting a process: descriptors, session, group, and the ties that end it with this process.
//!
//! The one place where code of ours runs between fork and exec.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::ExitStatusExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{LazyLock, mpsc};
use std::thread;
use std::time::Duration;

use rustix::process::Pid;
use tokio::process::{Child, Command};
use tokio::runtime::Handle;

use super::group::{self, Group};
use super::stream::Stream;
use super::{descendants, pty, signals};
use crate::sandbox::{self, Confinement, Method};

/// A process to be started.
#[derive(Debug, Clone)]
pub(crate) struct Spawn {
    /// The program, found on the `PATH` of `env` unless it has a slash, and its arguments.
    pub(crate) argv: Vec<String>,
    /// The working directory; `PWD` follows it.
    pub(crate) cwd: PathBuf,
    /// The whole environment: nothing is inherited beside it.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) io: Io,
    /// How the command is shut in; `None` for one that may touch whatever this process may.
    pub(crate) confined: Option<Confined>,
    /// Output of a command that has ended within this time is told with its end only.
    pub(crate) quiet: Duration,
}

/// What a command may touch, and how that is enforced.
#[derive(Debug, Clone)]
pub(crate) struct Confined {
    pub(crate) confinement: Confinement,
    pub(crate) method: Method,
}

impl Confined {
    /// What to run instead of `argv`, so that it is shut in.
    pub(super) fn wrap(confined: Option<Self>, cwd: &Path, argv: Vec<String>) -> Vec<String> {
        match confined {
            Some(Self { confinement, method }) => {
                sandbox::confined(confinement, method, cwd.to_owned(), argv)
            }
            None => argv,
        }
    }
}

/// How a process is connected to us.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Io {
    /// Nothing to read; both outputs into one pipe, so that their order is the one in which they were written.
    Pipes,
    /// A controlling terminal of this size.
    Pty { rows: u16, cols: u16 },
}

impl Io {
    /// The terminal that commands of a model get.
    pub(crate) const TERMINAL: Self = Self::Pty { rows: 24, cols: 80 };
}

/// Why a process could not be started.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error("there is no program to run")]
    Empty,
    #[error("could not prepare the command's input and output")]
    Io(#[source] io::Error),
    #[error("could not start the command")]
    Spawn(#[source] io::Error),
}

/// A process that was started.
#[derive(Debug)]
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) group: Group,
    /// Where its output is read, and for a terminal its input written.
    pub(super) stream: Stream,
}

/// Starts the process. Needs a runtime, whose reactor will see the process's end.
pub(super) fn spawn(spawn: Spawn) -> Result<Started, Error> {
    let Spawn { argv, cwd, env, io, confined, .. } = spawn;
    let argv = Confined::wrap(confined, &cwd, argv);
    let mut command = command(&argv, &cwd, env)?;
    let ends = Ends::open(io).map_err(Error::Io)?;
    let stream = Stream::new(ends.ours).map_err(Error::Io)?;
    command.stdin(ends.stdin).stdout(ends.stdout).stderr(ends.stderr);
    let terminal = if matches!(io, Io::Pty { .. }) { Terminal::Stdin } else { Terminal::None };
    let (child, group) = launch(command, terminal)?;
    Ok(Started { child, group, stream })
}

/// The command of a process that inherits nothing but what it is given.
pub(super) fn command(
    argv: &[String],
    cwd: &Path,
    env: Vec<(OsString, OsString)>,
) -> Result<Command, Error> {
    let (program, arguments) = argv.split_first().ok_or(Error::Empty)?;
    let mut command = Command::new(program);
    command.args(arguments).env_clear().envs(env).env("PWD", cwd).current_dir(cwd);
    Ok(command)
}

/// The exit code of a process that ended in a way that nobody can tell.
pub(super) const UNKNOWN: i32 = -1;

/// The exit code of a process that has ended: 128 and the signal for one that a signal ended.
pub(super) fn exit_code(status: ExitStatus) -> i32 {
    status.code().or_else(|| Some(128 + status.signal()?)).unwrap_or(UNKNOWN)
}

/// Which terminal a process has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Terminal {
    None,
    /// The one at its standard input.
    Stdin,
}

/// Starts a process that leads a session and a group of its own, which ends with this process.
pub(super) fn launch(mut command: Command, terminal: Terminal) -> Result<(Child, Group), Error> {
    let (held, lifeline) = io::pipe().map_err(Error::Io)?;
    let prelude = Prelude { terminal, lifeline: held, server: rustix::process::getpid() };
    #[expect(
        unsafe_code,
        reason = "sessions, terminals and death signals are set up between fork and exec"
    )]
    // SAFETY: the closure makes system calls only; it neither allocates nor takes a lock.
    unsafe {
        command.pre_exec(move || prelude.run());
    }
    let child =
        on_spawner(move || command.spawn()).and_then(|spawned| spawned).map_err(Error::Spawn)?;
    let leader = child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
    let leader = leader.ok_or_else(|| Error::Spawn(io::Error::other("the process has no id")))?;
    descendants::awaited(leader);
    Ok((child, Group::new(leader, lifeline)))
}

/// The descriptors of a command, and ours.
struct Ends {
    stdin: Stdio,
    stdout: Stdio,
    stderr: Stdio,
    ours: OwnedFd,
}

impl Ends {
    fn open(io: Io) -> io::Result<Self> {
        match io {
            Io::Pipes => {
                let (reader, writer) = io::pipe()?;
                let stdout = writer.try_clone()?.into();
                Ok(Self {
                    stdin: Stdio::null(),
                    stdout,
                    stderr: writer.into(),
                    ours: reader.into(),
                })
            }
            Io::Pty { rows, cols } => {
                let pty = pty::open(rows, cols)?;
                let (stdin, stdout) =
                    (pty.slave.try_clone()?.into(), pty.slave.try_clone()?.into());
                Ok(Self { stdin, stdout, stderr: pty.slave.into(), ours: pty.master })
            }
        }
    }
}

/// What a new process does before it becomes the command.
struct Prelude {
    terminal: Terminal,
    lifeline: io::PipeReader,
    server: Pid,
}

impl Prelude {
    fn run(&self) -> io::Result<()> {
        signals::listen()?;
        rustix::process::setsid()?;
        if self.terminal == Terminal::Stdin {
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
        }
        #[cfg(target_os = "linux")]
        rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL))?;
        group::hold(self.lifeline.as_fd())?;
        // A server that died before this point has not pulled either tie.
        if rustix::process::getppid() != Some(self.server) {
            return Err(io::ErrorKind::Interrupted.into());
        }
        Ok(())
    }
}

type Job = Box<dyn FnOnce() + Send>;

/// The thread that forks. The kernel sends the parent-death signal when the *thread* that forked ends, so commands
/// must not be started on threads that come and go; this one stays until the process ends.
static SPAWNER: LazyLock<io::Result<mpsc::Sender<Job>>> = LazyLock::new(|| {
    let (tx, rx) = mpsc::channel::<Job>();
    thread::Builder::new().name("exec-spawn".to_owned()).stack_size(256 * 1024).spawn(
        move || {
            for job in rx {
                job();
            }
        },
    )?;
    Ok(tx)
});

/// Runs `work` on the spawning thread, within the caller's runtime.
fn on_spawner<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> io::Result<T> {
    let spawner = SPAWNER.as_ref().map_err(|error| io::Error::from(error.kind()))?;
    let runtime = Handle::current();
    let (tx, rx) = mpsc::sync_channel(1);
    let job = Box::new(move || {
        let _runtime = runtime.enter();
        let _unwanted = tx.send(work());
    });
    spawner.send(job).map_err(|_| gone())?;
    rx.recv().map_err(|_| gone())
}

fn gone() -> io::Error {
    io::Error::other("the thread that starts commands is gone")
}
