//! The tools that a model is offered, and how a call of one runs.
//!
//! A call runs in a task of its own, beside the thread that it belongs to. What it does to the thread (items,
//! output, questions to the user) it does by sending [`Effect`]s, which the thread applies in order; so a tool knows
//! neither the thread's state nor who listens.

mod agents;
mod apply_patch;
mod approval;
mod auto_review;
mod clock;
mod collaboration;
mod command;
mod confinement;
mod dynamic;
mod exec_command;
mod goal;
mod hooked;
mod mcp;
mod mcp_resource;
mod output;
mod request_permissions;
mod scene;
mod spec;
mod tool_search;
mod update_plan;
mod user_input;
mod user_input_async;
mod view_image;
mod web_search;
mod write_stdin;

pub(crate) use clock::time;
pub(crate) use command::{Command, not_started};
pub(crate) use confinement::confined;
pub(crate) use dynamic::DynamicTools;
pub(crate) use goal::{GoalAnswer, GoalCall, GoalRequest};
pub(crate) use hooked::run;
pub(crate) use output::{Output, Part};
pub(crate) use scene::{AllowLogin, Role, Scene};
pub(crate) use spec::offered;
use spec::{Run, Tool};
pub(crate) use tool_search::{Deferral, listing as deferred};

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::{mpsc, oneshot, watch};

use crate::exec::SessionEvent;
use crate::extension::hooks;
use crate::mcp as servers;
use crate::patch::Edit;
use crate::protocol::{
    GuardianApprovalReviewAction, ItemId, McpToolCallProgressNotification, QueuedSubmission,
    ThreadActiveFlag, TimedItem, TurnId, TurnPlanUpdatedNotification,
};
use crate::thread::{self, Admission, Draft, Environment, Question, Rendered, Ticket, Wanted};

/// One call, as the model made it.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) id: ItemId,
    /// The namespace before the name, when there is one.
    pub(crate) namespace: Option<String>,
    pub(crate) name: String,
    pub(crate) input: CallInput,
}

impl Call {
    fn namespace(&self) -> &str {
        // `functions` is the namespace of everything that has none.
        self.namespace.as_deref().filter(|&namespace| namespace != "functions").unwrap_or_default()
    }
}

#[derive(Debug)]
pub(crate) enum CallInput {
    /// A function: its arguments, JSON as text.
    Function(String),
    /// A custom tool: its input as it stands.
    Custom(String),
    /// A search for tools: its arguments, JSON as text.
    Search(String),
}

/// What a call did.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// What the model is given.
    Output(Output),
    /// A command has ended.
    Ran {
        /// What the model is given.
        told: String,
        /// What the command has printed, as far as it is kept.
        printed: String,
    },
    /// The user wants the whole turn to end.
    Cancelled,
}

impl Outcome {
    pub(crate) fn text(text: impl Into<String>) -> Self {
        Self::Output(Output::Text(text.into()))
    }

    /// What the model is given; nothing when the user wants the whole turn to end.
    pub(crate) fn told(self) -> Option<Output> {
        match self {
            Self::Output(output) => Some(output),
            Self::Ran { told, .. } => Some(told.into()),
            Self::Cancelled => None,
        }
    }
}

