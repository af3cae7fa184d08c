"""Prompts of clients, which keep them in the model registry."""

import mlflow
import pytest
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

pytestmark = pytest.mark.client

THREE = int(mlflow.__version__.split(".")[0]) > 2


@pytest.fixture
def name(unique):
    return unique("greeting").replace(" ", "-")


@pytest.fixture
def prompt(client, name):
    """The name of a prompt with two versions."""
    client.register_prompt(name, "Hello {{who}}", commit_message="first")
    client.register_prompt(name, "Good day {{who}}", commit_message="second")
    return name


@pytest.mark.covers("MlflowClient.register_prompt", "MlflowClient.load_prompt")
def test_a_prompt_is_registered_and_loaded_by_number(client, prompt):
    first = client.load_prompt(prompt, version=1) if THREE else client.load_prompt(f"prompts:/{prompt}/1")
    assert (int(first.version), first.template, first.commit_message) == (1, "Hello {{who}}", "first")
    assert first.format(who="you") == "Hello you"


@pytest.mark.covers("mlflow.register_prompt", "mlflow.load_prompt")
def test_a_prompt_is_registered_and_loaded_by_the_fluent_api(tracking, name):
    assert int(mlflow.register_prompt(name, "Hello {{who}}").version) == 1
    assert mlflow.load_prompt(f"prompts:/{name}/1").template == "Hello {{who}}"


@pytest.mark.mlflow3
@pytest.mark.covers("mlflow.genai.register_prompt", "mlflow.genai.load_prompt", "mlflow.genai.search_prompts")
def test_the_latest_prompt_is_the_newest(client, prompt):
    assert mlflow.genai.load_prompt(f"prompts:/{prompt}@latest").version == 2
    assert prompt in [one.name for one in mlflow.genai.search_prompts()]


@pytest.mark.covers("MlflowClient.set_prompt_alias", "MlflowClient.delete_prompt_alias")
def test_an_alias_of_a_prompt(client, prompt):
    client.set_prompt_alias(prompt, "polite", 2)
    assert mlflow.load_prompt(f"prompts:/{prompt}@polite").template == "Good day {{who}}"
    client.delete_prompt_alias(prompt, "polite")
    with pytest.raises(MlflowException):
        client.get_model_version_by_alias(prompt, "polite")


@pytest.mark.covers("mlflow.set_prompt_alias", "mlflow.delete_prompt_alias")
def test_an_alias_of_a_prompt_by_the_fluent_api(client, prompt):
    mlflow.set_prompt_alias(prompt, "polite", 1)
    assert int(mlflow.load_prompt(f"prompts:/{prompt}@polite").version) == 1
    mlflow.delete_prompt_alias(prompt, "polite")
    with pytest.raises(MlflowException):
        client.get_model_version_by_alias(prompt, "polite")


@pytest.mark.mlflow3
@pytest.mark.covers(
    "MlflowClient.create_prompt",
    "MlflowClient.create_prompt_version",
    "MlflowClient.get_prompt",
    "MlflowClient.get_prompt_version",
    "MlflowClient.get_prompt_version_by_alias",
    "MlflowClient.set_prompt_tag",
    "MlflowClient.delete_prompt_tag",
    "MlflowClient.set_prompt_version_tag",
    "MlflowClient.delete_prompt_version_tag",
)
def test_a_prompt_is_made_and_tagged_by_the_client(client, name):
    client.create_prompt(name, description="Says hello", tags={"team": "a"})
    made = client.create_prompt_version(name, "Hello {{who}}", description="first", tags={"tone": "dry"})
    assert (made.version, made.template) == (1, "Hello {{who}}")
    client.set_prompt_tag(name, "language", "en")
    client.delete_prompt_tag(name, "team")
    assert client.get_prompt(name).tags == {"language": "en"}
    client.set_prompt_version_tag(name, "1", "kind", "short")
    client.delete_prompt_version_tag(name, "1", "tone")
    found = client.get_prompt_version(name, "1")
    assert found.tags == {"kind": "short"}
    client.set_prompt_alias(name, "best", 1)
    assert client.get_prompt_version_by_alias(name, "best").version == 1


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.search_prompt_versions")
def test_versions_of_a_prompt_are_searched(client, prompt):
    assert sorted(one.version for one in client.search_prompt_versions(prompt)) == [1, 2]


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.search_prompts", "mlflow.search_prompts")
def test_prompts_are_searched_without_models(client, prompt, unique):
    model = unique("model")
    client.create_registered_model(model)
    prompts = [one.name for one in client.search_prompts()]
    assert prompt in prompts and model not in prompts
    assert prompt in [one.name for one in mlflow.search_prompts()]


