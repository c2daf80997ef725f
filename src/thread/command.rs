//! Commands that run in a thread: those of its model, which may outlive their turns, and those that the user runs.
//!
//! The user's own are neither confined nor asked about. They belong to the running turn; while there is none they are a
//! turn of their own, which asks no model unless somebody says something meanwhile.

use std::sync::Arc;
use std::time::Duration;

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use tokio::time::timeout;
use uuid::Uuid;

use super::actor::Actor;
use super::context::message;
use super::request::truncation;
use super::said::UserSaid;
use super::turn::{Ending, Kind, Turn, TurnOptions};
use super::{Reply, prompt};
use crate::exec::{Io, Session, SessionEvent, SessionEventKind, truncate_for_model};
use crate::policy::denial::looks_denied;
use crate::protocol::{
    CommandExecutionOutputDeltaNotification, CommandExecutionSource, CommandExecutionStatus,
    ItemId, LegacyAppPathString, TerminalInteractionNotification,
    ThreadBackgroundTerminalsCleanResponse, ThreadBackgroundTerminalsTerminateResponse, ThreadItem,
    ThreadShellCommandResponse, TimedItem, TurnId, method,
};
use crate::store::item::item_id;
use crate::tools::{self, Event};
use crate::util::task::AbortOnDrop;

/// Sessions of the user's commands are counted from here: those of a model have smaller numbers.
const FIRST_OF_USER: u32 = 100_000;
/// The exit code of a command that never ran, or was killed by us.
const KILLED: i32 = -1;
/// A command that runs for longer has done something, and is not tried again.
const AT_ONCE: Duration = Duration::from_secs(1);
/// How long a thread that ends waits for the ends of the commands that it kills.
const LAST_MOMENTS: Duration = Duration::from_millis(500);

/// A command whose item is not completed yet.
pub(super) struct RunningCommand {
    turn: TurnId,
    item: TimedItem,
    script: String,
    by: By,
}

/// Whose command it is.
enum By {
    /// The registry of terminals has its session.
    Model {
        /// Which call of the turn wants to know when the sandbox seems to have stopped it at once.
        denied: Option<(usize, oneshot::Sender<TimedItem>)>,
    },
    User {
        /// When it is killed.
        limit: Option<Duration>,
        /// Has the session, and kills it with itself.
        _task: AbortOnDrop,
    },
}

/// How a command has ended.
#[derive(Debug, Clone)]
pub(super) struct End {
    exit_code: i32,
    output: Option<String>,
    duration: Duration,
}

/// A command of the agent that runs.
#[derive(Debug, Clone)]
pub(crate) struct Terminal {
    pub(crate) session: u32,
    pub(crate) item: ItemId,
    pub(crate) script: String,
    pub(crate) cwd: LegacyAppPathString,
    pub(crate) pid: u32,
}

impl RunningCommand {
    pub(super) fn of_model(
        turn: TurnId,
        item: TimedItem,
        script: String,
        denied: Option<(usize, oneshot::Sender<TimedItem>)>,
    ) -> Self {
        Self { turn, item, script, by: By::Model { denied } }
    }

    /// The item at the command's end.
    fn ended(self, end: End) -> TimedItem {
        let mut item = self.item;
        if let ThreadItem::CommandExecution {
            status,
            aggregated_output,
            exit_code,
            duration_ms,
            ..
        } = &mut item.item
        {
            *status = match end.exit_code {
                0 => CommandExecutionStatus::Completed,
                _ => CommandExecutionStatus::Failed,
            };
            *aggregated_output = end.output;
            *exit_code = Some(end.exit_code);
            *duration_ms = i64::try_from(end.duration.as_millis()).ok();
        }
        item
    }

    fn is_of_user(&self) -> bool {
        matches!(self.by, By::User { .. })
    }
}

impl End {
    pub(super) fn not_started(message: String) -> Self {
        Self { exit_code: KILLED, output: Some(message), duration: Duration::ZERO }
    }

    /// Whether it is what a command comes to that its sandbox has stopped before it has done much.
    fn is_denied(&self) -> bool {
        self.duration < AT_ONCE
            && looks_denied(self.exit_code, self.output.as_deref().unwrap_or_default())
    }

    /// The same end, with a last line of output of ours.
    fn remarked(self, remark: &str) -> Self {
        let mut output = self.output.unwrap_or_default();
        if !output.is_empty() && !output.ends_with('\n') {
            output.push('\n');
        }
        output.push_str(remark);
        Self { output: Some(output), ..self }
    }
}

