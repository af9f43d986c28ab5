//! The architecture that CONTRIBUTING.md draws: imports go down the floors, no two files import each other, and a type
//! name is unique in the crate.
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

/// The types that a file defines, each with whether it exists on some platforms only.
fn types(text: &str) -> Vec<(&str, bool)> {
    let mut types = Vec::new();
    let (mut is_item_conditional, mut is_module_conditional) = (false, false);
    for line in text.lines() {
        let code = line.trim_start();
        if code.starts_with("#[cfg(") {
            is_item_conditional = true;
        }
        if code.is_empty() || code.starts_with("#[") || code.starts_with("//") {
            continue;
        }
        let is_top_level = code.len() == line.len();
        if is_top_level {
            is_module_conditional = is_item_conditional && code.starts_with("mod ");
        }
        let item = match code.strip_prefix("pub") {
            Some(rest) => rest.trim_start_matches(|c| c != ' ').trim_start(),
            None => code,
        };
        // An indented `type` belongs to an implementation or a trait.
        if let Some((kind, rest)) = item.split_once(' ')
            && (["struct", "enum", "trait", "union"].contains(&kind) || kind == "type" && is_top_level)
        {
            let name = rest.split(|c: char| !(c.is_alphanumeric() || c == '_')).next().unwrap_or_default();
            types.push((name, is_item_conditional || is_module_conditional));
        }
        is_item_conditional = false;
    }
    types
}

/// Whether the `mod` declaration of a module, or of one around it, has a condition.
fn is_conditional(module: &[String], sources: &BTreeMap<Module, String>) -> bool {
    (1..=module.len()).any(|depth| {
        let declaration = format!("mod {};", module[depth - 1]);
        let lines: Vec<_> = sources.get(&module[..depth - 1]).map(|text| text.lines().collect()).unwrap_or_default();
        lines.windows(2).any(|pair| pair[0].starts_with("#[cfg(") && pair[1].ends_with(&declaration))
    })
}

#[test]
fn a_type_name_is_unique_in_the_crate() {
    let sources = sources();
    let mut definitions: BTreeMap<&str, Vec<(String, bool)>> = BTreeMap::new();
    for (module, text) in &sources {
        for (name, is_for_some_platforms) in types(text) {
            let is_variant = is_for_some_platforms || is_conditional(module, &sources);
            definitions.entry(name).or_default().push((module.join("::"), is_variant));
        }
    }
    let ambiguous: Vec<_> = definitions
        .into_iter()
        .filter(|(_, places)| places.len() > 1 && !places.iter().all(|(_, is_variant)| *is_variant))
        .map(|(name, places)| (name, places.into_iter().map(|(module, _)| module).collect::<Vec<_>>()))
        .collect();
    assert!(ambiguous.is_empty(), "more than one type has the name: {ambiguous:#?}");
}
