//! A process that is talked to over its three pipes for as long as its owner keeps it.

use std::ffi::OsString;
use std::path::Path;
use std::process::Stdio;
use std::sync::LazyLock;
use std::time::Duration;

use tokio::process::{Child, ChildStderr, ChildStdin, ChildStdout};
use tokio::runtime::Handle;
use tokio::time::timeout;
use tokio_util::task::TaskTracker;

use super::group::Group;
use super::spawn::{Error, Terminal, command, launch};

/// How long a process may take to end after its input has.
const GRACE: Duration = Duration::from_secs(1);

/// The processes whose owners have let go of them.
static CLOSING: LazyLock<TaskTracker> = LazyLock::new(TaskTracker::new);

/// Waits until every process that nobody owns any more has had its moment, at the end of everything.
pub(crate) async fn closed() {
    CLOSING.close();
    CLOSING.wait().await;
}

/// A process that runs, and the ends of its pipes.
#[derive(Debug)]
pub(crate) struct Piped {
    pub(crate) stdin: ChildStdin,
    pub(crate) stdout: ChildStdout,
    pub(crate) stderr: ChildStderr,
    pub(crate) lifetime: Lifetime,
}

/// The process itself. When this is dropped, it has a moment to end by itself, which it should once its input is
/// closed; then its whole group is killed.
#[derive(Debug)]
pub(crate) struct Lifetime(Option<(Child, Group)>);

/// A process that has just been started, and our ends of its pipes.
pub(super) struct Started {
    pub(super) child: Child,
    pub(super) group: Group,
    pub(super) stdin: ChildStdin,
    pub(super) stdout: ChildStdout,
    pub(super) stderr: ChildStderr,
}

/// Starts a process with nothing but this environment, and keeps it.
pub(crate) fn piped(
    argv: &[String],
    cwd: &Path,
    env: Vec<(OsString, OsString)>,
) -> Result<Piped, Error> {
    let Started { child, group, stdin, stdout, stderr } = start(argv, cwd, env)?;
    Ok(Piped { stdin, stdout, stderr, lifetime: Lifetime(Some((child, group))) })
}

/// Starts a process with nothing but this environment.
pub(super) fn start(
    argv: &[String],
    cwd: &Path,
    env: Vec<(OsString, OsString)>,
) -> Result<Started, Error> {
    let mut command = command(argv, cwd, env)?;
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let (mut child, group) = launch(command, Terminal::None)?;
    let pipes = (child.stdin.take(), child.stdout.take(), child.stderr.take());
    let (Some(stdin), Some(stdout), Some(stderr)) = pipes else {
        return Err(Error::Io(std::io::Error::other("the process has no pipes")));
    };
    Ok(Started { child, group, stdin, stdout, stderr })
}

impl Drop for Lifetime {
    fn drop(&mut self) {
        let Some((mut child, group)) = self.0.take() else { return };
        // Without a runtime there is nobody to wait: the group is killed at once.
        let Ok(runtime) = Handle::try_current() else { return };
        // Ends by itself within the grace, and the kernel kills the group if this process ends before.
        let closing = async move {
            let _late = timeout(GRACE, child.wait()).await;
            drop(group);
        };
        drop(CLOSING.spawn_on(closing, &runtime));
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    fn shell(script: &str) -> Piped {
        let argv = ["/bin/sh", "-c", script].map(str::to_owned);
        piped(&argv, Path::new("/"), vec![("PATH".into(), "/usr/bin:/bin".into())]).unwrap()
    }

    #[tokio::test]
    async fn a_process_ends_with_its_owner() {
        let mut told = shell("read x; echo $x");
        told.stdin.write_all(b"hello\n").await.unwrap();
        let mut text = String::new();
        told.stdout.read_to_string(&mut text).await.unwrap();
        assert_eq!(text, "hello\n");

        let mut stubborn = shell("trap '' TERM; while :; do sleep 60; done");
        drop((stubborn.stdin, stubborn.lifetime));
        // The pipe ends when nobody of the group has it open any more.
        stubborn.stdout.read_to_string(&mut text).await.unwrap();
    }
}
