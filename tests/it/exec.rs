//! Commands of the model: items, exit codes, output, terminals, background.

use serde_json::{Value, json};

use crate::harness::server::{runs, until};
use crate::harness::{Client, Lab, Step, ev, waits_for};

/// Runs one turn of these steps in a thread of its own and returns the thread.
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

/// The completed item of a call.
#[track_caller]
fn item(client: &Client, call: &str) -> Value {
    let items = client.items("commandExecution");
    items
        .into_iter()
        .find(|item| item["id"] == call)
        .unwrap_or_else(|| panic!("no completed item {call}"))
}

#[test]
fn the_item_of_a_command() {
    let lab = Lab::new();
    let client = lab.start();
    play(&lab, &client, vec![ev::shell("call-1", "echo one; exit 3")]);
    let started = client.item_started("commandExecution");
    let done = item(&client, "call-1");
    let mut wanted = json!({
        "type": "commandExecution", "id": "call-1", "pluginId": null, "scriptPath": null,
        "command": done["command"], "cwd": lab.home.work(), "processId": done["processId"],
        "source": "unifiedExecStartup", "status": "failed",
        "commandActions": [{"type": "unknown", "command": "echo one; exit 3"}],
        "aggregatedOutput": "one\n", "exitCode": 3, "durationMs": done["durationMs"],
        "startedAtMs": done["startedAtMs"], "completedAtMs": done["completedAtMs"]});
    assert_eq!(done, wanted);
    assert!(
        done["command"].as_str().unwrap().ends_with(" -lc 'echo one; exit 3'"),
        "the user's shell"
    );
    assert!(
        done["processId"].as_str().unwrap().parse::<u32>().is_ok() && done["durationMs"].is_i64()
    );
    for key in ["aggregatedOutput", "exitCode", "durationMs", "completedAtMs"] {
        wanted[key] = Value::Null;
    }
    wanted["status"] = json!("inProgress");
    assert_eq!(without_absent(started), without_absent(wanted));
}

/// Members that are null, and members that are not there, are the same to clients.
fn without_absent(mut item: Value) -> Value {
    item.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    item
}

#[test]
fn exit_codes() {
    let lab = Lab::new();
    let client = lab.start();
    let commands =
        [("a", "exit 3"), ("b", "no-such-command-x"), ("c", "kill -9 $$"), ("d", "true")];
    let items: Vec<Value> =
        commands.iter().map(|(call, script)| ev::command(call, script, &Value::Null)).collect();
    play(&lab, &client, vec![ev::items(&items)]);
    for (call, status, code) in
        [("a", "failed", 3), ("b", "failed", 127), ("c", "failed", 137), ("d", "completed", 0)]
    {
        let item = item(&client, call);
        assert_eq!((&item["status"], &item["exitCode"]), (&json!(status), &json!(code)), "{call}");
        assert!(
            lab.model.last().output(call).contains(&format!("\nProcess exited with code {code}\n"))
        );
    }
    assert_eq!(item(&client, "d")["aggregatedOutput"], Value::Null);
}

#[test]
fn what_the_model_is_told() {
    let lab = Lab::new();
    let client = lab.start();
    play(&lab, &client, vec![ev::shell("call-1", "echo out; echo err >&2; exit 3")]);
    let last = lab.model.last();
    let lines: Vec<&str> = last.output("call-1").lines().collect();
    assert!(
        lines[0].starts_with("Chunk ID: ") && lines[0].len() == "Chunk ID: 123456".len(),
        "{lines:?}"
    );
    assert!(lines[1].starts_with("Wall time: ") && lines[1].ends_with(" seconds"), "{lines:?}");
    assert_eq!(lines[2..5], ["Process exited with code 3", "Original token count: 2", "Output:"]);
    let mut output = lines[5..].to_vec();
    output.sort_unstable();
    assert_eq!(output, ["err", "out"], "both streams, in any order");
}

