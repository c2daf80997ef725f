//! Histories in parts: items, the timeline, and texts in them.

use serde_json::{Value, json};

use crate::harness::{Client, Lab, ev, ours_only};

fn request(client: &Client, method: &str, thread: &str, more: Value) -> Value {
    client.request(method, params(thread, more))
}

fn params(thread: &str, more: Value) -> Value {
    let mut params = json!({"threadId": thread});
    params.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    params
}

fn item_ids(page: &Value) -> Vec<String> {
    let rows = page["data"].as_array().unwrap().iter();
    rows.map(|row| row["item"]["id"].as_str().unwrap().to_owned()).collect()
}

/// A thread of two turns: a command on the way to an answer, and an answer. The ids of the turns.
fn two(lab: &Lab, client: &Client) -> (String, [String; 2]) {
    lab.model.reply(ev::items(&[
        ev::message("m0", "needle on the way"),
        ev::command("call-1", "echo needle", &Value::Null),
    ]));
    lab.model.reply(ev::items(&[ev::message("m1", "the Needle is found")]));
    lab.model.reply(ev::items(&[ev::message("m2", "no more")]));
    let thread = client.thread();
    let turns = ["😀 Find the NEEDLE, the needle", "thanks"]
        .map(|text| client.run(&thread, text)["id"].as_str().unwrap().to_owned());
    (thread, turns)
}

#[test]
fn items_are_what_was_told() {
    let lab = Lab::new();
    let mut client = lab.start();
    let (thread, turns) = two(&lab, &client);
    let told: Vec<Value> = client.notes("item/completed");
    for _ in 0..2 {
        let all = request(&client, "thread/items/list", &thread, json!({}));
        let items: Vec<&Value> =
            all["data"].as_array().unwrap().iter().map(|row| &row["item"]).collect();
        assert_eq!(items, told.iter().map(|note| &note["item"]).collect::<Vec<_>>());
        let (mut rows, mut cursor) = (Vec::new(), Value::Null);
        loop {
            let more = json!({"cursor": cursor, "limit": 2, "sortDirection": "desc"});
            let page = request(&client, "thread/items/list", &thread, more);
            rows.extend(item_ids(&page));
            cursor = page["nextCursor"].clone();
            if cursor.is_null() {
                break;
            }
        }
        rows.reverse();
        assert_eq!(rows, item_ids(&all));
        let beside = json!({"turnId": turns[0], "cursor": {"type": "item", "itemId": "call-1"}});
        let page = request(&client, "thread/items/list", &thread, beside);
        assert_eq!(item_ids(&page), ["m1"]);
        let picked = json!({"turnId": turns[0], "itemIds": ["m1", "call-1", "m1", "m2"]});
        let page = request(&client, "thread/items/read", &thread, picked);
        assert_eq!(item_ids(&page), ["call-1", "m1"]);
        // Nothing is loaded for this.
        drop(client);
        client = lab.start();
    }
}

#[test]
fn outputs_are_left_out_on_demand() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    let (thread, turns) = two(&lab, &client);
    let more = json!({"turnId": turns[0], "deferOutput": {"commandExecution": true}});
    let page = request(&client, "thread/items/list", &thread, more);
    let row = page["data"].as_array().unwrap().iter().find(|row| row["item"]["id"] == "call-1");
    let row = row.unwrap();
    assert_eq!(
        (&row["outputDeferred"], &row["item"]["aggregatedOutput"]),
        (&json!(true), &Value::Null)
    );
    let more = json!({"turnId": turns[0], "itemIds": ["call-1"]});
    let page = request(&client, "thread/items/read", &thread, more);
    assert_eq!(page["data"][0]["item"]["aggregatedOutput"], "needle\n");
}

