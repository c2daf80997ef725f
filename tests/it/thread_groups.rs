//! What users and clients note of threads: sections, projects, attachments, metadata.

use serde_json::{Value, json};

use crate::harness::{Client, Lab};

const PINNED: &str = "01984de2-8f74-7c91-a3b2-5c5e937cf318";

fn threads(client: &Client, count: usize) -> Vec<String> {
    let make = |number| {
        let thread = client.thread();
        client.complete(&thread, &format!("m{number}"));
        thread
    };
    (0..count).map(make).collect()
}

fn listed(client: &Client, params: Value) -> Vec<String> {
    let page = client.request("thread/list", params);
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["id"].as_str().unwrap().to_owned()).collect()
}

fn put(client: &Client, thread: &str, section: &str, before: Option<&str>) {
    let params = json!({"threadId": thread, "sectionId": section, "beforeThreadId": before});
    assert_eq!(client.request("thread/section/move", params), json!({}));
}

#[test]
fn sections_keep_their_order_however_often_it_changes() {
    let lab = Lab::new();
    let client = lab.start();
    let threads = threads(&client, 3);
    let made = client.request("threadSection/create", json!({"name": " Work "}));
    let section = made["section"]["id"].as_str().unwrap().to_owned();
    assert_eq!(made["section"]["name"], "Work");
    for thread in &threads {
        put(&client, thread, &section, None);
    }
    assert_eq!(
        client.note_where("thread/section/changed", |note| note["threadId"] == threads[0]),
        json!({"threadId": threads[0], "sectionId": section})
    );
    let order = json!({"sectionId": section, "sortKey": "section_position"});
    assert_eq!(listed(&client, order.clone()), threads);
    // Two threads take turns before the third, until there is no room between places any more.
    for turn in 0..60 {
        put(&client, &threads[turn % 2], &section, Some(&threads[2]));
        let expected = [&threads[(turn + 1) % 2], &threads[turn % 2], &threads[2]];
        let found = listed(&client, order.clone());
        assert_eq!(found.iter().collect::<Vec<_>>(), expected, "after {turn} moves");
    }
    let first = client.request(
        "thread/list",
        json!({"sectionId": section, "sortKey": "section_position", "limit": 2}),
    );
    let rest = client.request(
        "thread/list",
        json!({"sectionId": section, "sortKey": "section_position", "limit": 2, "cursor": first["nextCursor"]}),
    );
    assert_eq!(rest["data"][0]["id"], threads[2].as_str());
    assert_eq!(rest["nextCursor"], Value::Null);
    put(&client, &threads[2], PINNED, None);
    assert_eq!(listed(&client, json!({"sectionId": PINNED})), [threads[2].as_str()]);
    client.request("threadSection/delete", json!({"sectionId": section}));
    assert_eq!(listed(&client, json!({"sectionId": null})), [threads[1].as_str(), &threads[0]]);
}

#[test]
fn what_is_noted_survives_a_restart_and_goes_with_the_thread() {
    let lab = Lab::new();
    let client = lab.start();
    let thread = threads(&client, 1).remove(0);
    let made = client.request(
        "project/create",
        json!({"idempotencyKey": "k", "name": "One", "roots": [{"path": lab.home.work()}]}),
    );
    let project = made["project"]["id"].as_str().unwrap().to_owned();
    client.request(
        "thread/metadata/update",
        json!({"threadId": thread, "projectId": project, "gitInfo": {"branch": " b "}, "daybreakEnabled": true}),
    );
    assert_eq!(
        client.note("thread/project/updated"),
        json!({"threadId": thread, "projectId": project})
    );
    let add =
        json!({"threadId": thread, "attachmentType": "t", "identityKey": "k", "payload": [1]});
    assert_eq!(client.request("thread/attachment/add", add)["outcome"], "created");
    client.request("thread/name/set", json!({"threadId": thread, "name": "named"}));
    put(&client, &thread, PINNED, None);
    drop(client);

    let client = lab.start();
    let read = client.request("thread/read", json!({"threadId": thread}))["thread"].clone();
    assert_eq!(read["projectId"], project.as_str());
    assert_eq!(read["gitInfo"]["branch"], "b");
    assert_eq!(read["daybreakEnabled"], true);
    assert_eq!(read["section"]["name"], "Pinned");
    let row = client.request("thread/list", json!({"projectId": project}))["data"][0].clone();
    assert_eq!(row, read);
    let resumed = client.resume(&thread)["thread"].clone();
    assert_eq!(resumed["section"], read["section"]);
    let projects = client.request("project/list", json!({}));
    assert_eq!(projects["data"][0]["recencyAt"], read["recencyAt"]);

    client.request("thread/delete", json!({"threadId": thread}));
    let names = std::fs::read_to_string(lab.home.home().join("session_index.jsonl")).unwrap();
    assert!(!names.contains(&thread));
    let attachments = client.request("thread/attachment/list", json!({"threadId": thread}));
    assert_eq!(attachments["data"], json!([]));
    assert_eq!(listed(&client, json!({"projectId": project})), [""; 0]);
    let projects = client.request("project/list", json!({}));
    assert_eq!(projects["data"][0]["recencyAt"], Value::Null);
}

#[test]
fn a_new_thread_can_belong_to_a_project() {
    let lab = Lab::new();
    let client = lab.start();
    client.refused("thread/start", json!({"projectId": "nope"}), "project not found: nope");
    let made = client
        .request("project/create", json!({"idempotencyKey": "k", "name": "One", "roots": []}));
    let project = made["project"]["id"].as_str().unwrap().to_owned();
    let thread = client.thread_with(json!({"projectId": project}));
    client.complete(&thread, "hello");
    assert_eq!(listed(&client, json!({"projectId": project})), [thread.as_str()]);
    assert_eq!(listed(&client, json!({"projectId": null})), [""; 0]);
    client.request("project/delete", json!({"projectId": project}));
    assert_eq!(listed(&client, json!({"projectId": null})), [thread]);
}

#[test]
fn damaged_notes_are_set_aside() {
    let lab = Lab::new();
    let damage = "no database at all, but longer than a header is, and so on and on";
    std::fs::write(lab.home.home().join("app_server_state_1.sqlite"), damage).unwrap();
    let client = lab.start();
    let made = client.request("threadSection/create", json!({"name": "Work"}));
    let sections = client.request("threadSection/list", json!({}));
    assert_eq!(sections["data"][1]["id"], made["section"]["id"]);
    let kept = std::fs::read_dir(lab.home.home().join("db-backups")).unwrap().count();
    assert_eq!(kept, 1);
}

#[test]
fn lists_go_on_without_an_index_and_a_warning_says_so() {
    let lab = Lab::new();
    std::fs::create_dir(lab.home.home().join("app_server_index_1.sqlite")).unwrap();
    let client = lab.start();
    let threads = threads(&client, 2);
    assert_eq!(listed(&client, json!({"sortDirection": "asc"})), threads);
    let is_ours = |warning: &Value| warning["message"].as_str().unwrap().contains("index");
    client.note_where("warning", is_ours);
    assert_eq!(listed(&client, json!({"sortDirection": "asc"})), threads);
    assert_eq!(client.notes("warning").iter().filter(|warning| is_ours(warning)).count(), 1);
}
