//! The decision about commands and edits, case by case.

use std::path::PathBuf;

use super::{
    CommandQuestion, Decision, PatchQuestion, Place, Request, SandboxKind, command, patch,
};
use crate::policy::rules::Rules;
use crate::protocol::AskForApproval;

const KINDS: [SandboxKind; 4] = [
    SandboxKind::ReadOnly,
    SandboxKind::WorkspaceWrite,
    SandboxKind::External,
    SandboxKind::FullAccess,
];
const RULES: &str = r#"
prefix_rule(pattern=["pp"], decision="prompt", justification="pj")
prefix_rule(pattern=["pn"], decision="prompt")
prefix_rule(pattern=["pp", "x"], decision="allow")
prefix_rule(pattern=["ff"], decision="forbidden", justification="fj")
prefix_rule(pattern=["fn", ["a", "b"], "c"], decision="forbidden")
prefix_rule(pattern=["aa"])
prefix_rule(pattern=["aa", "x"], decision="prompt", justification="longer")
prefix_rule(pattern=["rm", "-f", "okay"])
"#;

fn granular(sandbox_approval: bool, rules: bool) -> AskForApproval {
    AskForApproval::Granular {
        sandbox_approval,
        rules,
        skill_approval: false,
        request_permissions: false,
        mcp_elicitations: false,
    }
}

/// The columns of the table: untrusted, on-request, never, granular with everything, granular without the sandbox.
fn policies() -> [AskForApproval; 5] {
    [
        AskForApproval::Untrusted,
        AskForApproval::OnRequest,
        AskForApproval::Never,
        granular(true, true),
        granular(false, true),
    ]
}

struct Case<'a> {
    script: &'a str,
    request: Request,
    missing: Option<&'static str>,
    suggested: &'a [&'a str],
}

const PLAIN: Case<'static> =
    Case { script: "ls", request: Request::Default, missing: None, suggested: &[] };

fn decide(case: &Case<'_>, policy: &AskForApproval, sandbox: SandboxKind) -> Decision {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("lab.rules"), RULES).unwrap();
    let (rules, problem) = Rules::load(&[folder.path().to_path_buf()]);
    assert_eq!(problem, None);
    let suggested: Vec<String> = case.suggested.iter().map(|&word| word.to_owned()).collect();
    command(&CommandQuestion {
        argv: &["/bin/bash", "-lc", case.script].map(str::to_owned),
        policy,
        sandbox,
        missing: case.missing.as_ref().map(|missing| missing as &dyn std::fmt::Display),
        request: case.request,
        justification: (case.request == Request::Escalated).then_some("May I?"),
        suggested_prefix: &suggested,
        rules: &rules,
    })
}

fn mark(decision: &Decision) -> char {
    match decision {
        Decision::Run(_) => '-',
        Decision::Ask { .. } => 'A',
        Decision::Refuse { .. } => 'x',
    }
}

/// The row of the table for a kind of sandbox.
#[track_caller]
fn row(case: &Case<'_>, kinds: &[SandboxKind], expected: &str) {
    for &kind in kinds {
        let marks: String =
            policies().iter().map(|policy| mark(&decide(case, policy, kind))).collect();
        assert_eq!(marks, expected, "{} {kind:?}", case.script);
    }
}

fn on_request(script: &str) -> Decision {
    decide(&Case { script, ..PLAIN }, &AskForApproval::OnRequest, SandboxKind::WorkspaceWrite)
}

fn ask(reason: Option<&str>, amendment: Option<&[&str]>, place: Place) -> Decision {
    let amendment = amendment.map(|words| words.iter().map(|&word| word.to_owned()).collect());
    Decision::Ask { reason: reason.map(str::to_owned), amendment, place }
}

fn refusal(decision: &Decision) -> &str {
    match decision {
        Decision::Refuse { told } => told,
        Decision::Run(_) | Decision::Ask { .. } => panic!("{decision:?}"),
    }
}

