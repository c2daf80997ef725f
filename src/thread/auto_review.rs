//! Reviews of actions: a model looks at what a call is about to do and decides in the user's place.
//!
//! The reviewer sees the end of the conversation and the action, and nothing else; it has no tools. A review that comes
//! to nothing is a refusal. What was refused, the user may allow.

mod denied;

pub(crate) use denied::DeniedAction;

use std::sync::Arc;
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::oneshot;
use tokio::time::{sleep, timeout};
use uuid::Uuid;

use super::actor::Actor;
use super::call::PendingCall;
use super::context::{base_message, message};
use super::history::History;
use super::turn::Ending;
use super::{Reply, prompt};
use crate::exec::{Truncation, cut_middle};
use crate::model::{self, Client, OutputItem, Provider, Request, Retry, StreamEvent, backoff};
use crate::protocol::{
    AutoReviewDecisionSource, GuardianApprovalReview, GuardianApprovalReviewAction,
    GuardianApprovalReviewStatus as Status, GuardianRiskLevel, GuardianUserAuthorization,
    GuardianWarningNotification, ItemGuardianApprovalReviewCompletedNotification,
    ItemGuardianApprovalReviewStartedNotification, ItemId,
    ThreadApproveGuardianDeniedActionResponse, method,
};
use crate::tools::Event;
use crate::util::json::object_in;
use crate::util::task::{AbortOnDrop, guarded};
use crate::util::time::now_ms;

/// How often a model is asked that does not answer as it should.
const ATTEMPTS: u32 = 3;
/// How long all of that may take.
const LIMIT: Duration = Duration::from_secs(90);
/// So many refusals in a row end the turn: the model is after something that it will not get.
const MOST_REFUSALS: u32 = 3;
/// How much of the conversation the reviewer is shown, in bytes, and how much of each of its items.
const SHOWN: usize = 40_000;
const SHOWN_OF_ITEM: Truncation = Truncation::Bytes(4_000);

/// The reviews of one turn.
#[derive(Default)]
pub(super) struct Reviews {
    open: Vec<Open>,
    /// Refusals since the last review that allowed something.
    refusals: u32,
}

/// A review that has not come to an end.
struct Open {
    id: String,
    target: Option<ItemId>,
    action: GuardianApprovalReviewAction,
    started_at_ms: i64,
    reply: oneshot::Sender<Assessment>,
    _task: AbortOnDrop,
}

/// What a reviewer says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub(crate) struct Assessment {
    risk_level: Option<GuardianRiskLevel>,
    user_authorization: Option<GuardianUserAuthorization>,
    outcome: Outcome,
    pub(crate) rationale: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Outcome {
    Allow,
    Deny,
}

impl Assessment {
    pub(crate) fn is_allowed(&self) -> bool {
        self.outcome == Outcome::Allow
    }

    fn failed(why: &str) -> Self {
        Self {
            risk_level: None,
            user_authorization: None,
            outcome: Outcome::Deny,
            rationale: Some(why.to_owned()),
        }
    }
}

