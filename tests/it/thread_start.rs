//! `thread/start`: defaults, parameters, and threads that are not on disk yet.

use serde_json::{Value, json};

use crate::harness::schema::has;
use crate::harness::{Client, Config, Lab, ev};

const NOBODY: &str = "01a00000-0000-7000-8000-000000000000";

#[track_caller]
fn start(client: &Client, params: Value) -> Value {
    client.request("thread/start", params)
}

#[test]
fn defaults() {
    let lab = Lab::new();
    let client = lab.start();
    let mark = client.mark();
    let answer = start(&client, json!({"cwd": lab.home.work()}));
    let started = client.note("thread/started");
    assert_eq!(client.since(mark), "-> thread/start\n<= thread/start\n<- thread/started");
    let thread = &answer["thread"];
    assert_eq!(started["thread"], *thread);
    let (id, time, path) = (&thread["id"], &thread["createdAt"], &thread["path"]);
    let work = lab.home.work();
    let environments =
        json!([{"environmentId": "local", "cwd": work, "runtimeWorkspaceRoots": [work]}]);
    assert_eq!(
        *thread,
        json!({"id": id, "environments": environments, "extra": null, "sessionId": id, "forkedFromId": null,
            "attachedToThreadId": null, "parentThreadId": null, "preview": "", "ephemeral": false, "section": null,
            "sectionEnteredAt": null, "projectId": null, "historyMode": "paginated", "modelProvider": "mock",
            "model": "mock-model", "reasoningEffort": null, "createdAt": time, "updatedAt": time, "recencyAt": time,
            "status": {"type": "idle"}, "path": path, "cwd": work, "cliVersion": thread["cliVersion"],
            "originator": "it", "source": "vscode", "canAcceptDirectInput": true, "threadSource": null,
            "agentNickname": null, "agentRole": null, "gitInfo": null, "name": null, "daybreakEnabled": null,
            "turns": []})
    );
    let mut rest = answer.clone();
    rest.as_object_mut().unwrap().remove("thread");
    assert_eq!(
        rest,
        json!({"model": "mock-model", "modelProvider": "mock", "serviceTier": null, "disabledPluginIds": [],
            "cwd": work, "runtimeWorkspaceRoots": [work], "instructionSources": [], "approvalPolicy": "never",
            "approvalsReviewer": "user", "sandbox": {"type": "dangerFullAccess"}, "activePermissionProfile": null,
            "reasoningEffort": null, "multiAgentMode": "explicitRequestOnly"})
    );
    let name = format!("-{}.jsonl", id.as_str().unwrap());
    let sessions = lab.home.home().join("sessions");
    assert!(
        path.as_str().unwrap().starts_with(sessions.to_str().unwrap())
            && path.as_str().unwrap().ends_with(&name)
    );
    assert!(lab.home.rollouts("sessions").is_empty(), "nothing is written before the first turn");
}

#[test]
fn without_a_folder_it_is_the_servers() {
    let lab = Lab::new();
    let client = lab.start();
    assert_eq!(start(&client, json!({}))["cwd"], json!(lab.home.work()));
    client.refused("thread/start", Value::Null, "Invalid request: missing field `params`");
}

#[test]
fn overrides_are_of_one_thread() {
    let lab = Lab::new();
    lab.home.write("sub/dir/x", "");
    let client = lab.start();
    let answer = start(
        &client,
        json!({"cwd": "sub/dir", "model": "other-model", "approvalPolicy": "on-request", "sandbox": "read-only",
            "config": {"model_reasoning_effort": "high"}, "threadSource": "automation", "noSuchField": 1}),
    );
    let seen = json!([
        answer["cwd"],
        answer["model"],
        answer["reasoningEffort"],
        answer["approvalPolicy"]
    ]);
    assert_eq!(seen, json!([lab.home.path("sub/dir"), "other-model", "high", "on-request"]));
    assert_eq!(answer["sandbox"], json!({"type": "readOnly", "networkAccess": false}));
    assert_eq!(answer["thread"]["threadSource"], "automation");
    client.complete(answer["thread"]["id"].as_str().unwrap(), "hi");
    let body = lab.model.last().body;
    assert_eq!(json!([body["model"], body["reasoning"]["effort"]]), json!(["other-model", "high"]));
    let plain = start(&client, json!({}));
    assert_eq!(json!([plain["model"], plain["reasoningEffort"]]), json!(["mock-model", null]));
}

