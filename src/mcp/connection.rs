//! One connection to a server: the handshake, requests to it, and what it asks and tells of its own accord.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rmcp::model::{
    CallToolRequest, CallToolRequestParams, ClientCapabilities, ClientConfig, ClientRequest,
    CustomRequest, CustomResult, ElicitRequestParams, ElicitResult, ElicitationAction,
    ElicitationCapability, ErrorCode, ErrorData, FormElicitationCapability, Implementation,
    ListResourceTemplatesRequest, ListResourcesRequest, ListToolsRequest, PaginatedRequestParams,
    ProgressNotificationParam, ProgressToken, ProtocolVersion, ReadResourceRequest,
    ReadResourceRequestParams, RequestMetaObject, ServerResult, UrlElicitationCapability,
};
use rmcp::service::{
    NotificationContext, Peer, PeerRequestOptions, RequestContext, RequestHandle, RunningService,
    serve_client,
};
use rmcp::transport::async_rw::AsyncRwTransport;
use rmcp::{ClientHandler, RoleClient, ServiceError};
use serde_json::{Map, Value};
use tokio::sync::{mpsc, oneshot};
use tokio::time::{Instant, sleep_until, timeout};

use super::caller::{Caller, Elicitation, Reply, ReplyAction};
use super::error::{CallError, StartError};
use super::key::Key;
use super::{http, stdio};
use crate::config::{McpServer, McpTransport};
use crate::exec::Lifetime;
use crate::protocol::ThreadId;
use crate::util::task::AbortOnDrop;

/// The longest line of a server's that is read.
const MAX_LINE: usize = 64 << 20;
/// Pages of a list that are asked for; what follows is left.
const MAX_PAGES: usize = 100;
/// Progress that came before its call was noted; more is dropped.
const EARLY: usize = 16;
/// Progress and questions of one call that may wait to be passed on.
const QUEUE: usize = 16;

/// A tool as its server describes it.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Tool {
    pub(crate) name: String,
    /// The whole description, as it came.
    pub(crate) definition: Value,
}

/// A call of a tool.
#[derive(Debug, Clone)]
pub(crate) struct ToolCall {
    pub(crate) tool: String,
    pub(crate) arguments: Option<Map<String, Value>>,
    pub(crate) meta: Map<String, Value>,
    pub(crate) timeout: Duration,
}

/// What a call gave.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct CallResult {
    pub(crate) content: Vec<Value>,
    pub(crate) structured: Option<Value>,
    pub(crate) is_error: Option<bool>,
    pub(crate) meta: Option<Value>,
}

/// A server that has answered. Dropping it ends the connection, and the process if it is one.
pub(crate) struct Connection {
    peer: Peer<RoleClient>,
    calls: Arc<Calls>,
    /// What the server says of itself.
    pub(crate) info: Value,
    pub(crate) capabilities: Value,
    pub(crate) instructions: Option<String>,
    pub(crate) tools: Vec<Tool>,
    /// Before the process, so that its input is closed first.
    _service: RunningService<RoleClient, Handler>,
    _process: Option<(Lifetime, AbortOnDrop)>,
}

impl Connection {
    /// Reaches a server and asks for its tools.
    pub(super) async fn open(
        key: &Key,
        server: &McpServer,
        http: &http::Clients,
    ) -> Result<Self, StartError> {
        let opened = timeout(server.startup_timeout, Self::shake_hands(key, http)).await;
        opened.map_err(|_| StartError::TimedOut(server.startup_timeout))?
    }

    async fn shake_hands(key: &Key, http: &http::Clients) -> Result<Self, StartError> {
        let calls = Arc::new(Calls::default());
        let handler = Handler { server: key.name.clone(), calls: Arc::clone(&calls) };
        let (service, process) = match &key.transport {
            McpTransport::Stdio(command) => {
                let started = stdio::start(key, command)?;
                let log = AbortOnDrop::spawn(stdio::log(key.name.clone(), started.stderr));
                let transport = AsyncRwTransport::new_client(started.stdout, started.stdin)
                    .with_max_line_length(MAX_LINE);
                let service = serve_client(handler, transport).await;
                (service, Some((started.lifetime, log)))
            }
            McpTransport::Http(endpoint) => (http.serve(key, endpoint, handler).await?, None),
        };
        let service = service.map_err(|error| match error.is_authorization_required() {
            true => StartError::NotLoggedIn(key.name.clone()),
            false => StartError::Failed(format!("the handshake with the server failed: {error}")),
        })?;
        let peer = service.peer().clone();
        let told = peer.peer_info().and_then(|info| serde_json::to_value(&*info).ok());
        let told = told.unwrap_or_default();
        let member = |name: &str| told.get(name).cloned().unwrap_or_default();
        let mut connection = Self {
            peer,
            calls,
            info: member("serverInfo"),
            capabilities: member("capabilities"),
            instructions: member("instructions").as_str().map(str::to_owned),
            tools: Vec::new(),
            _service: service,
            _process: process,
        };
        if connection.capabilities.get("tools").is_some() {
            let tools = connection.list(List::Tools, None).await.map_err(|error| {
                StartError::Failed(format!("the server's tools cannot be listed: {error}"))
            })?;
            connection.tools = tools.into_iter().filter_map(tool).collect();
        }
        Ok(connection)
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.peer.is_transport_closed()
    }

