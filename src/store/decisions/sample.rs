//! Which decisions are logged.
//!
//! In: a decision. Out: of how large a share of its like it stands for a part, or that it is left out.
//! Invariant: the same event is always in or always out, on every machine and in every version; what
//! people or the engine stop is always in.

use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::decision::{Decision, EventRef, Verdict};

/// Which decisions are logged: in a configuration `"all"`, `"escalations"`, or a share such as `0.1`.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Sample {
    /// All.
    #[default]
    All,
    /// Those that escalate or deny.
    Escalations,
    /// Those, and such a share of the others, from 0 to 1.
    Share(f64),
}

/// Why a text or a number is no sample.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
#[error("a sample is `all`, `escalations`, or a share from 0 to 1 such as `0.1`")]
pub struct SampleError;

impl Sample {
    /// A share of what is allowed or adjusted.
    ///
    /// # Errors
    /// When it is not from 0 to 1.
    pub fn share(share: f64) -> Result<Self, SampleError> {
        match (0.0..=1.0).contains(&share) {
            true => Ok(Self::Share(share)),
            false => Err(SampleError),
        }
    }

    /// Of how large a share of its like a decision is a part; nothing where it is left out.
    #[must_use]
    pub fn share_of(self, decision: &Decision) -> Option<f64> {
        let is_plain = matches!(decision.verdict, Verdict::Allow | Verdict::Adjust);
        match self {
            Self::All => Some(1.0),
            _ if !is_plain => Some(1.0),
            Self::Escalations => None,
            Self::Share(share) => (place(decision) < share).then_some(share),
        }
    }
}

/// Where an event stands between 0 and 1: by a hash of its id, or of what it asks for where it has none.
#[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
fn place(decision: &Decision) -> f64 {
    const BITS: u32 = 53;
    let name = match &decision.event {
        EventRef::Id(id) => id,
        EventRef::Line(_) | EventRef::None => &decision.action_digest,
    };
    let hash = Sha256::digest(name.as_bytes());
    let high = hash.iter().take(8);
    let high = high.fold(0u64, |high, byte| high << 8 | u64::from(*byte));
    (high >> (u64::BITS - BITS)) as f64 / (1u64 << BITS) as f64
}

impl std::str::FromStr for Sample {
    type Err = SampleError;

    fn from_str(text: &str) -> Result<Self, SampleError> {
        match text {
            "all" => Ok(Self::All),
            "escalations" => Ok(Self::Escalations),
            share => Self::share(share.parse().map_err(|_| SampleError)?),
        }
    }
}

impl Serialize for Sample {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::All => serializer.serialize_str("all"),
            Self::Escalations => serializer.serialize_str("escalations"),
            Self::Share(share) => serializer.serialize_f64(*share),
        }
    }
}

impl<'de> Deserialize<'de> for Sample {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(
            untagged,
            expecting = "a sample is `all`, `escalations`, or a share from 0 to 1"
        )]
        enum Form {
            Word(String),
            Share(f64),
        }
        let sample = match Form::deserialize(deserializer)? {
            Form::Word(word) if word == "all" => Ok(Self::All),
            Form::Word(word) if word == "escalations" => Ok(Self::Escalations),
            Form::Word(_) => Err(SampleError),
            Form::Share(share) => Self::share(share),
        };
        sample.map_err(D::Error::custom)
    }
}
