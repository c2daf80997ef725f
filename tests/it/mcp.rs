//! MCP servers: their tools in a turn, questions about them, and how long their processes live.

use serde_json::{Value, json};

use crate::harness::server::until;
use crate::harness::{Client, Config, Home, Lab, ev};

/// A server in a few lines of shell: it keeps what it is told, and its tools are named by what they do.
const SERVER: &str = r#"
log=$1
echo start >> "$log"
answer() { printf '{"jsonrpc":"2.0","id":%s,"result":%s}\n' "$id" "$1"; }
said() { answer "{\"content\":[{\"type\":\"text\",\"text\":\"$1\"}]}"; }
read_only='{"readOnlyHint":true}'
tool() { printf '{"name":"%s","description":"A tool.","inputSchema":{"type":"object"},"annotations":%s}' "$1" "$2"; }
while IFS= read -r line; do
  printf '%s\n' "$line" >> "$log"
  id=${line#*\"id\":}; id=${id%%[,\}]*}
  case $line in
    *'"method":"initialize"'*) answer '{"protocolVersion":"2025-06-18","capabilities":{"tools":{}},"serverInfo":{"name":"fake","version":"1"}}' ;;
    *'"method":"tools/list"'*) answer "{\"tools\":[$(tool echo "$read_only"),$(tool slow "$read_only"),$(tool die "$read_only"),$(tool ask "$read_only"),$(tool zap '{"destructiveHint":true}')]}" ;;
    *'"name":"die"'*) exit 3 ;;
    *'"name":"ask"'*)
      asking=$id
      echo '{"jsonrpc":"2.0","id":"q","method":"elicitation/create","params":{"message":"Who?","requestedSchema":{"type":"object","properties":{"name":{"type":"string"}}}}}' ;;
    *'"id":"q"'*) id=$asking; case $line in *Ann*) said 'hello Ann' ;; *) said 'nobody' ;; esac ;;
    *'"name":"slow"'*)
      token=${line#*\"progressToken\":}; token=${token%%[,\}]*}
      printf '{"jsonrpc":"2.0","method":"notifications/progress","params":{"progressToken":%s,"progress":1,"message":"half way"}}\n' "$token"
      until [ -e "$log.go" ]; do sleep 0.01; done
      said done ;;
    *'"method":"tools/call"'*) said done ;;
  esac
done
echo eof >> "$log"
"#;

/// A lab with the server `docs`, whose table goes on with `more`.
fn lab(more: &str, config: Config) -> Lab {
    let lab = Lab::with(&config);
    let script = lab.home.root().join("server.sh");
    std::fs::write(&script, SERVER).unwrap();
    let tables = format!(
        "[mcp_servers.docs]\ncommand = \"/bin/sh\"\nargs = [{script:?}, {:?}]\n{more}\n",
        log(&lab.home)
    );
    lab.home.write_config(&Config { tables, ..config }, &lab.model.url());
    lab
}

fn log(home: &Home) -> String {
    home.root().join("server.log").display().to_string()
}

/// How often the server was told this.
fn heard(lab: &Lab, what: &str) -> usize {
    let log = std::fs::read_to_string(log(&lab.home)).unwrap_or_default();
    log.lines().filter(|line| line.contains(what)).count()
}

fn used(call: &str, tool: &str) -> Vec<Value> {
    ev::items(&[ev::member(call, "mcp__docs", tool, &json!({"x": 1}))])
}

/// A thread whose server is ready.
fn begin(client: &Client) -> String {
    let thread = client.thread();
    client.note_where("mcpServer/startupStatus/updated", |p| {
        p["threadId"] == thread && p["status"] == "ready"
    });
    thread
}

fn item(client: &Client, call: &str) -> Value {
    let items = client.items("mcpToolCall");
    items.into_iter().find(|item| item["id"] == call).unwrap()
}

#[test]
fn a_call_with_its_progress() {
    let lab = lab("", Config::default());
    lab.model.reply(used("call-1", "slow"));
    let client = lab.start();
    let thread = begin(&client);
    client.turn(&thread, "go");
    let progress = client.note("item/mcpToolCall/progress");
    assert_eq!((&progress["itemId"], &progress["message"]), (&json!("call-1"), &json!("half way")));
    std::fs::write(log(&lab.home) + ".go", "").unwrap();
    assert_eq!(client.finish(&thread)["status"], "completed");
    let done = item(&client, "call-1");
    assert_eq!(
        json!([
            done["server"],
            done["tool"],
            done["arguments"],
            done["status"],
            done["readOnlyHint"]
        ]),
        json!(["docs", "slow", {"x": 1}, "completed", true])
    );
    assert_eq!(done["result"]["content"], json!([{"type": "text", "text": "done"}]));
    let parts = lab.model.last().output_parts("call-1").clone();
    assert!(parts[0]["text"].as_str().unwrap().starts_with("Wall time: "), "{parts:?}");
    assert_eq!(parts[1]["text"], "done");
}

