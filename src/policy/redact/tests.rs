//! Which secrets are struck out of commands.

use std::borrow::Cow;

use super::redact;

#[track_caller]
fn check(text: &str, expected: &str) {
    assert_eq!(redact(text), expected.replace('*', "[REDACTED_SECRET]"), "{text:?}");
}

#[track_caller]
fn keeps(texts: &[&str]) {
    for text in texts {
        assert!(matches!(redact(text), Cow::Borrowed(kept) if kept == *text), "{text:?}");
    }
}

#[test]
fn bearer_tokens() {
    check("-H 'Authorization: Bearer abcdefghijklmnop'", "-H 'Authorization: Bearer *'");
    check("bearer \t ~abc.def-ghi_jkl/mnop+qrs= x", "Bearer * x");
    keeps(&[
        "Bearer abcdefghijklmno",
        "Bearer abcdefgh!ijklmnopqrs",
        "aBearer abcdefghijklmnop",
        "Bearer=abcdefghijklmnop",
    ]);
}

#[test]
fn keys() {
    check("sk-abcdefghijklmnopqrst,xsk-ABCdef1234567890abcdefXYZ-tail", "*,x*-tail");
    check("AKIAABCDEFGHIJKLMN01 x", "* x");
    keeps(&[
        "sk-abcdefghijklmnopqrs",
        "sk-proj-abcdefghijklmnopqr",
        "AKIAABCDEFGHIJKLMNO",
        "AKIAABCDEFGHIJKLMNOPQ",
    ]);
    keeps(&["xAKIAABCDEFGHIJKLMNOP", "AKIAabcdefghijklmnop"]);
}

#[test]
fn assigned_values() {
    check("--token=abcdefgh", "--token=*");
    check(
        "API_KEY:abcdefgh api-key = 'abcdefgh' APIkey=\"abcdefgh\" y",
        "API_KEY:* api-key = '*' APIkey=\"*\" y",
    );
    check("a.token: abcdefgh;b secret=é1234567", "a.token: * secret=*");
    check("token==abcdefgh password=$SOMETHING", "token=* password=*");
    check("'cat token=abcdefgh'", "'cat token=*'");
    keeps(&[
        "token=abcdefg",
        "token abcdefgh",
        "my_secret=abcdefgh",
        "secrets=abcdefgh",
        "token_a=abcdefgh",
    ]);
    keeps(&[
        "\"token\": \"abcdefgh\"",
        "token='ab cd efghijkl'",
        "secret:\"a'b'c'd'e'f\"",
        "token\\=abcdefgh",
        "api key=abcdefgh",
    ]);
}

#[test]
fn twice_is_once() {
    let once = redact("token=abcdefgh sk-abcdefghijklmnopqrst").into_owned();
    assert_eq!(redact(&once), once);
    keeps(&["", "é", "[REDACTED_SECRET]"]);
}
