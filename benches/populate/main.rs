//! Makes what the dashboard is measured with: `populate DIRECTORY ROWS` writes a configuration of so
//! many connections, and an encrypted store in which each has a token that lives for half an hour
//! from now. Nothing is refreshed automatically, and the passphrase is wrapped quickly: what is measured
//! is the dashboard, not a server and not scrypt.
//!
//! ```sh
//! MANUTOP_PASSPHRASE=bench manutop --config DIRECTORY/config.toml --data-dir DIRECTORY/data
//! ```

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::sync::Arc;

use chrono::TimeDelta;
use futures_util::stream::{StreamExt as _, TryStreamExt as _, iter};
use manutop::domain::{Clock as _, ConnectionName, Obtained, RefreshToken, Secret, SystemClock, TokenRecord};
use manutop::secrets::encrypted_file::{FileStore, Passphrase};
use manutop::secrets::worker::Secrets;
use manutop::tokens::vault::Vault;

type Failed = Box<dyn std::error::Error>;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Failed> {
    let usage = "populate DIRECTORY ROWS";
    let mut arguments = std::env::args().skip(1);
    let dir = PathBuf::from(arguments.next().ok_or(usage)?);
    let rows: usize = arguments.next().ok_or(usage)?.parse()?;
    let data = dir.join("data");
    fs::create_dir_all(&data)?;
    fs::write(dir.join("config.toml"), configuration(rows))?;

    let given = Passphrase { secret: Secret::new("bench"), from: "of populate".into() };
    let store = FileStore::with_work_factor(data.join("store"), Some(given), 4);
    let vault = Vault::open(Secrets::new(store.factory()), &data, Arc::new(SystemClock))?;
    vault.unlock(Secret::new("bench")).await?;
    let written = iter(0..rows).map(|at| write(&vault, at)).buffer_unordered(16);
    written.try_collect::<Vec<()>>().await?;
    Ok(())
}

fn name(at: usize) -> String {
    format!("connection-{at:05}")
}

fn configuration(rows: usize) -> String {
    let mut text = String::from("store = \"file\"\nnotify = \"off\"\n");
    for at in 0..rows {
        let name = name(at);
        // Writing to a String cannot fail.
        let _ = write!(
            text,
            "\n[[connections]]\nname = \"{name}\"\nprovider = \"manu\"\nclient_id = \"client-{at}\"\n\
             redirect_uri = \"http://127.0.0.1:8400/callback\"\n\
             auto_refresh = false\n"
        );
    }
    text
}

async fn write(vault: &Vault, at: usize) -> Result<(), Failed> {
    let now = SystemClock.now();
    let record = TokenRecord {
        generation: 1,
        obtained_at: now,
        // Apart, so that not all of them are alike.
        expires_at: now + TimeDelta::minutes(30) + TimeDelta::milliseconds(i64::try_from(at)? * 7),
        access_token: Secret::new(format!("access-{at}")),
        refresh_token: Some(RefreshToken {
            token: Secret::new(format!("refresh-{at}")),
            obtained_at: now,
            estimated_end: now + TimeDelta::days(730),
        }),
        scope: Some("API_ALL".into()),
        client_id: format!("client-{at}"),
        subject: None,
    };
    let mut locked = vault.lock(&ConnectionName::new(&name(at))?, |_| {}).await?;
    locked.receive(record.clone()).await.map_err(|error| error.to_string())?;
    locked.remember(&record, Obtained::Login, None).await;
    Ok(())
}
