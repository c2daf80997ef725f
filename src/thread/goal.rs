//! The goal of a thread: what it works on without being asked, until the goal is reached or something stands in
//! the way.
//!
//! How a goal changes by request is a function that needs no thread ([`changed`]). What else happens to it stands in
//! the thread's own task: it is charged with what turns use, it ends when they fail, and an active one starts the next
//! turn as soon as the thread is idle. Whatever changes it is on disk before it is told.

use std::time::Instant;

use serde_json::value::RawValue;

use super::actor::Actor;
use super::context::message;
use super::said::{UserSaid, said_by_others};
use super::turn::{Ending, Trigger, TurnOptions};
use super::{Error, Reply, Result, prompt};
use crate::config::Feature;
use crate::model::Usage;
use crate::protocol::{
    CodexErrorInfo, ModeKind, ThreadGoal, ThreadGoalClearResponse, ThreadGoalClearedNotification,
    ThreadGoalSetParams, ThreadGoalSetResponse, ThreadGoalStatus, ThreadGoalUpdatedNotification,
    ThreadId, TurnId, method,
};
use crate::store::Record;
use crate::tools::{GoalAnswer, GoalCall, GoalRequest};
use crate::util::json::raw;
use crate::util::time::now_secs;

const MAX_OBJECTIVE: usize = 4000;

/// How many turns in a row an active goal may start in which the model calls no tool but those of goals: after that it is blocked, since
/// a model that only talks gets nowhere, and would not stop.
const MAX_IDLE_TURNS: u32 = 10;

/// The item that tells the model the objective.
const OBJECTIVE: &str = "goal_objective";

/// What a thread knows of its goal.
#[derive(Debug, Default)]
pub(super) struct Goal {
    pub(super) current: Option<ThreadGoal>,
    /// The objective that the model has been told last.
    pub(super) told: Option<String>,
    /// The user has interrupted: the goal waits for a turn of the user's.
    held: bool,
    /// The budget has been used up within the running turn, which does not know it yet.
    to_wrap_up: bool,
    /// How many turns of the goal in a row have passed without work.
    idle_turns: u32,
    /// Since when time counts that the goal has not been charged with.
    since: Option<Instant>,
}

impl Goal {
    /// The goal of a thread that is loaded with this history.
    pub(super) fn loaded<'a>(
        current: Option<ThreadGoal>,
        history: impl DoubleEndedIterator<Item = &'a str>,
    ) -> Self {
        let told = current.as_ref().and_then(|_| history.rev().find_map(told_objective));
        Self { current, told, ..Self::default() }
    }
}

/// The objective that an item of a history tells.
fn told_objective(item: &str) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Output {
        name: String,
        output: String,
    }
    // Most items tell nothing of the kind: look before decoding.
    let output = item.contains(OBJECTIVE).then(|| serde_json::from_str::<Output>(item).ok())??;
    (output.name == OBJECTIVE).then_some(output.output)
}

/// The goal after a request; what the request says is checked.
pub(crate) fn changed(
    before: Option<&ThreadGoal>,
    params: &ThreadGoalSetParams,
    now: i64,
) -> Result<ThreadGoal> {
    let objective = params.objective.as_deref().map(str::trim);
    let refusal = match (objective, params.token_budget) {
        (Some(""), _) => Some("goal objective must not be empty".to_owned()),
        (Some(text), _) if text.chars().count() > MAX_OBJECTIVE => {
            Some(format!("goal objective must be at most {MAX_OBJECTIVE} characters"))
        }
        (_, Some(Some(budget))) if budget <= 0 => {
            Some("goal budgets must be positive when provided".to_owned())
        }
        _ => None,
    };
    if let Some(refusal) = refusal {
        return Err(Error::Refused(refusal));
    }
    // One that has been reached is not edited but followed by another one.
    let is_open = |goal: &&ThreadGoal| goal.status != ThreadGoalStatus::Complete;
    let mut goal = match (before, objective) {
        (Some(goal), None) => goal.clone(),
        (Some(goal), Some(_)) if is_open(&goal) => goal.clone(),
        (_, Some(objective)) => new_goal(&params.thread_id, objective, now),
        (None, None) => {
            let id = &params.thread_id;
            let refusal = format!("cannot update goal for thread {id}: no goal exists");
            return Err(Error::Refused(refusal));
        }
    };
    if let Some(objective) = objective {
        objective.clone_into(&mut goal.objective);
    }
    goal.token_budget = params.token_budget.unwrap_or(goal.token_budget);
    goal.status = params.status.unwrap_or(goal.status);
    goal.updated_at = now;
    limit(&mut goal);
    Ok(goal)
}

