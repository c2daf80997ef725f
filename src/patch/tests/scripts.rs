//! Shell scripts that are patch calls, and those that are not.

use crate::patch::{Script, intercept};

const PATCH: &str = "*** Begin Patch\n*** Add File: n\n+x\n*** End Patch";

#[track_caller]
fn check(script: &str, expected: Option<Option<&str>>) {
    let script = script.replace("{}", PATCH);
    let expected = match expected {
        Some(cd) => Script::Patch { text: format!("{PATCH}\n"), cd: cd.map(ToOwned::to_owned) },
        None => Script::Other,
    };
    assert_eq!(intercept(&script), expected, "{script}");
}

#[test]
fn here_documents_are_calls() {
    for script in [
        "apply_patch <<'EOF'\n{}\nEOF\n",
        "apply_patch <<EOF\n{}\nEOF",
        "apply_patch <<\"EOF\"\n{}\nEOF",
        "apply_patch<<'EOF'\n{}\nEOF",
        "apply_patch << 'EOF'\n{}\nEOF",
        "apply_patch - <<'EOF'\n{}\nEOF",
        "apply_patch -<<'EOF'\n{}\nEOF",
        "apply_patch <<-'EOF'\n{}\n\tEOF",
        "apply_patch <<\\EOF\n{}\nEOF",
        "apply_patch <<'END-OF_PATCH.1'\n{}\nEND-OF_PATCH.1",
        "apply_patch <<'E F'\n{}\nE F",
        "applypatch <<'EOF'\n{}\nEOF",
        "\n\n \tapply_patch\t<<'EOF'\n{}\nEOF\n\n\n",
        "A=1 B='x y' apply_patch <<'EOF'\n{}\nEOF\n",
        "apply_patch <<'EOF'\n{}\n",
        "apply_patch <<'EOF'\n{}\n  EOF \n",
    ] {
        check(script, Some(None));
    }
    let crlf = format!("apply_patch <<'EOF'\n{PATCH}\nEOF\n").replace('\n', "\r\n");
    assert_eq!(intercept(&crlf), Script::Patch { text: format!("{PATCH}\n"), cd: None });
}

#[test]
fn a_directory_may_come_first() {
    for (cd, folder) in [
        ("d", "d"),
        ("'d d'", "d d"),
        ("\"d d\"", "d d"),
        ("\"d\\\"d\"", "d\"d"),
        ("d\\ d", "d d"),
        ("/a/b-c_1.2", "/a/b-c_1.2"),
        ("../x", "../x"),
        ("''", ""),
    ] {
        check(&format!("cd {cd} && apply_patch <<'EOF'\n{{}}\nEOF\n"), Some(Some(folder)));
    }
    check("cd d &&\n  apply_patch <<'EOF'\n{}\nEOF\n", Some(Some("d")));
    check("cd d && \\\n apply_patch <<'EOF'\n{}\nEOF\n", Some(Some("d")));
}

#[test]
fn anything_more_is_an_ordinary_script() {
    for script in [
        "",
        "ls",
        "apply_patch",
        "apply_patch '{}'",
        "apply_patch \"{}\"",
        "apply_patch <<< '{}'",
        "bash -c \"apply_patch <<'EOF'\n{}\nEOF\n\"",
        "cat <<'EOF' | apply_patch\n{}\nEOF\n",
        "apply_patch <<'EOF'\n{}\nEOF\necho hi\n",
        "apply_patch <<'EOF'\n{}\nEOF\n# done\n",
        "# first\napply_patch <<'EOF'\n{}\nEOF\n",
        "set -e\napply_patch <<'EOF'\n{}\nEOF\n",
        "apply_patch <<'EOF' && echo hi\n{}\nEOF\n",
        "apply_patch <<'EOF' | cat\n{}\nEOF\n",
        "apply_patch <<'EOF' >out\n{}\nEOF\n",
        "apply_patch <<'EOF' &\n{}\nEOF\n",
        "apply_patch <<'EOF';\n{}\nEOF\n",
        "apply_patch <<'A' <<'B'\n{}\nA\nx\nB\n",
        "apply_patch <<'EOF' -\n{}\nEOF",
        "apply_patch -- <<'EOF'\n{}\nEOF",
        "apply-patch <<'EOF'\n{}\nEOF",
        "'apply_patch' <<'EOF'\n{}\nEOF",
        "/bin/apply_patch <<'EOF'\n{}\nEOF",
        "(apply_patch <<'EOF'\n{}\nEOF\n)",
        "! apply_patch <<'EOF'\n{}\nEOF\n",
        "A=$(ls) apply_patch <<'EOF'\n{}\nEOF\n",
        "cd d; apply_patch <<'EOF'\n{}\nEOF\n",
        "cd d\napply_patch <<'EOF'\n{}\nEOF\n",
        "cd d || apply_patch <<'EOF'\n{}\nEOF\n",
        "cd d e && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd d && cd e && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd -- d && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd - && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd ~ && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd $HOME && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd \"$PWD/d\" && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd $(pwd) && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd d* && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd {a,b} && apply_patch <<'EOF'\n{}\nEOF\n",
        "cd 'd && apply_patch <<'EOF'\n{}\nEOF\n",
    ] {
        check(script, None);
    }
}

#[test]
fn the_text_is_taken_as_it_stands() {
    let text = "*** Begin Patch\n*** Add File: n\n+$HOME `pwd` \\$x $(pwd) \"\n*** End Patch\n";
    for delimiter in ["EOF", "'EOF'", "\"EOF\""] {
        let script = format!("apply_patch <<{delimiter}\n{text}EOF\n");
        assert_eq!(intercept(&script), Script::Patch { text: text.to_owned(), cd: None });
    }
    let indented = PATCH.replace('\n', "\n\t");
    let script = format!("apply_patch <<-EOF\n\t{indented}\n\tEOF\n");
    assert_eq!(intercept(&script), Script::Patch { text: format!("{PATCH}\n"), cd: None });
    let bad = Script::Patch { text: "hello\n".into(), cd: None };
    assert_eq!(intercept("apply_patch <<'EOF'\nhello\nEOF\n"), bad, "a bad patch is still a call");
}

#[test]
fn a_patch_without_its_call_is_seen() {
    let crlf = PATCH.replace('\n', "\r\n");
    for script in [PATCH, &format!("\n {PATCH}\n "), &crlf, &format!("<<'EOF'\n{PATCH}\nEOF")] {
        assert_eq!(intercept(script), Script::BarePatch, "{script}");
    }
    assert_eq!(intercept("*** Begin Patch\nfoo\n*** End Patch"), Script::Other);
    assert_eq!(intercept("*** Begin Patch\n*** Add File: n\n+x"), Script::Other);
}
