//! Secrets, from where a configuration says that they are.
//!
//! In: a place. Out: the text there.
//! Invariant: a mistake is said where the place is named, and without the secret.

use std::path::Path;

use crate::files;
use crate::files::config::{ConfigError, Secret, SecretFrom};

/// Bytes of a file that holds one secret.
const BYTES: u64 = 16 << 10;

/// Reads a secret, without white space around it.
pub(crate) fn read(secret: &Secret) -> Result<String, ConfigError> {
    let wrong = |message: String| secret.place.wrong(message);
    let text = match &secret.from {
        SecretFrom::Env(name) => std::env::var(name)
            .map_err(|_| wrong(format!("the environment has no `{name}`, or it is no text")))?,
        SecretFrom::File(path) => {
            let shown = files::shown(path);
            let bytes = files::read(path, BYTES)
                .map_err(|error| wrong(format!("`{shown}` cannot be read: {error}")))?;
            warn_if_open(path);
            String::from_utf8(bytes).map_err(|_| wrong(format!("`{shown}` is not UTF-8")))?
        }
    };
    let text = text.trim();
    match text.is_empty() || text.chars().any(char::is_control) {
        true => Err(wrong("a secret is one line that is not empty".to_owned())),
        false => Ok(text.to_owned()),
    }
}

/// A file that everybody on the machine reads is warned of, and used: systems that mount secrets into
/// containers give them such modes.
fn warn_if_open(path: &Path) {
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt as _;
        let mode = std::fs::metadata(path).map_or(0, |data| data.permissions().mode());
        if mode & 0o007 != 0 {
            tracing::warn!(
                "`{}` holds a secret and everybody may read it",
                files::shown(path)
            );
        }
    }
    #[cfg(not(unix))]
    let _ = path;
}
