//! What `command/exec` and `process/*` share: from a client's wishes to a process of its connection, and its output
//! back to that client. The methods differ in their words and in how they tell the end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Serialize;

use super::audience::Reach;
use super::context::Cx;
use super::error::{Error, Result};
use crate::exec::{
    ClientEnd, ClientIo, ClientOutput, ClientProcess, ClientSpawn, Confined, Delta, InputError,
    Place, Processes, Refusal, Running, Written,
};
use crate::protocol::Notification;

/// How long a process may run unless its client says.
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
/// How much of each stream a client gets unless it says, in bytes.
const DEFAULT_CAP: usize = 1024 * 1024;
/// The terminal of a process unless its client says.
const DEFAULT_SIZE: Size = Size { rows: 24, cols: 80 };

/// A family of methods, in the words of its refusals.
pub(crate) struct Family {
    /// Before a name that is taken.
    pub(crate) taken: &'static str,
    /// Before a name that nothing has.
    pub(crate) unknown: &'static str,
    /// What has no input.
    pub(crate) subject: &'static str,
    /// The method that starts one.
    pub(crate) start: &'static str,
    /// The method that gives input.
    pub(crate) write: &'static str,
    /// What has a size.
    pub(crate) sized: &'static str,
    /// What could not be started.
    pub(crate) noun: &'static str,
}

/// What a client wants to be run.
pub(crate) struct Wish {
    pub(crate) name: Option<String>,
    pub(crate) command: Vec<String>,
    pub(crate) cwd: PathBuf,
    pub(crate) env: Option<BTreeMap<String, Option<String>>>,
    pub(crate) confined: Option<Confined>,
    pub(crate) tty: bool,
    pub(crate) stream_stdin: bool,
    pub(crate) stream_output: bool,
    pub(crate) size: Option<Size>,
    pub(crate) timeout: Limit<i64>,
    pub(crate) cap: Limit<usize>,
}

/// The size of a terminal.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Size {
    pub(crate) rows: u16,
    pub(crate) cols: u16,
}

/// A limit that a client may set.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Limit<T> {
    Default,
    Unlimited,
    To(T),
}

impl<T> Limit<T> {
    fn or(self, default: T) -> Option<T> {
        match self {
            Self::Default => Some(default),
            Self::Unlimited => None,
            Self::To(limit) => Some(limit),
        }
    }
}

/// Absent is the default, `null` is no limit.
impl<T> From<Option<Option<T>>> for Limit<T> {
    fn from(member: Option<Option<T>>) -> Self {
        match member {
            None => Self::Default,
            Some(None) => Self::Unlimited,
            Some(Some(limit)) => Self::To(limit),
        }
    }
}

/// A process of a connection that has just been started.
pub(crate) struct Started {
    place: Place,
    running: Running,
}

impl Family {
    /// Starts a process.
    pub(crate) fn start(&self, processes: &Processes, wish: Wish) -> Result<Started> {
        if wish.command.is_empty() {
            return Err(Error::invalid_request("command must not be empty"));
        }
        let io = self.io(&wish)?;
        let timeout = self.timeout(wish.timeout)?;
        let streamed = wish.tty || wish.stream_output;
        let spawn = ClientSpawn {
            argv: wish.command,
            cwd: wish.cwd,
            env: environment(wish.env.unwrap_or_default()),
            io,
            confined: wish.confined,
            output: if streamed { ClientOutput::Streamed } else { ClientOutput::Kept },
            timeout,
            cap: wish.cap.or(DEFAULT_CAP),
        };
        let place = processes.reserve(wish.name.clone()).map_err(|refusal| match refusal {
            Refusal::Taken => {
                let name = wish.name.unwrap_or_default();
                Error::invalid_request(format!("{}: {name:?}", self.taken))
            }
            Refusal::TooMany | Refusal::Closed => Error::invalid_request(refusal.to_string()),
        })?;
        let (process, running) = ClientProcess::start(spawn).map_err(|error| {
            let cause = std::error::Error::source(&error).map(ToString::to_string);
            let reason = cause.unwrap_or_else(|| error.to_string());
            Error::internal(format!("failed to spawn {}: {reason}", self.noun))
        })?;
        place.fill(process);
        Ok(Started { place, running })
    }

