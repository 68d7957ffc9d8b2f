//! Replaces the text of a file so that a reader sees the old text or the new one, never a part.
//!
//! In: a path and the new bytes. Out: the file, with the permissions that it had.
//! Invariant: whatever fails, the old file stays as it was, and nothing is left beside it.

use std::fs::{self, File, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// Names that are tried for the new file beside the old one.
const ATTEMPTS: u32 = 100;

/// Replaces a file's text. A link stays a link: the file that it names is replaced.
///
/// # Errors
/// When the file is read-only, or its folder does not take a new file.
pub fn replace(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let path = fs::canonicalize(path)?;
    let permissions = fs::metadata(&path)?.permissions();
    // A rename would pass over it.
    if permissions.readonly() {
        return Err(io::Error::new(
            io::ErrorKind::PermissionDenied,
            "the file is read-only",
        ));
    }
    let (file, temporary) = create_beside(&path)?;
    let done = fill(file, bytes, permissions).and_then(|()| fs::rename(&temporary, &path));
    if done.is_err() {
        // What went wrong first is what the person needs to hear.
        let _ = fs::remove_file(&temporary);
    }
    done
}

fn fill(mut file: File, bytes: &[u8], permissions: Permissions) -> io::Result<()> {
    file.write_all(bytes)?;
    file.set_permissions(permissions)?;
    file.sync_all()
}

/// A new file in the same folder: a rename across file systems is a copy.
fn create_beside(path: &Path) -> io::Result<(File, PathBuf)> {
    let folder = path.parent().unwrap_or(Path::new("."));
    let process = std::process::id();
    let mut taken = io::Error::from(io::ErrorKind::AlreadyExists);
    for attempt in 0..ATTEMPTS {
        let temporary = folder.join(format!(".laneway-{process}-{attempt}.tmp"));
        let new = OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&temporary);
        match new {
            Ok(file) => return Ok((file, temporary)),
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => taken = error,
            Err(error) => return Err(error),
        }
    }
    Err(taken)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replaced_file_keeps_its_permissions_and_its_link() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.lane");
        fs::write(&file, "old").unwrap();
        let link = folder.path().join("link.lane");
        #[cfg(unix)]
        {
            use std::os::unix::fs::{PermissionsExt, symlink};
            fs::set_permissions(&file, Permissions::from_mode(0o640)).unwrap();
            symlink("a.lane", &link).unwrap();
            replace(&link, b"new").unwrap();
            assert_eq!(
                fs::metadata(&file).unwrap().permissions().mode() & 0o777,
                0o640
            );
            assert!(fs::symlink_metadata(&link).unwrap().is_symlink());
        }
        #[cfg(not(unix))]
        replace(&file, b"new").unwrap();
        assert_eq!(fs::read(&file).unwrap(), b"new");
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, if link.exists() { 2 } else { 1 });
    }

    #[test]
    fn a_read_only_file_is_not_replaced() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("a.lane");
        fs::write(&file, "old").unwrap();
        let mut permissions = fs::metadata(&file).unwrap().permissions();
        permissions.set_readonly(true);
        fs::set_permissions(&file, permissions).unwrap();
        assert!(replace(&file, b"new").is_err());
        assert_eq!(fs::read(&file).unwrap(), b"old");
    }
}
