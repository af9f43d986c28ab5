//! What the dashboard shows: `columns`, and the `[colors]` table on top of the theme.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::section::{FaultCollector, Section};
use crate::config::text::{near_miss, quoted};
use crate::domain::{ChosenColour, ColourRole, Colours};

/// The columns that the dashboard's table can have, in its own order.
pub const COLUMNS: [&str; 11] =
    ["name", "title", "provider", "status", "access", "ends", "refresh", "auto", "next", "last", "why"];

/// The columns that the file names.
pub(super) fn columns(top: &mut Section<'_, '_>) -> Option<Vec<String>> {
    let columns = top.strings("columns", r#"["name", "status", "access"]"#)?;
    let unknown = columns.iter().find(|column| !COLUMNS.contains(&column.as_str()));
    if let Some(unknown) = unknown {
        let known = COLUMNS.join(", ");
        let what = match near_miss(unknown, &COLUMNS) {
            Some(meant) => format!("has a column that does not exist; did you mean {meant}?"),
            None => format!("has a column that does not exist; known are {known}"),
        };
        top.fault("columns", what);
    } else if columns.is_empty() {
        top.fault("columns", "lists no column; remove the line to have those that fit");
    }
    Some(columns)
}

/// The colours of the table; what is faulty is reported and left out.
pub(super) fn colours(report: &mut FaultCollector<'_>, document: &DeTable<'_>) -> Colours {
    let mut colours = Colours::NONE;
    let Some(value) = document.get("colors") else { return colours };
    let Some(table) = value.get_ref().as_table() else {
        let what = "must be a table: write a line [colors], and below it for example accent = \"#ff8700\"";
        report.add(value.span().start, "colors".into(), what.into());
        return colours;
    };
    for (key, value) in table {
        let word: &str = key.get_ref();
        let setting = format!("colors.{}", quoted(word).trim_matches('"'));
        let Some(role) = ColourRole::ALL.into_iter().find(|role| role.id() == word) else {
            report.add(key.span().start, setting, unknown(word));
            continue;
        };
        match colour(value) {
            Ok(colour) => colours.set(role, colour),
            Err(why) => report.add(value.span().start, setting, why),
        }
    }
    colours
}

fn colour(value: &Spanned<DeValue<'_>>) -> Result<ChosenColour, String> {
    match value.get_ref() {
        DeValue::String(word) => word.parse(),
        DeValue::Integer(number) => u8::from_str_radix(number.as_str(), number.radix())
            .map(ChosenColour::Numbered)
            .map_err(|_| "out of range; allowed are 0 to 255".into()),
        // What any other word is answered with.
        _ => "".parse(),
    }
}

fn unknown(word: &str) -> String {
    let known = ColourRole::ALL.map(ColourRole::id);
    match near_miss(word, &known) {
        Some(meant) => format!("unknown key; did you mean {meant}?"),
        None => format!("unknown key; known keys are {}", known.join(", ")),
    }
}
