//! How the process ends, and that it leaves nothing running.

use std::time::{Duration, Instant};

use rustix::process::Signal;
use serde_json::json;

use crate::harness::server::{runs, until};
use crate::harness::{Client, Gate, Lab, ev, held, ours_only};

/// A server in the middle of a turn, with a command in the foreground and one in the background; and their marker.
fn busy(lab: &Lab) -> (Client, String) {
    let marker = format!("it-{}", uuid::Uuid::new_v4());
    // Neither is the shell that the server starts.
    let script = |name: &str| {
        format!("(exec -a {marker}-{name} sleep 61) | (exec -a {marker}-{name}2 sleep 62)")
    };
    lab.model.reply(ev::shell_with("call-1", &script("back"), &json!({"yield_time_ms": 250})));
    lab.model.reply(ev::shell("call-2", &script("front")));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    for _ in 0..2 {
        client.item_started("commandExecution");
    }
    for name in ["back", "back2", "front", "front2"] {
        until("start of the commands", || runs(&format!("{marker}-{name}")).then_some(()));
    }
    (client, marker)
}

#[track_caller]
fn gone(marker: &str) {
    until("end of all commands", || (!runs(marker)).then_some(()));
}

#[test]
fn the_end_of_input_ends_everything() {
    let lab = Lab::new();
    let (client, marker) = busy(&lab);
    assert_eq!(client.close().code(), Some(0));
    gone(&marker);
}

#[test]
fn sigterm_ends_everything() {
    let lab = Lab::new();
    let (client, marker) = busy(&lab);
    assert_eq!(client.signal(Signal::TERM).code(), Some(0));
    gone(&marker);
}

#[test]
fn sigint_ends_everything() {
    ours_only!();
    let lab = Lab::new();
    let (client, marker) = busy(&lab);
    client.signal(Signal::INT);
    gone(&marker);
}

#[test]
fn sighup_ends_everything() {
    ours_only!();
    let lab = Lab::new();
    let (client, marker) = busy(&lab);
    client.signal(Signal::HUP);
    gone(&marker);
}

#[test]
fn an_idle_server_ends_with_its_input() {
    let lab = Lab::new();
    let client = lab.spawn();
    assert_eq!(client.close().code(), Some(0), "before the handshake");
    let client = lab.start();
    client.thread();
    assert_eq!(client.close().code(), Some(0), "with a thread");
    assert!(
        lab.home.stderr().lines().all(|line| !line.contains("panicked")),
        "{}",
        lab.home.stderr()
    );
}

#[test]
fn a_turn_cut_short_by_the_end_reads_as_interrupted() {
    let lab = Lab::new();
    let gate = Gate::default();
    lab.model.reply(held(&gate, vec![ev::created(), ev::done(&ev::message("m0", "kept"))], vec![]));
    let client = lab.start();
    let thread = client.thread();
    let turn = client.turn(&thread, "go");
    client.item_completed("agentMessage");
    client.close();
    gate.dropped();
    drop(client);
    let client = lab.start();
    let page = client.request("thread/turns/list", json!({"threadId": thread}));
    let newest = &page["data"][0];
    assert_eq!(json!([newest["id"], newest["status"]]), json!([turn, "interrupted"]));
    client.resume(&thread);
    client.complete(&thread, "next");
    assert_eq!(
        (lab.model.last().asked(), lab.model.last().texts("assistant")),
        (vec!["go", "next"], vec!["kept"])
    );
}

#[test]
fn two_servers_share_a_home() {
    let lab = Lab::new();
    let (one, two) = (lab.start(), lab.start());
    let (first, second) = (one.thread(), two.thread());
    one.complete(&first, "from one");
    two.complete(&second, "from two");
    for client in [&one, &two] {
        let page = client.request("thread/list", json!({}));
        let mut previews: Vec<&str> = page["data"]
            .as_array()
            .unwrap()
            .iter()
            .map(|t| t["preview"].as_str().unwrap())
            .collect();
        previews.sort_unstable();
        assert_eq!(previews, ["from one", "from two"]);
    }
}

#[test]
fn the_word_app_server_may_be_left_out() {
    ours_only!();
    let lab = Lab::new();
    for args in [
        &[][..],
        &["--listen", "stdio://"],
        &["-c", "model=\"x\"", "app-server", "--listen", "stdio://"],
    ] {
        let client = Client::spawn(&lab.home, args);
        let params = json!({"clientInfo": {"name": "it", "version": "1"}});
        assert_eq!(client.request("initialize", params)["platformFamily"], "unix", "{args:?}");
    }
}

