//! The item by which clients see a call that deals with agents.

use crate::protocol::{
    CollabAgentTool, CollabAgentToolCallStatus, ReasoningEffort, ThreadId, ThreadItem, TimedItem,
};
use crate::thread::{AgentStatus, item};
use crate::tools::{Cx, Effect};
use crate::util::time::now_ms;

/// What is known of the call so far.
pub(in crate::tools) struct Shown {
    tool: CollabAgentTool,
    started_at_ms: i64,
    pub(super) receivers: Vec<ThreadId>,
    pub(super) prompt: Option<String>,
    pub(super) model: Option<String>,
    pub(super) effort: Option<ReasoningEffort>,
}

impl Shown {
    pub(in crate::tools) fn new(tool: CollabAgentTool) -> Self {
        Self {
            tool,
            started_at_ms: now_ms(),
            receivers: Vec::new(),
            prompt: None,
            model: None,
            effort: None,
        }
    }

    pub(in crate::tools) async fn start(&self, cx: &Cx) {
        let item = self.item(cx, CollabAgentToolCallStatus::InProgress, Vec::new());
        cx.begin(item).await;
    }

    pub(in crate::tools) async fn end(
        &self,
        cx: &Cx,
        states: impl IntoIterator<Item = (ThreadId, AgentStatus)>,
    ) {
        let item = self.ended(cx, states);
        cx.apply(Effect::ItemCompleted(item)).await;
    }

    /// The item of a call that has done what it was for.
    pub(super) fn ended(
        &self,
        cx: &Cx,
        states: impl IntoIterator<Item = (ThreadId, AgentStatus)>,
    ) -> TimedItem {
        self.item(cx, CollabAgentToolCallStatus::Completed, states.into_iter().collect())
    }

    pub(super) async fn fail(&self, cx: &Cx) {
        self.fail_with(cx, []).await;
    }

    pub(super) async fn fail_with(
        &self,
        cx: &Cx,
        states: impl IntoIterator<Item = (ThreadId, AgentStatus)>,
    ) {
        let states = states.into_iter().collect();
        let item = self.item(cx, CollabAgentToolCallStatus::Failed, states);
        cx.apply(Effect::ItemCompleted(item)).await;
    }

    fn item(
        &self,
        cx: &Cx,
        status: CollabAgentToolCallStatus,
        states: Vec<(ThreadId, AgentStatus)>,
    ) -> TimedItem {
        let item = ThreadItem::CollabAgentToolCall {
            id: cx.id.clone(),
            tool: self.tool,
            status,
            sender_thread_id: cx.scene.thread.clone(),
            receiver_thread_ids: self.receivers.clone(),
            prompt: self.prompt.clone(),
            model: self.model.clone(),
            reasoning_effort: self.effort.clone(),
            agents_states: states
                .into_iter()
                .map(|(id, status)| (id.to_string(), status.wire()))
                .collect(),
        };
        item::started(item, self.started_at_ms)
    }
}
