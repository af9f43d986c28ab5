//! Content codings of an answer (RFC 9110 §8.4.1). Requests ask for none, but proxies and servers
//! send some all the same, and a coded answer may hold the only copy of a refresh token.
//!
//! Invariants: what is decoded never exceeds [`MAX_BODY`], whatever the input claims; of a broken
//! or cut-off coding everything before the break is kept.

use std::io::Read;

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::inflate_flags::{
    TINFL_FLAG_IGNORE_ADLER32, TINFL_FLAG_PARSE_ZLIB_HEADER, TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF,
};
use miniz_oxide::inflate::core::{DecompressorOxide, decompress};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};

use crate::oauth::message::MAX_BODY;

/// The most codings undone, one within the other.
const MAX_LAYERS: usize = 6;

/// A body after its codings.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct DecodedBody {
    pub(super) bytes: Vec<u8>,
    /// Every coding ended properly; `false` if the rest of the body is missing.
    pub(super) is_whole: bool,
}

/// The codings the headers name, in the order in which they were applied.
pub(super) fn named(headers: &HeaderMap) -> Vec<String> {
    let lines = headers.get_all(CONTENT_ENCODING).iter().filter_map(|value| value.to_str().ok());
    let names = lines.flat_map(|line| line.split(',')).map(|name| name.trim().to_ascii_lowercase());
    names.filter(|name| !name.is_empty() && name != "identity").collect()
}

/// Undoes the named codings, then gzip and zlib that are not named. A body that does not match the name stays as it is:
/// proxies undo a coding and leave its name.
pub(super) fn decode(body: Vec<u8>, named: &[String]) -> DecodedBody {
    let mut decoded = DecodedBody { bytes: body, is_whole: true };
    for name in named.iter().rev().take(MAX_LAYERS) {
        if is_plain(&decoded.bytes) {
            break;
        }
        let found = match name.as_str() {
            "gzip" | "x-gzip" => gzip(&decoded.bytes),
            "deflate" => zlib(&decoded.bytes).or_else(|| inflate(&decoded.bytes, false).map(|(found, _)| found)),
            "br" => brotli(&decoded.bytes),
            _ => None,
        };
        // An unknown or wrong name: the actual coding can only be found by its first bytes.
        let Some(found) = found else { break };
        decoded = DecodedBody { bytes: found.bytes, is_whole: decoded.is_whole && found.is_whole };
    }
    for _ in 0..MAX_LAYERS {
        let Some(found) = gzip(&decoded.bytes).or_else(|| zlib(&decoded.bytes).filter(|found| found.is_whole)) else {
            break;
        };
        decoded = DecodedBody { bytes: found.bytes, is_whole: decoded.is_whole && found.is_whole };
    }
    decoded
}

/// Text without control characters but white space, which no coding produces.
fn is_plain(body: &[u8]) -> bool {
    let is_text = |text: &str| text.chars().all(|c| !c.is_control() || c.is_whitespace());
    !body.is_empty() && std::str::from_utf8(body).is_ok_and(is_text)
}

/// All members of a gzip file (RFC 1952 §2.2). Checksums are not compared: what was decoded is
/// worth more than the proof that all of it is right.
fn gzip(body: &[u8]) -> Option<DecodedBody> {
    let mut all = DecodedBody { bytes: Vec::new(), is_whole: true };
    let (mut rest, mut is_first) = (body, true);
    while let Some(data) = after_gzip_header(rest) {
        let (member, used) = inflate(data, false)?;
        is_first = false;
        let room = MAX_BODY - all.bytes.len();
        all.bytes.extend_from_slice(&member.bytes[..member.bytes.len().min(room)]);
        all.is_whole &= member.is_whole && member.bytes.len() <= room;
        // The checksum and the length follow.
        rest = data.get(used + 8..).unwrap_or_default();
        if !all.is_whole {
            break;
        }
    }
    (!is_first).then_some(all)
}

/// What follows the header of a gzip member.
fn after_gzip_header(body: &[u8]) -> Option<&[u8]> {
    const HEADER_CRC: u8 = 2;
    const EXTRA: u8 = 4;
    const NAME: u8 = 8;
    const COMMENT: u8 = 16;
    let flags = *body.strip_prefix(b"\x1f\x8b\x08")?.first()?;
    let mut rest = body.get(10..)?;
    if flags & EXTRA != 0 {
        let length = u16::from_le_bytes([*rest.first()?, *rest.get(1)?]);
        rest = rest.get(2 + usize::from(length)..)?;
    }
    for text in [NAME, COMMENT] {
        if flags & text != 0 {
            rest = &rest[rest.iter().position(|byte| *byte == 0)? + 1..];
        }
    }
    if flags & HEADER_CRC != 0 { rest.get(2..) } else { Some(rest) }
}

