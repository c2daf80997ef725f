//! Making a thread from the history of another one, and going back in the history of a thread.

use std::sync::Arc;

use uuid::Uuid;

use super::Threads;
use crate::extension::hooks::SessionOrigin;
use crate::protocol::{
    ThreadForkParams, ThreadHistoryMode, ThreadId, ThreadReadState, ThreadResumeParams, Turn,
    TurnId,
};
use crate::store;
use crate::thread::fold::{Cut, Fold};
use crate::thread::{
    self, Closed, Command, Error, ForkSource, NewThread, Persistence, Result, Since, Stored,
    ThreadHandle,
};
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

    /// Loads a thread again that has been closed, without this turn and all that came after it; returns what of it is
    /// unread, too, if that has changed.
    pub(crate) async fn revert(
        &self,
        closed: Closed,
        before: TurnId,
    ) -> Result<(ThreadHandle, Option<ThreadReadState>)> {
        let Closed { start, writer: Some(writer) } = closed else {
            return Err(Error::Gone);
        };
        let reverted = self.shared.on_disk(move |store| {
            let fold =
                |history: &store::History| Fold::of(history.meta.history_mode, &history.records);
            let (writer, history) = store.revert(writer, |history| {
                fold(history).cut(Cut::Before(&before)).ok_or_else(|| no_turn(&before))
            })?;
            let id = history.meta.id.clone();
            let summary = store.summary(&id)?;
            let left = fold(&history);
            let unread = store.state(move |state| {
                state.drop_unread(&id, |turn| left.cut(Cut::Before(turn)).is_none())
            })?;
            let records = history.records;
            Ok((Stored { writer, records, summary, since: Since::Reverted }, unread))
        });
        let (stored, (unread, is_new)) = reverted.await?;
        let unload_delay_secs = start.config.thread_unload_delay_secs;
        let handle = thread::resume(&self.shared, stored, start, Arc::default());
        self.shared.loaded.insert(handle.clone(), unload_delay_secs);
        handle.send(Command::Read { first_unread: unread.first_unread.clone() }).await;
        Ok((handle, Some(unread).filter(|_| is_new)))
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
            Cut::After(id) | Cut::Before(id) => no_turn(id).into(),
            Cut::End => Error::Failed("internal error".to_owned()),
        })?;
        history.truncate(kept);
        Ok(running.filter(|_| matches!(cut, Cut::End)))
    }
}

pub(crate) fn no_turn(id: &TurnId) -> store::Error {
    store::Error::refused(format!("turn not found: {id}"))
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
