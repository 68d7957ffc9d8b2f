//! What an operator decides for all escalations, whatever their matrix: how long, how many, what is
//! never stored.
//!
//! In: numbers and paths of a configuration. Out: a [`Policy`] within the bounds of
//! [`limits`](crate::limits).
//! Invariant: what [`Policy::check`] lets pass keeps every bound of the design; no setting makes an
//! escalation last for ever or lets one through.
//! Knows nothing of where anything is stored.

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::clock::Duration;
use crate::event::named;
use crate::limits::{
    CLOCK_TOLERANCE_LEAST, CLOCK_TOLERANCE_MAX, GRANT_LEAST, LONGEST_LEAST, OPEN_MAX,
    REDACT_PATH_BYTES, REDACT_PATHS, RETAIN_LEAST, TIMEOUT,
};

/// What holds for all escalations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// For how long a grant may be consumed.
    pub grant_lapses_after: Duration,
    /// The absolute cap of one escalation, whatever its steps say and however late they are.
    pub longest: Duration,
    /// So many may be open for one requester, lane and group before their notices merge.
    pub open_per_group: u32,
    /// So many may be open for one requester; one more is denied at once.
    pub open_per_requester: u32,
    /// A jump of the wall clock beyond it stops timeouts until it is confirmed.
    pub clock_tolerance: Duration,
    /// After so long what an ended escalation was about is erased; `None` keeps it.
    pub retain: Option<Duration>,
    /// What is taken out before anything is stored.
    pub redact: Vec<RedactPath>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            grant_lapses_after: Duration::from_minutes(15),
            longest: TIMEOUT,
            open_per_group: 20,
            open_per_requester: 1_000,
            clock_tolerance: Duration::from_millis(30_000),
            retain: None,
            redact: Vec::new(),
        }
    }
}

/// Why a policy cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PolicyError {
    /// A time is outside of its bounds.
    #[error("`{key}` is `{found}`; it may be `{least}` to `{most}`")]
    Time {
        /// The name of the setting.
        key: &'static str,
        /// What it is.
        found: Duration,
        /// What it is at least.
        least: Duration,
        /// What it is at most.
        most: Duration,
    },
    /// A count is outside of its bounds.
    #[error("`{key}` is {found}; it may be {least} to {most}")]
    Count {
        /// The name of the setting.
        key: &'static str,
        /// What it is.
        found: u32,
        /// What it is at least.
        least: u32,
        /// What it is at most.
        most: u32,
    },
    /// There are more than [`REDACT_PATHS`] paths.
    #[error("`redact` has {found} paths; it may have {REDACT_PATHS}")]
    Paths {
        /// How many there are.
        found: usize,
    },
}

impl PolicyError {
    /// The name of the setting that it is about.
    #[must_use]
    pub fn key(&self) -> &'static str {
        match self {
            Self::Time { key, .. } | Self::Count { key, .. } => key,
            Self::Paths { .. } => "redact",
        }
    }
}

impl Policy {
    /// Whether every setting is within its bounds.
    ///
    /// # Errors
    /// The first that is not.
    pub fn check(&self) -> Result<(), PolicyError> {
        time(
            "grant_lapses_after",
            self.grant_lapses_after,
            GRANT_LEAST..=TIMEOUT,
        )?;
        time("longest", self.longest, LONGEST_LEAST..=TIMEOUT)?;
        count("open_per_group", self.open_per_group)?;
        count("open_per_requester", self.open_per_requester)?;
        let tolerance = CLOCK_TOLERANCE_LEAST..=CLOCK_TOLERANCE_MAX;
        time("clock_tolerance", self.clock_tolerance, tolerance)?;
        if let Some(retain) = self.retain {
            time("retain", retain, RETAIN_LEAST..=Duration::MAX)?;
        }
        match self.redact.len() {
            found if found > REDACT_PATHS => Err(PolicyError::Paths { found }),
            _ => Ok(()),
        }
    }

    /// Whether a member of an event is taken out before anything is stored.
    #[must_use]
    pub fn redacts(&self, path: &[&str]) -> bool {
        self.redact.iter().any(|redact| redact.matches(path))
    }
}

fn time(
    key: &'static str,
    found: Duration,
    bounds: RangeInclusive<Duration>,
) -> Result<(), PolicyError> {
    if bounds.contains(&found) {
        return Ok(());
    }
    let (least, most) = bounds.into_inner();
    Err(PolicyError::Time {
        key,
        found,
        least,
        most,
    })
}

fn count(key: &'static str, found: u32) -> Result<(), PolicyError> {
    if (1..=OPEN_MAX).contains(&found) {
        return Ok(());
    }
    Err(PolicyError::Count {
        key,
        found,
        least: 1,
        most: OPEN_MAX,
    })
}

