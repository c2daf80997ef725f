//! Providers: where a model is asked, and with what credentials. Built-in ones, and those of the configuration.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use serde::Deserialize;

use super::token::TokenCommand;
use crate::protocol::{GatewayAuth, ModelProviderSummary, ProviderSettings};
use crate::util::secret::Secret;
use crate::util::web;

/// The name that stands for all that OpenAI's own service does.
const OPENAI: &str = "OpenAI";
const OPENAI_URL: &str = "https://api.openai.com/v1";
/// Where the accounts of ChatGPT are served what others get at [`OPENAI_URL`].
const CHATGPT_URL: &str = "https://chatgpt.com/backend-api/codex";
const MAX_RETRIES: u32 = 100;
const REQUEST_RETRIES: u32 = 4;
const STREAM_RETRIES: u32 = 5;
const IDLE_TIMEOUT_MS: u64 = 300_000;
const CONNECT_TIMEOUT_MS: u64 = 15_000;

/// How a provider is spoken to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wire {
    /// OpenAI's Responses API over HTTP, streamed.
    Responses,
    /// The Chat Completions API over HTTP, streamed.
    Chat,
    /// A script that is played inside this process; without a path, the built-in tour.
    Scripted { script: Option<PathBuf> },
}

/// A provider that can be asked.
#[derive(Debug, Clone)]
pub(crate) struct Provider {
    pub(crate) id: String,
    /// The shown name. `OpenAI` has abilities that others lack.
    pub(crate) name: String,
    /// Without a slash at its end.
    pub(crate) base_url: String,
    /// Where accounts of ChatGPT are served, if that is somewhere else.
    pub(super) chatgpt_url: Option<&'static str>,
    pub(crate) wire: Wire,
    /// The environment variable that holds the bearer token.
    pub(crate) env_key: Option<String>,
    pub(crate) env_key_instructions: Option<String>,
    pub(crate) bearer: Option<Secret>,
    pub(crate) auth: Option<TokenCommand>,
    /// Whether requests are authorized with what the user is signed in with, unless there is a token of another kind.
    pub(crate) requires_openai_auth: bool,
    pub(crate) http_headers: BTreeMap<String, Secret>,
    /// Headers whose values are in environment variables.
    pub(crate) env_http_headers: BTreeMap<String, String>,
    pub(crate) query_params: BTreeMap<String, Secret>,
    pub(crate) request_max_retries: u32,
    pub(crate) stream_max_retries: u32,
    pub(crate) stream_idle_timeout: Duration,
    /// Whether the Responses API is to be had over a WebSocket.
    pub(crate) supports_websockets: bool,
    pub(crate) websocket_connect_timeout: Duration,
}

/// A `[model_providers.<id>]` table.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub(crate) struct ProviderTable {
    name: String,
    base_url: Option<String>,
    wire_api: WireApi,
    script: Option<PathBuf>,
    env_key: Option<String>,
    env_key_instructions: Option<String>,
    experimental_bearer_token: Option<Secret>,
    auth: Option<TokenCommand>,
    http_headers: BTreeMap<String, Secret>,
    env_http_headers: BTreeMap<String, String>,
    query_params: BTreeMap<String, Secret>,
    request_max_retries: Option<u32>,
    stream_max_retries: Option<u32>,
    stream_idle_timeout_ms: Option<u64>,
    supports_websockets: bool,
    websocket_connect_timeout_ms: Option<u64>,
    requires_openai_auth: bool,
}

#[derive(Debug, Default, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum WireApi {
    #[default]
    Responses,
    Scripted,
    Chat,
}

impl ProviderTable {
    /// Whether it says where the provider is. Without it, only what belongs to OpenAI is sent to OpenAI.
    pub(crate) fn has_place(&self) -> bool {
        self.base_url.is_some()
            || self.name == OPENAI
            || self.requires_openai_auth
            || self.env_key.as_deref() == Some("OPENAI_API_KEY")
            || matches!(self.wire_api, WireApi::Scripted)
    }

