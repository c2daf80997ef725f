//! Signing in with ChatGPT: in a browser, with a device's code, with tokens of the client; and how tokens are renewed.

use std::fs::File;
use std::os::unix::fs::PermissionsExt as _;

use serde_json::{Value, json};

use crate::harness::issuer::{Issuer, browse, query, stored, token};
use crate::harness::{Client, Config, Gate, Lab, ev, http};

const EXPIRED: i64 = -10;
const HOUR: i64 = 3600;

/// A lab whose provider wants somebody to be signed in.
fn lab() -> (Lab, Issuer) {
    let lab = Lab::with(&Config {
        provider: "requires_openai_auth = true".to_owned(),
        ..Config::default()
    });
    let issuer = Issuer::of(&lab.home);
    (lab, issuer)
}

fn account(client: &Client, params: Value) -> Value {
    client.request("account/read", params)["account"].clone()
}

/// What the model was shown with the last request.
fn bearer(lab: &Lab) -> String {
    lab.model.last().headers["authorization"].strip_prefix("Bearer ").unwrap().to_owned()
}

#[test]
fn a_code_typed_elsewhere_signs_in() {
    let (lab, issuer) = lab();
    let client = lab.start();
    issuer.set("/api/accounts/deviceauth/token", 403, json!({}));
    let login = client.request("account/login/start", json!({"type": "chatgptDeviceCode"}));
    assert_eq!(login["verificationUrl"], format!("{}/codex/device", issuer.url()));
    assert_eq!(login["userCode"], "ABCD-1234");
    issuer.set(
        "/api/accounts/deviceauth/token",
        200,
        json!({"authorization_code": "code-7", "code_challenge": "c", "code_verifier": "v"}),
    );
    let done = client.note("account/login/completed");
    assert_eq!((&done["loginId"], &done["success"]), (&login["loginId"], &json!(true)));
    assert_eq!(client.note("account/updated"), json!({"authMode": "chatgpt", "planType": "pro"}));
    let grant = &issuer.grants("authorization_code")[0];
    assert_eq!((grant["code"].as_str(), grant["code_verifier"].as_str()), ("code-7", "v"));

    let file = lab.home.home().join("auth.json");
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let kept = stored(&lab.home);
    assert_eq!((&kept["auth_mode"], &kept["OPENAI_API_KEY"]), (&json!("chatgpt"), &Value::Null));
    assert_eq!(kept["tokens"]["account_id"], "org-1");
    assert_eq!(
        account(&client, json!({})),
        json!({"type": "chatgpt", "email": "user@example.com", "planType": "pro", "workspaceName": null})
    );
    client.complete(&client.thread(), "hi");
    assert_eq!(bearer(&lab), kept["tokens"]["access_token"]);
    assert_eq!(lab.model.last().headers["chatgpt-account-id"], "org-1");

    client.request("account/logout", Value::Null);
    assert!(!file.exists());
    client.close();
    assert_eq!(issuer.asked("/oauth/revoke")[0]["token"], "refresh-1");
    assert!(!lab.home.stderr().contains("e30."), "the log holds a token");
}

#[test]
fn one_sign_in_waits_at_a_time_and_can_be_given_up() {
    let (lab, issuer) = lab();
    let client = lab.start();
    issuer.set("/api/accounts/deviceauth/token", 404, json!({}));
    let start = || {
        let login = client.request("account/login/start", json!({"type": "chatgptDeviceCode"}));
        login["loginId"].clone()
    };
    let cancel = |id: &Value| client.request("account/login/cancel", json!({"loginId": id}));
    let (first, second) = (start(), start());
    let done = client.note("account/login/completed");
    assert_eq!((&done["loginId"], &done["error"]), (&first, &json!("Login was not completed")));
    assert_eq!(cancel(&first), json!({"status": "notFound"}));
    assert_eq!(cancel(&second), json!({"status": "canceled"}));
    assert_eq!(client.note("account/login/completed")["loginId"], second);
    assert_eq!(cancel(&second), json!({"status": "notFound"}));
    assert!(client.notes("account/updated").is_empty());

    issuer.set("/api/accounts/deviceauth/usercode", 404, json!({}));
    let refusal = client.refuse("account/login/start", json!({"type": "chatgptDeviceCode"}));
    assert_eq!(refusal.code, -32600);
}

/// The ports that browsers come back to are the same for all on a machine: one at a time.
fn ports() -> File {
    let lock = std::env::temp_dir().join("lab-login-port.lock");
    let file = File::options().create(true).append(true).open(lock).unwrap();
    file.lock().unwrap();
    file
}