/// Members of an event that are taken out before anything is stored: names joined by dots, as
/// `context.*.token`, where `*` is any one member. With a member goes all that is in it. An item of a
/// list is a member by its number, which may be left out.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RedactPath {
    text: String,
}

/// Why a text is no path.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RedactPathError {
    /// A name between the dots is missing.
    #[error(
        "{} is no path: names are joined by single dots, as in `customer.iban`",
        named(path)
    )]
    NoName {
        /// The path as it was given.
        path: String,
    },
    /// A `*` is only a part of a name.
    #[error(
        "{} has a `*` inside a name; it stands alone, for any one member",
        named(path)
    )]
    Star {
        /// The path as it was given.
        path: String,
    },
    /// It has a space at an end of a name, or a control character: it would match nothing.
    #[error("{} has a space around a name, or a control character", named(path))]
    Blank {
        /// The path as it was given.
        path: String,
    },
    /// It is longer than [`REDACT_PATH_BYTES`].
    #[error("{} has {} bytes; a path has at most {REDACT_PATH_BYTES}", named(path), path.len())]
    TooLong {
        /// The path as it was given.
        path: String,
    },
}

impl RedactPath {
    /// Reads `a.b.*.c`.
    ///
    /// # Errors
    /// When a name is missing or cannot be that of a member, or it is too long.
    pub fn parse(text: &str) -> Result<Self, RedactPathError> {
        let path = || text.to_owned();
        if text.len() > REDACT_PATH_BYTES {
            return Err(RedactPathError::TooLong { path: path() });
        }
        for name in text.split('.') {
            if name.is_empty() {
                return Err(RedactPathError::NoName { path: path() });
            }
            if name != name.trim() || name.chars().any(char::is_control) {
                return Err(RedactPathError::Blank { path: path() });
            }
            if name.contains('*') && name != "*" {
                return Err(RedactPathError::Star { path: path() });
            }
        }
        Ok(Self { text: path() })
    }

    /// Whether a member is taken out: this path leads to it, or to something that it is in. The path
    /// of a member is its names from the outermost.
    ///
    /// A member whose own name has dots is found by that name, so that `{"customer.iban": ..}` is
    /// taken out as `{"customer": {"iban": ..}}` is; `*` is any one member, dots in its name or not.
    #[must_use]
    pub fn matches(&self, path: &[&str]) -> bool {
        let mut names = self.text.as_str();
        for member in path {
            let rest = match names.strip_prefix('*') {
                Some(rest) => rest,
                None => match names.strip_prefix(member) {
                    Some(rest) => rest,
                    None => return false,
                },
            };
            if rest.is_empty() {
                return true;
            }
            match rest.strip_prefix('.') {
                Some(rest) => names = rest,
                None => return false,
            }
        }
        false
    }

    /// The same through lists: an item is a member by its number, and may be left out, so that
    /// `context.*.token`, `context.0.token` and `context.token` all take out the token of
    /// `{"context": [{"token": ..}]}`.
    pub(super) fn reaches<'s>(&self, path: impl IntoIterator<Item = &'s Step>) -> bool {
        // Where in this path one may be; they are no more than its names, so that no walk explodes.
        let mut places = vec![0];
        for step in path {
            let mut next = match step {
                Step::Member(_) => Vec::new(),
                Step::Item(_) | Step::AnyItem => places.clone(),
            };
            for place in places {
                let names = self.text.get(place..).unwrap_or_default();
                let Some(rest) = step.taken_from(names) else {
                    continue;
                };
                let Some(rest) = rest.strip_prefix('.') else {
                    if rest.is_empty() {
                        return true;
                    }
                    continue;
                };
                let place = self.text.len() - rest.len();
                if !next.contains(&place) {
                    next.push(place);
                }
            }
            places = next;
        }
        false
    }

    /// The path as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// A step into JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Step {
    /// To a member of an object.
    Member(Cow<'static, str>),
    /// To an item of a list, by its number from 0.
    Item(String),
    /// To some item of a list.
    AnyItem,
}

impl Step {
    pub(super) fn member(name: &str) -> Self {
        Self::Member(Cow::Owned(name.to_owned()))
    }

    /// The name of a member.
    pub(super) fn name(&self) -> Option<&str> {
        match self {
            Self::Member(name) => Some(name),
            Self::Item(_) | Self::AnyItem => None,
        }
    }

    /// What is left of a path behind this step.
    fn taken_from<'p>(&self, names: &'p str) -> Option<&'p str> {
        if let Some(rest) = names.strip_prefix('*') {
            return Some(rest);
        }
        match self {
            Self::Member(name) => names.strip_prefix(name.as_ref()),
            Self::Item(number) => names.strip_prefix(number.as_str()),
            Self::AnyItem => {
                let rest = names.trim_start_matches(|digit: char| digit.is_ascii_digit());
                (rest.len() < names.len()).then_some(rest)
            }
        }
    }
}