#[test]
fn the_table() {
    let script = |script| Case { script, ..PLAIN };
    row(&script("ls"), &KINDS, "A----");
    row(&script("FOO=1 ls > x"), &KINDS, "A----");
    row(&Case { request: Request::Escalated, ..PLAIN }, &KINDS[..2], "AAxAx");
    row(&Case { request: Request::Escalated, ..PLAIN }, &KINDS[2..], "A----");
    row(&script("rm -f x"), &KINDS, "AAxAA");
    row(&script("if a; then rm -f x; fi"), &KINDS, "AAxAA");
    row(&script("pp"), &KINDS, "AAxAA");
    row(&script("ff"), &KINDS, "xxxxx");
    row(&script("aa y"), &KINDS, "-----");
    row(&script("rm -f okay"), &KINDS, "-----");
    row(&script("rm -f okay; ls"), &KINDS, "A----");
    row(&Case { script: "aa", request: Request::Escalated, ..PLAIN }, &KINDS[..2], "--x-x");
    row(&Case { request: Request::Widened, ..PLAIN }, &KINDS[..2], "xAxxx");
}

#[test]
fn the_table_without_a_sandbox() {
    let missing = |script| Case { script, missing: Some("nothing is there"), ..PLAIN };
    row(&missing("ls"), &KINDS[..2], "AAxAx");
    row(&missing("ls"), &KINDS[2..], "A----");
    row(&missing("pp"), &KINDS[..2], "AAxAx");
    row(&missing("rm -f x"), &KINDS[..2], "AAxAx");
    row(&missing("ff"), &KINDS, "xxxxx");
    row(&missing("aa y"), &KINDS, "-----");
    let escalated = Case { request: Request::Escalated, ..missing("ls") };
    row(&escalated, &KINDS[..2], "AAxAx");
    let Decision::Ask { reason: Some(reason), amendment, place } =
        decide(&missing("aa; ls -l"), &AskForApproval::OnRequest, SandboxKind::ReadOnly)
    else {
        panic!("not asked")
    };
    assert!(reason.contains("nothing is there"), "{reason}");
    assert_eq!((amendment, place), (Some(vec!["ls".to_owned(), "-l".to_owned()]), Place::Outside));
    let told = decide(&missing("ls"), &AskForApproval::Never, SandboxKind::ReadOnly);
    assert!(refusal(&told).contains("nothing is there"), "{told:?}");
    assert_eq!(
        decide(&escalated, &AskForApproval::OnRequest, SandboxKind::ReadOnly),
        ask(Some("May I?"), Some(&["ls"]), Place::Outside)
    );
}

#[test]
fn rules_decide_where_a_command_runs() {
    assert_eq!(on_request("aa y"), Decision::Run(Place::Outside));
    assert_eq!(on_request("aa y | aa"), Decision::Run(Place::Outside));
    assert_eq!(on_request("aa y; ls"), Decision::Run(Place::Inside));
    assert_eq!(on_request("aa > x"), Decision::Run(Place::Inside));
    assert_eq!(on_request("ff > x"), Decision::Run(Place::Inside));
}

#[test]
fn reasons_of_rules() {
    let reason = |script: &str| match on_request(script) {
        Decision::Ask { reason: Some(reason), amendment: None, place: Place::Inside } => reason,
        other @ (Decision::Run(_) | Decision::Ask { .. } | Decision::Refuse { .. }) => {
            panic!("{other:?}")
        }
    };
    assert_eq!(reason("pp y"), "`/bin/bash -lc 'pp y'` requires approval: pj");
    assert_eq!(reason("pn y"), "`/bin/bash -lc 'pn y'` requires approval by policy");
    assert_eq!(reason("pp && pn"), "`/bin/bash -lc 'pp && pn'` requires approval by policy");
    assert_eq!(reason("pp x"), "`/bin/bash -lc 'pp x'` requires approval: pj");
    assert_eq!(reason("aa x"), "`/bin/bash -lc 'aa x'` requires approval: longer");
    assert_eq!(
        reason("rm -f a; /bin/pp b"),
        "`/bin/bash -lc 'rm -f a; /bin/pp b'` requires approval: pj"
    );
}

