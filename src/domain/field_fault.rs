//! What is wrong with one field of a form.

/// One thing that is wrong with a connection that somebody is writing down.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FieldFault {
    /// The configuration key it is about; empty where it is about no single one.
    pub key: &'static str,
    /// What is wrong and what to do; never repeats a value.
    pub what: String,
}

impl FieldFault {
    /// A fault that no single field has.
    #[must_use]
    pub fn of_all(what: impl Into<String>) -> Self {
        Self { key: "", what: what.into() }
    }
}
