//! Undoes encodings of whole byte strings: base64 (RFC 4648, both alphabets), hex digits and lists of decimal
//! numbers, as hex dumps, JSON arrays and headers hold them.
//!
//! The text does not say where such a string begins, so each is decoded from every place it could begin at.

use std::ops::Range;

use crate::oauth::redact::view::Glyph;

/// Bytes, each with its place in the original text.
pub(super) type Blob = Vec<(u8, Range<usize>)>;

/// Shorter strings cannot hold a piece of a secret.
const SHORTEST: usize = 8;

/// Every byte string that the view may hold in an encoded form.
pub(super) fn decoded(view: &[Glyph]) -> Vec<Blob> {
    let mut blobs = Vec::new();
    for run in [['+', '/'], ['-', '_']].iter().flat_map(|last| base64_runs(view, *last)) {
        blobs.extend((0..4).map(|skipped| base64(&run[skipped.min(run.len())..])));
    }
    for run in hex_runs(view) {
        blobs.extend((0..2).map(|skipped| hex(&run[skipped.min(run.len())..])));
    }
    blobs.extend(decimal(view));
    blobs.retain(|blob| blob.len() >= SHORTEST);
    blobs
}

/// A digit of an encoding, with its place.
type Digit<'a> = (u8, &'a Range<usize>);

/// Characters of base64 in a row, by the two that end its alphabet. Line breaks, and what else may separate groups,
/// do not end it.
fn base64_runs(view: &[Glyph], last: [char; 2]) -> Vec<Vec<Digit<'_>>> {
    runs(view, |c| match c {
        'A'..='Z' => BlobStep::Digit(c as u8 - b'A'),
        'a'..='z' => BlobStep::Digit(c as u8 - b'a' + 26),
        '0'..='9' => BlobStep::Digit(c as u8 - b'0' + 52),
        c if c == last[0] => BlobStep::Digit(62),
        c if c == last[1] => BlobStep::Digit(63),
        c if c.is_whitespace() || "-_.:".contains(c) => BlobStep::Skip,
        _ => BlobStep::End,
    })
}

/// Hex digits in a row, whatever signs separate them.
fn hex_runs(view: &[Glyph]) -> Vec<Vec<Digit<'_>>> {
    let mut is_prefix = false;
    let mut before = ' ';
    runs(view, |c| {
        is_prefix = matches!(c, 'x' | 'X') && before == '0';
        before = c;
        match c.to_digit(16).and_then(|digit| u8::try_from(digit).ok()) {
            Some(digit) => BlobStep::Digit(digit),
            // The 0 of 0x was no digit.
            None if is_prefix => BlobStep::Unsay,
            None if c.is_alphanumeric() => BlobStep::End,
            None => BlobStep::Skip,
        }
    })
}

/// What a character is to a run of digits.
enum BlobStep {
    Digit(u8),
    Skip,
    /// The digit before it was none.
    Unsay,
    End,
}

fn runs(view: &[Glyph], mut step: impl FnMut(char) -> BlobStep) -> Vec<Vec<Digit<'_>>> {
    let (mut runs, mut run) = (Vec::new(), Vec::new());
    for glyph in view {
        match step(glyph.c) {
            BlobStep::Digit(digit) => run.push((digit, &glyph.at)),
            BlobStep::Skip => {}
            BlobStep::Unsay => drop(run.pop()),
            BlobStep::End => runs.push(std::mem::take(&mut run)),
        }
    }
    runs.push(run);
    runs.retain(|run| run.len() >= SHORTEST);
    runs
}

fn base64(digits: &[Digit<'_>]) -> Blob {
    let mut blob = Blob::new();
    for four in digits.chunks(4) {
        for pair in 0..four.len() - 1 {
            let ((high, from), (low, to)) = (four[pair], four[pair + 1]);
            let byte = match pair {
                0 => high << 2 | low >> 4,
                1 => high << 4 | low >> 2,
                _ => high << 6 | low,
            };
            blob.push((byte, from.start..to.end));
        }
    }
    blob
}

fn hex(digits: &[Digit<'_>]) -> Blob {
    let pairs = digits.chunks_exact(2);
    pairs.map(|pair| (pair[0].0 << 4 | pair[1].0, pair[0].1.start..pair[1].1.end)).collect()
}

/// Numbers below 256, apart from one another; words between them do not count.
fn decimal(view: &[Glyph]) -> Option<Blob> {
    let mut blob = Blob::new();
    for word in view.chunk_by(|a, b| a.c.is_alphanumeric() == b.c.is_alphanumeric()) {
        if !word[0].c.is_alphanumeric() {
            continue;
        }
        let value = word.iter().try_fold(0_u8, |value, glyph| {
            let digit = u8::try_from(glyph.c.to_digit(10)?).ok()?;
            value.checked_mul(10)?.checked_add(digit)
        });
        blob.extend(value.map(|value| (value, word[0].at.start..word[word.len() - 1].at.end)));
    }
    (blob.len() >= SHORTEST).then_some(blob)
}

#[cfg(test)]
mod tests {
    use super::decoded;
    use crate::oauth::redact::view::plain;

    fn found(text: &str) -> Vec<String> {
        let blobs = decoded(&plain(text));
        blobs
            .iter()
            .map(|blob| String::from_utf8_lossy(&blob.iter().map(|(byte, _)| *byte).collect::<Vec<_>>()).into())
            .collect()
    }

    #[test]
    fn byte_strings_are_found_wherever_they_begin() {
        for text in [
            "czNjcmV0LXdvcmQ=",
            "token xyczNjcmV0LXdvcmQ and more",
            "Basic czNj\r\n cmV0LXdvcmQ=",
            "czNj-cmV0-LXdv-cmQ=",
            "7333637265742d776f7264",
            "e73:33:63:72:65:74:2D:77:6F:72:64",
            "0x73, 0x33, 0x63, 0x72, 0x65, 0x74, 0x2d, 0x77, 0x6f, 0x72, 0x64",
            "[115,51,99,114,101,116,45,119,111,114,100]",
        ] {
            assert!(found(text).iter().any(|text| text.contains("s3cret-word")), "{text}: {:?}", found(text));
        }
    }
}