impl Actor {
    pub(super) fn review_action(
        &mut self,
        call: usize,
        action: GuardianApprovalReviewAction,
        reply: oneshot::Sender<Assessment>,
    ) {
        let id = Uuid::now_v7().to_string();
        let request = self.review_request(&id, &self.reviewed_input(&id, &action), &schema());
        let (shared, provider) = (Arc::clone(&self.shared), Arc::clone(&self.provider));
        let events = self.events.clone();
        let Some(turn) = &mut self.turn else { return };
        let target = turn.calls.get(call).map(PendingCall::id).cloned();
        let (turn_id, review) = (turn.id.clone(), id.clone());
        let task = AbortOnDrop::spawn(async move {
            let work = timeout(LIMIT, assess(&shared.model, &provider, &request));
            let assessment = guarded("a review", async { work.await.ok() }, || None).await;
            let reviewed = Event::Reviewed { turn: turn_id, review, assessment };
            let _ended = events.send(reviewed).await;
        });
        let open = Open { id, target, action, started_at_ms: now_ms(), reply, _task: task };
        let params = ItemGuardianApprovalReviewStartedNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.id.clone(),
            started_at_ms: open.started_at_ms,
            review_id: open.id.clone(),
            target_item_id: open.target.clone(),
            review: shown(Status::InProgress, None),
            action: open.action.clone(),
        };
        turn.reviews.open.push(open);
        self.publisher.tell::<method::ItemAutoApprovalReviewStarted>(&params);
    }

    /// What the reviewer is sent.
    fn reviewed_input(&self, id: &str, action: &GuardianApprovalReviewAction) -> History {
        let text = format!(
            "<conversation>\n{}\n</conversation>\n\n<action>\n{}\n</action>",
            transcript(self.asked_with()),
            json!(action)
        );
        let mut input = History::default();
        input.push(&base_message(id, prompt::AUTO_REVIEW));
        input.push(&message("user", &[text]));
        input
    }

    /// A review has come to its end; in vain when there is no assessment.
    pub(super) fn action_reviewed(&mut self, review: &str, assessment: Option<Assessment>) {
        let Some(turn) = &mut self.turn else { return };
        let Some(at) = turn.reviews.open.iter().position(|open| open.id == review) else { return };
        let open = turn.reviews.open.swap_remove(at);
        let late = assessment.is_none();
        let assessment =
            assessment.unwrap_or_else(|| Assessment::failed("the review took too long"));
        let status = match assessment.outcome {
            Outcome::Allow => Status::Approved,
            Outcome::Deny if late => Status::TimedOut,
            Outcome::Deny => Status::Denied,
        };
        turn.reviews.refusals = if assessment.is_allowed() { 0 } else { turn.reviews.refusals + 1 };
        let is_over = turn.reviews.refusals >= MOST_REFUSALS;
        let decided = if assessment.is_allowed() { "allowed" } else { "refused" };
        let why = assessment.rationale.as_deref().unwrap_or("no reason given");
        self.warn_of_review(format!("The automatic review {decided} an action: {why}"));
        self.tell_reviewed(&open, status, Some(&assessment));
        // A call that has ended does not wait for it.
        let _unheard = open.reply.send(assessment);
        if is_over {
            self.warn_of_review(format!(
                "The automatic review refused {MOST_REFUSALS} actions in a row, so the turn was ended."
            ));
            self.finish(Ending::Interrupted { by: None });
        }
    }

    /// Tells the model that the user wants what the review did not.
    pub(super) fn allow_denied(
        &mut self,
        denied: &DeniedAction,
        reply: Reply<ThreadApproveGuardianDeniedActionResponse>,
    ) {
        reply.give(Ok(ThreadApproveGuardianDeniedActionResponse {}));
        let Some(action) = denied.action() else { return };
        let told = prompt::action_allowed(&action);
        match self.turn.is_some() {
            true => self.late_contexts.push(told),
            false => self.tell_model(vec![told]),
        }
    }

    /// The turn ends, and with it what its calls have waited for.
    pub(super) fn abort_reviews(&mut self) {
        let Some(turn) = &mut self.turn else { return };
        for open in std::mem::take(&mut turn.reviews.open) {
            self.tell_reviewed(&open, Status::Aborted, None);
        }
    }

    fn warn_of_review(&self, message: String) {
        let thread_id = self.publisher.thread.clone();
        let params = GuardianWarningNotification { thread_id, message };
        self.publisher.tell::<method::GuardianWarning>(&params);
    }

    fn tell_reviewed(&self, open: &Open, status: Status, assessment: Option<&Assessment>) {
        let Some(turn) = &self.turn else { return };
        let params = ItemGuardianApprovalReviewCompletedNotification {
            thread_id: self.publisher.thread.clone(),
            turn_id: turn.id.clone(),
            started_at_ms: open.started_at_ms,
            completed_at_ms: now_ms(),
            review_id: open.id.clone(),
            target_item_id: open.target.clone(),
            decision_source: AutoReviewDecisionSource::Agent,
            review: shown(status, assessment),
            action: open.action.clone(),
        };
        self.publisher.tell::<method::ItemAutoApprovalReviewCompleted>(&params);
    }
}

/// A review as clients see it.
fn shown(status: Status, assessment: Option<&Assessment>) -> GuardianApprovalReview {
    GuardianApprovalReview {
        status,
        risk_level: assessment.and_then(|said| said.risk_level),
        user_authorization: assessment.and_then(|said| said.user_authorization),
        rationale: assessment.and_then(|said| said.rationale.clone()),
    }
}