    /// The provider as clients are shown it.
    pub(crate) fn summary(self, id: &str) -> ModelProviderSummary {
        let auth = match self.env_key {
            Some(env_key) => GatewayAuth::EnvironmentVariable { env_key },
            None if self.experimental_bearer_token.is_some()
                || self.auth.is_some()
                || self.requires_openai_auth =>
            {
                GatewayAuth::ExternallyConfigured { env_key: None }
            }
            None => GatewayAuth::None,
        };
        ModelProviderSummary {
            id: id.to_owned(),
            name: self.name,
            can_edit: true,
            base_url: self.base_url,
            settings: ProviderSettings::CustomGateway { auth },
        }
    }
}

impl Provider {
    /// The provider of a configuration table. Relative script paths must have been resolved before.
    pub(crate) fn from_settings(id: &str, settings: ProviderTable) -> Self {
        let wire = match settings.wire_api {
            WireApi::Responses => Wire::Responses,
            WireApi::Scripted => Wire::Scripted { script: settings.script },
            WireApi::Chat => Wire::Chat,
        };
        let chatgpt_url = settings.base_url.is_none().then_some(CHATGPT_URL);
        let base_url = settings.base_url.as_deref().unwrap_or(OPENAI_URL);
        let retries = |wanted: Option<u32>, default| wanted.unwrap_or(default).min(MAX_RETRIES);
        Self {
            id: id.to_owned(),
            name: settings.name,
            base_url: base_url.trim_end_matches('/').to_owned(),
            chatgpt_url,
            wire,
            env_key: settings.env_key,
            env_key_instructions: settings.env_key_instructions,
            bearer: settings.experimental_bearer_token,
            auth: settings.auth,
            requires_openai_auth: settings.requires_openai_auth,
            http_headers: settings.http_headers,
            env_http_headers: settings.env_http_headers,
            query_params: settings.query_params,
            request_max_retries: retries(settings.request_max_retries, REQUEST_RETRIES),
            stream_max_retries: retries(settings.stream_max_retries, STREAM_RETRIES),
            stream_idle_timeout: Duration::from_millis(
                settings.stream_idle_timeout_ms.unwrap_or(IDLE_TIMEOUT_MS),
            ),
            supports_websockets: settings.supports_websockets,
            websocket_connect_timeout: Duration::from_millis(
                settings.websocket_connect_timeout_ms.unwrap_or(CONNECT_TIMEOUT_MS),
            ),
        }
    }

    /// Whether requests may have the form that newer models want: it is a part of the Responses API.
    pub(crate) fn takes_lite(&self) -> bool {
        self.wire == Wire::Responses
    }

    /// Whether models may search for tools, which is a part of the Responses API.
    pub(crate) fn takes_tool_search(&self) -> bool {
        self.wire != Wire::Chat
    }

    /// A provider that needs no configuration.
    pub(crate) fn built_in(id: &str, openai_base_url: Option<&str>) -> Option<Self> {
        match id {
            "openai" => {
                let url = openai_base_url.unwrap_or(OPENAI_URL);
                let mut provider = Self::plain(id, url);
                provider.name = OPENAI.to_owned();
                provider.chatgpt_url = openai_base_url.is_none().then_some(CHATGPT_URL);
                provider.requires_openai_auth = true;
                // Connections do not go through proxies.
                provider.supports_websockets = !web::has_proxy();
                Some(provider)
            }
            "ollama" => Some(Self::plain(id, &local_url(11434))),
            "lmstudio" => Some(Self::plain(id, &local_url(1234))),
            "scripted" => {
                let wire = Wire::Scripted { script: None };
                Some(Self { wire, ..Self::plain(id, "") })
            }
            _ => None,
        }
    }

    /// Whether the provider makes summaries of its own when a history is compacted.
    pub(crate) fn compacts(&self) -> bool {
        self.is_openai()
    }

    /// Whether it is OpenAI's own service, or presents itself as such.
    pub(super) fn is_openai(&self) -> bool {
        self.name == OPENAI
    }