#[test]
fn output_comes_in_deltas() {
    let lab = Lab::new();
    let client = lab.start();
    play(
        &lab,
        &client,
        vec![ev::shell("call-1", "sleep 0.25; echo first; sleep 0.1; echo second >&2")],
    );
    assert_eq!(item(&client, "call-1")["aggregatedOutput"], "first\nsecond\n");
    let deltas = client.notes("item/commandExecution/outputDelta");
    let text: String = deltas.iter().map(|p| p["delta"].as_str().unwrap()).collect();
    assert_eq!(text, "first\nsecond\n");
}

#[test]
fn invalid_bytes_become_replacement_characters() {
    let lab = Lab::new();
    let client = lab.start();
    play(&lab, &client, vec![ev::shell("call-1", r"printf 'a\xff\xfeb \xe2\x82\xac\n'")]);
    assert_eq!(item(&client, "call-1")["aggregatedOutput"], "a\u{fffd}\u{fffd}b €\n");
}

#[test]
fn large_output_is_cut_for_the_client_and_more_for_the_model() {
    let lab = Lab::new();
    let client = lab.start();
    let limited =
        ev::shell_with("small", "seq 1 5000; echo END", &json!({"max_output_tokens": 50}));
    play(
        &lab,
        &client,
        vec![
            ev::shell("big", "echo HEAD; head -c 3000000 /dev/zero | tr '\\0' x; echo TAIL"),
            limited,
        ],
    );
    let kept = item(&client, "big")["aggregatedOutput"].as_str().unwrap().to_owned();
    assert!(kept.len() >= 1024 * 1024 && kept.len() < 1024 * 1024 + 200, "{}", kept.len());
    assert!(kept.starts_with("HEAD\n") && kept.ends_with("TAIL\n"));
    assert!(
        kept.contains("\n... 1951434 bytes omitted ...\n"),
        "{}",
        &kept[512 * 1024 - 20..512 * 1024 + 60]
    );
    let last = lab.model.last();
    let (big, small) = (last.output("big"), last.output("small"));
    assert!(
        big.len() < 50_000
            && big.contains("HEAD")
            && big.contains("TAIL")
            && big.contains("truncated")
    );
    assert!(small.len() < 900 && small.contains("END") && small.contains("\n1\n2\n"), "{small}");
}

#[test]
fn folders_and_shells() {
    let lab = Lab::new();
    lab.home.write("sub/file", "");
    let client = lab.start();
    let items = [
        ev::command("relative", "pwd", &json!({"workdir": "sub"})),
        ev::command("absolute", "pwd", &json!({"workdir": "/"})),
        ev::command("plain", "pwd", &json!({"login": false, "workdir": ""})),
        ev::command("sh", "pwd", &json!({"shell": "/bin/sh"})),
        ev::command("gone", "pwd", &json!({"workdir": "missing"})),
    ];
    play(&lab, &client, vec![ev::items(&items)]);
    let work = lab.home.path("");
    let work = work.trim_end_matches('/');
    for (call, folder, end) in [
        ("relative", format!("{work}/sub"), "sh -lc pwd"),
        ("absolute", "/".to_owned(), "sh -lc pwd"),
        ("plain", work.to_owned(), "sh -c pwd"),
        ("sh", work.to_owned(), "/sh -lc pwd"),
    ] {
        let item = item(&client, call);
        assert_eq!(item["aggregatedOutput"], format!("{folder}\n"), "{call}");
        assert_eq!(item["cwd"], folder, "{call}");
        assert!(item["command"].as_str().unwrap().ends_with(end), "{item}");
    }
    let gone = item(&client, "gone");
    assert_eq!((&gone["status"], &gone["exitCode"]), (&json!("failed"), &json!(-1)));
    assert!(lab.model.last().output("gone").contains("No such file or directory"));
}

