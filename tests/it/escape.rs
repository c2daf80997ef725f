//! Attempts to get out of the sandbox, in each enforcement that this machine offers. Those that cannot harm the machine
//! are also made without one, to show that they would succeed.

use std::fs;
use std::io::Read as _;
use std::net::TcpListener;
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde_json::json;

/// One attempt: a script, and a question about the outside that `true` answers once it has worked.
struct Attempt {
    name: &'static str,
    script: &'static str,
    escaped: &'static str,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// Anybody could do it.
    Plain,
    /// Would harm the machine, or needs what an ordinary user has not: never made without a sandbox.
    Privileged,
    /// About a protected place in a folder that may be written, which Landlock cannot express.
    Protected,
    /// Needs Python.
    Python,
}

const MARK: &str = "[ -e $OUT/mark ]";
const CHANGED: &str = "[ \"$(cat $OUT/secret)\" != secret ]";
const PRINTED: &str = "grep -q ESCAPED $ROOT/output";

const fn attempt(
    name: &'static str,
    script: &'static str,
    escaped: &'static str,
    kind: Kind,
) -> Attempt {
    Attempt { name, script, escaped, kind }
}

use Kind::{Plain, Privileged, Protected, Python};

const ATTEMPTS: &[Attempt] = &[
    attempt("write outside", "echo x > $OUT/mark", MARK, Plain),
    attempt("dots", "echo x > ../out/mark", MARK, Plain),
    attempt("symlink to a folder", "ln -s $OUT l; echo x > l/mark", MARK, Plain),
    attempt("symlink to a file", "ln -s $OUT/secret l; echo x > l", CHANGED, Plain),
    attempt("hard link", "ln $OUT/secret h && echo x > h", CHANGED, Plain),
    attempt("hard link out", "echo x > a; ln a $OUT/mark", MARK, Plain),
    attempt("own root", "echo x > /proc/self/root$OUT/mark", MARK, Plain),
    attempt("root of another", "echo x > /proc/$OTHER/root$OUT/mark", MARK, Plain),
    attempt("folder of another", "echo x > /proc/$OTHER/cwd/mark", MARK, Plain),
    attempt("open folder", "exec 3< $OUT; echo x > /proc/self/fd/3/mark", MARK, Plain),
    attempt("move out", "echo x > a; mv a $OUT/mark", MARK, Plain),
    attempt("move in", "mv $OUT/secret .", "[ ! -e $OUT/secret ]", Plain),
    attempt("move a folder in", "mv $OUT/folder .", "[ ! -e $OUT/folder ]", Plain),
    attempt("remove", "rm -f $OUT/secret", "[ ! -e $OUT/secret ]", Plain),
    attempt("remove a folder", "rmdir $OUT/folder", "[ ! -e $OUT/folder ]", Plain),
    attempt("truncate", "truncate -s 0 $OUT/secret", CHANGED, Plain),
    attempt("append", "echo x >> $OUT/secret", CHANGED, Plain),
    attempt("mode", "chmod 777 $OUT/secret", "[ $(stat -c %a $OUT/secret) = 777 ]", Plain),
    attempt("time", "touch -d @1 $OUT/secret", "[ $(stat -c %Y $OUT/secret) = 1 ]", Plain),
    attempt("folder", "mkdir $OUT/mark", MARK, Plain),
    attempt("pipe", "mkfifo $OUT/mark", MARK, Plain),
    attempt("symlink outside", "ln -s x $OUT/mark", "[ -L $OUT/mark ]", Plain),
    attempt("signal", "kill -9 $OTHER", "! kill -0 $OTHER || grep -q Z /proc/$OTHER/stat", Plain),
    attempt(
        "left behind",
        "(setsid sh -c 'sleep 1; echo x > $OUT/mark' &)",
        "sleep 1.5; [ -e $OUT/mark ]",
        Plain,
    ),
    attempt("bind mount", "mkdir m; mount --bind $OUT m && echo x > m/mark", MARK, Privileged),
    attempt("remount", "mount -o remount,rw,bind /; echo x > $OUT/mark", MARK, Privileged),
    attempt("unmount", "umount -l /proc; umount -l .; echo x > $OUT/mark", MARK, Privileged),
    attempt("new namespaces", "unshare -Urm true && echo ESCAPED", PRINTED, Privileged),
    attempt(
        "other namespaces",
        "nsenter -t $OTHER -m sh -c 'echo x > $OUT/mark'",
        MARK,
        Privileged,
    ),
    attempt("change of root", "chroot / sh -c 'echo x > $OUT/mark'", MARK, Privileged),
    attempt("device", "mknod d b 254 0 && echo ESCAPED", PRINTED, Privileged),
    attempt(
        "kernel settings",
        "echo -n $$ > /proc/sys/kernel/ns_last_pid && echo ESCAPED",
        PRINTED,
        Privileged,
    ),
    attempt("network", "exec 3<>/dev/tcp/127.0.0.1/$PORT && echo ESCAPED", PRINTED, Plain),
    attempt("datagram", "exec 3<>/dev/udp/127.0.0.1/$PORT && echo ESCAPED", PRINTED, Plain),
    attempt(
        "unix socket",
        "python3 -c 'import socket,os; socket.socket(1).connect(os.environ[\"SOCKET\"]); print(\"ESCAPED\")'",
        PRINTED,
        Python,
    ),
    attempt(
        "unix datagram",
        "python3 -c 'import socket; socket.socketpair(1,2); print(\"ESCAPED\")'",
        PRINTED,
        Python,
    ),
    attempt(
        "ptrace",
        "python3 -c 'import ctypes,os; l=ctypes.CDLL(None); print(\"ESCAPED\" if l.ptrace(0x4206,int(os.environ[\"OTHER\"]),0,0)==0 else \"\")'",
        PRINTED,
        Python,
    ),
    attempt(
        "io_uring",
        "python3 -c 'import ctypes; l=ctypes.CDLL(None,use_errno=True); l.syscall(425,0,0); print(\"ESCAPED\" if ctypes.get_errno() in (14,22) else \"\")'",
        PRINTED,
        Python,
    ),
    attempt(
        "memory of another",
        "python3 -c 'import os; open(\"/proc/%s/mem\"%os.environ[\"OTHER\"],\"r+b\"); print(\"ESCAPED\")'",
        PRINTED,
        Python,
    ),
    attempt("write to .git", "echo x > .git/hooks", "[ -e .git/hooks ]", Protected),
    attempt("move .git", "mv .git g", "[ -e g ]", Protected),
    attempt("remove .git", "rm -r .git", "[ ! -e .git ]", Protected),
    attempt("replace .git", "mv .git g; mkdir -p .git/hooks", "[ -e .git/hooks ]", Protected),
    attempt(
        "make .codex",
        "mkdir .codex; echo x > .codex/config.toml",
        "[ -e .codex/config.toml ]",
        Protected,
    ),
    attempt(
        "move to .agents",
        "mkdir -p a/skills; mv -T a .agents",
        "[ -e .agents/skills ]",
        Protected,
    ),
    attempt("link .aws", "rmdir .aws; ln -s $OUT .aws", "[ -L .aws ]", Protected),
    attempt(
        "what a .git file names",
        "echo x > repository/hooks",
        "[ -e repository/hooks ]",
        Protected,
    ),
];

