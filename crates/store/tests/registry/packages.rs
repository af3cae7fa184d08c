//! The list of packages, and what a deletion frees.

use modelry_core::Kind as ErrorKind;
use modelry_core::ids::{CandidateId, ExperimentId, VersionId};
use modelry_db::Db;
use modelry_store::files::Totals;
use modelry_store::packages::{self, Kind, MOST_LOOKED_AT, Package, Position, Wanted};
use modelry_store::versions::Source;
use modelry_store::{candidates, models};
use modelry_testkit::both;

use crate::given::{
    self, LATER, PROJECT, candidate, churn, delete, draft, eid, files_below, of_candidate, of_version, put,
    read, register, wishing, write,
};

fn called(package: &Package) -> String {
    format!("{} {}", package.name, package.version)
}

/// The names of all packages that are wanted, in pages of `limit`.
async fn listed(db: &Db, wanted: &Wanted, limit: usize) -> Vec<String> {
    let mut names = Vec::new();
    let mut after = Position::START;
    loop {
        let wanted = wanted.clone();
        let page = read(db, move |tx| packages::list(tx, PROJECT, &wanted, after, limit)).await;
        assert!(page.packages.len() <= limit);
        names.extend(page.packages.iter().map(called));
        // What a page says is what the next one is asked with.
        match page.next {
            Some(next) => after = next.to_string().parse().expect("a position"),
            None => return names,
        }
    }
}

async fn all(db: &Db) -> Vec<String> {
    listed(db, &Wanted::default(), 100).await
}

/// A candidate of experiment 1 with a file.
async fn with_file(db: &Db, number: i64, content: u8) {
    candidate(db, number).await;
    put(db, of_candidate(number), "model/weights.bin", content).await;
}

