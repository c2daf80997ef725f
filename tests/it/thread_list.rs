//! `thread/list`: order, pages, filters, previews; and `thread/loaded/list`.

use serde_json::{Value, json};

use crate::harness::{Client, Lab};

fn ids(page: &Value) -> Vec<&str> {
    page["data"].as_array().unwrap().iter().map(|thread| thread["id"].as_str().unwrap()).collect()
}

/// Threads of one turn each, oldest first.
fn threads(client: &Client, texts: &[&str]) -> Vec<String> {
    let run = |text: &&str| {
        let thread = client.thread();
        client.complete(&thread, text);
        thread
    };
    texts.iter().map(run).collect()
}

#[test]
fn newest_first_and_the_same_after_a_restart() {
    let lab = Lab::new();
    let client = lab.start();
    assert_eq!(client.request("thread/list", json!({}))["data"], json!([]));
    let made = threads(&client, &["  first question\nwith two lines ", "second"]);
    let page = client.request("thread/list", json!({}));
    assert_eq!(ids(&page), [made[1].as_str(), made[0].as_str()]);
    let oldest = &page["data"][1];
    assert_eq!(oldest["preview"], "first question\nwith two lines");
    assert_eq!(
        json!([oldest["status"]["type"], oldest["turns"], oldest["name"]]),
        json!(["idle", [], null])
    );
    drop(client);
    let client = lab.start();
    let cold = client.request("thread/list", json!({}));
    assert_eq!(ids(&cold), ids(&page));
    for (cold, warm) in
        cold["data"].as_array().unwrap().iter().zip(page["data"].as_array().unwrap())
    {
        assert_eq!(cold["status"], json!({"type": "notLoaded"}));
        for key in [
            "preview",
            "createdAt",
            "updatedAt",
            "recencyAt",
            "path",
            "cwd",
            "originator",
            "source",
            "model",
        ] {
            assert_eq!(cold[key], warm[key], "{key}");
        }
    }
}

#[test]
fn pages_and_sort_keys() {
    let lab = Lab::new();
    let client = lab.start();
    let made = threads(&client, &["a", "b", "c"]);
    let list = |params: Value| client.request("thread/list", params);
    for key in ["created_at", "updated_at", "recency_at"] {
        for (direction, order) in [("desc", [2, 1, 0]), ("asc", [0, 1, 2])] {
            let wanted = order.map(|n: usize| made[n].as_str());
            let first = list(json!({"sortKey": key, "sortDirection": direction, "limit": 2}));
            let rest = json!({"sortKey": key, "sortDirection": direction, "limit": 2, "cursor": first["nextCursor"]});
            let rest = list(rest);
            assert_eq!([ids(&first), ids(&rest)].concat(), wanted, "{key} {direction}");
            assert_eq!((ids(&first).len(), &rest["nextCursor"]), (2, &Value::Null));
        }
    }
    assert_eq!(ids(&list(json!({"limit": 0}))).len(), 1);
    client.complete(&made[0], "again");
    assert_eq!(ids(&list(json!({"sortKey": "updated_at"})))[0], made[0]);
    assert_eq!(ids(&list(json!({})))[0], made[2], "by creation unless asked");
}

#[test]
fn filters() {
    let lab = Lab::new();
    lab.home.write("sub/x", "");
    let client = lab.start();
    let made = threads(&client, &["Alpha one", "Beta two"]);
    let other = client.thread_with(json!({"cwd": lab.home.path("sub")}));
    client.complete(&other, "Gamma three");
    let found = |params: Value| -> Vec<String> {
        ids(&client.request("thread/list", params)).into_iter().map(str::to_owned).collect()
    };
    assert_eq!(found(json!({"cwd": lab.home.path("sub")})), [other.as_str()]);
    assert_eq!(found(json!({"cwd": "sub"})), [other.as_str()], "relative to the server's folder");
    assert_eq!(found(json!({"cwd": [lab.home.work(), "sub"]})).len(), 3);
    assert_eq!(found(json!({"cwd": []})), [""; 0]);
    assert_eq!(found(json!({"searchTerm": "Beta"})), [made[1].as_str()]);
    assert_eq!(found(json!({"excludedThreadIds": [other, made[1]]})), [made[0].as_str()]);
    assert_eq!(found(json!({"modelProviders": ["nope"]})), [""; 0]);
    assert_eq!(found(json!({"modelProviders": []})).len(), 3);
    assert_eq!(found(json!({"sourceKinds": ["exec"]})), [""; 0]);
    assert_eq!(found(json!({"archived": true})), [""; 0]);
    assert_eq!(found(json!({"noSuchFilter": 1})).len(), 3);
}

#[test]
fn bad_parameters() {
    let lab = Lab::new();
    let client = lab.start();
    for (params, code, message) in [
        (json!({"cursor": "garbage"}), -32600, "invalid cursor: garbage"),
        (json!({"cursor": ""}), -32600, "invalid cursor: "),
        (json!({"limit": -1}), -32600, "Invalid request: "),
        (json!({"sortKey": "bogus"}), -32600, "Invalid request: unknown variant `bogus`"),
        (
            json!({"sortKey": "section_position"}),
            -32600,
            "section-position sorting requires a section filter",
        ),
        (json!({"excludedThreadIds": ["x"]}), -32602, "invalid excluded thread id: "),
        (
            json!({"originators": ["it"]}),
            -32602,
            "originator filtering is not supported by the local app-server",
        ),
    ] {
        let error = client.refuse("thread/list", params.clone());
        assert!(error.code == code && error.message.starts_with(message), "{params}: {error:?}");
    }
}

#[test]
fn what_has_no_preview_is_hidden() {
    let lab = Lab::new();
    let client = lab.start();
    let named = client.thread();
    client.request("thread/name/set", json!({"threadId": named, "name": "only a name"}));
    let pictured = client.thread();
    let image = json!([{"type": "image", "url": "data:image/png;base64,iVBORw0KGgo="}]);
    client.turn_with(&pictured, json!({"input": image}));
    client.finish(&pictured);
    let page = client.request("thread/list", json!({}));
    assert_eq!(
        (ids(&page), &page["data"][0]["preview"]),
        (vec![pictured.as_str()], &json!("[Image]"))
    );
}

#[test]
fn loaded_threads() {
    let lab = Lab::new();
    let client = lab.start();
    let mut made = [client.thread(), client.thread(), client.thread()];
    made.sort();
    let list = |params: Value| client.request("thread/loaded/list", params);
    assert_eq!(list(json!({})), json!({"data": made, "nextCursor": null}));
    let first = list(json!({"limit": 2}));
    assert_eq!(first, json!({"data": made[..2], "nextCursor": made[1]}));
    assert_eq!(
        list(json!({"limit": 2, "cursor": made[1]})),
        json!({"data": made[2..], "nextCursor": null})
    );
    client.refused("thread/loaded/list", json!({"cursor": "zz"}), "invalid cursor: zz");
}