/// What a call does to its thread.
pub(crate) enum Effect {
    /// Shows the beginning of an item. Without an answer it has not been shown, and the call is being ended.
    ItemStarted { item: TimedItem, shown: oneshot::Sender<()> },
    /// Ends an item that has been started.
    ItemCompleted(TimedItem),
    /// A command runs now. Its item has been started already when it had to be approved.
    CommandStarted {
        session: u32,
        script: String,
        item: TimedItem,
        announced: Announced,
        /// Is given the item, not ended, when the sandbox seems to have stopped the command at once.
        denied: Option<oneshot::Sender<TimedItem>>,
    },
    /// Somebody typed into a running command.
    Interaction { session: u32, stdin: String },
    /// The command could not be started after all.
    CommandFailed { session: u32, message: String },
    /// Shows what the thread waits for its user for, if it does, then the item in question if it
    /// has not been shown, then asks.
    Ask {
        waits: Option<ThreadActiveFlag>,
        item: Option<TimedItem>,
        question: Question,
        ticket: oneshot::Sender<Ticket>,
    },
    /// Shows the item in question, then has a model decide instead of the user.
    Review {
        item: Option<TimedItem>,
        action: GuardianApprovalReviewAction,
        reply: oneshot::Sender<thread::Assessment>,
    },
    /// The question of this call, about this, is not open any more.
    Asked(ThreadActiveFlag),
    /// The steps of the model's work.
    PlanUpdated(TurnPlanUpdatedNotification),
    /// Files have been edited, which ends the item: also when the turn has not waited for it.
    Patched { item: TimedItem, edits: Vec<Edit> },
    /// Says what an agent is made from.
    DraftAgent { wanted: Wanted, reply: oneshot::Sender<thread::Result<Draft>> },
    /// Makes an agent known.
    AdmitAgent(Box<Admission>),
    /// Something that the model is to know before the call's output.
    Inform(String),
    /// Something that the model is to know besides the call's output.
    Tell(String),
    /// Something that the user is to know.
    Warn(String),
    /// Tells what a server says of a call that runs.
    Progress(McpToolCallProgressNotification),
    /// Asks about the thread's goal, or changes it.
    Goal(GoalCall),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Announced {
    Yes,
    No,
}

/// What reaches a thread from the tasks that work for it.
pub(crate) enum Event {
    Effect {
        turn: TurnId,
        call: usize,
        effect: Box<Effect>,
    },
    Terminal(SessionEvent),
    Done {
        turn: TurnId,
        call: usize,
        outcome: Outcome,
    },
    /// A message of the queue can be sent to the model.
    Prepared {
        submission: QueuedSubmission,
        rendered: Rendered,
    },
    Hook(hooks::Report),
    /// How the start of a server goes.
    Server(servers::Report),
    /// A model has looked at what a call is about to do; `None` when it has taken too long.
    Reviewed {
        turn: TurnId,
        review: String,
        assessment: Option<thread::Assessment>,
    },
    /// The hooks that a turn has waited for have had their say.
    Hooked {
        turn: TurnId,
        outcome: hooks::Outcome,
    },
}

impl From<hooks::Report> for Event {
    fn from(report: hooks::Report) -> Self {
        Self::Hook(report)
    }
}

impl From<servers::Report> for Event {
    fn from(report: servers::Report) -> Self {
        Self::Server(report)
    }
}

impl From<SessionEvent> for Event {
    fn from(event: SessionEvent) -> Self {
        Self::Terminal(event)
    }
}

/// The right to tell the end of a call's item: the call's or, when it has not come that far, its turn's.
#[derive(Debug, Default)]
pub(crate) struct Claim(AtomicBool);

impl Claim {
    /// Whether the caller is the first.
    pub(crate) fn take(&self) -> bool {
        !self.0.swap(true, Ordering::AcqRel)
    }
}

/// The context of one running call.
#[derive(Clone)]
pub(crate) struct Cx {
    pub(crate) id: ItemId,
    pub(crate) turn: TurnId,
    /// The turn at the root of the tree of agents.
    pub(crate) root: TurnId,
    /// The call's place among the calls of its response.
    pub(crate) number: usize,
    pub(crate) scene: Arc<Scene>,
    pub(crate) events: mpsc::Sender<Event>,
    /// Changes when input arrives that waits for this response's calls.
    pub(crate) arrived: watch::Receiver<()>,
    /// For calls that cannot be stopped half-way.
    pub(crate) claim: Arc<Claim>,
}

/// The thread has ended.
#[derive(Debug)]
struct Ended;

impl Cx {
    /// Shows the beginning of the call's item, of which there is at most one. What has been shown will be ended: by
    /// the call, or by the turn if that ends first.
    async fn begin(&self, item: TimedItem) {
        let (shown, was_shown) = oneshot::channel();
        self.apply(Effect::ItemStarted { item, shown }).await;
        if was_shown.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Applies an effect. When the thread has ended, its calls are being ended too, and nothing is left to be done.
    async fn apply(&self, effect: Effect) {
        if self.try_apply(effect).await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// As [`Self::apply`], for what is done beside the call and ends by itself.
    async fn try_apply(&self, effect: Effect) -> Result<(), Ended> {
        self.events.send(self.event(effect)).await.map_err(|_| Ended)
    }

    /// The same for work that blocks.
    fn apply_blocking(&self, effect: Effect) {
        let _ended = self.events.blocking_send(self.event(effect));
    }

    fn event(&self, effect: Effect) -> Event {
        Event::Effect { turn: self.turn.clone(), call: self.number, effect: Box::new(effect) }
    }
}

/// What a call sets going.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Work {
    /// A command, which goes on though nobody waits for it any more.
    Command,
    Other,
}

pub(crate) fn work(scene: &Scene, call: &Call) -> Work {
    let is_command = call.tool(scene).is_some_and(|tool| std::ptr::eq(tool, &exec_command::TOOL));
    if is_command { Work::Command } else { Work::Other }
}

/// Whether a call waits for the calls before it that do so, too.
pub(crate) fn is_ordered(scene: &Scene, call: &Call) -> bool {
    match call.tool(scene) {
        Some(tool) => matches!(tool.run, Run::InOrder(_)),
        None => call.target(scene).is_some_and(|target| !target.parallel),
    }
}

impl Call {
    /// Whether it names something that the model is offered.
    fn is_known(&self, scene: &Scene) -> bool {
        self.tool(scene).is_some()
            || scene.dynamic_tools.has(self.namespace(), &self.name)
            || self.target(scene).is_some()
    }