#[test]
fn calls_that_cannot_run_are_answered() {
    let lab = Lab::new();
    let client = lab.start();
    let items = [
        ev::function("json", "exec_command", &json!("{not json")),
        ev::function("missing", "exec_command", &json!({})),
        ev::function("type", "exec_command", &json!({"cmd": 5})),
        ev::function("unknown", "no_such_tool", &json!({})),
        ev::function("session", "write_stdin", &json!({"session_id": 424_242, "chars": "x"})),
        ev::command("extra", "echo fine", &json!({"surprise": 1})),
    ];
    play(&lab, &client, vec![ev::items(&items)]);
    let last = lab.model.last();
    for call in ["json", "missing", "type"] {
        assert!(
            last.output(call).starts_with("failed to parse function arguments: "),
            "{}",
            last.output(call)
        );
    }
    assert_eq!(last.output("unknown"), "unsupported call: no_such_tool");
    assert_eq!(last.output("session"), "write_stdin failed: Unknown process id 424242");
    assert!(last.output("extra").ends_with("Output:\nfine\n"));
    assert_eq!(client.items("commandExecution").len(), 1, "only what ran is an item");
}

#[test]
fn calls_of_one_response_run_together_and_are_answered_in_order() {
    let lab = Lab::new();
    let client = lab.start();
    // Each waits for the next one's file, so that they only end when all run at once.
    let items = [
        ev::command("c0", "touch f0; until test -e f1; do sleep 0.02; done", &Value::Null),
        ev::command("c1", "touch f1; until test -e f2; do sleep 0.02; done", &Value::Null),
        ev::command("c2", "touch f2; until test -e f0; do sleep 0.02; done", &Value::Null),
    ];
    play(&lab, &client, vec![ev::items(&items)]);
    let wanted = ["function_call c0", "function_call c1", "function_call c2"].into_iter().chain([
        "function_call_output c0",
        "function_call_output c1",
        "function_call_output c2",
    ]);
    assert_eq!(lab.model.last().calls(), wanted.collect::<Vec<_>>());
}

/// A step that writes to the session which an earlier answer names.
fn write_stdin(call: &'static str, to: &'static str, more: Value) -> Step {
    Step::Ask(Box::new(move |request| {
        let text = request.output(to);
        let (_, rest) = text.split_once("Process running with session ID ").unwrap();
        let session: u32 = rest.lines().next().unwrap().parse().unwrap();
        let mut arguments = json!({"session_id": session});
        arguments.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ev::call(call, "write_stdin", &arguments).into()
    }))
}

#[test]
fn a_command_goes_on_in_the_background_and_is_polled() {
    let lab = Lab::new();
    let early = json!({"yield_time_ms": 250});
    lab.model.reply(ev::shell_with(
        "call-1",
        "until test -e go; do sleep 0.02; done; echo late",
        &early,
    ));
    lab.model.reply(Step::Ask(Box::new({
        let go = lab.home.work().join("go");
        move |request| {
            std::fs::write(go, "").unwrap();
            let Step::Ask(decide) = write_stdin("poll", "call-1", json!({})) else {
                unreachable!()
            };
            decide(request)
        }
    })));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let last = lab.model.last();
    assert!(
        !last.output("call-1").contains("late") && last.output("poll").ends_with("Output:\nlate\n")
    );
    let item = item(&client, "call-1");
    assert_eq!((&item["exitCode"], &item["aggregatedOutput"]), (&json!(0), &json!("late\n")));
}

#[test]
fn a_terminal_is_written_to() {
    let lab = Lab::new();
    let terminal = json!({"tty": true, "yield_time_ms": 300});
    lab.model.reply(ev::shell_with(
        "call-1",
        "test -t 0 && echo terminal; read x; echo got:$x",
        &terminal,
    ));
    lab.model.reply(write_stdin("in", "call-1", json!({"chars": "hello\n"})));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let last = lab.model.last();
    assert!(last.output("call-1").contains("terminal") && last.output("in").contains("got:hello"));
    let item = client.item_completed("commandExecution");
    assert_eq!(item["aggregatedOutput"], "terminal\r\nhello\r\ngot:hello\r\n");
    let spoken = client.note("item/commandExecution/terminalInteraction");
    assert_eq!((&spoken["itemId"], &spoken["stdin"]), (&json!("call-1"), &json!("hello\n")));
    assert_eq!(spoken["processId"], item["processId"]);
}

