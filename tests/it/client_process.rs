//! What clients run for themselves: `command/exec` and `process/*`.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::harness::server::{runs, until};
use crate::harness::{Client, Lab};

/// The output that was streamed so far.
fn streamed(client: &Client, method: &str) -> String {
    let deltas = client
        .notes(method)
        .into_iter()
        .map(|delta| STANDARD.decode(delta["deltaBase64"].as_str().unwrap()).unwrap());
    String::from_utf8(deltas.flatten().collect()).unwrap()
}

fn shell(script: &str, more: Value) -> Value {
    let mut params = json!({"command": ["sh", "-c", script]});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

#[test]
fn a_command_is_answered_with_its_end() {
    let lab = Lab::new();
    let client = lab.start();
    let run = |script, more| client.request("command/exec", shell(script, more));
    assert_eq!(
        run("echo out; echo err >&2; exit 3", json!({})),
        json!({"exitCode": 3, "stdout": "out\n", "stderr": "err\n"})
    );
    assert_eq!(run("echo a; sleep 60", json!({"timeoutMs": 200}))["exitCode"], 124);
    assert_eq!(run("printf 012345", json!({"outputBytesCap": 4}))["stdout"], "0123");
}

#[test]
fn input_is_written_in_order_and_a_name_is_free_after_the_end() {
    let lab = Lab::new();
    let client = lab.start();
    let named = json!({"processId": "p", "streamStdin": true, "streamStdoutStderr": true});
    for _ in 0..2 {
        let mark = client.mark();
        let request = client.post("command/exec", shell("cat", named.clone()));
        for text in ["one ", "two "] {
            let delta = STANDARD.encode(text);
            client.post("command/exec/write", json!({"processId": "p", "deltaBase64": delta}));
        }
        client.request("command/exec/write", json!({"processId": "p", "closeStdin": true}));
        let end = client.answer(request).unwrap();
        assert_eq!(end, json!({"exitCode": 0, "stdout": "", "stderr": ""}));
        assert!(client.since(mark).contains("command/exec/outputDelta"));
    }
    assert_eq!(streamed(&client, "command/exec/outputDelta"), "one two one two ");
}

#[test]
fn a_process_at_a_terminal_tells_its_end() {
    let lab = Lab::new();
    let client = lab.start();
    let params = json!({
        "cwd": lab.home.work(), "processHandle": "p", "tty": true,
        "size": {"rows": 20, "cols": 90}, "timeoutMs": null,
    });
    client.request("process/spawn", shell("stty size; read x; stty size; sleep 60", params));
    let text = || streamed(&client, "process/outputDelta");
    until("the first size", || text().contains("20 90").then_some(()));
    let size = json!({"rows": 33, "cols": 44});
    client.request("process/resizePty", json!({"processHandle": "p", "size": size}));
    client.request("process/writeStdin", json!({"processHandle": "p", "deltaBase64": "Cg=="}));
    until("the second size", || text().contains("33 44").then_some(()));
    client.request("process/kill", json!({"processHandle": "p"}));
    assert_eq!(client.note("process/exited")["exitCode"], 137);
}

#[test]
fn processes_end_with_the_connection() {
    let lab = Lab::new();
    let client = lab.start();
    let marker = "61.00917";
    let params = json!({"cwd": lab.home.work(), "processHandle": "p", "timeoutMs": null});
    client.request("process/spawn", shell(&format!("sleep {marker} & wait"), params));
    until("the child of the process", || runs(marker).then_some(()));
    client.close();
    until("its end", || (!runs(marker)).then_some(()));
}
