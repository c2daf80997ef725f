//! Sessions with real commands: output, input, endings, and what is left behind.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use super::*;

const LONG: Duration = Duration::from_secs(20);

fn request(script: &str, io: Io) -> Spawn {
    let env = std::env::vars_os().collect();
    let argv = ["/bin/sh", "-c", script].map(str::to_owned).to_vec();
    Spawn { argv, cwd: std::env::temp_dir(), env, io, confined: None, quiet: Duration::ZERO }
}

fn start(script: &str, io: Io) -> (Session, mpsc::Receiver<SessionEvent>) {
    let (tx, rx) = mpsc::channel(64);
    (Session::start(7, request(script, io), tx).unwrap(), rx)
}

/// What a command printed according to its events, and its end.
async fn follow(rx: &mut mpsc::Receiver<SessionEvent>) -> (String, i32, Option<String>) {
    let mut printed = String::new();
    loop {
        match timeout(LONG, rx.recv()).await.expect("an event in time").expect("an end").kind {
            SessionEventKind::Output(piece) => {
                assert!(piece.len() <= PIECE);
                printed.push_str(&piece);
            }
            SessionEventKind::Ended { exit_code, aggregated, .. } => {
                return (printed, exit_code, aggregated);
            }
        }
    }
}

/// Waits until the events have shown `text`; returns all that they showed so far.
async fn until(rx: &mut mpsc::Receiver<SessionEvent>, text: &str) -> String {
    let mut printed = String::new();
    while !printed.contains(text) {
        match timeout(LONG, rx.recv()).await.expect("an event in time").expect("more events").kind {
            SessionEventKind::Output(piece) => printed.push_str(&piece),
            SessionEventKind::Ended { .. } => panic!("ended before {text:?}: {printed:?}"),
        }
    }
    printed
}

#[track_caller]
fn pids(text: &str) -> Vec<u32> {
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}

/// Whether a process is there and not merely unreaped.
fn alive(pid: u32) -> bool {
    std::fs::read_to_string(format!("/proc/{pid}/stat"))
        .is_ok_and(|stat| !stat.rsplit_once(')').is_some_and(|(_, rest)| rest.starts_with(" Z")))
}

/// Waits for the end of a process that is no child of ours.
async fn gone(pid: u32) {
    let deadline = Instant::now() + LONG;
    while alive(pid) {
        assert!(Instant::now() < deadline, "process {pid} lives on");
        tokio::task::yield_now().await;
    }
}

#[tokio::test]
async fn exit_codes() {
    let cases = [
        ("true", 0),
        ("exit 3", 3),
        ("nosuchcommand-x 2>/dev/null", 127),
        ("kill -9 $$", 137),
        ("kill $$", 143),
    ];
    for (script, expected) in cases {
        let (session, mut rx) = start(script, Io::Pipes);
        assert_eq!(follow(&mut rx).await, (String::new(), expected, None), "{script}");
        assert!(rx.recv().await.is_none(), "nothing comes after the end");
        let collected = session.collect(LONG).await;
        assert_eq!(
            (collected.exit, session.finished()),
            (Some(expected), Some(expected)),
            "{script}"
        );
    }
}

#[tokio::test]
async fn both_streams_in_order() {
    let script = "for i in 1 2 3 4 5 6 7 8 9; do echo o$i; echo e$i >&2; done";
    let expected: String = (1..10).map(|i| format!("o{i}\ne{i}\n")).collect();
    let (session, mut rx) = start(script, Io::Pipes);
    assert_eq!(follow(&mut rx).await, (expected.clone(), 0, Some(expected.clone())));
    let collected = session.collect(LONG).await;
    assert_eq!((collected.output, collected.exit), (Output::from(expected), Some(0)));
    assert_eq!(session.collect(LONG).await.output, Output::default());
}

