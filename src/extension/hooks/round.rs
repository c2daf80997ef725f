//! Running hooks: all those of one occasion together, each as a child process of its own.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::context::limited;
use super::declare::{Handler, Hook, Hooks};
use super::event::kebab_case;
use super::occasion::{Occasion, Situation};
use super::outcome::{Outcome, Ran, Said, understand};
use crate::exec::{Filter, Filtered, Shell, Startup, filter};
use crate::protocol::{
    HookEventName, HookExecutionMode, HookOutputEntry, HookOutputEntryKind, HookRunStatus,
    HookRunSummary, HookSource, ThreadId, TurnId,
};
use crate::util::error::chain;
use crate::util::time::now_secs;

/// The most asynchronous hooks of a thread that run at the same time.
const MAX_BACKGROUND: usize = 32;

/// The hooks of one thread that may run.
#[derive(Debug)]
pub(crate) struct ThreadHooks {
    hooks: Vec<Arc<Hook>>,
    shell: Shell,
    /// What nobody waits for. Its commands are killed with the last hooks that share it.
    background: Arc<Mutex<JoinSet<()>>>,
}

/// The hooks of a thread, and the turn that they run for.
#[derive(Debug, Clone)]
pub(crate) struct TurnHooks {
    pub(crate) all: Arc<ThreadHooks>,
    pub(crate) situation: Situation,
}

/// What hooks have to tell their thread while they run.
#[derive(Debug)]
pub(crate) enum Report {
    /// A hook runs, if the thread does not know already.
    Started { turn: Option<TurnId>, run: Box<HookRunSummary> },
    /// A hook has ended.
    Completed { turn: Option<TurnId>, run: Box<HookRunSummary> },
    /// What an asynchronous hook adds.
    Context(String),
}

/// The hooks that run at one occasion. Dropped, they are killed.
#[derive(Debug)]
pub(crate) struct Round {
    runs: Vec<Run>,
    turn: Option<TurnId>,
}

#[derive(Debug)]
struct Run {
    hook: Arc<Hook>,
    task: Task,
    summary: HookRunSummary,
}

/// What it takes to run a hook.
#[derive(Debug, Clone)]
struct Task {
    filter: Filter,
    event: HookEventName,
    thread: ThreadId,
    context_limit: Option<usize>,
}

impl ThreadHooks {
    /// Those that may run; `None` when there are none.
    pub(crate) fn new(hooks: Hooks, shell: impl FnOnce() -> Shell) -> Option<Arc<Self>> {
        Self::of(Self::runnable(hooks).collect(), Arc::default(), shell)
    }

    /// Those that take the place of others. What runs goes on, and what belongs to the thread alone stays: the
    /// hooks that came with the request that started it stand in no file.
    pub(crate) fn renewed(
        before: Option<&Self>,
        hooks: Hooks,
        shell: impl FnOnce() -> Shell,
    ) -> Option<Arc<Self>> {
        let Some(before) = before else { return Self::new(hooks, shell) };
        let known: HashSet<String> = hooks.declared.iter().map(|hook| hook.key.clone()).collect();
        let is_own = |hook: &&Arc<Hook>| {
            hook.source == HookSource::SessionFlags && !known.contains(&hook.key)
        };
        let own = before.hooks.iter().filter(is_own).cloned();
        let all = Self::runnable(hooks).chain(own).collect();
        Self::of(all, Arc::clone(&before.background), shell)
    }

    fn of(
        hooks: Vec<Arc<Hook>>,
        background: Arc<Mutex<JoinSet<()>>>,
        shell: impl FnOnce() -> Shell,
    ) -> Option<Arc<Self>> {
        (!hooks.is_empty()).then(|| Arc::new(Self { hooks, shell: shell(), background }))
    }

    fn runnable(hooks: Hooks) -> impl Iterator<Item = Arc<Hook>> {
        // Tools of MCP servers are listed, and not run.
        let runs = |hook: &Hook| hook.may_run() && matches!(hook.handler, Handler::Command { .. });
        hooks.declared.into_iter().filter(runs).map(Arc::new)
    }

    pub(crate) fn has(&self, event: HookEventName) -> bool {
        self.hooks.iter().any(|hook| hook.event == event)
    }

