//! The ways in which a secret can be written so that a person or a program can still read it.

use std::fmt::Write as _;

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};

/// A secret in each of them. What comes before it does not change base64 but at its ends, which are left out.
pub fn of(secret: &str) -> Vec<String> {
    let each = |write: &dyn Fn(u8) -> String| secret.bytes().map(write).collect::<String>();
    let mut all = vec![
        secret.to_owned(),
        secret.to_uppercase(),
        secret.to_lowercase(),
        each(&|byte| format!("%{byte:02x}")),
        each(&|byte| format!("%{byte:02X}")),
        each(&|byte| format!("&#{byte};")),
        each(&|byte| format!("&#x{byte:x};")),
        each(&|byte| format!("\\u{byte:04x}")),
        secret.as_bytes().chunks(4).map(String::from_utf8_lossy).collect::<Vec<_>>().join("-"),
    ];
    let hexadecimal = secret.bytes().fold(String::new(), |mut digits, byte| {
        let _ = write!(digits, "{byte:02x}");
        digits
    });
    all.extend([hexadecimal.to_uppercase(), hexadecimal]);
    for before in ["", " ", "  "] {
        for encoded in
            [BASE64_STANDARD.encode(format!("{before}{secret}")), BASE64_URL_SAFE.encode(format!("{before}{secret}"))]
        {
            all.push(encoded[4..encoded.len() - 4].to_owned());
        }
    }
    all
}