impl fmt::Display for RedactPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.text)
    }
}

impl FromStr for RedactPath {
    type Err = RedactPathError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}

impl Serialize for RedactPath {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.text)
    }
}

impl<'de> Deserialize<'de> for RedactPath {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn matches(path: &str, member: &[&str]) -> bool {
        RedactPath::parse(path).unwrap().matches(member)
    }

    #[test]
    fn a_path_takes_out_a_member_and_all_in_it() {
        assert!(matches("customer.iban", &["customer", "iban"]));
        assert!(matches("customer", &["customer"]));
        assert!(matches("customer", &["customer", "iban"]));
        assert!(!matches("customer.iban", &["customer"]));
        assert!(!matches("customer.iban", &["customer", "name"]));
        assert!(!matches("customer.iban", &["other", "customer", "iban"]));
        assert!(!matches("customer", &["customers"]));
        assert!(!matches("customers", &["customer"]));
        assert!(!matches("customer", &["Customer"]));
        assert!(!matches("customer", &[]));
        assert!(!matches("customer.iban", &["", "customer"]));
    }

    #[test]
    fn a_star_is_exactly_one_member() {
        assert!(matches("context.*.token", &["context", "github", "token"]));
        assert!(matches("context.*.token", &["context", "0", "token"]));
        assert!(!matches("context.*.token", &["context", "token"]));
        assert!(!matches("context.*.token", &["context", "a", "b", "token"]));
        assert!(matches("*", &["anything"]));
        assert!(!matches("*", &[]));
        assert!(matches("*.*", &["a", "b"]));
        assert!(!matches("*.*", &["a"]));
    }

    #[test]
    fn a_member_with_dots_in_its_name_is_found() {
        assert!(matches("customer.iban", &["customer.iban"]));
        assert!(matches("a.b.c", &["a", "b.c"]));
        assert!(matches("a.b.c", &["a.b", "c", "d"]));
        assert!(matches("context.*.token", &["context", "a.b", "token"]));
        assert!(matches("a.*.c", &["a", "x.y", "c"]));
        assert!(!matches("a.b.c", &["a.b"]));
        assert!(!matches("a.bc", &["a.b", "c"]));
    }

    #[test]
    fn an_item_of_a_list_is_a_member_by_its_number_or_left_out() {
        let step = |name: &&str| match (*name, name.parse::<u32>()) {
            ("?", _) => Step::AnyItem,
            (_, Ok(number)) => Step::Item(number.to_string()),
            (name, Err(_)) => Step::member(name),
        };
        let reaches = |path: &str, to: &[&str]| {
            let to: Vec<Step> = to.iter().map(step).collect();
            RedactPath::parse(path).unwrap().reaches(&to)
        };
        for path in ["a.*.b", "a.0.b", "a.b", "a.*", "a.0", "*.b", "a"] {
            assert!(reaches(path, &["a", "0", "b"]), "{path}");
        }
        for path in ["a.1.b", "a.00.b", "a.0.c", "a.c", "a.0.0.b", "b", "0.b"] {
            assert!(!reaches(path, &["a", "0", "b"]), "{path}");
        }
        // Some numbers are there and others are left out.
        for path in [
            "a.1.2.b", "a.1.b", "a.2.b", "a.b", "a.*.b", "a.*.*.b", "a.1",
        ] {
            assert!(reaches(path, &["a", "1", "2", "b"]), "{path}");
        }
        assert!(reaches("a.*.b.c", &["a", "0", "b", "0", "c"]));
        assert!(reaches("a.b.*.c", &["a", "0", "b", "0", "c"]));
        assert!(!reaches("a.2.1.b", &["a", "1", "2", "b"]));
        for path in ["a.7", "a.*", "a"] {
            assert!(reaches(path, &["a", "?"]), "{path}");
        }
        assert!(!reaches("a.b", &["a", "?"]));
        // Depth costs no more than the names of a path.
        let deep: Vec<&str> = std::iter::once("a").chain(vec!["0"; 512]).collect();
        assert!(!reaches(&format!("a{}.b", ".*".repeat(400)), &deep));
    }