#[test]
fn without_a_terminal_there_is_no_input_but_an_interrupt() {
    let lab = Lab::new();
    let early = json!({"yield_time_ms": 250});
    lab.model.reply(ev::shell_with("call-1", "echo up; sleep 60", &early));
    lab.model.reply(write_stdin("text", "call-1", json!({"chars": "hello\n"})));
    lab.model.reply(write_stdin(
        "stop",
        "call-1",
        json!({"chars": "\u{3}", "yield_time_ms": 5000}),
    ));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let refused = "write_stdin failed: stdin is closed for this session; rerun exec_command with tty=true to keep \
        stdin open";
    assert_eq!(lab.model.last().output("text"), refused);
    let item = client.item_completed("commandExecution");
    assert_eq!((&item["exitCode"], &item["aggregatedOutput"]), (&json!(130), &json!("up\n")));
}

#[test]
fn background_terminals_are_listed_and_ended() {
    waits_for!("thread/backgroundTerminals/list");
    let lab = Lab::new();
    let client = lab.start();
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    let early = json!({"yield_time_ms": 250});
    let script = format!("echo up; exec -a {marker} sleep 60");
    let thread = play(&lab, &client, vec![ev::shell_with("call-1", &script, &early)]);
    assert!(runs(&marker), "it outlives its turn");
    let list = client.request("thread/backgroundTerminals/list", json!({"threadId": thread}));
    let row = &list["data"][0];
    assert_eq!(
        (&row["itemId"], &row["command"], &row["cwd"]),
        (&json!("call-1"), &json!(script), &json!(lab.home.work()))
    );
    let terminate = json!({"threadId": thread, "processId": row["processId"]});
    let answer = client.request("thread/backgroundTerminals/terminate", terminate.clone());
    assert_eq!(answer, json!({"terminated": true}));
    let item = client.item_completed("commandExecution");
    assert_eq!(
        json!([item["status"], item["exitCode"], item["aggregatedOutput"]]),
        json!(["failed", -1, "up\n"])
    );
    let answer = client.request("thread/backgroundTerminals/terminate", terminate);
    assert_eq!(answer, json!({"terminated": false}));
    until("end of the process", || (!runs(&marker)).then_some(()));
}

#[test]
fn secrets_are_not_shown_in_commands() {
    let lab = Lab::new();
    let client = lab.start();
    let key = "sk-abcdefghijklmnopqrstuvwxyz0123456789ABCD";
    play(&lab, &client, vec![ev::shell("call-1", &format!("echo {key}"))]);
    let item = item(&client, "call-1");
    assert!(item["command"].as_str().unwrap().ends_with(" -lc 'echo [REDACTED_SECRET]'"), "{item}");
    assert_eq!(item["commandActions"][0]["command"], "echo [REDACTED_SECRET]");
    assert_eq!(item["aggregatedOutput"], format!("{key}\n"));
}

#[test]
fn what_commands_find_in_their_environment() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = play(&lab, &client, vec![ev::shell("call-1", "env")]);
    let output = item(&client, "call-1")["aggregatedOutput"].as_str().unwrap().to_owned();
    let own = format!("CODEX_THREAD_ID={thread}");
    for line in
        [own.as_str(), "CODEX_CI=1", "NO_COLOR=1", "PAGER=cat", "GIT_PAGER=cat", "LANG=C.UTF-8"]
    {
        assert!(output.lines().any(|l| l == line), "{line} is not in\n{output}");
    }
}