    fn io(&self, wish: &Wish) -> Result<ClientIo> {
        match (wish.tty, wish.size) {
            (true, size) => {
                let Size { rows, cols } = self.check_size(size.unwrap_or(DEFAULT_SIZE))?;
                Ok(ClientIo::Pty { rows, cols })
            }
            (false, None) => Ok(ClientIo::Pipes { stdin: wish.stream_stdin }),
            (false, Some(_)) => {
                Err(Error::invalid_params(format!("{} size requires tty: true", self.start)))
            }
        }
    }

    fn check_size(&self, size: Size) -> Result<Size> {
        if size.rows == 0 || size.cols == 0 {
            let refusal = format!("{} size rows and cols must be greater than 0", self.sized);
            return Err(Error::invalid_params(refusal));
        }
        Ok(size)
    }

    fn timeout(&self, limit: Limit<i64>) -> Result<Option<Duration>> {
        let Limit::To(ms) = limit else {
            return Ok(matches!(limit, Limit::Default).then_some(DEFAULT_TIMEOUT));
        };
        match u64::try_from(ms) {
            Ok(ms) => Ok(Some(Duration::from_millis(ms))),
            Err(_) => {
                let refusal = format!("{} timeoutMs must be non-negative, got {ms}", self.start);
                Err(Error::invalid_params(refusal))
            }
        }
    }

    /// Queues input for a process.
    pub(crate) fn input(
        &self,
        processes: &Processes,
        name: &str,
        delta: Option<String>,
        close: bool,
    ) -> Result<Queued> {
        if delta.is_none() && !close {
            let refusal = format!("{} requires deltaBase64 or closeStdin", self.write);
            return Err(Error::invalid_params(refusal));
        }
        let bytes = STANDARD
            .decode(delta.unwrap_or_default())
            .map_err(|error| Error::invalid_params(format!("invalid deltaBase64: {error}")))?;
        let process = self.find(processes, name)?;
        if !process.has_input() {
            let refusal = format!("stdin streaming is not enabled for this {}", self.subject);
            return Err(Error::invalid_request(refusal));
        }
        process.write(bytes, close).map(Queued).map_err(|error| refused(&error))
    }

    /// Gives a process's terminal another size.
    pub(crate) fn resize(&self, processes: &Processes, name: &str, size: Size) -> Result<()> {
        let size = self.check_size(size)?;
        let resized = self.find(processes, name)?.resize(size.rows, size.cols);
        resized.map_err(|error| Error::invalid_request(format!("failed to resize PTY: {error}")))
    }

    /// Kills a process.
    pub(crate) fn kill(&self, processes: &Processes, name: &str) -> Result<()> {
        self.find(processes, name)?.kill();
        Ok(())
    }

    fn find(&self, processes: &Processes, name: &str) -> Result<Arc<ClientProcess>> {
        let missing = || Error::invalid_request(format!("{} {name:?}", self.unknown));
        processes.get(name).ok_or_else(missing)
    }
}

/// Input that a process does not have yet.
pub(crate) struct Queued(Written);

impl Queued {
    /// Answers when the process has it.
    pub(crate) async fn told<R: Serialize>(self, cx: Cx, response: R) {
        match self.0.await.unwrap_or(Err(InputError::Closed)) {
            Ok(()) => drop(cx.answer(&response)),
            Err(error) => cx.fail(refused(&error)),
        }
    }
}

fn refused(error: &InputError) -> Error {
    Error::invalid_request(error.to_string())
}

impl Started {
    /// Tells the client the output as it comes, then returns the end. The process's name is free by then.
    pub(crate) async fn follow<N: Notification>(
        self,
        cx: &Cx,
        told: impl Fn(Delta) -> N::Params,
    ) -> ClientEnd {
        let Self { place, mut running } = self;
        while let Some(delta) = running.next().await {
            cx.server.audience.notify::<N>(Reach::Only(cx.connection.id), &told(delta));
            cx.connection.outbox.room().await;
        }
        let end = running.end().await;
        drop(place);
        end
    }
}

pub(crate) fn encode(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

/// The server's own environment with a client's changes.
fn environment(changes: BTreeMap<String, Option<String>>) -> Vec<(OsString, OsString)> {
    let mut environment: BTreeMap<OsString, OsString> = std::env::vars_os().collect();
    for (name, value) in changes {
        match value {
            Some(value) => environment.insert(name.into(), value.into()),
            None => environment.remove(&OsString::from(name)),
        };
    }
    environment.into_iter().collect()
}
