//! Calls of the tools of MCP servers: the item, the question whether it may run, the call, and what the model is told.

use std::time::{Duration, Instant};

use futures_util::future::BoxFuture;
use serde_json::{Map, Value, json};

use super::approval::{APPROVAL, answered, ask};
use super::auto_review::{self, Review};
use super::{Call, CallInput, Cx, Effect, Outcome, Output, Part};
use crate::config::{McpApproval, approve_mcp_tool};
use crate::exec::cut_middle;
use crate::mcp::{
    CallError, CallResult, Caller, Elicitation, Reply, ReplyAction, Target, ToolCall,
};
use crate::protocol::{
    AskForApproval, GuardianApprovalReviewAction, ImageDetail, McpElicitationSchema,
    McpServerElicitationAction, McpServerElicitationRequest, McpServerElicitationRequestParams,
    McpToolCallError, McpToolCallProgressNotification, McpToolCallResult, McpToolCallStatus,
    SandboxPolicy, ThreadId, ThreadItem, TimedItem, method,
};
use crate::thread::item;
use crate::util::time::now_ms;

/// How much of a result an item shows, in bytes.
const MAX_SHOWN: usize = 1 << 20;

/// The item of a call, which is shown in two states.
pub(super) struct Shown {
    cx: Cx,
    server: String,
    tool: String,
    arguments: Value,
    read_only: Option<bool>,
    begun: Instant,
    started_at_ms: i64,
}

impl Shown {
    pub(super) fn new(
        cx: &Cx,
        server: &str,
        tool: &str,
        arguments: Value,
        read_only: Option<bool>,
    ) -> Self {
        Self {
            cx: cx.clone(),
            server: server.to_owned(),
            tool: tool.to_owned(),
            arguments,
            read_only,
            begun: Instant::now(),
            started_at_ms: now_ms(),
        }
    }

    pub(super) async fn begin(&self) {
        self.cx.begin(self.item(McpToolCallStatus::InProgress, None, None)).await;
    }

    pub(super) async fn failed(&self, message: &str) {
        let error = McpToolCallError { message: message.to_owned() };
        self.end(McpToolCallStatus::Failed, None, Some(error)).await;
    }

    pub(super) async fn ended(&self, status: McpToolCallStatus, result: McpToolCallResult) {
        self.end(status, Some(shortened(result)), None).await;
    }

    async fn end(
        &self,
        status: McpToolCallStatus,
        result: Option<McpToolCallResult>,
        error: Option<McpToolCallError>,
    ) {
        self.cx.apply(Effect::ItemCompleted(self.item(status, result, error))).await;
    }

    fn item(
        &self,
        status: McpToolCallStatus,
        result: Option<McpToolCallResult>,
        error: Option<McpToolCallError>,
    ) -> TimedItem {
        let duration = i64::try_from(self.begun.elapsed().as_millis()).unwrap_or(i64::MAX);
        let item = ThreadItem::McpToolCall {
            id: self.cx.id.clone(),
            server: self.server.clone(),
            tool: self.tool.clone(),
            status,
            arguments: self.arguments.clone(),
            app_context: None,
            mcp_app_resource_uri: None,
            mcp_app_ui: None,
            plugin_id: None,
            read_only_hint: self.read_only,
            result,
            error,
            duration_ms: (status != McpToolCallStatus::InProgress).then_some(duration),
        };
        item::started(item, self.started_at_ms)
    }
}

