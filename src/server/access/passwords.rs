//! People by password: argon2id, by the parameters that OWASP recommends (19 MiB, two passes), which are
//! the defaults of the crate.

use argon2::Argon2;
use argon2::password_hash::{PasswordHash, PasswordHasher, PasswordVerifier, SaltString};
use serde::{Deserialize, Serialize};

use super::{Access, lock, random};
use crate::escalation::Principal;
use crate::server::problem::Problem;
use crate::store::{Entry, EntryKind};

/// Characters of a password, at least: the bound of NIST SP 800-63B for one that is the only factor is 15
/// in its last revision, and 8 with a throttle; long phrases are asked for and not enforced beyond this.
pub const SHORTEST: usize = 12;

/// Bytes of a password, at most: hashing takes as long as it is.
const LONGEST: usize = 1024;

/// What is stored of a password.
#[derive(Debug, Serialize, Deserialize)]
struct Body {
    hash: String,
    /// Whether the person is an admin by the setup of this service, and not by `laneway.toml`.
    #[serde(default)]
    admin: bool,
}

fn checked(password: &str, hash: &PasswordHash<'_>) -> bool {
    let checked = Argon2::default().verify_password(password.as_bytes(), hash);
    checked.is_ok()
}

/// A hash of nothing that anybody knows, so that an unknown name takes as long as a wrong password.
const NOBODY: &str = "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IGtub3dzIGl0$\
                      q3Zr2LQq1lYRkA8m1W1Kq4B3mYpQmE0gF0Yc3oQmE0g";

impl Access {
    /// Refuses what is too short or too long for a password.
    ///
    /// # Errors
    /// When it is.
    pub fn is_good_password(password: &str) -> Result<(), Problem> {
        if password.chars().count() < SHORTEST {
            let message =
                format!("a password has at least {SHORTEST} characters; a few words are good");
            return Err(Problem::bad("password", message));
        }
        if password.len() > LONGEST {
            let message = format!("a password has at most {LONGEST} bytes");
            return Err(Problem::bad("password", message));
        }
        Ok(())
    }

    /// Sets a password, which ends all sessions of the person.
    ///
    /// # Errors
    /// When it is too short or too long, or cannot be stored.
    pub fn set_password(
        &self,
        person: &Principal,
        password: &str,
        admin: bool,
    ) -> Result<(), Problem> {
        Self::is_good_password(password)?;
        let mut salt = [0; 16];
        random(&mut salt)?;
        let failed = |_| Problem::unavailable("password", "the password could not be hashed");
        let salt = SaltString::encode_b64(&salt).map_err(failed)?;
        let hashing = lock(&self.hashing);
        let hash = Argon2::default().hash_password(password.as_bytes(), &salt);
        drop(hashing);
        let body = Body {
            hash: hash.map_err(failed)?.to_string(),
            admin: admin || self.is_admin_by_setup(person)?,
        };
        self.put(Entry {
            kind: EntryKind::Password,
            key: person.to_string(),
            owner: person.to_string(),
            until: None,
            body: serde_json::to_string(&body).unwrap_or_default(),
        })?;
        self.drop_entries_of(EntryKind::Session, person)?;
        Ok(())
    }

    /// Whether a password is that of a person. Takes as long for a person that nobody knows. The address is
    /// that of who tries, where it is known.
    ///
    /// # Errors
    /// When there were too many mistakes, or the store fails.
    pub fn is_password(
        &self,
        person: &Principal,
        password: &str,
        address: Option<&str>,
    ) -> Result<bool, Problem> {
        let mut names = vec![format!("name {person}")];
        names.extend(address.map(|address| format!("from {address}")));
        self.may_try(&names)?;
        let body = self.password(person)?;
        let hash = body.as_ref().map_or(NOBODY, |body| body.hash.as_str());
        // One at a time, from the look at earlier mistakes to the note of this one: who sends many guesses at
        // once is slowed down as who sends one after the other.
        let hashing = lock(&self.hashing);
        self.may_try(&names)?;
        let is_right = match PasswordHash::new(hash) {
            Ok(hash) if password.len() <= LONGEST => checked(password, &hash) && body.is_some(),
            _ => false,
        };
        for who in &names {
            match is_right {
                true => self.throttle.right(who),
                false => self.throttle.wrong(who),
            }
        }
        drop(hashing);
        Ok(is_right)
    }

    /// Refuses who guessed too often, by any of their names.
    fn may_try(&self, names: &[String]) -> Result<(), Problem> {
        let longest = names.iter().filter_map(|who| self.throttle.wait(who)).max();
        match longest {
            None => Ok(()),
            Some(seconds) => {
                let message = "too many wrong passwords; wait, and try again";
                Err(Problem::too_many(message, seconds))
            }
        }
    }

    /// Whether anybody has a password: before that a service is set up by a link.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_people(&self) -> Result<bool, Problem> {
        Ok(!self.entries(EntryKind::Password, None)?.is_empty())
    }

    /// The people who have one.
    ///
    /// # Errors
    /// When the store fails.
    pub fn people(&self) -> Result<Vec<String>, Problem> {
        let entries = self.entries(EntryKind::Password, None)?;
        Ok(entries.into_iter().map(|entry| entry.owner).collect())
    }

    /// Whether a person has one: then somebody let them in by a link.
    ///
    /// # Errors
    /// When the store fails.
    pub fn has_password(&self, person: &Principal) -> Result<bool, Problem> {
        Ok(self.password(person)?.is_some())
    }

    /// Whether a person was made an admin when the service was set up.
    ///
    /// # Errors
    /// When the store fails.
    pub fn is_admin_by_setup(&self, person: &Principal) -> Result<bool, Problem> {
        Ok(self.password(person)?.is_some_and(|body| body.admin))
    }

    fn password(&self, person: &Principal) -> Result<Option<Body>, Problem> {
        let entry = self.entry(EntryKind::Password, person)?;
        Ok(entry.and_then(|entry| serde_json::from_str(&entry.body).ok()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_name_is_hashed_by_the_parameters_of_a_known_one() {
        let salt = SaltString::encode_b64(b"salt of the test").unwrap();
        let known = Argon2::default().hash_password(b"a few good words", &salt);
        let (known, nobody) = (known.unwrap(), PasswordHash::new(NOBODY).unwrap());
        assert_eq!(nobody.algorithm, known.algorithm);
        assert_eq!(nobody.version, known.version);
        assert_eq!(nobody.params, known.params);
        assert_eq!(
            nobody.hash.map(|hash| hash.len()),
            known.hash.map(|hash| hash.len())
        );
    }
}
