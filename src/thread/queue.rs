//! The queue of a thread: messages that wait for it to be idle, each of which becomes a turn of its own.
//!
//! How a queue changes by request are functions that need no thread: the queue is on disk, and whoever changes it
//! tells the thread, if it is loaded, to look. The thread's task decides when the first one is sent. It is not sent
//! while the last turn is one that was broken off: the user may want to say something else first.
//!
//! A message leaves the queue after its turn has begun on disk, and the turn names it there: so a process that ends
//! in between neither loses it nor sends it twice.

use tokio::task::block_in_place;
use uuid::Uuid;

use super::actor::Actor;
use super::input::{self, Rendered};
use super::said::UserSaid;
use super::turn::{Ending, Trigger, TurnOptions};
use super::{Error, Reply, Result};
use crate::protocol::{
    QueuedSubmission, ThreadId, ThreadQueueAddParams, ThreadQueueChangedNotification,
    ThreadQueueStartResponse, ThreadQueueUpdateParams, TurnStartResponse, UserInput, method,
};
use crate::store::{self, Record, Store};
use crate::tools::Event;
use crate::util::task::AbortOnDrop;

const MAX_SUBMISSIONS: usize = 100;

/// What a loaded thread knows of its queue.
#[derive(Default)]
pub(super) struct Queue {
    /// The last turn was broken off: the queue waits for another turn's end.
    held: bool,
    /// The message that has been sent last; it may still be in the queue.
    sent: Option<String>,
    preparing: Option<Preparing>,
}

/// A message whose pictures and sounds are being read.
struct Preparing {
    reply: Reply<ThreadQueueStartResponse>,
    _task: AbortOnDrop,
}

impl Queue {
    /// The queue of a thread that is loaded with this history. A message whose turn began in a process that did not
    /// live to take it out is taken out now.
    pub(super) fn loaded(store: &Store, id: &ThreadId, records: &[Record]) -> Self {
        let (mut held, mut sent) = (false, None);
        for record in records {
            if let Record::TurnStarted(turn) = record {
                held = true;
                let attribution = turn.turn_attribution.as_ref();
                sent = attribution.and_then(|turn| turn.queued_submission_id.clone()).or(sent);
            } else if let Record::TurnCompleted(_) = record {
                held = false;
            }
        }
        if let Some(sent) = &sent
            && let Err(error) = forget(store, id, sent)
        {
            tracing::error!(%error, "the queue of a thread cannot be used");
        }
        Self { held, sent, preparing: None }
    }

    /// Waits for another turn's end, as after one that was broken off.
    pub(super) fn hold(&mut self) {
        self.held = true;
    }
}

fn forget(store: &Store, id: &ThreadId, sent: &str) -> Result<(), store::Error> {
    if store.is_queue_empty(id) {
        return Ok(());
    }
    let mut queue = store.queue(id)?;
    if remove(&mut queue.submissions, sent) { queue.save() } else { Ok(()) }
}

/// Puts a message at the end.
pub(crate) fn add(
    queue: &mut Vec<QueuedSubmission>,
    params: ThreadQueueAddParams,
) -> Result<QueuedSubmission> {
    check(&params.input)?;
    if queue.len() >= MAX_SUBMISSIONS {
        let refusal = format!("queue cannot contain more than {MAX_SUBMISSIONS} submissions");
        return Err(Error::Refused(refusal));
    }
    let submission = QueuedSubmission {
        id: Uuid::now_v7().to_string(),
        input: params.input,
        client_user_message_id: params.client_user_message_id,
        responsesapi_client_metadata: params.responsesapi_client_metadata,
    };
    queue.push(submission.clone());
    Ok(submission)
}

/// Changes what a message says.
pub(crate) fn update(
    queue: &mut [QueuedSubmission],
    params: ThreadQueueUpdateParams,
) -> Result<QueuedSubmission> {
    check(&params.input)?;
    let index = position(queue, &params.queued_submission_id)?;
    let submission = &mut queue[index];
    submission.input = params.input;
    if let Some(metadata) = params.responsesapi_client_metadata {
        submission.responsesapi_client_metadata = Some(metadata);
    }
    Ok(submission.clone())
}

/// Takes a message out; `false` if it was not there.
pub(crate) fn remove(queue: &mut Vec<QueuedSubmission>, id: &str) -> bool {
    let before = queue.len();
    queue.retain(|submission| submission.id != id);
    queue.len() < before
}

/// Puts the messages into this order.
pub(crate) fn reorder(queue: &mut Vec<QueuedSubmission>, ids: &[String]) -> Result<()> {
    let mut ordered: Vec<QueuedSubmission> = Vec::with_capacity(queue.len());
    for id in ids {
        let index = queue.iter().position(|submission| submission.id == *id);
        let submission = index.map(|index| queue.remove(index));
        ordered.extend(submission);
    }
    if !queue.is_empty() || ordered.len() != ids.len() {
        let refusal = "queue reorder must include every queued submission exactly once";
        return Err(Error::Refused(refusal.to_owned()));
    }
    *queue = ordered;
    Ok(())
}

