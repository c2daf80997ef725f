//! Model events to items: what a response streams becomes started, growing and completed items.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::oneshot;

use super::actor::Actor;
use super::call::{Order, PendingCall};
use super::draft::Draft;
use super::hooked::completed;
use super::item;
use super::plan::Planning;
use super::turn::Next;
use crate::model::{OutputItem, StreamEvent, history_item};
use crate::protocol::{
    AgentMessageDeltaNotification, ItemId, MessagePhase, ReasoningSummaryPartAddedNotification,
    ReasoningSummaryTextDeltaNotification, ReasoningTextDeltaNotification, ThreadItem, TimedItem,
    TurnId, method,
};
use crate::store::item::item_id;
use crate::tools::{self, Call, CallInput, Cx};
use crate::util::time::now_ms;

/// The items that the model is writing; mostly one at a time.
#[derive(Debug, Default)]
pub(super) struct Streamed {
    open: Vec<Open>,
    /// The messages in plan mode, which are shown piece by piece.
    pub(super) planning: Vec<Planning>,
    pub(super) draft: Option<Draft>,
}

#[derive(Debug)]
struct Open {
    kind: Kind,
    /// As far as it has come.
    item: TimedItem,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Message,
    Reasoning,
    WebSearch,
}

impl Streamed {
    fn place(&self, kind: Kind, id: Option<&str>) -> Option<usize> {
        let of_kind = self.open.iter().enumerate().filter(|(_, open)| open.kind == kind);
        meant(of_kind.map(|(at, open)| (at, item_id(&open.item.item))), id)
    }
}

impl Actor {
    /// Takes what the stream of the running turn has brought; `None` when it is over without having said so.
    pub(super) fn streamed(&mut self, batch: Option<Vec<StreamEvent>>) {
        let Some(batch) = batch else {
            self.response_failed(&crate::model::Error::closed_early());
            return;
        };
        for event in batch {
            // A steer or a failure may end the response in the middle of a batch.
            if self.turn.as_mut().and_then(|turn| turn.stream()).is_none() {
                return;
            }
            match self.is_compacting() {
                true => self.compaction_event(event),
                false => self.stream_event(event),
            }
        }
    }

    fn stream_event(&mut self, event: StreamEvent) {
        match event {
            StreamEvent::Created => {}
            StreamEvent::Headers(headers) => self.response_headers(headers),
            StreamEvent::ItemAdded(output) => self.item_added(output),
            StreamEvent::TextDelta { id, delta } => self.text_delta(id.as_deref(), delta),
            StreamEvent::SummaryPartAdded { id, summary_index } => {
                self.summary_part_added(id.as_deref(), summary_index);
            }
            StreamEvent::SummaryDelta { id, summary_index, delta } => {
                self.summary_delta(id.as_deref(), summary_index, delta);
            }
            StreamEvent::ReasoningDelta { id, content_index, delta } => {
                self.reasoning_delta(id.as_deref(), content_index, delta);
            }
            StreamEvent::Verification(verifications) => self.verification(verifications),
            StreamEvent::FellBack(cause) => self.fell_back(&cause),
            StreamEvent::InputDelta { delta } => self.draft_grew(&delta),
            StreamEvent::ItemDone { item, raw } => self.item_done(item, &raw),
            StreamEvent::Completed { usage, end_turn } => {
                let Some(turn) = &mut self.turn else { return };
                turn.attempts = 0;
                turn.usage.clone_from(&usage);
                let next = Next::Natural { go_on: end_turn == Some(false) };
                self.response_over(next, || completed(usage.as_ref()));
            }
            StreamEvent::Failed(error) => self.response_failed(&error),
        }
    }

    fn item_added(&mut self, output: OutputItem) {
        let Some(turn_id) = self.turn_id() else { return };
        let (kind, item) = match output {
            // What a reviewer says is held back until it is known to be no report.
            OutputItem::Message { .. } if self.is_reviewing() => return,
            OutputItem::Message { id, phase, .. } if self.is_planning() => {
                return self.planning_begun(item::model_id(id), phase);
            }
            OutputItem::Message { id, phase, .. } => {
                let id = item::model_id(id);
                (Kind::Message, item::agent_message(id, String::new(), phase))
            }
            OutputItem::Reasoning { id, .. } => {
                let id = item::model_id(id);
                (Kind::Reasoning, item::reasoning(id, Vec::new(), Vec::new()))
            }
            OutputItem::WebSearchCall { id, .. } => {
                let id = item::model_id(id);
                (Kind::WebSearch, item::web_search(id, String::new(), None))
            }
            OutputItem::CustomToolCall { call_id, name, .. } => {
                return self.draft_begun(call_id, &name);
            }
            OutputItem::FunctionCall { .. }
            | OutputItem::ToolSearchCall { .. }
            | OutputItem::Compaction
            | OutputItem::Other => return,
        };
        let item = item::started(item, now_ms());
        self.start_item(&turn_id, item.clone());
        if let Some(turn) = &mut self.turn {
            turn.streamed.open.push(Open { kind, item });
        }
    }

