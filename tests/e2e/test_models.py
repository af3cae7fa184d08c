"""Models: `log_model` and `load_model` of both client generations, and the logged models of MLflow 3."""

import json

import mlflow
import numpy
import pandas
import pytest
from mlflow.entities import Metric
from mlflow.exceptions import MlflowException
from sklearn.linear_model import LinearRegression

pytestmark = pytest.mark.client

FEATURES = numpy.array([[0.0], [1.0], [2.0]])


@pytest.fixture
def model():
    """A model that doubles."""
    return LinearRegression().fit(FEATURES, [0.0, 2.0, 4.0])


def doubles(loaded):
    return numpy.allclose(loaded.predict(FEATURES), [0.0, 2.0, 4.0])


@pytest.mark.mlflow2
@pytest.mark.covers("mlflow.sklearn.log_model", "mlflow.pyfunc.load_model")
def test_a_model_logged_by_a_2_client_is_loaded_from_its_run(client, experiment, model):
    with mlflow.start_run() as active:
        mlflow.sklearn.log_model(model, "model", input_example=FEATURES)
    run = active.info.run_id
    assert doubles(mlflow.sklearn.load_model(f"runs:/{run}/model"))
    assert doubles(mlflow.pyfunc.load_model(f"runs:/{run}/model"))
    assert "model/MLmodel" in [one.path for one in client.list_artifacts(run, "model")]
    [logged] = json.loads(client.get_run(run).data.tags["mlflow.log-model.history"])
    assert (logged["artifact_path"], logged["run_id"]) == ("model", run)


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.sklearn.log_model", "mlflow.pyfunc.load_model", "mlflow.get_logged_model")
def test_a_model_logged_by_a_3_client_is_loaded_from_its_run_and_by_its_id(client, experiment, model):
    with mlflow.start_run() as active:
        mlflow.log_metric("score", 0.75)
        info = mlflow.sklearn.log_model(model, name="doubler", input_example=FEATURES)
    assert doubles(mlflow.pyfunc.load_model(f"runs:/{active.info.run_id}/doubler"))
    assert doubles(mlflow.sklearn.load_model(f"models:/{info.model_id}"))
    logged = mlflow.get_logged_model(info.model_id)
    assert (logged.name, str(logged.status), logged.source_run_id) == ("doubler", "READY", active.info.run_id)
    assert [(one.key, one.value) for one in logged.metrics] == [("score", 0.75)]
    assert [one.model_id for one in client.get_run(active.info.run_id).outputs.model_outputs] == [info.model_id]


@pytest.mark.mlflow3
def test_a_model_logged_outside_a_run_is_loaded_by_its_id(experiment, model):
    info = mlflow.sklearn.log_model(model, name="free")
    assert doubles(mlflow.sklearn.load_model(f"models:/{info.model_id}"))


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.list_logged_model_artifacts")
def test_the_files_of_a_logged_model_are_listed(client, experiment, model):
    info = mlflow.sklearn.log_model(model, name="listed")
    assert "MLmodel" in [one.path for one in client.list_logged_model_artifacts(info.model_id)]


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.log_model_artifact", "MlflowClient.log_model_artifacts")
def test_files_are_added_to_a_logged_model(client, experiment, tmp_path):
    made = client.create_logged_model(experiment, name="with files")
    (tmp_path / "card.md").write_text("# card")
    client.log_model_artifact(made.model_id, tmp_path / "card.md")
    client.log_model_artifacts(made.model_id, tmp_path)
    assert [one.path for one in client.list_logged_model_artifacts(made.model_id)] == ["card.md"]


@pytest.mark.mlflow3
@pytest.mark.covers(
    "MlflowClient.create_logged_model", "MlflowClient.get_logged_model", "MlflowClient.finalize_logged_model"
)
def test_a_logged_model_is_pending_until_it_is_finalized(client, experiment, run):
    made = client.create_logged_model(
        experiment, name="by hand", source_run_id=run, tags={"team": "churn"}, params={"depth": "3"}, model_type="tree"
    )
    assert str(client.get_logged_model(made.model_id).status) == "PENDING"
    client.finalize_logged_model(made.model_id, "READY")
    ready = client.get_logged_model(made.model_id)
    assert (str(ready.status), ready.name, ready.model_type) == ("READY", "by hand", "tree")
    assert (ready.tags, ready.params, ready.source_run_id) == ({"team": "churn"}, {"depth": "3"}, run)
    assert ready.artifact_location.startswith("mlflow-artifacts:/")


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.finalize_logged_model", "mlflow.initialize_logged_model")
def test_an_upload_that_failed_is_marked_as_such(experiment):
    made = mlflow.initialize_logged_model(name="broken")
    assert str(mlflow.finalize_logged_model(made.model_id, "FAILED").status) == "FAILED"


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.create_external_model")
def test_a_model_kept_elsewhere_has_an_entry_of_its_own(experiment):
    made = mlflow.create_external_model(name="elsewhere", params={"a": "1"}, tags={"b": "2"})
    assert (str(made.status), made.params, made.tags["b"]) == ("READY", {"a": "1"}, "2")


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.set_logged_model_tags", "MlflowClient.delete_logged_model_tag")
def test_tags_of_a_logged_model_are_set_overwritten_and_deleted(client, experiment):
    made = client.create_logged_model(experiment)
    client.set_logged_model_tags(made.model_id, {"stage": "draft", "gone": "soon"})
    client.set_logged_model_tags(made.model_id, {"stage": "final"})
    client.delete_logged_model_tag(made.model_id, "gone")
    assert client.get_logged_model(made.model_id).tags == {"stage": "final"}


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.set_logged_model_tags", "mlflow.delete_logged_model_tag")
def test_the_fluent_calls_set_and_delete_tags_too(client, experiment):
    made = client.create_logged_model(experiment)
    mlflow.set_logged_model_tags(made.model_id, {"keep": "1", "gone": "2"})
    mlflow.delete_logged_model_tag(made.model_id, "gone")
    assert client.get_logged_model(made.model_id).tags == {"keep": "1"}


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.log_model_params", "mlflow.log_model_params")
def test_more_params_than_fit_one_request_are_all_there(client, experiment):
    many = {f"p{number}": str(number) for number in range(230)}
    made = client.create_logged_model(experiment, params=many)
    client.log_model_params(made.model_id, {"late": "1"})
    mlflow.log_model_params({"later": "2"}, model_id=made.model_id)
    assert client.get_logged_model(made.model_id).params == many | {"late": "1", "later": "2"}