fn check(said: &[UserInput]) -> Result<()> {
    if said.is_empty() {
        let refusal = "only user input can be added to the user-message queue";
        return Err(Error::Refused(refusal.to_owned()));
    }
    input::check(said)
}

fn position(queue: &[QueuedSubmission], id: &str) -> Result<usize> {
    let found = queue.iter().position(|submission| submission.id == id);
    found.ok_or_else(|| Error::Refused(format!("queued submission not found: {id}")))
}

impl Actor {
    /// Starts what waits for the thread to be idle, if it is: first what the user has said, then the goal's next turn.
    pub(super) fn go_on_by_itself(&mut self) {
        self.continue_mail();
        self.continue_queue();
        if self.queue.preparing.is_none() {
            self.continue_goal();
        }
    }

    /// The running turn ends, and with it the hold, unless it is broken off.
    pub(super) fn judge_queue(&mut self, ending: &Ending) {
        match ending {
            Ending::Completed | Ending::Failed(_) => self.queue.held = false,
            Ending::Interrupted { .. } => self.queue.held = true,
            // What replaces it decides.
            Ending::Replaced => {}
        }
    }

    fn continue_queue(&mut self) {
        if self.queue.held
            || self.is_busy()
            || self.writer.is_none()
            || self.check_direct_input().is_err()
        {
            return;
        }
        // Most threads have no queue.
        if self.shared.store.is_queue_empty(&self.thread.id) {
            return;
        }
        match self.next_queued(None) {
            Ok(Some(submission)) => self.send_queued(submission, Reply::new(|_| {})),
            Ok(None) => {}
            Err(error) => self.cannot_queue(&error),
        }
    }

    /// Sends a message at the request of a client.
    pub(super) fn start_queued(
        &mut self,
        id: Option<&str>,
        reply: Reply<ThreadQueueStartResponse>,
    ) {
        let submission = self.check_direct_input().and_then(|()| self.next_queued(id));
        let submission = submission.and_then(|submission| {
            let refusal = match submission {
                _ if self.is_busy() => "thread already has an active or pending turn",
                None => "queue is empty",
                Some(submission) => return Ok(submission),
            };
            Err(Error::Refused(refusal.to_owned()))
        });
        match submission {
            Ok(submission) => self.send_queued(submission, reply),
            Err(refusal) => reply.give(Err(refusal)),
        }
    }

    fn is_busy(&self) -> bool {
        self.turn.is_some() || self.queue.preparing.is_some()
    }

    /// The message of this name, or else the first one. One that was sent before, by a process that did not live to
    /// take it out, is not looked at.
    fn next_queued(&self, id: Option<&str>) -> Result<Option<QueuedSubmission>> {
        let mut waiting = self.shared.store.queued(&self.thread.id)?;
        waiting.retain(|submission| self.queue.sent.as_ref() != Some(&submission.id));
        let index = id.map_or(Ok(0), |id| position(&waiting, id))?;
        Ok(waiting.into_iter().nth(index))
    }

    fn send_queued(
        &mut self,
        submission: QueuedSubmission,
        reply: Reply<ThreadQueueStartResponse>,
    ) {
        if !input::has_media(&submission.input) {
            let rendered = input::text_message(&submission.input);
            return self.begin_queued(submission, rendered, reply);
        }
        let (senses, events) = (self.senses(None), self.events.clone());
        let task = AbortOnDrop::spawn(async move {
            let rendered = input::message(submission.input.clone(), senses).await;
            // A thread that ends meanwhile leaves the message where it is.
            let _gone = events.send(Event::Prepared { submission, rendered }).await;
        });
        self.queue.preparing = Some(Preparing { reply, _task: task });
    }

    /// A message with pictures or sounds can be sent, unless something else has come first.
    pub(super) fn prepared(&mut self, submission: QueuedSubmission, rendered: Rendered) {
        let Some(Preparing { reply, .. }) = self.queue.preparing.take() else { return };
        if self.turn.is_some() {
            let refusal = "thread already has an active or pending turn";
            return reply.give(Err(Error::Refused(refusal.to_owned())));
        }
        self.begin_queued(submission, rendered, reply);
    }

    fn begin_queued(
        &mut self,
        submission: QueuedSubmission,
        rendered: Rendered,
        reply: Reply<ThreadQueueStartResponse>,
    ) {
        // From here on nobody changes it: what was answered as edited or deleted is not sent. Another process may be at
        // it, which is waited for.
        let mut queue = match block_in_place(|| self.shared.store.queue(&self.thread.id)) {
            Ok(queue) => queue,
            Err(error) => return reply.give(Err(error.into())),
        };
        if !queue.submissions.contains(&submission) {
            let refusal = format!("queued submission not found: {}", submission.id);
            reply.give(Err(Error::Refused(refusal)));
            drop(queue);
            return self.go_on_by_itself();
        }
        let options = TurnOptions {
            trigger: Some(Trigger::Queue),
            queued: Some(submission.id.clone()),
            metadata: submission.responsesapi_client_metadata.unwrap_or_default(),
            ..TurnOptions::default()
        };
        let said = UserSaid {
            content: submission.input,
            client_id: Some(submission.client_user_message_id),
            message: rendered.message,
            left_out: rendered.left_out,
            ..UserSaid::default()
        };
        let started = move |result: Result<TurnStartResponse>| {
            reply.give(result.map(|TurnStartResponse { turn }| ThreadQueueStartResponse { turn }));
        };
        self.begin_turn(options, None, said, Reply::new(started));
        if self.turn.is_none() {
            // It could not be saved, and would not be the next time.
            self.queue.held = true;
            return;
        }
        remove(&mut queue.submissions, &submission.id);
        self.queue.sent = Some(submission.id);
        if let Err(error) = queue.save() {
            self.cannot_queue(&Error::Store(error));
        }
        let thread_id = self.publisher.thread.clone();
        let params = ThreadQueueChangedNotification { thread_id };
        self.publisher.tell::<method::ThreadQueueChanged>(&params);
    }