#[test]
fn defaults_by_trust() {
    let lab = Lab::new();
    let config = std::fs::read_to_string(lab.home.home().join("config.toml")).unwrap();
    let plain: String = config
        .lines()
        .filter(|l| !l.starts_with("approval") && !l.starts_with("sandbox"))
        .map(|l| format!("{l}\n"))
        .collect();
    let work = lab.home.work();
    let table = |level: &str| format!("{plain}[projects.{work:?}]\ntrust_level = \"{level}\"\n");
    for (text, approval, sandbox, profile) in [
        (plain.clone(), "on-request", "readOnly", ":read-only"),
        (table("trusted"), "on-request", "workspaceWrite", ":workspace"),
        (table("untrusted"), "untrusted", "workspaceWrite", ":workspace"),
    ] {
        std::fs::write(lab.home.home().join("config.toml"), text).unwrap();
        let client = lab.start();
        let answer = start(&client, json!({"cwd": work}));
        let seen = json!([
            answer["approvalPolicy"],
            answer["sandbox"]["type"],
            answer["activePermissionProfile"]["id"]
        ]);
        assert_eq!(seen, json!([approval, sandbox, profile]));
    }
}

#[test]
fn bad_parameters() {
    let lab = Lab::new();
    let client = lab.start();
    for (params, message) in [
        (json!({"approvalPolicy": "bogus"}), "Invalid request: unknown variant `bogus`"),
        (json!({"sandbox": "bogus"}), "Invalid request: unknown variant `bogus`"),
        (json!({"historyMode": "bogus"}), "Invalid request: unknown variant `bogus`"),
        (json!({"runtimeWorkspaceRoots": ["relative"]}), "Invalid request: "),
        (
            json!({"permissions": ":workspace", "sandbox": "read-only"}),
            "`permissions` cannot be combined with `sandbox`",
        ),
        (
            json!({"modelProvider": "nope"}),
            "failed to load configuration: Model provider `nope` not found",
        ),
        (json!({"config": {"sandbox_mode": 5}}), "failed to load configuration: "),
    ] {
        let error = client.refuse("thread/start", params.clone());
        assert!(error.code == -32600 && error.message.starts_with(message), "{params}: {error:?}");
    }
    assert_eq!(client.request("thread/loaded/list", json!({}))["data"], json!([]));
}

#[test]
fn ephemeral_threads_leave_nothing() {
    let lab = Lab::new();
    let client = lab.start();
    let answer = start(&client, json!({"ephemeral": true}))["thread"].clone();
    let thread = answer["id"].as_str().unwrap();
    assert_eq!(json!([answer["path"], answer["ephemeral"]]), json!([null, true]));
    client.complete(thread, "one");
    client.complete(thread, "two");
    assert_eq!(lab.model.last().asked(), ["one", "two"]);
    assert!(lab.home.rollouts("sessions").is_empty());
    assert_eq!(client.request("thread/list", json!({}))["data"], json!([]));
    assert_eq!(client.request("thread/loaded/list", json!({}))["data"], json!([thread]));
    for (method, message) in [
        ("thread/turns/list", "ephemeral threads do not support thread/turns/list".to_owned()),
        ("thread/resume", format!("no rollout found for thread id {thread}")),
        ("thread/archive", format!("no rollout found for thread id {thread}")),
        ("thread/delete", format!("thread is not persisted and cannot be deleted: {thread}")),
    ] {
        if has(method) {
            client.refused(method, json!({"threadId": thread}), &message);
        }
    }
    let name = json!({"threadId": thread, "name": "x"});
    client.refused(
        "thread/name/set",
        name,
        &format!("ephemeral thread does not support metadata updates: {thread}"),
    );
}

