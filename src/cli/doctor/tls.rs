//! Whether a certificate and its key can be used: asked of what uses them.

use crate::files::config::Tls;

/// Why they cannot.
pub(super) fn trouble(tls: &Tls) -> Option<String> {
    let usable = crate::server::is_usable(tls);
    usable.err().map(|error| error.to_string())
}
