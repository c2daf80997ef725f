//! What of the environment commands get under each policy.

use super::*;

fn list(pairs: &[(&str, &str)]) -> Vec<(OsString, OsString)> {
    pairs.iter().map(|(name, value)| (name.into(), value.into())).collect()
}

/// The names that a policy, written as TOML, makes of a fixed environment.
#[track_caller]
fn check(policy: &str, expected: &str) {
    let policy: EnvironmentPolicy = toml_edit::de::from_str(policy).unwrap();
    let inherited =
        ["API_KEY", "HOME", "MyToken", "PATH", "PAGER", "SHOWN"].map(|name| (name, "old"));
    let made = shell_environment(&policy, list(&inherited), list(&[("PAGER", "cat")]));
    let made: Vec<String> = made
        .iter()
        .map(|(name, value)| format!("{}={}", name.display(), value.display()))
        .collect();
    assert_eq!(made.join(" "), expected);
}

#[test]
fn policies() {
    check("", "API_KEY=old HOME=old MyToken=old PAGER=cat PATH=old SHOWN=old");
    check("inherit = 'none'", "PAGER=cat");
    check("inherit = 'core'", "HOME=old PAGER=cat PATH=old");
    check("ignore_default_excludes = false", "HOME=old PAGER=cat PATH=old SHOWN=old");
    check("exclude = ['*to*', 'sh?wn', 'page']", "API_KEY=old HOME=old PAGER=cat PATH=old");
    check(
        "inherit = 'core'\nset = { PAGER = 'less', NEW = '1', PATH = '/x' }",
        "HOME=old NEW=1 PAGER=cat PATH=/x",
    );
    check(
        "include_only = ['P*', 'n*']\nset = { NEW = '1', OTHER = '2' }",
        "NEW=1 PAGER=cat PATH=old",
    );
    check(
        "exclude = ['HOME']\nset = { HOME = '/h' }\ninclude_only = ['home']",
        "HOME=/h PAGER=cat",
    );
}

#[test]
fn patterns() {
    let cases = [
        ("", "", true),
        ("*", "", true),
        ("?", "", false),
        ("a*b", "AB", true),
        ("a*b", "a-b-b", true),
        ("a*b", "a-b-c", false),
        ("*a*a*", "banana", true),
        ("*a*a*a*a*", "banana", false),
        ("lab_hide_*", "LAB_HIDE_ME", true),
        ("abc", "abcd", false),
        ("abc?", "ABCD", true),
    ];
    for (pattern, name, expected) in cases {
        assert_eq!(matches(pattern, name), expected, "{pattern} {name}");
    }
}

#[test]
fn base() {
    let set = base_set(Identity { thread: "t", session: "s", call: "c", version: "1.2.3" });
    let value = |name: &str| {
        set.iter().find(|(known, _)| known == name).and_then(|(_, value)| value.to_str())
    };
    assert_eq!(
        (value("CODEX_THREAD_ID"), value("CODEX_VERSION"), value("COLORTERM")),
        (Some("t"), Some("1.2.3"), Some(""))
    );
    assert_eq!(value("PAGER"), Some("cat"));
}