/// Deflate within zlib (RFC 1950 §2.2).
fn zlib(body: &[u8]) -> Option<DecodedBody> {
    let [first, second, ..] = *body else { return None };
    let is_header = first & 15 == 8 && first >> 4 <= 7 && u16::from_be_bytes([first, second]) % 31 == 0;
    if is_header { inflate(body, true).map(|(found, _)| found) } else { None }
}

/// Deflate (RFC 1951), and how much of the input it used; `None` if it yields nothing.
fn inflate(data: &[u8], is_zlib: bool) -> Option<(DecodedBody, usize)> {
    let mut flags = TINFL_FLAG_USING_NON_WRAPPING_OUTPUT_BUF | TINFL_FLAG_IGNORE_ADLER32;
    if is_zlib {
        flags |= TINFL_FLAG_PARSE_ZLIB_HEADER;
    }
    let mut bytes = vec![0; MAX_BODY];
    let (status, used, written) = decompress(&mut DecompressorOxide::new(), data, &mut bytes, 0, flags);
    bytes.truncate(written);
    let is_whole = status == TINFLStatus::Done;
    (is_whole || written > 0).then_some((DecodedBody { bytes, is_whole }, used))
}

/// Brotli (RFC 7932); `None` if it yields nothing.
fn brotli(data: &[u8]) -> Option<DecodedBody> {
    let mut bytes = Vec::new();
    // One byte more than fits, to see whether there is more.
    let mut reader = brotli_decompressor::Decompressor::new(data, 4096).take(MAX_BODY as u64 + 1);
    let ended = reader.read_to_end(&mut bytes);
    let is_whole = ended.is_ok() && bytes.len() <= MAX_BODY;
    bytes.truncate(MAX_BODY);
    (is_whole || !bytes.is_empty()).then_some(DecodedBody { bytes, is_whole })
}

#[cfg(test)]
mod tests {
    use miniz_oxide::deflate::{compress_to_vec, compress_to_vec_zlib};
    use reqwest::header::{CONTENT_ENCODING, HeaderMap, HeaderValue};

    use super::{DecodedBody, MAX_BODY, decode, named};

    const BODY: &[u8] = br#"{"access_token":"At-1a2b3c4d","refresh_token":"Rt-5e6f7a8b","expires_in":1799}"#;
    /// [`BODY`], coded by another implementation of brotli.
    const BROTLI: &[u8] =
        b"\x1b\x4d\x00\xe8\x9d\x07\xb6\x4d\x6a\xaf\x97\xc7\xd3\xc9\x0a\x53\x45\xb7\xa7\x73\x4b\xfd\x19\
        \x02\xa8\xe2\x6c\x85\x81\xe2\x66\x06\x49\xc9\x55\x4e\x9f\x53\x4e\x43\x0d\x00\x5a\x10\xb5\x25\x74\x30\x7d\x23\
        \xb4\xf8\x0c\x59\x24\xe2\x73\x1f\x6c\xc0\x12\x9a\xed\xf4\x0b\xc2\x75\x60\x11\x8d\x9a\xcf\x62\xa5\x02\xf5\xcf\
        \x89\x11";

    fn gzipped(body: &[u8], flags: u8, extra: &[u8]) -> Vec<u8> {
        let header = [0x1f, 0x8b, 8, flags, 0, 0, 0, 0, 0, 255];
        [&header, extra, &compress_to_vec(body, 6), &[0; 8]].concat()
    }

    fn decoded(body: &[u8], names: &[&str]) -> DecodedBody {
        let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
        decode(body.to_vec(), &names)
    }

    fn assert_read(body: &[u8], names: &[&str]) {
        let DecodedBody { bytes, is_whole } = decoded(body, names);
        assert_eq!(String::from_utf8_lossy(&bytes), String::from_utf8_lossy(BODY), "{names:?}");
        assert!(is_whole, "{names:?}");
    }

    #[test]
    fn every_coding_is_undone_named_or_not() {
        let gzip = gzipped(BODY, 0, b"");
        assert_read(BODY, &[]);
        assert_read(&gzip, &["gzip"]);
        assert_read(&gzip, &["x-gzip"]);
        assert_read(&gzip, &[]);
        assert_read(&gzip, &["deflate"]);
        assert_read(&gzip, &["made-up"]);
        assert_read(&compress_to_vec_zlib(BODY, 6), &["deflate"]);
        assert_read(&compress_to_vec_zlib(BODY, 9), &[]);
        assert_read(&compress_to_vec(BODY, 6), &["deflate"]);
        assert_read(&compress_to_vec(BODY, 0), &["deflate"]);
        assert_read(BROTLI, &["br"]);
    }

