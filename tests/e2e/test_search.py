"""Filters and orders. Every row of the tables is one filter and the names of what it must find."""

import mlflow
import pytest
from mlflow.entities import Metric, Param, RunTag
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.client

# name, start time, status, params, metrics, tags
RUNS = [
    ("anna", 1000, "FINISHED", {"depth": "3", "optimizer": "Adam"}, {"loss": 0.5, "val/acc": 0.9}, {"owner": "ann"}),
    ("bert", 2000, "FAILED", {"depth": "5", "optimizer": "adamw"}, {"loss": 0.25}, {"owner": "bob", "note": "50%_off"}),
    ("carl", 3000, "FINISHED", {"depth": "10"}, {"loss": float("nan"), "val/acc": 0.5}, {"two words": "yes"}),
    ("dora", 4000, "RUNNING", {}, {"loss": -1e-3}, {"owner": "Ann", "quote": "it's"}),
    ("emil", 5000, "FINISHED", {"depth": "3"}, {}, {}),
]


@pytest.fixture(scope="module")
def runs(server, unique):
    """An experiment with the five runs above."""
    mlflow.set_tracking_uri(server.tracking_uri)
    with pytest.MonkeyPatch.context() as environment:
        if server.token:
            environment.setenv("MLFLOW_TRACKING_TOKEN", server.token)
        client = mlflow.MlflowClient(server.tracking_uri)
        experiment = client.create_experiment(unique("search"))
        for name, start, status, params, metrics, tags in RUNS:
            run = client.create_run(experiment, start_time=start, run_name=name).info.run_id
            client.log_batch(
                run,
                [Metric(key, value, start, 0) for key, value in metrics.items()],
                [Param(key, value) for key, value in params.items()],
                [RunTag(key, value) for key, value in tags.items()],
            )
            if status != "RUNNING":
                client.set_terminated(run, status, end_time=start + 500)
    return experiment


def names(client, experiment, condition="", order=("attributes.start_time ASC",)):
    return [run.info.run_name for run in client.search_runs([experiment], condition, order_by=list(order))]


MLFLOW_FILTERS = [
    ("", "anna bert carl dora emil"),
    ("metrics.loss > 0", "anna bert"),
    ("metric.loss <= 0.25", "bert dora"),
    ("metrics.loss = -0.001", "dora"),
    ("metrics.loss = -1e-3", "dora"),
    ("metrics.loss != 0.5", "bert carl dora"),
    ("metrics.`val/acc` >= 0.5", "anna carl"),
    ('metrics."val/acc" > 0.5', "anna"),
    ("params.depth = '3'", "anna emil"),
    ('param.depth != "3"', "bert carl"),
    ("parameters.optimizer LIKE 'Adam%'", "anna"),
    ("params.optimizer ILIKE 'adam%'", "anna bert"),
    ("params.optimizer ilike 'ADAM_'", "bert"),
    ("params.optimizer IS NULL", "carl dora emil"),
    ("params.optimizer IS NOT NULL", "anna bert"),
    ("tags.owner = 'ann'", "anna"),
    ("tag.owner ILIKE 'ann'", "anna dora"),
    ("tags.`two words` = 'yes'", "carl"),
    ("tags.quote = \"it's\"", "dora"),
    ("tags.note LIKE '50%off'", "bert"),
    ("tags.owner IS NULL", "carl emil"),
    ("attributes.status = 'FINISHED'", "anna carl emil"),
    ("status != 'FINISHED'", "bert dora"),
    ("attribute.run_name LIKE '%a'", "anna dora"),
    ("run_name = 'emil'", "emil"),
    ("`run name` = 'emil'", "emil"),
    ("start_time >= 3000", "carl dora emil"),
    ("attr.end_time < 2000", "anna"),
    ("created > 4000", "emil"),
    ("params.depth = '3' AND metrics.loss > 0", "anna"),
    ("params.depth = '3' and status = 'FINISHED' AND start_time > 1000", "emil"),
    ("metrics.loss > 100", ""),
    ("tags.nobody = 'x'", ""),
]


@pytest.mark.parametrize(("condition", "expected"), MLFLOW_FILTERS)
def test_runs_are_found_by_mlflows_grammar(client, runs, condition, expected):
    assert names(client, runs, condition) == expected.split()


EXTENDED_FILTERS = [
    ("params.depth = '5' OR metrics.loss < 0", "bert dora"),
    ("status = 'FINISHED' AND (params.depth = '10' OR metrics.loss = 0.5)", "anna carl"),
    ("params.depth = '3' AND metrics.loss > 0 OR status = 'RUNNING'", "anna dora"),
    ("NOT status = 'FINISHED'", "bert dora"),
    ("NOT (params.depth = '3' OR params.depth = '5')", "carl dora"),
    ("NOT metrics.loss > 0", "carl dora emil"),
    ("not params.optimizer ILIKE 'adam%' and not run_name = 'emil'", "carl dora"),
    ("params.depth IN ('5', '10')", "bert carl"),
    ("params.depth NOT IN ('5', '10')", "anna emil"),
    ("tags.owner IN ('ann', 'Ann')", "anna dora"),
    ("status IN ('FAILED', 'RUNNING')", "bert dora"),
    ("run_name NOT IN ('anna', 'bert', 'carl')", "dora emil"),
    ("metadata.owner = 'bob'", "bert"),
    ("((metadata.owner = 'bob'))", "bert"),
]


