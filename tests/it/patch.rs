//! `apply_patch` as clients see it: kinds of change, diffs, failures without a trace.

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

#[track_caller]
fn play(lab: &Lab, client: &Client, steps: Vec<Vec<Value>>) -> String {
    for step in steps {
        lab.model.reply(step);
    }
    lab.model.reply(ev::items(&[ev::message("msg-end", "done")]));
    let thread = client.thread();
    client.complete(&thread, "go");
    thread
}

#[test]
fn an_edit_in_order() {
    let lab = Lab::new();
    lab.home.write("a.txt", "one\ntwo\n");
    lab.model.reply(ev::patch("call-1", &["*** Update File: a.txt", "@@", "-one", "+ONE", " two"]));
    let client = lab.start();
    let thread = client.thread();
    let mark = client.mark();
    client.complete(&thread, "go");
    insta::assert_snapshot!(client.since(mark), @"
    -> turn/start
    <= turn/start
    <- thread/status/changed active
    <- turn/started
    <- item/started userMessage
    <- item/completed userMessage
    <- item/started fileChange [call-1] inProgress
    <- item/completed fileChange [call-1] completed
    <- turn/diff/updated
    <- thread/tokenUsage/updated
    <- item/started agentMessage [msg-1]
    <- item/completed agentMessage [msg-1]
    <- thread/tokenUsage/updated
    <- thread/status/changed idle
    <- turn/completed completed
    ");
    assert_eq!(lab.home.read("a.txt"), "ONE\ntwo\n");
    let started = client.item_started("fileChange");
    let item = &client.items("fileChange")[0];
    let change = json!([{"path": lab.home.path("a.txt"), "kind": {"type": "update", "move_path": null},
        "diff": "@@ -1,2 +1,2 @@\n-one\n+ONE\n two\n"}]);
    assert_eq!(
        json!([item["id"], item["status"], item["changes"]]),
        json!(["call-1", "completed", change])
    );
    assert_eq!(json!([started["status"], started["changes"]]), json!(["inProgress", change]));
}

#[test]
fn kinds_of_change() {
    let lab = Lab::new();
    lab.home.write("old.txt", "bye\n");
    lab.home.write("move.txt", "m\nn\n");
    let client = lab.start();
    let lines = [
        "*** Add File: deep/new.txt",
        "+a",
        "+",
        "+b",
        "*** Delete File: old.txt",
        "*** Update File: move.txt",
        "*** Move to: moved/to.txt",
        "@@",
        "-m",
        "+M",
    ];
    play(&lab, &client, vec![ev::patch("p", &lines)]);
    assert_eq!(
        (lab.home.read("deep/new.txt"), lab.home.read("moved/to.txt")),
        ("a\n\nb\n".into(), "M\nn\n".into())
    );
    assert_eq!(lab.home.names(), ["deep", "moved"]);
    let to = lab.home.path("moved/to.txt");
    let moved = format!("@@ -1,2 +1,2 @@\n-m\n+M\n n\n\n\nMoved to: {to}");
    assert_eq!(
        client.items("fileChange")[0]["changes"],
        json!([
            {"path": lab.home.path("deep/new.txt"), "kind": {"type": "add"}, "diff": "a\n\nb\n"},
            {"path": lab.home.path("move.txt"), "kind": {"type": "update", "move_path": to}, "diff": moved},
            {"path": lab.home.path("old.txt"), "kind": {"type": "delete"}, "diff": "bye\n"},
        ])
    );
    let told = lab.model.last();
    let end = "Output:\nSuccess. Updated the following files:\nA deep/new.txt\nM moved/to.txt\nD old.txt\n";
    assert!(told.output("p").ends_with(end), "{}", told.output("p"));
}

#[test]
fn what_fails_verification_is_no_item_and_writes_nothing() {
    let lab = Lab::new();
    lab.home.write("a.txt", "one\ntwo\n");
    let client = lab.start();
    let bad: [(&str, &[&str], &str); 8] = [
        (
            "lines",
            &["*** Update File: a.txt", "@@", "-nope", "+x"],
            "Failed to find expected lines in ",
        ),
        (
            "context",
            &["*** Update File: a.txt", "@@ def z():", "-one", "+x"],
            "Failed to find context 'def z():' in ",
        ),
        ("missing", &["*** Update File: none.txt", "@@", "-a", "+b"], "Failed to read "),
        ("gone", &["*** Delete File: none.txt"], "Failed to read "),
        ("header", &["*** Frob File: a.txt"], "invalid hunk at line 2, "),
        (
            "order",
            &["*** Update File: a.txt", "@@", "-two", "+2", "@@", "-one", "+1"],
            "Failed to find expected lines in ",
        ),
        (
            "half",
            &["*** Add File: b.txt", "+x", "*** Update File: a.txt", "@@", "-nope", "+x"],
            "Failed to find expected",
        ),
        ("plus", &["*** Add File: b.txt", "no plus"], "invalid hunk at line 3, "),
    ];
    play(&lab, &client, bad.iter().map(|(call, lines, _)| ev::patch(call, lines)).collect());
    let told = lab.model.last();
    for (call, _, reason) in bad {
        let wanted = format!("apply_patch verification failed: {reason}");
        assert!(told.output(call).contains(&wanted), "{call}: {}", told.output(call));
    }
    assert!(client.items("fileChange").is_empty() && client.items("commandExecution").is_empty());
    assert_eq!(
        (lab.home.names(), lab.home.read("a.txt")),
        (vec!["a.txt".to_owned()], "one\ntwo\n".to_owned())
    );
}

#[test]
fn lines_are_found_with_some_tolerance() {
    let lab = Lab::new();
    lab.home.write("ws.txt", "trail   \n    indented\na – b ‘c’\n");
    lab.home.write("ctx.py", "def f():\n    return 1\n\ndef g():\n    return 1\n");
    lab.home.write("end.txt", "x\ny\nx\n");
    lab.home.write("crlf.txt", "c1\r\nc2\r\n");
    lab.home.write("open.txt", "first\nlast");
    let client = lab.start();
    let lines = [
        "*** Update File: ws.txt",
        "@@",
        "-trail",
        "+TRAIL",
        "@@",
        "-indented",
        "+IND",
        "@@",
        "-a - b 'c'",
        "+dash",
        "*** Update File: ctx.py",
        "@@ def g():",
        "-    return 1",
        "+    return 2",
        "*** Update File: end.txt",
        "@@",
        "-x",
        "+last",
        "*** End of File",
        "*** Update File: crlf.txt",
        "@@",
        "-c1",
        "+C1",
        " c2",
        "*** Update File: open.txt",
        "@@",
        "-last",
        "+LAST",
    ];
    play(&lab, &client, vec![ev::patch("p", &lines)]);
    for (name, text) in [
        ("ws.txt", "TRAIL\nIND\ndash\n"),
        ("ctx.py", "def f():\n    return 1\n\ndef g():\n    return 2\n"),
        ("end.txt", "x\ny\nlast\n"),
        ("crlf.txt", "C1\r\nc2\r\n"),
        ("open.txt", "first\nLAST\n"),
    ] {
        assert_eq!(lab.home.read(name), text, "{name}");
    }
}

#[test]
fn forms_in_which_the_shell_brings_it() {
    let lab = Lab::new();
    lab.home.write("sub/here", "");
    let client = lab.start();
    let body = |n: usize| format!("*** Begin Patch\n*** Add File: n{n}\n+x\n*** End Patch");
    let scripts = [
        ("apply_patch <<'EOF'\n", "\nEOF\n"),
        ("apply_patch <<EOF\n", "\nEOF"),
        ("apply_patch <<\"PATCH\"\n", "\nPATCH\n"),
        ("applypatch <<'EOF'\n", "\nEOF"),
        ("cd sub && apply_patch <<'EOF'\n", "\nEOF\n"),
    ];
    let mut steps: Vec<Vec<Value>> = Vec::new();
    for (n, (head, tail)) in scripts.iter().enumerate() {
        steps.push(ev::shell(&format!("c{n}"), &format!("{head}{}{tail}", body(n))));
    }
    let patch = format!("apply_patch <<'EOF'\n{}\nEOF\n", body(5));
    steps.push(ev::shell_with("c5", &patch, &json!({"workdir": "sub"})));
    steps.push(ev::shell("bare", &body(6)));
    play(&lab, &client, steps);
    let paths: Vec<Value> =
        client.items("fileChange").iter().map(|i| i["changes"][0]["path"].clone()).collect();
    assert_eq!(paths, ["n0", "n1", "n2", "n3", "sub/n4", "sub/n5"].map(|name| lab.home.path(name)));
    assert!(client.items("commandExecution").is_empty());
    assert!(lab.model.last().output("bare").contains("apply_patch") && !lab.home.exists("n6"));
}

#[test]
fn the_diff_of_the_turn_adds_up() {
    let lab = Lab::new();
    lab.home.write(".git/HEAD", "ref: refs/heads/main\n");
    lab.home.write("a.txt", "one\n");
    let client = lab.start();
    play(
        &lab,
        &client,
        vec![
            ev::patch(
                "p1",
                &["*** Update File: a.txt", "@@", "-one", "+two", "*** Add File: b.txt", "+b"],
            ),
            ev::patch("p2", &["*** Delete File: b.txt"]),
        ],
    );
    let diffs: Vec<String> = client
        .notes("turn/diff/updated")
        .iter()
        .map(|p| p["diff"].as_str().unwrap().to_owned())
        .collect();
    let first = "diff --git a/a.txt b/a.txt\nindex 5626abf0f72e58d7a153368ba57db4c673c0e171..\
        f719efd430d52bcfc8566a43b2eb655688d38871\n--- a/a.txt\n+++ b/a.txt\n@@ -1 +1 @@\n-one\n+two\n";
    assert!(diffs[0].starts_with(first), "{}", diffs[0]);
    assert!(
        diffs[0].contains("new file mode 100644\n")
            && diffs[0].contains("--- /dev/null\n+++ b/b.txt\n")
    );
    assert_eq!(diffs.last().unwrap(), first, "the new file is gone again");
}

#[test]
fn a_patch_is_shown_while_it_is_written() {
    let tables = "[features]\napply_patch_streaming_events = true".to_owned();
    let model = json!({"apply_patch_tool_type": "freeform"});
    let lab = Lab::describing(&model, Config { tables, ..Config::default() });
    let pieces = ["*** Begin Patch\n*** Add File: n.txt\n+hel", "lo\n+world\n", "*** End Patch"];
    let call = |input: &str| json!({"type": "custom_tool_call", "id": "ctc_1", "call_id": "call-1", "name": "apply_patch", "input": input});
    let mut events = vec![ev::created(), ev::added(&call(""))];
    events.extend(pieces.map(|piece| {
        json!({"type": "response.custom_tool_call_input.delta", "item_id": "ctc_1", "delta": piece})
    }));
    events.extend([ev::done(&call(&pieces.concat())), ev::completed()]);
    let client = lab.start();
    let thread = play(&lab, &client, vec![events]);
    let shown = client.notes("item/fileChange/patchUpdated");
    let change = |diff: &str| json!([{"path": "n.txt", "kind": {"type": "add"}, "diff": diff}]);
    assert_eq!((&shown[0]["changes"], &shown[0]["itemId"]), (&change(""), &json!("call-1")));
    assert_eq!(shown.last().unwrap()["changes"], change("hello\nworld\n"));
    assert_eq!(shown[0]["threadId"], thread.as_str());
    let heard = client.heard();
    let last = heard.iter().rposition(|method| method == "item/fileChange/patchUpdated");
    let started = client.item_started("fileChange");
    assert_eq!(started["changes"][0]["path"], lab.home.path("n.txt"));
    let completed = heard.iter().rposition(|method| method == "item/completed");
    assert!(last < completed, "{heard:?}");
}

#[test]
fn a_patch_that_is_being_written_is_not_shown_by_default() {
    let lab = Lab::describing(&json!({"apply_patch_tool_type": "freeform"}), Config::default());
    let text = "*** Begin Patch\n*** Add File: n.txt\n+x\n*** End Patch";
    let call =
        json!({"type": "custom_tool_call", "call_id": "c", "name": "apply_patch", "input": text});
    let delta = json!({"type": "response.custom_tool_call_input.delta", "delta": text});
    let client = lab.start();
    let events = vec![ev::created(), ev::added(&call), delta, ev::done(&call), ev::completed()];
    play(&lab, &client, vec![events]);
    assert!(client.notes("item/fileChange/patchUpdated").is_empty());
    assert_eq!(client.items("fileChange").len(), 1);
}
