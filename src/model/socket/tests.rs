//! Requests over one connection, and what happens when there is none.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio_tungstenite::accept_async;

use super::*;
use crate::model::Conversation;
use crate::model::request::{Body, Form};
use crate::model::tests::client;

/// What the server does with a message: answers with these events, or hangs up.
enum Step {
    Say(Vec<Value>),
    HangUp,
}

struct Server {
    provider: Arc<Provider>,
    /// The messages that came, each with the number of its connection.
    heard: mpsc::Receiver<(usize, Value)>,
}

impl Server {
    async fn start(steps: Vec<Step>, settings: &Value) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut table = json!({"base_url": format!("http://{}/v1", listener.local_addr().unwrap()),
            "supports_websockets": true, "request_max_retries": 0});
        table.as_object_mut().unwrap().extend(settings.as_object().unwrap().clone());
        let provider = Provider::from_settings("mine", serde_json::from_value(table).unwrap());
        let (tell, heard) = mpsc::channel(64);
        tokio::spawn(async move {
            let mut steps = VecDeque::from(steps);
            for connection in 1.. {
                let (stream, _) = listener.accept().await.unwrap();
                let Ok(mut socket) = accept_async(stream).await else { continue };
                while let Some(Ok(Message::Text(text))) = socket.next().await {
                    let message = serde_json::from_str(&text).unwrap();
                    tell.send((connection, message)).await.unwrap();
                    let Some(Step::Say(events)) = steps.pop_front() else { break };
                    for event in events {
                        socket.send(Message::text(event.to_string())).await.unwrap();
                    }
                }
            }
        });
        Self { provider: Arc::new(provider), heard }
    }

    async fn heard(&mut self) -> (usize, Value) {
        timeout(Duration::from_secs(10), self.heard.recv()).await.unwrap().unwrap()
    }
}

fn items(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|text| json!({"type": "message", "text": text}).to_string()).collect()
}

async fn ask(
    server: &Server,
    conversation: &Conversation,
    input: &[String],
    model: &str,
) -> Vec<String> {
    let metadata = BTreeMap::from([("turn_id", input.len().to_string())]);
    let body = Body {
        form: Form::Plain,
        model,
        input: input.join(",").into(),
        tools: None,
        parallel_tool_calls: true,
        effort: None,
        summary: None,
        verbosity: None,
        output_schema: None,
        service_tier: None,
        prompt_cache_key: "t",
        client_metadata: &metadata,
    };
    let request =
        Request { conversation: conversation.clone(), body: body.encode(), ..Request::default() };
    let mut stream = client().stream(&server.provider, request);
    let mut told = Vec::new();
    while let Some(batch) = timeout(Duration::from_secs(10), stream.next()).await.unwrap() {
        for event in batch {
            told.push(if let StreamEvent::Failed(error) = event {
                format!("failed: {error}")
            } else {
                format!("{event:?}").split([' ', '(']).next().unwrap().to_owned()
            });
        }
    }
    told
}

fn said(item: &str) -> Value {
    json!({"type": "response.output_item.done", "item": serde_json::from_str::<Value>(item).unwrap()})
}

fn completed(id: &str) -> Value {
    json!({"type": "response.completed", "response": {"id": id}})
}

const ANSWER: &str = r#"{"content":[{"text":"one","type":"output_text"}],"id":"msg_1","role":"assistant","type":"message"}"#;

#[tokio::test]
async fn a_request_that_goes_on_sends_what_is_new() {
    let steps = vec![
        Step::Say(vec![said(ANSWER), completed("r1")]),
        Step::Say(vec![completed("r2")]),
        Step::Say(vec![completed("r3")]),
    ];
    let mut server = Server::start(steps, &json!({})).await;
    let conversation = Conversation::default();
    let mut input = items(&["a"]);
    assert_eq!(ask(&server, &conversation, &input, "m").await, ["ItemDone", "Completed"]);
    let (connection, first) = server.heard().await;
    assert_eq!((connection, &first["type"]), (1, &json!("response.create")));
    assert_eq!((&first["model"], first["input"].as_array().unwrap().len()), (&json!("m"), 1));
    assert_eq!(first.get("previous_response_id"), None);

    input.push(ANSWER.to_owned());
    input.extend(items(&["b"]));
    ask(&server, &conversation, &input, "m").await;
    let (connection, second) = server.heard().await;
    assert_eq!((connection, &second["previous_response_id"]), (1, &json!("r1")));
    assert_eq!(second["input"], json!([{"type": "message", "text": "b"}]));
    assert_eq!(second["client_metadata"]["turn_id"], "3");

    input.extend(items(&["c"]));
    ask(&server, &conversation, &input, "another").await;
    let (connection, third) = server.heard().await;
    assert_eq!((connection, third.get("previous_response_id")), (1, None));
    assert_eq!(third["input"].as_array().unwrap().len(), 4, "other settings are another request");
}

