//! The servers of `[mcp_servers]`: how each is reached, which of its tools count, and when the user is asked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Deserialize;
use serde_json::{Map, Value};
use toml_edit::{TableLike, value};

use super::edit::{self, EditError};
use super::problem::LoadError;

const STARTUP: Duration = Duration::from_secs(30);
const TOOL: Duration = Duration::from_secs(300);

/// One server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct McpServer {
    pub(crate) transport: McpTransport,
    pub(crate) enabled: bool,
    /// Whether a thread is refused when this server does not start.
    pub(crate) required: bool,
    pub(crate) startup_timeout: Duration,
    pub(crate) tool_timeout: Duration,
    /// Whether its calls may run beside others.
    pub(crate) parallel: bool,
    enabled_tools: Option<Vec<String>>,
    disabled_tools: Vec<String>,
    default_approval: McpApproval,
    approvals: BTreeMap<String, McpApproval>,
}

/// How a server is reached. Two servers for which this is the same are the same.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) enum McpTransport {
    Stdio(McpCommand),
    Http(McpEndpoint),
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct McpCommand {
    pub(crate) command: String,
    pub(crate) args: Vec<String>,
    pub(crate) env: BTreeMap<String, String>,
    /// Variables of ours that are passed on.
    pub(crate) env_vars: Vec<String>,
    /// The thread's directory unless set.
    pub(crate) cwd: Option<PathBuf>,
}

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct McpEndpoint {
    pub(crate) url: String,
    pub(crate) bearer_token_env_var: Option<String>,
    pub(crate) http_headers: BTreeMap<String, String>,
    /// Names of headers, and of the variables that hold their values.
    pub(crate) env_http_headers: BTreeMap<String, String>,
    pub(crate) scopes: Vec<String>,
    pub(crate) client_id: Option<String>,
    pub(crate) resource: Option<String>,
}

/// When the user is asked about a tool.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum McpApproval {
    /// As its annotations say.
    #[default]
    Auto,
    Prompt,
    /// Unless it only reads.
    Writes,
    Approve,
}

impl McpServer {
    /// Whether a tool of the server's counts.
    pub(crate) fn has_tool(&self, name: &str) -> bool {
        let named = |list: &Vec<String>| list.iter().any(|listed| listed == name);
        self.enabled_tools.as_ref().is_none_or(named) && !named(&self.disabled_tools)
    }

    pub(crate) fn approval(&self, tool: &str) -> McpApproval {
        self.approvals.get(tool).copied().unwrap_or(self.default_approval)
    }

    fn of(name: &str, table: &Value) -> Result<Self, LoadError> {
        let wrong = |text: &str| LoadError::new(format!("{text}\nin `mcp_servers.{name}`\n"));
        let table = Table::deserialize(table).map_err(|error| wrong(&error.to_string()))?;
        if name.is_empty()
            || !name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_:@/.-".contains(&byte))
        {
            return Err(wrong("the name of a server may have letters, digits and `_:@/.-` only"));
        }
        let startup = match (table.startup_timeout_sec, table.startup_timeout_ms) {
            (Some(seconds), _) => Some(seconds),
            (None, Some(milliseconds)) => Some(milliseconds / 1000.0),
            (None, None) => None,
        };
        let timeout = |seconds: Option<f64>, default| match seconds {
            None => Ok(default),
            Some(seconds) => Duration::try_from_secs_f64(seconds)
                .map_err(|_| wrong("a timeout must be a number of seconds")),
        };
        Ok(Self {
            startup_timeout: timeout(startup, STARTUP)?,
            tool_timeout: timeout(table.tool_timeout_sec, TOOL)?,
            enabled: table.enabled,
            required: table.required,
            parallel: table.supports_parallel_tool_calls,
            default_approval: table.default_tools_approval_mode.unwrap_or_default(),
            approvals: table
                .tools
                .iter()
                .filter_map(|(tool, settings)| Some((tool.clone(), settings.approval_mode?)))
                .collect(),
            transport: table.transport().map_err(|text| wrong(&text))?,
            enabled_tools: table.enabled_tools,
            disabled_tools: table.disabled_tools,
        })
    }
}

/// The servers of merged settings, by name.
pub(super) fn servers(
    merged: &Map<String, Value>,
) -> Result<BTreeMap<String, McpServer>, LoadError> {
    let tables = merged.get("mcp_servers").and_then(Value::as_object);
    let tables = tables.into_iter().flatten();
    tables.map(|(name, table)| Ok((name.clone(), McpServer::of(name, table)?))).collect()
}

/// Writes into the user's file that a tool needs no question any more. Blocks.
pub(crate) fn approve_mcp_tool(home: &Path, server: &str, tool: &str) -> Result<(), EditError> {
    edit::user_file(home, |document| {
        let path = ["mcp_servers", server, "tools", tool];
        let mut table: &mut dyn TableLike = document.as_table_mut();
        for name in path {
            let entry = table.entry(name).or_insert_with(edit::implicit_table);
            // Something else that stands there is not a tool's settings, and is left alone.
            let Some(below) = entry.as_table_like_mut() else { return Ok(()) };
            table = below;
        }
        table.insert("approval_mode", value("approve"));
        Ok(())
    })
}