/// A client that is killed leaves nothing behind, however its commands have gone about it.
#[track_caller]
fn a_killed_client(rounds: u32) {
    ours_only!();
    for round in 0..rounds {
        let lab = Lab::new();
        let marker = format!("it-{}", uuid::Uuid::new_v4());
        let script = format!(
            "trap '' TERM; setsid sh -c 'exec -a {marker}-session sleep 61' & \
             (sh -c 'exec -a {marker}-daemon sleep 62' &) ; \
             (setsid sh -c '(trap \"\" TERM HUP; exec -a {marker}-both sleep 63) & exit') ; \
             exec -a {marker}-stubborn sleep 64"
        )
        .replace("sh -c", "bash -c");
        lab.model.reply(ev::shell("call-1", &script));
        let client = lab.start();
        let thread = client.thread();
        client.turn(&thread, "go");
        for name in ["session", "daemon", "both", "stubborn"] {
            until("start of the commands", || runs(&format!("{marker}-{name}")).then_some(()));
        }
        let start = Instant::now();
        // All that a server sees of the death of its client.
        client.close();
        gone(&marker);
        let took = start.elapsed();
        assert!(took.as_secs() < 3, "round {round}: {took:?}");
    }
}

#[test]
fn a_killed_client_leaves_nothing_behind() {
    a_killed_client(3);
}

#[test]
#[ignore = "takes a minute"]
fn fifty_killed_clients_leave_nothing_behind() {
    a_killed_client(50);
}

/// Orphans that have ended do not stay in the list of processes.
#[test]
fn orphans_that_have_ended_are_waited_for() {
    ours_only!();
    let lab = Lab::new();
    lab.model
        .reply(ev::shell("call-1", "for n in 1 2 3; do (setsid sleep 0.1 &); done; echo $PPID"));
    lab.model.reply(ev::text("done"));
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "go");
    let server =
        client.items("commandExecution")[0]["aggregatedOutput"].as_str().unwrap().trim().to_owned();
    until("ends of all orphans", || {
        let children = std::fs::read_to_string(format!("/proc/{server}/task/{server}/children"));
        let children = children.unwrap_or_default();
        (children.split_whitespace().all(|child| {
            let stat = std::fs::read_to_string(format!("/proc/{child}/stat")).unwrap_or_default();
            !stat.contains("(sleep)")
        }))
        .then_some(())
    });
}

/// How much memory of its own a process has, in KiB: without the pages of its program.
fn held_by(process: &str) -> u64 {
    let status = std::fs::read_to_string(format!("/proc/{process}/status")).unwrap();
    let line = status.lines().find(|line| line.starts_with("RssAnon:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse().unwrap()
}

/// What a server may hold at most of a command that prints without end, in KiB: queues, texts and what the allocator
/// does not give back. It is the same for any size of the output.
const MOST_KEPT: u64 = 16 * 1024;

/// Runs a command that prints this much; what the server keeps of it is bounded.
#[track_caller]
fn flood(size: &str) {
    ours_only!();
    let lab = Lab::new();
    lab.model.reply(ev::shell("call-1", "echo $PPID"));
    let more = json!({"yield_time_ms": 30_000});
    lab.model.reply(ev::shell_with("call-2", &format!("yes | head -c {size}"), &more));
    lab.model.reply(ev::text("done"));
    let client = lab.start();
    let thread = client.thread();
    client.turn(&thread, "go");
    client.item_completed("commandExecution");
    let ended = || client.items("commandExecution").len() == 2;
    let server =
        client.items("commandExecution")[0]["aggregatedOutput"].as_str().unwrap().trim().to_owned();
    let before = held_by(&server);
    let mut most = before;
    // A debug build takes its time for it.
    let deadline = Instant::now() + Duration::from_secs(120);
    while !ended() && Instant::now() < deadline {
        most = most.max(held_by(&server));
        std::thread::sleep(Duration::from_millis(20));
    }
    assert!(ended());
    let growth = most - before;
    assert!(growth <= MOST_KEPT, "{growth} KiB");
}

#[test]
fn output_does_not_fill_the_memory() {
    flood("64M");
}

#[test]
#[ignore = "takes a minute"]
fn a_gigabyte_of_output_does_not_fill_the_memory() {
    flood("1G");
}
