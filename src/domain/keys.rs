//! Key bindings as written in the configuration: words with their positions, not interpreted yet.

/// A word of a file and its position.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Written {
    /// The word.
    pub text: String,
    /// Its line, from 1.
    pub line: usize,
    /// Its column, from 1, in characters.
    pub column: usize,
}

/// Keys for an action: a line such as `refresh = ["r", "F5"]`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rebinding {
    /// The scope in which the keys work.
    pub scope: Written,
    /// The action.
    pub action: Written,
    /// The keys, in order of preference; none to unbind the action.
    pub keys: Vec<Written>,
}