#[tokio::test]
async fn a_connection_that_was_closed_is_made_anew() {
    let steps =
        vec![Step::Say(vec![completed("r1")]), Step::HangUp, Step::Say(vec![completed("r2")])];
    let mut server = Server::start(steps, &json!({})).await;
    let conversation = Conversation::default();
    ask(&server, &conversation, &items(&["a"]), "m").await;
    assert_eq!(ask(&server, &conversation, &items(&["a", "b"]), "m").await, ["Completed"]);
    assert_eq!(server.heard().await.0, 1);
    assert_eq!(server.heard().await.1["previous_response_id"], "r1");
    let (connection, again) = server.heard().await;
    assert_eq!((connection, again.get("previous_response_id")), (2, None));
    assert_eq!(again["input"].as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn plain_http_follows_after_some_failures() {
    let steps = vec![Step::HangUp, Step::HangUp];
    let server = Server::start(steps, &json!({"stream_max_retries": 2})).await;
    let conversation = Conversation::default();
    let first = ask(&server, &conversation, &items(&["a"]), "m").await;
    assert_eq!(first.len(), 1, "{first:?}");
    assert!(first[0].starts_with("failed: stream disconnected"), "{first:?}");
    // The server knows no plain HTTP, which shows that it is asked that way.
    let second = ask(&server, &conversation, &items(&["a"]), "m").await;
    assert_eq!(second[0], "FellBack");
    let third = ask(&server, &conversation, &items(&["a"]), "m").await;
    assert!(third[0].starts_with("failed: "), "{third:?}");
}

#[tokio::test]
async fn refusals_are_those_of_http() {
    let refusal = json!({"type": "error", "status": 400, "error": {"message": "bad words"}});
    let server = Server::start(vec![Step::Say(vec![refusal])], &json!({})).await;
    let told = ask(&server, &Conversation::default(), &items(&["a"]), "m").await;
    assert_eq!(told, ["failed: bad words"]);
}

#[tokio::test]
async fn a_refused_request_is_not_sent_twice() {
    let busy = json!({"type": "error", "status": 429, "error": {"message": "slow"}});
    let failed = json!({"type": "response.failed",
        "response": {"error": {"code": "rate_limit_exceeded", "message": "slow"}}});
    for refusal in [busy, failed] {
        let steps = vec![
            Step::Say(vec![completed("r1")]),
            Step::Say(vec![refusal]),
            Step::Say(vec![completed("r2")]),
        ];
        let mut server = Server::start(steps, &json!({"stream_max_retries": 1})).await;
        let conversation = Conversation::default();
        ask(&server, &conversation, &items(&["a"]), "m").await;
        let refused = ask(&server, &conversation, &items(&["a", "b"]), "m").await;
        assert!(refused.len() == 1 && refused[0].starts_with("failed: "), "{refused:?}");
        // Neither was there a second try, nor does the refusal count against the connection.
        assert_eq!(ask(&server, &conversation, &items(&["a", "b"]), "m").await, ["Completed"]);
        let connections = [server.heard().await.0, server.heard().await.0, server.heard().await.0];
        assert_eq!(connections, [1, 1, 1]);
    }
}

#[tokio::test]
async fn a_connection_that_is_too_old_is_made_anew() {
    let old = json!({"type": "error", "status": 400,
        "error": {"code": "websocket_connection_limit_reached", "message": "too old"}});
    let steps = vec![
        Step::Say(vec![completed("r1")]),
        Step::Say(vec![old]),
        Step::Say(vec![completed("r2")]),
    ];
    let mut server = Server::start(steps, &json!({})).await;
    let conversation = Conversation::default();
    ask(&server, &conversation, &items(&["a"]), "m").await;
    assert_eq!(ask(&server, &conversation, &items(&["a", "b"]), "m").await, ["Completed"]);
    let connections = [server.heard().await.0, server.heard().await.0, server.heard().await.0];
    assert_eq!(connections, [1, 1, 2]);
}
