//! A process that a client runs for itself: its streams apart, as bytes, with the client's limits.
//!
//! Two values share the work. [`ClientProcess`] is the handle: who holds it types, resizes and kills, and the group is
//! killed with the last clone. [`Running`] is the course: its one owner pulls output from it until the end. While
//! nobody pulls, the process is not read.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Child;
use tokio::time::Instant;

use super::group::Group;
use super::input::{Input, InputError, Written};
use super::spawn::{Confined, Error, Terminal, UNKNOWN, command, exit_code, launch};
use super::stream::{Stream, until};
use super::{output, pty};

/// The process has ended and somebody else holds its output open: how long to wait for them.
const DRAIN: Duration = Duration::from_secs(2);
/// How much is read at a time, in bytes.
const PIECE: usize = 8192;
/// What is kept of one stream at most, whatever the client asks for, in bytes: it becomes one line on the wire.
const MOST_KEPT: usize = 64 * 1024 * 1024;
/// The exit code of a process that ran out of time.
const TIMED_OUT: i32 = 124;

/// A process to be started for a client.
#[derive(Debug)]
pub(crate) struct ClientSpawn {
    /// The program, found on the `PATH` of `env` unless it has a slash, and its arguments.
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// The whole environment.
    pub(crate) env: Vec<(OsString, OsString)>,
    pub(crate) io: ClientIo,
    pub(crate) output: ClientOutput,
    /// How it is shut in; `None` for one that may touch whatever this process may.
    pub(crate) confined: Option<Confined>,
    /// How long it may run.
    pub(crate) timeout: Option<Duration>,
    /// How much of each stream the client wants, in bytes.
    pub(crate) cap: Option<usize>,
}

/// How a process is connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientIo {
    /// Two pipes to read; with `stdin` one to write, else there is nothing for it to read.
    Pipes { stdin: bool },
    /// A controlling terminal of this size, which is standard output only.
    Pty { rows: u16, cols: u16 },
}

/// When a client gets the output.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ClientOutput {
    /// As it comes.
    Streamed,
    /// With the end.
    Kept,
}

/// Which stream some output came from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Source {
    Stdout,
    Stderr,
}

/// A piece of streamed output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Delta {
    pub(crate) source: Source,
    pub(crate) bytes: Vec<u8>,
    /// Whether this is the last piece because the client wants no more.
    pub(crate) cap_reached: bool,
}

/// How a process ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ClientEnd {
    /// 128 and the signal for a process that a signal ended, 124 for one that ran out of time.
    pub(crate) exit_code: i32,
    pub(crate) stdout: Kept,
    pub(crate) stderr: Kept,
    /// Whether somebody else still held the output open, so that the rest of it was not waited for.
    pub(crate) drain_timed_out: bool,
}

/// What was kept of a stream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Kept {
    pub(crate) text: String,
    pub(crate) cap_reached: bool,
}

/// A process while it runs.
#[derive(Debug)]
pub(crate) struct ClientProcess {
    group: Group,
    input: Option<Input>,
    terminal: Option<Arc<Stream>>,
}

/// Why a terminal could not be resized.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ResizeError {
    #[error("process is not attached to a PTY")]
    NoTerminal,
    #[error("{0}")]
    Io(#[source] io::Error),
}

impl ClientProcess {
    /// Starts a process. Needs a runtime.
    pub(crate) fn start(spawn: ClientSpawn) -> Result<(Arc<Self>, Running), Error> {
        let ClientSpawn { argv, cwd, env, io, output, confined, timeout, cap } = spawn;
        let argv = Confined::wrap(confined, &cwd, argv);
        let Ends { child, group, input, terminal, stdout, stderr } = open(&argv, &cwd, env, io)?;
        let cap = cap.unwrap_or(MOST_KEPT);
        // What is streamed is not kept, so only the client's own wish limits it.
        let room = if output == ClientOutput::Kept { cap.min(MOST_KEPT) } else { cap };
        let process = Arc::new(Self { group, input, terminal });
        let running = Running {
            process: Arc::clone(&process),
            child,
            output,
            stdout: Channel::new(Some(stdout), room),
            stderr: Channel::new(stderr, room),
            exit_code: None,
            deadline: timeout.map(|timeout| Instant::now() + timeout),
            timed_out: false,
            drain_timed_out: false,
        };
        Ok((process, running))
    }

    /// Whether the process can be typed anything at all.
    pub(crate) fn has_input(&self) -> bool {
        self.input.is_some()
    }

    /// Queues bytes for the process, and then the end of its input if `close`; the result tells when it has them.
    pub(crate) fn write(&self, bytes: Vec<u8>, close: bool) -> Result<Written, InputError> {
        self.input.as_ref().ok_or(InputError::Closed)?.queue(bytes, close)
    }

    /// Gives the terminal another size.
    pub(crate) fn resize(&self, rows: u16, cols: u16) -> Result<(), ResizeError> {
        let terminal = self.terminal.as_ref().ok_or(ResizeError::NoTerminal)?;
        pty::resize(terminal.as_fd(), rows, cols).map_err(ResizeError::Io)
    }

    /// Kills the process group.
    pub(crate) fn kill(&self) {
        self.group.signal(Signal::KILL);
    }
}

/// The course of a process, for its one follower.
#[derive(Debug)]
pub(crate) struct Running {
    process: Arc<ClientProcess>,
    child: Child,
    output: ClientOutput,
    stdout: Channel,
    stderr: Channel,
    exit_code: Option<i32>,
    /// When to kill; after the process's end, when to stop reading.
    deadline: Option<Instant>,
    timed_out: bool,
    drain_timed_out: bool,
}

