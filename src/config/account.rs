//! What the configuration says of signing in.

use serde::Deserialize;
use serde_json::{Map, Value};

use super::effective::View;

const CHATGPT_URL: &str = "https://chatgpt.com/backend-api/";

/// Who may sign in, how, and where that is kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AccountSettings {
    /// `cli_auth_credentials_store`.
    pub(crate) store: CredentialStore,
    /// `forced_login_method`: the one way to sign in.
    pub(crate) forced: Option<LoginMethod>,
    /// `forced_chatgpt_workspace_id`: the workspaces whose accounts may sign in; any without one.
    pub(crate) workspaces: Vec<String>,
    /// `chatgpt_base_url`: where accounts of ChatGPT are asked about; it ends with a slash.
    pub(crate) chatgpt_base_url: String,
    /// `mcp_oauth_credentials_store`: where the grants of MCP servers are kept.
    pub(crate) mcp_store: CredentialStore,
    /// `mcp_oauth_callback_port`: where browsers come back to that sign in to MCP servers; any port without one.
    pub(crate) mcp_callback_port: Option<u16>,
}

/// Where credentials are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum CredentialStore {
    #[default]
    File,
    Keyring,
    /// The keyring where there is one, else the file.
    Auto,
    /// In memory, until the process ends.
    Ephemeral,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum LoginMethod {
    Chatgpt,
    Api,
}

impl AccountSettings {
    pub(super) fn new(merged: &Map<String, Value>) -> Self {
        let view = View(merged);
        let mut chatgpt_base_url =
            view.text("chatgpt_base_url").unwrap_or_else(|| CHATGPT_URL.to_owned());
        if !chatgpt_base_url.ends_with('/') {
            chatgpt_base_url.push('/');
        }
        Self {
            store: view.decode("cli_auth_credentials_store").unwrap_or_default(),
            forced: view.decode("forced_login_method"),
            workspaces: workspaces(merged.get("forced_chatgpt_workspace_id")),
            chatgpt_base_url,
            mcp_store: view.decode("mcp_oauth_credentials_store").unwrap_or_default(),
            mcp_callback_port: view.decode("mcp_oauth_callback_port"),
        }
    }
}

/// One workspace or a list of them.
fn workspaces(value: Option<&Value>) -> Vec<String> {
    let some = |value: &Value| value.as_str().filter(|id| !id.is_empty()).map(str::to_owned);
    match value {
        Some(Value::Array(ids)) => ids.iter().filter_map(some).collect(),
        Some(value) => some(value).into_iter().collect(),
        None => Vec::new(),
    }
}
