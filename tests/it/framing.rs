//! JSONL framing and the decoding of requests.

use std::time::Duration;

use serde_json::{Value, json};

use crate::harness::schema::has;
use crate::harness::{Client, Lab, ours_only};

const PING: &str = r#""method":"thread/loaded/list","params":{}"#;

/// Sends this as one write and expects an ordinary answer to the id.
#[track_caller]
fn served(client: &Client, bytes: impl AsRef<[u8]>, id: impl Into<Value>) {
    client.raw(bytes);
    assert_eq!(client.answer(id).unwrap(), json!({"data": [], "nextCursor": null}));
}

#[test]
fn lines_that_are_no_message_are_dropped() {
    let lab = Lab::new();
    let client = lab.start();
    for junk in [
        "",
        "   ",
        "\r",
        "not json",
        "42",
        "[]",
        "{}",
        r#""text""#,
        "null",
        r#"{"method":"thread/loaded/list","params":{}}"#,
        r#"{"method":"no/such/notification"}"#,
        r#"{"id":99,"result":{}}"#,
        r#"{"id":99,"error":{"code":1,"message":"x"}}"#,
    ] {
        client.raw(format!("{junk}\n"));
    }
    let mark = client.mark();
    client.request("thread/loaded/list", json!({}));
    assert_eq!(client.since(mark), "-> thread/loaded/list\n<= thread/loaded/list");
}

#[test]
fn undecodable_messages_leave_the_connection_alone() {
    let lab = Lab::new();
    let client = lab.start();
    for junk in [
        "{\"id\":5}".to_owned(),
        format!("[{{\"id\":5,{PING}}}]"),
        format!("{{\"id\":null,{PING}}}"),
        format!("{{\"id\":1.5,{PING}}}"),
        format!("{{\"id\":true,{PING}}}"),
        format!("{{\"id\":{{}},{PING}}}"),
        format!("{{\"id\":99999999999999999999,{PING}}}"),
        format!("{{\"id\":7,{PING}}}{{\"id\":8,{PING}}}"),
    ] {
        client.raw(format!("{junk}\n"));
    }
    served(&client, format!("{{\"id\":\"after\",{PING}}}\n"), "after");
}

#[test]
fn spelling_variants_are_fine() {
    let lab = Lab::new();
    let client = lab.start();
    served(&client, format!("{{\"id\":\"crlf\",{PING}}}\r\n"), "crlf");
    served(&client, format!("  \t{{\"id\":\"blanks\",{PING}}}  \n"), "blanks");
    served(&client, format!("\n\n\r\n{{\"id\":\"empty\",{PING}}}\n"), "empty");
    served(
        &client,
        format!("{{\"jsonrpc\":\"2.0\",\"extra\":{{\"x\":1}},\"id\":\"more\",{PING}}}\n"),
        "more",
    );
    served(
        &client,
        "{\"id\":\"field\",\"method\":\"thread/loaded/list\",\"params\":{\"noSuch\":[1]}}\n",
        "field",
    );
    served(&client, format!("{{{PING},\"id\":\"last\"}}\n"), "last");
}

#[test]
fn a_line_may_come_in_any_number_of_writes() {
    let lab = Lab::new();
    let client = lab.start();
    let line = format!("{{\"id\":\"parts €\",{PING}}}\n").into_bytes();
    for byte in &line[..20] {
        client.raw([*byte]);
    }
    std::thread::sleep(Duration::from_millis(20));
    client.raw(&line[20..30]);
    let mut rest = line[30..].to_vec();
    rest.extend_from_slice(b"{\"id\":\"next\",\"method\":\"thread/load");
    served(&client, rest, "parts €");
    served(&client, "ed/list\",\"params\":{}}\n", "next");
}

#[test]
fn ids_come_back_as_they_were() {
    let lab = Lab::new();
    let client = lab.start();
    let long = "x".repeat(10_000);
    let ids = [
        json!(""),
        json!("x \"y\" €"),
        json!("7"),
        json!(long),
        json!(0),
        json!(-9),
        json!(i64::MAX),
        json!(i64::MIN),
    ];
    for id in ids {
        served(&client, format!("{{\"id\":{id},{PING}}}\n"), id);
    }
}