#[test]
fn a_browser_comes_back_with_a_code() {
    let _ports = ports();
    let (lab, issuer) = lab();
    let client = lab.start();
    let start = || client.request("account/login/start", json!({"type": "chatgpt"}));
    let login = start();
    let url = login["authUrl"].as_str().unwrap();
    let (page, params) = url.split_once('?').unwrap();
    let params = query(params);
    assert_eq!(page, format!("{}/oauth/authorize", issuer.url()));
    assert_eq!((params["state"].len(), params["code_challenge"].len()), (43, 43));
    let back = |more: &str| browse(&format!("{}?{more}", params["redirect_uri"]));
    assert!(back("code=x&state=guessed").starts_with("HTTP/1.1 400"));
    assert!(issuer.grants("authorization_code").is_empty());

    let answer = back(&format!("code=code-7&state={}", params["state"]));
    assert!(answer.starts_with("HTTP/1.1 302") && !answer.contains("e30."), "{answer}");
    let next = answer.lines().find_map(|line| line.strip_prefix("location: ")).unwrap();
    assert!(browse(next).contains("Signed in"));
    assert_eq!(client.note("account/login/completed")["success"], true);
    assert_eq!(client.note("account/updated")["authMode"], "chatgpt");
    let grant = &issuer.grants("authorization_code")[0];
    assert_eq!(grant["redirect_uri"], params["redirect_uri"]);
    assert_eq!(stored(&lab.home)["OPENAI_API_KEY"], "sk-exchanged");

    // The user says no; the port is free again, and nothing has changed.
    let login = start();
    let url = login["authUrl"].as_str().unwrap();
    let params = query(url.split_once('?').unwrap().1);
    let refused = format!(
        "{}?error=access_denied&error_description=not+%3Ctoday%3E&state={}",
        params["redirect_uri"], params["state"]
    );
    assert!(browse(&refused).contains("not &lt;today&gt;"));
    let done = client.note("account/login/completed");
    assert_eq!(done["error"], "Login server error: Sign-in failed: not <today>");
    assert_eq!(account(&client, json!({}))["type"], "chatgpt");
}

#[test]
fn an_expired_token_is_renewed_before_it_is_used() {
    let (lab, issuer) = lab();
    issuer.sign_in(&lab.home, EXPIRED);
    let client = lab.start();
    client.complete(&client.thread(), "hi");
    let kept = stored(&lab.home);
    assert_eq!(kept["tokens"]["refresh_token"], "refresh-1");
    assert_eq!(bearer(&lab), kept["tokens"]["access_token"]);
    assert_eq!(issuer.grants("refresh_token").len(), 1);
    assert_eq!(issuer.grants("refresh_token")[0]["refresh_token"], "refresh-0");
}

#[test]
fn a_refused_token_is_renewed_once() {
    let (lab, issuer) = lab();
    issuer.sign_in(&lab.home, HOUR);
    let client = lab.start();
    lab.model.reply(http(401, "{}")).reply(ev::text("hello"));
    client.complete(&client.thread(), "hi");
    assert_eq!(bearer(&lab), token_of(&lab));

    // Another refusal, of the new token: there is an end to it.
    lab.model.reply(http(401, "{}")).reply(http(401, "{}"));
    let turn = client.run(&client.thread(), "hi");
    assert_eq!(turn["status"], "failed");
    assert_eq!(issuer.grants("refresh_token").len(), 2);
}

fn token_of(lab: &Lab) -> Value {
    stored(&lab.home)["tokens"]["access_token"].clone()
}

#[test]
fn a_sign_in_that_has_ended_is_nobodys() {
    let (lab, issuer) = lab();
    issuer.sign_in(&lab.home, EXPIRED);
    issuer.set("refresh_token", 401, json!({"error": {"code": "refresh_token_expired"}}));
    let client = lab.start();
    let turn = client.run(&client.thread(), "hi");
    assert_eq!(turn["error"]["codexErrorInfo"], "unauthorized");
    assert_eq!(account(&client, json!({"refreshToken": true})), Value::Null);
    assert_eq!(issuer.grants("refresh_token").len(), 1, "nobody asks again");
    assert!(lab.model.requests().is_empty());
}

#[test]
fn a_renewal_outlives_the_turn_that_wanted_it() {
    let (lab, issuer) = lab();
    issuer.sign_in(&lab.home, EXPIRED);
    let client = lab.start();
    let gate = Gate::default();
    issuer.hold(&gate);
    let thread = client.thread();
    let turn = client.turn(&thread, "hi");
    gate.reached();
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    gate.open();
    client.complete(&thread, "again");
    assert_eq!(issuer.grants("refresh_token").len(), 1);
    assert_eq!(bearer(&lab), token_of(&lab));
}