#[tokio::test]
async fn stdin_is_empty_and_the_end_precedes_the_exit_code() {
    let (session, mut rx) = start("cat; echo done", Io::Pipes);
    assert_eq!(session.collect(LONG).await.output.text, "done\n");
    assert_eq!(
        rx.try_recv().map(|event| event.kind),
        Ok(SessionEventKind::Output("done\n".to_owned()))
    );
    assert!(matches!(
        rx.try_recv().map(|event| event.kind),
        Ok(SessionEventKind::Ended { exit_code: 0, .. })
    ));
}

#[tokio::test]
async fn a_deadline_hands_out_what_there_is() {
    let (session, mut rx) = start("echo first; read x < /dev/null; exec sleep 60", Io::Pipes);
    until(&mut rx, "first").await;
    let collected = session.collect(Duration::ZERO).await;
    assert_eq!((collected.output.text.as_str(), collected.exit), ("first\n", None));
    session.kill();
    let collected = session.collect(LONG).await;
    assert_eq!((collected.output.text.as_str(), collected.exit), ("", Some(-1)));
    assert_eq!(follow(&mut rx).await, (String::new(), -1, Some("first\n".to_owned())));
}

#[tokio::test]
async fn what_cannot_start() {
    let (tx, _rx) = mpsc::channel::<SessionEvent>(1);
    let with = |change: fn(&mut Spawn)| {
        let mut spawn = request("true", Io::Pipes);
        change(&mut spawn);
        Session::start(1, spawn, tx.clone()).map(|_| ()).unwrap_err()
    };
    assert!(matches!(with(|spawn| spawn.argv.clear()), Error::Empty));
    for error in [
        with(|spawn| spawn.cwd = "/nowhere/at/all".into()),
        with(|spawn| spawn.argv[0] = "/no/such".into()),
    ] {
        assert!(
            matches!(error, Error::Spawn(source) if source.to_string().contains("No such file"))
        );
    }
}

#[tokio::test]
async fn directory_and_environment() {
    let mut spawn = request("pwd; echo $PWD [$ONLY] [$HOME]", Io::Pipes);
    spawn.cwd = "/".into();
    spawn.env = vec![("ONLY".into(), "this".into())];
    let (tx, mut rx) = mpsc::channel(4);
    let _session = Session::start(1, spawn, tx).unwrap();
    assert_eq!(follow(&mut rx).await.0, "/\n/ [this] []\n");
}

#[tokio::test]
async fn interrupt_without_a_terminal() {
    let (session, mut rx) = start("echo up; exec sleep 60", Io::Pipes);
    until(&mut rx, "up").await;
    assert!(matches!(session.write(b"hello\n").await, Err(WriteError::StdinClosed)));
    session.write(b"\x03").await.unwrap();
    assert_eq!(follow(&mut rx).await.1, 130);
    assert!(matches!(session.write(b"\x03").await, Err(WriteError::Ended) | Ok(())));
}

/// A shell ignores the interrupt for its background jobs, of which this process may be one.
#[test]
fn interrupt_where_it_is_ignored() {
    let own = std::env::current_exe().unwrap();
    let test = "exec::session::tests::interrupt_without_a_terminal";
    let run = Command::new("/bin/sh")
        .args(["-c", "trap '' INT QUIT HUP; exec \"$0\" --exact \"$1\""])
        .arg(own)
        .arg(test)
        .output()
        .unwrap();
    let told = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success() && told.contains("1 passed"), "{told}");
}

#[tokio::test]
async fn a_terminal() {
    let (session, mut rx) =
        start("test -t 0 && test -t 2 && stty size; read x; echo got:$x", Io::TERMINAL);
    assert_eq!(until(&mut rx, "\n").await, "24 80\r\n");
    session.write(b"hello\n").await.unwrap();
    let (printed, code, _) = follow(&mut rx).await;
    assert_eq!((printed.as_str(), code), ("hello\r\ngot:hello\r\n", 0));
}

#[tokio::test]
async fn the_terminal_interrupts_and_ends_the_file() {
    let (session, mut rx) = start("echo up; exec sleep 60", Io::TERMINAL);
    until(&mut rx, "up").await;
    session.write(b"\x03").await.unwrap();
    assert_eq!(follow(&mut rx).await.1, 130);

    let (session, mut rx) = start("echo up; cat; echo over", Io::TERMINAL);
    until(&mut rx, "up").await;
    session.write(b"line\n\x04").await.unwrap();
    let (printed, code, _) = follow(&mut rx).await;
    assert!(printed.ends_with("line\r\nover\r\n"), "{printed:?}");
    assert_eq!(code, 0);
}

