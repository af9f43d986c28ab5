//! A table of the file, read key by key: a wrong value leaves a fault in the report and counts
//! as absent, so that one run finds everything that is wrong.

use std::collections::HashMap;
use std::fmt;
use std::ops::RangeInclusive;

use toml::Spanned;
use toml::de::{DeTable, DeValue};
use url::Url;

use crate::config::error::{ConfigFault, secret_in_file};
use crate::config::text::{names_a_secret, near_miss, position, quoted};

/// The faults found so far.
pub(super) struct FaultCollector<'r> {
    text: &'r str,
    faults: Vec<ConfigFault>,
    /// The endpoints that providers begin with: most connections have no others.
    defaults: HashMap<&'static str, Url>,
}

impl<'r> FaultCollector<'r> {
    pub(super) fn new(text: &'r str) -> Self {
        Self { text, faults: Vec::new(), defaults: HashMap::new() }
    }

    /// All faults, in the order of the file.
    pub(super) fn into_faults(mut self) -> Vec<ConfigFault> {
        self.faults.sort();
        self.faults
    }

    /// Adds a fault at a place of the file.
    pub(super) fn add(&mut self, offset: usize, key: String, what: String) {
        let (line, column) = position(self.text, offset);
        self.faults.push(ConfigFault { line, column, key, what });
    }
}

/// A table of the file.
pub(super) struct Section<'s, 'r> {
    table: &'s DeTable<'s>,
    /// Where its header stands; missing keys are reported there.
    header: usize,
    /// The quoted name of what it describes, where there is one.
    owner: Option<String>,
    /// What it describes.
    kind: &'static str,
    report: &'s mut FaultCollector<'r>,
}

impl<'s, 'r> Section<'s, 'r> {
    pub(super) fn new(
        table: &'s DeTable<'s>,
        header: usize,
        connection: Option<String>,
        report: &'s mut FaultCollector<'r>,
    ) -> Self {
        Self { table, header, owner: connection, kind: "connection", report }
    }

    /// The table of a command; `label` is its quoted name, or its number.
    pub(super) fn of_command(
        table: &'s DeTable<'s>,
        header: usize,
        label: String,
        report: &'s mut FaultCollector<'r>,
    ) -> Self {
        Self { table, header, owner: Some(label), kind: "command", report }
    }

    /// Reports a fault in the value of `key`; where the key is missing, at the table's header.
    pub(super) fn fault(&mut self, key: &str, what: impl fmt::Display) {
        self.fault_at(self.place_of(key), key, what);
    }

    fn fault_at(&mut self, offset: usize, key: &str, what: impl fmt::Display) {
        let key = match &self.owner {
            Some(owner) => format!("{key} of {} {owner}", self.kind),
            None => key.to_owned(),
        };
        self.report.add(offset, key, what.to_string());
    }

    /// Reports every key that is not in `known`.
    pub(super) fn refuse_unknown_keys(&mut self, known: &[&'static str]) {
        for key in self.table.keys() {
            let word: &str = key.get_ref();
            if known.contains(&word) {
                continue;
            }
            let what = match near_miss(word, known) {
                Some(meant) => format!("unknown key; did you mean {meant}?"),
                None if names_a_secret(word) => {
                    let connection = self.owner.as_deref().filter(|_| self.kind == "connection");
                    secret_in_file(connection)
                }
                None => format!("unknown key; known keys are {}", known.join(", ")),
            };
            self.fault_at(key.span().start, quoted(word).trim_matches('"'), what);
        }
    }

    /// Reports each of `keys` that is there, with the reason why it must not be.
    pub(super) fn refuse_keys(&mut self, keys: &[&'static str], why: &str) {
        for key in keys {
            if let Some((key, _)) = self.table.get_key_value(*key) {
                self.fault_at(key.span().start, key.get_ref(), why);
            }
        }
    }

    /// Whether the key is not there at all.
    pub(super) fn is_absent(&self, key: &str) -> bool {
        !self.table.contains_key(key)
    }

    /// The value of a key as text.
    pub(super) fn string(&mut self, key: &str) -> Option<&'s str> {
        let found = self.string_quietly(key);
        if found.is_none() && self.table.contains_key(key) {
            self.wrong_type(key, "a string in quotes");
        }
        found
    }

    /// As [`Section::string`], without a report of a wrong type.
    pub(super) fn string_quietly(&self, key: &str) -> Option<&'s str> {
        self.table.get(key).and_then(|value| value.get_ref().as_str())
    }