/// A server as it stands in a file.
#[derive(Deserialize)]
struct Table {
    command: Option<String>,
    args: Option<Vec<String>>,
    env: Option<BTreeMap<String, String>>,
    env_vars: Option<Vec<String>>,
    cwd: Option<PathBuf>,

    url: Option<String>,
    bearer_token_env_var: Option<String>,
    http_headers: Option<BTreeMap<String, String>>,
    env_http_headers: Option<BTreeMap<String, String>>,
    scopes: Option<Vec<String>>,
    oauth: Option<OAuth>,
    oauth_resource: Option<String>,

    #[serde(default = "yes")]
    enabled: bool,
    #[serde(default)]
    required: bool,
    startup_timeout_sec: Option<f64>,
    startup_timeout_ms: Option<f64>,
    tool_timeout_sec: Option<f64>,
    enabled_tools: Option<Vec<String>>,
    #[serde(default)]
    disabled_tools: Vec<String>,
    default_tools_approval_mode: Option<McpApproval>,
    #[serde(default)]
    tools: BTreeMap<String, Tool>,
    #[serde(default)]
    supports_parallel_tool_calls: bool,
}

#[derive(Deserialize)]
struct OAuth {
    client_id: Option<String>,
}

#[derive(Deserialize)]
struct Tool {
    approval_mode: Option<McpApproval>,
}

fn yes() -> bool {
    true
}

impl Table {
    fn transport(&self) -> Result<McpTransport, String> {
        let only_http = [
            ("bearer_token_env_var", self.bearer_token_env_var.is_some()),
            ("http_headers", self.http_headers.is_some()),
            ("env_http_headers", self.env_http_headers.is_some()),
            ("scopes", self.scopes.is_some()),
            ("oauth", self.oauth.is_some()),
            ("oauth_resource", self.oauth_resource.is_some()),
        ];
        let only_stdio = [
            ("args", self.args.is_some()),
            ("env", self.env.is_some()),
            ("env_vars", self.env_vars.is_some()),
            ("cwd", self.cwd.is_some()),
        ];
        let foreign = |keys: &[(&str, bool)], kind: &str| match keys.iter().find(|(_, set)| *set) {
            Some((key, _)) => Err(format!("{key} is not supported for {kind}")),
            None => Ok(()),
        };
        match (&self.command, &self.url) {
            (Some(_), Some(_)) => Err("url is not supported for stdio".to_owned()),
            (None, None) => Err("a server needs a `command` or a `url`".to_owned()),
            (Some(command), None) => {
                foreign(&only_http, "stdio")?;
                Ok(McpTransport::Stdio(McpCommand {
                    command: command.clone(),
                    args: self.args.clone().unwrap_or_default(),
                    env: self.env.clone().unwrap_or_default(),
                    env_vars: self.env_vars.clone().unwrap_or_default(),
                    cwd: self.cwd.clone(),
                }))
            }
            (None, Some(url)) => {
                foreign(&only_stdio, "streamable_http")?;
                Ok(McpTransport::Http(McpEndpoint {
                    url: url.clone(),
                    bearer_token_env_var: self.bearer_token_env_var.clone(),
                    http_headers: self.http_headers.clone().unwrap_or_default(),
                    env_http_headers: self.env_http_headers.clone().unwrap_or_default(),
                    scopes: self.scopes.clone().unwrap_or_default(),
                    client_id: self.oauth.as_ref().and_then(|oauth| oauth.client_id.clone()),
                    resource: self.oauth_resource.clone(),
                }))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn server(table: &Value) -> Result<McpServer, String> {
        McpServer::of("x", table).map_err(|error| error.message)
    }

    #[track_caller]
    fn refused(table: &Value, expected: &str) {
        let message = server(table).unwrap_err();
        assert_eq!(message, format!("{expected}\nin `mcp_servers.x`\n"));
    }

    #[test]
    fn one_transport_with_its_own_keys() {
        refused(&json!({}), "a server needs a `command` or a `url`");
        refused(&json!({"command": "c", "url": "u"}), "url is not supported for stdio");
        refused(&json!({"url": "u", "args": []}), "args is not supported for streamable_http");
        refused(&json!({"command": "c", "scopes": []}), "scopes is not supported for stdio");
        refused(
            &json!({"command": "c", "tool_timeout_sec": -1}),
            "a timeout must be a number of seconds",
        );
        assert!(McpServer::of("a b", &json!({"command": "c"})).is_err());
    }

    #[test]
    fn tools_that_count() {
        let server = server(
            &json!({"command": "c", "enabled_tools": ["a", "b"], "disabled_tools": ["b"],
            "default_tools_approval_mode": "writes", "tools": {"a": {"approval_mode": "approve"}}}),
        );
        let server = server.unwrap();
        assert_eq!(["a", "b", "c"].map(|tool| server.has_tool(tool)), [true, false, false]);
        assert_eq!(
            ["a", "b"].map(|tool| server.approval(tool)),
            [McpApproval::Approve, McpApproval::Writes]
        );
    }
}
