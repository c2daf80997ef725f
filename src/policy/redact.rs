//! Replaces what looks like a secret in texts that are shown or kept.
//!
//! A net for accidents: well-known key shapes and values that stand next to a telling name. It knows neither the
//! environment nor any store of real secrets.

use std::borrow::Cow;

const MARK: &str = "[REDACTED_SECRET]";
/// Names whose assigned value is hidden; compared without case.
const NAMES: [&str; 6] = ["api_key", "api-key", "apikey", "token", "secret", "password"];
const MIN_VALUE: usize = 8;
const MIN_BEARER: usize = 16;
const MIN_KEY: usize = 20;

/// The text with each secret replaced.
pub(crate) fn redact(text: &str) -> Cow<'_, str> {
    let mut out = String::new();
    let (mut copied, mut at) = (0, 0);
    while at < text.len() {
        let Some(secret) = secret_at(text, at) else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
            continue;
        };
        out.push_str(&text[copied..secret.start]);
        out.push_str(secret.replacement);
        copied = secret.end;
        at = secret.end;
    }
    if copied == 0 {
        return Cow::Borrowed(text);
    }
    out.push_str(&text[copied..]);
    Cow::Owned(out)
}

struct Secret {
    start: usize,
    end: usize,
    replacement: &'static str,
}

fn secret_at(text: &str, at: usize) -> Option<Secret> {
    let rest = &text[at..];
    // The first letters of everything that is looked for.
    if !matches!(rest.as_bytes()[0].to_ascii_lowercase(), b'a' | b'b' | b'p' | b's' | b't') {
        return None;
    }
    if let Some(key) = rest.strip_prefix("sk-") {
        let length = prefix(key, |c| c.is_ascii_alphanumeric());
        if length >= MIN_KEY {
            return Some(Secret { start: at, end: at + 3 + length, replacement: MARK });
        }
    }
    if text[..at].chars().next_back().is_some_and(is_word_character) {
        return None;
    }
    access_key(rest, at).or_else(|| bearer(rest, at)).or_else(|| assigned(rest, at))
}

fn access_key(rest: &str, at: usize) -> Option<Secret> {
    let key = rest.strip_prefix("AKIA")?;
    let length = prefix(key, |c| c.is_ascii_uppercase() || c.is_ascii_digit());
    let bounded = !key[length..].starts_with(is_word_character);
    (length == 16 && bounded).then_some(Secret { start: at, end: at + 20, replacement: MARK })
}

fn bearer(rest: &str, at: usize) -> Option<Secret> {
    let value = strip_prefix_ignoring_case(rest, "bearer")?;
    let token = value.trim_start();
    let length = prefix(token, |c| c.is_ascii_alphanumeric() || "._~+/=-".contains(c));
    if token.len() == value.len() || length < MIN_BEARER {
        return None;
    }
    let end = at + rest.len() - token.len() + length;
    Some(Secret { start: at, end, replacement: "Bearer [REDACTED_SECRET]" })
}

fn assigned(rest: &str, at: usize) -> Option<Secret> {
    let behind = NAMES.iter().find_map(|name| strip_prefix_ignoring_case(rest, name))?;
    let value = behind.trim_start().strip_prefix(['=', ':'])?.trim_start();
    let value = value.strip_prefix(['"', '\'']).unwrap_or(value);
    let length = prefix(value, |c| !c.is_whitespace() && c != '"' && c != '\'');
    if value[..length].chars().count() < MIN_VALUE {
        return None;
    }
    let start = at + rest.len() - value.len();
    Some(Secret { start, end: start + length, replacement: MARK })
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let head = text.get(..name.len())?;
    head.eq_ignore_ascii_case(name).then(|| &text[name.len()..])
}

/// The length in bytes of the leading run of such characters.
fn prefix(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len())
}

fn is_word_character(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

#[cfg(test)]
mod tests;
