//! Wall-clock time in the forms that the wire and the disk use: Unix seconds, milliseconds, RFC 3339.

use chrono::{DateTime, Local, SecondsFormat, TimeZone as _, Utc};

/// Unix time in milliseconds.
pub(crate) fn now_ms() -> i64 {
    Utc::now().timestamp_millis()
}

/// Unix time in seconds.
pub(crate) fn now_secs() -> i64 {
    Utc::now().timestamp()
}

/// `2026-11-21T08:54:41.053Z` for a Unix time in milliseconds.
pub(crate) fn rfc3339_millis(ms: i64) -> String {
    utc(ms).to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The Unix time in milliseconds of an RFC 3339 text, whatever its zone and precision.
pub(crate) fn parse_rfc3339_millis(text: &str) -> Option<i64> {
    DateTime::parse_from_rfc3339(text).ok().map(|time| time.timestamp_millis())
}

/// The local wall-clock time of a Unix time in milliseconds, for file names and dates that people read.
pub(crate) fn local(ms: i64) -> DateTime<Local> {
    utc(ms).with_timezone(&Local)
}

/// The time of a Unix time in milliseconds.
pub(crate) fn utc(ms: i64) -> DateTime<Utc> {
    Utc.timestamp_millis_opt(ms).single().unwrap_or_default()
}
