//! The desktop's notifications (org.freedesktop.Notifications), on a thread of their own, for a
//! bus that hangs must hang nothing else. Linux and the BSDs; elsewhere there is none, and the
//! terminal is used.

use std::sync::mpsc;
use std::sync::mpsc::SyncSender;
use std::thread;

use crate::notifications::notice::Notice;

/// The way to the thread.
pub(crate) struct Desktop {
    notices: SyncSender<Notice>,
}

impl Desktop {
    /// Starts the thread; the bus is not touched before the first notice. `report` is called there
    /// after each, with why it was not shown. `None` where there can be no such desktop.
    pub(crate) fn start(report: impl Fn(Result<(), String>) + Send + 'static) -> Option<Self> {
        if !show::IS_POSSIBLE {
            return None;
        }
        let (notices, waiting) = mpsc::sync_channel::<Notice>(1);
        let started = thread::Builder::new().name("notify".into()).spawn(move || {
            // The last one is held on to: some desktops close what its sender has forgotten.
            let mut _shown = None;
            for notice in waiting {
                match show::show(&notice) {
                    Ok(handle) => {
                        _shown = Some(handle);
                        report(Ok(()));
                    }
                    Err(why) => report(Err(why)),
                }
            }
        });
        started.is_ok().then_some(Self { notices })
    }

    /// Hands a notice over; false where the thread is still busy with another or has ended.
    pub(crate) fn send(&self, notice: Notice) -> bool {
        self.notices.try_send(notice).is_ok()
    }
}

#[cfg(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android"))))]
mod show {
    use std::collections::HashMap;

    use zbus::blocking::Connection;
    use zbus::zvariant::Value;

    use crate::notifications::notice::Notice;

    pub(crate) const IS_POSSIBLE: bool = true;

    const SERVICE: &str = "org.freedesktop.Notifications";
    const PATH: &str = "/org/freedesktop/Notifications";
    /// Urgency "critical": it stays until the user closes it.
    const CRITICAL: u8 = 2;

    /// The connection that sent the notice.
    pub(crate) fn show(notice: &Notice) -> Result<Connection, String> {
        send(notice).map_err(|error| error.to_string())
    }

    fn send(notice: &Notice) -> zbus::Result<Connection> {
        let bus = Connection::session()?;
        let (replaces, icon, actions, default_timeout) = (0_u32, "", [""; 0], -1_i32);
        let hints = HashMap::from([("urgency", Value::from(CRITICAL)), ("category", Value::from("network.error"))]);
        let body = plain(&notice.text);
        let notification = ("manutop", replaces, icon, &notice.head, &body, &actions[..], hints, default_timeout);
        bus.call_method(Some(SERVICE), PATH, Some(SERVICE), "Notify", &notification)?;
        Ok(bus)
    }

    /// A notification's body may be markup; a server's words are none.
    fn plain(text: &str) -> String {
        text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
    }
}

#[cfg(not(all(unix, not(any(target_os = "macos", target_os = "ios", target_os = "android")))))]
mod show {
    use crate::notifications::notice::Notice;

    pub(crate) const IS_POSSIBLE: bool = false;

    pub(crate) fn show(_notice: &Notice) -> Result<(), String> {
        Err("there are no desktop notifications on this system yet".into())
    }
}