    /// The value of a key that must be there, as text that is not blank.
    pub(super) fn required_string(&mut self, key: &str, example: &str) -> Option<&'s str> {
        if !self.table.contains_key(key) {
            self.fault(key, format!("missing; add a line such as {key} = {example}"));
        }
        let found = self.string(key)?;
        if found.trim().is_empty() {
            self.fault(key, format!("must not be empty; set for example {key} = {example}"));
            return None;
        }
        Some(found)
    }

    /// The value of a key as a truth value.
    pub(super) fn boolean(&mut self, key: &str) -> Option<bool> {
        let found = self.table.get(key)?.get_ref().as_bool();
        if found.is_none() {
            self.wrong_type(key, "true or false");
        }
        found
    }

    /// The value of a key as a number of seconds within bounds.
    pub(super) fn seconds(&mut self, key: &str, allowed: RangeInclusive<u64>) -> Option<u64> {
        self.number(key, allowed, "seconds")
    }

    /// The value of a key as a whole number of something within bounds.
    pub(super) fn number(&mut self, key: &str, allowed: RangeInclusive<u64>, unit: &str) -> Option<u64> {
        let value = self.table.get(key)?.get_ref();
        let number = value.as_integer().map(|i| i128::from_str_radix(i.as_str(), i.radix()).ok());
        let Some(number) = number else {
            self.wrong_type(key, &format!("a whole number of {unit}"));
            return None;
        };
        let within = number.and_then(|n| u64::try_from(n).ok()).filter(|number| allowed.contains(number));
        if within.is_none() {
            let (least, most) = allowed.into_inner();
            self.fault(key, format!("out of range; allowed are {least} to {most} {unit}"));
        }
        within
    }

    /// The value of a key as a list of strings.
    pub(super) fn strings(&mut self, key: &str, example: &str) -> Option<Vec<String>> {
        let value = self.table.get(key)?.get_ref();
        let found = value
            .as_array()
            .and_then(|array| array.iter().map(|item| item.get_ref().as_str().map(str::to_owned)).collect());
        if found.is_none() {
            self.wrong_type(key, &format!("a list of strings such as {example}"));
        }
        found
    }

    /// A provider's own endpoint.
    pub(super) fn default_url(&mut self, url: &'static str) -> Url {
        let parsed = || Url::parse(url).expect("a test walks the registry and parses every default");
        self.report.defaults.entry(url).or_insert_with(parsed).clone()
    }

    /// Where a key's value is in the file, in bytes from its beginning.
    pub(super) fn place_of(&self, key: &str) -> usize {
        self.table.get(key).map_or(self.header, |value| value.span().start)
    }

    /// The line of a place, from 1. It is counted from the beginning of the file: for faults only.
    pub(super) fn line(&self, place: usize) -> usize {
        position(self.report.text, place).0
    }

    fn wrong_type(&mut self, key: &str, expected: &str) {
        let found = self.table.get(key).map_or("nothing", |value| type_in_words(value.get_ref()));
        self.fault(key, format!("must be {expected}, but is {found}"));
    }
}

/// The tables of a list such as `[[connections]]`, each with where its header stands.
pub(super) fn tables<'t, 'i>(
    report: &mut FaultCollector<'_>,
    document: &'t DeTable<'i>,
    key: &str,
    one: &str,
) -> Vec<(usize, &'t DeTable<'i>)> {
    let Some(value) = document.get(key) else { return Vec::new() };
    let table = |item: &'t Spanned<DeValue<'i>>| Some((item.span().start, item.get_ref().as_table()?));
    let tables = value.get_ref().as_array().and_then(|array| array.iter().map(table).collect());
    tables.unwrap_or_else(|| {
        let what = format!("must be a list of tables: begin each {one} with a line [[{key}]]");
        report.add(value.span().start, key.to_owned(), what);
        Vec::new()
    })
}

fn type_in_words(value: &DeValue<'_>) -> &'static str {
    match value {
        DeValue::String(_) => "a string",
        DeValue::Integer(_) => "an integer",
        DeValue::Float(_) => "a fraction",
        DeValue::Boolean(_) => "a truth value",
        DeValue::Datetime(_) => "a date or time",
        DeValue::Array(array) if array.iter().all(|item| item.get_ref().is_str()) => "a list",
        DeValue::Array(_) => "a list with something else in it",
        DeValue::Table(_) => "a table",
    }
}
