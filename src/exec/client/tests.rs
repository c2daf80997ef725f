//! Ends of client commands: what is kept of their output.

use super::*;

fn shell(script: &str, cap: usize, output: ClientOutput) -> (Arc<ClientProcess>, Running) {
    ClientProcess::start(ClientSpawn {
        argv: ["/bin/sh", "-c", script].map(str::to_owned).into(),
        cwd: "/".into(),
        env: vec![("PATH".into(), "/usr/bin:/bin".into())],
        io: ClientIo::Pipes { stdin: true },
        output,
        confined: None,
        timeout: None,
        cap: Some(cap),
    })
    .unwrap()
}

#[tokio::test]
async fn output_beyond_the_cap_is_dropped_and_the_process_goes_on() {
    let (process, running) =
        shell("head -c 300000 /dev/zero; read x; exit $x", 5, ClientOutput::Kept);
    process.write(b"7\n".to_vec(), true).unwrap().await.unwrap().unwrap();
    assert!(matches!(process.write(b"8".to_vec(), false), Err(InputError::Closed)));
    let end = running.end().await;
    assert_eq!((end.exit_code, end.stdout.text.len(), end.stdout.cap_reached), (7, 5, true));
    assert!(!end.stderr.cap_reached);
}

#[tokio::test]
async fn a_child_that_keeps_the_pipes_open_delays_the_end_for_a_while_only() {
    let (process, mut running) = shell("setsid sleep 60 & echo $!", 64, ClientOutput::Streamed);
    let delta = running.next().await.unwrap();
    let left = String::from_utf8(delta.bytes).unwrap();
    let end = running.end().await;
    assert_eq!((end.exit_code, end.drain_timed_out), (0, true));
    drop(process);
    let left = rustix::process::Pid::from_raw(left.trim().parse().unwrap()).unwrap();
    rustix::process::kill_process(left, Signal::KILL).unwrap();
}