    fn plain(id: &str, base_url: &str) -> Self {
        Self {
            id: id.to_owned(),
            name: id.to_owned(),
            base_url: base_url.trim_end_matches('/').to_owned(),
            chatgpt_url: None,
            wire: Wire::Responses,
            env_key: None,
            env_key_instructions: None,
            bearer: None,
            auth: None,
            requires_openai_auth: false,
            http_headers: BTreeMap::new(),
            env_http_headers: BTreeMap::new(),
            query_params: BTreeMap::new(),
            request_max_retries: REQUEST_RETRIES,
            stream_max_retries: STREAM_RETRIES,
            stream_idle_timeout: Duration::from_millis(IDLE_TIMEOUT_MS),
            supports_websockets: false,
            websocket_connect_timeout: Duration::from_millis(CONNECT_TIMEOUT_MS),
        }
    }
}

/// Whether `text` can be the address of a provider: nothing but a place, since the rest of the URL is added to it.
pub(crate) fn is_base_url(text: &str) -> bool {
    reqwest::Url::parse(text).is_ok_and(|url| {
        matches!(url.scheme(), "http" | "https")
            && url.has_host()
            && url.username().is_empty()
            && url.password().is_none()
            && url.query().is_none()
            && url.fragment().is_none()
    })
}

/// Where a local server listens, unless the environment says otherwise.
fn local_url(port: u16) -> String {
    let set = |name| std::env::var(name).ok().filter(|value| !value.trim().is_empty());
    set("CODEX_OSS_BASE_URL").unwrap_or_else(|| {
        let port = set("CODEX_OSS_PORT").and_then(|port| port.trim().parse().ok()).unwrap_or(port);
        format!("http://localhost:{port}/v1")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn provider(table: serde_json::Value) -> Result<Provider, String> {
        let settings = serde_json::from_value(table).map_err(|error| error.to_string())?;
        Ok(Provider::from_settings("mine", settings))
    }

    #[test]
    fn a_table_needs_nothing() {
        let provider = provider(json!({})).unwrap();
        assert_eq!(provider.id, "mine");
        assert_eq!(provider.base_url, "https://api.openai.com/v1");
        assert_eq!((provider.request_max_retries, provider.stream_max_retries), (4, 5));
        assert_eq!(provider.stream_idle_timeout, Duration::from_secs(300));
        assert_eq!(provider.env_key, None);
    }

    #[test]
    fn a_table_may_say_everything() {
        let provider = provider(json!({
            "name": "OpenAI", "base_url": "http://h/v1//", "wire_api": "responses", "env_key": "K",
            "http_headers": {"a": "1"}, "query_params": {"q": "2"}, "request_max_retries": 1000,
            "stream_max_retries": 0, "stream_idle_timeout_ms": 600, "experimental_bearer_token": "t0k",
            "supports_websockets": true, "unknown": [1]
        }))
        .unwrap();
        assert_eq!(provider.base_url, "http://h/v1");
        assert_eq!((provider.request_max_retries, provider.stream_max_retries), (100, 0));
        assert_eq!(provider.stream_idle_timeout, Duration::from_millis(600));
        assert!(!format!("{provider:?}").contains("t0k"));
    }

    #[test]
    fn knows_two_ways_to_speak() {
        assert_eq!(provider(json!({"wire_api": "chat"})).unwrap().wire, Wire::Chat);
        assert!(provider(json!({"wire_api": "telex"})).is_err());
    }

    #[test]
    fn scripts_are_providers() {
        let wire = provider(json!({"wire_api": "scripted", "script": "/a.jsonl"})).unwrap().wire;
        assert_eq!(wire, Wire::Scripted { script: Some(PathBuf::from("/a.jsonl")) });
        let tour = Provider::built_in("scripted", None).unwrap();
        assert_eq!(tour.wire, Wire::Scripted { script: None });
    }

    #[test]
    fn some_are_built_in() {
        let openai = Provider::built_in("openai", Some("http://localhost:1/")).unwrap();
        assert_eq!(openai.base_url, "http://localhost:1");
        assert!(openai.requires_openai_auth && openai.chatgpt_url.is_none());
        assert!(Provider::built_in("openai", None).unwrap().chatgpt_url.is_some());
        assert!(Provider::built_in("ollama", None).is_some());
        assert!(Provider::built_in("zzz", None).is_none());
    }
}