/// Runs a call to its end.
pub(super) async fn run(cx: &Cx, call: Call, target: Target) -> Outcome {
    let CallInput::Function(text) = &call.input else { return Outcome::text("aborted") };
    let text = if text.trim().is_empty() { "{}" } else { text };
    let arguments: Map<String, Value> = match super::arguments(text) {
        Ok(arguments) => arguments,
        Err(told) => return told,
    };
    let read_only = target.hint("readOnlyHint");
    let shown = Shown::new(cx, &target.server, &target.tool, arguments.clone().into(), read_only);
    shown.begin().await;
    if let Err(objection) = permit(cx, &target, &arguments).await {
        shown.failed(&objection).await;
        return Outcome::text(objection);
    }
    let request = ToolCall {
        tool: target.tool.clone(),
        arguments: Some(arguments),
        meta: meta(cx),
        timeout: cx.scene.servers.tool_timeout(&target.server),
    };
    let caller = TurnCaller { cx, server: &target.server };
    let called = Instant::now();
    match cx.scene.servers.call(&target.server, request, &caller).await {
        Ok(result) => {
            let status = match result.is_error {
                Some(true) => McpToolCallStatus::Failed,
                Some(false) | None => McpToolCallStatus::Completed,
            };
            let output = told(cx, &result, called.elapsed());
            let CallResult { content, structured, meta, .. } = result;
            let result = McpToolCallResult { content, structured_content: structured, meta };
            shown.ended(status, result).await;
            Outcome::Output(output)
        }
        Err(error) => {
            let text = failure(&target, &error);
            shown.failed(&text).await;
            Outcome::text(text)
        }
    }
}

fn failure(target: &Target, error: &CallError) -> String {
    format!("tool call error: tool call failed for `{}/{}`: {error}", target.server, target.tool)
}

/// What servers are told besides the arguments.
fn meta(cx: &Cx) -> Map<String, Value> {
    let thread = &cx.scene.thread;
    let turn = json!({ "turn_id": cx.turn, "model": cx.scene.model, "thread_id": thread });
    Map::from_iter([
        ("callId".to_owned(), json!(cx.id)),
        ("threadId".to_owned(), json!(thread)),
        ("sessionId".to_owned(), json!(thread)),
        ("x-codex-turn-metadata".to_owned(), turn),
    ])
}

