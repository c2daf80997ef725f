//! The one implementation of TLS that every client of the process uses.

/// Makes it the default, which it stays for the process.
pub(crate) fn install_provider() {
    // Another client may have done it before.
    let _installed = rustls::crypto::ring::default_provider().install_default();
}