@pytest.mark.modelry_only("MLflow joins comparisons by AND alone")
@pytest.mark.parametrize(("condition", "expected"), EXTENDED_FILTERS)
def test_runs_are_found_by_the_extended_grammar(client, runs, condition, expected):
    assert names(client, runs, condition) == expected.split()


@pytest.mark.modelry_only("the eid of a candidate is MLflow's run id")
def test_eid_and_run_id_are_the_same(client, runs):
    [anna] = client.search_runs([runs], "run_name = 'anna'")
    for word in ("run_id", "eid", "attributes.eid"):
        assert names(client, runs, f"{word} = '{anna.info.run_id}'") == ["anna"]


def test_runs_are_found_by_a_list_of_ids(client, runs):
    ids = {run.info.run_name: run.info.run_id for run in client.search_runs([runs])}
    assert names(client, runs, f"run_id IN ('{ids['bert']}', '{ids['dora']}')") == ["bert", "dora"]
    assert names(client, runs, f"attributes.run_id NOT IN ('{ids['bert']}', '{ids['dora']}')") == ["anna", "carl", "emil"]


ORDERS = [
    ([], "emil dora carl bert anna"),
    (["start_time"], "anna bert carl dora emil"),
    (["attributes.start_time DESC"], "emil dora carl bert anna"),
    (["attributes.run_name desc"], "emil dora carl bert anna"),
    (["metrics.loss"], "dora bert anna carl emil"),
    (["metrics.loss DESC"], "anna bert dora carl emil"),
    (["metrics.`val/acc` ASC"], "carl anna emil dora bert"),
    (["params.depth ASC", "start_time ASC"], "carl anna emil bert dora"),
    (["tags.owner", "start_time ASC"], "dora anna bert carl emil"),
    (["status", "start_time"], "bert anna carl emil dora"),
    (["end_time DESC"], "emil carl bert anna dora"),
]


@pytest.mark.parametrize(("order", "expected"), ORDERS)
def test_runs_come_in_the_order_asked_for(client, runs, order, expected):
    assert names(client, runs, order=order) == expected.split()


REFUSED = [
    "metrics.loss > 'high'",
    "params.depth = 3",
    "params.depth < '3'",
    "status LIKE",
    "attributes.no_such = 'x'",
    "experiment_id = '1'",
    "metrics.loss == 0.5",
    "metrics.loss",
    "'a' = 'b'",
    "Metrics.loss > 0",
    "start_time = 'noon'",
    "params.depth = '3' AND",
    " ",
    "params.depth RLIKE '3'",
    "run_name = 'unfinished",
]


@pytest.mark.parametrize("condition", [one for one in REFUSED if not one.endswith("AND")])
def test_a_filter_that_makes_no_sense_is_refused(client, runs, condition):
    with pytest.raises(MlflowException) as refused:
        client.search_runs([runs], condition)
    assert refused.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.modelry_only("the error says where and what was expected")
@pytest.mark.parametrize(
    ("condition", "position"),
    [("params.depth = 3", 16), ("metrics.loss > 0 AND OR", 22), ("(status = 'X'", 14), ("status ~ 'X'", 8)],
)
def test_a_syntax_error_names_its_position(client, runs, condition, position):
    with pytest.raises(MlflowException, match=rf"\b{position}\b.*\bexpected\b"):
        client.search_runs([runs], condition)


@pytest.mark.parametrize("order", ["no_such", "metrics.loss SIDEWAYS", "params.depth ASC extra"])
def test_an_order_that_makes_no_sense_is_refused(client, runs, order):
    with pytest.raises(MlflowException):
        client.search_runs([runs], order_by=[order])


@pytest.mark.parametrize("order", [["metrics.loss"], ["metrics.loss DESC"], ["params.depth"], ["start_time DESC"], []])
def test_pages_put_together_are_the_whole(client, runs, order):
    whole = names(client, runs, order=order)
    paged, token = [], None
    while True:
        page = client.search_runs([runs], order_by=order, max_results=2, page_token=token)
        paged += [run.info.run_name for run in page]
        token = page.token
        if not token:
            break
        assert len(page) == 2
    assert paged == whole


