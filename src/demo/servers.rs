//! Starting and stopping the servers: two listeners on loopback, one thread, one runtime.
//!
//! Invariant: the servers live and die with [`Servers`]; dropping it closes every connection
//! without waiting for requests under way.

use std::io;
use std::net::{Ipv4Addr, TcpListener};
use std::thread::JoinHandle;

use axum::Router;
use tokio::sync::oneshot;

use crate::demo::manu::Manu;
use crate::demo::manus::Manus;
use crate::demo::options::DemoOptions;
use crate::demo::wire::{CuttableListener, Scissors};

/// Both servers, running on a thread of their own until this is dropped.
pub struct Servers {
    manu: Manu,
    manus: Manus,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Servers {
    /// Starts both servers on 127.0.0.1. When this returns they accept connections.
    ///
    /// # Errors
    /// When a port is taken or there is no port after the one given, or when the thread or its
    /// runtime cannot be made.
    #[expect(clippy::needless_pass_by_value, reason = "written in place by the caller")]
    pub fn start(options: DemoOptions) -> io::Result<Self> {
        let (first_port, second_port) = ports(options.port)?;
        let (first_listener, first_base) = listen(first_port)?;
        let (second_listener, second_base) = listen(second_port)?;
        let manu = Manu::new(first_base, &options);
        let manus = Manus::new(second_base, &options);
        let (first_routes, second_routes) = (manu.routes(), manus.routes());
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new().name("demo-servers".into()).spawn(move || {
            runtime.block_on(async {
                tokio::select! {
                    // Either way it ends: by request, or because the owner is gone.
                    _ = stopped => {}
                    () = serve(first_listener, first_routes) => {}
                    () = serve(second_listener, second_routes) => {}
                }
            });
        })?;
        Ok(Self { manu, manus, stop: Some(stop), thread: Some(thread) })
    }

    /// The handle of Manu Online's server.
    #[must_use]
    pub fn manu(&self) -> &Manu {
        &self.manu
    }

    /// The handle of Manus's server.
    #[must_use]
    pub fn manus(&self) -> &Manus {
        &self.manus
    }
}

impl Drop for Servers {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

fn ports(first: Option<u16>) -> io::Result<(u16, u16)> {
    match first {
        None | Some(0) => Ok((0, 0)),
        Some(first) => {
            let second = first.checked_add(1);
            second.map(|second| (first, second)).ok_or_else(|| {
                io::Error::new(io::ErrorKind::InvalidInput, format!("there is no port after {first} for Manus"))
            })
        }
    }
}

/// Binds a port on loopback; gives the listener and its base URL.
fn listen(port: u16) -> io::Result<(TcpListener, String)> {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port))
        .map_err(|error| io::Error::new(error.kind(), format!("127.0.0.1:{port}: {error}")))?;
    listener.set_nonblocking(true)?;
    let base = format!("http://{}", listener.local_addr()?);
    Ok((listener, base))
}

/// Serves until the future is dropped, or for want of a listener not at all.
async fn serve(listener: TcpListener, routes: Router) {
    let Ok(listener) = tokio::net::TcpListener::from_std(listener) else { return };
    let service = routes.into_make_service_with_connect_info::<Scissors>();
    let _ = axum::serve(CuttableListener(listener), service).await;
}