/// The outside of one attempt, with another process that runs there.
struct Outside {
    root: tempfile::TempDir,
    other: Child,
    port: u16,
    _listeners: (TcpListener, UnixListener),
}

impl Outside {
    fn new(git: Git) -> Self {
        let root = tempfile::tempdir().unwrap();
        let (out, work) = (root.path().join("out"), root.path().join("work"));
        fs::create_dir_all(out.join("folder")).unwrap();
        fs::create_dir_all(work.join("repository")).unwrap();
        fs::write(out.join("secret"), "secret\n").unwrap();
        match git {
            Git::Folder => fs::create_dir(work.join(".git")).unwrap(),
            Git::File => fs::write(work.join(".git"), "gitdir: repository\n").unwrap(),
        }
        let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
        let unix = UnixListener::bind(root.path().join("socket")).unwrap();
        let other = Command::new("sleep").arg("60").current_dir(&out).spawn().unwrap();
        let port = tcp.local_addr().unwrap().port();
        Self { root, other, port, _listeners: (tcp, unix) }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.root.path().join(name)
    }

    /// A command in the workspace that knows where everything is.
    fn command(&self, argv: &[String]) -> Command {
        let mut command = Command::new(&argv[0]);
        command
            .args(&argv[1..])
            .current_dir(self.path("work"))
            .env("ROOT", self.root.path())
            .env("OUT", self.path("out"))
            .env("SOCKET", self.path("socket"))
            .env("OTHER", self.other.id().to_string())
            .env("PORT", self.port.to_string())
            .stdin(Stdio::null());
        command
    }

