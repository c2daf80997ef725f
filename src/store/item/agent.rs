//! Reviews and the calls of tools that drive other agents.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::protocol::{CollabAgentState, CollabAgentStatus, ItemId, ReasoningEffort, ThreadItem};
use crate::store::case;

#[derive(Serialize, Deserialize)]
pub(super) struct Entered {
    id: ItemId,
    #[serde(default)]
    target: Option<Value>,
    #[serde(default)]
    user_facing_hint: Option<String>,
}

impl Entered {
    /// What is reviewed is known by its description only, which is what a custom target is.
    pub(super) fn of(id: &ItemId, review: &str) -> Self {
        let target = json!({"type": "custom", "instructions": review});
        Self { id: id.clone(), target: Some(target), user_facing_hint: Some(review.to_owned()) }
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::EnteredReviewMode {
            id: self.id,
            review: self.user_facing_hint.unwrap_or_default(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Exited {
    id: ItemId,
    #[serde(default)]
    review_output: Option<Value>,
}

impl Exited {
    pub(super) fn of(id: &ItemId, review: &str) -> Self {
        Self { id: id.clone(), review_output: Some(review_output(review)) }
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::ExitedReviewMode {
            id: self.id,
            review: review_text(self.review_output.as_ref()),
        })
    }
}

/// The stored result of a review of which only the words are known: an explanation without findings.
pub(crate) fn review_output(review: &str) -> Value {
    json!({
        "findings": [], "overall_correctness": "", "overall_explanation": review, "overall_confidence_score": 0.0,
    })
}

/// The result of a review in words: what it says over all, then each finding with its place.
pub(crate) fn review_text(output: Option<&Value>) -> String {
    let Some(output) = output else { return String::new() };
    let mut text = output
        .get("overall_explanation")
        .and_then(Value::as_str)
        .unwrap_or_default()
        .trim()
        .to_owned();
    let findings =
        output.get("findings").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if !findings.is_empty() {
        text.push_str(if findings.len() == 1 {
            "\n\nReview comment:\n"
        } else {
            "\n\nReview comments:\n"
        });
    }
    for finding in findings {
        let member = |name: &str| finding.get(name).and_then(Value::as_str).unwrap_or_default();
        let place = |pointer: &str| finding.pointer(pointer);
        let path =
            place("/code_location/absolute_file_path").and_then(Value::as_str).unwrap_or_default();
        let line = |name: &str| {
            place(&format!("/code_location/line_range/{name}"))
                .and_then(Value::as_i64)
                .unwrap_or_default()
        };
        let (title, start, end) = (member("title"), line("start"), line("end"));
        text.push_str(&format!("\n- {title} — {path}:{start}-{end}\n"));
        for row in member("body").lines() {
            text.push_str(&format!("  {row}\n"));
        }
    }
    text.trim_end().to_owned()
}

#[derive(Serialize, Deserialize)]
pub(super) struct Collab {
    id: ItemId,
    tool: String,
    status: String,
    sender_thread_id: String,
    #[serde(default)]
    receiver_thread_ids: Vec<String>,
    #[serde(default)]
    receiver_agents: Vec<Value>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    model: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<ReasoningEffort>,
    #[serde(default)]
    agents_states: BTreeMap<String, Value>,
}

impl Collab {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::CollabAgentToolCall {
            id,
            tool,
            status,
            sender_thread_id,
            receiver_thread_ids,
            prompt,
            model,
            reasoning_effort,
            agents_states,
        } = item
        else {
            return None;
        };
        let receivers: Vec<String> =
            receiver_thread_ids.iter().map(|id| id.as_str().to_owned()).collect();
        Some(Self {
            id: id.clone(),
            tool: case::stored(tool)?,
            status: case::stored(status)?,
            sender_thread_id: sender_thread_id.as_str().to_owned(),
            receiver_agents: receivers.iter().map(|id| json!({"thread_id": id})).collect(),
            receiver_thread_ids: receivers,
            prompt: prompt.clone(),
            model: model.clone(),
            reasoning_effort: reasoning_effort.clone(),
            agents_states: agents_states
                .iter()
                .map(|(id, state)| (id.clone(), stored_state(state)))
                .collect(),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        let states = self
            .agents_states
            .into_iter()
            .filter_map(|(id, state)| Some((id, wire_state(&state)?)));
        Some(ThreadItem::CollabAgentToolCall {
            id: self.id,
            tool: case::wire(&self.tool)?,
            status: case::wire(&self.status)?,
            sender_thread_id: self.sender_thread_id.into(),
            receiver_thread_ids: self.receiver_thread_ids.into_iter().map(Into::into).collect(),
            prompt: self.prompt,
            model: self.model,
            reasoning_effort: self.reasoning_effort,
            agents_states: states.collect(),
        })
    }
}

#[derive(Serialize, Deserialize)]
pub(super) struct Activity {
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    reasoning_effort: Option<ReasoningEffort>,
    id: ItemId,
    kind: String,
    agent_thread_id: String,
    agent_path: String,
}

impl Activity {
    pub(super) fn of(item: &ThreadItem) -> Option<Self> {
        let ThreadItem::SubAgentActivity {
            model,
            reasoning_effort,
            id,
            kind,
            agent_thread_id,
            agent_path,
        } = item
        else {
            return None;
        };
        Some(Self {
            model: model.clone(),
            reasoning_effort: reasoning_effort.clone(),
            id: id.clone(),
            kind: case::stored(kind)?,
            agent_thread_id: agent_thread_id.as_str().to_owned(),
            agent_path: agent_path.clone(),
        })
    }

    pub(super) fn wire(self) -> Option<ThreadItem> {
        Some(ThreadItem::SubAgentActivity {
            model: self.model,
            reasoning_effort: self.reasoning_effort,
            id: self.id,
            kind: case::wire(&self.kind)?,
            agent_thread_id: self.agent_thread_id.into(),
            agent_path: self.agent_path,
        })
    }
}

/// `"running"`, or `{"completed": "the answer"}`.
fn stored_state(state: &CollabAgentState) -> Value {
    let status = case::stored(&state.status).unwrap_or_default();
    match state.status {
        CollabAgentStatus::Completed | CollabAgentStatus::Errored => json!({status: state.message}),
        CollabAgentStatus::PendingInit
        | CollabAgentStatus::Running
        | CollabAgentStatus::Interrupted
        | CollabAgentStatus::Shutdown
        | CollabAgentStatus::NotFound => Value::String(status),
    }
}

fn wire_state(stored: &Value) -> Option<CollabAgentState> {
    if let Some(status) = stored.as_str() {
        return Some(CollabAgentState { status: case::wire(status)?, message: None });
    }
    let (status, message) = stored.as_object()?.iter().next()?;
    Some(CollabAgentState {
        status: case::wire(status)?,
        message: message.as_str().map(str::to_owned),
    })
}
