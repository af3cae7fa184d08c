//! What is upstream and downstream of what. Each edge is asked for from both of its ends.

use modelry_core::Kind;
use modelry_core::ids::{CandidateId, DatasetId, ExperimentId, ProjectId};
use modelry_core::lineage::{Direction, Edge, Node, NodeName};
use modelry_db::Db;
use modelry_store::candidates::{self, Entry};
use modelry_store::datasets::{self, Dataset, ModelOutput, NewInput};
use modelry_store::ids::Ids;
use modelry_store::keys::Keys;
use modelry_store::lineage::{Description, Look, describe, find, neighbours};
use modelry_store::models;
use modelry_store::versions::{ModelVersion, Source};
use modelry_testkit::both;

use crate::given::{
    LATER, NOW, PROJECT, candidate, churn, delete, eid, files_below, insert_model, logged_model, model_eid,
    new_model, new_version, of_candidate, of_logged_model, published, put, read, register, write,
};

/// Who sees everything.
pub(crate) const LOOK: Look = Look { project: PROJECT, sees_experiments: true, sees_pullers: true };

/// The edges that lead from a node in a direction, as `upstream relation downstream`.
pub(crate) async fn edges(db: &Db, look: Look, name: &str, direction: Direction) -> Vec<String> {
    found(db, look, name, direction).await.iter().map(line).collect()
}

pub(crate) async fn found(db: &Db, look: Look, name: &str, direction: Direction) -> Vec<Edge> {
    let name: NodeName = name.parse().expect("a node's name");
    read(db, move |tx| {
        let node = find(tx, look, &name)?;
        neighbours(tx, look, (&node, direction), 100)
    })
    .await
}

fn line(edge: &Edge) -> String {
    let relation = serde_json::to_value(edge.relation).expect("a word");
    format!("{} {} {}", edge.upstream, relation.as_str().expect("a word"), edge.downstream)
}

/// Asserts that an edge is found from both of its ends, once.
async fn assert_edge(db: &Db, upstream: &str, relation: &str, downstream: &str) {
    let expected = format!("{upstream} {relation} {downstream}");
    for (name, direction) in [(upstream, Direction::Down), (downstream, Direction::Up)] {
        let edges = edges(db, LOOK, name, direction).await;
        let times = edges.iter().filter(|edge| **edge == expected).count();
        assert_eq!(times, 1, "{expected}, {direction:?} from {name}: {edges:?}");
    }
}

/// How the search for a node fails.
async fn refusal(db: &Db, look: Look, name: &str) -> Kind {
    let name: NodeName = name.parse().expect("a node's name");
    let found = db.read(move |tx| find(tx, look, &name)).await;
    found.expect_err("there is nothing to find").kind()
}

async fn description(db: &Db, node: Node) -> Description {
    read(db, move |tx| describe(tx, PROJECT, &node)).await
}

/// Notes that a candidate of the experiment 1 used the dataset 1 and these logged models.
async fn use_inputs(db: &Db, number: i64, models: &[String]) {
    let models = models.to_vec();
    let input = NewInput {
        id: DatasetId(1),
        dataset: Dataset {
            name: "customers".to_owned(),
            digest: "d1".to_owned(),
            source_type: "local".to_owned(),
            source: "{\"uri\": \"customers.csv\"}".to_owned(),
            schema: None,
            profile: None,
        },
        tags: Vec::new(),
    };
    write(db, move |tx| datasets::log_inputs(tx, place(number), std::slice::from_ref(&input), &models)).await;
}

async fn note_output(db: &Db, number: i64, model: &str) {
    let output = ModelOutput { model_eid: model.to_owned(), step: 0 };
    write(db, move |tx| datasets::log_outputs(tx, place(number), std::slice::from_ref(&output))).await;
}

fn place(number: i64) -> candidates::Place {
    let (experiment, candidate) = (ExperimentId(1), CandidateId(number));
    candidates::Place { project: PROJECT, experiment, candidate, start_time: 0 }
}

/// Sets metadata of a candidate of the experiment 1.
async fn set_metadata(db: &Db, number: i64, name: &str, value: &str) {
    let ids = Ids::new(db.clone());
    // The first key has the number that the names of candidates made for versions have in these tests.
    let keys = Keys::default().intern(db, &ids, PROJECT, &["mlflow.runName"]).await;
    assert_eq!(keys.expect("a key").len(), 1);
    let keys = Keys::default().intern(db, &ids, PROJECT, &[name]).await.expect("a key");
    let entry = Entry { key: keys[0], name: name.to_owned(), value: value.to_owned() };
    write(db, move |tx| candidates::set_metadata(tx, place(number), std::slice::from_ref(&entry))).await;
}

