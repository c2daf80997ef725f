//! Which paths may be written, through links and beside protected folders.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;

use super::{is_protected, is_writable};

/// A root with a link out of it, one into it, and a folder beside it.
fn workspace() -> (tempfile::TempDir, PathBuf) {
    let home = tempfile::tempdir().unwrap();
    let top = home.path().canonicalize().unwrap();
    fs::create_dir_all(top.join("root/sub/.git")).unwrap();
    fs::create_dir(top.join("beside")).unwrap();
    symlink("../beside", top.join("root/out")).unwrap();
    symlink("../beside/none", top.join("root/dangling")).unwrap();
    symlink("root", top.join("in")).unwrap();
    symlink("loop", top.join("root/loop")).unwrap();
    (home, top)
}

#[test]
fn paths_are_followed() {
    let (_home, top) = workspace();
    let roots = [top.join("root")];
    for inside in [
        "root/a",
        "root/new/deep/a",
        "root/sub/../a",
        "root/sub/.git/config",
        "in/a",
        "root",
        "root/.gitignore",
    ] {
        assert!(is_writable(&top.join(inside), &roots), "{inside}");
    }
    for outside in [
        "a",
        "beside/a",
        "root/../a",
        "root/out/a",
        "root/dangling",
        "root2/a",
        "root/loop/a",
        "root/out/../a",
    ] {
        assert!(!is_writable(&top.join(outside), &roots), "{outside}");
    }
    assert!(is_writable(&top.join("root/a"), &[top.join("in")]));
}

#[test]
fn protected_folders() {
    let (_home, top) = workspace();
    let root = top.join("root");
    let roots = [root.clone()];
    for name in [".git/config", ".codex/config.toml", ".agents", ".aws/x/y", "sub/../.git/hooks/x"]
    {
        assert!(is_protected(&root.join(name), &roots), "{name}");
        assert!(!is_writable(&root.join(name), &roots), "{name}");
    }
    assert!(is_protected(&top.join("in/.git/x"), &roots));
    assert!(!is_protected(&root.join("sub/.git/x"), &roots));
    symlink("sub", root.join(".codex")).unwrap();
    assert!(is_protected(&root.join("sub/x"), &roots));
}

#[test]
fn the_folder_behind_a_git_file_is_protected() {
    let (_home, top) = workspace();
    let root = top.join("root");
    fs::write(root.join(".git"), "gitdir: sub/real\n").unwrap();
    assert!(is_protected(&root.join("sub/real/config"), std::slice::from_ref(&root)));
    assert!(is_protected(&root.join(".git"), std::slice::from_ref(&root)));
    assert!(!is_protected(&root.join("sub/other"), &[root]));
}
