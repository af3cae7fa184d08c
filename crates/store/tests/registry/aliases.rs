use modelry_core::Kind;
use modelry_core::ids::{ModelId, UserId, VersionId};
use modelry_db::Db;
use modelry_store::models;
use modelry_store::versions::{self, Mover};
use modelry_testkit::both;

use crate::given::{
    LATER, PROJECT, after_at, after_slash, all_published, churn, delete, find_model, insert_model, mover,
    new_model, new_version, read, register, write,
};

/// Points an alias of `churn` at the version of this number; `id` is the move's.
async fn point(db: &Db, id: i64, alias: &str, number: i64) {
    let version = after_slash(db, &number.to_string()).await.expect("the version is there");
    let (alias, mover) = (alias.to_owned(), Mover { user: Some(UserId(7)), ..mover(id) });
    write(db, move |tx| versions::set_alias(tx, PROJECT, &version, &alias, &mover)).await;
}

/// Removes an alias of `churn`.
async fn remove(db: &Db, id: i64, alias: &str) -> bool {
    let (alias, mover) = (alias.to_owned(), mover(id));
    write(db, move |tx| {
        let model = models::get_by_name(tx, PROJECT, "churn")?;
        versions::delete_alias(tx, PROJECT, &model, &alias, &mover)
    })
    .await
}

/// The aliases of `churn`, with the sequence numbers that they point at.
async fn all(db: &Db) -> Vec<(String, i64)> {
    let mut all = read(db, |tx| versions::aliases(tx, PROJECT, &[ModelId(1), ModelId(2)])).await;
    let aliases = all.remove(&ModelId(1)).unwrap_or_default();
    aliases.into_iter().map(|alias| (alias.name, alias.number)).collect()
}

/// The moves of all aliases of `churn`: from, to, by whom and when.
async fn moves(db: &Db) -> Vec<(String, Option<i64>, Option<i64>, Option<i64>)> {
    let number = |id: Option<i64>| id.map(|id| id - 1_000_000);
    read(db, move |tx| {
        tx.query(
            "SELECT name, from_version_id, to_version_id, user_id FROM alias_moves
             WHERE project_id = $1 AND model_id = 1 AND moved_at = $2 ORDER BY name, id",
            &[&PROJECT.0, &LATER.0],
            |row| Ok((row.get(0)?, number(row.get(1)?), number(row.get(2)?), row.get(3)?)),
        )
    })
    .await
}

fn pairs(aliases: &[(&str, i64)]) -> Vec<(String, i64)> {
    aliases.iter().map(|(name, number)| ((*name).to_owned(), *number)).collect()
}

async fn three(db: &Db) {
    churn(db).await;
    all_published(db, &["1.0.0", "1.1.0", "2.0.0"]).await;
}

both! {
    async fn an_alias_points_at_one_version(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        point(&db, 2, "challenger", 2).await;
        point(&db, 3, "champion", 3).await;
        assert_eq!(all(&db).await, pairs(&[("challenger", 2), ("champion", 3)]));
        assert_eq!(after_at(&db, "champion").await.expect("it points there").number, 3);
        assert_eq!(find_model(&db, "churn").await.map(|model| model.updated_at), Some(LATER));
    }

    async fn a_version_has_as_many_as_point_at_it(db: Db) {
        three(&db).await;
        point(&db, 1, "b", 1).await;
        point(&db, 2, "a", 1).await;
        let ids = [VersionId(1_000_001), VersionId(1_000_002)];
        let details = read(&db, move |tx| versions::details(tx, PROJECT, &ids)).await;
        assert_eq!(details[&ids[0]].aliases, ["a", "b"]);
        assert_eq!(details[&ids[1]].aliases, [""; 0]);
    }

    async fn each_move_is_remembered(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        point(&db, 2, "champion", 2).await;
        remove(&db, 3, "champion").await;
        let champion = |from, to, user| ("champion".to_owned(), from, to, user);
        assert_eq!(
            moves(&db).await,
            [
                champion(None, Some(1), Some(7)),
                champion(Some(1), Some(2), Some(7)),
                champion(Some(2), None, None)
            ]
        );
    }

    async fn a_move_to_where_it_is_already_is_none(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        point(&db, 2, "champion", 1).await;
        assert_eq!(moves(&db).await.len(), 1);
    }

    async fn an_alias_is_removed_once(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        assert_eq!((remove(&db, 2, "champion").await, remove(&db, 3, "champion").await), (true, false));
        assert_eq!(all(&db).await, []);
        assert_eq!(moves(&db).await.len(), 2);
        let error = after_at(&db, "champion").await.expect_err("it is gone");
        let message = "Registered model alias champion not found.";
        assert_eq!((error.kind(), error.message()), (Kind::NotFound, message));
    }

    async fn deleting_a_version_removes_its_aliases_and_no_others(db: Db) {
        three(&db).await;
        for (id, alias, number) in [(1, "a", 1), (2, "b", 1), (3, "c", 2)] {
            point(&db, id, alias, number).await;
        }
        let first = after_slash(&db, "1").await.expect("it is there");
        delete(&db, &first).await;
        assert_eq!(all(&db).await, pairs(&[("c", 2)]));
        let gone: Vec<_> = moves(&db).await.into_iter().filter(|(_, _, to, _)| to.is_none()).collect();
        assert_eq!(gone, [("a".to_owned(), Some(1), None, None), ("b".to_owned(), Some(1), None, None)]);
    }

    async fn a_restored_version_has_no_aliases(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        let first = after_slash(&db, "1").await.expect("it is there");
        delete(&db, &first).await;
        write(&db, move |tx| versions::restore(tx, PROJECT, first.id, LATER)).await;
        assert_eq!(all(&db).await, []);
    }

    async fn a_restored_model_has_its_aliases_again(db: Db) {
        three(&db).await;
        point(&db, 1, "champion", 1).await;
        write(&db, |tx| models::delete(tx, PROJECT, "churn", LATER)).await;
        write(&db, |tx| models::restore(tx, PROJECT, ModelId(1), LATER)).await;
        assert_eq!(after_at(&db, "champion").await.expect("it points there").number, 1);
    }

    async fn each_model_has_aliases_of_its_own(db: Db) {
        three(&db).await;
        insert_model(&db, new_model(2, "other")).await;
        let new = versions::NewVersion { model: "other".to_owned(), ..new_version(9) };
        let other = register(&db, new, versions::Source::Outside).await;
        point(&db, 1, "champion", 1).await;
        write(&db, move |tx| versions::set_alias(tx, PROJECT, &other, "champion", &mover(2))).await;
        assert_eq!(all(&db).await, pairs(&[("champion", 1)]));
    }
}