    /// Calls a tool. When the caller gives up, or time runs out, the server is told so. A wait for the user does not
    /// count as the server's time.
    pub(super) async fn call(
        &self,
        call: ToolCall,
        caller: &dyn Caller,
    ) -> Result<CallResult, CallError> {
        let after = call.timeout;
        let mut params = CallToolRequestParams::new(call.tool);
        params.arguments = call.arguments;
        let mut options = PeerRequestOptions::no_options();
        options.meta = Some(RequestMetaObject(rmcp::model::MetaObject(call.meta)));
        let (open, mut asked) = self.calls.open(caller.thread().clone());
        let request = ClientRequest::CallToolRequest(CallToolRequest::new(params));
        let handle =
            self.peer.send_cancellable_request(request, options).await.map_err(call_error)?;
        self.calls.note(&open, handle.progress_token.clone());
        let mut pending = Pending { handle: Some(handle) };
        let mut deadline = Instant::now() + after;
        loop {
            tokio::select! {
                biased;
                message = asked.recv() => match message {
                    Some(Message::Progress(text)) => caller.progress(text).await,
                    Some(Message::Question(question, reply)) => {
                        let since = Instant::now();
                        let answered = tokio::select! {
                            answer = caller.ask(question) => Some(answer),
                            // The server has not waited for the answer.
                            result = pending.response() => return result.and_then(tool_result),
                        };
                        let _gone = answered.map(|answer| reply.send(answer));
                        deadline += since.elapsed();
                    }
                    // Holds as long as `open` does.
                    None => return Err(CallError::Closed),
                },
                result = pending.response() => return result.and_then(tool_result),
                () = sleep_until(deadline) => {
                    return Err(CallError::TimedOut { method: "tools/call", after });
                }
            }
        }
    }

    /// Everything of a kind, page by page, or the one page after `cursor`.
    pub(super) async fn list(
        &self,
        list: List,
        cursor: Option<String>,
    ) -> Result<Vec<Value>, CallError> {
        let mut all = Vec::new();
        let mut next = cursor;
        for _ in 0..MAX_PAGES {
            let (mut page, following) = self.page(list, next).await?;
            all.append(&mut page);
            match following {
                Some(cursor) => next = Some(cursor),
                None => break,
            }
        }
        Ok(all)
    }

    /// One page of a list, and where the next one begins.
    pub(super) async fn page(
        &self,
        list: List,
        cursor: Option<String>,
    ) -> Result<(Vec<Value>, Option<String>), CallError> {
        let params =
            cursor.map(|cursor| PaginatedRequestParams::default().with_cursor(Some(cursor)));
        let request = match list {
            List::Tools => {
                let request = ListToolsRequest { params, ..ListToolsRequest::default() };
                ClientRequest::ListToolsRequest(request)
            }
            List::Resources => {
                let request = ListResourcesRequest { params, ..ListResourcesRequest::default() };
                ClientRequest::ListResourcesRequest(request)
            }
            List::Templates => {
                let request = ListResourceTemplatesRequest {
                    params,
                    ..ListResourceTemplatesRequest::default()
                };
                ClientRequest::ListResourceTemplatesRequest(request)
            }
        };
        let mut answer = self.ask(request).await?;
        let items = match answer.get_mut(list.member()).map(Value::take) {
            Some(Value::Array(items)) => items,
            _ => Vec::new(),
        };
        let next = answer.get("nextCursor").and_then(Value::as_str);
        Ok((items, next.filter(|next| !next.is_empty()).map(str::to_owned)))
    }

