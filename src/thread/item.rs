//! Making items: the wire's `ThreadItem`s and the records that keep them.

use uuid::Uuid;

use super::said::UserSaid;
use super::turn::{Ending, Turn};
use crate::protocol::{
    AgentPath, CollabAgentToolCallStatus, CommandExecutionStatus, DynamicToolCallStatus, ItemId,
    McpToolCallStatus, MessagePhase, PatchApplyStatus, SubAgentActivityKind, ThreadId, ThreadItem,
    TimedItem, TurnId, WebSearchAction,
};
use crate::store::record::{TurnAborted, TurnCompleted};
use crate::store::{ItemCompleted, Record};

/// An item that has begun.
pub(crate) fn started(item: ThreadItem, started_at_ms: i64) -> TimedItem {
    TimedItem { item, started_at_ms: Some(started_at_ms), completed_at_ms: None }
}

/// The same item at its end.
pub(super) fn ended(item: TimedItem, completed_at_ms: i64) -> TimedItem {
    TimedItem { completed_at_ms: Some(completed_at_ms), ..item }
}

/// The item of a call that was stopped before it did anything.
pub(crate) fn declined(item: TimedItem) -> TimedItem {
    with_status(item, PatchApplyStatus::Declined, CommandExecutionStatus::Declined)
}

/// The item of a call that broke down.
pub(crate) fn failed(item: TimedItem) -> TimedItem {
    with_status(item, PatchApplyStatus::Failed, CommandExecutionStatus::Failed)
}

/// The item of a patch that has been applied.
pub(crate) fn applied(mut item: TimedItem) -> TimedItem {
    if let ThreadItem::FileChange { status, .. } = &mut item.item {
        *status = PatchApplyStatus::Completed;
    }
    item
}

fn with_status(
    mut item: TimedItem,
    patch: PatchApplyStatus,
    command: CommandExecutionStatus,
) -> TimedItem {
    if let ThreadItem::FileChange { status, .. } = &mut item.item {
        *status = patch;
    } else if let ThreadItem::CommandExecution { status, .. } = &mut item.item {
        *status = command;
    } else if let ThreadItem::DynamicToolCall { status, .. } = &mut item.item {
        *status = DynamicToolCallStatus::Failed;
    } else if let ThreadItem::McpToolCall { status, .. } = &mut item.item {
        *status = McpToolCallStatus::Failed;
    } else if let ThreadItem::CollabAgentToolCall { status, .. } = &mut item.item {
        *status = CollabAgentToolCallStatus::Failed;
    }
    item
}

/// What an agent that others know by its place in the tree does, or has done to it.
pub(crate) fn agent_activity(
    id: ItemId,
    kind: SubAgentActivityKind,
    agent: &ThreadId,
    path: &AgentPath,
) -> ThreadItem {
    ThreadItem::SubAgentActivity {
        model: None,
        reasoning_effort: None,
        id,
        kind,
        agent_thread_id: agent.clone(),
        agent_path: path.as_str().to_owned(),
    }
}

pub(super) fn user_message(said: &UserSaid) -> ThreadItem {
    ThreadItem::UserMessage {
        id: Uuid::now_v7().to_string().into(),
        client_id: said.client_id.clone(),
        content: said.content.clone(),
    }
}

pub(super) fn agent_message(id: ItemId, text: String, phase: Option<MessagePhase>) -> ThreadItem {
    ThreadItem::AgentMessage {
        moderation: None,
        id,
        text,
        phase,
        memory_citation: None,
        delivery: None,
        questions: None,
    }
}

pub(super) fn reasoning(id: ItemId, summary: Vec<String>, content: Vec<String>) -> ThreadItem {
    ThreadItem::Reasoning { id, summary, content }
}

pub(super) fn web_search(id: ItemId, query: String, action: Option<WebSearchAction>) -> ThreadItem {
    ThreadItem::WebSearch { id, query, action, results: None }
}

/// The model's own id of an item; one of ours when it gave none.
pub(super) fn model_id(id: Option<String>) -> ItemId {
    id.unwrap_or_else(|| Uuid::now_v7().to_string()).into()
}

/// Whether an item answers the user, rather than commenting on work that goes on.
pub(super) fn is_answer(item: &ThreadItem) -> bool {
    matches!(item, ThreadItem::AgentMessage { phase, .. } if *phase != Some(MessagePhase::Commentary))
}

/// The record of a finished item.
pub(super) fn record(thread: &ThreadId, turn: &TurnId, item: &TimedItem) -> Record {
    Record::Item(Box::new(ItemCompleted {
        thread_id: Some(thread.clone()),
        turn_id: turn.clone(),
        started_at_ms: item.started_at_ms,
        completed_at_ms: item.completed_at_ms,
        item: item.item.clone(),
    }))
}

/// The record of a turn's end.
pub(super) fn turn_ended(turn: &Turn, ending: &Ending, completed_at_ms: i64) -> Record {
    let (turn_id, root_turn_id) = (turn.id.clone(), Some(turn.root.clone()));
    let started_at = Some(turn.started_at_ms / 1000);
    let completed_at = Some(completed_at_ms / 1000);
    let duration_ms = Some(completed_at_ms - turn.started_at_ms);
    let error = match ending {
        Ending::Interrupted { .. } | Ending::Replaced => {
            let reason = "interrupted".to_owned();
            return Record::TurnAborted(TurnAborted {
                turn_id: Some(turn_id),
                root_turn_id,
                reason,
                started_at,
                completed_at,
                duration_ms,
            });
        }
        Ending::Completed => None,
        Ending::Failed(error) => Some(error.as_ref().into()),
    };
    let last_agent_message = turn.last_answer.as_ref().and_then(|answer| text_of(&answer.item));
    Record::TurnCompleted(TurnCompleted {
        turn_id: Some(turn_id),
        root_turn_id,
        last_agent_message: last_agent_message.map(str::to_owned),
        started_at,
        completed_at,
        duration_ms,
        time_to_first_token_ms: None,
        error,
    })
}

/// What an agent message says.
pub(super) fn text_of(item: &ThreadItem) -> Option<&str> {
    let ThreadItem::AgentMessage { text, .. } = item else { return None };
    Some(text)
}
