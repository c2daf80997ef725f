//! How long to wait before something is tried again. Whether it is tried is the error's business.

use std::time::Duration;

const FIRST: Duration = Duration::from_millis(200);
const FIRST_CONNECTION: Duration = Duration::from_secs(5);
const LONGEST_CONNECTION: Duration = Duration::from_secs(60);
/// Doublings after which a wait grows no more; far beyond what the caps on retries let happen.
const MOST_DOUBLINGS: u32 = 12;

/// The pause before the `attempt`th retry, counted from 1, of a request or a stream: doubling, with some jitter so
/// that many clients do not come back at the same moment.
pub(crate) fn backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
    FIRST * 2_u32.pow(doublings) * jitter_per_mille() / 1000
}

/// The pause before the `attempt`th try to reach a provider that cannot be connected to.
pub(crate) fn connection_backoff(attempt: u32) -> Duration {
    let doublings = attempt.saturating_sub(1).min(MOST_DOUBLINGS);
    (FIRST_CONNECTION * 2_u32.pow(doublings)).min(LONGEST_CONNECTION)
}

/// Between 900 and 1100.
fn jitter_per_mille() -> u32 {
    let [random, other, ..] = *uuid::Uuid::new_v4().as_bytes();
    900 + u32::from(u16::from_be_bytes([random, other])) % 201
}

/// The wait that a `retry-after` header asks for. Dates are not understood; providers send seconds.
pub(super) fn retry_after(header: &str) -> Option<Duration> {
    seconds(header.trim().parse().ok()?)
}

/// The wait that a message like `… try again in 1.3s` asks for.
pub(super) fn wait_in_message(message: &str) -> Option<Duration> {
    const LEAD: &str = "try again in ";
    let message = message.to_ascii_lowercase();
    let rest = &message[message.find(LEAD)? + LEAD.len()..];
    let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(rest.len());
    let (number, unit) = rest.split_at(end);
    let number: f64 = number.parse().ok()?;
    let unit = unit.trim_start();
    if unit.starts_with("ms") || unit.starts_with("millis") {
        seconds(number / 1000.0)
    } else if unit.starts_with('s') {
        seconds(number)
    } else {
        None
    }
}

/// A provider that wants longer pauses than this is asked again all the same: somebody is waiting.
const MAX_PAUSE: Duration = Duration::from_secs(300);

fn seconds(seconds: f64) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds).ok().map(|pause| pause.min(MAX_PAUSE))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_double_within_a_tenth() {
        for (attempt, base) in [(0, 200), (1, 200), (2, 400), (3, 800), (5, 3200)] {
            let base = Duration::from_millis(base);
            for _ in 0..50 {
                let pause = backoff(attempt);
                assert!(pause >= base * 9 / 10 && pause <= base * 11 / 10, "{attempt}: {pause:?}");
            }
        }
        assert!(backoff(u32::MAX) < Duration::from_secs(3600));
    }

    #[test]
    fn connections_are_tried_ever_more_rarely() {
        let pauses = [1, 2, 3, 4, 5, 100].map(|attempt| connection_backoff(attempt).as_secs());
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
    }

    #[test]
    fn finds_the_wait_that_is_asked_for() {
        let cases = [
            ("Rate limit reached. Please try again in 1.3s. Thanks", Some(1300)),
            ("try again in 350ms", Some(350)),
            ("Try again in 2 seconds", Some(2000)),
            ("try again in 20s", Some(20_000)),
            ("try again in a while", None),
            ("try again in 3 days", None),
            ("slow down", None),
        ];
        for (message, expected) in cases {
            assert_eq!(wait_in_message(message), expected.map(Duration::from_millis), "{message}");
        }
        assert_eq!(retry_after(" 7 "), Some(Duration::from_secs(7)));
        assert_eq!(retry_after("-1"), None);
        assert_eq!(retry_after("Wed, 21 Oct 2026 07:28:00 GMT"), None);
    }
}
