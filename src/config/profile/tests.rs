//! Profiles as policies and as rules about paths.

use serde_json::json;

use super::*;

fn configured(permissions: &Value) -> Effective {
    let merged = json!({ "permissions": permissions });
    Effective { permissions: merged.as_object().and_then(profiles), ..Effective::default() }
}

fn writes(roots: &[&str], network: bool, tmpdir: bool, slash_tmp: bool) -> SandboxPolicy {
    SandboxPolicy::WorkspaceWrite {
        writable_roots: roots
            .iter()
            .map(|root| AbsolutePathBuf::from(PathBuf::from(root)))
            .collect(),
        network_access: network,
        exclude_tmpdir_env_var: !tmpdir,
        exclude_slash_tmp: !slash_tmp,
    }
}

#[track_caller]
fn check(profile: &Value, expected: &SandboxPolicy) {
    let effective = configured(&json!({ "x": profile }));
    assert_eq!(policy("x", &effective).as_ref(), Ok(expected), "{profile}");
}

#[track_caller]
fn refused(profiles: &Value, needle: &str) {
    let message = policy("x", &configured(profiles)).unwrap_err().message;
    assert!(message.contains(needle), "{message}");
}

#[test]
fn the_nearest_policy() {
    let read_only = |network_access| SandboxPolicy::ReadOnly { network_access };
    check(&json!({"extends": ":read-only"}), &read_only(false));
    check(&json!({"extends": ":read-only", "network": {"enabled": true}}), &read_only(true));
    check(&json!({"extends": ":read-only", "filesystem": {"/s": "deny"}}), &read_only(false));
    check(&json!({"filesystem": {":root": "read"}}), &read_only(false));
    check(&json!({"extends": ":workspace"}), &writes(&[], false, true, true));
    check(
        &json!({"extends": ":workspace", "filesystem": {"/d": "write", ":tmpdir": "read"}}),
        &writes(&["/d"], false, false, true),
    );
    check(
        &json!({"extends": ":read-only", "filesystem": {":workspace_roots": {"out": "write"}}}),
        &writes(&[], false, false, false),
    );
    check(&json!({"extends": ":danger-full-access"}), &SandboxPolicy::DangerFullAccess);
    check(
        &json!({"extends": ":danger-full-access", "filesystem": {"/s": "deny"}}),
        &writes(&["/"], true, false, false),
    );
}

#[test]
fn what_cannot_be_enforced_is_refused() {
    let filesystem = |rules: Value| json!({"x": {"extends": ":workspace", "filesystem": rules}});
    refused(&json!({"x": {}}), "what may be read");
    refused(&json!({"x": {"extends": "x"}}), "extends itself");
    refused(&json!({"x": {"extends": "y"}}), "undefined profile `y`");
    refused(&filesystem(json!({"/a/*.key": "read"})), "patterns");
    refused(&filesystem(json!({"relative": "read"})), "neither an absolute path");
    refused(&filesystem(json!({"/a": "maybe"})), "must be");
    refused(&filesystem(json!({":workspace_roots": {"../up": "write"}})), "within the workspace");
}

#[test]
fn rules_about_single_paths() {
    let effective = configured(&json!({
        "x": {"extends": ":workspace", "filesystem": {"/s": "deny", ":workspace_roots": {"docs": "read"}}},
        "y": {"extends": ":read-only", "filesystem": {"/d": "write"}},
    }));
    let rules = |name: &str| -> Vec<(String, Access)> {
        let rules = file_rules(Some(name), &effective, &[PathBuf::from("/w")]);
        rules.into_iter().map(|rule| (rule.path.display().to_string(), rule.access)).collect()
    };
    let rule = |path: &str, access| (path.to_owned(), access);
    assert_eq!(
        rules("x"),
        [rule("/w", Access::Write), rule("/w/docs", Access::Read), rule("/s", Access::Deny)]
    );
    assert_eq!(rules("y"), [rule("/w", Access::Read), rule("/d", Access::Write)]);
    assert_eq!(rules(":workspace"), []);
}
