//! A loaded thread: one task that owns the thread's state, and the handle that the rest of the server has of it.
//!
//! A thread speaks in wire types: what it has to tell is a protocol notification, serialized once and handed to an
//! [`Outlet`]. It knows turns, items, history and tools; it knows no connection, no request id and no transport.
//! The order on the wire is decided here: a request's [`Reply`] is given before the first event that follows from it.

mod actor;
mod admit;
mod agents;
mod answer;
mod auto_review;
mod call;
mod command;
mod compact;
mod context;
mod diff;
mod draft;
mod effect;
pub(crate) mod fold;
mod fork;
mod goal;
mod history;
mod hooked;
mod input;
mod instructions;
pub(crate) mod item;
mod mail;
mod outlet;
mod plan;
mod prompt;
pub(crate) mod queue;
pub(crate) mod registry;
mod repeat;
mod request;
mod review;
mod said;
mod servers;
mod session;
mod settings;
mod skills;
mod step;
mod stored;
mod stream;
mod team;
mod turn;
mod unread;
mod usage;

pub(crate) use agents::{
    Admission, Agents, Draft, Found as FoundAgent, Memory as AgentMemory, Order as AgentOrder,
    Recruit, Wanted,
};
pub(crate) use auto_review::{Assessment, DeniedAction};
pub(crate) use command::Terminal;
pub(crate) use fork::{Source as ForkSource, fork};
pub(crate) use goal::changed as changed_goal;
pub(crate) use input::{Rendered, check as check_input};
pub(crate) use mail::{Content as LetterContent, Giver, Letter, check_direct_input};
pub(crate) use outlet::{Answer, Outlet, Question, Scope, Ticket};
pub(crate) use review::Task as ReviewTask;
pub(crate) use session::{
    ClientIdentity, NewThread, Persistence, Shared, Since, Start, Stored, create, resume,
};
pub(crate) use settings::{Environment, LOCAL, Settings};
pub(crate) use stored::{restore, stored_thread};
pub(crate) use team::{AgentStatus, path as agent_path};
pub(crate) use unread::is_for_readers;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::{mpsc, oneshot, watch};

use crate::config::McpServer;
use crate::extension::hooks::Hooks;
use crate::mcp::Servers;
use crate::model::senses::Senses;
use crate::protocol::{
    AbsolutePathBuf, LegacyAppPathString, NonSteerableTurnKind, ReviewStartResponse, Thread,
    ThreadApproveGuardianDeniedActionResponse, ThreadBackgroundTerminalsCleanResponse,
    ThreadBackgroundTerminalsTerminateResponse, ThreadCompactStartResponse, ThreadGoal,
    ThreadGoalClearResponse, ThreadGoalSetParams, ThreadGoalSetResponse, ThreadId,
    ThreadQueueStartResponse, ThreadSettings, ThreadSettingsUpdateParams,
    ThreadSettingsUpdateResponse, ThreadShellCommandResponse, ThreadTokenUsage,
    ThreadUnreadPosition, TurnId, TurnInterruptResponse, TurnSettingsUpdateParams,
    TurnSettingsUpdateResponse, TurnStartParams, TurnStartResponse, TurnSteerParams,
    TurnSteerResponse, UserInput,
};
use crate::{config, store};

/// Requests that may wait for a thread before their senders do.
const INBOX: usize = 64;

/// Why a thread did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    /// The request does not fit the thread's state; the text is the client's.
    #[error("{0}")]
    Refused(String),
    #[error("cannot steer a {} turn", kind_name(*.0))]
    NotSteerable(NonSteerableTurnKind),
    #[error("Input exceeds the maximum length of {max_chars} characters.")]
    InputTooLarge { max_chars: usize, actual_chars: usize },
    #[error(
        "This chat uses model provider “{0}”, which is no longer configured. \
         Restore this provider’s configuration to continue."
    )]
    ProviderGone(String),
    /// Something that the client cannot mend; the text is the client's.
    #[error("{0}")]
    Failed(String),
    /// The thread's task has ended.
    #[error("the thread has been unloaded")]
    Gone,
    #[error(transparent)]
    Store(#[from] store::Error),
    #[error(transparent)]
    Config(#[from] config::LoadError),
}

fn kind_name(kind: NonSteerableTurnKind) -> &'static str {
    match kind {
        NonSteerableTurnKind::Review => "review",
        NonSteerableTurnKind::Compact => "compact",
    }
}

pub(crate) type Result<T, E = Error> = std::result::Result<T, E>;

/// The one chance to answer a request, given away together with the request.
pub(crate) struct Reply<T>(Box<dyn FnOnce(Result<T>) + Send>);

impl<T> std::fmt::Debug for Reply<T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Reply")
    }
}

impl<T> Reply<T> {
    pub(crate) fn new(give: impl FnOnce(Result<T>) + Send + 'static) -> Self {
        Self(Box::new(give))
    }