async fn set_card(db: &Db, card: &'static str) {
    write(db, move |tx| models::set_description(tx, PROJECT, "churn", card, LATER)).await;
}

/// Makes a version of another model than `churn`.
async fn of_model(db: &Db, number: i64, model: &str) -> ModelVersion {
    let new = modelry_store::versions::NewVersion { model: model.to_owned(), ..new_version(number) };
    register(db, new, Source::Outside).await
}

both! {
    async fn a_dataset_comes_from_its_address_and_is_used_by_candidates(db: Db) {
        churn(&db).await;
        for number in [1, 2] {
            candidate(&db, number).await;
            use_inputs(&db, number, &[]).await;
        }
        assert_edge(&db, "source:customers.csv", "used", "dataset:1").await;
        assert_edge(&db, "dataset:1", "used", "candidate:1").await;
        assert_edge(&db, "dataset:1", "used", "candidate:2").await;
    }

    async fn a_logged_model_is_produced_by_one_candidate_and_used_by_another(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        candidate(&db, 2).await;
        let model = logged_model(&db, 1, Some(1), &[]).await.eid;
        note_output(&db, 1, &model).await;
        use_inputs(&db, 2, std::slice::from_ref(&model)).await;
        assert_edge(&db, "candidate:1", "produced", &format!("logged_model:{model}")).await;
        assert_edge(&db, &format!("logged_model:{model}"), "used", "candidate:2").await;
    }

    async fn a_logged_model_is_produced_by_a_candidate_that_only_says_so(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        let model = logged_model(&db, 1, None, &[]).await.eid;
        note_output(&db, 1, &model).await;
        assert_edge(&db, "candidate:1", "produced", &format!("logged_model:{model}")).await;
    }

    async fn a_candidate_is_the_child_of_the_one_it_is_within(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        candidate(&db, 2).await;
        set_metadata(&db, 2, "mlflow.parentRunId", &eid(1)).await;
        assert_edge(&db, "candidate:1", "child_of", "candidate:2").await;
    }

    async fn candidates_used_the_commit_that_they_ran(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        candidate(&db, 2).await;
        for number in [1, 2] {
            set_metadata(&db, number, "mlflow.source.git.commit", "4c50ebb0").await;
        }
        assert_edge(&db, "commit:4c50ebb0", "used", "candidate:1").await;
        assert_edge(&db, "commit:4c50ebb0", "used", "candidate:2").await;
        assert_eq!(refusal(&db, LOOK, "commit:4c50ebb1").await, Kind::NotFound);
    }

    async fn a_version_comes_from_the_candidate_whose_files_it_has(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        put(&db, of_candidate(1), "model/weights", 1).await;
        register(&db, new_version(1), files_below(of_candidate(1), Some("model"))).await;
        assert_edge(&db, "candidate:1", "registered_as", "version:1000001").await;
        assert_eq!(edges(&db, LOOK, "version:1000001", Direction::Up).await.len(), 1);
    }

    async fn a_version_of_another_run_than_it_names_comes_from_both(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        candidate(&db, 2).await;
        put(&db, of_candidate(1), "weights", 1).await;
        let mut new = new_version(1);
        new.run_eid = Some(eid(2));
        register(&db, new, files_below(of_candidate(1), None)).await;
        assert_edge(&db, "candidate:1", "registered_as", "version:1000001").await;
        assert_edge(&db, "candidate:2", "registered_as", "version:1000001").await;
    }

    async fn a_version_comes_from_its_logged_model_and_the_candidate_that_made_that(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        let model = logged_model(&db, 1, Some(1), &[]).await.eid;
        put(&db, of_logged_model(1), "weights", 1).await;
        register(&db, new_version(1), files_below(of_logged_model(1), None)).await;
        assert_edge(&db, &format!("logged_model:{model}"), "registered_as", "version:1000001").await;
        assert_edge(&db, "candidate:1", "registered_as", "version:1000001").await;
    }

    async fn a_version_that_names_one_logged_model_and_has_the_files_of_another_comes_from_both(db: Db) {
        churn(&db).await;
        let models = [logged_model(&db, 1, None, &[]).await.eid, logged_model(&db, 2, None, &[]).await.eid];
        put(&db, of_logged_model(1), "weights", 1).await;
        let mut new = new_version(1);
        new.logged_model_eid = Some(models[1].clone());
        register(&db, new, files_below(of_logged_model(1), None)).await;
        for model in models {
            assert_edge(&db, &format!("logged_model:{model}"), "registered_as", "version:1000001").await;
        }
    }

    async fn a_copy_comes_from_its_original(db: Db) {
        churn(&db).await;
        let original = published(&db, 1, "1.0.0").await;
        register(&db, new_version(2), Source::Copy(Box::new(original))).await;
        assert_edge(&db, "version:1000001", "copy_of", "version:1000002").await;
    }

    async fn a_version_of_files_elsewhere_comes_from_there(db: Db) {
        churn(&db).await;
        let mut new = new_version(1);
        new.source = format!("s3://bucket/{}", "m".repeat(500));
        let source = format!("source:{}", new.source);
        register(&db, new, Source::Outside).await;
        assert_edge(&db, &source, "registered_as", "version:1000001").await;
        assert_eq!(refusal(&db, LOOK, &format!("{source}2")).await, Kind::NotFound);
    }

    async fn a_semantic_version_in_place_of_a_source_is_none(db: Db) {
        churn(&db).await;
        let mut new = new_version(1);
        new.source = "1.0.0".to_owned();
        register(&db, new, Source::Nothing).await;
        let own = ["candidate:1001 registered_as version:1000001"];
        assert_eq!(edges(&db, LOOK, "version:1000001", Direction::Up).await, own);
    }

    async fn what_the_project_does_not_have_is_a_source_of_that_text(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        logged_model(&db, 1, Some(77), &[]).await;
        let unknown = model_eid(78).to_string();
        use_inputs(&db, 1, std::slice::from_ref(&unknown)).await;
        set_metadata(&db, 1, "mlflow.parentRunId", &eid(79)).await;
        let mut new = new_version(1);
        (new.run_eid, new.logged_model_eid) = (Some(eid(80)), Some(unknown.clone()));
        register(&db, new, Source::Nothing).await;
        assert_edge(&db, &format!("source:{}", eid(77)), "produced", &format!("logged_model:{}", model_eid(1))).await;
        assert_edge(&db, &format!("source:{unknown}"), "used", "candidate:1").await;
        assert_edge(&db, &format!("source:{}", eid(79)), "child_of", "candidate:1").await;
        assert_edge(&db, &format!("source:{}", eid(80)), "registered_as", "version:1000001").await;
        assert_edge(&db, &format!("source:{unknown}"), "registered_as", "version:1000001").await;
    }

    async fn a_logged_model_that_only_its_maker_knows_is_a_source(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        let unknown = model_eid(78).to_string();
        note_output(&db, 1, &unknown).await;
        assert_edge(&db, "candidate:1", "produced", &format!("source:{unknown}")).await;
    }

    async fn the_public_id_of_a_candidate_of_the_project_is_no_source(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        logged_model(&db, 1, Some(1), &[]).await;
        assert_eq!(refusal(&db, LOOK, &format!("source:{}", eid(1))).await, Kind::NotFound);
    }

    async fn versions_have_the_base_that_their_models_card_names(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.0.0").await;
        set_card(&db, "---\nbase_model: [org/base, models:/base/2.0.0]\n---\n# Churn\n").await;
        assert_edge(&db, "source:org/base", "base_model", "version:1000001").await;
        assert_edge(&db, "source:models:/base/2.0.0", "base_model", "version:1000001").await;
        set_card(&db, "# Churn\n").await;
        assert_eq!(edges(&db, LOOK, "version:1000001", Direction::Up).await.len(), 1, "only its own candidate");
        assert_eq!(refusal(&db, LOOK, "source:org/base").await, Kind::NotFound);
    }

    async fn a_base_may_be_a_version_of_another_model(db: Db) {
        let card = "---\nbase_model: [models:/base/1, models:/base/1.0.0]\n---\n";
        insert_model(&db, modelry_store::models::NewModel { description: card.to_owned(), ..new_model(1, "churn") })
            .await;
        published(&db, 1, "1.0.0").await;
        insert_model(&db, new_model(2, "base")).await;
        of_model(&db, 2, "base").await;
        assert_edge(&db, "version:1000002", "base_model", "version:1000001").await;
    }

    async fn a_version_is_found_by_model_and_version_and_a_candidate_by_its_public_id(db: Db) {
        churn(&db).await;
        published(&db, 1, "1.2.0").await;
        let expected = ["candidate:1001 registered_as version:1000001"];
        for name in ["version:churn/1.2.0", "version:churn/1", "version:1000001"] {
            assert_eq!(edges(&db, LOOK, name, Direction::Up).await, expected, "{name}");
        }
        let name = format!("candidate:{}", eid(1001));
        assert_eq!(edges(&db, LOOK, &name, Direction::Down).await, expected);
    }

    async fn what_is_not_there_is_not_found(db: Db) {
        churn(&db).await;
        let model = format!("logged_model:{}", model_eid(9));
        for name in ["dataset:9", "candidate:9", "candidate:abc", &model, "version:9", "version:churn/9"] {
            assert_eq!(refusal(&db, LOOK, name).await, Kind::NotFound, "{name}");
        }
        for name in ["version:other/1", "commit:9", "source:9", "token:9", "user:9", "user:anonymous"] {
            assert_eq!(refusal(&db, LOOK, name).await, Kind::NotFound, "{name}");
        }
    }

    async fn what_another_project_has_is_not_found(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        use_inputs(&db, 1, &[]).await;
        set_metadata(&db, 1, "mlflow.source.git.commit", "4c50ebb0").await;
        published(&db, 1, "1.0.0").await;
        let other = Look { project: ProjectId(2), ..LOOK };
        let by_eid = format!("candidate:{}", eid(1));
        for name in ["dataset:1", "candidate:1", &by_eid, "version:1000001", "version:churn/1"] {
            assert_eq!(refusal(&db, other, name).await, Kind::NotFound, "{name}");
        }
        for name in ["commit:4c50ebb0", "source:customers.csv"] {
            assert_eq!(refusal(&db, other, name).await, Kind::NotFound, "{name}");
        }
    }

    async fn what_may_not_be_seen_is_left_out(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        use_inputs(&db, 1, &[]).await;
        published(&db, 1, "1.0.0").await;
        let look = Look { sees_experiments: false, ..LOOK };
        assert!(edges(&db, look, "version:1000001", Direction::Up).await.is_empty());
        for name in ["candidate:1", "dataset:1", "source:customers.csv"] {
            assert_eq!(refusal(&db, look, name).await, Kind::NotFound, "{name}");
        }
    }

    async fn what_is_in_the_bin_is_lineage_still_and_described_as_deleted(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        put(&db, of_candidate(1), "weights", 1).await;
        let version = register(&db, new_version(1), files_below(of_candidate(1), None)).await;
        delete(&db, &version).await;
        let eid = eid(1).parse().expect("a public id");
        write(&db, move |tx| candidates::delete(tx, PROJECT, &eid, NOW)).await;
        assert_edge(&db, "candidate:1", "registered_as", "version:1000001").await;
        for node in [Node::Candidate(CandidateId(1)), Node::Version(version.id)] {
            assert!(description(&db, node).await.is_deleted);
        }
    }

    async fn nodes_are_described_in_the_words_of_people(db: Db) {
        churn(&db).await;
        candidate(&db, 1).await;
        use_inputs(&db, 1, &[]).await;
        let model = logged_model(&db, 1, Some(1), &[]).await.eid.parse().expect("a public id");
        let version = published(&db, 1, "1.2.0").await;
        let labels = [
            (Node::Dataset(DatasetId(1)), "customers (d1)"),
            (Node::Candidate(CandidateId(1)), "candidate 1 (#1)"),
            (Node::LoggedModel(model), "model"),
            (Node::Version(version.id), "churn 1.2.0 (#1)"),
            (Node::Commit("4c50ebb0a1b2c3d4e5f6".to_owned()), "4c50ebb0a1b2"),
            (Node::Source("s3://bucket".to_owned()), "s3://bucket"),
        ];
        for (node, label) in labels {
            let description = description(&db, node).await;
            assert_eq!((description.label.as_str(), description.is_deleted), (label, false));
        }
    }

    async fn no_more_edges_are_read_than_asked_for(db: Db) {
        churn(&db).await;
        for number in 1..=3 {
            candidate(&db, number).await;
            use_inputs(&db, number, &[]).await;
        }
        let node = Node::Dataset(DatasetId(1));
        let found = read(&db, move |tx| neighbours(tx, LOOK, (&node, Direction::Down), 2)).await;
        let found: Vec<String> = found.iter().map(line).collect();
        assert_eq!(found, ["dataset:1 used candidate:1", "dataset:1 used candidate:2"]);
    }
}
