//! The way to a file: every directory and link that decides which file a path means.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::fs::Metadata;
use std::io::ErrorKind;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Component, Path, PathBuf};
use std::{fs, io};

/// The most links that are followed; systems follow no more either.
const MOST_LINKS: usize = 40;

/// What a step of the way is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum StepPlace {
    /// A directory above.
    Above,
    /// A link.
    Link,
    /// What the path means in the end.
    End,
}

/// One step of the way.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct WalkStep {
    /// Resolved, except for the last part if this is a link.
    pub(super) path: PathBuf,
    pub(super) place: StepPlace,
    pub(super) uid: u32,
    pub(super) gid: u32,
    /// Only the permission bits.
    pub(super) mode: u32,
    pub(super) is_dir: bool,
}

impl WalkStep {
    fn new(path: PathBuf, place: StepPlace, found: &Metadata) -> Self {
        let (uid, gid, mode) = (found.uid(), found.gid(), found.mode() & 0o7777);
        Self { path, place, uid, gid, mode, is_dir: found.is_dir() }
    }
}

/// The steps to an absolute path, from the root on; without an end if it does not exist.
pub(super) fn steps(path: &Path) -> Result<Vec<WalkStep>, (PathBuf, io::Error)> {
    let mut at = PathBuf::from("/");
    let mut steps = vec![inspect(&at, StepPlace::Above)?];
    let mut rest = parts(path);
    let mut links = 0;
    while let Some(part) = rest.pop_front() {
        if part == ".." {
            at.pop();
            continue;
        }
        let next = at.join(&part);
        let found = match fs::symlink_metadata(&next) {
            Ok(found) => found,
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(steps),
            Err(error) => return Err((next, error)),
        };
        if !found.is_symlink() {
            let place = if rest.is_empty() { StepPlace::End } else { StepPlace::Above };
            steps.push(WalkStep::new(next.clone(), place, &found));
            at = next;
            continue;
        }
        steps.push(WalkStep::new(next.clone(), StepPlace::Link, &found));
        links += 1;
        if links > MOST_LINKS {
            return Err((next, io::Error::other("too many links")));
        }
        let target = fs::read_link(&next).map_err(|error| (next.clone(), error))?;
        if let Some(end) = nameless(&next, &at.join(&target)) {
            steps.push(WalkStep::new(next, StepPlace::End, &end));
            return Ok(steps);
        }
        if target.is_absolute() {
            at = PathBuf::from("/");
        }
        for part in parts(&target).into_iter().rev() {
            rest.push_front(part);
        }
    }
    // A path that ends in `..` or leads to the root means a directory that was passed.
    if steps.last().is_some_and(|step| step.place != StepPlace::End) {
        steps.push(inspect(&at, StepPlace::End)?);
    }
    Ok(steps)
}

/// The target of a link that has no path, such as the pipe of `/dev/fd/63`.
fn nameless(link: &Path, target: &Path) -> Option<Metadata> {
    let end = fs::metadata(link).ok()?;
    matches!(fs::symlink_metadata(target), Err(error) if error.kind() == ErrorKind::NotFound).then_some(end)
}

fn inspect(path: &Path, place: StepPlace) -> Result<WalkStep, (PathBuf, io::Error)> {
    let found = fs::symlink_metadata(path).map_err(|error| (path.to_owned(), error))?;
    Ok(WalkStep::new(path.to_owned(), place, &found))
}

fn parts(path: &Path) -> VecDeque<OsString> {
    let part = |component: Component<'_>| match component {
        Component::Normal(part) => Some(part.to_owned()),
        Component::ParentDir => Some("..".into()),
        Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
    };
    path.components().filter_map(part).collect()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::{Path, PathBuf};

    use super::{StepPlace, steps};

    /// The steps below a directory.
    fn below(dir: &Path, path: &str) -> Vec<(PathBuf, StepPlace)> {
        let steps = steps(&dir.join(path)).unwrap();
        let inside = steps.into_iter().filter_map(|step| {
            let path = step.path.strip_prefix(dir).ok().filter(|path| *path != Path::new(""))?;
            Some((path.to_owned(), step.place))
        });
        inside.collect()
    }

    #[test]
    fn both_the_way_to_a_link_and_to_its_target_are_walked() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        for made in ["links", "real/deep"] {
            fs::create_dir_all(dir.join(made)).unwrap();
        }
        fs::write(dir.join("real/deep/file"), "").unwrap();
        symlink("../real/deep", dir.join("links/to_dir")).unwrap();
        symlink(dir.join("links/to_dir/file"), dir.join("links/to_file")).unwrap();
        let expected = [
            ("links", StepPlace::Above),
            ("links/to_file", StepPlace::Link),
            ("links", StepPlace::Above),
            ("links/to_dir", StepPlace::Link),
            ("real", StepPlace::Above),
            ("real/deep", StepPlace::Above),
            ("real/deep/file", StepPlace::End),
        ];
        assert_eq!(below(&dir, "links/to_file"), expected.map(|(path, place)| (path.into(), place)));
    }

    #[test]
    fn a_missing_path_has_no_end_and_a_circle_of_links_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let dir = dir.path().canonicalize().unwrap();
        fs::create_dir(dir.join("a")).unwrap();
        assert_eq!(below(&dir, "a/b/c"), [("a".into(), StepPlace::Above)]);
        let end = steps(&dir.join("a/../a/.")).unwrap().pop().unwrap();
        assert_eq!((end.path, end.place), (dir.join("a"), StepPlace::End));
        assert_eq!(steps(Path::new("/")).unwrap().last().unwrap().place, StepPlace::End);
        symlink("circle", dir.join("circle")).unwrap();
        assert!(steps(&dir.join("circle/x")).is_err());
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_pipe_without_a_name_is_an_end() {
        use std::os::fd::AsRawFd as _;
        let (reader, _writer) = std::io::pipe().unwrap();
        let end = steps(&PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()))).unwrap().pop().unwrap();
        assert_eq!((end.place, end.mode), (StepPlace::End, 0o600));
    }
}
