//! The real program on a private gnome-keyring: the rig's store moved into the keyring, the rig's
//! servers in a real configuration file, the rig's data directory.

use std::process::{Child, Command, Output, Stdio};

use manutop::domain::ConnectionName;
use manutop::secrets::namespace::Namespace;

use crate::support::keyring::Keyring;
use crate::support::rig::Rig;

pub struct Program<'a> {
    pub keyring: Keyring,
    rig: &'a Rig,
}

impl<'a> Program<'a> {
    /// Starts the keyring and fills it with what the rig's store holds now.
    pub fn install(rig: &'a Rig) -> Self {
        let program = Self { keyring: Keyring::start(), rig };
        std::fs::write(rig.dir.path().join("config.toml"), rig.configuration()).unwrap();
        for item in rig.store.items() {
            let user = program.user(&item);
            let args = ["store", "--label=test", "service", "manutop", "username", &user];
            program.keyring.secret_tool_with(&args, rig.store.item(&item).unwrap().expose());
        }
        program
    }

    fn user(&self, item: &str) -> String {
        Namespace::for_data_dir(self.rig.dir.path(), None).user(item)
    }

    /// The record's line in the keyring.
    pub fn line(&self, connection: &ConnectionName) -> String {
        self.keyring.lookup(&self.user(&format!("{connection}/token"))).unwrap()
    }

    /// The keyring holds this generation, and it is the newest the server knows.
    pub fn assert_newest_is_stored(&self, connection: &ConnectionName, generation: u64) {
        let line: serde_json::Value = serde_json::from_str(&self.line(connection)).unwrap();
        assert_eq!(line["generation"], generation);
        let newest = self.rig.servers.manu().newest_refresh_token(&format!("app-{connection}")).unwrap();
        assert_eq!(line["refresh"]["token"], newest.expose());
        assert_eq!(self.rig.journal_state(connection), "settled");
    }

    /// `manutop` with these arguments, ready to be started.
    pub fn command(&self, args: &[&str]) -> Command {
        let mut command = self.keyring.command(env!("CARGO_BIN_EXE_manutop"));
        let dir = self.rig.dir.path();
        command.arg("--config").arg(dir.join("config.toml")).arg("--data-dir").arg(dir).args(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    pub fn start(&self, args: &[&str]) -> Child {
        self.command(args).spawn().unwrap()
    }

    pub fn run(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }
}

/// What it said on standard output, standard error, and its exit code.
pub fn said(output: Output) -> (String, String, Option<i32>) {
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (text(output.stdout), text(output.stderr), output.status.code())
}