#[test]
fn threads_without_a_turn_are_not_on_disk() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let missing = format!("no rollout found for thread id {thread}");
    client.refused("thread/resume", json!({"threadId": thread}), &missing);
    let late = format!(
        "thread {thread} is not materialized yet; thread/turns/list is unavailable before first user message"
    );
    client.refused("thread/turns/list", json!({"threadId": thread}), &late);
    let read = client.request("thread/read", json!({"threadId": thread}));
    assert_eq!(
        json!([read["thread"]["status"]["type"], read["thread"]["preview"]]),
        json!(["idle", ""])
    );
    assert_eq!(client.request("thread/list", json!({}))["data"], json!([]));
    let other = client.thread();
    client.request("thread/name/set", json!({"threadId": other, "name": "early"}));
    assert_eq!(lab.home.rollouts("sessions").len(), 1, "a name is worth a file");
    drop(client);
    let client = lab.start();
    client.refused(
        "thread/read",
        json!({"threadId": thread}),
        &format!("thread not loaded: {thread}"),
    );
    assert_eq!(client.resume(&other)["thread"]["name"], "early");
}

#[test]
fn instructions_are_sent_and_survive() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread_with(
        json!({"baseInstructions": "BASE-TEXT", "developerInstructions": "DEVELOPER-TEXT"}),
    );
    client.complete(&thread, "one");
    drop(client);
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "two");
    for request in lab.model.requests() {
        let whole = request.body.to_string();
        assert!(
            ["BASE-TEXT", "DEVELOPER-TEXT"].iter().all(|text| whole.matches(text).count() == 1)
        );
    }
}

#[test]
fn instructions_of_the_project_are_found() {
    let lab = Lab::new();
    lab.home.write(".git/HEAD", "ref: refs/heads/main\n");
    lab.home.write("AGENTS.md", "ROOT RULES");
    lab.home.write("sub/AGENTS.md", "SUB RULES");
    std::fs::write(lab.home.home().join("AGENTS.md"), "GLOBAL RULES").unwrap();
    let client = lab.start();
    let answer = start(&client, json!({"cwd": lab.home.path("sub")}));
    let global = lab.home.home().join("AGENTS.md");
    let sources = json!([global, lab.home.path("AGENTS.md"), lab.home.path("sub/AGENTS.md")]);
    assert_eq!(answer["instructionSources"], sources);
    client.complete(answer["thread"]["id"].as_str().unwrap(), "hi");
    let last = lab.model.last();
    let told = last.texts("user").into_iter().find(|text| text.contains("ROOT RULES")).unwrap();
    let place = |text: &str| told.find(text).unwrap();
    assert!(
        place("GLOBAL RULES") < place("ROOT RULES") && place("ROOT RULES") < place("SUB RULES")
    );
}

#[test]
fn unknown_and_malformed_ids() {
    let lab = Lab::new();
    let client = lab.start();
    let malformed = "invalid character: expected an optional prefix of `urn:uuid:` followed by [0-9a-fA-F-], found `n` at 1";
    for (method, kind, unknown) in [
        ("thread/read", "thread", "thread not loaded: "),
        ("thread/turns/list", "thread", "thread not loaded: "),
        ("thread/resume", "session", "no rollout found for thread id "),
        ("thread/archive", "session", "no rollout found for thread id "),
        ("thread/unarchive", "session", "no archived rollout found for thread id "),
        ("thread/delete", "thread", "no rollout found for thread id "),
    ] {
        if !has(method) {
            continue;
        }
        client.refused(
            method,
            json!({"threadId": "nope"}),
            &format!("invalid {kind} id: {malformed}"),
        );
        client.refused(method, json!({"threadId": NOBODY}), &format!("{unknown}{NOBODY}"));
        client.refused(method, json!({}), "Invalid request: missing field `threadId`");
    }
    assert_eq!(
        client.request("thread/unsubscribe", json!({"threadId": NOBODY})),
        json!({"status": "notLoaded"})
    );
}

#[test]
fn a_read_only_thread_cannot_write() {
    let lab = Lab::with(&Config { sandbox: "read-only", ..Config::default() });
    lab.model.reply(ev::shell("call-1", "sleep 0.3; echo x > made; echo tried"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let asked = lab.model.last();
    let told = asked.output("call-1");
    assert!(
        !lab.home.exists("made") && told.contains("tried") && told.contains("Read-only"),
        "{told}"
    );
}
