//! Small services: what there is to know of the server, and what is refused because it is the hosted offer's.

use std::process::Command;

use serde_json::{Value, json};

use crate::harness::Lab;

#[test]
fn what_the_hosted_offer_has_is_answered_at_once() {
    let lab = Lab::new();
    let client = lab.start();
    assert_eq!(client.request("app/list", json!({})), json!({"data": [], "nextCursor": null}));
    assert_eq!(client.request("app/installed", json!({})), json!({"apps": []}));
    assert_eq!(
        client.request("app/read", json!({"appIds": ["b", "a", "b"]})),
        json!({"apps": [], "missingAppIds": ["b", "a"]})
    );
    let status = client.request("remoteControl/status/read", Value::Null);
    assert_eq!(status["status"], "disabled");
    assert_eq!(status["installationId"], lab.home.read("../home/installation_id").trim());
    for params in [Value::Null, json!({"ephemeral": false})] {
        client.refused(
            "remoteControl/enable",
            params,
            "remote control requires ChatGPT authentication",
        );
    }
    let verify = json!({"challenge": "c", "title": "t", "description": "d"});
    let refusal = client.refuse("userVerification/verify", verify);
    assert_eq!((refusal.code, &refusal.data["reason"]), (-32603, &json!("providerUnavailable")));
    client.refuse("feedback/upload", json!({"classification": "bug"}));
}

#[test]
fn the_server_tells_of_itself() {
    let lab = Lab::new();
    let client = lab.start();
    client.thread();
    let report = client.request("server/diagnostics", json!({}));
    assert!(report["process"]["residentMemoryBytes"].as_u64() > Some(1024 * 1024), "{report}");
    let gauge = |name: &str| {
        let gauges = report["gauges"].as_array().unwrap().iter();
        gauges.clone().find(|gauge| gauge["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(gauge("core.threads.live"), 1);
    assert!(gauge("app.requests.in_flight").as_u64() >= Some(1), "itself");
    let local = client.request("environment/info", json!({"environmentId": "local"}));
    assert_eq!(local["cwd"], format!("file://{}", lab.home.work().display()));
    client.refused(
        "environment/info",
        json!({"environmentId": "far"}),
        "unknown environment id `far`",
    );
}

#[test]
fn what_has_been_learnt_is_forgotten_but_for_what_is_elsewhere() {
    let lab = Lab::new();
    lab.home.write("../home/memories/a.md", "x");
    lab.home.write("../home/memories/sub/b.md", "x");
    lab.home.write("kept/c.md", "x");
    let client = lab.start();
    assert_eq!(client.request("memory/reset", json!({})), json!({}));
    let memories = lab.home.home().join("memories");
    assert_eq!(memories.read_dir().unwrap().count(), 0);
    std::fs::remove_dir(&memories).unwrap();
    assert_eq!(client.request("memory/reset", Value::Null), json!({}), "nothing is there");
    std::os::unix::fs::symlink(lab.home.path("kept"), &memories).unwrap();
    client.refuse("memory/reset", Value::Null);
    assert!(lab.home.exists("kept/c.md"));
}

#[test]
fn methods_without_params_take_nothing_else() {
    let lab = Lab::new();
    let client = lab.start();
    let refusal = client.refuse("windowsSandbox/readiness", json!({"a": 1}));
    assert_eq!(refusal.message, "Invalid request: invalid type: map, expected unit");
    for params in [json!({}), Value::Null] {
        let answer = client.request("windowsSandbox/readiness", params);
        assert_eq!(answer, json!({"status": "notConfigured"}));
    }
    client.request("windowsSandbox/setupStart", json!({"mode": "unelevated"}));
    let done = client.note("windowsSandbox/setupCompleted");
    assert_eq!((&done["mode"], &done["success"]), (&json!("unelevated"), &json!(false)));
}

#[test]
fn a_stored_thread_is_summarized_for_old_clients() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = client.thread();
    let by_id = json!({"conversationId": thread});
    let missing = format!("no rollout found for conversation id {thread}");
    client.refused("getConversationSummary", by_id.clone(), &missing);
    client.complete(&thread, "first words");
    let summary = client.request("getConversationSummary", by_id)["summary"].clone();
    assert_eq!(summary["preview"], "first words");
    assert_eq!(summary["conversationId"], thread);
    let by_path = json!({"rolloutPath": summary["path"]});
    assert_eq!(client.request("getConversationSummary", by_path)["summary"], summary);
}

#[test]
fn a_work_tree_is_compared_with_what_its_remote_knows() {
    let lab = Lab::new();
    let client = lab.start();
    let cwd = lab.home.path("tree");
    let compare = || json!({"cwd": cwd});
    client.refuse("gitDiffToRemote", compare());
    let git = |arguments: &[&str]| {
        let identity = ["-c", "user.name=it", "-c", "user.email=it@example.com"];
        let output =
            Command::new("git").args(["-C", &cwd]).args(identity).args(arguments).output().unwrap();
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    lab.home.write("tree/old", "1\n");
    git(&["init", "-q"]);
    git(&["add", "-A"]);
    git(&["commit", "-qm", "known"]);
    client.refuse("gitDiffToRemote", compare());
    let known = git(&["rev-parse", "HEAD"]).trim().to_owned();
    git(&["update-ref", "refs/remotes/origin/main", "HEAD"]);
    lab.home.write("tree/committed", "2\n");
    git(&["add", "-A"]);
    git(&["commit", "-qm", "own"]);
    lab.home.write("tree/old", "one\n");
    lab.home.write("tree/new", "3\n");
    let answer = client.request("gitDiffToRemote", compare());
    assert_eq!(answer["sha"], known);
    let diff = answer["diff"].as_str().unwrap();
    for line in ["\n-1\n+one\n", "\n+2\n", "\n+3\n", "+++ b/new"] {
        assert!(diff.contains(line), "{line:?} in {diff}");
    }
}
