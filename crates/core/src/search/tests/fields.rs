//! Every field of every entity with every operator: which are read, as what, and which are refused.

use super::{assert_refused, assert_rows, of_candidates, of_experiments, of_logged_models};

#[test]
fn metrics_compare_with_numbers() {
    assert_rows(
        of_candidates,
        &[
            ("metrics.a > 1", "metrics.a > 1.0"),
            ("metrics.a >= 1", "metrics.a >= 1.0"),
            ("metrics.a = 1", "metrics.a = 1.0"),
            ("metrics.a != 1", "metrics.a != 1.0"),
            ("metrics.a < 1", "metrics.a < 1.0"),
            ("metrics.a <= 1", "metrics.a <= 1.0"),
            ("metric.a > -1.5e-3", "metrics.a > -0.0015"),
        ],
    );
    assert_refused(
        of_candidates,
        &[
            "metrics.a > '1'",
            "metrics.a > NaN",
            "metrics.a = x",
            "metrics.a LIKE '1'",
            "metrics.a ILIKE '1'",
            "metrics.a IN (1)",
            "metrics.a NOT IN (1)",
            "metrics.a IS NULL",
            "metrics.a IS NOT NULL",
        ],
    );
}

#[test]
fn params_and_metadata_compare_with_texts() {
    for (words, printed) in [
        (&["params", "param", "parameters", "parameter"][..], "params"),
        (&["tags", "tag", "metadata"][..], "tags"),
    ] {
        for word in words {
            for condition in [
                "= 'x'",
                "!= 'x'",
                "LIKE '%x_'",
                "ILIKE '%x_'",
                "IS NULL",
                "IS NOT NULL",
                "IN ('x', 'y')",
                "NOT IN ('x')",
            ] {
                let expected = format!("{printed}.a {condition}");
                assert_eq!(of_candidates(&format!("{word}.a {condition}")), expected);
            }
        }
    }
    assert_refused(
        of_candidates,
        &[
            "params.a < '1'",
            "params.a >= '1'",
            "params.a = 1",
            "params.a = x",
            "params.a = `x`",
            "params.a IN ('x', 1)",
            "tags.a > 'x'",
            "tags.a = 1",
            "tags.a IS 'x'",
            "tags.a RLIKE 'x'",
            "tags.a NOT LIKE 'x'",
            "tags.a BETWEEN 'x' AND 'y'",
        ],
    );
}

#[test]
fn text_attributes_of_candidates_compare_with_texts() {
    for attribute in ["run_id", "run_name", "user_id", "status", "artifact_uri"] {
        for condition in ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'x%'", "IN ('x', 'y')", "NOT IN ('x')"] {
            let text = format!("{attribute} {condition}");
            assert_eq!(of_candidates(&text), text);
        }
        for condition in ["> 'x'", "< 'x'", "= 1", "= x", "IS NULL", "IS NOT NULL", "IN ()", "IN 'x'"] {
            assert_refused(of_candidates, &[&format!("{attribute} {condition}")]);
        }
    }
}

#[test]
fn times_of_candidates_compare_with_whole_numbers() {
    for attribute in ["start_time", "end_time"] {
        for operator in ["=", "!=", "<", "<=", ">", ">="] {
            let text = format!("{attribute} {operator} 1700000000000");
            assert_eq!(of_candidates(&text), text);
        }
        for condition in
            ["> '1'", "> 1.5", "> 9223372036854775808", "> 1e20", "IN (1)", "LIKE '1'", "IS NULL"]
        {
            assert_refused(of_candidates, &[&format!("{attribute} {condition}")]);
        }
    }
}

#[test]
fn attributes_of_candidates_are_known_by_every_name() {
    assert_rows(
        of_candidates,
        &[
            ("attributes.run_id = 'x'", "run_id = 'x'"),
            ("attribute.run_id = 'x'", "run_id = 'x'"),
            ("attr.run_id = 'x'", "run_id = 'x'"),
            ("run.run_id = 'x'", "run_id = 'x'"),
            ("eid = 'x'", "run_id = 'x'"),
            ("attributes.eid IN ('x')", "run_id IN ('x')"),
            ("run name = 'x'", "run_name = 'x'"),
            ("Run name = 'x'", "run_name = 'x'"),
            ("Run Name = 'x'", "run_name = 'x'"),
            ("attributes.Run Name = 'x'", "run_name = 'x'"),
            ("`run name` = 'x'", "run_name = 'x'"),
            ("\"Run Name\" = 'x'", "run_name = 'x'"),
            ("attributes.`Run Name` = 'x'", "run_name = 'x'"),
            ("attributes.'run name' = 'x'", "run_name = 'x'"),
            ("`attributes`.`run_id` = 'x'", "run_id = 'x'"),
            ("created > 1", "start_time > 1"),
            ("attributes.Created > 1", "start_time > 1"),
        ],
    );
}