    pub(crate) fn give(self, result: Result<T>) {
        (self.0)(result);
    }
}

/// What can be asked of a loaded thread.
pub(crate) enum Command {
    StartTurn {
        params: Box<TurnStartParams>,
        /// The input as the model is sent it.
        input: Rendered,
        reply: Reply<TurnStartResponse>,
    },
    Steer {
        params: Box<TurnSteerParams>,
        /// The input as the model is sent it.
        input: Rendered,
        reply: Reply<TurnSteerResponse>,
    },
    SetGoal {
        params: Box<ThreadGoalSetParams>,
        reply: Reply<ThreadGoalSetResponse>,
    },
    ClearGoal {
        reply: Reply<ThreadGoalClearResponse>,
    },
    /// A turn of one of the thread's agents has ended.
    AgentEnded,
    /// Another agent writes.
    Mail {
        letter: Letter,
        reply: Reply<()>,
    },
    /// The user has read the thread up to here, or wants to read it again.
    Read {
        first_unread: Option<ThreadUnreadPosition>,
    },
    /// Goes on with what waits, if the thread is idle: its queue may have changed, or somebody has resumed it.
    Wake,
    /// Sends a message of the queue; the first one unless it is named.
    StartQueued {
        id: Option<String>,
        reply: Reply<ThreadQueueStartResponse>,
    },
    UpdateSettings {
        params: Box<ThreadSettingsUpdateParams>,
        reply: Reply<ThreadSettingsUpdateResponse>,
    },
    UpdateTurn {
        params: Box<TurnSettingsUpdateParams>,
        reply: Reply<TurnSettingsUpdateResponse>,
    },
    /// Starts the thread's MCP servers, now that somebody can hear of it.
    StartServers,
    /// Has other MCP servers from its next turn on.
    ChangeServers(BTreeMap<String, McpServer>),
    /// Has other hooks from its next turn on.
    ChangeHooks(Hooks),
    /// The thread's MCP servers.
    Servers {
        reply: oneshot::Sender<Arc<Servers>>,
    },
    Interrupt {
        turn: TurnId,
        reply: Reply<TurnInterruptResponse>,
    },
    /// Compacts the history, in a turn of its own.
    Compact {
        reply: Reply<ThreadCompactStartResponse>,
    },
    /// Runs a command of the user's own.
    Shell {
        script: String,
        limit: Option<Duration>,
        reply: Reply<ThreadShellCommandResponse>,
    },
    /// Lets the model do what an automatic review has refused.
    AllowDenied {
        denied: DeniedAction,
        reply: Reply<ThreadApproveGuardianDeniedActionResponse>,
    },
    /// The commands of the agent that run.
    Terminals {
        reply: oneshot::Sender<Vec<Terminal>>,
    },
    /// Kills a command of the agent.
    Terminate {
        session: u32,
        reply: Reply<ThreadBackgroundTerminalsTerminateResponse>,
    },
    /// Kills all commands of the agent.
    TerminateAll {
        reply: Reply<ThreadBackgroundTerminalsCleanResponse>,
    },
    /// Reviews a change, in a turn of its own.
    Review {
        task: ReviewTask,
        reply: Reply<ReviewStartResponse>,
    },
    Snapshot {
        reply: oneshot::Sender<Snapshot>,
    },
    /// What the model can take that input is sent to now; the one of this name if a turn begins with it.
    Senses {
        model: Option<String>,
        reply: oneshot::Sender<Senses>,
    },
    /// Adds items to what the model has seen.
    Inject {
        items: Vec<Box<RawValue>>,
        reply: oneshot::Sender<Result<()>>,
    },
    Rename {
        name: String,
        reply: oneshot::Sender<Result<()>>,
    },
    /// Makes sure that the thread is on disk.
    Materialize {
        reply: oneshot::Sender<Result<()>>,
    },
    /// Ends a running turn, and the task.
    Close {
        reply: oneshot::Sender<Closed>,
    },
}

/// What a thread's task leaves to whoever closes it.
pub(crate) struct Closed {
    /// What it ran on.
    pub(crate) start: Start,
    /// Keeps the thread locked. `None` for an ephemeral one.
    pub(crate) writer: Option<store::Writer>,
}

/// A loaded thread as others see it in one moment.
#[derive(Debug, Clone)]
pub(crate) struct Snapshot {
    pub(crate) thread: Thread,
    pub(crate) settings: ThreadSettings,
    /// The turn that runs now.
    pub(crate) running: Option<TurnId>,
    pub(crate) roots: Vec<AbsolutePathBuf>,
    /// The files that the thread's instructions come from.
    pub(crate) instruction_sources: Vec<LegacyAppPathString>,
    /// Whether the thread has a file.
    pub(crate) materialized: bool,
    pub(crate) last_usage: Option<(TurnId, ThreadTokenUsage)>,
    pub(crate) goal: Option<ThreadGoal>,
    /// Whether threads have goals at all.
    pub(crate) goals_enabled: bool,
}

