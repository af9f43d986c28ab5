//! The last line of a finished segment: a summary of it. It is not an entry, so readers skip it; a search reads it
//! first.

use std::io;

use serde::{Deserialize, Serialize};

use crate::domain::{BriefLine, LogSummary};
use crate::request_log::segments::lines::LinesBackwards;

#[derive(Serialize, Deserialize)]
struct SummaryLine {
    /// How much of the file it covers. A process that had the file open may have appended since.
    bytes: u64,
    summary: LogSummary,
}

/// The summary line of a segment; `None` if it has no entry.
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

/// Reads the summary at the end of a segment; `None` if there is none or it does not cover everything.
pub(crate) fn read(lines: &mut LinesBackwards) -> io::Result<Option<LogSummary>> {
    let Some((at, last)) = lines.previous()? else { return Ok(None) };
    let line = serde_json::from_slice(last).ok().filter(|line: &SummaryLine| line.bytes == at);
    Ok(line.map(|line| line.summary))
}
