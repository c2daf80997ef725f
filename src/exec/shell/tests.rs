//! Which shell is found, and the command lines that run scripts in it.

use super::*;

#[test]
fn command_lines() {
    let shell = Shell { path: "/bin/bash".into() };
    assert_eq!(shell.argv(Startup::Login, "echo hi"), ["/bin/bash", "-lc", "echo hi"]);
    assert_eq!(shell.argv(Startup::Plain, "echo hi"), ["/bin/bash", "-c", "echo hi"]);
}

#[test]
fn what_a_model_may_ask_for() {
    let user = Shell { path: "/opt/own/bash".into() };
    for asked in ["bash", "/nonexistent/bash", "/usr/bin/bash", "bash.exe"] {
        assert_eq!(Shell::resolve(asked, &user), user, "{asked}");
    }
    for asked in ["", "fish", "python3", "/bin/dash", "BASH", "/"] {
        assert_eq!(Shell::resolve(asked, &user).path, Path::new("/bin/sh"), "{asked}");
    }
    let found = Shell::resolve("sh", &user);
    assert!(found.path.is_absolute() && found.path.ends_with("sh"));
}

#[test]
fn accounts() {
    let passwd = "root:x:0:0:root:/root:/bin/bash\n# odd\nann:x:1000:1000::/home/ann:/usr/bin/zsh\nbob:x:7:7::/:\n";
    assert_eq!(shell_of(passwd, 0), Some("/bin/bash".into()));
    assert_eq!(shell_of(passwd, 1000), Some("/usr/bin/zsh".into()));
    assert_eq!(shell_of(passwd, 7), None);
    assert_eq!(shell_of(passwd, 8), None);
}

#[test]
fn the_user_has_one() {
    assert!(Shell::of_user().path.is_absolute());
}
