//! What the programs we start have no business with.

/// Variables that are taken out of every child's environment: the passphrase, and the way to the
/// service manager, to which only the service itself may speak (`sd_notify(3)`).
pub const NOT_FOR_CHILDREN: [&str; 4] = ["MANUTOP_PASSPHRASE", "NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];
