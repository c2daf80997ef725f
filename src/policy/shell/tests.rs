//! Scripts that are read as plain commands, and those that are not.

use proptest::prelude::*;

use super::{display, literal_commands, plain_commands, script_of};

fn plain(script: &str) -> Option<Vec<String>> {
    let commands = plain_commands(script)?;
    Some(commands.iter().map(|words| words.join("|")).collect())
}

#[track_caller]
fn check(script: &str, expected: &[&str]) {
    let expected: Vec<String> = expected.iter().map(|&words| words.to_owned()).collect();
    assert_eq!(plain(script), Some(expected), "{script:?}");
}

#[track_caller]
fn opaque(scripts: &[&str]) {
    for script in scripts {
        assert_eq!(plain(script), None, "{script:?}");
    }
}

#[test]
fn words_and_quotes() {
    check("ls", &["ls"]);
    check("  ls \t -la  ", &["ls|-la"]);
    check("x 'a b' \"c d\"", &["x|a b|c d"]);
    check("x a'b'\"c\"d", &["x|abcd"]);
    check("x '' \"\"", &["x||"]);
    check("x '$a `b` \\ \"'", &["x|$a `b` \\ \""]);
    check("x \"a\\nb 'c' !\"", &["x|a\\nb 'c' !"]);
    check("x --a=b -g'*.rs' 1,5p a:b @ + % !", &["x|--a=b|-g*.rs|1,5p|a:b|@|+|%|!"]);
    check("x é \u{a0}a", &["x|é|\u{a0}a"]);
    check("x 'a\nb'", &["x|a\nb"]);
    check("./x -- - if done", &["./x|--|-|if|done"]);
}

#[test]
fn joints() {
    check("a && b || c; d | e\nf", &["a", "b", "c", "d", "e", "f"]);
    check("a&&b;", &["a", "b"]);
    check("a;\nb\n\n", &["a", "b"]);
    check("a &&\n b |\n c", &["a", "b", "c"]);
    check("a \\\n b", &["a|b"]);
    check("a b\\\nc", &["a|bc"]);
}

#[test]
fn everything_else_is_opaque() {
    opaque(&[
        "", " ", "\n", ";", ";a", "a;;b", "a &", "a & b", "a |& b", "a ||", "&& a", "a |", "a;&b",
    ]);
    opaque(&[
        "x $a",
        "x \"$a\"",
        "x `a`",
        "x \"`a`\"",
        "x $(y)",
        "x $'a'",
        "x a$",
        "x \"a$\"",
        "x $((1))",
    ]);
    opaque(&["x > f", "x 2>&1", "x < f", "x <<E\nE", "x <(y)", "(x)", "{ x; }", "x ()", "x)"]);
    opaque(&[
        "x *", "x a?b", "x [ab]", "x {a,b}", "x {}", "x ~", "x a~b", "x #c", "x a#b", "# c\nx",
        "x ^", "x =y",
    ]);
    opaque(&[
        "x a\\ b",
        "x \\x",
        "x \"a\\\"b\"",
        "x \"a\\\\b\"",
        "x \"a\\\nb\"",
        "x a\\",
        "x 'a",
        "x \"a",
        "x a\r\ny",
    ]);
    opaque(&["a=b", "a=b x", "a+=b", "_a1=b x", "'x' y", "x'y' z", "1 2", "'' x"]);
    opaque(&[
        "if x; then y; fi",
        "for i in a; do x; done",
        "! x",
        "x && ! y",
        "[ x ]",
        "[[ x ]]",
        "case a in b) x;; esac",
    ]);
    opaque(&[
        "export a=b",
        "declare a",
        "local a",
        "readonly a=b",
        "unset a",
        "function f { x; }",
        "then x",
    ]);
}

#[test]
fn shown_as_a_line() {
    let line = |words: &[&str]| display(words);
    assert_eq!(line(&["/bin/bash", "-lc", "echo one; exit 3"]), "/bin/bash -lc 'echo one; exit 3'");
    assert_eq!(line(&["x", "", "it's", "a!b", "é", "a\nb"]), "x '' \"it's\" 'a!b' 'é' 'a\nb'");
    assert_eq!(line(&["sed", "-n", "1,5p", "a^b"]), "sed -n '1,5p' a'^b'");
}

#[test]
fn scripts_of_known_shells() {
    assert_eq!(script_of(&["/bin/zsh", "-lc", "x"]), Some("x"));
    assert_eq!(script_of(&["sh", "-c", "x"]), Some("x"));
    for argv in [
        &["dash", "-c", "x"][..],
        &["bash", "-x", "x"],
        &["bash", "-c"],
        &["bash", "-c", "x", "y"],
        &[],
    ] {
        assert_eq!(script_of(argv), None);
    }
}