#[test]
fn what_a_candidate_cannot_be_searched_by_is_refused() {
    assert_refused(
        of_candidates,
        &[
            "experiment_id = '1'",
            "lifecycle_stage = 'active'",
            "duration > 1",
            "name = 'x'",
            "STATUS = 'x'",
            "Metrics.a > 1",
            "Tags.a = 'x'",
            "models.a = 'x'",
            "'run_id' = 'x'",
            "1 = 1",
        ],
    );
}

#[test]
fn datasets_compare_with_texts() {
    for field in ["name", "digest", "context"] {
        for condition in ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'x%'", "IN ('x', 'y')", "NOT IN ('x')"] {
            let expected = format!("datasets.{field} {condition}");
            assert_eq!(of_candidates(&expected), expected);
            assert_eq!(of_candidates(&format!("dataset.{field} {condition}")), expected);
        }
    }
    assert_refused(
        of_candidates,
        &["datasets.name > 'x'", "datasets.name = 1", "datasets.name IS NULL", "datasets.source = 'x'"],
    );
}

#[test]
fn keys_are_read_with_and_without_quotes() {
    assert_rows(
        of_candidates,
        &[
            ("tags.mlflow.source.name = 'x'", "tags.mlflow.source.name = 'x'"),
            ("metrics.val/loss-1:a > 1", "metrics.val/loss-1:a > 1.0"),
            ("metrics.`val loss` > 1", "metrics.`val loss` > 1.0"),
            ("metrics.\"val loss\" > 1", "metrics.`val loss` > 1.0"),
            ("params.'l r' = 'x'", "params.`l r` = 'x'"),
            ("tags.`team` = 'x'", "tags.team = 'x'"),
            ("tags.\"a`b\" = 'x'", "tags.\"a`b\" = 'x'"),
            ("tags.'a`b\"c' = 'x'", "tags.'a`b\"c' = 'x'"),
            ("`metrics`.a > 1", "metrics.a > 1.0"),
            ("metrics.1 > 1", "metrics.1 > 1.0"),
            ("metrics.größe > 1", "metrics.größe > 1.0"),
            ("tags.and = 'x' AND tags.IN IN ('x')", "tags.and = 'x' AND tags.IN IN ('x')"),
            ("tags.` ` = 'x'", "tags.` ` = 'x'"),
        ],
    );
}

#[test]
fn texts_stand_in_either_quote() {
    assert_rows(
        of_candidates,
        &[
            ("tags.a = \"x\"", "tags.a = 'x'"),
            ("tags.a = \"it's\"", "tags.a = \"it's\""),
            ("tags.a = 'say \"x\"'", "tags.a = 'say \"x\"'"),
            ("tags.a = ''", "tags.a = ''"),
            ("run_id IN ('a', \"b\")", "run_id IN ('a', 'b')"),
            ("run_id IN ('a',)", "run_id IN ('a')"),
        ],
    );
    assert_refused(of_candidates, &["tags.a = 'it''s'", "tags.a = \"say \"\"x\"\"\""]);
}

#[test]
fn experiments_are_searched_by_name() {
    for condition in ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'x%'", "IN ('x', 'y')", "NOT IN ('x')"] {
        let expected = format!("name {condition}");
        for word in ["", "attribute.", "attributes."] {
            assert_eq!(of_experiments(&format!("{word}name {condition}")), expected);
        }
    }
    assert_refused(of_experiments, &["name > 'x'", "name = 1", "name = x", "name IS NULL", "run.name = 'x'"]);
}

#[test]
fn experiments_are_searched_by_time() {
    for attribute in ["creation_time", "last_update_time"] {
        for operator in ["=", "!=", "<", "<=", ">", ">="] {
            let text = format!("{attribute} {operator} 1700000000000");
            assert_eq!(of_experiments(&text), text);
        }
        for condition in ["> '1'", "> 1.5", "LIKE '1'", "IN (1)"] {
            assert_refused(of_experiments, &[&format!("{attribute} {condition}")]);
        }
    }
}