    /// Makes an attempt; whether it has worked.
    fn escapes(&self, attempt: &Attempt, method: Option<&str>) -> bool {
        let mut argv = Vec::new();
        if let Some(method) = method {
            argv = confined(method, &self.path("work"));
        }
        argv.extend(["/bin/bash", "-c", attempt.script].map(str::to_owned));
        let output = fs::File::create(self.path("output")).unwrap();
        let mut command = self.command(&argv);
        let status = command.stdout(output.try_clone().unwrap()).stderr(output).status();
        assert!(status.is_ok(), "{}: {status:?}", attempt.name);
        let question = ["/bin/bash", "-c", attempt.escaped].map(str::to_owned);
        self.command(&question).stderr(Stdio::null()).status().unwrap().success()
    }
}

impl Drop for Outside {
    fn drop(&mut self) {
        self.other.kill().unwrap();
        self.other.wait().unwrap();
    }
}

#[derive(Clone, Copy)]
enum Git {
    Folder,
    File,
}

/// The command line that confines what follows it to writing in a workspace; under Landlock, to that without
/// exceptions.
fn confined(method: &str, work: &Path) -> Vec<String> {
    let mut rules = vec![json!({"path": work, "access": "Write"})];
    if method != "Landlock" {
        for name in [".git", ".codex", ".agents", ".aws", "repository"] {
            rules.push(json!({"path": work.join(name), "access": "Guard"}));
        }
    }
    let confinement = json!({"rules": rules, "network": "Closed"});
    let request = json!({"confinement": confinement, "method": method, "cwd": work});
    let program = env!("CARGO_BIN_EXE_app-server");
    [program, "confined", &request.to_string(), "--"].map(str::to_owned).into()
}

fn works(method: &str) -> bool {
    let mut argv = confined(method, Path::new("/"));
    argv.extend(["/bin/sh", "-c", ":"].map(str::to_owned));
    let output = Command::new(&argv[0]).args(&argv[1..]).output().unwrap();
    if !output.status.success() {
        eprintln!("{method} is not offered here: {}", String::from_utf8_lossy(&output.stderr));
    }
    output.status.success()
}

fn try_all(method: &str) {
    if !works(method) {
        return;
    }
    let has_python = Command::new("python3").arg("--version").output().is_ok();
    let applies = |attempt: &&Attempt| match attempt.kind {
        Protected => method != "Landlock",
        Python => has_python,
        Plain | Privileged => true,
    };
    let mut wrong = Vec::new();
    for attempt in ATTEMPTS.iter().filter(applies) {
        let git = if attempt.script.contains("repository") { Git::File } else { Git::Folder };
        if Outside::new(git).escapes(attempt, Some(method)) {
            wrong.push(format!("`{}` gets out", attempt.name));
        }
        if attempt.kind == Privileged {
            continue;
        }
        let control = Outside::new(git);
        if !control.escapes(attempt, None) {
            let mut output = String::new();
            fs::File::open(control.path("output")).unwrap().read_to_string(&mut output).unwrap();
            wrong.push(format!("`{}` fails without a sandbox: {output}", attempt.name));
        }
    }
    assert!(wrong.is_empty(), "{method}: {wrong:#?}");
}

#[test]
fn out_of_namespaces() {
    try_all("Namespaces");
}

#[test]
fn out_of_landlock() {
    try_all("Landlock");
}

#[test]
fn placeholders_go_with_the_last_command() {
    if !works("Namespaces") {
        return;
    }
    let outside = Outside::new(Git::Folder);
    let work = outside.path("work");
    let start = || {
        let mut argv = confined("Namespaces", &work);
        argv.extend(["/bin/sh", "-c", "echo ready; read line"].map(str::to_owned));
        let mut command = outside.command(&argv);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
        child.stdout.as_mut().unwrap().read_exact(&mut [0; 6]).unwrap();
        child
    };
    let (mut first, mut second) = (start(), start());
    drop(first.stdin.take());
    first.wait().unwrap();
    assert!(work.join(".codex").exists(), "the second command still needs it");
    drop(second.stdin.take());
    second.wait().unwrap();
    assert!(!work.join(".codex").exists());
}