fn new_goal(thread: &ThreadId, objective: &str, now: i64) -> ThreadGoal {
    ThreadGoal {
        thread_id: thread.clone(),
        objective: objective.to_owned(),
        status: ThreadGoalStatus::Active,
        token_budget: None,
        tokens_used: 0,
        time_used_seconds: 0,
        created_at: now,
        updated_at: now,
    }
}

/// A goal cannot be active beyond its budget.
fn limit(goal: &mut ThreadGoal) {
    let is_used_up = goal.token_budget.is_some_and(|budget| goal.tokens_used >= budget);
    if goal.status == ThreadGoalStatus::Active && is_used_up {
        goal.status = ThreadGoalStatus::BudgetLimited;
    }
}

impl Actor {
    pub(super) fn set_goal(
        &mut self,
        params: &ThreadGoalSetParams,
        reply: Reply<ThreadGoalSetResponse>,
    ) {
        let before = self.goal.current.clone();
        let kept = self.check_goal_change().and_then(|()| {
            let goal = changed(before.as_ref(), params, now_secs())?;
            self.keep_goal(&goal)?;
            Ok(goal)
        });
        let goal = match kept {
            Ok(goal) => goal,
            Err(refusal) => return reply.give(Err(refusal)),
        };
        reply.give(Ok(ThreadGoalSetResponse { goal: goal.clone() }));
        self.tell_goal(None);
        let is_edited = before.is_some_and(|before| before.objective != goal.objective);
        if is_edited && goal.status == ThreadGoalStatus::Active {
            self.mention_goal(prompt::goal_edited(&goal));
        }
        if params.status == Some(ThreadGoalStatus::Active) {
            self.goal.held = false;
            self.goal.idle_turns = 0;
        }
        self.go_on_by_itself();
    }

    pub(super) fn clear_goal(&mut self, reply: Reply<ThreadGoalClearResponse>) {
        let cleared = self
            .check_goal_change()
            .and_then(|()| Ok(self.shared.store.clear_goal(&self.thread.id)?));
        let is_cleared = matches!(cleared, Ok(true));
        reply.give(cleared.map(|cleared| ThreadGoalClearResponse { cleared }));
        if is_cleared {
            self.goal = Goal::default();
            let thread_id = self.publisher.thread.clone();
            let params = ThreadGoalClearedNotification { thread_id };
            self.publisher.tell_all::<method::ThreadGoalCleared>(&params);
        }
    }

    /// Whether clients may have their say about the goal.
    fn check_goal_change(&self) -> Result<()> {
        self.check_direct_input()?;
        self.check_goals()
    }

    fn check_goals(&self) -> Result<()> {
        if !self.config.features.on(Feature::Goals) {
            return Err(Error::Refused("goals feature is disabled".to_owned()));
        }
        if self.writer.is_none() {
            let refusal = format!("ephemeral thread does not support goals: {}", self.thread.id);
            return Err(Error::Refused(refusal));
        }
        Ok(())
    }