    pub(super) async fn read(&self, uri: &str) -> Result<Vec<Value>, CallError> {
        let params = ReadResourceRequestParams::new(uri);
        let request = ClientRequest::ReadResourceRequest(ReadResourceRequest::new(params));
        match self.ask(request).await?.get_mut("contents").map(Value::take) {
            Some(Value::Array(contents)) => Ok(contents),
            _ => Err(CallError::Odd),
        }
    }

    async fn ask(&self, request: ClientRequest) -> Result<Value, CallError> {
        let answer = self.peer.send_request(request).await.map_err(call_error)?;
        serde_json::to_value(answer).map_err(|_| CallError::Odd)
    }
}

/// What servers list.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum List {
    Tools,
    Resources,
    Templates,
}

impl List {
    /// The name of the list in an answer.
    pub(crate) fn member(self) -> &'static str {
        match self {
            Self::Tools => "tools",
            Self::Resources => "resources",
            Self::Templates => "resourceTemplates",
        }
    }
}

fn tool(definition: Value) -> Option<Tool> {
    Some(Tool { name: definition.get("name")?.as_str()?.to_owned(), definition })
}

fn tool_result(answer: ServerResult) -> Result<CallResult, CallError> {
    let mut answer = serde_json::to_value(answer).map_err(|_| CallError::Odd)?;
    let mut take = |name: &str| answer.get_mut(name).map(Value::take);
    let structured = take("structuredContent").filter(|value| !value.is_null());
    let content = match take("content") {
        Some(Value::Array(content)) => content,
        _ if structured.is_some() => Vec::new(),
        _ => return Err(CallError::Odd),
    };
    let is_error = take("isError").and_then(|value| value.as_bool());
    Ok(CallResult { content, structured, is_error, meta: take("_meta") })
}

fn call_error(error: ServiceError) -> CallError {
    if let ServiceError::McpError(error) = error {
        let (code, message) = (error.code.0.into(), error.message.into_owned());
        return CallError::Refused { code, message, data: error.data };
    }
    if matches!(error, ServiceError::TransportClosed) {
        return CallError::Closed;
    }
    CallError::Other(error.to_string())
}

/// A request that is not answered yet. Dropping it tells the server that nobody waits any more.
struct Pending {
    handle: Option<RequestHandle<RoleClient>>,
}

impl Pending {
    async fn response(&mut self) -> Result<ServerResult, CallError> {
        let Some(handle) = &mut self.handle else { return Err(CallError::Closed) };
        let answer = (&mut handle.rx).await;
        self.handle = None;
        match answer {
            Ok(answer) => answer.map_err(call_error),
            Err(_) => Err(CallError::Closed),
        }
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        /// A server that does not even take this is not worth more time.
        const PATIENCE: Duration = Duration::from_secs(5);
        let Some(handle) = self.handle.take() else { return };
        let Ok(runtime) = tokio::runtime::Handle::try_current() else { return };
        drop(runtime.spawn(async move {
            let reason = "the call was given up".to_owned();
            let _late = timeout(PATIENCE, handle.cancel(Some(reason))).await;
        }));
    }
}

/// What a server says during a call.
enum Message {
    Progress(String),
    Question(Elicitation, oneshot::Sender<Reply>),
}

/// The calls that are open on a connection.
#[derive(Default)]
struct Calls(Mutex<CallState>);

#[derive(Default)]
struct CallState {
    next: u64,
    open: Vec<OpenCall>,
    /// Progress of calls whose token is not known yet, since it is made as they are sent.
    early: VecDeque<(ProgressToken, String)>,
}

struct OpenCall {
    number: u64,
    thread: ThreadId,
    token: Option<ProgressToken>,
    messages: mpsc::Sender<Message>,
}

/// A call's place among the open ones.
struct Open<'a> {
    calls: &'a Calls,
    number: u64,
}

impl Drop for Open<'_> {
    fn drop(&mut self) {
        self.calls.lock().open.retain(|call| call.number != self.number);
    }
}

impl Calls {
    fn open(&self, thread: ThreadId) -> (Open<'_>, mpsc::Receiver<Message>) {
        let (messages, receiver) = mpsc::channel(QUEUE);
        let mut state = self.lock();
        let number = state.next;
        state.next += 1;
        state.open.push(OpenCall { number, thread, token: None, messages });
        (Open { calls: self, number }, receiver)
    }