/// The commands found, words by `|`, unknown words as `?`.
#[track_caller]
fn finds(script: &str, expected: &[&str]) {
    let found = literal_commands(script);
    let found: Vec<String> = found
        .iter()
        .map(|words| {
            words.iter().map(|word| word.as_deref().unwrap_or("?")).collect::<Vec<_>>().join("|")
        })
        .collect();
    assert_eq!(found, expected, "{script:?}");
}

#[test]
fn commands_in_constructs() {
    finds("a b; c && d | e & f", &["a|b", "c", "d", "e", "f"]);
    finds("if a; then b; elif c; then d; else e; fi", &["a", "b", "c", "d", "e"]);
    finds("for i in x $(y); do a $i; done", &["y", "a|?"]);
    finds("while a; do b; done < f; until c; do d; done", &["a", "b", "c", "d"]);
    finds("case $x in a) b;; c) d e;; esac; f", &["b", "d|e", "f"]);
    finds("(a; b) && { c; }; ! d", &["a", "b", "c", "d"]);
    finds("f() { a; }; function g { b; }; select x in y; do c; done", &["a", "b", "c"]);
    finds("# a\nb # c\nd", &["b", "d"]);
    finds("A=1 B='x y' C=$(c) d", &["c", "d"]);
    finds("arr=(a b $(c)\nd) e", &["c", "e"]);
}

#[test]
fn commands_in_expansions() {
    finds("a $(b) `c` \"$(d) `e`\"", &["b", "c", "d", "e", "a|?|?|?"]);
    finds("a <(b) >(c)", &["b", "c", "a|?|?"]);
    finds("a ${x:-$(b)} $(( $(c) + 1 )) $((1 << 2)) d", &["b", "c", "a|?|?|?|d"]);
    finds("(( x = $(a) )); [[ -n $(b) && c < d ]]; e", &["a", "b", "e"]);
    finds("a `b \\`c\\``", &["c", "b|?", "a|?"]);
    finds("a $'b $(c)' $\"$(d)\"", &["d", "a|?|?"]);
}

#[test]
fn redirections_and_here_documents() {
    finds("a > f b 2>&1 c < g &> h", &["a|b|c"]);
    finds("a <<E b\nc\n$(d)\nE\ne", &["a|b", "d", "e"]);
    finds("a <<-'E'\n\t$(b)\n\tE\nc", &["a", "c"]);
    finds("a <<< 'b $(c)'; d", &["a", "d"]);
    finds("a <<E", &["a"]);
}

#[test]
fn words_that_are_not_given_away() {
    finds("$a b", &["?|b"]);
    finds("\\rm 'r'm *x ~/bin/x \"a\\\"b\" {} [", &["?|rm|?|~/bin/x|a\"b|{}|["]);
    finds("a 'b", &["a|b"]);
    finds("a (", &["a"]);
}

/// Quotes a word so that only quotes without expansion are needed.
fn quote(word: &str) -> String {
    word.split('\'').map(|piece| format!("'{piece}'")).collect::<Vec<_>>().join("\"'\"")
}

proptest! {
    #[test]
    fn readers_never_panic(script in r#"([a-z '"$`\\(){}\[\]<>|&;#=\n*~!-]|<<|\$\(|\$\{|case |in |for |do |esac|é){0,40}"#) {
        let _plain: Option<Vec<Vec<String>>> = plain_commands(&script);
        let _found: Vec<Vec<Option<String>>> = literal_commands(&script);
    }

    #[test]
    fn readers_never_panic_on_anything(script in any::<String>()) {
        let _plain: Option<Vec<Vec<String>>> = plain_commands(&script);
        let _found: Vec<Vec<Option<String>>> = literal_commands(&script);
    }

    #[test]
    fn quoted_words_come_back(
        commands in prop::collection::vec(("[a-z][a-z_./-]{0,5}x", prop::collection::vec("[^\0]{0,8}", 0..4)), 1..4),
        joint in prop::sample::select(vec![" && ", "||", " | ", "; ", "\n"]),
    ) {
        let expected: Vec<Vec<String>> = commands
            .iter()
            .map(|(program, rest)| std::iter::once(program.clone()).chain(rest.iter().cloned()).collect())
            .collect();
        let lines: Vec<String> = commands
            .iter()
            .map(|(program, rest)| {
                std::iter::once(program.clone()).chain(rest.iter().map(|word| quote(word))).collect::<Vec<_>>().join(" ")
            })
            .collect();
        prop_assert_eq!(plain_commands(&lines.join(joint)), Some(expected.clone()));
        // What is certain is also found by the reader that suspects.
        let found: Vec<Vec<Option<String>>> =
            expected.into_iter().map(|words| words.into_iter().map(Some).collect()).collect();
        prop_assert_eq!(literal_commands(&lines.join(joint)), found);
    }
}
