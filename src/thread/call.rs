//! A call of the current response: running beside the turn, then holding its output until its turn comes.

use std::sync::Arc;

use serde_json::value::RawValue;
use tokio::sync::oneshot;
use uuid::Uuid;

use super::answer::Answer;
use crate::protocol::{ItemId, TimedItem};
use crate::tools::{self, Call, CallInput, Claim, Cx, Event, Outcome, Output, Work};
use crate::util::task::{AbortOnDrop, guarded};
use crate::util::time::now_ms;

pub(super) struct PendingCall {
    id: ItemId,
    answer: Answer,
    work: Work,
    started_at_ms: i64,
    state: State,
    /// The item that has been shown and is not ended.
    pub(super) open: Option<TimedItem>,
    claim: Arc<Claim>,
    /// What the model is to know before the output.
    informed: Vec<String>,
    /// What the model is to know besides the output.
    told: Vec<String>,
}

enum State {
    Running { _task: AbortOnDrop },
    Done(Output),
    Settled,
}

impl PendingCall {
    /// Runs a call, in its order if it has one.
    pub(super) fn start(call: Call, cx: Cx, order: Option<Order>) -> Self {
        let answer = match call.input {
            CallInput::Function(_) => Answer::Function,
            CallInput::Custom(_) => Answer::Custom,
            CallInput::Search(_) => Answer::Search,
        };
        let (id, work) = (call.id.clone(), tools::work(&cx.scene, &call));
        let claim = Arc::clone(&cx.claim);
        let task = AbortOnDrop::spawn(in_order(order, run(call, cx)));
        Self {
            id,
            answer,
            work,
            started_at_ms: now_ms(),
            state: State::Running { _task: task },
            open: None,
            claim,
            informed: Vec::new(),
            told: Vec::new(),
        }
    }

    pub(super) fn id(&self) -> &ItemId {
        &self.id
    }

    pub(super) fn is_running(&self) -> bool {
        matches!(self.state, State::Running { .. })
    }

    /// Keeps the output. What is returned is an item that the call has not ended.
    pub(super) fn done(&mut self, output: Output) -> Option<TimedItem> {
        self.state = State::Done(output);
        self.open.take()
    }

    pub(super) fn inform(&mut self, text: String) {
        self.informed.push(text);
    }

    pub(super) fn tell(&mut self, text: String) {
        self.told.push(text);
    }

    /// Gives up waiting. A command goes on in the background; the model is told that it was not waited for. What is
    /// returned is an item that the call will not end any more.
    pub(super) fn abort(&mut self) -> Option<TimedItem> {
        if !self.is_running() {
            return None;
        }
        #[expect(clippy::cast_precision_loss, reason = "a tenth of a second is all that is shown")]
        let seconds = (now_ms() - self.started_at_ms) as f64 / 1000.0;
        let told = match self.work {
            Work::Command => format!("Wall time: {seconds:.1} seconds\naborted by user"),
            Work::Other => "aborted".to_owned(),
        };
        self.state = State::Done(told.into());
        let may_end = self.claim.take();
        self.open.take().filter(|_| may_end)
    }

    /// The output as an input item, once.
    pub(super) fn take_output(&mut self) -> Option<Box<RawValue>> {
        match std::mem::replace(&mut self.state, State::Settled) {
            State::Done(output) => Some(self.output_item(&output)),
            running @ State::Running { .. } => {
                self.state = running;
                None
            }
            State::Settled => None,
        }
    }

    /// The output as it can be given to somebody else now, before the thread's own model has it.
    pub(super) fn output_so_far(&self) -> Option<Box<RawValue>> {
        match &self.state {
            State::Done(output) => Some(self.output_item(output)),
            State::Running { .. } => Some(self.output_item(&"aborted".to_owned().into())),
            State::Settled => None,
        }
    }

    fn output_item(&self, output: &Output) -> Box<RawValue> {
        self.answer.item(Uuid::now_v7(), self.id.as_str(), output)
    }

    pub(super) fn take_informed(&mut self) -> Vec<String> {
        std::mem::take(&mut self.informed)
    }

    pub(super) fn take_told(&mut self) -> Vec<String> {
        std::mem::take(&mut self.told)
    }
}

/// The place of a call among those that run one after the other.
pub(super) struct Order {
    /// Ends with the call before.
    pub(super) before: Option<oneshot::Receiver<()>>,
    /// Its end is that of this call.
    pub(super) end: oneshot::Sender<()>,
}

async fn in_order(order: Option<Order>, call: impl Future<Output = ()>) {
    let Some(Order { before, end }) = order else { return call.await };
    if let Some(before) = before {
        // The sender says nothing, it ends.
        let _ended = before.await;
    }
    call.await;
    drop(end);
}

async fn run(call: Call, cx: Cx) {
    let name = call.name.clone();
    let failed = || Outcome::text(format!("{name} failed: internal error"));
    let outcome = guarded(&name, Box::pin(tools::run(&cx, call)), failed).await;
    // When the thread has ended, nobody needs the outcome.
    let done = Event::Done { turn: cx.turn.clone(), call: cx.number, outcome };
    let _ended = cx.events.send(done).await;
}
