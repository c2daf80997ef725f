//! What commands may do beyond their sandbox: permissions on request, second chances, input to what runs outside.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev};

const COMMAND: &str = "item/commandExecution/requestApproval";
const PERMISSIONS: &str = "item/permissions/requestApproval";

fn lab() -> Lab {
    let features =
        "[features]\nrequest_permissions_tool = true\nexec_permission_approvals = true\n";
    let config = Config {
        approval: "on-request",
        sandbox: "read-only",
        tables: features.to_owned(),
        ..Config::default()
    };
    let lab = Lab::with(&config);
    fs::create_dir(lab.home.root().join("other")).unwrap();
    lab
}

fn other(lab: &Lab) -> String {
    lab.home.root().join("other").to_str().unwrap().to_owned()
}

/// The files that have got into the other folder.
fn written(lab: &Lab) -> Vec<String> {
    let entries = fs::read_dir(other(lab)).unwrap();
    let mut names: Vec<String> =
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn write(lab: &Lab, call: &str) -> Vec<Value> {
    ev::shell(call, &format!("touch {}/{call}", other(lab)))
}

fn ask(lab: &Lab, call: &str) -> Vec<Value> {
    let permissions = json!({"file_system": {"write": [other(lab)]}});
    ev::call(call, "request_permissions", &json!({"reason": "need it", "permissions": permissions}))
}

/// Plays the steps in one turn and answers what is asked about, in order.
#[track_caller]
fn play(lab: &Lab, client: &Client, thread: &str, steps: Vec<Vec<Value>>, answers: &[Value]) {
    for step in steps {
        lab.model.reply(step);
    }
    lab.model.reply(ev::text("done"));
    client.turn(thread, "go");
    for answer in answers {
        let asked = client.asked(PERMISSIONS);
        match answer.get("permissions") {
            Some(_) => client.respond(&asked, answer.clone()),
            None => client.respond_badly(&asked, json!({ "result": answer })),
        }
    }
    assert_eq!(client.finish(thread)["status"], "completed");
}

#[test]
fn permissions_for_a_turn() {
    let lab = lab();
    let client = lab.start();
    let thread = client.thread();
    let granted = json!({"permissions": {"fileSystem": {"write": [other(&lab), "/etc"]}}});
    let steps = vec![write(&lab, "before"), ask(&lab, "ask"), write(&lab, "after")];
    play(&lab, &client, &thread, steps, &[granted]);
    assert_eq!(written(&lab), ["after"]);
    assert_eq!(
        lab.model.last().output("ask"),
        json!({"permissions": {"network": null, "file_system": {"write": [other(&lab)]}}, "scope": "turn"})
            .to_string(),
        "no more than was asked for"
    );
    play(&lab, &client, &thread, vec![write(&lab, "later")], &[]);
    assert_eq!(written(&lab), ["after"]);
    assert!(client.items("commandExecution").iter().all(|item| item["id"] != "ask"));
}

#[test]
fn permissions_for_the_thread() {
    let lab = lab();
    let client = lab.start();
    let thread = client.thread();
    let files = json!({"fileSystem": {"write": [other(&lab)]}});
    let answers = [
        json!({"permissions": {}}),
        json!({"nonsense": 1}),
        json!({"permissions": files, "strictAutoReview": true}),
        json!({"permissions": files, "scope": "session"}),
    ];
    let mut steps: Vec<_> = ["r1", "r2", "r3"].map(|call| ask(&lab, call)).into();
    steps.extend([write(&lab, "a"), ask(&lab, "r4"), write(&lab, "b")]);
    play(&lab, &client, &thread, steps, &answers);
    assert_eq!(written(&lab), ["b"]);
    play(&lab, &client, &thread, vec![write(&lab, "c")], &[]);
    assert_eq!(written(&lab), ["b", "c"]);
    let another = client.thread();
    play(&lab, &client, &another, vec![write(&lab, "d")], &[]);
    assert_eq!(written(&lab), ["b", "c"]);
}

#[test]
fn nobody_is_asked_who_does_not_want_to_be() {
    let lab = lab();
    let client = lab.start();
    let thread = client.thread_with(json!({"approvalPolicy": "never"}));
    play(&lab, &client, &thread, vec![ask(&lab, "ask")], &[]);
    assert!(lab.model.last().output("ask").contains("\"file_system\":null"));
}

#[test]
fn permissions_for_one_command() {
    let lab = lab();
    let client = lab.start();
    let thread = client.thread();
    let wider = json!({
        "sandbox_permissions": "with_additional_permissions",
        "additional_permissions": {"file_system": {"write": [other(&lab)]}},
    });
    lab.model.reply(ev::shell_with("wide", &format!("touch {}/wide", other(&lab)), &wider));
    lab.model.reply(write(&lab, "narrow"));
    let empty = json!({"sandbox_permissions": "with_additional_permissions"});
    lab.model.reply(ev::shell_with("empty", "true", &empty));
    lab.model.reply(ev::text("done"));
    client.turn(&thread, "go");
    let asked = client.asked(COMMAND);
    assert_eq!(
        (
            &asked["params"]["additionalPermissions"]["fileSystem"]["write"],
            &asked["params"]["availableDecisions"]
        ),
        (&json!([other(&lab)]), &json!(["accept", "cancel"]))
    );
    client.decide(&asked, "accept");
    client.finish(&thread);
    assert_eq!(written(&lab), ["wide"]);
    assert!(lab.model.last().output("empty").contains("`additional_permissions`"));
}

#[test]
fn a_second_chance_outside_the_sandbox() {
    let lab = lab();
    let client = lab.start();
    let granular =
        json!({"granular": {"sandbox_approval": true, "rules": true, "mcp_elicitations": true}});
    let thread = client.thread_with(json!({"approvalPolicy": granular}));
    let calls = ["accepted", "declined", "again"];
    for call in calls {
        lab.model.reply(write(&lab, call));
    }
    lab.model.reply(ev::text("done"));
    client.turn(&thread, "go");
    for decision in ["accept", "decline", "accept"] {
        let asked = client.asked(COMMAND);
        assert_eq!(asked["params"]["reason"], "command failed; retry without sandbox?");
        client.decide(&asked, decision);
    }
    client.finish(&thread);
    assert_eq!(written(&lab), ["accepted", "again"]);
    let items = client.items("commandExecution");
    let ends: Vec<_> = items.iter().map(|item| (&item["id"], &item["status"])).collect();
    let wanted = [
        json!(["accepted", "completed"]),
        json!(["declined", "failed"]),
        json!(["again", "completed"]),
    ];
    for (end, wanted) in ends.iter().zip(&wanted) {
        assert_eq!(*end, (&wanted[0], &wanted[1]), "one end for each");
    }
    assert_eq!((ends.len(), client.notes("item/started").len()), (3, 5));
    assert!(lab.model.last().output("declined").contains("Process exited with code 1"));
}

#[test]
fn input_to_what_runs_outside() {
    let lab = lab();
    let client = lab.start();
    let thread = client.thread();
    let escalated = json!({
        "sandbox_permissions": "require_escalated", "justification": "May I?", "tty": true, "yield_time_ms": 250,
    });
    let script = "read x; echo got:$x; read y; echo got:$y";
    lab.model.reply(ev::shell_with("call", script, &escalated));
    lab.model.reply(ev::text("it runs"));
    client.turn(&thread, "go");
    client.decide(&client.asked(COMMAND), "accept");
    client.finish(&thread);
    let told = lab.model.last().output("call").to_owned();
    let (_, session) = told.split_once("session ID ").unwrap();
    let session: u32 = session.split_whitespace().next().unwrap().parse().unwrap();
    let typed = |call: &str, chars: &str| {
        let arguments = json!({"session_id": session, "chars": chars, "yield_time_ms": 5000});
        ev::call(call, "write_stdin", &arguments)
    };
    lab.model.reply(typed("no", "no\n")).reply(typed("yes", "yes\n")).reply(ev::text("done"));
    client.turn(&thread, "type");
    let asked = client.asked(COMMAND);
    let params = &asked["params"];
    assert_eq!(
        (&params["kind"], &params["itemId"], &params["approvalId"], &params["availableDecisions"]),
        (&json!("writeStdin"), &json!("call"), &json!("no"), &json!(["accept", "cancel"]))
    );
    assert_eq!(params["command"], format!("write_stdin --session-id {session} 'no\n'"));
    client.decide(&asked, "decline");
    client.decide(&client.asked(COMMAND), "accept");
    client.finish(&thread);
    let last = lab.model.last();
    assert_eq!(last.output("no"), "write_stdin rejected: rejected by user");
    assert!(last.output("yes").contains("got:yes") && !last.output("yes").contains("got:no"));
}

#[test]
fn what_matches_a_pattern_is_kept_from_commands() {
    let tables = "[permissions.x]\nextends = \":workspace\"\n[permissions.x.filesystem]\n\
                  \":workspace_roots\" = { \"**/*.key\" = \"deny\", \".\" = \"write\" }\n";
    let config = Config { approval: "on-request", tables: tables.to_owned(), ..Config::default() };
    let lab = Lab::with(&config);
    lab.home.write("sub/a.key", "hidden");
    lab.home.write("sub/b.txt", "plain");
    lab.model.reply(ev::shell("call", "cat sub/a.key sub/b.txt; echo x > sub/c.txt"));
    lab.model.reply(ev::text("done"));
    let client = lab.start();
    let thread = client.thread_with(json!({"permissions": "x"}));
    client.complete(&thread, "go");
    let output = client.items("commandExecution")[0]["aggregatedOutput"].to_string();
    assert!(output.contains("plain") && !output.contains("hidden"), "{output}");
    assert_eq!(lab.home.read("sub/c.txt"), "x\n");
}
