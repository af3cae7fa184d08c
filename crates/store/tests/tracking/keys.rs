use std::collections::BTreeSet;
use std::sync::Arc;

use modelry_core::ids::ProjectId;
use modelry_store::ids::Ids;
use modelry_store::keys::{self, Keys};
use modelry_testkit::both;
use tokio::task::JoinSet;

use crate::given::{PROJECT, write};

both! {
    async fn a_name_has_one_number_however_many_ask_at_once(db: Db) {
        let ids = Arc::new(Ids::new(db.clone()));
        let mut askers = JoinSet::new();
        // Each asker has a memory of its own, as each process has.
        for asker in 0..8 {
            let (db, ids) = (db.clone(), ids.clone());
            askers.spawn(async move {
                let mut names = ["loss", "accuracy", "recall", "depth"];
                names.rotate_left(asker % 4);
                let numbers = Keys::default().intern(&db, &ids, PROJECT, &names).await.expect("numbers");
                names.into_iter().zip(numbers).collect::<BTreeSet<_>>()
            });
        }
        let answers: BTreeSet<_> = askers.join_all().await.into_iter().collect();
        assert_eq!(answers.len(), 1, "{answers:?}");
        let numbers: BTreeSet<_> = answers.first().expect("one").iter().map(|pair| pair.1).collect();
        assert_eq!(numbers.len(), 4, "{answers:?}");
    }

    async fn numbers_come_in_the_order_of_the_names_and_are_remembered(db: Db) {
        let (ids, known) = (Ids::new(db.clone()), Keys::default());
        let first = known.intern(&db, &ids, PROJECT, &["b", "a"]).await.expect("numbers");
        let again = known.intern(&db, &ids, PROJECT, &["a", "b", "c", "a"]).await.expect("numbers");
        assert_eq!((again[0], again[1], again[3]), (first[1], first[0], first[1]));
        assert!(!first.contains(&again[2]));
        assert_eq!(known.intern(&db, &ids, PROJECT, &[]).await.expect("numbers"), []);
    }

    async fn names_are_found_by_number_with_an_empty_memory(db: Db) {
        let ids = Ids::new(db.clone());
        let numbers = Keys::default().intern(&db, &ids, PROJECT, &["größe", "a/b"]).await.expect("numbers");
        let asked = numbers.clone();
        let names = write(&db, move |tx| Keys::default().names(tx, PROJECT, asked.iter().copied())).await;
        assert_eq!((&*names[&numbers[0]], &*names[&numbers[1]]), ("größe", "a/b"));
    }

    async fn a_name_is_known_to_its_project_only(db: Db) {
        let ids = Ids::new(db.clone());
        Keys::default().intern(&db, &ids, PROJECT, &["loss"]).await.expect("numbers");
        let found = write(&db, |tx| {
            Ok((keys::find(tx, PROJECT, "loss")?.is_some(), keys::find(tx, ProjectId(2), "loss")?))
        })
        .await;
        assert_eq!(found, (true, None));
    }
}