/// What is to be done about a call before it runs.
#[derive(Debug, PartialEq, Eq)]
enum Verdict {
    Run,
    Ask,
    Refuse(&'static str),
}

fn decide(
    mode: McpApproval,
    target: &Target,
    policy: &AskForApproval,
    sandbox: &SandboxPolicy,
) -> Verdict {
    let hint = |name| target.hint(name);
    let asks = match mode {
        McpApproval::Approve => false,
        McpApproval::Prompt => true,
        McpApproval::Writes => hint("readOnlyHint") != Some(true),
        McpApproval::Auto => {
            hint("readOnlyHint") != Some(true)
                && (hint("destructiveHint") != Some(false) || hint("openWorldHint") != Some(false))
        }
    };
    match policy {
        _ if !asks => Verdict::Run,
        AskForApproval::Never if *sandbox == SandboxPolicy::DangerFullAccess => Verdict::Run,
        AskForApproval::Never => {
            Verdict::Refuse("MCP tool call requires approval, but approval policy is never")
        }
        AskForApproval::Granular { mcp_elicitations: false, .. } => Verdict::Refuse(
            "MCP tool call requires approval, but the approval policy lets nobody be asked",
        ),
        AskForApproval::Granular { .. } | AskForApproval::OnRequest | AskForApproval::Untrusted => {
            Verdict::Ask
        }
    }
}

/// Lets a call through, after asking where that is needed. The error is what the model is told.
async fn permit(cx: &Cx, target: &Target, arguments: &Map<String, Value>) -> Result<(), String> {
    let scene = &cx.scene;
    let mode = scene.servers.approval(&target.server, &target.tool);
    match decide(mode, target, &scene.approval_policy, &scene.sandbox) {
        Verdict::Run => return Ok(()),
        Verdict::Refuse(reason) => return Err(reason.to_owned()),
        Verdict::Ask if scene.grants().has_tool(&target.server, &target.tool) => return Ok(()),
        Verdict::Ask => {}
    }
    let action = || GuardianApprovalReviewAction::McpToolCall {
        server: target.server.clone(),
        tool_name: target.tool.clone(),
        connector_id: None,
        connector_name: None,
        tool_title: target.title.clone(),
    };
    match auto_review::review(cx, None, action).await {
        Some(Review::Allowed) => return Ok(()),
        Some(Review::Denied(told)) => return Err(told),
        None => {}
    }
    let display: Vec<Value> = arguments
        .iter()
        .map(|(name, value)| json!({ "name": name, "value": value, "display_name": name }))
        .collect();
    let mut meta = json!({
        "codex_approval_kind": "mcp_tool_call",
        "persist": ["session", "always"],
        "tool_name": target.tool,
        "tool_params": arguments,
        "tool_params_display": display,
    });
    let optional = [
        ("tool_title", target.title.clone().map(Value::from)),
        ("tool_description", target.description.clone().map(Value::from)),
        ("tool_annotations", target.annotations.clone()),
    ];
    for (name, value) in optional {
        if let Some(value) = value {
            meta[name] = value;
        }
    }
    let request = McpServerElicitationRequest::Form {
        meta: Some(meta),
        message: format!("Allow the {} MCP server to run tool \"{}\"?", target.server, target.tool),
        requested_schema: McpElicitationSchema::empty(),
    };
    let answer = put(cx, &target.server, request).await;
    let Some(answer) = answer else { return Err("user rejected MCP tool call".to_owned()) };
    match answer.action {
        McpServerElicitationAction::Decline => Err("user rejected MCP tool call".to_owned()),
        McpServerElicitationAction::Cancel => Err("user cancelled MCP tool call".to_owned()),
        McpServerElicitationAction::Accept => {
            let persist = answer.meta.as_ref().and_then(|meta| meta.get("persist")?.as_str());
            if matches!(persist, Some("session" | "always")) {
                scene.grants().grant_tool(&target.server, &target.tool);
            }
            if persist == Some("always") {
                remember(cx, target).await;
            }
            Ok(())
        }
    }
}

/// Writes into the user's configuration that a tool needs no question any more.
async fn remember(cx: &Cx, target: &Target) {
    let (home, target) = (cx.scene.home.clone(), target.clone());
    let written =
        tokio::task::spawn_blocking(move || approve_mcp_tool(&home, &target.server, &target.tool));
    let problem = match written.await {
        Ok(Ok(())) => return,
        Ok(Err(error)) => error.to_string(),
        Err(_panicked) => "internal error".to_owned(),
    };
    cx.apply(Effect::Warn(format!("The approval holds for this thread only: {problem}"))).await;
}

/// Puts a question to the user; `None` for an answer that is none.
async fn put(
    cx: &Cx,
    server: &str,
    request: McpServerElicitationRequest,
) -> Option<crate::protocol::McpServerElicitationRequestResponse> {
    let params = McpServerElicitationRequestParams {
        thread_id: cx.scene.thread.clone(),
        turn_id: Some(cx.turn.clone()),
        server_name: server.to_owned(),
        request,
    };
    let answer = ask::<method::McpServerElicitation>(cx, APPROVAL, None, &params).await;
    answered(cx, APPROVAL).await;
    answer
}

/// A call of a turn's.
struct TurnCaller<'a> {
    cx: &'a Cx,
    server: &'a str,
}

impl Caller for TurnCaller<'_> {
    fn thread(&self) -> &ThreadId {
        &self.cx.scene.thread
    }

    fn ask(&self, question: Elicitation) -> BoxFuture<'_, Reply> {
        Box::pin(async move {
            let may_ask = !matches!(
                self.cx.scene.approval_policy,
                AskForApproval::Never | AskForApproval::Granular { mcp_elicitations: false, .. }
            );
            let Some(request) = wire(question).filter(|_| may_ask) else { return Reply::DECLINE };
            let Some(answer) = put(self.cx, self.server, request).await else {
                return Reply::DECLINE;
            };
            let action = match answer.action {
                McpServerElicitationAction::Accept => ReplyAction::Accept,
                McpServerElicitationAction::Decline => ReplyAction::Decline,
                McpServerElicitationAction::Cancel => ReplyAction::Cancel,
            };
            Reply { action, content: answer.content }
        })
    }

    fn progress(&self, message: String) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let progress = McpToolCallProgressNotification {
                thread_id: self.cx.scene.thread.clone(),
                turn_id: self.cx.turn.clone(),
                item_id: self.cx.id.clone(),
                message,
            };
            self.cx.apply(Effect::Progress(progress)).await;
        })
    }
}

