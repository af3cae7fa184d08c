"""Runs with their params and tags, as a user of the stock client sees them."""

import mlflow
import pytest
from mlflow.entities import Metric, Param, RunStatus, RunTag, ViewType
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.client


@pytest.mark.covers("mlflow.start_run", "mlflow.end_run", "mlflow.active_run", "mlflow.get_run")
def test_a_run_is_finished_when_its_block_ends(experiment):
    with mlflow.start_run(run_name="quick", description="what it is about") as active:
        assert mlflow.active_run().info.run_id == active.info.run_id
        assert mlflow.get_run(active.info.run_id).info.status == "RUNNING"
    ended = mlflow.get_run(active.info.run_id)
    assert (ended.info.status, ended.info.run_name, ended.info.experiment_id) == ("FINISHED", "quick", experiment)
    assert ended.info.end_time >= ended.info.start_time
    assert ended.data.tags["mlflow.note.content"] == "what it is about"
    assert ended.data.tags["mlflow.runName"] == "quick"


@pytest.mark.usefixtures("experiment")
def test_a_run_whose_block_raises_is_failed():
    with pytest.raises(ZeroDivisionError), mlflow.start_run() as active:
        1 / 0
    assert mlflow.get_run(active.info.run_id).info.status == "FAILED"


@pytest.mark.covers("MlflowClient.create_run", "MlflowClient.get_run")
def test_a_run_without_a_name_gets_one(client, experiment):
    made = client.create_run(experiment)
    assert len(made.info.run_id) == 32
    assert made.info.run_name.count("-") == 2
    assert client.get_run(made.info.run_id).info.run_name == made.info.run_name
    assert made.info.artifact_uri.startswith("mlflow-artifacts:/")


def test_an_unknown_run_is_named_in_the_error(client):
    with pytest.raises(MlflowException, match="Run with id=0123456789abcdef0123456789abcdef not found"):
        client.get_run("0123456789abcdef0123456789abcdef")


@pytest.mark.covers("mlflow.get_parent_run", "MlflowClient.get_parent_run")
def test_a_nested_run_knows_its_parent(client, experiment):
    with mlflow.start_run() as parent, mlflow.start_run(nested=True) as child:
        pass
    assert client.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    assert mlflow.get_parent_run(child.info.run_id).info.run_id == parent.info.run_id
    assert client.get_parent_run(parent.info.run_id) is None


@pytest.mark.covers("mlflow.last_active_run")
def test_the_last_active_run_is_found_again(experiment):
    with mlflow.start_run() as active:
        pass
    assert mlflow.last_active_run().info.run_id == active.info.run_id


def test_a_run_is_resumed_by_its_id(experiment):
    with mlflow.start_run() as first:
        mlflow.log_param("depth", 3)
    with mlflow.start_run(run_id=first.info.run_id):
        mlflow.log_param("width", 5)
    resumed = mlflow.get_run(first.info.run_id)
    assert resumed.data.params == {"depth": "3", "width": "5"}
    assert resumed.info.status == "FINISHED"


@pytest.mark.covers("mlflow.log_param", "mlflow.log_params")
def test_more_params_than_fit_one_request_are_all_there(experiment):
    many = {f"param {number}": str(number) for number in range(250)}
    with mlflow.start_run() as active:
        assert mlflow.log_param("depth", 3) == 3
        mlflow.log_params(many)
    assert mlflow.get_run(active.info.run_id).data.params == {"depth": "3"} | many


@pytest.mark.covers("MlflowClient.log_param")
def test_a_param_is_written_once(client, run):
    client.log_param(run, "depth", 3)
    client.log_param(run, "depth", 3)
    with pytest.raises(MlflowException, match="Changing param values is not allowed"):
        client.log_param(run, "depth", 4)
    assert client.get_run(run).data.params == {"depth": "3"}


@pytest.mark.covers("mlflow.set_tag", "mlflow.set_tags", "mlflow.delete_tag")
def test_tags_are_set_overwritten_and_deleted(experiment):
    with mlflow.start_run() as active:
        mlflow.set_tag("stage", "draft")
        mlflow.set_tags({"stage": "final", "owner": "ann", "gone": "soon"})
        mlflow.delete_tag("gone")
    tags = mlflow.get_run(active.info.run_id).data.tags
    assert {key: value for key, value in tags.items() if not key.startswith("mlflow.")} == {"stage": "final", "owner": "ann"}