/// Asks until there is an answer that can be understood, or asking again is of no use.
async fn assess(client: &Client, provider: &Arc<Provider>, request: &Request) -> Assessment {
    let mut why = String::new();
    for attempt in 1..=ATTEMPTS {
        let pause = match answer(client, provider, request).await {
            Ok(answer) => match answer.as_deref().and_then(object_in) {
                Some(assessment) => return assessment,
                None => {
                    "the reviewer gave no answer that can be understood".clone_into(&mut why);
                    continue;
                }
            },
            Err(error) => {
                why = error.to_string();
                match error.retry() {
                    Retry::Never => break,
                    Retry::Stream { after, .. } => after,
                    Retry::Connection => None,
                }
            }
        };
        if attempt < ATTEMPTS {
            sleep(pause.unwrap_or_else(|| backoff(attempt))).await;
        }
    }
    Assessment::failed(&format!("the review could not be completed: {why}"))
}

/// The last message of a response.
async fn answer(
    client: &Client,
    provider: &Arc<Provider>,
    request: &Request,
) -> Result<Option<String>, model::Error> {
    let mut stream = client.stream(provider, request.clone());
    let mut answer = None;
    while let Some(batch) = stream.next().await {
        for event in batch {
            if let StreamEvent::ItemDone {
                item: OutputItem::Message { text: Some(text), .. },
                ..
            } = event
            {
                answer = Some(text);
            } else if let StreamEvent::Failed(error) = event {
                return Err(error);
            }
        }
    }
    Ok(answer)
}

fn schema() -> Value {
    json!({
        "type": "object",
        "properties": {
            "risk_level": { "type": "string", "enum": ["low", "medium", "high", "critical"] },
            "user_authorization": { "type": "string", "enum": ["unknown", "low", "medium", "high"] },
            "outcome": { "type": "string", "enum": ["allow", "deny"] },
            "rationale": { "type": "string" },
        },
        "required": ["risk_level", "user_authorization", "outcome", "rationale"],
        "additionalProperties": false,
    })
}

/// The end of a conversation, one item a line, without what the harness has told the model.
fn transcript(history: &History) -> String {
    let mut lines = Vec::new();
    let mut room = SHOWN;
    for item in history.iter().rev() {
        let Ok(mut item) = serde_json::from_str::<Value>(item) else { continue };
        let is_of_harness = item["role"] == "developer" && !prompt::is_action_allowed(&item);
        if is_of_harness || item["type"] == "reasoning" {
            continue;
        }
        if let Some(item) = item.as_object_mut() {
            item.remove("id");
        }
        let line = cut_middle(&item.to_string(), SHOWN_OF_ITEM);
        let Some(rest) = room.checked_sub(line.len()) else { break };
        room = rest;
        lines.push(line);
    }
    lines.reverse();
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::util::json::raw;

    #[test]
    fn answers_that_are_understood() {
        let allowed = |text: &str| object_in(text).map(|said: Assessment| said.is_allowed());
        assert_eq!(allowed(r#"{"outcome":"allow"}"#), Some(true));
        assert_eq!(
            allowed("```json\n{\"outcome\":\"deny\",\"risk_level\":\"high\"}\n```"),
            Some(false)
        );
        for garbage in ["", "allow", "}{", r#"{"outcome":"maybe"}"#, r#"{"risk_level":"low"}"#] {
            assert_eq!(allowed(garbage), None, "{garbage}");
        }
    }

    #[test]
    fn a_reviewer_is_shown_the_end_of_the_conversation() {
        let mut history = History::default();
        let said =
            |role: &str, text: &str| raw(&json!({ "id": "x", "role": role, "content": text }));
        history.push(&said("user", &"early".repeat(SHOWN)));
        for number in 0..30 {
            history.push(&said("user", &format!("{number}{}", "x".repeat(3_000))));
        }
        history.push(&said("developer", "secret"));
        history.push(&said("assistant", "last"));
        let shown = transcript(&history);
        assert!(
            shown.len() <= SHOWN + 100
                && shown.ends_with(r#"{"content":"last","role":"assistant"}"#)
        );
        assert!(!shown.contains("secret") && !shown.contains("early") && shown.contains("29xx"));
    }
}
