//! What the programs we start have no business with.

/// Where systemd puts a unit's credentials, the passphrase among them.
pub const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Variables that lead to the passphrase. No other program gets them.
pub const LEAD_TO_PASSPHRASE: [&str; 2] = ["MANUTOP_PASSPHRASE", CREDENTIALS_DIRECTORY];

/// Variables that are taken out of every child's environment: the way to the passphrase, and the way to
/// the service manager, to which only the service itself may speak (`sd_notify(3)`).
pub const NOT_FOR_CHILDREN: [&str; 5] =
    [LEAD_TO_PASSPHRASE[0], LEAD_TO_PASSPHRASE[1], "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];