    #[test]
    fn a_path_that_matches_nothing_is_refused() {
        let message = |text: &str| RedactPath::parse(text).unwrap_err().to_string();
        for text in ["", ".a", "a.", "a..b", "."] {
            assert_eq!(
                message(text),
                format!(
                    "`{text}` is no path: names are joined by single dots, as in `customer.iban`"
                )
            );
        }
        assert_eq!(
            message("a.b*"),
            "`a.b*` has a `*` inside a name; it stands alone, for any one member"
        );
        assert_eq!(
            message("a. b"),
            "`a. b` has a space around a name, or a control character"
        );
        assert_eq!(
            message("a\u{1b}"),
            "`a\\u{1b}` has a space around a name, or a control character"
        );
        let edge = "x".repeat(REDACT_PATH_BYTES);
        assert!(RedactPath::parse(&edge).is_ok());
        assert!(message(&format!("{edge}x")).ends_with("has 1025 bytes; a path has at most 1024"));
        // A name may have a space inside, as members of JSON may.
        assert!(matches("a b.c", &["a b", "c"]));
    }

    #[test]
    fn the_default_is_within_its_bounds() {
        Policy::default().check().unwrap();
    }

    #[test]
    fn each_bound_has_its_edges() {
        type Set = fn(&mut Policy, u64);
        let millis = Duration::from_millis;
        let times: [(&str, Set, Duration, Duration); 4] = [
            (
                "grant_lapses_after",
                |p, n| p.grant_lapses_after = Duration::from_millis(n),
                GRANT_LEAST,
                TIMEOUT,
            ),
            (
                "longest",
                |p, n| p.longest = Duration::from_millis(n),
                LONGEST_LEAST,
                TIMEOUT,
            ),
            (
                "clock_tolerance",
                |p, n| p.clock_tolerance = Duration::from_millis(n),
                CLOCK_TOLERANCE_LEAST,
                CLOCK_TOLERANCE_MAX,
            ),
            (
                "retain",
                |p, n| p.retain = Some(Duration::from_millis(n)),
                RETAIN_LEAST,
                Duration::MAX,
            ),
        ];
        for (key, set, least, most) in times {
            let check = |n: u64| {
                let mut policy = Policy::default();
                set(&mut policy, n);
                policy.check()
            };
            check(least.as_millis()).unwrap();
            check(most.as_millis()).unwrap();
            assert_eq!(check(least.as_millis() - 1).unwrap_err().key(), key);
            // A duration is never longer than the longest, so that no policy has such a retain.
            if most < Duration::MAX {
                let over = check(most.as_millis() + 1).unwrap_err();
                let found = millis(most.as_millis() + 1);
                assert_eq!(
                    over.to_string(),
                    format!("`{key}` is `{found}`; it may be `{least}` to `{most}`")
                );
            }
        }
    }

    #[test]
    fn each_count_has_its_edges() {
        type Set = fn(&mut Policy, u32);
        let counts: [(&str, Set); 2] = [
            ("open_per_group", |p, n| p.open_per_group = n),
            ("open_per_requester", |p, n| p.open_per_requester = n),
        ];
        for (key, set) in counts {
            for (n, is_right) in [
                (0, false),
                (1, true),
                (OPEN_MAX, true),
                (OPEN_MAX + 1, false),
            ] {
                let mut policy = Policy::default();
                set(&mut policy, n);
                let expected =
                    (!is_right).then(|| format!("`{key}` is {n}; it may be 1 to 1000000"));
                assert_eq!(policy.check().err().map(|e| e.to_string()), expected);
            }
        }
        let mut policy = Policy {
            redact: vec![RedactPath::parse("a").unwrap(); REDACT_PATHS],
            ..Policy::default()
        };
        policy.check().unwrap();
        assert!(policy.redacts(&["a", "b"]) && !policy.redacts(&["b"]));
        policy.redact.push(RedactPath::parse("b").unwrap());
        assert_eq!(
            policy.check().unwrap_err().to_string(),
            "`redact` has 1001 paths; it may have 1000"
        );
    }

    proptest! {
        #[test]
        fn a_path_matches_its_own_names_and_what_is_in_them(
            names in proptest::collection::vec("[a-z]{1,3}", 1..5),
            stars in proptest::collection::vec(any::<bool>(), 5),
            more in proptest::collection::vec("[a-z.]{0,3}", 0..3),
        ) {
            let pattern: Vec<&str> = names.iter().zip(&stars)
                .map(|(name, star)| if *star { "*" } else { name.as_str() })
                .collect();
            let path = RedactPath::parse(&pattern.join(".")).unwrap();
            let mut member: Vec<&str> = names.iter().map(String::as_str).collect();
            prop_assert!(path.matches(&member));
            for n in 0..member.len() {
                prop_assert!(!path.matches(&member[..n]));
            }
            member.extend(more.iter().map(String::as_str));
            prop_assert!(path.matches(&member));
            prop_assert_eq!(path.to_string().parse::<RedactPath>().unwrap(), path);
        }
    }
}
