//! Plans against a folder.

use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::wrapped;
use crate::patch::apply::Applied;
use crate::patch::{Error, Plan, parse};
use crate::protocol::PatchChangeKind;

/// A folder with files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, content).expect("a file");
    }
    folder
}

fn plan(folder: &TempDir, body: &str) -> Result<Plan, Error> {
    Plan::verify(&parse(&wrapped(body))?, folder.path())
}

#[track_caller]
fn apply(folder: &TempDir, body: &str) -> Applied {
    plan(folder, body).expect("a patch that fits").apply().expect("files that can be written")
}

#[track_caller]
fn refused(folder: &TempDir, body: &str, expected: &str) {
    let error = plan(folder, body).expect_err("a patch that does not fit").refusal();
    assert!(error.contains(expected), "{body:?}: {error}");
}

/// Every file below the folder with its content.
fn tree(folder: &Path) -> Vec<(String, String)> {
    fn walk(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
        for entry in fs::read_dir(folder).expect("a folder") {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name =
                    path.strip_prefix(root).expect("a path below").to_string_lossy().into_owned();
                found.push((name, fs::read_to_string(path).expect("text")));
            }
        }
    }
    let mut found = Vec::new();
    walk(folder, folder, &mut found);
    found.sort();
    found
}

#[track_caller]
fn assert_tree(folder: &TempDir, expected: &[(&str, &str)]) {
    let found = tree(folder.path());
    let found: Vec<_> =
        found.iter().map(|(name, content)| (name.as_str(), content.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn writes_every_kind_and_tells_in_order() {
    let folder = folder(&[("old", "bye\n"), ("a/move", "m\nn\n"), ("edit", "one\ntwo\n")]);
    let body = "*** Delete File: old\n*** Update File: ./a/move\n*** Move to: b/moved\n@@\n-m\n+M\n\
                *** Add File: c/d/new\n+x\n*** Update File: edit\n-one\n+1";
    let changes = plan(&folder, body).expect("a patch that fits").changes();
    let at = |name: &str| folder.path().join(name).to_string_lossy().into_owned();
    let shown: Vec<_> =
        changes.iter().map(|change| (change.path.clone(), change.diff.as_str())).collect();
    let moved = format!("@@ -1,2 +1,2 @@\n-m\n+M\n n\n\n\nMoved to: {}", at("b/moved"));
    assert_eq!(
        shown,
        [
            (at("a/move"), moved.as_str()),
            (at("c/d/new"), "x\n"),
            (at("edit"), "@@ -1,2 +1,2 @@\n-one\n+1\n two\n"),
            (at("old"), "bye\n"),
        ]
    );
    assert_eq!(changes[0].kind, PatchChangeKind::Update { move_path: Some(at("b/moved")) });
    assert_eq!(tree(folder.path()).len(), 3, "nothing is written by a check");
    let applied = apply(&folder, body);
    assert_eq!(
        applied.summary,
        "Success. Updated the following files:\nA c/d/new\nM b/moved\nM edit\nD old\n"
    );
    assert_tree(&folder, &[("b/moved", "M\nn\n"), ("c/d/new", "x\n"), ("edit", "1\ntwo\n")]);
    assert_eq!(applied.edits.len(), 5);
}

#[test]
fn names_every_path() {
    let folder = folder(&[("a", "a\n")]);
    let body = "*** Update File: a\n*** Move to: ../b\n@@\n-a\n+b\n*** Add File: /x/./y\n+x";
    let parent = folder.path().parent().expect("a parent");
    let paths = plan(&folder, body).expect("a patch that fits").paths();
    assert_eq!(paths, [folder.path().join("a"), parent.join("b"), PathBuf::from("/x/y")]);
}

#[test]
fn refuses_before_writing() {
    let folder = folder(&[("a", "one\n"), ("d/x", "1\n"), ("b", "b\n")]);
    fs::write(folder.path().join("bin"), b"a\n\xff\n").expect("a file");
    for (body, expected) in [
        ("*** Add File: n\n+x\n*** Update File: a\n-nope", "Failed to find expected lines in"),
        ("*** Update File: a\n@@ zz\n-one", "Failed to find context 'zz' in"),
        ("*** Update File: none\n-x", "Failed to read"),
        ("*** Delete File: none", "No such file"),
        ("*** Delete File: d", "it is not a file"),
        ("*** Update File: bin\n-a", "not UTF-8"),
        ("*** Delete File: bin", "not UTF-8"),
        (
            "*** Update File: a\n-one\n*** Update File: d/../a\n-one",
            "invalid patch: several operations on",
        ),
        ("*** Add File: n\n+x\n*** Delete File: n", "several operations on"),
        ("*** Update File: a\n*** Move to: n\n-one\n*** Add File: n\n+x", "several operations on"),
        (
            "*** Update File: a\n*** Move to: b\n-one\n*** Update File: b\n*** Move to: a\n-b",
            "several operations on",
        ),
        (
            "*** Update File: a\n*** Move to: n\n-one\n*** Update File: b\n*** Move to: n\n-b",
            "several operations on",
        ),
    ] {
        refused(&folder, body, expected);
    }
    assert!(matches!(
        Plan::verify(&parse("*** Begin Patch\n*** End Patch").expect("a patch"), folder.path()),
        Err(Error::Empty)
    ));
    fs::remove_file(folder.path().join("bin")).expect("removed");
    assert_tree(&folder, &[("a", "one\n"), ("b", "b\n"), ("d/x", "1\n")]);
}

#[test]
fn room_may_be_made_first() {
    let folder = folder(&[("a", "a\n"), ("b", "b\n"), ("c", "c\n")]);
    apply(
        &folder,
        "*** Delete File: c\n*** Update File: b\n*** Move to: c\n-b\n+B\n*** Update File: a\n*** Move to: b\n-a\n+A",
    );
    assert_tree(&folder, &[("b", "A\n"), ("c", "B\n")]);
}

#[test]
fn a_move_onto_itself_is_an_edit() {
    let folder = folder(&[("a", "one\n")]);
    apply(&folder, "*** Update File: a\n*** Move to: ./a\n-one\n+1");
    assert_tree(&folder, &[("a", "1\n")]);
}

#[test]
fn a_failure_keeps_what_was_written_before() {
    let folder = folder(&[("d/x", "1\n")]);
    let plan = plan(&folder, "*** Add File: n1\n+x\n*** Add File: d\n+x\n*** Add File: n2\n+x")
        .expect("nothing to check");
    let failed = plan.apply().expect_err("a folder cannot be written");
    assert!(failed.error.to_string().starts_with("Failed to write"), "{}", failed.error);
    assert_eq!(failed.edits.len(), 1);
    assert_tree(&folder, &[("d/x", "1\n"), ("n1", "x\n")]);
}

#[test]
fn files_may_change_before_they_are_written() {
    let folder = folder(&[("a", "one\ntwo\n")]);
    let path = folder.path().join("a");
    let plan = plan(&folder, "*** Update File: a\n-two\n+2").expect("a patch that fits");
    fs::write(&path, "zero\none\ntwo\n").expect("a file");
    plan.apply().expect("the lines are still there");
    assert_tree(&folder, &[("a", "zero\none\n2\n")]);
    let failed = plan.apply().expect_err("the lines are gone");
    assert!(
        failed.error.to_string().starts_with("Failed to find expected lines"),
        "{}",
        failed.error
    );
    assert!(failed.edits.is_empty());
}

#[cfg(unix)]
#[test]
fn links_are_written_through_and_removed_alone() {
    use std::os::unix::fs::{PermissionsExt as _, symlink};
    let folder = folder(&[("a", "one\n"), ("run", "one\n")]);
    let at = |name: &str| folder.path().join(name);
    symlink("a", at("l")).expect("a link");
    fs::set_permissions(at("run"), fs::Permissions::from_mode(0o755)).expect("permissions");
    let applied = apply(&folder, "*** Update File: l\n-one\n+1");
    assert!(at("l").is_symlink());
    assert_eq!(applied.edits[0].path, at("a"));
    apply(&folder, "*** Delete File: l");
    apply(&folder, "*** Update File: run\n*** Move to: go\n-one\n+1");
    assert_eq!(fs::metadata(at("go")).expect("a file").permissions().mode() & 0o777, 0o755);
    assert_tree(&folder, &[("a", "1\n"), ("go", "1\n")]);
}
