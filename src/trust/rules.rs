//! The rules: which step of a path is not to be trusted, decided from owners, modes and [`SystemFacts`].

use std::path::{Path, PathBuf};

use crate::trust::Purpose;
use crate::trust::walk::{StepPlace, WalkStep};

/// What the rules depend on besides the steps. All but `me` are only asked for where the plain rules refuse.
pub(super) trait SystemFacts {
    /// The effective user.
    fn me(&self) -> u32;
    /// Whether no other user is in this group.
    fn is_private_group(&self, gid: u32) -> bool;
    /// Whether there is an access control list on it.
    fn has_acl(&self, path: &Path) -> bool;
    /// Whether files that root owns outside have this owner here.
    fn may_be_root_outside(&self, uid: u32) -> bool;
    /// The read-only mount that a file has for itself.
    fn own_read_only_mount(&self, file: &Path) -> Option<PathBuf>;
}

/// What is wrong with a step.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TrustFault {
    /// Its owner can change it.
    Owner,
    /// Members of its group can change it.
    GroupWrites,
    /// All users can change it.
    AllWrite,
    /// Others can read it.
    OthersRead,
}

const STICKY: u32 = 0o1000;
/// The bits of group and others.
const FOR_OTHERS: u32 = 0o077;

/// The first step that is not to be trusted, and why.
pub(super) fn first_fault<'s>(
    steps: &'s [WalkStep],
    purpose: Purpose,
    system: &impl SystemFacts,
) -> Option<(&'s WalkStep, TrustFault)> {
    let fault = |step| Some((step, fault_of(step, purpose, system)?));
    steps.iter().filter_map(fault).find(|(step, fault)| !is_excused(step, *fault, steps, purpose, system))
}

fn fault_of(step: &WalkStep, purpose: Purpose, system: &impl SystemFacts) -> Option<TrustFault> {
    let is_end = step.place == StepPlace::End;
    if !is_owner_trusted(step, purpose, system) {
        return Some(TrustFault::Owner);
    }
    if step.place == StepPlace::Link {
        return None; // its mode means nothing
    }
    let only_owners_rename = step.is_dir && !is_end && step.mode & STICKY != 0;
    if !only_owners_rename && step.mode & 0o002 != 0 {
        return Some(TrustFault::AllWrite);
    }
    if !only_owners_rename && step.mode & 0o020 != 0 && !is_group_trusted(step, system) {
        return Some(TrustFault::GroupWrites);
    }
    (is_end && purpose == Purpose::Secret && step.mode & FOR_OTHERS != 0).then_some(TrustFault::OthersRead)
}

fn is_owner_trusted(step: &WalkStep, purpose: Purpose, system: &impl SystemFacts) -> bool {
    let is_mine = step.uid == system.me();
    match step.place {
        StepPlace::End if purpose == Purpose::Data => is_mine,
        StepPlace::End | StepPlace::Link => is_mine || step.uid == 0,
        StepPlace::Above => is_mine || step.uid == 0 || system.may_be_root_outside(step.uid),
    }
}

fn is_group_trusted(step: &WalkStep, system: &impl SystemFacts) -> bool {
    system.is_private_group(step.gid) && !system.has_acl(&step.path)
}

