//! Bytes as hexadecimal digits, in lower case.

/// The digits of bytes.
#[must_use]
pub fn of(bytes: &[u8]) -> String {
    let digit = |half: u8| {
        let first = if half < 10 { b'0' } else { b'a' - 10 };
        first + half
    };
    let digits = bytes
        .iter()
        .flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]);
    // They are ASCII.
    String::from_utf8(digits.collect()).unwrap_or_default()
}

/// The bytes of digits; nothing where a text is none.
#[must_use]
pub fn bytes_of(hex: &str) -> Option<Vec<u8>> {
    let half = |byte: &u8| char::from(*byte).to_digit(16);
    let pairs = hex.as_bytes().chunks(2).map(|pair| match pair {
        [high, low] => u8::try_from(half(high)? << 4 | half(low)?).ok(),
        _ => None,
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hex_goes_there_and_back() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(bytes_of(&of(&all)), Some(all));
        assert_eq!(of(&[0, 255, 16, 0x9a]), "00ff109a");
        assert_eq!(
            [bytes_of("0"), bytes_of("0g"), bytes_of("é")],
            [None, None, None]
        );
    }
}