    /// Ends what the model was writing when its turn ended. The user has seen it, so clients keep it as far as it came;
    /// the model is not shown halves.
    pub(super) fn end_streamed(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        let id = turn.id.clone();
        let Streamed { open, planning, .. } = std::mem::take(&mut turn.streamed);
        for planning in planning {
            self.planning_cut(&id, planning);
        }
        for Open { item, .. } in open {
            self.end_item(&id, item);
        }
    }

    fn item_done(&mut self, output: OutputItem, raw: &RawValue) {
        match output {
            OutputItem::Message { id, phase, text, .. } => self.message_done(id, phase, text, raw),
            OutputItem::Reasoning { id, summary, content, .. } => {
                self.reasoning_done(id, summary, content, raw);
            }
            OutputItem::FunctionCall { call_id, name, namespace, arguments, .. } => {
                self.call(
                    Call {
                        id: call_id.into(),
                        namespace,
                        name,
                        input: CallInput::Function(arguments),
                    },
                    raw,
                );
            }
            OutputItem::CustomToolCall { call_id, name, input, .. } => {
                self.draft_done();
                self.call(
                    Call {
                        id: call_id.into(),
                        namespace: None,
                        name,
                        input: CallInput::Custom(input),
                    },
                    raw,
                );
            }
            OutputItem::ToolSearchCall { call_id, arguments } => {
                self.call(
                    Call {
                        id: call_id.into(),
                        namespace: None,
                        name: "tool_search".to_owned(),
                        input: CallInput::Search(arguments),
                    },
                    raw,
                );
            }
            OutputItem::WebSearchCall { id, query, action } => {
                let item = self.model_item(Kind::WebSearch, id, |id| {
                    item::web_search(id, query, Some(action))
                });
                self.item_written(item, raw);
            }
            OutputItem::Compaction | OutputItem::Other => {}
        }
    }

    fn message_done(
        &mut self,
        id: Option<String>,
        phase: Option<MessagePhase>,
        text: Option<String>,
        raw: &RawValue,
    ) {
        // A message that holds nothing but a refusal shows no item, but the model sees it again.
        let Some(text) = text else { return self.remember(history_item(raw)) };
        if self.is_reviewing() {
            let message = item::agent_message(item::model_id(id), text, phase);
            self.hold_report(item::started(message, now_ms()));
            return self.remember(history_item(raw));
        }
        if self.is_planning() {
            return self.planning_done(id, phase, &text, raw);
        }
        let item = self.model_item(Kind::Message, id, |id| item::agent_message(id, text, phase));
        self.message_written(item, raw);
    }

    pub(super) fn message_written(&mut self, item: TimedItem, raw: &RawValue) {
        let is_answer = item::is_answer(&item.item);
        if let Some(turn) = self.turn.as_mut().filter(|_| is_answer) {
            turn.last_answer = Some(item::ended(item.clone(), now_ms()));
        }
        self.item_written(item, raw);
    }

    fn reasoning_done(
        &mut self,
        id: Option<String>,
        summary: Vec<String>,
        content: Vec<String>,
        raw: &RawValue,
    ) {
        let item = self.model_item(Kind::Reasoning, id, |id| item::reasoning(id, summary, content));
        self.item_written(item, raw);
    }

    /// An item that the model has finished: the one that it had begun, or one that begins with its end.
    fn model_item(
        &mut self,
        kind: Kind,
        id: Option<String>,
        make: impl FnOnce(ItemId) -> ThreadItem,
    ) -> TimedItem {
        if let Some(Open { item: begun, .. }) = self.take_open(kind, id.as_deref()) {
            return TimedItem { item: make(item_id(&begun.item).clone()), ..begun };
        }
        let item = item::started(make(item::model_id(id)), now_ms());
        if let Some(turn) = self.turn_id() {
            self.start_item(&turn, item.clone());
        }
        item
    }

    /// The item's line precedes the model's own form of it, as readers of rollouts expect.
    fn item_written(&mut self, item: TimedItem, raw: &RawValue) {
        let Some(turn) = self.turn_id() else { return };
        let kept = self.keep(history_item(raw));
        self.end_item_with(&turn, item, kept.into_iter().collect());
    }

