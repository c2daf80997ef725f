//! Threads that pass between this server and the reference on one home. The variable `APP_SERVER_REFERENCE` names the
//! reference's binary; without it there is nothing to compare.

use std::env;
use std::ffi::OsString;

use serde_json::{Value, json};

use crate::durable::whole;
use crate::harness::{Client, Lab, ev};

fn reference() -> Option<OsString> {
    env::var_os("APP_SERVER_REFERENCE")
}

fn start(lab: &Lab, binary: &OsString) -> Client {
    let client = Client::spawn_binary(&lab.home, binary, &["app-server"]);
    client.shake_hands(&json!({"experimentalApi": true}));
    client
}

/// A thread with messages, thoughts, commands and an edit.
fn write(lab: &Lab, client: &Client) -> String {
    let thread = client.thread();
    lab.model.reply(ev::items(&[ev::reasoning("rs-1", &["why"], &[]), ev::message("msg-0", "so")]));
    client.complete(&thread, "one");
    lab.model.reply(ev::shell("call-1", "echo out; exit 3")).reply(ev::text("failed"));
    client.complete(&thread, "two");
    lab.model.reply(ev::patch("call-2", &["*** Add File: new.txt", "+text"]));
    lab.model.reply(ev::text("added"));
    client.complete(&thread, "three");
    thread
}

/// The reader lists the thread, has the same history of it, and goes on with it.
#[track_caller]
fn hand_over(writer: &OsString, reader: &OsString) {
    let lab = Lab::new();
    let client = start(&lab, writer);
    let thread = write(&lab, &client);
    let written = whole(&client, &thread);
    assert_eq!(written.len(), 3);
    client.close();

    let client = start(&lab, reader);
    let listed = client.request("thread/list", json!({}));
    assert_eq!(
        (&listed["data"][0]["id"], &listed["data"][0]["preview"]),
        (&json!(thread), &json!("one"))
    );
    // The reference has histories only of threads that it has loaded once.
    client.resume(&thread);
    assert_eq!(whole(&client, &thread), written);
    client.complete(&thread, "four");
    assert_eq!(lab.model.last().asked(), ["one", "two", "three", "four"]);
    let calls = [
        "function_call call-1",
        "function_call_output call-1",
        "function_call call-2",
        "function_call_output call-2",
    ];
    assert_eq!(lab.model.last().calls(), calls);
    let more: Vec<Value> = whole(&client, &thread);
    client.close();

    // And back again.
    let client = start(&lab, writer);
    client.resume(&thread);
    assert_eq!(whole(&client, &thread), more);
    client.complete(&thread, "five");
    assert_eq!(lab.model.last().asked(), ["one", "two", "three", "four", "five"]);
}

#[test]
fn threads_of_the_reference_go_on_here_and_back() {
    let Some(reference) = reference() else { return };
    hand_over(&reference, &OsString::from(env!("CARGO_BIN_EXE_app-server")));
}

#[test]
fn threads_of_ours_go_on_in_the_reference_and_back() {
    let Some(reference) = reference() else { return };
    hand_over(&OsString::from(env!("CARGO_BIN_EXE_app-server")), &reference);
}
