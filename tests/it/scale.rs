//! What many and large threads cost. Slow, prints its figures, and is about release builds:
//! `cargo test --release --test it scale -- --ignored --nocapture`.

use std::fs::{self, File};
use std::io::{BufWriter, Write as _};
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use serde_json::{Value, json};

use crate::harness::{Client, Lab, ours_only};

/// Times are promised of release builds alone.
#[track_caller]
fn within(limit: Duration, took: Duration, what: &str) {
    eprintln!("{what}: {took:?}");
    assert!(cfg!(debug_assertions) || took <= limit, "{what} took {took:?}, more than {limit:?}");
}

/// A line of `/proc/<pid>/status`, in MiB.
fn memory(client: &Client, line: &str) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", client.id())).unwrap();
    let line = status.lines().find(|text| text.starts_with(line)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// A stored thread of one turn: its id, and its rollout.
fn pattern(lab: &Lab) -> (String, PathBuf) {
    let client = lab.start();
    let thread = client.thread();
    client.complete(&thread, "the question");
    client.close();
    let path = lab.home.home().join(&lab.home.rollouts("sessions")[0]);
    (thread, path)
}

#[test]
#[ignore = "takes a minute"]
fn fifty_threads_among_ten_thousand() {
    ours_only!();
    const THREADS: usize = 10_000;
    let lab = Lab::new();
    let (thread, path) = pattern(&lab);
    let text = fs::read_to_string(&path).unwrap();
    let mut files = vec![path.clone()];
    for number in 1..THREADS {
        let id = format!("{}{number:012x}", &thread[..24]);
        let name = path.to_str().unwrap().replace(&thread, &id);
        fs::write(&name, text.replace(&thread, &id)).unwrap();
        files.push(PathBuf::from(name));
    }
    let page = json!({"limit": 50});
    let client = lab.start();
    // The answer takes as long as the index; a client that waits for it is no part of the promise.
    let start = Instant::now();
    let id = client.post("thread/list", page.clone());
    let first = client.answer_within(Duration::from_secs(120), id).unwrap();
    eprintln!("the index of {THREADS} threads: {:?}", start.elapsed());
    client.close();
    // Whoever opens a rollout now finds nothing in it, though nobody can tell from outside.
    for file in &files {
        let known = fs::metadata(file).unwrap();
        let times = known.modified().unwrap();
        let spoilt = vec![b'x'; usize::try_from(known.len()).unwrap()];
        let mut file = File::options().write(true).open(file).unwrap();
        file.write_all(&spoilt).unwrap();
        file.set_modified(times).unwrap();
    }
    let mut times: Vec<Duration> = Vec::new();
    for _ in 0..5 {
        let client = lab.start();
        let start = Instant::now();
        let again = client.request("thread/list", page.clone());
        times.push(start.elapsed());
        assert_eq!(again["data"].as_array().unwrap().len(), 50);
        assert_eq!(again["data"], first["data"]);
    }
    times.sort();
    within(Duration::from_millis(10), times[2], "the first list of a process (median of 5)");
}

/// Makes a rollout of this size out of the lines of its last turn.
fn grow(path: &PathBuf, size: u64) {
    let text = fs::read_to_string(path).unwrap();
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let first = lines.iter().position(|line| line["payload"]["type"] == "task_started").unwrap();
    let turn = lines[first]["payload"]["turn_id"].as_str().unwrap();
    let answer = "a word and another ".repeat(500);
    let pattern: Vec<String> = lines[first..]
        .iter()
        .map(|line| {
            let mut line = line.clone();
            line["ordinal"] = json!(0);
            line.to_string()
        })
        .collect();
    let mut file = BufWriter::new(File::options().append(true).open(path).unwrap());
    let mut written = u64::try_from(text.len()).unwrap();
    let mut ordinal = lines.len();
    while written < size {
        let id = uuid::Uuid::new_v4().to_string();
        for line in &pattern {
            let line = line.replace(turn, &id).replace("\"done\"", &format!("\"{answer}\""));
            let line = line.replace("\"ordinal\":0", &format!("\"ordinal\":{ordinal}"));
            writeln!(file, "{line}").unwrap();
            written += u64::try_from(line.len()).unwrap() + 1;
            ordinal += 1;
        }
    }
    file.flush().unwrap();
    file.get_ref().set_modified(SystemTime::now()).unwrap();
}

#[test]
#[ignore = "takes a minute"]
fn a_thread_of_a_hundred_mebibytes_goes_on() {
    ours_only!();
    let lab = Lab::new();
    let (thread, path) = pattern(&lab);
    for size in [25, 50, 100] {
        grow(&path, size << 20);
        let client = lab.start();
        let before = memory(&client, "VmHWM");
        let start = Instant::now();
        let params = json!({"threadId": thread, "excludeTurns": true});
        let resumed = client
            .answer_within(Duration::from_secs(60), client.post("thread/resume", params))
            .unwrap();
        let took = start.elapsed();
        assert_eq!(resumed["thread"]["id"], thread);
        within(Duration::from_millis(300), took, &format!("thread/resume of {size} MiB"));
        let (most, kept) = (memory(&client, "VmHWM"), memory(&client, "RssAnon"));
        eprintln!(
            "memory with {size} MiB: {before} MiB before, {most} MiB at most, {kept} MiB kept"
        );
        assert!(most < before + 4 * size, "memory does not grow beyond a few times the history");
    }
}

#[test]
#[ignore = "takes a minute"]
fn five_hundred_idle_threads() {
    ours_only!();
    let lab = Lab::new();
    let client = lab.start();
    for _ in 0..500 {
        let thread = client.thread();
        client.complete(&thread, "go");
    }
    let (all, own) = (memory(&client, "VmRSS"), memory(&client, "RssAnon"));
    eprintln!("500 idle threads: {all} MiB, of which {own} MiB are no pages of the program");
    assert!(all <= 100, "{all} MiB");
}
