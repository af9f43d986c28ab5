//! The last line of a finished segment: what is in it. It is no entry, so whoever reads the lines
//! passes over it; whoever looks for something reads it first.

use std::io;

use serde::{Deserialize, Serialize};

use crate::domain::{BriefLine, LogSummary};
use crate::request_log::segments::lines::LinesBackwards;

#[derive(Serialize, Deserialize)]
struct SummaryLine {
    /// How much of the file it tells of. Whoever had the file open may have appended since.
    bytes: u64,
    summary: LogSummary,
}

/// The line that tells what is in a segment; `None` where there is no entry.
pub(crate) fn line_of(mut lines: LinesBackwards) -> io::Result<Option<Vec<u8>>> {
    let bytes = lines.end();
    let mut summary: Option<LogSummary> = None;
    while let Some((_, line)) = lines.previous()? {
        let Some(line) = BriefLine::read(line) else { continue };
        match &mut summary {
            Some(summary) => summary.add(&line.brief()),
            None => summary = Some(LogSummary::of(&line.brief())),
        }
    }
    Ok(summary.map(|summary| {
        let mut line =
            serde_json::to_vec(&SummaryLine { bytes, summary }).expect("strings, numbers and times always serialise");
        line.push(b'\n');
        line
    }))
}

/// Reads it from the end of a segment; `None` where it was not written, or does not tell of all.
pub(crate) fn read(lines: &mut LinesBackwards) -> io::Result<Option<LogSummary>> {
    let Some((at, last)) = lines.previous()? else { return Ok(None) };
    let line = serde_json::from_slice(last).ok().filter(|line: &SummaryLine| line.bytes == at);
    Ok(line.map(|line| line.summary))
}
