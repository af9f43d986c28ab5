//! The comments and empty lines around tables and keys, which stay when those go.

use toml_edit::Decor;

pub(super) fn prepend(decor: &mut Decor, text: &str) {
    let joined = join(text, prefix(decor));
    decor.set_prefix(joined);
}

/// Both texts, with no more empty lines where they meet than either has.
pub(super) fn join(above: &str, below: &str) -> String {
    let is_parted = above.lines().next_back().is_some_and(|line| line.trim().is_empty());
    let below = if is_parted { below.trim_start_matches(['\r', '\n']) } else { below };
    format!("{above}{below}")
}

pub(super) fn prefix(decor: &Decor) -> &str {
    decor.prefix().and_then(|prefix| prefix.as_str()).unwrap_or_default()
}

/// What stands above the comment that belongs to a header: all up to the last empty line.
pub(super) fn above_the_last_paragraph(prefix: &str) -> &str {
    let mut end = 0;
    let mut offset = 0;
    for line in prefix.split_inclusive('\n') {
        offset += line.len();
        if line.trim().is_empty() {
            end = offset;
        }
    }
    &prefix[..end]
}