    /// Begins a round. Asynchronous hooks run from now on and have their say in `reports`; the others run with
    /// [`Round::run`], of which `None` says that there is none to wait for.
    pub(crate) fn begin<R: From<Report> + Send + 'static>(
        &self,
        occasion: &Occasion,
        situation: &Situation,
        reports: &mpsc::Sender<R>,
    ) -> Option<Round> {
        let subjects = occasion.subjects(situation);
        let event = occasion.event();
        let fits = |hook: &&Arc<Hook>| hook.event == event && hook.matcher.matches(&subjects);
        let mut input = None;
        let mut runs = Vec::new();
        for hook in self.hooks.iter().filter(fits) {
            let input = input.get_or_insert_with(|| occasion.input(situation));
            let Some(task) = self.task(hook, input, situation) else { continue };
            // Nothing runs beside a thread that has ended.
            if hook.is_async() && event != HookEventName::SessionEnd {
                self.run_beside(task, reports.clone());
                continue;
            }
            let summary = summary(hook, occasion);
            runs.push(Run { hook: Arc::clone(hook), task, summary });
        }
        (!runs.is_empty()).then(|| Round { runs, turn: situation.turn.clone() })
    }

    /// Runs a round that nobody waits for; `false` if there is no room for it, and it is not run.
    pub(crate) fn observe<R: From<Report> + Send + 'static>(
        &self,
        round: Round,
        reports: mpsc::Sender<R>,
    ) -> bool {
        self.spawn(async move { drop(round.run(&reports).await) })
    }

    fn task(&self, hook: &Hook, input: &str, situation: &Situation) -> Option<Task> {
        let Handler::Command { command, .. } = &hook.handler else { return None };
        let filter = Filter {
            argv: self.shell.argv(Startup::Login, command),
            cwd: situation.cwd.clone(),
            env: std::env::vars_os().collect(),
            input: input.as_bytes().to_vec(),
            timeout: hook.timeout(),
        };
        let context_limit = hook.context_limit();
        Some(Task { filter, event: hook.event, thread: situation.thread.clone(), context_limit })
    }

    fn run_beside<R: From<Report> + Send + 'static>(&self, task: Task, reports: mpsc::Sender<R>) {
        let _has_room = self.spawn(async move {
            if let Some(context) = task.run().await.context {
                let _ended = reports.send(Report::Context(context).into()).await;
            }
        });
    }

    fn spawn(&self, work: impl Future<Output = ()> + Send + 'static) -> bool {
        let mut background = self.background.lock().unwrap_or_else(PoisonError::into_inner);
        while background.try_join_next().is_some() {}
        let has_room = background.len() < MAX_BACKGROUND;
        if has_room {
            background.spawn(work);
        } else {
            tracing::warn!("a hook is not run: too many of this thread still run");
        }
        has_room
    }
}

impl Round {
    /// The runs as they begin, to be shown before they do.
    pub(crate) fn started(&self) -> impl Iterator<Item = (Option<TurnId>, HookRunSummary)> {
        self.runs.iter().map(|run| (self.turn.clone(), run.summary.clone()))
    }

    /// Tells the thread of the runs, for who is not the thread.
    pub(crate) async fn announce<R: From<Report>>(&self, reports: &mpsc::Sender<R>) {
        for (turn, run) in self.started() {
            let report = Report::Started { turn, run: Box::new(run) };
            let _ended = reports.send(report.into()).await;
        }
    }

    /// Runs the hooks to their ends, which are told in their order.
    pub(crate) async fn run<R: From<Report>>(self, reports: &mpsc::Sender<R>) -> Outcome {
        let mut outcome = Outcome::default();
        let mut running: FuturesOrdered<_> = self.runs.into_iter().map(Run::run).collect();
        while let Some((said, summary)) = running.next().await {
            outcome.add(said, &summary.id);
            let run = Box::new(summary);
            let report = Report::Completed { turn: self.turn.clone(), run };
            // When the thread has ended, nobody needs to know.
            let _ended = reports.send(report.into()).await;
        }
        outcome
    }
}

impl Run {
    async fn run(self) -> (Said, HookRunSummary) {
        let begun = Instant::now();
        let said = self.task.run().await;
        tracing::debug!(hook = %self.hook.key, status = ?said.status, "a hook has run");
        let mut summary = self.summary;
        summary.status = said.status;
        summary.completed_at = Some(now_secs());
        summary.duration_ms = i64::try_from(begun.elapsed().as_millis()).ok();
        summary.entries.clone_from(&said.entries);
        (said, summary)
    }
}

impl Task {
    async fn run(self) -> Said {
        let seconds = self.filter.timeout.as_secs();
        let ran = match filter(self.filter).await {
            Ok(Filtered::Ended { code, stdout, stderr }) => Ran::Ended { code, stdout, stderr },
            Ok(Filtered::TimedOut) => Ran::TimedOut(seconds),
            Err(error) => Ran::Broken(format!("hook could not be run: {}", chain(&error))),
        };
        let mut said = understand(self.event, ran);
        if let Some(context) = said.context.take() {
            let text = limited(context, self.context_limit, &self.thread).await;
            let entry = HookOutputEntry { kind: HookOutputEntryKind::Context, text: text.clone() };
            // After what is for the user, before what is for the model alone.
            let at =
                said.entries.iter().take_while(|e| e.kind == HookOutputEntryKind::Warning).count();
            said.entries.insert(at, entry);
            said.context = Some(text);
        }
        said
    }
}

/// A run as it begins.
fn summary(hook: &Hook, occasion: &Occasion) -> HookRunSummary {
    let path = hook.path.display();
    let mut id = format!("{}:{}:{path}", kebab_case(hook.event), hook.order);
    if let Some(call) = occasion.call() {
        id += &format!(":{call}");
    }
    HookRunSummary {
        id,
        event_name: hook.event,
        handler_type: hook.kind(),
        execution_mode: HookExecutionMode::Sync,
        scope: occasion.scope(),
        source_path: hook.path.as_path().into(),
        source: hook.source,
        display_order: hook.order,
        status: HookRunStatus::Running,
        status_message: hook.status_message().cloned(),
        started_at: now_secs(),
        completed_at: None,
        duration_ms: None,
        entries: Vec::new(),
    }
}
