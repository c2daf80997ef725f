//! The index as a cache: what changes outside, what is lost, what is damaged.

use std::{
    fs::{self, File},
    io::Write as _,
    path::{Path, PathBuf},
    time::{Duration, SystemTime},
};

use serde_json::json;
use tempfile::TempDir;

use super::FILE;
use crate::protocol::ThreadId;
use crate::store::{Query, Store};

fn id(number: u32) -> ThreadId {
    ThreadId::from(format!("01990000-0000-7000-8000-{number:012}"))
}

/// Writes a rollout of one message, as another program would.
fn plant(home: &Path, number: u32, text: &str) -> PathBuf {
    let folder = home.join("sessions/2025/09").join(format!("{:02}", number % 28 + 1));
    fs::create_dir_all(&folder).expect("a folder");
    let path = folder.join(format!("rollout-2025-09-01T10-00-00-{}.jsonl", id(number)));
    let meta = json!({"id": id(number), "timestamp": "2025-09-01T10:00:00.000Z", "cwd": "/w", "originator": "cli",
        "cli_version": "0.40.0", "source": "cli", "model_provider": "mock"});
    let lines = [
        json!({"timestamp": "2025-09-01T10:00:00.000Z", "type": "session_meta", "payload": meta}),
        json!({"timestamp": "2025-09-01T10:00:01.000Z", "type": "event_msg",
            "payload": {"type": "user_message", "message": text}}),
    ];
    fs::write(&path, lines.map(|line| format!("{line}\n")).concat()).expect("a file");
    path
}

/// Lets folders look as if nothing had changed for a while, so that the index trusts their times.
fn age(folder: &Path) {
    let old = SystemTime::now() - Duration::from_secs(60);
    File::open(folder).and_then(|file| file.set_modified(old)).expect("a time");
    for entry in fs::read_dir(folder).expect("a folder").flatten() {
        if entry.path().is_dir() {
            age(&entry.path());
        }
    }
}

fn home(threads: u32) -> TempDir {
    let home = tempfile::tempdir().expect("a folder");
    for number in 0..threads {
        plant(home.path(), number, &format!("m{number}"));
    }
    fs::create_dir_all(home.path().join("thread-writer-locks")).expect("a folder");
    fs::create_dir_all(home.path().join("archived_sessions")).expect("a folder");
    home
}

/// The previews of all threads, sorted, as a fresh process lists them.
fn listed(home: &Path) -> Vec<String> {
    let store = Store::new(home.to_owned());
    let page = store.list(&Query { limit: 1000, ..Query::default() }).expect("a page");
    let mut previews: Vec<String> = page.data.into_iter().map(|row| row.preview).collect();
    previews.sort();
    assert_eq!(store.take_problem(), None);
    previews
}

#[test]
fn an_index_is_kept_current() {
    let home = home(3);
    let home = home.path();
    assert_eq!(listed(home), ["m0", "m1", "m2"]);
    age(home);
    assert_eq!(listed(home), ["m0", "m1", "m2"]);
    // A new file, one that goes, one that comes back under another name, all in folders that were trusted.
    plant(home, 3, "m3");
    fs::remove_file(plant(home, 0, "m0")).expect("removed");
    fs::remove_dir_all(home.join("sessions/2025/09/02")).expect("removed");
    assert_eq!(listed(home), ["m2", "m3"]);
    age(home);
    assert_eq!(listed(home), ["m2", "m3"]);
    let path = plant(home, 2, "m2");
    fs::rename(&path, home.join("archived_sessions").join(path.file_name().expect("a name")))
        .expect("moved");
    assert_eq!(listed(home), ["m3"]);
}

#[test]
fn a_thread_that_grows_elsewhere_is_noticed() {
    let home = home(2);
    let home = home.path();
    let lock = home.join(format!("thread-writer-locks/{}.lock", id(1)));
    fs::write(&lock, "").expect("a lock");
    let path = plant(home, 1, "");
    assert_eq!(listed(home), ["m0"]);
    age(home);
    assert_eq!(listed(home), ["m0"]);
    // The folder does not tell, but the lock does.
    let line = json!({"timestamp": "2025-09-01T10:00:02.000Z", "type": "event_msg",
        "payload": {"type": "user_message", "message": "said later"}});
    let mut file = File::options().append(true).open(&path).expect("the file");
    writeln!(file, "{line}").expect("written");
    assert_eq!(listed(home), ["m0", "said later"]);
}

#[test]
fn what_grew_and_was_let_go_is_noticed_too() {
    let home = home(1);
    let home = home.path();
    plant(home, 1, "");
    assert_eq!(listed(home), ["m0"]);
    age(home);
    assert_eq!(listed(home), ["m0"]);
    let lock = home.join(format!("thread-writer-locks/{}.lock", id(1)));
    fs::write(&lock, "").expect("a lock");
    // In the place of the old content, so that the folder does not change.
    plant(home, 1, "meanwhile");
    fs::remove_file(&lock).expect("let go");
    assert_eq!(listed(home), ["m0", "meanwhile"]);
}

#[test]
fn a_lost_or_damaged_index_is_made_anew() {
    let home = home(2);
    let home = home.path();
    assert_eq!(listed(home), ["m0", "m1"]);
    let file = home.join(FILE);
    let whole = fs::read(&file).expect("the index");
    let damaged: [&[u8]; 4] = [b"", b"no database at all", &whole[..whole.len() / 2], &[0; 8192]];
    for content in damaged {
        for suffix in ["-wal", "-shm"] {
            drop(fs::remove_file(home.join(format!("{FILE}{suffix}"))));
        }
        fs::write(&file, content).expect("damaged");
        assert_eq!(listed(home), ["m0", "m1"]);
    }
    fs::remove_file(&file).expect("removed");
    assert_eq!(listed(home), ["m0", "m1"]);
}

#[test]
fn without_a_file_the_index_is_in_memory_and_says_so_once() {
    let home = home(2);
    fs::create_dir(home.path().join(FILE)).expect("something in the way");
    let store = Store::new(home.path().to_owned());
    assert_eq!(store.list(&Query::default()).expect("a page").data.len(), 2);
    assert!(store.take_problem().is_some());
    plant(home.path(), 2, "m2");
    assert_eq!(store.list(&Query::default()).expect("a page").data.len(), 3);
    assert_eq!(store.take_problem(), None);
}

#[test]
fn a_locked_index_does_not_keep_anybody_waiting_for_long() {
    let home = home(2);
    let home = home.path();
    assert_eq!(listed(home).len(), 2);
    let other = rusqlite::Connection::open(home.join(FILE)).expect("the index");
    other.execute_batch("BEGIN EXCLUSIVE").expect("locked");
    plant(home, 2, "m2");
    let store = Store::new(home.to_owned());
    assert_eq!(store.list(&Query::default()).expect("a page").data.len(), 3);
    assert!(store.take_problem().is_some());
}

#[test]
fn many_processes_fill_one_index() {
    let home = home(40);
    let home = home.path();
    std::thread::scope(|scope| {
        let each = |_| scope.spawn(|| assert_eq!(listed(home).len(), 40));
        let all: Vec<_> = (0..8).map(each).collect();
        all.into_iter().for_each(|one| one.join().expect("listed"));
    });
}