#[test]
fn experiments_are_searched_by_number() {
    assert_rows(
        of_experiments,
        &[
            ("experiment_id = '12'", "experiment_id = 12"),
            ("experiment_id = 12", "experiment_id = 12"),
            ("experiment_id != \"0\"", "experiment_id != 0"),
            ("experiment_id IN ('1', '2')", "experiment_id IN (1, 2)"),
            ("experiment_id NOT IN ('1')", "experiment_id NOT IN (1)"),
            ("experiment_id LIKE '1%'", "experiment_id LIKE '1%'"),
        ],
    );
    assert_refused(
        of_experiments,
        &["experiment_id = 'x'", "experiment_id > '1'", "experiment_id IN ('1', 'x')", "experiment_id = 1.5"],
    );
}

#[test]
fn experiments_are_searched_by_metadata_and_no_other_keys() {
    assert_rows(
        of_experiments,
        &[
            ("tags.a = 'x'", "tags.a = 'x'"),
            ("tag.a != 'x'", "tags.a != 'x'"),
            ("metadata.a LIKE 'x%'", "tags.a LIKE 'x%'"),
            ("tags.`a b` ILIKE 'x%'", "tags.`a b` ILIKE 'x%'"),
            ("tags.a IS NULL", "tags.a IS NULL"),
            ("tags.a IS NOT NULL", "tags.a IS NOT NULL"),
            ("tags.a IN ('x')", "tags.a IN ('x')"),
        ],
    );
    assert_refused(
        of_experiments,
        &["metrics.a > 1", "params.a = 'x'", "datasets.name = 'x'", "status = 'x'"],
    );
}

#[test]
fn logged_models_are_searched_by_text_attributes() {
    for attribute in ["name", "model_id", "model_type", "status", "source_run_id", "artifact_location"] {
        for condition in ["= 'x'", "!= 'x'", "LIKE 'x%'", "ILIKE 'x%'", "IN ('x', 'y')", "NOT IN ('x')"] {
            let expected = format!("{attribute} {condition}");
            assert_eq!(of_logged_models(&expected), expected);
            assert_eq!(of_logged_models(&format!("attributes.{expected}")), expected);
        }
        assert_refused(of_logged_models, &[&format!("{attribute} > 'x'"), &format!("{attribute} IS NULL")]);
    }
}

#[test]
fn logged_models_are_searched_by_the_number_of_their_experiment() {
    assert_rows(
        of_logged_models,
        &[
            ("experiment_id = '12'", "experiment_id = 12"),
            ("experiment_id != '12'", "experiment_id != 12"),
            ("experiment_id IN ('1', '2')", "experiment_id IN (1, 2)"),
            ("experiment_id NOT IN ('1')", "experiment_id NOT IN (1)"),
            ("experiment_id LIKE '1%'", "experiment_id LIKE '1%'"),
            ("experiment_id ILIKE '1%'", "experiment_id ILIKE '1%'"),
        ],
    );
}

#[test]
fn logged_models_are_searched_by_time() {
    assert_rows(
        of_logged_models,
        &[
            ("creation_timestamp > 1", "creation_timestamp > 1"),
            ("creation_time >= 1", "creation_timestamp >= 1"),
            ("creation_timestamp_ms < 1", "creation_timestamp < 1"),
            ("attributes.last_updated_timestamp <= 1", "last_updated_timestamp <= 1"),
            ("last_updated_timestamp_ms != 1", "last_updated_timestamp != 1"),
        ],
    );
    assert_refused(of_logged_models, &["creation_time > '1'", "creation_time > x", "creation_time > 1.5"]);
}

#[test]
fn logged_models_are_searched_by_metrics_params_and_metadata() {
    assert_rows(
        of_logged_models,
        &[
            ("metrics.`val loss` <= 0.5", "metrics.`val loss` <= 0.5"),
            ("params.lr = '0.1'", "params.lr = '0.1'"),
            ("tags.team ILIKE 'x%'", "tags.team ILIKE 'x%'"),
            ("tags.team NOT IN ('x')", "tags.team NOT IN ('x')"),
        ],
    );
    assert_refused(of_logged_models, &["datasets.name = 'x'", "metrics.a = '1'", "unknown = 'x'"]);
}

#[test]
fn texts_of_logged_models_may_stand_without_quotes() {
    assert_rows(
        of_logged_models,
        &[
            ("params.lr = 0.10", "params.lr = '0.10'"),
            ("tags.team != blue AND name = v1.2/a", "tags.team != 'blue' AND name = 'v1.2/a'"),
            ("status = READY", "status = 'READY'"),
        ],
    );
    assert_refused(of_logged_models, &["tags.team = AND name = 'x'", "tags.team = NULL", "tags.team = a b"]);
}