    fn note(&self, open: &Open<'_>, token: ProgressToken) {
        let mut state = self.lock();
        let CallState { open: all, early, .. } = &mut *state;
        let Some(call) = all.iter_mut().find(|call| call.number == open.number) else { return };
        for (_, text) in early.iter().filter(|(of, _)| *of == token) {
            let _full = call.messages.try_send(Message::Progress(text.clone()));
        }
        early.retain(|(of, _)| *of != token);
        call.token = Some(token);
    }

    /// Progress is news, not history: what finds no room is dropped.
    fn progressed(&self, token: ProgressToken, text: String) {
        let mut state = self.lock();
        match state.open.iter().find(|call| call.token.as_ref() == Some(&token)) {
            Some(call) => drop(call.messages.try_send(Message::Progress(text))),
            None => {
                if state.early.len() == EARLY {
                    state.early.pop_front();
                }
                state.early.push_back((token, text));
            }
        }
    }

    /// The call that a question of the server's belongs to, if that is beyond doubt.
    fn asking(&self) -> Option<mpsc::Sender<Message>> {
        let state = self.lock();
        let newest = state.open.last()?;
        let is_sure = state.open.iter().all(|call| call.thread == newest.thread);
        is_sure.then(|| newest.messages.clone())
    }

    fn lock(&self) -> MutexGuard<'_, CallState> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Our side of the protocol.
pub(super) struct Handler {
    server: String,
    calls: Arc<Calls>,
}

impl Handler {
    async fn elicit(&self, params: &Value) -> Reply {
        let Some(question) = Elicitation::read(params) else {
            tracing::warn!(server = %self.server, "a server's question is not understood");
            return Reply::DECLINE;
        };
        let Some(call) = self.calls.asking() else {
            tracing::warn!(server = %self.server, "a server's question belongs to no one call, and is declined");
            return Reply::DECLINE;
        };
        let (reply, answer) = oneshot::channel();
        if call.send(Message::Question(question, reply)).await.is_err() {
            return Reply::DECLINE;
        }
        answer.await.unwrap_or(Reply { action: ReplyAction::Cancel, content: None })
    }
}

impl ClientHandler for Handler {
    async fn create_elicitation(
        &self,
        params: ElicitRequestParams,
        _: RequestContext<RoleClient>,
    ) -> Result<ElicitResult, ErrorData> {
        let reply = self.elicit(&serde_json::to_value(params).unwrap_or_default()).await;
        let mut result = ElicitResult::new(match reply.action {
            ReplyAction::Accept => ElicitationAction::Accept,
            ReplyAction::Decline => ElicitationAction::Decline,
            ReplyAction::Cancel => ElicitationAction::Cancel,
        });
        result.content = reply.content;
        Ok(result)
    }

    /// Forms that the SDK does not know arrive here.
    async fn on_custom_request(
        &self,
        request: CustomRequest,
        _: RequestContext<RoleClient>,
    ) -> Result<CustomResult, ErrorData> {
        if request.method != "elicitation/create" {
            return Err(ErrorData::new(ErrorCode::METHOD_NOT_FOUND, request.method, None));
        }
        let reply = self.elicit(&request.params.unwrap_or_default()).await;
        let action = match reply.action {
            ReplyAction::Accept => "accept",
            ReplyAction::Decline => "decline",
            ReplyAction::Cancel => "cancel",
        };
        let mut result = serde_json::json!({ "action": action });
        if let Some(content) = reply.content {
            result["content"] = content;
        }
        Ok(CustomResult::new(result))
    }

    async fn on_progress(
        &self,
        progress: ProgressNotificationParam,
        _: NotificationContext<RoleClient>,
    ) {
        if let Some(message) = progress.message {
            self.calls.progressed(progress.progress_token, message);
        }
    }

    fn get_info(&self) -> ClientConfig {
        let mut capabilities = ClientCapabilities::default();
        capabilities.elicitation = Some(
            ElicitationCapability::new()
                .with_form(FormElicitationCapability::default())
                .with_url(UrlElicitationCapability::default()),
        );
        let client = Implementation::new("codex-mcp-client", crate::COMPATIBLE_VERSION);
        let mut config = ClientConfig::new(capabilities, client);
        config.protocol_version = ProtocolVersion::V_2025_06_18;
        config
    }
}

/// How a handler is served, whatever the transport.
pub(super) type Served =
    Result<RunningService<RoleClient, Handler>, rmcp::service::ClientInitializeError>;

/// The future of a connection, for whoever wants one.
pub(super) type Opening = BoxFuture<'static, Result<Arc<Connection>, StartError>>;