    fn cannot_queue(&mut self, error: &Error) {
        tracing::error!(%error, "the queue of a thread cannot be used");
        self.queue.held = true;
        self.warn(format!("The queue of this thread cannot be used: {error}"));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::protocol::TurnId;
    use crate::store::record::{TurnAborted, TurnAttribution, TurnCompleted, TurnStarted};

    fn queue_of(ids: &[&str]) -> Vec<QueuedSubmission> {
        let submission = |id: &&str| QueuedSubmission {
            id: (*id).to_owned(),
            input: vec![UserInput::text(id)],
            client_user_message_id: format!("client {id}"),
            responsesapi_client_metadata: None,
        };
        ids.iter().map(submission).collect()
    }

    #[track_caller]
    fn check_order(before: &[&str], order: &[&str], after: Option<&[&str]>) {
        let mut queue = queue_of(before);
        let order: Vec<String> = order.iter().map(|&id| id.to_owned()).collect();
        let reordered = reorder(&mut queue, &order).map(|()| queue).ok();
        assert_eq!(reordered, after.map(queue_of));
    }

    #[test]
    fn an_order_names_every_message_once() {
        check_order(&["a", "b", "c"], &["c", "a", "b"], Some(&["c", "a", "b"]));
        check_order(&[], &[], Some(&[]));
        check_order(&["a", "b"], &["a"], None);
        check_order(&["a", "b"], &["a", "a"], None);
        check_order(&["a", "b"], &["a", "b", "a"], None);
        check_order(&["a", "b"], &["a", "x"], None);
        check_order(&["a"], &["a", "x"], None);
    }

    #[test]
    fn a_queue_has_a_bound() {
        let mut queue = Vec::new();
        let params = ThreadQueueAddParams {
            thread_id: ThreadId::from("t".to_owned()),
            input: vec![UserInput::text("x")],
            client_user_message_id: "x".to_owned(),
            responsesapi_client_metadata: None,
        };
        for _ in 0..MAX_SUBMISSIONS {
            add(&mut queue, params.clone()).unwrap();
        }
        let refusal = add(&mut queue, params).unwrap_err().to_string();
        assert_eq!(refusal, "queue cannot contain more than 100 submissions");
        assert_eq!(queue.len(), MAX_SUBMISSIONS);
    }

    fn began(queued: Option<&str>) -> Record {
        let turn_id = TurnId::from("turn".to_owned());
        Record::TurnStarted(TurnStarted {
            turn_id: turn_id.clone(),
            turn_attribution: Some(TurnAttribution {
                turn_id,
                turn_trigger: None,
                parent_turn_id: None,
                queued_submission_id: queued.map(str::to_owned),
                initiating_agent_path: None,
                root_turn_id: None,
            }),
            root_turn_id: None,
            started_at: None,
            model_context_window: None,
            collaboration_mode_kind: None,
        })
    }

    #[test]
    fn a_turn_that_was_broken_off_holds_the_queue_also_after_a_restart() {
        let home = tempfile::tempdir().unwrap();
        let (store, id) = (Store::new(home.path().to_owned()), ThreadId::from("thread".to_owned()));
        let held = |records: &[Record]| Queue::loaded(&store, &id, records).held;
        let completed = || Record::TurnCompleted(TurnCompleted::default());
        let aborted = || Record::TurnAborted(TurnAborted::default());
        assert!(!held(&[]));
        assert!(!held(&[began(None), completed()]));
        assert!(held(&[began(None), completed(), began(None), aborted()]));
        assert!(held(&[began(None)]), "a process that was killed");
        assert!(!held(&[began(None), aborted(), began(None), completed()]));
    }

    #[test]
    fn a_message_whose_turn_has_begun_is_not_sent_again() {
        let home = tempfile::tempdir().unwrap();
        let (store, id) = (Store::new(home.path().to_owned()), ThreadId::from("thread".to_owned()));
        let mut queue = store.queue(&id).unwrap();
        queue.submissions = queue_of(&["a", "b"]);
        queue.save().unwrap();
        drop(queue);
        drop(Queue::loaded(&store, &id, &[began(Some("a"))]));
        assert_eq!(store.queued(&id).unwrap(), queue_of(&["b"]));
        drop(Queue::loaded(&store, &id, &[began(Some("b"))]));
        assert!(store.is_queue_empty(&id));
    }
}
