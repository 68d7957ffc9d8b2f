//! Who acts on a local command line.
//!
//! In: the user by whom this process runs, the directory, and `--as` where it is permitted. Out: an
//! [`Actor`].
//! Invariant: the user comes from the system and not from what is typed, nor from the environment, which
//! could say anything; who acts as another person stays named beside them, for ever.
//!
//! The user is the owner of `/proc/self`, by the name in `/etc/passwd`. Where either is not there (another
//! system than Linux, users that only a directory service knows) nobody can act.

use super::trouble::Trouble;
use crate::cli::screen::clean;
use crate::escalation::{Actor, Directory, Principal, Role};

/// Who acts, as themselves.
pub(super) fn myself(directory: &Directory) -> Result<Principal, Trouble> {
    let login = login().ok_or_else(|| {
        let message = "the user of this process has no name in /etc/passwd, so that nobody is known \
             to act";
        Trouble::unusable("no_user", message)
    })?;
    person(&login, directory)
}

/// The person of a user. One whom nobody mapped is a person by the name itself, unless that is, or
/// becomes when it is normalised, the name of somebody else.
fn person(login: &str, directory: &Directory) -> Result<Principal, Trouble> {
    if let Some(person) = directory.person_of_login(login) {
        return Ok(person.clone());
    }
    let name = Principal::parse(login)?;
    let is_another = directory.is_agent(&name)
        || directory.has_login(&name)
        || (name.as_str() != login && directory.knows(&name));
    match is_another {
        false => Ok(name),
        true => {
            let message = format!(
                "the user `{}` is not named as a login of anybody, and `{name}` is somebody else; \
                 `login` under `[people]` of laneway.toml says who it is",
                clean(login)
            );
            Err(Trouble::refused("not_you", message))
        }
    }
}

/// Someone, with the role that the directory gives them.
pub(in crate::cli) fn actor(
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
        .filter(|name| !name.is_empty())
}

/// The owner of what stands for this process.
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
    fn a_user_is_never_taken_for_somebody_else() {
        let name = |text: &str| Principal::parse(text).unwrap();
        let mut builder = Directory::builder();
        let mapped = crate::escalation::people::Person {
            logins: vec!["mk".to_owned()],
            ..Default::default()
        };
        builder.person(name("maria"), mapped).unwrap();
        builder.person(name("jon"), Default::default()).unwrap();
        builder.agent(name("bot"), vec![name("jon")]).unwrap();
        let directory = builder.finish().unwrap();
        let who = |login: &str| {
            let person = person(login, &directory);
            person.map_or_else(|trouble| trouble.code().to_owned(), |it| it.to_string())
        };
        assert_eq!(who("mk"), "maria");
        assert_eq!(who("jon"), "jon");
        assert_eq!(who("zoe"), "zoe");
        assert_eq!(who("Zoe"), "zoe");
        // Systems tell `Jon` and `jon` apart, and `maria` is the user `mk`.
        for login in ["maria", "Maria", "Jon", "bot", "BOT"] {
            assert_eq!(who(login), "not_you", "{login}");
        }
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
