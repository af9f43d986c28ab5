//! How another program is started: without the way to the passphrase or the service manager, and with the system's
//! original limits.

use std::{io, process};

use crate::platform::limits;

/// The variable for an access token: another program reads it from its environment, never from a command line.
pub const ACCESS_TOKEN: &str = "MANUTOP_ACCESS_TOKEN";

/// Where systemd puts a unit's credentials, the passphrase among them.
pub const CREDENTIALS_DIRECTORY: &str = "CREDENTIALS_DIRECTORY";

/// Variables that lead to the passphrase. No other program gets them.
pub const LEAD_TO_PASSPHRASE: [&str; 2] = ["MANUTOP_PASSPHRASE", CREDENTIALS_DIRECTORY];

/// The way to the service manager, which only the service itself may use (`sd_notify(3)`).
pub const OF_SERVICE_MANAGER: [&str; 3] = ["NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC"];

/// A command that starts a child process: of the standard library, or of tokio.
pub(crate) trait ChildCommand {
    /// What is started.
    type Child;

    /// Starts the program: its environment lacks [`LEAD_TO_PASSPHRASE`] and [`OF_SERVICE_MANAGER`], except for the
    /// variables in `keep`, and its limits are the original ones.
    ///
    /// # Errors
    /// The program cannot be started.
    fn start_keeping(&mut self, keep: &[&str]) -> io::Result<Self::Child>;

    /// Starts the program with none of these variables.
    ///
    /// # Errors
    /// The program cannot be started.
    fn start(&mut self) -> io::Result<Self::Child> {
        self.start_keeping(&[])
    }
}

impl ChildCommand for process::Command {
    type Child = process::Child;

    fn start_keeping(&mut self, keep: &[&str]) -> io::Result<process::Child> {
        restrict(self, keep);
        let child = self.spawn()?;
        limits::restore_for_child(Some(child.id()));
        Ok(child)
    }
}

impl ChildCommand for tokio::process::Command {
    type Child = tokio::process::Child;

    fn start_keeping(&mut self, keep: &[&str]) -> io::Result<tokio::process::Child> {
        restrict(self.as_std_mut(), keep);
        let child = self.spawn()?;
        limits::restore_for_child(child.id());
        Ok(child)
    }
}

/// Replaces this process by the program; on Unix this returns only an error. The same variables are missing and the
/// limits are the original ones.
pub(crate) fn replace_by(command: &mut process::Command, keep: &[&str]) -> io::Result<process::ExitStatus> {
    #[cfg(unix)]
    {
        restrict(command, keep);
        limits::restore_for_exec();
        Err(std::os::unix::process::CommandExt::exec(command))
    }
    #[cfg(not(unix))]
    command.start_keeping(keep)?.wait()
}

fn restrict(command: &mut process::Command, keep: &[&str]) {
    let variables = LEAD_TO_PASSPHRASE.iter().chain(&OF_SERVICE_MANAGER);
    for variable in variables.filter(|variable| !keep.contains(variable)) {
        command.env_remove(variable);
    }
}

#[cfg(test)]
mod tests {
    use std::process::Command;

    use super::{CREDENTIALS_DIRECTORY, LEAD_TO_PASSPHRASE, OF_SERVICE_MANAGER, restrict};

    #[test]
    fn a_child_gets_no_variable_that_leads_to_the_passphrase_or_the_service_manager() {
        let removed = |keep: &[&str]| {
            let mut command = Command::new("env");
            restrict(&mut command, keep);
            command
                .get_envs()
                .map(|(name, value)| (name.to_str().unwrap().to_owned(), value.is_none()))
                .collect::<Vec<_>>()
        };
        let all = removed(&[]);
        assert!(LEAD_TO_PASSPHRASE.iter().chain(&OF_SERVICE_MANAGER).all(|name| all.contains(&((*name).into(), true))));
        assert!(!removed(&[CREDENTIALS_DIRECTORY]).iter().any(|(name, _)| name == CREDENTIALS_DIRECTORY));
    }
}
