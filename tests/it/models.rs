//! What there is to choose from: models, providers, ways of working with the user.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab};

fn entry(slug: &str, priority: i64, visibility: &str) -> Value {
    json!({
        "slug": slug, "display_name": slug.to_uppercase(), "shell_type": "unified_exec", "priority": priority,
        "supported_reasoning_levels": [{"effort": "low", "description": "little"}, {"effort": "high"}],
        "default_reasoning_level": "low", "visibility": visibility, "supported_in_api": true,
        "support_verbosity": false, "truncation_policy": {"mode": "tokens", "limit": 10000},
        "experimental_supported_tools": [], "upgrade": {"model": "next"},
    })
}

/// A server with a catalogue of these models.
fn with_models(models: &[Value]) -> (Lab, Client) {
    let lab = Lab::with(&Config {
        top: "model_catalog_json = \"catalog.json\"".to_owned(),
        ..Config::default()
    });
    let path = lab.home.home().join("catalog.json");
    std::fs::write(path, json!({"models": models}).to_string()).unwrap();
    let client = lab.start();
    (lab, client)
}

fn ids(answer: &Value) -> Vec<&str> {
    answer["data"].as_array().unwrap().iter().map(|it| it["id"].as_str().unwrap()).collect()
}

#[test]
fn models_are_listed_by_priority() {
    let models = [entry("c", 3, "list"), entry("b", 2, "list"), entry("a", 1, "hide")];
    let (_lab, client) = with_models(&models);
    let listed = client.request("model/list", json!({}));
    assert_eq!(ids(&listed), ["b", "c"]);
    let b = &listed["data"][0];
    assert_eq!(
        (&b["isDefault"], &b["hidden"], &b["displayName"]),
        (&json!(true), &json!(false), &json!("B"))
    );
    assert_eq!(b["upgrade"], "next");
    assert_eq!(b["inputModalities"], json!(["text", "image"]));
    assert_eq!(b["defaultReasoningEffort"], "low");
    assert_eq!(
        b["supportedReasoningEfforts"][0],
        json!({"reasoningEffort": "low", "description": "little"})
    );
    let all = client.request("model/list", json!({"includeHidden": true}));
    assert_eq!(ids(&all), ["a", "b", "c"]);
    assert_eq!(all["data"][0]["hidden"], true);
}

#[test]
fn lists_of_models_have_pages() {
    let (_lab, client) = with_models(&[entry("a", 1, "list"), entry("b", 2, "list")]);
    let page = client.request("model/list", json!({"limit": 0}));
    assert_eq!((ids(&page), &page["nextCursor"]), (vec!["a"], &json!("1")));
    let page = client.request("model/list", json!({"limit": 9, "cursor": page["nextCursor"]}));
    assert_eq!((ids(&page), &page["nextCursor"]), (vec!["b"], &Value::Null));
    client.refused("model/list", json!({"cursor": "zz"}), "invalid cursor: zz");
    client.refused("model/list", json!({"cursor": "3"}), "cursor 3 exceeds total models 2");
    let refusal = client.refuse("model/list", json!({"modelProvider": "gone"}));
    assert_eq!(
        refusal.data,
        json!({"type": "modelProviderNotConfigured", "modelProvider": "gone"})
    );
    client.request("model/list", json!({"modelProvider": "mock"}));
}

#[test]
fn the_bundled_models_are_listed() {
    let lab = Lab::new();
    let listed = lab.start().request("model/list", json!({}));
    assert_eq!(listed["data"].as_array().unwrap().len(), 9);
    assert_eq!(listed["data"][0]["multiAgentVersion"], "v2");
    assert_eq!(listed["data"][0]["serviceTiers"][0]["id"], "priority");
}

#[test]
fn ways_of_working_are_listed() {
    let lab = Lab::new();
    let listed = lab.start().request("collaborationMode/list", json!({}));
    let expected = json!([
        {"name": "Plan", "mode": "plan", "model": null, "reasoning_effort": "medium"},
        {"name": "Default", "mode": "default", "model": null, "reasoning_effort": null},
    ]);
    assert_eq!(listed["data"], expected);
}

