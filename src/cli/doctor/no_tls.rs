//! Of a program without the service nothing uses a certificate.

use crate::files::config::Tls;

pub(super) fn trouble(_: &Tls) -> Option<String> {
    None
}
