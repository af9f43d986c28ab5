//! A sleep that wakes its thread once, when it is over, and counts the time a machine sleeps.
//!
//! The runtime's own timers wake a thread several times on the way to a far moment, and stand still
//! while the machine is suspended. A loop that runs all day sleeps by this instead. Where the system
//! has no such timer, the runtime's do.

use std::time::Duration;

#[cfg(target_os = "linux")]
use linux::Timer;

/// Made within a runtime, for one sleeper at a time.
pub(crate) struct Alarm {
    #[cfg(target_os = "linux")]
    timer: Option<Timer>,
}

impl Alarm {
    pub(crate) fn new() -> Self {
        Self {
            #[cfg(target_os = "linux")]
            timer: Timer::new().ok(),
        }
    }

    /// Sleeps. Giving up loses nothing.
    pub(crate) async fn sleep(&self, duration: Duration) {
        #[cfg(target_os = "linux")]
        if let Some(timer) = &self.timer
            && timer.sleep(duration).await.is_ok()
        {
            return;
        }
        tokio::time::sleep(duration).await;
    }
}

#[cfg(target_os = "linux")]
mod linux {
    use std::io;
    use std::os::fd::OwnedFd;
    use std::time::Duration;

    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create, timerfd_settime,
    };
    use tokio::io::unix::AsyncFd;

    pub(crate) struct Timer(AsyncFd<OwnedFd>);

    impl Timer {
        #[expect(deprecated, reason = "unsound for what closes its descriptor behind one's back; this one is owned")]
        pub(crate) fn new() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            Ok(Self(AsyncFd::new(timerfd_create(TimerfdClockId::Boottime, flags)?)?))
        }

        pub(crate) async fn sleep(&self, duration: Duration) -> io::Result<()> {
            const NEVER_AGAIN: Timespec = Timespec { tv_sec: 0, tv_nsec: 0 };
            // None at all would be no timer.
            let duration = duration.max(Duration::from_nanos(1));
            let it_value = Timespec::try_from(duration).map_err(io::Error::other)?;
            let once = Itimerspec { it_interval: NEVER_AGAIN, it_value };
            timerfd_settime(&self.0, TimerfdTimerFlags::empty(), &once)?;
            loop {
                // Readiness may be left from a sleep that was given up: only reading shows that.
                let mut ready = self.0.readable().await?;
                if let Ok(read) = ready.try_io(|timer| Ok(rustix::io::read(timer, &mut [0; 8])?)) {
                    // It is over once: the next sleeper need not read to learn that nothing is there.
                    ready.clear_ready();
                    return read.map(drop);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use tokio::time::timeout;

    use super::Alarm;

    #[tokio::test]
    async fn a_sleep_is_as_long_as_asked_also_after_one_that_was_given_up() {
        let alarm = Alarm::new();
        assert!(timeout(Duration::from_millis(1), alarm.sleep(Duration::from_secs(3600))).await.is_err());
        let began = Instant::now();
        alarm.sleep(Duration::from_millis(30)).await;
        assert!(began.elapsed() >= Duration::from_millis(30));
        // Over without anybody having waited for it.
        let _ = timeout(Duration::ZERO, alarm.sleep(Duration::from_millis(1))).await;
        std::thread::sleep(Duration::from_millis(5));
        let began = Instant::now();
        alarm.sleep(Duration::from_millis(30)).await;
        assert!(began.elapsed() >= Duration::from_millis(30));
        alarm.sleep(Duration::ZERO).await;
    }
}