def test_models_are_searched_without_prompts(client, prompt, unique):
    model = unique("model")
    client.create_registered_model(model)
    models = [one.name for one in client.search_registered_models()]
    assert model in models and prompt not in models


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.delete_prompt_version", "MlflowClient.delete_prompt")
def test_a_prompt_is_deleted(client, prompt):
    for version in ["1", "2"]:
        client.delete_prompt_version(prompt, version)
    assert client.search_prompt_versions(prompt) == []
    client.delete_prompt(prompt)
    assert client.get_prompt(prompt) is None


@pytest.mark.mlflow2
@pytest.mark.covers("MlflowClient.delete_prompt", "mlflow.delete_prompt")
def test_a_version_of_a_prompt_is_deleted_by_a_2_client(client, prompt):
    client.delete_prompt(prompt, 1)
    mlflow.delete_prompt(prompt, 2)
    with pytest.raises(MlflowException):
        client.load_prompt(f"prompts:/{prompt}/1")


@pytest.mark.mlflow2
@pytest.mark.covers("MlflowClient.log_prompt", "MlflowClient.list_logged_prompts", "MlflowClient.detach_prompt_from_run")
def test_a_prompt_is_noted_on_a_run(client, run, prompt):
    client.log_prompt(run, f"prompts:/{prompt}/1")
    assert [one.name for one in client.list_logged_prompts(run)] == [prompt]
    client.detach_prompt_from_run(run, f"prompts:/{prompt}/1")
    assert list(client.list_logged_prompts(run)) == []


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.list_logged_prompts", "MlflowClient.detach_prompt_from_run")
def test_prompts_that_a_2_client_noted_on_a_run_are_listed(wire, client, run, prompt):
    tag = {"name": prompt, "version": "1", "key": "mlflow.prompt.associatedRunIds", "value": run}
    wire.ok(wire.post("model-versions/set-tag", tag))
    assert [one.name for one in client.list_logged_prompts(run)] == [prompt]
    client.detach_prompt_from_run(run, f"prompts:/{prompt}/1")
    assert list(client.list_logged_prompts(run)) == []


@pytest.mark.mlflow3
@pytest.mark.covers("MlflowClient.link_prompt_version_to_run", "MlflowClient.link_prompt_version_to_model")
def test_a_prompt_is_linked_to_a_run_and_a_model(client, experiment, run, prompt):
    found = client.load_prompt(prompt, version=1)
    client.link_prompt_version_to_run(run, found)
    assert prompt in client.get_run(run).data.tags["mlflow.linkedPrompts"]
    model = mlflow.initialize_logged_model(name="answers")
    client.link_prompt_version_to_model(prompt, "1", model.model_id)
    assert prompt in mlflow.get_logged_model(model.model_id).tags["mlflow.linkedPrompts"]


def test_a_model_and_a_prompt_do_not_share_a_name(client, prompt, unique):
    with pytest.raises(MlflowException, match="Tried to create a registered model with name .* already taken by a prompt"):
        client.create_registered_model(prompt)
    model = unique("model").replace(" ", "-")
    client.create_registered_model(model)
    with pytest.raises(MlflowException, match="prompt"):
        client.register_prompt(model, "x")


@pytest.mark.modelry_only
def test_a_prompt_has_no_experiment(client, prompt):
    assert client.get_experiment_by_name(prompt) is None
