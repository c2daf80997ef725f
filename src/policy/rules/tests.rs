//! Rules files: their language, their faults, and what they match.

use std::fs;

use super::{Rules, Verdict};

fn words(line: &str) -> Vec<String> {
    line.split_whitespace().map(str::to_owned).collect()
}

fn parse(text: &str) -> Rules {
    let mut rules = Rules::default();
    rules.add(text).unwrap();
    rules
}

/// The verdicts of all rules that a command matches.
fn verdicts(rules: &Rules, command: &str) -> Vec<Verdict> {
    rules.matches(&words(command)).iter().map(|found| found.verdict).collect()
}

#[track_caller]
fn fault(text: &str, line: usize, column: usize, message: &str) {
    let fault = Rules::default().add(text).unwrap_err();
    assert_eq!(
        (fault.line, fault.column, fault.message.as_str()),
        (line, column, message),
        "{text:?}"
    );
}

#[test]
fn patterns_are_prefixes() {
    let rules = parse("prefix_rule(pattern=['git', ['push', 'fetch']], decision=\"prompt\")");
    assert_eq!(verdicts(&rules, "git push origin"), [Verdict::Prompt]);
    assert_eq!(verdicts(&rules, "git fetch"), [Verdict::Prompt]);
    for other in ["git", "git pull", "push", "gi push"] {
        assert_eq!(verdicts(&rules, other), [], "{other}");
    }
    assert_eq!(rules.matches(&words("git push x"))[0].words, words("git push"));
}

#[test]
fn programs_with_folders_match_by_name() {
    let rules = parse(
        "prefix_rule(pattern=['a'])\nprefix_rule(pattern=['/bin/b'], decision='prompt')\nprefix_rule(pattern=['h'])\n\
         host_executable(name='h', paths=['/usr/bin/h'])\n",
    );
    assert_eq!(verdicts(&rules, "/bin/a x"), [Verdict::Allow]);
    assert_eq!(verdicts(&rules, "./a"), [Verdict::Allow]);
    assert_eq!(verdicts(&rules, "/bin/b"), [Verdict::Prompt]);
    assert_eq!(verdicts(&rules, "b"), []);
    assert_eq!(verdicts(&rules, "h"), [Verdict::Allow]);
    assert_eq!(verdicts(&rules, "/usr/bin/h"), [Verdict::Allow]);
    assert_eq!(verdicts(&rules, "/bin/h"), []);
}

