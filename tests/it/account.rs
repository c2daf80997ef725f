//! Signing in and out, and what model requests are authorized with.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

const KEY: &str = "sk-not-to-be-shown";

/// A lab whose provider wants somebody to be signed in.
fn lab(top: &str) -> Lab {
    Lab::with(&Config {
        provider: "requires_openai_auth = true".to_owned(),
        top: top.to_owned(),
        ..Config::default()
    })
}

fn sign_in(client: &Client) -> Value {
    client.request("account/login/start", json!({"type": "apiKey", "apiKey": KEY}))
}

fn account(client: &Client) -> Value {
    client.request("account/read", json!({}))["account"].clone()
}

#[test]
fn a_key_is_kept_used_and_given_up() {
    let lab = lab("");
    let client = lab.start();
    assert_eq!(account(&client), Value::Null);
    assert_eq!(sign_in(&client), json!({"type": "apiKey"}));
    let done = client.note("account/login/completed");
    assert_eq!(done["success"], true);
    assert_eq!(client.note("account/updated"), json!({"authMode": "apikey", "planType": null}));

    let file = lab.home.home().join("auth.json");
    let stored: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    assert_eq!(stored, json!({"auth_mode": "apikey", "OPENAI_API_KEY": KEY}));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    client.close();

    let client = lab.start();
    assert_eq!(account(&client), json!({"type": "apiKey"}));
    let status = client.request("getAuthStatus", json!({}));
    assert_eq!(
        status,
        json!({"authMethod": "apikey", "authToken": null, "requiresOpenaiAuth": true})
    );
    lab.model.reply(ev::text("hello"));
    client.complete(&client.thread(), "hi");
    assert_eq!(lab.model.last().headers["authorization"], format!("Bearer {KEY}"));

    client.request("account/logout", Value::Null);
    assert_eq!(client.note("account/updated"), json!({"authMode": null, "planType": null}));
    assert!(!file.exists());
    assert_eq!(account(&client), Value::Null);
    client.close();
    assert!(!lab.home.stderr().contains(KEY), "the log holds the key");
}

#[test]
fn a_turn_of_nobody_fails_and_says_why() {
    let lab = lab("");
    let client = lab.start();
    let turn = client.run(&client.thread(), "hi");
    assert_eq!(turn["error"]["codexErrorInfo"], "unauthorized");
    assert!(lab.model.requests().is_empty());
}

#[test]
fn a_provider_that_wants_nobody_is_shown_no_key() {
    let lab = Lab::new();
    let client = lab.start();
    sign_in(&client);
    let read = client.request("account/read", json!({}));
    assert_eq!((&read["account"], &read["requiresOpenaiAuth"]), (&Value::Null, &json!(false)));
    lab.model.reply(ev::text("hello"));
    client.complete(&client.thread(), "hi");
    assert_eq!(lab.model.last().headers.get("authorization"), None);
}

#[test]
fn the_configuration_decides_how_and_where() {
    let lab = lab("cli_auth_credentials_store = \"ephemeral\"");
    let client = lab.start();
    sign_in(&client);
    assert_eq!(account(&client), json!({"type": "apiKey"}));
    assert!(!lab.home.home().join("auth.json").exists());
    client.close();

    lab.home.write_config(
        &Config { top: "forced_login_method = \"chatgpt\"".to_owned(), ..Config::default() },
        &lab.model.url(),
    );
    let client = lab.start();
    let params = json!({"type": "apiKey", "apiKey": KEY});
    let refusal = client.refuse("account/login/start", params);
    assert_eq!(refusal.message, "API key login is disabled. Use ChatGPT login instead.");
}