    /// Puts a goal on disk, and with it the thread that it belongs to.
    fn keep_goal(&mut self, goal: &ThreadGoal) -> Result<()> {
        self.materialize()?;
        let objective = self.goal.current.as_ref().map(|current| &current.objective);
        if objective != Some(&goal.objective) {
            let event = serde_json::json!({
                "type": "thread_goal_updated", "threadId": goal.thread_id, "goal": goal,
            });
            self.record(&[Record::Goal(raw(&event))]);
        }
        self.shared.store.set_goal(goal)?;
        if self.thread.preview.is_empty() {
            self.thread.preview.clone_from(&goal.objective);
        }
        let was_active = self.active_goal().is_some();
        self.goal.current = Some(goal.clone());
        if self.turn.is_some() && !was_active {
            self.goal.since = Some(Instant::now());
        }
        Ok(())
    }

    fn tell_goal(&self, turn_id: Option<TurnId>) {
        let Some(goal) = self.goal.current.clone() else { return };
        let thread_id = self.publisher.thread.clone();
        let params = ThreadGoalUpdatedNotification { thread_id, turn_id, goal };
        self.publisher.tell_all::<method::ThreadGoalUpdated>(&params);
    }

    /// As [`Self::keep_goal`] and [`Self::tell_goal`], for what nobody has asked for: what cannot be kept is told
    /// nevertheless, since it has happened.
    fn goal_became(&mut self, goal: ThreadGoal) {
        let turn = self.turn.as_ref().map(|turn| turn.id.clone());
        if let Err(error) = self.keep_goal(&goal) {
            tracing::error!(%error, "a goal cannot be saved");
            self.goal.current = Some(goal);
        }
        self.tell_goal(turn);
    }

    fn active_goal(&self) -> Option<&ThreadGoal> {
        self.goal.current.as_ref().filter(|goal| goal.status == ThreadGoalStatus::Active)
    }

    /// Tells the running turn's model something about the goal before its next request.
    fn mention_goal(&mut self, text: String) {
        let harness = vec![message("user", &[text])];
        let turn = self.turn.as_mut().filter(|turn| turn.kind.not_steerable().is_none());
        if let Some(turn) = turn {
            turn.steered.push_back(UserSaid { harness, ..UserSaid::default() });
        }
    }

    /// Starts the next turn of an active goal, if the thread has nothing else to do.
    pub(super) fn continue_goal(&mut self) {
        if self.turn.is_some()
            || self.goal.held
            || self.settings.mode.mode == ModeKind::Plan
            || self.check_goals().is_err()
        {
            return;
        }
        let Some(goal) = self.active_goal().cloned() else { return };
        let mut harness = Vec::new();
        if self.goal.told.as_ref() != Some(&goal.objective) {
            harness.push(objective_item(&goal.objective));
        }
        harness.push(message("user", &[prompt::goal(&goal)]));
        let options = TurnOptions { trigger: Some(Trigger::Goal), ..TurnOptions::default() };
        let said = UserSaid { harness, ..UserSaid::default() };
        self.begin_turn(options, None, said, Reply::new(|_| {}));
        match self.turn {
            Some(_) => self.goal.told = Some(goal.objective),
            // It could not be saved, and would not be the next time.
            None => self.goal.held = true,
        }
    }

    /// A turn begins: its time counts.
    pub(super) fn goal_turn_begins(&mut self) {
        self.goal.since = self.active_goal().map(|_| Instant::now());
        self.goal.to_wrap_up = false;
    }

    /// No turn runs: the time until the next one is not the goal's.
    pub(super) fn goal_turn_ends(&mut self) {
        self.goal.since = None;
    }

    /// Charges the goal with the response that has just ended, and with the time since the last one.
    pub(super) fn charge_goal(&mut self, usage: &Usage) {
        let Some(turn) = self.turn.as_mut().filter(|turn| !turn.is_charged) else { return };
        turn.is_charged = true;
        if turn.step.settings.mode.mode == ModeKind::Plan {
            return;
        }
        let Some(mut goal) = self.active_goal().cloned() else { return };
        goal.tokens_used += tokens(usage);
        if let Some(since) = &mut self.goal.since {
            let seconds = since.elapsed().as_secs();
            *since += std::time::Duration::from_secs(seconds);
            goal.time_used_seconds += i64::try_from(seconds).unwrap_or_default();
        }
        goal.updated_at = now_secs();
        limit(&mut goal);
        self.goal.to_wrap_up = goal.status == ThreadGoalStatus::BudgetLimited;
        self.goal_became(goal);
    }