@pytest.mark.mlflow3
def test_metrics_can_be_logged_to_a_model(client, experiment, run):
    made = client.create_logged_model(experiment, source_run_id=run)
    client.log_batch(run, [Metric("score", 0.5, 1000, 1, model_id=made.model_id, dataset_name="d", dataset_digest="1")])
    client.log_metric(run, "loss", 0.25, model_id=made.model_id)
    assert {one.key: one.value for one in client.get_logged_model(made.model_id).metrics} == {"score": 0.5, "loss": 0.25}
    assert client.get_run(run).data.metrics == {"score": 0.5, "loss": 0.25}


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.delete_logged_model")
def test_a_deleted_logged_model_is_not_found(client, experiment):
    made = client.create_logged_model(experiment, name="doomed")
    client.delete_logged_model(made.model_id)
    with pytest.raises(MlflowException, match=f"Logged model with ID '{made.model_id}' not found") as refused:
        client.get_logged_model(made.model_id)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"
    assert client.search_logged_models([experiment]) == []


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.set_active_model", "mlflow.get_active_model_id", "mlflow.clear_active_model")
def test_an_active_model_is_made_once_and_found_by_name(client, experiment):
    with mlflow.set_active_model(name="agent") as first:
        assert mlflow.get_active_model_id() == first.model_id
    assert mlflow.set_active_model(name="agent").model_id == first.model_id
    mlflow.clear_active_model()
    assert mlflow.get_active_model_id() is None


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.last_logged_model")
def test_the_last_logged_model_is_remembered(experiment, model):
    info = mlflow.sklearn.log_model(model, name="last")
    assert mlflow.last_logged_model().model_id == info.model_id


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.log_outputs")
def test_a_model_is_recorded_as_what_a_run_produced(client, experiment):
    made = client.create_logged_model(experiment)
    with mlflow.start_run() as active:
        mlflow.log_outputs(models=[mlflow.entities.LoggedModelOutput(made.model_id, step=4)])
    [output] = client.get_run(active.info.run_id).outputs.model_outputs
    assert (output.model_id, output.step) == (made.model_id, 4)


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.log_outputs")
def test_the_client_records_what_a_run_produced_too(client, experiment, run):
    made = client.create_logged_model(experiment)
    client.log_outputs(run, [mlflow.entities.LoggedModelOutput(made.model_id, step=2)])
    assert [one.step for one in client.get_run(run).outputs.model_outputs] == [2]


@pytest.mark.covers("mlflow.evaluate")
def test_an_evaluation_logs_its_metrics_and_its_data(client, experiment):
    frame = pandas.DataFrame({"predicted": [1.0, 2.0, 3.0], "true": [1.0, 2.0, 4.0]})
    with mlflow.start_run() as active:
        mlflow.evaluate(data=frame, predictions="predicted", targets="true", model_type="regressor")
    read = client.get_run(active.info.run_id)
    assert read.data.metrics["max_error"] == 1.0
    assert len(read.inputs.dataset_inputs) == 1


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.search_logged_models", "MlflowClient.search_logged_models")
def test_logged_models_are_searched_and_ordered_by_a_metric(client, experiment, run):
    for name, score in [("low", 0.1), ("high", 0.9), ("middle", 0.5)]:
        made = client.create_logged_model(experiment, name=name, source_run_id=run, params={"kind": "tree"})
        client.log_metric(run, "score", score, model_id=made.model_id)
    order = [{"field_name": "metrics.score", "ascending": False}]
    found = client.search_logged_models([experiment], "metrics.score > 0.2", order_by=order)
    assert [one.name for one in found] == ["high", "middle"]
    frame = mlflow.search_logged_models([experiment], "name = 'low'", order_by=order)
    assert list(frame["name"]) == ["low"]
