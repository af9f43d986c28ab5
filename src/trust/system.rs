//! Facts about this system's users, groups and mounts.

use std::fs;
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Group, Uid, User};
use rustix::process::{getegid, geteuid, getgroups};

use crate::trust::rules::SystemFacts;

/// The system as the effective user sees it.
pub(super) struct System {
    me: u32,
}

impl System {
    pub(super) fn new() -> Self {
        Self { me: geteuid().as_raw() }
    }
}

impl SystemFacts for System {
    fn me(&self) -> u32 {
        self.me
    }

    fn is_private_group(&self, gid: u32) -> bool {
        let Ok(group) = Group::from_gid(Gid::from_raw(gid)) else { return false };
        let Some(group) = group else { return is_member(gid) };
        let me = user(self.me);
        let is_mine = me.as_ref().is_some_and(|me| me.gid.as_raw() == gid && me.name == group.name);
        let is_allowed = |name: &String| name == "root" || me.as_ref().is_some_and(|me| me.name == *name);
        (gid == 0 || is_mine) && group.mem.iter().all(is_allowed)
    }

    fn has_acl(&self, path: &Path) -> bool {
        has_acl(path)
    }

    fn may_be_root_outside(&self, uid: u32) -> bool {
        may_be_root_outside(uid)
    }

    fn own_read_only_mount(&self, file: &Path) -> Option<PathBuf> {
        let dir = file.parent()?;
        let is_dotted = dir.file_name().is_some_and(|name| name.as_encoded_bytes().starts_with(b".."));
        let above = if is_dotted { dir.parent() } else { None };
        let mut places = [Some(file), Some(dir), above].into_iter().flatten().filter(|place| place.parent().is_some());
        places.find(|place| is_mount(place)).filter(|place| is_read_only(place)).map(Path::to_owned)
    }
}

/// The name of a user; the number where there is none.
pub(super) fn user_name(uid: u32) -> String {
    user(uid).map_or_else(|| format!("uid {uid}"), |user| user.name)
}

/// A user as `sudo -u` and `chown` take it.
pub(super) fn user_word(uid: u32, for_sudo: bool) -> String {
    let number = if for_sudo { format!("'#{uid}'") } else { uid.to_string() };
    user(uid).map_or(number, |user| user.name)
}

/// The name of a group; the number where there is none.
pub(super) fn group_name(gid: u32) -> String {
    let group = Group::from_gid(Gid::from_raw(gid)).ok().flatten();
    group.map_or_else(|| gid.to_string(), |group| group.name)
}

fn user(uid: u32) -> Option<User> {
    User::from_uid(Uid::from_raw(uid)).ok().flatten()
}

fn is_member(gid: u32) -> bool {
    getegid().as_raw() == gid || getgroups().is_ok_and(|groups| groups.iter().any(|group| group.as_raw() == gid))
}

#[cfg(target_os = "linux")]
fn has_acl(path: &Path) -> bool {
    use rustix::io::Errno;
    let mut nothing = [0_u8; 0];
    let size = rustix::fs::getxattr(path, c"system.posix_acl_access", &mut nothing);
    !matches!(size, Ok(0) | Err(Errno::NODATA | Errno::OPNOTSUPP | Errno::NOSYS))
}

#[cfg(not(target_os = "linux"))]
fn has_acl(_: &Path) -> bool {
    false // lists of other systems are beside the group's bits, not behind them
}

#[cfg(target_os = "linux")]
fn may_be_root_outside(uid: u32) -> bool {
    let number = |text: String| text.trim().parse().ok();
    let overflow = fs::read_to_string("/proc/sys/kernel/overflowuid").ok().and_then(number).unwrap_or(65534);
    uid == overflow && fs::read_to_string("/proc/self/uid_map").is_ok_and(|map| is_without_root(&map))
}

/// Whether none of the lines of a `uid_map` maps the parent's root.
#[cfg(target_os = "linux")]
fn is_without_root(map: &str) -> bool {
    let outside = |line: &str| line.split_whitespace().nth(1).map(str::to_owned);
    !map.trim().is_empty() && map.lines().all(|line| outside(line).is_some_and(|first| first != "0"))
}

#[cfg(not(target_os = "linux"))]
fn may_be_root_outside(_: u32) -> bool {
    false
}

#[cfg(target_os = "linux")]
fn is_mount(path: &Path) -> bool {
    use rustix::fs::{AtFlags, CWD, StatxAttributes, StatxFlags, statx};
    statx(CWD, path, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::BASIC_STATS)
        .is_ok_and(|found| found.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

#[cfg(not(target_os = "linux"))]
fn is_mount(_: &Path) -> bool {
    false
}

fn is_read_only(path: &Path) -> bool {
    rustix::fs::statvfs(path).is_ok_and(|found| found.f_flag.contains(rustix::fs::StatVfsMountFlags::RDONLY))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::is_without_root;

    #[test]
    fn a_namespace_is_without_root_where_no_line_maps_it() {
        for (map, expected) in [
            ("         0          0 4294967295\n", false),
            ("0 0 1\n990 990 1\n", false),
            ("1000 1000 1\n", true),
            ("0 1000 1\n1 100000 65536\n", true),
            ("", false),
        ] {
            assert_eq!(is_without_root(map), expected, "{map:?}");
        }
    }
}
