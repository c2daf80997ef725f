//! Servers of the Model Context Protocol, for clients that use them without the model.

use futures_util::future::BoxFuture;
use serde_json::{Map, Value};

use crate::mcp::{CallError, Caller, Elicitation, Reply, ToolCall};
use crate::protocol::{McpServerToolCallParams, McpServerToolCallResponse, ThreadId};
use crate::server::context::Cx;
use crate::server::error::{Error, Result};

/// Calls a tool. The user has asked for it, so nobody is asked again.
pub(crate) async fn call_tool(
    cx: Cx,
    params: McpServerToolCallParams,
) -> Result<McpServerToolCallResponse> {
    let thread = cx.thread(&params.thread_id)?;
    let servers = thread.servers().await?;
    let arguments = match params.arguments {
        None | Some(Value::Null) => None,
        Some(Value::Object(arguments)) => Some(arguments),
        Some(other) => {
            let refusal = format!("MCP tool arguments must be a JSON object, got {other}");
            return Err(Error::internal(refusal));
        }
    };
    let meta = match params.meta {
        Some(Value::Object(meta)) => meta,
        Some(_) | None => Map::new(),
    };
    let timeout = servers.tool_timeout(&params.server);
    let call = ToolCall { tool: params.tool, arguments, meta, timeout };
    let result = servers.call(&params.server, call, &ClientCaller(params.thread_id)).await?;
    Ok(McpServerToolCallResponse {
        content: result.content,
        structured_content: result.structured,
        is_error: result.is_error,
        meta: result.meta,
    })
}

/// A call of a client's, which has no turn in which a question could be asked.
struct ClientCaller(ThreadId);

impl Caller for ClientCaller {
    fn thread(&self) -> &ThreadId {
        &self.0
    }

    fn ask(&self, _: Elicitation) -> BoxFuture<'_, Reply> {
        Box::pin(std::future::ready(Reply::DECLINE))
    }

    fn progress(&self, _: String) -> BoxFuture<'_, ()> {
        Box::pin(std::future::ready(()))
    }
}

impl From<CallError> for Error {
    fn from(error: CallError) -> Self {
        if let CallError::Refused { code, message, data } = error {
            return Self::passed_on(code, message, data);
        }
        Self::internal(error.to_string())
    }
}
