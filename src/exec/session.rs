//! One long-lived command: who holds a [`Session`] reads, writes and kills it; one task per command follows it from
//! its start to its end.
//!
//! Output goes two ways. Each piece becomes an event, in order, for whoever shows the command; and it is kept for
//! [`Session::collect`], which hands it out once. Both are bounded, whatever the command prints.

use std::io;
use std::process::ExitStatus;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Child;
use tokio::sync::{mpsc, watch};
use tokio::time::{Instant, timeout};

use super::group::Group;
use super::output::{Decoder, HeadTail, Output, pieces};
use super::spawn::{Error, Io, Spawn, Started, exit_code, spawn};
use super::stream::{Stream, until};

/// The size of a piece of output, in bytes.
const PIECE: usize = 8192;
/// How much is held back in the quiet time, in bytes.
const MAX_HELD: usize = 64 * 1024;
/// How many pieces become events; further output is only kept.
const MAX_PIECES: usize = 10_000;
/// A command has ended and somebody else holds its output open: how long to wait for something more…
const QUIET: Duration = Duration::from_millis(50);
/// …and how long altogether.
const DRAIN: Duration = Duration::from_secs(2);
/// The exit code of a command that was killed by its owner.
const KILLED: i32 = -1;
/// What the interrupt key types.
const INTERRUPT: &[u8] = b"\x03";

/// A running or ended command. The command's process group is killed with the last clone.
#[derive(Debug, Clone)]
pub(crate) struct Session(Arc<Handle>);

#[derive(Debug)]
struct Handle {
    shared: Arc<Shared>,
    group: Group,
    io: Io,
}

/// What the handles share with the task that follows the command.
#[derive(Debug)]
struct Shared {
    id: u32,
    stream: Stream,
    state: Mutex<State>,
    /// The exit code, once the end was accepted by the receiver of the events.
    ended: watch::Sender<Option<i32>>,
}

#[derive(Debug, Default)]
struct State {
    /// All of the output, until the end takes it.
    aggregated: HeadTail,
    /// What no call of `collect` was given yet.
    unread: HeadTail,
    killed: bool,
    exited: bool,
}

/// Something that a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct SessionEvent {
    pub(crate) session: u32,
    pub(crate) kind: SessionEventKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum SessionEventKind {
    /// A piece of output of at most 8192 bytes. After 10,000 of them there are no more.
    Output(String),
    /// The one end, after which nothing comes. The exit code is 128 and the signal for a command that a signal
    /// ended, and -1 for one that its owner killed.
    Ended { exit_code: i32, aggregated: Option<String>, duration: Duration },
}

/// What [`Session::collect`] found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Collected {
    /// The output that no earlier call was given.
    pub(crate) output: Output,
    /// How long this call waited.
    pub(crate) wall: Duration,
    /// The exit code, if the command has ended.
    pub(crate) exit: Option<i32>,
}

/// Why something could not be typed into a command.
#[derive(Debug, thiserror::Error)]
pub(crate) enum WriteError {
    #[error("the command has no terminal")]
    StdinClosed,
    #[error("the command has ended")]
    Ended,
    #[error("could not write to the command's terminal")]
    Io(#[source] io::Error),
}

impl Session {
    /// Starts a command. Every piece of its output and then its one end go to `events`; while that channel is full
    /// the command is not read, and when it is closed the command runs on unseen.
    pub(crate) fn start<E: From<SessionEvent> + Send + 'static>(
        id: u32,
        request: Spawn,
        events: mpsc::Sender<E>,
    ) -> Result<Self, Error> {
        let (io, quiet) = (request.io, request.quiet);
        let Started { child, group, stream } = spawn(request)?;
        let shared = Arc::new(Shared {
            id,
            stream,
            state: Mutex::default(),
            ended: watch::Sender::new(None),
        });
        let follower = Follower {
            shared: Arc::clone(&shared),
            events,
            started: Instant::now(),
            quiet_until: Some(Instant::now() + quiet),
            held: String::new(),
            decoder: Decoder::default(),
            pieces_left: MAX_PIECES,
        };
        // The task ends with the command, which ends with the last handle.
        drop(tokio::spawn(follower.run(child)));
        Ok(Self(Arc::new(Handle { shared, group, io })))
    }

    pub(crate) fn id(&self) -> u32 {
        self.0.shared.id
    }

    /// The process that leads the command, as the system knows it.
    pub(crate) fn pid(&self) -> u32 {
        self.0.group.leader().as_raw_nonzero().get().unsigned_abs()
    }

    /// Whether the command can be typed these bytes, as long as it runs.
    pub(crate) fn takes(&self, bytes: &[u8]) -> bool {
        matches!(self.0.io, Io::Pty { .. }) || bytes == INTERRUPT
    }

    /// Types `bytes` into the command's terminal. A command without one understands the interrupt key only.
    pub(crate) async fn write(&self, bytes: &[u8]) -> Result<(), WriteError> {
        if self.finished().is_some() {
            return Err(WriteError::Ended);
        }
        match self.0.io {
            Io::Pty { .. } => self.write_terminal(bytes).await,
            Io::Pipes if bytes == INTERRUPT => {
                self.0.group.signal(Signal::INT);
                Ok(())
            }
            Io::Pipes => Err(WriteError::StdinClosed),
        }
    }