    /// The running turn goes on: its model is told if the goal does not.
    pub(super) fn wrap_up_goal(&mut self) {
        if std::mem::take(&mut self.goal.to_wrap_up)
            && let Some(goal) = &self.goal.current
        {
            self.mention_goal(prompt::goal_budget(goal));
        }
    }

    /// The running turn ends: so may the goal.
    pub(super) fn judge_goal(&mut self, ending: &Ending) {
        let by_user = !self.is_goal_turn();
        let called = self.turn.as_ref().is_some_and(|turn| turn.calls_made > 0);
        self.goal.idle_turns = if by_user || called { 0 } else { self.goal.idle_turns + 1 };
        let status = match ending {
            Ending::Failed(error) => match error.codex_error_info {
                Some(CodexErrorInfo::UsageLimitExceeded) => ThreadGoalStatus::UsageLimited,
                _ => ThreadGoalStatus::Blocked,
            },
            Ending::Completed if self.goal.idle_turns >= MAX_IDLE_TURNS => {
                ThreadGoalStatus::Blocked
            }
            Ending::Completed => {
                self.goal.held &= !by_user;
                return;
            }
            Ending::Interrupted { .. } => {
                self.goal.held = true;
                return;
            }
            Ending::Replaced => return,
        };
        if let Some(goal) = self.active_goal().cloned() {
            self.goal_became(ThreadGoal { status, updated_at: now_secs(), ..goal });
        }
    }

    fn is_goal_turn(&self) -> bool {
        self.turn.as_ref().is_some_and(|turn| turn.options.trigger == Some(Trigger::Goal))
    }

    /// Hooks have kept a turn of the goal from beginning, and would again: the goal waits for a turn of the user's.
    pub(super) fn hold_goal_turn(&mut self) {
        if self.is_goal_turn() {
            self.goal.held = true;
            self.goal.told = None;
        }
    }

    /// Takes a call of a goal tool. It is answered when the response that it belongs to is charged for.
    pub(super) fn goal_called(&mut self, call: GoalCall) {
        let Some(turn) = &mut self.turn else { return };
        turn.goal_calls.push(call);
        // To look at the goal is not to work on it.
        turn.calls_made = turn.calls_made.saturating_sub(1);
        self.answer_goal_calls();
    }

    pub(super) fn answer_goal_calls(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        if turn.goal_calls.is_empty() || turn.stream().is_some() {
            return;
        }
        let calls = std::mem::take(&mut turn.goal_calls);
        if let Some(usage) = turn.usage.clone() {
            self.charge_goal(&usage);
        }
        for GoalCall { request, answer } in calls {
            // A call that has been given up does not wait for its answer.
            drop(answer.send(self.goal_answer(request)));
        }
    }

    fn goal_answer(&mut self, request: GoalRequest) -> GoalAnswer {
        let params = match (request, &self.goal.current) {
            (GoalRequest::Get, current) => return Ok(current.clone()),
            (GoalRequest::Create { .. }, Some(goal))
                if goal.status != ThreadGoalStatus::Complete =>
            {
                return Err("cannot create a new goal because this thread has an unfinished goal; complete the \
                            existing goal first"
                    .to_owned());
            }
            (GoalRequest::Create { objective, token_budget }, _) => ThreadGoalSetParams {
                objective: Some(objective),
                token_budget: token_budget.map(Some),
                ..self.no_change()
            },
            (GoalRequest::Update(_), None) => {
                return Err("cannot update goal because this thread has no goal".to_owned());
            }
            (GoalRequest::Update(status), Some(_)) => {
                ThreadGoalSetParams { status: Some(status), ..self.no_change() }
            }
        };
        let goal = self
            .check_goals()
            .and_then(|()| changed(self.goal.current.as_ref(), &params, now_secs()))
            .map_err(|refusal| refusal.to_string())?;
        self.goal_became(goal);
        Ok(self.goal.current.clone())
    }