    /// The tool of an MCP server that it names.
    fn target(&self, scene: &Scene) -> Option<servers::Target> {
        scene.servers.catalogue().find(self.namespace(), &self.name)
    }

    /// The tool of ours that it names, if the model is offered it.
    fn tool(&self, scene: &Scene) -> Option<&'static Tool> {
        spec::find(scene, self.namespace(), &self.name)
    }
}

/// Runs a call to its end, whatever hooks say.
async fn run_alone(cx: &Cx, call: Call) -> Outcome {
    let tool = call.tool(&cx.scene);
    if tool.is_none() && cx.scene.dynamic_tools.has(call.namespace(), &call.name) {
        return dynamic::run(cx, call).await;
    }
    if tool.is_none()
        && let Some(target) = call.target(&cx.scene)
    {
        return mcp::run(cx, call, target).await;
    }
    if cx.scene.runs_on == Environment::Absent && tool.is_some_and(spec::needs_environment) {
        return Outcome::text(
            "This thread has no environment: commands and files are out of reach.",
        );
    }
    let unknown = format!("{}{}", call.namespace(), call.name);
    match (tool.map(|tool| &tool.run), call.input) {
        (Some(Run::Function(run) | Run::InOrder(run)), CallInput::Function(arguments)) => {
            run(cx, arguments).await
        }
        (Some(Run::Custom(run)), CallInput::Custom(text)) => run(cx, text).await,
        (Some(Run::Search(run)), CallInput::Search(arguments)) => run(cx, arguments).await,
        (Some(Run::Hosted) | None, CallInput::Search(_)) => {
            Outcome::Output(Output::Tools(Vec::new()))
        }
        (Some(Run::Function(_) | Run::InOrder(_) | Run::Custom(_) | Run::Search(_)), _) => {
            Outcome::text("aborted")
        }
        (Some(Run::Hosted) | None, CallInput::Function(_)) => {
            Outcome::text(format!("unsupported call: {unknown}"))
        }
        (Some(Run::Hosted) | None, CallInput::Custom(_)) => {
            Outcome::text(format!("unsupported custom tool call: {unknown}"))
        }
    }
}

/// Decodes a call's arguments; the error is what the model is told.
fn arguments<'a, T: serde::Deserialize<'a>>(text: &'a str) -> Result<T, Outcome> {
    serde_json::from_str(text)
        .map_err(|error| Outcome::text(format!("failed to parse function arguments: {error}")))
}
