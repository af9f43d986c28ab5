//! What is said of deleting a connection, before it is done and where it could not be.

/// What is deleted, for the person who is asked.
pub const WHAT_GOES: &str = "Its tokens and its client secret are deleted from the secret store, and it is taken out \
                             of the configuration. None of that can be brought back. The provider is not notified; the \
                             log of its requests stays.";