    /// Starts a call at once, while the model goes on answering.
    fn call(&mut self, call: Call, raw: &RawValue) {
        self.show_held_report();
        self.remember(history_item(raw));
        let events = self.events.clone();
        let Some(turn) = &mut self.turn else { return };
        let (id, scene) = (call.id.clone(), Arc::clone(&turn.step.scene));
        let mut arrived = turn.arrivals.subscribe();
        if !turn.steered.is_empty() {
            arrived.mark_changed();
        }
        let (turn_id, root) = (turn.id.clone(), turn.root.clone());
        let number = turn.calls.len();
        let claim = Arc::default();
        let cx = Cx { id, turn: turn_id, root, number, scene, events, arrived, claim };
        let order = tools::is_ordered(&cx.scene, &call).then(|| {
            let (end, ended) = oneshot::channel();
            Order { before: turn.last_in_order.replace(ended), end }
        });
        turn.calls_made += 1;
        turn.calls.push(PendingCall::start(call, cx, order));
    }

    fn text_delta(&mut self, id: Option<&str>, delta: String) {
        if self.is_planning() {
            return self.planning_delta(id, &delta);
        }
        let Some((turn_id, item)) = self.open_item(Kind::Message, id) else { return };
        let item_id = item_id(item).clone();
        if let ThreadItem::AgentMessage { text, .. } = item {
            text.push_str(&delta);
        }
        let thread_id = self.publisher.thread.clone();
        let params = AgentMessageDeltaNotification { thread_id, turn_id, item_id, delta };
        self.publisher.tell::<method::AgentMessageDelta>(&params);
    }

    fn summary_part_added(&mut self, id: Option<&str>, summary_index: i64) {
        let Some((turn_id, item)) = self.open_item(Kind::Reasoning, id) else { return };
        let item_id = item_id(item).clone();
        let thread_id = self.publisher.thread.clone();
        let params =
            ReasoningSummaryPartAddedNotification { thread_id, turn_id, item_id, summary_index };
        self.publisher.tell::<method::ReasoningSummaryPartAdded>(&params);
    }

    fn summary_delta(&mut self, id: Option<&str>, summary_index: i64, delta: String) {
        let Some((turn_id, item)) = self.open_item(Kind::Reasoning, id) else { return };
        let item_id = item_id(item).clone();
        if let ThreadItem::Reasoning { summary, .. } = item {
            grow(summary, summary_index, &delta);
        }
        let thread_id = self.publisher.thread.clone();
        let params = ReasoningSummaryTextDeltaNotification {
            thread_id,
            turn_id,
            item_id,
            delta,
            summary_index,
        };
        self.publisher.tell::<method::ReasoningSummaryTextDelta>(&params);
    }

    fn reasoning_delta(&mut self, id: Option<&str>, content_index: i64, delta: String) {
        let Some((turn_id, item)) = self.open_item(Kind::Reasoning, id) else { return };
        let item_id = item_id(item).clone();
        if let ThreadItem::Reasoning { content, .. } = item {
            grow(content, content_index, &delta);
        }
        let thread_id = self.publisher.thread.clone();
        let params =
            ReasoningTextDeltaNotification { thread_id, turn_id, item_id, delta, content_index };
        self.publisher.tell::<method::ReasoningTextDelta>(&params);
    }

    /// Deltas without a started item of their kind are dropped.
    fn open_item(&mut self, kind: Kind, id: Option<&str>) -> Option<(TurnId, &mut ThreadItem)> {
        let turn = self.turn.as_mut()?;
        let at = turn.streamed.place(kind, id)?;
        Some((turn.id.clone(), &mut turn.streamed.open[at].item.item))
    }

    fn take_open(&mut self, kind: Kind, id: Option<&str>) -> Option<Open> {
        let streamed = &mut self.turn.as_mut()?.streamed;
        let at = streamed.place(kind, id)?;
        Some(streamed.open.remove(at))
    }

    fn turn_id(&self) -> Option<TurnId> {
        self.turn.as_ref().map(|turn| turn.id.clone())
    }
}

/// The place of the open item that an event of the model's names; else of the last one, as not every provider names
/// them, or always by the same name.
pub(super) fn meant<'a>(
    open: impl Iterator<Item = (usize, &'a ItemId)> + Clone,
    id: Option<&str>,
) -> Option<usize> {
    let named = open.clone().find(|(_, own)| Some(own.as_str()) == id);
    named.or_else(|| open.last()).map(|(at, _)| at)
}

/// Adds to one of several texts, which come in their order.
fn grow(texts: &mut Vec<String>, index: i64, delta: &str) {
    let Ok(index) = usize::try_from(index) else { return };
    if index == texts.len() {
        texts.push(String::new());
    }
    if let Some(text) = texts.get_mut(index) {
        text.push_str(delta);
    }
}