    #[test]
    fn codings_within_codings_are_undone() {
        let twice = gzipped(&gzipped(BODY, 0, b""), 0, b"");
        assert_read(&twice, &["gzip", "gzip"]);
        assert_read(&twice, &["gzip"]);
        assert_read(&twice, &[]);
        assert_read(&gzipped(&compress_to_vec(BODY, 6), 0, b""), &["deflate", "gzip"]);
        assert_read(&compress_to_vec_zlib(&gzipped(BODY, 0, b""), 6), &["x-gzip", "deflate"]);
        assert_read(&gzipped(BROTLI, 0, b""), &["br", "gzip"]);
    }

    #[test]
    fn a_plain_body_stays_as_it_is_whatever_its_name() {
        for names in [&["gzip"][..], &["deflate"], &["br"], &["zstd"], &["gzip", "br"]] {
            assert_read(BODY, names);
        }
    }

    #[test]
    fn every_field_of_a_gzip_header_is_passed_over() {
        assert_read(&gzipped(BODY, 8, b"name\0"), &["gzip"]);
        assert_read(&gzipped(BODY, 16, b"comment\0"), &["gzip"]);
        assert_read(&gzipped(BODY, 2, b"cc"), &["gzip"]);
        assert_read(&gzipped(BODY, 4, b"\x03\0abc"), &["gzip"]);
        assert_read(&gzipped(BODY, 31, b"\x01\0xname\0comment\0cc"), &["gzip"]);
    }

    #[test]
    fn the_members_of_a_gzip_file_follow_each_other() {
        let (first, second) = BODY.split_at(30);
        assert_read(&[gzipped(first, 0, b""), gzipped(second, 0, b"")].concat(), &["gzip"]);
    }

    #[test]
    fn what_precedes_a_break_is_kept_and_known_not_to_be_whole() {
        // Stored and fixed blocks: the text so far is there, byte for byte.
        for (coded, name) in [
            (gzipped(BODY, 0, b""), "gzip"),
            (compress_to_vec_zlib(BODY, 0), "deflate"),
            (compress_to_vec(BODY, 0), "deflate"),
        ] {
            let cut = decoded(&coded[..coded.len() - 24], &[name]);
            assert!(!cut.is_whole && !cut.bytes.is_empty() && BODY.starts_with(&cut.bytes), "{name}: {cut:?}");
        }
        let mut corrupt = gzipped(BODY, 0, b"");
        let end = corrupt.len() - 8;
        corrupt[end - 10..end].fill(0xff);
        assert!(decoded(&corrupt, &["gzip"]).bytes.starts_with(b"{\"access_token\""));
    }

    #[test]
    fn a_bomb_is_cut_off_at_the_most_that_is_read() {
        let bomb = vec![b' '; 64 * MAX_BODY];
        for (coded, name) in [(gzipped(&bomb, 0, b""), "gzip"), (compress_to_vec_zlib(&bomb, 6), "deflate")] {
            let found = decoded(&coded, &[name]);
            assert_eq!((found.bytes.len(), found.is_whole), (MAX_BODY, false), "{name}");
        }
        let many = gzipped(&bomb[..MAX_BODY / 2], 0, b"").repeat(50);
        assert_eq!(decoded(&many, &["gzip"]).bytes.len(), MAX_BODY);
    }

    #[test]
    fn headers_and_garbage_without_data_stay_as_they_are() {
        for body in
            [&b""[..], b"\x1f", b"\x1f\x8b\x08", b"\x1f\x8b\x08\x1f\0\0\0\0\0\0", b"\x78\x9c", b"\xff\xfe{\0}\0"]
        {
            for names in [&[][..], &["gzip"], &["deflate", "gzip"]] {
                assert_eq!(decoded(body, names).bytes, body, "{names:?}");
            }
        }
    }

    #[test]
    fn names_are_taken_from_every_line_and_in_any_case() {
        let mut headers = HeaderMap::new();
        for line in ["identity, GZIP", " br ,", ""] {
            headers.append(CONTENT_ENCODING, HeaderValue::from_static(line));
        }
        assert_eq!(named(&headers), ["gzip", "br"]);
    }
}