#[test]
fn a_server_that_died_is_started_again() {
    let lab = lab("", Config::default());
    lab.model.reply(used("call-1", "die")).reply(used("call-2", "echo"));
    let client = lab.start();
    let thread = begin(&client);
    client.complete(&thread, "go");
    let died = item(&client, "call-1");
    let message = died["error"]["message"].as_str().unwrap();
    assert!(message.contains("docs/die") && message.contains("Transport closed"), "{message}");
    assert_eq!(item(&client, "call-2")["status"], "completed");
    assert_eq!(heard(&lab, "start"), 2);
}

#[test]
fn threads_share_a_process_that_ends_with_them() {
    let lab = lab("", Config::default());
    let client = lab.start();
    for n in 0..5 {
        let thread = begin(&client);
        lab.model.reply(used(&format!("call-{n}"), "echo"));
        client.complete(&thread, "go");
        assert_eq!(item(&client, &format!("call-{n}"))["status"], "completed");
    }
    assert_eq!(heard(&lab, "start"), 1);
    client.close();
    until("the server has seen the end of its input", || (heard(&lab, "eof") == 1).then_some(()));
}

#[test]
fn answers_about_a_tool() {
    let lab = lab("", Config { approval: "on-request", ..Config::default() });
    lab.model.reply(used("no", "zap")).reply(used("yes", "zap")).reply(used("again", "zap"));
    let client = lab.start();
    let thread = begin(&client);
    client.turn(&thread, "go");
    let method = "mcpServer/elicitation/request";
    let asked = client.asked(method);
    assert_eq!(asked["params"]["_meta"]["tool_name"], "zap");
    client.respond(&asked, json!({"action": "decline", "content": null, "_meta": null}));
    let session = json!({"action": "accept", "content": null, "_meta": {"persist": "session"}});
    client.respond(&client.asked(method), session);
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(item(&client, "no")["error"]["message"], "user rejected MCP tool call");
    assert_eq!(item(&client, "yes")["status"], "completed");
    assert_eq!(item(&client, "again")["status"], "completed", "nobody is asked again");
    assert_eq!(heard(&lab, "tools/call"), 2);
}

#[test]
fn a_question_of_the_servers_own() {
    let lab = lab("", Config { approval: "on-request", ..Config::default() });
    lab.model.reply(used("call-1", "ask"));
    let client = lab.start();
    let thread = begin(&client);
    client.turn(&thread, "go");
    let asked = client.asked("mcpServer/elicitation/request");
    assert_eq!(
        (&asked["params"]["mode"], &asked["params"]["message"]),
        (&json!("form"), &json!("Who?"))
    );
    client.respond(&asked, json!({"action": "accept", "content": {"name": "Ann"}, "_meta": null}));
    assert_eq!(client.finish(&thread)["status"], "completed");
    assert_eq!(item(&client, "call-1")["result"]["content"][0]["text"], "hello Ann");
}

#[test]
fn a_turn_does_not_wait_for_long() {
    let config =
        Config { top: "mcp_optional_startup_grace_ms = 50".to_owned(), ..Config::default() };
    let tables = "[mcp_servers.slow]\ncommand = \"/bin/sleep\"\nargs = [\"60\"]\n".to_owned();
    let lab = Lab::with(&Config { tables, ..config });
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let starts = client.notes("mcpServer/startupStatus/updated");
    assert_eq!(starts.iter().map(|start| &start["status"]).collect::<Vec<_>>(), ["starting"]);
}

#[test]
fn a_required_server_that_does_not_start() {
    let tables = "[mcp_servers.docs]\ncommand = \"/bin/false\"\nrequired = true\n".to_owned();
    let lab = Lab::with(&Config { tables, ..Config::default() });
    let error = lab.start().refuse("thread/start", json!({"cwd": lab.home.work()}));
    assert_eq!(error.code, -32603);
    assert!(error.message.contains("`docs`"), "{}", error.message);
}

#[test]
fn an_interrupt_gives_a_call_up() {
    let lab = lab("", Config::default());
    lab.model.reply(used("call-1", "slow"));
    let client = lab.start();
    let thread = begin(&client);
    let turn = client.turn(&thread, "go");
    client.note("item/mcpToolCall/progress");
    client.request("turn/interrupt", json!({"threadId": thread, "turnId": turn}));
    assert_eq!(client.finish(&thread)["status"], "interrupted");
    assert_eq!(item(&client, "call-1")["status"], "failed");
    std::fs::write(log(&lab.home) + ".go", "").unwrap();
    until("the server has heard that nobody waits", || {
        (heard(&lab, "notifications/cancelled") == 1).then_some(())
    });
}
