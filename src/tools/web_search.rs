//! `web_search`: a tool that the provider runs itself. We only say how.

use serde_json::{Map, Value, json};

use super::{Role, Run, Scene, Tool};
use crate::protocol::{SandboxPolicy, WebSearchLocation, WebSearchMode};

pub(super) static TOOL: Tool = Tool {
    namespace: None,
    name: "web_search",
    is_offered: |scene| {
        // A reviewer judges by what is in front of it.
        scene.role != Role::Reviewer
            && scene.config.tools.web_search.mode != WebSearchMode::Disabled
    },
    definition,
    run: Run::Hosted,
};

fn definition(scene: &Scene) -> Value {
    let search = &scene.config.tools.web_search;
    // A thread that may do everything may also read everything.
    let is_live = match search.mode {
        WebSearchMode::Live | WebSearchMode::Indexed => true,
        WebSearchMode::Cached | WebSearchMode::Disabled => {
            matches!(scene.sandbox, SandboxPolicy::DangerFullAccess)
        }
    };
    let indexed = (search.mode == WebSearchMode::Indexed).then_some(true);
    let members = [
        ("type", Some(json!("web_search"))),
        ("external_web_access", Some(json!(is_live))),
        ("indexed_web_access", indexed.map(Value::from)),
        (
            "filters",
            search.allowed_domains.as_ref().map(|domains| json!({ "allowed_domains": domains })),
        ),
        ("user_location", search.location.as_ref().map(location)),
        ("search_context_size", search.context_size.map(|size| json!(size))),
        (
            "search_content_types",
            scene.model_info.searches_images().then(|| json!(["text", "image"])),
        ),
    ];
    object(members)
}

fn location(location: &WebSearchLocation) -> Value {
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    object([
        ("type", Some(json!("approximate"))),
        ("country", text(&location.country)),
        ("region", text(&location.region)),
        ("city", text(&location.city)),
        ("timezone", text(&location.timezone)),
    ])
}

/// An object of the members that are there.
fn object<const N: usize>(members: [(&str, Option<Value>); N]) -> Value {
    let there = members.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    Value::Object(there.collect::<Map<_, _>>())
}
