//! Files of the host and watches of them.

use std::fs;
use std::path::Path;

use serde_json::json;

use crate::harness::{Client, Lab};

/// Waits for the changes of one burst.
fn changed(client: &Client, watch: &str, paths: &[&Path]) {
    let expected = json!({"watchId": watch, "changedPaths": paths});
    assert_eq!(client.note("fs/changed"), expected);
}

fn watch(client: &Client, id: &str, path: &Path) {
    let answer = client.request("fs/watch", json!({"watchId": id, "path": path}));
    assert_eq!(answer, json!({"path": path}));
}

#[test]
fn a_watch_outlives_what_it_watches() {
    let lab = Lab::new();
    let client = lab.start();
    let (file, other) = (lab.home.work().join("f"), lab.home.work().join("other"));
    fs::write(&file, "1").unwrap();
    watch(&client, "w", &file);
    for round in 0..3 {
        fs::write(&other, "2").unwrap();
        fs::rename(&other, &file).unwrap();
        changed(&client, "w", &[&file]);
        fs::write(&file, format!("{round}")).unwrap();
        changed(&client, "w", &[&file]);
    }
    fs::remove_file(&file).unwrap();
    changed(&client, "w", &[&file]);
    fs::write(&file, "3").unwrap();
    changed(&client, "w", &[&file]);
}

#[test]
fn a_path_is_watched_before_its_folders_exist_and_after_they_are_replaced() {
    let lab = Lab::new();
    let client = lab.start();
    let folder = lab.home.work().join("a/b");
    let child = folder.join("c");
    watch(&client, "w", &folder);
    fs::create_dir_all(&folder).unwrap();
    changed(&client, "w", &[&folder]);
    fs::write(&child, "1").unwrap();
    changed(&client, "w", &[&child]);
    fs::rename(lab.home.work().join("a"), lab.home.work().join("old")).unwrap();
    changed(&client, "w", &[&folder]);
    fs::create_dir_all(&folder).unwrap();
    changed(&client, "w", &[&folder]);
    fs::write(&child, "2").unwrap();
    changed(&client, "w", &[&child]);
}

#[test]
fn a_copy_over_itself_loses_nothing_and_a_pipe_holds_nobody_up() {
    let lab = Lab::new();
    let client = lab.start();
    let (file, pipe) = (lab.home.work().join("f"), lab.home.work().join("pipe"));
    fs::write(&file, "kept").unwrap();
    let params = json!({"sourcePath": file, "destinationPath": file});
    assert_eq!(client.request("fs/copy", params), json!({}));
    assert_eq!(fs::read_to_string(&file).unwrap(), "kept");
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let message = format!("path `{}` is not a file", pipe.display());
    client.refused("fs/readFile", json!({"path": pipe}), &message);
    let error = client.refuse("fs/writeFile", json!({"path": pipe, "dataBase64": "eA=="}));
    assert_eq!(error.code, -32603);
}