#[test]
fn a_client_renews_what_it_has_lent() {
    let (lab, _issuer) = lab();
    let client = lab.start_with(&json!({"experimentalApi": true}));
    let lend = |token: &str| json!({"type": "chatgptAuthTokens", "accessToken": token, "chatgptAccountId": "org-1"});
    let refusal = client.refuse("account/login/start", lend("no token"));
    assert_eq!(refusal.message, "failed to set external auth: invalid ID token format");
    client.request("account/login/start", lend(&token(HOUR, 1)));
    assert_eq!(client.note("account/updated")["authMode"], "chatgptAuthTokens");
    let refusal = client.refuse("account/login/start", json!({"type": "apiKey", "apiKey": "sk"}));
    assert!(refusal.message.starts_with("External auth is active."), "{}", refusal.message);

    lab.model.reply(http(401, "{}")).reply(ev::text("hello"));
    let thread = client.thread();
    client.turn(&thread, "hi");
    let asked = client.asked("account/chatgptAuthTokens/refresh");
    assert_eq!(asked["params"], json!({"reason": "unauthorized", "previousAccountId": "org-1"}));
    client.respond(&asked, json!({"accessToken": token(HOUR, 2), "chatgptAccountId": "org-1"}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(bearer(&lab), token(HOUR, 2));

    lab.model.reply(http(401, "{}"));
    client.turn(&thread, "hi");
    let asked = client.asked("account/chatgptAuthTokens/refresh");
    client.respond_badly(&asked, json!({"error": {"code": -32000, "message": "no"}}));
    let turn = client.finish(&thread);
    assert_eq!(turn["error"]["message"], "auth refresh request failed: code=-32000");
    assert!(!lab.home.home().join("auth.json").exists());
    client.request("account/logout", Value::Null);
    assert_eq!(account(&client, json!({})), Value::Null);
}

/// Lets many processes of one home find the same expired token at the same time.
fn race(processes: usize) {
    let (lab, issuer) = lab();
    issuer.sign_in(&lab.home, EXPIRED);
    let clients: Vec<Client> = (0..processes).map(|_| lab.start()).collect();
    let threads: Vec<String> = clients.iter().map(Client::thread).collect();
    for (client, thread) in clients.iter().zip(&threads) {
        client.turn(thread, "hi");
    }
    for (client, thread) in clients.iter().zip(&threads) {
        assert_eq!(client.finish(thread)["status"], "completed");
    }
    assert_eq!(issuer.grants("refresh_token").len(), 1, "who comes late uses what is there");
    assert_eq!(lab.model.requests().len(), processes);
}

#[test]
fn processes_renew_a_token_together() {
    race(4);
}

#[test]
#[ignore = "16 processes"]
fn many_processes_renew_a_token_together() {
    race(16);
}

#[test]
fn what_an_account_may_use_is_asked_of_its_backend() {
    let (lab, issuer) = lab();
    let config = Config {
        provider: "requires_openai_auth = true".to_owned(),
        top: format!("chatgpt_base_url = \"{}/backend-api\"", issuer.url()),
        ..Config::default()
    };
    lab.home.write_config(&config, &lab.model.url());
    let usage = "/backend-api/wham/usage";
    let window = json!({"used_percent": 42, "limit_window_seconds": 18000, "reset_at": 7});
    let limits = json!({"plan_type": "pro", "rate_limit": {"primary_window": window}});
    issuer.set(usage, 200, limits);
    let client = lab.start_with(&json!({"experimentalApi": true}));
    let refused = |why: &str| {
        let refusal = client.refuse("account/rateLimits/read", Value::Null);
        assert_eq!(refusal.message, format!("{why} authentication required to read rate limits"));
    };
    refused("codex account");
    client.request("account/login/start", json!({"type": "apiKey", "apiKey": "sk"}));
    refused("chatgpt");

    // Another process signs in, with a token that has expired.
    issuer.sign_in(&lab.home, EXPIRED);
    let read = client.request("account/rateLimits/read", Value::Null);
    let primary = json!({"usedPercent": 42, "windowDurationMins": 300, "resetsAt": 7});
    assert_eq!(read["rateLimits"]["primary"], primary);
    assert_eq!(read["rateLimitsByLimitId"]["codex"], read["rateLimits"]);
    assert_eq!(stored(&lab.home)["tokens"]["refresh_token"], "refresh-1");
    let messages = client.request("account/workspaceMessages/read", Value::Null);
    assert_eq!(messages, json!({"featureEnabled": false, "messages": []}));

    issuer.set(usage, 500, json!({"why": "busy"}));
    let refusal = client.refuse("account/rateLimits/read", Value::Null);
    let expected = format!(
        "failed to fetch codex rate limits: GET {}{usage} failed: 500 Internal Server Error; \
         content-type=application/json; body={{\"why\":\"busy\"}}",
        issuer.url()
    );
    assert_eq!(refusal.message, expected);
    let sessions = client.request("accountSession/list", json!({}));
    assert_eq!(sessions["activeSessionId"], "user-1");
}
