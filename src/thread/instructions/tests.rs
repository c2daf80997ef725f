//! Discovery of instruction files: places, precedence, limits.

use std::fs;

use super::*;

struct Place {
    folder: tempfile::TempDir,
    effective: Effective,
}

fn place(files: &[(&str, &str)]) -> Place {
    let place = Place { folder: tempfile::tempdir().unwrap(), effective: Effective::default() };
    for (path, text) in [("w/.git/HEAD", "")].iter().chain(files) {
        let path = place.folder.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    place
}

impl Place {
    fn discover(&self, cwd: &str) -> Instructions {
        let root = self.folder.path();
        let mut found = discover(&root.join("home"), Some(&root.join(cwd)), &self.effective);
        for source in &mut found.sources {
            *source = source.strip_prefix(root).unwrap().to_owned();
        }
        found
    }

    #[track_caller]
    fn check(&self, cwd: &str, text: Option<&str>, sources: &[&str]) {
        let found = self.discover(cwd);
        assert_eq!(found.text.as_deref(), text);
        assert_eq!(found.sources, sources.iter().map(PathBuf::from).collect::<Vec<_>>());
    }
}

#[test]
fn files_join_from_the_user_down_to_the_folder() {
    let place = place(&[
        ("home/AGENTS.md", "\nglobal \n"),
        ("w/AGENTS.md", "\nroot \n"),
        ("w/a/AGENTS.md", "aaa"),
        ("w/a/b/AGENTS.override.md", "over\n"),
        ("w/a/b/AGENTS.md", "unused"),
    ]);
    let text = "global\n\n--- project-doc ---\n\n\nroot \n\n\naaa\n\nover\n";
    place.check(
        "w/a/b",
        Some(text),
        &["home/AGENTS.md", "w/AGENTS.md", "w/a/AGENTS.md", "w/a/b/AGENTS.override.md"],
    );
    assert!(place.discover("w").of_project);
}

#[test]
fn blank_files_do_not_count() {
    let mut place = place(&[
        ("home/AGENTS.override.md", " \n"),
        ("home/AGENTS.md", "g"),
        ("w/AGENTS.override.md", " \n"),
        ("w/AGENTS.md", "hidden by the blank override"),
        ("w/b/FB.md", "fb"),
    ]);
    place.check("w", Some("g"), &["home/AGENTS.md"]);
    assert!(!place.discover("w").of_project);
    place.effective.project_doc_fallback_filenames = vec!["X.md".to_owned(), "FB.md".to_owned()];
    place.check("w/b", Some("g\n\n--- project-doc ---\n\nfb"), &["home/AGENTS.md", "w/b/FB.md"]);
    self::place(&[]).check("w", None, &[]);
}

#[test]
fn project_files_share_a_limit_of_bytes() {
    let mut place =
        place(&[("w/AGENTS.md", "rrrrrrrré"), ("w/a/AGENTS.md", "aaaa"), ("w/a/b/AGENTS.md", "b")]);
    place.effective.project_doc_max_bytes = 9;
    place.check("w/a/b", Some("rrrrrrrr\u{fffd}"), &["w/AGENTS.md"]);
    let warnings = place.discover("w/a/b").warnings;
    assert!(
        warnings[0].contains("9 of 10 bytes") && warnings[1].contains("w/a/AGENTS.md"),
        "{warnings:?}"
    );
    assert_eq!(warnings.len(), 3, "{warnings:?}");
    place.effective.project_doc_max_bytes = 12;
    place.check("w/a/b", Some("rrrrrrrré\n\naa"), &["w/AGENTS.md", "w/a/AGENTS.md"]);
    place.effective.project_doc_max_bytes = 0;
    assert_eq!(place.discover("w/a/b"), Instructions::default());
}

#[test]
fn the_limit_is_not_for_the_users_own_text() {
    let mut place = place(&[("home/AGENTS.md", "global text"), ("w/AGENTS.md", "r")]);
    place.effective.project_doc_max_bytes = 5;
    place.check(
        "w",
        Some("global text\n\n--- project-doc ---\n\nr"),
        &["home/AGENTS.md", "w/AGENTS.md"],
    );
    assert_eq!(place.discover("w").warnings.len(), 1);
}

#[test]
fn what_is_no_usual_file_is_passed_over() {
    let place = place(&[("w/AGENTS.md", "r")]);
    let home = place.folder.path().join("home");
    fs::create_dir(&home).unwrap();
    std::os::unix::fs::symlink("/dev/zero", home.join("AGENTS.md")).unwrap();
    place.check("w", Some("r"), &["w/AGENTS.md"]);
    let warnings = place.discover("w").warnings;
    assert!(warnings.len() == 1 && warnings[0].contains("not a regular file"), "{warnings:?}");
    fs::remove_file(home.join("AGENTS.md")).unwrap();
    fs::write(home.join("AGENTS.md"), "x".repeat(1024 * 1024 + 9)).unwrap();
    let found = place.discover("w");
    assert!(found.text.unwrap().len() < 1024 * 1024 + 99);
    assert!(found.warnings[0].contains("1048576 of 1048585 bytes"), "{:?}", found.warnings);
}

#[test]
fn markers_say_where_a_project_begins() {
    let mut place = place(&[
        ("w/AGENTS.md", "root"),
        ("w/a/.mk", ""),
        ("w/a/AGENTS.md", "a"),
        ("w/a/b/AGENTS.md/x", ""),
    ]);
    place.effective.project_root_markers = vec![".mk".to_owned()];
    place.check("w/a/b", Some("a"), &["w/a/AGENTS.md"]);
    place.effective.project_root_markers = Vec::new();
    place.check("w/a", Some("a"), &["w/a/AGENTS.md"]);
    place.check("w/a/b", None, &[]);
}