#[test]
fn refusals() {
    let told = |script, policy: &AskForApproval| {
        refusal(&decide(&Case { script, ..PLAIN }, policy, SandboxKind::WorkspaceWrite)).to_owned()
    };
    let on_request = AskForApproval::OnRequest;
    assert_eq!(told("ff z", &on_request), "`/bin/bash -lc 'ff z'` rejected: fj");
    assert_eq!(
        told("ff; fn a c d", &on_request),
        "`/bin/bash -lc 'ff; fn a c d'` rejected: policy forbids commands starting with `fn a c`"
    );
    let never = AskForApproval::Never;
    assert_eq!(
        told("pp", &never),
        "approval required by policy, but AskForApproval is set to Never"
    );
    let removal = told("rm -f a; pp b", &never);
    assert!(removal.starts_with(
        "`/bin/bash -lc 'rm -f a; pp b'` rejected: rm -f style commands are not permitted"
    ));
    assert_eq!(
        told("rm -f a; pp b", &granular(false, false)),
        "approval required by policy rule, but AskForApproval::Granular.rules is false"
    );
}

#[test]
fn amendments() {
    let escalated = |script, suggested: &[&str]| {
        let case = Case { script, request: Request::Escalated, suggested, ..PLAIN };
        match decide(&case, &AskForApproval::OnRequest, SandboxKind::WorkspaceWrite) {
            Decision::Ask { amendment, place: Place::Outside, .. } => {
                amendment.map(|words| words.join(" "))
            }
            other @ (Decision::Run(_) | Decision::Ask { .. } | Decision::Refuse { .. }) => {
                panic!("{other:?}")
            }
        }
    };
    assert_eq!(escalated("touch x", &["touch"]).as_deref(), Some("touch"));
    assert_eq!(escalated("touch x && ls", &["touch"]).as_deref(), Some("touch x"));
    assert_eq!(escalated("aa; foo; bar", &[]).as_deref(), Some("foo"));
    assert_eq!(escalated("foo > x", &["foo"]).as_deref(), Some("/bin/bash -lc foo > x"));
    assert_eq!(escalated("pp y", &["pp"]), None);
    assert_eq!(on_request("true && rm -f x"), ask(None, Some(&["rm", "-f", "x"]), Place::Inside));
    let forced = Case { script: "rm -f x", ..PLAIN };
    assert_eq!(
        decide(&forced, &granular(false, true), SandboxKind::FullAccess),
        ask(None, None, Place::Inside)
    );
    let widened = Case { request: Request::Widened, ..PLAIN };
    assert_eq!(
        decide(&widened, &AskForApproval::OnRequest, SandboxKind::WorkspaceWrite),
        ask(None, None, Place::Inside)
    );
}

#[test]
fn edits() {
    let root = tempfile::tempdir().unwrap();
    let top = root.path().canonicalize().unwrap();
    let marks = |name: &str, sandbox: SandboxKind| -> String {
        let paths: Vec<PathBuf> = vec![top.join("in/x"), top.join(name)];
        let roots = [top.join("in")];
        let decide = |policy: &AskForApproval| {
            patch(&PatchQuestion { policy, sandbox, writable_roots: &roots, paths: &paths })
        };
        policies().iter().map(|policy| mark(&decide(policy))).collect()
    };
    assert_eq!(marks("in/a", SandboxKind::WorkspaceWrite), "A----");
    assert_eq!(marks("out/a", SandboxKind::WorkspaceWrite), "AAxAx");
    assert_eq!(marks("in/.git/config", SandboxKind::WorkspaceWrite), "AAxAx");
    assert_eq!(marks("in/a", SandboxKind::ReadOnly), "AAxAx");
    for kind in [SandboxKind::External, SandboxKind::FullAccess] {
        assert_eq!(marks("out/a", kind), "A----");
    }
    let told = |sandbox| {
        let decision = patch(&PatchQuestion {
            policy: &AskForApproval::Never,
            sandbox,
            writable_roots: &[],
            paths: &[top.join("a")],
        });
        refusal(&decision).to_owned()
    };
    assert_eq!(
        told(SandboxKind::WorkspaceWrite),
        "patch rejected: writing outside of the project; rejected by user approval settings"
    );
    assert_eq!(
        told(SandboxKind::ReadOnly),
        "patch rejected: writing is blocked by read-only sandbox; rejected by user approval settings"
    );
}
