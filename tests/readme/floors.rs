//! The architecture that CONTRIBUTING.md draws: imports go down the floors, and no two files import each other.
//!
//! A folder's `mod.rs` may use its own children; that is not counted. Tests inside `src` may use anything.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use super::pages::root;

type Module = Vec<String>;

/// From the ground up; a floor may import those before it.
const FLOORS: [&str; 20] = [
    "domain",
    "fault_point",
    "format",
    "trust",
    "local_server",
    "terminal",
    "platform",
    "oauth",
    "config",
    "live_configuration",
    "demo",
    "secrets",
    "tokens",
    "request_log",
    "engine",
    "dashboard",
    "notifications",
    "dashboard_loop",
    "keepalive",
    "cli",
];

/// Modules that are compiled for tests only.
const TESTS: [&str; 2] = ["tests", "fixtures"];

/// Every module with its text, without what is compiled for tests only.
fn sources() -> BTreeMap<Module, String> {
    let mut sources = BTreeMap::new();
    collect(&root().join("src"), &[], &mut sources);
    sources
}

fn collect(dir: &Path, module: &[String], sources: &mut BTreeMap<Module, String>) {
    for entry in fs::read_dir(dir).expect("src can be read").filter_map(Result::ok) {
        let name = entry.file_name().into_string().expect("names are UTF-8");
        let mut own = module.to_vec();
        if entry.path().is_dir() {
            if !TESTS.contains(&&*name) {
                own.push(name);
                collect(&entry.path(), &own, sources);
            }
        } else if let Some(stem) = name.strip_suffix(".rs").filter(|stem| !TESTS.contains(stem)) {
            if !["mod", "lib", "main"].contains(&stem) {
                own.push(stem.to_owned());
            }
            let text = fs::read_to_string(entry.path()).expect("sources are UTF-8");
            let text = text.split("\n#[cfg(test)]\nmod ").next().unwrap_or_default().to_owned();
            sources.entry(own).or_default().push_str(&text);
        }
    }
}

/// The modules that each module imports: paths from `crate`, in `use` declarations and elsewhere.
fn imports(sources: &BTreeMap<Module, String>) -> BTreeMap<&Module, BTreeSet<Module>> {
    let mut imports = BTreeMap::new();
    for (module, text) in sources {
        let code: String =
            text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n");
        let mut found = BTreeSet::new();
        for path in code.split("crate::").skip(1) {
            for path in expand(path) {
                let target =
                    (0..=path.len()).rev().map(|length| &path[..length]).find(|path| sources.contains_key(*path));
                found.extend(target.filter(|target| !target.starts_with(module)).map(<[String]>::to_vec));
            }
        }
        imports.insert(module, found);
    }
    imports
}

/// `a::{b, c::D}` as `a::b` and `a::c::D`; what follows is cut off.
fn expand(text: &str) -> Vec<Module> {
    let end = text.find(|c: char| !(c.is_alphanumeric() || "_:".contains(c))).unwrap_or(text.len());
    let before: Module = text[..end].split("::").filter(|part| !part.is_empty()).map(str::to_owned).collect();
    let Some(inside) = text[end..].strip_prefix('{') else { return vec![before] };
    let inside = inside.split('}').next().unwrap_or_default();
    let path = |item: &str| before.iter().cloned().chain(item.trim().split("::").map(str::to_owned)).collect();
    inside.split(',').filter(|item| !item.trim().is_empty()).map(path).collect()
}

#[test]
fn imports_go_down_the_floors() {
    let sources = sources();
    let floor = |module: &[String]| module.first().and_then(|name| FLOORS.iter().position(|floor| floor == name));
    for (module, targets) in imports(&sources) {
        for target in targets {
            if let (Some(from), Some(to)) = (floor(module), floor(&target)) {
                assert!(to <= from, "{} imports {}, which is above it", module.join("::"), target.join("::"));
            }
        }
    }
    let folders: BTreeSet<_> = sources.keys().filter_map(|module| module.first()).collect();
    let unknown: Vec<_> = folders.into_iter().filter(|name| !FLOORS.contains(&name.as_str())).collect();
    assert!(unknown.is_empty(), "{unknown:?} have no floor");
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    let sources = sources();
    let mut rest = imports(&sources);
    // What imports nothing that is left cannot be part of a circle.
    loop {
        let free: Vec<Module> = rest
            .iter()
            .filter(|(_, targets)| targets.iter().all(|target| !rest.contains_key(target)))
            .map(|(module, _)| (*module).clone())
            .collect();
        if free.is_empty() {
            break;
        }
        rest.retain(|module, _| !free.contains(module));
    }
    let circle: Vec<_> = rest.keys().map(|module| module.join("::")).collect();
    assert!(circle.is_empty(), "in a circle, or above one: {circle:?}");
}

#[test]
fn no_file_is_longer_than_400_lines() {
    for (module, _) in sources() {
        let path = root().join("src").join(module.join("/"));
        let file = [path.with_extension("rs"), path.join("mod.rs"), path.join("lib.rs")]
            .into_iter()
            .find(|file| file.is_file());
        let lines = file.map_or(0, |file| fs::read_to_string(file).expect("sources are UTF-8").lines().count());
        assert!(lines <= 400, "{} has {lines} lines", module.join("::"));
    }
}
