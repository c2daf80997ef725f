//! Who calls a tool, as its server sees it: somebody who can be told of progress, and asked.

use futures_util::future::BoxFuture;
use serde_json::Value;

use crate::protocol::ThreadId;

/// The one who waits for a call's result.
pub(crate) trait Caller: Send + Sync {
    fn thread(&self) -> &ThreadId;
    /// Puts a question of the server's to the user.
    fn ask(&self, question: Elicitation) -> BoxFuture<'_, Reply>;
    fn progress(&self, message: String) -> BoxFuture<'_, ()>;
}

/// A question of a server's, as it came.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Elicitation {
    Form { message: String, schema: Value, meta: Option<Value> },
    Url { message: String, url: String, id: String, meta: Option<Value> },
}

/// What the user says to it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) action: ReplyAction,
    pub(crate) content: Option<Value>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum ReplyAction {
    Accept,
    Decline,
    Cancel,
}

impl Reply {
    pub(crate) const DECLINE: Self = Self { action: ReplyAction::Decline, content: None };
}

impl Elicitation {
    /// Reads the params of `elicitation/create`.
    pub(super) fn read(params: &Value) -> Option<Self> {
        let text = |name: &str| Some(params.get(name)?.as_str()?.to_owned());
        let message = text("message")?;
        let meta = params.get("_meta").cloned();
        match params.get("mode").and_then(Value::as_str) {
            None | Some("form") => {
                let schema = params.get("requestedSchema")?.clone();
                Some(Self::Form { message, schema, meta })
            }
            Some("url") => {
                let id = text("elicitationId").unwrap_or_default();
                Some(Self::Url { message, url: text("url")?, id, meta })
            }
            Some(_) => None,
        }
    }
}
