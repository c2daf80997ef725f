//! Pages of lists that are at hand as a whole. A cursor is the number of rows before the page.

use crate::server::error::{Error, Result};

/// Cuts a page out of a list of `what`, and tells the cursor of the next one.
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
