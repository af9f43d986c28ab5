//! What is wrong with one field of a form.

/// One fault in a connection's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The faulty configuration key; empty if it is no single one.
    pub key: &'static str,
    /// What is wrong and what to do; never repeats a value.
    pub what: String,
}

impl FieldFault {
    /// A fault that concerns no single field.
    #[must_use]
    pub fn of_all(what: impl Into<String>) -> Self {
        Self { key: "", what: what.into() }
    }
}
