//! Bytes as people compare them: two hex digits each.

/// The digits of all bytes, in lower case.
pub(crate) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
