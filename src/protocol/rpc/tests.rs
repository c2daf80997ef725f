//! Messages from lines, and lines that are none.

use super::*;

#[track_caller]
fn kind(line: &str) -> String {
    match classify(line.as_bytes()) {
        Ok(Message::Request { id, method, params }) => {
            format!("request {id:?} {method} {}", params.map_or("-", RawValue::get))
        }
        Ok(Message::Notification { method }) => format!("notification {method}"),
        Ok(Message::Response { id, result: Ok(result) }) => format!("result {id:?} {result}"),
        Ok(Message::Response { id, result: Err(error) }) => format!("error {id:?} {error}"),
        Err(_) => "dropped".to_owned(),
    }
}

#[test]
fn messages() {
    for (line, expected) in [
        (r#"{"id":1,"method":"a","params":{"b":1}}"#, r#"request Integer(1) a {"b":1}"#),
        (r#"{"id":"","method":"a","params":null}"#, r#"request String("") a -"#),
        (
            r#"{"jsonrpc":"2.0","id":-9223372036854775808,"method":"a"}"#,
            "request Integer(-9223372036854775808) a -",
        ),
        (r#"{"id":1,"method":"a","method":"b","id":2}"#, "request Integer(2) b -"),
        (r#"{"method":"a","params":[1]}"#, "notification a"),
        (r#"{"m\u0065thod":"\u0061"}"#, "notification a"),
        (r#"{"id":3,"result":null}"#, "result Integer(3) null"),
        (r#"{"id":3,"result":{},"error":{}}"#, "result Integer(3) {}"),
        (r#"{"error":{"code":1},"id":"x"}"#, r#"error String("x") {"code":1}"#),
        (r#" {"id":1,"method":"a"} "#, "request Integer(1) a -"),
    ] {
        assert_eq!(kind(line), expected, "{line}");
    }
}

#[test]
fn what_is_no_message() {
    for line in [
        "",
        " ",
        "{",
        "1",
        "null",
        r#""x""#,
        "{}",
        "[]",
        r#"[{"id":1,"method":"a"}]"#,
        r#"[1,"a"]"#,
        r#"{"id":5}"#,
        r#"{"result":5}"#,
        r#"{"id":1,"method":"a"}x"#,
        r#"{"id":1,"method":"a"}{}"#,
        r#"{"id":1,"method":5}"#,
        r#"{"id":null,"method":"a"}"#,
        r#"{"id":1.5,"method":"a"}"#,
        r#"{"id":true,"method":"a"}"#,
        r#"{"id":{},"method":"a"}"#,
        r#"{"id":9223372036854775808,"method":"a"}"#,
        r#"{"id":1e400,"method":"a"}"#,
    ] {
        assert_eq!(kind(line), "dropped", "{line}");
    }
    assert!(classify(b"{\"id\":1,\"method\":\"\xff\"}").is_err());
}

#[test]
fn lines() {
    let id = RequestId::String("a\"b".to_owned());
    let text = |line: Vec<u8>| String::from_utf8(line).unwrap();
    assert_eq!(text(response(&id, &[1])), "{\"id\":\"a\\\"b\",\"result\":[1]}\n");
    assert_eq!(
        text(request(&RequestId::Integer(7), "m", &())),
        "{\"method\":\"m\",\"id\":7,\"params\":null}\n"
    );
    assert_eq!(
        text(notification("m", &"p", 5)),
        "{\"method\":\"m\",\"params\":\"p\",\"emittedAtMs\":5}\n"
    );
    let refusal = RpcError { code: -32600, message: "no".to_owned(), data: None };
    assert_eq!(
        text(error(&id, &refusal)),
        "{\"error\":{\"code\":-32600,\"message\":\"no\"},\"id\":\"a\\\"b\"}\n"
    );
}

#[test]
fn a_value_that_json_lacks_costs_itself_only() {
    let line = response(&RequestId::Integer(1), &std::collections::BTreeMap::from([((), 1)]));
    assert_eq!(line, b"{\"id\":1,\"result\":null}\n");
}