@pytest.mark.covers("MlflowClient.set_tag", "MlflowClient.delete_tag")
def test_deleting_a_tag_that_is_not_there_is_not_found(client, run):
    client.set_tag(run, "there", "yes")
    client.delete_tag(run, "there")
    with pytest.raises(MlflowException) as refused:
        client.delete_tag(run, "there")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.covers("MlflowClient.log_batch")
def test_a_batch_brings_metrics_params_and_tags_at_once(client, run):
    client.log_batch(run, [Metric("loss", 0.5, 1000, 1)], [Param("depth", "3")], [RunTag("owner", "ann")])
    data = client.get_run(run).data
    assert (data.metrics, data.params, data.tags["owner"]) == ({"loss": 0.5}, {"depth": "3"}, "ann")


@pytest.mark.covers("MlflowClient.update_run")
def test_a_renamed_run_carries_the_name_in_its_tag_too(client, run):
    client.update_run(run, status="KILLED", name="renamed")
    updated = client.get_run(run)
    assert (updated.info.status, updated.info.run_name) == ("KILLED", "renamed")
    assert updated.data.tags["mlflow.runName"] == "renamed"


def test_setting_the_name_tag_renames_the_run(client, run):
    client.set_tag(run, "mlflow.runName", "by tag")
    assert client.get_run(run).info.run_name == "by tag"


@pytest.mark.covers("MlflowClient.set_terminated")
def test_a_terminated_run_has_a_status_and_an_end(client, run):
    client.set_terminated(run, RunStatus.to_string(RunStatus.FAILED), end_time=4_000_000_000_000)
    info = client.get_run(run).info
    assert (info.status, info.end_time) == ("FAILED", 4_000_000_000_000)


@pytest.mark.covers("MlflowClient.delete_run", "MlflowClient.restore_run", "MlflowClient.search_runs")
def test_a_deleted_run_is_hidden_until_it_is_restored(client, experiment, run):
    def found(view):
        return [one.info.run_id for one in client.search_runs([experiment], run_view_type=view)]

    client.delete_run(run)
    assert (found(ViewType.ACTIVE_ONLY), found(ViewType.DELETED_ONLY)) == ([], [run])
    client.restore_run(run)
    assert (found(ViewType.ACTIVE_ONLY), found(ViewType.DELETED_ONLY)) == ([run], [])


@pytest.mark.covers("mlflow.delete_run")
def test_a_deleted_run_takes_nothing_more(client, run):
    mlflow.delete_run(run)
    with pytest.raises(MlflowException, match="must be in the 'active' state. Current state is deleted"):
        client.log_param(run, "late", 1)


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.restore_run")
def test_a_restored_run_takes_more_again(client, run):
    mlflow.delete_run(run)
    mlflow.restore_run(run)
    client.log_param(run, "late", 1)
    assert client.get_run(run).data.params == {"late": "1"}


@pytest.mark.covers("mlflow.search_runs")
def test_a_search_gives_a_data_frame_with_a_column_for_each_key(experiment):
    for depth in (3, 5):
        with mlflow.start_run():
            mlflow.log_param("depth", depth)
            mlflow.log_metric("score", depth / 10)
    found = mlflow.search_runs([experiment], filter_string="metrics.score > 0.1", order_by=["metrics.score DESC"])
    assert list(found["params.depth"]) == ["5", "3"]
    assert list(found["metrics.score"]) == [0.5, 0.3]


@pytest.mark.covers("mlflow.flush_async_logging")
def test_what_is_logged_asynchronously_arrives(client, run):
    for step in range(20):
        client.log_metric(run, "loss", 1 / (step + 1), step=step, synchronous=False)
    client.log_param(run, "depth", 3, synchronous=False).wait()
    client.set_tag(run, "owner", "ann", synchronous=False).wait()
    with mlflow.start_run(run_id=run):
        mlflow.flush_async_logging()
    client.log_batch(run, tags=[RunTag("last", "yes")], synchronous=False).wait()
    logged = client.get_run(run).data
    assert (logged.params["depth"], logged.tags["owner"], logged.tags["last"]) == ("3", "ann", "yes")
