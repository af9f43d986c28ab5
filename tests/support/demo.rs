//! A person before the demo's dashboard, in which things can be broken.

use std::collections::HashMap;
use std::io;

use manutop::cli::commands::demo::faults::{Breakable, Faults};
use manutop::dashboard::App;
use manutop::dashboard::tour::fault::FaultKind;
use manutop::dashboard_loop::host::Host;
use manutop::dashboard_loop::run_loop::Ending;
use manutop::domain::{ConnectionName, Secret};
use manutop::terminal::window::Window;

use super::rig::Rig;
use super::stage::{Person, Stage};

/// A terminal that takes every copy, and the person who breaks things.
struct DemoHost(Faults);

impl Window for DemoHost {}

impl Host for DemoHost {
    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn reenter(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn copy(&mut self, _text: &Secret) -> io::Result<()> {
        Ok(())
    }

    fn fault(&mut self, connection: &ConnectionName, kind: FaultKind) {
        self.0.play(connection, kind);
    }
}

/// Runs the demo's dashboard over the rig until `act` is through, which must end it by quitting.
pub async fn with_demo<A: Future<Output = ()>>(
    rig: &Rig,
    size: (u16, u16),
    prepare: impl FnOnce(App) -> App + 'static,
    act: impl FnOnce(Person) -> A,
) {
    let vault = rig.vault();
    let mut secrets = HashMap::new();
    for connection in &rig.connections {
        if let Ok(Some(secret)) = vault.client_secret(&connection.name).await {
            secrets.insert(connection.name.clone(), secret);
        }
    }
    let breakable = Breakable {
        manu: rig.servers.manu().clone(),
        manus: rig.servers.manus().clone(),
        store: rig.store.clone(),
        vault,
        connections: rig.connections.clone(),
        secrets,
    };
    let running = rig.start(true);
    let host = DemoHost(Faults::start(breakable, running.engine.remote()).expect("a thread"));
    let mut stage = Stage { size, prepare: Box::new(prepare), ..Stage::with_host(host) };
    stage.options.demo = true;
    assert_eq!(stage.play_with(rig, running, act).await, Ending::Quit);
}
