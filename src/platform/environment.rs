//! What the process's environment says about where a person sits. Read once, passed in.

use std::env;
use std::ffi::OsString;

/// Where the person is, as far as browser and clipboard care.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Environment {
    /// Whether the program runs over SSH. `SSH_CONNECTION` shows that; `SSH_TTY` is lost in tmux and sudo.
    pub ssh: bool,
    /// Whether there is a desktop to show something on.
    pub display: bool,
    /// `$BROWSER`: commands to open a URL with, separated by colons.
    pub browser: Option<OsString>,
}

impl Environment {
    /// Asks the process's environment. An empty variable counts as unset.
    #[must_use]
    pub fn read() -> Self {
        let get = |name| env::var_os(name).filter(|value| !value.is_empty());
        let needs_display_server = cfg!(all(unix, not(target_os = "macos")));
        Self {
            ssh: get("SSH_CONNECTION").is_some(),
            display: !needs_display_server || get("DISPLAY").is_some() || get("WAYLAND_DISPLAY").is_some(),
            browser: get("BROWSER"),
        }
    }
}