impl Command {
    /// Whether a thread that does nothing begins a turn on it.
    fn begins_turn(&self) -> bool {
        matches!(self, Self::StartTurn { .. })
            || matches!(self, Self::Mail { letter, .. } if letter.is_task())
    }
}

/// The way to a loaded thread. Cheap to clone; the thread lives as long as the registry keeps it.
#[derive(Debug, Clone)]
pub(crate) struct ThreadHandle {
    pub(crate) id: ThreadId,
    /// How far it is.
    pub(crate) progress: watch::Receiver<AgentStatus>,
    commands: mpsc::Sender<Command>,
}

impl ThreadHandle {
    /// Whether a turn is running.
    pub(crate) fn works(&self) -> bool {
        *self.progress.borrow() == AgentStatus::Running
    }

    /// Hands a request over. When the thread has just ended, the request is dropped, and its reply with it.
    pub(crate) async fn send(&self, command: Command) {
        if self.commands.send(command).await.is_err() {
            tracing::debug!(thread = %self.id, "a request came too late for its thread");
        }
    }

    /// As [`Self::send`], for a thread that nobody else knows, so that there is room in its inbox.
    fn send_now(&self, command: Command) {
        if self.commands.try_send(command).is_err() {
            tracing::warn!(thread = %self.id, "a new thread takes no request");
        }
    }

    pub(crate) async fn start_turn(
        &self,
        params: TurnStartParams,
        reply: Reply<TurnStartResponse>,
    ) {
        let command = self.turn_request(params, reply).await;
        self.send(command).await;
    }

    /// The request for a turn, with everything done that it has to wait for.
    pub(crate) async fn turn_request(
        &self,
        params: TurnStartParams,
        reply: Reply<TurnStartResponse>,
    ) -> Command {
        let mode = params.collaboration_mode.as_ref().map(|mode| mode.settings.model.clone());
        let model = mode.or_else(|| params.model.clone());
        let input = self.rendered(&params.input, model).await;
        Command::StartTurn { params: Box::new(params), input, reply }
    }

    pub(crate) async fn steer(&self, params: TurnSteerParams, reply: Reply<TurnSteerResponse>) {
        let input = self.rendered(&params.input, None).await;
        self.send(Command::Steer { params: Box::new(params), input, reply }).await;
    }

    /// What a model is sent for this input. Pictures are worked on here and not in the thread's task, so that a large
    /// one makes nobody wait but its sender.
    async fn rendered(&self, input: &[UserInput], model: Option<String>) -> Rendered {
        // Input that will be refused is not worth the work.
        if !input::has_media(input) || input::check(input).is_err() {
            return input::text_message(input);
        }
        match self.ask(|reply| Command::Senses { model, reply }).await {
            Ok(senses) => input::message(input.to_vec(), senses).await,
            // The request will find the thread gone as well.
            Err(_gone) => input::text_message(input),
        }
    }

    /// Whether both lead to the same task: a thread that is loaded again has another one.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.commands.same_channel(&other.commands)
    }

    /// Whether the thread's task is over.
    pub(crate) fn has_ended(&self) -> bool {
        self.commands.is_closed()
    }

    pub(crate) async fn snapshot(&self) -> Result<Snapshot> {
        self.ask(|reply| Command::Snapshot { reply }).await
    }

    pub(crate) async fn servers(&self) -> Result<Arc<Servers>> {
        self.ask(|reply| Command::Servers { reply }).await
    }

    pub(crate) async fn terminals(&self) -> Result<Vec<Terminal>> {
        self.ask(|reply| Command::Terminals { reply }).await
    }

    pub(crate) async fn rename(&self, name: String) -> Result<()> {
        self.ask(|reply| Command::Rename { name, reply }).await?
    }

    pub(crate) async fn inject(&self, items: Vec<Box<RawValue>>) -> Result<()> {
        self.ask(|reply| Command::Inject { items, reply }).await?
    }

    pub(crate) async fn materialize(&self) -> Result<()> {
        self.ask(|reply| Command::Materialize { reply }).await?
    }

    /// Ends the thread's task in order: a running turn is interrupted and recorded, commands are killed.
    pub(crate) async fn close(&self) -> Result<Closed> {
        self.ask(|reply| Command::Close { reply }).await
    }

    async fn ask<T>(&self, command: impl FnOnce(oneshot::Sender<T>) -> Command) -> Result<T> {
        let (reply, answer) = oneshot::channel();
        self.commands.send(command(reply)).await.map_err(|_| Error::Gone)?;
        answer.await.map_err(|_| Error::Gone)
    }
}
