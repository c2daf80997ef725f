//! A command as a filter: text in, text and an exit code out, within a time.
//!
//! The command's process group ends with the call, whether that returns or is dropped: what a filter leaves running
//! in its group is killed.

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::ChildStdin;
use tokio::time::timeout;

use super::piped::{self, Started};
use super::spawn::{Error, exit_code};

/// How much of either output is kept, in bytes. The rest is read and dropped, so that nobody waits for a reader.
pub(super) const KEPT: usize = 1024 * 1024;
/// The command has ended: how long somebody outside its group may keep an output open.
const DRAIN: Duration = Duration::from_millis(500);

/// A command to be run as a filter.
#[derive(Debug, Clone)]
pub(crate) struct Filter {
    /// The program, found on the `PATH` of `env` unless it has a slash, and its arguments.
    pub(crate) argv: Vec<String>,
    pub(crate) cwd: PathBuf,
    /// The whole environment: nothing is inherited beside it.
    pub(crate) env: Vec<(OsString, OsString)>,
    /// What the command reads.
    pub(crate) input: Vec<u8>,
    /// How long it may take.
    pub(crate) timeout: Duration,
}

/// How it went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Filtered {
    Ended {
        /// 128 and the signal for a command that a signal ended.
        code: i32,
        stdout: String,
        stderr: String,
    },
    /// It took too long and was killed.
    TimedOut,
}

/// Runs a command to its end.
pub(crate) async fn filter(request: Filter) -> Result<Filtered, Error> {
    let Started { mut child, group, stdin, stdout: out, stderr: err } =
        piped::start(&request.argv, &request.cwd, request.env)?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let exit = {
        let talk = async {
            tokio::join!(
                write(stdin, &request.input),
                read(out, &mut stdout),
                read(err, &mut stderr),
            );
        };
        tokio::pin!(talk);
        let ended = timeout(request.timeout, async {
            tokio::select! {
                // Both outputs may be closed before the command ends.
                () = &mut talk => (child.wait().await, Talk::Over),
                exit = child.wait() => (exit, Talk::GoesOn),
            }
        });
        let Ok((exit, talking)) = ended.await else { return Ok(Filtered::TimedOut) };
        // What the command has left behind must not keep the outputs open.
        drop(group);
        if talking == Talk::GoesOn {
            let _kept_open = timeout(DRAIN, talk).await;
        }
        exit.map_err(Error::Io)?
    };
    Ok(Filtered::Ended { code: exit_code(exit), stdout: text(&stdout), stderr: text(&stderr) })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Talk {
    Over,
    GoesOn,
}

/// Gives the command its input. One that does not read it has its reasons.
async fn write(mut pipe: ChildStdin, input: &[u8]) {
    let _unread = pipe.write_all(input).await;
}

async fn read(mut pipe: impl AsyncRead + Unpin, kept: &mut Vec<u8>) {
    let mut piece = vec![0; 8192];
    while let Ok(read @ 1..) = pipe.read(&mut piece).await {
        let room = KEPT.saturating_sub(kept.len());
        kept.extend_from_slice(&piece[..read.min(room)]);
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use std::time::Instant;

    use super::*;

    fn shell(script: &str) -> Filter {
        Filter {
            argv: ["/bin/sh", "-c", script].map(str::to_owned).to_vec(),
            cwd: "/".into(),
            env: vec![("PATH".into(), "/usr/bin:/bin".into())],
            input: b"in\n".to_vec(),
            timeout: Duration::from_secs(10),
        }
    }

    fn ended(code: i32, stdout: &str, stderr: &str) -> Filtered {
        Filtered::Ended { code, stdout: stdout.to_owned(), stderr: stderr.to_owned() }
    }

    #[tokio::test]
    async fn input_outputs_and_code() {
        assert_eq!(
            filter(shell("cat; echo err >&2; exit 3")).await.unwrap(),
            ended(3, "in\n", "err\n")
        );
        assert_eq!(filter(shell("kill -9 $$")).await.unwrap(), ended(137, "", ""));
        let unread = Filter { input: vec![b'x'; 1 << 20], ..shell("exec <&-; echo done") };
        assert_eq!(filter(unread).await.unwrap(), ended(0, "done\n", ""));
        let closed = shell("exec >&- 2>&-; sleep 0.05; exit 4");
        assert_eq!(filter(closed).await.unwrap(), ended(4, "", ""));
    }

    #[tokio::test]
    async fn output_is_bounded() {
        let Filtered::Ended { code, stdout, .. } =
            filter(shell("yes | head -c 3000000")).await.unwrap()
        else {
            panic!("it does not take long")
        };
        assert_eq!((code, stdout.len()), (0, KEPT));
    }

    #[tokio::test]
    async fn the_group_ends_with_the_filter() {
        let begun = Instant::now();
        assert_eq!(filter(shell("sleep 60 & echo left")).await.unwrap(), ended(0, "left\n", ""));
        let late = Filter { timeout: Duration::from_millis(50), ..shell("sleep 60") };
        assert_eq!(filter(late).await.unwrap(), Filtered::TimedOut);
        assert!(begun.elapsed() < Duration::from_secs(30), "nobody waits for what was left behind");
    }

    #[tokio::test]
    async fn what_cannot_be_started_is_told() {
        let missing = Filter { argv: vec!["/no/such/program".to_owned()], ..shell("") };
        assert!(matches!(filter(missing).await, Err(Error::Spawn(_))));
    }
}
