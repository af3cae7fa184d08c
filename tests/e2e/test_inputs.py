"""Datasets that went into a run."""

import mlflow
import pandas
import pytest

pytestmark = pytest.mark.client


@pytest.fixture
def frame():
    return pandas.DataFrame({"age": [31, 42, 53], "income": [1.5, 2.5, 3.5], "churned": [0, 1, 0]})


@pytest.mark.covers("mlflow.log_input")
def test_a_pandas_dataset_is_read_back_with_schema_profile_and_context(client, experiment, frame):
    dataset = mlflow.data.from_pandas(frame, source="customers.csv", name="customers", targets="churned")
    with mlflow.start_run() as active:
        mlflow.log_input(dataset, context="training", tags={"fold": "1"})
    [logged] = client.get_run(active.info.run_id).inputs.dataset_inputs
    assert (logged.dataset.name, logged.dataset.digest) == ("customers", dataset.digest)
    assert '"num_rows": 3' in logged.dataset.profile
    assert '"income"' in logged.dataset.schema
    assert {tag.key: tag.value for tag in logged.tags} == {"mlflow.data.context": "training", "fold": "1"}


@pytest.mark.covers("MlflowClient.log_inputs")
def test_the_same_dataset_twice_is_one_input(client, run, frame):
    dataset = mlflow.data.from_pandas(frame, name="customers")
    made = mlflow.entities.DatasetInput(dataset._to_mlflow_entity(), [mlflow.entities.InputTag("mlflow.data.context", "eval")])
    client.log_inputs(run, [made])
    client.log_inputs(run, [made])
    assert len(client.get_run(run).inputs.dataset_inputs) == 1


def test_two_datasets_of_one_run_are_both_kept(experiment, frame):
    with mlflow.start_run() as active:
        mlflow.log_input(mlflow.data.from_pandas(frame, name="train"), context="training")
        mlflow.log_input(mlflow.data.from_pandas(frame.head(1), name="test"), context="eval")
    inputs = mlflow.get_run(active.info.run_id).inputs.dataset_inputs
    assert sorted(one.dataset.name for one in inputs) == ["test", "train"]


def test_runs_are_found_by_their_dataset(experiment, frame):
    with mlflow.start_run() as with_data:
        mlflow.log_input(mlflow.data.from_pandas(frame, name="customers"), context="training")
    with mlflow.start_run():
        pass
    for condition in ["datasets.name = 'customers'", "dataset.context = 'training'", "dataset.name LIKE 'cust%'"]:
        found = mlflow.search_runs([experiment], filter_string=condition)
        assert list(found["run_id"]) == [with_data.info.run_id], condition


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.log_inputs")
def test_several_datasets_in_one_call_are_all_kept(experiment, frame):
    datasets = [mlflow.data.from_pandas(frame, name="one"), mlflow.data.from_pandas(frame.head(2), name="two")]
    with mlflow.start_run() as active:
        mlflow.log_inputs(datasets=datasets, contexts=["training", "eval"], tags_list=[None, {"fold": "2"}])
    inputs = mlflow.get_run(active.info.run_id).inputs.dataset_inputs
    assert sorted(one.dataset.name for one in inputs) == ["one", "two"]