impl Actor {
    /// Runs a command of the user's own.
    pub(super) fn run_for_user(
        &mut self,
        script: String,
        limit: Option<Duration>,
        reply: Reply<ThreadShellCommandResponse>,
    ) {
        if let Err(refusal) = self.check_direct_input() {
            return reply.give(Err(refusal));
        }
        let opened = match &self.turn {
            Some(_) => None,
            None => {
                self.renew_servers();
                self.renew_hooks();
                let turn = self.new_turn(Kind::Shell, None, TurnOptions::default());
                Some(self.open_bare_turn(turn))
            }
        };
        if let Some(Err(error)) = opened {
            return reply.give(Err(error));
        }
        reply.give(Ok(ThreadShellCommandResponse {}));
        if opened.is_some() {
            self.announce_turn();
        }
        self.start_user_command(script, limit);
    }

    fn start_user_command(&mut self, script: String, limit: Option<Duration>) {
        let Some(Turn { id: turn, step, .. }) = &self.turn else { return };
        let (turn, scene) = (turn.clone(), Arc::clone(&step.scene));
        let argv = scene.shell.argv(scene.startup(), &script);
        let command = tools::Command::new(argv, scene.cwd.clone(), Io::Pipes);
        let id = ItemId::from(Uuid::new_v4().to_string());
        let item = command.item(&id, CommandExecutionSource::UserShell, None);
        self.start_item(&turn, item.clone());
        let session = FIRST_OF_USER.wrapping_add(self.user_commands);
        self.user_commands = self.user_commands.wrapping_add(1);
        let events = self.events.clone();
        let task = AbortOnDrop::spawn(async move {
            let spawn =
                command.spawn(scene.command_environment(&id, Vec::new()), None, Duration::ZERO);
            match Session::start(session, spawn, events.clone()) {
                Ok(session) => see_through(&session, limit).await,
                Err(error) => {
                    let message = Some(tools::not_started(&error));
                    let kind = SessionEventKind::Ended {
                        exit_code: KILLED,
                        aggregated: message,
                        duration: Duration::ZERO,
                    };
                    let _ended = events.send(Event::Terminal(SessionEvent { session, kind })).await;
                }
            }
        });
        let by = By::User { limit, _task: task };
        self.commands.insert(session, RunningCommand { turn, item, script, by });
    }

    /// Kills what the user runs, since the turn is interrupted; and what its model has started, where the user wants
    /// that.
    pub(super) fn abort_commands(&mut self) {
        if self.config.interrupt_ends_commands {
            let turn = self.turn.as_ref().map(|turn| &turn.id);
            let of_turn = self.commands.iter().filter(|(_, command)| Some(&command.turn) == turn);
            for (session, _) in of_turn {
                let _was_running = self.terminals.kill(*session);
            }
        }
        let of_user = self.commands.iter().filter(|(_, command)| command.is_of_user());
        for session in of_user.map(|(session, _)| *session).collect::<Vec<_>>() {
            let Some(command) = self.commands.remove(&session) else { continue };
            let end = End::not_started("command aborted by user".to_owned());
            let told = self.told_of(&command.script, &end);
            self.show_end(command, end);
            self.remember_past_review(told);
        }
    }

    /// Kills everything that runs, and tells its end as far as it comes soon.
    pub(super) async fn end_commands(&mut self) {
        self.abort_commands();
        self.terminals.kill_all();
        let ends = async {
            while !self.commands.is_empty()
                && let Some(event) = self.happened.recv().await
            {
                if let Event::Terminal(event) = event {
                    self.terminal(event);
                }
            }
        };
        let _took_longer = timeout(LAST_MOMENTS, ends).await;
        for (_, command) in std::mem::take(&mut self.commands) {
            let end = End { exit_code: KILLED, output: None, duration: Duration::ZERO };
            self.show_end(command, end);
        }
    }

    pub(super) fn running_terminals(&self) -> Vec<Terminal> {
        let running = self.terminals.running();
        let mut terminals: Vec<Terminal> = running
            .iter()
            .filter_map(|session| {
                let RunningCommand { item, script, .. } = self.commands.get(&session.id())?;
                let ThreadItem::CommandExecution { id, cwd, .. } = &item.item else { return None };
                Some(Terminal {
                    session: session.id(),
                    item: id.clone(),
                    script: script.clone(),
                    cwd: cwd.clone(),
                    pid: session.pid(),
                })
            })
            .collect();
        terminals.sort_by_key(|terminal| terminal.session);
        terminals
    }

    pub(super) fn terminate(
        &self,
        session: u32,
        reply: Reply<ThreadBackgroundTerminalsTerminateResponse>,
    ) {
        let terminated = self.terminals.kill(session);
        reply.give(Ok(ThreadBackgroundTerminalsTerminateResponse { terminated }));
    }

