"""Experiments as a user of the stock client sees them."""

import mlflow
import pytest
from mlflow.entities import ViewType
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.client


@pytest.mark.covers("MlflowClient.create_experiment", "MlflowClient.get_experiment")
def test_an_experiment_is_read_back_as_it_was_made(client, unique):
    name = unique("first")
    made = client.get_experiment(client.create_experiment(name, tags={"team": "churn"}))
    assert (made.name, made.lifecycle_stage, made.tags) == (name, "active", {"team": "churn"})
    assert made.artifact_location.startswith("mlflow-artifacts:/")
    assert made.creation_time == made.last_update_time > 1_500_000_000_000


@pytest.mark.covers("mlflow.create_experiment", "mlflow.get_experiment", "mlflow.get_experiment_by_name")
def test_the_fluent_calls_find_an_experiment_by_id_and_by_name(tracking, unique):
    name = unique("fluent")
    made = mlflow.create_experiment(name)
    assert mlflow.get_experiment(made).name == name
    assert mlflow.get_experiment_by_name(name).experiment_id == made


@pytest.mark.covers("MlflowClient.get_experiment_by_name")
def test_a_missing_name_is_none_and_not_an_error(client, unique):
    assert client.get_experiment_by_name(unique("missing")) is None


@pytest.mark.covers("mlflow.set_experiment")
def test_set_experiment_makes_it_once_and_finds_it_again(tracking, unique):
    name = unique("set")
    assert mlflow.set_experiment(name).experiment_id == mlflow.set_experiment(name).experiment_id


def test_there_is_a_default_experiment_with_the_id_zero(client):
    assert client.get_experiment("0").name == "Default"


def test_a_name_in_use_is_refused(client, unique):
    name = unique("taken")
    client.create_experiment(name)
    with pytest.raises(MlflowException) as refused:
        client.create_experiment(name)
    assert refused.value.error_code == "RESOURCE_ALREADY_EXISTS"


def test_an_unknown_id_is_named_in_the_error(client):
    with pytest.raises(MlflowException, match="No Experiment with id=987654321 exists") as refused:
        client.get_experiment("987654321")
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.covers("MlflowClient.rename_experiment")
def test_a_renamed_experiment_keeps_its_id(client, experiment, unique):
    name = unique("renamed")
    client.rename_experiment(experiment, name)
    assert client.get_experiment_by_name(name).experiment_id == experiment


@pytest.mark.covers("MlflowClient.set_experiment_tag")
def test_a_tag_set_again_is_overwritten(client, experiment):
    client.set_experiment_tag(experiment, "stage", "draft")
    client.set_experiment_tag(experiment, "stage", "final")
    assert client.get_experiment(experiment).tags["stage"] == "final"


@pytest.mark.covers("mlflow.set_experiment_tag", "mlflow.set_experiment_tags")
def test_fluent_tags_go_to_the_active_experiment(tracking, experiment):
    mlflow.set_experiment_tag("one", "1")
    mlflow.set_experiment_tags({"two": "2", "three": "3"})
    tags = mlflow.get_experiment(experiment).tags
    assert {key: tags.get(key) for key in ("one", "two", "three")} == {"one": "1", "two": "2", "three": "3"}


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.delete_experiment_tag")
def test_a_deleted_tag_is_gone(client, experiment):
    client.set_experiment_tag(experiment, "gone", "soon")
    client.delete_experiment_tag(experiment, "gone")
    assert "gone" not in client.get_experiment(experiment).tags


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.delete_experiment_tag", "mlflow.restore_experiment")
def test_the_fluent_calls_delete_tags_and_restore_too(client, experiment):
    mlflow.set_experiment_tag("gone", "soon")
    mlflow.delete_experiment_tag("gone")
    mlflow.delete_experiment(experiment)
    mlflow.restore_experiment(experiment)
    restored = client.get_experiment(experiment)
    assert restored.lifecycle_stage == "active"
    assert "gone" not in restored.tags


@pytest.mark.covers("MlflowClient.delete_experiment", "MlflowClient.restore_experiment")
def test_deleting_takes_the_runs_along_and_restoring_brings_them_back(client, experiment, run):
    client.delete_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "deleted"
    assert client.get_run(run).info.lifecycle_stage == "deleted"
    client.restore_experiment(experiment)
    assert client.get_experiment(experiment).lifecycle_stage == "active"
    assert client.get_run(run).info.lifecycle_stage == "active"


@pytest.mark.covers("mlflow.delete_experiment")
def test_a_deleted_experiment_takes_no_new_runs(client, experiment):
    mlflow.delete_experiment(experiment)
    with pytest.raises(MlflowException, match="must be in the 'active' state"):
        client.create_run(experiment)


@pytest.mark.covers("MlflowClient.search_experiments")
def test_deleted_experiments_are_listed_only_when_asked_for(client, experiment):
    client.delete_experiment(experiment)

    def listed(view):
        return [one.experiment_id for one in client.search_experiments(view_type=view, max_results=1000)]

    assert experiment not in listed(ViewType.ACTIVE_ONLY)
    assert experiment in listed(ViewType.DELETED_ONLY)
    assert experiment in listed(ViewType.ALL)


def test_deleting_twice_is_not_found(client, experiment):
    client.delete_experiment(experiment)
    with pytest.raises(MlflowException) as refused:
        client.delete_experiment(experiment)
    assert refused.value.error_code == "RESOURCE_DOES_NOT_EXIST"


@pytest.mark.modelry_only("a name is free again as soon as its experiment is deleted")
def test_the_name_of_a_deleted_experiment_can_be_used_at_once(client, unique):
    name = unique("reused")
    first = client.create_experiment(name)
    client.delete_experiment(first)
    second = client.create_experiment(name)
    assert client.get_experiment_by_name(name).experiment_id == second != first


@pytest.mark.modelry_only("MLflow's server does not free names, so nothing can be in the way of a restore")
def test_restoring_under_a_taken_name_is_a_conflict_that_names_it(client, unique):
    name = unique("reused")
    first = client.create_experiment(name)
    client.delete_experiment(first)
    client.create_experiment(name)
    with pytest.raises(MlflowException, match=name) as refused:
        client.restore_experiment(first)
    assert refused.value.error_code == "RESOURCE_CONFLICT"