#[test]
fn providers_are_listed_without_their_secrets() {
    let lab = Lab::with(&Config {
        tables: "[model_providers.key]\nname = \"Key\"\nenv_key = \"K\"\n\
                 [model_providers.secret]\nname = \"S\"\nexperimental_bearer_token = \"t0ken\"\n"
            .to_owned(),
        ..Config::default()
    });
    let client = lab.start();
    let listed = client.request("modelProvider/list", json!({}));
    assert_eq!(ids(&listed), ["key", "mock", "openai", "secret"]);
    assert_eq!(
        (&listed["defaultProviderId"], &listed["canChangeDefault"]),
        (&json!("mock"), &json!(true))
    );
    let auth = |at: usize| &listed["data"][at]["settings"]["auth"];
    assert_eq!(*auth(0), json!({"mode": "environmentVariable", "envKey": "K"}));
    assert_eq!(*auth(1), json!({"mode": "none"}));
    assert_eq!(*auth(3), json!({"mode": "externallyConfigured", "envKey": null}));
    assert_eq!(listed["data"][1]["baseUrl"], format!("{}/v1", lab.model.url()));
    let openai = json!({"id": "openai", "name": "OpenAI", "canEdit": false, "baseUrl": null, "settings": {"type": "openai"}});
    assert_eq!(listed["data"][2], openai);
    assert!(!listed.to_string().contains("t0ken"));
    let capabilities = client.request("modelProvider/capabilities/read", json!({}));
    assert_eq!(capabilities, json!({"imageGeneration": true, "webSearch": true}));
}

fn gateway(settings: &Value) -> Value {
    let mut whole = json!({"type": "customGateway"});
    whole.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
    json!({"settings": whole})
}

#[test]
fn a_provider_can_be_added_and_used() {
    let lab = Lab::new();
    let client = lab.start();
    let url = format!("{}/v1/", lab.model.url());
    let new = gateway(&json!({"name": " My Gateway! ", "baseUrl": url}));
    let written = client.request("modelProvider/config/write", new.clone());
    let mut expected = json!({
        "id": "my-gateway", "name": "My Gateway!", "canEdit": true, "baseUrl": url,
        "settings": {"type": "customGateway", "auth": {"mode": "none"}},
    });
    assert_eq!(written["provider"], expected);
    let thread = client.thread_with(json!({"modelProvider": "my-gateway"}));
    client.complete(&thread, "hi");
    assert_eq!(lab.model.requests().len(), 1);
    let again = client.request("modelProvider/config/write", new);
    assert_eq!(again["provider"]["id"], "my-gateway-2");
    let change = gateway(&json!({"providerId": "my-gateway", "name": "Mine", "envKey": "K"}));
    let changed = client.request("modelProvider/config/write", change);
    expected["name"] = json!("Mine");
    expected["settings"]["auth"] = json!({"mode": "environmentVariable", "envKey": "K"});
    assert_eq!(changed["provider"], expected);
}

#[test]
fn what_cannot_be_a_provider_is_refused() {
    let lab = Lab::new();
    let client = lab.start();
    let before = std::fs::read_to_string(lab.home.home().join("config.toml")).unwrap();
    let wrong = [
        json!({"name": "A", "baseUrl": "nonsense"}),
        json!({"name": "A", "baseUrl": "http://user:secret@h/"}),
        json!({"name": "A", "baseUrl": "http://h/?key=1"}),
        json!({"name": " ", "baseUrl": "http://h"}),
        json!({"baseUrl": "http://h"}),
        json!({"name": "A"}),
        json!({"name": "OpenAI", "baseUrl": "http://h"}),
        json!({"name": "A", "baseUrl": "http://h", "envKey": "1=2"}),
        json!({"providerId": "openai", "name": "A"}),
    ];
    for settings in wrong {
        let refusal = client.refuse("modelProvider/config/write", gateway(&settings));
        assert_eq!(
            refusal.data,
            json!({"config_write_error_code": "configValidationError"}),
            "{settings}"
        );
    }
    let refusal =
        client.refuse("modelProvider/config/write", gateway(&json!({"providerId": "none"})));
    assert_eq!(refusal.message, "Unknown provider ID.");
    assert_eq!(refusal.data, json!({"config_write_error_code": "configPathNotFound"}));
    let after = std::fs::read_to_string(lab.home.home().join("config.toml")).unwrap();
    assert_eq!(after, before);
}
