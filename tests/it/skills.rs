//! Skills: what the model is told of them, how they come with an input, how clients list and switch them.

use std::fs;

use serde_json::{Value, json};

use crate::harness::{Client, Config, Lab, ev, model};

fn skill(lab: &Lab, folder: &str, name: &str) -> String {
    let file = format!("{folder}/{name}/SKILL.md");
    lab.home
        .write(&file, format!("---\nname: {name}\ndescription: About {name}.\n---\nDO {name}\n"));
    lab.home.path(&file)
}

/// The names of the skills that a request carries along, in order.
fn carried(request: &model::Request) -> Vec<String> {
    let texts =
        request.texts("user").into_iter().filter(|text| text.starts_with("<skill>\n<name>"));
    texts
        .map(|text| text["<skill>\n<name>".len()..].split('<').next().unwrap().to_owned())
        .collect()
}

/// The lists of skills that a request carries along.
fn lists(request: &model::Request) -> Vec<String> {
    let texts = request.texts("developer").into_iter();
    texts.filter(|text| text.starts_with("<skills_instructions>")).map(str::to_owned).collect()
}

/// The state of the repository's skills, as they are listed.
fn state(client: &Client) -> Vec<(String, bool)> {
    let rows = client.request("skills/list", json!({}));
    let skills = rows["data"][0]["skills"].as_array().unwrap().iter();
    let own = skills.filter(|skill| skill["scope"] == "repo");
    own.map(|skill| (skill["name"].as_str().unwrap().to_owned(), skill["enabled"] == true))
        .collect()
}

#[test]
fn a_skill_comes_with_the_input_that_names_it() {
    let lab = Lab::new();
    let path = skill(&lab, ".agents/skills", "build");
    skill(&lab, ".codex/skills", "test");
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "nothing special");
    let first = lab.model.last();
    let [list] = &lists(&first)[..] else { panic!("one list is told") };
    assert!(list.contains("- build: About build. (r0/build/SKILL.md)"), "{list}");
    assert!(!list.contains("DO build"), "{list}");
    assert!(carried(&first).is_empty());
    client.complete(&thread, "use $test, $build and $nothing");
    let second = lab.model.last();
    assert_eq!(carried(&second), ["build", "test"]);
    let texts = second.texts("user");
    let at = |what: &str| texts.iter().position(|text| text.contains(what)).unwrap();
    assert!(at("use $test") < at("<skill>"), "after the words of the user");
    assert!(texts[at("<skill>")].contains(&format!("<path>{path}</path>\n---\nname: build")));
    client.turn_with(&thread, json!({"input": [{"type": "skill", "name": "build", "path": path}]}));
    client.finish(&thread);
    assert_eq!(carried(&lab.model.last()), ["build", "test", "build"], "named again, told again");
    assert_eq!(lists(&lab.model.last()).len(), 1, "the list is told once");
}

#[test]
fn a_turn_is_given_a_skill_once() {
    let lab = Lab::new();
    skill(&lab, ".agents/skills", "build");
    lab.model.reply(ev::shell("call-1", "until test -e go; do sleep 0.02; done"));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "$build and $build");
    client.item_started("commandExecution");
    let input = json!([{"type": "text", "text": "$build, I say"}]);
    client
        .request("turn/steer", json!({"threadId": thread, "expectedTurnId": turn, "input": input}));
    lab.home.write("go", "");
    client.finish(&thread);
    assert_eq!(carried(&lab.model.last()), ["build"]);
}

#[test]
fn a_changed_list_is_told_anew() {
    let lab = Lab::new();
    skill(&lab, ".agents/skills", "build");
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "one");
    skill(&lab, ".agents/skills", "test");
    client.complete(&thread, "two");
    assert!(lists(&lab.model.last())[1].contains("About test."));
    client.close();
    let client = lab.start();
    client.resume(&thread);
    client.complete(&thread, "three");
    assert_eq!(lists(&lab.model.last()).len(), 2, "a resumed thread knows what it was told");
    fs::remove_dir_all(lab.home.path(".agents")).unwrap();
    client.complete(&thread, "four");
    let lists = lists(&lab.model.last());
    assert!(!lists[2].contains("About"), "{lists:?}");
}

#[test]
fn a_skill_is_switched_off_and_on() {
    let lab = Lab::new();
    let path = skill(&lab, ".agents/skills", "build");
    skill(&lab, ".agents/skills", "test");
    let client = lab.start();
    let write =
        |params: Value| client.request("skills/config/write", params)["effectiveEnabled"].clone();
    let states = |build, test| vec![("build".to_owned(), build), ("test".to_owned(), test)];
    assert_eq!(state(&client), states(true, true));
    assert_eq!(write(json!({"path": path, "enabled": false})), false);
    assert_eq!(write(json!({"name": "test", "enabled": false})), false);
    assert_eq!(state(&client), states(false, false));
    let thread = client.thread();
    client.complete(&thread, "use $build");
    assert!(lists(&lab.model.last()).is_empty() && carried(&lab.model.last()).is_empty());
    assert_eq!(write(json!({"path": path, "enabled": true})), true);
    assert_eq!(state(&client), states(true, false));
    for wrong in [
        json!({"enabled": true}),
        json!({"name": "x", "path": path, "enabled": true}),
        json!({"name": " ", "enabled": true}),
    ] {
        assert_eq!(client.refuse("skills/config/write", wrong).code, -32602);
    }
}

#[test]
fn a_client_adds_folders() {
    let lab = Lab::with(&Config {
        tables: "[skills]\ninclude_instructions = false\n".to_owned(),
        ..Config::default()
    });
    skill(&lab, "elsewhere", "more");
    let client = lab.start();
    let roots = json!({"extraRoots": [lab.home.path("elsewhere"), "/no/such/folder"]});
    assert_eq!(client.request("skills/extraRoots/set", roots), json!({}));
    assert_eq!(client.note("skills/changed"), json!({}));
    let rows =
        client.request("skills/list", json!({"cwds": ["/no/such/folder"], "forceReload": true}));
    assert_eq!(rows["data"][0]["cwd"], "/no/such/folder");
    let skills = rows["data"][0]["skills"].as_array().unwrap();
    let more = skills.iter().find(|skill| skill["name"] == "more").unwrap();
    assert_eq!((&more["scope"], &more["pluginId"]), (&json!("user"), &Value::Null));
    let thread = client.thread();
    client.complete(&thread, "use $more");
    assert_eq!(carried(&lab.model.last()), ["more"]);
    assert!(lists(&lab.model.last()).is_empty(), "the configuration keeps the list to itself");
}
