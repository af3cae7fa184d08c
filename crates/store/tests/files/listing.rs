use std::collections::BTreeSet;

use modelry_core::artifact_path::ArtifactPath;
use modelry_core::ids::BlobId;
use modelry_db::Db;
use modelry_store::blobs;
use modelry_store::files::{self, Entry, NewFile, Position, Tree};
use modelry_testkit::both;

use crate::given::{ELSEWHERE, NOW, TREE, new_blob, path, put, read, write};

/// Puts files at all `paths`, with the same bytes.
async fn put_all(db: &Db, tree: Tree, paths: impl IntoIterator<Item = String>) {
    let paths: Vec<ArtifactPath> = paths.into_iter().map(|text| path(&text)).collect();
    write(db, |tx| blobs::insert_or_share(tx, &new_blob(1, 1))).await;
    for chunk in paths.chunks(500) {
        let chunk = chunk.to_vec();
        write(db, move |tx| {
            for path in &chunk {
                let file = NewFile { path: path.clone(), blob: BlobId(1), size_bytes: 101, modified_at: NOW };
                files::put(tx, tree, &file)?;
            }
            Ok(())
        })
        .await;
    }
}

/// The names in `dir` in pages of `limit`: directories end in `/`.
async fn names(db: &Db, tree: Tree, dir: Option<&str>, limit: usize) -> Vec<String> {
    let dir = dir.map(path);
    let mut names = Vec::new();
    let mut start: Option<Position> = None;
    loop {
        let (dir, from) = (dir.clone(), start);
        let page = read(db, move |tx| files::list_dir(tx, tree, dir.as_ref(), from.as_ref(), limit)).await;
        assert!(page.entries.len() <= limit);
        names.extend(page.entries.into_iter().map(|entry| match entry {
            Entry::Directory(name) => format!("{name}/"),
            Entry::File(file) => file.path,
        }));
        start = page.next.map(|next| Position::new(next.as_str()));
        if start.is_none() {
            return names;
        }
    }
}

/// What [`names`] has to answer, by looking at every path.
fn names_by_looking(paths: &BTreeSet<String>, dir: Option<&str>) -> Vec<String> {
    let prefix = dir.map_or(String::new(), |dir| format!("{dir}/"));
    let mut names = Vec::new();
    for rest in paths.iter().filter_map(|path| path.strip_prefix(&prefix)) {
        let name = match rest.split_once('/') {
            Some((directory, _)) => format!("{directory}/"),
            None => rest.to_owned(),
        };
        if names.last() != Some(&name) {
            names.push(name);
        }
    }
    names
}

both! {
    async fn a_directory_lists_its_own_names_only(db: Db) {
        let paths = ["model/MLmodel", "model/data/a", "model/data/b", "model-card.md", "model.bin", "z/é", "\u{10ffff}/x"];
        put_all(&db, TREE, paths.map(String::from)).await;

        assert_eq!(names(&db, TREE, None, 100).await, ["model-card.md", "model.bin", "model/", "z/", "\u{10ffff}/"]);
        assert_eq!(names(&db, TREE, Some("model"), 100).await, ["MLmodel", "data/"]);
        assert_eq!(names(&db, TREE, Some("model/data"), 100).await, ["a", "b"]);
    }
}

both! {
    async fn a_file_and_a_missing_directory_list_nothing(db: Db) {
        put_all(&db, TREE, ["a/b".to_owned()]).await;
        assert!(names(&db, TREE, Some("a/b"), 100).await.is_empty());
        assert!(names(&db, TREE, Some("c"), 100).await.is_empty());
        assert!(names(&db, ELSEWHERE, None, 100).await.is_empty());
    }
}

both! {
    async fn a_listed_file_has_its_size_and_time(db: Db) {
        put(&db, TREE, "dir/a", (1, 5)).await;
        let page = read(&db, |tx| files::list_dir(tx, TREE, Some(&path("dir")), None, 10)).await;
        let expected = files::File { path: "a".into(), size_bytes: 105, modified_at: NOW };
        assert_eq!(page.entries, [Entry::File(expected)]);
    }
}

both! {
    async fn large_directories_are_listed_whole_and_once(db: Db) {
        let files = (0..1_200).map(|number| format!("many/{number}"));
        let directories = (0..60).flat_map(|number| (0..20).map(move |file| format!("many/d{number}/{file}")));
        let paths: BTreeSet<String> = files.chain(directories).collect();
        put_all(&db, TREE, paths.clone()).await;

        for limit in [7, 1_000, 10_000] {
            let listed = names(&db, TREE, Some("many"), limit).await;
            assert_eq!(listed, names_by_looking(&paths, Some("many")), "pages of {limit}");
        }
    }
}

both! {
    async fn listings_agree_with_looking_at_every_path(db: Db) {
        for (tree, seed) in [(TREE, 1), (ELSEWHERE, 2)] {
            let paths = some_paths(seed);
            put_all(&db, tree, paths.clone()).await;
            for dir in [None, Some("a"), Some("a/b"), Some("ab"), Some("b/a-")] {
                for limit in [1, 2, 3, 50] {
                    let listed = names(&db, tree, dir, limit).await;
                    assert_eq!(listed, names_by_looking(&paths, dir), "{dir:?} in pages of {limit}");
                }
            }
        }
    }
}

both! {
    async fn the_whole_tree_is_listed_in_pages(db: Db) {
        let paths = some_paths(3);
        put_all(&db, TREE, paths.clone()).await;

        let mut listed: Vec<String> = Vec::new();
        loop {
            let after = listed.last().cloned();
            let page = read(&db, move |tx| files::list_all(tx, TREE, None, after.as_deref(), 7)).await;
            if page.is_empty() {
                break;
            }
            listed.extend(page.into_iter().map(|file| file.path));
        }

        assert_eq!(listed, paths.into_iter().collect::<Vec<_>>());
    }
}

/// Paths of names that sort around the slash, none of them both a file and a directory.
fn some_paths(seed: u64) -> BTreeSet<String> {
    let mut state = seed;
    let mut next = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).expect("31 bits") % below
    };
    let mut paths = BTreeSet::new();
    for _ in 0..120 {
        let depth = 1 + next(4);
        // Directories and files take different names, so that no path is both.
        let mut segments: Vec<&str> = (1..depth).map(|_| ["a", "b", "ab", "a-", "a0"][next(5)]).collect();
        segments.push(["f", "a.f", "-f", "0f", "af"][next(5)]);
        paths.insert(segments.join("/"));
    }
    paths
}