/// One stream of output.
#[derive(Debug)]
struct Channel {
    /// Until nothing more can come.
    stream: Option<Arc<Stream>>,
    kept: Vec<u8>,
    /// How many bytes more the client wants.
    room: usize,
}

impl Channel {
    fn new(stream: Option<Arc<Stream>>, room: usize) -> Self {
        Self { stream, kept: Vec::new(), room }
    }

    async fn read(stream: Option<&Stream>, buffer: &mut [u8]) -> usize {
        match stream {
            Some(stream) => stream.read(buffer).await,
            None => std::future::pending().await,
        }
    }

    fn finish(self) -> Kept {
        Kept { cap_reached: self.room == 0, text: output::guess(self.kept) }
    }
}

impl Running {
    /// The next piece of streamed output, `None` once the process has ended and its output is read. May be dropped
    /// and called again.
    pub(crate) async fn next(&mut self) -> Option<Delta> {
        let mut out = vec![0; PIECE].into_boxed_slice();
        let mut err = vec![0; PIECE].into_boxed_slice();
        while !self.is_over() {
            let delta = tokio::select! {
                status = self.child.wait(), if self.exit_code.is_none() => {
                    self.exited(status.ok());
                    None
                }
                read = Channel::read(self.stdout.stream.as_deref(), &mut out) => {
                    self.take(Source::Stdout, &out[..read])
                }
                read = Channel::read(self.stderr.stream.as_deref(), &mut err) => {
                    self.take(Source::Stderr, &err[..read])
                }
                () = until(self.deadline) => {
                    self.late();
                    None
                }
            };
            if delta.is_some() {
                return delta;
            }
        }
        None
    }

    /// How it ended, after all of the output.
    pub(crate) async fn end(mut self) -> ClientEnd {
        while self.next().await.is_some() {}
        ClientEnd {
            exit_code: if self.timed_out { TIMED_OUT } else { self.exit_code.unwrap_or(UNKNOWN) },
            stdout: self.stdout.finish(),
            stderr: self.stderr.finish(),
            drain_timed_out: self.drain_timed_out,
        }
    }

    fn is_over(&self) -> bool {
        self.exit_code.is_some() && self.stdout.stream.is_none() && self.stderr.stream.is_none()
    }

    fn exited(&mut self, status: Option<ExitStatus>) {
        self.exit_code = Some(status.map_or(UNKNOWN, exit_code));
        self.deadline = Some(Instant::now() + DRAIN);
    }

    fn late(&mut self) {
        if self.exit_code.is_none() {
            self.timed_out = true;
            self.deadline = None;
            self.process.kill();
        } else {
            self.drain_timed_out = true;
            self.stdout.stream = None;
            self.stderr.stream = None;
        }
    }

    /// Takes what was read: keeps it, or makes a piece of it.
    fn take(&mut self, source: Source, bytes: &[u8]) -> Option<Delta> {
        let channel = match source {
            Source::Stdout => &mut self.stdout,
            Source::Stderr => &mut self.stderr,
        };
        if bytes.is_empty() {
            channel.stream = None;
            return None;
        }
        let wanted = &bytes[..bytes.len().min(channel.room)];
        channel.room -= wanted.len();
        if self.output == ClientOutput::Kept {
            channel.kept.extend_from_slice(wanted);
            return None;
        }
        let cap_reached = channel.room == 0;
        (!wanted.is_empty()).then(|| Delta { source, bytes: wanted.to_vec(), cap_reached })
    }
}

/// A process that was started, and our ends of its streams.
struct Ends {
    child: Child,
    group: Group,
    input: Option<Input>,
    terminal: Option<Arc<Stream>>,
    stdout: Arc<Stream>,
    stderr: Option<Arc<Stream>>,
}

fn open(
    argv: &[String],
    cwd: &Path,
    env: Vec<(OsString, OsString)>,
    io: ClientIo,
) -> Result<Ends, Error> {
    let mut command = command(argv, cwd, env)?;
    let ours = |end: OwnedFd| Stream::new(end).map(Arc::new).map_err(Error::Io);
    match io {
        ClientIo::Pipes { stdin } => {
            let (stdout, theirs_out) = io::pipe().map_err(Error::Io)?;
            let (stderr, theirs_err) = io::pipe().map_err(Error::Io)?;
            let mut input = None;
            command.stdin(Stdio::null()).stdout(theirs_out).stderr(theirs_err);
            if stdin {
                let (theirs_in, end) = io::pipe().map_err(Error::Io)?;
                command.stdin(theirs_in);
                input = Some(Input::pipe(ours(end.into())?));
            }
            let (stdout, stderr) = (ours(stdout.into())?, Some(ours(stderr.into())?));
            let (child, group) = launch(command, Terminal::None)?;
            Ok(Ends { child, group, input, terminal: None, stdout, stderr })
        }
        ClientIo::Pty { rows, cols } => {
            let pty = pty::open(rows, cols).map_err(Error::Io)?;
            let clone = || pty.slave.try_clone().map_err(Error::Io);
            command.stdin(clone()?).stdout(clone()?).stderr(clone()?);
            let terminal = ours(pty.master)?;
            let input = Some(Input::terminal(Arc::clone(&terminal)));
            let (child, group) = launch(command, Terminal::Stdin)?;
            let (stdout, terminal) = (Arc::clone(&terminal), Some(terminal));
            Ok(Ends { child, group, input, terminal, stdout, stderr: None })
        }
    }
}

#[cfg(test)]
mod tests;