#[test]
fn the_language() {
    let rules = parse(
        r#"'''What these rules
are for.'''
# A comment.
COMMON = ["a", "b"]
WHY = "be" + 'cause' # of this
prefix_rule(
    pattern = [COMMON + ["c",], "x"],   # alternatives
    decision = "forbidden",
    match = ["a x", ["c", "x", "y"]],
    not_match = ["d x"],
    justification = WHY,
); prefix_rule(["r\n\"\x41\u00e9", r'\n'], "prompt", justification = None)
network_rule(host = "h", protocol = "https", decision = "deny", justification = "why")
"#,
    );
    assert_eq!(rules.matches(&words("b x"))[0].justification, Some("because"));
    let odd = ["r\n\"Aé", "\\n"].map(str::to_owned);
    assert_eq!(rules.matches(&odd)[0].verdict, Verdict::Prompt);
    assert_eq!(parse(""), Rules::default());
    assert_eq!(parse("\u{feff}# x\r\n\r\n"), Rules::default());
}

#[test]
fn faults_are_located() {
    fault(
        "x = 1\nprefix_rule(pattern=[\"touch\"], decision=\"maybe\")\n",
        2,
        41,
        "unknown decision `maybe`",
    );
    fault(
        "prefix_rule(pattern=[\"touch\"\n",
        2,
        1,
        "expected `,` or `]`, found the end of the file",
    );
    fault("prefix_rule()", 1, 1, "`pattern` is missing");
    fault("prefix_rule(pattern=[])", 1, 21, "the pattern is empty");
    fault("prefix_rule(pattern='a')", 1, 21, "expected a list, found a string");
    fault(
        "prefix_rule(pattern=['a', 1])",
        1,
        27,
        "expected a word or a list of words, found a number",
    );
    fault("prefix_rule(pattern=['a', []])", 1, 27, "there are no alternatives");
    fault("prefix_rule(pattern=['a'], foo=1)", 1, 28, "unknown argument `foo`");
    fault("prefix_rule(pattern=['a'], pattern=['a'])", 1, 28, "`pattern` is given twice");
    fault("prefix_rule(pattern=['a'], justification=' ')", 1, 42, "the justification is empty");
    fault(
        "prefix_rule(pattern=['a'],\n  match=['b c'])",
        2,
        10,
        "the rule does not match its example `b c`",
    );
    fault(
        "prefix_rule(pattern=['a'], not_match=['a c'])",
        1,
        39,
        "the rule matches its example `a c`",
    );
    fault(
        "prefix_rule(pattern=['a'], match=[\"a 'b\"])",
        1,
        35,
        "the example is no line for a shell",
    );
    fault("\n  prefix_rule(pattern=['a'])", 2, 3, "unexpected indentation");
    fault("nope(1)", 1, 1, "unknown rule `nope`");
    fault("for x in y:", 1, 1, "`for` is not supported in rules files");
    fault("this is not a rule (", 1, 1, "unknown rule `this`");
    fault("x = y", 1, 5, "unknown name `y`");
    fault("x = 'a", 1, 5, "the string is not closed");
    fault("x = 'a\n'", 1, 5, "the string is not closed on its line");
    fault("x = 'a' + 1", 1, 9, "cannot add a string and a number");
    fault("x = 1 2", 1, 7, "expected the end of the line, found `2`");
    fault("x = '\\q'", 1, 7, "unknown escape in the string");
    fault(
        "host_executable(name='a/b', paths=[])",
        1,
        22,
        "the name must be a program's name without a folder",
    );
    fault(
        "host_executable(name='a', paths=['/x/b'])",
        1,
        34,
        "the path `/x/b` does not end in `a`",
    );
    fault(
        "network_rule(host='*', protocol='http', decision='allow')",
        1,
        19,
        "the host must be a name without wildcards",
    );
    fault(
        "network_rule(host='h', protocol='ftp', decision='allow')",
        1,
        33,
        "unknown protocol `ftp`",
    );
}

#[test]
fn one_broken_file_turns_all_rules_off() {
    let home = tempfile::tempdir().unwrap();
    let folder = home.path().join("rules");
    let folders = [folder.clone(), home.path().join("missing")];
    assert_eq!(Rules::load(&folders), (Rules::default(), None));
    fs::create_dir(&folder).unwrap();
    fs::write(folder.join("b.rules"), "prefix_rule(pattern=['a'])").unwrap();
    fs::write(folder.join("c.txt"), "(").unwrap();
    fs::create_dir(folder.join("d.rules")).unwrap();
    let (rules, problem) = Rules::load(&folders);
    assert_eq!((verdicts(&rules, "a"), problem), (vec![Verdict::Allow], None));
    fs::write(folder.join("a.rules"), "\nprefix_rule(\n").unwrap();
    let (rules, problem) = Rules::load(&folders);
    let problem = problem.unwrap();
    assert_eq!(rules, Rules::default());
    assert_eq!((problem.path.clone(), problem.line), (folder.join("a.rules"), 3));
    assert!(problem.details.contains("a.rules:3:1: expected"), "{}", problem.details);
}

#[test]
fn accepted_prefixes_take_effect() {
    let mut rules = Rules::default();
    rules.allow(&words("touch x"));
    rules.allow(&words("touch x"));
    rules.allow(&[]);
    assert_eq!(verdicts(&rules, "touch x y"), [Verdict::Allow]);
    assert_eq!(verdicts(&rules, "touch y"), []);
}

proptest::proptest! {
    #[test]
    fn parsing_never_panics(text in r#"(prefix_rule|pattern|match|x|[\[\](),='"+#\\ \n;a-z1é-])*"#) {
        let _outcome: Result<(), super::parse::Fault> = Rules::default().add(&text);
    }
}
