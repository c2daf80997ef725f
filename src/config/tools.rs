//! Settings of the tools that have any: `[tools]` and `web_search`.

use serde::Deserialize;
use serde_json::{Map, Value};

use crate::protocol::{WebSearchContextSize, WebSearchLocation, WebSearchMode};

/// Which tools are there besides those that features switch, and how they work.
#[derive(Debug, Clone)]
pub(crate) struct Tools {
    pub(crate) update_plan: bool,
    pub(crate) request_user_input: bool,
    pub(crate) web_search: WebSearch,
}

/// How the provider searches the web for the model.
#[derive(Debug, Clone, Default)]
pub(crate) struct WebSearch {
    pub(crate) mode: WebSearchMode,
    pub(crate) context_size: Option<WebSearchContextSize>,
    pub(crate) allowed_domains: Option<Vec<String>>,
    pub(crate) location: Option<WebSearchLocation>,
}

impl Tools {
    /// The tools of merged settings, which were checked before.
    pub(super) fn new(merged: &Map<String, Value>) -> Self {
        let tools = merged.get("tools");
        let enabled = |name: &str| tools?.get(name)?.get("enabled")?.as_bool();
        Self {
            update_plan: enabled("update_plan").unwrap_or(false),
            request_user_input: enabled("experimental_request_user_input").unwrap_or(true),
            web_search: WebSearch {
                mode: merged.get("web_search").and_then(decode).unwrap_or_default(),
                ..tools.and_then(|tools| tools.get("web_search")).map(search).unwrap_or_default()
            },
        }
    }
}

/// The details of the search; a mere switch there says nothing any more.
fn search(table: &Value) -> WebSearch {
    WebSearch {
        mode: WebSearchMode::default(),
        context_size: table.get("context_size").and_then(decode),
        allowed_domains: table.get("allowed_domains").and_then(decode),
        location: table.get("location").and_then(decode),
    }
}

fn decode<'a, T: Deserialize<'a>>(value: &'a Value) -> Option<T> {
    T::deserialize(value).ok()
}