/// A server's question as clients are asked it; `None` for a form that they could not show.
fn wire(question: Elicitation) -> Option<McpServerElicitationRequest> {
    Some(match question {
        Elicitation::Form { message, schema, meta } => McpServerElicitationRequest::Form {
            meta,
            message,
            requested_schema: serde_json::from_value(schema)
                .inspect_err(
                    |error| tracing::warn!(%error, "a form of a server's is not understood"),
                )
                .ok()?,
        },
        Elicitation::Url { message, url, id, meta } => {
            McpServerElicitationRequest::Url { meta, message, url, elicitation_id: id }
        }
    })
}

/// What the model is told: how long it took, then what the server says.
fn told(cx: &Cx, result: &CallResult, took: Duration) -> Output {
    let heading = format!("Wall time: {:.4} seconds\nOutput:", took.as_secs_f64());
    let mut parts = vec![Part::InputText { text: heading }];
    let limit = cx.scene.truncation;
    let text = |text: &str| Part::InputText { text: cut_middle(text, limit) };
    match &result.structured {
        Some(structured) => parts.push(text(&structured.to_string())),
        None => parts.extend(result.content.iter().map(|block| {
            let member = |name: &str| block.get(name).and_then(Value::as_str);
            match member("type") {
                Some("text") => text(member("text").unwrap_or_default()),
                Some("image") => Part::InputImage {
                    image_url: Some(format!(
                        "data:{};base64,{}",
                        member("mimeType").unwrap_or("image/png"),
                        member("data").unwrap_or_default()
                    )),
                    file_id: None,
                    detail: ImageDetail::High,
                },
                _ => text(&block.to_string()),
            }
        })),
    }
    Output::Parts(parts)
}

/// The result as items show it: what is too large is shown as text, cut.
fn shortened(result: McpToolCallResult) -> McpToolCallResult {
    let whole = json!(result).to_string();
    if whole.len() <= MAX_SHOWN {
        return result;
    }
    let text = cut_middle(&whole, crate::exec::Truncation::Bytes(MAX_SHOWN));
    McpToolCallResult {
        content: vec![json!({ "type": "text", "text": text })],
        structured_content: None,
        meta: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(mode: McpApproval, annotations: Value, expected: &Verdict) {
        let target = Target {
            server: "s".to_owned(),
            tool: "t".to_owned(),
            title: None,
            description: None,
            annotations: Some(annotations),
            parallel: false,
        };
        let sandbox = SandboxPolicy::DangerFullAccess;
        assert_eq!(decide(mode, &target, &AskForApproval::OnRequest, &sandbox), *expected);
        assert_eq!(decide(mode, &target, &AskForApproval::Never, &sandbox), Verdict::Run);
    }

    #[test]
    fn annotations_decide_where_nothing_else_does() {
        let auto = |annotations, expected| check(McpApproval::Auto, annotations, expected);
        auto(json!({}), &Verdict::Ask);
        auto(json!({"readOnlyHint": true, "destructiveHint": true}), &Verdict::Run);
        auto(json!({"destructiveHint": true}), &Verdict::Ask);
        auto(json!({"destructiveHint": false}), &Verdict::Ask);
        auto(json!({"destructiveHint": false, "openWorldHint": false}), &Verdict::Run);
        check(McpApproval::Prompt, json!({"readOnlyHint": true}), &Verdict::Ask);
        check(McpApproval::Writes, json!({"readOnlyHint": true}), &Verdict::Run);
        check(McpApproval::Writes, json!({"destructiveHint": false}), &Verdict::Ask);
        check(McpApproval::Approve, json!({"destructiveHint": true}), &Verdict::Run);
    }
}
