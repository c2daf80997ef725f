//! Pages of lists that are at hand as a whole.

use crate::server::error::{Error, Result};

/// How many rows a page has, unless it is asked for more or fewer…
const DEFAULT_LIMIT: u32 = 25;
/// …and at most.
const MAX_LIMIT: u32 = 100;

/// How many rows a page has that is asked for with this limit.
pub(super) fn page_size(limit: Option<u32>) -> usize {
    limit.unwrap_or(DEFAULT_LIMIT).clamp(1, MAX_LIMIT) as usize
}

/// The first rows, and the cursor of the last of them if there are more.
pub(super) fn first<T>(
    mut rows: Vec<T>,
    size: usize,
    cursor: impl FnOnce(&T) -> String,
) -> (Vec<T>, Option<String>) {
    let more = rows.len() > size;
    rows.truncate(size);
    let next = rows.last().filter(|_| more).map(cursor);
    (rows, next)
}

/// Cuts a page out of a list of `what`, and tells the cursor of the next one: the number of rows before it.
pub(super) fn page<T>(
    mut all: Vec<T>,
    what: &str,
    cursor: Option<&str>,
    limit: Option<u32>,
) -> Result<(Vec<T>, Option<String>)> {
    let total = all.len();
    let start = match cursor {
        None => 0,
        Some(text) => match text.parse::<usize>() {
            Ok(start) if start <= total => start,
            Ok(start) => {
                let refusal = format!("cursor {start} exceeds total {what} {total}");
                return Err(Error::invalid_request(refusal));
            }
            Err(_) => return Err(Error::invalid_request(format!("invalid cursor: {text}"))),
        },
    };
    let size = limit.map_or(total, |limit| limit.max(1) as usize);
    let end = start.saturating_add(size).min(total);
    all.truncate(end);
    let next = (end < total).then(|| end.to_string());
    Ok((all.split_off(start), next))
}
