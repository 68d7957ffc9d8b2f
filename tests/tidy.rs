//! The shape of the source tree: layers, map, file sizes, licences.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that cannot read the tree fails"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every Rust file below a folder, with its text.
fn rust_files(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut files = Vec::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|ext| ext == "rs") {
                let text = fs::read_to_string(&path).unwrap();
                files.push((path, text));
            }
        }
    }
    files.sort();
    files
}

/// The rows of the map in `lib.rs`: module to its position. `cli` stands without a link, because it
/// is not there without its feature.
fn map() -> BTreeMap<String, usize> {
    let text = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let rows = text
        .lines()
        .filter(|line| line.starts_with("//! | ") && !line.contains("layer"));
    let mut map = BTreeMap::new();
    for row in rows {
        let modules = row.split('|').nth(2).unwrap();
        for name in modules.split_whitespace() {
            // A link, or a plain word in backticks: what stands between the backticks counts.
            let name = name.split('`').nth(1).unwrap();
            let position = map.len();
            assert!(
                map.insert(name.to_owned(), position).is_none(),
                "`{name}` twice in the map"
            );
        }
    }
    map
}

/// The top-level module that a file belongs to.
fn module_of(path: &Path) -> String {
    let inside = path.strip_prefix(root().join("src")).unwrap();
    let first = inside
        .components()
        .next()
        .unwrap()
        .as_os_str()
        .to_string_lossy();
    first.trim_end_matches(".rs").to_owned()
}

/// The top-level modules that a text names behind `crate::`, outside comments and doc links.
fn imports(text: &str) -> BTreeSet<String> {
    let code = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    let mut found = BTreeSet::new();
    for line in code {
        for (at, _) in line.match_indices("crate::") {
            let rest = &line[at + "crate::".len()..];
            let end = rest
                .find(|c: char| !(c.is_alphanumeric() || c == '_'))
                .unwrap_or(rest.len());
            found.insert(rest[..end].to_owned());
        }
    }
    found
}

/// Whether a file holds tests only.
fn is_test(path: &Path) -> bool {
    let inside = path.strip_prefix(root()).unwrap();
    let mut parts = inside.components().map(|part| part.as_os_str());
    parts.any(|part| part == "tests" || part == "tests.rs")
}

#[test]
fn every_module_is_on_the_map() {
    let map = map();
    let lib = fs::read_to_string(root().join("src/lib.rs")).unwrap();
    let declared: BTreeSet<&str> = lib
        .lines()
        .filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';'))
        .collect();
    let mapped: BTreeSet<&str> = map.keys().map(String::as_str).collect();
    assert_eq!(declared, mapped);
    assert!(declared.len() >= 15, "the map was not read");
}

#[test]
fn imports_run_one_way() {
    let map = map();
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (path, text) in rust_files(&root().join("src")) {
        let module = module_of(&path);
        let Some(own) = map.get(&module).filter(|_| !is_test(&path)) else {
            continue;
        };
        // Tests inside a file may look up the layers: they stand behind this line.
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        for import in imports(code) {
            seen += 1;
            match map.get(&import) {
                Some(other) if other <= own => {}
                Some(_) => wrong.push(format!(
                    "{} imports `{import}`, which stands behind `{module}`",
                    path.display()
                )),
                None => wrong.push(format!(
                    "{} imports `{import}`, which is not on the map",
                    path.display()
                )),
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were read");
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn a_file_has_one_idea() {
    let long: Vec<String> = rust_files(&root().join("src"))
        .into_iter()
        .filter(|(path, text)| {
            // Tests are lists of cases; they are as long as there are cases.
            if is_test(path) {
                return false;
            }
            let code = text.split("#[cfg(test)]").next().unwrap();
            code.lines().count() > 600
        })
        .map(|(path, _)| path.display().to_string())
        .collect();
    assert!(long.is_empty(), "over 600 lines: {long:?}");
}

#[test]
fn every_module_says_what_it_is() {
    for (path, text) in rust_files(&root().join("src")) {
        let documented = text.starts_with("//!") || text.starts_with("#![doc");
        assert!(documented, "{} has no `//!`", path.display());
    }
}

#[test]
fn no_feature_gates_a_variant_or_a_field() {
    for (path, text) in rust_files(&root().join("src")) {
        for (n, line) in text.lines().enumerate() {
            let gate = line.trim_start().starts_with("#[cfg(feature");
            assert!(
                !gate || !line.starts_with(' '),
                "{}:{}: a feature gates a whole module",
                path.display(),
                n + 1
            );
        }
    }
}

/// The licences under which a dependency may stand.
const LICENCES: [&str; 13] = [
    "MIT",
    "Apache-2.0",
    "Apache-2.0 WITH LLVM-exception",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "Zlib",
    "Unicode-3.0",
    "Unlicense",
    "CC0-1.0",
    "0BSD",
    "BSL-1.0",
    // Of the list of authorities that TLS trusts, which is data.
    "CDLA-Permissive-2.0",
];

/// The platform of the compiler.
fn host() -> String {
    let rustc = std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into());
    let output = std::process::Command::new(rustc)
        .arg("-vV")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.unwrap().to_owned()
}

#[test]
fn every_dependency_has_a_free_licence() {
    // Only what this machine has built is here: packages of other platforms were not fetched.
    let output = std::process::Command::new(env!("CARGO"))
        .args(["metadata", "--format-version", "1", "--offline", "--locked"])
        .args(["--filter-platform", &host()])
        .current_dir(root())
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let metadata: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    let packages = metadata["packages"].as_array().unwrap();
    assert!(packages.len() > 50);
    for package in packages {
        let licence = package["license"].as_str().unwrap_or("");
        let allowed = licence.replace('/', " OR ").split(" OR ").any(|choice| {
            let choice = choice.trim_matches(['(', ')', ' ']);
            choice
                .split(" AND ")
                .all(|part| LICENCES.contains(&part.trim_matches(['(', ')', ' '])))
        });
        assert!(allowed, "{}: `{licence}`", package["name"]);
    }
}