#[test]
fn bad_requests_are_refused_with_the_reason() {
    let lab = Lab::new();
    let client = lab.start();
    for (method, params, reason) in [
        ("thread/list", json!(null), "missing field `params`"),
        ("thread/list", json!({"limit": "x"}), "invalid type: string \"x\", expected u32"),
        ("thread/read", json!({}), "missing field `threadId`"),
        ("turn/start", json!({"threadId": "x"}), "missing field `input`"),
        ("turn/steer", json!({"threadId": "x", "input": []}), "missing field `expectedTurnId`"),
        ("memory/reset", json!({"a": 1}), "invalid type: map, expected unit"),
    ] {
        if !has(method) {
            continue;
        }
        let error = client.refuse(method, params);
        assert_eq!(
            (error.code, error.message),
            (-32600, format!("Invalid request: {reason}")),
            "{method}"
        );
        assert_eq!(error.data, Value::Null);
    }
    let unknown = client.refuse("no/such/method", json!({}));
    let start = "Invalid request: unknown variant `no/such/method`";
    assert!(unknown.code == -32600 && unknown.message.starts_with(start), "{unknown:?}");
    let value = client.refuse("thread/start", json!({"sandbox": "bogus"}));
    assert!(
        value.message.starts_with("Invalid request: unknown variant `bogus`, expected "),
        "{value:?}"
    );
    let roots = client.refuse("thread/start", json!({"runtimeWorkspaceRoots": ["relative"]}));
    let absolute = "Invalid request: AbsolutePathBuf deserialized without a base path";
    assert_eq!(roots.message, absolute);
}

#[test]
fn a_line_of_64_mebibytes_is_one_message() {
    let lab = Lab::new();
    let client = lab.start();
    let mut line = format!("{{\"id\":\"big\",{PING},\"padding\":\"").into_bytes();
    line.resize(64 * 1024 * 1024, b'x');
    line.extend_from_slice(b"\"}\n");
    served(&client, line, "big");
}

#[test]
fn a_hundred_requests_in_one_write_are_all_answered() {
    let lab = Lab::new();
    let client = lab.start();
    let lines: String = (0..100).map(|n| format!("{{\"id\":\"p{n}\",{PING}}}\n")).collect();
    client.raw(lines);
    for n in 0..100 {
        client.answer(format!("p{n}")).unwrap();
    }
}

#[test]
fn every_notification_has_the_same_envelope() {
    let lab = Lab::new();
    let client = lab.start();
    client.thread();
    let note = client.wait("notification", |m| m.get("method").is_some());
    let members: Vec<&String> = note.as_object().unwrap().keys().collect();
    assert_eq!(members.len(), 3, "{members:?}");
    let now =
        std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_millis();
    assert!(now.abs_diff(u128::from(note["emittedAtMs"].as_u64().unwrap())) < 60_000);
}

#[test]
fn the_last_line_needs_no_newline() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    client.raw(format!("{{\"id\":\"last\",{PING}}}"));
    assert!(client.close().success());
    client.answer("last").unwrap();
}

#[test]
fn what_was_sent_before_the_end_of_input_is_answered() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    let ids: Vec<i64> = (0..20).map(|_| client.post("thread/loaded/list", json!({}))).collect();
    assert!(client.close().success());
    for id in ids {
        client.answer(id).unwrap();
    }
}

#[test]
fn invalid_utf8_is_one_bad_line() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    client
        .raw(b"{\"id\":\"\xff\xfe\",\"method\":\"thread/loaded/list\",\"params\":{}}\n\xc3\x28\n");
    served(&client, format!("{{\"id\":\"after\",{PING}}}\n"), "after");
}

#[test]
fn a_flood_is_answered_to_the_last_request() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    let lines: String = (0..3000).map(|n| format!("{{\"id\":\"f{n}\",{PING}}}\n")).collect();
    client.raw(lines);
    for n in 0..3000 {
        // Busy is an answer, too; silence is not.
        drop(client.answer(format!("f{n}")));
    }
}