@pytest.mark.covers("mlflow.search_experiments")
def test_experiments_are_found_by_name_and_tag(client, unique):
    word = unique("found")
    for suffix, team in [("a", "red"), ("b", "blue"), ("C", "red")]:
        client.create_experiment(f"{word} {suffix}", tags={"team": team, "set": word})

    def found(condition, order):
        listed = mlflow.search_experiments(filter_string=f"tags.set = '{word}'{condition}", order_by=order)
        return [one.name.split()[-1] for one in listed]

    assert found("", ["name ASC"]) == ["C", "a", "b"]
    assert found(" AND tags.team = 'red'", ["name DESC"]) == ["a", "C"]
    assert found(f" AND name LIKE '{word}%'", ["creation_time ASC", "name ASC"])[0] == "a"
    assert found(f" AND attribute.name ILIKE '{word} c'", ["name"]) == ["C"]
    assert found(f" AND name != '{word} a'", ["experiment_id ASC"]) == ["b", "C"]
    assert found(" AND creation_time > 0 AND last_update_time > 0 AND tag.team LIKE '%u%'", ["name"]) == ["b"]


def test_experiments_come_in_pages(client, unique):
    word = unique("paged")
    made = [client.create_experiment(f"{word} {number}") for number in range(5)]
    found, token = [], None
    while True:
        page = client.search_experiments(
            filter_string=f"name LIKE '{word}%'", order_by=["name"], max_results=2, page_token=token
        )
        found += [one.experiment_id for one in page]
        token = page.token
        if not token:
            break
    assert found == made


@pytest.fixture(scope="module")
def models(server, unique):
    """An experiment with three logged models."""
    with pytest.MonkeyPatch.context() as environment:
        if server.token:
            environment.setenv("MLFLOW_TRACKING_TOKEN", server.token)
        client = mlflow.MlflowClient(server.tracking_uri)
        experiment = client.create_experiment(unique("models"))
        run = client.create_run(experiment).info.run_id
        for name, kind, score, status in [("ash", "tree", 0.1, "READY"), ("birch", "tree", 0.9, "FAILED"), ("cnn", "net", 0.5, None)]:
            made = client.create_logged_model(
                experiment, name=name, model_type=kind, params={"lr": str(score)}, tags={"kind": kind}, source_run_id=run
            )
            client.log_metric(run, "score", score, model_id=made.model_id)
            if status:
                client.finalize_logged_model(made.model_id, status)
    return experiment


MODEL_FILTERS = [
    ("name = 'ash'", "ash"),
    ("name LIKE '%i%'", "birch"),
    ("attributes.name ILIKE 'C%'", "cnn"),
    ("model_type = 'tree'", "ash birch"),
    ("name NOT IN ('ash')", "birch cnn"),
    ("metrics.score >= 0.5", "birch cnn"),
    ("params.lr = '0.1'", "ash"),
    ("tags.kind != 'tree'", "cnn"),
    ("creation_timestamp > 0 AND metrics.score < 0.5", "ash"),
]


@pytest.mark.mlflow3
@pytest.mark.parametrize(("condition", "expected"), MODEL_FILTERS)
def test_logged_models_are_found_by_mlflows_grammar(client, models, condition, expected):
    found = client.search_logged_models([models], condition, order_by=[{"field_name": "name"}])
    assert [one.name for one in found] == expected.split()


EXTENDED_MODEL_FILTERS = [
    ("name = 'ash' OR metrics.score = 0.5", "ash cnn"),
    ("NOT (params.lr IN ('0.1', '0.9'))", "cnn"),
    ("status = 'READY'", "ash"),
    ("status IN ('FAILED', 'PENDING')", "birch cnn"),
]


@pytest.mark.mlflow3
@pytest.mark.modelry_only("MLflow joins comparisons by AND alone, and matches no status by its name")
@pytest.mark.parametrize(("condition", "expected"), EXTENDED_MODEL_FILTERS)
def test_logged_models_are_found_by_the_extended_grammar(client, models, condition, expected):
    found = client.search_logged_models([models], condition, order_by=[{"field_name": "name"}])
    assert [one.name for one in found] == expected.split()


@pytest.mark.mlflow3
@pytest.mark.parametrize(
    ("field", "ascending", "expected"),
    [("name", False, "cnn birch ash"), ("metrics.score", True, "ash cnn birch"), ("metrics.score", False, "birch cnn ash")],
)
def test_logged_models_come_in_the_order_asked_for(client, models, field, ascending, expected):
    found = client.search_logged_models([models], order_by=[{"field_name": field, "ascending": ascending}])
    assert [one.name for one in found] == expected.split()


@pytest.mark.mlflow3
def test_logged_models_come_in_pages(client, models):
    found, token = [], None
    while True:
        page = client.search_logged_models([models], max_results=2, order_by=[{"field_name": "name"}], page_token=token)
        found += [one.name for one in page]
        token = page.token
        if not token:
            break
    assert found == ["ash", "birch", "cnn"]
