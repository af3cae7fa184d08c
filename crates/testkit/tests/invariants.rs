//! Reads the tree and holds the invariants of docs/ARCHITECTURE.md that can be read off it.

use std::fs;
use std::path::{Path, PathBuf};

fn crates() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("a crate is in a folder").to_owned()
}

/// The Rust files below a folder.
fn sources(folder: &Path) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).expect("the folder is readable") {
        let path = entry.expect("the folder is readable").path();
        if path.is_dir() {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push((path.clone(), fs::read_to_string(&path).expect("sources are UTF-8")));
        }
    }
    found
}

/// Lines of the product's code of a crate (not its tests) that contain one of `words`, comments apart.
fn lines_with(name: &str, words: &[&str]) -> Vec<String> {
    let mut hits = Vec::new();
    for (path, text) in sources(&crates().join(name).join("src")) {
        let is_test =
            path.components().any(|part| part.as_os_str() == "tests" || part.as_os_str() == "tests.rs");
        if is_test {
            continue;
        }
        let product = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in product.lines().enumerate() {
            let code = line.split("//").next().unwrap_or_default();
            if words.iter().any(|word| code.contains(word)) {
                hits.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    hits
}

fn dependencies(name: &str) -> Vec<String> {
    let text = fs::read_to_string(crates().join(name).join("Cargo.toml")).expect("a crate has a manifest");
    let dependencies = text.split("[dependencies]").nth(1).unwrap_or_default();
    let dependencies = dependencies.split("\n[").next().unwrap_or_default();
    dependencies.lines().filter_map(|line| line.split(['.', ' ', '=']).next()).map(str::to_owned).collect()
}

const NONE: Vec<String> = Vec::new();

#[test]
fn core_does_no_io() {
    let io = ["std::fs", "std::net", "std::process", "SystemTime", "async fn", "tokio", "rusqlite", "axum"];
    assert_eq!(lines_with("core", &io), NONE);
}

#[test]
fn only_db_names_a_database_driver() {
    for name in ["core", "store", "blob", "server", "web", "client", "cli"] {
        assert_eq!(lines_with(name, &["rusqlite::", "tokio_postgres::"]), NONE);
        let drivers: Vec<_> = dependencies(name)
            .into_iter()
            .filter(|name| name == "rusqlite" || name == "tokio-postgres")
            .collect();
        assert_eq!(drivers, NONE, "crate {name}");
    }
}

#[test]
fn only_store_contains_sql() {
    let statements = ["\"SELECT ", "\"INSERT INTO", "\"UPDATE ", "\"DELETE FROM", "SELECT {"];
    for name in ["core", "blob", "web", "client", "cli"] {
        assert_eq!(lines_with(name, &statements), NONE);
    }
    let server: Vec<_> =
        lines_with("server", &statements).into_iter().filter(|line| !line.contains("\"SELECT 1\"")).collect();
    assert_eq!(server, NONE);
}

#[test]
fn statements_keep_to_the_portable_subset() {
    let words =
        ["ILIKE ", "DISTINCT ON", "GREATEST(", "FOR UPDATE", "::bigint", "::text", "now()", "DEFERRABLE"];
    let hits: Vec<_> =
        lines_with("store", &words).into_iter().filter(|line| !line.contains("clock.now()")).collect();
    assert_eq!(hits, NONE);
}

#[test]
fn arrows_only_go_down() {
    let layers = ["core", "db", "store", "server", "web", "cli"];
    for (layer, name) in layers.iter().enumerate() {
        let above: Vec<String> = layers[layer + 1..].iter().map(|name| format!("modelry-{name}")).collect();
        let upward: Vec<_> = dependencies(name).into_iter().filter(|name| above.contains(name)).collect();
        assert_eq!(upward, NONE, "crate {name}");
    }
}

#[test]
fn the_client_knows_nothing_of_the_server_but_its_words() {
    let ours: Vec<_> =
        dependencies("client").into_iter().filter(|name| name.starts_with("modelry-")).collect();
    assert_eq!(ours, ["modelry-core"]);
}

#[test]
fn only_one_file_maps_errors_to_http_status() {
    let hits: Vec<_> = lines_with("server", &["Kind::NotFound =>", "Kind::Forbidden =>"])
        .into_iter()
        .filter(|line| !line.contains("/server/src/error.rs"))
        .collect();
    assert_eq!(hits, NONE);
}

/// A crate that is not optimised shares what it makes of generic code with the crates built on it: JSON was written four
/// times slower because one below the server was not.
#[test]
fn nothing_that_the_server_is_built_on_is_left_unoptimised() {
    let workspace = crates().parent().expect("the crates are in the workspace").join("Cargo.toml");
    let text = fs::read_to_string(workspace).expect("the workspace has a manifest");
    let packages = text.split("[profile.release.package.").skip(1);
    let unoptimised: Vec<&str> = packages
        .filter(|package| package.split("\n\n").next().is_some_and(|lines| lines.contains("opt-level = 0")))
        .filter_map(|package| package.split(']').next())
        .collect();
    assert_eq!(unoptimised, ["modelry-web", "modelry-client", "modelry", "clap_builder"]);
}