    /// Kills the command's process group.
    pub(crate) fn kill(&self) {
        self.0.kill();
    }

    /// Waits for the end, but not longer than `wait`, then hands out the output that no earlier call was given.
    ///
    /// An exit code means that the end is in the channel of events already.
    pub(crate) async fn collect(&self, wait: Duration) -> Collected {
        let start = Instant::now();
        let mut ended = self.0.shared.ended.subscribe();
        let exit = match timeout(wait, ended.wait_for(Option::is_some)).await {
            Ok(Ok(code)) => *code,
            Ok(Err(_)) | Err(_) => None,
        };
        let output = self.0.shared.state().unread.take();
        Collected { output, wall: start.elapsed(), exit }
    }

    /// Waits until the command has ended and the end is in the channel of events.
    pub(crate) async fn ended(&self) {
        let mut ended = self.0.shared.ended.subscribe();
        // The sender is in this session.
        drop(ended.wait_for(Option::is_some).await);
    }

    /// The exit code, if the command has ended and the end is in the channel of events.
    pub(crate) fn finished(&self) -> Option<i32> {
        *self.0.shared.ended.borrow()
    }

    async fn write_terminal(&self, bytes: &[u8]) -> Result<(), WriteError> {
        let mut ended = self.0.shared.ended.subscribe();
        // A command that does not read must not hold its writer for longer than it lives.
        tokio::select! {
            written = self.0.shared.stream.write(bytes) => written.map_err(|error| {
                if error.kind() == io::ErrorKind::BrokenPipe {
                    WriteError::Ended
                } else {
                    WriteError::Io(error)
                }
            }),
            _ = ended.wait_for(Option::is_some) => Err(WriteError::Ended),
        }
    }
}

impl Handle {
    fn kill(&self) {
        let mut state = self.shared.state();
        state.killed |= !state.exited;
        self.group.signal(Signal::KILL);
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.kill();
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The task that reads a command's output and reaps it.
struct Follower<E> {
    shared: Arc<Shared>,
    /// Its receiver may take other events, too.
    events: mpsc::Sender<E>,
    started: Instant,
    /// Until then output is held back: most commands end at once, and their end tells all of it.
    quiet_until: Option<Instant>,
    held: String,
    decoder: Decoder,
    pieces_left: usize,
}

impl<E: From<SessionEvent>> Follower<E> {
    async fn run(mut self, mut child: Child) {
        let mut buffer = vec![0; PIECE].into_boxed_slice();
        let mut open = true;
        let status = loop {
            tokio::select! {
                status = child.wait() => break status,
                read = self.shared.stream.read(&mut buffer), if open => {
                    open = read > 0;
                    self.take(&buffer[..read]).await;
                }
                () = until(self.quiet_until.filter(|_| !self.held.is_empty())) => self.release().await,
            }
        };
        let duration = self.started.elapsed();
        let exit_code = self.exit_code(status.ok());
        if open {
            self.drain(&mut buffer).await;
        }
        let last = self.decoder.finish();
        self.publish(&last).await;
        let aggregated = self.shared.state().aggregated.take().text;
        let aggregated = Some(aggregated).filter(|text| !text.is_empty());
        self.send(SessionEventKind::Ended { exit_code, aggregated, duration }).await;
        // Invariant: whoever learns the exit code from a session finds the end in the channel already.
        self.shared.ended.send_replace(Some(exit_code));
    }

    fn exit_code(&self, status: Option<ExitStatus>) -> i32 {
        let mut state = self.shared.state();
        state.exited = true;
        match status {
            Some(status) if !state.killed => exit_code(status),
            Some(_) | None => KILLED,
        }
    }

    /// Reads what is left after the command's own end. Usually that is the end of the stream; but whoever the
    /// command left behind may hold it open.
    async fn drain(&mut self, buffer: &mut [u8]) {
        let deadline = Instant::now() + DRAIN;
        while Instant::now() < deadline {
            match timeout(QUIET, self.shared.stream.read(buffer)).await {
                Ok(0) | Err(_) => return,
                Ok(read) => self.take(&buffer[..read]).await,
            }
        }
    }

    async fn take(&mut self, bytes: &[u8]) {
        let text = self.decoder.decode(bytes);
        self.publish(&text).await;
    }

    async fn publish(&mut self, text: &str) {
        if text.is_empty() {
            return;
        }
        {
            let mut state = self.shared.state();
            state.aggregated.push(text);
            state.unread.push(text);
        }
        if let Some(until) = self.quiet_until {
            self.held.push_str(text);
            if Instant::now() >= until || self.held.len() > MAX_HELD {
                self.release().await;
            }
            return;
        }
        self.show(text).await;
    }

    /// Ends the quiet time.
    async fn release(&mut self) {
        self.quiet_until = None;
        let held = std::mem::take(&mut self.held);
        self.show(&held).await;
    }

    async fn show(&mut self, text: &str) {
        for piece in pieces(text, PIECE) {
            if self.pieces_left == 0 {
                return;
            }
            self.pieces_left -= 1;
            self.send(SessionEventKind::Output(piece.to_owned())).await;
        }
    }

    async fn send(&self, kind: SessionEventKind) {
        let event = SessionEvent { session: self.shared.id, kind };
        let _nobody_listens = self.events.send(event.into()).await;
    }
}

#[cfg(test)]
mod tests;