    fn no_change(&self) -> ThreadGoalSetParams {
        ThreadGoalSetParams {
            thread_id: self.thread.id.clone(),
            objective: None,
            status: None,
            token_budget: None,
            origin: None,
        }
    }
}

/// What a response costs a goal: what it has written, and what of its input was not cached.
fn tokens(usage: &Usage) -> i64 {
    (usage.input_tokens - usage.cached_input_tokens).max(0) + usage.output_tokens
}

fn objective_item(objective: &str) -> Box<RawValue> {
    said_by_others(OBJECTIVE, objective.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn params(
        objective: Option<&str>,
        status: Option<ThreadGoalStatus>,
        token_budget: Option<Option<i64>>,
    ) -> ThreadGoalSetParams {
        ThreadGoalSetParams {
            thread_id: ThreadId::from("t".to_owned()),
            objective: objective.map(str::to_owned),
            status,
            token_budget,
            origin: None,
        }
    }

    fn goal(status: ThreadGoalStatus, tokens_used: i64, token_budget: Option<i64>) -> ThreadGoal {
        ThreadGoal {
            status,
            tokens_used,
            token_budget,
            ..new_goal(&ThreadId::from("t".to_owned()), "first", 1)
        }
    }

    #[test]
    fn what_is_not_named_stays() {
        use ThreadGoalStatus::{Active, Blocked, BudgetLimited, Complete, Paused};
        let made = changed(None, &params(Some(" x "), None, None), 5).unwrap();
        assert_eq!((made.objective.as_str(), made.status, made.created_at), ("x", Active, 5));
        let blocked = goal(Blocked, 7, Some(10));
        let edited = changed(Some(&blocked), &params(Some("y"), None, None), 5).unwrap();
        assert_eq!(
            (edited.status, edited.tokens_used, edited.token_budget),
            (Blocked, 7, Some(10))
        );
        let unlimited =
            changed(Some(&blocked), &params(None, Some(Paused), Some(None)), 5).unwrap();
        assert_eq!((unlimited.status, unlimited.token_budget), (Paused, None));
        let used_up = goal(BudgetLimited, 10, Some(10));
        let again =
            |budget| changed(Some(&used_up), &params(None, Some(Active), budget), 5).unwrap();
        assert_eq!(again(None).status, BudgetLimited);
        assert_eq!(again(Some(Some(11))).status, Active);
        let reached = goal(Complete, 10, Some(10));
        let next = changed(Some(&reached), &params(Some("next"), None, None), 5).unwrap();
        assert_eq!((next.status, next.tokens_used, next.token_budget), (Active, 0, None));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        let refused =
            |params: &ThreadGoalSetParams| changed(None, params, 5).unwrap_err().to_string();
        assert_eq!(refused(&params(Some(" "), None, None)), "goal objective must not be empty");
        let long = "x".repeat(MAX_OBJECTIVE + 1);
        assert!(refused(&params(Some(&long), None, None)).ends_with("at most 4000 characters"));
        assert!(refused(&params(Some("x"), None, Some(Some(0)))).contains("must be positive"));
        assert!(refused(&params(None, None, None)).ends_with("no goal exists"));
    }

    #[test]
    fn the_last_objective_that_was_told_counts() {
        let items = [
            objective_item("first").get().to_owned(),
            objective_item("second").get().to_owned(),
            r#"{"type":"message","content":"goal_objective"}"#.to_owned(),
        ];
        let known = Goal::loaded(
            Some(goal(ThreadGoalStatus::Active, 0, None)),
            items.iter().map(String::as_str),
        );
        assert_eq!(known.told.as_deref(), Some("second"));
    }
}
