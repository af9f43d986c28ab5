//! Keys as somebody wrote them down: words with their places, not known yet to mean anything.

/// A word of a file, and where it stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The word.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
}

/// The wish that other keys do an action: a line such as `refresh = ["r", "F5"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// Where the keys are to work.
    pub scope: Written,
    /// What they are to do.
    pub action: Written,
    /// The keys, in the order of preference; none to leave the action without one.
    pub keys: Vec<Written>,
}
