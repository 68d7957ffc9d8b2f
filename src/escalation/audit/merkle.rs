//! The Merkle tree hash of RFC 6962, section 2.1.
//!
//! In: the hashes of leaves, in their order. Out: the root.
//! Invariant: a leaf is hashed behind the byte 0 and a node behind the byte 1, so that neither can
//! pass for the other. Memory follows the depth of the tree.
//! Knows nothing of what the leaves stand for.

use sha2::{Digest as _, Sha256};

use super::digest::Digest;

/// What stands in front of a leaf's content.
pub(super) const LEAF: u8 = 0;

/// What stands in front of the two digests of a node.
const NODE: u8 = 1;

/// The hash of a node.
fn node(left: Digest, right: Digest) -> Digest {
    let mut hash = Sha256::new();
    hash.update([NODE]);
    hash.update(left.0);
    hash.update(right.0);
    Digest(hash.finalize().into())
}

/// The root over leaves that are hashed already.
pub(super) fn root(leaves: impl IntoIterator<Item = Digest>) -> Digest {
    // Full trees, each with the number of its levels, the larger ones first. Two of one size become
    // one, as a carry does: what is left are the powers of two that the number of leaves is made of,
    // and these are where RFC 6962 splits.
    let mut full: Vec<(u32, Digest)> = Vec::new();
    for leaf in leaves {
        let mut tree = (0, leaf);
        while let Some((levels, left)) = full.pop_if(|(levels, _)| *levels == tree.0) {
            tree = (levels + 1, node(left, tree.1));
        }
        full.push(tree);
    }
    let trees = full.into_iter().rev().map(|(_, tree)| tree);
    trees
        .reduce(|right, left| node(left, right))
        .unwrap_or_else(|| Digest(Sha256::digest([]).into()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn leaf(content: &[u8]) -> Digest {
        let mut hash = Sha256::new();
        hash.update([LEAF]);
        hash.update(content);
        Digest(hash.finalize().into())
    }

    #[test]
    fn roots_are_those_of_the_published_vectors() {
        // The entries and roots that the Certificate Transparency project tests its trees with.
        let entries: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let roots = [
            "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
            "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
            "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
            "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
            "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
            "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
            "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
            "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
            "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
        ];
        for (size, expected) in roots.iter().enumerate() {
            let leaves = entries.iter().take(size).map(|entry| leaf(entry));
            assert_eq!(root(leaves).to_string(), *expected, "{size} leaves");
        }
    }

    /// The definition in the words of the RFC.
    fn by_definition(leaves: &[Digest]) -> Digest {
        match leaves {
            [] => Digest(Sha256::digest([]).into()),
            [leaf] => *leaf,
            _ => {
                let split = leaves.len().next_power_of_two() / 2;
                let (left, right) = leaves.split_at(split);
                node(by_definition(left), by_definition(right))
            }
        }
    }

    #[test]
    fn roots_are_those_of_the_definition() {
        let leaves: Vec<Digest> = (0..300u16).map(|n| leaf(&n.to_be_bytes())).collect();
        for size in 0..=leaves.len() {
            let leaves = &leaves[..size];
            assert_eq!(root(leaves.iter().copied()), by_definition(leaves));
        }
    }
}