#[tokio::test]
async fn a_writer_does_not_outwait_the_command() {
    let (session, mut rx) = start("stty raw -echo; echo up; exec sleep 60", Io::TERMINAL);
    until(&mut rx, "up").await;
    let killer = session.clone();
    let writer = tokio::spawn(async move { session.write(&[b'x'; 1_000_000]).await });
    tokio::task::yield_now().await;
    killer.kill();
    assert_eq!(follow(&mut rx).await.1, -1);
    assert!(timeout(LONG, writer).await.unwrap().unwrap().is_err());
}

#[tokio::test]
async fn killing_takes_the_whole_group() {
    for io in [Io::Pipes, Io::TERMINAL] {
        let (session, mut rx) =
            start("sleep 60 & (sleep 61 & echo $!; wait) & echo $! $$ up; wait", io);
        let mut printed = until(&mut rx, "up").await;
        while pids(&printed).len() < 3 {
            printed.push_str(&until(&mut rx, "\n").await);
        }
        let family = pids(&printed);
        assert!(family.iter().all(|pid| alive(*pid)), "{printed:?}");
        session.kill();
        assert_eq!(follow(&mut rx).await.1, -1);
        for pid in family {
            gone(pid).await;
        }
    }
}

#[tokio::test]
async fn the_last_handle_takes_the_group_with_it() {
    let (session, mut rx) = start("sleep 60 & echo $! $$ up; wait", Io::Pipes);
    let family = pids(&until(&mut rx, "up").await);
    let clone = session.clone();
    drop(session);
    assert!(family.iter().all(|pid| alive(*pid)));
    drop(clone);
    assert_eq!(follow(&mut rx).await.1, -1);
    for pid in family {
        gone(pid).await;
    }
}

#[tokio::test]
async fn what_a_command_leaves_behind() {
    let (session, mut rx) = start("sleep 60 & echo $!", Io::Pipes);
    let (printed, code, _) = follow(&mut rx).await;
    let left = pids(&printed);
    assert_eq!((left.len(), code), (1, 0));
    assert!(alive(left[0]), "draining the output kills nobody");
    drop(session);
    gone(left[0]).await;
}

#[tokio::test]
async fn floods_are_bounded() {
    let (session, mut rx) = start("yes | head -c 100000000; echo END", Io::Pipes);
    let mut seen = 0;
    let kept = loop {
        match timeout(LONG, rx.recv()).await.unwrap().unwrap().kind {
            SessionEventKind::Output(piece) => seen += piece.len(),
            SessionEventKind::Ended { aggregated, .. } => break aggregated.unwrap(),
        }
    };
    assert!(seen <= MAX_PIECES * PIECE && seen > 1_000_000, "{seen}");
    let marker = format!("\n... {} bytes omitted ...\n", 100_000_004 - 1024 * 1024);
    assert_eq!(kept.len(), 1024 * 1024 + marker.len());
    assert!(kept.contains(&marker) && kept.ends_with("y\nEND\n"));
    let output = session.collect(LONG).await.output;
    assert_eq!((output.text, output.bytes), (kept, 100_000_004));
}

#[tokio::test]
async fn a_full_channel_holds_the_command_back() {
    let (tx, mut rx) = mpsc::channel(1);
    let session =
        Session::start(1, request("head -c 1000000 /dev/zero | tr '\\0' x", Io::Pipes), tx)
            .unwrap();
    assert_eq!(session.collect(Duration::from_millis(20)).await.exit, None);
    assert_eq!(follow(&mut rx).await.0.len(), 1_000_000);
    assert_eq!(session.collect(LONG).await.exit, Some(0));
}