#[test]
fn the_timeline_is_the_whole_course() {
    let lab = Lab::new();
    let client = lab.start();
    let (thread, turns) = two(&lab, &client);
    let all = request(&client, "thread/timeline/list", &thread, json!({}));
    let all = all["data"].as_array().unwrap();
    let kinds: Vec<_> = all.iter().map(|row| row["type"].as_str().unwrap()).collect();
    let turn =
        |items: usize| [vec!["turnStarted"], vec!["item"; items], vec!["turnCompleted"]].concat();
    assert_eq!(kinds, [turn(4), turn(2)].concat());
    assert_eq!(all.last().unwrap()["turnId"], turns[1]);
    let newest = request(&client, "thread/timeline/list", &thread, json!({"limit": 3}));
    let older = json!({"limit": 100, "cursor": newest["nextCursor"]});
    let older = request(&client, "thread/timeline/list", &thread, older);
    let both = [older["data"].as_array().unwrap().as_slice(), newest["data"].as_array().unwrap()];
    assert_eq!(&both.concat(), all);
    let bad = params(&thread, json!({"cursor": "garbage"}));
    client.refused("thread/timeline/list", bad, "invalid thread timeline cursor");
}

#[test]
fn texts_are_found_in_questions_and_answers() {
    let lab = Lab::new();
    let client = lab.start();
    let (thread, turns) = two(&lab, &client);
    let find = |more| request(&client, "thread/searchOccurrences", &thread, more);
    let all = find(json!({"searchTerm": "needle"}));
    let hits = all["data"].as_array().unwrap();
    assert_eq!(hits.len(), 3);
    for hit in hits {
        assert_eq!(hit["turnId"], turns[0]);
        let text: Vec<u16> = hit["snippet"].as_str().unwrap().encode_utf16().collect();
        let at = |end: &str| hit["snippetMatchRange"][end].as_u64().unwrap() as usize;
        let found = String::from_utf16(&text[at("start")..at("end")]).unwrap();
        assert_eq!(found.to_lowercase(), "needle");
    }
    assert_eq!(hits[2]["itemId"], "m1");
    let one = find(json!({"searchTerm": "needle", "limit": 1}));
    let rest = find(json!({"searchTerm": "needle", "cursor": one["nextCursor"]}));
    assert_eq!(rest["data"].as_array().unwrap(), &hits[1..]);
    let page = json!({"cursor": hits[2]["turnCursor"]});
    let page = request(&client, "thread/turns/list", &thread, page);
    assert_eq!(page["data"][0]["id"], turns[0]);
    let none = params(&thread, json!({"searchTerm": " "}));
    let refusal = "thread/searchOccurrences requires a non-empty searchTerm";
    client.refused("thread/searchOccurrences", none, refusal);
}

#[test]
fn texts_are_found_in_all_threads() {
    let lab = Lab::new();
    let client = lab.start();
    let (first, _) = two(&lab, &client);
    lab.model.reply(ev::items(&[ev::message("m3", "the second NEEDLE")]));
    let second = client.thread();
    client.run(&second, "another");
    let find = |params: Value| -> (Vec<(String, String)>, Value) {
        let page = client.request("thread/search", params);
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let rows = page["data"].as_array().unwrap().iter();
        let found = rows.map(|row| (text(&row["thread"]["id"]), text(&row["snippet"]))).collect();
        (found, page["nextCursor"].clone())
    };
    let (all, more) = find(json!({"searchTerm": " needle "}));
    let ids: Vec<_> = all.iter().map(|(id, _)| id.as_str()).collect();
    assert_eq!((ids, more), (vec![&*second, &*first], Value::Null));
    assert_eq!(all[0].1, "the second NEEDLE");
    let (newest, more) = find(json!({"searchTerm": "needle", "limit": 1}));
    let (rest, end) = find(json!({"searchTerm": "needle", "cursor": more}));
    assert_eq!(([newest, rest].concat(), end), (all, Value::Null));
    // What commands print has been said by nobody.
    assert_eq!(find(json!({"searchTerm": "echo needle"})).0, []);
    let refusal = "thread/search requires a non-empty searchTerm";
    client.refused("thread/search", json!({"searchTerm": " "}), refusal);
}