fn is_excused(
    step: &WalkStep,
    fault: TrustFault,
    steps: &[WalkStep],
    purpose: Purpose,
    system: &impl SystemFacts,
) -> bool {
    let Some(end) = steps.last().filter(|step| step.place == StepPlace::End) else { return false };
    let is_only_read = matches!(purpose, Purpose::Configuration | Purpose::Credential | Purpose::Secret);
    let is_closed = |above: &WalkStep| {
        above.place == StepPlace::Above && above.mode & FOR_OTHERS == 0 && end.path.starts_with(&above.path)
    };
    (fault == TrustFault::OthersRead && steps.iter().any(is_closed))
        || (is_only_read && system.own_read_only_mount(&end.path).is_some_and(|mount| step.path.starts_with(mount)))
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::{SystemFacts, TrustFault, first_fault};
    use crate::trust::Purpose;
    use crate::trust::walk::{StepPlace, WalkStep};

    const ADA: u32 = 1000;
    const MALLORY: u32 = 1001;
    /// Ada's private group has her number.
    const STAFF: u32 = 50;
    const OVERFLOW: u32 = 65534;

    #[derive(Default)]
    struct Fake {
        me: u32,
        acl: bool,
        in_namespace: bool,
        mount: Option<PathBuf>,
    }

    impl SystemFacts for Fake {
        fn me(&self) -> u32 {
            self.me
        }

        fn is_private_group(&self, gid: u32) -> bool {
            gid == self.me
        }

        fn has_acl(&self, _: &Path) -> bool {
            self.acl
        }

        fn may_be_root_outside(&self, uid: u32) -> bool {
            self.in_namespace && uid == OVERFLOW
        }

        fn own_read_only_mount(&self, _: &Path) -> Option<PathBuf> {
            self.mount.clone()
        }
    }

    fn ada() -> Fake {
        Fake { me: ADA, ..Fake::default() }
    }

    type FoundStep = (&'static str, StepPlace, u32, u32, u32);

    fn steps(found: &[FoundStep]) -> Vec<WalkStep> {
        let step = |&(path, place, uid, gid, mode): &FoundStep| {
            let is_dir = place == StepPlace::Above || mode & 0o100 != 0;
            WalkStep { path: path.into(), place, uid, gid, mode, is_dir }
        };
        found.iter().map(step).collect()
    }

    fn fault_at(system: &Fake, purpose: Purpose, found: &[FoundStep]) -> Option<(String, TrustFault)> {
        let steps = steps(found);
        first_fault(&steps, purpose, system).map(|(step, fault)| (step.path.display().to_string(), fault))
    }

    /// The fault of a file below a directory of Ada's.
    fn file(system: &Fake, purpose: Purpose, uid: u32, gid: u32, mode: u32) -> Option<TrustFault> {
        let found = [("/d", StepPlace::Above, system.me, system.me, 0o755), ("/d/f", StepPlace::End, uid, gid, mode)];
        fault_at(system, purpose, &found).map(|(_, fault)| fault)
    }

    #[test]
    fn a_file_is_trusted_by_its_owner_and_who_can_write_it() {
        use Purpose::{Configuration, Credential, Data, DataDirectory, Secret};
        use TrustFault::{AllWrite, GroupWrites, OthersRead, Owner};
        for (purpose, uid, gid, mode, fault) in [
            (Configuration, ADA, ADA, 0o600, None),
            (Configuration, ADA, ADA, 0o644, None),
            (Configuration, ADA, ADA, 0o664, None),
            (Configuration, ADA, STAFF, 0o664, Some(GroupWrites)),
            (Configuration, ADA, ADA, 0o666, Some(AllWrite)),
            (Configuration, ADA, ADA, 0o602, Some(AllWrite)),
            (Configuration, 0, 0, 0o644, None),
            (Configuration, 0, STAFF, 0o664, Some(GroupWrites)),
            (Configuration, MALLORY, MALLORY, 0o644, Some(Owner)),
            (Configuration, OVERFLOW, OVERFLOW, 0o644, Some(Owner)),
            (Credential, 0, 0, 0o440, None),
            (Credential, MALLORY, 0, 0o400, Some(Owner)),
            (Secret, ADA, ADA, 0o600, None),
            (Secret, 0, 0, 0o400, None),
            (Secret, ADA, ADA, 0o640, Some(OthersRead)),
            (Secret, ADA, ADA, 0o604, Some(OthersRead)),
            (Secret, MALLORY, ADA, 0o600, Some(Owner)),
            (DataDirectory, ADA, ADA, 0o700, None),
            (DataDirectory, ADA, STAFF, 0o755, None),
            (DataDirectory, ADA, ADA, 0o775, None),
            (DataDirectory, 0, ADA, 0o770, None),
            (DataDirectory, ADA, STAFF, 0o770, Some(GroupWrites)),
            (DataDirectory, 0, 0, 0o1777, Some(AllWrite)),
            (DataDirectory, MALLORY, MALLORY, 0o777, Some(Owner)),
            (Data, ADA, ADA, 0o755, None),
            (Data, 0, 0, 0o755, Some(Owner)),
            (Data, ADA, ADA, 0o777, Some(AllWrite)),
        ] {
            assert_eq!(file(&ada(), purpose, uid, gid, mode), fault, "{purpose:?} {uid}:{gid} {mode:o}");
        }
    }

    #[test]
    fn root_trusts_only_root() {
        let root = Fake::default();
        for purpose in [Purpose::Configuration, Purpose::Secret, Purpose::DataDirectory, Purpose::Data] {
            assert_eq!(file(&root, purpose, ADA, ADA, 0o700), Some(TrustFault::Owner));
            assert_eq!(file(&root, purpose, 0, 0, 0o700), None);
        }
    }

    #[test]
    fn an_access_control_list_is_behind_the_group_s_bits() {
        let system = Fake { acl: true, ..ada() };
        assert_eq!(file(&system, Purpose::Configuration, ADA, ADA, 0o664), Some(TrustFault::GroupWrites));
        assert_eq!(file(&system, Purpose::Configuration, ADA, ADA, 0o644), None);
    }

    #[test]
    fn every_directory_and_link_above_counts_and_sticky_ones_may_be_shared() {
        let end = ("/a/b/f", StepPlace::End, ADA, ADA, 0o600);
        for (uid, gid, mode, fault) in [
            (0, 0, 0o755, None),
            (0, 0, 0o1777, None),
            (0, STAFF, 0o1775, None),
            (0, 0, 0o777, Some(TrustFault::AllWrite)),
            (0, STAFF, 0o775, Some(TrustFault::GroupWrites)),
            (ADA, ADA, 0o775, None),
            (MALLORY, 0, 0o755, Some(TrustFault::Owner)),
            (MALLORY, 0, 0o1777, Some(TrustFault::Owner)),
        ] {
            for purpose in [Purpose::Configuration, Purpose::Secret, Purpose::DataDirectory, Purpose::Data] {
                let found =
                    [("/a", StepPlace::Above, uid, gid, mode), ("/a/b", StepPlace::Above, ADA, ADA, 0o700), end];
                let expected = fault.map(|fault| ("/a".to_owned(), fault));
                assert_eq!(fault_at(&ada(), purpose, &found), expected, "{purpose:?} {uid}:{gid} {mode:o}");
            }
        }
        // A path that does not exist yet has no end.
        let found = [("/a", StepPlace::Above, MALLORY, 0, 0o755)];
        assert_eq!(fault_at(&ada(), Purpose::DataDirectory, &found), Some(("/a".into(), TrustFault::Owner)));
        for (uid, fault) in [(ADA, None), (0, None), (MALLORY, Some(("/tmp/l".into(), TrustFault::Owner)))] {
            let found = [("/tmp", StepPlace::Above, 0, 0, 0o1777), ("/tmp/l", StepPlace::Link, uid, 0, 0o777), end];
            assert_eq!(fault_at(&ada(), Purpose::Configuration, &found), fault);
        }
    }

    #[test]
    fn a_readable_secret_is_accepted_below_a_directory_that_is_closed_to_others() {
        let link = ("/home/ada/l", StepPlace::Link, ADA, ADA, 0o777);
        let closed = ("/home/ada", StepPlace::Above, ADA, ADA, 0o700);
        let open = ("/etc", StepPlace::Above, 0, 0, 0o755);
        let inside = ("/home/ada/f", StepPlace::End, ADA, ADA, 0o644);
        assert_eq!(fault_at(&ada(), Purpose::Secret, &[closed, inside]), None);
        // The directory of the link says nothing about the file.
        let outside = ("/etc/f", StepPlace::End, ADA, ADA, 0o644);
        let fault = Some(("/etc/f".into(), TrustFault::OthersRead));
        assert_eq!(fault_at(&ada(), Purpose::Secret, &[closed, link, open, outside]), fault);
        let written = ("/home/ada/f", StepPlace::End, ADA, ADA, 0o666);
        assert_eq!(
            fault_at(&ada(), Purpose::Secret, &[closed, written]),
            Some(("/home/ada/f".into(), TrustFault::AllWrite))
        );
    }

    #[test]
    fn a_read_only_mount_of_its_own_excuses_what_is_on_it_and_nothing_above() {
        let system = Fake { mount: Some("/etc/m".into()), ..ada() };
        let above = |uid| ("/etc", StepPlace::Above, uid, 0, 0o755);
        let rest = [("/etc/m", StepPlace::Above, 0, 0, 0o777), ("/etc/m/f", StepPlace::End, MALLORY, 0, 0o444)];
        for purpose in [Purpose::Configuration, Purpose::Secret] {
            assert_eq!(fault_at(&system, purpose, &[above(0), rest[0], rest[1]]), None);
            let fault = fault_at(&system, purpose, &[above(MALLORY), rest[0], rest[1]]);
            assert_eq!(fault, Some(("/etc".into(), TrustFault::Owner)));
        }
        let fault = fault_at(&system, Purpose::DataDirectory, &[above(0), rest[0], rest[1]]);
        assert_eq!(fault, Some(("/etc/m".into(), TrustFault::AllWrite)));
    }

    #[test]
    fn in_a_namespace_without_root_only_directories_may_have_the_overflow_owner() {
        let system = Fake { in_namespace: true, ..ada() };
        let home = ("/home", StepPlace::Above, OVERFLOW, OVERFLOW, 0o755);
        let fault_of_file =
            |uid| fault_at(&system, Purpose::Configuration, &[home, ("/home/f", StepPlace::End, uid, 0, 0o644)]);
        assert_eq!(fault_of_file(ADA), None);
        assert_eq!(fault_of_file(OVERFLOW), Some(("/home/f".into(), TrustFault::Owner)));
    }
}
