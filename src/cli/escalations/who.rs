//! Who acts on a local command line.
//!
//! In: the user by whom this process runs, the directory, and `--as` where it is permitted. Out: an
//! [`Actor`].
//! Invariant: the user comes from the system and not from what is typed; who acts as another person
//! stays named beside them, for ever.

use super::trouble::Trouble;
use crate::escalation::{Actor, Directory, Principal, Role};

/// Who acts, as themselves.
pub(super) fn myself(directory: &Directory) -> Result<Principal, Trouble> {
    let login = login().ok_or_else(|| {
        let message = "the user of this process has no name, neither in /etc/passwd nor in $USER";
        Trouble::unusable("no_user", message)
    })?;
    match directory.person_of_login(&login) {
        Some(person) => Ok(person.clone()),
        None => Ok(Principal::parse(&login)?),
    }
}

/// Someone, with the role that the directory gives them.
pub(super) fn actor(
    principal: Principal,
    operator: Option<Principal>,
    directory: &Directory,
) -> Actor {
    let role = match directory.is_operator(&principal) {
        true => Role::Operator,
        false => Role::Anyone,
    };
    Actor {
        principal,
        role,
        operator,
    }
}

/// The name of the user, as the system knows it.
fn login() -> Option<String> {
    let passwd = std::fs::read_to_string("/etc/passwd").unwrap_or_default();
    uid()
        .and_then(|uid| named(&passwd, uid))
        .or_else(|| std::env::var("USER").ok())
        .filter(|name| !name.is_empty())
}

/// The owner of what stands for this process. The environment could say anything.
#[cfg(unix)]
fn uid() -> Option<u32> {
    use std::os::unix::fs::MetadataExt;
    std::fs::metadata("/proc/self").ok().map(|it| it.uid())
}

#[cfg(not(unix))]
fn uid() -> Option<u32> {
    None
}

/// The name of a user in a list of users, `NAME:x:UID:..` a line.
fn named(passwd: &str, uid: u32) -> Option<String> {
    let uid = uid.to_string();
    passwd.lines().find_map(|line| {
        let mut parts = line.split(':');
        let name = parts.next()?;
        (parts.nth(1)? == uid).then(|| name.to_owned())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_user_is_found_by_number_and_not_by_place() {
        let passwd = "root:x:0:0:root:/root:/bin/sh\nbroken\nmaria:x:1000:1000::/home/m:/bin/sh\n";
        assert_eq!(named(passwd, 1000).as_deref(), Some("maria"));
        assert_eq!(named(passwd, 0).as_deref(), Some("root"));
        assert_eq!(named(passwd, 100), None);
    }

    #[test]
    fn a_login_is_the_person_of_the_directory_or_itself() {
        let nobody = Directory::default();
        let me = myself(&nobody).unwrap();
        assert_eq!(actor(me.clone(), None, &nobody).role, Role::Anyone);
        let mut builder = Directory::builder();
        let operator = crate::escalation::people::Member::Person(me.clone());
        builder.operator(operator).unwrap();
        let directory = builder.finish().unwrap();
        assert_eq!(actor(me, None, &directory).role, Role::Operator);
    }
}