#[tokio::test]
async fn nobody_needs_to_listen() {
    let (session, rx) = start("head -c 1000000 /dev/zero | tr '\\0' x; echo END", Io::Pipes);
    drop(rx);
    let collected = session.collect(LONG).await;
    assert_eq!((collected.output.bytes, collected.exit), (1_000_004, Some(0)));
}

#[tokio::test]
async fn characters_split_between_pieces() {
    let (_session, mut rx) =
        start(r"printf 'a\342\202'; sleep 0.05; printf '\254\377b\303'", Io::Pipes);
    assert_eq!(follow(&mut rx).await.0, "a\u{20ac}\u{fffd}b\u{fffd}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn fifty_at_once() {
    let runs = (0..50).map(|number| {
        tokio::spawn(async move {
            let (session, mut rx) =
                start(&format!("sleep 0.2; echo {number}; exit {number}"), Io::Pipes);
            let (printed, code, _) = follow(&mut rx).await;
            assert_eq!(
                (printed, code, session.finished()),
                (format!("{number}\n"), number, Some(number))
            );
        })
    });
    let started = Instant::now();
    for run in runs.collect::<Vec<_>>() {
        run.await.unwrap();
    }
    assert!(started.elapsed() < Duration::from_secs(8), "{:?}", started.elapsed());
}

#[tokio::test]
async fn the_command_leads_its_session_and_leaks_no_descriptors() {
    // What the test runner itself leaks is none of ours.
    let own = std::fs::read_dir("/proc/self/fd")
        .unwrap()
        .filter_map(|entry| entry.unwrap().path().read_link().ok());
    let own: BTreeSet<String> = own.map(|to| to.display().to_string()).collect();
    let (_session, mut rx) = start("cat /proc/$$/stat; ls -l /proc/$$/fd", Io::Pipes);
    let (printed, _, _) = follow(&mut rx).await;
    let (stat, descriptors) = printed.split_once('\n').unwrap();
    let fields: Vec<&str> = stat.rsplit_once(") ").unwrap().1.split(' ').collect();
    let leader = stat.split(' ').next().unwrap();
    // State, parent, group, session.
    assert_eq!((fields[2], fields[3]), (leader, leader), "{stat}");
    let open = descriptors.lines().filter_map(|line| line.rsplit_once(" -> ")).map(|(_, to)| to);
    let open: BTreeSet<&str> = open.filter(|to| !own.contains(*to) && *to != "/dev/null").collect();
    // One pipe for both outputs, and the lifeline.
    assert_eq!(open.len(), 2, "{descriptors}");
}

/// The part of the death test that is killed: a process that runs a command until it is told not to.
#[test]
#[ignore = "run by `the_death_of_the_server`"]
fn server_that_is_killed() {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    runtime.block_on(async {
        let (session, mut rx) = start(
            "sleep 60 & (sleep 61 >/dev/null & echo $!; wait) & echo $! $$ up; wait",
            Io::Pipes,
        );
        let mut printed = until(&mut rx, "up").await;
        while pids(&printed).len() < 3 {
            printed.push_str(&until(&mut rx, "\n").await);
        }
        eprintln!("pids {} end", printed.replace('\n', " "));
        session.collect(LONG * 3).await;
    });
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn the_death_of_the_server() {
    use tokio::io::{AsyncBufReadExt as _, BufReader};

    let mut server = tokio::process::Command::new(std::env::current_exe().unwrap());
    server.args([
        "--ignored",
        "--exact",
        "--nocapture",
        "exec::session::tests::server_that_is_killed",
    ]);
    let mut server = server
        .stdout(std::process::Stdio::null())
        .stderr(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(server.stderr.take().unwrap()).lines();
    let family = loop {
        let line = timeout(LONG, lines.next_line())
            .await
            .unwrap()
            .unwrap()
            .expect("the server's children");
        if line.ends_with("end") {
            break pids(&line);
        }
    };
    assert_eq!(family.len(), 3);
    assert!(family.iter().all(|pid| Path::new(&format!("/proc/{pid}")).exists()));
    server.kill().await.unwrap();
    for pid in family {
        gone(pid).await;
    }
}
