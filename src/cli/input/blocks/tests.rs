//! Blocks of lines, however the bytes come.

use std::io::Read;

use sha2::{Digest, Sha256};

use super::{Blocks, Open, Spare};
use crate::cli::input::Content;
use crate::cli::input::source::Source;

/// Gives so many bytes a read.
struct Drip(Vec<u8>, usize, usize);

impl Read for Drip {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let rest = &self.0[self.1..];
        let read = rest.len().min(self.2).min(buffer.len());
        buffer[..read].copy_from_slice(&rest[..read]);
        self.1 += read;
        Ok(read)
    }
}

/// What is read of a text: the number of each line that is not blank, and its text or its length.
fn lines(text: &[u8], drip: usize, bytes: usize, most: usize, there: bool) -> Vec<Seen> {
    let source = Source::of(Box::new(Drip(text.to_vec(), 0, drip)), there);
    let mut blocks = Blocks {
        paths: Vec::new().into_iter(),
        open: Some(Open {
            source,
            number: 0,
            rest: Vec::new(),
            line: 1,
            ended: false,
        }),
        sources: 1,
        bytes,
        most,
        spare: Spare::default(),
    };
    let mut all = Vec::new();
    while let Some(block) = blocks.next_block().unwrap() {
        all.extend(block.lines().map(|line| match line.content {
            Content::Whole(line_bytes) => (line.number, Ok(line_bytes.to_vec())),
            Content::TooLong { bytes, digest } => (line.number, Err((bytes, digest))),
        }));
    }
    all
}

type Seen = (u64, Result<Vec<u8>, (u64, [u8; 32])>);

#[test]
fn lines_are_those_of_the_text_however_it_is_cut() {
    let long = vec![b'x'; 300_000];
    let digest: [u8; 32] = Sha256::digest(&long).into();
    let text = [
        b"\n  \none\n\r\n two \r\n".to_vec(),
        vec![b'y'; 70_000],
        b"\n".to_vec(),
        long.clone(),
        b"\nthree".to_vec(),
    ];
    let text = text.concat();
    let expected: Vec<Seen> = vec![
        (3, Ok(b"one".to_vec())),
        (5, Ok(b" two \r".to_vec())),
        (6, Ok(vec![b'y'; 70_000])),
        (7, Err((300_000, digest))),
        (8, Ok(b"three".to_vec())),
    ];
    for there in [true, false] {
        for drip in [1, 7, 1 << 16, 1 << 20] {
            for bytes in [1, 1 << 10, 200_000] {
                let seen = lines(&text, drip, bytes, 131_072, there);
                // A line that is read in one go with others may be whole though it is too long.
                let seen: Vec<Seen> = seen
                    .into_iter()
                    .map(|(number, line)| match line {
                        Ok(line) if line.len() > 131_072 => {
                            let digest = Sha256::digest(&line).into();
                            (number, Err((line.len() as u64, digest)))
                        }
                        line => (number, line),
                    })
                    .collect();
                assert!(seen == expected, "{there} {drip} {bytes}");
            }
        }
    }
}

#[test]
fn a_line_that_is_too_long_is_not_held() {
    let text = [vec![b'x'; 3 << 20], b"\nend\n".to_vec()].concat();
    let digest: [u8; 32] = Sha256::digest(&text[..3 << 20]).into();
    let seen = lines(&text, 4_096, 1 << 16, 1 << 20, true);
    assert_eq!(seen[0], (1, Err((3 << 20, digest))));
    assert_eq!(seen[1], (2, Ok(b"end".to_vec())));
}

#[test]
fn nothing_is_nothing() {
    assert_eq!(lines(b"", 1, 1, 10, true), []);
    assert_eq!(lines(b"\n\n \n", 1, 1, 10, false), []);
}