both! {
    async fn versions_and_candidates_with_files_are_packages_under_gitlabs_names(db: Db) {
        churn(&db).await;
        given::experiment(&db, 7, "other").await;
        with_file(&db, 3, 1).await;
        candidate(&db, 4).await;
        register(&db, wishing(1, "1.2.0"), files_below(of_candidate(3), None)).await;
        given::insert_model(&db, given::new_prompt(9, "a prompt")).await;
        let mut of_prompt = given::new_version(2);
        of_prompt.model = "a prompt".to_owned();
        register(&db, of_prompt, Source::Nothing).await;
        assert_eq!(all(&db).await, ["churn 1.2.0", "churn candidate_3"]);
    }

    async fn the_pages_together_are_the_list_whatever_their_size(db: Db) {
        churn(&db).await;
        for number in 1..=7 {
            with_file(&db, number, 1).await;
            draft(&db, number, &format!("1.0.{number}")).await;
        }
        let whole = all(&db).await;
        assert_eq!(whole.len(), 14);
        for limit in [1, 2, 5, 13, 14] {
            assert_eq!(listed(&db, &Wanted::default(), limit).await, whole, "in pages of {limit}");
        }
    }

    async fn the_newest_comes_first_whichever_kind_it_is(db: Db) {
        churn(&db).await;
        with_file(&db, 1, 1).await;
        let mut newer = wishing(1, "1.0.0");
        newer.created_at = LATER;
        register(&db, newer, Source::Nothing).await;
        assert_eq!(all(&db).await, ["churn 1.0.0", "churn candidate_1"]);
        let mut newest = given::new_candidate(2);
        newest.created_at = LATER.plus_ms(1);
        write(&db, move |tx| candidates::insert(tx, PROJECT, &newest)).await;
        put(&db, of_candidate(2), "a", 1).await;
        assert_eq!(all(&db).await, ["churn candidate_2", "churn 1.0.0", "churn candidate_1"]);
    }

    async fn one_kind_is_listed_alone(db: Db) {
        churn(&db).await;
        with_file(&db, 1, 1).await;
        draft(&db, 1, "1.0.0").await;
        let only = |kind| Wanted { kind: Some(kind), part: String::new() };
        assert_eq!(listed(&db, &only(Kind::Version), 10).await, ["churn 1.0.0"]);
        assert_eq!(listed(&db, &only(Kind::Candidate), 10).await, ["churn candidate_1"]);
    }

    async fn a_search_finds_a_part_of_the_name_in_any_case(db: Db) {
        churn(&db).await;
        draft(&db, 1, "1.0.0").await;
        with_file(&db, 1, 1).await;
        given::experiment(&db, 12, "free").await;
        let mut free = given::new_candidate(2);
        free.experiment_id = ExperimentId(12);
        write(&db, move |tx| candidates::insert(tx, PROJECT, &free)).await;
        put(&db, of_candidate(2), "a", 1).await;
        let search = |part: &str| Wanted { kind: None, part: part.to_owned() };
        assert_eq!(listed(&db, &search("CHU"), 10).await, ["churn 1.0.0", "churn candidate_1"]);
        assert_eq!(listed(&db, &search("experiment_12"), 10).await, ["ml_experiment_12 candidate_2"]);
        assert_eq!(listed(&db, &search("nothing"), 10).await, [""; 0]);
    }

    async fn what_is_in_the_bin_is_no_package(db: Db) {
        churn(&db).await;
        let version = draft(&db, 1, "1.0.0").await;
        with_file(&db, 1, 1).await;
        with_file(&db, 2, 1).await;
        delete(&db, &version).await;
        write(&db, |tx| candidates::delete(tx, PROJECT, &eid(2).parse()?, LATER)).await;
        assert_eq!(all(&db).await, ["churn candidate_1"]);
        assert_eq!(read(&db, |tx| packages::find_version(tx, PROJECT, VersionId(1_000_001))).await, None);
        let gone = db.read(|tx| packages::get_candidate(tx, PROJECT, CandidateId(2))).await;
        assert_eq!(gone.expect_err("it is in the bin").kind(), ErrorKind::Invalid);
        write(&db, |tx| models::delete(tx, PROJECT, "churn", LATER)).await;
        assert_eq!(all(&db).await, [""; 0]);
    }

    async fn a_page_looks_at_no_more_than_so_many_and_the_next_goes_on(db: Db) {
        churn(&db).await;
        let numbers: Vec<i64> = (1..=i64::try_from(MOST_LOOKED_AT).expect("a number") + 10).collect();
        for some in numbers.chunks(500) {
            let some = some.to_vec();
            write(&db, move |tx| {
                for number in &some {
                    candidates::insert(tx, PROJECT, &given::new_candidate(*number))?;
                }
                Ok(())
            })
            .await;
        }
        given::put_in_all(&db, &numbers).await;
        let wanted = Wanted { kind: None, part: "no such name".to_owned() };
        let first = read(&db, {
            let wanted = wanted.clone();
            move |tx| packages::list(tx, PROJECT, &wanted, Position::START, 10)
        })
        .await;
        assert_eq!((first.packages.len(), first.next.is_some()), (0, true));
        assert_eq!(listed(&db, &wanted, 10).await, [""; 0]);
    }

    async fn a_deletion_frees_what_nothing_else_refers_to(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        for (path, content) in [("a", 1), ("b", 1), ("c", 2)] {
            put(&db, of_candidate(1), path, content).await;
        }
        let version = register(&db, wishing(1, "1.0.0"), files_below(of_candidate(1), None)).await;
        let figures = |db: Db| async move {
            read(&db, |tx| {
                let package = packages::find_version(tx, PROJECT, VersionId(1_000_001))?.expect("a package");
                Ok((package.totals(tx, PROJECT)?, package.frees(tx, PROJECT)?))
            })
            .await
        };
        let totals = Totals { files: 3, size_bytes: 101 + 101 + 102 };
        assert_eq!(figures(db.clone()).await, (totals, 0));
        given::delete_files(&db, of_candidate(1), "c").await;
        assert_eq!(figures(db.clone()).await, (totals, 102));
        given::delete_files(&db, of_candidate(1), "a").await;
        assert_eq!(figures(db.clone()).await, (totals, 102), "candidate 1 still has b, of the same bytes");
        given::delete_files(&db, of_candidate(1), "b").await;
        assert_eq!(figures(db.clone()).await, (totals, 101 + 102), "equal bytes lie there once");
        assert_eq!(given::contents(&db, of_version(&version)).await.len(), 3);
    }

    async fn deleting_a_draft_frees_nothing_as_its_candidate_keeps_the_files(db: Db) {
        churn(&db).await;
        let made = draft(&db, 1, "1.0.0").await;
        put(&db, of_candidate(made.candidate_id.expect("one is made").0), "a", 1).await;
        let frees = read(&db, |tx| {
            let package = packages::find_version(tx, PROJECT, VersionId(1_000_001))?.expect("a package");
            Ok((package.totals(tx, PROJECT)?.files, package.frees(tx, PROJECT)?))
        });
        assert_eq!(frees.await, (1, 0));
    }
}
