//! Signing in to servers of the Model Context Protocol, in a browser.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::issuer::{Issuer, browse, query};
use crate::harness::{Client, Config, Lab};

/// A lab with a server that wants a sign-in.
fn lab() -> (Lab, Issuer) {
    let lab = Lab::new();
    let issuer = Issuer::of(&lab.home);
    let tables = format!(
        "[mcp_servers.web]\nurl = \"{}/mcp\"\n[mcp_servers.local]\ncommand = \"true\"\nenabled = false\n",
        issuer.url()
    );
    lab.home.write_config(&Config { tables, ..Config::default() }, &lab.model.url());
    (lab, issuer)
}

fn comes_to(client: &Client, status: &str) -> Value {
    client.note_where("mcpServer/startupStatus/updated", |note| note["status"] == status)
}

/// What the file holds of the server.
fn grant(lab: &Lab) -> Value {
    let file = lab.home.home().join(".credentials.json");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let all: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let mut grants = all.as_object().unwrap().values();
    grants.next().unwrap().clone()
}

#[test]
fn a_browser_signs_in_to_a_server() {
    let (lab, issuer) = lab();
    let client = lab.start();
    client.thread();
    assert_eq!(comes_to(&client, "failed")["failureReason"], "reauthenticationRequired");
    for name in ["local", "none"] {
        assert_eq!(client.refuse("mcpServer/oauth/login", json!({"name": name})).code, -32600);
    }

    let login = json!({"name": "web", "scopes": ["read"]});
    let started = client.request("mcpServer/oauth/login", login);
    let url = started["authorizationUrl"].as_str().unwrap();
    let params = query(url.split_once('?').unwrap().1);
    assert_eq!((params["client_id"].as_str(), params["scope"].as_str()), ("client-1", "read"));
    let back =
        |state: &str| browse(&format!("{}?code=code-1&state={state}", params["redirect_uri"]));
    assert!(back("guessed").starts_with("HTTP/1.1 400"));
    assert!(back(&params["state"]).contains("Signed in"));
    let done = client.note("mcpServer/oauthLogin/completed");
    assert_eq!((&done["success"], &done["loginId"]), (&json!(true), &started["loginId"]));
    comes_to(&client, "ready");
    let status = client.request("mcpServerStatus/list", json!({}));
    let web = status["data"].as_array().unwrap().iter().find(|row| row["name"] == "web").unwrap();
    assert_eq!(web["authStatus"], "oAuth");
    client.close();
    assert_eq!(grant(&lab)["refresh_token"], "refresh-1");
    assert!(!lab.home.stderr().contains("e30."), "the log holds a token");

    // Later the token has expired.
    let file = lab.home.home().join(".credentials.json");
    let text = fs::read_to_string(&file).unwrap();
    let end = grant(&lab)["expires_at"].to_string();
    fs::write(&file, text.replace(&end, "1000")).unwrap();
    let client = lab.start();
    client.thread();
    comes_to(&client, "ready");
    assert_eq!(grant(&lab)["refresh_token"], "refresh-2");
    assert_eq!(issuer.grants("refresh_token").len(), 1);
}

#[test]
fn nobody_waits_for_a_browser_for_ever() {
    let (lab, _issuer) = lab();
    let client = lab.start();
    client.request("mcpServer/oauth/login", json!({"name": "web", "timeoutSecs": 0}));
    let done = client.note("mcpServer/oauthLogin/completed");
    assert_eq!(done["error"], "timed out waiting for OAuth callback");
    assert!(!lab.home.home().join(".credentials.json").exists());
}
