//! Making a thread from the history of another one.

use uuid::Uuid;

use super::Threads;
use crate::extension::hooks::SessionOrigin;
use crate::protocol::{
    ThreadForkParams, ThreadHistoryMode, ThreadId, ThreadResumeParams, Turn, TurnId,
};
use crate::store;
use crate::thread::fold::{Cut, Fold};
use crate::thread::{self, Error, ForkSource, NewThread, Persistence, Result, ThreadHandle};
use crate::tools::DynamicTools;
use crate::util::path::absolute;

impl Threads {
    /// Makes a thread from the history of another one, which may be running; returns its turns, too.
    pub(crate) async fn fork(
        &self,
        params: &ThreadForkParams,
    ) -> Result<(ThreadHandle, Vec<Turn>)> {
        let cut = cut(params)?;
        let overrides = overrides(params);
        super::check_access(&overrides)?;
        let id = params.thread_id.clone();
        let path = params.path.as_ref().map(|path| absolute(&self.shared.cwd, path));
        let read = self.shared.on_disk(move |store| match path {
            Some(path) => store.source_path(&path),
            None => store.source(&id),
        });
        let (summary, mut history) = read.await?;
        let is_paginated = summary.history_mode == ThreadHistoryMode::Paginated;
        if params.ephemeral && is_paginated && !params.exclude_turns {
            let refusal = "ephemeral paginated thread/fork requires `excludeTurns: true`";
            return Err(Error::Refused(refusal.to_owned()));
        }
        let (start, _) = self.go_on(&overrides, &summary, &history.records)?;
        let running = self.truncate(&mut history, cut, summary.history_mode)?;
        let new = NewThread {
            id: ThreadId::from(Uuid::now_v7().to_string()),
            persistence: match params.ephemeral {
                true => Persistence::InMemory,
                false => Persistence::OnDisk,
            },
            history_mode: summary.history_mode,
            thread_source: params.thread_source.clone(),
            dynamic_tools: DynamicTools::default(),
            history: Vec::new(),
            lineage: None,
            session_start: SessionOrigin::Resume,
        };
        let source = ForkSource {
            history,
            name: summary.name,
            running,
            attached: params.attach_to_source,
            with_goal: params.defer_goal_continuation,
        };
        let unload_delay_secs = start.config.thread_unload_delay_secs;
        let (handle, turns) = thread::fork(&self.shared, new, start, source).await?;
        self.shared.loaded.insert(handle.clone(), unload_delay_secs);
        Ok((handle, turns))
    }

    /// Leaves of a history what the fork takes over; returns the turn in that which goes on in the source.
    fn truncate(
        &self,
        history: &mut store::History,
        cut: Cut<'_>,
        mode: ThreadHistoryMode,
    ) -> Result<Option<TurnId>> {
        let fold = Fold::of(mode, &history.records);
        // One that nobody works on any more has been interrupted already.
        let is_loaded = self.get(&history.meta.id).is_some();
        let running = fold.unfinished().filter(|_| is_loaded).cloned();
        if let Cut::After(id) = cut {
            if running.as_ref() == Some(id) {
                let refusal = format!("lastTurnId '{id}' identifies an in-progress turn");
                return Err(Error::Refused(refusal));
            }
            if fold.is_implied(id) {
                let refusal = format!(
                    "lastTurnId '{id}' is not a persisted canonical turn in the source thread"
                );
                return Err(Error::Refused(refusal));
            }
        }
        let kept = fold.cut(cut).ok_or_else(|| match cut {
            Cut::After(id) | Cut::Before(id) => Error::Refused(format!("turn not found: {id}")),
            Cut::End => Error::Failed("internal error".to_owned()),
        })?;
        history.truncate(kept);
        Ok(running.filter(|_| matches!(cut, Cut::End)))
    }
}

/// Where the source is left.
fn cut(params: &ThreadForkParams) -> Result<Cut<'_>> {
    if params.ephemeral && params.defer_goal_continuation {
        let refusal = "`deferGoalContinuation` cannot be combined with `ephemeral`";
        return Err(Error::Refused(refusal.to_owned()));
    }
    match (&params.last_turn_id, &params.before_turn_id) {
        (Some(_), Some(_)) => {
            let refusal = "`beforeTurnId` cannot be combined with `lastTurnId`";
            Err(Error::Refused(refusal.to_owned()))
        }
        (Some(last), None) => Ok(Cut::After(last)),
        (None, Some(before)) => Ok(Cut::Before(before)),
        (None, None) => Ok(Cut::End),
    }
}

/// What the request says of the new thread's settings.
fn overrides(params: &ThreadForkParams) -> ThreadResumeParams {
    ThreadResumeParams {
        thread_id: params.thread_id.clone(),
        history: None,
        path: params.path.clone(),
        model: params.model.clone(),
        model_provider: params.model_provider.clone(),
        service_tier: params.service_tier.clone(),
        cwd: params.cwd.clone(),
        runtime_workspace_roots: params.runtime_workspace_roots.clone(),
        approval_policy: params.approval_policy.clone(),
        approvals_reviewer: params.approvals_reviewer,
        sandbox: params.sandbox,
        permissions: params.permissions.clone(),
        config: params.config.clone(),
        base_instructions: params.base_instructions.clone(),
        developer_instructions: params.developer_instructions.clone(),
        personality: None,
        exclude_turns: params.exclude_turns,
        initial_turns_page: None,
    }
}