    pub(super) fn terminate_all(&self, reply: Reply<ThreadBackgroundTerminalsCleanResponse>) {
        self.terminals.kill_all();
        reply.give(Ok(ThreadBackgroundTerminalsCleanResponse {}));
    }

    pub(super) fn interaction(&self, session: u32, stdin: String) {
        let Some(command) = self.commands.get(&session) else { return };
        self.publisher.tell::<method::TerminalInteraction>(&TerminalInteractionNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: command.turn.clone(),
            item_id: item_id(&command.item.item).clone(),
            process_id: session.to_string(),
            stdin,
        });
    }

    pub(super) fn terminal(&mut self, event: SessionEvent) {
        match event.kind {
            SessionEventKind::Output(delta) => {
                let Some(command) = self.commands.get(&event.session) else { return };
                let params = CommandExecutionOutputDeltaNotification {
                    thread_id: self.publisher.thread.clone(),
                    turn_id: command.turn.clone(),
                    item_id: item_id(&command.item.item).clone(),
                    delta,
                };
                self.publisher.tell::<method::CommandExecutionOutputDelta>(&params);
            }
            SessionEventKind::Ended { exit_code, aggregated, duration } => {
                let end = End { exit_code, output: aggregated, duration };
                self.command_ended(event.session, end);
            }
        }
    }

    pub(super) fn command_ended(&mut self, session: u32, end: End) {
        let Some(mut command) = self.commands.remove(&session) else { return };
        let limit = match &mut command.by {
            By::User { limit, .. } => limit,
            By::Model { denied } => {
                return match denied.take().filter(|_| end.is_denied()) {
                    Some((call, told)) => self.denied(command, &end, call, told),
                    None => self.show_end(command, end),
                };
            }
        };
        let end = match limit {
            // It did run, and whoever else kills it takes it out of the list first.
            Some(limit) if end.exit_code == KILLED && !end.duration.is_zero() => {
                end.remarked(&format!("command timed out after {} ms", limit.as_millis()))
            }
            Some(_) | None => end,
        };
        let told = self.told_of(&command.script, &end);
        self.show_end(command, end);
        self.tell_of_command(told);
        self.go_on_after_command();
    }

    fn show_end(&mut self, command: RunningCommand, end: End) {
        let turn = command.turn.clone();
        self.end_item(&turn, command.ended(end));
    }

    /// The call decides what becomes of the command, if it still waits for it.
    fn denied(
        &mut self,
        command: RunningCommand,
        end: &End,
        call: usize,
        told: oneshot::Sender<TimedItem>,
    ) {
        let turn = command.turn.clone();
        let item = command.ended(end.clone());
        // A call that waits no more is over, or its turn is; its place may be another call's by now.
        if told.is_closed() || !self.runs(&turn) {
            return self.end_item(&turn, item);
        }
        self.set_call_item(&turn, call, Some(item.clone()));
        if let Err(item) = told.send(item) {
            self.end_call_item(&turn, call, item);
        }
    }

    /// What the model is told of a command of the user's.
    fn told_of(&self, script: &str, end: &End) -> Box<RawValue> {
        let heading = format!(
            "Exit code: {}\nDuration: {:.4} seconds\nOutput:\n",
            end.exit_code,
            end.duration.as_secs_f64()
        );
        let output = end.output.clone().unwrap_or_default().into();
        let policy = truncation(&self.model(), self.config.tool_output_token_limit);
        let result = truncate_for_model(&heading, &output, policy, usize::MAX);
        message("user", &[prompt::user_command(script, &result)])
    }

    fn tell_of_command(&mut self, told: Box<RawValue>) {
        match &mut self.turn {
            Some(turn) if matches!(turn.kind, Kind::Regular | Kind::Compact) => {
                let said = UserSaid { harness: vec![told], ..UserSaid::default() };
                turn.steered.push_back(said);
                self.advance();
            }
            Some(_) | None => self.remember_past_review(told),
        }
    }

    /// A turn of commands ends with the last of them, unless the model has been told something meanwhile.
    fn go_on_after_command(&mut self) {
        let Some(turn) = self.turn.as_ref().filter(|turn| turn.kind == Kind::Shell) else { return };
        let runs_on = |command: &RunningCommand| command.is_of_user() && command.turn == turn.id;
        if self.commands.values().any(runs_on) {
            return;
        }
        match self.has_steered() {
            true => self.take_up(),
            false => self.finish(Ending::Completed),
        }
    }
}

/// Waits for the end of a command, and kills it at its limit.
async fn see_through(session: &Session, limit: Option<Duration>) {
    let Some(limit) = limit else { return session.ended().await };
    if timeout(limit, session.ended()).await.is_err() {
        session.kill();
        session.ended().await;
    }
}
