//! A command that is about to run in a shell, for a model or for the user: how it is started and shown.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use super::Cx;
use crate::exec::{Confined, Io, Spawn};
use crate::policy::action::command_actions;
use crate::policy::decide::Request;
use crate::policy::grant::{CommandKey, Terminal};
use crate::policy::redact::redact;
use crate::policy::shell;
use crate::policy::widening::Widening;
use crate::protocol::{
    CommandAction, CommandExecutionApprovalDecision as Answer, CommandExecutionApprovalKind,
    CommandExecutionRequestApprovalParams, CommandExecutionSource, CommandExecutionStatus,
    GuardianApprovalReviewAction, GuardianCommandSource, ItemId, ThreadItem, TimedItem,
};
use crate::thread::{LOCAL, item};
use crate::util::time::now_ms;

#[derive(Clone)]
pub(crate) struct Command {
    pub(super) argv: Vec<String>,
    pub(super) cwd: PathBuf,
    io: Io,
    actions: Vec<CommandAction>,
    started_at_ms: i64,
}

impl Command {
    pub(crate) fn new(argv: Vec<String>, cwd: PathBuf, io: Io) -> Self {
        Self {
            actions: command_actions(&argv, &cwd).into_iter().map(redacted).collect(),
            argv,
            cwd,
            io,
            started_at_ms: now_ms(),
        }
    }

    /// The command with everything that it needs to be started.
    pub(crate) fn spawn(
        &self,
        env: Vec<(OsString, OsString)>,
        confined: Option<Confined>,
        quiet: Duration,
    ) -> Spawn {
        Spawn { argv: self.argv.clone(), cwd: self.cwd.clone(), env, io: self.io, confined, quiet }
    }

    /// What makes it the same as another one for a grant.
    pub(super) fn key(&self, request: Request, widening: &Widening) -> CommandKey {
        let terminal = match self.io {
            Io::Pty { .. } => Terminal::With,
            Io::Pipes => Terminal::Without,
        };
        let additional = (!widening.is_empty()).then(|| format!("{widening:?}"));
        CommandKey::new(&self.argv, &self.cwd, terminal, request, additional)
    }

    /// The item that shows it, with the session that clients may know it by.
    pub(crate) fn item(
        &self,
        id: &ItemId,
        source: CommandExecutionSource,
        session: Option<u32>,
    ) -> TimedItem {
        let item = ThreadItem::CommandExecution {
            id: id.clone(),
            plugin_id: None,
            script_path: None,
            command: self.shown(),
            cwd: self.cwd.as_path().into(),
            process_id: session.map(|id| id.to_string()),
            source,
            status: CommandExecutionStatus::InProgress,
            command_actions: self.actions.clone(),
            aggregated_output: None,
            exit_code: None,
            duration_ms: None,
        };
        item::started(item, self.started_at_ms)
    }

    fn shown(&self) -> String {
        redact(&shell::display(&self.argv)).into_owned()
    }

    /// What is reviewed of it.
    pub(super) fn action(&self) -> GuardianApprovalReviewAction {
        GuardianApprovalReviewAction::Command {
            source: GuardianCommandSource::UnifiedExec,
            command: shell::display(&self.argv),
            cwd: self.cwd.as_path().into(),
        }
    }

    /// The question whether it may run.
    pub(super) fn approval_request(
        &self,
        cx: &Cx,
        reason: Option<String>,
        amendment: Option<Vec<String>>,
    ) -> CommandExecutionRequestApprovalParams {
        let mut decisions = vec![Answer::Accept];
        decisions.extend(
            amendment.clone().map(|prefix| Answer::AcceptWithExecpolicyAmendment {
                execpolicy_amendment: prefix,
            }),
        );
        decisions.push(Answer::Cancel);
        CommandExecutionRequestApprovalParams {
            kind: CommandExecutionApprovalKind::Command,
            thread_id: cx.scene.thread.clone(),
            turn_id: cx.turn.clone(),
            item_id: cx.id.clone(),
            started_at_ms: self.started_at_ms,
            approval_id: None,
            environment_id: Some(LOCAL.to_owned()),
            reason,
            network_approval_context: None,
            command: Some(self.shown()),
            cwd: Some(self.cwd.as_path().into()),
            command_actions: Some(self.actions.clone()),
            additional_permissions: None,
            proposed_execpolicy_amendment: amendment,
            proposed_network_policy_amendments: None,
            available_decisions: Some(decisions),
        }
    }
}

/// What is shown and told of a command that could not be started.
pub(crate) fn not_started(error: &dyn std::error::Error) -> String {
    let causes = std::iter::successors(error.source(), |cause| cause.source());
    let cause = causes.last().map_or_else(|| error.to_string(), ToString::to_string);
    format!("Failed to create unified exec process: {cause}")
}

/// An action whose command shows no secrets.
fn redacted(mut action: CommandAction) -> CommandAction {
    let (CommandAction::Read { command, .. }
    | CommandAction::ListFiles { command, .. }
    | CommandAction::Search { command, .. }
    | CommandAction::Unknown { command }) = &mut action;
    *command = redact(command).into_owned();
    action
}
