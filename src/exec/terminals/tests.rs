//! The registry of sessions: ids, the limit, and the end of all of them.

use std::time::Duration;

use tokio::sync::mpsc;

use super::super::{Io, SessionEvent, Spawn};
use super::*;

const LONG: Duration = Duration::from_secs(20);

/// A session in the registry, running `script`.
fn open(
    terminals: &Terminals,
    script: &str,
    events: &mpsc::Sender<SessionEvent>,
) -> (Session, Option<Session>) {
    let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    let spawn = Spawn {
        argv,
        cwd: "/".into(),
        env: std::env::vars_os().collect(),
        io: Io::Pipes,
        confined: None,
        quiet: Duration::ZERO,
    };
    let session = Session::start(terminals.reserve(), spawn, events.clone()).unwrap();
    let evicted = terminals.insert(session.clone());
    (session, evicted)
}

#[test]
fn ids_are_in_range() {
    assert!((0..10_000).all(|_| (FIRST..=LAST).contains(&random_id())));
}

#[tokio::test]
async fn lookup() {
    let (tx, _rx) = mpsc::channel(1000);
    let terminals = Terminals::default();
    let (session, _) = open(&terminals, "exec sleep 60", &tx);
    assert_eq!(terminals.get(session.id()).map(|found| found.id()), Some(session.id()));
    assert!(terminals.get(1).is_none());
    assert_eq!(terminals.running().len(), 1);
    assert!(terminals.remove(session.id()).is_some());
    assert!(terminals.get(session.id()).is_none() && terminals.running().is_empty());
    assert_eq!(session.finished(), None, "whoever removes a session decides about its end");
}

#[tokio::test]
async fn the_limit() {
    let (tx, _rx) = mpsc::channel(1000);
    let terminals = Terminals::default();
    let mut sessions = Vec::new();
    for number in 0..LIMIT {
        let script = if number == 5 || number == 60 { "exit 0" } else { "exec sleep 60" };
        let (session, evicted) = open(&terminals, script, &tx);
        assert!(evicted.is_none());
        sessions.push(session);
    }
    for ended in [5, 60] {
        assert_eq!(sessions[ended].collect(LONG).await.exit, Some(0));
    }
    terminals.get(sessions[0].id()).unwrap();
    let evicted = || open(&terminals, "exec sleep 60", &tx).1.map(|session| session.id());
    assert_eq!(evicted(), Some(sessions[5].id()), "the ended one goes first");
    assert_eq!(
        evicted(),
        Some(sessions[1].id()),
        "then the least recently used one; number 60 is too recent"
    );
    assert_eq!(sessions[1].collect(LONG).await.exit, Some(-1));
    assert_eq!(terminals.running().len(), LIMIT - 1, "number 60 has ended");
}

#[tokio::test]
async fn killing_by_id() {
    let (tx, _rx) = mpsc::channel(1000);
    let terminals = Terminals::default();
    let (session, _) = open(&terminals, "exec sleep 60", &tx);
    assert!(terminals.kill(session.id()) && !terminals.kill(session.id()));
    assert_eq!(session.collect(LONG).await.exit, Some(-1));
    let (ended, _) = open(&terminals, "exit 3", &tx);
    assert_eq!(ended.collect(LONG).await.exit, Some(3));
    assert!(!terminals.kill(ended.id()), "it has ended by itself");
}

#[tokio::test]
async fn a_session_killed_before_it_has_started() {
    let (tx, _rx) = mpsc::channel::<SessionEvent>(1000);
    let terminals = Terminals::default();
    let id = terminals.reserve();
    assert!(terminals.kill(id) && !terminals.kill(id));
    let argv = ["/bin/sleep", "60"].map(str::to_owned).to_vec();
    let (cwd, env, io) = ("/".into(), Vec::new(), Io::Pipes);
    let spawn = Spawn { argv, cwd, env, io, confined: None, quiet: Duration::ZERO };
    let session = Session::start(id, spawn, tx.clone()).unwrap();
    assert!(terminals.insert(session.clone()).is_none());
    assert_eq!(session.collect(LONG).await.exit, Some(-1));
}

#[tokio::test]
async fn the_end_of_the_registry() {
    let (tx, _rx) = mpsc::channel(1000);
    let terminals = Terminals::default();
    let sessions = [0, 1, 2].map(|_| open(&terminals, "exec sleep 60", &tx).0);
    drop(terminals);
    for session in sessions {
        assert_eq!(session.collect(LONG).await.exit, Some(-1));
    }
}
