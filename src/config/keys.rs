//! `[keys.SCOPE]` tables: which keys are to do what. Read as words with their places;
//! what they mean, and whether that would do, the dashboard's keymap knows.

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use crate::config::section::FaultCollector;
use crate::config::text::{position, quoted};
use crate::domain::{Rebinding, Written};

const EXAMPLE: &str = r#"["r", "F5", "Ctrl-R"]"#;

/// Every line of every table, in the order of the file.
pub(super) fn read(report: &mut FaultCollector<'_>, text: &str, document: &DeTable<'_>) -> Vec<Rebinding> {
    let Some(value) = document.get("keys") else { return Vec::new() };
    let mut wanted = Vec::new();
    let Some(scopes) = value.get_ref().as_table() else {
        let what = "must be tables: write for example a line [keys.connection], and below it refresh = [\"F5\"]";
        report.add(value.span().start, "keys".into(), what.into());
        return wanted;
    };
    for (scope, actions) in scopes {
        let setting = format!("keys.{}", quoted(scope.get_ref()).trim_matches('"'));
        let Some(table) = actions.get_ref().as_table() else {
            let what =
                format!("must be a table: write a line [{setting}], and below it for example refresh = [\"F5\"]");
            report.add(actions.span().start, setting, what);
            continue;
        };
        for (action, value) in table {
            let setting = format!("{setting}.{}", quoted(action.get_ref()).trim_matches('"'));
            let Some(keys) = keys(text, value) else {
                let what = format!("must be a list of keys such as {EXAMPLE}; [] is none");
                report.add(value.span().start, setting, what);
                continue;
            };
            let word = |key: &Spanned<_>| written(text, AsRef::<str>::as_ref(key.get_ref()), key.span().start);
            wanted.push(Rebinding { scope: word(scope), action: word(action), keys });
        }
    }
    // The parser sorts by name.
    wanted.sort_by_key(|binding| (binding.action.line, binding.action.column));
    wanted
}

fn keys(text: &str, value: &Spanned<DeValue<'_>>) -> Option<Vec<Written>> {
    let array = value.get_ref().as_array()?;
    let key = |item: &Spanned<DeValue<'_>>| Some(written(text, item.get_ref().as_str()?, item.span().start));
    array.iter().map(key).collect()
}

fn written(text: &str, word: &str, offset: usize) -> Written {
    let (line, column) = position(text, offset);
    Written { text: word.to_owned(), line, column }
}
